// Who asks: what we had with them before, and why an account looks odd, if it does.

import { html } from "../vendor/preact.js";
import { now } from "../clock.js";
import { duration, number, relative, safeLink } from "../format.js";
import { t } from "../i18n.js";
import { initials } from "../shell/shell.js";
import { author } from "./detailing.js";

/** @param {{item: import("../shapes").Item}} props */
export function AuthorCard({ item }) {
  const known = author.value?.id === item.author.id ? author.value : null;
  const name = item.author.display_name || item.author.handle;
  const link = safeLink(item.author.url);
  return html`<section class="card" aria-label=${t("author.label")}>
    <div class="author-head">
      <span class="initials" aria-hidden="true">${initials(name)}</span>
      <div>
        <h2><bdi>${name}</bdi></h2>
        <p class="faint"><bdi>${item.author.handle}</bdi>${item.author.is_bot && ` · ${t("author.bot")}`}${known?.muted && ` · ${t("author.muted")}`}
          ${link && html` · <a href=${link.href} target="_blank" rel="noopener noreferrer nofollow">${link.host}</a>`}</p>
      </div>
    </div>
    ${known && html`<${Facts} known=${known} />`}
  </section>`;
}

/** @param {{known: import("../shapes").Author}} props */
function Facts({ known }) {
  const { history } = known;
  const median = history.median_answer_seconds;
  return html`<dl class="facts">
      <div><dt>${t("author.asked")}</dt><dd>${number(history.asked)}</dd></div>
      <div><dt>${t("author.answered")}</dt><dd>${number(history.answered)}</dd></div>
      <div><dt>${t("author.waiting")}</dt><dd>${number(history.waiting)}</dd></div>
      <div><dt>${t("author.median")}</dt><dd>${median === null ? "–" : duration(median)}</dd></div>
      <div><dt>${t("author.first")}</dt><dd>${history.first_at === null ? "–" : relative(history.first_at, now.value)}</dd></div>
    </dl>
    ${known.notes && html`<p class="author-notes" dir="auto">${known.notes}</p>`}`;
}
