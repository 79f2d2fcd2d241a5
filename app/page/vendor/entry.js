// What the page takes from its libraries; regenerate.py makes preact.js of it.
import { h } from "preact";
import htm from "htm";

export { Fragment, createRef, h, render } from "preact";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect } from "@preact/signals";
export const html = htm.bind(h);
