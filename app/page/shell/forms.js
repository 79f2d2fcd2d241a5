// Forms in few words: a field, a choice, sending, and what the service said against it.

import { html, useSignal } from "../vendor/preact.js";
import { Problem } from "../api.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

/** @typedef {import("../vendor/preact.js").Signal<string>} Text */

/**
 * @param {() => Promise<unknown>} run
 * @returns {{failed: import("../vendor/preact.js").Signal<Problem | null>, busy: import("../vendor/preact.js").Signal<boolean>, submit: (event?: Event) => Promise<void>}}
 */
export function useSubmit(run) {
  const failed = useSignal(/** @type {Problem | null} */ (null));
  const busy = useSignal(false);
  const submit = async (/** @type {Event | undefined} */ event) => {
    event?.preventDefault();
    if (busy.value) return;
    busy.value = true;
    failed.value = null;
    try {
      await run();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failed.value = error;
    } finally {
      busy.value = false;
    }
  };
  return { failed, busy, submit };
}

/** @param {Problem} problem */
export function inWords(problem) {
  if (problem.code === "offline") return t("refused.offline");
  const more = problem.errors.map((each) => each.detail).filter((each) => !problem.message.includes(each));
  return [problem.message, ...more].join(" ");
}

/** @param {{problem: Problem | null}} props */
export function Refused({ problem }) {
  return html`<p class="failure" role="alert">${problem && html`<${Icon} name="alert" /> <span dir="auto">${inWords(problem)}</span>`}</p>`;
}

/** @param {Event} event */
export function typed(event) {
  return /** @type {HTMLInputElement} */ (event.currentTarget).value;
}

/**
 * @param {{label: string, hint?: string, value: Text, type?: string, required?: boolean, autofocus?: boolean, max?: number, auto?: string}} props
 */
export function Field({ label, hint, value, type = "text", required = true, autofocus = false, max = 2000, auto = "off" }) {
  return html`<label class="field">
    <span>${label}${!required && html` <small class="faint">${t("optional")}</small>`}</span>
    <input type=${type} dir="auto" required=${required} autofocus=${autofocus} maxlength=${max} autocomplete=${auto} autocapitalize="none" spellcheck=${false}
      value=${value} onInput=${(/** @type {Event} */ event) => (value.value = typed(event))} />
    ${hint && html`<small class="faint" dir="auto">${hint}</small>`}
  </label>`;
}

/** @param {{label: string, value: Text, options: [string, string][], hint?: string}} props value and label of each option */
export function Choice({ label, value, options, hint }) {
  return html`<label class="field">
    <span>${label}</span>
    <select value=${value.value} onChange=${(/** @type {Event} */ event) => (value.value = typed(event))}>
      ${options.map(([name, shown]) => html`<option key=${name} value=${name}>${shown}</option>`)}
    </select>
    ${hint && html`<small class="faint" dir="auto">${hint}</small>`}
  </label>`;
}

/** What is shown this once: a secret, a link. @param {{label: string, text: string}} props */
export function Once({ label, text }) {
  return html`<div class="note once" role="status">
    <label class="field"><span>${label}</span>
      <input readonly value=${text} onFocus=${(/** @type {FocusEvent} */ event) => /** @type {HTMLInputElement} */ (event.currentTarget).select()} />
    </label>
    <${Copy} text=${text} />
  </div>`;
}

/** @param {{text: string, label?: string}} props */
export function Copy({ text, label }) {
  const done = useSignal(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    done.value = navigator.clipboard !== undefined;
  };
  return html`<button type="button" onClick=${() => void copy()}>${done.value ? t("copy.done") : (label ?? t("copy.do"))}</button>`;
}
