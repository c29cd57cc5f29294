"""The page /demo/phone: a telephone in the browser, from which a newcomer calls the demo's lines."""

import secrets
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.auth import Auth
from hub.demo.phone import SOFTPHONE, Exchange, languages
from hub.domain.errors import Forbidden, NotFound
from hub.settings import Settings

_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_FILES: Final = {"phone.css": "text/css", "phone.js": "text/javascript"}


class PhonePages:
    """The routes."""

    def __init__(self, settings: Settings, auth: Auth, templates: Path, exchange: Exchange) -> None:
        self._settings = settings
        self._auth = auth
        self._exchange = exchange
        loader = FileSystemLoader(templates)
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, auto_reload=False)
        self._bodies = {name: (templates / "demo" / name).read_bytes() for name in _FILES}

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/demo/phone", self._page)
        app.router.add_get("/demo/{name:phone\\.(?:css|js)}", self._file)
        app.router.add_get(SOFTPHONE, self._softphone)

    async def _page(self, request: web.Request) -> web.Response:
        if not self._exchange.lines:
            raise NotFound("This demo has no telephone.")
        asked = str(request.query.get("lang") or request.headers.get("Accept-Language", ""))
        language = "zh" if asked.startswith("zh") else "en"
        lines = [
            {"number": str(line.options["number"]), "language": languages(line)[0]} for line in self._exchange.lines
        ]
        text = self._templates.get_template("demo/phone.html").render(
            lang=language,
            company=self._settings.company.name,
            lines=sorted(lines, key=lambda line: line["language"] != language),
            number=f"+130355501{secrets.randbelow(100):02d}",
            softphone=SOFTPHONE,
        )
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": _POLICY})

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        headers = {"Cache-Control": "no-cache"}
        return web.Response(body=self._bodies[name], content_type=_FILES[name], charset="utf-8", headers=headers)

    async def _softphone(self, request: web.Request) -> web.StreamResponse:
        if not self._auth.is_own_origin(request.headers.get(hdrs.ORIGIN)):
            raise Forbidden("Only the hub's own pages are telephones here.")
        return await self._exchange.softphone(request)
