"""`hub routing explain | replay | simulate`: why, what if, and what would be."""

import argparse
import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import inf
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from hub.clock import SystemClock, iso
from hub.domain.errors import BadRequest, NotFound
from hub.services.dispatching.record import RoutingRecord
from hub.services.dispatching.recorded_day import RecordedDay, read_day
from hub.settings import Problem, Settings, load, routing_policy
from hub.storage.opening import opened
from hub.storage.unit_of_work import Store, UnitOfWork
from routing.events import MakeOffer
from routing.measure import compare, table
from routing.model import AgentState
from routing.policy import Policy, Profile
from routing.simulate import Day, Demand, Outcome, Shift, from_record, generate, run
from routing.validate import Severity, check_policy

_DAY_S = 86_400
_SHAPE = (0.55, 0.8, 1.1, 1.25, 1.2, 1.1, 1.05, 0.95)
_VALUED_SHARE = 0.2
_HANDLING_S = 300.0
_PATIENCE_S = 240.0
_NEVER = "never"
_MOST = 1e9


def main(argv: Sequence[str]) -> int:
    """Run one of the routing tools; returns the exit code, 2 on misuse."""
    parser = argparse.ArgumentParser(prog="hub routing", description="Ask the routing engine.")
    tools = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    explain = tools.add_parser("explain", help="Why did it go to whom it went to? Who was considered, and why not?")
    explain.add_argument("subject", help="an interaction's or an agent's id")
    explain.add_argument("--seq", type=int, help="as things stood at this number of the journal (default: each offer)")
    replay = tools.add_parser("replay", help="Play a recorded day again, under this policy and another.")
    replay.add_argument("--day", type=_day, help="YYYY-MM-DD in the company's time zone (default: today)")
    replay.add_argument("--against", type=Path, metavar="FILE", help="settings with the other policy")
    simulate = tools.add_parser("simulate", help="Play a generated day under several policies.")
    simulate.add_argument("--against", type=Path, metavar="FILE", help="settings with another policy")
    simulate.add_argument("--hours", type=_positive, default=8.0, metavar="H")
    simulate.add_argument("--load", type=_positive, default=0.95, help="work offered over work possible (default 0.95)")
    simulate.add_argument(
        "--rates",
        type=_rates,
        default=_SHAPE,
        metavar="R,R,...",
        help="arrivals hour by hour, as shares of their mean; the last holds on",
    )
    simulate.add_argument(
        "--kinds",
        type=_by_kind,
        default={},
        metavar="KIND=SHARE,...",
        help="how the work is shared between channel kinds (default: evenly between all that agents take)",
    )
    simulate.add_argument(
        "--handling",
        type=_by_kind,
        default={},
        metavar="S",
        help="mean handling time in seconds, of all kinds or as KIND=S,... (default 300)",
    )
    simulate.add_argument(
        "--patience",
        type=_patience,
        default={},
        metavar="S",
        help=f"mean patience in seconds, or KIND=S,...; {_NEVER}: they wait on "
        f"(default 240, and {_NEVER} for work that may be interrupted)",
    )
    for tool in (replay, simulate):
        tool.add_argument("--seed", type=int, default=1)
        tool.add_argument("--queue", help="figures of this queue only")
    for tool in (explain, replay, simulate):
        tool.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML); also HUB_CONFIG")
    explain.set_defaults(run=_explain)
    replay.set_defaults(run=_replay)
    simulate.set_defaults(run=_simulate)
    arguments = parser.parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def _positive(text: str) -> float:
    try:
        figure = float(text)
    except ValueError:
        figure = 0.0
    if not 0 < figure < _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no figure above 0")
    return figure


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day, as in 2026-03-31") from None


def _rates(text: str) -> tuple[float, ...]:
    return tuple(_positive(rate) for rate in text.split(","))


def _by_kind(text: str) -> dict[str, float]:
    """Return figures by channel kind; "" has the figure of all others."""
    parts = [part.rpartition("=") for part in text.split(",")]
    return {kind.strip(): _positive(figure) for kind, _, figure in parts}


def _patience(text: str) -> dict[str, float]:
    """Return the same, where a figure may be endless."""
    parts = [part.rpartition("=") for part in text.split(",")]
    return {kind.strip(): inf if figure == _NEVER else _positive(figure) for kind, _, figure in parts}


def _settings(path: Path | None) -> Settings:
    if path is None and not os.environ.get("HUB_CONFIG") and Path("var/demo/hub.db").exists():
        from hub.demo import demo_settings

        return demo_settings(None, os.environ)
    return load(path, os.environ)


def policy_of(settings: Settings) -> Policy:
    """Return the routing policy of the settings."""
    return msgspec.convert(routing_policy(settings), Policy)


def policy_problems(settings: Settings) -> list[Problem]:
    """Return what the engine finds wrong with the policy that the settings make, and what their agents cannot serve."""
    return [
        Problem(
            where=f"queues.{finding.queue_id}" if finding.queue_id else "routing",
            text=finding.text,
            severity="error" if finding.severity is Severity.ERROR else "warning",
        )
        for finding in check_policy(policy_of(settings), staff_of(settings) or None)
    ]


def _explain(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments.config)
    lines = asyncio.run(_explained(settings, arguments.subject, arguments.seq))
    print("\n".join(lines))
    return 0


async def _explained(settings: Settings, subject: str, seq: int | None) -> list[str]:
    async with opened(settings.server.database_url.reveal(), SystemClock()) as store:
        record = RoutingRecord(store, policy_of(settings), SystemClock())
        if seq is not None:
            return await explanation_at(record, subject, seq)
        moments = [(offer_seq, 0, "") for offer_seq, _agent in await record.offers_of(subject)]
        moments += await record.leavings_of(subject)
        lines: list[str] = []
        for moment, at_ms, outcome in sorted(moments):
            if outcome:
                lines += [*await leaving_at(record, subject, (moment, at_ms, outcome)), ""]
            else:
                lines += [*await explanation_at(record, subject, moment), ""]
        if lines:
            return lines[:-1]
        head = await _head(store)
        return await explanation_at(record, subject, head)


async def leaving_at(record: RoutingRecord, subject: str, leaving: tuple[int, int, str]) -> list[str]:
    """Return how an interaction left its queue unanswered as lines, then everybody who was considered till then.

    Raises:
        NotFound: the journal does not reach back that far.
    """
    seq, at_ms, outcome = leaving
    flowed, explanation = await record.explain_leaving(subject, seq, at_ms)
    lines = [f"{iso(at_ms)} (journal {seq})", f"  left: {outcome.replace('_', ' ')}"]
    if flowed is not None:
        way_out = f"{flowed.way_out.kind} {flowed.way_out.target}".strip()
        lines.append(f"  way out {way_out}: {flowed.reason.text()}")
    return lines + (explanation.lines()[1:] if explanation else [])


async def explanation_at(record: RoutingRecord, subject: str, seq: int) -> list[str]:
    """Return an explanation of the past as lines: what was decided and why, then everybody who was considered.

    Raises:
        NotFound: the journal does not reach back that far, or the engine knew nothing of the subject then.
    """
    past, explanation = await record.explain_past(subject, seq)
    lines = [f"{iso(past.at_ms)} (journal {seq})"]
    made = [decision for decision in past.decided if isinstance(decision, MakeOffer)]
    lines += [f"  offered to {offer.agent_id}: {offer.reason.text()}" for offer in made]
    if explanation is None:
        if len(lines) == 1:
            raise NotFound(f"The engine knew nothing of {subject!r} then.")
        return lines
    return lines + explanation.lines()[1:]


async def _head(store: Store) -> int:
    async def unit(tx: UnitOfWork) -> int:
        row = await tx.fetch_one("SELECT coalesce(max(seq), 0) FROM journal")
        return int(row[0]) if row else 0

    return await store.read(unit)


def _replay(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments.config)
    policies = _policies(settings, arguments)
    zone = ZoneInfo(settings.company.zone)
    day = arguments.day or datetime.now(zone).date()
    begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    start_at = round(begins.timestamp() * 1000)
    end_at = min(round((begins + timedelta(seconds=_DAY_S)).timestamp() * 1000), SystemClock().now())
    recorded = asyncio.run(_read(settings, start_at, end_at))
    if not recorded.recorded:
        print(f"Nothing was recorded on {begins:%Y-%m-%d}.")
        return 1
    played = Day(
        customers=from_record(recorded.recorded, seed=arguments.seed), shifts=recorded.shifts, start_ms=start_at
    )
    real = Outcome(policies["this policy"], recorded.fates, busy_ms=recorded.busy_ms, present_ms=recorded.present_ms)
    outcomes = {"as it was": real}
    outcomes |= {name: run(played, policy, estimate_every=1) for name, policy in policies.items()}
    print(f"{begins:%Y-%m-%d}: {len(recorded.recorded)} entries into queues, {len(recorded.shifts)} shifts")
    print(table(compare(outcomes, queue_id=arguments.queue)))
    return 0


def _policies(settings: Settings, arguments: argparse.Namespace) -> dict[str, Policy]:
    """Return this policy and the other, if one is named.

    Raises:
        NotFound: there is no such queue, or the other policy lacks one.
    """
    policies = {"this policy": policy_of(settings)}
    if arguments.queue is not None and arguments.queue not in settings.queues:
        raise NotFound(f"There is no queue {arguments.queue!r}: {', '.join(settings.queues)}.")
    if arguments.against is not None:
        other = policies["the other"] = policy_of(load(arguments.against, os.environ))
        for what, ours, theirs in (
            ("queue", settings.queues, other.queues),
            ("channel kind", settings.kinds, other.channels),
        ):
            missing = [name for name in ours if name not in theirs]
            if missing:
                raise NotFound(
                    f"{arguments.against} has no {what} {', '.join(missing)}: the same day cannot be played."
                )
    return policies


async def _read(settings: Settings, start_at: int, end_at: int) -> RecordedDay:
    async with opened(settings.server.database_url.reveal(), SystemClock()) as store:

        async def unit(tx: UnitOfWork) -> RecordedDay:
            return await read_day(tx, settings, start_at, end_at)

        return await store.read(unit)


def _simulate(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments.config)
    policies = _policies(settings, arguments)
    if not settings.queues or not settings.agents:
        print("There are no queues or no agents in these settings.")
        return 1
    if arguments.against is None:
        policy = policies["this policy"]
        policies |= {
            "first come": _all(policy, Profile.FIRST_COME),
            "strict priority": _all(policy, Profile.STRICT_PRIORITY),
            "c-mu": _all(policy, Profile.GENERALIZED_CMU),
        }
    staff = staff_of(settings)
    _check_kinds(settings, {**arguments.kinds, **arguments.handling, **arguments.patience})
    shares = _shares(settings, staff, arguments.kinds)
    demands = [demand for kind, share in shares.items() for demand in _demands(settings, staff, kind, share, arguments)]
    day = Day(
        customers=generate(demands, hours=arguments.hours, seed=arguments.seed),
        shifts=[Shift(agent=agent) for agent in staff],
    )
    outcomes = {name: run(day, one, estimate_every=5) for name, one in policies.items()}
    count = Counter(customer.interaction.channel for customer in day.customers)
    print(
        f"{len(day.customers):,} customers in {arguments.hours:g} hours, {len(staff)} agents, load {arguments.load:g}: "
        + ", ".join(f"{kind} {count[kind]:,}" for kind in shares)
    )
    print(table(compare(outcomes, queue_id=arguments.queue)))
    return 0


def _all(policy: Policy, profile: Profile) -> Policy:
    """Return the policy with every queue ordered by one rule."""
    return replace(policy, queues={key: replace(queue, profile=profile) for key, queue in policy.queues.items()})


def staff_of(settings: Settings) -> list[AgentState]:
    """Return the agents that the settings name, as routing sees them."""
    agents = [agent for agent in settings.agents.values() if agent.role == "agent"]
    return [
        AgentState(
            id=agent.id,
            skills=agent.skills,
            languages=agent.languages or (settings.company.default_language,),
            groups=agent.groups,
            queue_ids=agent.queues,
            channels=agent.kinds,
            capacity_units=agent.capacity or settings.capacity.agent_units,
            units=agent.units,
            speed=agent.speed,
        )
        for agent in agents
    ]


def _check_kinds(settings: Settings, asked: Iterable[str]) -> None:
    """Raise NotFound if a channel kind is named that is not there."""
    for kind in asked:
        if kind and kind not in settings.kinds:
            raise NotFound(f"There is no channel kind {kind!r}: {', '.join(settings.kinds)}.")


def _shares(settings: Settings, staff: list[AgentState], asked: dict[str, float]) -> dict[str, float]:
    """Return what share of the work each channel kind brings; together 1.

    Raises:
        BadRequest: a share is of no kind, or nobody takes anything.
    """
    if "" in asked:
        raise BadRequest(f"Name the channel kinds, as in {next(iter(settings.kinds))}=1.")
    taken = {kind: 1.0 for kind in settings.kinds if _places(settings, staff, kind)}
    shares = asked or taken
    if not shares:
        raise BadRequest("No agent takes any work.")
    return {kind: share / sum(shares.values()) for kind, share in shares.items()}


def _places(settings: Settings, staff: list[AgentState], kind: str) -> int:
    """Return how many interactions of a kind the staff can have in hand at once."""
    takers = [agent for agent in staff if agent.channels is None or kind in agent.channels]
    return sum(agent.capacity_units // agent.units.get(kind, settings.kinds[kind].units) for agent in takers)


def _demands(
    settings: Settings, staff: list[AgentState], kind: str, share: float, arguments: argparse.Namespace
) -> list[Demand]:
    """Return two streams for each queue, ordinary and valued customers, that together make a kind's share of the load.

    What may be interrupted nobody waits for this minute: its senders never give up, unless they are said to.
    """
    handling_s = _figure(arguments.handling, kind, _HANDLING_S)
    is_letter = bool(settings.kinds[kind].may_be_interrupted_by)
    patience_s = _figure(arguments.patience, kind, inf if is_letter else _PATIENCE_S)
    places = _places(settings, staff, kind)
    rates = arguments.rates
    per_hour = share * arguments.load * places * 3_600 / handling_s / len(settings.queues) / (sum(rates) / len(rates))
    best = max((tier.value for tier in settings.tiers.values()), default=1)
    return [
        Demand(
            name=f"{queue}-{kind}-{name}",
            queue_id=queue,
            channel=kind,
            per_hour=tuple(per_hour * part * rate for rate in rates),
            handling_ms=round(handling_s * 1000),
            handling_variation=0.8,
            patience_ms=None if patience_s == inf else round(patience_s * 1000),
            value=value,
            languages=(settings.company.default_language,),
            stays=is_letter,
        )
        for queue in settings.queues
        for name, value, part in (("ordinary", 1, 1 - _VALUED_SHARE), ("valued", best, _VALUED_SHARE))
    ]


def _figure(asked: dict[str, float], kind: str, otherwise: float) -> float:
    return asked.get(kind, asked.get("", otherwise))
