import { signal } from "vendor/preact";

/** One table: a Map, and a signal that says that it changed. @template R */
export class Table {
  /** @type {Map<string, R>} */ rows = new Map();
  version = signal(0);

  /** @param {string | null | undefined} id @returns {R | undefined} */
  get(id) {
    void this.version.value;
    return id ? this.rows.get(id) : undefined;
  }

  /** @returns {R[]} */
  all() {
    void this.version.value;
    return [...this.rows.values()];
  }

  /** @param {Record<string, R> | undefined} put @param {string[] | undefined} drop */
  apply(put, drop) {
    if (!put && !drop?.length) return;
    for (const id in put) this.rows.set(id, put[id]);
    for (const id of drop ?? []) this.rows.delete(id);
    this.version.value += 1;
  }

  /** @param {Record<string, R> | undefined} rows */
  replace(rows) {
    this.rows = new Map(Object.entries(rows ?? {}));
    this.version.value += 1;
  }
}
