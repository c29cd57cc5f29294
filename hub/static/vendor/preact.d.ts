/** What the bundle `preact.js` exports: Preact, its hooks, signals, and htm bound to `h` as `html`. */
import { h, type VNode } from "preact";

export * from "preact";
export * from "preact/hooks";
export { signal, computed, effect, batch, untracked, Signal, useSignal, useComputed, useSignalEffect, type ReadonlySignal } from "@preact/signals";
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
