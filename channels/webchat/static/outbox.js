/**
 * What the visitor did and the hub has not answered: kept in storage, so that it survives a reload,
 * a crash and a night without network. Every entry has a key of its own: tabs that write at the same
 * time never overwrite each other's list.
 */

/** @typedef {import("./types").Entry} Entry */

const PREFIX = "out:";

export class Outbox {
  /**
   * @param {import("./types").Store} store
   * @param {import("./types").Env} env
   */
  constructor(store, env) {
    this.store = store;
    this.env = env;
  }

  /** @returns {Entry[]} in the order of the clicks */
  all() {
    const entries = this.store.keys(PREFIX).map((key) => this.store.get(key)).filter((entry) => entry && entry.client_id);
    return entries.sort((a, b) => a.at - b.at || (a.client_id < b.client_id ? -1 : 1));
  }

  /**
   * @param {Omit<Entry, "client_id" | "at">} body
   * @returns {Entry}
   */
  add(body) {
    const newest = this.all().reduce((at, entry) => Math.max(at, entry.at), 0);
    // A clock that was set back must not put this entry before one that was said earlier.
    const at = Math.max(this.env.now(), newest + 1);
    const entry = { ...body, client_id: this.env.uuid(), at };
    this.save(entry);
    return entry;
  }

  /** @param {string} client_id @returns {Entry | null} */
  get(client_id) {
    return this.store.get(PREFIX + client_id) ?? null;
  }

  /** @param {Entry} entry */
  save(entry) {
    this.store.set(PREFIX + entry.client_id, entry);
  }

  /** @param {string} client_id */
  remove(client_id) {
    this.store.remove(PREFIX + client_id);
  }

  /**
   * The conversation an entry belongs to, once the hub has named it.
   * @param {Entry} entry
   * @returns {string | null}
   */
  interactionOf(entry) {
    if (entry.interaction) return entry.interaction;
    return (entry.after && this.store.get("begun:" + entry.after)) || null;
  }

  /**
   * The `start` with this id became this conversation: what was said after it has an address now.
   * @param {string} client_id
   * @param {string} interaction
   */
  begun(client_id, interaction) {
    for (const key of this.store.keys("begun:")) if (key !== "begun:" + client_id) this.store.remove(key);
    this.store.set("begun:" + client_id, interaction);
  }

  /** The next entry to send; refused ones wait for the visitor and hold up nobody but their own followers. */
  next() {
    return this.all().find((entry) => !entry.error && (entry.kind !== "message" && entry.kind !== "end" || this.interactionOf(entry)));
  }

  /** Messages whose `start` was refused or taken back have nowhere to go: say so. */
  orphan() {
    for (const entry of this.all()) {
      if (entry.kind !== "message" || entry.error || this.interactionOf(entry)) continue;
      const start = entry.after ? this.get(entry.after) : null;
      if (!start || start.error) this.save({ ...entry, error: "closed" });
    }
  }
}
