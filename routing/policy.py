"""The configuration routing runs under: channels, queues, engine-wide settings.

Plain frozen dataclasses with defaults, so that a configuration file converts straight into them.
`validate.check_policy` names what contradicts itself; the engine refuses such a policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.hours import BusinessHours
from routing.model import OfferEnd, SkillNeed, WayOut

DAY_MS = 86_400_000


class Profile(StrEnum):
    """How a queue's interactions compete for an agent; see `ranking`."""

    IN_TIME_FIRST = "in_time_first"
    GENERALIZED_CMU = "generalized_cmu"
    STRICT_PRIORITY = "strict_priority"
    FIRST_COME = "first_come"


class AgentOrder(StrEnum):
    """Which of several free agents gets an interaction; ties go to the longest idle."""

    LEAST_FLEXIBLE = "least_flexible"
    LONGEST_IDLE = "longest_idle"
    LEAST_LOADED = "least_loaded"
    MOST_SKILLED = "most_skilled"
    FASTEST = "fastest"
    ROUND_ROBIN = "round_robin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPolicy:
    """What one interaction of a channel kind costs an agent, and how it is offered."""

    units: int = 100
    """Units of an agent's capacity (100 by default) one interaction takes, 1..1000."""
    may_be_interrupted_by: tuple[str, ...] = ()
    """Channel kinds that may be offered although this work fills the agent."""
    pack: bool = True
    """Fill agents who already have some before starting on whole ones, so that calls find whole agents.
    Without effect on channels that take a whole agent."""
    offer_timeout_ms: int = 20_000
    """How long an agent may look at an offer. Below 10 s people miss it; above 30 s callers hang up."""
    auto_accept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGroup:
    """A group of agents serving a queue: lower rank first; only after `delay_ms` of waiting."""

    id: str
    rank: int = 0
    delay_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaxStep:
    """What loosens once an interaction has waited `after_ms`. Steps add up; none takes anything back."""

    after_ms: int
    lower_levels_by: int = 0
    """Every needed level falls by this much, never below 1."""
    drop_skills: tuple[str, ...] = ()
    add_groups: tuple[AgentGroup, ...] = ()
    add_queues: tuple[str, ...] = ()
    """Agents who serve these queues may take it too (rank after the queue's own)."""
    any_language: bool = False
    way_out: WayOut | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Keep agents free for better customers; an interaction that waited `until_waited_ms` is held back no longer,
    so the reservation switches itself off in overload."""

    keep_free: int = 1
    """Agents able to take the interaction who stay free when it is offered."""
    for_value_at_least: int = 2
    """Interactions of this value or more are not held back."""
    until_waited_ms: int = 20_000
    """Beyond this wait nobody is held back. Longer than the target it costs the rest their target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePolicy:
    """One queue: its target, how its interactions and agents are ordered, what loosens, its ways out."""

    id: str
    target_ms: int = 20_000
    """Service-level target: answered within this is in time."""
    profile: Profile = Profile.IN_TIME_FIRST
    agent_order: AgentOrder = AgentOrder.LEAST_FLEXIBLE
    long_wait_factor: int = 3
    """Who has waited this many targets goes before everybody in time (profile in_time_first)."""
    skills: tuple[SkillNeed, ...] = ()
    groups: tuple[AgentGroup, ...] = ()
    """Empty: every agent, as skills allow."""
    relax: tuple[RelaxStep, ...] = ()
    max_wait_ms: int | None = None
    when_waited: WayOut | None = None
    max_length: int | None = None
    when_full: WayOut | None = None
    when_nobody: WayOut | None = None
    """Nobody who serves the queue is logged in. None: it waits."""
    when_unable: WayOut | None = None
    """Agents are logged in, none could take it even when fully relaxed. None: it waits."""
    hours_id: str | None = None
    when_closed: WayOut | None = None
    """Came while closed. None: it waits for opening."""
    work_off_after_close: bool = True
    """Who came in opening hours is still served after closing; otherwise the way out, or waiting for opening."""
    count_closed_wait: bool = True
    """Whether waiting for opening counts as waiting, in order and relaxation."""
    sticky_ms: int = 0
    """How long a preferred agent who is logged in but not free is waited for."""
    only_agent_ms: int | None = None
    """How long an interaction waits for the one agent it is addressed to; None: for ever."""
    offer_timeout_ms: int | None = None
    """Overrides the channel's."""
    offers_at_once: int = 1
    """How many agents are offered the same interaction; the first who accepts has it."""
    auto_accept: bool | None = None
    """Overrides the channel's."""
    pick_allowed: bool = False
    reservation: Reservation | None = None


def _default_channels() -> dict[str, ChannelPolicy]:
    return {
        "voice": ChannelPolicy(units=100, offer_timeout_ms=20_000),
        "chat": ChannelPolicy(units=25, offer_timeout_ms=30_000),
        "email": ChannelPolicy(units=20, may_be_interrupted_by=("voice",), offer_timeout_ms=300_000),
    }


def _default_backoff() -> dict[OfferEnd, int]:
    return {
        OfferEnd.REJECTED: 0,
        OfferEnd.TIMED_OUT: 5_000,
        OfferEnd.BUSY: 10_000,
        OfferEnd.FAILED: 5_000,
        OfferEnd.CAPACITY_CHANGED: 1_000,
    }


def _default_exclusion() -> dict[OfferEnd, int]:
    return {
        OfferEnd.REJECTED: 60_000,
        OfferEnd.TIMED_OUT: 60_000,
        OfferEnd.BUSY: 10_000,
        OfferEnd.FAILED: 5_000,
        OfferEnd.AGENT_LOST: 5_000,
        OfferEnd.SUPERVISOR: 60_000,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything routing is configured with. `queues` and `channels` are keyed by id and by kind."""

    queues: Mapping[str, QueuePolicy]
    channels: Mapping[str, ChannelPolicy] = field(default_factory=_default_channels)
    hours: Mapping[str, BusinessHours] = field(default_factory=dict)
    skills: tuple[str, ...] = ()
    """All skills there are; empty: any name is taken. A skill not listed is refused."""
    misses_until_not_responding: int = 2
    agent_backoff_ms: Mapping[OfferEnd, int] = field(default_factory=_default_backoff)
    """How long the agent is offered nothing, by how the offer ended."""
    same_agent_again_ms: Mapping[OfferEnd, int] = field(default_factory=_default_exclusion)
    """How long this interaction is not offered to this agent again, by how the offer ended."""
    refused_backoff_ms: int = 250
    """Pause of an agent whose offer the store refused, until their true state arrives."""
    nobody_grace_ms: int = 15_000
    """How long a queue may be without any able agent before those waiting flow out. Below the connection's
    grace a dropped browser empties the queue."""
    first_come_target_ms: int = 60_000
    """Target by which first-come queues compete with queues of other profiles."""
    clock_slack_ms: int = 5_000
    """An event older than the last by up to this is taken as simultaneous with it; more is an error."""
