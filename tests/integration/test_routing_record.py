"""The routing record: replaying the journal rebuilds the engine exactly, explains the past, and feeds the simulator."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hub.domain.errors import Unavailable
from hub.domain.interaction import Interaction, Needs
from hub.services.dispatching.explaining import Explaining
from hub.services.dispatching.record import RoutingRecord, decode, encode
from hub.services.dispatching.recorded_day import RecordedDay, read_day
from hub.settings.floor import QueueSettings, WayOut
from hub.storage.unit_of_work import UnitOfWork
from hub.tools.routing import explanation_at, leaving_at
from routing.events import AgentChanged, InteractionQueued
from routing.measure import figures
from routing.model import HeldWork, SkillNeed
from routing.simulate import Day, Outcome, from_record, run
from tests.builders import Desk, open_desk


def record_of(desk: Desk) -> RoutingRecord:
    record = desk.hub.services.dispatcher.record
    assert record is not None
    return record


async def busy_hour(desk: Desk) -> list[Interaction]:
    """People come, wait, are offered, missed, rejected, answered, transferred, leave."""
    await desk.available("ann")
    chats = [await desk.chat(f"Visitor {number}") for number in range(3)]
    await desk.accept_one("ann", chats[0])
    await desk.hub.services.offers.reject((await desk.live_offers(agent="ann"))[0].id, "ann", "busy")
    await desk.available("bob")
    await desk.wait(seconds=31)
    await desk.hub.services.chats.end(chats[2].id, desk.visitors[chats[2].id])
    scope = await desk.scope("ann")
    await desk.hub.services.handling.transfer(chats[0].id, scope, queue="billing")
    await desk.wait(seconds=70)
    chats.append(await desk.chat("Late"))
    await desk.wait(seconds=2)
    return chats


async def test_replaying_the_journal_rebuilds_the_engine_exactly(desk: Desk) -> None:
    await busy_hour(desk)
    record_of(desk).flush()
    await desk.settle()
    head = await desk.hub.services.journal.head()

    past = await record_of(desk).past(until_seq=head)

    assert past.router.snapshot() == desk.hub.services.dispatcher.router.snapshot()


def test_records_of_earlier_versions_are_read() -> None:
    queued = (
        '["InteractionQueued",{"interaction":{"id":"i1","queue_id":"q","channel":"voice","queued_at_ms":5,'
        '"skills":[{"skill":"tax","level":3}],"any_of":[[{"skill":"law","level":1},["tax",2]]],"stays":false}}]'
    )
    event = decode(queued)
    assert isinstance(event, InteractionQueued)
    assert event.interaction.skills == (SkillNeed("tax", 3),)
    assert event.interaction.any_of == ((SkillNeed("law"), SkillNeed("tax", 2)),)
    assert decode(encode(event)) == event

    work = '[{"interaction_id":"i1","channel":"voice","queue_id":"q","since_ms":9}]'
    changed = decode(f'["AgentChanged",{{"agent":{{"id":"ann","skills":{{"skill":3}},"holds":{work}}}}}]')
    assert isinstance(changed, AgentChanged)
    assert (changed.agent.skills, changed.agent.holds) == ({"skill": 3}, (HeldWork("i1", "voice", "q", 9),))
    assert decode(encode(changed)) == changed


async def test_every_offer_of_the_past_is_explained(desk: Desk) -> None:
    chats = await busy_hour(desk)
    record = record_of(desk)
    for chat in chats:
        offers = await record.offers_of(chat.id)
        assert [agent for _, agent in offers] == [agent for agent, _ in await desk.offers_of(chat)]
        for seq, agent in offers:
            lines = await explanation_at(record, chat.id, seq)
            assert any(line.startswith(f"  offered to {agent}: ") for line in lines), lines


async def test_past_is_explained_under_the_policy_of_then_and_from_the_latest_start(desk: Desk) -> None:
    """The hub is started again with other settings; both offers are explained, in one go."""
    await desk.available("ann")
    chat = await desk.chat()
    await desk.hub.services.offers.reject((await desk.live_offers(agent="ann"))[0].id, "ann", "busy")
    dispatcher = desk.hub.services.dispatcher
    await desk.settle()
    await dispatcher.stop()
    queues = {key: replace(queue, target_ms=7_000, max_length=9) for key, queue in dispatcher.policy.queues.items()}
    dispatcher.policy = replace(dispatcher.policy, queues={"support": queues["support"]})
    dispatcher.record = RoutingRecord(desk.hub.services.store, dispatcher.policy, desk.clock)
    await dispatcher.start()
    await desk.wait(seconds=62)

    explained = await Explaining(dispatcher, desk.hub.services.floor).interaction(chat.id)

    targets = [offer.standing.facts["target_ms"] for offer in explained.offers if offer.standing]
    assert targets == [60_000, 7_000]
    past = await record_of(desk).past(until_seq=await desk.hub.services.journal.head())
    assert past.router.policy == dispatcher.policy


async def test_explanation_says_why_the_others_were_not_taken(desk: Desk) -> None:
    await desk.available("ann")
    await desk.hub.services.presence.connected("bob")
    await desk.settle()
    chat = await desk.chat()
    ((seq, _),) = await record_of(desk).offers_of(chat.id)

    lines = await explanation_at(record_of(desk), chat.id, seq)

    assert lines[1].startswith("  offered to ann: ")
    assert not [line for line in lines if line.startswith("  bob: may take it")]


async def test_recorded_day_has_everybody_who_came_and_plays_again(desk: Desk) -> None:
    began = desk.clock.now()
    await busy_hour(desk)

    async def unit(tx: UnitOfWork) -> RecordedDay:
        return await read_day(tx, desk.hub.settings, began, desk.clock.now() + 1)

    day = await desk.hub.services.store.read(unit)
    policy = desk.hub.services.dispatcher.policy
    figure = desk.hub.services.floor.figures["support"]
    real = figures(Outcome(policy, day.fates), queue_id="support")
    assert (real.offered, real.answered, real.abandoned) == (
        figure.offered,
        figure.answered,
        figure.abandoned + figure.short_abandons,
    )
    played = run(Day(customers=from_record(day.recorded, seed=1), shifts=day.shifts, start_ms=began), policy)
    assert len(played.fates) == len(day.recorded)


async def test_recorded_day_knows_what_each_asked_when_they_entered_the_queue(desk: Desk) -> None:
    began = desk.clock.now()
    handling = desk.hub.services.handling
    chat = await desk.handled("ann")
    await desk.available("bob")
    await handling.transfer(chat.id, await desk.scope("ann"), agent="bob")
    await desk.settle()
    await desk.accept("bob")
    await handling.transfer(chat.id, await desk.scope("bob"), queue="billing", needs=Needs(skills={"tents": 3}))
    await desk.settle()

    async def unit(tx: UnitOfWork) -> RecordedDay:
        return await read_day(tx, desk.hub.settings, began, desk.clock.now() + 1)

    entries = [one.interaction for one in (await desk.hub.services.store.read(unit)).recorded]
    asked = [(one.queue_id, one.skills, one.only_agent_id) for one in sorted(entries, key=lambda one: one.id)]
    assert asked == [
        ("support", (), None),
        ("support", (), "bob"),
        ("billing", (SkillNeed("tents", 3),), None),
    ]


async def test_record_with_a_gap_begins_anew_and_is_exact_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_of(desk)
    with monkeypatch.context() as away:
        away.setattr(record, "_store", _Away())
        await desk.available("ann")
        await desk.chat()
    had_gap = record.wants_fresh_start

    await desk.wait(seconds=2)
    await desk.accept("ann")
    await desk.wait(seconds=1)

    assert (had_gap, record.wants_fresh_start) == (True, False)
    past = await record.past(until_seq=await desk.hub.services.journal.head())
    assert past.router.snapshot() == desk.hub.services.dispatcher.router.snapshot()


class _Away:
    """A database that cannot be reached."""

    def submit(self, _unit: object, **_options: object) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(Unavailable("The database cannot be reached."))
        return future

    async def write(self, unit: object) -> None:
        await self.submit(unit)


async def test_leaving_without_an_answer_is_explained(database_url: str, tmp_path: Path) -> None:
    queue = QueueSettings(id="support", skills={"tents": 3}, max_wait_s=60.0, when_waited=WayOut(kind="end"))
    desk = await open_desk(tmp_path, database_url, {"queues": {"support": queue}})
    await desk.available("ann")
    sent_away, gave_up = await desk.chat(), await desk.chat()
    await desk.wait(seconds=20)
    await desk.hub.services.chats.end(gave_up.id, desk.visitors[gave_up.id])
    await desk.wait(seconds=41)

    explaining = Explaining(desk.hub.services.dispatcher, desk.hub.services.floor)
    for chat, outcome, waited_ms, way_out in (
        (sent_away, "flowed_out", 60_000, "end"),
        (gave_up, "abandoned", 20_000, ""),
    ):
        (left,) = (await explaining.interaction(chat.id)).left
        assert (left.outcome, left.way_out) == (outcome, way_out)
        assert left.standing is not None
        assert waited_ms - 1 <= int(left.standing.facts["waited_ms"]) <= waited_ms
        assert [why.code for one in left.standing.considered for why in one.refusals] == ["skill"]
        lines = await leaving_at(record_of(desk), chat.id, (left.seq, left.at, outcome))
        assert lines[1] == f"  left: {outcome.replace('_', ' ')}"
        assert "  ann: not taken, skill: tents 0 < 3" in lines
        assert any(line.startswith("  way out end: The queue's way out (cause waited_too_long") for line in lines) == (
            way_out == "end"
        )
    await desk.hub.stop()
