// How soon people were answered this week: asked for when nobody waits any more, and again with each answer.

import { html, useEffect, useSignal } from "../vendor/preact.js";
import { Problem, get } from "../api.js";
import { serverNow } from "../clock.js";
import { duration } from "../format.js";
import { t } from "../i18n.js";
import { onEvents } from "../live.js";

/** Events after which the numbers are others. */
const ANSWERS = /^item\.(replied|thanked|answer_|undone)/;

/**
 * A sentence, or nothing where nobody was answered yet. The list is empty before the service has
 * stored the last answer: that it has, its event tells.
 */
export function Week() {
  const told = useSignal("");
  useEffect(() => {
    let last = 0;
    const ask = async () => {
      const mine = ++last;
      const text = await sentence();
      if (mine === last && text !== null) told.value = text;
    };
    void ask();
    return onEvents((events) => {
      if (events === null || events.some((each) => ANSWERS.test(each.type))) void ask();
    });
  }, []);
  return told.value && html`<p>${told}</p>`;
}

async function sentence() {
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  try {
    /** @type {import("../shapes").ResponseReport} */
    const report = await get("/reports/response", { time_zone, from: monday() });
    const median = report.total.answered_median_seconds;
    return median === null ? "" : t("empty.week", { time: duration(Math.max(median, 60), "long") });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return null;
  }
}

/** The day this week began with, as the API writes days. */
function monday() {
  const day = new Date(serverNow());
  day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((each) => String(each).padStart(2, "0")).join("-");
}
