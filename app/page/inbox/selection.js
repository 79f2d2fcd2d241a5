// Which row has the focus, which are chosen for a bulk action, and which one is open.

import { computed, signal } from "../vendor/preact.js";
import { go, route, withQuery } from "../router.js";
import { shown } from "./list.js";

/** The row that keys act on; the list has one tab stop, this one. */
export const focused = signal(/** @type {number | null} */ (null));
/** Chosen rows; live changes never touch them. */
export const selected = signal(/** @type {Set<number>} */ (new Set()));
let anchor = /** @type {number | null} */ (null);

/** The item of the address, null where none is open. */
export const opened = computed(() => {
  const id = route.value.section === "inbox" ? Number(route.value.query.get("item") ?? NaN) : NaN;
  return Number.isSafeInteger(id) && id > 0 ? id : null;
});

const onePane = matchMedia("(max-width: 599.98px)");

/** Whether what is open fills the window, as on a phone. */
export const narrow = signal(onePane.matches);
onePane.addEventListener("change", () => (narrow.value = onePane.matches));

/** What an action without further choice acts on: the chosen rows, else the open or focused one. */
export const targets = computed(() => {
  if (selected.value.size > 0) return [...selected.value];
  const one = opened.value ?? focused.value;
  return one === null ? [] : [one];
});

/**
 * @param {number} id
 * @param {{replace?: boolean}} [how]
 */
export function open(id, how) {
  focused.value = id;
  go(withQuery({ item: id }), how);
}

export function shut() {
  if (opened.value !== null) go(withQuery({ item: null }));
}

/**
 * Moves the focus by rows; opens along where the detail is beside the list.
 * @param {number} by
 * @returns {number | null}
 */
export function move(by) {
  const list = shown.peek();
  if (list.length === 0) return null;
  const from = list.indexOf(focused.peek() ?? opened.peek() ?? -1);
  const to = from < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(from + by, 0), list.length - 1);
  focused.value = list[to];
  if (opened.peek() !== null) open(list[to], { replace: true });
  return list[to];
}

/** @param {number} id */
export function toggle(id) {
  const next = new Set(selected.peek());
  if (!next.delete(id)) next.add(id);
  selected.value = next;
  anchor = id;
}

/**
 * Chooses everything between the last chosen row and this one.
 * @param {number} id
 */
export function extendTo(id) {
  const list = shown.peek();
  const from = list.indexOf(anchor ?? focused.peek() ?? id);
  const to = list.indexOf(id);
  if (to < 0) return;
  const [first, last] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
  selected.value = new Set([...selected.peek(), ...list.slice(first, last + 1)]);
}

/** @param {number} by */
export function extend(by) {
  if (selected.peek().size === 0) anchor = focused.peek();
  const to = move(by);
  if (to !== null) extendTo(to);
}

/** @param {Iterable<number>} some */
export function select(some) {
  selected.value = new Set(some);
  if (selected.value.size === 0) anchor = null;
}

/**
 * Puts the browser's focus on a row, too.
 * @param {number} id
 */
export function focusRow(id) {
  focused.value = id;
  // At once, since the next key may be there already; a row that is not drawn yet, when it is.
  if (!focusLink(id)) requestAnimationFrame(() => focusLink(id));
}

/** @param {number} id */
function focusLink(id) {
  const link = document.getElementById(`row-${id}`);
  link?.focus({ preventScroll: true });
  link?.closest(".row")?.scrollIntoView({ block: "nearest" });
  return link !== null;
}

/** Where the focus was lost, since what had it is gone, it goes to the row that keys act on. */
export function keepFocus() {
  const look = () => {
    const active = document.activeElement;
    const id = focused.peek();
    if (id !== null && (active === null || active === document.body)) focusRow(id);
  };
  // Two frames: a dialog that closes gives the focus back first, perhaps to a row that goes.
  requestAnimationFrame(() => requestAnimationFrame(look));
}
