// Types of preact.js, for the check by tsc; nothing of this is served.
import type { VNode } from "preact";

export { Fragment, createRef, h, render } from "preact";
export type { ComponentChildren, JSX, VNode } from "preact";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect } from "@preact/signals";
export type { ReadonlySignal, Signal } from "@preact/signals";
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
