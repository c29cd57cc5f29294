"""A page to write letters to the company as a customer, and to read its answers: /demo/mail."""

import asyncio
import functools
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

import aiosmtplib
import msgspec
from aiohttp import web
from msgspec import Meta

from channels.mail.addresses import normalize
from channels.mail.parsed import ParsedMail, parse
from channels.simulator.post import Letter, Post
from channels.simulator.post.office import Mailbox, Stored
from channels.simulator.post.words import File, answer_to, received
from hub.auth import Auth
from hub.demo.page import DemoPage, body_of, language_of
from hub.domain.errors import BadRequest, NotFound, Unavailable
from hub.settings import Settings

_LARGEST: Final = 8 * 1024 * 1024
_LARGEST_FILE: Final = 5 * 1024 * 1024
_TOO_LARGE: Final = f"At most {_LARGEST_FILE // 1024 // 1024} MB."
_SHOWN: Final = 60
"""So many of the latest letters are shown."""
_FOLDERS: Final = {"in": "INBOX", "out": "Sent"}

Line = Annotated[str, Meta(max_length=200)]


class Beside(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file with a letter; its content in base64."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    type: Line = ""
    content: Annotated[bytes, Meta(max_length=_LARGEST_FILE)]


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A letter as the page sends it; `answers` is the number of one in the writer's own mailbox.

    `to` is one of the company's addresses; empty, the first.
    """

    address: Line
    name: Line = ""
    to: Line = ""
    subject: Line = ""
    text: Annotated[str, Meta(min_length=1, max_length=100_000)]
    answers: int | None = None
    file: Beside | None = None


class Attached(msgspec.Struct, frozen=True):
    """A file as the page lists it."""

    name: str
    size: int


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as the page shows it: its new words, and whether there are quoted ones below."""

    id: str
    thread: str
    at: int
    mine: bool
    sender: str
    subject: str
    text: str
    full: str
    is_automatic: bool
    is_bounce: bool
    files: list[Attached]


class LetterPages:
    """The routes. Without a post the page says that there is none."""

    def __init__(self, settings: Settings, auth: Auth, templates: Path, post: Post | None) -> None:
        self._company = settings.company.name
        self._auth = auth
        self._post = post
        self._page = DemoPage(templates, "mail")

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/demo/mail", self._show)
        app.router.add_get("/demo/mail/box", self._box)
        app.router.add_get("/demo/mail/file", self._file)
        app.router.add_post("/demo/mail/letters", self._send)
        self._page.attach(app)

    async def _show(self, request: web.Request) -> web.Response:
        return self._page.show(
            request,
            company=self._company,
            post=self._post.settings if self._post and self._post.is_open else None,
        )

    # -- reading

    async def _box(self, request: web.Request) -> web.Response:
        box = self._mailbox(request.query.get("address", ""), make=False)
        found = [] if box is None else await asyncio.to_thread(_shown_in, box)
        body = msgspec.json.encode({"ok": True, "letters": found})
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _file(self, request: web.Request) -> web.Response:
        stored = _stored(self._mailbox(request.query.get("address", ""), make=False), request.query.get("id", ""))
        number = request.query.get("n", "")
        attached = _parsed(stored.raw).attachments
        if not number.isdigit() or len(number) > 4 or int(number) >= len(attached):
            raise NotFound("There is no such file.")
        file = attached[int(number)]
        response = web.Response(body=file.content, content_type="application/octet-stream")
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}"
        return response

    def _mailbox(self, given: str, *, make: bool) -> Mailbox | None:
        """Return somebody's mailbox; the company's own is not to be looked into from here."""
        address = _address(given)
        post = self._open_post()
        if post.office.is_own(address):
            raise BadRequest("This is the company's own address.")
        return post.office.box(address) if make else post.office.peek(address)

    def _open_post(self) -> Post:
        if self._post is None or not self._post.is_open:
            raise Unavailable("This demo has no post.")
        return self._post

    # -- writing

    async def _send(self, request: web.Request) -> web.Response:
        self._auth.check_origin(request)
        try:
            written = msgspec.json.decode(await body_of(request, _LARGEST, _TOO_LARGE), type=Written)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise BadRequest(f"The body is not what is expected: {error}.") from None
        box = self._mailbox(written.address, make=True)
        if box is None:
            raise Unavailable("There are too many mailboxes.")
        letter = self._letter(written, box, language_of(request))
        try:
            await self._open_post().hand_in(letter)
        except (ValueError, aiosmtplib.SMTPException) as error:
            raise BadRequest(f"The letter is not taken: {error}.") from None
        except OSError as error:
            raise Unavailable(f"The post is closed: {error}.") from None
        return web.json_response({"ok": True})

    def _letter(self, written: Written, box: Mailbox, language: str) -> Letter:
        """Return what is sent: with thread and quotation, when it answers something."""
        files: tuple[File, ...] = ()
        if written.file is not None:
            files = (File(name=_line(written.file.name), type=written.file.type, content=written.file.content),)
        post = self._open_post()
        to = written.to or post.settings.address
        if to not in post.settings.own:
            raise BadRequest("That is none of the company's addresses.")
        subject, text = _line(written.subject) or "-", written.text
        answers = ""
        references: tuple[str, ...] = ()
        if written.answers is not None:
            mail = received(_stored(box, f"in.{written.answers}").raw)
            subject, text = answer_to(mail, written.text, language)
            to, answers, references = mail.reply_to or to, mail.message_id, mail.references
        return Letter(
            sender=box.address,
            name=_line(written.name),
            to=(to,),
            subject=subject,
            text=text,
            answers=answers,
            references=references,
            files=files,
        )


def _line(text: str) -> str:
    """Return a text on one line, without control characters."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _address(given: str) -> str:
    address = normalize(parseaddr(given.strip())[1]).lower()
    if not address or not given.isprintable() or not address.isascii() or len(address) > 200:
        raise BadRequest("That is no e-mail address.")
    return address


def _stored(box: Mailbox | None, name: str) -> Stored:
    """Return a letter by the name that the page knows it by.

    Raises:
        NotFound: there is none.
    """
    place, _, uid = name.partition(".")
    folder = box.folders[_FOLDERS[place]] if box is not None and place in _FOLDERS else None
    found = [one for one in folder.mails if str(one.uid) == uid] if folder is not None else []
    if not found:
        raise NotFound("There is no such letter.")
    return found[0]


@functools.lru_cache(maxsize=200)
def _parsed(raw: bytes) -> ParsedMail:
    return parse(raw)


def _shown_in(box: Mailbox) -> list[Shown]:
    """Return the latest letters, the oldest first."""
    found = [(one.at, place, one) for place, name in _FOLDERS.items() for one in tuple(box.folders[name].mails)]
    found.sort(key=lambda entry: entry[0])
    return [_shown(place, one) for _, place, one in found[-_SHOWN:]]


def _shown(place: str, one: Stored) -> Shown:
    mail = _parsed(one.raw)
    full = mail.body_text.strip()
    text = mail.reply_text.strip() or full
    return Shown(
        id=f"{place}.{one.uid}",
        thread=next(iter(mail.references), mail.in_reply_to or mail.stable_id),
        at=round(one.at * 1000),
        mine=place == "out",
        sender=mail.author.name or mail.author.email,
        subject=mail.subject,
        text=text,
        full=full if full != text else "",
        is_automatic=mail.machine.is_auto_reply,
        is_bounce=mail.bounce is not None,
        files=[Attached(file.filename, len(file.content)) for file in mail.attachments],
    )
