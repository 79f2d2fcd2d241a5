// A picture with its title, its table and its file: the table is what is true, the picture is quick.

import { html } from "../vendor/preact.js";
import { t } from "../i18n.js";

/**
 * @param {{name: string, title: string, text: string, file: string, head: string[], rows: string[][], wide?: boolean, none?: boolean, children?: unknown}} props `none`: there are rows, but nothing in them
 */
export function Figure({ name, title, text, file, head, rows, wide = false, none = false, children }) {
  return html`<figure class=${wide ? "card figure wide" : "card figure"} data-figure=${name} aria-labelledby=${`figure-${name}`}>
    <figcaption><h2 id=${`figure-${name}`}>${title}</h2><p class="faint">${text}</p></figcaption>
    ${rows.length === 0 || none ? html`<p class="faint">${t("reports.nothing")}</p>` : children}
    <details class="drawer"><summary>${t("reports.table")}</summary>
      <div class="scroll-x" tabindex="0" role="region" aria-label=${title}><table>
        <thead><tr>${head.map((each) => html`<th key=${each} scope="col">${each}</th>`)}</tr></thead>
        <tbody>${rows.map(([first, ...rest]) => html`<tr key=${first}><th scope="row">${first}</th>${rest.map((each) => html`<td>${each}</td>`)}</tr>`)}</tbody>
      </table></div>
      <p><a href=${file} download>${t("reports.csv")}</a></p>
    </details>
  </figure>`;
}
