"""Calls: the legs of a phone interaction, what is ordered of the carrier, and what the carrier tells.

A call is the interaction's; it has one room, named by the interaction, where its legs meet. What the hub wants of the
carrier is written down as orders; what really is comes back as events. `hub.domain.call_plan` compares the two.
"""

from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.ids import AgentId, FileId, InteractionId


class Direction(StrEnum):
    """Who began it. Of a message there is only the recording: nobody is on the line."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    CALLBACK = "callback"
    MESSAGE = "message"


class LegRole(StrEnum):
    """Whose line a leg is. A guest is a number somebody of ours rang during the call."""

    CUSTOMER = "customer"
    AGENT = "agent"
    GUEST = "guest"
    SUPERVISOR = "supervisor"


class LegState(StrEnum):
    """Where a leg stands. It only ever goes forwards, whatever order the carrier's news arrive in."""

    WANTED = "wanted"
    DIALLING = "dialling"
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"


LEG_RANK: Final = {state: rank for rank, state in enumerate(LegState)}


class Place(StrEnum):
    """What a leg that is up is doing: hearing the hub's own documents, waiting, leaving a message, or in the room.

    `asked`: it is to say whether it may be recorded, and is led nowhere before it has.
    """

    NOWHERE = ""
    ASKED = "asked"
    SCRIPT = "script"
    QUEUE = "queue"
    MESSAGE = "message"
    ROOM = "room"


class Listening(StrEnum):
    """How a supervisor takes part."""

    NO = ""
    MONITOR = "monitor"
    WHISPER = "whisper"
    BARGE = "barge"


class EndCause(StrEnum):
    """Why a leg ended; the list is closed, a report may rely on it."""

    HUNG_UP = "hung_up"
    HUNG_UP_BY_US = "hung_up_by_us"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    FAILED = "failed"
    MACHINE = "machine"
    LOST = "lost"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a call. `endpoint` is what the carrier dials; `provider_id` its name of the line, once known.

    `place` is where the leg is by the carrier's word, `goes_to` where we have sent it; `wants_hold` and `wants_mute`
    are what was ordered, `is_held` and `is_muted` what the carrier confirmed. `expected_end` is set when we hang up:
    then its end is no accident. `units` of a consulted colleague's capacity are held as long as the line lives. `seq`
    is the highest sequence number of the carrier's news of it that was applied.
    """

    id: str
    interaction: InteractionId
    role: LegRole
    endpoint: str
    wanted_at: int
    agent: AgentId | None = None
    provider_id: str = ""
    state: LegState = LegState.WANTED
    place: Place = Place.NOWHERE
    goes_to: Place = Place.NOWHERE
    wants_hold: bool = False
    is_held: bool = False
    wants_mute: bool = False
    is_muted: bool = False
    listening: Listening = Listening.NO
    units: int = 0
    expected_end: bool = False
    answered_at: int | None = None
    joined_at: int | None = None
    ended_at: int | None = None
    cause: EndCause | None = None
    seq: int = -1

    @property
    def is_live(self) -> bool:
        """Whether the line is there, or on its way."""
        return self.state is not LegState.ENDED

    @property
    def is_in_room(self) -> bool:
        """Whether the leg is among the others."""
        return self.is_live and self.place is Place.ROOM


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone interaction has beside the interaction itself; `id` is the interaction's.

    `number` is the customer's, E.164, empty when withheld; `line` ours. `reattach_until` is set while the agent's lost
    line is waited for. `release_to` is the guest whom the customer is put through to; `is_released`: the two talk on
    without us. `records` is what should be. `dials` counts how often the customer was called. `due_at` is when a
    planned call is to be made; `customer_first`: a callback rings the customer, and the agent once they have answered.
    """

    id: InteractionId
    channel: str
    direction: Direction
    number: str
    line: str
    name: str = ""
    language: str = ""
    reattach_until: int | None = None
    release_to: str = ""
    is_released: bool = False
    records: bool = False
    is_recording_paused: bool = False
    dials: int = 0
    due_at: int | None = None
    customer_first: bool = False
    version: int = 0


class OrderKind(StrEnum):
    """What the hub can ask of a carrier. Each is safe to repeat under the same order id."""

    DIAL = "dial"
    JOIN = "join"
    PARK = "park"
    TAKE_MESSAGE = "take_message"
    HOLD = "hold"
    RESUME = "resume"
    MUTE = "mute"
    UNMUTE = "unmute"
    LISTEN = "listen"
    HANG_UP = "hang_up"
    ANNOUNCE = "announce"
    RECORD = "record"
    PAUSE_RECORDING = "pause_recording"
    RESUME_RECORDING = "resume_recording"
    STOP_RECORDING = "stop_recording"


class OrderState(StrEnum):
    """Where an order stands."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    VOID = "void"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Something asked of the carrier, written with the change that wants it and carried out after the commit."""

    id: str
    interaction: InteractionId
    kind: OrderKind
    leg: str = ""
    at: int = 0
    due_at: int = 0
    argument: str = ""
    state: OrderState = OrderState.WAITING
    attempts: int = 0
    problem: str = ""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """Sound that was kept: of a call, or a message left. The bytes are fetched from the carrier and lie with us."""

    id: str
    interaction: InteractionId
    provider_id: str
    is_message: bool
    started_at: int
    duration_s: int | None = None
    file: FileId | None = None
    problem: str = ""


class CarrierEvent(msgspec.Struct, frozen=True, kw_only=True):
    """News of the carrier as it came, unique by `key` in its channel: told twice, it counts once."""

    id: str
    channel: str
    key: str
    at: int
    kind: str
    interaction: InteractionId | None = None
    facts: dict[str, str] = msgspec.field(default_factory=dict)


class Gathering(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is listened for, while the words are said and after them.

    `digits` keys make an answer, 0: any number of them, ended by `end_key` where there is one. Speech counts as well;
    `hints` are the words to expect in it, in `language`. After `timeout_s` of silence the answer is an empty one.
    """

    language: str
    digits: int = 0
    end_key: str = ""
    timeout_s: float = 6.0
    hints: tuple[str, ...] = ()


class CallerSaid(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller answered: keys, or words with the recognition's confidence, or nothing at all.

    `recording` is the carrier's name of a message that was left instead.
    """

    digits: str = ""
    text: str = ""
    confidence: float = 1.0
    recording: str = ""


class Softphone(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent's browser becomes a telephone at a carrier.

    `kind` is "websocket" (the carrier's JSON protocol at `url`) or "module": a script of ours at `url` knows how.
    `account` tells lines apart that are answered by different registrations. `origins` are what else the page must be
    let speak to, as sources of a Content-Security-Policy; `media` where its sounds come from.
    """

    kind: str
    url: str
    account: str
    origins: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    needs_microphone: bool = False
