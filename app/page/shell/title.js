// The tab's title and icon: how many wait, and a dot while there are any.

import { effect } from "../vendor/preact.js";
import { counts } from "../inbox/around.js";
import { waiting as inboxCount } from "../inbox/views.js";
import { t } from "../i18n.js";
import { preferences } from "../preferences.js";
import { route } from "../router.js";
import { session } from "../session.js";
import { SECTIONS } from "./sections.js";

export function startTitle() {
  const icon = /** @type {HTMLLinkElement} */ (document.getElementById("icon"));
  const plain = icon.href;
  const dotted = plain.replace(/icon\.svg$/, "icon-waiting.svg");
  effect(() => {
    const inside = session.value.state === "in";
    const waiting = inside && preferences.value.counter ? (counts.value === null ? 0 : inboxCount(counts.value)) : 0;
    const section = SECTIONS[route.value.section];
    const name = inside ? (section === undefined ? t("nowhere.title") : t(section.title)) : t("signin.title");
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${name} · ${t("brand")}`;
    if (icon.href !== (waiting > 0 ? dotted : plain)) icon.href = waiting > 0 ? dotted : plain;
  });
}
