"""Queueing formulas: Erlang B, C and A, and the finite queue; service level, waits, abandonment, agents needed.

Times are seconds, rates per second. `Traffic` says how much comes and how long it takes; every result is a
`Forecast`. Stable from 1 to 10,000 agents: Erlang B by its recursion, Erlang A by the density of the offered wait
under exponential patience (Garnett, Mandelbaum and Reiman, Manufacturing & Service Operations Management 4(3), 2002;
Mandelbaum and Zeltyn, "The Palm/Erlang-A queue").
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log

_STEPS = 4_000
"""Intervals of Simpson's rule; the integrands are smooth single peaks, good to nine digits."""

_NEGLIGIBLE = 45.0
"""An integrand e^-45 of its peak no longer counts."""

_MOST_AGENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """What comes: arrivals per second, mean handling time and, for those who give up, mean patience in seconds."""

    arrivals_per_s: float
    handling_s: float
    patience_s: float = inf

    def __post_init__(self) -> None:
        if self.arrivals_per_s <= 0 or self.handling_s <= 0 or self.patience_s <= 0:
            raise ValueError("rates and times must be positive")

    @property
    def load(self) -> float:
        """The offered load in Erlangs."""
        return self.arrivals_per_s * self.handling_s


@dataclass(frozen=True, slots=True)
class Forecast:
    """What to expect of a number of agents. Shares are of all arrivals."""

    waits: float
    """Share who find no agent free."""
    service_level: float
    """Share answered within the threshold asked for."""
    mean_wait_s: float
    """Mean wait of all, also of those who give up."""
    asa_s: float
    """Average speed of answer: mean wait of those answered."""
    abandoned: float
    """Share who give up."""
    blocked: float
    """Share turned away because every place is taken."""
    occupancy: float
    """Share of time an agent is busy."""


def blocking(agents: int, load: float) -> float:
    """Return Erlang B: the share of arrivals lost when nobody can wait."""
    _check(agents, load)
    lost = 1.0
    for number in range(1, agents + 1):
        lost = load * lost / (number + load * lost)
    return lost


def waiting(agents: int, load: float) -> float:
    """Return Erlang C: the share of arrivals who wait when nobody gives up; 1.0 at or above full load."""
    if load >= agents:
        _check(agents, load)
        return 1.0
    lost = blocking(agents, load)
    return lost / (1.0 - load / agents * (1.0 - lost))


def patient(traffic: Traffic, agents: int, within_s: float) -> Forecast:
    """Return what M/M/n expects (Erlang C): nobody gives up. Above full load the waits are infinite."""
    share = waiting(agents, traffic.load)
    spare = agents - traffic.load
    if spare <= 0:
        return Forecast(1.0, 0.0, inf, inf, 0.0, 0.0, 1.0)
    wait_s = share * traffic.handling_s / spare
    level = 1.0 - share * exp(-spare * within_s / traffic.handling_s)
    return Forecast(share, level, wait_s, wait_s, 0.0, 0.0, traffic.load / agents)


def impatient(traffic: Traffic, agents: int, within_s: float) -> Forecast:
    """Return what M/M/n+M expects (Erlang A): everybody gives up after an exponential time."""
    if traffic.patience_s == inf:
        return patient(traffic, agents, within_s)
    _check(agents, traffic.load)
    rate, leave = traffic.arrivals_per_s, 1.0 / traffic.patience_s
    serve = agents / traffic.handling_s

    def height(wait_s: float) -> float:
        """The logarithm of the offered wait's density, but for a constant."""
        return rate * (1.0 - exp(-leave * wait_s)) / leave - serve * wait_s

    peak_s = max(0.0, log(rate / serve) / leave)
    top = height(peak_s)
    end_s = _where_below(height, peak_s, top - _NEGLIGIBLE)
    free_to_n_minus_1 = blocking(agents - 1, traffic.load) if agents > 1 else 1.0
    at_once = exp(-top) / free_to_n_minus_1 if free_to_n_minus_1 > 0 and top < 700 else inf if top < 700 else 0.0
    if at_once == inf:
        return Forecast(0.0, 1.0, 0.0, 0.0, 0.0, 0.0, traffic.load / agents)

    def mass(weigh: Callable[[float], float], until_s: float) -> float:
        """The integral of the weighed density, cut where it peaks so that the rule meets no corner."""
        cuts = sorted({0.0, min(peak_s, until_s), min(until_s, end_s)})
        parts = pairwise(cuts)
        return sum(_simpson(lambda x: rate * exp(height(x) - top) * weigh(x), low, high) for low, high in parts)

    total = at_once + mass(lambda _: 1.0, end_s)
    answered_late = mass(lambda wait_s: exp(-leave * wait_s), end_s)
    answered = (at_once + answered_late) / total
    level = (at_once + mass(lambda wait_s: exp(-leave * wait_s), within_s)) / total
    asa_s = mass(lambda wait_s: wait_s * exp(-leave * wait_s), end_s) / total / answered
    abandoned = 1.0 - answered
    return Forecast(
        1.0 - at_once / total,
        level,
        abandoned / leave,
        asa_s,
        abandoned,
        0.0,
        answered * traffic.load / agents,
    )


def bounded(traffic: Traffic, agents: int, places: int, within_s: float) -> Forecast:
    """Return what M/M/n/k expects: nobody gives up, but only `places` may be in service or waiting."""
    load = traffic.load
    _check(agents, load)
    if places < agents:
        raise ValueError("fewer places than agents")
    lost = blocking(agents, load)
    ratio = load / agents
    weights = [ratio**waiting for waiting in range(places - agents + 1)]
    below = 1.0 / lost - 1.0 if lost > 0 else inf
    total = below + sum(weights)
    if total == inf:
        return Forecast(0.0, 1.0, 0.0, 0.0, 0.0, 0.0, ratio)
    blocked = weights[-1] / total
    let_in = 1.0 - blocked
    queue = sum(number * weight for number, weight in enumerate(weights)) / total
    wait_s = queue / (traffic.arrivals_per_s * let_in)
    late = _late_share(weights[:-1], agents / traffic.handling_s * within_s) / total
    waits = sum(weights[:-1]) / total
    return Forecast(waits, let_in - late, wait_s, wait_s, 0.0, blocked, load * let_in / agents)


def agents_needed(traffic: Traffic, *, level: float, within_s: float) -> int:
    """Return the fewest agents who answer the share `level` within the threshold; with patience by Erlang A, else C.

    Raises:
        ValueError: the level is not between 0 and 1, or no number of agents reaches it.
    """
    if not 0 < level < 1:
        raise ValueError("the level must lie between 0 and 1")
    low, high = 0, 1
    while impatient(traffic, high, within_s).service_level < level:
        low, high = high, high * 2
        if high > _MOST_AGENTS:
            raise ValueError("no number of agents reaches this level")
    while high - low > 1:
        middle = (low + high) // 2
        if impatient(traffic, middle, within_s).service_level < level:
            low = middle
        else:
            high = middle
    return high


def _late_share(weights: list[float], served: float) -> float:
    """Sum over those ahead of the chance that fewer leave in time: Poisson tails with mean `served`."""
    late = 0.0
    term = exp(-served)
    tail = 0.0
    for number, weight in enumerate(weights):
        tail += term
        late += weight * tail
        term *= served / (number + 1)
    return late


def _where_below(height: Callable[[float], float], start: float, bound: float) -> float:
    """Return a point after `start` where the falling height is below the bound, not much further than needed."""
    step = 1e-3
    while height(start + step) > bound:
        step *= 1.5
    return start + step


def _simpson(weigh: Callable[[float], float], low: float, high: float) -> float:
    if high <= low:
        return 0.0
    width = (high - low) / _STEPS
    odd = sum(weigh(low + width * step) for step in range(1, _STEPS, 2))
    even = sum(weigh(low + width * step) for step in range(2, _STEPS, 2))
    return width / 3.0 * (weigh(low) + weigh(high) + 4.0 * odd + 2.0 * even)


def _check(agents: int, load: float) -> None:
    if agents < 0 or load <= 0:
        raise ValueError("agents must not be negative, load must be positive")
