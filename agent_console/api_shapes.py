"""Bodies, queries and answers of the REST API, with their limits."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from agent_console import shapes
from agent_console.routes import Answer
from hub.domain.agent import Role
from hub.domain.texting import Standing, Template
from hub.flows.model import Medium
from hub.services.dispatching.explaining import AgentStanding, Explained
from hub.services.flows.agents import Offerable
from hub.services.flows.figures import FlowFigures, FlowSheet
from hub.services.flows.paths import Taken
from hub.services.flows.trying import MOST_INPUTS, Trial, Tried
from hub.services.search import MessageHit, NoteHit
from hub.services.timeline import Item

Query = Annotated[str, Meta(max_length=200)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Id = Annotated[str, Meta(pattern="^[0-9A-Za-z_-]{1,64}$")]
Short = Annotated[str, Meta(max_length=120)]
Tag = Annotated[str, Meta(min_length=1, max_length=40)]
FieldName = Annotated[str, Meta(min_length=1, max_length=60)]
FieldText = Annotated[str, Meta(max_length=500)]
PromiseText = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"[^\s\x00-\x1f]")]
Instant = Annotated[int, Meta(ge=0, le=2**53)]
NoteText = Annotated[str, Meta(min_length=1, max_length=10_000, pattern=r"[^\s\x00-\x1f]")]


class FindCustomers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a list of customers is asked for by; nothing: the latest."""

    q: Query = ""
    limit: Limit = 30


class TimelineQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of a timeline. `kinds` is a list with commas; `before` is what the page before gave."""

    before: (
        Annotated[
            str, Meta(pattern=r"^[0-9]{1,15}\.(interaction|message|note|merge)\.[0-9]{1,10}\.[0-9A-Za-z_-]{1,64}$")
        ]
        | None
    ) = None
    kinds: Annotated[str, Meta(pattern="^([a-z_]{1,30}(,[a-z_]{1,30}){0,9})?$")] = ""
    q: Query = ""
    limit: Limit = 30


class SearchQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is searched for, in any language."""

    q: Annotated[str, Meta(min_length=1, max_length=200)]
    limit: Limit = 20


class RoutingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As things stood at a number of the journal; none: as they stand."""

    seq: Annotated[int, Meta(ge=1, le=2**53)] | None = None


class MessagesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Older messages: those before a number, or the last ones."""

    before_n: Annotated[int, Meta(ge=1, le=2_147_483_647)] | None = None
    limit: Limit = 30


class UploadQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file is called."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of the journal."""

    after: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class TypedAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a customer can be reached, as a person types it."""

    kind: Literal["email", "phone"]
    value: Annotated[str, Meta(min_length=1, max_length=254)]


class EditProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes in a profile; what is not given stays."""

    name: Short | UnsetType = UNSET
    language: Annotated[str, Meta(max_length=35)] | UnsetType = UNSET
    company: Short | UnsetType = UNSET
    tier: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    tags: Annotated[list[Tag], Meta(max_length=30)] | UnsetType = UNSET
    fields: Annotated[dict[FieldName, FieldText], Meta(max_length=60)] | UnsetType = UNSET
    addresses_in: Annotated[list[TypedAddress], Meta(max_length=20)] | UnsetType = UNSET
    addresses_out: Annotated[list[TypedAddress], Meta(max_length=20)] | UnsetType = UNSET


class NewNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What colleagues should know."""

    text: NoteText


class NewPromise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is promised, until when (milliseconds since 1970 UTC); a queue has to keep it, else whoever promises.

    The same `client_id` again promises nothing more.
    """

    text: PromiseText
    due_at: Instant
    interaction: Id | None = None
    queue: Annotated[str, Meta(max_length=64)] = ""
    client_id: Annotated[str, Meta(max_length=64)] = ""


class EndPromise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a promise ends."""

    state: Literal["kept", "withdrawn"]


class MergeSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who becomes part of the customer in the path."""

    source: Id


class DemoSignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the demo's people to be."""

    role: Literal["agent", "agent2", "supervisor", "admin"]


class SessionAnswer(Answer, frozen=True, kw_only=True):
    """Who is signed in."""

    me: shapes.Me | None
    demo: bool | UnsetType = UNSET
    company: str | UnsetType = UNSET


class SessionShape(msgspec.Struct, frozen=True, kw_only=True):
    """One of one's own sessions."""

    id: str
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    agent: str
    current: bool


class SessionsAnswer(Answer, frozen=True, kw_only=True):
    """One's own sessions, and whether one signs in with a password of one's own."""

    sessions: list[SessionShape]
    has_password: bool


class CustomerCard(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as a list shows them."""

    id: str
    name: str
    language: str | None
    company: str | None
    tier: str | None
    addresses: list[shapes.AddressShape]
    fields: dict[str, str]
    matched: str | None = None


class CustomersAnswer(Answer, frozen=True, kw_only=True):
    """Customers found."""

    customers: list[CustomerCard]


class CustomerAnswer(Answer, frozen=True, kw_only=True):
    """One profile."""

    customer: shapes.CustomerShape


class TimelineAnswer(Answer, frozen=True, kw_only=True):
    """One page of a timeline, newest first."""

    items: list[Item]
    before: str | None


class TextingShape(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a customer can be written to now, and the wordings agreed with the provider."""

    standing: Standing
    templates: list[Template]


class TextingAnswer(Answer, frozen=True, kw_only=True):
    """Null where no texts are sent."""

    texting: TextingShape | None


class NoteAnswer(Answer, frozen=True, kw_only=True):
    """The note as stored."""

    note: shapes.NoteRow


class PromiseAnswer(Answer, frozen=True, kw_only=True):
    """The promise as stored."""

    promise: shapes.PromiseRow


class DuplicatePerson(msgspec.Struct, frozen=True):
    """Who may be the same."""

    id: str
    name: str


class DuplicateShape(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may be the same person, and why."""

    customer: DuplicatePerson
    evidence: list[str]
    score: int


class DuplicatesAnswer(Answer, frozen=True, kw_only=True):
    """Suggestions, best first."""

    duplicates: list[DuplicateShape]


class MergeAnswer(Answer, frozen=True, kw_only=True):
    """The merge's id, by which it can be undone."""

    merge: str


class SearchAnswer(Answer, frozen=True, kw_only=True):
    """What was found."""

    customers: list[CustomerCard]
    messages: list[MessageHit]
    notes: list[NoteHit]


class InteractionAnswer(Answer, frozen=True, kw_only=True):
    """One interaction, open or ended."""

    interaction: shapes.InteractionRow


class RoutingAnswer(Answer, frozen=True, kw_only=True):
    """Why an interaction went to whom it went to."""

    routing: Explained


class AgentRoutingAnswer(Answer, frozen=True, kw_only=True):
    """How an agent stands with what waits."""

    routing: AgentStanding


class OutcomesMissingAnswer(Answer, frozen=True, kw_only=True):
    """One's own interactions that the clock closed, latest first."""

    interactions: list[shapes.InteractionRow]


class PathsAnswer(Answer, frozen=True, kw_only=True):
    """What the customer did by themselves, the oldest session first; and the flows that they can be sent into now."""

    sessions: list[Taken]
    offerable: list[Offerable]


class SentInto(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which flow the customer goes through."""

    flow: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class FlowsAnswer(Answer, frozen=True, kw_only=True):
    """Every self-service flow today."""

    flows: list[FlowFigures]


class FlowAnswer(Answer, frozen=True, kw_only=True):
    """One flow with its picture and its versions."""

    flow: FlowSheet


class FlowTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flow to be tried, published or as in `text`: the whole conversation, from the beginning."""

    medium: Medium = Medium.CHAT
    language: Annotated[str, Meta(max_length=20)] = "en"
    inputs: Annotated[tuple[Tried, ...], Meta(max_length=MOST_INPUTS)] = ()
    text: Annotated[str, Meta(max_length=60_000)] = ""


class TrialAnswer(Answer, frozen=True, kw_only=True):
    """How the trial went so far."""

    trial: Trial


class FlowText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flow's text, to be published."""

    text: Annotated[str, Meta(min_length=1, max_length=60_000)]


class FlowRollBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version to be published again."""

    version: Annotated[str, Meta(min_length=1, max_length=40)]


class MessagesAnswer(Answer, frozen=True, kw_only=True):
    """Messages in order; `earlier` says that older ones are left."""

    messages: list[shapes.MessageRow]
    earlier: bool


class FileAnswer(Answer, frozen=True, kw_only=True):
    """The file as stored; send it with a message."""

    file: shapes.FileShape


class QueueShape(msgspec.Struct, frozen=True, kw_only=True):
    """A queue's name."""

    id: str
    name: str
    color: str | None


class DispositionShape(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome, and the queues that offer it (none: all)."""

    id: str
    label: str
    queues: list[str]


class ReasonShape(msgspec.Struct, frozen=True):
    """A reason for being away."""

    id: str
    label: str


class CannedReplyShape(msgspec.Struct, frozen=True, kw_only=True):
    """A reply kept ready, in one language."""

    id: str
    shortcut: str
    title: str
    text: str
    languages: list[str]
    queues: list[str]


class KindShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a kind of channel can do."""

    label: str
    icon: str
    is_live: bool
    has_typing: bool
    has_read_receipts: bool
    has_files: bool
    has_choices: bool
    has_envelopes: bool
    has_receipts: bool
    has_segments: bool
    can_begin: bool


class ChannelShape(msgspec.Struct, frozen=True):
    """One configured way in and out: the mailbox's address or the line's number, empty where it has none.

    `numbers` are those that a phone line may show to whom one calls.
    """

    id: str
    kind: str
    address: str
    numbers: list[str]


class SettingsAnswer(Answer, frozen=True, kw_only=True):
    """What the console needs to know of the configuration."""

    queues: list[QueueShape]
    dispositions: list[DispositionShape]
    away_reasons: list[ReasonShape]
    canned_replies: list[CannedReplyShape]
    tiers: list[ReasonShape]
    kinds: dict[str, KindShape]
    channels: list[ChannelShape]
    languages: list[str]
    skills: list[str]
    demo: bool
    company: str
    role: Role


class EventShape(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the journal."""

    seq: int
    at: int
    kind: str
    actor: str
    interaction: str | None
    customer: str | None
    agent: str | None
    queue: str | None
    facts: dict[str, str | int | float | bool | None]


class EventsAnswer(Answer, frozen=True, kw_only=True):
    """A page of the journal; ask again with `next`."""

    events: list[EventShape]
    next: int
    head: int


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What was wrong; the code is stable, the text may change."""

    ok: Literal[False] = False
    error: Literal[
        "bad_request",
        "unauthorized",
        "forbidden",
        "not_found",
        "conflict",
        "no_address",
        "weak_password",
        "wrong_password",
        "address_taken",
        "opted_out",
        "window_over",
        "offer_gone",
        "stale",
        "too_large",
        "type_refused",
        "rate_limited",
        "closed",
        "full",
        "unavailable",
        "internal",
    ]
    message: str
