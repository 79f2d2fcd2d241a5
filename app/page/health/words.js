// A source in trouble, told in one pattern: what, since when, effect, whether anything is lost, what to do.

import { clockTime, list, relative } from "../format.js";
import { t } from "../i18n.js";

/** @typedef {import("../shapes").Source} Source */

/**
 * @typedef {object} Told
 * @property {"info" | "warning" | "error"} level
 * @property {string} what
 * @property {string} detail what the platform said, in its own words
 * @property {string} effect
 * @property {string} safety
 * @property {boolean} reconnect whether a new credential is what helps
 */

const LEVELS = /** @type {const} */ ({ auth_failed: "error", blind: "error", error: "error", behind: "warning", rate_limited: "info" });

/** Sources that are not read as they should. @param {Source[]} sources */
export function inTrouble(sources) {
  return sources.filter((source) => source.state in LEVELS);
}

/**
 * @param {Source} source
 * @param {number} now milliseconds
 * @returns {Told}
 */
export function told(source, now) {
  const state = /** @type {keyof typeof LEVELS} */ (source.state);
  const since = source.error?.since ?? null;
  const values = { name: source.name, when: since === null ? t("trouble.now") : relative(since, now), until: until(source, now) };
  return {
    level: LEVELS[state],
    what: t(`trouble.${state}`, values),
    detail: source.error?.detail ?? "",
    effect: t(`effect.${state}`),
    safety: safety(source, now),
    reconnect: state === "auth_failed",
  };
}

/** @param {Source} source @param {number} now */
function until(source, now) {
  return source.next_poll_at === null ? t("trouble.later") : clockTime(source.next_poll_at, now);
}

/** How far each stream that reads behind has come: the earliest. @param {Source} source */
export function coveredThrough(source) {
  const reached = source.streams.filter((each) => each.state !== "ok" && each.state !== "retired").map((each) => each.covered_through);
  const known = reached.filter((each) => each !== null).sort();
  return known.length < reached.length ? null : (known[0] ?? null);
}

/** @param {Source} source @param {number} now */
function safety(source, now) {
  const lost = lostRanges(source);
  if (lost.length > 0) return t("safety.lost", { list: list(lost.map((each) => rangeOf(each, now))) });
  const through = coveredThrough(source);
  return through === null ? t("safety.all") : t("safety.kept", { time: clockTime(through, now) });
}

/** What is gone for good: ranges of time, not what the platform never shows by design. @param {Source} source */
export function lostRanges(source) {
  return source.streams.flatMap((each) => each.lost.filter((lost) => lost.from !== null || lost.to !== null));
}

/** @param {{from: string | null, to: string | null}} lost @param {number} now */
export function rangeOf({ from, to }, now) {
  return t("range", { from: from === null ? "…" : clockTime(from, now), to: to === null ? "…" : clockTime(to, now) });
}
