"""A tired agent: presses twice, too early, in the wrong window, and goes on typing when the customer is gone."""

import re

from playwright.async_api import Locator, Page, expect

from hub.domain.agent import Role
from hub.services.access import Scope
from tests.browser.conftest import Houses, SeatAt
from tests.browser.house import House
from tests.browser.test_work import handling

SUE = Scope("sue", Role.SUPERVISOR)
BAD_NEWS = ".toast.bad"
KEYS_AT_ONCE = """(keys) => {
  for (const [key, altKey] of keys) {
    const place = document.activeElement ?? document.body;
    place.dispatchEvent(new KeyboardEvent("keydown", { key, altKey, bubbles: true, cancelable: true }));
  }
}"""
"""Keys within a millisecond of one another; a test's own keys are further apart."""
KEYS_ON_FOCUS = """(keys) => new Promise((done) => document.addEventListener("focusin", (e) => {
  if (!e.target.matches("[data-composer]")) return;
  for (const key of keys) {
    const place = document.activeElement ?? document.body;
    place.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }
  done();
}))"""


async def customer_leaves(house: House, chat: str, name: str = "Li Wei") -> None:
    """The customer ends the chat."""
    await house.hub.services.chats.end(chat, house.visitors[name])


def focused(page: Page, selector: str) -> Locator:
    """Whatever matches and has the focus, or has it within."""
    return page.locator(f":is({selector}):focus, :is({selector}) :focus")


async def breathe(page: Page) -> None:
    """Wait until the next press is no second half of a double press."""
    now = await page.evaluate("performance.now()")
    await page.wait_for_function("(then) => performance.now() - then > 400", arg=now)


async def test_what_is_typed_on_after_the_customer_left_chooses_no_outcome(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    await ann.composer.press_sequentially("Your order is number ")
    await customer_leaves(house, chat)
    await expect(ann.page.locator(".wrapup")).to_be_visible()
    await ann.page.keyboard.type("10482 thanks")
    await expect(focused(ann.page, "[data-region=conversation]")).to_have_count(1)

    await expect(ann.page.locator(".wrapup [role=radio][aria-checked=true]")).to_have_count(0)
    await expect(ann.page.locator(".transfer, .menu")).to_have_count(0)
    await expect(ann.page.get_by_role("region", name="Not sent")).to_contain_text("Your order is number")
    assert chat in house.hub.services.floor.interactions


async def test_words_for_a_chat_that_a_colleague_was_given_can_still_be_read(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    await house.available("bob")
    await ann.composer.press_sequentially("It will ")
    await house.hub.services.supervision.assign(chat, SUE, agent="bob")
    await expect(ann.page.locator(".readonly")).to_be_visible()
    await ann.page.keyboard.type("take two weeks")

    await expect(ann.page.locator(".transfer, .menu, .wrapup")).to_have_count(0)
    unsent = ann.page.get_by_role("region", name="Not sent")
    await expect(unsent).to_contain_text("It will")
    await unsent.get_by_role("button", name="Discard").click()
    await expect(unsent).to_have_count(0)
    await expect(focused(ann.page, "[data-region=conversation]")).to_have_count(1)


async def test_a_double_press_accepts_one_offer_and_says_nothing_of_its_end(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await ann.arrive()
    await ann.available()
    for name in ("Li Wei", "Maria Silva"):
        await house.chat(name, "Hello")
    await expect(ann.page.locator(".offer-more")).to_be_visible()
    await ann.page.evaluate(KEYS_AT_ONCE, [["Enter", True], ["Enter", True], ["Enter", True]])
    await expect(ann.composer).to_be_focused()

    await expect(ann.page.locator(".list [data-row]")).to_have_count(1)
    await expect(ann.page.locator(".offer-gone")).to_have_count(0)
    await expect(ann.offer).to_be_visible()


async def test_a_key_pressed_right_after_accepting_is_for_what_was_accepted(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await ann.arrive()
    await ann.available()
    await house.chat("Li Wei", "Hello")
    await expect(ann.offer).to_be_visible()
    await ann.page.evaluate(KEYS_AT_ONCE, [["Enter", True], ["t", False]])
    await expect(ann.page.get_by_role("complementary", name="Transfer")).to_be_visible()


async def test_a_key_pressed_right_after_accepting_is_not_for_what_was_open_before(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    first = await handling(house, ann)
    second = await house.chat("Maria Silva", "Hello")
    await expect(ann.offer).to_contain_text("Maria Silva")
    await ann.page.keyboard.press("Escape")
    await breathe(ann.page)
    await ann.page.evaluate(KEYS_AT_ONCE, [["Enter", True], ["w", False]])
    await expect(ann.page.locator(".wrapup")).to_be_visible()
    states = house.hub.services.floor.interactions
    assert (states[first].state, states[second.id].state) == ("active", "wrapping")


async def test_a_key_pressed_as_soon_as_the_composer_is_there_is_heard(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await ann.arrive()
    await ann.available()
    await house.chat("Li Wei", "Hello")
    await expect(ann.offer).to_be_visible()
    pressed = ann.page.evaluate(KEYS_ON_FOCUS, ["Escape", "w"])
    await ann.page.evaluate(KEYS_AT_ONCE, [["Enter", True]])
    await pressed
    await expect(ann.page.locator(".wrapup")).to_be_visible()


async def test_what_is_done_in_one_window_is_no_news_in_the_other(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    other = await ann.context.new_page()
    await other.goto(f"{house.url}/#/work/{chat}")
    await expect(other.locator("[data-composer]")).to_be_focused()
    await house.chat("Maria Silva", "Hello")
    await expect(other.locator("article.offer")).to_be_visible()
    await breathe(ann.page)
    await ann.page.keyboard.press("Alt+Enter")
    await expect(other.locator(".list [data-row]")).to_have_count(2)
    await expect(other.locator(".offer-gone")).to_have_count(0)

    await ann.page.locator(f".row[data-id={chat}]").click()
    await ann.page.get_by_role("button", name="Wrap up").dblclick()
    await expect(other.locator(".wrapup")).to_be_visible()
    await ann.page.get_by_role("radio", name="Solved").click()
    await ann.page.get_by_role("button", name="Done").dblclick()
    await expect(other.locator(".readonly")).to_contain_text("This interaction has ended")
    await expect(other.locator(".wrapup")).to_have_count(0)
    await expect(focused(other, "[data-region=conversation]")).to_have_count(1)
    await expect(ann.page.locator(BAD_NEWS)).to_have_count(0)
    await ann.page.wait_for_function("() => document.activeElement !== document.body")


async def test_every_button_takes_a_double_press(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await handling(house, ann)
    page = ann.page
    await ann.composer.fill("One moment")
    await page.get_by_role("button", name="Send to Li Wei").dblclick()
    await ann.shows("How long does delivery take?", "One moment")
    await expect(ann.composer).to_be_focused()
    await page.get_by_role("button", name="Note", exact=True).dblclick()
    await ann.composer.fill("Asked twice")
    await page.get_by_role("button", name="Save note").dblclick()
    await expect(page.locator(".log .note")).to_have_count(1)
    await expect(ann.composer).to_have_value("")
    await expect(ann.composer).to_be_focused()
    await page.get_by_role("button", name="Reply", exact=True).click()

    await page.keyboard.press("Escape")
    await page.keyboard.press("t")
    side = page.get_by_role("complementary", name="Transfer")
    await side.get_by_role("radio", name="Billing 0 waiting").click()
    await side.get_by_role("button", name="Transfer to Billing").focus()
    await page.evaluate(KEYS_AT_ONCE, [["Enter", False]])
    await page.evaluate("document.activeElement.click(); document.activeElement.click()")
    await expect(page.get_by_text("Transferred to Billing")).to_be_visible()
    await expect(focused(page, "[data-region=conversation]")).to_have_count(1)
    await expect(page.locator(BAD_NEWS)).to_have_count(0)


async def test_a_transfer_begun_for_one_customer_is_not_made_with_another(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    await house.chat("Maria Silva", "Hello")
    await expect(ann.offer).to_be_visible()
    await breathe(ann.page)
    await ann.page.keyboard.press("Alt+Enter")
    await ann.shows("Hello")
    await expect(ann.composer).to_be_focused()
    await ann.page.keyboard.press("Escape")
    await ann.page.keyboard.press("t")
    side = ann.page.get_by_role("complementary", name="Transfer")
    await side.get_by_role("radio", name="Billing 0 waiting").click()
    await side.get_by_label("Note for whoever takes over").fill("Maria wants her money back")
    await ann.page.locator(f".row[data-id={chat}]").click()

    await expect(ann.page.locator(".talk-name h2")).to_have_text("Li Wei")
    await expect(side.get_by_role("radio", checked=True)).to_have_count(0)
    await expect(side.get_by_label("Note for whoever takes over")).to_have_value("")
    await ann.page.locator(".list .row", has_text="Maria Silva").click()
    await expect(side.get_by_label("Note for whoever takes over")).to_have_value("Maria wants her money back")


async def test_a_note_outlives_the_clock_that_ends_the_wrap_up(houses: Houses, seat: SeatAt) -> None:
    house = await houses(wrap_up_s=3.0)
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    await ann.page.get_by_role("button", name="Wrap up").click()
    await ann.page.get_by_label("Note (optional)").fill("Wants tape for the seam")
    late = ann.page.locator(".late-outcome")
    await expect(late).to_be_visible()
    await expect(late.get_by_label("Note (optional)")).to_have_value("Wants tape for the seam")
    await late.get_by_role("button", name="Solved").click()
    await expect(ann.page.locator(".readonly")).to_contain_text("This interaction has ended")
    await expect(ann.page.locator(".log .note")).to_contain_text("Wants tape for the seam")
    assert chat not in house.hub.services.floor.interactions


async def test_leaving_without_a_line_is_not_taken_for_signing_out(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await ann.arrive()
    await ann.lose_network()
    await ann.page.get_by_role("button", name=re.compile("^Ann Example")).click()
    await ann.page.get_by_role("menuitem", name="Sign out").click()
    await expect(ann.page.locator(BAD_NEWS)).to_contain_text("you are still signed in")
    await expect(ann.page.locator(".shell")).to_be_visible()
    await ann.regain_network()
    await ann.is_live()
    await ann.is_back()
