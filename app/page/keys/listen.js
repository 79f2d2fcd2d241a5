// Listens to the keyboard: strokes and sequences become commands, unless somebody types.

import { preferences } from "../preferences.js";
import { ALWAYS, commandOf, prefixes, strokeOf } from "./bindings.js";
import { run } from "./commands.js";

const SEQUENCE_LASTS = 1500;

let begun = "";
let timer = 0;

export function startKeys() {
  document.addEventListener("keydown", hear);
}

/** @param {KeyboardEvent} event */
function hear(event) {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
  if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
  const stroke = strokeOf(event);
  const command = commandOf.peek().get(begun === "" ? stroke : `${begun} ${stroke}`);
  if (command !== undefined && ALWAYS.has(command) && run(command)) return end(event);
  if (!preferences.peek().keys || isTaken(event, stroke)) return end();
  if (begun === "" && prefixes.peek().has(stroke)) return begin(stroke, event);
  if (command !== undefined && run(command)) return end(event);
  end();
}

/**
 * Whether the stroke belongs to what has the focus, or to the browser.
 * @param {KeyboardEvent} event
 * @param {string} stroke
 */
function isTaken(event, stroke) {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (target === null) return false;
  if (target.closest("dialog, [role=menu]") !== null) return true;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  if (target instanceof HTMLInputElement) return target.type !== "checkbox" || stroke === " ";
  return event.key === "Enter" && target.matches("a, button, summary");
}

/**
 * @param {string} stroke
 * @param {KeyboardEvent} event
 */
function begin(stroke, event) {
  event.preventDefault();
  begun = stroke;
  clearTimeout(timer);
  timer = window.setTimeout(() => (begun = ""), SEQUENCE_LASTS);
}

/** @param {KeyboardEvent} [event] */
function end(event) {
  begun = "";
  clearTimeout(timer);
  event?.preventDefault();
}
