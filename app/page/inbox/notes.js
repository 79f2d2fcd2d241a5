// Notes of the team on an item; the platform never sees them.

import { html, useSignal } from "../vendor/preact.js";
import { Problem, post } from "../api.js";
import { now } from "../clock.js";
import { moment, relative } from "../format.js";
import { t } from "../i18n.js";
import { may } from "../session.js";
import { toast } from "../toasts.js";
import { notes, readDetail } from "./detailing.js";
import { inWords } from "./words.js";

/** @param {{item: import("../shapes").Item}} props */
export function Notes({ item }) {
  const text = useSignal("");
  if (!may("triage") && notes.value.length === 0) return null;
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (text.value.trim() === "") return;
    try {
      await post(`/items/${item.id}/notes`, { text: text.value });
      text.value = "";
      await readDetail(item.id);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(inWords(error), { tone: "refused" });
    }
  };
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit(event);
    if (event.key !== "Escape") return;
    event.preventDefault();
    /** @type {HTMLElement} */ (event.currentTarget).blur();
  };
  return html`<section class="card" aria-label=${t("notes.label")}>
    <h2>${t("notes.label")}</h2>
    <ul class="notes">
      ${notes.value.map(
        (note) => html`<li key=${note.id}>
          <p class="message-head"><bdi class="message-author">${note.author}</bdi><time class="faint" datetime=${note.created_at} title=${moment(note.created_at)}>${relative(note.created_at, now.value)}</time></p>
          <div class="foreign" dir="auto">${note.text}</div>
        </li>`,
      )}
    </ul>
    ${may("triage") &&
    html`<form class="note-form" onSubmit=${submit}>
      <textarea id="note" rows="2" dir="auto" maxlength="10000" aria-label=${t("notes.add")} placeholder=${t("notes.hint")} value=${text.value}
        onInput=${(/** @type {InputEvent} */ event) => (text.value = /** @type {HTMLTextAreaElement} */ (event.currentTarget).value)} onKeyDown=${keys}></textarea>
      <button disabled=${text.value.trim() === ""}>${t("notes.add")}</button>
    </form>`}
  </section>`;
}
