"""The demo's telephone in a browser, and the console in others: one call, and all that can be done with it."""

from dataclasses import dataclass

from playwright.async_api import Page, expect

from tests.browser.conftest import Context, Houses, SeatAt
from tests.browser.people import Seat
from tests.browser.test_calls import press, shot, state_is


@dataclass
class Caller:
    """Somebody at the page that dials in."""

    page: Page

    async def calls(self, url: str) -> None:
        """Dial the first line."""
        await self.page.goto(f"{url}/demo/phone?lang=en")
        await self.page.get_by_role("button", name="Call", exact=True).click()
        await expect(self.page.locator("#state")).to_have_text("Connected")

    async def hears(self, words: str) -> None:
        """Wait until this was said."""
        await expect(self.page.locator("#heard")).to_contain_text(words)

    async def says(self, words: str) -> None:
        """Type it, which is to say it."""
        await self.page.get_by_label("Say something").fill(words)
        await self.page.get_by_label("Say something").press("Enter")

    async def notices(self, words: str) -> None:
        """Wait until this goes on without words."""
        await expect(self.page.locator("#now-text")).to_have_text(words)


async def at_work(seat: Seat) -> None:
    """Open the console and wait until its telephone is there."""
    await seat.knows_their_phone()
    await seat.arrive()
    await expect(seat.page.locator(".phone-status")).to_have_text("Phone ready")


async def says(seat: Seat, words: str) -> None:
    """Somebody at the console types what they say."""
    field = seat.page.get_by_label("Type what you say")
    await field.fill(words)
    await field.press("Enter")


async def test_newcomer_is_answered_held_consulted_about_handed_over_and_wrapped_up(
    houses: Houses, seat: SeatAt, context: Context
) -> None:
    house = await houses(demo=True, phones=True)
    made, _ = await context()
    caller = Caller(await made.new_page())
    ann, bob, sue = [await seat(house, name) for name in ("ann", "bob", "sue")]
    await at_work(ann)
    await ann.available()
    await at_work(bob)

    await caller.calls(house.url)
    await caller.hears("Fernway Outdoor")
    await caller.says("agent please")
    await expect(ann.offer).to_contain_text("Incoming call")
    await ann.page.keyboard.press("Alt+Enter")
    await state_is(ann, "Talking")
    await says(ann, "This is Ann, hello")
    await caller.hears("This is Ann, hello")
    await caller.says("My tent leaks")
    await expect(ann.page.locator(".heard-lines")).to_contain_text("My tent leaks")

    await press(ann, "Hold")
    await state_is(ann, "On hold")
    await caller.notices("Music plays")
    await press(ann, "Resume")
    await state_is(ann, "Talking")
    await caller.notices("You can be heard")

    (row,) = house.hub.services.floor.interactions.values()
    await sue.arrive(f"#/floor/interaction/{row.id}")
    await expect(sue.page.locator(".phone-status")).to_have_text("Phone ready")
    panel = sue.page.locator(".listen")
    await panel.get_by_role("button", name="Listen", exact=True).click()
    await expect(panel.get_by_role("status")).to_have_text("You hear both. Nobody hears you.")
    await shot(caller.page, "call-us-1440-light")
    await panel.get_by_role("button", name="Leave").click()

    await bob.available()
    await ann.page.keyboard.press("t")
    await ann.page.get_by_label("A queue, a person or a number").fill("Bob")
    await ann.page.get_by_role("radio", name="Bob").click()
    await ann.page.get_by_role("button", name="Consult first").click()
    await bob.page.get_by_role("alertdialog").get_by_role("button", name="Accept").click()
    await expect(ann.page.locator(".call-keys").get_by_role("button", name="Put through")).to_be_enabled()
    await says(ann, "A tent that leaks")
    await press(ann, "Put through")
    await state_is(bob, "Talking")
    await expect(bob.page.locator(".timeline .here").filter(has_text="Call")).to_contain_text("Active")
    await expect(ann.page.locator(".call-keys")).to_have_count(0)
    await says(bob, "Bob here, what happened?")
    await caller.hears("Bob here, what happened?")
    assert "A tent that leaks" not in await caller.page.locator("#heard").inner_text()

    await caller.page.get_by_role("button", name="Hang up").click()
    await expect(caller.page.locator("#state")).to_have_text("Call ended")
    await bob.page.locator(".wrapup").get_by_role("radio").first.click()
    await bob.page.get_by_role("button", name="Done").click()
    await expect(bob.page.locator(".wrapup")).to_have_count(0)
    assert list(house.hub.services.floor.interactions.values()) == []
    assert house.hub.services.floor.violations == 0
