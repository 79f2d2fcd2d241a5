// What the inbox does not need at first is loaded when it is first looked at.

import { speakMore, t } from "../i18n.js";
import { toast } from "../toasts.js";

/** @type {Promise<unknown> | null} */
let brought = null;

/**
 * A module with the texts and styles it needs; asked for again after a failure.
 * @template T
 * @param {Promise<T>} module
 * @returns {Promise<T>}
 */
export async function bring(module) {
  brought ??= Promise.all([speakMore(), styles()]);
  try {
    return (await Promise.all([module, brought]))[0];
  } catch (error) {
    brought = null;
    throw error;
  }
}

/**
 * Uses a module when it is there; says so where its version is gone.
 * @template M
 * @param {() => Promise<M>} load an `import()`
 * @param {(module: M) => void} use
 */
export async function later(load, use) {
  let module;
  try {
    module = await load();
  } catch {
    return void toast(t("outdated.text"), { tone: "refused", way: { label: t("outdated.reload"), run: () => location.reload() } });
  }
  use(module);
}

function styles() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("../styles/sections.css", import.meta.url).href;
  document.head.append(link);
  return new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = reject;
  });
}
