// Messages that could not be read: with the reason and what came, and a way to try again.

import { html } from "../vendor/preact.js";
import { Problem, post } from "../api.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { inWords } from "../shell/forms.js";
import { toast } from "../toasts.js";
import { When } from "./card.js";

/** @param {{entries: import("../shapes").Quarantined[], again: () => Promise<void>}} props */
export function Quarantine({ entries, again }) {
  if (entries.length === 0) return null;
  /** @param {number} id */
  const retry = async (id) => {
    try {
      await post(`/quarantine/${id}/retry`);
      toast(t("quarantine.tried"));
      window.setTimeout(() => void again(), 1500);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(inWords(error), { tone: "refused" });
    }
  };
  return html`<section class="card" aria-labelledby="quarantine">
    <h2 id="quarantine">${t("quarantine.title", { n: entries.length })}</h2>
    <p class="faint">${t("quarantine.text")}</p>
    <ul class="plain">${entries.map((entry) => html`<li key=${entry.id}>
      <div class="card-head">
        <p><bdi>${entry.source_name}</bdi>, ${entry.stream.replaceAll("_", " ")}: <span dir="auto">${entry.reason}</span>
          <small class="faint"><${When} at=${entry.last_seen_at} />, ${t("quarantine.attempts", { n: entry.attempts })}</small></p>
        <button type="button" onClick=${() => void retry(entry.id)}>${t("quarantine.retry")}</button>
      </div>
      <details class="drawer"><summary>${t("raw.body")} <bdi>${entry.external_id ?? `#${number(entry.id)}`}</bdi></summary><pre class="raw" dir="ltr" tabindex="0">${entry.raw}</pre></details>
    </li>`)}</ul>
  </section>`;
}
