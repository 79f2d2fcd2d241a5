// What the list does not show because it could not be read: told beside every count.

import { clockTime, list } from "../format.js";
import { t } from "../i18n.js";

/**
 * Streams that are not read, or not yet, the worst for each source; paused ones are nobody's trouble.
 * @param {import("../shapes").Coverage | null} coverage
 * @param {string[]} well states in which a stream is left out
 */
export function troubled(coverage, well = ["ok", "retired", "paused"]) {
  /** @type {Map<number, import("../shapes").StreamCoverage>} */
  const found = new Map();
  for (const stream of coverage?.streams ?? []) {
    if (!well.includes(stream.state)) found.set(stream.source_id, stream);
  }
  return [...found.values()];
}

/**
 * The line beside a count: `complete up to 14:02`, or who is missing since when.
 * @param {import("../shapes").Coverage} coverage
 * @param {number} now milliseconds
 */
export function coverageLine(coverage, now) {
  const missing = troubled(coverage, ["ok", "retired"]).map((stream) =>
    stream.covered_through === null
      ? t("coverage.never", { name: stream.source_name })
      : t("coverage.since", { name: stream.source_name, time: clockTime(stream.covered_through, now) }),
  );
  if (missing.length > 0) return t("coverage.missing", { list: list(missing) });
  if (coverage.complete) return t("coverage.complete", { time: clockTime(coverage.as_of, now) });
  return coverage.streams.some((each) => !each.backfill.done) ? t("coverage.reading") : t("coverage.gaps");
}
