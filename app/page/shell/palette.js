// Every command that can run now, by name.

import { openDialog } from "./dialogs.js";
import { Chooser } from "./chooser.js";
import { bindings } from "../keys/bindings.js";
import { commands } from "../keys/commands.js";
import { t, tWord } from "../i18n.js";

const NOT_LISTED = new Set(["palette", "next", "previous", "extend_next", "extend_previous"]);

export function openPalette() {
  const options = [...commands.peek()]
    .filter(([name, command]) => !NOT_LISTED.has(name) && command.enabled?.() !== false)
    .map(([name, command]) => ({
      id: name,
      label: command.title ?? tWord("command", name),
      sequence: bindings.peek()[name]?.[0],
      run: command.run,
    }));
  openDialog(Chooser, { title: t("command.palette"), placeholder: t("palette.hint"), options });
}
