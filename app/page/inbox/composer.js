// Where one answers. Posting opens where the service allows `reply`; a link to an answer always does.

import { html, useSignal } from "../vendor/preact.js";
import { Problem, post } from "../api.js";
import { t } from "../i18n.js";
import { may } from "../session.js";
import { toast } from "../toasts.js";
import { act } from "./acting.js";
import { inWords } from "./words.js";

/** @param {{item: import("../shapes").Item}} props */
export function Composer({ item }) {
  if (!may("triage") || item.status !== "unanswered") return null;
  return item.allowed_actions.includes("reply") ? html`<${Posting} item=${item} />` : html`<${Linking} item=${item} />`;
}

/** @param {{item: import("../shapes").Item}} props */
function Linking({ item }) {
  const url = useSignal("");
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const link = url.value.trim();
    void act("mark_replied", [item.id], link === "" ? {} : { reply_url: link });
  };
  return html`<form class="composer card" onSubmit=${submit}>
    <label class="field">
      <span>${t("composer.link")}</span>
      <input
        id="composer"
        type="url"
        inputmode="url"
        autocomplete="off"
        dir="ltr"
        placeholder="https://"
        value=${url.value}
        aria-describedby="composer-hint"
        onInput=${(/** @type {InputEvent} */ event) => (url.value = /** @type {HTMLInputElement} */ (event.currentTarget).value)}
        onKeyDown=${leave}
      />
      <small class="faint" id="composer-hint">${t("composer.link_hint")}</small>
    </label>
    <div class="form-end"><button>${url.value.trim() ? t("composer.mark_with_link") : t("command.mark_replied")}</button></div>
  </form>`;
}

/** @param {{item: import("../shapes").Item}} props */
function Posting({ item }) {
  const text = useSignal("");
  const busy = useSignal(false);
  /** @param {Event} event */
  const send = async (event) => {
    event.preventDefault();
    if (text.value.trim() === "" || busy.value) return;
    busy.value = true;
    try {
      await post(`/items/${item.id}/replies`, { text: text.value }, item.version);
      text.value = "";
      toast(t("composer.sending"));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(inWords(error), { tone: "refused" });
    } finally {
      busy.value = false;
    }
  };
  return html`<form class="composer card" onSubmit=${send}>
    <label class="field">
      <span>${t("composer.reply")}</span>
      <textarea
        id="composer"
        rows="4"
        dir="auto"
        value=${text.value}
        onInput=${(/** @type {InputEvent} */ event) => (text.value = /** @type {HTMLTextAreaElement} */ (event.currentTarget).value)}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => (event.key === "Enter" && (event.metaKey || event.ctrlKey) ? void send(event) : leave(event))}
      ></textarea>
    </label>
    <div class="form-end"><button class="primary" disabled=${busy.value || text.value.trim() === ""}>${t("composer.send")}</button></div>
  </form>`;
}

/** @param {KeyboardEvent} event */
function leave(event) {
  if (event.key !== "Escape" || event.isComposing) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (event.currentTarget).blur();
}
