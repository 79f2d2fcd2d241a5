// Fields of a platform out of its JSON Schema: what a person fills in, in the platform's own words.

import { html } from "../vendor/preact.js";
import { Problem } from "../api.js";
import { t } from "../i18n.js";
import { typed } from "../shell/forms.js";

/**
 * @typedef {object} FieldOf
 * @property {string} name
 * @property {string} title
 * @property {string} hint
 * @property {"text" | "secret" | "number" | "flag" | "choice" | "words"} kind
 * @property {boolean} required
 * @property {string[]} choices
 * @property {string | boolean} initial
 * @property {string | undefined} pattern
 * @property {boolean} rare a server that stands in for the platform's own: seldom filled in
 */

/** @typedef {Record<string, string | boolean>} Filled */

/** What tokens bring along themselves; a person never fills these in. */
const BROUGHT = new Set(["access_jwt", "refresh_jwt", "did", "expires_at"]);
const RARE = new Set(["api_url", "client_id", "client_secret", "refresh_token"]);

/**
 * @param {Record<string, any> | null} schema
 * @returns {FieldOf[]}
 */
export function fieldsOf(schema) {
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {})
    .filter(([name]) => !BROUGHT.has(name))
    .map(([name, each]) => fieldOf(name, each, required.has(name)));
}

/** @param {string} name @param {Record<string, any>} schema @param {boolean} required @returns {FieldOf} */
function fieldOf(name, schema, required) {
  const plain = schema.anyOf?.find((/** @type {any} */ each) => each.type !== "null") ?? schema;
  const secret = schema.writeOnly || schema.format === "password";
  const kinds = { boolean: "flag", integer: "number", number: "number", array: "words" };
  const kind = plain.enum ? "choice" : secret ? "secret" : (kinds[/** @type {keyof typeof kinds} */ (plain.type)] ?? "text");
  return {
    name,
    title: schema.title ?? name.replaceAll("_", " "),
    hint: schema.description ?? "",
    kind: /** @type {FieldOf["kind"]} */ (kind),
    required,
    choices: plain.enum ?? [],
    initial: kind === "flag" ? Boolean(schema.default) : Array.isArray(schema.default) ? schema.default.join(", ") : String(schema.default ?? ""),
    pattern: plain.pattern,
    rare: RARE.has(name) && !required,
  };
}

/** @param {FieldOf[]} fields @param {Record<string, any>} [known] @returns {Filled} */
export function initially(fields, known = {}) {
  return Object.fromEntries(fields.map(({ name, initial }) => {
    const value = known[name];
    return [name, value === undefined || value === null ? initial : typeof value === "boolean" ? value : Array.isArray(value) ? value.join(", ") : String(value)];
  }));
}

/**
 * As the service takes it; what was left empty is left out, so that its default holds.
 * @param {FieldOf[]} fields
 * @param {Filled} filled
 */
export function valuesOf(fields, filled) {
  /** @type {Record<string, unknown>} */
  const values = {};
  for (const { name, kind } of fields) {
    const value = filled[name];
    if (kind === "flag") values[name] = value;
    else if (value !== "") values[name] = kind === "number" ? Number(value) : kind === "words" ? String(value).split(",").map((each) => each.trim()).filter(Boolean) : String(value).trim();
  }
  return values;
}

/**
 * A text of the service, in which a field stands by its name, with the words that the form has for it.
 * @param {string} text
 * @param {FieldOf[]} fields
 */
export function labelled(text, fields) {
  return text.replace(/`(\w+)`/g, (whole, name) => {
    const field = fields.find((each) => each.name === name);
    return field === undefined ? whole : `“${field.title}”`;
  });
}

/**
 * What a refusal says beyond what stands below the fields; nothing where all of it stands there.
 * @param {Problem | null} problem
 * @param {FieldOf[]} fields
 */
export function beyond(problem, fields) {
  if (problem === null || problem.errors.length === 0) return problem;
  const rest = problem.errors.filter((each) => !fields.some(({ name }) => each.pointer.endsWith(`/${name}`)));
  if (rest.length === 0) return null;
  const text = labelled(rest.map((each) => each.detail).join(" "), fields);
  return new Problem({ ...problem.told, errors: [], detail: text[0].toUpperCase() + text.slice(1) });
}

/** @param {{fields: FieldOf[], filled: import("../vendor/preact.js").Signal<Filled>, errors?: {pointer: string, detail: string}[]}} props */
export function Fields({ fields, filled, errors = [] }) {
  const usual = fields.filter((each) => !each.rare);
  const rare = fields.filter((each) => each.rare);
  const draw = (/** @type {FieldOf} */ field) => html`<${One} key=${field.name} field=${field} filled=${filled} error=${errors.find((each) => each.pointer.endsWith(`/${field.name}`))?.detail} />`;
  return html`${usual.map(draw)}
    ${rare.length > 0 && html`<details class="drawer"><summary>${t("connect.rare")}</summary><div class="form">${rare.map(draw)}</div></details>`}`;
}

/** @param {{field: FieldOf, filled: import("../vendor/preact.js").Signal<Filled>, error: string | undefined}} props */
function One({ field, filled, error }) {
  const { name, kind, title, hint, required } = field;
  const set = (/** @type {string | boolean} */ value) => (filled.value = { ...filled.value, [name]: value });
  if (kind === "flag") {
    return html`<div class="field"><label class="check">
      <input type="checkbox" checked=${filled.value[name]} onChange=${(/** @type {Event} */ event) => set(/** @type {HTMLInputElement} */ (event.currentTarget).checked)} /> ${title}
    </label>${hint && html`<small class="faint" dir="auto">${hint}</small>`}</div>`;
  }
  const input =
    kind === "choice"
      ? html`<select value=${filled.value[name]} onChange=${(/** @type {Event} */ event) => set(typed(event))}>${field.choices.map((each) => html`<option key=${each}>${each}</option>`)}</select>`
      : html`<input name=${name} type=${kind === "secret" ? "password" : kind === "number" ? "number" : "text"} dir="auto" required=${required} pattern=${field.pattern} title=${hint}
          autocomplete=${kind === "secret" ? "new-password" : "off"} autocapitalize="none" spellcheck=${false} aria-invalid=${error ? "true" : undefined}
          value=${filled.value[name]} onInput=${(/** @type {Event} */ event) => set(typed(event))} />`;
  return html`<label class="field">
    <span>${title}${!required && html` <small class="faint">${t("optional")}</small>`}</span>
    ${input}
    ${hint && html`<small class="faint" dir="auto">${hint}</small>`}
    ${error && html`<small class="bad-text" role="alert" dir="auto">${error}</small>`}
  </label>`;
}
