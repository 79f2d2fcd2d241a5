// The pane with one item: the whole conversation, who asks, what can be done.

import { html, useEffect, useRef } from "../vendor/preact.js";
import { safeLink } from "../format.js";
import { t, tWord } from "../i18n.js";
import { withQuery } from "../router.js";
import { Icon } from "../shell/icons.js";
import { Actions } from "./actions.js";
import { Age } from "./age.js";
import { AuthorCard } from "./author.js";
import { Badges } from "./badges.js";
import { Composer } from "./composer.js";
import { detail, trouble } from "./detailing.js";
import { History, Raw } from "./drawers.js";
import { rowOf, shown } from "./list.js";
import { Notes } from "./notes.js";
import { platformName } from "./row.js";
import { narrow, opened } from "./selection.js";
import { Conversation } from "./thread.js";
import { inWords } from "./words.js";

export function DetailPane() {
  const id = opened.value;
  const body = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    body.current?.scrollTo({ top: 0 });
  }, [id]);
  if (id === null) return html`<section class="detail-pane vacant" aria-label=${t("detail.label")}>${shown.value.length > 0 && html`<p class="faint">${t("detail.none")}</p>`}</section>`;
  const item = rowOf(id)?.value ?? detail.value;
  if (item === null || item === undefined) return html`<section class="detail-pane vacant" aria-label=${t("detail.label")}>
    ${trouble.value === null ? html`<p class="faint" role="status">${t("loading")}</p>` : html`<${Gone} />`}
  </section>`;
  return html`<section class="detail-pane" aria-label=${t("detail.label")} ref=${body}>
    <${Head} item=${item} />
    <${Actions} item=${item} />
    ${trouble.value !== null && html`<p class="failure" role="alert">${inWords(trouble.value)}</p>`}
    <div class="detail-body">
      <${Conversation} item=${item} />
      <${Composer} item=${item} key=${`composer ${id}`} />
      <${Notes} item=${item} key=${`notes ${id}`} />
      <${AuthorCard} item=${item} />
      <${History} />
      <${Raw} />
    </div>
  </section>`;
}

function Gone() {
  return html`<div class="empty"><h2>${t("detail.gone")}</h2><p>${trouble.value?.message}</p><p><a class="button" href=${withQuery({ item: null })}>${t("command.back")}</a></p></div>`;
}

/** @param {{item: import("../shapes").Item}} props */
function Head({ item }) {
  const link = safeLink(item.permalink);
  const author = item.author.display_name || item.author.handle;
  return html`<header class="detail-head">
    <a class="button quiet square detail-back" href=${withQuery({ item: null })} aria-label=${t("command.back")}><${Icon} name="back" /></a>
    <div class="detail-title">
      <${narrow.value ? "h1" : "h2"}><bdi>${item.thread_title || author}</bdi><//>
      <p class="faint">
        ${platformName(item.platform)} · ${tWord("kind", item.kind)} · <bdi>${item.source_name}</bdi>
        ${link && html` · <a href=${link.href} target="_blank" rel="noopener noreferrer nofollow"><${Icon} name="link" />${t("detail.original", { host: link.host })}</a>`}
      </p>
      <p class="badges"><${Badges} item=${item} /></p>
    </div>
    <${Age} item=${item} />
  </header>`;
}
