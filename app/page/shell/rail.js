// The left rail: views with their counts, saved views, sources with their health, other sections.

import { html } from "../vendor/preact.js";
import { number } from "../format.js";
import { counts, sources, views } from "../inbox/around.js";
import { BUILT_IN, viewAddress } from "../inbox/views.js";
import { t, tWord } from "../i18n.js";
import { route } from "../router.js";
import { may } from "../session.js";
import { Icon } from "./icons.js";
import { SECTIONS } from "./sections.js";

/** Sections that are listed at the end of the rail, with the permission they need. */
const LISTED = /** @type {const} */ ([
  ["health", "pulse", "read"],
  ["reports", "chart", "read"],
  ["sources", "plug", "manage_sources"],
  ["people", "people", "manage_users"],
  ["settings", "settings", "read"],
]);

export function Rail() {
  const own = views.value.filter((view) => !view.shared);
  const team = views.value.filter((view) => view.shared);
  return html`
    <ul class="rail-list">
      ${BUILT_IN.map(
        (view) => html`<${Entry}
          key=${view.name}
          address=${viewAddress(view.name)}
          label=${tWord("view", view.name)}
          icon=${view.icon}
          count=${counts.value === null ? null : view.count(counts.value)}
          current=${isCurrent(view.name)}
        />`,
      )}
    </ul>
    <${Saved} title=${t("rail.mine")} list=${own} />
    <${Saved} title=${t("rail.team")} list=${team} />
    <${SourceList} />
    <ul class="rail-list rail-end">
      ${LISTED.filter(([name, , permission]) => name in SECTIONS && may(permission)).map(
        ([name, icon]) => html`<${Entry}
          key=${name}
          address=${`/${name}`}
          label=${t(SECTIONS[name].title)}
          icon=${icon}
          count=${null}
          current=${route.value.section === name}
        />`,
      )}
    </ul>
  `;
}

/** @param {string} name */
function isCurrent(name) {
  const { section, query } = route.value;
  return section === "inbox" && (query.get("view") ?? "inbox") === name && !query.has("source");
}

/**
 * @param {{address: string, label: string, icon?: import("./icons.js").IconName, count: number | null,
 *   more?: boolean, current: boolean, hint?: string}} props
 */
function Entry({ address, label, icon, count, more = false, current, hint }) {
  return html`<li>
    <a class="rail-entry" href=${address} aria-current=${current ? "page" : undefined} title=${hint}>
      ${icon && html`<${Icon} name=${icon} />`}
      <bdi class="rail-label">${label}</bdi>
      ${count !== null && html`<span class="rail-count">${number(count)}${more && "+"}</span>`}
    </a>
  </li>`;
}

/** @param {{title: string, list: import("../shapes").View[]}} props */
function Saved({ title, list }) {
  if (list.length === 0) return null;
  return html`<section>
    <h2 class="rail-title">${title}</h2>
    <ul class="rail-list">
      ${list.map(
        (view) => html`<${Entry}
          key=${view.id}
          address=${viewAddress(String(view.id))}
          label=${view.name}
          icon="tag"
          count=${view.count}
          more=${view.count_more}
          current=${isCurrent(String(view.id))}
        />`,
      )}
    </ul>
  </section>`;
}

function SourceList() {
  if (sources.value.length === 0) return null;
  const of = new Map(counts.value?.by_source.map((each) => [each.source_id, each.unanswered]));
  const chosen = route.value.section === "inbox" ? route.value.query.get("source") : null;
  return html`<section>
    <h2 class="rail-title">${t("rail.sources")}</h2>
    <ul class="rail-list">
      ${sources.value.map(
        (source) => html`<li key=${source.id}>
          <a
            class="rail-entry"
            href=${`/?source=${source.id}`}
            aria-current=${chosen === String(source.id) ? "page" : undefined}
            title=${source.error?.detail}
          >
            <span class=${`dot ${tone(source.state)}`} aria-hidden="true"></span>
            <bdi class="rail-label">${source.name}</bdi>
            ${tone(source.state) !== "good" && html`<span class="unseen">(${tWord("state", source.state)})</span>`}
            <span class="rail-count">${number(of.get(source.id) ?? 0)}</span>
          </a>
        </li>`,
      )}
    </ul>
  </section>`;
}

/**
 * How bad a state is: nothing to do, wait, or somebody must act.
 * @param {string} state
 * @returns {"good" | "waiting" | "bad" | "off"}
 */
export function tone(state) {
  if (state === "ok") return "good";
  if (state === "paused") return "off";
  return state === "behind" || state === "rate_limited" ? "waiting" : "bad";
}
