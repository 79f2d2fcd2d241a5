// Who is signed in. The page holds no token: the browser keeps the cookie, this only what it means.

import { computed, signal } from "./vendor/preact.js";
import { Problem, request, whenSignedOut } from "./api.js";
import { go } from "./router.js";

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

export async function lookAtSession() {
  try {
    /** @type {import("./shapes").SessionState} */
    const told = await request("GET", "/session", { quiet: true });
    const before = session.value;
    const state = told.signed_in === null ? "out" : "in";
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

export async function signOut() {
  await request("DELETE", "/session", { quiet: true });
  session.value = { ...session.value, state: "out", expired: false };
  await lookAtSession();
}

export function startSession() {
  whenSignedOut(() => void lookAtSession());
  return lookAtSession();
}
