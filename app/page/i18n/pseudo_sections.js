// The sections' English made strange.

import en from "./en_sections.js";
import { catalogue } from "./pseudo.js";

export default catalogue(en);
