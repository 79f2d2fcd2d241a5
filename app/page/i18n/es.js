// To be filled with every key of en.js.

/** @type {Record<string, import("../i18n.js").Text>} */
export default {};
