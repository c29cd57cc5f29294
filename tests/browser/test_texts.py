"""An agent writes on WhatsApp: free words for a day, agreed wordings after it, nothing to whoever wants nothing."""

import asyncio

from playwright.async_api import expect

from channels.simulator.carrier.messaging import Handset
from tests.browser.conftest import Houses, SeatAt
from tests.integration.texts import ANN, CHAT_LINE, set_back

CUSTOMER = f"whatsapp:{ANN}"


async def reached(handset: Handset, count: int) -> None:
    """So many messages are on somebody's telephone: the carrier delivers when it likes."""
    async with asyncio.timeout(30):
        while len(handset.messages) < count:  # noqa: ASYNC110 - it becomes so on the other side of a socket
            await asyncio.sleep(0.02)


async def test_what_may_be_written_is_said_before_it_is_written(houses: Houses, seat: SeatAt) -> None:
    house = await houses(whatsapp=True)
    ann = await seat(house, "ann")
    page = ann.page
    await ann.arrive()
    await ann.available()
    assert house.carrier is not None
    handset = house.carrier.post.handset(CUSTOMER)
    await house.carrier.person_writes(CUSTOMER, CHAT_LINE, "Where is my order?", profile="Li Wei")
    await ann.accept()
    await ann.shows("Where is my order?")

    await page.get_by_role("button", name="Agreed wordings").click()
    picker = page.locator(".template-picker")
    await picker.get_by_label("Gap 1").fill("Li Wei")
    await expect(picker.get_by_role("button", name="Send to Li Wei")).to_be_disabled()
    await page.keyboard.press("Escape")
    await ann.say("I will look")
    await ann.shows("Where is my order?", "I will look")

    await reached(handset, 1)
    await set_back(house.hub.services.store, house.carrier, hours=25)
    await page.reload()
    await expect(page.locator(".guard")).to_contain_text("more than 24 hours ago")
    await expect(ann.composer).to_have_count(0)
    await picker.get_by_label("Gap 1").fill("Li Wei")
    await picker.get_by_label("Gap 2").fill("FW-10001")
    await expect(picker.locator(".template-text")).to_have_text("Dear Li Wei, your order FW-10001 is on its way.")
    await picker.get_by_role("button", name="Send to Li Wei").click()
    await ann.shows("Where is my order?", "I will look", "Dear Li Wei, your order FW-10001 is on its way.")

    await reached(handset, 2)
    await house.carrier.person_writes(CUSTOMER, CHAT_LINE, "STOP", profile="Li Wei")
    await expect(page.locator(".guard")).to_contain_text("The customer wants no more messages here")
    await expect(ann.composer).to_be_disabled()
    await page.reload()
    await expect(page.locator(".opt-outs")).to_contain_text("STOP")
