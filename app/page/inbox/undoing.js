// The way back: the last twenty actions of this tab, and before them what the service remembers.

import { Problem, get, post } from "../api.js";
import { t } from "../i18n.js";
import { closeToast, toast } from "../toasts.js";
import { refresh } from "./around.js";
import { keep, putIn } from "./list.js";
import { fits } from "./fitting.js";
import { inWords } from "./words.js";

/**
 * @typedef {object} Done
 * @property {number | null} actionId of a bulk action
 * @property {{id: number, version: number} | null} item of a single one: its action is looked up when needed
 * @property {Map<number, number>} places where in the list each row was
 * @property {number} [toast] the message that offers to take it back
 */

const AT_MOST = 20;
/** @type {Done[]} */
let stack = [];

/** @param {Done} done */
export function remember(done) {
  stack = [...stack, done].slice(-AT_MOST);
  return done;
}

/**
 * Takes an action back: this one, else the last one; after a reload the last one of this person that the service knows.
 * @param {Done} [done]
 */
export async function undo(done = stack.at(-1)) {
  stack = stack.filter((each) => each !== done);
  if (done?.toast) closeToast(done.toast);
  try {
    const action = done === undefined ? await lastOfMine() : (done.actionId ?? (await actionOf(done)));
    if (action === null) return void toast(t("undo.nothing"), { tone: "news" });
    /** @type {import("../shapes").Undo} */
    const undone = await post(`/actions/${action}/undo`);
    show(undone, done?.places ?? new Map());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (done !== undefined && error.code === "offline") stack.push(done);
    toast(inWords(error), { tone: "refused" });
  }
}

/** @param {Done} done */
async function actionOf(done) {
  if (done.item === null) return null;
  const { id, version } = done.item;
  /** @type {{items: import("../shapes").Event[]}} */
  const events = await get(`/items/${id}/events`);
  return events.items.findLast((each) => each.item_version === version && each.action_id !== null)?.action_id ?? null;
}

async function lastOfMine() {
  /** @type {{items: import("../shapes").Action[]}} */
  const actions = await get("/actions", { mine: true, undone: false, limit: 1 });
  return actions.items[0]?.id ?? null;
}

/**
 * @param {import("../shapes").Undo} undone
 * @param {Map<number, number>} places
 */
function show(undone, places) {
  for (const { item } of undone.results) {
    if (item === null) continue;
    keep(item);
    const place = places.get(item.id);
    if (place !== undefined && fits(item)) putIn(item.id, place);
  }
  const kept = undone.results.length - undone.undone;
  const text = [t("undo.done", { n: undone.undone }), kept > 0 ? t("undo.kept", { n: kept }) : ""];
  toast(text.filter(Boolean).join(" "), { tone: undone.undone > 0 ? "done" : "refused" });
  refresh.counts.soon();
}
