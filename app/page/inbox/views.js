// The views that are always there, and what the address asks the service for.

import { route } from "../router.js";
import { queryString } from "../api.js";

/** @typedef {import("../shapes").Counts} Counts */
/** @typedef {import("../shapes").Filter} Filter */

/**
 * @typedef {object} BuiltIn
 * @property {string} name
 * @property {import("../shell/icons.js").IconName} icon
 * @property {Filter} filter
 * @property {(counts: Counts) => number | null} count null where no exact number is at hand
 */

/**
 * How many the inbox itself shows: what is snoozed or backlog has views of its own.
 * @param {Counts} counts
 */
export function waiting({ unanswered }) {
  return unanswered.shown;
}

/** @type {BuiltIn[]} */
export const BUILT_IN = [
  { name: "inbox", icon: "inbox", filter: {}, count: waiting },
  { name: "overdue", icon: "alert", filter: { overdue: true, snoozed: "include" }, count: (counts) => counts.unanswered.overdue },
  { name: "mine", icon: "user", filter: { assignee: "me", snoozed: "include" }, count: () => null },
  { name: "snoozed", icon: "clock", filter: { snoozed: "only", backlog: "include" }, count: (counts) => counts.unanswered.snoozed },
  { name: "backlog", icon: "menu", filter: { backlog: "only", snoozed: "include" }, count: (counts) => counts.unanswered.backlog },
  { name: "thanks", icon: "heart", filter: { needs_reply: false, backlog: "include" }, count: (counts) => counts.unanswered.thank_you },
  { name: "replied", icon: "check", filter: { status: "replied", order: "newest" }, count: () => null },
  { name: "spam", icon: "shield", filter: { status: "spam", order: "newest" }, count: (counts) => counts.by_status.spam ?? 0 },
];

/** @param {string} name of a built-in view, or the id of a saved one */
export function viewAddress(name) {
  return name === "inbox" ? "/" : `/?view=${encodeURIComponent(name)}`;
}

/** The parts of the address that say which list is shown; the open item is none of them. */
export function asked() {
  const query = route.value.query;
  return {
    view: query.get("view") ?? "inbox",
    q: query.get("q") ?? "",
    source: query.get("source"),
    order: query.get("order"),
  };
}

/**
 * The filter of the address, `undefined` while a saved view it names is not known.
 * @param {import("../shapes").View[]} saved
 * @returns {Filter | undefined}
 */
export function filterOf(saved) {
  const { view, q, source, order } = asked();
  const found = BUILT_IN.find((each) => each.name === view)?.filter ?? saved.find((each) => String(each.id) === view)?.filter;
  if (found === undefined) return undefined;
  /** @type {Filter} */
  const filter = { .../** @type {Filter} */ (found) };
  if (q !== "") filter.q = [filter.q, q].filter(Boolean).join(" ");
  if (source !== null) filter.source_id = Number(source);
  if (order !== null) filter.order = order;
  return filter;
}

/** @param {Filter} filter */
export function keyOf(filter) {
  return queryString(filter);
}
