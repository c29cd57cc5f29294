"""Whether an event can be true at all, asked before it changes anything."""

from collections.abc import Iterable, Mapping
from math import inf

from routing.errors import AlreadyKnown, ImpossibleInput, UnknownChannel, UnknownQueue, UnknownSkill
from routing.model import AgentState, HeldWork, SkillNeed, WaitingInteraction
from routing.policy import Policy

LEVELS = range(1, 6)
MOST_VALUE = 1_000
LAST_MS = 1 << 44
"""No instant is later than this: it is in the year 2527."""


def check_interaction(policy: Policy, interaction: WaitingInteraction) -> None:
    """Raise ImpossibleInput if the interaction names what is not there or has figures that cannot be."""
    check_figures(interaction)
    check_wishes(policy, interaction)


def check_figures(interaction: WaitingInteraction) -> None:
    """Raise ImpossibleInput if the interaction's own figures cannot be."""
    if not interaction.id:
        _check_id(interaction.id)
    if not 1 <= interaction.value <= MOST_VALUE:
        raise ImpossibleInput(f"interaction {interaction.id}: value {interaction.value} is not 1..1000")
    figures = interaction.queued_at_ms | interaction.head_start_ms | interaction.order
    if not 0 <= figures | interaction.least_stage | interaction.offers_made < LAST_MS:
        # Joined bit by bit: negative if one of them is, and too great if one of them is.
        raise ImpossibleInput(f"interaction {interaction.id}: a time, order or count is negative or beyond reason")
    if not all(0 <= each.until_ms < LAST_MS for each in interaction.excluded):
        raise ImpossibleInput(f"interaction {interaction.id}: an exclusion's end is negative or beyond reason")


def check_wishes(policy: Policy, interaction: WaitingInteraction) -> None:
    """Raise ImpossibleInput if the interaction asks for what is not there; equal wishes are equally possible."""
    check_queue(policy, interaction.queue_id)
    _check_channel(policy, interaction.channel)
    check_needs(policy, interaction.skills)
    for group in interaction.any_of:
        check_needs(policy, group)
        if not group:
            raise ImpossibleInput(f"interaction {interaction.id}: a choice of no skills")
    _check_skills(policy, interaction.best_skills)


def check_needs(policy: Policy, needs: Iterable[SkillNeed]) -> None:
    """Raise ImpossibleInput if a skill is unknown or a level is outside 1..5."""
    for need in needs:
        _check_skills(policy, (need.skill,))
        if need.level not in LEVELS:
            raise ImpossibleInput(f"skill {need.skill}: level {need.level} is not 1..5")


def check_agent(policy: Policy, agent: AgentState) -> None:
    """Raise ImpossibleInput if the agent's state names what is not there or has figures that cannot be."""
    _check_id(agent.id)
    _check_skills(policy, agent.skills)
    for skill, level in agent.skills.items():
        if level not in LEVELS:
            raise ImpossibleInput(f"agent {agent.id}: skill {skill}: level {level} is not 1..5")
    _check_units(policy, agent.id, agent.units)
    if agent.capacity_units < 0:
        raise ImpossibleInput(f"agent {agent.id}: capacity {agent.capacity_units} is negative")
    if not 0 < agent.speed < inf:
        raise ImpossibleInput(f"agent {agent.id}: speed {agent.speed} is not positive, or beyond reason")
    _check_instants(agent)
    for queue_id in agent.queue_ids or ():
        check_queue(policy, queue_id)
    for channel in agent.channels or ():
        _check_channel(policy, channel)
    held = agent.holds or ()
    for work in held:
        check_work(policy, work)
    if len({work.interaction_id for work in held}) < len(held):
        raise AlreadyKnown(f"agent {agent.id} holds an interaction twice")


def _check_instants(agent: AgentState) -> None:
    for at_ms in (agent.idle_since_ms, agent.last_offer_at_ms):
        if at_ms is not None and not -1 <= at_ms < LAST_MS:
            raise ImpossibleInput(f"agent {agent.id}: an instant is negative or beyond reason")
    for figure in (agent.paused_until_ms, agent.misses):
        if figure is not None and not 0 <= figure < LAST_MS:
            raise ImpossibleInput(f"agent {agent.id}: a pause or a count is negative or beyond reason")


def check_work(policy: Policy, work: HeldWork) -> None:
    """Raise ImpossibleInput if held work is of no channel there is, or began when nothing can have begun."""
    _check_id(work.interaction_id)
    _check_channel(policy, work.channel)
    if not 0 <= work.since_ms < LAST_MS:
        raise ImpossibleInput(f"work {work.interaction_id}: its beginning is negative or beyond reason")


def check_queue(policy: Policy, queue_id: str) -> None:
    """Raise UnknownQueue if the policy has no such queue."""
    if queue_id not in policy.queues:
        raise UnknownQueue(f"there is no queue {queue_id!r}")


def _check_units(policy: Policy, agent_id: str, units: Mapping[str, int]) -> None:
    for channel, cost in units.items():
        _check_channel(policy, channel)
        if cost <= 0:
            raise ImpossibleInput(f"agent {agent_id}: {channel} costs {cost} units")


def _check_id(some_id: str) -> None:
    if not some_id:
        raise ImpossibleInput("an id is empty")


def _check_channel(policy: Policy, channel: str) -> None:
    if channel not in policy.channels:
        raise UnknownChannel(f"there is no channel kind {channel!r}")


def _check_skills(policy: Policy, skills: Iterable[str]) -> None:
    if policy.skills:
        for skill in skills:
            if skill not in policy.skills:
                raise UnknownSkill(f"there is no skill {skill!r}")
