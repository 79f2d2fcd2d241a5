// What helps who looks for a fault, without a name, a text, a setting or a secret of anybody.

import { html, useSignal } from "../vendor/preact.js";
import { Problem } from "../api.js";
import { serverNow } from "../clock.js";
import { t } from "../i18n.js";
import { sources } from "../inbox/around.js";
import { live } from "../live.js";
import { Dialog, openDialog } from "../shell/dialogs.js";
import { Copy, inWords } from "../shell/forms.js";
import { toast } from "../toasts.js";
import { lastRuns } from "./card.js";

/** @typedef {import("../shapes").Source} Source */

const OF_STREAM = /** @type {const} */ (["shape", "state", "cause", "covered_from", "covered_through", "last_ok_at", "next_poll_at", "gaps_open", "recovered_24h", "quarantined", "skipped", "detection_lag_seconds"]);
const OF_RUN = /** @type {const} */ (["started_at", "finished_at", "outcome", "pages", "seen", "new", "updated", "unchanged", "quarantined", "recovered", "requests"]);

/**
 * @template {object} T
 * @template {keyof T} K
 * @param {T} from
 * @param {readonly K[]} names
 */
function only(from, names) {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

/** A source without its name and place; of errors the code alone. @param {Source} source */
async function redacted(source) {
  const runs = await lastRuns(source.id);
  return {
    ...only(source, ["id", "platform", "state", "paused", "poll_interval", "last_ok_at", "next_poll_at", "quota", "version"]),
    error: source.error && only(source.error, ["code", "since"]),
    streams: source.streams.map((each) => ({
      ...only(each, OF_STREAM),
      name: each.name.split(":")[0],
      error: each.error && only(each.error, ["code", "since"]),
      backfill: each.backfill,
      lost: each.lost.map((lost) => only(lost, ["cause", "from", "to"])),
    })),
    runs: runs.map((run) => ({ ...only(run, OF_RUN), error: run.error?.code ?? null })),
  };
}

export function Diagnostics() {
  const busy = useSignal(false);
  const gather = async () => {
    busy.value = true;
    try {
      const told = { at: new Date(serverNow()).toISOString(), browser: navigator.userAgent, live: live.value, sources: await Promise.all(sources.value.map(redacted)) };
      openDialog(Shown, { text: JSON.stringify(told, null, 2) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(inWords(error), { tone: "refused" });
    } finally {
      busy.value = false;
    }
  };
  return html`<button type="button" disabled=${busy.value || sources.value.length === 0} onClick=${() => void gather()}>${t("diagnostics.do")}</button>`;
}

/** @param {{text: string}} props */
function Shown({ text }) {
  return html`<${Dialog} title=${t("diagnostics.title")} wide>
    <p>${t("diagnostics.text")}</p>
    <textarea readonly rows="14" dir="ltr" spellcheck=${false} class="raw" aria-label=${t("diagnostics.title")} value=${text}></textarea>
    <div class="form-end"><${Copy} text=${text} /></div>
  <//>`;
}
