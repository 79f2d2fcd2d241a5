// The list that is shown: its rows by id, what is new but not shown yet, and where it ends.

import { batch, computed, effect, signal } from "../vendor/preact.js";
import { Problem, get, reach } from "../api.js";
import { onEvents } from "../live.js";
import { session } from "../session.js";
import { counts, views, viewsKnown } from "./around.js";
import { filterOf, keyOf } from "./views.js";

/** @typedef {import("../shapes").Item} Item */
/** @typedef {import("../vendor/preact.js").Signal<Item>} Row */

const LIMIT = 50;

/** @type {Map<number, Row>} every item that was seen; a row follows its own signal alone */
const rows = new Map();

/** Ids in the order of the list. Live changes never touch it: only the person does. */
export const ids = signal(/** @type {number[]} */ ([]));
/** Ids that came in behind a list whose end is not loaded; shown at the end, under a line. */
export const tail = signal(/** @type {number[]} */ ([]));
/** Ids that fit the list and wait to be shown. */
export const fresh = signal(/** @type {number[]} */ ([]));

/**
 * @typedef {object} State
 * @property {"loading" | "ready" | "failed"} state
 * @property {string | null} cursor
 * @property {boolean} more whether a further page is on its way
 * @property {Problem | null} problem
 * @property {import("../shapes").Coverage | null} coverage
 * @property {import("../shapes").ItemList["search"]} search
 */

/** @type {import("../vendor/preact.js").Signal<State>} */
export const state = signal({ state: "loading", cursor: null, more: false, problem: null, coverage: null, search: null });

/** The filter of the address; `undefined` while it is not known yet. */
export const filter = computed(() => filterOf(views.value));
const filterKey = computed(() => (filter.value === undefined ? undefined : keyOf(filter.value)));

/** What the service says to a search it can't read. */
export const searchTrouble = computed(() => {
  const problem = state.value.problem;
  return problem?.status === 422 ? (problem.errors[0]?.detail ?? problem.message) : "";
});

/** All ids that are shown, in order. */
export const shown = computed(() => [...ids.value, ...tail.value]);

/** @type {AbortController | null} */
let loading = null;
/** @type {string | undefined} what the rows answer */
let answered;

/**
 * The row of an item that was seen.
 * @param {number} id
 */
export function rowOf(id) {
  return rows.get(id);
}

/** @param {Item} item the newest version stays */
export function keep(item) {
  const row = rows.get(item.id);
  if (row === undefined) rows.set(item.id, signal(item));
  else if (item.version >= row.peek().version) row.value = item;
}

/** Puts a row back as it was before an optimistic change. @param {Item} item */
export function putBack(item) {
  const row = rows.get(item.id);
  if (row !== undefined) row.value = item;
}

/** Reads the list from its beginning. */
export async function load() {
  const wanted = filter.peek();
  loading?.abort();
  if (wanted === undefined) {
    if (viewsKnown.peek()) fail(new Problem({ status: 404, code: "not-found" }));
    return;
  }
  loading = new AbortController();
  const { signal: cut } = loading;
  try {
    /** @type {import("../shapes").ItemList} */
    const page = await get("/items", { ...wanted, limit: LIMIT }, cut);
    answered = keyOf(wanted);
    batch(() => {
      page.items.forEach(keep);
      ids.value = page.items.map((each) => each.id);
      tail.value = [];
      fresh.value = [];
      state.value = {
        state: "ready",
        cursor: page.next_cursor,
        more: false,
        problem: null,
        coverage: page.coverage,
        search: page.search,
      };
    });
  } catch (error) {
    if (cut.aborted) return;
    if (!(error instanceof Problem)) throw error;
    fail(error);
  }
}

/** Rows that answer another question go; those of this one stay while it can't be asked again. @param {Problem} problem */
function fail(problem) {
  batch(() => {
    if (answered !== filterKey.peek()) takeOut([...shown.peek(), ...fresh.peek()]);
    state.value = { ...state.peek(), state: "failed", problem };
  });
}

/** Reads the next page, where there is one. */
export async function loadMore() {
  const { cursor, more } = state.peek();
  const wanted = filter.peek();
  if (cursor === null || more || wanted === undefined) return;
  state.value = { ...state.peek(), more: true };
  const key = filterKey.peek();
  try {
    /** @type {import("../shapes").ItemList} */
    const page = await get("/items", { ...wanted, limit: LIMIT, cursor });
    if (key !== filterKey.peek()) return;
    batch(() => {
      page.items.forEach(keep);
      const known = new Set(ids.peek());
      ids.value = [...ids.peek(), ...page.items.map((each) => each.id).filter((id) => !known.has(id))];
      const now = new Set(ids.value);
      tail.value = tail.peek().filter((id) => !now.has(id));
      fresh.value = fresh.peek().filter((id) => !now.has(id));
      state.value = { ...state.peek(), cursor: page.next_cursor, more: false };
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    state.value = { ...state.peek(), more: false };
  }
}

/**
 * Takes rows out of the list, or puts one back where it was.
 * @param {number[]} gone
 */
export function takeOut(gone) {
  const out = new Set(gone);
  batch(() => {
    ids.value = ids.peek().filter((id) => !out.has(id));
    tail.value = tail.peek().filter((id) => !out.has(id));
    fresh.value = fresh.peek().filter((id) => !out.has(id));
  });
}

/**
 * @param {number} id
 * @param {number} at
 */
export function putIn(id, at) {
  if (shown.peek().includes(id)) return;
  ids.value = [...ids.peek().slice(0, at), id, ...ids.peek().slice(at)];
}

/** Shows what has come in: where it belongs if the list is whole, else at its end. */
export function showFresh() {
  const order = filter.peek()?.order ?? "oldest";
  const come = fresh.peek();
  if (order === "due" || order === "value") return void load();
  batch(() => {
    if (order === "newest") ids.value = [...come, ...ids.peek()];
    else if (state.peek().cursor === null) ids.value = sorted([...ids.peek(), ...come]);
    else tail.value = sorted([...tail.peek(), ...come]);
    fresh.value = [];
  });
  return come[0];
}

/** @param {number[]} some oldest first, as the service orders them */
function sorted(some) {
  /** @param {number} id */
  const time = (id) => rows.get(id)?.peek().occurred_at ?? "";
  return some.sort((a, b) => (time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : a - b));
}

/** @type {Set<number>} */
let touched = new Set();
let timer = 0;

/** @param {import("../shapes").Event[] | null} events */
function hear(events) {
  if (events === null) {
    for (const id of shown.peek()) touched.add(id);
    touched.add(0);
  }
  for (const event of events ?? []) if (event.item_id !== null) touched.add(event.item_id);
  if (touched.size > 0 && timer === 0) timer = window.setTimeout(() => void follow(), 250);
}

/** Reads what was touched: rows that are shown change in place, others wait as new. */
async function follow() {
  timer = 0;
  const wanted = filter.peek();
  const some = touched;
  touched = new Set();
  if (wanted === undefined || state.peek().state !== "ready") return;
  const key = filterKey.peek();
  const here = new Set(shown.peek());
  try {
    await Promise.all([...some].filter((id) => rows.has(id)).slice(0, LIMIT).map(followOne));
    if (![...some].some((id) => !here.has(id))) return;
    /** @type {import("../shapes").ItemList} */
    const page = await get("/items", { ...wanted, ...newestFirst(wanted), limit: LIMIT });
    if (key !== filterKey.peek()) return;
    const come = page.items.filter((each) => !here.has(each.id) && (some.has(each.id) || some.has(0)));
    come.forEach(keep);
    const waiting = fresh.peek().filter((id) => !some.has(id));
    fresh.value = [...new Set([...waiting, ...come.map((each) => each.id)])].filter((id) => !shown.peek().includes(id));
    if (here.size === 0) showFresh(); // an empty list has nothing that could move
    state.value = { ...state.peek(), coverage: page.coverage };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

/**
 * Two orders are refused, so one in the search stays.
 * @param {import("../shapes").Filter} wanted
 */
function newestFirst(wanted) {
  return /(^|\s)order:/.test(String(wanted.q ?? "")) ? {} : { order: "newest" };
}

/** @param {number} id */
async function followOne(id) {
  try {
    keep(await get(`/items/${id}`));
  } catch (error) {
    if (error instanceof Problem && error.status === 404) takeOut([id]);
    else throw error;
  }
}

onEvents(hear);

const reachable = computed(() => reach.value.ok);

// The service answers again: so does the list. Not with every answer, of which one is the list's own.
effect(() => {
  if (reachable.value && state.peek().problem?.code === "offline") void load();
});

// The counts are read more often than the list: what they say of the sources holds for it as well.
effect(() => {
  const coverage = counts.value?.coverage;
  if (coverage !== undefined) state.value = { ...state.peek(), coverage };
});

effect(() => {
  void filterKey.value;
  if (session.value.state !== "in") return;
  if (filterKey.value === undefined && !viewsKnown.value) return;
  state.value = { ...state.peek(), state: "loading", problem: null };
  void load();
});
