// A source whose credential has died gets a new one in place: nothing that was read is lost.

import { html, useSignal } from "../vendor/preact.js";
import { request } from "../api.js";
import { t } from "../i18n.js";
import { refresh } from "../inbox/around.js";
import { go } from "../router.js";
import { useAsked } from "../shell/asking.js";
import { Refused, useSubmit } from "../shell/forms.js";
import { toast } from "../toasts.js";
import { Consent } from "./consent.js";
import { Fields, beyond, fieldsOf, initially, valuesOf } from "./fields.js";
import { readPlatforms } from "./platforms.js";

/** @param {{source: import("../shapes").Source}} props */
export function Reconnect({ source }) {
  const { value, problem } = useAsked(readPlatforms, []);
  if (value.value === null) return html`<${Refused} problem=${problem.value} />`;
  const platform = value.value.find((each) => each.name === source.platform);
  const secrets = fieldsOf(platform?.credential_schema ?? (source.platform === "demo" ? DEMO : null));
  return html`<div class="connect">
    <p class="grow">${t("reconnect.text")}</p>
    ${platform?.oauth.offered && html`<div class="card"><h2>${t("connect.by_page", { name: platform.title })}</h2><${Consent} platform=${platform} source=${source} /></div>`}
    ${secrets.length > 0 ? html`<div class="card"><h2>${t("connect.by_token")}</h2><${ByToken} source=${source} secrets=${secrets} /></div>` : html`<p>${t("reconnect.none")}</p>`}
  </div>`;
}

/** The demo is offered to nobody, and its token dies on purpose. */
const DEMO = { required: ["token"], properties: { token: { title: "Token", type: "string", writeOnly: true } } };

/** @param {{source: import("../shapes").Source, secrets: import("./fields.js").FieldOf[]}} props */
function ByToken({ source, secrets }) {
  const secret = useSignal(initially(secrets));
  const save = useSubmit(async () => {
    await request("PATCH", `/sources/${source.id}`, { body: { credential: valuesOf(secrets, secret.value) } });
    await refresh.sources.now();
    toast(t("reconnect.done", { name: source.name }));
    go("/health");
  });
  return html`<form class="form" onSubmit=${save.submit}>
    <${Fields} fields=${secrets} filled=${secret} errors=${save.failed.value?.errors} />
    <${Refused} problem=${beyond(save.failed.value, secrets)} />
    <div class="form-end"><button class="primary" disabled=${save.busy.value}>${save.busy.value ? t("connect.checking") : t("source.reconnect")}</button></div>
  </form>`;
}
