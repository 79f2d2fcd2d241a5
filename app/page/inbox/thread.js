// The conversation in the platform's order: theirs and ours, the present item marked.

import { html, useEffect } from "../vendor/preact.js";
import { now } from "../clock.js";
import { moment, relative, safeLink } from "../format.js";
import { t, tWord } from "../i18n.js";
import { withQuery } from "../router.js";
import { Icon } from "../shell/icons.js";
import { detail, readMoreOfThread, thread } from "./detailing.js";
import { ForeignText } from "./text.js";

/** @param {{item: import("../shapes").Item}} props */
export function Conversation({ item }) {
  const known = thread.value;
  const here = known?.entries.some((each) => each.item?.id === item.id) ?? false;
  // The message that was opened may stand far down in what others have written.
  useEffect(() => {
    if (here) document.querySelector(".current")?.scrollIntoView({ block: "nearest" });
  }, [item.id, here]);
  return html`<section class="thread" aria-label=${t("thread.label")}>
    ${known?.truncated && html`<p class="faint">${t("thread.truncated")}</p>`}
    <ol class="thread-list">
      ${!here && html`<${Theirs} item=${item} current />`}
      ${known?.entries.map((entry) => entry.item !== null ? html`<${Theirs} key=${`i${entry.item.id}`} item=${entry.item} current=${entry.item.id === item.id} />` : entry.reply && html`<${Ours} key=${`r${entry.reply.id}`} reply=${entry.reply} />`)}
    </ol>
    ${known?.next_cursor && html`<button type="button" onClick=${() => void readMoreOfThread()}>${t("list.more")}</button>`}
  </section>`;
}

/** @param {{item: import("../shapes").Item, current: boolean}} props */
function Theirs({ item, current }) {
  return html`<li class=${current ? "message current" : "message"} aria-current=${current ? "true" : undefined}>
    <p class="message-head">
      <bdi class="message-author">${item.author.display_name || item.author.handle}</bdi>
      <${When} at=${item.occurred_at} />
      ${item.edited_at && html`<span class="badge">${t("badge.edited")}</span>`}
      ${!current && html`<a class="message-state" href=${withQuery({ item: item.id })}>${tWord("status", item.status)}</a>`}
    </p>
    ${item.status === "removed" && item.text === "" ? html`<p class="faint">${t("thread.removed")}</p>` : html`<${ForeignText} text=${item.text} language=${item.language} />`}
    <${Media} media=${item.media} />
    ${current && html`<${Signals} item=${item} />`}
    ${current && html`<${Revisions} />`}
  </li>`;
}

/** @param {{reply: import("../shapes").Reply}} props */
function Ours({ reply }) {
  const link = safeLink(reply.permalink);
  return html`<li class="message ours">
    <p class="message-head">
      <span class="message-author">${t("thread.us")} <bdi>${reply.author_name || reply.author_handle}</bdi></span>
      <${When} at=${reply.occurred_at} />
      ${reply.automated && html`<span class="badge">${t("thread.automated")}</span>`}
      ${link && html`<a class="message-state" href=${link.href} target="_blank" rel="noopener noreferrer nofollow">${link.host}</a>`}
    </p>
    ${reply.text && html`<${ForeignText} text=${reply.text} />`}
  </li>`;
}

/** @param {{at: string}} props */
function When({ at }) {
  return html`<time class="faint" datetime=${at} title=${moment(at)}>${relative(at, now.value)}</time>`;
}

/** Pictures stay where they are: what is here is where to find them. @param {{media: import("../shapes").Item["media"]}} props */
function Media({ media }) {
  if (media.length === 0) return null;
  return html`<ul class="media">
    ${media.map((each) => {
      const link = safeLink(each.url);
      return html`<li><bdi>${tWord("media", each.kind)}${each.description && `: ${each.description}`}</bdi>
        ${link && html` <a href=${link.href} target="_blank" rel="noopener noreferrer nofollow">${link.host}</a>`}</li>`;
    })}
  </ul>`;
}

/** @param {{item: import("../shapes").Item}} props */
function Signals({ item }) {
  const all = [...item.signals, ...item.author.signals];
  if (all.length === 0 && item.value.reasons.length === 0) return null;
  return html`<ul class="signals">
    ${all.map((each) => html`<li key=${each.code}><${Icon} name="pulse" /><bdi>${each.reason}</bdi></li>`)}
    ${item.value.reasons.map((reason) => html`<li key=${reason}><${Icon} name="star" /><bdi>${reason}</bdi></li>`)}
  </ul>`;
}

function Revisions() {
  const earlier = detail.value?.revisions ?? [];
  if (earlier.length === 0) return null;
  return html`<details class="drawer"><summary>${t("thread.revisions", { n: earlier.length })}</summary>
    ${earlier.map((each) => html`<div class="revision"><${ForeignText} text=${each.text} /></div>`)}
  </details>`;
}
