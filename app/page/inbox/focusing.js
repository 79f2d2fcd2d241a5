// Puts the browser's focus on the row that keys act on.

import { focused } from "./selection.js";

/** @param {number} id */
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
