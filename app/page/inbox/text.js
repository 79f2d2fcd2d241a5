// Text that somebody else wrote: text nodes only, with addresses made into links that can't lie.

import { html } from "../vendor/preact.js";
import { safeLink } from "../format.js";

const ADDRESS = /https?:\/\/[^\s<>"'`\u0000-\u001f\u200b-\u200f\u2028-\u202f\u2060-\u206f]+/giu;
const TRAILING = /[.,;:!?)\]}»”’]+$/u;
const LONGEST = 70;

/** @param {{text: string, language?: string}} props */
export function ForeignText({ text, language }) {
  return html`<div class="foreign" dir="auto" lang=${language || undefined}>${parts(text)}</div>`;
}

/**
 * A link shows the address the browser will ask, in ASCII, not the one that was written.
 * @param {string} text
 */
function parts(text) {
  /** @type {unknown[]} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, "");
    const link = safeLink(address);
    if (link === null) continue;
    found.push(text.slice(end, match.index));
    const shown = link.href.length > LONGEST ? `${link.href.slice(0, LONGEST)}…` : link.href;
    found.push(html`<a href=${link.href} target="_blank" rel="noopener noreferrer nofollow ugc"><bdi>${shown}</bdi></a>`);
    end = match.index + address.length;
  }
  found.push(text.slice(end));
  return found;
}
