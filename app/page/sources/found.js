// What a look at an account has shown, before anything is stored.

import { html } from "../vendor/preact.js";
import { now } from "../clock.js";
import { list, number, relative } from "../format.js";
import { t } from "../i18n.js";
import { Icon } from "../shell/icons.js";

/** @param {{check: import("../shapes").Check | null}} props */
export function Found({ check }) {
  if (check === null) return html`<div role="status"></div>`;
  const { ok, identity, sample, missing, warnings, error, estimate, budget } = check;
  return html`<div class=${ok ? "found good" : "found bad"} role="status">
    <p><${Icon} name=${ok ? "check" : "alert"} /> <strong>${ok ? t("found.ok") : t("found.failed")}</strong>
      ${identity && html` <bdi>${identity.handle || identity.name}</bdi>`}</p>
    ${error && html`<p dir="auto">${error.detail}</p>`}
    ${sample && html`<p>${sample.newest_at === null ? t("found.none") : t("found.sample", { n: sample.count, when: relative(sample.newest_at, now.value) })}</p>`}
    ${missing.length > 0 && html`<p>${t("found.missing", { list: list(missing) })}</p>`}
    ${estimate && html`<p>${t("found.estimate", { amount: number(estimate.per_day), unit: estimate.unit })} <span dir="auto">${estimate.detail}</span></p>`}
    ${budget && html`<p>${t("found.budget", { limit: number(budget.limit), unit: budget.unit, period: budget.period })}</p>`}
    ${warnings.map((each) => html`<p key=${each} dir="auto">${each}</p>`)}
  </div>`;
}
