"""The newcomer's story: served by a flow in the demo's shop, handed to an agent who sees it all, and seen to happen."""

from playwright.async_api import Locator, expect

from tests.browser.conftest import Houses, SeatAt, VisitorAt
from tests.browser.people import Seat, Visitor


async def sits_down(seat: Seat, role: str) -> None:
    """Take a seat with one click on the demo's first page."""
    await seat.page.goto(f"{seat.house.url}/demo?lang=en")
    await seat.page.locator(f"[data-role={role}]").click()
    await seat.is_live()


async def asks_for_an_order(li: Visitor) -> None:
    """Chat at the shop, take the menu's first choice, and get an order's status from the company's system."""
    await li.page.goto(f"{li.house.url}/demo/shop?lang=en")
    await li.open()
    await li.chat.locator("#f-name").fill("Li Wei")
    await li.chat.locator("#f-text").fill("Hello")
    await li.chat.locator("form.card button[type=submit]").click()
    await expect(li.bubbles.last).to_contain_text("What is it about?")
    await li.chat.get_by_role("button", name="Order status").click()
    await expect(li.bubbles.last).to_contain_text("What is the order number?")
    await li.say("FW-10000")
    await expect(li.bubbles.last).to_contain_text("Is there anything else")
    # Only what stands in the log: the words are in the live region too, for a moment.
    await expect(li.bubbles.filter(has_text="It is on its way with")).to_be_visible()


def figures(seat: Seat, table: int, name: str) -> Locator:
    """The figures of a flow (table 0) or a step (table 1) on the flows page."""
    rows = seat.page.locator(".flows-table").nth(table).locator("tbody tr")
    return rows.filter(has=seat.page.locator("th", has_text=name)).first.locator("td")


async def test_newcomer_is_served_by_the_flow_and_the_agent_who_takes_over_sees_it(
    houses: Houses, seat: SeatAt, visitor: VisitorAt
) -> None:
    demo = await houses(demo=True)
    li, ann, sue = await visitor(demo), await seat(demo, "ann"), await seat(demo, "sue")
    await sits_down(sue, "supervisor")
    await sits_down(ann, "agent")
    await ann.available()
    await asks_for_an_order(li)
    await sue.page.goto(f"{demo.url}/#/flows/main-menu")
    await expect(figures(sue, 0, "Main menu")).to_have_text(["1", "1", "0", "0", "0"])
    await expect(figures(sue, 1, "Is there anything else")).to_have_text(["1", "1", "-", "-", "-"])
    await expect(sue.page.get_by_alt_text("Main menu")).to_be_visible()

    await li.say("agent")
    await ann.accept()
    path = ann.page.locator(".path")
    await expect(path.locator("li b")).to_have_text(["Order status", "FW-10000"])
    await expect(path.locator(".path-result")).to_contain_text("shipped")
    await expect(path.locator("li").last).to_contain_text("asked for a person")
    await expect(ann.page.locator(".log")).to_contain_text("Came by the menu; topic order, order FW-10000.")
    await expect(figures(sue, 0, "Main menu")).to_have_text(["0", "1", "0", "1", "0"])
    await expect(figures(sue, 1, "Is there anything else").nth(2)).to_have_text("1")

    await path.locator("select").select_option("survey")
    await expect(li.bubbles.last).to_contain_text("how satisfied are you")
    await li.say("5")
    await expect(li.bubbles.last).to_contain_text("add something")
    await li.say("no")
    await expect(path.locator("li b")).to_have_text(["Order status", "FW-10000", "5", "No"])
    await ann.say("Your parcel comes on Friday.")
    await expect(li.bubbles.last).to_have_text("Your parcel comes on Friday.")


async def test_an_admin_tries_changes_publishes_and_takes_back(houses: Houses, seat: SeatAt) -> None:
    ada = await seat(await houses(demo=True), "ada")
    await sits_down(ada, "admin")
    ada.watch.expected = ("400",)
    await ada.page.goto(f"{ada.house.url}/#/flows/order-status")
    trial = ada.page.locator(".flow-try")
    await expect(trial.locator(".flow-try-talk")).to_contain_text("What is the order number?")
    await trial.locator("input").fill("FW-10000")
    await trial.locator("input").press("Enter")
    await expect(trial.locator(".flow-try-talk")).to_contain_text("It is on its way with")
    await trial.get_by_role("combobox").first.select_option("phone")
    await expect(trial.locator(".flow-try-talk")).to_contain_text("five digits")
    assert await ada.page.locator(".flow-versions li").count() == 1

    editor = ada.page.locator(".flow-editor")
    await editor.locator("summary").click()
    text = await editor.locator("textarea").input_value()
    await editor.locator("textarea").fill(text.replace("then: back\n", "then: nowhere\n", 1))
    await editor.get_by_role("button").click()
    await expect(editor.get_by_role("alert")).to_contain_text("There is no step 'nowhere'.")
    await editor.locator("textarea").fill(text.replace("It begins with FW.", "It stands in your letter."))
    await expect(editor.locator(".diff .added")).to_contain_text("It stands in your letter.")
    await editor.get_by_role("button").click()
    versions = ada.page.locator(".flow-versions li")
    await expect(versions).to_have_count(2)
    await trial.get_by_role("combobox").first.select_option("chat")
    await expect(trial.locator(".flow-try-talk")).to_contain_text("It stands in your letter.")
    await versions.nth(1).get_by_role("button").click()
    await expect(trial.locator(".flow-try-talk")).to_contain_text("It begins with FW.")


async def test_an_agent_sends_the_customer_to_pay_and_gets_them_back(
    houses: Houses, seat: SeatAt, visitor: VisitorAt
) -> None:
    demo = await houses(demo=True)
    li, ann = await visitor(demo), await seat(demo, "ann")
    await sits_down(ann, "agent")
    await ann.available()
    await asks_for_an_order(li)
    await li.say("agent")
    await ann.accept()
    path = ann.page.locator(".path")
    await path.locator("select").select_option("payment")
    await expect(li.bubbles.last).to_contain_text("Would you like to pay that now?")
    await li.say("yes")
    await expect(li.bubbles.last).to_contain_text("Tell me when you have paid")
    async with li.context.expect_page() as opening:
        await li.bubbles.locator("a[href*='/demo/pay/']").click()
    page = await opening.value
    await expect(page.get_by_role("heading")).to_have_text("Pay your bill")
    await page.get_by_role("button", name="Pay").click()
    await expect(page.get_by_role("heading")).to_have_text("Thank you")
    await page.reload()
    await expect(page.get_by_role("heading")).to_have_text("It is paid already")
    await page.close()
    await li.say("I have paid")
    await expect(li.bubbles.filter(has_text="were paid")).to_be_visible()
    await expect(path.locator(".path-result").last).to_contain_text("paidYes")
    await ann.say("Thank you, Li Wei.")
    await expect(li.bubbles.last).to_have_text("Thank you, Li Wei.")
