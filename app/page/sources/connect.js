// Connecting a place: fill in, see what it would bring, save. Or through the platform's own page.

import { html, useSignal } from "../vendor/preact.js";
import { post } from "../api.js";
import { t } from "../i18n.js";
import { refresh } from "../inbox/around.js";
import { go } from "../router.js";
import { useAsked } from "../shell/asking.js";
import { Field, Refused, useSubmit } from "../shell/forms.js";
import { Found } from "./found.js";
import { Fields, beyond, fieldsOf, initially, valuesOf } from "./fields.js";
import { Consent } from "./consent.js";
import { Terms, readPlatforms } from "./platforms.js";

/** @typedef {import("../shapes").Platform} Platform */

/** @param {{name: string}} props of the platform */
export function Connect({ name }) {
  const { value, problem } = useAsked(readPlatforms, []);
  if (value.value === null) return html`<${Refused} problem=${problem.value} />`;
  const platform = value.value.find((each) => each.name === name);
  return platform === undefined ? html`<p>${t("nowhere.title")}</p>` : html`<${Form} platform=${platform} />`;
}

/** @param {{platform: Platform}} props */
function Form({ platform }) {
  const byPage = useSignal(platform.oauth.offered && !platform.oauth.needs_client);
  return html`<div class="connect">
    <div class="card grow">
      <h2>${platform.title}</h2>
      ${platform.oauth.offered && html`<div class="segments" role="group" aria-label=${t("connect.way")}>
        <button type="button" aria-pressed=${byPage.value ? "true" : "false"} onClick=${() => (byPage.value = true)}>${t("connect.by_page", { name: platform.title })}</button>
        <button type="button" aria-pressed=${byPage.value ? "false" : "true"} onClick=${() => (byPage.value = false)}>${t("connect.by_token")}</button>
      </div>`}
      ${byPage.value ? html`<${Consent} platform=${platform} />` : html`<${ByHand} platform=${platform} />`}
    </div>
    <aside class="card"><h3>${t("connect.terms")}</h3><${Terms} platform=${platform} /></aside>
  </div>`;
}

/** @param {{platform: Platform}} props */
function ByHand({ platform }) {
  const settings = fieldsOf(platform.settings_schema);
  const secrets = fieldsOf(platform.credential_schema);
  const name = useSignal("");
  const filled = useSignal(initially(settings));
  const secret = useSignal(initially(secrets));
  const check = useSignal(/** @type {import("../shapes").Check | null} */ (null));
  const draft = () => {
    const credential = valuesOf(secrets, secret.value);
    return { platform: platform.name, settings: valuesOf(settings, filled.value), credential: Object.keys(credential).length > 0 ? credential : undefined };
  };
  const look = useSubmit(async () => {
    check.value = null;
    check.value = await post("/sources/check", draft());
  });
  const save = useSubmit(async () => {
    await post("/sources", { ...draft(), name: name.value.trim() || suggestion(check.value, platform) });
    await refresh.sources.now();
    go("/");
  });
  const errors = [...(look.failed.value?.errors ?? []), ...(save.failed.value?.errors ?? [])];
  const touched = () => (check.value = null);
  return html`<form class="form" onSubmit=${check.value?.ok ? save.submit : look.submit}>
    <div class="form" onInput=${touched}>
      <${Fields} fields=${settings} filled=${filled} errors=${errors} />
      ${secrets.length > 0 && html`<fieldset class="form"><legend>${t("connect.credential")}${!platform.credential_required && html` <small class="faint">${t("optional")}</small>`}</legend>
        <${Fields} fields=${platform.credential_required ? secrets : secrets.map((each) => ({ ...each, required: false }))} filled=${secret} errors=${errors} /></fieldset>`}
    </div>
    <${Refused} problem=${beyond(look.failed.value ?? save.failed.value, [...settings, ...secrets])} />
    <${Found} check=${check.value} />
    ${check.value?.ok && html`<${Field} label=${t("connect.name")} hint=${t("connect.name_hint", { name: suggestion(check.value, platform) })} value=${name} required=${false} max=${200} />`}
    <div class="form-end">
      ${check.value?.ok
        ? html`<button class="primary" disabled=${save.busy.value}>${save.busy.value ? t("connect.saving") : t("connect.save")}</button>`
        : html`<button class="primary" disabled=${look.busy.value}>${look.busy.value ? t("connect.checking") : t("connect.check")}</button>`}
    </div>
  </form>`;
}

/** @param {import("../shapes").Check | null} check @param {Platform} platform */
export function suggestion(check, platform) {
  return check?.identity?.handle || check?.identity?.name || platform.title;
}
