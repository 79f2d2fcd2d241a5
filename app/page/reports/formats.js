// Shares and weeks as people read them.

import { language } from "../i18n.js";

/** @param {number | null} share of one; nothing where nobody asked */
export function percent(share) {
  return share === null ? "–" : new Intl.NumberFormat(language(), { style: "percent", maximumFractionDigits: 0 }).format(share);
}

/** The day a week begins with. @param {string} start */
export function weekOf(start) {
  return new Intl.DateTimeFormat(language(), { month: "short", day: "numeric" }).format(new Date(start));
}
