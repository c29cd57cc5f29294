"""Handing mail in by SMTP (RFC 5321) with AUTH (RFC 4954), on this machine: as much as mail programs ask."""

import asyncio
import base64
import binascii
import contextlib
import logging
import re
from typing import Final

from channels.simulator.post.office import REFUSED, Office

log = logging.getLogger(__name__)

LARGEST: Final = 30 * 1024 * 1024
MOST_RECIPIENTS: Final = 100
PATIENCE_S: Final = 300.0
_LINE: Final = 64 * 1024
_MOST_ERRORS: Final = 10
_PATH: Final = re.compile(r"^(FROM|TO):\s*<(?:@[^:>]*:)?([^<>\x00-\x20]*)>(.*)$", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"^[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*$")
_SIZE: Final = re.compile(r"\bSIZE=(\d{1,12})\b", re.IGNORECASE)
_BROWSERS: Final = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT")


class Leaving(Exception):
    """The conversation is over."""


class SmtpSession:
    """One conversation with somebody who hands mail in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, office: Office) -> None:
        self._reader = reader
        self._writer = writer
        self._office = office
        self._user = ""
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._errors = 0

    async def run(self) -> None:
        """Talk until one of us goes."""
        await self._say(220, "post.example ESMTP, of this demo")
        with contextlib.suppress(Leaving, OSError, EOFError, TimeoutError, ValueError):
            while self._errors < _MOST_ERRORS:
                await self._take((await self._line()).decode("utf-8", "replace"))
            await self._say(421, "4.7.0 Too many errors")

    async def _line(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return (await self._reader.readuntil(b"\n")).rstrip(b"\r\n")

    async def _say(self, code: int, *lines: str) -> None:
        self._errors += code >= 500
        marks = ["-"] * (len(lines) - 1) + [" "]
        self._writer.write("".join(f"{code}{m}{line}\r\n" for m, line in zip(marks, lines, strict=True)).encode())
        await self._writer.drain()

    async def _take(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if verb in _BROWSERS:
            # A page that was talked into posting its form here.
            raise Leaving
        handlers = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "VRFY": self._vrfy,
            "QUIT": self._quit,
        }
        handler = handlers.get(verb)
        if handler is None:
            await self._say(500, "5.5.2 That is no command here")
        else:
            await handler(rest.strip())

    async def _ehlo(self, _rest: str) -> None:
        self._forget()
        offers = ("8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN", f"SIZE {LARGEST}")
        await self._say(250, "post.example", *offers)

    async def _helo(self, _rest: str) -> None:
        self._forget()
        await self._say(250, "post.example")

    async def _rset(self, _rest: str) -> None:
        self._forget()
        await self._say(250, "2.0.0 OK")

    async def _noop(self, _rest: str) -> None:
        await self._say(250, "2.0.0 OK")

    async def _vrfy(self, _rest: str) -> None:
        await self._say(252, "2.5.0 Try and see")

    async def _quit(self, _rest: str) -> None:
        await self._say(221, "2.0.0 Bye")
        raise Leaving

    def _forget(self) -> None:
        self._sender, self._recipients = None, []

    # -- who

    async def _auth(self, rest: str) -> None:
        mechanism, _, first = rest.partition(" ")
        try:
            if mechanism.upper() == "PLAIN":
                given = (await self._asked("", first)).split("\0")
                user, password = (given[1], given[2]) if len(given) == 3 else ("", "")
            elif mechanism.upper() == "LOGIN":
                user = await self._asked("Username:", first)
                password = await self._asked("Password:", "")
            else:
                await self._say(504, "5.5.4 PLAIN or LOGIN")
                return
        except (binascii.Error, ValueError):
            await self._say(501, "5.5.2 That is no base64")
            return
        if not self._office.may_enter(user, password):
            await self._say(535, "5.7.8 Wrong name or password")
            return
        self._user = user.lower()
        await self._say(235, "2.7.0 Welcome")

    async def _asked(self, question: str, given: str) -> str:
        if not given:
            await self._say(334, base64.b64encode(question.encode()).decode())
            given = (await self._line()).decode("ascii", "replace")
        return base64.b64decode(given, validate=True).decode("utf-8")

    # -- one mail

    async def _mail(self, rest: str) -> None:
        found = _PATH.match(rest)
        if found is None or found[1].upper() != "FROM" or (found[2] and not _ADDRESS.match(found[2])):
            await self._say(501, "5.5.4 MAIL FROM:<address>")
            return
        size = _SIZE.search(found[3])
        if size and int(size[1]) > LARGEST:
            await self._say(552, "5.3.4 Too large")
        elif self._office.is_own(found[2]) and not self._user:
            await self._say(530, "5.7.0 Sign in to write from this address")
        else:
            self._sender, self._recipients = found[2], []
            await self._say(250, "2.1.0 OK")

    async def _rcpt(self, rest: str) -> None:
        found = _PATH.match(rest)
        if self._sender is None:
            await self._say(503, "5.5.1 MAIL first")
        elif found is None or found[1].upper() != "TO" or not _ADDRESS.match(found[2]):
            await self._say(501, "5.1.3 RCPT TO:<address>")
        elif found[2].lower().endswith(f"@{REFUSED}"):
            await self._say(550, f"5.7.1 <{found[2]}>: We take no mail for this address")
        elif len(self._recipients) >= MOST_RECIPIENTS:
            await self._say(452, "4.5.3 Too many recipients")
        else:
            self._recipients.append(found[2])
            await self._say(250, "2.1.5 OK")

    async def _data(self, _rest: str) -> None:
        if self._sender is None or not self._recipients:
            await self._say(503, "5.5.1 MAIL and RCPT first")
            return
        await self._say(354, "End with a dot on a line of its own")
        raw = await self._body()
        sender, recipients = self._sender, self._recipients
        self._forget()
        if raw is None:
            await self._say(552, "5.3.4 Too large")
            return
        name = self._office.accept(raw, sender, recipients)
        log.debug("the demo's post took a letter in", extra={"name_here": name, "recipients": len(recipients)})
        await self._say(250, f"2.0.0 Kept as {name}")

    async def _body(self) -> bytes | None:
        """Read up to the dot (RFC 5321, 4.5.2); None when it was too much."""
        pieces: list[bytes] = []
        size = 0
        async with asyncio.timeout(PATIENCE_S):
            while (line := await self._reader.readuntil(b"\n")) != b".\r\n":
                size += len(line)
                if size <= LARGEST:
                    pieces.append(line[1:] if line.startswith(b".") else line)
        return b"".join(pieces) if size <= LARGEST else None


async def serve_smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, office: Office) -> None:
    """Serve one connection."""
    try:
        await SmtpSession(reader, writer, office).run()
    finally:
        writer.close()
