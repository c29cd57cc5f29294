"""A phone at the console: calls are taken, held, consulted about, listened to and ended, as people do it."""

import os
import re
from pathlib import Path

from playwright.async_api import Page, expect

from channels.simulator.carrier.legs import Leg
from channels.simulator.carrier.phones import HangUp, Manners, Meet, Phone, Say, Step, Wait
from tests.browser.conftest import Houses, SeatAt
from tests.browser.house import House
from tests.browser.people import Seat
from tests.browser.test_pages import Look, prepared
from tests.integration.phones import ANN

GUEST = "+14155550199"
PATIENCE_MS = 40_000
"""For what takes trips between browser, hub and carrier: each has its own time on a slow machine."""
TALKS: tuple[Step, ...] = (Meet("", 60), Wait(2), Say("My tent leaks"), Wait(600))


async def at_the_phone(houses: Houses, seat: SeatAt, *, prepare: bool = False) -> tuple[House, Seat]:
    """A company with a line, and Ann, whose browser is a telephone; `prepare` brings what looks at pages."""
    house = await houses(phones=True)
    person = await seat(house, "ann")
    if prepare:
        await prepared(person.context, "en")
    await person.knows_their_phone()
    await person.arrive()
    await expect(person.page.locator(".phone-status")).to_have_text("Phone ready")
    return house, person


async def talking(houses: Houses, seat: SeatAt) -> tuple[House, Seat, Leg]:
    """Ann has taken a call and hears the caller."""
    house, ann = await at_the_phone(houses, seat)
    return house, ann, await taken(house, ann)


async def taken(house: House, ann: Seat) -> Leg:
    """Somebody calls, and Ann takes it."""
    await ann.available()
    line = house.rings(ANN, *TALKS)
    await expect(ann.offer).to_contain_text("Incoming call")
    await expect(ann.offer).to_contain_text(ANN)
    await ann.page.keyboard.press("Alt+Enter")
    await state_is(ann, "Talking")
    # The caller speaks only once both are in the room, by the carrier's own clock.
    await expect(ann.page.locator(".heard-lines")).to_contain_text("My tent leaks", timeout=PATIENCE_MS)
    return line


async def state_is(seat: Seat, word: str) -> None:
    """Wait until the call's panel says so."""
    await expect(seat.page.locator(".call-who b")).to_have_text(word, timeout=PATIENCE_MS)


async def press(seat: Seat, name: str) -> None:
    """Press a button of the call's panel."""
    await seat.page.locator(".call-keys").get_by_role("button", name=name, exact=True).click()


async def shot(page: Page, name: str) -> None:
    """Keep a picture where one is wanted."""
    folder = os.environ.get("HUB_TEST_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_call_is_taken_held_resumed_and_wrapped_up(houses: Houses, seat: SeatAt) -> None:
    _, ann, line = await talking(houses, seat)
    await expect(ann.page.locator(".timeline .here").filter(has_text="Call")).to_contain_text("Active")

    await ann.page.get_by_label("Type what you say").fill("Which tent is it?")
    await ann.page.get_by_label("Type what you say").press("Enter")
    await expect(ann.page.locator(".heard-lines .mine")).to_contain_text("Which tent is it?")
    await ann.page.locator(".call-panel").click(position={"x": 4, "y": 4})

    await ann.page.keyboard.press("h")
    await state_is(ann, "On hold")
    await expect(ann.page.locator(".call-legs")).to_contain_text("On hold")
    await press(ann, "Resume")
    await state_is(ann, "Talking")
    await ann.page.keyboard.press("m")
    await expect(ann.page.locator(".call-keys").get_by_role("button", name="Unmute")).to_be_visible()
    await press(ann, "Unmute")
    await press(ann, "Pause recording")
    await expect(ann.page.locator(".call-panel .chip")).to_have_text("Recording paused")
    await press(ann, "Record again")
    await press(ann, "Keypad")
    await ann.page.locator(".keypad").get_by_role("button", name="5").click()
    await ann.page.keyboard.press("#")
    await expect(ann.page.locator(".keypad output")).to_have_text("5#")

    assert "Which tent is it?" in [sound.text for sound in line.hearing.sounds]
    await press(ann, "Hang up")
    await ann.page.get_by_role("radio", name="Solved").click()
    await ann.page.get_by_role("button", name="Done").click()
    await expect(ann.page.locator(".call-panel")).to_have_count(0)
    assert line.is_over


async def test_colleague_outside_is_consulted_and_put_through(houses: Houses, seat: SeatAt) -> None:
    house, ann, _ = await talking(houses, seat)
    assert house.carrier is not None
    house.carrier.world.install(GUEST, Phone(Manners(greeting="Workshop, hello")))
    await ann.page.keyboard.press("t")
    await ann.page.get_by_label("A queue, a person or a number").fill(GUEST)
    await ann.page.get_by_role("radio", name=GUEST).click()
    await ann.page.get_by_role("button", name="Consult first").click()
    await state_is(ann, "Consulting, customer on hold")
    await expect(ann.page.locator(".heard-lines")).to_contain_text("Workshop, hello")
    await expect(ann.page.locator(".call-legs")).to_contain_text(GUEST)
    await press(ann, "Talk to customer")
    await state_is(ann, "Talking, guest on hold")
    await shot(ann.page, "call-swapped-1440-light")
    await press(ann, "Talk to guest")
    await state_is(ann, "Consulting, customer on hold")
    await press(ann, "Three-way")
    await state_is(ann, "Three on the line")
    await press(ann, "Put through")
    await expect(ann.page.get_by_role("button", name="Done")).to_be_visible()
    assert len(house.carrier.live_calls()) == 2


async def test_supervisor_listens_whispers_and_takes_over(houses: Houses, seat: SeatAt) -> None:
    house, ann, _ = await talking(houses, seat)
    (row,) = house.hub.services.floor.interactions.values()
    sue = await seat(house, "sue")
    await sue.arrive(f"#/floor/interaction/{row.id}")
    await expect(sue.page.locator(".phone-status")).to_have_text("Phone ready")
    panel = sue.page.locator(".listen")
    await expect(sue.page.locator(".channel-main b").filter(has_text="Call")).to_have_text("Call")
    await panel.get_by_role("button", name="Listen", exact=True).click()
    await expect(panel.get_by_role("status")).to_have_text("You hear both. Nobody hears you.")
    await expect(ann.page.locator(".call-legs")).to_contain_text("Sue")
    await shot(sue.page, "call-listen-1440-light")
    await panel.get_by_role("button", name="Whisper").click()
    await expect(panel.get_by_role("status")).to_have_text("The agent hears you, the customer does not.")
    await expect(panel.get_by_role("button", name="Take over")).to_be_enabled()
    await panel.get_by_role("button", name="Take over").click()
    await state_is(sue, "Talking")


async def test_customers_are_called_from_their_profile_and_by_the_dial_pad(houses: Houses, seat: SeatAt) -> None:
    house, ann, _ = await talking(houses, seat)
    assert house.carrier is not None
    house.carrier.world.install(ANN, Phone(Manners(greeting="Hello?")))
    await press(ann, "Hang up")
    await ann.page.get_by_role("button", name=re.compile(rf"^Call {re.escape(ANN)}")).click()
    pad = ann.page.get_by_role("dialog", name="Call a number")
    await expect(pad.get_by_role("textbox", name="Number")).to_have_value(ANN)
    await shot(ann.page, "dialpad-1440-light")
    await ann.page.keyboard.press("Escape")
    await ann.page.get_by_role("radio", name="Solved").click()
    await ann.page.get_by_role("button", name="Done").click()
    await expect(ann.page.locator(".wrapup")).to_have_count(0)

    await ann.page.keyboard.press("d")
    ann.watch.expected = ("400",)
    await pad.get_by_role("textbox", name="Number").fill("12")
    await pad.get_by_role("button", name="Call", exact=True).click()
    await expect(pad.get_by_role("alert")).to_be_visible()
    await pad.get_by_role("textbox", name="Number").fill(ANN)
    await pad.get_by_role("button", name="Call", exact=True).click()
    await state_is(ann, "Talking")
    await expect(ann.page.locator(".heard-lines")).to_contain_text("Hello?")


async def test_call_is_planned_moved_and_made(houses: Houses, seat: SeatAt) -> None:
    house, ann = await at_the_phone(houses, seat)
    assert house.carrier is not None
    house.carrier.world.install(ANN, Phone(Manners(greeting="Hello?")))
    await ann.page.keyboard.press("d")
    pad = ann.page.get_by_role("dialog", name="Call a number")
    await pad.get_by_role("textbox", name="Number").fill(ANN)
    await pad.get_by_role("button", name="Call later").click()
    await shot(ann.page, "planned-menu-1440-light")
    await pad.get_by_role("menuitem", name="Tomorrow morning").click()
    await expect(pad).to_have_count(0)

    await ann.page.locator(".row").filter(has_text="Call back").click()
    panel = ann.page.get_by_role("region", name="Planned call")
    await expect(panel).to_contain_text(ANN)
    before = await panel.locator(".call-who b").inner_text()
    await panel.get_by_role("button", name="Another time").click()
    await shot(ann.page, "planned-1440-light")
    await panel.get_by_role("menuitem", name="Pick a time").click()
    picker = ann.page.get_by_role("dialog", name="Pick a time")
    await picker.get_by_label("Call at").fill("2031-03-03T09:30")
    await picker.get_by_role("button", name="Plan").click()
    await expect(picker.locator(".field-error")).to_be_visible()
    await ann.page.keyboard.press("Escape")
    await expect(panel.locator(".call-who b")).to_have_text(before)
    await panel.get_by_role("button", name="Call now").click()
    await state_is(ann, "Talking")
    await expect(ann.page.locator(".heard-lines")).to_contain_text("Hello?")


async def test_news_cover_no_button_on_a_small_screen(houses: Houses, seat: SeatAt) -> None:
    house, ann = await at_the_phone(houses, seat)
    await ann.available()
    await house.chat("Maya", "My tent leaks")
    await ann.accept()
    await ann.page.set_viewport_size({"width": 390, "height": 844})
    await ann.page.locator(".composer-tabs button").nth(1).click()
    await ann.page.locator(".log").first.click(position={"x": 4, "y": 4})
    await ann.page.keyboard.press("d")
    pad = ann.page.get_by_role("dialog", name="Call a number")
    await pad.get_by_role("textbox", name="Number").fill(ANN)
    await pad.get_by_role("button", name="Call later").click()
    await pad.get_by_role("menuitem", name="Tomorrow morning").click()
    toast = ann.page.locator(".toast")
    await expect(toast).to_contain_text("Planned")
    await shot(ann.page, "planned-toast-390-light")
    save = await ann.page.get_by_role("button", name="Save note").bounding_box()
    news = await toast.bounding_box()
    assert save is not None
    assert news is not None
    assert news["y"] + news["height"] <= save["y"]


async def test_caller_who_hangs_up_and_a_browser_that_comes_back(houses: Houses, seat: SeatAt) -> None:
    house, ann = await at_the_phone(houses, seat)
    await ann.available()
    house.rings(ANN, Meet("", 60), Wait(20), HangUp())
    await expect(ann.offer).to_be_visible()
    await ann.page.keyboard.press("Alt+Enter")
    await state_is(ann, "Talking")
    await ann.page.reload()
    await state_is(ann, "Talking")
    await expect(ann.page.get_by_role("button", name="Done")).to_be_visible(timeout=30_000)


async def test_pages_of_a_call_are_accessible(houses: Houses, seat: SeatAt) -> None:
    house, ann = await at_the_phone(houses, seat, prepare=True)
    await taken(house, ann)
    look = Look(lang="en", wrong=[])
    await look.at(ann.page, "call-talking")
    await ann.page.set_viewport_size({"width": 1440, "height": 900})
    await press(ann, "Keypad")
    await press(ann, "Hold")
    await state_is(ann, "On hold")
    await look.at(ann.page, "call-held")
    assert look.wrong == []
