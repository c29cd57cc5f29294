"""Builders and a small driver: say what happens, read what was decided."""

from dataclasses import replace

from routing.engine import Router
from routing.events import (
    AgentChanged,
    AgentLeft,
    Event,
    FlowOut,
    InteractionQueued,
    MakeOffer,
    MarkNotResponding,
    OfferAccepted,
    OfferEnded,
    Relaxed,
    Tick,
    WithdrawOffer,
    WorkEnded,
)
from routing.model import AgentState, HeldWork, OfferEnd, SkillNeed, WaitingInteraction
from routing.policy import Policy, QueuePolicy

START_MS = 1_700_000_000_000


def a_policy(*queues: QueuePolicy, **settings: object) -> Policy:
    """The queues, or one called "billing"; other settings as given."""
    chosen = queues or (QueuePolicy(id="billing"),)
    return replace(Policy(queues={queue.id: queue for queue in chosen}), **settings)  # type: ignore[arg-type]


def an_agent(agent_id: str, **state: object) -> AgentState:
    return AgentState(id=agent_id, **state)  # type: ignore[arg-type]


def needs(**levels: int) -> tuple[SkillNeed, ...]:
    return tuple(SkillNeed(skill, level) for skill, level in levels.items())


class Floor:
    """A router and a clock of ours; `said` are the decisions in short."""

    def __init__(self, policy: Policy) -> None:
        self.router = Router(policy)
        self.now = START_MS
        self._count = 0

    def tell(self, event: Event) -> list[str]:
        """Tell the router and return its decisions in short: "i1>ann", "i1<ann timed_out", "i1!closed"."""
        return [_short(decision) for decision in self.router.handle(event, at_ms=self.now)]

    def after(self, seconds: float) -> list[str]:
        self.now += round(seconds * 1000)
        return self.tell(Tick())

    def queue(self, **wishes: object) -> list[str]:
        """Queue an interaction: by default a call, named i1, i2, ..."""
        self._count += 1
        known: dict[str, object] = {
            "id": f"i{self._count}",
            "queue_id": next(iter(self.router.policy.queues)),
            "channel": "voice",
            "queued_at_ms": self.now,
        }
        return self.tell(InteractionQueued(WaitingInteraction(**{**known, **wishes})))  # type: ignore[arg-type]

    def agent(self, agent_id: str, **state: object) -> list[str]:
        return self.tell(AgentChanged(an_agent(agent_id, **state)))

    def gone(self, agent_id: str) -> list[str]:
        return self.tell(AgentLeft(agent_id))

    def busy(self, agent_id: str, channel: str = "voice", **state: object) -> list[str]:
        """An agent who already holds some work, called w-<agent>."""
        return self.agent(agent_id, holds=(HeldWork(f"w-{agent_id}", channel),), **state)

    def free(self, agent_id: str) -> list[str]:
        return self.tell(WorkEnded(agent_id, f"w-{agent_id}"))

    def accept(self, interaction_id: str, agent_id: str) -> list[str]:
        return self.tell(OfferAccepted(interaction_id, agent_id))

    def end(self, interaction_id: str, agent_id: str, cause: OfferEnd = OfferEnd.REJECTED) -> list[str]:
        return self.tell(OfferEnded(interaction_id, agent_id, cause))


def _short(decision: object) -> str:
    match decision:
        case MakeOffer(interaction_id, agent_id):
            return f"{interaction_id}>{agent_id}"
        case WithdrawOffer(interaction_id, agent_id, _, cause):
            return f"{interaction_id}<{agent_id} {cause}"
        case FlowOut(interaction_id, _, cause):
            return f"{interaction_id}!{cause}"
        case MarkNotResponding(agent_id):
            return f"{agent_id}?"
        case Relaxed(interaction_id, stage):
            return f"{interaction_id}~{stage}"
        case _:
            raise AssertionError(decision)
