"""What the console's rows and answers look like on the wire (docs/reference/protocols.md, 2): fields, nothing else.

Instants are integer milliseconds since 1970 UTC and end in `_at`; durations end in `_s`.
"""

from typing import Literal

import msgspec

from hub.domain.agent import Connectivity, Presence, Role, RoutingStatus
from hub.domain.calls import Direction, EndCause, LegRole, LegState, Listening
from hub.domain.correspondence import Authenticity, OutgoingState
from hub.domain.interaction import State
from hub.domain.messages import Author, Choice


class NextPresence(msgspec.Struct, frozen=True):
    """What an agent's presence becomes once their work is done."""

    presence: Presence
    reason: str | None = None


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The one row of table `me`."""

    id: Literal["me"] = "me"
    agent_id: str
    name: str
    email: str
    role: Role
    presence: Presence
    reason: str | None
    next_presence: NextPresence | None
    connectivity: Connectivity
    status: RoutingStatus
    held: int
    capacity: int
    handled_today: int
    misses: int
    queues: list[str]
    violations: int


class AgentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff. `work` is listed for supervisors only."""

    id: str
    name: str
    role: Role
    presence: Presence
    reason: str | None
    next_presence: NextPresence | None
    connectivity: Connectivity
    status: RoutingStatus
    since_at: int
    held: int
    capacity: int
    misses: int
    work: list[str]
    queues: list[str]


class QueueRow(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with its figures of the day."""

    id: str
    name: str
    color: str | None
    target_s: float
    target_share: float
    waiting: int
    unlisted: int
    oldest_at: int | None
    serving: int
    available: int
    away: int
    offered: int
    answered: int
    answered_in_target: int
    short_abandons: int
    abandoned: int
    flowed_out: int
    service_level: float | None
    service_level_variant: str
    asa_s: float | None
    open: bool
    pull_allowed: bool
    history: list[int]


class LegShape(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a call. `name` is a colleague's, or the number of somebody else; `since_at` is when its state began.

    `held` and `muted` are what the carrier confirmed, `in_room` whether the line is among the others.
    """

    id: str
    role: LegRole
    name: str
    agent: str | None
    state: LegState
    in_room: bool
    held: bool
    muted: bool
    listening: Listening
    since_at: int
    ending: bool
    cause: EndCause | None


class CallShape(msgspec.Struct, frozen=True, kw_only=True):
    """What an interaction that is a call has beside: who is on the line, what is kept of it.

    `number` is the customer's, empty when withheld; `line` is ours. `reattach_until_at`: the agent's lost line is
    waited for. `answered_at` is when customer and agent first spoke, `due_at` when a planned call is to be made.
    """

    direction: Direction
    number: str
    line: str
    legs: list[LegShape]
    records: bool
    paused: bool
    released: bool
    reattach_until_at: int | None
    answered_at: int | None
    due_at: int | None


class InteractionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction as lists show it."""

    id: str
    channel: str
    channel_kind: str
    icon: str
    queue: str
    customer: str
    customer_name: str
    tier: str | None
    language: str | None
    subject: str
    state: State
    agent: str | None
    created_at: int
    queued_at: int | None
    answer_due_at: int | None
    last_n: int
    last_at: int | None
    last_from: str | None
    preview: str
    seen_by_customer: int
    unread: int
    waits_for: Literal["agent", "customer"] | None
    wrap_up_ends_at: int | None
    disposition: str | None
    previous: str | None
    root: str
    head_start_s: int
    position: int | None
    wait_s: int | None
    call: CallShape | None


class OfferRow(msgspec.Struct, frozen=True, kw_only=True):
    """A live offer, with what a person needs to decide."""

    id: str
    interaction: str
    agent: str
    made_at: int
    deadline_at: int
    state: str
    why: list[str]
    channel_kind: str
    customer_name: str
    tier: str | None
    queue: str
    queued_at: int | None
    before: list[str]
    number: str


class FileShape(msgspec.Struct, frozen=True):
    """A stored file; `url` is signed and dies after ten minutes."""

    id: str
    name: str
    type: str
    size: int
    url: str


class MessageRow(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One utterance; its id is `INTERACTION:n`."""

    id: str
    interaction: str
    n: int
    at: int
    from_: Author
    author: str | None
    name: str | None
    text: str
    files: list[FileShape]
    choices: list[Choice]
    client_id: str | None
    code: str | None
    delivery: Literal["sent", "delivered", "read", "failed"] | None


class PartyShape(msgspec.Struct, frozen=True):
    """Somebody on an envelope."""

    address: str
    name: str


class LetterRow(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds message `n`, where a channel's messages have envelopes; its id is `INTERACTION:n`.

    `quoted` was folded away from the words; `has_page`: it came as a page, which is served apart, made safe. `evidence`
    says why it stands here, `linked` where it might belong. `status` and `problem`: it came back, or, as the status
    begins, is "delayed" or a "complaint".
    """

    id: str
    interaction: str
    n: int
    subject: str
    sender: PartyShape | None
    reply_to: list[PartyShape]
    to: list[PartyShape]
    cc: list[PartyShape]
    bcc: list[PartyShape]
    quoted: str
    has_page: bool
    evidence: str
    linked: str | None
    authenticity: Authenticity
    remarks: list[str]
    is_automatic: bool
    must_not_answer: bool
    status: str
    problem: str


class RefusalShape(msgspec.Struct, frozen=True):
    """A recipient that was not taken, in the provider's words."""

    address: str
    status: str
    text: str


class OutgoingRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where a letter of ours stands on its way out; its id is `INTERACTION:n`. Until `due_at` it can be taken back."""

    id: str
    interaction: str
    n: int
    state: OutgoingState
    created_at: int
    due_at: int
    sent_at: int | None
    attempts: int
    status: str
    problem: str
    refused: list[RefusalShape]
    is_automatic: bool


class NoteRow(msgspec.Struct, frozen=True, kw_only=True):
    """What only colleagues see."""

    id: str
    interaction: str | None
    customer: str
    author: str
    name: str
    text: str
    at: int


class PromiseRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was promised to a customer. `made_by` is `flow` or `agent:ID`, `owner` is `agent:ID` or `queue:ID`."""

    id: str
    interaction: str | None
    customer: str
    text: str
    made_by: str
    made_at: int
    due_at: int
    owner: str
    state: str
    ended_at: int | None
    ended_by: str


class SegmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An interval of an interaction."""

    id: str
    kind: str
    queue: str
    agent: str | None
    started_at: int
    ended_at: int | None
    outcome: str


class AddressShape(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reach a customer."""

    kind: str
    value: str
    verified: bool


class MergedShape(msgspec.Struct, frozen=True, kw_only=True):
    """A customer who was merged into this one."""

    merge: str
    source: str
    name: str
    at: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """How much there was with a customer, as far as the reader sees it."""

    interactions: int
    messages: int
    first_at: int | None
    last_at: int | None


class OptOutShape(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that the customer wants no texts of, at one of their numbers: since when, and in which word."""

    channel: str
    address: str
    at: int
    word: str


class CustomerShape(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's profile."""

    id: str
    name: str
    language: str | None
    tier: str | None
    value: float
    company: str | None
    addresses: list[AddressShape]
    fields: dict[str, str]
    notes: list[NoteRow]
    promises: list[PromiseRow]
    tags: list[str]
    created_at: int
    merged: list[MergedShape]
    opt_outs: list[OptOutShape]
    open: list[str]
    totals: Totals
