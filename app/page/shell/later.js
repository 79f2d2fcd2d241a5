// Loads a module when it is first needed; says so where its version is gone.

import { t } from "../i18n.js";
import { toast } from "../toasts.js";

/**
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
