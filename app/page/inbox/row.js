// One row of the list. It follows its own item alone, so that a key press draws two rows, not all.

import { html, useComputed } from "../vendor/preact.js";
import { t, tWord } from "../i18n.js";
import { withQuery } from "../router.js";
import { Icon } from "../shell/icons.js";
import { act } from "./acting.js";
import { Age } from "./age.js";
import { Badges } from "./badges.js";
import { chooseSnooze } from "./choices.js";
import { rowOf, shown } from "./list.js";
import { extendTo, focused, open, opened, selected, toggle } from "./selection.js";

/** @param {{id: number}} props */
export function Row({ id }) {
  const isFocused = useComputed(() => (focused.value ?? shown.value[0]) === id);
  const isOpen = useComputed(() => opened.value === id);
  const isChosen = useComputed(() => selected.value.has(id));
  const item = rowOf(id)?.value;
  if (item === undefined) return null;
  const author = item.author.display_name || item.author.handle;
  const where = item.thread_title || item.source_name;

  /** @param {MouseEvent} event */
  const click = (event) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    if (event.shiftKey) extendTo(id);
    else open(id);
  };

  // A dialog that closes may give the focus back to a row that is just leaving.
  const onFocus = () => shown.peek().includes(id) && (focused.value = id);

  return html`<li class=${isChosen.value ? "row chosen" : "row"} data-open=${isOpen.value ? "yes" : "no"} data-status=${item.status}>
    <input
      type="checkbox"
      class="row-check"
      tabindex=${isFocused.value ? 0 : -1}
      aria-label=${t("row.select", { name: author })}
      checked=${isChosen.value}
      onClick=${(/** @type {MouseEvent} */ event) => (event.shiftKey ? extendTo(id) : toggle(id))}
    />
    <a
      class="row-link"
      id=${`row-${id}`}
      href=${withQuery({ item: id })}
      tabindex=${isFocused.value ? 0 : -1}
      aria-current=${isOpen.value ? "true" : undefined}
      onClick=${click}
      onFocus=${onFocus}
    >
      <span class="row-head">
        <bdi class="row-author">${author}</bdi>
        ${item.author.display_name && item.author.handle && html`<bdi class="row-handle">${item.author.handle}</bdi>`}
        <${Age} item=${item} />
      </span>
      <span class="row-text" dir="auto" lang=${item.language || undefined}>${item.text || t("row.no_text")}</span>
      <span class="row-foot">
        <span class="row-where">${platformName(item.platform)} · ${tWord("kind", item.kind)} · <bdi>${where}</bdi></span>
        <${Badges} item=${item} />
      </span>
    </a>
    <${Quick} item=${item} stop=${isFocused.value ? 0 : -1} />
  </li>`;
}

/** @param {string} name */
export function platformName(name) {
  return tWord("platform", name);
}

/** What is done most, beside the row: seen on hover and on focus. @param {{item: import("../shapes").Item, stop: number}} props */
function Quick({ item, stop }) {
  const author = item.author.display_name || item.author.handle;
  /** @param {string} name */
  const can = (name) => item.allowed_actions.includes(name);
  return html`<span class="row-quick">
    ${can("mark_replied") &&
    item.status === "unanswered" &&
    html`<button type="button" class="square" tabindex=${stop} aria-label=${t("row.done", { name: author })} title=${t("command.mark_replied")} onClick=${() => act("mark_replied", [item.id])}>
      <${Icon} name="check" />
    </button>`}
    ${can("dismiss") &&
    item.status === "unanswered" &&
    html`<button type="button" class="square" tabindex=${stop} aria-label=${t("row.dismiss", { name: author })} title=${t("command.dismiss")} onClick=${() => act("dismiss", [item.id], { reason: "no_reply_needed" })}>
      <${Icon} name="close" />
    </button>`}
    ${can("snooze") &&
    html`<button type="button" class="square" tabindex=${stop} aria-label=${t("row.snooze", { name: author })} title=${t("command.snooze")} onClick=${() => chooseSnooze([item.id])}>
      <${Icon} name="clock" />
    </button>`}
  </span>`;
}
