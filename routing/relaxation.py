"""What loosens as the wait grows: a queue's stages, and what an interaction needs in each.

A stage begins at 0 and at every wait at which a relaxation step, a delayed group or the end of a reservation takes
effect. Stages only ever let more agents in.
"""

from bisect import bisect_right
from collections.abc import Mapping

from routing.eligibility import QUEUE_RANK_STEP, Door, Need, Skills
from routing.model import SkillNeed, WaitingInteraction, WayOut
from routing.policy import AgentGroup, QueuePolicy, RelaxStep


class Stages:
    """The compiled stages of one queue. `edges[i]` is the wait, in ms, at which stage i + 1 begins.

    `last` is the last stage's number; `ways_out[stage]` the way out that a step up to that stage opens;
    before `quiet_ms` nothing relaxes.
    """

    __slots__ = ("_queue", "_queues", "edges", "last", "quiet_ms", "ways_out")

    def __init__(self, queue: QueuePolicy, queues: Mapping[str, QueuePolicy]) -> None:
        self._queue = queue
        self._queues = queues
        edges = {step.after_ms for step in queue.relax}
        edges |= {group.delay_ms for group in queue.groups}
        edges |= {step.after_ms + group.delay_ms for step in queue.relax for group in step.add_groups}
        if queue.reservation is not None:
            edges.add(queue.reservation.until_waited_ms)
        self.edges = tuple(sorted(edge for edge in edges if edge > 0))
        self.last = len(self.edges)
        self.ways_out: tuple[WayOut | None, ...] = tuple(self._way_out(stage) for stage in range(self.last + 1))
        self.quiet_ms = float("inf") if not self.edges else self.edges[0]
        if self.ways_out[0] is not None:
            self.quiet_ms = 0

    def stage_at(self, waited_ms: int) -> int:
        """Return the stage in force after waiting this long."""
        return bisect_right(self.edges, waited_ms)

    def next_edge_ms(self, stage: int) -> int | None:
        """Return the wait at which the stage ends; None for the last."""
        return self.edges[stage] if stage < len(self.edges) else None

    def _way_out(self, stage: int) -> WayOut | None:
        for step in self._steps(stage):
            if step.way_out is not None:
                return step.way_out
        return None

    def keep_free(self, stage: int, value: int) -> int:
        """Return how many able agents must stay free when an interaction of this value is offered."""
        reservation = self._queue.reservation
        if reservation is None or value >= reservation.for_value_at_least:
            return 0
        return 0 if self._elapsed(stage) >= reservation.until_waited_ms else reservation.keep_free

    def need(self, interaction: WaitingInteraction, stage: int) -> Need:
        """Return what the interaction asks of an agent in the stage."""
        steps = self._steps(stage)
        lower_by = sum(step.lower_levels_by for step in steps)
        dropped = {skill for step in steps for skill in step.drop_skills}
        wanted = (*self._queue.skills, *interaction.skills)
        any_of = (_loosened(group, lower_by, dropped) for group in interaction.any_of if _kept(group, dropped))
        return Need(
            channel=interaction.channel,
            doors=self._doors(steps, self._elapsed(stage)),
            skills=_loosened(wanted, lower_by, dropped),
            any_of=tuple(any_of),
            best=tuple(sorted(interaction.best_skills)),
            languages=() if any(step.any_language for step in steps) else tuple(sorted(interaction.languages)),
            order=self._queue.agent_order,
        )

    def _elapsed(self, stage: int) -> int:
        return self.edges[stage - 1] if stage else 0

    def _steps(self, stage: int) -> list[RelaxStep]:
        elapsed = self._elapsed(stage)
        return [step for step in self._queue.relax if step.after_ms <= elapsed]

    def _doors(self, steps: list[RelaxStep], elapsed_ms: int) -> tuple[Door, ...]:
        queue = self._queue
        groups: tuple[tuple[str, int], ...] | None = None
        if queue.groups:
            groups = _present(queue.groups, elapsed_ms)
            for step in steps:
                groups += _present(step.add_groups, elapsed_ms - step.after_ms)
        doors = [Door(queue.id, groups)]
        others = [other for step in steps for other in step.add_queues]
        for number, other in enumerate(others, start=1):
            other_groups = tuple((group.id, group.rank) for group in self._queues[other].groups) or None
            doors.append(Door(other, other_groups, number * QUEUE_RANK_STEP))
        return tuple(doors)


def _present(groups: tuple[AgentGroup, ...], elapsed_ms: int) -> tuple[tuple[str, int], ...]:
    return tuple((group.id, group.rank) for group in groups if group.delay_ms <= elapsed_ms)


def _kept(group: tuple[SkillNeed, ...], dropped: set[str]) -> bool:
    """A choice of skills is void as soon as one of them is dropped: whoever comes satisfies it."""
    return not any(need.skill in dropped for need in group)


def _loosened(needs: tuple[SkillNeed, ...], lower_by: int, dropped: set[str]) -> Skills:
    levels: dict[str, int] = {}
    for need in needs:
        if need.skill not in dropped:
            levels[need.skill] = max(levels.get(need.skill, 1), need.level - lower_by)
    return tuple(sorted(levels.items()))
