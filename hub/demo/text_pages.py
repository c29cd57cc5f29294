"""The page /demo/text: a telephone in the browser, from which a newcomer texts the demo's lines."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from channels.simulator.senders import app_of, by_way_of, number_of
from hub.auth import Auth
from hub.demo.page import DemoPage, body_of
from hub.demo.phone import Exchange
from hub.domain.errors import BadRequest, NotFound
from hub.settings import Settings

if TYPE_CHECKING:
    from channels.simulator.carrier.messaging import Message
    from channels.simulator.carrier.pockets import Pocket

_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_LARGEST_PICTURE: Final = 2 * 1024 * 1024
_LARGEST: Final = 4 * 1024 * 1024
_TOO_LARGE: Final = f"At most {_LARGEST_PICTURE // 1024 // 1024} MB."
_MOST_GUESTS: Final = 100
_GUEST: Final = "Robin Newcomer"
"""What a chat app tells of who writes from the page; a text tells nothing but the number."""


class Picture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture with a text; its content in base64."""

    type: Annotated[str, Meta(max_length=100)]
    content: Annotated[bytes, Meta(max_length=_LARGEST_PICTURE)]


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text as the page sends it: from which number to which sender of the company."""

    number: Annotated[str, Meta(max_length=20)]
    line: Annotated[str, Meta(max_length=40)]
    text: Annotated[str, Meta(max_length=1600)] = ""
    picture: Picture | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A text as the page shows it; `status` is the carrier's word, `pictures` are the keys of its files."""

    id: str
    at: int
    mine: bool
    text: str
    status: str
    pictures: list[str]


class TextPages:
    """The routes."""

    def __init__(self, settings: Settings, auth: Auth, templates: Path, exchange: Exchange) -> None:
        self._company = settings.company.name
        self._auth = auth
        self._exchange = exchange
        self._guests: dict[str, Pocket] = {}
        self._page = DemoPage(templates, "text", images=" blob:")

    @property
    def _senders(self) -> list[str]:
        return [str(line.options["number"]) for line in self._exchange.text_lines]

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/demo/text", self._show)
        app.router.add_get("/demo/text/thread", self._thread)
        app.router.add_get("/demo/text/picture", self._picture)
        app.router.add_post("/demo/text/messages", self._send)
        self._page.attach(app)

    async def _show(self, request: web.Request) -> web.Response:
        if not self._exchange.text_lines:
            raise NotFound("Nobody can be texted in this demo.")
        return self._page.show(
            request,
            company=self._company,
            lines=[{"sender": sender, "number": number_of(sender), "app": app_of(sender)} for sender in self._senders],
        )

    # -- reading

    async def _thread(self, request: web.Request) -> web.Response:
        """List what was said between two numbers; with `seen` somebody looks at it right now."""
        sender = self._sender(request.query.get("line", ""))
        pocket = self._guests.get(_address(request.query.get("number", ""), sender))
        found = [] if pocket is None else [one for one in pocket.messages if sender in {one.from_, one.to}]
        if request.query.get("seen"):
            for message in found:
                if message.direction != "inbound":
                    self._exchange.carrier.post.looked_at(message)
        body = msgspec.json.encode({"ok": True, "messages": [_shown(one) for one in found]})
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _picture(self, request: web.Request) -> web.Response:
        found = self._exchange.carrier.post.media(request.query.get("key", ""))
        if found is None or found.content_type not in _PICTURES:
            raise NotFound("There is no such picture.")
        response = web.Response(body=found.body, content_type=found.content_type)
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    # -- writing

    async def _send(self, request: web.Request) -> web.Response:
        self._auth.check_origin(request)
        try:
            written = msgspec.json.decode(await body_of(request, _LARGEST, _TOO_LARGE), type=Written)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise BadRequest(f"The body is not what is expected: {error}.") from None
        sender = self._sender(written.line)
        media: list[tuple[str, bytes]] = []
        if written.picture is not None:
            if written.picture.type not in _PICTURES:
                raise BadRequest("Only pictures can be sent from here.")
            media = [(written.picture.type, written.picture.content)]
        if not written.text.strip() and not media:
            raise BadRequest("Write something.")
        address = _address(written.number, sender)
        pocket = self._pocket(address)
        sent = await self._exchange.carrier.person_writes(address, sender, written.text, media=media, profile=_GUEST)
        pocket.keep(sent)
        return web.json_response({"ok": True})

    def _sender(self, given: str) -> str:
        if given not in self._senders:
            raise NotFound("The company has no such number.")
        return given

    def _pocket(self, address: str) -> "Pocket":
        """Return the telephone of somebody at this page; who has not written for longest is forgotten."""
        from channels.simulator.carrier.pockets import Pocket

        handsets = self._exchange.carrier.post.handsets
        pocket = self._guests.pop(address, None)
        if pocket is None:
            if isinstance(handsets.get(address), Pocket):
                raise BadRequest("This number is somebody else's.")
            pocket = Pocket()
        self._guests[address] = handsets[address] = pocket
        for old in list(self._guests)[:-_MOST_GUESTS]:
            del self._guests[old]
            handsets.pop(old, None)
        return pocket


def _address(number: str, sender: str) -> str:
    """Return how a message to this sender names the number that it comes from.

    Raises:
        BadRequest: it is none.
    """
    if not _NUMBER.fullmatch(number):
        raise BadRequest("That is no telephone number.")
    return by_way_of(sender, number)


def _shown(message: "Message") -> Shown:
    return Shown(
        id=message.sid,
        at=message.created_at,
        mine=message.direction == "inbound",
        text=message.body,
        status=message.status,
        pictures=[media.key for media in message.media if media.content_type in _PICTURES],
    )
