"""The simulator against theory where theory is exact: M/M/n (Erlang C) and M/M/n+M (Erlang A).

Ten independent runs a case; the formula must lie within the 99 % confidence interval of their mean.
Run: python -m tests.bench.routing.theory [hours a run]
"""

import statistics
import sys
from collections.abc import Sequence

from routing.erlang import Forecast, Traffic, impatient
from routing.measure import Figures, figures
from routing.model import AgentState
from routing.policy import Policy, QueuePolicy
from routing.simulate import Day, Demand, Shift, generate, run

RUNS = 10
STUDENT_99 = 3.250
"""Two-sided 99 % quantile of Student's t with nine degrees of freedom."""

CASES = (
    ("M/M/10, 85 %", 10, Traffic(10 * 0.85 / 180, 180)),
    ("M/M/50, 92 %", 50, Traffic(50 * 0.92 / 180, 180)),
    ("M/M/31+M, 94 %", 31, Traffic(250 / 1800, 210, 180)),
    ("M/M/20+M, 110 %", 20, Traffic(20 * 1.10 / 180, 180, 120)),
)


def simulated(agents: int, traffic: Traffic, hours: float, seed: int) -> Figures:
    """Return the figures of one run."""
    patience = traffic.patience_s
    demand = Demand(
        name="c",
        queue_id="q",
        channel="voice",
        per_hour=(traffic.arrivals_per_s * 3600,),
        handling_ms=round(traffic.handling_s * 1000),
        patience_ms=None if patience == float("inf") else round(patience * 1000),
    )
    warm = 2 * 3_600_000
    customers = generate([demand], hours=hours + 2, seed=seed)
    shifts = [Shift(agent=AgentState(id=f"a{number:03}")) for number in range(agents)]
    outcome = run(Day(customers=customers, shifts=shifts), Policy(queues={"q": QueuePolicy(id="q")}))
    outcome.fates = [fate for fate in outcome.fates if fate.interaction.queued_at_ms >= warm]
    return figures(outcome, short_abandon_s=-1.0)


def compare(runs: list[Figures], theory: Forecast) -> list[tuple[str, float, float, float]]:
    """Return (figure, simulated mean, half width of its interval, theory)."""
    pairs = {
        "service level": ([each.service_level for each in runs], theory.service_level),
        "ASA s": ([each.asa_s for each in runs], theory.asa_s),
        "abandoned": ([each.abandoned_share for each in runs], theory.abandoned),
    }
    rows = []
    for name, (values, expected) in pairs.items():
        half = STUDENT_99 * statistics.stdev(values) / len(values) ** 0.5
        rows.append((name, statistics.mean(values), half, expected))
    return rows


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit code is the number of figures outside their interval."""
    hours = float(arguments[0]) if arguments else 60.0
    missed = 0
    for name, agents, traffic in CASES:
        runs = [simulated(agents, traffic, hours, seed) for seed in range(RUNS)]
        for figure, mean, half, expected in compare(runs, impatient(traffic, agents, 20.0)):
            is_met = abs(mean - expected) <= half + 1e-9
            missed += not is_met
            print(
                f"{name:16} {figure:14} {mean:9.4f} +- {half:.4f}  theory {expected:9.4f}  {'ok' if is_met else 'NO'}"
            )
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
