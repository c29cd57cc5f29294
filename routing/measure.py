"""The figures of a simulated or recorded day, and days side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.simulate import Fate, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a day came to. Shares are 0..1, times in seconds.

    The service level is those answered within their queue's target over those offered less short abandons.
    """

    offered: int
    answered: int
    abandoned: int
    flowed_out: int
    still_waiting: int
    service_level: float
    valued_service_level: float
    """The same, each customer counted by value."""
    asa_s: float
    p50_wait_s: float
    p90_wait_s: float
    p99_wait_s: float
    longest_wait_s: float
    lowest_tier_p99_s: float
    """p99 wait of the customers of the least value."""
    abandoned_share: float
    occupancy: float
    """Busy over present time of all agents."""
    fairness_gini: float
    """How unevenly work is spread: Gini coefficient of the agents' shares of busy time, 0 is even."""
    estimate_error_s: float | None
    """Mean absolute error of the estimated waits of those answered; None if none was asked for."""


def figures(outcome: Outcome, *, short_abandon_s: float = 5.0, queue_id: str | None = None) -> Figures:
    """Return the figures of an outcome, of one queue only if named (agents' figures are always of all)."""
    fates = [fate for fate in outcome.fates if queue_id in (None, fate.interaction.queue_id)]
    answered = [fate for fate in fates if fate.answered_ms is not None]
    left = [fate for fate in fates if fate.left_ms is not None]
    counted = [fate for fate in fates if not _is_short(fate, short_abandon_s)]
    in_time = [fate for fate in answered if _wait_s(fate) * 1000 <= outcome.policy.queues[_queue(fate)].target_ms]
    waits = sorted(_wait_s(fate) for fate in fates if fate.waited_ms is not None)
    lowest = min((fate.interaction.value for fate in fates), default=1)
    low_waits = sorted(
        _wait_s(fate) for fate in fates if fate.interaction.value == lowest and fate.waited_ms is not None
    )
    shares = [outcome.busy_ms[agent] / present for agent, present in outcome.present_ms.items() if present > 0]
    return Figures(
        offered=len(fates),
        answered=len(answered),
        abandoned=len(left),
        flowed_out=sum(fate.flowed_ms is not None for fate in fates),
        still_waiting=sum(fate.waited_ms is None for fate in fates),
        service_level=_share(len(in_time), len(counted)),
        valued_service_level=_share(_value(in_time), _value(counted)),
        asa_s=_share(sum(_wait_s(fate) for fate in answered), len(answered)),
        p50_wait_s=quantile(waits, 0.5),
        p90_wait_s=quantile(waits, 0.9),
        p99_wait_s=quantile(waits, 0.99),
        longest_wait_s=waits[-1] if waits else 0.0,
        lowest_tier_p99_s=quantile(low_waits, 0.99),
        abandoned_share=_share(len(left), len(fates)),
        occupancy=_share(sum(outcome.busy_ms.values()), sum(outcome.present_ms.values())),
        fairness_gini=gini(shares),
        estimate_error_s=_estimate_error_s(answered),
    )


_HEAD = (
    "policy",
    "offered",
    "in target",
    "valued",
    "ASA s",
    "p90 s",
    "p99 s",
    "low p99 s",
    "abandoned",
    "busy",
    "Gini",
    "EWT error s",
)


def compare(outcomes: Mapping[str, Outcome], *, queue_id: str | None = None) -> list[tuple[str, ...]]:
    """Return a table as rows of text: a head, then a row for each outcome."""
    rows: list[tuple[str, ...]] = [_HEAD]
    for name, outcome in outcomes.items():
        found = figures(outcome, queue_id=queue_id)
        error = "-" if found.estimate_error_s is None else f"{found.estimate_error_s:.1f}"
        rows.append(
            (
                name,
                str(found.offered),
                f"{found.service_level:.1%}",
                f"{found.valued_service_level:.1%}",
                f"{found.asa_s:.1f}",
                f"{found.p90_wait_s:.1f}",
                f"{found.p99_wait_s:.1f}",
                f"{found.lowest_tier_p99_s:.1f}",
                f"{found.abandoned_share:.2%}",
                f"{found.occupancy:.1%}",
                f"{found.fairness_gini:.3f}",
                error,
            )
        )
    return rows


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text as aligned lines: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the ascending values does not exceed; 0 of none."""
    if not ordered:
        return 0.0
    rank = max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))
    return ordered[rank]


def gini(values: Sequence[float]) -> float:
    """Return the Gini coefficient: 0 when all are equal, towards 1 when one has everything."""
    ordered = sorted(values)
    total = sum(ordered)
    if total <= 0:
        return 0.0
    count = len(ordered)
    weighted = sum(place * value for place, value in enumerate(ordered, start=1))
    return 2 * weighted / (count * total) - (count + 1) / count


def _is_short(fate: Fate, short_abandon_s: float) -> bool:
    return fate.left_ms is not None and _wait_s(fate) <= short_abandon_s


def _wait_s(fate: Fate) -> float:
    return (fate.waited_ms or 0) / 1000


def _queue(fate: Fate) -> str:
    return fate.interaction.queue_id


def _value(fates: Sequence[Fate]) -> int:
    return sum(fate.interaction.value for fate in fates)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _estimate_error_s(answered: Sequence[Fate]) -> float | None:
    errors = [abs(_wait_s(fate) - fate.estimate_ms / 1000) for fate in answered if fate.estimate_ms is not None]
    return sum(errors) / len(errors) if errors else None
