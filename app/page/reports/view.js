// Five pictures, each with its table and file: who waits, how many are answered, how soon, where, when.

import { html, useSignal } from "../vendor/preact.js";
import { get, queryString } from "../api.js";
import { now } from "../clock.js";
import { duration, number } from "../format.js";
import { percent, weekOf } from "./formats.js";
import { t, tWord } from "../i18n.js";
import { counts, sources } from "../inbox/around.js";
import { coverageLine } from "../inbox/coverage.js";
import { useAsked } from "../shell/asking.js";
import { Choice, Refused } from "../shell/forms.js";
import { Bars, Heat, Lines, Stacks } from "./charts.js";
import { Figure } from "./figure.js";

/** @typedef {import("../shapes").ResponseReport} Response */
/** @typedef {import("../shapes").BacklogReport} Backlog */
/** @typedef {Response["rows"][number]} Row */
/** @typedef {{seconds: number, at_least: boolean} | null} Waited */

const AGES = ["<1h", "1-4h", "4-24h", "1-3d", "3-7d", ">7d"];
const KINDS = ["question", "comment", "mention", "reply", "review", "direct_message"];
/** A week in which a person answered nothing. */
const NOTHING = { total: 0, answered: 0, waiting: 0, answered_share: null, answered_median_seconds: null, answered_p90_seconds: null, waited_median: null, waited_p90: null };
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export function Reports() {
  const platform = useSignal("");
  const kind = useSignal("");
  const person = useSignal("");
  const shared = { time_zone: ZONE, platform: platform.value };
  const ofKind = { ...shared, kind: kind.value };
  const inputs = [platform.value, kind.value];
  const persons = useAsked(async () => /** @type {Response} */ (await get("/reports/response", { ...ofKind, by: "person" })), inputs);
  const weeks = useAsked(async () => /** @type {Response} */ (await get("/reports/response", ofKind)), inputs);
  const places = useAsked(async () => /** @type {Response} */ (await get("/reports/response", { ...ofKind, period: "all", by: "platform" })), inputs);
  const backlog = useAsked(async () => /** @type {Backlog} */ (await get("/reports/backlog", shared)), [platform.value]);
  const platforms = [...new Set(sources.value.map((each) => each.platform))].sort();
  const problem = weeks.problem.value ?? places.problem.value ?? backlog.problem.value;
  const coverage = counts.value?.coverage;
  const answering = [...new Set((persons.value.value?.rows ?? []).flatMap((row) => row.person ?? []))].sort();
  const weekly = person.value === "" ? weeks.value.value : ofPerson(weeks.value.value, persons.value.value, person.value);
  const weeklyFile = file("response", person.value === "" ? ofKind : { ...ofKind, by: "person" });
  return html`<section class="page"><div class="page-inner">
    <header class="page-head">
      <div><h1>${t("section.reports")}</h1>
        <p class="faint">${coverage && sources.value.length > 0 && `${coverageLine(coverage, now.value)}. `}${t("reports.zone", { zone: ZONE })}</p></div>
      <div class="page-filters">
        <${Choice} label=${t("reports.platform")} value=${platform} options=${[["", t("reports.every")], ...platforms.map((each) => [each, tWord("platform", each)])]} />
        <${Choice} label=${t("reports.kind")} value=${kind} options=${[["", t("reports.every")], ...KINDS.map((each) => [each, tWord("kind", each)])]} />
        <${Choice} label=${t("reports.person")} value=${person} options=${[["", t("reports.every")], ...answering.map((each) => [each, each])]} />
      </div>
    </header>
    <${Refused} problem=${problem} />
    ${person.value !== "" && html`<p class="faint" role="status">${t("reports.of_person", { name: person.value })}</p>`}
    <div class="figures">
      ${backlog.value.value && html`<${Ages} report=${backlog.value.value} everybody=${person.value !== ""} file=${file("backlog", { ...shared, table: "ages" })} />`}
      ${weekly && html`<${Share} report=${weekly} file=${weeklyFile} />
        <${Soon} report=${weekly} file=${weeklyFile} />`}
      ${places.value.value && html`<${Places} report=${places.value.value} everybody=${person.value !== ""} file=${file("response", { ...ofKind, period: "all", by: "platform" })} />`}
      ${backlog.value.value && html`<${Hours} report=${backlog.value.value} everybody=${person.value !== ""} file=${file("backlog", { ...shared, table: "hours" })} />`}
    </div>
    <${Terms} report=${weeks.value.value} />
  </div></section>`;
}

/** The weeks of one person. @param {Response | null} weeks @param {Response | null} persons @param {string} person @returns {Response | null} */
function ofPerson(weeks, persons, person) {
  if (weeks === null || persons === null) return null;
  const theirs = new Map(persons.rows.filter((row) => row.person === person).map((row) => [row.start, row]));
  return { ...persons, rows: weeks.rows.map((row) => theirs.get(row.start) ?? { ...row, person, numbers: NOTHING }) };
}

/** @param {string} name @param {Record<string, string>} query */
function file(name, query) {
  return `/api/v1/reports/${name}${queryString({ ...query, format: "csv" })}`;
}

/** @param {Row} row */
function week(row) {
  return weekOf(row.start);
}

/** @param {number | null} seconds */
function span(seconds) {
  return seconds === null ? "–" : duration(seconds);
}

/** @param {Waited} waited */
function waitedText(waited) {
  return waited === null ? "–" : t(waited.at_least ? "reports.over" : "reports.exact", { time: duration(waited.seconds) });
}

/** @param {string} text @param {boolean} everybody */
function told(text, everybody) {
  return everybody ? `${text} ${t("reports.everybody")}` : text;
}

/** @param {{report: Backlog, everybody: boolean, file: string}} props */
function Ages({ report, everybody, file: href }) {
  const names = report.by_platform.map((each) => tWord("platform", each.platform));
  const columns = AGES.map((age) => ({ label: tWord("age", age), values: report.by_platform.map((each) => each.by_age[age] ?? 0) }));
  return html`<${Figure} name="ages" title=${t("reports.ages")} text=${told(t("reports.ages_text", { n: report.total }), everybody)} file=${href}
    head=${[t("fact.platform"), ...AGES.map((age) => tWord("age", age)), t("reports.all")]}
    rows=${report.by_platform.map((each) => [tWord("platform", each.platform), ...AGES.map((age) => number(each.by_age[age] ?? 0)), number(each.total)])}>
    <${Stacks} label=${t("reports.ages")} names=${names} columns=${columns} />
  <//>`;
}

/** @param {{report: Response, file: string}} props */
function Share({ report, file: href }) {
  const share = (/** @type {Row} */ row) => row.numbers.answered_share;
  return html`<${Figure} name="share" title=${t("reports.share")} text=${t("reports.share_text")} file=${href} none=${report.total.total === 0}
    head=${[t("reports.week"), t("reports.asked"), t("reports.answered"), t("reports.waiting"), t("reports.share")]}
    rows=${report.rows.map((row) => [week(row), number(row.numbers.total), number(row.numbers.answered), number(row.numbers.waiting), percent(share(row))])}>
    <${Bars} label=${t("reports.share")} max=${1} tell=${percent} columns=${report.rows.map((row) => ({ label: week(row), value: share(row) }))} />
  <//>`;
}

/** @param {{report: Response, file: string}} props */
function Soon({ report, file: href }) {
  const lines = /** @type {const} */ (["waited_median", "waited_p90"]).map((name) => ({
    label: t(`reports.${name}`),
    values: report.rows.map((row) => row.numbers[name]?.seconds ?? null),
    open: report.rows.map((row) => row.numbers[name]?.at_least ?? false),
  }));
  return html`<${Figure} name="soon" title=${t("reports.soon")} text=${t("reports.soon_text")} file=${href} none=${report.total.total === 0}
    head=${[t("reports.week"), t("reports.waited_median"), t("reports.waited_p90"), t("reports.answered_median"), t("reports.answered_p90")]}
    rows=${report.rows.map(({ start, numbers }) => [weekOf(start), waitedText(numbers.waited_median), waitedText(numbers.waited_p90), span(numbers.answered_median_seconds), span(numbers.answered_p90_seconds)])}>
    <${Lines} label=${t("reports.soon")} lines=${lines} labels=${report.rows.map(week)} tell=${duration} />
  <//>`;
}

/** @param {{report: Response, everybody: boolean, file: string}} props */
function Places({ report, everybody, file: href }) {
  const rows = report.rows.filter((row) => row.platform !== null);
  return html`<${Figure} name="places" title=${t("reports.places")} text=${told(t("reports.places_text"), everybody)} file=${href}
    head=${[t("fact.platform"), t("reports.asked"), t("reports.share"), t("reports.waited_median"), t("reports.waited_p90")]}
    rows=${rows.map(({ platform, numbers }) => [tWord("platform", platform ?? ""), number(numbers.total), percent(numbers.answered_share), waitedText(numbers.waited_median), waitedText(numbers.waited_p90)])}>
    <${Bars} label=${t("reports.places")} max=${1} tell=${percent} columns=${rows.map((row) => ({ label: tWord("platform", row.platform ?? ""), value: row.numbers.answered_share }))} />
  <//>`;
}

/** @param {{report: Backlog, everybody: boolean, file: string}} props */
function Hours({ report, everybody, file: href }) {
  const which = useSignal("came_in");
  const name = which.value === "came_in" ? "came_in" : "answered";
  const hours = Array.from({ length: 24 }, (_, hour) => number(hour));
  return html`<${Figure} name="hours" title=${t("reports.hours")} text=${told(t("reports.hours_text"), everybody)} file=${href} wide
    head=${[t("reports.weekday"), ...hours]}
    rows=${report.hours.map((day) => [tWord("weekday", day.weekday), ...day[name].map(number)])}>
    <${Choice} label=${t("reports.which")} value=${which} options=${[["came_in", t("reports.came_in")], ["answered", t("reports.answered_then")]]} />
    <${Heat} label=${t("reports.hours")} rows=${report.hours.map((day) => ({ label: tWord("weekday", day.weekday), values: day[name] }))} />
  <//>`;
}

/** What each number means, and what is in none of them. @param {{report: Response | null}} props */
function Terms({ report }) {
  const left = Object.entries(report?.excluded ?? {}).filter(([, n]) => n > 0);
  return html`<section class="card">
    <h2>${t("reports.terms")}</h2>
    <ul class="terms">${/** @type {const} */ (["first", "open", "rank", "excluded"]).map((name) => html`<li key=${name}>${t(`reports.term_${name}`)}</li>`)}</ul>
    ${left.length > 0 && html`<p>${t("reports.left_out")} ${left.map(([name, n]) => `${tWord("excluded", name)}: ${number(n)}`).join(", ")}.</p>`}
  </section>`;
}
