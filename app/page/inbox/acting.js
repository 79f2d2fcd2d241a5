// Actions: shown at once, taken back with a reason where the service refuses, undone by `z`.

import { Problem, post, request } from "../api.js";
import { t } from "../i18n.js";
import { toast } from "../toasts.js";
import { refresh } from "./around.js";
import { fits } from "./fitting.js";
import { keep, putBack, putIn, rowOf, shown, takeOut } from "./list.js";
import { focused, move, narrow, open, opened, select, selected, shut } from "./selection.js";
import { remember, undo } from "./undoing.js";
import { inWords } from "./words.js";

/** @typedef {import("../shapes").Item} Item */
/** @typedef {"mark_replied" | "dismiss" | "spam" | "reopen" | "snooze" | "unsnooze" | "assign" | "claim" | "release" | "thank" | "label" | "note"} Name */

/** What a single action is answered with can carry no bulk's result, but a version to agree on. */
const SINGLE = new Set(["mark_replied", "dismiss", "spam", "reopen", "snooze", "unsnooze", "assign", "claim", "release", "thank"]);

/** @type {Partial<Record<Name, string>>} */
const STATUS_AFTER = { mark_replied: "replied", thank: "replied", dismiss: "dismissed", spam: "spam", reopen: "unanswered" };

/**
 * Does it to one item or to many. `shownParams` are what the row shows before the answer is there.
 * @param {Name} name
 * @param {number[]} ids
 * @param {Record<string, unknown>} [params]
 * @param {Partial<Item>} [guess]
 */
export async function act(name, ids, params = {}, guess = {}) {
  if (ids.length === 0) return;
  const before = guessed(name, ids, guess);
  try {
    if (ids.length === 1 && SINGLE.has(name)) await actOnOne(name, ids[0], params, before);
    else await actOnMany(name, ids, params, before);
  } catch (error) {
    takeBack(before);
    if (!(error instanceof Problem)) throw error;
    if (error.told.current) keep(error.told.current);
    if (error.status === 409 || error.status === 404) void lookAgain(ids);
    toast(inWords(error), { tone: "refused" });
  }
  refresh.counts.soon();
}

/**
 * @typedef {object} Before
 * @property {Map<number, Item>} items as they were
 * @property {Map<number, number>} places where they were in the list
 */

/**
 * Shows what will be: the rows change or leave, the focus goes on.
 * @param {Name} name
 * @param {number[]} ids
 * @param {Partial<Item>} guess
 * @returns {Before}
 */
function guessed(name, ids, guess) {
  const status = STATUS_AFTER[name];
  const list = shown.peek();
  /** @type {Before} */
  const before = { items: new Map(), places: new Map() };
  for (const id of ids) {
    const row = rowOf(id);
    if (row === undefined) continue;
    before.items.set(id, row.peek());
    if (list.includes(id)) before.places.set(id, list.indexOf(id));
    row.value = { ...row.peek(), ...(status === undefined ? {} : { status }), ...guess };
  }
  leave(ids.filter((id) => before.places.has(id) && !fits(/** @type {Item} */ (rowOf(id)?.peek()))));
  return before;
}

/**
 * Takes rows out; the focus, and the detail beside the list, go to the next one that stays.
 * @param {number[]} gone
 */
function leave(gone) {
  if (gone.length === 0) return;
  const out = new Set(gone);
  const at = focused.peek() ?? opened.peek();
  if (at !== null && out.has(at)) {
    const list = shown.peek();
    const from = list.indexOf(at);
    const next = list.slice(from).find((id) => !out.has(id)) ?? list.slice(0, from).findLast((id) => !out.has(id));
    focused.value = next ?? null;
    if (opened.peek() !== null && out.has(/** @type {number} */ (opened.peek()))) goOn(next);
  }
  select([...selected.peek()].filter((id) => !out.has(id)));
  takeOut(gone);
}

/** @param {number | undefined} next */
function goOn(next) {
  if (next === undefined || narrow.peek()) shut();
  else open(next, { replace: true });
}

/** @param {Before} before */
function takeBack({ items, places }) {
  for (const item of items.values()) putBack(item);
  for (const [id, place] of [...places].sort(([, a], [, b]) => a - b)) putIn(id, place);
}

/**
 * @param {Name} name
 * @param {number} id
 * @param {Record<string, unknown>} params
 * @param {Before} before
 */
async function actOnOne(name, id, params, before) {
  const was = before.items.get(id);
  /** @type {Item} */
  const item = await request("POST", `/items/${id}/${name.replace("_", "-")}`, {
    body: Object.keys(params).length > 0 ? params : undefined,
    version: was?.version,
  });
  putBack(item);
  if (was !== undefined && item.version === was.version) return void toast(t("done.already"), { tone: "news" });
  say(name, 1, 0, [], remember({ actionId: null, item: { id, version: item.version }, places: before.places }));
}

/**
 * @param {Name} name
 * @param {number[]} ids
 * @param {Record<string, unknown>} params
 * @param {Before} before
 */
async function actOnMany(name, ids, params, before) {
  /** @type {import("../shapes").Bulk} */
  const done = await post("/items/bulk", { action: name, ids, params });
  const refused = done.results.filter((each) => !each.ok);
  const unsettled = { items: new Map(), places: new Map() };
  for (const { item_id: id, ok, item } of done.results) {
    if (item !== null && item !== undefined) keep(item);
    if (ok || !before.items.has(id)) continue;
    unsettled.items.set(id, before.items.get(id));
    if (before.places.has(id)) unsettled.places.set(id, before.places.get(id));
  }
  takeBack(unsettled);
  if (refused.length > 0) void lookAgain(refused.map((each) => each.item_id));
  const wayBack = done.action_id === null ? undefined : remember({ actionId: done.action_id, item: null, places: before.places });
  say(name, done.changed, done.unchanged, refused, wayBack);
}

/**
 * @param {Name} name
 * @param {number} n
 * @param {number} unchanged
 * @param {import("../shapes").Bulk["results"]} refused
 * @param {import("./undoing.js").Done} [done]
 */
function say(name, n, unchanged, refused, done) {
  const text = [
    n > 0 ? t(`done.${name}`, { n }) : "",
    unchanged > 0 ? t("done.unchanged", { n: unchanged }) : "",
    refused.length > 0 ? `${t("done.refused", { n: refused.length })} ${refused[0].problem?.detail ?? ""}` : "",
  ];
  const way = done && { label: t("command.undo"), key: "z", run: () => void undo(done) };
  const told = toast(text.filter(Boolean).join(" "), { tone: refused.length > 0 ? "refused" : "done", way });
  if (done) done.toast = told;
}

/** @param {number[]} ids */
async function lookAgain(ids) {
  for (const id of ids.slice(0, 20)) {
    try {
      keep(await request("GET", `/items/${id}`));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 404) takeOut([id]);
    }
  }
}

/**
 * Done with this one, on to a neighbour.
 * @param {number} by
 */
export function doneAndMove(by) {
  const one = opened.peek() ?? focused.peek();
  if (one === null) return;
  const list = shown.peek();
  const next = list[list.indexOf(one) + by];
  void act("mark_replied", [one]);
  if (next !== undefined && opened.peek() !== null) open(next, { replace: true });
  else if (next !== undefined) focused.value = next;
  else if (by < 0) move(0);
}
