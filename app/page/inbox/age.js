// How long somebody waits: a chip whose colour and words say how much of the target is used.

import { html } from "../vendor/preact.js";
import { now } from "../clock.js";
import { duration, moment, relative } from "../format.js";
import { t } from "../i18n.js";
import { Icon } from "../shell/icons.js";

/**
 * @param {import("../shapes").Item} item
 * @param {number} at
 * @returns {{tone: "calm" | "soon" | "over" | "done", text: string, spoken: string}}
 */
export function ageOf(item, at) {
  const began = Date.parse(item.occurred_at);
  const seconds = Math.max(0, (at - began) / 1000);
  if (item.status !== "unanswered") {
    const when = item.answer?.answered_at ?? item.occurred_at;
    return { tone: "done", text: duration((at - Date.parse(when)) / 1000), spoken: relative(when, at) };
  }
  const due = item.due_at === null ? null : Date.parse(item.due_at);
  const spoken = t("age.waits", { time: duration(seconds, "long") });
  if (due === null) return { tone: "calm", text: duration(seconds), spoken };
  if (at >= due) {
    const over = duration((at - due) / 1000);
    return { tone: "over", text: t("age.over", { time: over }), spoken: `${spoken}. ${t("age.over", { time: duration((at - due) / 1000, "long") })}` };
  }
  const left = duration((due - at) / 1000, "long");
  return { tone: (at - began) / (due - began) < 0.5 ? "calm" : "soon", text: duration(seconds), spoken: `${spoken}. ${t("age.left", { time: left })}` };
}

/** @param {{item: import("../shapes").Item}} props */
export function Age({ item }) {
  const { tone, text, spoken } = ageOf(item, now.value);
  return html`<time class=${`age ${tone}`} datetime=${item.occurred_at} title=${`${moment(item.occurred_at)} · ${spoken}`}>
    ${tone === "over" && html`<${Icon} name="alert" />`}${tone === "soon" && html`<${Icon} name="clock" />`}
    <span aria-hidden="true">${text}</span><span class="unseen">${spoken}</span>
  </time>`;
}
