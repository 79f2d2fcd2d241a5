// The page begins here.

import { effect, html, render, signal } from "./vendor/preact.js";
import { startClock } from "./clock.js";
import { speak } from "./i18n.js";
import { startKeys } from "./keys/listen.js";
import { startLive } from "./live.js";
import { preferences } from "./preferences.js";
import { startRouter } from "./router.js";
import { session, startSession } from "./session.js";
import { bring } from "./shell/bringing.js";
import { startTitle } from "./shell/title.js";
import { Shell } from "./shell/shell.js";

/** @type {import("./vendor/preact.js").Signal<(() => any) | null>} the way in, loaded when it is needed */
const gate = signal(null);

function Page() {
  if (session.value.state === "in") return html`<${Shell} />`;
  return gate.value === null ? null : html`<${gate.value} />`;
}

async function guard() {
  if (session.value.state === "in" || gate.peek() !== null) return;
  const view = import("./signin/view.js");
  const { SignIn, takeTicket } = await bring(view).catch(() => view);
  takeTicket();
  gate.value = SignIn;
}

function look() {
  const { theme, density } = preferences.value;
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.density = density;
}

async function start() {
  effect(look);
  startClock();
  startRouter();
  startKeys();
  await Promise.all([speak(), startSession()]);
  startLive();
  startTitle();
  effect(() => void guard());
  render(html`<${Page} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
  preferences.subscribe(() => void speak());
  (await import("./inbox/presence.js")).startPresence();
}

void start();
