// A list to choose from by typing: the palette, snoozing, assigning, reasons. A combobox (APG).

import { html, useEffect, useId, useRef, useState } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { Dialog, closeDialog } from "./dialogs.js";
import { Keys } from "./keycaps.js";

/**
 * @typedef {object} Option
 * @property {string} id
 * @property {string} label
 * @property {string} [detail]
 * @property {string} [sequence] the key that does it without the list
 * @property {() => void} run
 */

/**
 * @param {Option[]} options
 * @param {string} wanted
 */
function matching(options, wanted) {
  const words = wanted.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return options.filter((each) => {
    const text = `${each.label} ${each.detail ?? ""}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/**
 * `free` makes an option of what was typed, where no option is meant.
 * @param {{title: string, placeholder?: string, options: Option[], free?: (typed: string) => Option[]}} props
 */
export function Chooser({ title, placeholder = "", options, free }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(/** @type {HTMLUListElement | null} */ (null));
  const id = useId();
  const shown = [...matching(options, typed), ...(free?.(typed.trim()) ?? [])];
  const current = Math.min(at, shown.length - 1);

  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: "nearest" });
  }, [current]);

  /** @param {Option | undefined} option */
  const take = (option) => {
    if (option === undefined) return;
    closeDialog();
    option.run();
  };

  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (move !== undefined) {
      event.preventDefault();
      setAt((current + move + shown.length) % Math.max(shown.length, 1));
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      take(shown[current]);
    }
  };

  return html`<${Dialog} title=${title}>
    <input
      class="chooser-input"
      type="text"
      role="combobox"
      aria-expanded="true"
      aria-controls=${`${id}-list`}
      aria-activedescendant=${shown.length ? `${id}-${current}` : undefined}
      aria-autocomplete="list"
      aria-label=${placeholder || title}
      placeholder=${placeholder || t("chooser.filter")}
      autocomplete="off"
      autofocus
      value=${typed}
      onInput=${(/** @type {InputEvent} */ event) => {
        setTyped(/** @type {HTMLInputElement} */ (event.currentTarget).value);
        setAt(0);
      }}
      onKeyDown=${onKey}
    />
    <ul class="chooser" role="listbox" id=${`${id}-list`} aria-label=${title} ref=${list}>
      ${shown.map(
        (option, index) => html`<li
          key=${option.id}
          id=${`${id}-${index}`}
          role="option"
          aria-selected=${index === current ? "true" : "false"}
          onClick=${() => take(option)}
          onMouseMove=${() => index !== current && setAt(index)}
        >
          <span class="chooser-label" dir="auto">${option.label}</span>
          ${option.detail && html`<span class="chooser-detail">${option.detail}</span>`}
          ${option.sequence && html`<${Keys} sequence=${option.sequence} />`}
        </li>`,
      )}
    </ul>
    ${shown.length === 0 && typed && html`<p class="faint" role="status">${t("chooser.nothing")}</p>`}
  <//>`;
}
