// Times, ages and hosts as people read them, by Intl.

import { language } from "./i18n.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const STEPS = [
  ["week", WEEK],
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
];

/** @type {Map<string, unknown>} */
const made = new Map();

/**
 * `Intl` objects are dear to make and free to keep.
 * @template T
 * @param {string} name
 * @param {(language: string) => T} make
 * @returns {T}
 */
function kept(name, make) {
  const key = `${language()} ${name}`;
  if (!made.has(key)) made.set(key, make(language()));
  return /** @type {T} */ (made.get(key));
}

/**
 * How long, in one unit: `3m`, `2h`, `4d`, `3w`.
 * @param {number} seconds
 * @param {"narrow" | "long"} [display]
 */
export function duration(seconds, display = "narrow") {
  const [unit, size] = STEPS.find(([, each]) => seconds >= each) ?? ["minute", MINUTE];
  const count = Math.max(seconds < MINUTE ? 0 : 1, Math.floor(seconds / size));
  return kept(
    `duration ${unit} ${display}`,
    (tongue) => new Intl.NumberFormat(tongue, { style: "unit", unit, unitDisplay: display }),
  ).format(count);
}

/**
 * `3 minutes ago`, `in 2 hours`; below two minutes in seconds.
 * @param {string | number} at
 * @param {number} now milliseconds
 */
export function relative(at, now) {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const size = Math.abs(seconds);
  const format = kept("relative", (tongue) => new Intl.RelativeTimeFormat(tongue, { numeric: "auto" }));
  if (size < 2 * MINUTE) return format.format(Math.round(seconds), "second");
  const [unit, step] = STEPS.find(([, each]) => size >= each) ?? ["minute", MINUTE];
  return format.format(Math.round(seconds / step), unit);
}

/**
 * Date, time and zone, in the person's own.
 * @param {string | number} at
 */
export function moment(at) {
  return kept(
    "moment",
    (tongue) =>
      new Intl.DateTimeFormat(tongue, {
        dateStyle: undefined,
        weekday: "short",
        year: "numeric",
        month: "short",
        day: "numeric",
        hour: "2-digit",
        minute: "2-digit",
        timeZoneName: "short",
      }),
  ).format(new Date(at));
}

/**
 * The time of day; with the day where it is not today's.
 * @param {string | number} at
 * @param {number} now milliseconds
 */
export function clockTime(at, now) {
  const date = new Date(at);
  const today = date.toDateString() === new Date(now).toDateString();
  return kept(
    `clock ${today}`,
    (tongue) =>
      new Intl.DateTimeFormat(tongue, {
        hour: "2-digit",
        minute: "2-digit",
        ...(today ? {} : { month: "short", day: "numeric" }),
      }),
  ).format(date);
}

/** @param {number} value */
export function number(value) {
  return kept("number", (tongue) => new Intl.NumberFormat(tongue)).format(value);
}

/** @param {string[]} words */
export function list(words) {
  return kept("list", (tongue) => new Intl.ListFormat(tongue, { type: "conjunction" })).format(words);
}

/**
 * The address as a link may have it: http and https only, else null. Its host is what the browser
 * will really ask, in ASCII, whatever the text around it says.
 * @param {string | null | undefined} address
 * @returns {{href: string, host: string} | null}
 */
export function safeLink(address) {
  try {
    const url = new URL(address ?? "");
    if (url.protocol !== "https:" && url.protocol !== "http:") return null;
    return { href: url.href, host: url.host };
  } catch {
    return null;
  }
}
