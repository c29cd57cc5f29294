"""Snapshot + frames = fresh snapshot, after every service call (invariant 7)."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.domain.agent import Presence, Role
from hub.domain.correspondence import DraftedLetter, Party
from hub.domain.customers import AddressKind
from hub.domain.errors import DeliveryUncertain, MessageRejected
from hub.services.accounts import Accounts, Device, Login, PasswordChange
from hub.services.dispatching.floor import Floor
from hub.services.letters.writing import NewLetter
from hub.services.people import Edit, TypedAddress
from tests import letterbox
from tests.builders import Desk, open_desk
from tests.letterbox import Mailed
from tests.unit.console.browsers import Browser, Office
from tests.unit.console.conftest import people

Step = Callable[[Desk], Awaitable[Any]]
PASSWORD = "a tent in the rain"


async def test_every_service_call_leaves_every_browser_true(office: Office) -> None:
    desk, hub = office.desk, office.desk.hub.services
    sue = await desk.scope("sue")
    ann, bob = await desk.scope("ann"), await desk.scope("bob")

    async def after(work: Awaitable[Any]) -> Any:
        result = await work
        await office.check()
        return result

    await after(hub.presence.connected("ann"))
    await after(hub.presence.choose("ann", Presence.AVAILABLE, ""))
    chat = await after(desk.chat())
    other = await after(desk.chat("Mei", queue="billing"))
    await after(desk.accept("ann"))
    visitor = desk.visitors[chat.id]
    await after(desk.visitor_says(chat, "Anybody?"))
    await after(hub.handling.seen(chat.id, ann, 4))
    await after(desk.agent_says("ann", chat, "Here."))
    await after(hub.chats.seen(chat.id, visitor, 5))
    await after(hub.chats.visitor_gone(chat.id))
    await after(hub.chats.visitor_back(chat.id))
    await after(hub.handling.save_draft(chat.id, ann, "reply", "So"))
    await after(hub.people.add_note(chat.customer, "Careful", ann, interaction=chat.id, name="Ann"))
    await after(hub.people.edit(chat.customer, Edit(name="Wei Li", tier="gold"), ann))
    typed = [TypedAddress(AddressKind.EMAIL, "wei@example.test")]
    await after(hub.people.edit(chat.customer, Edit(addresses_in=typed), ann))
    await after(hub.people.edit(chat.customer, Edit(addresses_out=typed), ann))
    await after(hub.handling.park(chat.id, ann))
    await after(hub.handling.unpark(chat.id, ann))
    await after(hub.handling.park(chat.id, ann))
    await after(desk.visitor_says(chat, "One more thing"))
    (offer,) = await desk.live_offers(agent="ann")
    await after(hub.offers.reject(offer.id, "ann", "busy"))
    await after(hub.presence.choose("ann", Presence.AWAY, "lunch"))
    await after(hub.presence.connected("bob"))
    await after(hub.presence.choose("bob", Presence.AVAILABLE, "", actor=sue))
    for offer in await desk.live_offers(agent="bob"):
        await after(hub.offers.accept(offer.id, "bob"))
    await after(hub.handling.transfer(other.id, bob, queue="support"))
    await after(hub.presence.choose("ann", Presence.AVAILABLE, ""))
    await after(hub.supervision.assign(other.id, sue, agent="ann"))
    await after(hub.supervision.assign(other.id, sue, queue="billing"))
    await after(hub.presence.choose("bob", Presence.OFFLINE, ""))
    merge = await after(hub.people.merge(chat.customer, other.customer, sue))
    await after(hub.people.undo_merge(merge.id, sue))
    await after(hub.handling.wrap_up(chat.id, bob))
    await after(hub.handling.extend_wrap_up(chat.id, bob))
    await after(hub.handling.complete(chat.id, bob, "solved"))
    await after(hub.supervision.force_close(other.id, sue, "spam"))
    third = await after(desk.chat("Zoe"))
    await after(hub.chats.end(third.id, desk.visitors[third.id]))
    await after(hub.presence.disconnected("ann"))
    await after(desk.wait(seconds=60))
    await after(hub.presence.connected("ann"))
    await after(hub.presence.resume_work("ann"))
    await after(_accounts(hub.accounts, after))
    assert {mode for browser in office.browsers for mode in browser.modes} == {"snapshot"}
    assert all(len(browser.modes) == 1 for browser in office.browsers)


async def _accounts(accounts: Accounts, after: Callable[[Awaitable[Any]], Awaitable[Any]]) -> None:
    """Come to be a member of staff, sign in and out, in every way."""
    await after(accounts.sign_in_as("ann", device()))
    await after(accounts.update("bob", name="Bobby"))
    cat = await after(accounts.create("Cat", "cat@example.test", Role.AGENT, PASSWORD))
    login = Login(email="cat@example.test", password=PASSWORD)
    tokens = [(await after(accounts.sign_in(login, device()))).token for _ in range(3)]
    first, second, third = [signed for token in tokens if (signed := await accounts.signed(token))]
    await after(accounts.revoke(cat.id, first.session.id))
    await after(accounts.sign_out(second))
    await after(accounts.change_password(third, PasswordChange(old=PASSWORD, new=f"{PASSWORD}, anew")))
    await after(accounts.revoke_all(cat.id))


def device() -> Any:
    return Device(ip="192.0.2.1", browser="test")


async def test_every_service_call_about_letters_leaves_every_browser_true(office: Office) -> None:
    desk, hub, post = office.desk, office.desk.hub.services, letterbox.of(office.desk.hub)
    sue, ann = await desk.scope("sue"), await desk.scope("ann")

    async def after(work: Awaitable[Any]) -> Any:
        result = await work
        await letterbox.all_read(desk)
        await office.check()
        return result

    li = Party("li@example.com", "Li Wei")
    await desk.available("ann")
    await after(post.post(Mailed(name="<1@x>", sender=li, subject="Tents", text="Are they dry?")))
    one = (await after(desk.accept("ann"))).id
    await after(hub.letters.save_draft(one, ann, "Ye", DraftedLetter(mode="reply", to=(li,))))
    sent = await after(hub.letters.reply(one, ann, NewLetter(client_id="c1", text="Yes.")))
    await after(hub.letters.take_back(one, sent.envelope.n, ann))
    post.faults += [MessageRejected("550 No"), DeliveryUncertain("Cut off.")]
    failed = await after(hub.letters.reply(one, ann, NewLetter(client_id="c2", text="Yes.")))
    await after(desk.wait(seconds=11))
    await after(hub.letters.try_again(one, failed.envelope.n, ann))
    await after(desk.wait(seconds=1))
    await after(hub.letters.consider_sent(one, failed.envelope.n, ann))
    await after(hub.letters.reply(one, ann, NewLetter(client_id="c3", text="Both of them.", then="park")))
    await after(post.post(Mailed(name="<2@x>", sender=li, text="And the stove?", answers=("<1@x>",))))
    for offer in await desk.live_offers(agent="ann"):
        await after(hub.offers.accept(offer.id, "ann"))
    letters = [view.envelope for view in await hub.letters.of(one, ann) if view.outgoing is None]
    new = await after(hub.intake.split(one, letters[-1].n, ann))
    await after(hub.intake.undo((await hub.intake.rearranged(new.id, ann))[0].id, ann))
    new = await after(hub.intake.split(one, letters[-1].n, ann))
    joined = await after(hub.intake.join(new.id, one, sue))
    await after(hub.intake.undo(joined.id, sue))
    begun, _ = await after(
        hub.letters.begin(
            ann, "post", "support", NewLetter(client_id="c4", text="Hi", mode="new", to=(li,), subject="Hi")
        )
    )
    post.is_legible = False
    await after(post.post(Mailed(name="<3@x>", sender=li, text="Odd", answers=("<1@x>",))))
    post.is_legible = True
    (arrival,) = await hub.arrivals.attention(sue)
    await after(hub.arrivals.dismiss(arrival.id, sue))
    await after(hub.arrivals.read_again(arrival.id, sue))
    await after(hub.handling.wrap_up(begun.id, ann))
    await after(hub.letters.set_signature(ann, "Ann"))
    assert all(browser.gaps == 0 for browser in office.browsers)


async def test_letters_are_pushed_to_owner_and_onlookers_only(office: Office) -> None:
    desk, hub, post = office.desk, office.desk.hub.services, letterbox.of(office.desk.hub)
    ann, bob, sue = office.browsers
    await desk.available("ann")
    await post.post(Mailed(name="<1@x>", sender=Party("li@example.com"), subject="Tents", text="Dry?"))
    await letterbox.all_read(desk)
    one = (await desk.accept("ann")).id
    assert sue.tab is not None
    office.sync.begin_open(sue.tab, one)
    await office.check()
    for browser in office.browsers:
        browser.heard.clear()
    await hub.letters.reply(one, await desk.scope("ann"), NewLetter(client_id="c1", text="Yes."))
    await desk.wait(seconds=11)
    await office.check()

    def heard(browser: Browser, table: str) -> list[Any]:
        frames = [payload for event, payload in browser.heard if event == "frame"]
        return [row for frame in frames for row in frame["put"].get(table, {}).values()]

    for browser in (ann, sue):
        assert [row["n"] for row in heard(browser, "letters")] == [3]
        states = [row["state"] for row in heard(browser, "outgoing")]
        assert list(dict.fromkeys(states)) == ["waiting", "sending", "sent"]
    assert heard(bob, "letters") == heard(bob, "outgoing") == heard(bob, "messages") == []


async def test_timers_leave_every_browser_true(office: Office) -> None:
    desk = office.desk
    await desk.available("ann", "bob")
    await desk.chat()
    await desk.chat("Mei", queue="billing")
    for _ in range(8):
        await desk.wait(seconds=20)
        await office.check()
    for name in ("ann", "bob"):
        await desk.hub.services.presence.resume_work(name)
        await office.check()


async def test_end_of_wrap_up_leaves_every_browser_true(office: Office) -> None:
    desk = office.desk
    chat = await desk.handled("ann")
    await desk.hub.services.handling.wrap_up(chat.id, await desk.scope("ann"))
    await office.check()
    await desk.wait(seconds=70)
    await office.check()
    assert all(chat.id not in browser.tables["interactions"] for browser in office.browsers)


async def test_message_goes_out_in_the_turn_of_its_commit_to_owner_and_onlookers_only(office: Office) -> None:
    desk = office.desk
    ann, bob, sue = office.browsers
    chat = await desk.handled("ann")
    assert sue.tab is not None
    office.sync.begin_open(sue.tab, chat.id)
    await office.check()
    for browser in office.browsers:
        browser.heard.clear()
    seen_at_answer: list[list[str]] = []
    future = desk.hub.services.chats.say(chat.id, desk.visitors[chat.id], "m-000001", "Hi")
    future.add_done_callback(lambda _: seen_at_answer.append([str(name) for name in ann.messages]))

    message = await future

    assert f"{chat.id}:{message.n}" in seen_at_answer[0]
    assert [event for event, _ in sue.heard] == ["frame"]
    assert bob.heard == []
    (frame,) = [payload for _, payload in ann.heard]
    assert list(frame["put"]) == ["messages"]
    assert frame["put"]["messages"][f"{chat.id}:{message.n}"]["text"] == "Hi"


async def test_what_an_agent_takes_is_theirs_in_the_turn_of_its_commit(office: Office) -> None:
    desk = office.desk
    ann, bob, _ = office.browsers
    await desk.available("ann")
    chat = await desk.chat()
    await office.check()
    assert ann.tables["interactions"][chat.id]["state"] == "offered"
    bob.heard.clear()

    await desk.accept("ann")

    row = ann.tables["interactions"][chat.id]
    assert (row["state"], row["agent"]) == ("active", "ann")
    assert not any("interactions" in payload.get("put", {}) for _, payload in bob.heard), "others wait for the tick"
    await office.check()


async def test_many_messages_cost_watchers_ticks_not_frames(office: Office) -> None:
    desk = office.desk
    chat = await desk.handled("ann")
    await office.check()
    sue = office.browsers[2]
    sue.heard.clear()

    for number in range(40):
        await desk.hub.services.chats.say(chat.id, desk.visitors[chat.id], f"m-{number:06}", "Hi")

    assert sue.heard == []
    await desk.wait(seconds=0.6)
    assert len(sue.heard) <= 2
    await office.check()


async def test_stranger_to_a_queue_hears_nothing_of_it(office: Office) -> None:
    desk = office.desk
    ann = office.browsers[0]
    ann.heard.clear()

    chat = await desk.chat("Mei", queue="billing")
    await desk.visitor_says(chat, "psst")
    await office.check()
    await desk.hub.services.chats.end(chat.id, desk.visitors[chat.id])
    await office.check()

    assert chat.id not in msgspec.json.encode(ann.heard).decode()


async def test_colleagues_work_is_shown_in_brief_unless_it_is_opened(office: Office) -> None:
    desk = office.desk
    ann, bob, sue = office.browsers
    chat = await desk.handled("ann", text="Where is my tent?")
    await office.check()
    rows = [browser.tables["interactions"][chat.id] for browser in (ann, bob, sue)]
    assert [row["preview"] for row in rows] == ["Where is my tent?", "", "Where is my tent?"]
    bob.heard.clear()

    await desk.visitor_says(chat, "Hello?")
    await desk.wait(seconds=1)
    assert bob.heard == []

    assert bob.tab is not None
    office.sync.begin_open(bob.tab, chat.id)
    await office.check()
    assert bob.tables["interactions"][chat.id]["preview"] == "Hello?"
    office.sync.leave_view(bob.tab, chat.id)
    await office.check()
    assert bob.tables["interactions"][chat.id]["preview"] == ""


async def test_row_that_leaves_the_scope_is_dropped(office: Office) -> None:
    desk = office.desk
    ann = office.browsers[0]
    chat = await desk.chat()
    await office.check()
    assert chat.id in ann.tables["interactions"]

    await desk.hub.services.supervision.assign(chat.id, await desk.scope("sue"), queue="billing")
    await office.check()

    assert chat.id not in ann.tables["interactions"]


async def test_resuming_brings_what_was_missed_and_says_how_far_behind(office: Office) -> None:
    desk = office.desk
    ann = office.browsers[0]
    chat = await desk.handled("ann")
    await office.check()
    ann.disconnect()
    await desk.visitor_says(chat, "Still there?")
    other = await desk.chat("Mei")
    gone = await desk.chat("Zoe")
    await desk.hub.services.chats.end(gone.id, desk.visitors[gone.id])
    await desk.wait(seconds=2)
    held = ann.held

    ann.connect()

    assert ann.modes[-1] == "frames"
    assert held < ann.held == office.floor.seq
    assert other.id in ann.tables["interactions"]
    await office.check()


async def test_returning_between_a_change_and_its_tick_loses_nothing(office: Office) -> None:
    desk = office.desk
    ann = office.browsers[0]
    chat = await desk.handled("ann")
    await office.check()
    await desk.hub.services.handling.park(chat.id, await desk.scope("ann"))
    ann.disconnect()
    ann.held = office.floor.seq
    office.sync.flush()
    ann.connect()
    await office.check()


async def test_unknown_or_future_number_gets_a_snapshot(office: Office) -> None:
    desk = office.desk
    ann = office.browsers[0]
    await desk.chat()
    for held in (10**6, 1):
        ann.disconnect()
        ann.held = held
        ann.connect()
        assert ann.modes[-1] == "snapshot"
        await office.check()


async def test_who_could_not_read_is_told_to_sync_and_catches_up(office: Office) -> None:
    desk = office.desk
    ann = office.browsers[0]
    await desk.available("ann")
    ann.is_deaf = True
    chat = await desk.chat()
    await desk.accept("ann")
    await desk.wait(seconds=1)
    ann.is_deaf = False
    assert chat.id not in ann.tables["interactions"]

    assert ann.tab is not None
    office.sync.distrust(ann.tab)

    assert chat.id in ann.tables["interactions"]
    await office.check()


async def test_lost_frame_shows_as_a_gap_and_is_mended(office: Office) -> None:
    desk = office.desk
    ann = office.browsers[0]
    await desk.available("ann")
    await office.check()
    ann.is_deaf = True
    chat = await desk.chat()
    await desk.wait(seconds=1)
    ann.is_deaf = False

    await desk.accept("ann")
    await desk.wait(seconds=1)

    assert ann.gaps == 1
    assert ann.tables["interactions"][chat.id]["state"] == "active"
    ann.gaps = 0
    await office.check()


async def test_second_tab_of_the_same_person_is_true_too(office: Office) -> None:
    desk = office.desk
    await desk.available("ann")
    second = office.browser("ann")
    await desk.chat()
    await office.check()
    second.disconnect()
    await desk.accept("ann")
    await office.check()
    second.connect()
    await office.check()


@pytest.mark.parametrize("change", ["queues", "role"])
async def test_changed_scope_is_a_new_snapshot(office: Office, change: str) -> None:
    desk, accounts = office.desk, office.desk.hub.services.accounts
    ann: Browser = office.browsers[0]
    billing = await desk.chat("Mei", queue="billing")
    await office.check()
    assert billing.id not in ann.tables["interactions"]

    if change == "role":
        await accounts.update("ann", role=Role.SUPERVISOR)
    else:
        wanted = msgspec.structs.replace(desk.hub.settings.agents["ann"], queues=("billing",))
        await accounts.sync_configured({"ann": wanted})

    assert ann.modes == ["snapshot", "snapshot"]
    assert billing.id in ann.tables["interactions"]
    await office.check()


async def test_message_pushed_while_opening_is_said_again_behind_the_answer(office: Office) -> None:
    desk = office.desk
    ann, _, sue = office.browsers
    chat = await desk.handled("ann")
    await office.check()
    assert sue.tab is not None
    office.sync.begin_open(sue.tab, chat.id)
    message = await desk.visitor_says(chat, "In between")
    sue.heard.clear()

    office.sync.end_open(sue.tab, chat.id)

    (heard,) = sue.heard
    assert list(heard[1]["put"]["messages"]) == [f"{chat.id}:{message.n}"]
    assert ann.gaps == sue.gaps == 0
    await office.check()


async def test_notes_and_typing_reach_those_who_look(office: Office) -> None:
    desk = office.desk
    ann, bob, sue = office.browsers
    chat = await desk.handled("ann")
    assert sue.tab is not None
    office.sync.begin_open(sue.tab, chat.id)

    note = await desk.hub.services.people.add_note(
        chat.customer, "VIP", await desk.scope("ann"), interaction=chat.id, name="Ann"
    )
    office.sync.typing(chat.id, {"interaction": chat.id, "who": "agent", "name": "Ann", "typing": True}, by="ann")

    assert note.id in ann.notes
    assert note.id in sue.notes
    assert [event for event, _ in sue.heard if event == "typing"] == ["typing"]
    assert not [event for event, _ in (*ann.heard, *bob.heard) if event == "typing"]
    office.sync.leave_view(sue.tab, chat.id)
    office.sync.typing(chat.id, {}, by="ann")
    assert len([event for event, _ in sue.heard if event == "typing"]) == 1


async def test_of_a_long_queue_the_first_are_rows_and_all_are_counted(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Floor, "window", 2)
    desk = await open_desk(tmp_path, database_url, {"agents": people()})
    office = Office(desk)
    sue, ann = office.browser("sue"), office.browser("ann")
    chats = []
    for name in ("Li", "Mei", "Noa", "Ola"):
        chats.append(await desk.chat(name))
        await desk.wait(1)
    first, second, third, fourth = (one.id for one in chats)
    await office.check()
    for browser in (sue, ann):
        assert list(browser.tables["interactions"]) == [first, second]
        support = browser.tables["queues"]["support"]
        assert (support["waiting"], support["unlisted"]) == (4, 2)

    await desk.hub.services.supervision.force_close(first, await desk.scope("sue"), "test")
    await office.check()
    assert set(sue.tables["interactions"]) == set(ann.tables["interactions"]) == {second, third}

    await desk.hub.services.supervision.assign(fourth, await desk.scope("sue"), agent="ann")
    await office.check()
    assert set(ann.tables["interactions"]) == {second, third, fourth}
    assert sue.tables["queues"]["support"]["waiting"] == 3
    office.sync.close()
    desk.clock.settle = None
    await desk.hub.stop()
