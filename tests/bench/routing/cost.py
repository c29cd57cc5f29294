"""CPU per assignment at full size, in three regimes, against a small floor and against bare heaps.

What the bare heaps cost is measured between the parts of the day, so that the same caches and the same clock are had.

An assignment here is everything it takes: the interaction comes, is offered, is accepted, the work ends (and whatever
those bring about). Only the engine's own work is measured: two equal routers are made, one lives through the day and
its events are written down, the other is told them again in a bare loop and timed; it decides the same. Choosing whose
work ends and making events is the caller's. Run: python -m tests.bench.routing.cost
"""

import gc
import heapq
import itertools
import sys
import time
from dataclasses import replace

from routing.engine import Router
from routing.events import Event, InteractionQueued, MakeOffer, OfferAccepted, Tick, WorkEnded
from routing.model import AgentState, HeldWork, SkillNeed, WaitingInteraction
from routing.policy import AgentGroup, Policy, QueuePolicy, RelaxStep
from routing.rolls import Rolls
from routing.state import Snapshot

SKILLS = [f"s{number}" for number in range(16)]
RARE = [f"rare{number}" for number in range(4)]
TIERS = (1, 2, 4)
PARTS = 12
PART = 4_000
"""Assignments in a part: as many as come in while an offer may be looked at, so that each has its share of timers."""
START_MS = 1_700_000_000_000


def policy() -> Policy:
    """Four queues with skills, groups and relaxation."""
    relax = (RelaxStep(after_ms=30_000, lower_levels_by=1, add_groups=(AgentGroup(id="help", rank=2),)),)
    groups = (AgentGroup(id="first"), AgentGroup(id="second", rank=1))
    queues = [
        QueuePolicy(id=f"q{number}", target_ms=target, groups=groups, relax=relax)
        for number, target in enumerate((20_000, 20_000, 60_000, 60_000))
    ]
    return Policy(queues={queue.id: queue for queue in queues})


def signatures(rolls: Rolls) -> list[tuple[str, tuple[SkillNeed, ...]]]:
    """Eighty distinct requirements: a queue and one to three skills."""
    found: dict[tuple[str, tuple[SkillNeed, ...]], None] = {}
    while len(found) < 80:
        count = 1 + rolls.below(3)
        chosen = sorted({SKILLS[rolls.below(len(SKILLS))] for _ in range(count)})
        found[f"q{rolls.below(4)}", tuple(SkillNeed(skill, 1 + rolls.below(3)) for skill in chosen)] = None
    return list(found)


def agent(number: int, rolls: Rolls, profiles: int) -> AgentState:
    """An agent of one of so many skill profiles."""
    profile = Rolls(1000 + number % profiles)
    skills = {SKILLS[profile.below(len(SKILLS))]: 2 + profile.below(4) for _ in range(4 + profile.below(5))}
    group = "help" if number % 10 == 0 else "second" if number % 10 < 4 else "first"
    return AgentState(id=f"a{number:05}", skills=skills, groups=(group,))


class Floor:
    """Two equal routers with agents and an aged backlog, and a clock under which the backlog lasts 500 s.

    `router` lives through the day, which is written down in `told`; `timed` is to be told it again.
    """

    def __init__(self, agents: int, waiting: int, *, regime: str, profiles: int) -> None:
        rolls = Rolls(7)
        self.step_ms = 500_000 // waiting
        self.now_ms = START_MS
        self.signatures = signatures(rolls)
        self.numbers = itertools.count()
        self.rolls = rolls
        self.regime = regime
        states = [agent(number, rolls, profiles) for number in range(agents)]
        backlog = []
        if regime != "free":
            backlog = [self.interaction(is_rare=regime == "stuck", age=waiting - number) for number in range(waiting)]
        busy = states if regime == "busy" else states[: agents // 2] if regime == "stuck" else []
        held = {each.id: f"h{each.id}" for each in busy}
        self.at_work = list(held.items())
        states = [
            replace(each, holds=(HeldWork(held[each.id], "voice", "q0", START_MS),)) if each.id in held else each
            for each in states
        ]
        snapshot = Snapshot(at_ms=START_MS, waiting=tuple(backlog), agents=tuple(states))
        self.router, self.timed = Router(policy(), snapshot), Router(policy(), snapshot)
        for router in (self.router, self.timed):
            router.handle(Tick(), at_ms=START_MS)
        self.told: list[tuple[Event, int]] = []
        gc.collect()
        gc.freeze()

    def interaction(self, *, is_rare: bool = False, age: int = 0) -> WaitingInteraction:
        queue_id, needs = self.signatures[self.rolls.below(80)]
        if is_rare:
            needs = (*needs, SkillNeed(RARE[self.rolls.below(len(RARE))]))
        return WaitingInteraction(
            id=f"i{next(self.numbers):07}",
            queue_id=queue_id,
            channel="voice",
            queued_at_ms=self.now_ms - age * self.step_ms,
            value=TIERS[self.rolls.below(3)],
            skills=needs,
        )

    def tell(self, event: Event) -> int:
        """Tell the router; accept what it offers. Returns how many offers it made."""
        made = 0
        self.told.append((event, self.now_ms))
        for decision in self.router.handle(event, at_ms=self.now_ms):
            if type(decision) is MakeOffer:
                made += 1
                self.at_work.append((decision.agent_id, decision.interaction_id))
                accepted = OfferAccepted(decision.interaction_id, decision.agent_id)
                self.told.append((accepted, self.now_ms))
                self.router.handle(accepted, at_ms=self.now_ms)
        return made

    def tell_again(self) -> float:
        """Tell the other router what has been told since the last time; return the seconds of CPU that took."""
        handle = self.timed.handle
        told, self.told = self.told, []
        began = time.process_time()
        for event, at_ms in told:
            handle(event, at_ms=at_ms)
        return time.process_time() - began

    def arrivals(self, count: int) -> list[tuple[InteractionQueued, int]]:
        """Return the next interactions to come, each with a roll that says whose work ends then."""
        coming = []
        for _ in range(count):
            self.now_ms += self.step_ms
            coming.append((InteractionQueued(self.interaction()), self.rolls.bits()))
        self.now_ms -= count * self.step_ms
        return coming

    def run(self, coming: list[tuple[InteractionQueued, int]]) -> int:
        """Let them come, and for each somebody's work end; return the number of assignments that brought about."""
        made = 0
        at_work = self.at_work
        for event, roll in coming:
            self.now_ms += self.step_ms
            made += self.tell(event)
            if at_work:
                place = roll % len(at_work)
                at_work[place], at_work[-1] = at_work[-1], at_work[place]
                agent_id, interaction_id = at_work.pop()
                made += self.tell(WorkEnded(agent_id, interaction_id))
        return made


class Bare:
    """What an assignment is made of: two heap pops and pushes, two dictionary updates, on structures of full size."""

    def __init__(self, agents: int, waiting: int) -> None:
        rolls = Rolls(3)
        self.items = [(rolls.below(10**9), f"i{number}") for number in range(waiting)]
        self.people = [(rolls.below(10**9), f"a{number}") for number in range(agents)]
        heapq.heapify(self.items)
        heapq.heapify(self.people)
        self.held: dict[str, str] = {}
        self.state: dict[str, int] = {}
        self.number = 10**9

    def part(self) -> float:
        """Return the microseconds of CPU that one takes, as the mean of a part."""
        items, people, held, state = self.items, self.people, self.held, self.state
        heappop, heappush = heapq.heappop, heapq.heappush
        began = time.process_time()
        for number in range(self.number, self.number + PART):
            _, item = heappop(items)
            _, person = heappop(people)
            held[person] = item
            state[item] = number
            heappush(items, (number, item))
            heappush(people, (number, person))
        self.number += PART
        return (time.process_time() - began) / PART * 1e6


def measure(agents: int, waiting: int, *, regime: str, profiles: int = 200) -> tuple[float, float]:
    """Return microseconds of CPU per assignment, and per bare one: the best of the parts of each.

    Other work on the machine makes CPU time longer too (caches, clock), so the least disturbed part says what it costs.
    The interactions are made beforehand.
    """
    bare = Bare(agents, waiting)
    floor = Floor(agents, waiting, regime=regime, profiles=profiles)
    floor.run(floor.arrivals(2_000))
    floor.tell_again()
    parts = []
    bares = []
    for _ in range(PARTS):
        made = floor.run(floor.arrivals(PART))
        parts.append(floor.tell_again() / made * 1e6)
        bares.append(bare.part())
    assert floor.timed.snapshot() == floor.router.snapshot(), "the routers went apart"
    gc.unfreeze()
    return min(parts), min(bares)


def main() -> int:
    """Print the table; the exit code is the number of figures missed."""
    missed = 0
    print("regime    100/1,000  10,000/100,000   <=25 us  ratio  <=3   bare  x bare  <=5")
    for regime in ("busy", "stuck", "free"):
        small, _ = measure(100, 1_000, regime=regime, profiles=50)
        large, wall = measure(10_000, 100_000, regime=regime)
        marks = (large <= 25, large / small <= 3, large / wall <= 5)
        missed += marks.count(False)
        yes = ["ok" if mark else "NO" for mark in marks]
        line = f"{regime:8} {small:10.1f} {large:15.1f} {yes[0]:>9} {large / small:6.2f} {yes[1]:>4}"
        print(f"{line} {wall:6.1f} {large / wall:7.1f} {yes[2]:>4}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main())
