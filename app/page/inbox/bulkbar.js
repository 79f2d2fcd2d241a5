// The bar of a selection: every button says how many it acts on, and never acts on more.

import { html, useSignal } from "../vendor/preact.js";
import { Problem, get } from "../api.js";
import { t } from "../i18n.js";
import { toast } from "../toasts.js";
import { ask, chooseAssignee, chooseLabel, chooseReason, chooseSnooze } from "./choices.js";
import { filter, keep, rowOf, shown, state } from "./list.js";
import { select, selected } from "./selection.js";
import { inWords } from "./words.js";

/** What one bulk action takes. */
const AT_MOST = 500;

export function BulkBar() {
  const ids = [...selected.value];
  const n = ids.length;
  if (n === 0) return null;
  const all = shown.value.length > 0 && shown.value.every((id) => selected.value.has(id));
  const open = ids.some((id) => rowOf(id)?.value.status === "unanswered");
  return html`<div class="bulk" role="toolbar" aria-label=${t("bulk.bar")}>
    <p class="bulk-count" role="status">${t("bulk.count", { n })}</p>
    <button type="button" class="linkish" onClick=${() => select([])}>${t("command.select_none")}</button>
    ${all && state.value.cursor !== null && html`<${Everything} />`}
    <div class="bulk-actions">
      ${open &&
      html`<button type="button" class="primary" onClick=${() => ask("mark_replied", ids)}>${t("bulk.mark_replied", { n })}</button>
        <button type="button" onClick=${() => chooseReason(ids)}>${t("bulk.dismiss", { n })}</button>
        <button type="button" onClick=${() => chooseSnooze(ids)}>${t("bulk.snooze", { n })}</button>`}
      ${!open && html`<button type="button" class="primary" onClick=${() => ask("reopen", ids)}>${t("bulk.reopen", { n })}</button>`}
      <button type="button" onClick=${() => chooseAssignee(ids)}>${t("bulk.assign", { n })}</button>
      <button type="button" onClick=${() => chooseLabel(ids)}>${t("bulk.label", { n })}</button>
      <button type="button" onClick=${() => ask("spam", ids)}>${t("bulk.spam", { n })}</button>
    </div>
  </div>`;
}

/** The second, explicit step: everything that matches, not only what is shown. */
function Everything() {
  const busy = useSignal(false);
  const run = async () => {
    busy.value = true;
    try {
      const { ids, more } = await matching();
      select(ids);
      if (more) toast(t("bulk.at_most", { n: AT_MOST }), { tone: "news" });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(inWords(error), { tone: "refused" });
    } finally {
      busy.value = false;
    }
  };
  return html`<button type="button" class="linkish" disabled=${busy.value} onClick=${run}>
    ${busy.value ? t("loading") : t("bulk.everything")}
  </button>`;
}

/** The ids of all that match, as many as one action takes, each of them really counted. */
async function matching() {
  /** @type {number[]} */
  const ids = [];
  let cursor = null;
  do {
    /** @type {import("../shapes").ItemList} */
    const page = await get("/items", { ...filter.peek(), limit: 200, cursor });
    page.items.forEach(keep);
    ids.push(...page.items.map((each) => each.id));
    cursor = page.next_cursor;
  } while (cursor !== null && ids.length < AT_MOST);
  return { ids: ids.slice(0, AT_MOST), more: cursor !== null || ids.length > AT_MOST };
}
