// The search box: the filter language of `q`. What the service can't read of it, the list says.

import { html, useEffect, useRef } from "../vendor/preact.js";
import { useCommands } from "../keys/commands.js";
import { searchTrouble } from "../inbox/list.js";
import { go, route, withQuery } from "../router.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

export function Search() {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const asked = route.value.section === "inbox" ? (route.value.query.get("q") ?? "") : "";
  useEffect(() => {
    if (input.current !== null && document.activeElement !== input.current) input.current.value = asked;
  }, [asked]);
  useCommands({
    search: () => {
      input.current?.focus();
      input.current?.select();
    },
  });

  /** @param {SubmitEvent} event */
  const search = (event) => {
    event.preventDefault();
    const q = input.current?.value.trim() ?? "";
    go(route.value.section === "inbox" ? withQuery({ q: q || null, item: null }) : `/?q=${encodeURIComponent(q)}`);
    input.current?.blur();
  };

  /** @param {KeyboardEvent} event */
  const leave = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (input.current !== null) input.current.value = asked;
    input.current?.blur();
  };

  return html`<form class="search" role="search" onSubmit=${search}>
    <${Icon} name="search" />
    <input
      ref=${input}
      type="search"
      name="q"
      aria-label=${t("search.label")}
      placeholder=${t("search.placeholder")}
      aria-invalid=${searchTrouble.value ? "true" : undefined}
      aria-describedby=${searchTrouble.value ? "search-trouble" : undefined}
      autocomplete="off"
      autocapitalize="none"
      spellcheck=${false}
      enterkeyhint="search"
      maxlength="1000"
      onKeyDown=${leave}
    />
  </form>`;
}
