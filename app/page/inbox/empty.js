// A list without rows: four different things, told apart. Never "all answered" while a source is red.

import { html, useEffect, useSignal } from "../vendor/preact.js";
import { now } from "../clock.js";
import { list, relative } from "../format.js";
import { t } from "../i18n.js";
import { Icon } from "../shell/icons.js";
import { SECTIONS } from "../shell/sections.js";
import { counts, sources, sourcesKnown, views } from "./around.js";
import { coverageLine, troubled } from "./coverage.js";
import { searchTrouble, state } from "./list.js";
import { asked, viewAddress } from "./views.js";

export function Empty() {
  const { coverage, problem, state: at } = state.value;
  if (at === "failed") return html`<${Failed} problem=${problem} />`;
  const bad = troubled(coverage);
  const { view, q, source } = asked();
  if (sourcesKnown.value && sources.value.length === 0) return html`<${NoSource} />`;
  if (q !== "" || source !== null) return html`<${Nothing} />`;
  if (bad.length > 0) return html`<${Blind} bad=${bad} />`;
  if (view !== "inbox") return html`<${NothingHere} saved=${views.value.some((each) => String(each.id) === view)} />`;
  return html`<${AllAnswered} coverage=${coverage} />`;
}

/** @param {{problem: import("../api.js").Problem | null}} props */
function Failed({ problem }) {
  if (problem?.status === 422) {
    return html`<div class="empty"><h2>${t("empty.unreadable")}</h2><p id="search-trouble" role="alert" dir="auto">${searchTrouble}</p>
      <p><a class="button" href="/">${t("empty.clear")}</a></p></div>`;
  }
  const text = problem?.status === 404 ? t("empty.no_view") : problem?.code === "offline" ? t("refused.offline") : problem?.message;
  return html`<div class="empty"><h2>${t("empty.failed")}</h2><p dir="auto">${text}</p>
    <p><a class="button" href="/">${t("section.inbox")}</a></p></div>`;
}

function NoSource() {
  const way = "welcome" in SECTIONS ? "/welcome" : "";
  return html`<div class="empty">
    <${Icon} name="plug" />
    <h2>${t("empty.no_source")}</h2>
    <p>${t("empty.no_source_text")}</p>
    ${way && html`<p><a class="button primary" href=${way}>${t("empty.connect")}</a></p>`}
  </div>`;
}

function Nothing() {
  return html`<div class="empty">
    <${Icon} name="search" />
    <h2>${t("empty.nothing")}</h2>
    <p><a class="button" href=${viewAddress(asked().view)}>${t("empty.clear")}</a></p>
  </div>`;
}

/** @param {{saved: boolean}} props */
function NothingHere({ saved }) {
  return html`<div class="empty"><h2>${saved ? t("empty.nothing") : t("empty.view")}</h2></div>`;
}

/** @param {{bad: import("../shapes").StreamCoverage[]}} props */
function Blind({ bad }) {
  const names = [...new Set(bad.map((each) => each.source_name))];
  return html`<div class="empty" role="status">
    <${Icon} name="alert" />
    <h2>${t("empty.blind", { n: names.length })}</h2>
    <p>${t("empty.blind_text", { list: list(names) })}</p>
    ${"health" in SECTIONS && html`<p><a class="button primary" href="/health">${t("empty.look")}</a></p>`}
  </div>`;
}

/** @param {{coverage: import("../shapes").Coverage | null}} props */
function AllAnswered({ coverage }) {
  const next = sources.value.map((each) => each.next_poll_at).filter((each) => each !== null).sort()[0];
  const week = useSignal(/** @type {(() => any) | null} */ (null));
  useEffect(() => void import("./week.js").then(({ Week }) => (week.value = Week), () => {}), []);
  const hidden = counts.value ? counts.value.unanswered.total - counts.value.unanswered.shown : 0;
  return html`<div class="empty" role="status">
    <${Icon} name="check" />
    <h2>${t("empty.answered")}</h2>
    <p>${coverage && coverageLine(coverage, now.value)}</p>
    ${week.value && html`<${week.value} />`}
    ${next && Date.parse(next) > now.value && html`<p class="faint">${t("empty.next", { when: relative(next, now.value) })}</p>`}
    ${hidden > 0 && html`<p class="faint">${t("empty.hidden", { n: hidden })}</p>`}
  </div>`;
}
