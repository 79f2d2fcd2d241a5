// One dialog at a time, above everything; closing it gives the focus back to where it was.

import { computed, html, signal, useId, useLayoutEffect, useRef } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

/** @typedef {(props: any) => import("../vendor/preact.js").VNode} Component */

/** @type {import("../vendor/preact.js").Signal<{component: Component, props: object} | null>} */
const open = signal(null);

/** Whether a dialog lies above the page. */
export const dialogOpen = computed(() => open.value !== null);

/**
 * @template {object} P
 * @param {(props: P) => import("../vendor/preact.js").VNode} component draws a `Dialog`
 * @param {P} props
 */
export function openDialog(component, props) {
  open.value = { component, props };
}

export function closeDialog() {
  open.value = null;
}

/** Where the open dialog is drawn. */
export function Dialogs() {
  const shown = open.value;
  return shown === null ? null : html`<${shown.component} ...${shown.props} />`;
}

/**
 * @param {{title: string, wide?: boolean, bare?: boolean, children?: unknown}} props
 * `bare`: the title is for screen readers alone
 */
export function Dialog({ title, wide = false, bare = false, children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const gone = useRef(false);
  const id = useId();
  // Before the next key: what is typed right after it was asked for belongs into it.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const dialog = ref.current;
    dialog?.showModal();
    return () => {
      gone.current = true;
      // First: what lies behind an open one takes no focus.
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return html`<dialog
    ref=${ref}
    class=${wide ? "dialog wide" : "dialog"}
    aria-labelledby=${id}
    onClose=${() => gone.current || closeDialog()}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === ref.current && ref.current?.close()}
  >
    <div class="dialog-body">
      <header class=${bare ? "dialog-head bare" : "dialog-head"}>
        <h2 id=${id} class=${bare ? "unseen" : ""}>${title}</h2>
        <button type="button" class="quiet square" aria-label=${t("close")} onClick=${() => ref.current?.close()}>
          <${Icon} name="close" />
        </button>
      </header>
      ${children}
    </div>
  </dialog>`;
}

/**
 * Asks before something large or final is done.
 * @param {{title: string, text: string, yes: string, danger?: boolean, onYes: () => void}} props
 */
export function Confirm({ title, text, yes, danger = false, onYes }) {
  return html`<${Dialog} title=${title}>
    <p>${text}</p>
    <div class="form-end">
      <button type="button" onClick=${closeDialog}>${t("cancel")}</button>
      <button
        type="button"
        class=${danger ? "danger" : "primary"}
        onClick=${() => {
          closeDialog();
          onYes();
        }}
      >
        ${yes}
      </button>
    </div>
  <//>`;
}
