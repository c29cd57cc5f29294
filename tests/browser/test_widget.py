"""The chat on a customer's page: every way in, every state, every host page, every text."""

# ruff: noqa: RUF001 - full-width marks are how Chinese is written

import asyncio
import re

import pytest
from playwright.async_api import Download, FilePayload, Page, expect

from tests.browser.conftest import SeatAt, VisitorAt
from tests.browser.house import House
from tests.browser.people import Seat, Visitor

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63b8656bfb1f00"
    "057b02775ca5d2180000000049454e44ae426082"
)
HOSTILE = (
    '<img src=x onerror="window.pwned=1">',
    "<script>window.pwned=1</script>",
    "javascript:window.pwned=1 and https://example.com/?q=<b>",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1}",
    "\u202egnp.exe\u202c zero\u200bwidth and \U0001f9d1\u200d\U0001f680",
    "</textarea></div><svg/onload=window.pwned=1>",
)


async def served(house: House, visitor: VisitorAt, seat: SeatAt) -> tuple[Visitor, Seat]:
    """A visitor and the agent who has accepted their chat."""
    li, ann = await visitor(house), await seat(house, "ann")
    await ann.arrive()
    await ann.available()
    await li.visit()
    await li.open()
    await li.begin("Hello")
    await ann.accept()
    return li, ann


async def test_with_the_keyboard_alone(house: House, visitor: VisitorAt) -> None:
    li = await visitor(house)
    await li.visit()
    page, keys = li.page, li.page.keyboard
    button = page.get_by_role("button", name="Open chat")
    await expect(button).to_be_visible()
    await page.get_by_role("link", name="To the cart").focus()
    await keys.press("Tab")
    await expect(button).to_be_focused()
    await keys.press("Enter")
    await expect(li.chat.get_by_role("heading", name="Hello from Fernway!")).to_be_focused()
    await expect(page.get_by_role("dialog", name="Fernway Outdoor")).to_be_visible()
    await keys.press("Escape")
    await expect(button).to_be_focused()
    await expect(page.get_by_role("dialog")).to_have_count(0)

    await keys.press("Enter")
    await expect(li.chat.get_by_role("heading", name="Hello from Fernway!")).to_be_focused()
    await keys.press("Tab")
    await expect(li.chat.get_by_role("button", name="My order")).to_be_focused()
    await keys.press("Space")
    await expect(li.chat.get_by_role("button", name="My order")).to_have_attribute("aria-pressed", "true")
    await li.chat.get_by_role("button", name="Start chat").press("Enter")
    await expect(li.chat.locator("#f-name")).to_be_focused()
    await expect(li.chat.locator("#f-name-e")).to_have_text("Fill this in")
    await keys.type("Li Wei")
    await keys.press("Enter")
    await expect(li.bubbles).to_have_text(["My order"])
    await expect(li.chat.locator(".place")).to_contain_text("You're next")
    await expect(li.chat.locator(".composer textarea")).to_be_focused()


async def test_a_quick_reply_leads_to_its_queue(house: House, visitor: VisitorAt, seat: SeatAt) -> None:
    li, ann = await visitor(house), await seat(house, "ann")
    await ann.arrive()
    await ann.available()
    await li.visit()
    await li.open()
    await li.chat.locator("#f-name").fill("Li Wei")
    await li.chat.get_by_role("button", name="Invoice or refund").click()
    await li.chat.get_by_role("button", name="Start chat").click()
    await expect(ann.offer).to_contain_text("Billing")
    await ann.accept()
    await ann.page.get_by_role("button", name="Offer choices").click()
    await ann.page.get_by_label("Choice 1").fill("By e-mail")
    await ann.page.get_by_label("Choice 2").fill("By post")
    await ann.say("How shall we send it?")
    await li.chat.get_by_role("group", name="Suggested answers").get_by_role("button", name="By post").click()
    await ann.shows("Invoice or refund", "How shall we send it?", "By post")
    await expect(li.chat.get_by_role("group", name="Suggested answers")).to_have_count(0)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
async def test_in_chinese_and_back(house: House, visitor: VisitorAt, options: dict[str, object]) -> None:
    li = await visitor(house, locale="zh-CN", **options)
    await li.visit(lang="zh")
    await li.open(zh=True)
    await expect(li.chat.get_by_role("heading", name="欢迎来到蕨野户外！有什么可以帮您？")).to_be_visible()
    await expect(li.chat.locator("header h1")).to_have_text("蕨野户外")
    await li.begin("帐篷漏水了", name="王芳")
    await expect(li.chat.locator(".place")).to_contain_text("下一位就是您")
    await li.chat.get_by_role("button", name="EN: switch to English").click()
    await expect(li.chat.locator(".place")).to_contain_text("You're next")
    box = await li.page.locator("iframe").bounding_box()
    assert box is not None
    if options:
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    assert await li.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_while_closed_a_message_is_left(house: House, visitor: VisitorAt, seat: SeatAt) -> None:
    li, sue = await visitor(house), await seat(house, "sue")
    await sue.arrive("#/floor")
    await li.visit(site="late")
    await li.open()
    await expect(li.chat.get_by_role("heading", name="We're closed")).to_be_visible()
    await expect(li.chat.locator(".opens")).to_have_text(re.compile(r"We open \w+day"))
    await li.chat.locator("#f-name").fill("Ola")
    await li.chat.locator("#f-email").fill("ola@example.com")
    await li.chat.locator("#f-text").fill("Call me on Monday")
    await li.chat.get_by_role("button", name="Send message").click()
    await expect(li.chat.locator(".queue")).to_have_text("We have your messageYou'll find our answer here.")
    await expect(li.chat.locator("header")).not_to_contain_text("Waiting")
    await expect(sue.page.get_by_label("Waiting now").get_by_text("Ola")).to_be_visible()
    await li.page.reload()
    await expect(li.chat.locator(".place")).to_have_text("We have your message")


async def test_files_both_ways_and_what_is_refused(house: House, visitor: VisitorAt, seat: SeatAt) -> None:
    li, ann = await served(house, visitor, seat)
    picker = li.chat.locator("input[type=file]")
    await picker.set_input_files({"name": "page.html", "mimeType": "text/html", "buffer": b"<b>x</b>"})
    await expect(li.chat.locator(".refused")).to_contain_text("page.html: only PNG")
    await picker.set_input_files({"name": "tent.png", "mimeType": "image/png", "buffer": PNG})
    await expect(li.chat.locator(".uploads .done")).to_contain_text("tent.png")
    await li.chat.get_by_role("button", name="Send", exact=True).click()
    await expect(ann.page.locator("a.file", has_text="tent.png").locator("img")).to_be_visible()
    async with ann.page.expect_file_chooser() as chosen:
        await ann.page.get_by_role("button", name="Attach a file").click()
    notes = FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"seam tape")
    await (await chosen.value).set_files(notes)
    await ann.say("Read this")
    async with li.page.expect_download() as download:
        await li.chat.locator("a.file", has_text="notes.txt").click()
    assert await downloaded(await download.value) == "seam tape"


async def test_file_that_was_not_sent_before_the_end_goes_with_the_next_conversation(
    house: House, visitor: VisitorAt
) -> None:
    li = await visitor(house)
    await li.visit()
    await li.open()
    await li.begin("My tent leaks")
    picker = li.chat.locator("input[type=file]")
    await picker.set_input_files({"name": "tent.png", "mimeType": "image/png", "buffer": PNG})
    await expect(li.chat.locator(".uploads .done")).to_contain_text("tent.png")
    await picker.set_input_files({"name": "page.html", "mimeType": "text/html", "buffer": b"<b>x</b>"})
    await li.chat.get_by_role("button", name="More options").click()
    await li.chat.get_by_text("End chat").click()
    await li.chat.get_by_role("button", name="End chat").click()
    await expect(li.chat.get_by_text("This chat has ended")).to_be_visible()
    await expect(li.chat.locator(".refused")).to_have_count(0)

    await li.chat.get_by_role("button", name="Start a new chat").click()
    await li.begin("The other tent leaks")
    await expect(li.chat.locator(".uploads .done")).to_contain_text("tent.png")
    await li.say("This one")

    await expect(li.chat.locator(".own .state")).to_have_text("Sent")
    await expect(li.chat.locator("a.picture")).to_be_visible()


async def test_file_attached_before_the_hub_answers_goes_up_when_it_has(house: House, visitor: VisitorAt) -> None:
    li = await visitor(house)
    await li.visit()
    await li.open()
    await expect(li.chat.locator("form.card")).to_be_visible()
    await li.lose_network()
    await li.begin("My tent leaks")
    file: FilePayload = {"name": "tent.png", "mimeType": "image/png", "buffer": PNG}
    await li.chat.locator("input[type=file]").set_input_files(file)
    await expect(li.chat.locator(".uploads .uploading")).to_contain_text("tent.png")
    await li.say("This one")

    await li.regain_network()
    await expect(li.chat.locator("a.picture")).to_be_visible(timeout=30_000)
    await li.is_back()
    await li.shows("My tent leaks", "This one")
    await expect(li.chat.locator(".refused")).to_have_count(0)


async def downloaded(download: Download) -> str:
    """Return what was downloaded."""
    return await asyncio.to_thread((await download.path()).read_text)


async def test_transcript_and_the_end(house: House, visitor: VisitorAt, seat: SeatAt) -> None:
    li, ann = await served(house, visitor, seat)
    await ann.say("Good morning")
    await li.shows("Hello", "Good morning")
    await li.chat.get_by_role("button", name="More options").click()
    async with li.page.expect_download() as download:
        await li.chat.get_by_role("button", name="Download transcript").click()
    text = await downloaded(await download.value)
    assert re.findall(r"\] (.*)", text)[-1] == "Ann: Good morning"
    assert "You: Hello" in text
    await li.chat.get_by_role("button", name="More options").click()
    await li.chat.get_by_role("button", name="End chat").click()
    await expect(li.chat.get_by_role("button", name="Keep chatting")).to_be_focused()
    await li.chat.get_by_role("button", name="End chat").click()
    await expect(li.chat.get_by_text("This chat has ended")).to_be_visible()
    await expect(li.chat.locator(".system").last).to_have_text("You left the conversation.")
    await expect(ann.page.get_by_role("heading", name="Wrap-up")).to_be_visible()
    await expect(ann.page.get_by_text("The customer left")).to_be_visible()


async def test_a_second_tab_is_the_same_conversation(house: House, visitor: VisitorAt, seat: SeatAt) -> None:
    li, ann = await served(house, visitor, seat)
    other = Visitor(house=house, context=li.context, page=await li.context.new_page(), watch=li.watch)
    await other.visit()
    await other.open()
    await other.shows("Hello")
    await other.say("From the second tab")
    await li.say("From the first tab")
    await ann.say("I see both")
    await expect(ann.bubbles).to_have_count(4)
    said = await ann.bubbles.all_text_contents()
    await li.shows(*said)
    await other.shows(*said)
    await li.page.get_by_role("button", name="Close chat").click()
    await ann.say("Are you there?")
    await other.page.close()
    await expect(li.page.get_by_role("button", name=re.compile("^Open chat"))).to_be_visible()


async def test_on_a_page_from_right_to_left(house: House, visitor: VisitorAt) -> None:
    li = await visitor(house)
    await li.visit(dir="rtl")
    button = li.page.get_by_role("button", name="Open chat")
    box = await button.bounding_box()
    assert box is not None
    assert box["x"] < 100
    await li.open()
    await li.begin("שלום, האוהל דולף")
    panel = await li.page.locator("iframe").bounding_box()
    assert panel is not None
    assert panel["x"] < 100
    send = li.chat.locator(".i-send")
    assert await send.evaluate("icon => getComputedStyle(icon).transform") == "none", "the chat itself is in English"
    await li.chat.locator("html").evaluate("html => { html.dir = 'rtl'; }")
    assert await send.evaluate("icon => getComputedStyle(icon).transform") == "matrix(-1, 0, 0, 1, 0, 0)"
    assert await li.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_on_a_page_with_a_strict_policy(house: House, visitor: VisitorAt) -> None:
    li = await visitor(house)
    await li.visit("/strict")
    await li.open()
    await li.begin("Hello")
    await expect(li.chat.locator(".place")).to_contain_text("You're next")


async def test_on_another_site_whose_storage_is_blocked(house: House, visitor: VisitorAt) -> None:
    li = await visitor(house)
    await li.page.goto(f"{house.abroad}/")
    await li.open()
    await li.begin("Hello")
    await expect(li.chat.locator(".place")).to_contain_text("You're next")
    await li.lose_network()
    await li.say("Still here")
    await li.regain_network()
    await expect(li.chat.locator(".own .state")).to_have_text("Sent")
    await li.shows("Hello", "Still here")
    await li.is_back()


async def test_a_site_that_is_not_listed_cannot_frame_it(house: House, visitor: VisitorAt) -> None:
    li = await visitor(house)
    li.watch.expected = ("404", "frame-ancestors", "chrome-error:", "/chat/frame")
    await li.page.goto(f"{house.stranger}/")
    async with li.page.expect_response(re.compile("/chat/frame")) as answered:
        await li.page.get_by_role("button", name="Open chat").click()
    assert (await answered.value).status == 404
    await expect(li.chat.locator("#chat")).to_have_count(0)


async def test_nothing_makes_html_of_text(house: House, visitor: VisitorAt, seat: SeatAt) -> None:
    li, ann = await served(house, visitor, seat)
    inside = next(frame for frame in li.page.frames if "/chat/frame" in frame.url)
    li.watch.expected = ann.watch.expected = ("TrustedHTML", "require-trusted-types-for")
    for frame in (inside, ann.page.main_frame):
        said = await frame.evaluate("try { document.createElement('p').innerHTML = '<b>' } catch (e) { e.name }")
        assert said == "TypeError"


async def test_hostile_texts_stay_texts(house: House, visitor: VisitorAt, seat: SeatAt) -> None:
    li, ann = await served(house, visitor, seat)
    for text in HOSTILE:
        await li.say(text)
        await ann.say(text)
    await expect(ann.bubbles).to_have_count(1 + 2 * len(HOSTILE))
    await expect(li.bubbles).to_have_count(1 + 2 * len(HOSTILE))
    for person in (li, ann):
        said = await person.bubbles.all_text_contents()
        assert {text for text in said if said.count(text) == 2} == set(HOSTILE)
        await expect(person.bubbles.locator("img, script, svg, b")).to_have_count(0)
    await expect(ann.bubbles.locator("a").first).to_have_attribute("href", re.compile("^https://example.com/"))
    for page in (li.page, ann.page):
        await _not_taken_over(page)


async def _not_taken_over(page: Page) -> None:
    for frame in page.frames:
        assert await frame.evaluate("window.pwned === undefined")
