// What happens elsewhere, as it happens: one connection for all tabs of the browser.

import { effect, signal } from "./vendor/preact.js";
import { Problem, get, reached } from "./api.js";
import { tick } from "./clock.js";
import { lookAtSession, session } from "./session.js";

/** @typedef {import("./shapes").Event} Event */

const NAME = "unanswered.live";
const SILENT_AFTER = 40_000;
const POLL_EVERY = 30_000;
const LONGEST_PAUSE = 30_000;

/** `open`: told at once. `polling`: asked every 30 seconds. `off`: nothing is heard. */
export const live = signal(/** @type {"open" | "polling" | "off"} */ ("off"));

/** @type {Set<(events: Event[] | null) => void>} */
const listeners = new Set();
let position = 0;
/** @type {AbortController | null} */
let running = null;

/**
 * Calls with each batch of events; with null where some were missed, so that everything that is
 * shown has to be read anew.
 * @param {(events: Event[] | null) => void} heard
 * @returns {() => void} stops it
 */
export function onEvents(heard) {
  listeners.add(heard);
  return () => listeners.delete(heard);
}

/** @type {((told: import("./shapes").Presence) => void) | null} */
let hearPresence = null;

/** @param {(told: import("./shapes").Presence) => void} heard is called with who is at an item now */
export function onPresence(heard) {
  hearPresence = heard;
}

export function startLive() {
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => (data.present ? hearPresence?.(data.present) : receive(data.events, data.position));
  effect(() => {
    const inside = session.value.state === "in";
    if (inside && running === null) begin(channel);
    if (!inside) stop();
  });
  addEventListener("online", () => running !== null && restart(channel));
}

/** @param {BroadcastChannel} channel */
function begin(channel) {
  running = new AbortController();
  const { signal: ended } = running;
  const lead = () => leading(channel, ended);
  // Web Locks exist on secure origins only; elsewhere each tab listens for itself.
  if (navigator.locks === undefined) void lead();
  else navigator.locks.request(NAME, { signal: ended }, lead).catch(() => {});
  live.value = "open";
}

function stop() {
  running?.abort();
  running = null;
  position = 0;
  live.value = "off";
}

/** @param {BroadcastChannel} channel */
function restart(channel) {
  const kept = position;
  stop();
  position = kept;
  begin(channel);
}

/**
 * Listens for all tabs until `ended`.
 * @param {BroadcastChannel} channel
 * @param {AbortSignal} ended
 */
async function leading(channel, ended) {
  /** @type {(events: Event[] | null, at: number) => void} */
  const tell = (events, at) => {
    receive(events, at);
    channel.postMessage({ events, position: at });
  };
  /** @param {import("./shapes").Presence} present */
  const pass = (present) => {
    hearPresence?.(present);
    channel.postMessage({ present });
  };
  let failures = 0;
  while (!ended.aborted) {
    const began = Date.now();
    try {
      if (position === 0) position = (await newest()) || 0;
      await listen(tell, pass, ended);
      failures = 0;
    } catch (error) {
      if (ended.aborted) return;
      failures = Date.now() - began > LONGEST_PAUSE ? 1 : failures + 1;
      if (error instanceof Problem && error.status === 401) return void lookAtSession();
      if (failures >= 3) await poll(tell);
    }
    await pause(failures === 0 ? 1000 : Math.min(1000 * 2 ** failures, failures >= 3 ? POLL_EVERY : LONGEST_PAUSE), ended);
  }
}

async function newest() {
  /** @type {{next_after: number}} */
  const feed = await get("/events", { order: "newest", limit: 1 });
  return feed.next_after;
}

/**
 * One connection, from its opening to its end. Throws where it can't be opened or falls silent.
 * @param {(events: Event[] | null, at: number) => void} tell
 * @param {(present: import("./shapes").Presence) => void} pass
 * @param {AbortSignal} ended
 */
async function listen(tell, pass, ended) {
  const cut = new AbortController();
  const forward = () => cut.abort();
  ended.addEventListener("abort", forward);
  let watch = window.setTimeout(forward, SILENT_AFTER);
  /** @type {Event[]} */
  let waiting = [];
  let timer = 0;
  const flush = () => {
    timer = 0;
    if (waiting.length > 0) tell(waiting, position);
    waiting = [];
  };
  try {
    const messages = readStream(`/api/v1/events/stream?after=${position}&presence=true`, cut.signal);
    for await (const { id, event, data } of messages) {
      clearTimeout(watch);
      watch = window.setTimeout(forward, SILENT_AFTER);
      live.value = "open";
      reached(true);
      if (id !== "") position = Number(id);
      if (event === "bye") return;
      if (event === "missed") tell(null, position);
      else if (event === "presence") pass(JSON.parse(data));
      else if (data !== "" && event !== "") waiting.push(JSON.parse(data));
      if (timer === 0) timer = window.setTimeout(flush, 100);
    }
  } finally {
    clearTimeout(watch);
    clearTimeout(timer);
    flush();
    ended.removeEventListener("abort", forward);
  }
}

/** @param {(events: Event[] | null, at: number) => void} tell */
async function poll(tell) {
  live.value = "polling";
  try {
    /** @type {{items: Event[], next_after: number, missed: boolean}} */
    const feed = await get("/events", { after: position, limit: 200 });
    position = feed.next_after;
    tell(feed.missed ? null : feed.items, position);
  } catch (error) {
    if (error instanceof Problem && error.status === 422) position = 0; // an older database came back
  }
}

/**
 * @param {Event[] | null} events
 * @param {number} at
 */
function receive(events, at) {
  position = at;
  tick();
  if (events !== null && events.length === 0) return;
  for (const heard of listeners) heard(events);
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} ended
 */
function pause(milliseconds, ended) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    ended.addEventListener("abort", () => (clearTimeout(timer), resolve(undefined)), { once: true });
  });
}

/**
 * The messages of a stream (WHATWG HTML 9.2.6), by fetch: EventSource hides the status, and hears no
 * type it does not know. Throws `Problem` where it is refused.
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{id: string, event: string, data: string}>}
 */
async function* readStream(url, signal) {
  const answer = await fetch(url, { signal, headers: { Accept: "text/event-stream" } });
  if (!answer.ok || answer.body === null) throw new Problem({ status: answer.status });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (kept + value).split("\n\n");
    kept = /** @type {string} */ (blocks.pop());
    for (const block of blocks) yield parse(block);
  }
}

/** @param {string} block */
function parse(block) {
  const message = { id: "", event: "", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") message.id = value;
    if (name === "event") message.event = value;
    if (name === "data") message.data += value;
  }
  return message;
}
