// What the detail shows: one item with its thread, its author, its notes and its history.

import { batch, effect, signal } from "../vendor/preact.js";
import { Problem, get } from "../api.js";
import { onEvents } from "../live.js";
import { session } from "../session.js";
import { keep } from "./list.js";
import { opened } from "./selection.js";

/** @type {import("../vendor/preact.js").Signal<import("../shapes").ItemDetail | null>} */
export const detail = signal(null);
/** @type {import("../vendor/preact.js").Signal<import("../shapes").Thread | null>} */
export const thread = signal(null);
/** @type {import("../vendor/preact.js").Signal<import("../shapes").Author | null>} */
export const author = signal(null);
/** @type {import("../vendor/preact.js").Signal<import("../shapes").Note[]>} */
export const notes = signal([]);
/** @type {import("../vendor/preact.js").Signal<import("../shapes").Event[]>} */
export const history = signal([]);
/** @type {import("../vendor/preact.js").Signal<Problem | null>} */
export const trouble = signal(null);

/** @type {AbortController | null} */
let reading = null;

/**
 * Reads everything of an item. What belongs to another one goes at once, what belongs to this one
 * stays until the newer is there.
 * @param {number} id
 */
export async function readDetail(id) {
  reading?.abort();
  reading = new AbortController();
  const { signal: cut } = reading;
  if (detail.peek()?.id !== id) forget();
  try {
    /** @type {[import("../shapes").ItemDetail, import("../shapes").Thread, {items: import("../shapes").Note[]}, {items: import("../shapes").Event[]}]} */
    const [item, conversation, noted, events] = await Promise.all([
      get(`/items/${id}`, {}, cut),
      get(`/items/${id}/thread`, { limit: 200 }, cut),
      get(`/items/${id}/notes`, {}, cut),
      get(`/items/${id}/events`, {}, cut),
    ]);
    batch(() => {
      keep(item);
      detail.value = item;
      thread.value = conversation;
      notes.value = noted.items;
      history.value = events.items;
      trouble.value = null;
    });
    if (author.peek()?.id !== item.author.id) author.value = null;
    author.value = await get(`/authors/${item.author.id}`, {}, cut);
  } catch (error) {
    if (cut.aborted) return;
    if (!(error instanceof Problem)) throw error;
    trouble.value = error;
  }
}

/** Reads on in a conversation that is longer than was read. */
export async function readMoreOfThread() {
  const known = thread.peek();
  const id = detail.peek()?.id;
  if (known === null || known.next_cursor === null || id === undefined) return;
  /** @type {import("../shapes").Thread} */
  const page = await get(`/items/${id}/thread`, { limit: 200, cursor: known.next_cursor });
  if (detail.peek()?.id === id) thread.value = { ...page, entries: [...known.entries, ...page.entries] };
}

function forget() {
  batch(() => {
    detail.value = null;
    thread.value = null;
    author.value = null;
    notes.value = [];
    history.value = [];
    trouble.value = null;
  });
}

effect(() => {
  const id = opened.value;
  if (session.value.state !== "in") return;
  if (id === null) {
    reading?.abort();
    forget();
  } else void readDetail(id);
});

let timer = 0;
onEvents((events) => {
  const id = opened.peek();
  const known = thread.peek();
  if (id === null) return;
  const here = new Set([id, ...(known?.entries ?? []).map((each) => each.item?.id)]);
  const concerns = events === null || events.some((each) => here.has(each.item_id ?? 0));
  if (!concerns || timer !== 0) return;
  timer = window.setTimeout(() => {
    timer = 0;
    if (opened.peek() === id) void readDetail(id);
  }, 300);
});
