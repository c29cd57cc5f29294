"""The ledger of those who want no texts: one line for each channel and number, and the latest word counts."""

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.contract import InboundMessage
from hub.domain.correspondence import Arrival, Party
from hub.domain.ids import new_id
from hub.domain.texting import Consent, OptOut
from hub.services.texting import Texting, opt_outs_of
from hub.storage.tables import OPT_OUTS
from hub.storage.unit_of_work import UnitOfWork
from tests.contract.house import House, phone

ANN, BEN = "+14155550123", "+14155550124"
NUMBERS = itertools.count(1)


async def says(house: House, word: str, *, at: int, number: str = ANN, channel: str = "texts") -> bool:
    """Somebody writes a word; returns whether the ledger changed."""
    consent = {"STOP": Consent.STOP, "START": Consent.START, "HELP": Consent.HELP}.get(word)
    arrival = Arrival(id=new_id("a"), channel=channel, provider_id=new_id("m"), at=at, size=1, sha256="0" * 64)
    inbound = InboundMessage(dedupe="", sender=Party(number), text=word, consent=consent)

    async def unit(tx: UnitOfWork) -> bool:
        return await Texting(house.store, {}).heed(tx, arrival, inbound, number)

    return await house.store.write(unit)


async def ledger(house: House) -> list[OptOut]:
    found: list[OptOut] = await house.rows(OPT_OUTS, "ORDER BY channel, address")
    return found


async def test_stop_is_kept_with_its_word_and_time_and_start_takes_it_back(house: House) -> None:
    assert await says(house, "STOP", at=5)
    assert await ledger(house) == [OptOut(channel="texts", address=ANN, is_out=True, at=5, word="STOP")]
    assert not await says(house, "STOP", at=6), "said twice it is one line"
    assert await says(house, "START", at=7)
    (line,) = await ledger(house)
    assert (line.is_out, line.at, line.word) == (False, 7, "START")


async def test_other_words_leave_no_line(house: House) -> None:
    assert not await says(house, "HELP", at=5)
    assert not await says(house, "Please stop calling me", at=6)
    assert not await says(house, "STOP", at=7, number="")
    assert await ledger(house) == []


async def test_each_channel_and_number_has_a_line_of_its_own(house: House) -> None:
    customer = await house.customer("Ann Lee", phone(ANN), phone(BEN))
    await says(house, "STOP", at=5)
    await says(house, "STOP", at=5, channel="chat_app")
    await says(house, "STOP", at=5, number=BEN)
    await says(house, "START", at=6, number=BEN)
    await says(house, "STOP", at=5, number="+14155550199")

    async def unit(tx: UnitOfWork) -> list[OptOut]:
        return await opt_outs_of(tx, customer.id)

    assert [(one.channel, one.address) for one in await house.store.read(unit)] == [("chat_app", ANN), ("texts", ANN)]


@pytest.mark.parametrize("stop_first", [True, False])
async def test_of_two_words_in_one_instant_both_are_taken_and_the_later_written_counts(
    house: House, stop_first: bool
) -> None:
    words = ["STOP", "START"] if stop_first else ["START", "STOP"]
    await asyncio.gather(*(says(house, word, at=5) for word in words))
    (line,) = await ledger(house)
    assert line.is_out is (words[-1] == "STOP")


@given(said=st.lists(st.tuples(st.sampled_from(["STOP", "START"]), st.integers(1, 9)), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_words_read_late_or_again_never_undo_a_later_one(house: House, said: list[tuple[str, int]]) -> None:
    """Whatever order the carrier's messages are read in, the newest word is what counts."""
    number = f"+1415{next(NUMBERS):07d}"
    for word, at in said:
        await says(house, word, at=at, number=number)
    (line,) = [one for one in await ledger(house) if one.address == number]
    newest = max(at for _, at in said)
    last = [word for word, at in said if at == newest][-1]
    assert (line.at, line.is_out) == (newest, last == "STOP")
