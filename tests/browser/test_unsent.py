"""What an agent has written and not sent is lost by no network, no session's end, and sent or kept but once."""

from playwright.async_api import Route, expect

from tests.browser.conftest import Houses, SeatAt
from tests.browser.house import PASSWORD, House
from tests.browser.people import Seat
from tests.browser.test_work import handling

ASKED = "How long does delivery take?"


async def written(ann: Seat, text: str) -> None:
    """Write something that is not sent, and wait until the hub keeps it."""
    await ann.composer.fill(text)
    await expect(ann.page.get_by_text("Draft saved")).to_be_visible()


async def loses_the_line(ann: Seat) -> None:
    """The network is gone, and the console has noticed."""
    await ann.lose_network()
    await expect(ann.page.locator(".statusline .connection")).to_have_text("Reconnecting")


async def test_what_was_sent_without_a_line_does_not_come_back_as_a_draft(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await handling(house, ann)
    await written(ann, "It takes a week")
    await ann.lose_network()
    await ann.composer.press("Enter")
    await expect(ann.page.locator(".pending")).to_have_count(1)
    await ann.regain_network()
    await ann.is_live()
    await ann.shows(ASKED, "It takes a week")
    await expect(ann.page.locator(".pending")).to_have_count(0)
    await expect(ann.composer).to_have_value("")
    await ann.page.reload()
    await ann.shows(ASKED, "It takes a week")
    await expect(ann.composer).to_have_value("")
    await ann.is_back()


async def test_what_was_written_without_a_line_is_kept_by_the_hub_afterwards(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    await written(ann, "It takes")
    await loses_the_line(ann)
    await ann.composer.fill("Two days, I think")
    await ann.regain_network()
    await ann.is_live()
    await ann.is_back()
    await expect(ann.composer).to_have_value("Two days, I think")
    elsewhere = await seat(house, "ann")
    await elsewhere.arrive(f"#/work/{chat}")
    await expect(elsewhere.composer).to_have_value("Two days, I think")


async def test_a_note_stays_in_its_field_until_the_hub_has_it(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await handling(house, ann)
    await ann.page.get_by_role("button", name="Note", exact=True).click()
    await ann.composer.fill("Ask about the seam")
    await loses_the_line(ann)
    await ann.composer.press("Enter")
    await ann.composer.press("Enter")
    await expect(ann.page.locator(".toast.bad")).to_have_count(1)
    await expect(ann.composer).to_have_value("Ask about the seam")
    await ann.regain_network()
    await ann.is_live()
    await ann.is_back()
    await ann.composer.press("Enter")
    await expect(ann.page.locator(".log .note")).to_have_count(1)
    await expect(ann.composer).to_have_value("")


async def test_a_sign_in_that_ends_takes_nothing_that_was_being_written(houses: Houses, seat: SeatAt) -> None:
    house = await houses(passwords=True)
    ann = await seat(house, "ann")
    await handling(house, ann)
    await ann.lose_network()
    await ann.say("Sent while the line was down")
    await ann.composer.fill("And the tent is")
    await house.hub.services.accounts.revoke_all("ann")
    ann.watch.expected = ("401", "WebSocket")
    await ann.regain_network()
    await expect(ann.page.get_by_text("what you were writing is kept")).to_be_visible()
    await ann.page.get_by_label("E-mail").fill("ann@example.test")
    await ann.page.get_by_label("Password").fill(PASSWORD)
    await ann.page.keyboard.press("Enter")
    await ann.is_live()
    await ann.shows(ASKED, "Sent while the line was down")
    await expect(ann.composer).to_have_value("And the tent is")
    await expect(ann.page.locator(".pending")).to_have_count(0)
    await ann.is_back()


async def test_what_one_person_wrote_is_not_there_for_the_next(houses: Houses, seat: SeatAt) -> None:
    house = await houses(passwords=True)
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    await ann.composer.fill("Between us")
    ann.watch.expected = ("401", "WebSocket")
    await house.hub.services.accounts.revoke_all("ann")
    await expect(ann.page.get_by_text("what you were writing is kept")).to_be_visible()
    await ann.page.get_by_label("E-mail").fill("sue@example.test")
    await ann.page.get_by_label("Password").fill(PASSWORD)
    await ann.page.keyboard.press("Enter")
    await ann.is_live()
    await ann.page.goto(f"{house.url}/#/work/{chat}")
    await expect(ann.page.locator(".readonly")).to_be_visible()
    await expect(ann.page.get_by_text("Between us")).to_have_count(0)


async def test_outcomes_are_there_although_they_could_not_be_loaded_at_first(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    ann.watch.offline = True
    lost = 0

    async def swallow(route: Route) -> None:
        nonlocal lost
        lost += 1
        await (route.abort() if lost == 1 else route.continue_())

    await ann.page.route("**/api/v1/settings", swallow)
    await handling(house, ann)
    await ann.page.get_by_role("button", name="Wrap up").click()
    await expect(ann.page.get_by_role("radio", name="Solved")).to_be_visible()


async def test_the_picture_of_a_lost_line_does_not_need_the_line(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await ann.arrive()
    await loses_the_line(ann)
    icon = ann.page.locator(".banner .icon use")
    await expect(icon).to_have_count(1)
    assert await icon.evaluate("(use) => use.getBBox().width") > 0
    await ann.regain_network()
    await ann.is_live()
    await ann.is_back()


async def test_a_message_that_is_too_long_says_so_and_can_be_shortened(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await handling(house, ann)
    for length in (19_000, 21_000):
        await ann.composer.fill("y" * length)
        await ann.composer.press("Enter")
        refused = ann.page.locator(".pending.failed")
        await expect(refused).to_contain_text("too long for one message")
        await refused.get_by_role("button", name="Edit").click()
        await expect(refused).to_have_count(0)
        await expect(ann.composer).to_have_value("y" * length)
        await expect(ann.composer).to_be_focused()
