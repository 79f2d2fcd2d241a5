// What can be done by key and palette at the moment: each view brings its own while it is shown.

import { signal, useEffect } from "../vendor/preact.js";

/**
 * @typedef {object} Command
 * @property {() => void} run
 * @property {() => boolean} [enabled]
 * @property {string} [title] where the catalogue has none under `command.<name>`
 */

/** @type {import("../vendor/preact.js").Signal<Map<string, Command>>} */
export const commands = signal(new Map());

/**
 * Offers commands until the answer is called.
 * @param {Record<string, Command | (() => void)>} offered
 */
export function offer(offered) {
  const mine = Object.entries(offered).map(
    ([name, each]) => /** @type {const} */ ([name, typeof each === "function" ? { run: each } : each]),
  );
  commands.value = new Map([...commands.value, ...mine]);
  return () => {
    const left = new Map(commands.value);
    for (const [name, command] of mine) if (left.get(name) === command) left.delete(name);
    commands.value = left;
  };
}

/**
 * Offers commands while a component is shown. They are taken anew when `inputs` change.
 * @param {Record<string, Command | (() => void)>} offered
 * @param {unknown[]} inputs
 */
export function useCommands(offered, inputs = []) {
  useEffect(() => offer(offered), inputs);
}

/**
 * @param {string} name
 * @returns {boolean} whether there was such a command and it could run
 */
export function run(name) {
  const command = commands.peek().get(name);
  if (command === undefined || command.enabled?.() === false) return false;
  command.run();
  return true;
}
