// What the list does not show because it could not be read: told beside every count.

import { clockTime, list } from "../format.js";
import { t } from "../i18n.js";

/** States in which a stream reads what there is, now or within its interval. */
const WELL = new Set(["ok", "paused", "retired"]);

/**
 * Streams that are not read, or not yet, the worst for each source.
 * @param {import("../shapes").Coverage | null} coverage
 */
export function troubled(coverage) {
  /** @type {Map<number, import("../shapes").StreamCoverage>} */
  const found = new Map();
  for (const stream of coverage?.streams ?? []) {
    if (!WELL.has(stream.state)) found.set(stream.source_id, stream);
  }
  return [...found.values()];
}

/**
 * The line beside a count: `complete up to 14:02`, or who is missing since when.
 * @param {import("../shapes").Coverage} coverage
 * @param {number} now milliseconds
 */
export function coverageLine(coverage, now) {
  const missing = troubled(coverage).map((stream) =>
    stream.covered_through === null
      ? t("coverage.never", { name: stream.source_name })
      : t("coverage.since", { name: stream.source_name, time: clockTime(stream.covered_through, now) }),
  );
  if (missing.length > 0) return t("coverage.missing", { list: list(missing) });
  if (coverage.complete) return t("coverage.complete", { time: clockTime(coverage.as_of, now) });
  return coverage.streams.some((each) => !each.backfill.done) ? t("coverage.reading") : t("coverage.gaps");
}
