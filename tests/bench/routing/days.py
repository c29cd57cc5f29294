"""The days on which scheduling is measured: one thing made hard in each."""

from dataclasses import dataclass

from routing.model import AgentState, SkillNeed
from routing.policy import Policy, QueuePolicy
from routing.rolls import Rolls
from routing.simulate import Day, Demand, Shift, generate

TIERS = ((1, 0.70), (2, 0.22), (4, 0.08))
"""(value, share of the customers)."""


@dataclass(frozen=True)
class Case:
    name: str
    policy: Policy
    day: Day


def _tiers(name: str, per_hour: tuple[float, ...], **rest: object) -> list[Demand]:
    return [
        Demand(name=f"{name}-v{value}", per_hour=tuple(rate * share for rate in per_hour), value=value, **rest)  # type: ignore[arg-type]
        for value, share in TIERS
    ]


def _team(skill_sets: list[tuple[str, ...]], **rest: object) -> list[Shift]:
    return [
        Shift(agent=AgentState(id=f"a{number:03}", skills=dict.fromkeys(skills, 3), **rest))  # type: ignore[arg-type]
        for number, skills in enumerate(skill_sets)
    ]


def single(hours: float, seed: int) -> Case:
    """One skill, 95 % load."""
    policy = Policy(queues={"q": QueuePolicy(id="q")})
    rate = 0.95 * 40 * 3600 / 240
    demand = Demand(name="c", queue_id="q", channel="voice", per_hour=(rate,), handling_ms=240_000, patience_ms=240_000)
    return Case("single", policy, Day(customers=generate([demand], hours=hours, seed=seed), shifts=_team([()] * 40)))


def skills(hours: float, seed: int, *, load: float = 0.93, name: str = "skills", burst: float = 1.0) -> Case:
    """Six kinds of call, agents with one to four skills, three tiers."""
    names = [f"s{number}" for number in range(6)]
    rolls = Rolls(seed, 99)
    sets = []
    for number in range(60):
        count = 1 if number < 24 else 2 if number < 44 else 4
        sets.append(tuple(sorted(names[(number + step * (1 + rolls.below(2))) % 6] for step in range(count))))
    policy = Policy(queues={skill: QueuePolicy(id=skill, target_ms=20_000) for skill in names})
    rate = load * 60 * 3600 / 240 / 6
    rates = (rate,) if burst == 1.0 else (rate * 0.95, rate * 0.95, rate * burst, rate * 0.9, rate * 0.9)
    demands = [
        demand
        for skill in names
        for demand in _tiers(
            f"{name}-{skill}",
            rates,
            queue_id=skill,
            channel="voice",
            handling_ms=240_000,
            patience_ms=300_000,
            skills=(SkillNeed(skill, 2),),
        )
    ]
    return Case(name, policy, Day(customers=generate(demands, hours=hours, seed=seed), shifts=_team(sets)))


def omni(hours: float, seed: int) -> Case:
    """Calls, chats and e-mails on agents of whom only some take each."""
    policy = Policy(
        queues={
            "voice": QueuePolicy(id="voice", target_ms=20_000),
            "chat": QueuePolicy(id="chat", target_ms=60_000),
            "email": QueuePolicy(id="email", target_ms=14_400_000),
        }
    )
    shifts = []
    for number in range(60):
        channels = ("voice",) if number < 18 else ("chat", "email") if number < 32 else ("voice", "chat", "email")
        known = dict.fromkeys(("x", "y")[: 1 + number % 2], 3)
        shifts.append(Shift(agent=AgentState(id=f"a{number:03}", skills=known, channels=channels)))
    need = (SkillNeed("x", 2),)
    calls, chats, mails = 0.93 * 31 * 15, 0.93 * 22 * 4 * 6, 0.93 * 7 * 5 * 10
    demands = [
        *_tiers(
            "call", (calls,), queue_id="voice", channel="voice", handling_ms=240_000, patience_ms=300_000, skills=need
        ),
        *_tiers(
            "chat", (chats,), queue_id="chat", channel="chat", handling_ms=600_000, patience_ms=600_000, skills=need
        ),
        *_tiers("mail", (mails,), queue_id="email", channel="email", handling_ms=360_000, skills=need),
    ]
    return Case("omni", policy, Day(customers=generate(demands, hours=hours, seed=seed), shifts=shifts))


def tiers(hours: float, seed: int) -> Case:
    """One pool at 97 % load, three tiers."""
    policy = Policy(queues={"q": QueuePolicy(id="q")})
    rate = 0.97 * 40 * 3600 / 240
    demands = _tiers("t", (rate,), queue_id="q", channel="voice", handling_ms=240_000, patience_ms=300_000)
    return Case("tiers", policy, Day(customers=generate(demands, hours=hours, seed=seed), shifts=_team([()] * 40)))


def all_days(hours: float = 8, seed: int = 5) -> list[Case]:
    """Return the five days."""
    return [
        single(hours, seed),
        skills(hours, seed),
        omni(hours, seed),
        skills(hours, seed, load=0.90, name="burst", burst=1.35),
        tiers(hours, seed),
    ]
