// Which keys do what: the defaults, and what a person has changed.

import { computed } from "../vendor/preact.js";
import { preferences } from "../preferences.js";

/**
 * Strokes are written as they are told: modifiers first, then the key; a blank between the strokes
 * of a sequence. `Mod` is Cmd on a Mac, Ctrl elsewhere.
 * @type {Record<string, Record<string, string[]>>}
 */
export const GROUPS = {
  moving: {
    next: ["j", "ArrowDown"],
    previous: ["k", "ArrowUp"],
    open: ["o", "Enter"],
    back: ["u", "Escape"],
    show_new: ["."],
    search: ["/"],
  },
  selecting: {
    select: ["x"],
    extend_next: ["Shift+j", "Shift+ArrowDown"],
    extend_previous: ["Shift+k", "Shift+ArrowUp"],
    select_all: ["* a"],
    select_none: ["* n"],
  },
  acting: {
    reply: ["r"],
    mark_replied: ["e"],
    dismiss: ["d"],
    dismiss_because: ["Shift+d"],
    snooze: ["h", "b"],
    assign: ["a"],
    assign_me: ["i"],
    claim: ["c"],
    label: ["l"],
    star: ["s"],
    spam: ["!"],
    thank: ["t"],
    reopen: ["Shift+u"],
    note: ["n"],
    done_next: ["]"],
    done_previous: ["["],
    undo: ["z"],
  },
  going: {
    go_inbox: ["g i"],
    go_mine: ["g m"],
    go_snoozed: ["g s"],
    go_replied: ["g r"],
    go_health: ["g h"],
    go_reports: ["g c"],
    go_sources: ["g o"],
    view_1: ["1"],
    view_2: ["2"],
    view_3: ["3"],
    view_4: ["4"],
    view_5: ["5"],
    view_6: ["6"],
    view_7: ["7"],
    view_8: ["8"],
    view_9: ["9"],
  },
  page: {
    palette: ["Mod+k"],
    help: ["?"],
  },
};

/** @type {Record<string, string[]>} */
export const DEFAULTS = Object.assign({}, ...Object.values(GROUPS));

/** Commands whose keys hold while somebody types, and while single keys are off. */
export const ALWAYS = new Set(["palette"]);

/** The keys of each command as they are now. */
export const bindings = computed(() => ({ ...DEFAULTS, ...preferences.value.bindings }));

/** Sequence to command. */
export const commandOf = computed(() => {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const [command, sequences] of Object.entries(bindings.value)) {
    for (const sequence of sequences) found.set(sequence, command);
  }
  return found;
});

/** The strokes that begin a sequence and are none by themselves: `g`, `*`. */
export const prefixes = computed(() => {
  const longer = [...commandOf.value.keys()].filter((each) => each.includes(" "));
  return new Set(longer.map((each) => each.split(" ")[0]));
});

const APPLE = /Mac|iP(hone|ad|od)/.test(navigator.platform);

/**
 * The stroke of an event as bindings write it. A shifted sign is the sign itself (`?`, `!`): where
 * it lies differs between keyboards.
 * @param {KeyboardEvent} event
 */
export function strokeOf(event) {
  const mod = APPLE ? event.metaKey : event.ctrlKey;
  const letter = event.key.length === 1;
  const key = letter && event.shiftKey ? event.key.toLowerCase() : event.key;
  const isSign = letter && event.key.toLowerCase() === event.key.toUpperCase();
  const shift = event.shiftKey && !isSign;
  return `${mod ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

/**
 * A sequence as people read it: `Ctrl K`, `G then I`.
 * @param {string} sequence
 */
export function strokesOf(sequence) {
  return sequence.split(" ").map((stroke) =>
    stroke
      .replace("Mod", APPLE ? "⌘" : "Ctrl")
      .replace("ArrowDown", "↓")
      .replace("ArrowUp", "↑")
      .replace("Arrow", "")
      .replace("Escape", "Esc")
      .split("+"),
  );
}
