"""A shift, played through: visitors, two agents and a supervisor at once, on one hub."""

import asyncio
from dataclasses import dataclass, field

from playwright.async_api import expect

from tests.browser.conftest import Houses, SeatAt, VisitorAt
from tests.browser.people import Seat, Visitor, offered


@dataclass
class Shift:
    """Who is there, and what was said. `first` was offered the chat and let it go, `second` took it."""

    li: Visitor
    agents: tuple[Seat, Seat]
    sue: Seat
    first: Seat
    second: Seat
    said: list[str] = field(default_factory=list)


async def test_a_shift_from_sign_in_to_the_second_chat(houses: Houses, seat: SeatAt, visitor: VisitorAt) -> None:
    house = await houses(offer_timeout_s=3.0, passwords=True)
    li = await visitor(house)
    ann, bob, sue = [await seat(house, name) for name in ("ann", "bob", "sue")]
    await asyncio.gather(li.visit(), *(person.sign_in() for person in (ann, bob, sue)))
    await asyncio.gather(ann.available(), bob.available())
    shift = Shift(li, (ann, bob), sue, ann, bob)
    for scene in SCENES:
        await scene(shift)


async def offer_that_times_out(shift: Shift) -> None:
    """Nobody answers the first offer; the colleague takes the second."""
    await shift.sue.page.goto(f"{shift.li.house.url}/#/floor")
    await shift.li.open()
    await shift.li.begin("My tent leaks", email="li@example.com")
    shift.first = await offered(*shift.agents)
    shift.second = next(one for one in shift.agents if one is not shift.first)
    await expect(shift.sue.page.get_by_label("Waiting now").get_by_text("Li Wei")).to_be_visible()
    await expect(shift.first.page.locator(".offer-gone")).to_contain_text("time ran out")
    assert await shift.second.accept() is shift.second
    await shift.second.shows("My tent leaks")
    await expect(shift.sue.page.locator(".floor-sums")).to_contain_text("1 being served")
    await expect(shift.li.chat.locator("header h1")).to_have_text(shift.second.name.title())


async def talk(shift: Shift) -> None:
    """Both write; each sees the other type and read."""
    li, agent = shift.li, shift.second
    await agent.composer.press_sequentially("Which tent")
    await expect(li.chat.locator(".typist")).to_be_visible()
    await agent.say("Which tent is it?")
    await li.shows("My tent leaks", "Which tent is it?")
    await expect(li.chat.locator(".typist")).to_have_count(0)
    await expect(agent.page.locator(".delivery").last).to_have_text("Read")
    await li.chat.locator(".composer textarea").press_sequentially("The Lar")
    await expect(agent.page.locator(".typing")).to_contain_text("Li Wei is typing")
    await li.say("The Larch 2 &amp; <b>its</b> fly")
    await agent.shows("My tent leaks", "Which tent is it?", "The Larch 2 &amp; <b>its</b> fly")
    await expect(li.chat.locator(".own .state").last).to_have_text("Read")
    shift.said = ["My tent leaks", "Which tent is it?", "The Larch 2 &amp; <b>its</b> fly"]


async def visitor_loses_the_network(shift: Shift) -> None:
    """Both write on while the visitor's line is dead."""
    li, agent = shift.li, shift.second
    await li.lose_network()
    await li.say("Out 1")
    await li.say("Out 2")
    await expect(li.chat.locator(".delayed")).to_have_count(2)
    await agent.say("In 1")
    await agent.say("In 2")
    await agent.shows(*shift.said, "In 1", "In 2")
    await expect(li.chat.get_by_text("What you write is kept")).to_be_visible()
    await li.regain_network()
    shift.said += ["In 1", "In 2", "Out 1", "Out 2"]
    await agent.shows(*shift.said)
    await li.shows(*shift.said)
    await li.is_back()


async def agent_loses_the_network(shift: Shift) -> None:
    """Both write on while the agent's line is dead."""
    li, agent = shift.li, shift.second
    await agent.lose_network()
    await expect(agent.page.locator(".statusline .connection")).to_have_text("Reconnecting")
    await expect(agent.page.locator(".banner")).to_contain_text("Last update")
    await li.say("Still there?")
    await expect(li.chat.locator(".own .state").last).to_have_text("Sent")
    await agent.say("Yes, and I have looked it up")
    await agent.say("The seam can be taped")
    await expect(agent.page.locator(".pending")).to_have_count(2)
    await agent.regain_network()
    await agent.is_live()
    shift.said += ["Still there?", "Yes, and I have looked it up", "The seam can be taped"]
    await li.shows(*shift.said)
    await agent.shows(*shift.said)
    await expect(agent.page.locator(".pending")).to_have_count(0)
    await agent.is_back()


async def both_reload(shift: Shift) -> None:
    """A reload changes nothing that is seen."""
    await asyncio.gather(shift.li.page.reload(), shift.second.page.reload())
    await shift.second.is_live()
    await shift.li.shows(*shift.said)
    await shift.second.shows(*shift.said)


async def transfer(shift: Shift) -> None:
    """With a note to the colleague who let the offer go."""
    giver, taker = shift.second, shift.first
    page = giver.page
    await page.get_by_role("button", name="Transfer", exact=True).click()
    side = page.get_by_role("complementary", name="Transfer")
    await side.get_by_role("radio", name=taker.name.title()).click()
    await side.get_by_role("button", name="Transfer to").click()
    await expect(side.get_by_text("should not start blind")).to_be_visible()
    await side.get_by_label("Note for whoever takes over").fill("Knows the tent, wants tape")
    await side.get_by_role("button", name="Transfer to").click()
    assert await taker.accept() is taker
    await taker.shows(*shift.said)
    await expect(taker.page.locator(".log .note")).to_contain_text("Knows the tent, wants tape")
    await expect(page.locator(".readonly")).to_contain_text(f"{taker.name.title()} Example handles this")
    await expect(shift.li.chat.locator("header h1")).to_have_text(taker.name.title())
    await expect(shift.li.chat.get_by_text("Knows the tent")).to_have_count(0)
    agent_line = shift.sue.page.get_by_label("Agents").get_by_role("button", name=f"{taker.name.title()} Example")
    await expect(agent_line).to_contain_text("25/100")


async def wrap_up(shift: Shift) -> None:
    """The outcome ends it, everywhere."""
    page = shift.first.page
    await page.get_by_role("button", name="Wrap up").click()
    await expect(shift.li.chat.get_by_text("This chat has ended")).to_be_visible()
    await page.get_by_role("radio", name="Solved").click()
    await page.get_by_label("Note (optional)").fill("Tape sent")
    await page.get_by_role("button", name="Done").click()
    await expect(
        page.get_by_role("heading", name="Nothing waiting").or_(page.get_by_text("Nothing waiting"))
    ).to_be_visible()
    await expect(shift.sue.page.locator(".floor-sums")).to_contain_text("0 being served")
    await expect(page.locator(".statusline")).to_contain_text("Handled 1 today")


async def come_back(shift: Shift) -> None:
    """The same visitor's second chat shows the first; the search finds both, in English and in Chinese."""
    await shift.li.chat.get_by_role("button", name="Start a new chat").click()
    await shift.li.begin("请问发票在哪里")
    taker = await shift.first.accept(shift.second)
    history = taker.page.get_by_role("list", name="History")
    await expect(history.get_by_text("Solved · Support")).to_be_visible()
    page = shift.sue.page
    await page.get_by_role("button", name="Search", exact=True).click()
    for words, found in (("seam taped", "The seam can be taped"), ("发票", "请问发票在哪里"), ("Li Wei", "Li Wei")):
        await page.get_by_label("Search people and messages").fill(words)
        await expect(page.locator(".search-inner li").get_by_text(found).first).to_be_visible()


SCENES = (
    offer_that_times_out,
    talk,
    visitor_loses_the_network,
    agent_loses_the_network,
    both_reload,
    transfer,
    wrap_up,
    come_back,
)
