// The page's sections: the first word of the address, its name, and the module that draws it.

import { Inbox } from "../inbox/view.js";
import { bring } from "./bringing.js";

/**
 * Every section but the inbox is loaded when it is first looked at. `load` answers with a component
 * without properties. The service serves the page at these addresses: SECTIONS in app/page/api.py.
 * @type {Record<string, {title: import("../i18n.js").Key, load: () => Promise<() => import("../vendor/preact.js").VNode>}>}
 */
export const SECTIONS = {
  inbox: { title: "section.inbox", load: async () => Inbox },
  health: { title: "section.health", load: async () => (await bring(import("../health/view.js"))).Health },
  sources: { title: "section.sources", load: async () => (await bring(import("../sources/view.js"))).Sources },
  people: { title: "section.people", load: async () => (await bring(import("../people/view.js"))).People },
  reports: { title: "section.reports", load: async () => (await bring(import("../reports/view.js"))).Reports },
  settings: { title: "section.settings", load: async () => (await bring(import("../settings/view.js"))).Settings },
  welcome: { title: "section.welcome", load: async () => (await bring(import("../welcome/view.js"))).Welcome },
};
