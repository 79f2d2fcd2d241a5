// Texts in the person's language: catalogues, plurals, names kept apart from the text around them.

import { signal } from "./vendor/preact.js";
import { preferences } from "./preferences.js";
import en from "./i18n/en.js";

/** @typedef {keyof typeof en | keyof typeof import("./i18n/en_sections.js").default} Key */
/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Text */

/** The languages there are, each by its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español" };

/** @type {Record<string, () => Promise<{default: Record<string, Text>}>>} */
const CATALOGUES = {
  en: async () => ({ default: en }),
  de: () => import("./i18n/de.js"),
  es: () => import("./i18n/es.js"),
  "en-XA": () => import("./i18n/pseudo.js"),
  "ar-XB": () => import("./i18n/pseudo.js"),
};

/**
 * Those of the sections that are loaded later.
 * @type {typeof CATALOGUES}
 */
const MORE = {
  en: () => import("./i18n/en_sections.js"),
  de: () => import("./i18n/de_sections.js"),
  es: () => import("./i18n/es_sections.js"),
  "en-XA": () => import("./i18n/pseudo_sections.js"),
  "ar-XB": () => import("./i18n/pseudo_sections.js"),
};
let more = false;

/** @type {import("./vendor/preact.js").Signal<{language: string, texts: Record<string, Text>}>} */
const spoken = signal({ language: "en", texts: en });

/** The language that is spoken, for `Intl`: as the browser names it, so that dates are the region's. */
export function language() {
  const { language: tongue } = spoken.value;
  return navigator.languages.find((each) => each.split("-")[0] === tongue) ?? tongue;
}

/** Loads the catalogue that the person wants and turns the document to it; where it can't be had, nothing changes. */
export function speak() {
  return learn().catch(() => {});
}

/** From now on with the texts of the sections. */
export function speakMore() {
  more = true;
  return learn();
}

async function learn() {
  const wanted = choose();
  const found = await Promise.all([CATALOGUES[wanted](), more ? MORE[wanted]() : null]);
  spoken.value = { language: wanted, texts: { ...found[0].default, ...found[1]?.default } };
  document.documentElement.lang = wanted;
  document.documentElement.dir = wanted.startsWith("ar") ? "rtl" : "ltr";
}

function choose() {
  const wishes = [preferences.value.language, ...navigator.languages];
  for (const wish of wishes) {
    const found = [wish, wish.split("-")[0]].find((each) => each in CATALOGUES);
    if (found !== undefined) return found;
  }
  return "en";
}

/**
 * The text of a key. `n` chooses the plural; other values are put in, isolated from the text
 * around them, since a name may be written in the other direction.
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const { texts, language: tongue } = spoken.value;
  const text = texts[key] ?? /** @type {Record<string, Text>} */ (en)[key] ?? "";
  const form = typeof text === "string" ? text : plural(text, Number(values.n), tongue);
  return form.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers(tongue).format(value) : `\u2068${value}\u2069`;
  });
}

/**
 * A text whose key is made of a word of the API; the word itself where there is no such text, since
 * the lists of the API may grow.
 * @param {string} prefix
 * @param {string} word
 */
export function tWord(prefix, word) {
  const key = `${prefix}.${word}`;
  return key in spoken.value.texts ? t(/** @type {Key} */ (key)) : word.replaceAll("_", " ");
}

/**
 * @param {Partial<Record<Intl.LDMLPluralRule, string>>} forms
 * @param {number} n
 * @param {string} tongue
 */
function plural(forms, n, tongue) {
  return forms[rules(tongue).select(n)] ?? forms.other ?? "";
}

/** @type {Map<string, Intl.PluralRules>} */
const ruled = new Map();
/** @param {string} tongue */
function rules(tongue) {
  let found = ruled.get(tongue);
  if (found === undefined) ruled.set(tongue, (found = new Intl.PluralRules(tongue)));
  return found;
}

/** @type {Map<string, Intl.NumberFormat>} */
const numbered = new Map();
/** @param {string} tongue */
function numbers(tongue) {
  let found = numbered.get(tongue);
  if (found === undefined) numbered.set(tongue, (found = new Intl.NumberFormat(tongue)));
  return found;
}
