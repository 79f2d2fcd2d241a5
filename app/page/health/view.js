// How the sources fare: each with its trouble, how far it has read, its polls, and what it could not read.

import { html } from "../vendor/preact.js";
import { now } from "../clock.js";
import { t } from "../i18n.js";
import { counts, sources, sourcesKnown } from "../inbox/around.js";
import { coverageLine } from "../inbox/coverage.js";
import { useAsked } from "../shell/asking.js";
import { getAll } from "../api.js";
import { may } from "../session.js";
import { SourceCard } from "./card.js";
import { readDays } from "./days.js";
import { Diagnostics } from "./diagnostics.js";
import { Quarantine } from "./quarantine.js";
import { inTrouble } from "./words.js";

export function Health() {
  const quarantined = sources.value.some((each) => each.streams.some((stream) => stream.quarantined > 0));
  const held = useAsked(
    async () => (quarantined && may("triage") ? /** @type {Promise<import("../shapes").Quarantined[]>} */ (getAll("/quarantine")) : []),
    [quarantined, sources.value],
  );
  const days = useAsked(readDays, []);
  const bad = inTrouble(sources.value).length;
  const paused = sources.value.filter((each) => each.paused).length;
  const good = sources.value.length - bad - paused;
  const coverage = counts.value?.coverage ?? null;
  return html`<section class="page"><div class="page-inner">
    <header class="page-head">
      <div>
        <h1>${t("section.health")}</h1>
        <p class=${bad > 0 ? "bad-text" : "faint"} role="status">
          ${sourcesKnown.value && sources.value.length === 0 && t("health.none")}
          ${bad > 0 && t("health.bad", { n: bad })}
          ${bad === 0 && good > 0 && t("health.good", { n: good })}
          ${paused > 0 && ` ${t("health.paused", { n: paused })}`}
          ${coverage !== null && sources.value.length > 0 && html` <span class="faint">${coverageLine(coverage, now.value)}.</span>`}
        </p>
      </div>
      <${Diagnostics} />
    </header>
    ${sourcesKnown.value && sources.value.length === 0 && may("manage_sources") && html`<p><a class="button primary" href="/sources/new">${t("empty.connect")}</a></p>`}
    ${[...inTrouble(sources.value), ...sources.value.filter((each) => !inTrouble([each]).length)].map(
      (source) => html`<${SourceCard} key=${source.id} source=${source} days=${days.value.value} />`,
    )}
    <${Quarantine} entries=${held.value.value ?? []} again=${held.again} />
  </div></section>`;
}
