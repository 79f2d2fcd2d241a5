// Small signs on a row: what else is true of an item, in words.

import { html, signal, useComputed } from "../vendor/preact.js";
import { now } from "../clock.js";
import { clockTime } from "../format.js";
import { t, tWord } from "../i18n.js";
import { me } from "../session.js";
import { Icon } from "../shell/icons.js";
import { STAR } from "./choices.js";

/** By item: who looks at it or answers it, oneself included. */
export const present = signal(/** @type {Map<number, import("../shapes").Presence["people"]>} */ (new Map()));

/**
 * @param {import("../shapes").Item} item
 * @param {number} at
 * @returns {{key: string, text: string, icon?: import("../shell/icons.js").IconName, tone?: string, own?: boolean}[]}
 */
export function badgesOf(item, at) {
  const claim = item.claim !== null && Date.parse(item.claim.until) > at ? item.claim : null;
  const sleeping = item.snoozed_until !== null && Date.parse(item.snoozed_until) > at;
  return [
    ...(item.status !== "unanswered" ? [{ key: "status", text: statusText(item), icon: /** @type {const} */ ("check"), tone: "done" }] : []),
    ...(claim ? [{ key: "claim", text: claim.by.id === me.value?.user?.id ? t("badge.claimed_you") : t("badge.claimed", { name: nameOf(claim.by) }), icon: /** @type {const} */ ("reply"), tone: "held" }] : []),
    ...(item.assignee ? [{ key: "assignee", text: nameOf(item.assignee), icon: /** @type {const} */ ("user") }] : []),
    ...(sleeping ? [{ key: "snoozed", text: t("badge.snoozed", { time: clockTime(item.snoozed_until ?? "", at) }), icon: /** @type {const} */ ("clock") }] : []),
    ...(item.visibility === "direct" && item.kind !== "direct_message" ? [{ key: "direct", text: t("badge.direct") }] : []),
    ...(item.possibly_answered ? [{ key: "possibly", text: t("badge.possibly_answered"), tone: "soon" }] : []),
    ...(item.edited_after_answer ? [{ key: "edited_after", text: t("badge.edited_after_answer"), tone: "soon" }] : []),
    ...(item.edited_at && !item.edited_after_answer ? [{ key: "edited", text: t("badge.edited") }] : []),
    ...(item.reply_unverified ? [{ key: "unverified", text: t("badge.reply_unverified"), tone: "soon" }] : []),
    ...(item.held ? [{ key: "held", text: t("badge.held") }] : []),
    ...(item.backlog ? [{ key: "backlog", text: t("badge.backlog") }] : []),
    ...(item.note_count > 0 ? [{ key: "notes", text: t("badge.notes", { n: item.note_count }), icon: /** @type {const} */ ("note") }] : []),
    ...item.labels.map((name) => ({ key: `label ${name}`, text: name, icon: name === STAR ? /** @type {const} */ ("star") : /** @type {const} */ ("tag"), own: true })),
  ];
}

/** @param {import("../shapes").Item} item */
function statusText(item) {
  const by = item.answer?.answered_by;
  return item.status === "replied" && by ? t("badge.replied_by", { name: by }) : tWord("status", item.status);
}

/** @param {import("../shapes").Person} person */
function nameOf(person) {
  return person.id === me.value?.user?.id ? t("you") : person.display_name || person.name;
}

/** @param {{item: import("../shapes").Item}} props */
export function Badges({ item }) {
  return html`<${Here} id=${item.id} />${badgesOf(item, now.value).map(
    ({ key, text, icon, tone }) => html`<span class=${`badge ${tone ?? ""}`} key=${key}>
      ${icon && html`<${Icon} name=${icon} />`}<bdi>${text}</bdi>
    </span>`,
  )}`;
}

/** Who else is there right now. @param {{id: number}} props */
function Here({ id }) {
  const others = useComputed(() => (present.value.get(id) ?? []).filter((each) => each.person.id !== me.value?.user?.id));
  return others.value.map(
    ({ person, state }) => html`<span class="badge held" key=${person.id}>
      <${Icon} name=${state === "drafting" ? "reply" : "user"} /><bdi>${t(state === "drafting" ? "present.drafting" : "present.viewing", { name: person.display_name })}</bdi>
    </span>`,
  );
}
