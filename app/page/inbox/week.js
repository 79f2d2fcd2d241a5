// How soon people were answered this week: asked for when nobody waits any more.

import { Problem, get } from "../api.js";
import { serverNow } from "../clock.js";
import { duration } from "../format.js";
import { t } from "../i18n.js";

const PATIENCE = 2000; // milliseconds: the list is empty before the service has heard of the last answer

/** A sentence, or nothing where nobody was answered yet. */
export async function thisWeek() {
  const told = await asked();
  if (told !== "") return told;
  await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  return asked();
}

async function asked() {
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  try {
    /** @type {import("../shapes").ResponseReport} */
    const report = await get("/reports/response", { time_zone, from: monday() });
    const median = report.total.answered_median_seconds;
    return median === null ? "" : t("empty.week", { time: duration(Math.max(median, 60), "long") });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return "";
  }
}

/** The day this week began with, as the API writes days. */
function monday() {
  const day = new Date(serverNow());
  day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((each) => String(each).padStart(2, "0")).join("-");
}
