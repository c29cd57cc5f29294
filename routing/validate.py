"""Is this policy sound, and can these agents serve it? Asked before a policy is taken.

Errors contradict themselves and are refused by the engine; warnings are lawful and probably not meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from routing import hours
from routing.checks import LEVELS, check_agent
from routing.eligibility import Need, rank_of, refusals, talent_of
from routing.errors import RoutingError
from routing.model import AgentState, SkillNeed, WaitingInteraction, WayOut, WayOutKind
from routing.policy import AgentGroup, Policy, QueuePolicy
from routing.relaxation import Stages


class Severity(StrEnum):
    """Whether a finding stops the policy from being taken."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a policy: a stable code, the queue it is about ("" for none), a sentence."""

    severity: Severity
    code: str
    queue_id: str
    text: str


def check_policy(policy: Policy, agents: Iterable[AgentState] | None = None) -> list[Finding]:
    """Return what is wrong with the policy, errors first; with `agents`, also what those agents cannot serve."""
    found = _check_settings(policy)
    for key, queue in policy.queues.items():
        if key != queue.id:
            found.append(_error("queue_id", key, f"queue {key} calls itself {queue.id}"))
        found += _check_figures(queue)
        found += _check_names(queue, policy)
        found += _check_order_of_times(queue)
        found += _check_halves(queue, policy)
    found += _check_way_out_rings(policy)
    if agents is not None and not any(finding.severity is Severity.ERROR for finding in found):
        found += _check_agents(policy, list(agents))
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def nobody_for(policy: Policy, queue_id: str, skills: Iterable[SkillNeed], agents: Iterable[AgentState]) -> str:
    """Return why none of these agents can ever take what asks for skills beside its queue's own; "" if somebody can.

    The queue and the skills are the policy's; ask `check_wishes` about others.
    """
    queue, needs = policy.queues[queue_id], tuple(skills)
    stages, staff = Stages(queue, policy.queues), list(agents)
    if any(_able(policy, queue, stages, stage, staff, needs) for stage in range(stages.last + 1)):
        return ""
    why = _why_nobody(policy, _need_in(policy, queue, stages, stages.last, needs), staff)
    return f"0 of {len(staff)} agents can take it: {why}"


def _error(code: str, queue_id: str, text: str) -> Finding:
    return Finding(Severity.ERROR, code, queue_id, text)


def _warning(code: str, queue_id: str, text: str) -> Finding:
    return Finding(Severity.WARNING, code, queue_id, text)


def _check_settings(policy: Policy) -> list[Finding]:
    found = []
    for kind, channel in policy.channels.items():
        if channel.units <= 0 or channel.offer_timeout_ms <= 0:
            found.append(_error("channel_figures", "", f"channel {kind}: units and offer timeout must be positive"))
        found += [
            _error("unknown_channel", "", f"channel {kind} may be interrupted by {other}, which is no channel")
            for other in channel.may_be_interrupted_by
            if other not in policy.channels
        ]
        if kind in channel.may_be_interrupted_by:
            text = f"channel {kind} may be interrupted by itself: an agent could have any number at once"
            found.append(_error("interrupts_itself", "", text))
    for hours_id, times in policy.hours.items():
        found += [_error("hours", "", f"hours {hours_id}: {text}") for text in hours.problems(times)]
    durations = [*policy.agent_backoff_ms.values(), *policy.same_agent_again_ms.values(), policy.refused_backoff_ms]
    if min(durations) < 0 or policy.nobody_grace_ms < 0 or policy.clock_slack_ms < 0:
        found.append(_error("negative_time", "", "a back-off, grace or slack is negative"))
    if policy.misses_until_not_responding < 1 or policy.first_come_target_ms <= 0:
        found.append(_error("settings", "", "misses until not responding and first-come target must be positive"))
    return found


def _check_figures(queue: QueuePolicy) -> list[Finding]:
    positive = {
        "target_ms": queue.target_ms,
        "long_wait_factor": queue.long_wait_factor,
        "offers_at_once": queue.offers_at_once,
        "max_wait_ms": queue.max_wait_ms,
        "max_length": queue.max_length,
        "offer_timeout_ms": queue.offer_timeout_ms,
        "only_agent_ms": queue.only_agent_ms,
    }
    found = [
        _error("figures", queue.id, f"queue {queue.id}: {name} is {value}, must be positive")
        for name, value in positive.items()
        if value is not None and value <= 0
    ]
    if queue.sticky_ms < 0 or any(step.after_ms < 0 or step.lower_levels_by < 0 for step in queue.relax):
        found.append(_error("figures", queue.id, f"queue {queue.id}: a sticky or relaxation figure is negative"))
    found += [
        _error("figures", queue.id, f"queue {queue.id}: group {group.id} has a negative rank or delay")
        for group in _groups(queue)
        if group.rank < 0 or group.delay_ms < 0
    ]
    reservation = queue.reservation
    if reservation is not None and (reservation.keep_free < 1 or reservation.until_waited_ms < 0):
        found.append(_error("figures", queue.id, f"queue {queue.id}: a reservation keeps at least one agent free"))
    return found


def _check_names(queue: QueuePolicy, policy: Policy) -> list[Finding]:
    found = []
    if queue.hours_id is not None and queue.hours_id not in policy.hours:
        found.append(_error("unknown_hours", queue.id, f"queue {queue.id}: there are no hours {queue.hours_id}"))
    found += [
        _error("level", queue.id, f"queue {queue.id}: level {need.level} of {need.skill} is not 1..5")
        for need in queue.skills
        if need.level not in LEVELS
    ]
    named = [need.skill for need in queue.skills] + [skill for step in queue.relax for skill in step.drop_skills]
    if policy.skills:
        found += [
            _error("unknown_skill", queue.id, f"queue {queue.id}: there is no skill {skill}")
            for skill in named
            if skill not in policy.skills
        ]
    found += [
        _error("unknown_queue", queue.id, f"queue {queue.id}: there is no queue {other} whose agents could help")
        for step in queue.relax
        for other in step.add_queues
        if other not in policy.queues
    ]
    found += [
        _error("way_out_nowhere", queue.id, f"queue {queue.id}: its way out leads to queue {way.target}, which is not")
        for way in _ways_out(queue)
        if way.kind is WayOutKind.QUEUE and way.target not in policy.queues
    ]
    if any(way.kind is WayOutKind.FLOW and not way.target for way in _ways_out(queue)):
        found.append(_error("way_out_nowhere", queue.id, f"queue {queue.id}: its way out leads to a flow without name"))
    return found


def _check_order_of_times(queue: QueuePolicy) -> list[Finding]:
    found = []
    limit, ending = _end_of_waiting(queue)
    if limit is not None:
        found += [
            _warning("unreachable_step", queue.id, f"queue {queue.id}: {what} after {after} ms comes {ending}")
            for what, after in _beginnings(queue)
            if after > limit or (after == limit == queue.max_wait_ms)
        ]
        found += [
            _warning("overlapping_timers", queue.id, f"queue {queue.id}: {what} {lasts} ms, longer than anybody waits")
            for what, lasts in _patiences(queue)
            if lasts >= limit
        ]
    times = [step.after_ms for step in queue.relax]
    if len(set(times)) < len(times):
        found.append(_warning("overlapping_steps", queue.id, f"queue {queue.id}: two steps begin at the same wait"))
    return found


def _end_of_waiting(queue: QueuePolicy) -> tuple[int | None, str]:
    """Return the wait at which everybody has left the queue by a way out, and in words what comes after it."""
    outs = [step.after_ms for step in queue.relax if step.way_out is not None]
    limit = queue.max_wait_ms if queue.when_waited is not None else None
    if outs and (limit is None or min(outs) < limit):
        return min(outs), f"after the way out at {min(outs)} ms and is never reached"
    return limit, f"after the longest wait of {limit} ms"


def _beginnings(queue: QueuePolicy) -> list[tuple[str, int]]:
    """Return what begins at which wait: steps and rings of agents."""
    found = [(f"the ring {group.id}", group.delay_ms) for group in queue.groups if group.delay_ms]
    for step in queue.relax:
        found.append(("the step", step.after_ms))
        found += [(f"the ring {group.id}", step.after_ms + group.delay_ms) for group in step.add_groups]
    return found


def _patiences(queue: QueuePolicy) -> list[tuple[str, int]]:
    """Return what holds an interaction back for how long."""
    found = [("waits for the known agent", queue.sticky_ms)]
    if queue.only_agent_ms is not None:
        found.append(("waits for the one agent it is addressed to", queue.only_agent_ms))
    if queue.reservation is not None:
        found.append(("keeps agents free for better customers", queue.reservation.until_waited_ms))
    return found


def _check_halves(queue: QueuePolicy, policy: Policy) -> list[Finding]:
    """Find settings of which one half is missing or never takes effect."""
    found = []
    for wait, way, name in (
        (queue.max_wait_ms, queue.when_waited, "wait"),
        (queue.max_length, queue.when_full, "length"),
    ):
        if (wait is None) != (way is None):
            text = f"queue {queue.id}: a longest {name} needs both its figure and its way out"
            found.append(_warning("half_a_limit", queue.id, text))
    if any(group.delay_ms for group in queue.groups) and all(group.delay_ms for group in queue.groups):
        found.append(_warning("empty_first_ring", queue.id, f"queue {queue.id}: no group serves it from the start"))
    if queue.when_closed is not None and queue.hours_id is None:
        found.append(_warning("never_closed", queue.id, f"queue {queue.id} has a way out when closed but no hours"))
    if queue.hours_id is not None and hours.next_open_ms(policy.hours.get(queue.hours_id, _ALWAYS), 0) is None:
        found.append(_warning("never_open", queue.id, f"queue {queue.id}: hours {queue.hours_id} never open"))
    return found


_ALWAYS = hours.BusinessHours(week=dict.fromkeys(hours.WEEKDAYS, ("00:00-24:00",)))


def _check_way_out_rings(policy: Policy) -> list[Finding]:
    """Find queues whose ways out lead, from queue to queue, back to themselves."""
    found = []
    onward = {
        queue.id: [way.target for way in _ways_out(queue) if way.kind is WayOutKind.QUEUE]
        for queue in policy.queues.values()
    }
    for start, targets in onward.items():
        seen: dict[str, None] = {}
        ahead = list(targets)
        while ahead:
            queue_id = ahead.pop()
            if queue_id not in seen:
                seen[queue_id] = None
                ahead += onward.get(queue_id, [])
        if start in seen:
            found.append(_warning("way_out_ring", start, f"queue {start}: its ways out lead back to itself"))
    return found


def _check_agents(policy: Policy, agents: list[AgentState]) -> list[Finding]:
    found = []
    sound = []
    for agent in agents:
        try:
            check_agent(policy, agent)
        except RoutingError as error:
            found.append(_error(error.code, "", str(error)))
        else:
            sound.append(agent)
    for queue in policy.queues.values():
        found += _check_serving(policy, queue, sound)
    return found


def _check_serving(policy: Policy, queue: QueuePolicy, agents: list[AgentState]) -> list[Finding]:
    found = []
    stages = Stages(queue, policy.queues)
    groups = {group for agent in agents for group in agent.groups}
    found += [
        _warning("empty_group", queue.id, f"queue {queue.id}: nobody is in group {group.id}")
        for group in _groups(queue)
        if group.id not in groups
    ]
    found += _check_rings(policy, queue, stages, agents)
    if not _able(policy, queue, stages, 0, agents):
        text = f"0 of {len(agents)} agents can take queue {queue.id}"
        why = _why_nobody(policy, _need_in(policy, queue, stages, 0), agents)
        later = [stage for stage in range(1, stages.last + 1) if _able(policy, queue, stages, stage, agents)]
        if later:
            text += f" before it has waited {stages.edges[later[0] - 1]} ms"
        found.append(_warning("nobody_able", queue.id, f"{text}: {why}"))
    return found


def _check_rings(policy: Policy, queue: QueuePolicy, stages: Stages, agents: list[AgentState]) -> list[Finding]:
    """Find groups in which somebody is, but nobody who could take anything of the queue however long it waited."""
    found = []
    needs = _need_in(policy, queue, stages, stages.last)
    for group_id in dict.fromkeys(group.id for group in _groups(queue)):
        members = [agent for agent in agents if group_id in agent.groups]
        if members and not _able(policy, queue, stages, stages.last, members):
            text = f"0 of {len(members)} agents of group {group_id} can take queue {queue.id}"
            why = _why_nobody(policy, needs, members)
            found.append(_warning("unreachable_ring", queue.id, f"{text}: {why}"))
    reservation = queue.reservation
    able = _able(policy, queue, stages, 0, agents)
    if reservation is not None and 0 < able <= reservation.keep_free:
        text = f"queue {queue.id}: keeps {reservation.keep_free} agents free, and only {able} can take it"
        found.append(_warning("reserves_everybody", queue.id, text))
    return found


def _need_in(
    policy: Policy, queue: QueuePolicy, stages: Stages, stage: int, skills: tuple[SkillNeed, ...] = ()
) -> list[Need]:
    """What an interaction asks in the stage, on each channel: without needs of its own, or with these."""
    return [
        stages.need(
            WaitingInteraction(id="any", queue_id=queue.id, channel=channel, queued_at_ms=0, skills=skills), stage
        )
        for channel in policy.channels
    ]


def _able(
    policy: Policy,
    queue: QueuePolicy,
    stages: Stages,
    stage: int,
    agents: list[AgentState],
    skills: tuple[SkillNeed, ...] = (),
) -> int:
    needs = _need_in(policy, queue, stages, stage, skills)
    talents = [talent_of(agent, policy) for agent in agents]
    return sum(any(rank_of(need, talent) is not None for need in needs) for talent in talents)


def _why_nobody(policy: Policy, needs: list[Need], agents: list[AgentState]) -> str:
    """Name the demand that the most agents fail, of the channel that comes closest."""
    talents = [talent_of(agent, policy) for agent in agents]
    fails: dict[str, int] = {}
    for talent in talents:
        of_channels = [refusals(need, talent) for need in needs]
        for refusal in min(of_channels, key=len):
            name = refusal.code if refusal.code != "skill" else "skill " + refusal.fact.split()[0]
            fails[name] = fails.get(name, 0) + 1
    if not fails:
        return "there are none"
    worst = max(fails, key=lambda name: fails[name])
    if worst.startswith("skill "):
        skill = worst.removeprefix("skill ")
        level = max(level for need in needs for name, level in need.skills if name == skill)
        return f"{'none has' if fails[worst] == len(talents) else 'too few have'} {skill} >= {level}"
    reasons = {"not_a_member": "do not serve it", "channel": "take none of its channels", "language": "lack a language"}
    return f"{fails[worst]} {reasons.get(worst, 'lack a skill')}"


def _ways_out(queue: QueuePolicy) -> list[WayOut]:
    ways = [queue.when_waited, queue.when_full, queue.when_nobody, queue.when_unable, queue.when_closed]
    ways += [step.way_out for step in queue.relax]
    return [way for way in ways if way is not None]


def _groups(queue: QueuePolicy) -> list[AgentGroup]:
    return [*queue.groups, *(group for step in queue.relax for group in step.add_groups)]
