"""What the hub sees of a channel that speaks, and such a channel of the hub. Instants are milliseconds since 1970."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec

from hub.domain.calls import CallerSaid, EndCause, Gathering, LegRole, Listening, Order, Place, Softphone


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub must know of one phone line to take its calls.

    `welcome` is said first, by language; `announce_s` how often somebody who waits is told where they stand;
    `takes_messages` and `books_callbacks` say what is offered when nobody is there or the wait is long. `records`:
    calls are recorded, as `consent` (place -> rule, see `hub.domain.recording_rules`) says. `flow` is the self-service
    that callers meet first, at any hour. `calls_customer_first`: a callback rings the customer first, and the agent
    once they have answered. `caller_ids` are other numbers of the company's that the carrier lets the line show to
    those whom it calls.
    """

    channel: str
    number: str
    queue: str
    languages: tuple[str, ...] = ("en",)
    welcome: Mapping[str, str] = msgspec.field(default_factory=dict)
    announce_s: int = 30
    takes_messages: bool = True
    books_callbacks: bool = True
    records: bool = False
    consent: Mapping[str, str] = msgspec.field(default_factory=dict)
    flow: str = ""
    calls_customer_first: bool = False
    caller_ids: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The numbers that those whom we call may see, the line's own first."""
        return (self.number, *self.caller_ids)


class InboundCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that reached a line. `number` is E.164, empty when withheld; `name` what the carrier says of it.

    `places`: where the caller's number and the line are from, by the carrier ("US-CA"); empty where it does not say.
    """

    channel: str
    provider_id: str
    number: str = ""
    name: str = ""
    language: str = ""
    places: tuple[str, str] = ("", "")


class Said(msgspec.Struct, frozen=True):
    """Words to be spoken, in a language."""

    text: str
    language: str


class CallStep(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller's line does next: the words are said, then `then`.

    `queue`: wait, hearing `wait` documents. `wait`: music for `music_s`, any of `keys` is told at once. `message`:
    record for at most `max_s`. `room`: join the room of `interaction` as `leg`. `refuse`: without answering.
    `listen`: what is answered (see `gathering`) is told with `turn`. `ask_again`: after `music_s` the same, with no
    answer: something is being looked up. `turn` is the hub's own mark of where the caller stands; it comes back as is.
    """

    say: tuple[Said, ...] = ()
    then: Literal["queue", "wait", "message", "room", "hang_up", "refuse", "listen", "ask_again"]
    interaction: str = ""
    leg: str = ""
    keys: str = ""
    music_s: int = 0
    max_s: int = 0
    turn: str = ""
    gathering: Gathering | None = None


class LegNews(msgspec.Struct, frozen=True, kw_only=True):
    """What the carrier tells of a line. `leg` where the carrier was told our name of it, else `provider_id`.

    `key` names this very piece of news: told twice, it counts once. `seq` orders what is told of a line in its room
    (place, hold, mute), None where the carrier gives no order: states only go forwards. `is_machine`: nobody answered.
    """

    key: str
    leg: str = ""
    provider_id: str = ""
    state: Literal["", "ringing", "up", "ended"] = ""
    cause: EndCause | None = None
    place: Place | None = None
    is_held: bool | None = None
    is_muted: bool | None = None
    seq: int | None = None
    is_machine: bool = False


class RecordingNews(msgspec.Struct, frozen=True, kw_only=True):
    """A recording is ready, or came to nothing (`problem`)."""

    key: str
    interaction: str
    provider_id: str
    is_message: bool = False
    duration_s: int | None = None
    problem: str = ""


class Calls(Protocol):
    """The hub's side of phone calls, as a channel uses it."""

    def declare(self, line: Line) -> None:
        """Say what a line does with its calls; asked at opening."""

    async def arrived(self, call: InboundCall) -> CallStep:
        """Take a call in; asked again for the same one it begins nothing new. Committed when this returns."""

    async def waiting(self, channel: str, provider_id: str, *, heard: str = "") -> CallStep:
        """Say what a waiting caller hears next; `heard` are keys they pressed, or words."""

    async def answered(self, channel: str, provider_id: str, turn: str, said: CallerSaid) -> CallStep:
        """Take what a caller answered in self-service (nothing is an answer too) and say what they hear next.

        The same answer told again changes nothing and gets the same words.
        """

    async def message_left(self, channel: str, provider_id: str) -> CallStep:
        """The caller has left a message (or hung up over it): what follows."""

    def words(self, code: str, language: str) -> Said | None:
        """Return what is said to somebody who holds; None for a code that there is not."""

    async def happened(self, channel: str, news: "LegNews | RecordingNews") -> None:
        """Take the carrier's news; committed when this returns."""


class DialTo(msgspec.Struct, frozen=True, kw_only=True):
    """A line to be dialled into a room. `leg` is our name of it, told back with its news; `hearing` is the code of what
    is said, in `language`, to whoever is there first.
    """

    leg: str
    interaction: str
    role: LegRole
    endpoint: str
    caller: str
    timeout_s: int
    listening: Listening = Listening.NO
    coached: str = ""
    detects_machine: bool = False
    hearing: str = ""
    language: str = ""
    shown: str = ""


class LegView(msgspec.Struct, frozen=True, kw_only=True):
    """A line by the carrier's own word."""

    provider_id: str
    leg: str = ""
    is_live: bool = True
    place: Place = Place.NOWHERE
    is_held: bool = False
    is_machine: bool = False
    cause: EndCause | None = None
    number: str = ""
    began_at: int = 0


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The line an order is about. `coached`: the carrier's name of the line that a supervisor whispers to."""

    leg: str
    provider_id: str
    interaction: str
    language: str = ""
    listening: Listening = Listening.NO
    coached: str = ""


@runtime_checkable
class LiveCalls(Protocol):
    """A channel that speaks: what the hub orders of it. Each order may come again after a crash, under the same id.

    All raise ChannelUnavailable (later) or MessageRejected (never, with the carrier's reason); an order whose line is
    gone already is done.
    """

    async def dial(self, order: Order, to: DialTo) -> str:
        """Ring a line into its room; return the carrier's name of it. A repetition finds the line it began."""

    async def carry_out(self, order: Order, target: Target) -> None:
        """Do what the order says with a line that is there. What is recorded is recorded on the customer's line."""

    def fetch(self, recording: str, *, plain: bool = False) -> AsyncIterator[bytes]:
        """Return a recording's sound from the carrier: audio/mpeg, or audio/wav of 16 bits where it is `plain`."""

    async def look(self, lines: Sequence[Target]) -> list[LegView]:
        """Return how these lines stand by the carrier's word, and which are in their room; who is gone is left out."""

    async def recordings_of(self, line: Target) -> list[RecordingNews]:
        """Return what was recorded of a line that is over; ChannelUnavailable while some of it is still being made."""

    async def forget(self, recording: str) -> None:
        """Remove a recording at the carrier; one that is gone already is no fault."""

    async def lines_up(self) -> list[LegView]:
        """Return every line of ours that is up, for finding what nobody knows of."""

    def phone_of(self, agent: str, endpoint: str) -> str:
        """Return what the carrier dials for an agent: their own endpoint, or their browser."""

    def pass_for(self, agent: str) -> tuple[str, int]:
        """Return what the agent's browser signs in to the carrier with, and when it is over (ms since 1970).

        Raises:
            MessageRejected: browsers cannot be telephones here; the text says what is missing.
        """

    @property
    def softphone(self) -> Softphone:
        """How a browser becomes a telephone."""
