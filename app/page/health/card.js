// One source in figures: how far it has read, stream by stream, and what can be done.

import { html, useSignal } from "../vendor/preact.js";
import { Problem, get, post, request } from "../api.js";
import { now } from "../clock.js";
import { clockTime, duration, moment, number, relative } from "../format.js";
import { t, tWord } from "../i18n.js";
import { refresh } from "../inbox/around.js";
import { may } from "../session.js";
import { inWords } from "../shell/forms.js";
import { tone } from "../shell/rail.js";
import { toast } from "../toasts.js";
import { Trouble } from "./banner.js";
import { Days } from "./days.js";
import { Runs } from "./runs.js";
import { lostRanges, rangeOf, told } from "./words.js";

/** @typedef {import("../shapes").Source} Source */
/** @typedef {Source["streams"][number]} Stream */

/** @param {{source: Source, days: import("../shapes").ResponseReport | null}} props */
export function SourceCard({ source, days }) {
  const level = tone(source.state);
  const trouble = level === "bad" || level === "waiting" ? told(source, now.value) : null;
  return html`<article class="card source-card" aria-labelledby=${`source-${source.id}`}>
    <header class="card-head">
      <span class=${`dot ${level}`} aria-hidden="true"></span>
      <h2 id=${`source-${source.id}`}><bdi>${source.name}</bdi> <small class="faint">${tWord("platform", source.platform)}, ${tWord("state", source.state)}</small></h2>
      <${Ways} source=${source} />
    </header>
    ${trouble && html`<p class=${`trouble ${trouble.level}`}><${Trouble} source=${source} details=${false} />
      ${trouble.detail && html`<small class="faint" dir="auto">${trouble.detail}</small>`}</p>`}
    <dl class="facts">
      <${Fact} name="last_ok"><${When} at=${source.last_ok_at} past /><//>
      <${Fact} name="next"><${When} at=${source.next_poll_at} /><//>
      <${Fact} name="lag">${lag(source)}<//>
      ${days && html`<${Fact} name="days"><${Days} report=${days} source=${source.id} /><//>`}
      ${source.quota && html`<${Fact} name="quota">${t("health.quota_left", { left: source.quota.left, limit: source.quota.limit, unit: source.quota.unit })}<//>`}
      ${source.credential_expires_at && html`<${Fact} name="expires"><${When} at=${source.credential_expires_at} /><//>`}
    </dl>
    <${Streams} streams=${source.streams} />
    ${lostRanges(source).map((lost) => html`<p class="bad-text">${t("health.lost", { range: rangeOf(lost, now.value), cause: lost.detail || tWord("cause", lost.cause) })}</p>`)}
    ${source.warnings.map((each) => html`<p class="faint" dir="auto">${each}</p>`)}
    <${Backfill} source=${source} />
    <${Runs} source=${source} />
  </article>`;
}

/** @param {{name: string, children?: unknown}} props */
function Fact({ name, children }) {
  return html`<div><dt>${tWord("fact", name)}</dt><dd>${children}</dd></div>`;
}

/** `past`: it was, so that a clock of this page that stands behind says no other. @param {{at: string | null, past?: boolean}} props */
export function When({ at, past = false }) {
  if (at === null) return html`<span>${t("never")}</span>`;
  const time = past ? Math.min(Date.parse(at), now.value) : at;
  return html`<time datetime=${at} title=${moment(at)}>${relative(time, now.value)}</time>`;
}

/** @param {Source} source */
function lag(source) {
  const known = source.streams.map((each) => each.detection_lag_seconds).filter((each) => each !== null);
  return known.length === 0 ? "–" : duration(Math.max(...known), "long");
}

/** @param {{source: Source}} props */
function Ways({ source }) {
  const busy = useSignal(false);
  if (!may("manage_sources")) return null;
  const poll = async () => {
    busy.value = true;
    try {
      /** @type {import("../shapes").Run} */
      const run = await request("POST", `/sources/${source.id}/poll`, { query: { wait: 30 } });
      const text = run.error ? run.error.detail : t("poll.done", { n: run.new ?? 0 });
      toast(text, { tone: run.error ? "refused" : "done" });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(inWords(error), { tone: "refused" });
    } finally {
      busy.value = false;
      await refresh.sources.now();
    }
  };
  return html`<div class="card-ways">
    <button type="button" disabled=${busy.value || source.paused} onClick=${() => void poll()}>${busy.value ? t("poll.running") : t("poll.now")}</button>
    ${source.state === "auth_failed" && html`<a class="button primary" href=${`/sources/${source.id}/reconnect`}>${t("source.reconnect")}</a>`}
  </div>`;
}

/** @param {{streams: Stream[]}} props */
function Streams({ streams }) {
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t("health.streams")}><table>
    <thead><tr>
      ${["stream", "state", "through", "gaps", "late", "quarantined"].map((name) => html`<th scope="col">${tWord("fact", name)}</th>`)}
    </tr></thead>
    <tbody>
      ${streams.map((stream) => html`<tr key=${stream.name}>
        <th scope="row">${stream.name.replaceAll("_", " ")}</th>
        <td><span class=${`dot ${tone(stream.state)}`} aria-hidden="true"></span> ${tWord("state", stream.state)}</td>
        <td>${stream.covered_through === null ? t("never") : clockTime(stream.covered_through, now.value)}</td>
        <td>${number(stream.gaps_open)}</td>
        <td>${number(stream.recovered_24h)}</td>
        <td>${number(stream.quarantined)}</td>
      </tr>`)}
    </tbody>
  </table></div>`;
}

/** @param {{source: Source}} props */
function Backfill({ source }) {
  const under = source.streams.filter((each) => !each.backfill.done && each.state !== "retired");
  if (under.length === 0) return null;
  const read = under.reduce((sum, each) => sum + each.backfill.read, 0);
  const back = under.map((each) => each.backfill.back_to).filter((each) => each !== null).sort().at(-1);
  const paused = under.every((each) => each.backfill.paused);
  const turn = async () => {
    try {
      await post(`/sources/${source.id}/backfill/${paused ? "resume" : "pause"}`);
      await refresh.sources.now();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(inWords(error), { tone: "refused" });
    }
  };
  return html`<p class="backfill">
    ${back === undefined ? t("backfill.begun", { n: read }) : t("backfill.back", { n: read, day: clockTime(back, now.value) })}
    ${paused && html` <strong>${t("state.paused")}</strong>`}
    ${may("manage_sources") && html` <button type="button" class="linkish" onClick=${() => void turn()}>${paused ? t("backfill.resume") : t("backfill.pause")}</button>`}
  </p>`;
}

/** @param {number} sourceId @returns {Promise<import("../shapes").Run[]>} */
export async function lastRuns(sourceId) {
  return (await get(`/sources/${sourceId}/runs`, { limit: 20 })).items;
}
