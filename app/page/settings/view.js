// What a person sets for themselves: looks and language, keys, password, where they are signed in.

import { html, useSignal } from "../vendor/preact.js";
import { getAll, request } from "../api.js";
import { now } from "../clock.js";
import { relative } from "../format.js";
import { LANGUAGES, t } from "../i18n.js";
import { prefer, preferences } from "../preferences.js";
import { lookAtSession, me } from "../session.js";
import { useAsked } from "../shell/asking.js";
import { Choice, Field, Refused, useSubmit } from "../shell/forms.js";
import { toast } from "../toasts.js";

/** @typedef {import("../preferences.js").Preferences} Preferences */
/** @typedef {import("../shapes").Session} Session */

export function Settings() {
  return html`<section class="page"><div class="page-inner">
    <h1>${t("section.settings")}</h1>
    <${Looks} />
    ${me.value?.kind === "session" && html`<${Password} /><${Sessions} />`}
  </div></section>`;
}

/**
 * A preference as a signal of text, for the fields.
 * @param {keyof Preferences} name
 * @param {(text: string) => Partial<Preferences>} change
 */
function usePreference(name, change) {
  const text = useSignal(String(preferences.peek()[name]));
  return {
    get value() {
      return text.value;
    },
    set value(chosen) {
      text.value = chosen;
      prefer(change(chosen));
    },
  };
}

function Looks() {
  const language = usePreference("language", (text) => ({ language: text }));
  const theme = usePreference("theme", (text) => ({ theme: /** @type {Preferences["theme"]} */ (text) }));
  const density = usePreference("density", (text) => ({ density: /** @type {Preferences["density"]} */ (text) }));
  const seconds = usePreference("toast", (text) => ({ toast: Number(text) }));
  return html`<section class="card form" aria-labelledby="looks">
    <h2 id="looks">${t("settings.looks")}</h2>
    <p class="faint">${t("settings.kept_here")}</p>
    <${Choice} label=${t("settings.language")} value=${language} options=${[["", t("settings.as_browser")], ...Object.entries(LANGUAGES)]} />
    <${Choice} label=${t("settings.theme")} value=${theme} options=${[["auto", t("settings.as_system")], ["light", t("settings.light")], ["dark", t("settings.dark")]]} />
    <${Choice} label=${t("settings.density")} value=${density} options=${[["cosy", t("settings.cosy")], ["compact", t("settings.compact")]]} />
    <${Choice} label=${t("settings.toast")} value=${seconds} options=${[["10", t("settings.seconds", { n: 10 })], ["30", t("settings.seconds", { n: 30 })], ["0", t("settings.until_closed")]]} />
    <${Switch} name="counter" label=${t("settings.counter")} />
    <${Switch} name="keys" label=${t("sheet.on")} />
  </section>`;
}

/** @param {{name: "counter" | "keys", label: string}} props */
function Switch({ name, label }) {
  const turn = (/** @type {Event} */ event) => prefer({ [name]: /** @type {HTMLInputElement} */ (event.currentTarget).checked });
  return html`<label class="check"><input type="checkbox" checked=${preferences.value[name]} onChange=${turn} />${label}</label>`;
}

function Password() {
  const current = useSignal("");
  const chosen = useSignal("");
  const { failed, busy, submit } = useSubmit(async () => {
    await request("PUT", "/me/password", { body: { current: current.value, new: chosen.value } });
    current.value = chosen.value = "";
    toast(t("settings.password_changed"));
  });
  return html`<form class="card form" aria-labelledby="password" onSubmit=${submit}>
    <h2 id="password">${t("settings.password")}</h2>
    <input hidden readonly autocomplete="username" value=${me.value?.user?.name} />
    <${Field} label=${t("settings.password_now")} type="password" auto="current-password" value=${current} />
    <${Field} label=${t("settings.password_new")} hint=${t("setup.password_hint")} type="password" auto="new-password" value=${chosen} />
    <${Refused} problem=${failed.value} />
    <div class="form-end"><button class="primary" disabled=${busy.value}>${t("settings.password_change")}</button></div>
  </form>`;
}

function Sessions() {
  const { value, problem, again } = useAsked(async () => /** @type {Session[]} */ (await getAll("/sessions")), []);
  /** @param {string} path */
  const end = async (path) => {
    await request("DELETE", path);
    await again();
    await lookAtSession();
  };
  const list = value.value ?? [];
  return html`<section class="card" aria-labelledby="sessions">
    <div class="card-head"><h2 id="sessions">${t("settings.sessions")}</h2>
      ${list.length > 1 && html`<button type="button" onClick=${() => void end("/sessions?keep=current")}>${t("settings.end_others")}</button>`}</div>
    <${Refused} problem=${problem.value} />
    <ul class="plain">${list.map(
      (each) => html`<li key=${each.id} class="card-head">
        <div class="grow"><bdi>${each.user_agent}</bdi>
          <p class="faint"><bdi>${each.address}</bdi> · ${each.current ? t("settings.this_one") : relative(each.last_seen_at, now.value)}</p></div>
        ${!each.current && html`<button type="button" onClick=${() => void end(`/sessions/${each.id}`)}>${t("settings.end")}</button>`}
      </li>`,
    )}</ul>
  </section>`;
}
