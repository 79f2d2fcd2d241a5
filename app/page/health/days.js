// How many messages a day a source has brought in the last thirty days, as a line of small bars.

import { html } from "../vendor/preact.js";
import { get } from "../api.js";
import { t } from "../i18n.js";

/** @typedef {import("../shapes").ResponseReport} Report */

const DAY = 86_400_000;
const STEP = 6;
const HEIGHT = 24;

/** @returns {Promise<Report>} by day and source, the last thirty days */
export function readDays() {
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  return get("/reports/response", { time_zone, period: "day", by: "source" });
}

/** @param {{report: Report, source: number}} props */
export function Days({ report, source }) {
  const days = perDay(report, source);
  const most = Math.max(0, ...days);
  const n = days.reduce((sum, each) => sum + each, 0);
  return html`<svg class="chart spark" viewBox=${`0 0 ${days.length * STEP} ${HEIGHT}`} role="img" aria-label=${t("health.days_label", { n, most })}>
      ${days.map((each, at) => html`<rect class="series-0" x=${at * STEP} y=${HEIGHT - tall(each, most)} width=${STEP - 2} height=${tall(each, most)} />`)}
    </svg> <small class="faint" aria-hidden="true">${t("health.days_text", { n, most })}</small>`;
}

/** Oldest first; a day without a message is in no row. @param {Report} report @param {number} source */
function perDay(report, source) {
  const last = Date.parse(`${report.to}T00:00`);
  const days = Array.from({ length: 1 + Math.round((last - Date.parse(`${report.from}T00:00`)) / DAY) }, () => 0);
  for (const row of report.rows) {
    if (row.source?.id === source) days[days.length - 1 - Math.round((last - Date.parse(row.start)) / DAY)] = row.numbers.total;
  }
  return days;
}

/** A day without a message is a thin line, so that it is seen to be there. @param {number} each @param {number} most */
function tall(each, most) {
  return most === 0 ? 1 : Math.max(1, (HEIGHT * each) / most);
}
