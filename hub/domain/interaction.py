"""The routable unit: one call, one e-mail exchange, one chat; its states and allowed moves (design.md, 5)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from hub.domain.errors import Conflict
from hub.domain.ids import AgentId, CustomerId, InteractionId, QueueId


class State(StrEnum):
    """Where an interaction stands. Exactly one at a time; each has an owner (see `owner_of`)."""

    CREATED = "created"
    SELF_SERVICE = "self_service"
    QUEUED = "queued"
    OFFERED = "offered"
    CONNECTING = "connecting"
    ACTIVE = "active"
    HELD = "held"
    CONSULTING = "consulting"
    PARKED = "parked"
    TRANSFERRING = "transferring"
    WRAPPING = "wrapping"
    CLOSED = "closed"
    REJECTED = "rejected"
    RESOLVED = "resolved"
    ABANDONED = "abandoned"
    FLOWED_OUT = "flowed_out"
    CALLBACK_BOOKED = "callback_booked"
    CANCELLED = "cancelled"


CONNECTED_FIRST: Final = frozenset({"voice"})
"""Channel kinds whose accepted work is only answered once lines are joined: until then it is `connecting`."""

TERMINAL: Final = frozenset(
    {
        State.CLOSED,
        State.REJECTED,
        State.RESOLVED,
        State.ABANDONED,
        State.FLOWED_OUT,
        State.CALLBACK_BOOKED,
        State.CANCELLED,
    }
)
WAITING: Final = frozenset({State.QUEUED, State.OFFERED})
WITH_AGENT: Final = frozenset(
    {State.CONNECTING, State.ACTIVE, State.HELD, State.CONSULTING, State.PARKED, State.TRANSFERRING}
)

MOVES: Final[dict[State, frozenset[State]]] = {
    State.CREATED: frozenset({State.SELF_SERVICE, State.QUEUED, State.REJECTED, State.CONNECTING}),
    State.SELF_SERVICE: frozenset({State.QUEUED, State.RESOLVED, State.ABANDONED, State.CALLBACK_BOOKED}),
    State.QUEUED: frozenset(
        {State.OFFERED, State.QUEUED, State.ABANDONED, State.FLOWED_OUT, State.CALLBACK_BOOKED, State.CANCELLED}
    ),
    State.OFFERED: frozenset({State.CONNECTING, State.QUEUED, State.ABANDONED, State.FLOWED_OUT, State.CANCELLED}),
    State.CONNECTING: frozenset({State.ACTIVE, State.QUEUED, State.ABANDONED, State.WRAPPING}),
    State.ACTIVE: frozenset(
        {
            State.HELD,
            State.CONSULTING,
            State.PARKED,
            State.TRANSFERRING,
            State.WRAPPING,
            State.QUEUED,
        }
    ),
    State.HELD: frozenset({State.ACTIVE, State.WRAPPING, State.QUEUED}),
    State.CONSULTING: frozenset({State.ACTIVE, State.WRAPPING, State.QUEUED}),
    State.PARKED: frozenset({State.QUEUED, State.CONNECTING, State.ACTIVE, State.WRAPPING}),
    State.TRANSFERRING: frozenset({State.QUEUED, State.OFFERED, State.ACTIVE}),
    State.WRAPPING: frozenset({State.CLOSED}),
}


class ClosingReason(StrEnum):
    """Why an interaction ended. The list is closed: a report may rely on it."""

    HANDLED = "handled"
    SELF_SERVED = "self_served"
    WRAP_UP_TIMED_OUT = "wrap_up_timed_out"
    CUSTOMER_LEFT = "customer_left"
    SHORT_ABANDON = "short_abandon"
    MESSAGE_LEFT = "message_left"
    BLOCKED = "blocked"
    QUEUE_FULL = "queue_full"
    QUEUE_CLOSED = "queue_closed"
    WAITED_TOO_LONG = "waited_too_long"
    NOBODY_ABLE = "nobody_able"
    SUPERVISOR = "supervisor"
    RECONCILED = "reconciled"
    DUPLICATE = "duplicate"
    CALLBACK_BOOKED = "callback_booked"
    CALLBACK_CANCELLED = "callback_cancelled"
    NOT_REACHED = "not_reached"


class Needs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one interaction asks of an agent beyond what its queue does; levels are 1 to 5.

    All of `skills`, at least one of each group in `any_of`; of those who may, the best in `best_skills` is preferred.
    """

    skills: dict[str, int] = {}
    any_of: tuple[dict[str, int], ...] = ()
    best_skills: tuple[str, ...] = ()

    def plus(self, skills: Mapping[str, int]) -> "Needs":
        """Return these needs with more skills; the level said last counts."""
        return msgspec.structs.replace(self, skills={**self.skills, **skills}) if skills else self

    @property
    def named(self) -> dict[str, int]:
        """The skills that decide who may take it, each with the least level at which it counts."""
        return {**{skill: level for group in self.any_of for skill, level in group.items()}, **self.skills}


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction as stored. Instants are milliseconds since 1970 UTC; a changed one is a new object.

    `last_n` numbers the messages, 1, 2, 3 ...; `reached_n` is the highest the customer has seen, `read_n` the highest
    an agent has seen. `direct_to` is the one agent it is addressed to, `last_agent` the one who knows it. `is_message`:
    left for later, nobody waits this minute. `provider_id` is the channel's own name for what began it, unique in the
    channel. `head_start_ms` is waiting time credited to it (work of a lost agent, a callback). `needs` are its own,
    beyond the queue's.
    """

    id: InteractionId
    channel: str
    kind: str
    customer: CustomerId
    queue: QueueId
    state: State
    created_at: int
    address: str = ""
    provider_id: str = ""
    agent: AgentId | None = None
    direct_to: AgentId | None = None
    last_agent: AgentId | None = None
    subject: str = ""
    language: str = ""
    tier: str = ""
    queued_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    wrap_up_ends_at: int | None = None
    closing_reason: ClosingReason | None = None
    disposition: str | None = None
    head_start_ms: int = 0
    units: int = 0
    last_n: int = 0
    last_at: int | None = None
    last_from: str = ""
    reached_n: int = 0
    read_n: int = 0
    root: InteractionId = ""
    previous: InteractionId | None = None
    waits_since: int | None = None
    is_message: bool = False
    needs: Needs = Needs()
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen to it."""
        return self.state not in TERMINAL

    @property
    def accepts_customer_messages(self) -> bool:
        """Whether what the customer writes belongs here; afterwards it opens a new interaction."""
        return self.state not in TERMINAL and self.state is not State.WRAPPING


def check_move(before: State, after: State) -> None:
    """Return if design.md allows the move.

    Raises:
        Conflict: the interaction has moved on, the step does not fit any more.
    """
    if after not in MOVES.get(before, frozenset()):
        raise Conflict(f"An interaction that is {before.value} cannot become {after.value}.")


def moved(interaction: Interaction, to: State, **changes: object) -> Interaction:
    """Return the interaction in its new state, with other fields changed alongside.

    Raises:
        Conflict: the move is not allowed from where it stands.
    """
    check_move(interaction.state, to)
    return msgspec.structs.replace(interaction, state=to, **changes)


def owner_of(interaction: Interaction) -> str:
    """Name what is responsible for it now: `flow`, `queue:ID`, `agent:ID` or `end`. Never nothing (invariant 3)."""
    if interaction.state in TERMINAL:
        return "end"
    if interaction.state in {State.CREATED, State.SELF_SERVICE}:
        return "flow"
    if interaction.state in WAITING or interaction.agent is None:
        return f"queue:{interaction.queue}"
    return f"agent:{interaction.agent}"
