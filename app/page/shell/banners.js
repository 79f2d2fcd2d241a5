// What a person should know before they trust the page: it is offline, or a source is in trouble.

import { html } from "../vendor/preact.js";
import { reach } from "../api.js";
import { now } from "../clock.js";
import { clockTime } from "../format.js";
import { SourceBanners } from "../health/banner.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

export function Banners() {
  return html`<div class="banners" aria-live="polite">
    ${!reach.value.ok &&
    html`<p class="banner warning">
      <${Icon} name="alert" />
      <span>${t("offline", { time: clockTime(reach.value.since, now.value) })}</span>
    </p>`}
    <${SourceBanners} />
  </div>`;
}
