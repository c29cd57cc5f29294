"""What a running flow is (plain data, kept between inputs), what it is told, and what comes out of it.

Instants are milliseconds since 1970 UTC; they are told, never read from a clock.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from hub.flows.model import AnswerType, Medium


class State(StrEnum):
    """Where a session stands: exactly one at a time."""

    NEW = "new"
    ASKING = "asking"
    TAKING_MESSAGE = "taking_message"
    LOOKING_UP = "looking_up"
    SENDING = "sending"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a session ended."""

    RESOLVED = "resolved"
    QUEUED = "queued"
    CALLBACK_BOOKED = "callback_booked"
    MESSAGE_TAKEN = "message_taken"
    HANDED_BACK = "handed_back"
    ABANDONED = "abandoned"


class Frame(msgspec.Struct):
    """One flow on the way: the innermost is the last of a session's frames."""

    flow: str
    step: str = ""


class Visit(msgspec.Struct):
    """One step that was passed: the path that the agent sees. `value` is what was answered there."""

    at: int
    flow: str
    step: str
    kind: str
    outcome: str = ""
    value: Any = None
    tries: int = 0


class Session(msgspec.Struct, kw_only=True):
    """One customer's way through a flow, complete: whoever holds it can go on.

    `pins` holds the version of every flow it may enter; it runs to its end on these. `timer` numbers what it waits
    for: an alarm with another number is late and means nothing. `pending` is the look-up, or the message to be sent,
    that it waits for, `confirm` the answer it has asked back about. `settled` is an outcome reached before a survey.
    `seen` are the last inputs' ids.
    `standing` is what was said since the customer last spoke, where it is not passed on at once: on the phone somebody
    comes and asks for it, and a mail waits for what is being looked up or sent.
    """

    id: str
    flow: str
    pins: dict[str, str]
    medium: Medium
    language: str
    started_at: int
    by_agent: bool = False
    state: State = State.NEW
    frames: list[Frame] = []
    answers: dict[str, Any] = {}
    results: dict[str, dict[str, Any]] = {}
    path: list[Visit] = []
    opening: str = ""
    timer: int = 0
    misses: int = 0
    all_misses: int = 0
    silences: int = 0
    helped: int = 0
    last_text: str = ""
    confirm: dict[str, Any] = {}
    pending: str = ""
    fetches: int = 0
    steps: int = 0
    seen: list[str] = []
    standing: "list[Output]" = []
    outcome: Outcome | None = None
    settled: Outcome | None = None
    reason: str = ""
    ended_at: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state is State.ENDED

    def copy(self) -> "Session":
        """Return a session that can be changed without changing this one."""
        return msgspec.structs.replace(
            self,
            frames=[Frame(frame.flow, frame.step) for frame in self.frames],
            answers=dict(self.answers),
            results=dict(self.results),
            path=[*self.path[:-1], *(msgspec.structs.replace(visit) for visit in self.path[-1:])],
            confirm=dict(self.confirm),
            seen=list(self.seen),
        )


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """The customer is here. `text` is what they said before anything was asked."""

    id: str
    text: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True, tag="said"):
    """The customer said, typed, keyed (`digits`) or tapped (`choice`) something.

    `confidence` is the speech recognition's. `recording` names what was recorded instead of written down.
    """

    id: str
    text: str = ""
    choice: str = ""
    digits: str = ""
    confidence: float = 1.0
    recording: str = ""


class TimeUp(msgspec.Struct, frozen=True, tag="time_up"):
    """The time that a `Wait` of this number gave is over."""

    id: str
    timer: int


class LookedUp(msgspec.Struct, frozen=True, kw_only=True, tag="looked_up"):
    """A look-up ended: `outcome` is `found`, `not_found` or `failed`; `values` is the answer as it came."""

    id: str
    fetch: str
    outcome: str
    values: Any = None
    took_ms: int = 0


class Posted(msgspec.Struct, frozen=True, kw_only=True, tag="posted"):
    """What became of a `SendMessage`: `outcome` is `sent` or why not, `to` the address, `interaction` the message's."""

    id: str
    send: str
    outcome: str
    to: str = ""
    interaction: str = ""


class HungUp(msgspec.Struct, frozen=True, tag="hung_up"):
    """The customer is gone."""

    id: str


Input = Begin | Said | TimeUp | LookedUp | Posted | HungUp


class Told(msgspec.Struct, frozen=True, tag="told"):
    """Words for the customer."""

    text: str
    step: str = ""


class Offered(msgspec.Struct, frozen=True):
    """One choice as the customer gets it."""

    id: str
    label: str
    digit: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag="asked"):
    """A question. `lead` stands before it ("I did not understand"); `digits` is how many keys answer it (0: any)."""

    text: str
    step: str
    timer: int
    wants: AnswerType
    lead: str = ""
    choices: tuple[Offered, ...] = ()
    silence_s: float = 0.0
    digits: int = 0
    hints: tuple[str, ...] = ()


class Recording(msgspec.Struct, frozen=True, kw_only=True, tag="recording"):
    """The customer is asked to leave a message."""

    text: str
    step: str
    most_s: float


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The flow says nothing more."""

    outcome: Outcome


Output = Told | Asked | Recording | Finished


class EnterQueue(msgspec.Struct, frozen=True, kw_only=True, tag="enter_queue"):
    """Put the customer in a queue; `reason` says why a person is needed."""

    queue: str
    reason: str
    skills: Mapping[str, int] = {}
    head_start_s: float = 0.0
    note: str = ""


class BookCallback(msgspec.Struct, frozen=True, kw_only=True, tag="book_callback"):
    """Book a call to this number, keeping the place in the queue."""

    queue: str
    phone: str
    note: str = ""


class TakeMessage(msgspec.Struct, frozen=True, kw_only=True, tag="take_message"):
    """Keep a message and put it in a queue to be answered later."""

    queue: str
    text: str = ""
    recording: str = ""


class Fetch(msgspec.Struct, frozen=True, kw_only=True, tag="fetch"):
    """Ask one of the company's systems. `path` is percent-encoded; the answer comes back as `LookedUp`."""

    id: str
    service: str
    method: str
    path: str
    query: Mapping[str, str] = {}
    body: Mapping[str, str] = {}
    timeout_s: float = 3.0
    tries: int = 2


class WriteFields(msgspec.Struct, frozen=True, tag="write_fields"):
    """Write fields of the customer's profile."""

    fields: Mapping[str, str]


class MakePromise(msgspec.Struct, frozen=True, kw_only=True, tag="make_promise"):
    """Note a promise."""

    text: str
    due_at: int
    queue: str = ""


class SendMessage(msgspec.Struct, frozen=True, kw_only=True, tag="send_message"):
    """Send words on another channel; the customer has agreed. What became of it is told as `Posted`.

    Without `to` it goes to the customer's own address; `is_confirmed`: they gave this one here and said yes afterwards.
    Without `by` any channel that carries it sends it.
    """

    id: str
    medium: Medium
    to: str
    text: str
    subject: str = ""
    by: str = ""
    is_confirmed: bool = False


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Tell the session `TimeUp` with this number at this instant, unless it has moved on by then."""

    timer: int
    until: int


class GoBack(msgspec.Struct, frozen=True, kw_only=True, tag="go_back"):
    """Give the customer back to the agent who sent them here."""

    outcome: str
    reason: str = ""


Wish = EnterQueue | BookCallback | TakeMessage | Fetch | WriteFields | MakePromise | SendMessage | Wait | GoBack


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, for the journal: names and figures, never what the customer said."""

    kind: str
    flow: str
    step: str
    facts: Mapping[str, str | int | float | bool] = {}


class Stepped(msgspec.Struct, frozen=True, kw_only=True):
    """What one input led to. `is_heard` is False when the session took no notice: a repetition, late, or over."""

    session: Session
    outputs: tuple[Output, ...] = ()
    wishes: tuple[Wish, ...] = ()
    marks: tuple[Mark, ...] = ()
    is_heard: bool = True

    @property
    def sending(self) -> SendMessage | None:
        """What the session wants sent before it goes on."""
        pending = self.session.pending if self.session.state is State.SENDING else ""
        return next((one for one in self.wishes if isinstance(one, SendMessage) and one.id == pending), None)

    def followed_by(self, after: "Stepped") -> "Stepped":
        """Return this and what came next as one."""
        return Stepped(
            session=after.session,
            outputs=(*self.outputs, *after.outputs),
            wishes=(*self.wishes, *after.wishes),
            marks=(*self.marks, *after.marks),
            is_heard=self.is_heard,
        )
