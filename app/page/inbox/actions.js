// The buttons of one item: only what may happen now, each with its key.

import { html } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { bindings } from "../keys/bindings.js";
import { run } from "../keys/commands.js";
import { may } from "../session.js";
import { Chooser } from "../shell/chooser.js";
import { openDialog } from "../shell/dialogs.js";
import { Icon } from "../shell/icons.js";
import { openable } from "./commands.js";

/** Shown as buttons, in this order; the rest is under "more". */
const FIRST = /** @type {const} */ ([
  ["mark_replied", "check"],
  ["thank", "heart"],
  ["dismiss", "close"],
  ["snooze", "clock"],
  ["unsnooze", "clock"],
  ["assign", "user"],
  ["reopen", "undo"],
]);
const REST = /** @type {const} */ (["claim", "release", "assign_me", "label", "star", "note", "dismiss_because", "spam", "spam_mute"]);

/** @param {{item: import("../shapes").Item}} props */
export function Actions({ item }) {
  if (!may("triage")) return null;
  const more = () =>
    openDialog(Chooser, {
      title: t("detail.more"),
      options: REST.filter((name) => openable(name, item)).map((name) => ({
        id: name,
        label: t(`command.${name}`),
        sequence: bindings.peek()[name]?.[0],
        run: () => void run(name),
      })),
    });
  return html`<div class="actions" role="toolbar" aria-label=${t("detail.actions")}>
    ${FIRST.filter(([name]) => openable(name, item)).map(
      ([name, icon]) => html`<button
        key=${name}
        type="button"
        class=${name === "mark_replied" || name === "thank" ? "primary" : ""}
        aria-keyshortcuts=${bindings.value[name]?.[0]}
        title=${bindings.value[name] ? `${t(`command.${name}`)} (${bindings.value[name][0]})` : undefined}
        onClick=${() => run(name)}
      >
        <${Icon} name=${icon} />${t(`short.${name}`)}
      </button>`,
    )}
    <button type="button" aria-label=${t("detail.more")} class="square" onClick=${more}><${Icon} name="dots" /></button>
  </div>`;
}
