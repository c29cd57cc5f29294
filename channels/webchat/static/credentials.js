/** Who the visitor is to the hub: a token it gave us, once, or a JWT of the customer's site. */

export class Credentials {
  /**
   * @param {object} wiring
   * @param {import("./types").Store} wiring.store
   * @param {(token: string) => void} wiring.changed the other tabs must know
   * @param {() => void} wiring.expired the hub no longer knows the visitor
   * @param {() => void} wiring.identityRefused
   */
  constructor(wiring) {
    this.wiring = wiring;
    this.store = wiring.store;
    /** The token this tab connects with. */
    this.token = this.#stored();
    this.identity = "";
  }

  get auth() {
    return { ...(this.token && { token: this.token }), ...(this.identity && { identity: this.identity }) };
  }

  /** @param {string} token */
  keep(token) {
    this.identity = "";
    if (token === this.token && token === this.#stored()) return;
    this.token = token;
    this.store.set("token", token);
    this.wiring.changed(token);
  }

  /** The hub may say another token than the one we came with; true when it did. @param {string} [token] */
  renew(token = "") {
    const before = this.token;
    if (token) this.keep(token);
    return Boolean(before && token && before !== token);
  }

  /** Another tab was given a token or lost it. True when ours was out of date. @param {string} [token] */
  adopt(token = this.#stored()) {
    if (token === this.token) return false;
    this.token = token;
    return true;
  }

  /** Drops the credential that was refused; false when there is none left. */
  drop() {
    if (this.identity) {
      this.identity = "";
      this.wiring.identityRefused();
      return true;
    }
    if (this.adopt()) return true;
    if (!this.token) return false;
    this.token = "";
    this.store.remove("token");
    this.wiring.expired();
    this.wiring.changed("");
    return true;
  }

  #stored() {
    return String(this.store.get("token") ?? "");
  }
}
