"""One page of the demo: its template under a policy, its style and its script."""

from pathlib import Path
from typing import Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.domain.errors import BadRequest

_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data:{images}; connect-src 'self'{more}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_FILES: Final = {"css": "text/css", "js": "text/javascript"}


class DemoPage:
    """`templates/demo/NAME.html`; `NAME.css` and `NAME.js` are served beside it, at /demo.

    `images` and `more` are added to its policy: where else pictures come from, and whole directives.
    """

    def __init__(self, templates: Path, name: str, *, images: str = "", more: str = "") -> None:
        self._name = name
        self._policy = _POLICY.format(images=images, more=more)
        self._template = environment(templates).get_template(f"demo/{name}.html")
        self._bodies = {f"{name}.{kind}": (templates / "demo" / f"{name}.{kind}").read_bytes() for kind in _FILES}

    def attach(self, app: web.Application) -> None:
        """Add the routes of style and script."""
        app.router.add_get(f"/demo/{{name:{self._name}\\.(?:css|js)}}", self._file)

    def show(self, request: web.Request, **values: object) -> web.Response:
        """Return the page in the browser's language."""
        return page(self._template.render(lang=language_of(request), **values), self._policy)

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        kind = _FILES[name.rpartition(".")[2]]
        headers = {"Cache-Control": "no-cache"}
        return web.Response(body=self._bodies[name], content_type=kind, charset="utf-8", headers=headers)


def environment(templates: Path) -> Environment:
    """Return what renders templates: everything escaped, nothing left out unnoticed."""
    return Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )


def page(text: str, policy: str) -> web.Response:
    """Return a page under a policy."""
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})


def language_of(request: web.Request) -> str:
    """Return the language that a page is wanted in, of the two there are."""
    asked = str(request.query.get("lang") or request.headers.get("Accept-Language", ""))
    return "zh" if asked.startswith("zh") else "en"


async def body_of(request: web.Request, most: int, why: str) -> bytes:
    """Return the body of a request, of at most so many bytes.

    Raises:
        BadRequest: there are more; `why` says so.
    """
    pieces = bytearray()
    async for piece in request.content.iter_chunked(65_536):
        pieces += piece
        if len(pieces) > most:
            raise BadRequest(why)
    return bytes(pieces)
