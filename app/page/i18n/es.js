// To be filled with every key of en.js.

import sections from "./es_sections.js";

/** @type {Record<string, import("../i18n.js").Text>} */
export default { ...sections };
