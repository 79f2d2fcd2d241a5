// Refusals in words: who was faster and when, rather than a status code.

import { now } from "../clock.js";
import { clockTime, relative } from "../format.js";
import { t, tWord } from "../i18n.js";

/**
 * What a person is told of a refusal.
 * @param {import("../api.js").Problem} problem
 */
export function inWords(problem) {
  if (problem.code === "offline") return t("refused.offline");
  if (problem.status === 401) return t("signin.expired");
  if (problem.status === 403) return t("refused.role");
  if (problem.status === 429) return t("refused.busy");
  const { claim, changed } = problem.told;
  if (claim) return t("refused.claim", { who: claim.by.display_name, time: clockTime(claim.until, now.value) });
  if (changed) return happened(changed);
  return [problem.message, ...problem.errors.map((each) => each.detail)].filter(Boolean).join(" ");
}

/** @param {{by: string, type: string, at: string}} changed */
export function happened(changed) {
  return t("changed.what", { who: changed.by, what: tWord("event", changed.type), when: relative(changed.at, now.value) });
}
