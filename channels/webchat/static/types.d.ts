/** What the hub and the chat say to each other; docs/reference/protocols.md, section 1, is the contract. */

export interface Choice { id: string; label: string }
export interface FileRow { id: string; name: string; type: string; size: number; url: string }

export interface Message {
  interaction: string;
  n: number;
  at: number;
  from: "visitor" | "agent" | "system";
  name?: string | null;
  text: string;
  files: FileRow[];
  choices: Choice[];
  client_id?: string | null;
  code?: string | null;
}

export interface Thread {
  interaction: string;
  state: "waiting" | "active" | "ended";
  agent: { name: string } | null;
  position: number | null;
  wait_s: number | null;
  last_n: number;
  seen_by_agent: number;
  seen_by_visitor: number;
  ended_at: number | null;
  message_left: boolean;
}

export interface Field {
  id: string;
  label: string;
  kind: "text" | "email" | "choice" | "textarea";
  required: boolean;
  options?: (string | Choice)[];
}

export interface Site {
  id: string;
  name: string;
  open: boolean;
  opens_at: number | null;
  greeting: string;
  closed_text: string;
  form: Field[];
  quick_replies: Choice[];
  files: { max_bytes: number; types: string[] };
  accent: string;
  languages: string[];
}

export type Kind = "start" | "leave_message" | "message" | "end";

/** One thing the visitor did that the hub has not answered yet. */
export interface Entry {
  client_id: string;
  kind: Kind;
  /** Instant of the click; the order of the outbox. */
  at: number;
  interaction?: string;
  /** Said before the hub named the conversation: the client_id of the `start` it belongs to. */
  after?: string;
  text?: string;
  files?: FileRow[];
  choice?: string;
  form?: Record<string, string>;
  /** Why the hub will never take it as it is. */
  error?: string;
}

/** An entry as it is shown. */
export interface Pending extends Entry { state: "sending" | "delayed" | "failed" }

export type LinkState = "connecting" | "live" | "lost" | "restarting" | "refused";

/** Everything there is to draw; replaced as a whole on every change. */
export interface View {
  link: LinkState;
  /** Since when the link is not live, in the browser's time; null while live. */
  lostSince: number | null;
  loaded: boolean;
  site: Site | null;
  visitor: { known: boolean; name: string | null };
  /** The hub has said who the visitor is to it; before that no file can be sent. */
  hasToken: boolean;
  thread: Thread | null;
  messages: Message[];
  earlier: boolean;
  pending: Pending[];
  /** A conversation is being started and the hub has not answered yet. */
  starting: boolean;
  leaving: boolean;
  ending: boolean;
  typing: string | null;
  seen: number;
  unread: number;
}

export interface Answer { ok: boolean; error?: string; message?: string; [key: string]: any }

/** What the chat needs of a socket.io-client socket; the tests bring their own. */
export interface Socket {
  on(event: string, listener: (...values: any[]) => void): unknown;
  emit(event: string, body: unknown, answer?: (answer: Answer) => void): unknown;
  disconnect(): unknown;
}
export type Connect = (auth: Record<string, string>) => Socket;

export interface Store {
  get(key: string): any;
  set(key: string, value: unknown): void;
  remove(key: string): void;
  keys(prefix: string): string[];
}
export interface Bus { post(news: News): void; listen(listener: (news: News) => void): void }
/** What tabs of one visitor tell each other. */
export type News = { kind: "outbox" } | { kind: "token"; token: string } | { kind: "seen"; interaction: string; n: number };

export interface Env {
  now(): number;
  later(work: () => void, ms: number): unknown;
  cancel(timer: any): void;
  random(): number;
  uuid(): string;
  /** Runs work while no other tab of this visitor runs any. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}
