"""Every page in both sizes, themes and languages: nothing for axe-core to find, nothing that fails, nothing too wide.

With HUB_TEST_SCREENSHOTS=FOLDER each is kept as a picture, to be looked at.
"""

# ruff: noqa: RUF001 - full-width marks are how Chinese is written

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.conftest import Context, SeatAt
from tests.browser.house import House
from tests.browser.people import Seat, Visitor

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
CALM = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const short = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 2000);
  await Promise.all(short.map((one) => one.finished.catch(() => {})));
}"""
RUN = """async (rules) => {
  const only = rules.length ? { runOnly: { type: "rule", values: rules } } : {};
  const found = await axe.run(document, { iframes: false, preload: false, resultTypes: ["violations"], ...only });
  return found.violations.map((one) => [one.id, ...one.nodes.map((node) => `${node.target} ${node.failureSummary}`)]);
}"""
CUT_OFF = """() => {
  const end = document.querySelector(".wall footer").getBoundingClientRect().top;
  return [...document.querySelectorAll(".wall-queues p")].filter((p) => p.getBoundingClientRect().bottom > end).length;
}"""
SIZES = {"1440": (1440, 900), "390": (390, 844)}
THEMES: Mapping[Literal["light", "dark"], Sequence[str]] = {
    "light": (),
    "dark": ("color-contrast", "link-in-text-block"),
}
"""With the rules that can tell the second theme from the first; for the first all of them."""
LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])


@dataclass
class Look:
    """Looks at pages; what is wrong with them is gathered, so that one run tells everything."""

    lang: str
    wrong: list[str]

    async def at(self, page: Page, name: str, *, sizes: Sequence[str] = ("1440", "390")) -> None:
        """Look at the page as it stands, in both themes."""
        for size in sizes:
            width, height = SIZES[size]
            await page.set_viewport_size({"width": width, "height": height})
            for theme, rules in THEMES.items():
                await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                await self._check(page, f"{name}-{size}-{theme}-{self.lang}", rules)

    async def _check(self, page: Page, name: str, rules: Sequence[str]) -> None:
        for frame in page.frames:
            await frame.evaluate(CALM)
        folder = os.environ.get("HUB_TEST_SCREENSHOTS")
        if folder:
            await page.screenshot(path=f"{folder}/{name}.png", animations="disabled")
        for frame in page.frames:
            self.wrong += [f"{name}: {violation}" for violation in await frame.evaluate(RUN, list(rules))]
        if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            self.wrong.append(f"{name}: scrolls sideways")


async def prepared(context: BrowserContext, lang: str) -> None:
    """Bring axe-core into every document of the context, and choose the console's language."""
    await context.add_init_script(path=AXE)
    await context.add_init_script(f"try {{ localStorage.setItem('console.language', '\"{lang}\"') }} catch (e) {{}}")


async def lively(house: House) -> str:
    """Two customers with Ann, one of them with a past; one waits for her answer. Returns the first chat."""
    ann = "ann"
    await house.available(ann)
    before = await house.chat("Li Wei", "Do you ship to Norway?", email="li@example.com")
    await house.accepted(before.id, ann)
    await house.says(ann, before.id, "Yes, in 4 to 6 days.")
    await house.finished(before.id, ann, "solved")
    first = await house.chat("Li Wei", "Hello, I was charged twice for order FW10482.", again=True)
    await house.accepted(first.id, ann)
    await house.says(ann, first.id, "Hello Li Wei, I see both payments. One moment please.")
    second = await house.chat("王芳", "您好，请问帐篷什么时候发货？", language="zh")
    await house.accepted(second.id, ann)
    return first.id


@LANGUAGES
async def test_the_agents_pages(house: House, seat: SeatAt, lang: str) -> None:
    look = Look(lang, [])
    first = await lively(house)
    ann = await seat(house, "ann", locale="zh-CN" if lang == "zh" else "en-GB")
    await prepared(ann.context, lang)
    await ann.page.goto(f"{house.url}/")
    await expect(ann.page.locator("#signin-email")).to_be_visible()
    await look.at(ann.page, "signin")
    await ann.page.goto("about:blank")
    await ann.arrive("#/work")
    await expect(ann.page.locator(".list .row")).to_have_count(2)
    await look.at(ann.page, "work-list")
    await ann.page.locator(f".row[data-id={first}]").click()
    await ann.shows(
        "Hello, I was charged twice for order FW10482.", "Hello Li Wei, I see both payments. One moment please."
    )
    await ann.page.set_viewport_size({"width": 1440, "height": 900})
    await house.chat("Ola Nordmann", "Is the Larch 2 in stock?", email="ola@example.com")
    await expect(ann.offer).to_be_visible()
    await ann.composer.fill("/")
    await look.at(ann.page, "work-answers")
    await ann.composer.fill("The second payment is on its way back.")
    await look.at(ann.page, "work")
    await _panels(look, ann)
    await _other_pages(look, ann)
    assert "\n".join(look.wrong) == ""


async def _panels(look: Look, ann: Seat) -> None:
    """What opens over or beside the conversation."""
    page = ann.page
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await expect(page.locator(".composer.as-note")).to_be_visible()
    await look.at(page, "work-note")
    await page.keyboard.press("Escape")
    await page.keyboard.press("t")
    await expect(page.locator(".transfer")).to_be_visible()
    await look.at(page, "work-transfer")
    await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.locator(".talk-who").click()
    await look.at(page, "work-customer", sizes=("390",))
    await page.set_viewport_size({"width": 1440, "height": 900})
    for keys, name in (("Control+k", "palette"), ("Control+/", "keys")):
        await page.keyboard.press(keys)
        await expect(page.get_by_role("dialog")).to_be_visible()
        await look.at(page, name)
        await page.keyboard.press("Escape")
    await page.locator(".user-menu .menu-trigger").click()
    await look.at(page, "user-menu", sizes=("1440",))
    await page.locator(".user-menu [role=menuitem]").nth(1).click()
    await expect(page.locator(".standing .why-people")).to_be_visible()
    await look.at(page, "standing")
    await page.keyboard.press("Escape")
    await page.locator(".user-menu .menu-trigger").click()
    await page.locator(".user-menu [role=menuitem]").nth(2).click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await look.at(page, "preferences")
    await page.keyboard.press("Escape")


async def _other_pages(look: Look, ann: Seat) -> None:
    """Customers, a customer, the search; and the end of a conversation."""
    page, url = ann.page, ann.house.url
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.goto(f"{url}/#/customers")
    await expect(page.locator(".people .row").first).to_be_visible()
    await look.at(page, "customers")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.locator(".people .row", has_text="Li Wei").click()
    await expect(page.locator(".customer-page .timeline-row").first).to_be_visible()
    await look.at(page, "customer")
    await page.goto(f"{url}/#/search/Li%20Wei")
    await expect(page.locator(".search-inner li").first).to_be_visible()
    await look.at(page, "search")
    await page.goto(f"{url}/#/work")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.locator(".list .row").last.click()
    await expect(ann.composer).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("w")
    await expect(page.locator(".wrapup")).to_be_visible()
    await look.at(page, "work-wrapup")


@LANGUAGES
async def test_the_supervisors_pages(house: House, seat: SeatAt, lang: str) -> None:
    look = Look(lang, [])
    first = await lively(house)
    await house.chat("Ola Nordmann", "Is the Larch 2 in stock?", email="ola@example.com")
    sue = await seat(house, "sue", locale="zh-CN" if lang == "zh" else "en-GB")
    await prepared(sue.context, lang)
    await sue.arrive("#/floor")
    await expect(sue.page.locator(".floor-row").first).to_be_visible()
    await look.at(sue.page, "floor")
    await sue.page.goto(f"{house.url}/#/floor/agent/ann")
    await expect(sue.page.locator(".drawer .force")).to_be_visible()
    await look.at(sue.page, "floor-agent")
    await sue.page.goto(f"{house.url}/#/floor/interaction/{first}")
    await expect(sue.page.locator(".drawer .target").first).to_be_visible()
    await look.at(sue.page, "floor-interaction")
    await sue.page.goto(f"{house.url}/#/wallboard")
    await expect(sue.page.locator(".wallboard, .wall").first).to_be_visible()
    await look.at(sue.page, "wallboard")
    if (sue.page.viewport_size or {"width": 0})["width"] > 1000:
        assert await sue.page.evaluate(CUT_OFF) == 0, "a figure of the wallboard is cut off"
    assert "\n".join(look.wrong) == ""


@LANGUAGES
async def test_the_demos_pages(house: House, context: Context, lang: str) -> None:
    look = Look(lang, [])
    made, _ = await context(locale="zh-CN" if lang == "zh" else "en-GB")
    await prepared(made, lang)
    page = await made.new_page()
    await page.goto(f"{house.url}/demo?lang={lang}")
    await expect(page.locator("[data-count=waiting]")).to_have_text("0")
    await look.at(page, "demo")
    await page.goto(f"{house.url}/demo/shop?lang={lang}")
    await expect(page.locator("aside button")).to_be_visible()
    await look.at(page, "shop")
    await page.evaluate("document.documentElement.dir = 'rtl'")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the shop is too wide from right to left"
    )
    assert "\n".join(look.wrong) == ""


@LANGUAGES
async def test_the_widgets_states(house: House, context: Context, lang: str) -> None:
    look = Look(lang, [])
    made, watch = await context(locale="zh-CN" if lang == "zh" else "en-GB")
    await prepared(made, lang)
    li = Visitor(house=house, context=made, page=await made.new_page(), watch=watch)
    await li.page.goto(f"{house.url}/demo/shop?lang={lang}")
    await li.open(zh=lang == "zh")
    await look.at(li.page, "widget-form")
    await li.chat.locator("form.card button[type=submit]").click()
    await expect(li.chat.locator(".error").first).to_be_visible()
    await look.at(li.page, "widget-errors")
    await li.begin("My tent leaks" if lang == "en" else "帐篷漏水了")
    await expect(li.chat.locator(".place")).to_be_visible()
    await look.at(li.page, "widget-waiting")
    await _answered(li, lang)
    await look.at(li.page, "widget-talk")
    await li.chat.locator(".menu > button").click()
    await look.at(li.page, "widget-menu", sizes=("1440",))
    await li.chat.locator(".menu .bad").click()
    await look.at(li.page, "widget-end")
    await li.chat.locator(".ask .primary").click()
    await expect(li.chat.locator(".over")).to_be_visible()
    await look.at(li.page, "widget-over")
    await li.visit(site="late", lang=lang)
    await li.open(zh=lang == "zh")
    await look.at(li.page, "widget-closed")
    assert "\n".join(look.wrong) == ""


async def _answered(li: Visitor, lang: str) -> None:
    """Ann takes the chat, answers with choices, and types."""
    house = li.house
    chat = next(iter(house.hub.services.floor.interactions.values()))
    await house.available("ann")
    await house.accepted(chat.id, "ann")
    english = ("Sorry to hear that. Which one is it? See https://fernway.example/tents", ("Larch 2", "Tarn 2"))
    text, choices = english if lang == "en" else ("很抱歉，请问是哪一款？", ("落叶松", "冰斗湖"))
    await house.says("ann", chat.id, text, choices=choices)
    await expect(li.bubbles).to_have_count(2)
