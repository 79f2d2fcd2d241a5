// The first minutes: nothing is connected yet, or the demo is there to try.

import { html } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { counts, sources } from "../inbox/around.js";
import { may } from "../session.js";
import { Icon } from "../shell/icons.js";
import { Cards } from "../sources/platforms.js";

export function Welcome() {
  const demo = sources.value.some((each) => each.platform === "demo");
  return html`<section class="page"><div class="page-inner">
    <h1>${t("welcome.title")}</h1>
    ${demo && html`<div class="card card-head">
      <${Icon} name="inbox" />
      <div class="grow"><h2>${t("welcome.demo")}</h2><p>${t("welcome.demo_text", { n: counts.value?.unanswered.total ?? 0 })}</p></div>
      <a class="button primary" href="/">${t("welcome.try")}</a>
    </div>`}
    <h2>${t("welcome.connect")}</h2>
    ${may("manage_sources") ? html`<${Cards} />` : html`<p>${t("trouble.ask_admin")}</p>`}
  </div></section>`;
}
