// The one way to the service: fetch with its problems, its versions and its repeatable requests.

import { signal } from "./vendor/preact.js";
import { learnTime, serverNow } from "./clock.js";

const PREFIX = "/api/v1";

/** Whether the last request reached the service; `since`: when one last did. */
export const reach = signal({ ok: true, since: Date.now() });

/** @type {(() => void) | null} */
let onSignedOut = null;

/** @param {() => void} told is called when the service no longer knows who is asking */
export function whenSignedOut(told) {
  onSignedOut = told;
}

/** A refusal of the service (RFC 9457), or `offline` where it was not reached. */
export class Problem extends Error {
  /** @param {Record<string, any>} told */
  constructor(told) {
    super(told.detail || told.title || "");
    this.name = "Problem";
    /** @type {number} */
    this.status = told.status ?? 0;
    /** @type {string} */
    this.code = told.code ?? "unreadable";
    /** @type {{pointer: string, code: string, detail: string, offset?: number, length?: number}[]} */
    this.errors = told.errors ?? [];
    /** Further members: `current`, `changed`, `claim`, `current_status`, `allowed_actions` … */
    this.told = told;
  }
}

/**
 * @typedef {object} Options
 * @property {Record<string, unknown>} [query] lists are repeated; null and "" are left out
 * @property {unknown} [body]
 * @property {number} [version] goes into If-Match
 * @property {AbortSignal} [signal]
 * @property {boolean} [quiet] a 401 is the caller's own affair
 * @property {boolean} [last] it is sent though the page goes away
 */

/**
 * Asks the service. Throws `Problem`.
 * @template T
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {Options} [options]
 * @returns {Promise<T>}
 */
export async function request(method, path, options = {}) {
  const answer = await send(method, PREFIX + path + queryString(options.query), options);
  learnTime(answer.headers.get("Date"));
  if (answer.ok) return answer.status === 204 ? /** @type {T} */ (undefined) : answer.json();
  const problem = await refusal(answer);
  if (answer.status === 401 && !options.quiet) onSignedOut?.();
  throw problem;
}

/**
 * @template T
 * @param {string} path
 * @param {Record<string, unknown>} [query]
 * @param {AbortSignal} [abort]
 * @returns {Promise<T>}
 */
export function get(path, query, abort) {
  return request("GET", path, { query, signal: abort });
}

/**
 * @template T
 * @param {string} path
 * @param {unknown} [body]
 * @param {number} [version]
 * @returns {Promise<T>}
 */
export function post(path, body, version) {
  return request("POST", path, { body, version });
}

/**
 * Every page of a list that has few: labels, people, sources.
 * @template T
 * @param {string} path
 * @param {Record<string, unknown>} [query]
 * @returns {Promise<T[]>}
 */
export async function getAll(path, query = {}) {
  /** @type {T[]} */
  const found = [];
  let cursor = null;
  do {
    /** @type {{items: T[], next_cursor: string | null}} */
    const page = await get(path, { ...query, cursor });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}

/** @param {Record<string, unknown>} [query] */
export function queryString(query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") params.append(name, String(one));
    }
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/**
 * @param {string} method
 * @param {string} url
 * @param {Options} options
 */
async function send(method, url, { body, version, signal: abort, last: keepalive }) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"v${version}"`;
  if (method === "POST") headers["Idempotency-Key"] = randomKey();
  const sent = body === undefined ? undefined : JSON.stringify(body);
  try {
    const answer = await fetch(url, { method, headers, body: sent, signal: abort, keepalive });
    reached(true);
    return answer;
  } catch (error) {
    if (abort?.aborted) throw error;
    reached(false);
    throw new Problem({ code: "offline" });
  }
}

/** @param {boolean} ok */
export function reached(ok) {
  if (ok !== reach.value.ok || (ok && serverNow() - reach.value.since > 1000)) {
    reach.value = { ok, since: ok ? serverNow() : reach.value.since };
  }
}

/** @param {Response} answer */
async function refusal(answer) {
  try {
    return new Problem(await answer.json());
  } catch {
    return new Problem({ status: answer.status, detail: answer.statusText });
  }
}

// Not randomUUID: browsers offer it on secure origins only.
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
