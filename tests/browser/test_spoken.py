"""What a screen reader is told: everything once, nothing that is over."""

from playwright.async_api import Page, expect

from hub.domain.agent import Presence
from tests.browser.conftest import SeatAt
from tests.browser.house import House
from tests.browser.test_clumsy import SUE, customer_leaves
from tests.browser.test_work import handling

LISTENER = """
window.spoken = [];
const hear = (region) => region.textContent.trim() && window.spoken.push(region.textContent.trim());
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    const region = (target.nodeType === 1 ? target : target.parentElement)?.closest("[role=status], [role=alert]");
    if (region) hear(region);
    else for (const one of addedNodes) if (one.nodeType === 1 && one.matches("[role=status], [role=alert]")) hear(one);
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
ALL_SAID = "(texts) => texts.every((text) => window.spoken.some((one) => one.includes(text)))"
ACCEPT_AT_SIGHT = """
new MutationObserver(() => document.querySelector("article.offer") && document.body.dispatchEvent(
  new KeyboardEvent("keydown", { key: "Enter", altKey: true, bubbles: true, cancelable: true }),
)).observe(document, { subtree: true, childList: true });
"""


async def heard(page: Page, *texts: str) -> list[str]:
    """Wait until all of these were said; return everything that was."""
    await page.wait_for_function(
        "(texts) => texts.every((text) => window.spoken.some((one) => one.includes(text)))", arg=texts
    )
    spoken: list[str] = await page.evaluate("window.spoken")
    return spoken


async def test_an_offer_that_is_taken_at_once_is_not_spoken_of_later(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await ann.context.add_init_script(LISTENER + ACCEPT_AT_SIGHT)
    await ann.arrive()
    await ann.available()
    chat = await house.chat("Li Wei", "Hello")
    await expect(ann.composer).to_be_focused()
    await customer_leaves(house, chat.id)
    assert await heard(ann.page, "The customer left") == ["The customer left."]


async def test_a_presence_that_a_supervisor_chose_is_told_once(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await ann.context.add_init_script(LISTENER)
    await ann.arrive()
    await house.hub.services.presence.choose("ann", Presence.AVAILABLE, "", actor=SUE)
    spoken = await heard(ann.page, "You are now: Available")
    assert len([one for one in spoken if "Available" in one]) == 1


async def test_what_a_supervisor_chose_for_later_is_told_and_ones_own_choice_is_not(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await handling(house, ann)
    await ann.page.keyboard.press("Escape")
    await ann.page.keyboard.press("p")
    await ann.page.get_by_role("menuitemradio", name="Lunch").click()
    await expect(ann.page.locator(".presence")).to_contain_text("then Lunch")
    await expect(ann.page.locator(".toast")).to_have_count(0)
    other = await seat(house, "ann")
    await other.arrive()
    await expect(other.page.locator(".presence")).to_contain_text("then Lunch")
    await house.hub.services.presence.choose("ann", Presence.AWAY, "training", actor=SUE)
    await expect(other.page.locator(".toast")).to_contain_text("After the work you hold: Training")
