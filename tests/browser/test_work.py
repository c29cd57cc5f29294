"""An agent's tools: answers, notes, the guard, presence, customers; and a shift without a mouse."""

from playwright.async_api import Page, expect

from hub.domain.interaction import Needs
from tests.browser.conftest import Houses, SeatAt
from tests.browser.house import PASSWORD, House
from tests.browser.people import Seat


async def handling(house: House, ann: Seat, text: str = "How long does delivery take?") -> str:
    """Ann is available and has accepted a chat; returns its id."""
    await ann.arrive()
    await ann.available()
    chat = await house.chat("Li Wei", text, email="li@example.com")
    await ann.accept()
    await ann.shows(text)
    return chat.id


async def test_answers_notes_and_drafts(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await handling(house, ann)
    await ann.composer.press_sequentially("/del")
    await expect(ann.page.get_by_role("option", name="Delivery times")).to_have_attribute("aria-selected", "true")
    await ann.composer.press("Enter")
    await expect(ann.composer).to_have_value("It takes 2 to 4 days, Li Wei.")
    await ann.composer.press("Enter")
    await ann.shows("How long does delivery take?", "It takes 2 to 4 days, Li Wei.")

    await ann.page.get_by_role("button", name="Note", exact=True).click()
    await ann.composer.fill("Third question about delivery")
    await ann.page.get_by_role("button", name="Save note").click()
    await expect(ann.page.locator(".log .note")).to_contain_text("Third question about delivery")
    await ann.page.get_by_role("button", name="Reply", exact=True).click()

    await ann.composer.fill("I think it is")
    await expect(ann.page.get_by_text("Draft saved")).to_be_visible()
    await ann.page.reload()
    await expect(ann.composer).to_have_value("I think it is")
    await ann.composer.press("Enter")
    await ann.shows("How long does delivery take?", "It takes 2 to 4 days, Li Wei.", "I think it is")


async def test_a_reply_that_crossed_a_colleagues_is_held_back(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    await ann.lose_network()
    await ann.say("It takes a week")
    await expect(ann.page.locator(".pending")).to_have_count(1)
    await house.colleague_answers(chat, "Two days.", back_to="ann")
    await ann.regain_network()
    await ann.is_live()
    await expect(ann.page.locator(".guard")).to_have_text("Bob answered while you wrote. Your text is kept.")
    await expect(ann.composer).to_have_value("It takes a week")
    await ann.shows("How long does delivery take?", "Two days.")
    await ann.page.get_by_role("button", name="Send anyway").click()
    await ann.shows("How long does delivery take?", "Two days.", "It takes a week")
    await ann.is_back()


async def test_a_transfer_says_what_whoever_takes_it_must_know(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    chat = await handling(house, ann)
    await ann.page.keyboard.press("Escape")
    await ann.page.keyboard.press("t")
    side = ann.page.get_by_role("complementary", name="Transfer")
    await side.get_by_role("radio", name="Billing 0 waiting").click()
    for skill in ("tents", "invoices"):
        await side.get_by_label("Add a skill").select_option(skill)
    await side.get_by_label("Level of invoices").select_option("4 or better")
    await side.get_by_role("button", name="Do not ask for tents").click()
    await side.get_by_role("button", name="Transfer to Billing").click()
    await expect(ann.page.get_by_text("Transferred to Billing")).to_be_visible()

    moved = house.hub.services.floor.interactions[chat]
    assert (moved.queue, moved.needs) == ("billing", Needs(skills={"invoices": 4}))


async def test_presence_with_a_reason_and_the_next_one(house: House, seat: SeatAt) -> None:
    ann, sue = await seat(house, "ann"), await seat(house, "sue")
    await handling(house, ann)
    await sue.arrive("#/floor/agent/ann")
    await ann.page.keyboard.press("Escape")
    await ann.page.keyboard.press("p")
    await ann.page.get_by_role("menuitemradio", name="Lunch").click()
    await expect(ann.page.locator(".presence")).to_contain_text("then Lunch")
    await expect(sue.page.get_by_label("Agents").get_by_text("then Lunch")).to_be_visible()
    await ann.page.get_by_role("button", name="Wrap up").click()
    await ann.page.get_by_role("radio", name="Solved").click()
    await ann.page.get_by_role("button", name="Done").click()
    await expect(ann.page.locator(".presence")).to_have_text("Lunch")

    await sue.page.get_by_role("combobox", name="Presence").select_option("available")
    await sue.page.get_by_role("button", name="Set presence").click()
    await expect(ann.page.locator(".presence")).to_have_text("Available")


async def test_customers_are_merged_and_parted_again(house: House, seat: SeatAt) -> None:
    ann = await seat(house, "ann")
    await house.chat("Maria Silva", "Where is my order?", email="maria@example.com")
    await house.chat("Maria Silva", "Hello again", email="maria@example.com")
    await ann.arrive("#/customers")
    page = ann.page
    await page.get_by_label("Name, e-mail, phone, company").fill("maria")
    rows = page.locator(".people .list .row")
    await expect(rows).to_have_count(2)
    await rows.first.click()
    await expect(page.locator(".totals")).to_contain_text("1 interaction")
    await page.get_by_role("button", name="Merge with Maria Silva").click()
    await expect(page.locator(".totals")).to_contain_text("2 interactions")
    await page.get_by_role("button", name="Undo the merge with Maria Silva").click()
    await expect(page.locator(".totals")).to_contain_text("1 interaction")
    await expect(page.get_by_role("button", name="Merge with Maria Silva")).to_be_visible()

    await page.get_by_role("button", name="Edit profile").click()
    await page.get_by_label("Company", exact=True).fill("Silva Lda")
    await page.get_by_label("Language").select_option("zh")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".profile")).to_contain_text("Silva Lda")

    await page.get_by_role("button", name="Edit profile").click()
    ann.watch.expected = ("400",)
    await page.get_by_role("button", name="Add an address").click()
    await page.get_by_label("Kind of address").select_option("phone")
    await page.get_by_label("Phone", exact=True).fill("twelve")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("alert").filter(has_text="One of the addresses is none")).to_be_visible()
    await page.get_by_label("Phone", exact=True).fill("+351 21 345 6789")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".profile .facts")).to_contain_text("+351213456789")
    await page.get_by_role("button", name="Edit profile").click()
    await page.locator(".addresses").get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".profile .facts")).not_to_contain_text("+351213456789")
    await page.get_by_role("button", name="Add a note").click()
    await page.get_by_role("textbox", name="Add a note").fill("Prefers e-mail")
    await page.get_by_role("button", name="Save note").click()
    await expect(page.locator(".customer-page .note")).to_contain_text("Prefers e-mail")


async def test_a_shift_without_a_mouse(houses: Houses, seat: SeatAt) -> None:
    house = await houses(passwords=True)
    ann = await seat(house, "ann")
    keys, page = ann.page.keyboard, ann.page
    await page.goto(f"{house.url}/")
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    await tab_to(page, "#signin-email")
    await keys.type("ann@example.test")
    await keys.press("Tab")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await ann.is_live()
    await keys.press("Control+k")
    await keys.type("availa")
    await keys.press("Enter")
    await expect(page.locator(".presence.available")).to_be_visible()

    await house.chat("Li Wei", "Do you mend boots?")
    await ann.accept()
    await keys.type("Yes, we do.")
    await keys.press("Enter")
    await keys.type("/bye")
    await keys.press("Enter")
    await expect(ann.composer).to_have_value("Enjoy the outdoors!")
    await expect(page.get_by_role("button", name="Send to Li Wei")).to_be_enabled()
    await page.wait_for_function(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    )
    await ann.composer.press("Control+Enter")
    await ann.shows("Do you mend boots?", "Yes, we do.", "Enjoy the outdoors!")
    await keys.press("Escape")
    await keys.press("n")
    await expect(ann.composer).to_be_focused()
    await keys.type("Boots, size 44")
    await keys.press("Control+Enter")
    await expect(page.locator(".log .note")).to_contain_text("Boots, size 44")

    await keys.press("Escape")
    await keys.press("w")
    await expect(page.get_by_role("radio", name="Solved")).to_be_visible()
    await keys.press("1")
    await expect(page.get_by_role("radio", name="Solved")).to_be_checked()
    await expect(page.get_by_role("button", name="Done")).to_be_focused()
    await keys.press("Enter")
    await expect(page.get_by_text("Nothing waiting")).to_be_visible()
    await look_around(page)


async def look_around(page: Page) -> None:
    """Search, pages, the table of keys, the regions."""
    keys = page.keyboard
    await keys.press("/")
    await expect(page.get_by_label("Search people and messages")).to_be_focused()
    await keys.type("boots")
    await expect(page.locator(".result-messages button").first).to_be_visible()
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(page.locator(".readonly")).to_contain_text("ended")
    await keys.press("Control+/")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    for region in ("topbar", "rail", "list", "conversation", "customer", "status"):
        await page.evaluate("document.activeElement.blur()") if region == "topbar" else None
        await keys.press("F6")
        await expect(page.locator(f"[data-region={region}]:focus, [data-region={region}] :focus")).to_have_count(1)
    await keys.press("Escape")
    await keys.press("g")
    await keys.press("c")
    await expect(page.get_by_role("heading", name="Customers", level=1)).to_be_visible()


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until it has the focus, as a person does."""
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"Tab does not reach {selector}")


async def test_ones_own_password_is_changed_and_other_browsers_are_out(houses: Houses, seat: SeatAt) -> None:
    house = await houses(passwords=True)
    here, there = await seat(house, "ann"), await seat(house, "ann")
    await here.sign_in()
    await there.sign_in()
    page = here.page
    await page.get_by_role("button", name="Ann Example").click()
    await page.get_by_role("menuitem", name="Settings").click()
    dialog = page.get_by_role("dialog", name="Settings")
    await dialog.get_by_role("button", name="Change password").click()
    await expect(dialog.get_by_label("Current password")).to_be_focused()
    here.watch.expected = ("400", "403")

    await dialog.get_by_label("Current password").fill("wrong")
    await dialog.get_by_label("New password").fill("several tall otters")
    await dialog.get_by_role("button", name="Change password").click()
    await expect(dialog.get_by_text("The current password is not right.")).to_be_visible()
    await dialog.get_by_label("Current password").fill(PASSWORD)
    await dialog.get_by_label("New password").fill("passwordpassword")
    await dialog.get_by_role("button", name="Change password").click()
    await expect(dialog.get_by_text("Too easy to guess or too short.")).to_be_visible()
    await dialog.get_by_label("New password").fill("several tall otters")
    await dialog.get_by_role("button", name="Change password").click()

    await expect(page.get_by_text("Your password is changed.")).to_be_visible()
    await expect(there.page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    await expect(dialog.locator(".sessions li")).to_have_count(1)
