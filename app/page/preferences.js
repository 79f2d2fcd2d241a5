// What a person has set for this browser: language, looks, keys. Nothing of it leaves the browser.

import { signal } from "./vendor/preact.js";

const NAME = "unanswered.preferences";

/**
 * @typedef {object} Preferences
 * @property {string} language "" follows the browser
 * @property {"auto" | "light" | "dark"} theme
 * @property {"cosy" | "compact"} density
 * @property {boolean} keys whether single keys do anything
 * @property {Record<string, string[]>} bindings what was changed, by command
 * @property {number} toast how many seconds an undo is offered; 0: until it is closed
 * @property {boolean} counter whether the title shows the count
 */

/** @type {Preferences} */
const DEFAULTS = {
  language: "",
  theme: "auto",
  density: "cosy",
  keys: true,
  bindings: {},
  toast: 10,
  counter: true,
};

/** @type {import("./vendor/preact.js").Signal<Preferences>} */
export const preferences = signal(read());

/** @param {Partial<Preferences>} changes */
export function prefer(changes) {
  preferences.value = { ...preferences.value, ...changes };
  try {
    localStorage.setItem(NAME, JSON.stringify(preferences.value));
  } catch {
    // Storage is full or forbidden: it holds until the page is left.
  }
}

/** @returns {Preferences} */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "{}");
    return { ...DEFAULTS, ...(typeof kept === "object" ? kept : {}) };
  } catch {
    return DEFAULTS;
  }
}

// Another tab has changed them.
addEventListener("storage", (event) => {
  if (event.key === NAME) preferences.value = read();
});
