"""Who waits, who is free, who is offered what: the plain values the engine is told and tells.

All instants are integer milliseconds since the epoch, all durations integer milliseconds.
All types are frozen; a changed state is a new value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

Figure = int | float | str
"""One fact inside a `Reason`; durations are named `..._ms`."""


def duration_text(ms: float) -> str:
    """Return a duration as people say it: `0.4 s`, `48 s`, `2 min 5 s`, `3 h 20 min`."""
    if abs(ms) < 10_000:
        return f"{ms / 1000:.1f} s"
    seconds = round(ms / 1000)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3_600} h {seconds % 3_600 // 60} min"


def worded(name: str, value: Figure) -> tuple[str, str]:
    """Return a fact's name and value for people."""
    words = name.removesuffix("_ms").replace("_", " ")
    if isinstance(value, str):
        return words, value
    return words, duration_text(value) if name.endswith("_ms") else f"{value:.6g}"


class SkillNeed(NamedTuple):
    """A skill and the least level (1..5) at which it is needed."""

    skill: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An agent who is not offered this interaction before `until_ms` (rejected it, missed it, was busy)."""

    agent_id: str
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingInteraction:
    """One interaction in a queue, complete enough to rebuild the engine's view of it after a restart."""

    id: str
    queue_id: str
    channel: str
    """Channel kind: a key of `Policy.channels`."""
    queued_at_ms: int
    """When it entered the queue. Keep the original instant when work returns from a lost agent."""
    head_start_ms: int = 0
    """Waiting credited for its place in the order; relaxation and limits do not count it."""
    value: int = 1
    """Weight of the customer's value tier, 1..1000; a handful of distinct weights is meant."""
    skills: tuple[SkillNeed, ...] = ()
    """All of these, besides what the queue requires."""
    any_of: tuple[tuple[SkillNeed, ...], ...] = ()
    """At least one of each group."""
    best_skills: tuple[str, ...] = ()
    """Not required; the agent with the highest levels in these is preferred."""
    languages: tuple[str, ...] = ()
    """The agent speaks at least one of these; empty means any."""
    only_agent_id: str | None = None
    """Direct to this agent, until the queue's `only_agent_ms` has passed."""
    preferred_agent_ids: tuple[str, ...] = ()
    """Last agent, owner: first choice, waited for during the queue's `sticky_ms`."""
    excluded: tuple[Exclusion, ...] = ()
    order: int = 0
    """Breaks ties of the same millisecond, smaller first (the journal's number); 0: the engine numbers it."""
    least_stage: int = 0
    """Relaxation stage it was moved to before its time, because everybody who could take it declined."""
    offers_made: int = 0
    """Offers so far; the next offer's number is one more."""
    stays: bool = False
    """Nobody waits for it this minute (a letter, a message left): it takes ways out into other queues only."""


class HeldWork(NamedTuple):
    """One interaction an agent is handling or wrapping up; it takes capacity until `WorkEnded`."""

    interaction_id: str
    channel: str
    queue_id: str = ""
    since_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """A logged-in agent. An agent unknown to the engine is logged out.

    The last five fields are kept by the engine itself; None in an `AgentChanged` means
    "as you know it". After a restart the hub gives them as it stored them.
    """

    id: str
    is_available: bool = True
    """Presence: chose to take work."""
    is_connected: bool = True
    """Connectivity is not lost (grace counts as connected)."""
    is_not_responding: bool = False
    skills: Mapping[str, int] = field(default_factory=dict)
    """Skill -> level 1..5."""
    languages: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Agent groups; queues name the groups that serve them."""
    queue_ids: tuple[str, ...] | None = None
    """Only these queues; None: every queue whose groups and skills let the agent in."""
    channels: tuple[str, ...] | None = None
    """Only these channel kinds; None: every one."""
    capacity_units: int = 100
    units: Mapping[str, int] = field(default_factory=dict)
    """Channel kind -> units one interaction costs this agent, where it differs from the channel's."""
    speed: float = 1.0
    """How fast the agent works, 1.0 is average, more is faster. Used by the agent order "fastest" only."""
    idle_since_ms: int | None = None
    """The last time this agent took or finished work, or came in."""
    last_offer_at_ms: int | None = None
    holds: tuple[HeldWork, ...] | None = None
    paused_until_ms: int | None = None
    """No offers before this instant (back-off)."""
    misses: int | None = None
    """Offers missed in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOffer:
    """An interaction proposed to an agent; the agent's capacity is held until it ends."""

    interaction_id: str
    agent_id: str
    offer_no: int
    deadline_ms: int
    offered_at_ms: int = 0
    is_exclusive: bool = False
    """Picked or assigned by hand: nobody else is offered it meanwhile."""


class WayOutKind(StrEnum):
    """Where an interaction goes that is not served by waiting on."""

    CALLBACK = "callback"
    VOICEMAIL = "voicemail"
    FORM = "form"
    MESSAGE = "message"
    QUEUE = "queue"
    FLOW = "flow"
    END = "end"


@dataclass(frozen=True, slots=True)
class WayOut:
    """A way out and, where the kind needs one, its target: a queue id, a flow id, a text's name."""

    kind: WayOutKind
    target: str = ""


class FlowCause(StrEnum):
    """Why an interaction flows out of its queue."""

    QUEUE_FULL = "queue_full"
    CLOSED = "closed"
    NOBODY_LOGGED_IN = "nobody_logged_in"
    NOBODY_ABLE = "nobody_able"
    WAITED_TOO_LONG = "waited_too_long"
    RELAXED_OUT = "relaxed_out"


class OfferEnd(StrEnum):
    """How an offer ends without being accepted."""

    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    BUSY = "busy"
    FAILED = "failed"
    CUSTOMER_LEFT = "customer_left"
    WON_ELSEWHERE = "won_elsewhere"
    AGENT_LOST = "agent_lost"
    SUPERVISOR = "supervisor"
    CAPACITY_CHANGED = "capacity_changed"


class Rule(StrEnum):
    """The rule that decided; `Reason.text` has a sentence for each."""

    CAME_TO_FREE_AGENT = "came_to_free_agent"
    AGENT_CAME_FREE = "agent_came_free"
    STICKY_AGENT = "sticky_agent"
    ONLY_AGENT = "only_agent"
    PICKED = "picked"
    ASSIGNED_BY_HAND = "assigned_by_hand"
    OFFER_ENDED = "offer_ended"
    AGENT_UNABLE = "agent_unable"
    MISSED_IN_A_ROW = "missed_in_a_row"
    ALL_DECLINED = "all_declined"
    WAY_OUT = "way_out"


class Reason(NamedTuple):
    """Why a decision was made: the rule and the figures it compared."""

    rule: Rule
    figures: Mapping[str, Figure]

    def text(self) -> str:
        """Return one short English sentence."""
        facts = ", ".join(" ".join(worded(name, value)) for name, value in self.figures.items())
        sentence = _SENTENCES[self.rule]
        return f"{sentence} ({facts})" if facts else sentence


_SENTENCES: Mapping[Rule, str] = {
    Rule.CAME_TO_FREE_AGENT: "The best free agent when it could first be taken",
    Rule.AGENT_CAME_FREE: "The most urgent interaction this agent may take when they came free",
    Rule.STICKY_AGENT: "This agent knows the customer",
    Rule.ONLY_AGENT: "It is addressed to this agent",
    Rule.PICKED: "The agent picked it from the list",
    Rule.ASSIGNED_BY_HAND: "A supervisor assigned it",
    Rule.OFFER_ENDED: "The offer ended",
    Rule.AGENT_UNABLE: "The agent can no longer take it",
    Rule.MISSED_IN_A_ROW: "The agent missed several offers in a row",
    Rule.ALL_DECLINED: "Everybody who may take it has declined it",
    Rule.WAY_OUT: "The queue's way out",
}
