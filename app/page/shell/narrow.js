// Whether one pane fills the window, as on a phone.

import { signal } from "../vendor/preact.js";

const asked = matchMedia("(max-width: 599.98px)");

export const narrow = signal(asked.matches);

asked.addEventListener("change", () => (narrow.value = asked.matches));
