"""People at browsers: a visitor at the shop's page, and staff at the console."""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, FrameLocator, Locator, Page, expect

from tests.browser.house import PASSWORD, House
from tests.browser.watch import Watch


@dataclass(kw_only=True)
class Person:
    """Somebody at a browser of their own."""

    house: House
    context: BrowserContext
    page: Page
    watch: Watch

    async def lose_network(self) -> None:
        """Cut what is open, and let nothing new through."""
        self.watch.offline = True
        await self.context.set_offline(True)
        self._cut()

    async def regain_network(self) -> None:
        """Let everything through again; the page has to notice by itself."""
        await self.context.set_offline(False)

    async def is_back(self) -> None:
        """Complain about what fails from now on."""
        self.watch.offline = False

    def _cut(self) -> int:
        raise NotImplementedError


@dataclass(kw_only=True)
class Visitor(Person):
    """A visitor at the shop."""

    @property
    def chat(self) -> FrameLocator:
        """The widget's inside."""
        return self.page.frame_locator("iframe")

    @property
    def bubbles(self) -> Locator:
        """What was said, in order."""
        return self.chat.locator(".bubble")

    def _cut(self) -> int:
        return self.house.cut_visitors()

    async def visit(self, path: str = "/", **query: str) -> None:
        """Go to the shop's page."""
        await self.page.goto(f"{self.house.shop}{path}?" + "&".join(f"{k}={v}" for k, v in query.items()))

    async def open(self, *, zh: bool = False) -> None:
        """Press the round button."""
        await self.page.get_by_role("button", name=re.compile("^打开聊天" if zh else "^Open chat")).click()
        await expect(self.chat.locator("header h1")).to_be_visible()

    async def begin(self, text: str, *, name: str = "Li Wei", email: str = "") -> None:
        """Fill the form and start."""
        await self.chat.locator("#f-name").fill(name)
        await self.chat.locator("#f-email").fill(email)
        await self.chat.locator("#f-text").fill(text)
        await self.chat.locator("form.card button[type=submit]").click()
        await expect(self.bubbles.first).to_have_text(text)

    async def say(self, text: str) -> None:
        """Write a line and send it."""
        await self.chat.locator(".composer textarea").fill(text)
        await self.chat.locator(".composer textarea").press("Enter")

    async def shows(self, *lines: str) -> None:
        """Wait until exactly these lines stand in the log."""
        await expect(self.bubbles).to_have_text(list(lines))


@dataclass(kw_only=True)
class Seat(Person):
    """A member of staff at the console."""

    name: str

    @property
    def bubbles(self) -> Locator:
        """What was said in the open conversation, in order."""
        return self.page.locator(".log .bubble")

    @property
    def offer(self) -> Locator:
        """The card of the most urgent offer."""
        return self.page.locator("article.offer")

    @property
    def composer(self) -> Locator:
        """Where they write."""
        return self.page.locator("[data-composer]")

    def _cut(self) -> int:
        return self.house.cut_agent(self.name)

    async def arrive(self, path: str = "") -> None:
        """Open the console as somebody who is signed in."""
        cookie: Any = await self.house.key(self.name)
        await self.context.add_cookies([cookie])
        await self.page.goto(f"{self.house.url}/{path}")
        await self.is_live()

    async def knows_their_phone(self) -> None:
        """Their browser has been found to work as a telephone, before this shift."""
        known = json.dumps({self.name: {"at": 1, "excuse": ""}})
        await self.context.add_init_script(
            f"try {{ localStorage.setItem('console.devices', {json.dumps(known)}) }} catch (e) {{}}"
        )

    async def sign_in(self) -> None:
        """Open the console and sign in with address and password."""
        await self.page.goto(f"{self.house.url}/")
        await self.page.get_by_label("E-mail").fill(f"{self.name}@example.test")
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()
        await self.is_live()

    async def is_live(self) -> None:
        """Wait until the console has the hub's rows."""
        await expect(self.page.locator(".statusline .connection")).to_have_text(re.compile(r"0 behind|落后 0|已连接"))

    async def available(self) -> None:
        """Choose available at the start of the shift."""
        await self.page.locator(".shift").get_by_role("button", name="Available", exact=True).click()
        await expect(self.page.locator(".presence.available")).to_be_visible()

    async def accept(self, *others: "Seat") -> "Seat":
        """Wait for an offer to one of us, and take it; returns who did. An offer missed comes again."""
        for _ in range(5):
            taker = await offered(self, *others)
            await taker.page.keyboard.press("Alt+Enter")
            try:
                await expect(taker.composer).to_be_focused(timeout=6_000)
            except AssertionError:
                continue
            return taker
        raise AssertionError("five offers were made and none could be taken")

    async def shows(self, *lines: str) -> None:
        """Wait until exactly these lines stand in the log."""
        await expect(self.bubbles).to_have_text(list(lines))

    async def say(self, text: str) -> None:
        """Write a line and send it."""
        await self.composer.fill(text)
        await self.composer.press("Enter")


async def offered(*seats: Seat, within_ms: float = 40_000) -> Seat:
    """Wait until one of them is offered something; return who."""
    waits = {asyncio.ensure_future(one.offer.wait_for(timeout=within_ms)): one for one in seats}
    done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in rest:
        wait.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    first = done.pop()
    first.result()
    return waits[first]
