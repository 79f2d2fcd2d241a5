// The sheet behind `?`: what each key does, the switch that turns keys off, and other keys.

import { html, useState } from "../vendor/preact.js";
import { DEFAULTS, GROUPS, bindings, commandOf, strokeOf } from "../keys/bindings.js";
import { prefer, preferences } from "../preferences.js";
import { t, tWord } from "../i18n.js";
import { Dialog, openDialog } from "./dialogs.js";
import { Keys } from "./keycaps.js";

export function openSheet() {
  openDialog(Sheet, {});
}

function Sheet() {
  const [changing, setChanging] = useState("");
  const changed = Object.keys(preferences.value.bindings).length > 0;
  return html`<${Dialog} title=${t("sheet.title")} wide>
    <div class="sheet-top">
      <label class="check">
        <input
          type="checkbox"
          checked=${preferences.value.keys}
          onChange=${(/** @type {Event} */ event) =>
            prefer({ keys: /** @type {HTMLInputElement} */ (event.currentTarget).checked })}
        />
        ${t("sheet.on")}
      </label>
      <button type="button" disabled=${!changed} onClick=${() => prefer({ bindings: {} })}>${t("sheet.reset")}</button>
    </div>
    <p class="faint">${t("sheet.change")}</p>
    <div class="sheet">
      ${Object.entries(GROUPS).map(
        ([group, commands]) => html`<section key=${group} aria-label=${tWord("keys", group)}>
          <h3>${tWord("keys", group)}</h3>
          <dl>
            ${Object.keys(commands).map(
              (name) => html`<${Line} key=${name} name=${name} changing=${changing === name} change=${setChanging} />`,
            )}
          </dl>
        </section>`,
      )}
    </div>
  <//>`;
}

/** @param {{name: string, changing: boolean, change: (name: string) => void}} props */
function Line({ name, changing, change }) {
  const title = tWord("command", name);
  return html`<div class="sheet-line">
    <dt>${title}</dt>
    <dd>
      ${changing
        ? html`<${Listening} name=${name} done=${() => change("")} />`
        : html`<button
            type="button"
            class="quiet"
            onClick=${() => change(name)}
          >
            <span class="unseen">${title}</span>
            ${bindings.value[name].map((sequence) => html`<${Keys} sequence=${sequence} />`)}
            <span class="unseen">${t("sheet.rebind")}</span>
          </button>`}
    </dd>
  </div>`;
}

/** @param {{name: string, done: () => void}} props */
function Listening({ name, done }) {
  const [taken, setTaken] = useState("");

  /** @param {KeyboardEvent} event */
  const hear = (event) => {
    if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return done();
    const stroke = strokeOf(event);
    const other = commandOf.peek().get(stroke);
    if (other !== undefined && other !== name) return setTaken(other);
    rebind(name, stroke);
    done();
  };

  return html`<input
      class="listening"
      readonly
      autofocus
      ref=${(/** @type {HTMLInputElement | null} */ input) => input?.focus()}
      aria-label=${t("sheet.press", { command: tWord("command", name) })}
      placeholder=${t("sheet.press_short")}
      onKeyDown=${hear}
      onBlur=${done}
    />
    <span role="alert">${taken && t("sheet.taken", { command: tWord("command", taken) })}</span>`;
}

/**
 * @param {string} name
 * @param {string} stroke
 */
function rebind(name, stroke) {
  const kept = { ...preferences.peek().bindings, [name]: [stroke] };
  if (DEFAULTS[name].length === 1 && DEFAULTS[name][0] === stroke) delete kept[name];
  prefer({ bindings: kept });
}
