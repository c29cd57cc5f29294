"""Texts end to end: what arrives, what is answered, what the carrier tells of it, and what it gets wrong."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.simulator.carrier import Fault, Handset
from hub.domain.correspondence import ArrivalState, OutgoingState
from hub.domain.errors import OptedOut, TooLarge, WindowOver
from hub.domain.interaction import State
from hub.domain.messages import Author
from hub.domain.texting import TemplateUse
from hub.storage.tables import ADDRESSES
from tests.integration.texts import ANN, BEN, CHAT_LINE, LINE, SID, TEMPLATE, TextHouse, text_house

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    shutil.copy(migrated_file, tmp_path / "hub.db")
    return f"sqlite:///{tmp_path}/hub.db"


@pytest.fixture
async def house(tmp_path: Path, sqlite_url: str) -> AsyncIterator[TextHouse]:
    async with text_house(tmp_path, sqlite_url) as opened:
        yield opened


@pytest.fixture
async def chat_house(tmp_path: Path, sqlite_url: str) -> AsyncIterator[TextHouse]:
    async with text_house(tmp_path, sqlite_url, number=CHAT_LINE, templates=(TEMPLATE,)) as opened:
        yield opened


async def test_text_is_queued_offered_answered_and_its_journey_is_told(tmp_path: Path, database_url: str) -> None:
    async with text_house(tmp_path, database_url) as house:
        interaction = await house.talking("Where is my order?")
        assert (interaction.kind, interaction.address, interaction.state) == ("sms", ANN, State.ACTIVE)
        said = await house.says(interaction, "On its way!")
        await house.wait(5)
        assert house.on_phone() == ["On its way!"]
        assert await house.receipts(interaction) == [(said.n, "delivered", "")]
        (sent,) = await house.outgoing()
        assert (sent.state, sent.attempts, sent.mode) == (OutgoingState.SENT, 1, "text")

        await house.writes("Thank you")
        await house.writes("Where is my parcel?", number=BEN)
        first, second = await house.interactions()
        assert [message.text for message in await house.desk.messages(first) if message.author is Author.CUSTOMER] == [
            "Where is my order?",
            "Thank you",
        ]
        assert (second.address, second.is_open, first.customer == second.customer) == (BEN, True, False)
        addresses = await house.desk._rows(ADDRESSES, "WHERE kind = 'phone' ORDER BY value")
        assert [(one.value, one.customer) for one in addresses] == [(ANN, first.customer), (BEN, second.customer)]


@pytest.mark.parametrize("effect", ["duplicated", "late", "reordered"])
async def test_callbacks_that_come_twice_late_or_out_of_order_change_nothing(house: TextHouse, effect: str) -> None:
    house.carrier.switch.faults.switch_on(Fault(kind="message-status", effect=effect, seconds=3))  # type: ignore[arg-type]
    interaction = await house.talking()
    for text in ("One", "Two", "Three"):
        await house.says(interaction, text)
    await house.wait(14)
    assert house.on_phone() == ["One", "Two", "Three"]
    assert [status for _, status, _ in await house.receipts(interaction)] == ["delivered"] * 3


async def test_lost_callbacks_leave_what_was_sent_sent(house: TextHouse) -> None:
    house.carrier.switch.faults.switch_on(Fault(kind="message-status", effect="lost"))
    interaction = await house.talking()
    await house.says(interaction, "One")
    await house.wait(10)
    assert (await house.outgoing())[0].state is OutgoingState.SENT
    assert await house.receipts(interaction) == [((await house.outgoing())[0].n, "", "")]


async def test_message_that_comes_twice_is_stored_once(house: TextHouse) -> None:
    house.carrier.switch.faults.switch_on(Fault(kind="message", effect="duplicated"))
    await house.writes("Hello")
    await house.wait(5)
    (interaction,) = await house.interactions()
    assert [message.text for message in await house.desk.messages(interaction)] == ["Hello"]


async def test_carrier_that_asks_to_slow_down_gets_it_once_and_later(house: TextHouse) -> None:
    interaction = await house.talking()
    house.carrier.switch.faults.switch_on(Fault(kind="rest:Messages", effect="status", code=429, seconds=2))
    await house.says(interaction, "Hello")
    await house.wait(1)
    assert ((await house.outgoing())[0].state, house.on_phone()) == (OutgoingState.WAITING, [])
    house.carrier.switch.faults.switch_off()
    await house.wait(10)
    assert (house.on_phone(), (await house.outgoing())[0].state) == (["Hello"], OutgoingState.SENT)


async def test_answer_that_is_lost_after_the_message_was_made_is_settled_by_its_receipt(house: TextHouse) -> None:
    interaction = await house.talking()
    house.carrier.switch.faults.switch_on(Fault(kind="rest:Messages", effect="after", code=500))
    await house.says(interaction, "Hello")
    await house.wait(10)
    assert house.on_phone() == ["Hello"]
    assert (await house.outgoing())[0].state is OutgoingState.SENT
    assert [status for _, status, _ in await house.receipts(interaction)] == ["delivered"]


async def test_message_of_which_nobody_can_know_is_marked_and_not_sent_again(house: TextHouse) -> None:
    interaction = await house.talking()
    house.carrier.switch.faults.switch_on(
        Fault(kind="rest:Messages", effect="after", code=500), Fault(kind="message-status", effect="lost")
    )
    await house.says(interaction, "Hello")
    await house.wait(12)
    assert house.on_phone() == ["Hello"]
    assert (await house.outgoing())[0].state is OutgoingState.UNCERTAIN


@pytest.mark.parametrize(("code", "word"), [(30003, "switched off"), (30007, "spam")])
async def test_message_that_does_not_arrive_says_why_on_itself(house: TextHouse, code: int, word: str) -> None:
    house.carrier.post.handsets[ANN] = Handset(refuses=code)
    interaction = await house.talking()
    said = await house.says(interaction, "Hello")
    await house.wait(10)
    (told,) = await house.receipts(interaction)
    assert told[:2] == (said.n, "failed")
    assert word in told[2]
    assert str(code) in told[2]
    assert (await house.desk.messages(interaction))[-1].code == "undelivered"


async def test_whoever_opted_out_is_not_written_to_until_they_say_start(house: TextHouse) -> None:
    interaction = await house.talking()
    await house.writes("STOP")
    with pytest.raises(OptedOut):
        await house.says(interaction, "One more thing")
    assert [(one.address, one.is_out, one.word) for one in await house.ledger()] == [(ANN, True, "STOP")]
    services, scope = house.desk.hub.services, await house.desk.scope("ann")
    profile = await services.people.profile(interaction.customer, scope)
    assert [(one.channel, one.address, one.word) for one in profile.opt_outs] == [("texts", ANN, "STOP")]
    standing = await services.texting.standing(interaction.id, scope)
    assert standing is not None
    assert (standing.opted_out_word, standing.has_window) == ("STOP", False)
    await house.writes("Start")
    assert (await services.people.profile(interaction.customer, scope)).opt_outs == []
    await house.says(interaction, "One more thing")
    await house.wait(5)
    assert house.on_phone()[-1] == "One more thing"


async def test_words_the_carrier_does_not_know_are_heeded_and_confirmed_by_us(house: TextHouse) -> None:
    interaction = await house.talking("你好")
    assert interaction.language == "zh"
    await house.writes("退订")
    await house.wait(5)
    assert [line.startswith("您已退订") for line in house.on_phone()] == [True]
    with pytest.raises(OptedOut):
        await house.says(interaction, "您好")
    await house.writes("开始")
    await house.says(interaction, "您好")
    await house.wait(5)
    assert house.on_phone()[-1] == "您好"


async def test_stop_from_nobody_begins_no_work_and_yes_is_an_answer(house: TextHouse) -> None:
    await house.writes("Stop.")
    await house.writes("yes", number=BEN)
    stopped, answered = await house.interactions()
    assert (stopped.state, answered.state) == (State.REJECTED, State.QUEUED)
    await house.writes("Please help me with my bill")
    assert [one.state for one in await house.interactions()] == [State.REJECTED, State.QUEUED, State.QUEUED]


async def test_carrier_that_knows_of_an_opt_out_teaches_the_ledger(house: TextHouse) -> None:
    interaction = await house.talking()
    house.carrier.post.opted_out.add((LINE, ANN))
    await house.says(interaction, "Hello")
    await house.wait(2)
    (sent,) = await house.outgoing()
    assert (sent.state, sent.status) == (OutgoingState.FAILED, "21610")
    assert [(one.address, one.is_out) for one in await house.ledger()] == [(ANN, True)]


async def test_pictures_come_in_and_go_out(house: TextHouse) -> None:
    await house.desk.available("ann")
    await house.writes("See this", media=[("image/png", PNG), ("application/x-thing", b"MZ\0\0")])
    await house.wait(1)
    accepted = await house.desk.accept("ann")
    interaction = await house.desk.interaction(accepted.id)
    message = (await house.desk.messages(interaction))[0]
    assert [(file.name, file.type) for file in message.files] == [
        ("1.png", "image/png"),
        ("2.bin", "application/octet-stream"),
    ]
    await house.says(interaction, "Thanks", files=(message.files[0],))
    await house.wait(5)
    (received,) = house.carrier.post.handset(ANN).messages
    assert [(one.content_type, one.body) for one in received.media] == [("image/png", PNG)]


async def test_picture_that_cannot_be_had_does_not_hold_the_words_back(house: TextHouse) -> None:
    house.carrier.switch.faults.switch_on(Fault(kind="rest:Messages", effect="status", code=503))
    await house.writes("See this", media=[("image/png", PNG)])
    (interaction,) = await house.interactions()
    (message,) = await house.desk.messages(interaction)
    assert (message.text, message.files) == ("See this\n[The file 1.png could not be fetched]", ())


async def test_conversation_that_ended_goes_on_where_it_was(house: TextHouse) -> None:
    interaction = await house.talking()
    scope = await house.desk.scope("ann")
    await house.desk.hub.services.handling.wrap_up(interaction.id, scope)
    await house.desk.hub.services.handling.complete(interaction.id, scope, "solved")
    await house.writes("One more thing")
    ended, following = await house.interactions()
    assert (ended.state, following.previous, following.is_open) == (State.CLOSED, ended.id, True)
    assert following.last_agent == "ann"


async def test_text_longer_than_the_carrier_takes_is_refused_before_it_is_stored(house: TextHouse) -> None:
    interaction = await house.talking()
    with pytest.raises(TooLarge):
        await house.says(interaction, "a" * 1601)
    await house.says(interaction, "字" * 1600)
    await house.wait(5)
    assert house.on_phone() == ["字" * 1600]


async def test_agent_with_one_text_in_hand_is_offered_the_next(house: TextHouse) -> None:
    first = await house.talking()
    await house.writes("Me too", number=BEN)
    await house.wait(1)
    second = await house.desk.accept("ann")
    assert (first.kind, second.kind, second.address) == ("sms", "sms", BEN)
    assert house.desk.hub.services.dispatcher.corrections == 0


async def test_free_words_have_their_day_and_templates_go_after_it(chat_house: TextHouse) -> None:
    house = chat_house
    interaction = await house.talking(to=CHAT_LINE)
    assert interaction.kind == "whatsapp"
    await house.says(interaction, "In time")
    await house.wait(5)
    assert house.on_phone(f"whatsapp:{ANN}") == ["In time"]

    await house.was_long_ago(hours=25)
    texting = house.desk.hub.services.texting
    with pytest.raises(WindowOver):
        await house.says(interaction, "Too late")
    use = TemplateUse("on_its_way", ("Ann", "4711"))
    await house.says(interaction, texting.worded("texts", use), template=use)
    await house.wait(5)
    assert (await house.desk.messages(interaction))[-1].text == "Dear Ann, your order 4711 is on its way."
    assert house.on_phone(f"whatsapp:{ANN}")[-1] == '{"1": "Ann", "2": "4711"}'
    assert (await house.outgoing())[-1].state is OutgoingState.SENT

    await house.writes("I am back", to=CHAT_LINE)
    await house.says(interaction, "Good")
    await house.wait(5)
    assert house.on_phone(f"whatsapp:{ANN}")[-1] == "Good"


@pytest.mark.parametrize("order", [("delivered", "sent", "failed"), ("failed", "delivered", "sent")])
async def test_receipts_never_lead_backwards(house: TextHouse, order: tuple[str, ...]) -> None:
    house.carrier.switch.faults.switch_on(Fault(kind="message-status", effect="lost"))
    interaction = await house.talking()
    await house.says(interaction, "Hello")
    await house.wait(5)
    (sent,) = await house.outgoing()
    for status in (*order, *order):
        code = "30003" if status == "failed" else ""
        params = {"MessageSid": "SM" + "0" * 32, "MessageStatus": status, "ErrorCode": code}
        assert await house.posts(f"status/{sent.id}", params) == 204
    ((_, told, _),) = await house.receipts(interaction)
    assert told == "delivered"


async def test_only_the_carrier_gets_in(house: TextHouse) -> None:
    params = {"MessageSid": "SM" + "0" * 32, "From": ANN, "To": LINE, "Body": "Hello"}
    assert await house.posts("message", params, token="another") == 403
    assert await house.posts("status/o1", params | {"MessageStatus": "sent"}, token="") == 403
    assert await house.posts("message", params | {"MessageSid": "../../x"}) == 400
    assert await house.posts("message", params | {"Body": "a" * 70_000}) == 413
    assert await house.interactions() == []
    assert await house.posts("message", params | {"AccountSid": SID}, token="another") == 403
    assert [one.state for one in await house.arrivals()] == [ArrivalState.FAILED]
    assert not house.channel.status.is_up
    assert await house.posts("status/o1", params | {"MessageStatus": "sent"}) == 204
    assert await house.posts("fallback", params) == 200
    await house.settle()
    assert len(await house.interactions()) == 1


async def test_texter_is_led_by_a_flow_with_numbers_and_reaches_a_person(tmp_path: Path, sqlite_url: str) -> None:
    async with text_house(tmp_path, sqlite_url, flow="main-menu") as house:
        await house.writes("Hello")
        await house.wait(2)
        (interaction,) = await house.interactions()
        assert interaction.state is State.SELF_SERVICE
        assert "\n1 " in house.on_phone()[0]
        await house.writes("agent")
        await house.wait(2)
        assert (await house.desk.interaction(interaction.id)).state in {State.QUEUED, State.OFFERED}
        await house.writes("STOP", number=BEN)
        assert [one.state for one in await house.interactions()][-1] is State.REJECTED
