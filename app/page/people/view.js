// The team: people and their roles, links that let them in, tokens, and who else is told.

import { html, useSignal } from "../vendor/preact.js";
import { Problem, getAll, post, request } from "../api.js";
import { t, tWord } from "../i18n.js";
import { refresh } from "../inbox/around.js";
import { may, me } from "../session.js";
import { useAsked } from "../shell/asking.js";
import { Choice, Field, Once, Refused, inWords, useSubmit } from "../shell/forms.js";
import { Confirm, Dialog, closeDialog, openDialog } from "../shell/dialogs.js";
import { moment } from "../format.js";
import { toast } from "../toasts.js";
import { Tokens } from "./tokens.js";
import { Webhooks } from "./webhooks.js";

/** @typedef {import("../shapes").User} User */

export const ROLES = /** @type {const} */ (["viewer", "agent", "admin"]);

export function People() {
  return html`<section class="page"><div class="page-inner">
    <h1>${t("section.people")}</h1>
    ${may("manage_users") ? html`<${Persons} />` : html`<p>${t("refused.role")}</p>`}
    ${may("manage_tokens") && html`<${Tokens} />`}
    ${may("manage_integrations") && html`<${Webhooks} />`}
  </div></section>`;
}

function Persons() {
  const { value, problem, again } = useAsked(async () => /** @type {User[]} */ (await getAll("/users", { disabled: "include" })), []);
  const after = async () => (await Promise.all([again(), refresh.people.now()]), undefined);
  return html`<section class="card" aria-labelledby="persons">
    <div class="card-head"><h2 id="persons">${t("people.title")}</h2>
      <button type="button" class="primary" onClick=${() => openDialog(Add, { after })}>${t("people.add")}</button></div>
    <${Refused} problem=${problem.value} />
    <ul class="plain">${(value.value ?? []).map((user) => html`<li key=${user.id} class="card-head">
      <div class="grow"><bdi><strong>${user.display_name}</strong></bdi> <bdi class="faint">${user.name}</bdi>
        ${user.id === me.value?.user?.id && html` <span class="badge">${t("you")}</span>`}
        ${user.disabled && html` <span class="badge soon">${t("people.disabled")}</span>`}
        <p class="faint">${tWord("role", user.role)}${user.access?.rights.includes("direct") && `, ${t("right.direct")}`}</p></div>
      <${Ways} user=${user} after=${after} />
    </li>`)}</ul>
  </section>`;
}

/** @param {{user: User, after: () => Promise<void>}} props */
function Ways({ user, after }) {
  const own = user.id === me.value?.user?.id;
  const turn = () => void changed(() => request("PATCH", `/users/${user.id}`, { body: { disabled: !user.disabled }, version: user.version }), after);
  return html`<div class="card-ways">
    <select aria-label=${t("people.role_of", { name: user.display_name })} value=${user.role} disabled=${own}
      onChange=${(/** @type {Event} */ event) => void changed(() => request("PATCH", `/users/${user.id}`, { body: { role: /** @type {HTMLSelectElement} */ (event.currentTarget).value }, version: user.version }), after)}>
      ${ROLES.map((role) => html`<option key=${role} value=${role}>${tWord("role", role)}</option>`)}
    </select>
    <button type="button" disabled=${user.disabled} onClick=${() => openDialog(Invited, { user })}>${t("people.link")}</button>
    ${!own && html`<button type="button" class=${user.disabled ? "" : "danger"} onClick=${user.disabled ? turn : () => openDialog(Confirm, { title: t("people.disable_title", { name: user.display_name }), text: t("people.disable_text"), yes: t("people.disable"), danger: true, onYes: turn })}>
      ${user.disabled ? t("people.enable") : t("people.disable")}</button>`}
  </div>`;
}

/** @param {() => Promise<unknown>} change @param {() => Promise<void>} after */
export async function changed(change, after) {
  try {
    await change();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    toast(inWords(error), { tone: "refused" });
  }
  await after();
}

/** @param {{after: () => Promise<void>}} props */
function Add({ after }) {
  const name = useSignal("");
  const shown = useSignal("");
  const role = useSignal("agent");
  const { failed, busy, submit } = useSubmit(async () => {
    /** @type {User} */
    const user = await post("/users", { name: name.value.trim(), display_name: shown.value.trim() || undefined, role: role.value });
    await after();
    closeDialog();
    openDialog(Invited, { user });
  });
  return html`<${Dialog} title=${t("people.add")}>
    <form class="form" onSubmit=${submit}>
      <${Field} label=${t("signin.name")} hint=${t("setup.name_hint")} value=${name} max=${60} autofocus />
      <${Field} label=${t("setup.shown")} value=${shown} max=${200} required=${false} />
      <${Choice} label=${t("people.role")} value=${role} options=${ROLES.map((each) => [each, tWord("role", each)])} hint=${t("people.roles")} />
      <${Refused} problem=${failed.value} />
      <div class="form-end"><button class="primary" disabled=${busy.value}>${t("people.add")}</button></div>
    </form>
  <//>`;
}

/** A link that lets one person in once; making it is asking for it. @param {{user: User}} props */
function Invited({ user }) {
  const link = useSignal(/** @type {{url: string, expires_at: string} | null} */ (null));
  const { failed, busy, submit } = useSubmit(async () => {
    link.value = await post(`/users/${user.id}/sign-in-link`);
  });
  return html`<${Dialog} title=${t("people.link_title", { name: user.display_name })}>
    ${link.value === null
      ? html`<p>${t("people.link_text")}</p><${Refused} problem=${failed.value} />
        <div class="form-end"><button type="button" class="primary" disabled=${busy.value} autofocus onClick=${submit}>${t("people.link_make")}</button></div>`
      : html`<${Once} label=${t("people.link_once")} text=${link.value.url} /><p class="faint">${t("people.link_until", { time: moment(link.value.expires_at) })}</p>`}
  <//>`;
}
