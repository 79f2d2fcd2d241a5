// The sources: what is watched, how it fares, and connecting, changing and removing it.

import { html } from "../vendor/preact.js";
import { Problem, post, request } from "../api.js";
import { t, tWord } from "../i18n.js";
import { refresh, sources, sourcesKnown } from "../inbox/around.js";
import { route } from "../router.js";
import { may } from "../session.js";
import { Confirm, openDialog } from "../shell/dialogs.js";
import { inWords } from "../shell/forms.js";
import { Icon } from "../shell/icons.js";
import { tone } from "../shell/rail.js";
import { toast } from "../toasts.js";
import { When } from "../health/card.js";
import { Connect } from "./connect.js";
import { Reconnect } from "./reconnect.js";
import { Cards } from "./platforms.js";

/** @typedef {import("../shapes").Source} Source */

export function Sources() {
  const [first = "", second = ""] = route.value.rest;
  if (!may("manage_sources")) return html`<div class="empty"><h1>${t("section.sources")}</h1><p>${t("refused.role")}</p></div>`;
  const source = sources.value.find((each) => String(each.id) === first);
  if (first === "new") return html`<${Frame} title=${t("connect.title")}>${second === "" ? html`<${Cards} />` : html`<${Connect} key=${second} name=${second} />`}<//>`;
  if (source !== undefined && second === "reconnect") return html`<${Frame} title=${t("reconnect.title", { name: source.name })}><${Reconnect} key=${source.id} source=${source} /><//>`;
  return html`<${List} />`;
}

/** @param {{title: string, children?: unknown}} props */
function Frame({ title, children }) {
  return html`<section class="page"><div class="page-inner">
    <header class="page-head"><h1>${title}</h1><a class="button" href="/sources">${t("section.sources")}</a></header>
    ${children}
  </div></section>`;
}

function List() {
  return html`<section class="page"><div class="page-inner">
    <header class="page-head"><h1>${t("section.sources")}</h1><a class="button primary" href="/sources/new">${t("empty.connect")}</a></header>
    ${sourcesKnown.value && sources.value.length === 0 && html`<div class="empty"><${Icon} name="plug" /><h2>${t("empty.no_source")}</h2><p>${t("empty.no_source_text")}</p></div>`}
    <ul class="plain">${sources.value.map((source) => html`<li key=${source.id} class="card"><${Entry} source=${source} /></li>`)}</ul>
  </div></section>`;
}

/** @param {{source: Source}} props */
function Entry({ source }) {
  const where = source.identity?.handle || String(Object.values(source.settings).find((each) => typeof each === "string" && each) ?? "");
  return html`<div class="card-head">
    <span class=${`dot ${tone(source.state)}`} aria-hidden="true"></span>
    <div class="grow">
      <h2><bdi>${source.name}</bdi> <small class="faint">${tWord("platform", source.platform)}, ${tWord("state", source.state)}</small></h2>
      <p class="faint"><bdi>${where}</bdi>${where && ". "}${t("source.read")} <${When} at=${source.last_ok_at} past /></p>
    </div>
    <div class="card-ways">
      <a class="button" href=${`/?source=${source.id}`}>${t("source.open")}</a>
      <button type="button" onClick=${() => void pause(source)}>${source.paused ? t("source.resume") : t("source.pause")}</button>
      <a class=${source.state === "auth_failed" ? "button primary" : "button"} href=${`/sources/${source.id}/reconnect`}>${t("source.reconnect")}</a>
      <button type="button" class="danger" onClick=${() => askRemove(source)}>${t("source.remove")}</button>
    </div>
  </div>`;
}

/** @param {Source} source */
async function pause(source) {
  await changed(() => post(`/sources/${source.id}/${source.paused ? "resume" : "pause"}`, undefined, source.version));
}

/** @param {Source} source */
function askRemove(source) {
  const demo = source.platform === "demo";
  openDialog(Confirm, {
    title: t("source.remove_title", { name: source.name }),
    text: t(demo ? "source.remove_demo" : "source.remove_text"),
    yes: t("source.remove"),
    danger: true,
    onYes: () => void changed(() => request("DELETE", `/sources/${source.id}`, { version: source.version })),
  });
}

/** @param {() => Promise<unknown>} change */
async function changed(change) {
  try {
    await change();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    toast(inWords(error), { tone: "refused" });
  }
  await Promise.all([refresh.sources.now(), refresh.counts.now()]);
}
