// The address is the state: which view is shown, with which filter, and which item is open.

import { signal } from "./vendor/preact.js";
import { queryString } from "./api.js";

/**
 * @typedef {object} Route
 * @property {string} section the first word of the path; `inbox` at "/"
 * @property {string[]} rest the words behind it
 * @property {URLSearchParams} query
 */

/** @type {import("./vendor/preact.js").Signal<Route>} */
export const route = signal(read());

/** @returns {Route} */
function read() {
  const [section = "inbox", ...rest] = location.pathname.split("/").filter(Boolean);
  return { section, rest, query: new URLSearchParams(location.search) };
}

/**
 * Goes to an address of the page; `replace` leaves no way back to the present one.
 * @param {string} address
 * @param {{replace?: boolean}} [how]
 */
export function go(address, how = {}) {
  if (address === location.pathname + location.search) return;
  history[how.replace ? "replaceState" : "pushState"](null, "", address);
  route.value = read();
}

/**
 * The present address with some of its query changed; null takes a name away.
 * @param {Record<string, unknown>} changes
 */
export function withQuery(changes) {
  /** @type {Record<string, unknown>} */
  const query = {};
  for (const name of new Set(route.value.query.keys())) query[name] = route.value.query.getAll(name);
  const path = route.value.section === "inbox" ? "/" : location.pathname;
  return path + queryString({ ...query, ...changes });
}

/** @param {MouseEvent} event */
function follow(event) {
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!plain || event.defaultPrevented || !(link instanceof HTMLAnchorElement)) return;
  const inside = link.origin === location.origin && !link.pathname.startsWith("/api/");
  if (!inside || link.target || link.hasAttribute("download") || link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

export function startRouter() {
  addEventListener("popstate", () => (route.value = read()));
  document.addEventListener("click", follow);
}
