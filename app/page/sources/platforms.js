// What can be connected: the quickest first, and what a platform asks for said before, not after.

import { html } from "../vendor/preact.js";
import { get } from "../api.js";
import { t } from "../i18n.js";
import { useAsked } from "../shell/asking.js";
import { Refused } from "../shell/forms.js";
import { fieldsOf, labelled } from "./fields.js";

/** @typedef {import("../shapes").Platform} Platform */

/** @returns {Promise<Platform[]>} */
export async function readPlatforms() {
  return (await get("/platforms")).items;
}

/** Nothing to sign in with, then a password or a consent, then an app of one's own. @param {Platform} platform */
function effort(platform) {
  if (platform.access.review !== "" || (platform.oauth.offered && platform.oauth.needs_client)) return 2;
  return platform.credential_required ? 1 : 0;
}

export function Cards() {
  const { value, problem } = useAsked(readPlatforms, []);
  const found = [...(value.value ?? [])].sort((a, b) => effort(a) - effort(b));
  return html`<${Refused} problem=${problem.value} />
    <ul class="cards">${found.map((platform) => html`<li key=${platform.name}><a class="card" href=${`/sources/new/${platform.name}`}>
      <strong>${platform.title}</strong>
      <span class="badge">${t(/** @type {const} */ (["connect.effort_0", "connect.effort_1", "connect.effort_2"])[effort(platform)])}</span>
      <small class="faint" dir="auto">${platform.access.review || platform.access.shortest || platform.access.price}</small>
    </a></li>`)}</ul>`;
}

/** What it takes and what it costs. @param {{platform: Platform}} props */
export function Terms({ platform }) {
  const { access, notes } = platform;
  const lines = [access.review, access.shortest, access.price, ...notes].filter((each) => each !== "");
  const fields = fieldsOf(platform.settings_schema);
  return html`<ul class="terms">${lines.map((each) => html`<li key=${each}><bdi>${labelled(each, fields)}</bdi></li>`)}</ul>`;
}
