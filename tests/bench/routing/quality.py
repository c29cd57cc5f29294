"""Scheduling quality on generated days against the rules others use.

Run: python -m tests.bench.routing.quality [hours]
"""

import sys
from collections.abc import Sequence

from routing.engine import Router
from routing.events import MakeOffer
from routing.floor import Agent
from routing.measure import Figures, compare, figures, table
from routing.simulate import Outcome, Watch, run
from tests.bench.routing.days import Case, all_days
from tests.bench.routing.references import REFERENCES, Reference

CMU = "generalized c-mu"
ENGINE = "switchboard"


class Wasted:
    """Counts offers to agents although a simpler one was free, and agents left idle beside work they may take."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self.offers = 0
        self.wasted = 0
        self.idle_beside_work = 0

    def watch(self, offer: MakeOffer, now_ms: int) -> None:
        floor = self._router.floor
        self.offers += 1
        item = floor.items[offer.interaction_id]
        taken = floor.agents[offer.agent_id]
        self.wasted += any(self._is_simpler(agent, taken) for agent in self._free(item.id))
        if self.offers % 50 == 0:
            waiting = [other.id for other in floor.items.values() if other.wants_offers]
            self.idle_beside_work += sum(bool(self._free(item_id)) for item_id in waiting)

    def _free(self, item_id: str) -> list[Agent]:
        floor = self._router.floor
        item = floor.items[item_id]
        floor.refresh(item)
        channel = item.shape.channel
        return [
            agent
            for agent in floor.agents.values()
            if item.kind.pools >> agent.pool.number & 1 and floor.is_free_for(agent, channel)
        ]

    @staticmethod
    def _is_simpler(agent: Agent, than: Agent) -> bool:
        return _breadth(agent) < _breadth(than)


def _breadth(agent: Agent) -> int:
    return len(agent.state.skills) + len(agent.pool.costs)


def play(case: Case) -> tuple[dict[str, Outcome], Wasted]:
    """Play the day under each rule and under the engine."""
    outcomes = {
        name: run(case.day, case.policy, decider=Reference(case.policy, *orders)) for name, orders in REFERENCES.items()
    }
    router = Router(case.policy)
    wasted = Wasted(router)
    watch: Watch = wasted.watch
    outcomes[ENGINE] = run(case.day, case.policy, decider=router, watch=watch)
    return outcomes, wasted


def judge(ours: Figures, cmu: Figures, wasted: Wasted) -> list[tuple[str, bool]]:
    """Return each figure asked for and whether it is met."""
    waste = wasted.wasted / wasted.offers
    return [
        (f"valued in target {ours.valued_service_level:.4f} >= {cmu.valued_service_level:.4f}",
         ours.valued_service_level >= cmu.valued_service_level),
        (f"lowest tier p99 {ours.lowest_tier_p99_s:.1f} <= 1.1 x {cmu.lowest_tier_p99_s:.1f} s",
         ours.lowest_tier_p99_s <= 1.1 * cmu.lowest_tier_p99_s),
        (f"waste {waste:.2%} <= 3 %", waste <= 0.03),
        (f"Gini {ours.fairness_gini:.3f} <= 0.065", ours.fairness_gini <= 0.065),
        (f"idle beside work {wasted.idle_beside_work} = 0", wasted.idle_beside_work == 0),
    ]  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Print a table a day; the exit code is the number of figures missed."""
    missed = 0
    for case in all_days(hours=float(arguments[0]) if arguments else 8.0):
        outcomes, wasted = play(case)
        print(f"\n{case.name}: {len(case.day.customers)} customers, {len(case.day.shifts)} agents")
        print(table(compare(outcomes)))
        for text, is_met in judge(figures(outcomes[ENGINE]), figures(outcomes[CMU]), wasted):
            missed += not is_met
            print(f"  {'ok' if is_met else 'NO'}  {text}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
