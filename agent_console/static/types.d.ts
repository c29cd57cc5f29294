/** Rows and answers as docs/reference/protocols.md, 2 and 3, gives them. Instants are milliseconds since 1970. */
export type Id = string;
export type Presence = "available" | "away" | "offline";
export type Status = "idle" | "offered" | "busy" | "full" | "wrapping" | "not_responding" | "off";
export type Connectivity = "connected" | "grace" | "lost";
export type NextPresence = Presence | { presence: Presence; reason?: string | null };

interface Person {
  presence: Presence; reason?: string | null; next_presence?: NextPresence | null;
  connectivity: Connectivity; status: Status; held: number; capacity: number; misses: number; queues: Id[];
}
export interface MeRow extends Person {
  id: "me"; agent_id: Id; name: string; email: string; role: "agent" | "supervisor" | "admin"; violations?: number; handled_today: number;
}
export interface AgentRow extends Person { id: Id; name: string; role: string; since_at: number; work: Id[] }
export interface QueueRow {
  id: Id; name: string; color?: string | null; target_s: number; target_share: number; waiting: number; unlisted: number; oldest_at?: number | null;
  serving: number; available: number; away: number; offered: number; answered: number; answered_in_target: number;
  short_abandons: number; abandoned: number; flowed_out: number; service_level?: number | null; service_level_variant: string;
  asa_s?: number | null; open: boolean; pull_allowed: boolean; history: number[];
}
/** One line of a call. */
export interface LegRow {
  id: Id; role: "customer" | "agent" | "guest" | "supervisor"; name: string; agent: Id | null; state: "wanted" | "dialling" | "ringing" | "up" | "ended";
  in_room: boolean; held: boolean; muted: boolean; listening: "" | "monitor" | "whisper" | "barge"; since_at: number; ending: boolean; cause: string | null;
}
export interface CallRow {
  direction: "inbound" | "outbound" | "callback" | "message"; number: string; line: string; legs: LegRow[]; records: boolean; paused: boolean; released: boolean;
  reattach_until_at: number | null; answered_at: number | null; due_at: number | null;
}
export interface InteractionRow {
  id: Id; channel: string; channel_kind: string; icon: string; queue: Id; customer: Id; customer_name: string;
  tier?: string | null; language?: string | null; subject: string; state: string; agent?: Id | null; created_at: number;
  queued_at?: number | null; answer_due_at?: number | null; last_n: number; last_at?: number | null; last_from?: string | null;
  preview: string; seen_by_customer: number; unread: number; waits_for: "agent" | "customer" | null;
  wrap_up_ends_at?: number | null; disposition?: string | null; previous?: Id | null; root: Id; head_start_s: number;
  position?: number | null; wait_s?: number | null; call?: CallRow | null;
}
export interface OfferRow {
  id: Id; interaction: Id; agent: Id; made_at: number; deadline_at: number; state: string; why: string[];
  channel_kind: string; customer_name: string; tier?: string | null; queue: Id; queued_at?: number | null; before: string[]; number?: string;
}
export interface FileRow { id: Id; name: string; type: string; size: number; url: string; /** Comes from the letter that is forwarded. */ passed_on?: boolean }
export interface Choice { id: string; label: string }
export interface MessageRow {
  id: string; interaction: Id; n: number; at: number; from: "customer" | "agent" | "system"; author?: Id | null; name?: string | null;
  text: string; files: FileRow[]; choices: Choice[]; client_id?: string | null; code?: string | null;
  delivery?: "sent" | "delivered" | "read" | "failed" | null; error?: string | null;
}
/** Somebody on an envelope. */
export interface Party { address: string; name: string }
/** What surrounds message `n`; absent where a channel's messages carry no envelope. */
export interface LetterRow {
  id: string; interaction: Id; n: number; subject: string; sender: Party | null; reply_to: Party[]; to: Party[]; cc: Party[]; bcc: Party[];
  quoted: string; has_page: boolean; evidence: string; linked: Id | null; authenticity: "proved" | "disproved" | "unknown"; remarks: string[];
  is_automatic: boolean; must_not_answer: boolean; status: string; problem: string;
}
/** Where our own letter stands on its way out. */
export interface OutgoingRow {
  id: string; interaction: Id; n: number; state: "waiting" | "sending" | "sent" | "failed" | "uncertain" | "cancelled"; created_at: number; due_at: number;
  sent_at: number | null; attempts: number; status: string; problem: string; refused: { address: string; status: string; text: string }[]; is_automatic: boolean;
}
export type LetterMode = "reply" | "reply_all" | "forward" | "new";
/** A letter being written; `signature` and `quoted` are the hub's and go along. */
export interface LetterDraft {
  mode: LetterMode; answers_n: number | null; to: Party[]; cc: Party[]; bcc: Party[]; subject: string; text: string; files: FileRow[];
  signature: string; quoted: string; client_id: string; passed_over?: Party[]; channel?: Id; queue?: Id; customer?: Id | null;
}
export interface Kind {
  label: string; icon: string; is_live: boolean; has_typing: boolean; has_read_receipts: boolean; has_files: boolean; has_choices: boolean;
  has_envelopes: boolean; can_begin: boolean; has_receipts: boolean; has_segments: boolean;
}
export interface ChannelShape { id: Id; kind: string; address: string; numbers: string[] }
export interface NoteRow { id: Id; interaction?: Id | null; customer: Id; author: Id; name: string; text: string; at: number }
/** `made_by` is `flow` or `agent:ID`, `owner` is `agent:ID` or `queue:ID`. */
export interface PromiseRow { id: Id; interaction?: Id | null; customer: Id; text: string; made_by: string; made_at: number; due_at: number; owner: string; state: string; ended_at?: number | null; ended_by: string }
export interface Segment { kind: string; started_at?: number; ended_at?: number | null; agent?: Id | null; queue?: Id | null }

export interface Tables {
  me: MeRow; agents: AgentRow; queues: QueueRow; interactions: InteractionRow; offers: OfferRow; messages: MessageRow; notes: NoteRow;
  letters: LetterRow; outgoing: OutgoingRow;
}
export type Put = { [T in keyof Tables]?: Record<string, Tables[T]> };
export type Drop = { [T in keyof Tables]?: string[] };
export interface Frame { seq: number; prev: number; put?: Put; drop?: Drop }

export interface Address { kind: string; value: string; verified: boolean }
export interface Merge { merge: Id; source: Id; name: string; at: number }
export interface OptOut { channel: Id; address: string; at: number; word: string }
/** Whether a customer can be written to now; `until` is the end of the time for free words. */
export interface Texting {
  standing: { opted_out_at: number | null; opted_out_word: string; until: number | null; has_window: boolean };
  templates: Template[];
}
/** A wording agreed with the provider; `{{1}}` and so on stand for what is filled in. */
export interface Template { id: Id; name: string; text: string; language: string }
export interface Customer {
  id: Id; name: string; language?: string | null; tier?: string | null; value: number; company?: string | null; addresses: Address[];
  fields: Record<string, string>; notes: NoteRow[]; promises: PromiseRow[]; tags: string[]; created_at: number; merged: Merge[]; open: Id[];
  /** Channels that they want no texts of, at one of their numbers. */ opt_outs: OptOut[];
  totals: { interactions: number; messages: number; first_at?: number | null; last_at?: number | null };
}
export interface Duplicate {
  id: Id; name: string; evidence: string[]; score?: number;
}
export interface TimelineItem {
  kind: string; id: string; at: number; channel_kind?: string; interaction?: Id; title: string; text: string; state?: string | null;
  agent_name?: string | null; queue?: Id | null; n?: number | null; segments?: Segment[]; due_at?: number;
  author?: string | null; disposition?: string | null; closing_reason?: string | null;
}
export interface Timeline { items: TimelineItem[]; before?: number | string | null }

/** A company's own words: one text, or one per language. */
export type Texts = string | Record<string, string>;
export interface Disposition { id: string; label: Texts; queues?: Id[] }
export interface CannedReply { id: Id; shortcut: string; title: Texts; text: Texts; languages?: string[]; queues?: Id[] }
export interface Settings {
  queues: { id: Id; name: string; color?: string | null }[]; dispositions: Disposition[]; away_reasons: { id: string; label: Texts }[]; tiers?: { id: string; label: Texts }[];
  canned_replies: CannedReply[]; languages: string[]; skills?: string[]; demo: boolean; company: string; kinds?: Record<string, Kind>; channels?: ChannelShape[];
}
/** `ended`: signed out, but not by the person. */
export interface SessionState { known: boolean; signedIn: boolean; ended: boolean; demo: boolean; company: string }

/** A message on its way; `stale` and `failed` wait for a person. */
export interface Pending {
  client_id: string; interaction: Id; text: string; files: FileRow[]; choices: Choice[]; at: number;
  /** The number of the newest message its writer had seen. */
  seen: number;
  state: "sending" | "failed" | "stale"; error?: string;
}
export interface Conversation {
  id: Id; interaction: InteractionRow; customer: Customer; messages: MessageRow[]; notes: NoteRow[]; segments: Segment[];
  history: Timeline; earlier: boolean; unreadFrom: number | null; /** Loaded while it was offered, before anybody looked. */ ahead: boolean; letters: Record<number, LetterRow>; outgoing: Record<number, OutgoingRow>;
}
export interface Gone { offer: OfferRow; reason: "taken" | "left" | "missed" | "withdrawn"; by?: string | null; at: number }
/** `heardAt`: when the hub was last heard, by performance.now(). */
export interface ConnectionState {
  state: "connecting" | "live" | "gap" | "silent" | "offline"; behind: number; heardAt: number; returned: { queue: string; count: number }[];
}
export type Answer<T = Record<string, unknown>> = ({ ok: true } & T) | { ok: false; error: string; message: string; [key: string]: unknown };
export interface Toast { id: number; text: string; kind: "ok" | "bad" | "info"; action?: { label: string; run: () => void } }
export interface Command {
  id: string; label: string; section: string; keys?: string; icon?: string; hint?: string; alias?: string;
  /** Absent: can be done now. */ unavailable?: string;
  run: () => void;
}
