"""Error of the estimated wait on the measured days, beside a simpler estimate; and a million interactions.

Run: python -m tests.bench.routing.estimates [hours], or with the word million for that alone.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from routing.measure import figures, table
from routing.simulate import Fate, Outcome, run
from tests.bench.routing.days import Case, all_days, tiers

MOST_S = 180.0
"""A million interactions take minutes."""


def error_s(pairs: list[tuple[float, float]]) -> float:
    """Return the mean absolute error of (estimate, truth) pairs."""
    return sum(abs(estimate - truth) for estimate, truth in pairs) / len(pairs) if pairs else 0.0


def last_wait(outcome: Outcome) -> list[tuple[float, float]]:
    """Return (what the last one answered had waited, this one's wait), in seconds, by queue."""
    answers = sorted((fate for fate in outcome.fates if fate.answered_ms is not None), key=_answered)
    last: dict[str, float] = {}
    pairs = []
    waiting = iter(answers)
    ahead = next(waiting, None)
    for fate in outcome.fates:
        while ahead is not None and _answered(ahead) <= fate.interaction.queued_at_ms:
            last[ahead.interaction.queue_id] = (ahead.waited_ms or 0) / 1000
            ahead = next(waiting, None)
        if fate.answered_ms is not None and fate.estimate_ms is not None:
            pairs.append((last.get(fate.interaction.queue_id, 0.0), (fate.waited_ms or 0) / 1000))
    return pairs


def _answered(fate: Fate) -> int:
    return fate.answered_ms or 0


def patient(case: Case) -> Case:
    """The same day, its customers more patient: long queues, where an estimate matters."""
    customers = [
        each if each.patience_ms is None else replace(each, patience_ms=each.patience_ms * 3)
        for each in case.day.customers
    ]
    return replace(case, name=case.name + ", patient", day=replace(case.day, customers=customers))


def million() -> bool:
    """Play a million interactions and print what that costs; return whether it takes minutes at most."""
    case = tiers(1_000_000 / (0.97 * 40 * 15), 3)
    began = time.process_time()
    outcome = run(case.day, case.policy)
    took_s = time.process_time() - began
    count = len(outcome.fates)
    mark = "ok" if took_s <= MOST_S else "NO"
    print(f"{mark}  {count} interactions in {took_s:.0f} s of CPU <= {MOST_S:.0f} s,"
          f" {took_s / count * 1e6:.0f} us each, in target {figures(outcome).service_level:.1%}")  # fmt: skip
    return took_s <= MOST_S


def main(arguments: Sequence[str]) -> int:
    """Print the errors, by day; the exit code is the number of figures missed."""
    if "million" in arguments:
        return 0 if million() else 1
    cases = all_days(hours=float(arguments[0]) if arguments else 8.0)
    rows: list[tuple[str, ...]] = [("day", "mean wait s", "estimate error s", "last wait's error s", "less")]
    missed = 0
    for case in [*cases, *(patient(case) for case in cases)]:
        outcome = run(case.day, case.policy, estimate_every=1)
        ours = figures(outcome)
        error = ours.estimate_error_s or 0.0
        simple = error_s(last_wait(outcome))
        missed += error >= simple
        mark = "ok" if error < simple else "NO"
        rows.append((case.name, f"{ours.asa_s:.1f}", f"{error:.1f}", f"{simple:.1f}", mark))
    print(table(rows), flush=True)
    return missed + (0 if million() else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
