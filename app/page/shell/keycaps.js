// A key as it is drawn beside what it does.

import { html } from "../vendor/preact.js";
import { strokesOf } from "../keys/bindings.js";
import { t } from "../i18n.js";

/** @param {{sequence: string}} props */
export function Keys({ sequence }) {
  const strokes = strokesOf(sequence);
  return html`<span class="keys">
    ${strokes.map(
      (keys, index) => html`${index > 0 && html`<span class="faint">${t("keys.then")}</span>`}
        ${keys.map((key) => html`<kbd>${key.length === 1 ? key.toUpperCase() : key}</kbd>`)}`,
    )}
  </span>`;
}
