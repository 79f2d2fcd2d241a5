// The inbox: the list and, beside or above it, the item that is open.

import { html, useEffect, useSignalEffect } from "../vendor/preact.js";
import { useCommands } from "../keys/commands.js";
import { dialogOpen } from "../shell/dialogs.js";
import { COMMANDS } from "./commands.js";
import { DetailPane } from "./detail.js";
import { filter } from "./list.js";
import { ListPane } from "./listpane.js";
import { focused, keepFocus, opened, select } from "./selection.js";
import { keyOf } from "./views.js";

export function Inbox() {
  useCommands(COMMANDS);
  useSignalEffect(() => {
    void focused.value;
    if (!dialogOpen.value) keepFocus();
  });
  useSignalEffect(() => {
    if (opened.value !== null) focused.value = opened.value;
  });
  const key = filter.value === undefined ? "" : keyOf(filter.value);
  useEffect(() => {
    select([]);
    if (opened.peek() === null) focused.value = null;
  }, [key]);
  return html`<div class="inbox"><${ListPane} /><${DetailPane} /></div>`;
}
