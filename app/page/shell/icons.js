// The page's own drawings: lines in the colour of the text, silent for screen readers.

import { html } from "../vendor/preact.js";

const PATHS = {
  alert: "M12 9v4m0 3.5v.01M10.3 4.3 2.7 17.5A2 2 0 0 0 4.4 20.5h15.2a2 2 0 0 0 1.7-3L13.7 4.3a2 2 0 0 0-3.4 0z",
  back: "m14 6-6 6 6 6",
  chart: "M4 20V10m6 10V4m6 16v-7m4 7H2",
  check: "m5 12.5 4.5 4.5L19 7.5",
  clock: "M12 7v5l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0z",
  close: "M6 6l12 12M18 6 6 18",
  dots: "M5 12h.01M12 12h.01M19 12h.01",
  heart: "M12 20s-7.5-4.6-7.5-10A4.3 4.3 0 0 1 12 7.3 4.3 4.3 0 0 1 19.5 10c0 5.4-7.5 10-7.5 10z",
  inbox: "M3 13h5l1.5 3h5L16 13h5M5.5 5h13L21 13v6H3v-6z",
  keyboard: "M3 6h18v12H3zm4 4h.01M11 10h.01M15 10h.01M8 14h8",
  link: "M14 4h6v6m0-6L10.5 13.500M18 14v6H4V6h6",
  menu: "M4 7h16M4 12h16M4 17h16",
  note: "M5 4h14v11l-5 5H5zm14 11h-5v5",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zm-6.5 9a6.5 6.5 0 0 1 13 0M16 4.300a3.5 3.5 0 0 1 0 6.500m3 9.200a6.5 6.5 0 0 0-2.5-5",
  plug: "M9 3v5m6-5v5M6 8h12v3a6 6 0 0 1-12 0zm6 9v4",
  pulse: "M3 12h4l2.5-7 5 14 2.5-7h4",
  reply: "m9 6-6 6 6 6m-6-6h11a7 7 0 0 1 7 7",
  search: "m20 20-4.5-4.500M17.5 10.500a7 7 0 1 1-14 0 7 7 0 0 1 14 0z",
  settings: "M4 7h10m4 0h2M4 17h4m4 0h8M16 9.500v-5M10 19.500v-5",
  shield: "M12 3l8 3v6c0 4.5-3.5 7.5-8 9-4.5-1.5-8-4.5-8-9V6z",
  star: "m12 4 2.5 5.3 5.7.8-4.1 4 1 5.8-5.1-2.8-5.1 2.8 1-5.8-4.1-4 5.7-.8z",
  tag: "M3 11V4h7l10 10-7 7zm5-3.500v.01",
  undo: "M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7.5 9a7.5 7.5 0 0 1 15 0",
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {{name: IconName}} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} fill="none" stroke="currentColor" stroke-width=${name === "dots" ? 3 : 1.8} stroke-linecap="round" stroke-linejoin="round" />
  </svg>`;
}
