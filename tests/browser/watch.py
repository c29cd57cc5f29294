"""What a page complains about: errors, policy violations, failed requests. A good page complains about nothing."""

from dataclasses import dataclass, field

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, Response

FIRST_CHECK = "/api/v1/session"
"""A browser that nobody is signed in at asks once, and is told 401."""
REPORTER = """
window.addEventListener("securitypolicyviolation", (e) =>
  console.error(`policy: ${e.effectiveDirective} ${e.blockedURI} ${e.sample}`));
"""


@dataclass
class Watch:
    """Everything that went wrong in one browser context; `offline` lets requests fail for a while.

    `expected` are words of what a test provokes.
    """

    wrong: list[str] = field(default_factory=list)
    offline: bool = False
    expected: tuple[str, ...] = ()

    def found(self) -> list[str]:
        """Return what nobody expected."""
        return [wrong for wrong in self.wrong if not any(word in wrong for word in self.expected)]

    async def follow(self, context: BrowserContext) -> None:
        """Watch every page of the context."""
        await context.add_init_script(REPORTER)
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"} or self.offline:
            return
        where = str(message.location.get("url", ""))
        if message.text.startswith("Failed to load resource") and where.endswith(FIRST_CHECK):
            return
        self.wrong.append(f"{message.type}: {message.text} ({where})")

    def _failed(self, request: Request) -> None:
        # A question that a newer one replaced, a download, a page that was left: nothing is missing.
        if not self.offline and request.failure not in {"net::ERR_ABORTED", "Request aborted"}:
            self.wrong.append(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not response.url.endswith(FIRST_CHECK):
            self.wrong.append(f"{response.status}: {response.request.method} {response.url}")
