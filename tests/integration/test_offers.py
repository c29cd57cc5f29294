"""Offers and their races, both ways round, on both databases (contact center reference, 2.2)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub.contract import ChatStart
from hub.domain.agent import Connectivity, Presence
from hub.domain.errors import BadRequest, OfferGone, Refused, Unavailable
from hub.domain.events import EventKind
from hub.domain.interaction import ClosingReason, Needs, State
from hub.domain.offer import REJECT_REASONS
from hub.settings.floor import AgentSettings, ChannelSettings, QueueSettings, WayOut
from hub.storage.journal import Journal
from tests.builders import Desk, open_desk


async def test_waiting_chat_is_offered_to_an_available_agent(desk: Desk) -> None:
    chat = await desk.chat()
    assert chat.state is State.QUEUED

    await desk.available("ann")

    assert await desk.offers_of(chat) == [("ann", "pending")]
    assert (await desk.agent("ann")).held == 25


async def test_accepting_connects_and_tells_the_visitor(desk: Desk) -> None:
    chat = await desk.handled("ann", text="Where is my tent?")

    assert (chat.state, chat.agent) == (State.ACTIVE, "ann")
    assert [(m.author, m.code or m.text) for m in await desk.messages(chat)] == [
        ("customer", "Where is my tent?"),
        ("system", "waiting"),
        ("system", "joined"),
    ]


async def test_offer_not_answered_goes_to_the_next_agent(desk: Desk) -> None:
    await desk.available("ann")
    chat = await desk.chat()
    await desk.available("bob")

    await desk.wait(seconds=31)

    assert await desk.offers_of(chat) == [("ann", "timed_out"), ("bob", "pending")]
    assert (await desk.agent("ann")).misses == 1


async def test_two_misses_in_a_row_stop_offers_until_the_agent_is_back(desk: Desk) -> None:
    await desk.available("ann")
    chat = await desk.chat()
    await desk.wait(seconds=31)
    await desk.wait(seconds=61)
    await desk.wait(seconds=31)

    assert await desk.offers_of(chat) == [("ann", "timed_out"), ("ann", "timed_out")]
    ann = await desk.agent("ann")
    assert (ann.presence, ann.not_responding_since is not None) == (Presence.AVAILABLE, True)

    await desk.hub.services.presence.resume_work("ann")
    await desk.wait(seconds=61)

    assert (await desk.offers_of(chat))[-1] == ("ann", "pending")


async def test_rejected_chat_keeps_its_place(desk: Desk) -> None:
    await desk.available("ann")
    first = await desk.chat("First")
    await desk.wait(seconds=5)
    second = await desk.chat("Second")
    offers = {offer.interaction: offer for offer in await desk.live_offers(agent="ann")}

    await desk.hub.services.offers.reject(offers[first.id].id, "ann", "busy")
    await desk.available("bob")

    assert (await desk.offers_of(first))[-1] == ("bob", "pending")
    assert await desk.offers_of(second) == [("ann", "pending")]
    assert (await desk.interaction(first.id)).queued_at == first.queued_at


async def test_agent_never_holds_more_than_their_capacity(desk: Desk) -> None:
    await desk.available("ann")
    for number in range(6):
        await desk.chat(f"Visitor {number}")

    assert len(await desk.live_offers(agent="ann")) == 4
    assert (await desk.agent("ann")).held == 100


async def test_several_are_asked_at_once_and_the_first_who_accepts_has_it(database_url: str, tmp_path: Path) -> None:
    queues = {"support": QueueSettings(id="support", offers_at_once=2)}
    desk = await open_desk(tmp_path, database_url, {"queues": queues})
    await desk.available("ann", "bob", "sue")
    chat = await desk.chat()
    asked = await desk.offers_of(chat)
    first, second = (name for name, _ in asked)

    await desk.accept(second)

    assert [state for _, state in asked] == ["pending", "pending"]
    assert sorted(await desk.offers_of(chat)) == sorted([(first, "revoked"), (second, "accepted")])
    assert ((await desk.agent(first)).held, (await desk.agent(second)).held) == (0, 25)
    await desk.hub.stop()


@pytest.mark.parametrize("accept_first", [True, False])
async def test_r1_accept_at_the_instant_of_the_deadline(desk: Desk, accept_first: bool) -> None:
    await desk.available("ann")
    chat = await desk.chat()
    (offer,) = await desk.live_offers()
    accept = desk.hub.services.offers.accept
    if accept_first:
        await desk.clock.advance_to(offer.deadline_at - 1)
        assert (await accept(offer.id, "ann")).state is State.ACTIVE
        await desk.wait(seconds=1)
        assert await desk.offers_of(chat) == [("ann", "accepted")]
    else:
        await desk.clock.advance_to(offer.deadline_at)
        with pytest.raises(OfferGone):
            await accept(offer.id, "ann")
        assert await desk.offers_of(chat) == [("ann", "timed_out")]
    assert (await desk.agent("ann")).held == (25 if accept_first else 0)


@pytest.mark.parametrize("customer_first", [True, False])
async def test_r2_accept_while_the_customer_leaves(desk: Desk, customer_first: bool) -> None:
    await desk.available("ann")
    chat = await desk.chat()
    (offer,) = await desk.live_offers()
    services = desk.hub.services
    leave = services.chats.end(chat.id, desk.visitors[chat.id])
    accept = services.offers.accept(offer.id, "ann")
    both = [leave, accept] if customer_first else [accept, leave]

    outcomes = await asyncio.gather(*both, return_exceptions=True)
    await desk.settle()

    after = await desk.interaction(chat.id)
    ann = await desk.agent("ann")
    if customer_first:
        assert isinstance(outcomes[1], OfferGone)
        assert (after.state, ann.held, ann.misses) == (State.ABANDONED, 0, 0)
    else:
        assert after.state is State.WRAPPING
        assert ann.held == 25


async def test_r3_two_agents_accept_and_one_wins(desk: Desk) -> None:
    await desk.available("ann", "bob")
    chat = await desk.chat()
    (offer,) = await desk.live_offers()
    accept = desk.hub.services.offers.accept

    outcomes = await asyncio.gather(
        accept(offer.id, "ann"), accept(offer.id, "bob"), accept(offer.id, offer.agent), return_exceptions=True
    )

    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert all(isinstance(outcome, OfferGone) for outcome in outcomes if isinstance(outcome, Exception))
    assert (await desk.interaction(chat.id)).agent == offer.agent


async def test_r6_presence_change_revokes_the_offer_without_a_miss(desk: Desk) -> None:
    await desk.available("ann")
    chat = await desk.chat()

    await desk.hub.services.presence.choose("ann", Presence.AWAY, "lunch")
    await desk.settle()

    ann = await desk.agent("ann")
    assert await desk.offers_of(chat) == [("ann", "revoked")]
    assert (ann.presence, ann.held, ann.misses) == (Presence.AWAY, 0, 0)
    assert (await desk.interaction(chat.id)).state is State.QUEUED


async def test_r7_browser_dies_while_offered_and_it_is_no_miss(desk: Desk) -> None:
    await desk.available("ann")
    chat = await desk.chat()

    await desk.hub.services.presence.disconnected("ann")
    await desk.available("bob")
    await desk.wait(seconds=31)

    assert await desk.offers_of(chat) == [("ann", "revoked"), ("bob", "pending")]
    assert (await desk.agent("ann")).misses == 0


async def test_r8_work_of_a_lost_agent_goes_to_the_head_of_the_queue(desk: Desk) -> None:
    chat = await desk.handled("ann")
    waiting = await desk.chat("Later")
    await desk.hub.services.offers.reject((await desk.live_offers(agent="ann"))[0].id, "ann", "busy")
    await desk.hub.services.presence.disconnected("ann")
    await desk.wait(seconds=46)

    lost = await desk.interaction(chat.id)
    assert (lost.state, lost.agent) == (State.QUEUED, None)
    assert (await desk.agent("ann")).connectivity is Connectivity.LOST
    assert [m.code for m in await desk.messages(chat)][-1] == "agent_lost"

    await desk.available("bob")
    offers = await desk.live_offers(agent="bob")
    assert offers[0].interaction == chat.id or offers[0].made_at == offers[-1].made_at
    assert {offer.interaction for offer in offers} == {chat.id, waiting.id}


async def test_agent_who_returns_in_time_keeps_their_chats(desk: Desk) -> None:
    chat = await desk.handled("ann")
    await desk.hub.services.presence.disconnected("ann")
    await desk.wait(seconds=44)
    await desk.hub.services.presence.connected("ann")
    await desk.wait(seconds=60)

    assert (await desk.interaction(chat.id)).agent == "ann"


@pytest.mark.parametrize("comes_back", [False, True])
async def test_who_goes_while_the_database_is_away_is_lost_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    chat = await desk.handled("ann")
    presence, store = desk.hub.services.presence, desk.hub.services.store

    def refuse(*_args: Any, **_options: Any) -> Any:
        raise Unavailable("The database cannot be reached.")

    with monkeypatch.context() as away:
        away.setattr(store, "submit", refuse)
        await presence.disconnected("ann")
        if comes_back:
            await presence.connected("ann")
    assert (await desk.agent("ann")).connectivity is Connectivity.CONNECTED

    await presence.catch_up()
    await desk.wait(seconds=46)

    expected = Connectivity.CONNECTED if comes_back else Connectivity.LOST
    assert (await desk.agent("ann")).connectivity is expected
    assert (await desk.interaction(chat.id)).state is (State.ACTIVE if comes_back else State.QUEUED)


async def test_r11_freed_capacity_is_dispatched_at_once(desk: Desk) -> None:
    await desk.available("ann")
    chats = [await desk.chat(f"Visitor {number}") for number in range(5)]
    for offer in await desk.live_offers(agent="ann"):
        await desk.hub.services.offers.accept(offer.id, "ann")
    await desk.settle()
    assert await desk.offers_of(chats[4]) == []

    scope = await desk.scope("ann")
    await desk.hub.services.handling.wrap_up(chats[0].id, scope)
    await desk.hub.services.handling.complete(chats[0].id, scope, "solved")
    await desk.settle()

    assert await desk.offers_of(chats[4]) == [("ann", "pending")]


async def test_short_abandon_is_counted_apart(desk: Desk) -> None:
    quick, slow = await desk.chat("Quick"), await desk.chat("Slow")
    await desk.wait(seconds=3)
    await desk.hub.services.chats.end(quick.id, desk.visitors[quick.id])
    await desk.wait(seconds=10)
    await desk.hub.services.chats.end(slow.id, desk.visitors[slow.id])

    reasons = [(await desk.interaction(chat.id)).closing_reason for chat in (quick, slow)]
    assert reasons == [ClosingReason.SHORT_ABANDON, ClosingReason.CUSTOMER_LEFT]
    figures = desk.hub.services.floor.figures["support"]
    assert (figures.offered, figures.short_abandons, figures.abandoned) == (2, 1, 1)


async def test_visitor_who_stays_away_gives_the_place_up_and_one_who_returns_keeps_it(desk: Desk) -> None:
    gone, back = await desk.chat("Gone"), await desk.chat("Back")
    chats = desk.hub.services.chats
    for chat in (gone, back):
        await chats.visitor_gone(chat.id)
    await desk.wait(seconds=100)
    await chats.visitor_back(back.id)
    await desk.wait(seconds=60)

    assert (await desk.interaction(gone.id)).state is State.ABANDONED
    assert (await desk.interaction(back.id)).state is State.QUEUED


async def test_wrap_up_ends_by_the_servers_clock_and_frees_the_agent(desk: Desk) -> None:
    chat = await desk.handled("ann")
    await desk.hub.services.handling.wrap_up(chat.id, await desk.scope("ann"))
    await desk.wait(seconds=30)
    await desk.hub.services.handling.extend_wrap_up(chat.id, await desk.scope("ann"))
    await desk.wait(seconds=60)
    assert (await desk.interaction(chat.id)).state is State.WRAPPING

    await desk.wait(seconds=31)

    closed = await desk.interaction(chat.id)
    assert (closed.state, closed.closing_reason, closed.disposition) == (
        State.CLOSED,
        ClosingReason.WRAP_UP_TIMED_OUT,
        None,
    )
    assert (await desk.agent("ann")).held == 0


async def test_away_while_holding_work_comes_when_the_work_ends(desk: Desk) -> None:
    chat = await desk.handled("ann")
    await desk.hub.services.presence.choose("ann", Presence.AWAY, "lunch")
    ann = await desk.agent("ann")
    assert (ann.presence, ann.next_presence) == (Presence.AVAILABLE, Presence.AWAY)

    other = await desk.chat("Other")
    assert await desk.offers_of(other) == []
    scope = await desk.scope("ann")
    await desk.hub.services.handling.wrap_up(chat.id, scope)
    await desk.hub.services.handling.complete(chat.id, scope, "solved")

    ann = await desk.agent("ann")
    assert (ann.presence, ann.reason, ann.next_presence) == (Presence.AWAY, "lunch", None)


async def test_available_without_a_checked_phone_says_why(desk: Desk) -> None:
    presence = desk.hub.services.presence
    await presence.choose("ann", Presence.AVAILABLE, "phone_fault")
    ann = await desk.agent("ann")
    assert (ann.presence, ann.reason) == (Presence.AVAILABLE, "phone_fault")
    await presence.choose("ann", Presence.AVAILABLE, "")
    assert (await desk.agent("ann")).reason == ""
    with pytest.raises(BadRequest):
        await presence.choose("ann", Presence.AWAY, "phone_fault")


async def test_parked_chat_frees_capacity_and_wakes_when_the_customer_answers(desk: Desk) -> None:
    chat = await desk.handled("ann")
    await desk.hub.services.handling.park(chat.id, await desk.scope("ann"))
    assert (await desk.agent("ann")).held == 0

    await desk.visitor_says(chat, "I found the number")

    assert (await desk.offers_of(chat))[-1] == ("ann", "pending")


async def test_transfer_to_an_agent_reaches_that_agent(desk: Desk) -> None:
    chat = await desk.handled("ann")
    await desk.available("bob")
    await desk.hub.services.handling.transfer(chat.id, await desk.scope("ann"), agent="bob")
    await desk.settle()

    assert await desk.offers_of(chat) == [("ann", "accepted"), ("bob", "pending")]


async def test_supervisor_takes_live_work_to_another_queue(desk: Desk) -> None:
    chat = await desk.handled("ann")
    with pytest.raises(Refused):
        await desk.hub.services.supervision.assign(chat.id, await desk.scope("ann"), queue="billing")

    moved = await desk.hub.services.supervision.assign(chat.id, await desk.scope("sue"), queue="billing")

    assert (moved.state, moved.queue, moved.agent) == (State.QUEUED, "billing", None)
    assert (await desk.agent("ann")).held in {0, 25}


async def test_work_assigned_to_somebody_away_waits_for_them_a_while_then_for_anybody(
    database_url: str, tmp_path: Path
) -> None:
    queues = {"support": QueueSettings(id="support", name="Support", only_agent_s=10.0)}
    desk = await open_desk(tmp_path, database_url, {"queues": queues})
    try:
        chat = await desk.chat()
        await desk.wait(15)
        await desk.hub.services.supervision.assign(chat.id, await desk.scope("sue"), agent="bob")
        await desk.available("ann")
        await desk.wait(8)
        assert await desk.offers_of(chat) == []

        await desk.wait(3)

        assert await desk.offers_of(chat) == [("ann", "pending")]
    finally:
        await desk.hub.stop()


def _skilled(**skills: dict[str, int]) -> dict[str, Any]:
    return {
        name: AgentSettings(
            id=name,
            name=f"{name.title()} Example",
            email=f"{name}@example.test",
            role="supervisor" if name == "sue" else "agent",
            skills=skills.get(name, {}),
        )
        for name in ("ann", "bob", "sue")
    }


async def test_what_comes_by_a_channel_needs_that_channels_skills(database_url: str, tmp_path: Path) -> None:
    site = ChannelSettings(
        id="site",
        kind="webchat",
        options={"queue": "support"},
        skills={"tents": 2},
        any_of=({"french": 1, "spanish": 1},),
        best_skills=("tents",),
    )
    agents = _skilled(ann={"tents": 5}, bob={"tents": 2, "spanish": 1}, sue={"tents": 3, "french": 1})
    desk = await open_desk(tmp_path, database_url, {"channels": {"site": site}, "agents": agents})
    try:
        chat = await desk.chat()
        await desk.available("ann")
        assert await desk.offers_of(chat) == []
        await desk.available("bob")
        assert await desk.offers_of(chat) == [("bob", "pending")]
        (offer,) = await desk.live_offers(agent="bob")
        assert offer.why[1:] == ("skill|spanish|1", "skill|tents|2")

        await desk.available("sue")
        assert await desk.offers_of(await desk.chat("Ada")) == [("sue", "pending")]
    finally:
        await desk.hub.stop()


async def test_transfer_says_which_skills_are_needed(database_url: str, tmp_path: Path) -> None:
    agents = _skilled(ann={"tents": 4}, bob={"tents": 2})
    desk = await open_desk(tmp_path, database_url, {"skills": ("tents",), "agents": agents})
    try:
        chat = await desk.handled("bob")
        scope, services = await desk.scope("bob"), desk.hub.services
        for needs in (Needs(skills={"boats": 1}), Needs(skills={"tents": 6}), Needs(any_of=({},))):
            with pytest.raises(BadRequest):
                await services.handling.transfer(chat.id, scope, queue="billing", needs=needs)
        await services.handling.transfer(chat.id, scope, queue="billing", needs=Needs(skills={"tents": 3}))
        await desk.settle()
        assert (await desk.interaction(chat.id)).needs == Needs(skills={"tents": 3})
        assert await desk.live_offers(agent="bob") == []

        await desk.available("ann")
        assert await desk.offers_of(chat) == [("bob", "accepted"), ("ann", "pending")]
        await services.supervision.assign(chat.id, await desk.scope("sue"), queue="support", needs=Needs())
        await desk.settle()
        assert [offer.agent for offer in await desk.live_offers()] == ["bob"]
    finally:
        await desk.hub.stop()


async def test_skill_that_the_configuration_forgot_keeps_nobody_waiting(database_url: str, tmp_path: Path) -> None:
    desk = await open_desk(tmp_path, database_url, {})
    chat = await desk.handled("ann")
    needs = Needs(skills={"boats": 2}, any_of=({"rafts": 1},), best_skills=("oars",))
    await desk.hub.services.handling.transfer(chat.id, await desk.scope("ann"), queue="billing", needs=needs)
    await desk.hub.stop()

    desk = await open_desk(tmp_path, database_url, {"skills": ("tents",)}, clock=desk.clock)
    try:
        await desk.available("bob")
        assert await desk.offers_of(chat) == [("ann", "accepted"), ("bob", "pending")]
    finally:
        await desk.hub.stop()


async def test_nothing_is_left_undispatched_after_a_restart(desk: Desk) -> None:
    chat = await desk.chat()
    engine = desk.hub.services.dispatcher.router
    engine.handle(__import__("routing.events", fromlist=["x"]).InteractionLeft(chat.id), at_ms=desk.clock.now())
    await desk.available("ann")
    assert await desk.offers_of(chat) == []

    await desk.wait(seconds=1.1)

    assert await desk.offers_of(chat) == [("ann", "pending")]


@pytest.mark.parametrize("reason", REJECT_REASONS)
async def test_every_reason_of_the_console_is_taken(desk: Desk, reason: str) -> None:
    await desk.available("ann")
    chat = await desk.chat()
    (offer,) = await desk.live_offers()

    await desk.hub.services.offers.reject(offer.id, "ann", reason)

    assert (await desk.offers_of(chat))[0] == ("ann", "rejected")


@pytest.mark.parametrize("count", [1, 3])
async def test_conversations_wrapped_up_and_completed_at_once_free_their_agent(desk: Desk, count: int) -> None:
    await desk.available("ann")
    scope = await desk.scope("ann")
    chats = []
    for number in range(count):
        chats.append(await desk.chat(f"Visitor {number}"))
        await desk.accept("ann")
    handling = desk.hub.services.handling
    await asyncio.gather(*(handling.wrap_up(chat.id, scope) for chat in chats))
    await asyncio.gather(*(handling.complete(chat.id, scope, "solved") for chat in chats))
    after = [await desk.interaction(chat.id) for chat in chats]
    assert [(each.state, each.disposition) for each in after] == [(State.CLOSED, "solved")] * count
    assert (await desk.agent("ann")).held == 0


@pytest.mark.parametrize(
    ("kind", "state", "said"), [("message", State.QUEUED, "message_left"), ("end", State.FLOWED_OUT, "nobody_there")]
)
async def test_queues_way_out_is_told_and_a_message_stays_until_it_is_answered(
    database_url: str, tmp_path: Path, kind: Any, state: State, said: str
) -> None:
    queue = QueueSettings(id="support", name="Support", max_wait_s=60.0, when_waited=WayOut(kind=kind))
    desk = await open_desk(
        tmp_path, database_url, {"queues": {"support": queue, "billing": QueueSettings(id="billing")}}
    )
    chat = await desk.chat()
    await desk.wait(61)
    left = await desk.interaction(chat.id)
    assert (left.state, left.is_message) == (state, kind == "message")
    assert (await desk.messages(left))[-1].code == said
    figures = desk.hub.services.floor.figures["support"]
    assert figures.offered == figures.flowed_out + (kind == "message")

    await desk.wait(90)
    await desk.available("ann")
    assert len(await desk.live_offers(agent="ann")) == (kind == "message")
    await desk.hub.stop()


async def test_way_out_is_taken_once_though_the_customer_writes_and_the_clock_strikes_meanwhile(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = QueueSettings(id="support", max_wait_s=60.0, when_waited=WayOut(kind="queue", target="billing"))
    desk = await open_desk(
        tmp_path, database_url, {"queues": {"support": queue, "billing": QueueSettings(id="billing")}}
    )
    chat, handling = await desk.chat(), desk.hub.services.handling
    take, may_go = handling.flow_out, asyncio.Event()

    async def slowly(*args: Any, **options: Any) -> Any:
        await may_go.wait()
        return await take(*args, **options)

    monkeypatch.setattr(handling, "flow_out", slowly)
    await desk.wait(seconds=62)
    await desk.visitor_says(chat, "Is anybody there?")
    may_go.set()
    await desk.wait(seconds=2)

    moved = [event for event in await Journal(desk.hub.services.store).read(0, 10_000) if event.interaction == chat.id]
    assert sum(event.kind is EventKind.INTERACTION_TRANSFERRED for event in moved) == 1
    assert sum(event.kind is EventKind.INTERACTION_QUEUED for event in moved) == 2
    assert (await desk.interaction(chat.id)).queue == "billing"
    assert [each.queue_id for each in desk.hub.services.dispatcher.router.snapshot().waiting] == ["billing"]
    assert desk.hub.services.dispatcher.corrections == 0
    await desk.hub.stop()


async def test_offer_that_could_not_be_stored_is_made_again_and_nobody_missed_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.available("ann")
    offers = desk.hub.services.offers
    with monkeypatch.context() as away:
        away.setattr(offers, "make", _refuse)
        chat = await desk.chat()
        await desk.wait(seconds=3)
        assert await desk.offers_of(chat) == []

    await desk.wait(seconds=2)

    assert await desk.offers_of(chat) == [("ann", "pending")]
    known = desk.hub.services.dispatcher.router.snapshot()
    assert [(agent.id, agent.misses) for agent in known.agents] == [("ann", 0)]


async def _refuse(*_args: Any) -> Any:
    raise Unavailable("The database cannot be reached.")


async def test_who_rejected_is_not_asked_again_because_the_hub_was_restarted(desk: Desk) -> None:
    await desk.available("ann")
    chat = await desk.chat()
    await desk.hub.services.offers.reject((await desk.live_offers(agent="ann"))[0].id, "ann", "busy")
    await desk.wait(seconds=20)

    await desk.hub.services.dispatcher.stop()
    await desk.hub.services.dispatcher.start()

    await desk.wait(seconds=39)
    assert await desk.offers_of(chat) == [("ann", "rejected")]
    await desk.wait(seconds=2)
    assert await desk.offers_of(chat) == [("ann", "rejected"), ("ann", "pending")]


async def test_engine_that_fails_begins_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    dispatcher = desk.hub.services.dispatcher

    def fail(*_args: Any, **_options: Any) -> Any:
        raise IndexError("tuple index out of range")

    with monkeypatch.context() as broken:
        broken.setattr(dispatcher.router, "handle", fail)
        chat = await desk.chat()

    await desk.wait(seconds=2)
    await desk.available("ann")

    assert await desk.offers_of(chat) == [("ann", "pending")]
    assert dispatcher.corrections == 1


async def test_dispatching_begins_when_the_database_is_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    services = desk.hub.services
    await services.dispatcher.stop()
    chat = await desk.chat()
    with monkeypatch.context() as away:
        assert services.dispatcher.record is not None
        away.setattr(services.dispatcher.record, "start", _refuse)
        await services.dispatcher.start()
        await desk.wait(seconds=3)

    await desk.available("ann")
    await desk.wait(seconds=2)

    assert await desk.offers_of(chat) == [("ann", "pending")]


async def test_visitors_who_leave_as_soon_as_they_came_leave_nothing_behind(desk: Desk) -> None:
    await desk.available("ann")
    chats = desk.hub.services.chats
    for number in range(24):
        start = ChatStart(channel="site", client_id=f"client-{number:02}", queue="support", token_hash=f"t{number}")
        started = await chats.start(start)
        for _ in range(number):
            await asyncio.sleep(0)
        await chats.end(started.interaction.id, started.visitor)
    await desk.settle()

    assert (await desk.live_offers(), (await desk.agent("ann")).held) == ([], 0)
    known = desk.hub.services.dispatcher.router.snapshot()
    assert (known.waiting, known.offers, known.agents[0].holds) == ((), (), ())
    assert desk.hub.services.dispatcher.corrections == 0


async def test_figures_of_the_first_minute_are_the_new_days(desk: Desk) -> None:
    """Midnight passes between two looks of the housekeeper."""
    await desk.handled("ann")
    desk.clock._now += 86_399_000 - desk.clock.now() % 86_400_000
    await desk.wait(seconds=2)
    await desk.chat("Early bird")
    figures = desk.hub.services.floor.figures["support"]
    at_once = figures.offered
    await desk.wait(seconds=70)

    assert (at_once, desk.hub.services.floor.figures["support"].offered) == (1, 1)


async def test_a_closed_account_holds_nothing(desk: Desk) -> None:
    parked, wrapping, active = [await desk.handled("ann", text=text) for text in ("Parked", "Wrapping", "Active")]
    scope = await desk.scope("ann")
    await desk.hub.services.handling.park(parked.id, scope)
    await desk.hub.services.handling.wrap_up(wrapping.id, scope)
    offered = await desk.chat(text="Offered")
    await desk.hub.services.accounts.update("ann", is_active=False)
    await desk.wait(1)
    assert (await desk.interaction(active.id)).state is State.ACTIVE, "the hub looks once a minute"

    await desk.wait(60)

    found = [await desk.interaction(one.id) for one in (parked, active, offered, wrapping)]
    assert [one.state for one in found] == [State.QUEUED, State.QUEUED, State.QUEUED, State.CLOSED]
    ann = await desk.agent("ann")
    assert (ann.held, ann.presence, ann.connectivity) == (0, Presence.OFFLINE, Connectivity.LOST)
    await desk.available("bob")
    assert len(await desk.live_offers(agent="bob")) == 3

    await desk.wait(120)
    assert (await desk.agent("ann")).version == ann.version, "nothing is left to be taken"


async def test_a_hub_starts_with_a_closed_account_whose_browser_was_there(desk: Desk) -> None:
    chat = await desk.handled("ann")
    await desk.hub.services.accounts.update("ann", is_active=False)
    await desk.hub.services.presence.after_restart()
    await desk.wait(60)
    assert (await desk.interaction(chat.id)).state is State.QUEUED
