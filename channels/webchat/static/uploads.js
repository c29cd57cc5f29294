/** Files on their way up: checked against the site's policy first, with progress, and again on a click. */
import { signal } from "/vendor/preact.js";
import { size } from "./text.js";

/**
 * @typedef {object} Upload
 * @property {string} key
 * @property {File} file
 * @property {"uploading" | "done" | "failed"} state
 * @property {number} progress 0 to 1
 * @property {import("./types").FileRow | null} row
 * @property {string | null} interaction the conversation it was sent to; null while there is none, and it waits
 * @property {() => void} stop
 */

/** Why the site's policy refuses a file, or null. @param {File} file @param {import("./types").Site["files"]} policy @param {import("./strings.js").Say} say */
export function refusal(file, policy, say) {
  const name = file.name;
  const ending = (/\.[^.]+$/.exec(name.toLowerCase()) ?? [""])[0];
  if (policy.types.length && !policy.types.includes(ending)) return say("f_type_refused", { name, types: policy.types.map((type) => type.slice(1).toUpperCase()).join(", ") });
  if (file.size > policy.max_bytes) return say("f_too_large", { name, size: size(policy.max_bytes) });
  if (file.size === 0) return say("f_empty", { name });
  return null;
}

export class Uploads {
  /** @param {() => { token: string, interaction: string | null }} where both are there, or it waits until `follow` @param {(file: File, error: string) => void} failed */
  constructor(where, failed) {
    this.where = where;
    this.failed = failed;
    this.list = signal(/** @type {Upload[]} */ ([]));
    this.count = 0;
  }

  get isBusy() {
    return this.list.value.some((upload) => upload.state === "uploading");
  }

  /** @param {File} file */
  add(file) {
    this.#send({ key: String(++this.count), file, state: "uploading", progress: 0, row: null, interaction: null, stop: () => {} });
  }

  /** @param {string} key */
  retry(key) {
    const upload = this.list.value.find((one) => one.key === key);
    if (upload) this.#send({ ...upload, state: "uploading", progress: 0 });
  }

  /**
   * What was attached before there was a conversation goes to it, and so does what was not said before the last one
   * ended: a file belongs to one only.
   * @param {string} interaction
   */
  follow(interaction) {
    for (const upload of this.list.value) {
      if (upload.interaction === interaction) continue;
      upload.stop();
      this.#send({ ...upload, state: "uploading", progress: 0, row: null });
    }
  }

  /** @param {string} key */
  remove(key) {
    this.list.value.find((one) => one.key === key)?.stop();
    this.list.value = this.list.value.filter((one) => one.key !== key);
  }

  /** The uploaded files, which leave the list. */
  take() {
    const rows = this.list.value.flatMap((upload) => (upload.row ? [upload.row] : []));
    this.list.value = this.list.value.filter((upload) => !upload.row);
    return rows;
  }

  /** @param {Upload} upload */
  #send(upload) {
    const { token, interaction } = this.where();
    if (!token || !interaction) return this.#put({ ...upload, interaction: null, stop: () => {} });
    const request = new XMLHttpRequest();
    const set = (/** @type {Partial<Upload>} */ news) => {
      this.list.value = this.list.value.map((one) => (one.key === upload.key ? { ...one, ...news } : one));
    };
    request.open("POST", `/chat/api/files?interaction=${encodeURIComponent(interaction)}&name=${encodeURIComponent(upload.file.name)}`);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("X-Hub", "1");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.timeout = 120_000;
    request.upload.onprogress = (event) => event.lengthComputable && set({ progress: event.loaded / event.total });
    request.onload = () => {
      const answer = request.response;
      if (answer && answer.ok && answer.file) return set({ state: "done", progress: 1, row: answer.file });
      const error = (answer && answer.error) || "failed";
      set({ state: "failed" });
      this.failed(upload.file, error);
      if (error === "too_large" || error === "type_refused") this.remove(upload.key);
    };
    request.onerror = request.ontimeout = () => set({ state: "failed" });
    this.#put({ ...upload, interaction, stop: () => request.abort() });
    request.send(upload.file);
  }

  /** @param {Upload} upload */
  #put(upload) {
    const known = this.list.value.some((one) => one.key === upload.key);
    this.list.value = known ? this.list.value.map((one) => (one.key === upload.key ? upload : one)) : [...this.list.value, upload];
  }
}
