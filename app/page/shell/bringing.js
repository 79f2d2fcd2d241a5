// What the sections share and the inbox does not need: brought when one of them is first looked at.

import { speakMore } from "../i18n.js";

/** @type {Promise<unknown> | null} */
let brought = null;

/**
 * A module with the texts and styles it needs.
 * @template T
 * @param {Promise<T>} module
 * @returns {Promise<T>}
 */
export async function bring(module) {
  brought ??= Promise.all([speakMore(), styles()]);
  return (await Promise.all([module, brought]))[0];
}

function styles() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("../styles/sections.css", import.meta.url).href;
  document.head.append(link);
  return new Promise((resolve) => (link.onload = link.onerror = resolve));
}
