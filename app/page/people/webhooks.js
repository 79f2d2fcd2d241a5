// Addresses that are told of what happens, and how they fare.

import { html, useSignal } from "../vendor/preact.js";
import { get, post, request } from "../api.js";
import { safeLink } from "../format.js";
import { t } from "../i18n.js";
import { useAsked } from "../shell/asking.js";
import { Field, Once, Refused, useSubmit } from "../shell/forms.js";
import { Confirm, Dialog, openDialog } from "../shell/dialogs.js";
import { toast } from "../toasts.js";
import { When } from "../health/card.js";
import { changed } from "./view.js";

/** @typedef {import("../shapes").Webhook} Webhook */

export function Webhooks() {
  const { value, problem, again } = useAsked(async () => /** @type {Webhook[]} */ ((await get("/webhooks")).items), []);
  return html`<section class="card" aria-labelledby="webhooks">
    <div class="card-head"><h2 id="webhooks">${t("webhooks.title")}</h2>
      <button type="button" onClick=${() => openDialog(Add, { after: again })}>${t("webhooks.add")}</button></div>
    <p class="faint">${t("webhooks.text")}</p>
    <${Refused} problem=${problem.value} />
    <ul class="plain">${(value.value ?? []).map((hook) => html`<li key=${hook.id} class="card-head">
      <div class="grow"><bdi><strong>${safeLink(hook.url)?.host ?? hook.url}</strong></bdi> <bdi class="faint">${hook.description}</bdi>
        <p class=${hook.error ? "bad-text" : "faint"}>${hook.enabled ? "" : `${t("webhooks.off")}. `}${t("webhooks.last")} <${When} at=${hook.last_ok_at} />${hook.error && html`. <span dir="auto">${hook.error.detail}</span>`}</p></div>
      <div class="card-ways">
        <button type="button" onClick=${() => void changed(() => test(hook), again)}>${t("webhooks.test")}</button>
        <button type="button" onClick=${() => void changed(() => request("PATCH", `/webhooks/${hook.id}`, { body: { enabled: !hook.enabled }, version: hook.version }), again)}>${hook.enabled ? t("webhooks.disable") : t("webhooks.enable")}</button>
        <button type="button" class="danger" onClick=${() => openDialog(Confirm, { title: t("webhooks.remove"), text: hook.url, yes: t("webhooks.remove"), danger: true, onYes: () => void changed(() => request("DELETE", `/webhooks/${hook.id}`, { version: hook.version }), again) })}>${t("webhooks.remove")}</button>
      </div>
    </li>`)}</ul>
  </section>`;
}

/** @param {Webhook} hook */
async function test(hook) {
  /** @type {{ok: boolean, status: number | null, error: {detail: string} | null}} */
  const told = await post(`/webhooks/${hook.id}/test`);
  toast(told.ok ? t("webhooks.ok", { status: told.status ?? 0 }) : (told.error?.detail ?? ""), { tone: told.ok ? "done" : "refused" });
}

/** @param {{after: () => Promise<void>}} props */
function Add({ after }) {
  const url = useSignal("");
  const description = useSignal("");
  const secret = useSignal("");
  const { failed, busy, submit } = useSubmit(async () => {
    secret.value = (await post("/webhooks", { url: url.value.trim(), description: description.value.trim() })).secret;
    await after();
  });
  return html`<${Dialog} title=${t("webhooks.add")}>
    ${secret.value !== ""
      ? html`<${Once} label=${t("webhooks.once")} text=${secret.value} />`
      : html`<form class="form" onSubmit=${submit}>
        <${Field} label=${t("webhooks.url")} type="url" value=${url} autofocus />
        <${Field} label=${t("webhooks.description")} value=${description} max=${500} required=${false} />
        <${Refused} problem=${failed.value} />
        <div class="form-end"><button class="primary" disabled=${busy.value}>${t("webhooks.add")}</button></div>
      </form>`}
  <//>`;
}
