"""Names and addresses that nobody thought of: the page keeps its shape."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SeatAt
from tests.browser.house import House
from tests.browser.people import Seat

LONG = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessenschafewarenwohl"
MAIL = f"{'a' * 50}@{'b' * 50}.example"
OUTSIDE = """(column) => {
  const edge = column.getBoundingClientRect().right;
  const over = [...column.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > edge + 1);
  return over.map((one) => `${one.tagName} ${one.className}`);
}"""


async def with_customer(house: House, ann: Seat, name: str) -> None:
    """Ann has a chat with somebody of this name, who may be the same person as somebody with another long name."""
    await house.chat(LONG, "Hello", email=MAIL)
    await ann.arrive()
    chat = await house.chat(name, "x" * 4000, email=MAIL)
    await house.available("ann")
    await house.accepted(chat.id, "ann")
    await ann.page.locator(f".row[data-id={chat.id}]").click()
    await expect(ann.page.locator(".duplicate")).to_have_count(1)


@pytest.mark.parametrize("width", [1440, 390])
async def test_nothing_reaches_over_the_edge(house: House, seat: SeatAt, width: int) -> None:
    ann = await seat(house, "ann", viewport={"width": width, "height": 900})
    await with_customer(house, ann, f"Second {LONG}")
    if width < 720:
        await ann.page.locator(".talk-who").click()
    column = ann.page.locator(".customer")
    assert await column.evaluate(OUTSIDE) == []
    line = await column.get_by_text("unverified").bounding_box()
    assert line is not None
    assert line["height"] < 24, "the word is broken into letters"


async def test_the_first_letter_of_a_name_may_be_a_picture(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await with_customer(house, ann, "🎉 Maria")
    await expect(ann.page.locator(".talk-who .avatar")).to_have_attribute("data-initials", "🎉")
