// Who is signed in. The page holds no token: the browser keeps the cookie, this only what it means.

import { computed, signal } from "./vendor/preact.js";
import { Problem, request, whenSignedOut } from "./api.js";
import { inWords } from "./inbox/words.js";
import { go } from "./router.js";
import { toast } from "./toasts.js";

/**
 * `loading`: not asked yet. `out`: sign in first; `expired` tells one who was in already.
 * `unreachable`: the service did not answer the first question.
 * @typedef {object} Session
 * @property {"loading" | "out" | "in" | "unreachable"} state
 * @property {boolean} expired
 * @property {import("./shapes").SessionState | null} told
 */

/** @type {import("./vendor/preact.js").Signal<Session>} */
export const session = signal({ state: "loading", expired: false, told: null });

export const me = computed(() => session.value.told?.signed_in ?? null);

/** @param {string} permission one of `Me.permissions` */
export function may(permission) {
  return me.value?.permissions.includes(permission) ?? false;
}

/** The person whose inbox this page has read: another one begins with an empty page. */
let whose = /** @type {number | null} */ (null);

export async function lookAtSession() {
  try {
    /** @type {import("./shapes").SessionState} */
    const told = await request("GET", "/session", { quiet: true });
    const before = session.value;
    const state = told.signed_in === null ? "out" : "in";
    const id = told.signed_in?.user?.id ?? null;
    if (whose !== null && id !== null && id !== whose) return location.reload();
    whose = id ?? whose;
    const expired = state === "out" && (before.state === "in" || before.expired);
    session.value = { state, expired, told };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (session.value.state === "loading") session.value = { ...session.value, state: "unreachable" };
  }
}

/**
 * @param {string} name
 * @param {string} password
 */
export async function signIn(name, password) {
  await request("POST", "/session", { body: { name, password }, quiet: true });
  await lookAtSession();
}

/** @param {{ticket: string, name?: string, display_name?: string, password: string}} asked */
export async function setUp(asked) {
  const first = session.value.told?.set_up_needed;
  await request("POST", "/setup", { body: asked, quiet: true });
  if (first) go("/welcome", { replace: true });
  await lookAtSession();
}

/** What is shown goes at once; then the page begins anew, so that it remembers nothing either. */
export async function signOut() {
  const before = session.value;
  session.value = { ...before, state: "loading" };
  try {
    await request("DELETE", "/session", { quiet: true });
    location.replace("/");
  } catch (error) {
    session.value = before;
    if (!(error instanceof Problem)) throw error;
    toast(inWords(error), { tone: "refused" });
  }
}

export function startSession() {
  whenSignedOut(() => void lookAtSession());
  return lookAtSession();
}
