// Saved views: a filter gets a name, for oneself or for the team.

import { html, useSignal } from "../vendor/preact.js";
import { Problem, post, request } from "../api.js";
import { t } from "../i18n.js";
import { go } from "../router.js";
import { may } from "../session.js";
import { Confirm, Dialog, closeDialog, openDialog } from "../shell/dialogs.js";
import { toast } from "../toasts.js";
import { refresh } from "./around.js";
import { filter } from "./list.js";
import { viewAddress } from "./views.js";
import { inWords } from "./words.js";

/** @typedef {import("../shapes").View} View */

export function saveView() {
  openDialog(ViewForm, { view: null });
}

/** @param {View} view */
export function changeView(view) {
  openDialog(ViewForm, { view });
}

/** @param {{view: View | null}} props */
function ViewForm({ view }) {
  const name = useSignal(view?.name ?? "");
  const shared = useSignal(view?.shared ?? false);
  const failed = useSignal("");

  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    try {
      const saved = await store(view, name.value.trim(), shared.value);
      closeDialog();
      await refresh.views.now();
      toast(t("view.saved", { name: saved.name }));
      go(viewAddress(String(saved.id)));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failed.value = inWords(error);
    }
  };

  return html`<${Dialog} title=${view === null ? t("view.save") : t("view.change", { name: view.name })}>
    <form class="form" onSubmit=${submit}>
      <label class="field">
        <span>${t("view.name")}</span>
        <input required autofocus maxlength="100" dir="auto" value=${name.value} onInput=${(/** @type {InputEvent} */ event) => (name.value = /** @type {HTMLInputElement} */ (event.currentTarget).value)} />
      </label>
      ${may("triage") &&
      html`<label class="check">
        <input type="checkbox" checked=${shared.value} onChange=${(/** @type {Event} */ event) => (shared.value = /** @type {HTMLInputElement} */ (event.currentTarget).checked)} />
        ${t("view.shared")}
      </label>`}
      <p class="failure" role="alert">${failed.value}</p>
      <div class="form-end">
        ${view && html`<button type="button" class="danger" onClick=${() => remove(view)}>${t("view.delete")}</button>`}
        <button class="primary">${t("save")}</button>
      </div>
    </form>
  <//>`;
}

/**
 * @param {View | null} view
 * @param {string} name
 * @param {boolean} shared
 * @returns {Promise<View>}
 */
function store(view, name, shared) {
  if (view === null) return post("/views", { name, shared, filter: filter.peek() ?? {} });
  return request("PATCH", `/views/${view.id}`, { body: { name, shared }, version: view.version });
}

/** @param {View} view */
function remove(view) {
  const onYes = async () => {
    try {
      await request("DELETE", `/views/${view.id}`);
      go("/");
      await refresh.views.now();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(inWords(error), { tone: "refused" });
    }
  };
  openDialog(Confirm, { title: t("view.delete"), text: t("view.delete_text", { name: view.name }), yes: t("view.delete"), danger: true, onYes });
}
