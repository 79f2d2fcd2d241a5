// What surrounds the list: counts, saved views, sources, labels, people. Kept fresh by events.

import { effect, signal } from "../vendor/preact.js";
import { Problem, get, getAll } from "../api.js";
import { now } from "../clock.js";
import { onEvents } from "../live.js";
import { session } from "../session.js";

/** @type {import("../vendor/preact.js").Signal<import("../shapes").Counts | null>} */
export const counts = signal(null);
/** @type {import("../vendor/preact.js").Signal<import("../shapes").View[]>} */
export const views = signal([]);
/** Whether the saved views were read: before, an id in the address may still be one. */
export const viewsKnown = signal(false);
/** @type {import("../vendor/preact.js").Signal<import("../shapes").Source[]>} */
export const sources = signal([]);
/** Whether the sources were read: before, none is no news. */
export const sourcesKnown = signal(false);
/** @type {import("../vendor/preact.js").Signal<import("../shapes").Label[]>} */
export const labels = signal([]);
/** @type {import("../vendor/preact.js").Signal<import("../shapes").User[]>} */
export const people = signal([]);

const PAUSE = 1500;

/** A question that many moments ask for: at once the first time, then at most every 1.5 seconds. */
class Refresh {
  /** @param {() => Promise<void>} ask */
  constructor(ask) {
    this.ask = ask;
    this.timer = 0;
    this.last = 0;
  }

  soon() {
    if (this.timer !== 0) return;
    const wait = Math.max(0, this.last + PAUSE - Date.now());
    this.timer = window.setTimeout(() => void this.now(), wait);
  }

  async now() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.last = Date.now();
    try {
      await this.ask();
    } catch (error) {
      // What is shown stays; the line above the list says that the service is not reached.
      if (!(error instanceof Problem)) throw error;
    }
  }
}

export const refresh = {
  counts: new Refresh(async () => {
    counts.value = await get("/counts");
  }),
  views: new Refresh(async () => {
    views.value = (await get("/views", { counts: true })).items;
    viewsKnown.value = true;
  }),
  sources: new Refresh(async () => {
    sources.value = await getAll("/sources");
    sourcesKnown.value = true;
  }),
  labels: new Refresh(async () => {
    labels.value = await getAll("/labels");
  }),
  people: new Refresh(async () => {
    people.value = await getAll("/users");
  }),
};

/** @param {import("../shapes").Event[] | null} events */
function hear(events) {
  refresh.counts.soon();
  if (views.value.length > 0) refresh.views.soon();
  if (events === null || events.some((each) => each.type.startsWith("source."))) refresh.sources.soon();
  if (events === null || events.some((each) => each.type === "item.labelled")) refresh.labels.soon();
}

onEvents(hear);

// A source that falls silent is no event: what is shown beside the counts must not grow old.
effect(() => {
  void now.value;
  if (session.peek().state !== "in" || document.hidden) return;
  refresh.counts.soon();
  refresh.sources.soon();
});

effect(() => {
  if (session.value.state === "in") for (const each of Object.values(refresh)) each.soon();
});
