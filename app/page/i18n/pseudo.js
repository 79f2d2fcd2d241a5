// English made strange and a third longer: what stays plain in it was never in the catalogue.

import en from "./en.js";

const STRANGE = "áƀçđéƒǵĥíĵķļɱñóþɋŕšţúṽŵẋýž";

/** @param {string} text */
function strange(text) {
  const letters = text.replace(/\{\w+\}|[a-z]/g, (found) =>
    found.length > 1 ? found : STRANGE[found.charCodeAt(0) - 97],
  );
  return `[${letters}${"·".repeat(Math.ceil(text.length / 3))}]`;
}

/** @param {Record<string, string | Record<string, string>>} texts */
export function catalogue(texts) {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [
      key,
      typeof text === "string"
        ? strange(text)
        : Object.fromEntries(Object.entries(text).map(([form, each]) => [form, strange(each)])),
    ]),
  );
}

export default catalogue(en);
