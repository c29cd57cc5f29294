"""Before calls come: the telephone in this browser is checked, or not, which supervisors see."""

import json

import pytest
from playwright.async_api import Locator, Page, Request, Route, expect

from tests.browser.conftest import Houses, SeatAt
from tests.browser.house import House
from tests.browser.people import Seat
from tests.browser.test_pages import LANGUAGES, Look, prepared


def dialog(page: Page, name: str = "Check your phone") -> Locator:
    """The check."""
    return page.get_by_role("dialog", name=name)


def step(page: Page, name: str) -> Locator:
    """One of what is checked."""
    return page.locator(".check").filter(has=page.get_by_text(name, exact=True))


async def asked(houses: Houses, seat: SeatAt) -> tuple[House, Seat]:
    """Ann, at a browser she was never at, wants to be available."""
    house = await houses(phones=True)
    ann = await seat(house, "ann")
    await ann.arrive()
    await expect(ann.page.locator(".phone-status")).to_have_text("Phone ready")
    await ann.page.locator(".shift").get_by_role("button", name="Available", exact=True).click()
    await expect(dialog(ann.page)).to_be_visible()
    return house, ann


async def test_phone_is_checked_before_the_first_shift_and_not_again(houses: Houses, seat: SeatAt) -> None:
    _, ann = await asked(houses, seat)
    go = dialog(ann.page).get_by_role("button", name="Available", exact=True)
    await expect(step(ann.page, "Connection")).to_contain_text("Calls reach you")
    await expect(go).to_be_disabled()

    await ann.page.get_by_label("Type what you say").fill("One, two, three")
    await ann.page.keyboard.press("Enter")
    await expect(step(ann.page, "Your voice")).to_contain_text("Heard at the other end: “One, two, three”")
    sound = step(ann.page, "What you hear")
    await sound.get_by_role("button", name="Ring").click()
    await sound.get_by_role("button", name="No", exact=True).click()
    await expect(sound).to_contain_text("Turn up the volume")
    await expect(go).to_be_disabled()
    await sound.get_by_role("button", name="Again").click()
    await sound.get_by_role("button", name="Yes").click()
    await go.click()
    await expect(ann.page.locator(".presence.available")).to_be_visible()

    await ann.page.reload()
    await ann.page.locator(".user-menu .menu-trigger").click()
    await ann.page.get_by_role("menuitem", name="Check your phone").click()
    await expect(dialog(ann.page).get_by_role("button", name="Done")).to_be_disabled()
    await ann.page.keyboard.press("Escape")
    await expect(dialog(ann.page)).to_have_count(0)
    await expect(ann.page.locator(".presence.available")).to_be_visible()


async def test_check_is_skipped_by_keyboard_with_a_reason_that_supervisors_see(houses: Houses, seat: SeatAt) -> None:
    house, ann = await asked(houses, seat)
    skip = dialog(ann.page).get_by_role("button", name="Go available without")
    await skip.focus()
    await ann.page.keyboard.press("Enter")
    await ann.page.keyboard.press("ArrowDown")
    await expect(dialog(ann.page).get_by_role("menuitem", name="Something does not work")).to_be_focused()
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.locator(".presence.available")).to_be_visible()

    sue = await seat(house, "sue")
    await sue.arrive("#/floor/agent/ann")
    drawer = sue.page.locator(".drawer")
    await expect(drawer).to_contain_text("Phone does not work fully")
    await expect(sue.page.locator(".floor-row").get_by_role("img", name="Phone does not work fully")).to_be_visible()

    await ann.page.keyboard.press("Control+k")
    await ann.page.keyboard.type("check your phone")
    await ann.page.keyboard.press("Enter")
    await ann.page.get_by_label("Type what you say").fill("Better now")
    await ann.page.keyboard.press("Enter")
    await step(ann.page, "What you hear").get_by_role("button", name="Ring").click()
    await step(ann.page, "What you hear").get_by_role("button", name="Yes").click()
    await dialog(ann.page).get_by_role("button", name="Done").click()
    await expect(drawer).not_to_contain_text("Phone does not work fully")


async def spoken_to(route: Route, request: Request) -> None:
    """Let the hub say that this telephone is spoken to, as a provider's is."""
    answer = await route.fetch()
    told = await answer.json()
    for phone in told["phones"]:
        phone["needs_microphone"] = True
    await route.fulfill(response=answer, body=json.dumps(told))


@pytest.mark.parametrize("may", [True, False])
async def test_microphone_moves_the_meter_or_the_check_says_why_not(houses: Houses, seat: SeatAt, may: bool) -> None:
    house = await houses(phones=True)
    ann = await seat(house, "ann", permissions=["microphone"] if may else [])
    await ann.page.route("**/api/v1/phone", spoken_to)
    await ann.arrive()
    await expect(ann.page.locator(".phone-status")).to_have_text("Phone ready")
    await ann.page.locator(".shift").get_by_role("button", name="Check", exact=True).click()
    voice = step(ann.page, "Your voice")
    if may:
        await expect(voice).to_contain_text("You are heard")
        await expect(voice.get_by_role("meter", name="How loud you are")).to_be_visible()
    else:
        await voice.get_by_role("button", name="Use microphone").click()
        await expect(voice).to_contain_text("The microphone is blocked")


@LANGUAGES
async def test_check_is_accessible_in_both_languages(houses: Houses, seat: SeatAt, lang: str) -> None:
    house = await houses(phones=True)
    ann = await seat(house, "ann")
    await prepared(ann.context, lang)
    await ann.arrive()
    await ann.page.locator(".shift > .button").click()
    check = dialog(ann.page, "Check your phone" if lang == "en" else "检查电话")
    await expect(check.locator(".check").first).to_have_class("check good")
    await check.locator("input").fill("Hello")
    await check.locator("input").press("Enter")
    await expect(check.locator(".check").nth(1)).to_have_class("check good")
    await check.locator(".check").nth(2).get_by_role("button").click()
    look = Look(lang=lang, wrong=[])
    await look.at(ann.page, "devices")
    await check.locator(".devices-foot .menu-trigger").click()
    await look.at(ann.page, "devices-skip")
    assert look.wrong == []
