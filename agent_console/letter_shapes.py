"""Bodies, queries and answers of the REST API about letters, with their limits."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from agent_console import shapes
from agent_console.api_shapes import Id
from agent_console.routes import Answer
from hub.domain.correspondence import Party

Number = Annotated[int, Meta(ge=1, le=2_147_483_647)]
Instant = Annotated[int, Meta(ge=0, le=2**53)]
ClientId = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[!-~]+$")]
MOST_BYTES = 1_048_576
"""A letter's body: its words may be of four bytes each, and escaped."""
Words = Annotated[str, Meta(max_length=100_000)]
Subject = Annotated[str, Meta(max_length=500)]
FileIds = Annotated[list[Id], Meta(max_length=10)]
Mode = Literal["reply", "reply_all", "forward"]


class PartyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody a letter goes to."""

    address: Annotated[str, Meta(min_length=1, max_length=320)]
    name: Annotated[str, Meta(max_length=200)] = ""


Parties = Annotated[list[PartyBody], Meta(max_length=100)]


def parties(given: list[PartyBody]) -> tuple[Party, ...]:
    """Return them as the services know them."""
    return tuple(Party(one.address, one.name) for one in given)


class LetterBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every letter has."""

    client_id: ClientId
    text: Words
    subject: Subject = ""
    to: Parties = []
    cc: Parties = []
    bcc: Parties = []
    files: FileIds = []
    send_at: Instant | None = None


class Answering(LetterBody, frozen=True, kw_only=True):
    """An answer or a forward. `answers_n`: which message; none: the customer's latest."""

    mode: Mode = "reply"
    answers_n: Number | None = None
    seen_n: Instant | None = None
    anyway: bool = False
    then: Literal["", "park", "wrap_up"] = ""


class Beginning(LetterBody, frozen=True, kw_only=True):
    """A letter that begins something."""

    channel: Id
    queue: Id
    customer: Id | None = None


class DraftBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A letter being written; one in which there is nothing is forgotten."""

    text: Words = ""
    mode: Literal["", "reply", "reply_all", "forward", "new"] = ""
    answers_n: Number | None = None
    subject: Subject = ""
    to: Parties = []
    cc: Parties = []
    bcc: Parties = []
    files: FileIds = []


class SignatureBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands below one's own letters; empty: one's name."""

    text: Annotated[str, Meta(max_length=2_000)]


class SignatureAnswer(Answer, frozen=True, kw_only=True):
    """What stands below one's own letters."""

    text: str


class TranscriptBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom a transcript goes."""

    to: PartyBody


class OfMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which message of the interaction in the path."""

    n: Number


class JoinTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which interaction takes the words of the one in the path."""

    target: Id


class SuggestionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How which message is answered; none: the customer's latest."""

    mode: Mode = "reply"
    n: Number | None = None


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose page, and whether its pictures may be loaded from where their sender put them."""

    n: Number
    pictures: bool = False


class SuggestionShape(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer begins with; `signature` and `quoted` are put below its words."""

    mode: str
    answers_n: int | None
    to: list[shapes.PartyShape]
    cc: list[shapes.PartyShape]
    subject: str
    signature: str
    quoted: str
    files: list[shapes.FileShape]
    passed_over: list[shapes.PartyShape]


class SuggestionAnswer(Answer, frozen=True, kw_only=True):
    """What an answer begins with."""

    suggestion: SuggestionShape


class LettersAnswer(Answer, frozen=True, kw_only=True):
    """The envelopes of an interaction's messages, and how far our own are on their way."""

    letters: list[shapes.LetterRow]
    outgoing: list[shapes.OutgoingRow]


class SentAnswer(Answer, frozen=True, kw_only=True):
    """The letter as stored; it goes at `due_at` unless it is taken back."""

    interaction: str
    n: int
    due_at: int


class OutgoingAnswer(Answer, frozen=True, kw_only=True):
    """How far the letter is."""

    outgoing: shapes.OutgoingRow


class DraftShape(msgspec.Struct, frozen=True, kw_only=True):
    """A letter being written, as kept."""

    text: str
    mode: str
    answers_n: int | None
    subject: str
    to: list[shapes.PartyShape]
    cc: list[shapes.PartyShape]
    bcc: list[shapes.PartyShape]
    files: list[shapes.FileShape]


class DraftAnswer(Answer, frozen=True, kw_only=True):
    """A letter being written; none when there is none."""

    draft: DraftShape | None


class MovedAnswer(Answer, frozen=True, kw_only=True):
    """Where the words are now, and by what id it can be undone."""

    interaction: str
    join: str | None


class ArrivalShape(msgspec.Struct, frozen=True, kw_only=True):
    """Something that reached us and could not be read."""

    id: str
    channel: str
    at: int
    size: int
    attempts: int
    problem: str
    may_read_again: bool


class TroubledShape(msgspec.Struct, frozen=True, kw_only=True):
    """A letter of ours that did not go out, or may not have arrived."""

    interaction: str
    n: int
    channel: str
    channel_kind: str
    customer_name: str
    subject: str
    agent: str | None
    at: int
    state: Literal["failed", "uncertain"]
    status: str
    problem: str


class TroubledAnswer(Answer, frozen=True, kw_only=True):
    """Letters of ours that did not go out, or may not have arrived, as far as the caller sees them."""

    letters: list[TroubledShape]


class ChannelLine(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel's line to its provider is, since when, and why it is not up."""

    id: str
    channel_kind: str
    is_up: bool
    since: int
    problem: str


class BrokenPromise(msgspec.Struct, frozen=True, kw_only=True):
    """What was not kept in time, and whom it was promised to."""

    promise: shapes.PromiseRow
    customer_name: str


class AttentionAnswer(Answer, frozen=True, kw_only=True):
    """What a supervisor should look at."""

    arrivals: list[ArrivalShape]
    letters: list[TroubledShape]
    promises: list[BrokenPromise]
    channels: list[ChannelLine]
