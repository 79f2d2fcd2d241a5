// Who else is at a message right now, as a sign on its row.

import { html, signal, useComputed } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { me } from "../session.js";
import { Icon } from "../shell/icons.js";

/** By item: who looks at it or answers it, oneself included. */
export const present = signal(/** @type {Map<number, import("../shapes").Presence["people"]>} */ (new Map()));

/** @param {{id: number}} props */
export function Here({ id }) {
  const others = useComputed(() => (present.value.get(id) ?? []).filter((each) => each.person.id !== me.value?.user?.id));
  return others.value.map(
    ({ person, state }) => html`<span class="badge held" key=${person.id}>
      <${Icon} name=${state === "drafting" ? "reply" : "user"} /><bdi>${t(state === "drafting" ? "present.drafting" : "present.viewing", { name: person.display_name })}</bdi>
    </span>`,
  );
}
