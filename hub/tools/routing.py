"""`hub routing explain | replay | simulate`: why, what if, and what would be."""

import argparse
import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from hub.clock import SystemClock, iso
from hub.domain.errors import NotFound
from hub.services.recorded_day import RecordedDay, read_day
from hub.services.routing_record import RoutingRecord
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


def main(argv: Sequence[str]) -> int:
    """Run one of the routing tools; returns the exit code, 2 on misuse."""
    parser = argparse.ArgumentParser(prog="hub routing", description="Ask the routing engine.")
    tools = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    explain = tools.add_parser("explain", help="Why did it go to whom it went to? Who was considered, and why not?")
    explain.add_argument("subject", help="an interaction's or an agent's id")
    explain.add_argument("--seq", type=int, help="as things stood at this number of the journal (default: each offer)")
    replay = tools.add_parser("replay", help="Play a recorded day again, under this policy and another.")
    replay.add_argument("--day", help="YYYY-MM-DD in the company's time zone (default: today)")
    replay.add_argument("--against", type=Path, metavar="FILE", help="settings with the other policy")
    simulate = tools.add_parser("simulate", help="Play a generated day under several policies.")
    simulate.add_argument("--against", type=Path, metavar="FILE", help="settings with another policy")
    simulate.add_argument("--hours", type=float, default=8.0)
    simulate.add_argument("--load", type=float, default=0.95, help="work offered over work possible (default 0.95)")
    simulate.add_argument("--handling", type=float, default=300.0, metavar="S", help="mean handling time, seconds")
    simulate.add_argument("--patience", type=float, default=240.0, metavar="S", help="mean patience, seconds")
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
        lines: list[str] = []
        for offer_seq, _agent in await record.offers_of(subject):
            lines += [*await explanation_at(record, subject, offer_seq), ""]
        if lines:
            return lines[:-1]
        head = await _head(store)
        return await explanation_at(record, subject, head)


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
    zone = ZoneInfo(settings.company.zone)
    day = datetime.fromisoformat(arguments.day) if arguments.day else datetime.now(zone)
    begins = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=zone)
    start_at = round(begins.timestamp() * 1000)
    end_at = min(round((begins + timedelta(seconds=_DAY_S)).timestamp() * 1000), SystemClock().now())
    recorded = asyncio.run(_read(settings, start_at, end_at))
    if not recorded.recorded:
        print(f"Nothing was recorded on {begins:%Y-%m-%d}.")
        return 1
    policies = {"this policy": policy_of(settings)}
    if arguments.against is not None:
        policies["the other"] = policy_of(load(arguments.against, os.environ))
    played = Day(
        customers=from_record(recorded.recorded, seed=arguments.seed), shifts=recorded.shifts, start_ms=start_at
    )
    outcomes = {"as it was": Outcome(policies["this policy"], recorded.fates)}
    outcomes |= {name: run(played, policy, estimate_every=1) for name, policy in policies.items()}
    print(f"{begins:%Y-%m-%d}: {len(recorded.recorded)} entries into queues, {len(recorded.shifts)} shifts")
    print(table(compare(outcomes, queue_id=arguments.queue)))
    return 0


async def _read(settings: Settings, start_at: int, end_at: int) -> RecordedDay:
    async with opened(settings.server.database_url.reveal(), SystemClock()) as store:

        async def unit(tx: UnitOfWork) -> RecordedDay:
            return await read_day(tx, settings, start_at, end_at)

        return await store.read(unit)


def _simulate(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments.config)
    policy = policy_of(settings)
    if not settings.queues or not settings.agents:
        print("There are no queues or no agents in these settings.")
        return 1
    if arguments.against is not None:
        policies = {"this policy": policy, "the other": policy_of(load(arguments.against, os.environ))}
    else:
        policies = {"this policy": policy, "first come": _all(policy, Profile.FIRST_COME)}
        policies |= {
            "strict priority": _all(policy, Profile.STRICT_PRIORITY),
            "c-mu": _all(policy, Profile.GENERALIZED_CMU),
        }
    staff = staff_of(settings)
    demands = _demands(settings, staff, arguments)
    day = Day(
        customers=generate(demands, hours=arguments.hours, seed=arguments.seed),
        shifts=[Shift(agent=agent) for agent in staff],
    )
    outcomes = {name: run(day, one, estimate_every=5) for name, one in policies.items()}
    print(
        f"{len(day.customers):,} customers in {arguments.hours:g} hours, {len(staff)} agents, load {arguments.load:g}"
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


def _demands(settings: Settings, staff: list[AgentState], arguments: argparse.Namespace) -> list[Demand]:
    """Return two streams for each queue, ordinary and valued customers, that together make the load asked for."""
    units = settings.kind("chat").units
    places = sum(agent.capacity_units // units for agent in staff)
    per_hour = arguments.load * places * 3_600 / arguments.handling / len(settings.queues)
    best = max((tier.value for tier in settings.tiers.values()), default=1)
    demands = []
    for queue in settings.queues:
        for name, value, share in (("ordinary", 1, 1 - _VALUED_SHARE), ("valued", best, _VALUED_SHARE)):
            demands.append(
                Demand(
                    name=f"{queue}-{name}",
                    queue_id=queue,
                    channel="chat",
                    per_hour=tuple(per_hour * share * shape for shape in _SHAPE),
                    handling_ms=round(arguments.handling * 1000),
                    handling_variation=0.8,
                    patience_ms=round(arguments.patience * 1000),
                    value=value,
                    languages=(settings.company.default_language,),
                )
            )
    return demands
