"""The pages and files of web chat: the script tag, the iframe, uploads, transcripts."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from channels.webchat import wire
from channels.webchat.guests import is_token
from channels.webchat.site import Site
from hub.contract import HubSide, VisitorId
from hub.domain.errors import BadRequest, NotFound, Unauthorized
from hub.domain.interaction import Interaction
from hub.domain.messages import Author, FileRef, Message

STATIC: Final = Path(__file__).parent / "static"
VisitorOf = Callable[[Site, str], Awaitable[VisitorId]]
_TRANSCRIPT_LIMIT = 5_000


class Pages:
    """What browsers fetch beside the Socket.IO server."""

    def __init__(self, sites: Mapping[str, Site], hub: HubSide, visitor: VisitorOf) -> None:
        self._sites = sites
        self._hub = hub
        self._visitor_of = visitor
        self._widget = (STATIC / "widget.js").read_bytes()
        self._tag = f'"{hashlib.sha256(self._widget).hexdigest()[:16]}"'
        loader = FileSystemLoader(hub.templates / "webchat")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, auto_reload=False)

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/widget.js", self._script)
        app.router.add_get("/chat/frame", self._frame)
        app.router.add_post("/chat/api/files", self._upload)
        app.router.add_get("/chat/api/transcript", self._transcript)
        app.router.add_static("/chat/static/", STATIC)

    async def _script(self, request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == self._tag:
            return web.Response(status=304)
        return web.Response(
            body=self._widget,
            content_type="text/javascript",
            charset="utf-8",
            headers={
                "ETag": self._tag,
                "Cache-Control": "public, max-age=300",
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
        )

    async def _frame(self, request: web.Request) -> web.Response:
        site = self._site(request.query.get("site", ""))
        referrer = request.headers.get("Referer", "")
        own = self._hub.public_url
        is_framed = request.headers.get("Sec-Fetch-Dest") == "iframe"
        if is_framed and not f"{referrer}/".startswith(f"{own}/") and not site.may_be_framed_by(referrer):
            raise NotFound("This page may not carry the chat.")
        language = "zh" if request.query.get("lang", "").startswith("zh") else "en"
        nonce = secrets.token_urlsafe(16)
        text = self._templates.get_template("frame.html").render(
            site=site.id, lang=language, title=site.title(language), nonce=nonce
        )
        return web.Response(
            text=text, content_type="text/html", headers={"Content-Security-Policy": self._csp(site, nonce)}
        )

    def _csp(self, site: Site, nonce: str) -> str:
        ancestors = " ".join(["'self'", *site.origins]) if site.origins else "*"
        return (
            "default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
            f"frame-ancestors {ancestors}; require-trusted-types-for 'script'; trusted-types 'none'"
        )

    def _site(self, site_id: str) -> Site:
        site = self._sites.get(site_id)
        if site is None:
            raise NotFound("There is no such chat site.")
        return site

    async def _visitor(self, request: web.Request) -> VisitorId:
        """Return whose token the request carries, on whichever site they have it.

        Raises:
            Unauthorized: nobody's.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_token(token) or request.headers.get("X-Hub") != "1":
            raise Unauthorized("Send the visitor's token and X-Hub: 1.")
        for site in self._sites.values():
            try:
                return await self._visitor_of(site, token)
            except Unauthorized:
                continue
        raise Unauthorized("This visitor is not known any more.")

    async def _upload(self, request: web.Request) -> web.Response:
        visitor = await self._visitor(request)
        if request.content_type != "application/octet-stream":
            raise BadRequest("Send the bytes as application/octet-stream.")
        hub = self._hub
        interaction = await hub.conversations.of_visitor(request.query.get("interaction", ""), visitor)
        if not interaction.accepts_customer_messages:
            raise BadRequest("This conversation has ended.")
        file = await hub.files.store(
            interaction.id,
            request.query.get("name", ""),
            request.content.iter_chunked(65_536),
            by=visitor.id,
            limit=hub.limits.visitor_upload_bytes,
            per_day=hub.limits.visitor_upload_bytes_per_day,
        )
        shown = wire.file_out(FileRef(file.id, file.name, file.type, file.size), hub.files.link)
        return web.json_response({"ok": True, "file": shown})

    async def _transcript(self, request: web.Request) -> web.Response:
        visitor = await self._visitor(request)
        conversations = self._hub.conversations
        interaction = await conversations.of_visitor(request.query.get("interaction", ""), visitor)
        messages = await conversations.history(interaction.id, limit=_TRANSCRIPT_LIMIT)
        return web.Response(
            text=transcript(interaction, messages),
            content_type="text/plain",
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="chat-{interaction.id}.txt"'},
        )


def transcript(interaction: Interaction, messages: list[Message]) -> str:
    """Return a conversation as a text to keep, times in UTC."""
    zh = interaction.language.startswith("zh")
    own = "您" if zh else "You"
    lines = [f"{_time(interaction.created_at)} UTC", ""]
    for message in messages:
        who = own if message.author is Author.CUSTOMER else message.name or ("系统" if zh else "System")
        attached = "".join(f" [{file.name}]" for file in message.files)
        lines.append(f"[{_time(message.at)}] {who}: {_indented(message.text)}{attached}")
    return "\n".join(lines) + "\n"


def _indented(text: str) -> str:
    """Return a text whose further lines cannot pass for another speaker's."""
    return text.replace("\r", "").replace("\n", "\n    ")


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
