// Tokens for programs: made here, shown once, ended here.

import { html, useSignal } from "../vendor/preact.js";
import { getAll, post, request } from "../api.js";
import { t, tWord } from "../i18n.js";
import { useAsked } from "../shell/asking.js";
import { Choice, Field, Once, Refused, useSubmit } from "../shell/forms.js";
import { Confirm, Dialog, openDialog } from "../shell/dialogs.js";
import { When } from "../health/card.js";
import { ROLES, changed } from "./view.js";

/** @typedef {import("../shapes").Token} Token */

const DAY = 86_400_000;

/** The token that the service makes for its own command line carries the place of its data in its name. */
const OWN = "local";

/** @param {Token} token */
function called(token) {
  return token.created_by === OWN ? t("tokens.own") : token.name;
}

export function Tokens() {
  const { value, problem, again } = useAsked(async () => /** @type {Token[]} */ (await getAll("/tokens")), []);
  return html`<section class="card" aria-labelledby="tokens">
    <div class="card-head"><h2 id="tokens">${t("tokens.title")}</h2>
      <button type="button" onClick=${() => openDialog(Make, { after: again })}>${t("tokens.make")}</button></div>
    <p class="faint">${t("tokens.text")}</p>
    <${Refused} problem=${problem.value} />
    <ul class="plain">${(value.value ?? []).map((token) => html`<li key=${token.id} class="card-head">
      <div class="grow"><bdi><strong>${called(token)}</strong></bdi> <code class="faint">…${token.last4}</code>
        <p class="faint">${tWord("role", token.role)}${token.user && html`, <bdi>${token.user.display_name}</bdi>`}. ${token.last_used_at === null ? t("tokens.unused") : html`${t("tokens.used")} <${When} at=${token.last_used_at} past />`}${token.expires_at && html`. ${t("tokens.ends")} <${When} at=${token.expires_at} />`}</p></div>
      <button type="button" class="danger" onClick=${() => openDialog(Confirm, {
        title: t("tokens.revoke_title", { name: called(token) }),
        text: token.created_by === OWN ? t("tokens.revoke_own") : t("tokens.revoke_text"),
        yes: t("tokens.revoke"),
        danger: true,
        onYes: () => void changed(() => request("DELETE", `/tokens/${token.id}`, { version: token.version }), again),
      })}>${t("tokens.revoke")}</button>
    </li>`)}</ul>
  </section>`;
}

/** @param {{after: () => Promise<void>}} props */
function Make({ after }) {
  const name = useSignal("");
  const role = useSignal("viewer");
  const days = useSignal("90");
  const secret = useSignal("");
  const { failed, busy, submit } = useSubmit(async () => {
    const expires_at = days.value === "" ? null : new Date(Date.now() + Number(days.value) * DAY).toISOString();
    /** @type {Token & {secret: string}} */
    const made = await post("/tokens", { name: name.value.trim(), role: role.value, expires_at });
    secret.value = made.secret;
    await after();
  });
  return html`<${Dialog} title=${t("tokens.make")}>
    ${secret.value !== ""
      ? html`<${Once} label=${t("tokens.once")} text=${secret.value} />`
      : html`<form class="form" onSubmit=${submit}>
        <${Field} label=${t("tokens.name")} hint=${t("tokens.name_hint")} value=${name} max=${200} autofocus />
        <${Choice} label=${t("people.role")} value=${role} options=${ROLES.map((each) => [each, tWord("role", each)])} hint=${t("people.roles")} />
        <${Choice} label=${t("tokens.lasts")} value=${days} options=${[["30", t("tokens.days", { n: 30 })], ["90", t("tokens.days", { n: 90 })], ["365", t("tokens.days", { n: 365 })], ["", t("tokens.ever")]]} />
        <${Refused} problem=${failed.value} />
        <div class="form-end"><button class="primary" disabled=${busy.value}>${t("tokens.make")}</button></div>
      </form>`}
  <//>`;
}
