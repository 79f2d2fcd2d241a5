// Where toasts are shown: told politely to screen readers, held while looked at.

import { html } from "../vendor/preact.js";
import { closeToast, holdToast, resumeToast, toasts } from "../toasts.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";
import { Keys } from "./keycaps.js";

export function Toasts() {
  const next = toasts.value.findLast((each) => each.way);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map((each) => html`<${Shown} key=${each.id} toast=${each} next=${each === next} />`)}
  </div>`;
}

/** The key acts for the newest one. @param {{toast: import("../toasts.js").Toast, next: boolean}} props */
function Shown({ toast, next }) {
  const hold = () => holdToast(toast.id);
  const resume = () => resumeToast(toast.id);
  return html`<div
    class=${`toast ${toast.tone}`}
    onMouseEnter=${hold}
    onMouseLeave=${resume}
    onFocusCapture=${hold}
    onBlurCapture=${resume}
  >
    <${Icon} name=${toast.tone === "refused" ? "alert" : "check"} />
    <span class="toast-text">${toast.text}</span>
    ${toast.way &&
    html`<button
      type="button"
      class="toast-way"
      onClick=${() => {
        closeToast(toast.id);
        toast.way?.run();
      }}
    >
      ${toast.way.label} ${next && toast.way.key && html`<${Keys} sequence=${toast.way.key} />`}
    </button>`}
    <button type="button" class="quiet square" aria-label=${t("close")} onClick=${() => closeToast(toast.id)}>
      <${Icon} name="close" />
    </button>
  </div>`;
}
