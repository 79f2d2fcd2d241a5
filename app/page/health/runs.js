// The last twenty polls of a source: read when somebody opens them.

import { html, useSignal } from "../vendor/preact.js";
import { get } from "../api.js";
import { duration, number } from "../format.js";
import { t, tWord } from "../i18n.js";
import { useAsked } from "../shell/asking.js";
import { Refused } from "../shell/forms.js";
import { When } from "./card.js";

/** @param {{source: import("../shapes").Source}} props */
export function Runs({ source }) {
  const open = useSignal(false);
  return html`<details class="drawer" onToggle=${(/** @type {Event} */ event) => (open.value = /** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
    <summary>${t("runs.label")}</summary>
    ${open.value && html`<${Table} source=${source} />`}
  </details>`;
}

/** @param {{source: import("../shapes").Source}} props */
function Table({ source }) {
  const { value, problem } = useAsked(
    async () => /** @type {import("../shapes").Run[]} */ ((await get(`/sources/${source.id}/runs`, { limit: 20 })).items),
    [source.id, source.last_ok_at, source.next_poll_at],
  );
  if (value.value === null) return html`<${Refused} problem=${problem.value} />`;
  if (value.value.length === 0) return html`<p class="faint">${t("runs.none")}</p>`;
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t("runs.label")}><table>
    <thead><tr>${["began", "outcome", "took", "pages", "new", "updated", "replies", "quarantined"].map((name) => html`<th scope="col">${tWord("fact", name)}</th>`)}</tr></thead>
    <tbody>${value.value.map((run) => html`<tr key=${run.id}>
      <td><${When} at=${run.started_at} /></td>
      <td>${run.outcome === null ? t("poll.running") : tWord("outcome", run.outcome)}${run.error && html`: ${tWord("class", run.error.code)}<br /><small class="faint" dir="auto">${run.error.detail}</small>`}</td>
      <td>${run.finished_at === null ? "–" : took(run)}</td>
      ${[run.pages, run.new, run.updated, run.replies_seen, run.quarantined].map((each) => html`<td>${each === null ? "–" : number(each)}</td>`)}
    </tr>`)}</tbody>
  </table></div>`;
}

/** @param {import("../shapes").Run} run */
function took(run) {
  const seconds = (Date.parse(run.finished_at ?? run.started_at) - Date.parse(run.started_at)) / 1000;
  return seconds < 60 ? t("seconds", { n: Math.round(seconds * 10) / 10 }) : duration(seconds);
}
