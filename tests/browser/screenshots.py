"""Makes the picture of the README from the real demo, anew: `python -m tests.browser.screenshots`.

It starts `hub demo` on a free port with a data folder of its own, plays a customer and an agent in Chromium until the
page is worth showing, and writes docs/images/console.png. It says what it is doing, and gives up after LONGEST_S.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tests.browser.conftest import ARGUMENTS, chromium_path
from tests.ports import free_port

IMAGES = Path(__file__).parents[2] / "docs" / "images"
START_MS = 90_000
OFFERED_MS = 8_000
WINDOW: ViewportSize = {"width": 1440, "height": 900}
LONGEST_S = 420
"""A minute or two on an idle machine."""
VISITORS = 12
"""Simulated customers a minute once Maya talks with Ann: enough that some come to her. Before, there are none."""
TALK = (
    ("ann", "Hello Maya, this is Ann from Fernway. Sorry to hear that! How old is the tent?"),
    ("maya", "Two years. Only the seam above the porch, the rest is fine"),
    ("ann", "Then we mend it, and you keep the tent: the workshop tapes the seam for free within three years."),
    ("maya", "Oh, I thought I would need a new one. How long does it take?"),
)
OPEN_CHAT = """async () => {
  const get = (path) => fetch(`/api/v1/customers${path}`).then((answer) => answer.json());
  for (;;) {
    const { customers } = await get("?q=Maya%20Lindholm");
    const [open] = customers.length ? (await get(`/${customers[0].id}`)).customer.open : [];
    if (open) return open;
    await new Promise((later) => setTimeout(later, 300));
  }
}"""
MORE_VISITORS = """(rate) => fetch("/demo/visitors", {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ rate_per_minute: rate }),
})"""
NOTE = "Larch 2, porch seam. Within the guarantee: book the workshop, no charge."


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[str]:
    """Run the demo as a newcomer does; gives its address."""
    port = free_port()
    environ = {**os.environ, "HUB_PORT": str(port), "HUB_DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "hub", "demo", "--visitors", "0", env=environ)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def arrived(browser: Browser, url: str, role: str) -> Page:
    """Sign in with one click."""
    context = await browser.new_context(viewport=WINDOW, color_scheme="light", locale="en-GB", reduced_motion="reduce")
    page = await context.new_page()
    for _ in range(60):
        try:
            await page.goto(url)
            break
        except Exception:  # noqa: BLE001 - the demo is not listening yet
            await asyncio.sleep(1)
    await page.get_by_role("button", name=role, exact=True).click()
    await expect(page.locator(".statusline .connection")).to_contain_text("Connected")
    return page


async def visit(browser: Browser, url: str) -> Page:
    """A customer opens the chat at the shop."""
    context = await browser.new_context(viewport=WINDOW, locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{url}/demo/shop?lang=en")
    await page.get_by_role("button", name="Open chat").click()
    return page


async def begin(customer: Page, text: str) -> None:
    """Fill the form and start; to the menu that answers, the customer says that a person is wanted."""
    chat = customer.frame_locator("iframe")
    await chat.locator("#f-name").fill("Maya Lindholm")
    await chat.locator("#f-text").fill(text)
    await chat.get_by_role("button", name="Start chat").click()
    await chat.get_by_role("button", name="Workshop appointment").wait_for()
    await chat.locator(".composer textarea").fill("Can I talk to a person?")
    await chat.locator(".composer textarea").press("Enter")
    await expect(chat.locator(".own .state").first).to_have_text("Sent")


async def accepted(page: Page, name: str) -> bool:
    """Decline offers until this customer's comes, and take that; tell whether it came."""
    card = page.locator("article.offer").first
    while True:
        try:
            await card.wait_for(timeout=OFFERED_MS)
        except PlaywrightTimeout:
            return False
        await asyncio.sleep(0.5)  # a card is deaf at first, so that nobody answers it by mistake
        offer = page.locator(f"article.offer[data-offer={await card.get_attribute('data-offer')}]")
        if name in (await offer.locator("h2").text_content() or ""):
            await page.keyboard.press("Alt+Enter")
            await expect(page.locator(".talk-name h2")).to_have_text(name)
            return True
        await offer.get_by_role("button", name="Decline").click()
        await page.get_by_role("menuitem", name="Too much in hand").click()
        await expect(offer).to_have_count(0)


async def give(sue: Page, ann: Page) -> None:
    """Have Ann take Maya's chat: whatever else is going on, the supervisor gives it to her, until she has it."""
    chat = await sue.evaluate(OPEN_CHAT)
    while True:
        await sue.goto(f"{sue.url.split('#')[0]}#/floor/interaction/{chat}")
        await sue.locator(".drawer .target", has_text="Ann Keller").click()
        if await accepted(ann, "Maya Lindholm"):
            return


async def last_month(ann: Page, sue: Page, maya: Page) -> None:
    """Maya was here before, and Ann served her."""
    await give(sue, ann)
    await ann.locator("[data-composer]").fill("You can have it mended, or try the new one for 60 days.")
    await ann.locator("[data-composer]").press("Enter")
    await ann.get_by_role("button", name="Wrap up").click()
    await ann.get_by_role("radio", name="Advice given").or_(ann.get_by_role("radio", name="Solved")).first.click()
    await ann.get_by_role("button", name="Done").click()
    await maya.frame_locator("iframe").get_by_role("button", name="Start a new chat").click()


async def talk(agent: Page, customer: Page) -> None:
    """The conversation that is shown."""
    chat = customer.frame_locator("iframe")
    shown, seen = await agent.locator(".log .bubble").count(), await chat.locator(".bubble").count()
    for count, (who, text) in enumerate(TALK, 1):
        if who == "ann":
            await agent.locator("[data-composer]").fill(text)
            await agent.locator("[data-composer]").press("Enter")
        else:
            await chat.locator(".composer textarea").fill(text)
            await chat.locator(".composer textarea").press("Enter")
        await expect(agent.locator(".log .bubble")).to_have_count(shown + count)
        await expect(chat.locator(".bubble")).to_have_count(seen + count)
    await agent.get_by_role("button", name="Note", exact=True).click()
    await agent.locator("[data-composer]").fill(NOTE)
    await agent.get_by_role("button", name="Save note").click()
    await agent.get_by_role("button", name="Reply", exact=True).click()
    await agent.locator("[data-composer]").fill("About a week. I can book it for you now, and send you a label for")


async def play(browser: Browser, url: str) -> None:
    """A shift's first minutes, and the picture."""
    sue, ann = await arrived(browser, url, "Supervisor"), await arrived(browser, url, "Agent")
    print("signed in", flush=True)
    await ann.locator(".shift").get_by_role("button", name="Available", exact=True).click()
    await ann.get_by_role("button", name="Go available without").click()
    await ann.get_by_role("menuitem").first.click()
    maya = await visit(browser, url)
    await begin(maya, "Is the Larch 2 big enough for three, or should I buy the Tarn?")
    await last_month(ann, sue, maya)
    print("Maya was here before", flush=True)
    await begin(maya, "Hi! My Larch 2 leaks at the seam above the porch. Do I need a new tent?")
    await give(sue, ann)
    await sue.evaluate(MORE_VISITORS, VISITORS)
    while await ann.locator(".list [data-row]").count() < 2:
        await ann.locator("article.offer").wait_for(timeout=START_MS)
        await ann.keyboard.press("Alt+Enter")
        await asyncio.sleep(1)
    await ann.locator(".list [data-row]", has_text="Maya Lindholm").click()
    await talk(ann, maya)
    print("they have talked", flush=True)
    await ann.locator("article.offer").wait_for(timeout=START_MS)
    await maya.frame_locator("iframe").locator(".composer textarea").press_sequentially("and what does it", delay=120)
    await expect(ann.locator(".log .typing")).to_be_visible()
    await ann.mouse.move(720, 300)
    await ann.screenshot(path=IMAGES / "console.png", animations="disabled")


async def make() -> None:
    """Play, and take the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with async_playwright() as playwright, demo(Path(folder)) as url:
            browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
            async with asyncio.timeout(LONGEST_S):
                await play(browser, url)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(make())
