// What a person should know before they trust the page: it is offline, or a source is in trouble.

import { html, signal, useSignalEffect } from "../vendor/preact.js";
import { reach } from "../api.js";
import { now } from "../clock.js";
import { clockTime } from "../format.js";
import { t } from "../i18n.js";
import { sources } from "../inbox/around.js";
import { bring } from "./bringing.js";
import { Icon } from "./icons.js";
import { tone } from "./rail.js";

/** @type {import("../vendor/preact.js").Signal<(() => any) | null>} loaded when a source is in trouble first */
const troubles = signal(null);

export function Banners() {
  useSignalEffect(() => {
    if (troubles.peek() === null && sources.value.some((each) => ["bad", "waiting"].includes(tone(each.state)))) {
      void bring(import("../health/banner.js")).then(({ SourceBanners }) => (troubles.value = SourceBanners));
    }
  });
  return html`<div class="banners" aria-live="polite">
    ${!reach.value.ok &&
    html`<p class="banner warning">
      <${Icon} name="alert" />
      <span>${t("offline", { time: clockTime(reach.value.since, now.value) })}</span>
    </p>`}
    ${troubles.value !== null && html`<${troubles.value} />`}
  </div>`;
}
