/** What there is to draw, as one value. */

/** @typedef {import("./types").Entry} Entry */

/**
 * @param {import("./sync.js").Sync} sync
 * @returns {import("./types").View}
 */
export function viewOf({ credentials, conversation, link, outbox, sender, store, loaded, site, visitor }) {
  const dismissed = !conversation.isOpen && conversation.interaction !== null && conversation.interaction === store.get("dismissed");
  const thread = dismissed ? null : conversation.thread;
  const entries = outbox.all();
  const waits = (/** @type {Entry["kind"]} */ kind) => entries.some((entry) => entry.kind === kind && !entry.error);
  const isHere = (/** @type {Entry} */ entry) => !thread || (outbox.interactionOf(entry) ?? thread.interaction) === thread.interaction;
  const messages = thread ? conversation.log.all() : [];
  // A start that came back before its answer is said again for the token's sake, but shown once.
  const stored = new Set(messages.map((message) => message.client_id));
  return {
    link: link.state,
    lostSince: link.lostSince,
    loaded,
    site,
    visitor,
    hasToken: credentials.token !== "",
    thread,
    messages,
    earlier: thread !== null && conversation.log.earlier,
    pending: entries.filter((entry) => entry.kind !== "end" && isHere(entry) && !stored.has(entry.client_id)).map((entry) => ({
      ...entry,
      state: entry.error ? "failed" : link.state !== "live" || sender.delayed.has(entry.client_id) ? "delayed" : "sending",
    })),
    starting: waits("start"),
    leaving: waits("leave_message"),
    ending: waits("end"),
    typing: conversation.typist,
    seen: conversation.seen,
    unread: thread ? conversation.unread : 0,
  };
}
