"""The post office on its ports: it plays the server of the mailbox that the configuration names and its neighbours."""

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import aiosmtplib
import msgspec

from channels.simulator.post.imap import serve_imap
from channels.simulator.post.office import Office
from channels.simulator.post.smtp import serve_smtp
from channels.simulator.post.words import Letter, written
from hub.settings import ChannelSettings, Secret, Settings

log = logging.getLogger(__name__)

PASSWORD: Final = "demo"  # noqa: S105 - everybody's, as the page says
"""The password of every address that is not the company's."""
KIND: Final = "mail"
_HOST: Final = "127.0.0.1"
_BUFFER: Final = 1024 * 1024

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Office], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSettings:
    """The mailbox whose server is played; `others` are the company's further ones at this server, by address."""

    address: str
    password: str
    imap_port: int
    smtp_port: int
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def own(self) -> dict[str, str]:
        """All the company's addresses with their passwords, the first the one that is written to."""
        return {self.address: self.password, **self.others}

    @classmethod
    def of(cls, settings: Settings) -> "PostSettings | None":
        """Return what the configuration says; None when it names no mailbox, or one that is elsewhere."""
        block = settings.channels.get(settings.demo.mailbox)
        if block is None or block.kind != KIND:
            return None
        options = block.options
        hosts = {options.get("imap_host"), options.get("smtp_host", options.get("imap_host"))}
        if hosts != {_HOST} or not options.get("imap_port") or not options.get("smtp_port"):
            return None
        return cls(
            address=options["address"],
            password=_password(block),
            imap_port=options["imap_port"],
            smtp_port=options["smtp_port"],
            others={one.options["address"]: _password(one) for one in _at_one_server(settings) if one is not block},
        )


def elsewhere(settings: Settings, *, always: bool = False) -> Settings:
    """Return the settings with free ports for the demo's post where its own are taken, or always."""
    post = PostSettings.of(settings)
    if post is None or not (always or _is_taken(post.imap_port) or _is_taken(post.smtp_port)):
        return settings
    ports = {"imap_port": _free_port(), "smtp_port": _free_port()}
    moved = {
        one.id: ChannelSettings(id=one.id, kind=one.kind, options={**one.options, **ports})
        for one in _at_one_server(settings)
    }
    return msgspec.structs.replace(settings, channels={**settings.channels, **moved})


def _at_one_server(settings: Settings) -> list[ChannelSettings]:
    """Return the mailboxes at the server of the one that is named, this one too."""
    named = settings.channels[settings.demo.mailbox]
    place = ("imap_host", "imap_port", "smtp_port")
    return [
        one
        for one in settings.channels.values()
        if one.kind == KIND and all(one.options.get(key) == named.options.get(key) for key in place)
    ]


def _password(block: ChannelSettings) -> str:
    secret = block.options.get("imap_password")
    return secret.reveal() if isinstance(secret, Secret) else str(secret or "")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


class Post:
    """Both servers, and the mailboxes behind them."""

    def __init__(self, settings: PostSettings) -> None:
        self.settings = settings
        self.office = Office(settings.own, PASSWORD)
        self._servers: list[asyncio.Server] = []
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen on this machine.

        Raises:
            OSError: a port is taken.
        """
        for port, serve in ((self.settings.smtp_port, serve_smtp), (self.settings.imap_port, serve_imap)):
            self._servers.append(await asyncio.start_server(self._served(serve), _HOST, port, limit=_BUFFER))

    @property
    def is_open(self) -> bool:
        """Whether both listen."""
        return bool(self._servers)

    def _served(self, serve: Serve) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._talks.add(task)
            try:
                await serve(reader, writer, self.office)
            except asyncio.CancelledError:
                log.debug("the demo's post hangs up")
            finally:
                self._talks.discard(task)

        return talk

    async def close(self) -> None:
        """Hang up on everybody; closing twice is fine."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        talks = tuple(self._talks)
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for server in servers:
            await server.wait_closed()

    async def hand_in(self, letter: Letter) -> bytes:
        """Send somebody's letter by SMTP, as their mail program would; a copy stays in their folder of sent mail.

        Raises:
            aiosmtplib.SMTPException: it is refused. OSError: the post is closed.
        """
        raw = written(letter)
        await aiosmtplib.send(
            raw,
            sender=letter.sender,
            recipients=list(letter.to),
            hostname=_HOST,
            port=self.settings.smtp_port,
            start_tls=False,
            local_hostname="customer.example",
        )
        box = self.office.box(letter.sender)
        if box is not None:
            self.office.keep(box, box.folders["Sent"], raw, {"\\Seen"})
        return raw
