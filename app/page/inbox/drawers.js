// What is looked at now and then: what happened to the item, and what the platform sent.

import { html } from "../vendor/preact.js";
import { now } from "../clock.js";
import { moment, relative } from "../format.js";
import { t, tWord } from "../i18n.js";
import { detail, history } from "./detailing.js";

export function History() {
  const events = [...history.value].reverse();
  if (events.length === 0) return null;
  return html`<details class="drawer card">
    <summary>${t("history.label", { n: events.length })}</summary>
    <ol class="history">
      ${events.map(
        (event) => html`<li key=${event.id}>
          <time class="faint" datetime=${event.at} title=${moment(event.at)}>${relative(event.at, now.value)}</time>
          <span>${tWord("event", event.type)}${event.evidence && ` (${tWord("evidence", event.evidence)})`}</span>
          <bdi class="faint">${event.actor}</bdi>
        </li>`,
      )}
    </ol>
  </details>`;
}

export function Raw() {
  const item = detail.value;
  if (item === null) return null;
  return html`<details class="drawer card">
    <summary>${t("raw.label")}</summary>
    <p class="faint">${t("raw.text", { format: item.text_format })}</p>
    <pre class="raw" dir="ltr" tabindex="0">${item.text_raw}</pre>
    ${item.raw && html`<p class="faint">${t("raw.body")}</p><pre class="raw" dir="ltr" tabindex="0">${pretty(item.raw)}</pre>`}
  </details>`;
}

/** @param {string} raw */
function pretty(raw) {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}
