"""The page /demo/phone: a telephone in the browser, from which a newcomer calls the demo's lines."""

import secrets
from pathlib import Path

from aiohttp import hdrs, web

from hub.auth import Auth
from hub.demo.page import DemoPage, language_of
from hub.demo.phone import SOFTPHONE, Exchange, languages
from hub.domain.errors import Forbidden, NotFound
from hub.settings import Settings


class PhonePages:
    """The routes."""

    def __init__(self, settings: Settings, auth: Auth, templates: Path, exchange: Exchange) -> None:
        self._settings = settings
        self._auth = auth
        self._exchange = exchange
        self._page = DemoPage(templates, "phone", more="; media-src 'self'")

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/demo/phone", self._show)
        self._page.attach(app)
        app.router.add_get(SOFTPHONE, self._softphone)

    async def _show(self, request: web.Request) -> web.Response:
        if not self._exchange.lines:
            raise NotFound("This demo has no telephone.")
        language = language_of(request)
        lines = [
            {
                "number": str(line.options["number"]),
                "language": languages(line)[0],
                "name": "" if line.options.get("flow") else self._settings.queues[str(line.options["queue"])].name,
                "is_open": self._exchange.is_open_queue(str(line.options["queue"])),
            }
            for line in self._exchange.lines
        ]
        return self._page.show(
            request,
            company=self._settings.company.name,
            lines=sorted(lines, key=lambda line: line["language"] != language),
            number=f"+130355501{secrets.randbelow(100):02d}",
            softphone=SOFTPHONE,
        )

    async def _softphone(self, request: web.Request) -> web.StreamResponse:
        if not self._auth.is_own_origin(request.headers.get(hdrs.ORIGIN)):
            raise Forbidden("Only the hub's own pages are telephones here.")
        return await self._exchange.softphone(request)
