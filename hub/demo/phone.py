"""The demo's telephone company: a carrier inside, which serves the demo's lines as a real one would.

Its modules take a while to load and nobody calls in the first second: it opens beside the hub, once that listens.
The lines find it by the address in their settings and know nothing else of it.
"""

import asyncio
import dataclasses
import importlib
import logging
import random
import secrets
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from channels.simulator.scripts import Library
from channels.simulator.senders import number_of
from channels.simulator.tempo import Tempo
from hub.domain.errors import Unavailable
from hub.settings import ChannelSettings, Secret, Settings

if TYPE_CHECKING:
    from channels.simulator.callers import Callers
    from channels.simulator.carrier import Carrier, Server
    from channels.simulator.receiver import Receiver
    from channels.simulator.texters import Texters

log = logging.getLogger(__name__)
_CALLS_PER_S: Final = 20.0
_CALLED: Final = "voice"
_TEXTED: Final = "sms"
SOFTPHONE: Final = "/demo/carrier/softphone"
"""Where browsers are telephones, under the hub's own address: the carrier's port is this machine's alone."""


def at_our_carrier(settings: Settings) -> Settings:
    """Return the settings with the demo's lines at a carrier of their own: made-up credentials, a free port."""
    changed = _lines(settings, _CALLED, _TEXTED)
    if not changed:
        return settings
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    access = {
        "account_sid": f"AC{secrets.token_hex(16)}",
        "auth_token": Secret(secrets.token_hex(16)),
        "api_key_sid": f"SK{secrets.token_hex(16)}",
        "api_key_secret": Secret(secrets.token_urlsafe(32)),
        "api_url": f"http://127.0.0.1:{port}",
    }
    browsers = {
        "application_sid": f"AP{secrets.token_hex(16)}",
        "softphone": "websocket",
        "softphone_url": SOFTPHONE,
    }
    channels = dict(settings.channels)
    for line in changed:
        options = {**line.options, **access, **(browsers if line.kind == _CALLED else {})}
        channels[line.id] = msgspec.structs.replace(line, options=options)
    return msgspec.structs.replace(settings, channels=channels)


def _lines(settings: Settings, *kinds: str) -> list[ChannelSettings]:
    """Return the blocks of the lines of these kinds that the demo's own carrier serves."""
    found = [settings.channels.get(name) for name in settings.demo.phone_lines]
    return [one for one in found if one is not None and one.kind in kinds]


class Exchange:
    """The carrier, the telephones of simulated colleagues, and who calls or writes. Opened and closed with the demo."""

    def __init__(self, settings: Settings, is_open: Callable[[str], bool]) -> None:
        self._settings = settings
        self.is_open_queue = is_open
        self.lines = _lines(settings, _CALLED)
        self.text_lines = _lines(settings, _TEXTED)
        self.receivers: dict[str, Receiver] = {}
        self._server: Server | None = None
        self._carrier: Carrier | None = None
        self._callers: Callers | None = None
        self._texters: Texters | None = None
        self._opening: asyncio.Task[None] | None = None

    def start(self, hub_url: str, members: list[str], library: Library, tempo: Tempo, *, seed: int = 20) -> None:
        """Begin to open, beside everything else; `hub_url` is where this hub is reached from its own machine."""
        if (self.lines or self.text_lines) and self._opening is None:
            opening = self._open(hub_url, members, library, tempo, seed)
            self._opening = asyncio.create_task(opening, name="telephone company")

    async def is_open(self) -> bool:
        """Wait until it is open; False where there is none."""
        if self._opening is None:
            return False
        await asyncio.shield(self._opening)
        return True

    @property
    def callers(self) -> "Callers | None":
        """Who calls, once it is open."""
        return self._callers

    @property
    def texters(self) -> "Texters | None":
        """Who writes, once it is open."""
        return self._texters

    @property
    def carrier(self) -> "Carrier":
        """The carrier.

        Raises:
            Unavailable: it is not open yet.
        """
        if self._carrier is None:
            raise Unavailable("The telephones are being connected.")
        return self._carrier

    async def stop(self) -> None:
        """Cut all lines; stopping twice is fine."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
        callers, texters, server = self._callers, self._texters, self._server
        self._callers = self._texters = self._server = self._carrier = None
        self.receivers.clear()
        if callers is not None:
            await callers.stop()
        if texters is not None:
            await texters.stop()
        if server is not None:
            await server.stop()

    async def softphone(self, request: web.Request) -> web.StreamResponse:
        """Be a browser's telephone: a guest's, or an agent's with a pass."""
        if self._carrier is None:
            raise web.HTTPServiceUnavailable(text="The telephones are being connected.", headers={"Retry-After": "2"})
        from channels.simulator.carrier.server import be_softphone

        return await be_softphone(request, self._carrier, may_be_guest=True)

    async def _open(self, hub_url: str, members: list[str], library: Library, tempo: Tempo, seed: int) -> None:
        for module in ("carrier", "callers", "receiver", "texters"):
            await asyncio.to_thread(importlib.import_module, f"channels.simulator.{module}")
        from channels.simulator.carrier import Carrier, Server
        from channels.simulator.receiver import Receiver

        lines = [*self.lines, *self.text_lines]
        transport = _way_home(self._settings.server.public_url, hub_url)
        carrier = Carrier(_account(self._settings, lines), tempo.clock, seed=seed, transport=transport)
        chance = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        for agent in members:
            self.receivers[agent] = Receiver(tempo, random.Random(chance.random()))  # noqa: S311
            carrier.world.install(f"client:{agent}", self.receivers[agent])
        port = int(str(lines[0].options["api_url"]).rpartition(":")[2])
        self._server = Server(carrier, port=port)
        await self._server.start()
        self._carrier = carrier
        await self._let_people_come(carrier, library, tempo, seed)
        log.info("the telephones are connected", extra={"lines": len(lines)})

    async def _let_people_come(self, carrier: "Carrier", library: Library, tempo: Tempo, seed: int) -> None:
        from channels.simulator.callers import Callers, Destination
        from channels.simulator.texters import Texters, TextLine

        demo = self._settings.demo
        # Where no menu answers, people call to leave a message: the newcomer finds one in the queue, and hears it.
        destinations = [
            Destination(
                number=str(line.options["number"]),
                language=languages(line)[0],
                has_menu=bool(line.options.get("flow")),
                takes_messages_only=not line.options.get("flow"),
                is_open=partial(self.is_open_queue, str(line.options["queue"])),
            )
            for line in self.lines
        ]
        self._callers = Callers(carrier, destinations, library, tempo, rate=demo.callers_per_minute, seed=seed)
        await self._callers.start()
        texted = [TextLine(sender=str(one.options["number"]), languages=languages(one)) for one in self.text_lines]
        self._texters = Texters(carrier, texted, library, tempo, rate=demo.texters_per_minute, seed=seed)
        await self._texters.start()


def languages(line: ChannelSettings) -> tuple[str, ...]:
    """Return what is spoken on a line."""
    return tuple(str(one) for one in line.options.get("languages") or ("en",))


def _account(settings: Settings, lines: list[ChannelSettings]) -> Any:  # noqa: ANN401 - its module is loaded late
    """Return the account at the carrier that the lines' credentials open."""
    from channels.simulator.carrier import Account, AccountLimits, Hook, Number

    options = lines[0].options
    numbers: dict[str, Number] = {}
    contents: dict[str, str] = {}
    for line in lines:
        hooks = f"{settings.server.public_url.rstrip('/')}/webhooks/{line.id}"
        plain = number_of(str(line.options["number"]))
        number = numbers.setdefault(plain, Number(phone_number=plain, can_talk=False, can_write=False))
        if line.kind == _CALLED:
            number.voice, number.voice_fallback = Hook(f"{hooks}/call"), Hook(f"{hooks}/fallback")
            number.status_callback, number.can_talk = Hook(f"{hooks}/status"), True
        else:
            number.sms, number.sms_fallback = Hook(f"{hooks}/message"), Hook(f"{hooks}/fallback")
            number.can_write = True
            contents |= {str(one["sid"]): str(one["text"]) for one in line.options.get("templates", ())}
    return Account(
        sid=str(options["account_sid"]),
        auth_token=options["auth_token"].reveal(),
        api_keys={str(options["api_key_sid"]): options["api_key_secret"].reveal()},
        numbers=numbers,
        contents=contents,
        limits=AccountLimits(calls_per_s=_CALLS_PER_S),
    )


def _way_home(public_url: str, hub_url: str) -> Any:  # noqa: ANN401
    """Return a network on which the hub's public address leads straight to it: signed as public, carried at home."""
    from channels.simulator.carrier.webhooks import Answer, NetworkTransport, Outgoing

    class WayHome(NetworkTransport):
        """Webhooks of the demo."""

        async def send(self, request: Outgoing) -> Answer:
            """Send a request by the short way."""
            rest = request.url.removeprefix(public_url.rstrip("/"))
            if rest != request.url:
                request = dataclasses.replace(request, url=hub_url + rest)
            return await super().send(request)

    return WayHome()
