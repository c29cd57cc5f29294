"""The console's page, and the files it is made of."""

import asyncio
import hashlib
import mimetypes
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from agent_console.api import spoken
from hub.contract import Channel
from hub.contract.calls import LiveCalls
from hub.domain.calls import Softphone
from hub.domain.errors import NotFound
from hub.settings import Settings

PAGES: Final = ("/", "/work", "/customers", "/search", "/floor", "/wallboard")
_LATER_PAGES: Final = ("/work/{tail:.+}", "/customers/{tail:.+}", "/search/{tail:.+}", "/floor/{tail:.+}")
_LANGUAGES: Final = ("en", "zh")
_TYPES: Final = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".txt": "text/plain",
    ".mp3": "audio/mpeg",
    ".woff2": "font/woff2",
}
_TEXTS: Final = frozenset({"text/javascript", "text/css", "application/json", "text/plain", "text/html"})


def content_policy(nonce: str, phones: Iterable[Softphone] = ()) -> str:
    """Return the console's Content-Security-Policy: own scripts and nothing else, no HTML made from text.

    `phones`: what the page must be let speak to, to be a telephone.
    """
    told = list(phones)
    origins = " ".join(dict.fromkeys(["'self'", *(origin for phone in told for origin in phone.origins)]))
    media = " ".join(dict.fromkeys(["'self'", "blob:", *(source for phone in told for source in phone.media)]))
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' blob: data:; "
        f"media-src {media}; connect-src {origins}; "
        "frame-src 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A file in memory, until it changes on disk."""

    stamp: tuple[int, int]
    body: bytes
    tag: str


class Folder:
    """Serves a folder's files: with the current version in the query to be kept for ever, else to be asked for anew."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._files: dict[str, _File] = {}

    def stamps(self) -> list[str]:
        """Return what changes whenever a file does."""
        found = []
        for path in sorted(self._path.rglob("*")):
            if path.is_file():
                stat = path.stat()
                found.append(f"{path.relative_to(self._path)} {stat.st_mtime_ns} {stat.st_size}")
        return found

    async def serve(self, request: web.Request, version: str) -> web.Response:
        """Answer with a file of the folder.

        Raises:
            NotFound: there is none.
        """
        name = request.match_info["name"]
        file = await asyncio.get_running_loop().run_in_executor(None, self._read, name)
        kept = request.query.get("v") == version
        headers = {
            hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable" if kept else "no-cache",
            hdrs.ETAG: file.tag,
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if request.headers.get(hdrs.IF_NONE_MATCH) == file.tag:
            return web.Response(status=304, headers=headers)
        kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        charset = "utf-8" if kind in _TEXTS else None
        return web.Response(body=file.body, content_type=kind, charset=charset, headers=headers)

    def _read(self, name: str) -> _File:
        path = self._path / name
        try:
            inside = path.resolve().is_relative_to(self._path) and path.is_file()
        except (OSError, ValueError):
            inside = False
        if not inside or any(part.startswith(".") for part in Path(name).parts) or path.suffix == ".ts":
            raise NotFound("There is no such file.")
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._files.get(name)
        if known is None or known.stamp != stamp:
            body = path.read_bytes()
            known = self._files[name] = _File(stamp, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        return known


class Views:
    """The page and its files."""

    def __init__(self, settings: Settings, templates: Path, channels: Mapping[str, Channel]) -> None:
        import hub

        self._settings = settings
        self._channels = channels
        self._version, self._look_again_at = "", 0.0
        self._static = Folder(Path(__file__).parent / "static")
        self._vendor = Folder(Path(hub.__file__).parent / "static" / "vendor")
        self._templates = Environment(
            loader=FileSystemLoader(templates),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            auto_reload=False,
        )

    def mount(self, app: web.Application) -> None:
        """Add the pages and files to an application."""
        for path in (*PAGES, *_LATER_PAGES):
            app.router.add_get(path, self.page)
        app.router.add_get("/console/static/{name:.+}", self._serve_static)
        app.router.add_get("/vendor/{name:.+}", self._serve_vendor)

    async def version(self) -> str:
        """Return what changes with every release, and with every file changed while it is being worked on."""
        loop = asyncio.get_running_loop()
        if not self._version or loop.time() >= self._look_again_at:
            self._look_again_at = loop.time() + 1
            stamps = await loop.run_in_executor(None, lambda: (*self._static.stamps(), *self._vendor.stamps()))
            self._version = hashlib.sha256("\n".join(stamps).encode()).hexdigest()[:16]
        return self._version

    async def page(self, request: web.Request) -> web.Response:
        """Answer with the console's only page; the browser does the rest."""
        nonce = secrets.token_urlsafe(18)
        html = self._templates.get_template("console/index.html").render(
            nonce=nonce,
            version=await self.version(),
            lang=spoken(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""), _LANGUAGES),
            theme="auto",
            company=self._settings.company.name,
        )
        headers = {
            "Content-Security-Policy": content_policy(
                nonce, [one.softphone for one in self._channels.values() if isinstance(one, LiveCalls)]
            ),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            hdrs.CACHE_CONTROL: "no-store",
        }
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def _serve_static(self, request: web.Request) -> web.Response:
        return await self._static.serve(request, await self.version())

    async def _serve_vendor(self, request: web.Request) -> web.Response:
        return await self._vendor.serve(request, await self.version())
