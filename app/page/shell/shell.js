// The frame around every section: top, rail, bottom bar, messages.

import { html, useEffect, useRef, useSignal, useSignalEffect } from "../vendor/preact.js";
import { go, route, withQuery } from "../router.js";
import { may, me, signOut } from "../session.js";
import { t } from "../i18n.js";
import { reach } from "../api.js";
import { refresh, views } from "../inbox/around.js";
import { goingCommands } from "../inbox/commands.js";
import { useCommands } from "../keys/commands.js";
import { Banners } from "./banners.js";
import { Dialogs, openDialog } from "./dialogs.js";
import { Chooser } from "./chooser.js";
import { Icon } from "./icons.js";
import { bring, later } from "./bringing.js";
import { openPalette } from "./palette.js";
import { Rail } from "./rail.js";
import { Search } from "./search.js";
import { SECTIONS } from "./sections.js";
import { Toasts } from "./toasts.js";

const openSheet = () => void later(() => bring(import("./sheet.js")), (module) => module.openSheet());

export function Shell() {
  const railOpen = useSignal(false);
  useSignalEffect(() => {
    void route.value;
    railOpen.value = false;
  });
  useCommands({
    palette: openPalette,
    help: openSheet,
    go_health: { run: () => go("/health"), enabled: () => "health" in SECTIONS },
    go_reports: { run: () => go("/reports"), enabled: () => "reports" in SECTIONS },
    go_sources: { run: () => go("/sources"), enabled: () => "sources" in SECTIONS },
    sign_out: () => void signOut(),
  });
  useCommands(goingCommands(), [views.value]);
  const item = route.value.query.has("item") && route.value.section === "inbox";
  return html`<div class="shell" data-pane=${item ? "detail" : "list"} data-rail=${railOpen.value ? "open" : "shut"}>
    <a class="skip" href="#main">${t("skip")}</a>
    <header class="top">
      <button
        type="button"
        class="quiet square rail-button"
        aria-label=${t("rail.open")}
        aria-expanded=${railOpen.value ? "true" : "false"}
        aria-controls="rail"
        onClick=${() => (railOpen.value = !railOpen.value)}
      >
        <${Icon} name="menu" />
      </button>
      <a class="brand" href="/">${t("brand")}</a>
      <${Search} />
      <div class="top-end">
        <button type="button" class="quiet square" aria-label=${t("command.palette")} onClick=${openPalette}>
          <${Icon} name="dots" />
        </button>
        <button type="button" class="quiet square wide-only" aria-label=${t("command.help")} onClick=${openSheet}>
          <${Icon} name="keyboard" />
        </button>
        <${Account} />
      </div>
    </header>
    <nav class="rail" id="rail" aria-label=${t("rail.label")}><${Rail} /></nav>
    <div class="veil" onClick=${() => (railOpen.value = false)}></div>
    <main id="main" class="main" tabindex="-1">
      <${Banners} />
      <${Section} />
    </main>
    <${BottomBar} openRail=${() => (railOpen.value = true)} />
    <${Toasts} />
    <${Dialogs} />
  </div>`;
}

function Section() {
  const name = route.value.section;
  const section = SECTIONS[name];
  const shown = useSignal(/** @type {{name: string, draw: (() => any) | null, failed: boolean}} */ ({ name: "", draw: null, failed: false }));
  const wanted = useRef("");
  useEffect(() => {
    wanted.current = name;
    if (section === undefined) return;
    section.load().then(
      (draw) => wanted.current === name && (shown.value = { name, draw, failed: false }),
      () => {
        shown.value = { name, draw: null, failed: true };
        refresh.counts.soon(); // which says whether the service is there at all
      },
    );
  }, [name, reach.value.ok]);
  if (section === undefined) return html`<${Nowhere} />`;
  if (shown.value.failed && !reach.value.ok) return html`<p class="empty" role="alert">${t("unreachable.text")}</p>`;
  if (shown.value.failed) return html`<${Outdated} />`;
  const Drawn = shown.value.name === name ? shown.value.draw : null;
  return Drawn === null ? html`<p class="empty faint" role="status">${t("loading")}</p>` : html`<${Drawn} />`;
}

function Nowhere() {
  return html`<div class="empty">
    <h1>${t("nowhere.title")}</h1>
    <p>${t("nowhere.text")}</p>
    <p><a class="button" href="/">${t("section.inbox")}</a></p>
  </div>`;
}

/** A module of another version than the service's: it was updated while the page was open. */
function Outdated() {
  return html`<div class="empty" role="alert">
    <h1>${t("outdated.title")}</h1>
    <p>${t("outdated.text")}</p>
    <p><button type="button" class="primary" onClick=${() => location.reload()}>${t("outdated.reload")}</button></p>
  </div>`;
}

function Account() {
  const name = me.value?.user?.display_name || me.value?.name || "";
  const choose = () =>
    openDialog(Chooser, {
      title: t("account.title", { name }),
      options: [
        ...("settings" in SECTIONS ? [{ id: "settings", label: t("section.settings"), run: () => go("/settings") }] : []),
        ...("people" in SECTIONS && may("manage_users") ? [{ id: "people", label: t("section.people"), run: () => go("/people") }] : []),
        { id: "keys", label: t("command.help"), sequence: "?", run: openSheet },
        { id: "out", label: t("command.sign_out"), run: () => void signOut() },
      ],
    });
  return html`<button type="button" class="quiet account" aria-label=${t("account.title", { name })} onClick=${choose}>
    <span class="initials" aria-hidden="true">${initials(name)}</span>
  </button>`;
}

/** @param {string} name */
export function initials(name) {
  const words = name.split(/[\s@._-]+/u).filter(Boolean);
  return words.slice(0, 2).map((word) => Array.from(word)[0]).join("").toLocaleUpperCase() || "?";
}

/** @param {{openRail: () => void}} props */
function BottomBar({ openRail }) {
  const inbox = route.value.section === "inbox";
  return html`<nav class="bottom" aria-label=${t("bottom.label")}>
    <a href=${inbox ? withQuery({ item: null }) : "/"} aria-current=${inbox ? "page" : undefined}>
      <${Icon} name="inbox" /><span>${t("section.inbox")}</span>
    </a>
    <button type="button" onClick=${openRail}><${Icon} name="menu" /><span>${t("bottom.views")}</span></button>
    ${"health" in SECTIONS &&
    html`<a href="/health" aria-current=${route.value.section === "health" ? "page" : undefined}>
      <${Icon} name="pulse" /><span>${t("section.health")}</span>
    </a>`}
    <button type="button" onClick=${openPalette}><${Icon} name="dots" /><span>${t("bottom.more")}</span></button>
  </nav>`;
}
