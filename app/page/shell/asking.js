// Reading what a section shows: asked when it is first shown, and again when something has changed.

import { useEffect, useRef, useSignal } from "../vendor/preact.js";
import { Problem } from "../api.js";
import { onEvents } from "../live.js";

/**
 * What `ask` answers with, kept while it is asked again. Without an answer and without a problem it
 * is still on its way.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {unknown[]} inputs ask anew when one of them changes
 * @param {string} [prefix] also when an event of such a type is heard
 */
export function useAsked(ask, inputs, prefix) {
  const value = useSignal(/** @type {T | null} */ (null));
  const problem = useSignal(/** @type {Problem | null} */ (null));
  const turn = useRef(0);
  const again = async () => {
    const mine = ++turn.current;
    try {
      const found = await ask();
      if (mine !== turn.current) return;
      value.value = found;
      problem.value = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine === turn.current) problem.value = error;
    }
  };
  useEffect(() => {
    void again();
    return () => void turn.current++;
  }, inputs);
  useEffect(() => {
    if (prefix === undefined) return;
    let timer = 0;
    const stop = onEvents((events) => {
      if (timer !== 0 || (events !== null && !events.some((each) => each.type.startsWith(prefix)))) return;
      timer = window.setTimeout(() => ((timer = 0), void again()), 1000);
    });
    return () => (clearTimeout(timer), stop());
  }, inputs);
  return { value, problem, again };
}
