/** Messages of ours that the hub has not confirmed: on their way, waiting for the line, or refused. */
import { signal } from "vendor/preact";

/** @typedef {import("./types").Pending} Pending */

const outbox = signal(/** @type {Pending[]} */ ([]));

/** @param {string} interaction */
export const pendingOf = (interaction) => outbox.value.filter((one) => one.interaction === interaction);
export const allPending = () => outbox.value;

/** @param {Pending} one */
export function setPending(one) {
  const others = outbox.peek().filter((other) => other.client_id !== one.client_id);
  outbox.value = [...others, one].sort((a, b) => a.at - b.at);
}

/** @param {string} clientId */
export const dropPending = (clientId) => dropArrived(new Set([clientId]));

/** They stand in the log now. @param {Set<string | null | undefined>} clientIds */
export function dropArrived(clientIds) {
  if (outbox.peek().some((one) => clientIds.has(one.client_id))) outbox.value = outbox.peek().filter((one) => !clientIds.has(one.client_id));
}

export const forgetPending = () => void (outbox.value = []);
