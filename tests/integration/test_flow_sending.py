"""What a flow sends on another channel: to whom it goes, once and no more, and what becomes of what is not sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels import KINDS
from channels.simulator.carrier import Handset as Telephone
from hub.clock import FakeClock
from hub.contract import Capabilities
from hub.domain.correspondence import Envelope, Outgoing, OutgoingState
from hub.domain.customers import Address, AddressKind
from hub.domain.interaction import ClosingReason, Interaction, State
from hub.domain.messages import Message
from hub.domain.texting import OptOut, TextRules
from hub.flows.session import Said
from hub.services import moves
from hub.services.flows.paths import Paths
from hub.services.timeline import Timeline
from hub.settings import ChannelSettings
from hub.settings.sections import Flows
from hub.storage.tables import ADDRESSES, ENVELOPES, FLOW_SESSIONS, INTERACTIONS, NOTES, OPT_OUTS, OUTGOING
from hub.storage.unit_of_work import UnitOfWork
from tests.builders import Desk, open_desk
from tests.integration.test_two_nodes import Unit, at_once
from tests.integration.texts import ANN, BEN, text_house
from tests.postbox import BLOCK, KIND, Postbox

HEAD = "flow: shop\ntitle: Your order\nperson: {queue: support}\nsteps:\n"
OWN = HEAD + (
    '  ask: {ask: ok, type: yes_no, text: "Shall we send it?"}\n'
    "  send: {send: MEDIUM, consent: answers.ok, text: 'It comes on Friday, {{ customer.name }}.'}\n"
    '  more: {ask: more, type: yes_no, text: "Anything else?"}\n'
    "  again: {branch: [{when: answers.more, then: ask}], otherwise: bye}\n"
    "  bye: {end: Bye.}\n"
)
GIVEN = HEAD + (
    '  where: {ask: to, type: phone, text: "Which number?"}\n'
    '  sure: {ask: ok, type: yes_no, text: "Is {{ answers.to }} right?"}\n'
    "  send: {send: sms, to: '{{ answers.to }}', consent: 'true', text: 'On Friday.', refused: not_sent}\n"
    "  bye: {end: Sent.}\n"
    "  not_sent: {end: Not sent.}\n"
)


class Handset(Postbox):
    """A line for texts that sends nowhere."""

    kind = "handset"

    def __init__(self, *, id: str) -> None:  # noqa: A002 - a key of the block
        super().__init__(id=id)
        self.capabilities = Capabilities(kind="sms", label=id, icon="mail", is_live=False, keeps_agent=True)
        self.rules = TextRules(max_chars=1_600)


@asynccontextmanager
async def shop(
    folder: Path, url: str, flow: str, *, clock: FakeClock | None = None, **limits: Any
) -> AsyncIterator[Desk]:
    """Open a hub whose chat site begins in one flow, with a mailbox and two lines."""
    flows = folder / "flows"
    flows.mkdir(exist_ok=True)
    (flows / "shop.yaml").write_text(flow, encoding="utf-8")
    KINDS[KIND] = BLOCK
    KINDS[Handset.kind] = "tests.integration.test_flow_sending:Handset"
    channels = {
        "site": ChannelSettings(id="site", kind="webchat", options={"queue": "support"}),
        "post": ChannelSettings(id="post", kind=KIND, options={}),
        "line": ChannelSettings(id="line", kind=Handset.kind, options={}),
        "other": ChannelSettings(id="other", kind=Handset.kind, options={}),
    }
    desk = await open_desk(folder, url, {"channels": channels, "flows": Flows(folder=flows, **limits)}, clock=clock)
    try:
        yield desk
    finally:
        await desk.hub.stop()


async def known_by(desk: Desk, kind: AddressKind, value: str, *, is_verified: bool = True, name: str = "Li") -> str:
    """A customer in the chat whose address this is; returns their interaction's id."""
    talk = await desk.chat(name, text="", flow="shop")

    async def unit(tx: UnitOfWork) -> None:
        await tx.insert(ADDRESSES, Address(kind=kind, value=value, customer=talk.customer, is_verified=is_verified))

    await desk.hub.services.store.write(unit)
    return talk.id


async def says(desk: Desk, interaction_id: str, *texts: str) -> Interaction:
    for text in texts:
        await desk.visitor_says(await desk.interaction(interaction_id), text)
    return await desk.interaction(interaction_id)


async def sent(desk: Desk, count: int) -> list[tuple[Interaction, Message, Envelope, Outgoing]]:
    """Return what flows sent, once it has gone."""
    outgoing: list[Outgoing] = []
    for _ in range(200):
        outgoing = await desk._rows(OUTGOING, "ORDER BY created_at, id")
        if len(outgoing) == count and all(one.state is OutgoingState.SENT for one in outgoing):
            break
        await desk.wait(1)
    else:
        raise AssertionError(f"{len(outgoing)} messages, not {count} sent ones")
    found = []
    for one in outgoing:
        interaction = await desk.interaction(one.interaction)
        (message,) = await desk.messages(interaction)
        (envelope,) = await desk._rows(ENVELOPES, "WHERE interaction = $1", one.interaction)
        found.append((interaction, message, envelope, one))
    return found


async def notes(desk: Desk, interaction_id: str) -> list[str]:
    return [note.text for note in await desk._rows(NOTES, "WHERE interaction = $1 ORDER BY id", interaction_id)]


async def test_a_mail_goes_to_the_proved_address_and_stands_in_the_history(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, OWN.replace("MEDIUM", "email")) as desk:
        talk = await known_by(desk, AddressKind.EMAIL, "li@example.test")
        before = await says(desk, talk, "yes")
        assert before.state is State.SELF_SERVICE
        ((letter, message, envelope, outgoing),) = await sent(desk, 1)
        assert (letter.kind, letter.address, letter.customer) == ("email", "li@example.test", before.customer)
        assert (letter.state, letter.closing_reason) == (State.RESOLVED, ClosingReason.SELF_SERVED)
        assert (letter.queue, letter.subject) == ("support", "Your order")
        assert message.text == "It comes on Friday, Li."
        assert ([one.address for one in envelope.recipients], envelope.is_automatic) == (["li@example.test"], True)
        assert (outgoing.is_automatic, outgoing.channel) == (True, "post")
        (taken,) = next(one for one in desk.hub.channels if isinstance(one, Postbox)).taken
        assert (taken.text, taken.subject, taken.is_automatic) == (message.text, "Your order", True)
        assert all(message.text not in one.text for one in await desk.messages(before))

        page = await Timeline(desk.hub.services.store).page(before.customer, await desk.scope("sue"))
        shown = {(item.channel_kind, item.text) for item in page.items if item.kind == "interaction"}
        assert ("email", "It comes on Friday, Li.") in shown
        (path,) = await Paths(desk.hub.services.store, desk.hub.services.self_service.library).of(before)
        assert [(step.outcome, step.answer) for step in path.steps if step.kind == "send"] == [
            ("sent", "li@example.test")
        ]
        assert await notes(desk, talk) == []


async def test_nothing_is_sent_twice_and_each_visit_of_a_step_sends_anew(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, OWN.replace("MEDIUM", "sms")) as desk:
        talk = await known_by(desk, AddressKind.PHONE, ANN)
        interaction = await desk.interaction(talk)
        await asyncio.gather(*(desk.visitor_says(interaction, "yes", "one-and-the-same") for _ in range(3)))
        await sent(desk, 1)
        await says(desk, talk, "yes", "yes")
        assert [one[0].address for one in await sent(desk, 2)] == [ANN, ANN]


async def test_the_day_has_a_limit_for_the_customer_and_for_the_address(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, OWN.replace("MEDIUM", "sms"), sends_per_day=2) as desk:
        talk = await known_by(desk, AddressKind.PHONE, ANN)
        await says(desk, talk, "yes", "yes", "yes", "yes", "yes")
        await sent(desk, 2)
        assert await notes(desk, talk) == ["Not sent by sms (too_many): It comes on Friday, Li."]
        said = [message.text for message in await desk.messages(await desk.interaction(talk))]
        assert "I am sorry, I could not send you that message." in said
        await desk.hub.services.self_service.library.publish(GIVEN, author="ada")
        stranger = await desk.chat("Bo", text="", flow="shop")
        await says(desk, stranger.id, ANN, "yes")
        assert await notes(desk, stranger.id) == ["Not sent by sms (too_many): On Friday."]
        other = await desk.chat("Cy", text="", flow="shop")
        await says(desk, other.id, BEN, "yes")
        assert [one[0].address for one in await sent(desk, 3)][2:] == [BEN]


async def test_one_channel_sends_so_many_an_hour(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, GIVEN, sends_per_hour=1) as desk:
        for number, outcome in ((ANN, "Sent."), (BEN, "Not sent.")):
            talk = await desk.chat(text="", flow="shop")
            await says(desk, talk.id, number, "yes")
            assert [one.text for one in await desk.messages(talk)][-1] == outcome
        await sent(desk, 1)
        desk.clock._now += 3_600_000
        later = await desk.chat(text="", flow="shop")
        await says(desk, later.id, BEN, "yes")
        assert [one[0].address for one in await sent(desk, 2)] == [ANN, BEN]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("limit", ["sends_per_hour", "sends_per_day"])
async def test_two_nodes_at_once_send_no_more_than_the_limit(
    tmp_path: Path, database_url: str, limit: str, first: int
) -> None:
    limits: dict[str, Any] = {limit: 1}
    async with shop(tmp_path, database_url, GIVEN, **limits) as desk:
        talks = [await desk.chat(text="", flow="shop") for _ in range(2)]
        for talk, number in zip(talks, (ANN, ANN if limit == "sends_per_day" else BEN), strict=True):
            await says(desk, talk.id, number)

        def agrees(talk: Interaction) -> Unit:
            async def unit(tx: UnitOfWork) -> None:
                interaction = await moves.interaction_for_change(tx, talk.id)
                await desk.hub.services.self_service.put(tx, interaction, Said(id="agrees", text="yes"))

            return unit

        await at_once(desk, database_url, agrees(talks[first]), agrees(talks[1 - first]))
        await sent(desk, 1)
        assert [await last_word(desk, talks[first]), await last_word(desk, talks[1 - first])] == ["Sent.", "Not sent."]


async def last_word(desk: Desk, talk: Interaction) -> str:
    return (await desk.messages(await desk.interaction(talk.id)))[-1].text


async def test_a_restart_in_the_middle_sends_it_once_and_forgets_no_limit(tmp_path: Path, database_url: str) -> None:
    flow = OWN.replace("MEDIUM", "sms")
    async with shop(tmp_path, database_url, flow, sends_per_hour=1) as desk:
        line = next(one for one in desk.hub.channels if one.id == "line")
        assert isinstance(line, Handset)
        line.stops_at = "before"
        talk = await known_by(desk, AddressKind.PHONE, ANN)
        interaction = await desk.interaction(talk)
        await desk.visitor_says(interaction, "yes", "said-before")
        assert (len(await desk._rows(OUTGOING, "")), line.taken) == (1, [])
        visitors = desk.visitors
    async with shop(tmp_path, database_url, flow, clock=desk.clock, sends_per_hour=1) as desk:
        desk.visitors |= visitors
        await desk.visitor_says(interaction, "yes", "said-before")
        ((letter, *_),) = await sent(desk, 1)
        line = next(one for one in desk.hub.channels if one.id == "line")
        assert isinstance(line, Handset)
        assert ([one.text for one in line.taken], letter.address) == (["It comes on Friday, Li."], ANN)
        await says(desk, talk, "yes", "yes")
        assert await notes(desk, talk) == ["Not sent by sms (too_many): It comes on Friday, Li."]
        await says(desk, talk, "no")
        assert (await desk.interaction(talk)).state is State.RESOLVED
        await sent(desk, 1)


async def test_a_flow_names_the_line_that_sends(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, OWN.replace("MEDIUM,", "sms, by: other,")) as desk:
        await says(desk, await known_by(desk, AddressKind.PHONE, ANN), "yes")
        assert [(letter.channel, letter.address) for letter, *_ in await sent(desk, 1)] == [("other", ANN)]
        for by in ("post", "gone"):
            await desk.hub.services.self_service.library.publish(
                OWN.replace("MEDIUM,", f"sms, by: {by},"), author="ada"
            )
            talk = await desk.chat("Bo", text="", flow="shop")
            await says(desk, talk.id, "yes")
            assert await notes(desk, talk.id) == ["Not sent by sms (no_line): It comes on Friday, Bo."]
        await sent(desk, 1)


async def test_an_address_that_is_not_theirs_is_not_written_to(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, GIVEN) as desk:
        talk = await desk.chat(text="", flow="shop")
        await says(desk, talk.id, BEN, "no")
        assert [one.text for one in await desk.messages(talk)][-1] == "Not sent."
        assert await notes(desk, talk.id) == ["Not sent by sms (not_theirs): On Friday."]
        sure = await desk.chat(text="", flow="shop")
        await says(desk, sure.id, BEN, "yes")
        ((letter, *_),) = await sent(desk, 1)
        assert (letter.address, letter.customer) == (BEN, sure.customer)
        owners = await desk._rows(ADDRESSES, "WHERE value = $1", BEN)
        assert owners == []


async def test_an_unproved_address_an_opted_out_one_and_a_no_are_left_alone(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, OWN.replace("MEDIUM", "sms")) as desk:
        typed = await known_by(desk, AddressKind.PHONE, BEN, is_verified=False, name="Bo")
        await says(desk, typed, "yes")
        assert await notes(desk, typed) == ["Not sent by sms (no_address): It comes on Friday, Bo."]
        out = await known_by(desk, AddressKind.PHONE, ANN)

        async def unit(tx: UnitOfWork) -> None:
            await tx.insert(OPT_OUTS, OptOut(channel="another", address=ANN, is_out=True, at=tx.now, word="STOP"))

        await desk.hub.services.store.write(unit)
        await says(desk, out, "yes")
        assert await notes(desk, out) == ["Not sent by sms (opted_out): It comes on Friday, Li."]
        unwilling = await desk.chat(text="", flow="shop")
        await says(desk, unwilling.id, "no")
        said = [one.text for one in await desk.messages(unwilling)]
        assert "I am sorry, I could not send you that message." not in said
        assert await notes(desk, unwilling.id) == []
        assert await desk._rows(OUTGOING, "ORDER BY id") == []


async def test_without_a_line_the_customer_is_told(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, OWN.replace("MEDIUM", "sms")) as desk:
        talk = await known_by(desk, AddressKind.PHONE, ANN)
        sending = desk.hub.services.self_service.sending
        sending._channels = {"site": desk.hub.channels[0]}  # type: ignore[union-attr]
        await says(desk, talk, "yes")
        assert await notes(desk, talk) == ["Not sent by sms (no_line): It comes on Friday, Li."]


async def test_a_texter_gets_it_by_the_very_line_they_wrote_to(tmp_path: Path, database_url: str) -> None:
    flow = OWN.replace("MEDIUM", "sms").replace(", {{ customer.name }}", "")
    (tmp_path / "shop.yaml").write_text(flow, encoding="utf-8")
    async with text_house(tmp_path, database_url, settings={"flows": Flows(folder=tmp_path)}, flow="shop") as house:
        await house.writes("Hello")
        await house.writes("yes")
        await house.wait(5)
        assert house.on_phone().count("It comes on Friday.") == 1
        talk, letter = await house.interactions()
        assert (letter.state, letter.address, talk.state) == (State.RESOLVED, ANN, State.SELF_SERVICE)
        assert [status for _, status, _ in await house.receipts(letter)] == ["delivered"]
        await house.writes("no")
        assert len(await house.interactions()) == 2


async def test_who_does_not_get_what_a_flow_texts_is_a_persons(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "shop.yaml").write_text(OWN.replace("MEDIUM", "sms"), encoding="utf-8")
    async with text_house(tmp_path, database_url, settings={"flows": Flows(folder=tmp_path)}, flow="shop") as house:
        house.carrier.post.handsets[ANN] = Telephone(refuses=30003)
        await house.writes("Hello")
        (talk,) = await house.interactions()
        for _ in range(60):
            if talk.state is not State.SELF_SERVICE:
                break
            await house.wait(1)
            (talk,) = await house.interactions()
        (session,) = await house.desk._rows(FLOW_SESSIONS, "")
        assert (talk.state, session.reason) == (State.QUEUED, "unreached")
        assert [status for _, status, _ in await house.receipts(talk)] == ["failed"]


async def test_facts_of_the_journal_name_no_address(tmp_path: Path, database_url: str) -> None:
    async with shop(tmp_path, database_url, OWN.replace("MEDIUM", "sms")) as desk:
        talk = await known_by(desk, AddressKind.PHONE, ANN)
        await says(desk, talk, "yes")
        ((letter, *_),) = await sent(desk, 1)

        async def unit(tx: UnitOfWork) -> list[str]:
            return [str(row[0]) for row in await tx.fetch("SELECT facts FROM journal ORDER BY seq")]

        facts = await desk.hub.services.store.read(unit)
        assert not any(ANN in one or "Friday" in one for one in facts)
        assert any(msgspec.json.decode(one).get("sent") == letter.id for one in facts)
        assert await desk._rows(INTERACTIONS, "WHERE provider_id LIKE 'flow:%'") == [letter]
