"""What the engine is told (events) and what it answers (decisions).

Events carry no time of their own: `Router.handle(event, at_ms=...)` gives it. The store's word is
final: an event that reports what was committed is never refused because the engine thought otherwise.
Decisions are named tuples, which cost a third of a frozen dataclass to make.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from routing.model import AgentState, FlowCause, HeldWork, OfferEnd, Reason, WaitingInteraction, WayOut
from routing.policy import Policy


@dataclass(frozen=True, slots=True)
class InteractionQueued:
    """An interaction entered a queue, or came back to one."""

    interaction: WaitingInteraction


@dataclass(frozen=True, slots=True)
class InteractionChanged:
    """A waiting interaction's needs or value changed; its live offers go on. Unknown ids are ignored.

    Queue, channel, `queued_at_ms`, `order`, `least_stage`, `offers_made` and `excluded` stay as the engine knows
    them: to move an interaction, say that it left and that it was queued.
    """

    interaction: WaitingInteraction


@dataclass(frozen=True, slots=True)
class InteractionLeft:
    """The interaction waits no longer: the customer gave up, it was cancelled or moved. Unknown ids are ignored."""

    interaction_id: str
    abandoned: bool = True
    """The customer gave up waiting; teaches the estimates how patient customers are."""


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """The agent's complete state; an unknown agent has logged in."""

    agent: AgentState


@dataclass(frozen=True, slots=True)
class AgentLeft:
    """The agent logged out or was lost for good. Their live offers are withdrawn. Unknown ids are ignored."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    """The store made the interaction this agent's. Other live offers of it are withdrawn.

    Believed even if the offer is not live here any more. Of an interaction the engine has forgotten (it flowed out)
    only `WorkStarted` can say what capacity it takes.
    """

    interaction_id: str
    agent_id: str
    offer_no: int = 0
    """0: whichever is live."""


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """An offer ended without being accepted. One that is not live (any more) changes nothing."""

    interaction_id: str
    agent_id: str
    cause: OfferEnd
    offer_no: int = 0
    """0: whichever is live."""


class RefusedBecause(StrEnum):
    """Why the store did not commit a `MakeOffer`."""

    INTERACTION_GONE = "interaction_gone"
    AGENT_UNABLE = "agent_unable"


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """The compare-and-set of a `MakeOffer` failed; the engine takes the offer back.

    INTERACTION_GONE forgets the interaction. AGENT_UNABLE returns it to its place and pauses the agent
    until their true state arrives as `AgentChanged`, or for `Policy.refused_backoff_ms`.
    """

    interaction_id: str
    agent_id: str
    because: RefusedBecause
    offer_no: int = 0


@dataclass(frozen=True, slots=True)
class WorkStarted:
    """The agent began work that was not offered (an outbound call, a consultation)."""

    agent_id: str
    work: HeldWork


@dataclass(frozen=True, slots=True)
class WorkEnded:
    """The agent's work on the interaction, wrap-up included, is over. Unknown work is ignored."""

    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True)
class PickFromList:
    """The agent asks for this interaction. Raises NotTakeable unless the queue allows picking and the agent may."""

    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True)
class AssignByHand:
    """A supervisor gives this interaction to this agent, skills or not; live offers to others are withdrawn.

    Raises NotTakeable when the agent is not there or has no capacity left.
    """

    agent_id: str
    interaction_id: str


@dataclass(frozen=True, slots=True)
class PolicyChanged:
    """The configuration changed. Raises InvalidPolicy when it cannot be, or a known queue or channel is missing."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class QueueForced:
    """A person opens (True) or closes (False) a queue against its hours; None: by its hours again."""

    queue_id: str
    is_open: bool | None


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing but time has passed."""


Event = (
    InteractionQueued
    | InteractionChanged
    | InteractionLeft
    | AgentChanged
    | AgentLeft
    | OfferAccepted
    | OfferEnded
    | OfferRefused
    | WorkStarted
    | WorkEnded
    | PickFromList
    | AssignByHand
    | PolicyChanged
    | QueueForced
    | Tick
)


class MakeOffer(NamedTuple):
    """Offer the interaction to the agent; the engine holds the agent's capacity from now on.

    With `auto_accept` the agent is not asked. `interrupts` are the agent's interactions that pause meanwhile.
    """

    interaction_id: str
    agent_id: str
    offer_no: int
    deadline_ms: int
    auto_accept: bool
    interrupts: tuple[str, ...]
    reason: Reason


class WithdrawOffer(NamedTuple):
    """The offer is over for the engine: its deadline passed, it was won elsewhere, the agent cannot take it."""

    interaction_id: str
    agent_id: str
    offer_no: int
    cause: OfferEnd
    reason: Reason


class FlowOut(NamedTuple):
    """The interaction leaves the queue by this way out; the engine has forgotten it."""

    interaction_id: str
    queue_id: str
    cause: FlowCause
    way_out: WayOut
    reason: Reason


class MarkNotResponding(NamedTuple):
    """The agent gets no more offers until an `AgentChanged` says `is_not_responding=False`."""

    agent_id: str
    reason: Reason


class Relaxed(NamedTuple):
    """The interaction entered a later stage before its time, as everybody who could take it declined.

    What time alone loosens is not told: it follows from the wait and the policy, `MakeOffer` names the stage, and
    `explain` says it of any instant.
    """

    interaction_id: str
    stage: int
    reason: Reason


Decision = MakeOffer | WithdrawOffer | FlowOut | MarkNotResponding | Relaxed
