"""Faults: each does what it says, strikes as often as it says, and in the same way when repeated."""

import pytest

from channels.simulator.carrier import Fault, Manners, Phone
from channels.simulator.carrier.faults import CALLBACKS, Effect
from tests.unit.carrier.street import ANN, BASE, BOB, LINE, Street, names, response

ALL = ["initiated", "ringing", "answered", "completed"]
STATUSES = ["initiated", "ringing", "in-progress", "completed"]


async def one_call(street: Street) -> list[str]:
    """Make one call that reports all its steps; returns the statuses as they came in."""
    street.carrier.world.install(BOB, Phone(Manners(after_s=1)))
    street.post(
        "Calls.json",
        To=BOB,
        From=LINE,
        Twiml=response("<Pause length='2'/>"),
        StatusCallback=f"{BASE}/progress",
        StatusCallbackEvent=ALL,
    )
    await street.wait(30)
    return street.statuses("/progress")


async def test_lost(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="status", effect="lost", event="answered"))
    assert await one_call(street) == ["initiated", "ringing", "completed"]


async def test_duplicated_with_the_same_token(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="status", effect="duplicated"))
    came = await one_call(street)
    assert sorted(came) == sorted(STATUSES * 2)
    tokens = {one.headers["I-Twilio-Idempotency-Token"] for one in street.customer.at("/progress")}
    assert len(tokens) == 4


async def test_late(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="status", effect="late", event="ringing", seconds=20))
    came = await one_call(street)
    assert came == ["initiated", "in-progress", "completed", "ringing"]
    assert names(street.customer.at("/progress"), "SequenceNumber") == ["0", "2", "3", "1"]


async def test_reordered(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="status", effect="reordered", event="ringing", seconds=9))
    assert await one_call(street) == ["initiated", "in-progress", "ringing", "completed"]


async def test_reordered_with_nothing_after_it_comes_by_itself(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="status", effect="reordered", event="completed", seconds=9))
    assert await one_call(street) == STATUSES


async def test_document_that_is_lost_comes_from_the_fallback(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="call", effect="lost", share=1.0))
    street.customer.on("/voice", "<Say>Hello.</Say>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(20)
    assert street.customer.requests[-1].path == "/status"
    assert leg.hearing.words == ["We are sorry, an application error has occurred. Goodbye."]


async def test_slow_document_is_only_slow(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="call", effect="slow", seconds=4))
    street.customer.on("/voice", "<Say>Hello.</Say>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(3.9)
    assert leg.hearing.words == []
    await street.wait(5)
    assert leg.hearing.words == ["Hello."]


async def test_duplicated_request_for_a_document_is_obeyed_once(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="call", effect="duplicated"))
    street.customer.on("/voice", "<Say>Hello.</Say>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(5)
    assert (len(street.customer.at("/voice")), leg.hearing.words) == (2, ["Hello."])


@pytest.mark.parametrize("effect", ["lost", "duplicated", "late", "reordered"])
async def test_the_same_seed_brings_the_same_faults(effect: Effect) -> None:
    runs = []
    for _ in range(2):
        street = Street.open(seed=7)
        street.carrier.switch.faults.switch_on(Fault(kind="*", effect=effect, share=0.5))
        runs.append([await one_call(street) for _ in range(3)])
        await street.close()
    assert runs[0] == runs[1]
    assert any(run != STATUSES for run in runs[0])


def test_a_fault_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of traffic"):
        Fault(kind="statuss", effect="lost")
    for kind in CALLBACKS:
        Fault(kind=kind, effect="lost")
