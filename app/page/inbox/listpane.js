// The pane with the list: what it is, how complete it is, its rows, and what is new.

import { html, useEffect, useRef } from "../vendor/preact.js";
import { now } from "../clock.js";
import { t, tWord } from "../i18n.js";
import { go, withQuery } from "../router.js";
import { Icon } from "../shell/icons.js";
import { Keys } from "../shell/keycaps.js";
import { later } from "../shell/bringing.js";
import { counts, sources, views } from "./around.js";
import { BulkBar } from "./bulkbar.js";
import { coverageLine } from "./coverage.js";
import { Empty } from "./empty.js";
import { fresh, ids, loadMore, shown, showFresh, state, tail } from "./list.js";
import { saveView } from "./commands.js";
import { Row } from "./row.js";
import { focusRow, select, selected } from "./selection.js";
import { BUILT_IN, asked } from "./views.js";

export function ListPane() {
  return html`<section class="list-pane" aria-label=${t("list.label")}>
    <${Head} />
    <${BulkBar} />
    <${Pill} />
    <${Rows} />
  </section>`;
}

/** @param {import("../shapes").View} view */
const changeView = (view) => void later(() => import("./saving.js"), (module) => module.changeView(view));

function viewName() {
  const { view, source } = asked();
  const saved = views.value.find((each) => String(each.id) === view);
  const where = source === null ? undefined : sources.value.find((each) => String(each.id) === source);
  return { saved, name: where?.name ?? saved?.name ?? (BUILT_IN.some((each) => each.name === view) ? tWord("view", view) : t("list.unknown")) };
}

function Head() {
  const { saved, name } = viewName();
  const { q, order, source } = asked();
  const { coverage, search, state: at } = state.value;
  const all = shown.value.length > 0 && shown.value.every((id) => selected.value.has(id));
  return html`<header class="list-head">
    <input
      type="checkbox"
      class="list-all"
      aria-label=${t("command.select_all")}
      checked=${all}
      indeterminate=${!all && selected.value.size > 0}
      disabled=${shown.value.length === 0}
      onClick=${() => select(all ? [] : shown.value)}
    />
    <div class="list-title">
      <h1><bdi>${name}</bdi><${HeadCount} /></h1>
      <p class="coverage">${coverage && sources.value.length > 0 && coverageLine(coverage, now.value)}${search && !search.complete && ` · ${t("list.indexing", { n: search.waiting })}`}</p>
    </div>
    <${Order} value=${order ?? ""} />
    ${(q !== "" || source !== null || order !== null) && !saved && at !== "failed" && html`<button type="button" class="quiet" onClick=${saveView}>${t("view.save")}</button>`}
    ${saved?.mine && html`<button type="button" class="quiet square" aria-label=${t("view.change", { name: saved.name })} onClick=${() => changeView(saved)}><${Icon} name="dots" /></button>`}
  </header>`;
}

/** The number of rows where all are here; else what the counts of the service say. */
function HeadCount() {
  const { view, q, source } = asked();
  const plain = q === "" && source === null;
  const told = counts.value;
  const whole = state.value.state === "ready" && state.value.cursor === null;
  const count = whole ? shown.value.length : plain && told !== null ? (BUILT_IN.find((each) => each.name === view)?.count(told) ?? null) : null;
  return count === null ? null : html`<span class="list-count">${count}</span>`;
}

/** @param {{value: string}} props */
function Order({ value }) {
  return html`<select
    class="quiet"
    aria-label=${t("order.label")}
    value=${value}
    onChange=${(/** @type {Event} */ event) => go(withQuery({ order: /** @type {HTMLSelectElement} */ (event.currentTarget).value || null }))}
  >
    ${["", "oldest", "newest", "due", "value"].map((each) => html`<option key=${each} value=${each} selected=${each === value}>${tWord("order", each || "default")}</option>`)}
  </select>`;
}

function Pill() {
  const n = fresh.value.length;
  const run = () => {
    const first = showFresh();
    if (first !== undefined) focusRow(first);
  };
  return html`<div class="pill-place" role="status">
    ${n > 0 && html`<button type="button" class="pill" onClick=${run}>${t("list.fresh", { n })} <${Keys} sequence="." /></button>`}
  </div>`;
}

function Rows() {
  const { state: at, cursor, more } = state.value;
  if (at === "loading" && shown.value.length === 0) return html`<p class="empty faint" role="status">${t("loading")}</p>`;
  if (shown.value.length === 0) return html`<${Empty} />`;
  return html`<div class="rows-scroll" aria-busy=${at === "loading" ? "true" : "false"}>
    <ul class="rows" role="list">${ids.value.map((id) => html`<${Row} key=${id} id=${id} />`)}</ul>
    ${cursor !== null && html`<${More} busy=${more} />`}
    ${tail.value.length > 0 &&
    html`<h2 class="tail-line">${t("list.tail", { n: tail.value.length })}</h2>
      <ul class="rows" role="list">${tail.value.map((id) => html`<${Row} key=${id} id=${id} />`)}</ul>`}
  </div>`;
}

/** The end of what is loaded: reads on when it comes into sight. @param {{busy: boolean}} props */
function More({ busy }) {
  const ref = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => {
    if (ref.current === null) return;
    const watch = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && void loadMore(), { rootMargin: "400px" });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, [busy]);
  return html`<button type="button" class="more" ref=${ref} disabled=${busy} onClick=${() => void loadMore()}>
    ${busy ? t("loading") : t("list.more")}
  </button>`;
}
