// A line for the source in trouble; several are one line that opens. Closed for this visit only.

import { html, signal } from "../vendor/preact.js";
import { now } from "../clock.js";
import { list } from "../format.js";
import { t } from "../i18n.js";
import { sources } from "../inbox/around.js";
import { route } from "../router.js";
import { may } from "../session.js";
import { Icon } from "../shell/icons.js";
import { inTrouble, told } from "./words.js";

/** Troubles that were closed: another state of the source is another trouble. */
const closed = signal(/** @type {Set<string>} */ (new Set()));

/** @param {import("../shapes").Source} source */
function keyOf(source) {
  return `${source.id} ${source.state} ${source.error?.since ?? ""}`;
}

export function SourceBanners() {
  const open = inTrouble(sources.value).filter((each) => !closed.value.has(keyOf(each)));
  if (open.length === 0 || route.value.section === "health") return null;
  const close = () => (closed.value = new Set([...closed.value, ...open.map(keyOf)]));
  const level = open.some((each) => told(each, now.value).level === "error") ? "error" : "warning";
  return html`<div class=${`banner ${level}`} role="status">
    <${Icon} name="alert" />
    ${open.length === 1 ? html`<${Trouble} source=${open[0]} />` : html`<${Several} list=${open} />`}
    <button type="button" class="quiet square" aria-label=${t("trouble.close")} onClick=${close}><${Icon} name="close" /></button>
  </div>`;
}

/** @param {{list: import("../shapes").Source[]}} props */
function Several({ list: found }) {
  return html`<details class="banner-text">
    <summary>${t("trouble.several", { n: found.length })} <span>${list(found.map((each) => each.name))}</span></summary>
    <ul>${found.map((each) => html`<li key=${each.id}><${Trouble} source=${each} /></li>`)}</ul>
  </details>`;
}

/** @param {{source: import("../shapes").Source, details?: boolean}} props */
export function Trouble({ source, details = true }) {
  const { what, effect, safety, reconnect } = told(source, now.value);
  return html`<span class="banner-text">
    <strong>${what}</strong> ${effect} ${safety}
    <span class="banner-ways">
      ${reconnect && may("manage_sources") && html`<a href=${`/sources/${source.id}/reconnect`}>${t("source.reconnect")}</a>`}
      ${reconnect && !may("manage_sources") && html`<span>${t("trouble.ask_admin")}</span>`}
      ${details && html`<a href="/health">${t("trouble.details")}</a>`}
    </span>
  </span>`;
}
