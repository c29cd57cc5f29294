"""One Chromium for the whole folder, a hub for each test, and a browser context for each person."""

import inspect
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.browser.demo_house import open_demo
from tests.browser.house import House, open_house
from tests.browser.people import Seat, Visitor
from tests.browser.watch import Watch

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--use-fake-device-for-media-stream"),
)
WAIT_MS = 15_000
SIZE = {"width": 1440, "height": 900}


def chromium_path() -> str:
    """Return the Chromium of this machine."""
    for name in (os.environ.get("HUB_TEST_CHROMIUM", "chromium"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise pytest.UsageError("The browser tests need Chromium: .ci/bootstrap test installs it.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser lives in one loop for the session, and so do the tests that use it."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser."""
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        yield browser
        await browser.close()


Houses = Callable[..., Awaitable[House]]


@pytest_asyncio.fixture(loop_scope="session")
async def houses(tmp_path: Path) -> AsyncIterator[Houses]:
    """Open a hub and the shop, with the words of `open_house`; or the `demo`."""
    async with AsyncExitStack() as stack:
        yield lambda demo=False, **how: stack.enter_async_context(
            open_demo(tmp_path, **how) if demo else open_house(tmp_path, **how)
        )


@pytest_asyncio.fixture(loop_scope="session")
async def house(houses: Houses) -> House:
    """A hub with patient offers, and the shop."""
    return await houses()


Context = Callable[..., Awaitable[tuple[BrowserContext, Watch]]]


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser, houses: Houses) -> AsyncIterator[Context]:
    """Make browser contexts, closed before the hub is; whatever a page complains about fails the test."""
    del houses
    opened: list[tuple[BrowserContext, Watch]] = []

    async def make(**options: Any) -> tuple[BrowserContext, Watch]:
        made = await chromium.new_context(**{"viewport": SIZE, "locale": "en-GB", **options})
        made.set_default_timeout(WAIT_MS)
        watch = Watch()
        await watch.follow(made)
        opened.append((made, watch))
        return made, watch

    yield make
    for made, _ in opened:
        await made.close()
    assert [wrong for _, watch in opened for wrong in watch.found()] == []


SeatAt = Callable[..., Awaitable[Seat]]
VisitorAt = Callable[..., Awaitable[Visitor]]


@pytest.fixture
def seat(context: Context) -> SeatAt:
    """Give somebody of the staff a browser."""

    async def make(house: House, name: str, **options: Any) -> Seat:
        made, watch = await context(**options)
        return Seat(house=house, context=made, page=await made.new_page(), watch=watch, name=name)

    return make


@pytest.fixture
def visitor(context: Context) -> VisitorAt:
    """Give a visitor a browser."""

    async def make(house: House, **options: Any) -> Visitor:
        made, watch = await context(**options)
        return Visitor(house=house, context=made, page=await made.new_page(), watch=watch)

    return make
