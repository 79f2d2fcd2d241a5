// Charts of a few numbers in plain SVG: they take the colour of the text and need no library.
// Each is one picture to a screen reader; its numbers stand in the table beside it.

import { html } from "../vendor/preact.js";
import { number } from "../format.js";
import { t } from "../i18n.js";

const WIDTH = 480;
const HEIGHT = 180;
const LEFT = 44;
const ACROSS = 424;
const FOOT = 22;
const TOP = 10;
const ROOM = HEIGHT - TOP - FOOT;
const GAPS = 3;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 5, 10, 20, 30].map((n) => n * MINUTE).concat([1, 2, 4, 8, 12].map((n) => n * HOUR), [1, 2, 3, 5, 7, 14, 30, 60, 120, 240].map((n) => n * DAY));

/**
 * @param {{label: string, max: number, tell: (value: number) => string, labels: string[], gaps?: number, children?: unknown}} props
 */
function Frame({ label, max, tell, labels, gaps = GAPS, children }) {
  const step = ACROSS / Math.max(labels.length, 1);
  const every = Math.ceil(labels.length / 6);
  return html`<svg class="chart" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${t("reports.picture", { label })}>
    ${Array.from({ length: gaps + 1 }, (_, n) => {
      const y = TOP + ROOM - (ROOM * n) / gaps;
      return html`<line class="grid" x1=${LEFT} x2=${LEFT + ACROSS} y1=${y} y2=${y} /><text class="axis" x=${LEFT - 6} y=${y + 4} text-anchor="end">${tell((max * n) / gaps)}</text>`;
    })}
    ${labels.map((each, n) => (labels.length - 1 - n) % every === 0 && html`<text class="axis" x=${LEFT + step * (n + 0.5)} y=${HEIGHT - 6} text-anchor="middle">${each}</text>`)}
    ${children}
  </svg>`;
}

/** @param {number} value @param {number} max */
function tall(value, max) {
  return max === 0 ? 0 : (ROOM * value) / max;
}

/** The next number a person would draw an axis to. @param {number} value */
function round(value) {
  if (value <= GAPS) return GAPS;
  const size = 10 ** Math.floor(Math.log10(value));
  const found = [1, 1.5, 2, 3, 5, 6, 10].find((each) => each * size >= value) ?? 10;
  return Math.ceil((found * size) / GAPS) * GAPS;
}

/** @param {{label: string, max: number, tell: (value: number) => string, columns: {label: string, value: number | null}[]}} props */
export function Bars({ label, max, tell, columns }) {
  const step = ACROSS / Math.max(columns.length, 1);
  const width = Math.min(step * 0.6, 56);
  return html`<${Frame} label=${label} max=${max} tell=${tell} gaps=${4} labels=${columns.map((each) => each.label)}>
    ${columns.map(({ label: name, value }, n) => value !== null && html`<rect key=${name} class="series-0" x=${LEFT + step * (n + 0.5) - width / 2} y=${TOP + ROOM - tall(value, max)} width=${width} height=${tall(value, max)}><title>${name}: ${tell(value)}</title></rect>`)}
  <//>`;
}

/** @param {{label: string, names: string[], columns: {label: string, values: number[]}[]}} props */
export function Stacks({ label, names, columns }) {
  const max = round(Math.max(0, ...columns.map(({ values }) => values.reduce((sum, each) => sum + each, 0))));
  const step = ACROSS / columns.length;
  return html`<${Legend} names=${names} /><${Frame} label=${label} max=${max} tell=${number} labels=${columns.map((each) => each.label)}>
    ${columns.map(({ label: name, values }, n) => {
      let y = TOP + ROOM;
      return values.map((value, index) => {
        y -= tall(value, max);
        return value > 0 && html`<rect class=${`series-${index % 6}`} x=${LEFT + step * (n + 0.2)} y=${y} width=${step * 0.6} height=${tall(value, max)}><title>${name}, ${names[index]}: ${number(value)}</title></rect>`;
      });
    })}
  <//>`;
}

/** @param {{label: string, labels: string[], tell: (value: number) => string, lines: {label: string, values: (number | null)[], open: boolean[]}[]}} props `open`: the true value may be larger */
export function Lines({ label, labels, tell, lines }) {
  const max = roundTime(Math.max(0, ...lines.flatMap(({ values }) => values.map((each) => each ?? 0))));
  const step = ACROSS / Math.max(labels.length, 1);
  const x = (/** @type {number} */ n) => LEFT + step * (n + 0.5);
  const y = (/** @type {number} */ value) => TOP + ROOM - tall(value, max);
  return html`<${Legend} names=${lines.map((each) => each.label)} lines />
    <${Frame} label=${label} max=${max} tell=${tell} labels=${labels}>
      ${lines.map(({ values, open, label: name }, index) => html`<g class=${`line-${index}`}>
        ${pieces(values).map((piece) => html`<polyline class="line" points=${piece.map((n) => `${x(n)},${y(/** @type {number} */ (values[n]))}`).join(" ")} />`)}
        ${values.map((value, n) => value !== null && html`<circle class=${open[n] ? "point open" : "point"} cx=${x(n)} cy=${y(value)} r="4"><title>${name}, ${labels[n]}: ${open[n] ? t("reports.over", { time: tell(value) }) : tell(value)}</title></circle>`)}
      </g>`)}
    <//>`;
}

/** Runs without a hole. @param {(number | null)[]} values @returns {number[][]} */
function pieces(values) {
  /** @type {number[][]} */
  const found = [];
  values.forEach((value, n) => {
    if (value === null) return;
    if (n > 0 && values[n - 1] !== null) found[found.length - 1].push(n);
    else found.push([n]);
  });
  return found;
}

/** So that each line of the grid is a whole number of minutes, hours or days. @param {number} seconds */
function roundTime(seconds) {
  return GAPS * (STEPS.find((step) => GAPS * step >= seconds) ?? Math.ceil(seconds / GAPS / DAY) * DAY);
}

/** @param {{names: string[], lines?: boolean}} props */
function Legend({ names, lines = false }) {
  return html`<ul class="legend">${names.map((name, index) => html`<li key=${name}><span class=${`key ${lines ? "line" : "series"}-${index % 6}`} aria-hidden="true"></span>${name}</li>`)}</ul>`;
}

/** @param {{label: string, rows: {label: string, values: number[]}[]}} props */
export function Heat({ label, rows }) {
  const max = Math.max(1, ...rows.flatMap((each) => each.values));
  const cell = { width: 30, height: 22 };
  const left = 92;
  return html`<svg class="chart heat" viewBox=${`0 0 ${left + 24 * cell.width} ${(rows.length + 1) * cell.height}`} role="img" aria-label=${t("reports.picture", { label })}>
    ${rows.map(({ label: name, values }, n) => html`<text class="axis" x=${left - 8} y=${(n + 0.7) * cell.height} text-anchor="end">${name}</text>
      ${values.map((value, hour) => html`<rect class="heat-cell" x=${left + hour * cell.width + 1} y=${n * cell.height + 1} width=${cell.width - 2} height=${cell.height - 2} fill-opacity=${0.06 + (0.94 * value) / max}><title>${name}, ${hour}:00: ${number(value)}</title></rect>`)}`)}
    ${[0, 3, 6, 9, 12, 15, 18, 21].map((hour) => html`<text class="axis" x=${left + (hour + 0.5) * cell.width} y=${(rows.length + 0.75) * cell.height} text-anchor="middle">${number(hour)}</text>`)}
  </svg>`;
}
