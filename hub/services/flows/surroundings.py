"""What flows live among in this hub, for checking them: its queues, skills, services and channels, and who is there."""

from collections.abc import Iterable, Mapping

from hub.flows.checking import Around
from hub.settings import Settings
from routing.model import AgentState, SkillNeed
from routing.policy import Policy
from routing.validate import check_policy, nobody_for


def surroundings(settings: Settings, policy: Policy, staff: Iterable[AgentState]) -> Around:
    """Return what flows may name: queues with what is wrong with them, and whether this staff has the skills asked for.

    Without any staff nothing is said of what staff can do; without any service the company's systems are not known.
    """
    agents = list(staff)
    queues = dict.fromkeys(settings.queues, "")
    for finding in check_policy(policy, agents or None):
        if finding.queue_id in queues:
            queues[finding.queue_id] = queues[finding.queue_id] or finding.text

    def asked(queue: str, skills: Mapping[str, int]) -> str:
        needs = [SkillNeed(skill, level) for skill, level in sorted(skills.items())]
        return nobody_for(policy, queue, needs, agents) if agents and queue in policy.queues else ""

    return Around(
        queues=queues,
        skills=policy.skills or None,
        asked=asked,
        services=list(settings.services) or None,
        channels=list(settings.channels),
    )
