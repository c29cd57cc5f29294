"""Can anybody take what waits? For each queue, who of the configured agents may, and what the others lack."""

from collections.abc import Iterator
from typing import Final

from hub.settings.floor import AgentSettings, QueueSettings, Settings
from hub.settings.values import Problem

_LIVE: Final = ("agent", "supervisor")


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each queue that none of the configured agents can take.

    Agents made at the command line are not known here; without any configured agent nothing is said.
    """
    staff = [agent for agent in settings.agents.values() if agent.role in _LIVE]
    if not staff:
        return
    for queue in settings.queues.values():
        if not any(_can_serve(agent, queue) for agent in staff):
            text = f"0 of {len(staff)} agents can take queue {queue.id}: {_why(staff, queue)}."
            yield Problem(where=f"queues.{queue.id}", text=text, hint=_way(queue))


def _can_serve(agent: AgentSettings, queue: QueueSettings) -> bool:
    return _is_member(agent, queue) and not _lacks(agent, queue)


def _is_member(agent: AgentSettings, queue: QueueSettings) -> bool:
    if agent.queues is not None and queue.id not in agent.queues:
        return False
    groups = {group.id for group in queue.groups}
    return not groups or bool(groups & set(agent.groups))


def _lacks(agent: AgentSettings, queue: QueueSettings) -> list[str]:
    return [skill for skill, level in queue.skills.items() if agent.skills.get(skill, 0) < level]


def _why(staff: list[AgentSettings], queue: QueueSettings) -> str:
    members = [agent for agent in staff if _is_member(agent, queue)]
    if not members:
        if queue.groups:
            return f"none is in {' or '.join(group.id for group in queue.groups)} and serves it"
        return "none serves it"
    missing_to_all = [skill for skill in queue.skills if all(skill in _lacks(agent, queue) for agent in members)]
    if missing_to_all:
        skill = missing_to_all[0]
        return f"none has skill {skill} >= {queue.skills[skill]}"
    return f"none has all of {', '.join(f'{skill} >= {level}' for skill, level in queue.skills.items())}"


def _way(queue: QueueSettings) -> str:
    loosened = [
        step for step in queue.relax if step.lower_levels_by or step.drop_skills or step.add_groups or step.add_queues
    ]
    if loosened:
        return f"It loosens after {loosened[0].after_s:g} s; until then everybody waits."
    return "Give somebody the skill, or add the queue to an agent's `queues`."
