"""May this agent take this interaction? The part that does not change from minute to minute.

What an interaction needs is a `Need`, what an agent offers is a `Talent`; many interactions and many agents share
them, so each pair is judged once. What does change (presence, capacity, pauses, exclusions) is the engine's.
"""

from dataclasses import dataclass, field

from routing.model import AgentState
from routing.policy import AgentOrder, Policy

Skills = tuple[tuple[str, int], ...]
"""(skill, level) pairs, sorted."""

QUEUE_RANK_STEP = 1_000
"""Agents let in from another queue rank after all of the queue's own."""


@dataclass(frozen=True, slots=True)
class Door:
    """One way to belong to those who serve: the queue, the groups with their ranks (None: everybody)."""

    queue_id: str
    groups: tuple[tuple[str, int], ...] | None
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """What an interaction asks of an agent at its present stage, and how its agents are ordered."""

    channel: str
    doors: tuple[Door, ...]
    skills: Skills = ()
    any_of: tuple[Skills, ...] = ()
    best: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    order: AgentOrder = AgentOrder.LEAST_FLEXIBLE


@dataclass(frozen=True, slots=True)
class Talent:
    """What an agent offers, without who they are: equal agents share one."""

    skills: Skills
    languages: tuple[str, ...]
    groups: tuple[str, ...]
    queue_ids: tuple[str, ...] | None
    units: tuple[tuple[str, int], ...]
    """(channel kind, units it costs this agent) for each kind the agent takes."""
    capacity_units: int
    flexibility: int
    levels: dict[str, int] = field(compare=False, hash=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an agent may not take an interaction: a stable code and the facts."""

    code: str
    fact: str = ""


def talent_of(agent: AgentState, policy: Policy) -> Talent:
    """Return what the agent offers under the policy."""
    kinds = policy.channels if agent.channels is None else agent.channels
    units = tuple(sorted((kind, agent.units.get(kind, policy.channels[kind].units)) for kind in kinds))
    breadth = len(agent.skills) + len(agent.languages) + len(agent.groups) + len(units)
    breadth += len(policy.queues) if agent.queue_ids is None else len(agent.queue_ids)
    return Talent(
        skills=tuple(sorted(agent.skills.items())),
        languages=tuple(sorted(agent.languages)),
        groups=tuple(sorted(agent.groups)),
        queue_ids=None if agent.queue_ids is None else tuple(sorted(agent.queue_ids)),
        units=units,
        capacity_units=agent.capacity_units,
        flexibility=breadth * 1_000 + sum(agent.skills.values()),
        levels=dict(agent.skills),
    )


def rank_of(need: Need, talent: Talent) -> int | None:
    """Return the agents' rank for the need (0 is best), or None if they may not take it."""
    levels = talent.levels
    for skill, level in need.skills:
        if levels.get(skill, 0) < level:
            return None
    for group in need.any_of:
        if not any(levels.get(skill, 0) >= level for skill, level in group):
            return None
    if need.languages and not any(language in talent.languages for language in need.languages):
        return None
    if not any(kind == need.channel and units <= talent.capacity_units for kind, units in talent.units):
        return None
    return _door_rank(need, talent)


def _door_rank(need: Need, talent: Talent) -> int | None:
    ranks = []
    for door in need.doors:
        if talent.queue_ids is not None and door.queue_id not in talent.queue_ids:
            continue
        if door.groups is None:
            ranks.append(door.rank)
        else:
            ranks += [door.rank + rank for group, rank in door.groups if group in talent.groups]
    return min(ranks, default=None)


def refusals(need: Need, talent: Talent) -> tuple[Refusal, ...]:
    """Return every reason why the agents may not take the need, in a fixed order; none if `rank_of` gives a rank."""
    found = []
    units = dict(talent.units).get(need.channel)
    if units is None:
        found.append(Refusal("channel", f"does not take {need.channel}"))
    elif units > talent.capacity_units:
        found.append(Refusal("channel", f"{need.channel} takes {units} of {talent.capacity_units} units"))
    if _door_rank(need, talent) is None:
        found.append(Refusal("not_a_member", f"does not serve {' or '.join(door.queue_id for door in need.doors)} yet"))
    for skill, level in need.skills:
        if talent.levels.get(skill, 0) < level:
            found.append(Refusal("skill", f"{skill} {talent.levels.get(skill, 0)} < {level}"))
    found += [
        Refusal("any_skill", " or ".join(f"{skill} >= {level}" for skill, level in group))
        for group in need.any_of
        if not any(talent.levels.get(skill, 0) >= level for skill, level in group)
    ]
    if need.languages and not any(language in talent.languages for language in need.languages):
        found.append(Refusal("language", " or ".join(need.languages)))
    return tuple(found)
