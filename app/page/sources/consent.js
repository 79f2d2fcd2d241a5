// Through the platform's own page: open it, let the service in there, choose the account here.

import { html, useEffect, useSignal } from "../vendor/preact.js";
import { Problem, get, post, request } from "../api.js";
import { safeLink } from "../format.js";
import { t } from "../i18n.js";
import { refresh } from "../inbox/around.js";
import { go } from "../router.js";
import { useAsked } from "../shell/asking.js";
import { Choice, Copy, Field, Refused, useSubmit } from "../shell/forms.js";
import { Fields, beyond, fieldsOf, initially, valuesOf } from "./fields.js";
import { Found } from "./found.js";

/** @typedef {import("../shapes").Connection} Connection */

const LOOKS = 2000;

/** @param {{platform: import("../shapes").Platform, source?: import("../shapes").Source}} props `source`: connected again */
export function Consent({ platform, source }) {
  const path = `/connect/${platform.name}`;
  const way = useAsked(async () => /** @type {import("../shapes").WayIn} */ (await get(path)), [platform.name]);
  const chosen = new Set(platform.oauth.chosen);
  const settings = source ? [] : fieldsOf(platform.settings_schema).filter((each) => !chosen.has(each.name));
  const filled = useSignal(initially(settings));
  const id = useSignal("");
  const secret = useSignal("");
  const begun = useSignal(/** @type {Connection | null} */ (null));
  const address = useSignal("");
  const begin = useSubmit(async () => {
    /** @type {Connection} */
    const made = await post(path, { settings: valuesOf(settings, filled.value), client_id: id.value || undefined, client_secret: secret.value || undefined, source_id: source?.id });
    address.value = safeLink(made.authorize_url)?.href ?? "";
    begun.value = made;
  });
  const { value } = begun;
  useEffect(() => {
    if (value === null || !["waiting", "asking"].includes(value.status)) return;
    const timer = setTimeout(async () => {
      try {
        begun.value = await get(`${path}/${value.id}`);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        begun.value = { ...value };
      }
    }, LOOKS);
    return () => clearTimeout(timer);
  }, [value]);
  if (value !== null && ["allowed", "saving"].includes(value.status)) return html`<${Opened} path=${path} connection=${value} source=${source} />`;
  if (value !== null && ["waiting", "asking"].includes(value.status)) return html`<${Waiting} address=${address.value} giveUp=${() => giveUp(path, value, begun)} />`;
  return html`<form class="form" onSubmit=${begin.submit}>
    ${value?.error && html`<p class="failure" role="alert" dir="auto">${value.error.detail}</p>`}
    ${value?.status === "expired" && html`<p class="failure" role="alert">${t("consent.expired")}</p>`}
    <${Fields} fields=${settings} filled=${filled} errors=${begin.failed.value?.errors} />
    ${way.value.value?.client === "needed" && html`<fieldset class="form"><legend>${t("consent.app")}</legend>
      <p class="faint">${t("consent.app_text")}</p>
      <div class="copy-line"><code dir="ltr">${way.value.value.redirect_uri}</code><${Copy} text=${way.value.value.redirect_uri} /></div>
      <${Field} label=${t("consent.client_id")} value=${id} />
      <${Field} label=${t("consent.client_secret")} type="password" value=${secret} auto="new-password" required=${false} />
    </fieldset>`}
    <${Refused} problem=${beyond(begin.failed.value, settings) ?? way.problem.value} />
    <div class="form-end"><button class="primary" disabled=${begin.busy.value || way.value.value === null}>${t("consent.begin")}</button></div>
  </form>`;
}

/** @param {string} path @param {Connection} connection @param {import("../vendor/preact.js").Signal<Connection | null>} begun */
async function giveUp(path, connection, begun) {
  begun.value = null;
  await request("DELETE", `${path}/${connection.id}`).catch(() => {});
}

/** @param {{address: string, giveUp: () => void}} props */
function Waiting({ address, giveUp: stop }) {
  const link = safeLink(address);
  return html`<div class="form" role="status">
    <p>${t("consent.open")}</p>
    ${link && html`<p><a class="button primary" href=${link.href} target="_blank" rel="noopener noreferrer">${t("consent.go", { host: link.host })}</a></p>`}
    <p class="faint">${t("consent.waiting")}</p>
    <div class="form-end"><button type="button" onClick=${stop}>${t("cancel")}</button></div>
  </div>`;
}

/** @param {{path: string, connection: Connection, source?: import("../shapes").Source}} props */
function Opened({ path, connection, source }) {
  const { accounts, id } = connection;
  const account = useSignal(accounts[0]?.id ?? "");
  const name = useSignal("");
  const body = () => ({ account: account.value || undefined });
  const check = useAsked(async () => /** @type {import("../shapes").Check} */ (await post(`${path}/${id}/check`, body())), [id, account.value]);
  const handle = accounts.find((each) => each.id === account.value);
  const save = useSubmit(async () => {
    const named = source ? {} : { name: name.value.trim() || handle?.handle || handle?.name };
    await post(`${path}/${id}`, { ...body(), ...named });
    await refresh.sources.now();
    go(source ? "/health" : "/");
  });
  return html`<form class="form" onSubmit=${save.submit}>
    ${accounts.length > 1 && html`<${Choice} label=${t("consent.account")} value=${account} options=${accounts.map((each) => [each.id, each.handle || each.name])} />`}
    <${Found} check=${check.value.value} />
    ${!source && html`<${Field} label=${t("connect.name")} hint=${t("connect.name_hint", { name: handle?.handle || handle?.name || "" })} value=${name} required=${false} max=${200} />`}
    <${Refused} problem=${save.failed.value ?? check.problem.value} />
    <div class="form-end"><button class="primary" disabled=${save.busy.value || !check.value.value?.ok}>${save.busy.value ? t("connect.saving") : t("connect.save")}</button></div>
  </form>`;
}
