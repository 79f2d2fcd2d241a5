// Short messages at the edge: what was done, with a way back, or what was refused and why.

import { signal } from "./vendor/preact.js";
import { preferences } from "./preferences.js";

/**
 * @typedef {object} Toast
 * @property {number} id
 * @property {string} text
 * @property {"done" | "refused" | "news"} tone
 * @property {{label: string, key?: string, run: () => void} | undefined} way
 */

/** @type {import("./vendor/preact.js").Signal<Toast[]>} */
export const toasts = signal([]);

const AT_MOST = 3;
let last = 0;
/** @type {Map<number, number>} */
const timers = new Map();

/**
 * @param {string} text
 * @param {{tone?: Toast["tone"], way?: Toast["way"]}} [how]
 * @returns {number} its id, for `closeToast`
 */
export function toast(text, { tone = "done", way } = {}) {
  const id = ++last;
  toasts.value = [...toasts.value, { id, text, tone, way }].slice(-AT_MOST);
  resumeToast(id);
  return id;
}

/** @param {number} id */
export function closeToast(id) {
  holdToast(id);
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

/**
 * A toast that is looked at stays (WCAG 2.2.1).
 * @param {number} id
 */
export function holdToast(id) {
  clearTimeout(timers.get(id));
  timers.delete(id);
}

/** @param {number} id */
export function resumeToast(id) {
  holdToast(id);
  const seconds = preferences.value.toast;
  if (seconds > 0) timers.set(id, window.setTimeout(() => closeToast(id), seconds * 1000));
}
