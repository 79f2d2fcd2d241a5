// Puts the browser's focus on the row that keys act on.

import { focused } from "./selection.js";

/** @param {number} id */
export function focusRow(id) {
  focused.value = id;
  // After the rows are drawn: a new one is not there yet, a gone one still is.
  requestAnimationFrame(() => {
    const link = document.getElementById(`row-${id}`);
    link?.focus({ preventScroll: true });
    link?.closest(".row")?.scrollIntoView({ block: "nearest" });
  });
}

/** Where the focus was lost, since what had it is gone, it goes to the row that keys act on. */
export function keepFocus() {
  requestAnimationFrame(() => {
    const active = document.activeElement;
    const id = focused.peek();
    if (id !== null && (active === null || active === document.body)) focusRow(id);
  });
}
