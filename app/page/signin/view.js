// The way in: name and password, another service, or the first account by a set-up ticket.

import { html, signal, useId, useSignal } from "../vendor/preact.js";
import { Problem } from "../api.js";
import { t } from "../i18n.js";
import { lookAtSession, session, setUp, signIn } from "../session.js";
import { inWords } from "../shell/forms.js";
import { Icon } from "../shell/icons.js";

/** The ticket of `/#setup=…`; taken out of the address at once, so that no history keeps it. */
const ticket = signal("");

export function takeTicket() {
  const found = /^#setup=(.+)$/.exec(location.hash);
  if (found === null) return;
  ticket.value = decodeURIComponent(found[1]);
  history.replaceState(null, "", location.pathname + location.search);
}

export function SignIn() {
  const { state, told, expired } = session.value;
  if (state === "loading") return html`<main class="gate"><p class="faint" role="status">${t("loading")}</p></main>`;
  return html`<main class="gate">
    <div class="gate-card">
      <p class="brand big">${t("brand")}</p>
      ${state === "unreachable" ? html`<${Unreachable} />` : told?.set_up_needed || ticket.value ? html`<${SetUp} first=${told?.set_up_needed ?? false} />` : html`<${Ways} told=${told} expired=${expired} />`}
    </div>
  </main>`;
}

function Unreachable() {
  return html`<h1>${t("unreachable.title")}</h1>
    <p>${t("unreachable.text")}</p>
    <button type="button" class="primary" onClick=${lookAtSession}>${t("again")}</button>`;
}

/** @param {{told: import("../shapes").SessionState | null, expired: boolean}} props */
function Ways({ told, expired }) {
  const name = useSignal("");
  const password = useSignal("");
  const { failed, busy, submit } = useSubmit(() => signIn(name.value, password.value));
  const oidc = told?.ways.oidc ?? null;
  return html`<h1>${t("signin.title")}</h1>
    ${expired && html`<p class="note" role="status">${t("signin.expired")}</p>`}
    ${told?.ways.password !== false &&
    html`<form class="form" onSubmit=${submit}>
      <${Field} label=${t("signin.name")} name="username" autocomplete="username" value=${name} autofocus />
      <${Field} label=${t("signin.password")} name="password" type="password" autocomplete="current-password" value=${password} />
      <${Failure} text=${failed.value} />
      <button class="primary" disabled=${busy.value}>${t("signin.do")}</button>
    </form>`}
    ${oidc && html`<p class="or">${t("signin.or")}</p><a class="button" href=${oidc.url}>${t("signin.oidc", { name: oidc.name })}</a>`}
    ${told?.ways.proxy && html`<p class="faint">${t("signin.proxy")}</p>`}`;
}

/** @param {{first: boolean}} props the first account; else somebody was invited and has a name */
function SetUp({ first }) {
  const name = useSignal("");
  const shown = useSignal("");
  const password = useSignal("");
  const asked = useSignal("");
  const { failed, busy, submit } = useSubmit(() =>
    setUp({ ticket: ticket.value || asked.value.trim(), name: name.value.trim() || undefined, display_name: shown.value.trim() || undefined, password: password.value }).then(() => {
      ticket.value = "";
    }),
  );
  return html`<h1>${first ? t("setup.title") : t("setup.invited")}</h1>
    <p>${first ? t("setup.text") : t("setup.invited_text")}</p>
    <form class="form" onSubmit=${submit}>
      ${!ticket.value && html`<${Field} label=${t("setup.ticket")} hint=${t("setup.ticket_hint")} name="ticket" autocomplete="off" value=${asked} autofocus />`}
      ${first && html`<${Field} label=${t("signin.name")} hint=${t("setup.name_hint")} name="username" autocomplete="username" value=${name} autofocus=${Boolean(ticket.value)} />`}
      <${Field} label=${t("setup.shown")} hint=${t("optional")} name="name" autocomplete="name" value=${shown} required=${false} />
      <${Field} label=${t("signin.password")} hint=${t("setup.password_hint")} name="password" type="password" autocomplete="new-password" value=${password} />
      <${Failure} text=${failed.value} />
      <button class="primary" disabled=${busy.value}>${first ? t("setup.do") : t("signin.do")}</button>
    </form>`;
}

/** @param {() => Promise<void>} run */
function useSubmit(run) {
  const failed = useSignal("");
  const busy = useSignal(false);
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    busy.value = true;
    failed.value = "";
    try {
      await run();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failed.value = error.code === "offline" ? t("unreachable.text") : inWords(error);
    } finally {
      busy.value = false;
    }
  };
  return { failed, busy, submit };
}

/** @param {{text: string}} props */
function Failure({ text }) {
  return html`<p class="failure" role="alert">${text && html`<${Icon} name="alert" /> ${text}`}</p>`;
}

/**
 * @param {{label: string, hint?: string, name: string, type?: string, autocomplete: string,
 *   value: import("../vendor/preact.js").Signal<string>, autofocus?: boolean, required?: boolean}} props
 */
function Field({ label, hint, name, type = "text", autocomplete, value, autofocus = false, required = true }) {
  const id = useId();
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input
      id=${id}
      name=${name}
      type=${type}
      autocomplete=${autocomplete}
      autocapitalize="none"
      spellcheck=${false}
      required=${required}
      ref=${(/** @type {HTMLInputElement | null} */ input) => autofocus && !value.peek() && input?.focus()}
      aria-describedby=${hint ? `${id}-hint` : undefined}
      value=${value}
      onInput=${(/** @type {InputEvent} */ event) => (value.value = /** @type {HTMLInputElement} */ (event.currentTarget).value)}
    />
    ${hint && html`<small class="faint" id=${`${id}-hint`}>${hint}</small>`}
  </div>`;
}
