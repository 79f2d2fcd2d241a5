// Who else looks at a message or answers it right now, and telling others where oneself is.

import { effect } from "../vendor/preact.js";
import { Problem, get, request } from "../api.js";
import { live, onPresence } from "../live.js";
import { may, me, session } from "../session.js";
import { present } from "./badges.js";
import { opened } from "./selection.js";

/** @typedef {import("../shapes").Presence} Told */

/** A word holds for thirty seconds, so it is said three times as often. */
const SAY_EVERY = 10_000;

/** @param {Told} told */
function hear({ item_id: id, people }) {
  const found = new Map(present.peek());
  if (people.length === 0) found.delete(id);
  else found.set(id, people);
  present.value = found;
}

async function ask() {
  try {
    /** @type {{items: Told[]}} */
    const { items } = await get("/presence");
    present.value = new Map(items.map((each) => [each.item_id, each.people]));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

/** @param {number} id @param {"viewing" | "drafting" | "gone"} state */
async function say(id, state) {
  try {
    const last = state === "gone";
    const told = /** @type {Told} */ (await request("POST", "/presence", { body: { item_id: id, state }, last }));
    if (state !== "gone") hear(told);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

/** Whether the person writes: an answer, the link to one, a note. */
function writes() {
  return document.activeElement?.closest(".composer, .note-form") ? "drafting" : "viewing";
}

/** The item this tab says it is at; said again while it stays. */
let here = /** @type {number | null} */ (null);
let said = "";
let timer = 0;

function repeat() {
  clearTimeout(timer);
  if (here === null || document.hidden) return;
  said = writes();
  void say(here, /** @type {"viewing" | "drafting"} */ (said));
  timer = window.setTimeout(repeat, SAY_EVERY);
}

/** @param {number | null} id */
function move(id) {
  if (id === here) return;
  if (here !== null) void say(here, "gone");
  here = id;
  repeat();
}

export function startPresence() {
  onPresence(hear);
  effect(() => void (session.value.state === "in" && live.value === "open" && ask()));
  effect(() => move(session.value.state === "in" && me.value?.user && may("triage") ? opened.value : null));
  document.addEventListener("visibilitychange", repeat);
  addEventListener("pagehide", () => here !== null && void say(here, "gone"));
  for (const name of ["focusin", "focusout"]) {
    document.addEventListener(name, () => setTimeout(() => here !== null && writes() !== said && repeat()));
  }
}
