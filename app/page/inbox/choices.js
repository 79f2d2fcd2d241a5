// What needs a choice before it is done: until when, for whom, which label, why.

import { html, useSignal } from "../vendor/preact.js";
import { serverNow } from "../clock.js";
import { moment, relative } from "../format.js";
import { t, tWord } from "../i18n.js";
import { me } from "../session.js";
import { Chooser } from "../shell/chooser.js";
import { Confirm, Dialog, closeDialog, openDialog } from "../shell/dialogs.js";
import { act } from "./acting.js";
import { labels, people } from "./around.js";
import { rowOf } from "./list.js";

const ASKS_ABOVE = 50;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MORNING = 9;
export const STAR = "star";

/**
 * Does it; above fifty items only after one more word.
 * @param {import("./acting.js").Name} name
 * @param {number[]} ids
 * @param {Record<string, unknown>} [params]
 * @param {Partial<import("../shapes").Item>} [guess]
 */
export function ask(name, ids, params, guess) {
  const run = () => void act(name, ids, params, guess);
  if (ids.length <= ASKS_ABOVE) return run();
  const yes = t(`bulk.${name}`, { n: ids.length });
  openDialog(Confirm, { title: t("bulk.sure"), text: t("bulk.sure_text", { n: ids.length }), yes, onYes: run });
}

/** @param {number[]} ids */
export function chooseSnooze(ids) {
  const now = serverNow();
  const later = now + 3 * HOUR;
  const toMonday = daysToMonday(now);
  /** @param {string} id @param {string} label @param {number} until */
  const option = (id, label, until) => ({ id, label, detail: moment(until), run: () => snooze(ids, until) });
  openDialog(Chooser, {
    title: t("snooze.title", { n: ids.length }),
    placeholder: t("snooze.hint"),
    options: [
      option("hour", t("snooze.hour"), now + HOUR),
      ...(later < morning(now, 1) - MORNING * HOUR ? [option("later", t("snooze.later"), later)] : []),
      option("tomorrow", t("snooze.tomorrow"), morning(now, 1)),
      option("two", t("snooze.two_days"), morning(now, 2)),
      ...(toMonday > 2 && toMonday < 7 ? [option("monday", t("snooze.monday"), morning(now, toMonday))] : []),
      option("week", t("snooze.week"), morning(now, 7)),
      { id: "moment", label: t("snooze.moment"), run: () => openDialog(SnoozeUntil, { ids }) },
    ],
    free: (typed) => {
      const span = parseSpan(typed);
      return span === null ? [] : [option("typed", relative(now + span, now), now + span)];
    },
  });
}

/** @param {number} now @param {number} days */
function morning(now, days) {
  const date = new Date(now + days * DAY);
  return date.setHours(MORNING, 0, 0, 0);
}

/** @param {number} now */
function daysToMonday(now) {
  return (8 - new Date(now).getDay()) % 7 || 7;
}

/**
 * `45m`, `3h`, `2d`, `1w` in milliseconds.
 * @param {string} typed
 */
export function parseSpan(typed) {
  const found = /^(\d{1,4})\s*([mhdw])$/i.exec(typed);
  if (found === null) return null;
  const units = { m: 60_000, h: HOUR, d: DAY, w: 7 * DAY };
  return Number(found[1]) * units[/** @type {keyof typeof units} */ (found[2].toLowerCase())] || null;
}

/** @param {number[]} ids @param {number} until */
function snooze(ids, until) {
  const at = new Date(until).toISOString();
  ask("snooze", ids, { until: at }, { snoozed_until: at });
}

/** @param {{ids: number[]}} props */
function SnoozeUntil({ ids }) {
  const local = new Date(morning(serverNow(), 1) - new Date().getTimezoneOffset() * 60_000);
  const until = useSignal(local.toISOString().slice(0, 16));
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    closeDialog();
    snooze(ids, new Date(until.value).getTime());
  };
  return html`<${Dialog} title=${t("snooze.title", { n: ids.length })}>
    <form class="form" onSubmit=${submit}>
      <label class="field">
        <span>${t("snooze.moment")}</span>
        <input
          type="datetime-local"
          required
          autofocus
          value=${until.value}
          onInput=${(/** @type {InputEvent} */ event) => (until.value = /** @type {HTMLInputElement} */ (event.currentTarget).value)}
        />
      </label>
      <div class="form-end"><button class="primary">${t("command.snooze")}</button></div>
    </form>
  <//>`;
}

/** @param {number[]} ids */
export function chooseAssignee(ids) {
  const mine = me.peek()?.user?.id;
  const active = people.peek().filter((each) => !each.disabled);
  active.sort((a, b) => Number(b.id === mine) - Number(a.id === mine));
  openDialog(Chooser, {
    title: t("assign.title", { n: ids.length }),
    options: [
      ...active.map((each) => ({
        id: String(each.id),
        label: each.id === mine ? t("assign.me", { name: each.display_name }) : each.display_name,
        detail: each.name,
        run: () => ask("assign", ids, { assignee: each.id }, { assignee: { id: each.id, name: each.name, display_name: each.display_name } }),
      })),
      { id: "none", label: t("assign.none"), run: () => ask("assign", ids, { assignee: null }, { assignee: null }) },
    ],
  });
}

/** @param {number[]} ids */
export function assignToMe(ids) {
  const user = me.peek()?.user;
  if (user) ask("assign", ids, { assignee: user.id }, { assignee: user });
}

/** @param {number[]} ids */
export function chooseLabel(ids) {
  const carried = ids.map((id) => rowOf(id)?.peek().labels ?? []);
  /** @param {string} name */
  const option = (name) => {
    const everywhere = carried.every((each) => each.includes(name));
    return { id: name, label: name, detail: everywhere ? t("label.take") : "", run: () => label(ids, name, !everywhere) };
  };
  openDialog(Chooser, {
    title: t("label.title", { n: ids.length }),
    placeholder: t("label.hint"),
    options: labels.peek().map((each) => option(each.name)),
    free: (typed) => {
      const known = labels.peek().some((each) => each.name.toLowerCase() === typed.toLowerCase());
      return typed === "" || known ? [] : [{ id: `new ${typed}`, label: t("label.new", { name: typed }), run: () => label(ids, typed, true) }];
    },
  });
}

/** @param {number[]} ids */
export function toggleStar(ids) {
  label(ids, STAR, !ids.every((id) => rowOf(id)?.peek().labels.includes(STAR)));
}

/** @param {number[]} ids @param {string} name @param {boolean} give */
function label(ids, name, give) {
  ask("label", ids, give ? { add: [name] } : { remove: [name] });
}

const REASONS = ["no_reply_needed", "duplicate", "handled_elsewhere", "not_for_us", "backlog"];

/** @param {number[]} ids */
export function chooseReason(ids) {
  openDialog(Chooser, {
    title: t("dismiss.title", { n: ids.length }),
    options: [
      ...REASONS.map((reason) => ({ id: reason, label: tWord("reason", reason), run: () => ask("dismiss", ids, { reason }) })),
      { id: "other", label: tWord("reason", "other"), run: () => openDialog(OtherReason, { ids }) },
    ],
  });
}

/** @param {{ids: number[]}} props */
function OtherReason({ ids }) {
  const note = useSignal("");
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    closeDialog();
    ask("dismiss", ids, { reason: "other", note: note.value });
  };
  return html`<${Dialog} title=${t("dismiss.title", { n: ids.length })}>
    <form class="form" onSubmit=${submit}>
      <label class="field">
        <span>${t("dismiss.why")}</span>
        <input
          required
          autofocus
          maxlength="1000"
          dir="auto"
          value=${note.value}
          onInput=${(/** @type {InputEvent} */ event) => (note.value = /** @type {HTMLInputElement} */ (event.currentTarget).value)}
        />
      </label>
      <div class="form-end"><button class="primary">${t("command.dismiss")}</button></div>
    </form>
  <//>`;
}
