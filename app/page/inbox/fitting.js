// Whether an item still belongs to the list that is shown, as far as this can be told from it alone.

import { now } from "../clock.js";
import { me } from "../session.js";
import { filter } from "./list.js";

/** @param {import("../shapes").Item} item */
export function fits(item) {
  const wanted = filter.peek() ?? {};
  return fitsStatus(item, wanted) && fitsSnooze(item, wanted) && fitsAssignee(item, wanted);
}

/**
 * @param {import("../shapes").Item} item
 * @param {import("../shapes").Filter} wanted
 */
function fitsStatus(item, wanted) {
  const named = /(^|\s)(is|status):/.test(String(wanted.q ?? ""));
  if (named && wanted.status === undefined) return true;
  const statuses = [wanted.status ?? "unanswered"].flat();
  if (!statuses.includes("any") && !statuses.includes(item.status)) return false;
  return wanted.overdue !== true || item.overdue;
}

/**
 * @param {import("../shapes").Item} item
 * @param {import("../shapes").Filter} wanted
 */
function fitsSnooze(item, wanted) {
  const sleeping = item.snoozed_until !== null && Date.parse(item.snoozed_until) > now.peek();
  const rule = wanted.snoozed ?? (/(^|\s)is:snoozed/.test(String(wanted.q ?? "")) ? "include" : "exclude");
  return rule === "include" || sleeping === (rule === "only");
}

/**
 * @param {import("../shapes").Item} item
 * @param {import("../shapes").Filter} wanted
 */
function fitsAssignee(item, wanted) {
  if (wanted.assignee === undefined) return true;
  if (wanted.assignee === "none") return item.assignee === null;
  if (wanted.assignee === "me") return item.assignee?.id === me.peek()?.user?.id;
  return [String(item.assignee?.id), item.assignee?.name].includes(String(wanted.assignee));
}
