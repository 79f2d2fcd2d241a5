// The server's time as far as the browser knows it, and the one interval that lets ages grow.

import { signal } from "./vendor/preact.js";

const TICK = 30_000;

let ahead = 0;

/** The server's time in milliseconds; moves every 30 seconds. */
export const now = signal(Date.now());

/** The server's time at this moment, in milliseconds. */
export function serverNow() {
  return Date.now() + ahead;
}

/**
 * Learns how far the computer's clock is from the server's. `Date` has whole seconds, so that less
 * than two of them say nothing.
 * @param {string | null} date the header of an answer
 */
export function learnTime(date) {
  const told = date === null ? NaN : Date.parse(date);
  if (Number.isNaN(told) || Math.abs(told - serverNow()) < 2000) return;
  ahead = told - Date.now();
  now.value = serverNow();
}

/** Brings `now` up to the moment: after an answer, and when the tab is looked at again. */
export function tick() {
  now.value = serverNow();
}

export function startClock() {
  setInterval(tick, TICK);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) tick();
  });
}
