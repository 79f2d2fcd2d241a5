// What the inbox offers to keys and palette.

import { t } from "../i18n.js";
import { go } from "../router.js";
import { me, may } from "../session.js";
import { later } from "../shell/bringing.js";
import { act, doneAndMove } from "./acting.js";
import { views } from "./around.js";
import { ask, assignToMe, chooseAssignee, chooseLabel, chooseReason, chooseSnooze, toggleStar } from "./choices.js";
import { filter, fresh, rowOf, showFresh, shown } from "./list.js";
import { extend, focusRow, focused, move, open, opened, select, selected, shut, targets, toggle } from "./selection.js";
import { undo } from "./undoing.js";
import { viewAddress } from "./views.js";

/** Commands whose name is not the action's that the service knows. */
const ACTION_OF = /** @type {Record<string, string>} */ ({
  assign_me: "assign",
  star: "label",
  dismiss_because: "dismiss",
  spam_mute: "spam",
});
/** Allowed again where they hold already; then they are not offered. */
const HOLDS = /** @type {Record<string, string>} */ ({ mark_replied: "replied", thank: "replied", dismiss: "dismissed", spam: "spam", reopen: "unanswered" });

/**
 * Whether a command makes sense for an item now: allowed, and not so already.
 * @param {string} name
 * @param {import("../shapes").Item} item
 */
export function openable(name, item) {
  const action = ACTION_OF[name] ?? name;
  if (HOLDS[action] === item.status) return false;
  if (name === "unsnooze") return item.snoozed_until !== null && item.allowed_actions.includes("unsnooze");
  if (name === "release") return item.claim !== null;
  if (name === "assign_me") return item.assignee?.id !== me.value?.user?.id && Boolean(me.value?.user);
  if (name === "claim") return Boolean(me.value?.user) && item.allowed_actions.includes("claim");
  return item.allowed_actions.includes(action);
}

/** @param {string} name */
function possible(name) {
  return may("triage") && targets.peek().some((id) => {
    const row = rowOf(id);
    return row !== undefined && openable(name, row.peek());
  });
}

/** @param {string} name @param {(ids: number[]) => void} run */
function onTargets(name, run) {
  return { run: () => run(targets.peek()), enabled: () => possible(name) };
}

/** @param {number} by */
function step(by) {
  const id = move(by);
  if (id !== null) focusRow(id);
}

function back() {
  if (selected.peek().size > 0) return select([]);
  const id = opened.peek();
  shut();
  if (id !== null) focusRow(id);
}

/** @param {string} id */
function focusField(id) {
  const one = opened.peek() ?? focused.peek();
  if (one === null) return;
  if (opened.peek() === null) open(one);
  let tries = 40;
  const look = () => {
    const field = document.getElementById(id);
    if (field !== null) field.focus();
    else if (--tries > 0) requestAnimationFrame(look);
  };
  look();
}

export const saveView = () => void later(() => import("./saving.js"), (module) => module.saveView());

const inList = { enabled: () => shown.peek().length > 0 };

/** @type {Record<string, import("../keys/commands.js").Command | (() => void)>} */
export const COMMANDS = {
  next: { run: () => step(1), ...inList },
  previous: { run: () => step(-1), ...inList },
  open: { run: () => { const id = focused.peek() ?? shown.peek()[0]; if (id !== undefined) open(id); }, ...inList },
  back: { run: back, enabled: () => opened.peek() !== null || selected.peek().size > 0 },
  show_new: { run: () => { const id = showFresh(); if (id !== undefined) focusRow(id); }, enabled: () => fresh.peek().length > 0 },
  select: { run: () => { const id = focused.peek() ?? opened.peek(); if (id !== null) toggle(id); }, ...inList },
  extend_next: { run: () => { extend(1); refocus(); }, ...inList },
  extend_previous: { run: () => { extend(-1); refocus(); }, ...inList },
  select_all: { run: () => select(shown.peek()), ...inList },
  select_none: { run: () => select([]), enabled: () => selected.peek().size > 0 },
  reply: { run: () => focusField("composer"), enabled: () => possible("mark_replied") },
  mark_replied: onTargets("mark_replied", (ids) => ask("mark_replied", ids)),
  thank: onTargets("thank", (ids) => ask("thank", ids)),
  dismiss: onTargets("dismiss", (ids) => ask("dismiss", ids, { reason: "no_reply_needed" })),
  dismiss_because: onTargets("dismiss", chooseReason),
  snooze: onTargets("snooze", chooseSnooze),
  unsnooze: onTargets("unsnooze", (ids) => ask("unsnooze", ids, {}, { snoozed_until: null })),
  assign: onTargets("assign", chooseAssignee),
  assign_me: onTargets("assign_me", assignToMe),
  claim: onTargets("claim", (ids) => void act("claim", ids)),
  release: onTargets("release", (ids) => void act("release", ids, {}, { claim: null })),
  label: onTargets("label", chooseLabel),
  star: onTargets("star", toggleStar),
  note: { run: () => focusField("note"), enabled: () => possible("note") },
  spam: onTargets("spam", (ids) => ask("spam", ids)),
  spam_mute: onTargets("spam", (ids) => ask("spam", ids, { mute_author: true })),
  reopen: onTargets("reopen", (ids) => ask("reopen", ids)),
  done_next: { run: () => doneAndMove(1), enabled: () => possible("mark_replied") },
  done_previous: { run: () => doneAndMove(-1), enabled: () => possible("mark_replied") },
  undo: () => void undo(),
  save_view: { run: saveView, enabled: () => filter.peek() !== undefined },
};

function refocus() {
  const id = focused.peek();
  if (id !== null) focusRow(id);
}

/** Commands that lead to a view; they hold in every section. */
export function goingCommands() {
  /** @param {string} name */
  const to = (name) => () => go(viewAddress(name));
  /** @type {Record<string, import("../keys/commands.js").Command | (() => void)>} */
  const found = { go_inbox: to("inbox"), go_mine: to("mine"), go_snoozed: to("snoozed"), go_replied: to("replied") };
  views.value.slice(0, 9).forEach((view, index) => {
    found[`view_${index + 1}`] = { run: to(String(view.id)), title: t("view.go", { name: view.name }) };
  });
  return found;
}

