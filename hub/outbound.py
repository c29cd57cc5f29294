"""Asking the company's systems over HTTP, guarded: only where the settings say, never inside unless they say so.

Pictures of strangers' pages are fetched here too, from public addresses alone.

The address that is dialled is the one that is checked, after the name was resolved, so that no name can change its mind
in between (SSRF, DNS rebinding); a literal address takes the same way. Redirects are not followed, answers are cut.
"""

import asyncio
import ipaddress
import json
import logging
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from hub.clock import Clock
from hub.domain.errors import NotFound
from hub.domain.pictures import is_too_large
from hub.flows.session import Fetch, LookedUp
from hub.settings import Service

log = logging.getLogger(__name__)

MAX_BYTES: Final = 262_144
"""Bytes of an answer, unpacked, that are read; a longer one is no answer."""
CONNECT_S: Final = 2.0
PORTS: Final = (443, 8443)
MAX_PICTURE_BYTES: Final = 5 * 1024 * 1024
_PER_HOST: Final = 10
_PICTURES_AT_ONCE: Final = 16
_PICTURE_S: Final = 10.0
_HOPS: Final = 3
_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
)
"""What a picture begins with, and where; drawings that can run something (SVG) are none of them."""
_RETRY_S: Final = 0.2

_REFUSED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "168.63.129.16/32"),
    )
)
_GLOBAL_6: Final = ipaddress.ip_network("2000::/3")
_REFUSED_6: Final = (ipaddress.ip_network("2001::/23"), ipaddress.ip_network("2002::/16"))


class AddressRefused(OSError):
    """The address lies inside a network that look-ups must not reach."""


def is_public(address: str) -> bool:
    """Whether an IP address lies outside of everything private, local or special."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        return ip in _GLOBAL_6 and not any(ip in network for network in _REFUSED_6)
    return not any(ip in network for network in _REFUSED)


def problem_of(service: Service) -> str:
    """Say what keeps a service's address from being used; empty when nothing does."""
    url = urlsplit(service.url)
    if url.scheme not in {"http", "https"} or not url.hostname or url.username or url.password or url.query:
        return f"{service.url!r} is no address of the form https://HOST/PATH."
    if service.allow_private:
        return ""
    if url.scheme != "https":
        return "Only https is spoken beyond the company's own network."
    if (url.port or 443) not in PORTS:
        return f"Port {url.port} is not one of {PORTS}."
    return ""


class Outbound:
    """The look-ups' side of the network. `open` before the first look-up, `close` at the end."""

    def __init__(
        self, services: Mapping[str, Service], clock: Clock, *, authorities: ssl.SSLContext | None = None
    ) -> None:
        """`authorities` vouch for the servers outside; by default the machine's do."""
        self._authorities = authorities
        self._services = services
        self._clock = clock
        self._inside: aiohttp.ClientSession | None = None
        self._outside: aiohttp.ClientSession | None = None
        self._pictures = asyncio.Semaphore(_PICTURES_AT_ONCE)

    def open(self) -> None:
        """Make the connections' pools: one that reaches public addresses only, one for the named exceptions."""
        self._outside = _session(
            aiohttp.TCPConnector(
                socket_factory=_checked_socket,
                limit_per_host=_PER_HOST,
                force_close=True,
                ssl=self._authorities or True,
            )
        )
        self._inside = _session(aiohttp.TCPConnector(limit_per_host=_PER_HOST, force_close=True))

    async def close(self) -> None:
        """Cut all connections."""
        for session in (self._inside, self._outside):
            if session is not None:
                await session.close()
        self._inside = self._outside = None

    async def fetch(self, wish: Fetch) -> LookedUp:
        """Return what a look-up found: `found` with the JSON, `not_found` (404 and 410), or `failed`.

        What may do harm when done twice (POST, PATCH) is tried again only where nothing can have arrived.
        """
        started = self._clock.now()
        outcome, values = "failed", None
        service = self._services.get(wish.service)
        if service is None or problem_of(service):
            log.error("a look-up has no usable service", extra={"service": wish.service})
        else:
            for attempt in range(max(wish.tries, 1)):
                outcome, values, is_final = await self._once(service, wish)
                if is_final:
                    break
                if attempt + 1 < wish.tries:
                    await self._clock.sleep(_RETRY_S * (attempt + 1))
        took_ms = self._clock.now() - started
        return LookedUp(id=f"l{wish.id}", fetch=wish.id, outcome=outcome, values=values, took_ms=took_ms)

    async def picture(self, url: str) -> tuple[str, bytes]:
        """Fetch a picture that a stranger's page shows; return its type, told by its content, and its bytes.

        Public addresses alone, by https, through at most three redirections of which each is checked; without cookies,
        and without a word about who asks.

        Raises:
            NotFound: it cannot be had, is larger than `MAX_PICTURE_BYTES`, has more points than anybody should have to
                draw, or is no picture that browsers only draw.
        """
        try:
            async with self._pictures, asyncio.timeout(_PICTURE_S):
                content = await self._picture(URL(url))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise NotFound("The picture cannot be had.") from error
        if is_too_large(content):
            raise NotFound("The picture is too large to be drawn.")
        for magic, offset, kind in _PICTURES:
            if content[offset : offset + len(magic)] == magic:
                return kind, content
        raise NotFound("It is no picture.")

    async def _picture(self, url: URL) -> bytes:
        for _ in range(_HOPS + 1):
            if self._outside is None or url.scheme != "https" or url.user or url.password or url.port not in PORTS:
                raise ValueError(f"No picture is fetched from {url.scheme}, port {url.port}.")
            async with self._outside.get(url, headers={"Accept": "image/*"}, allow_redirects=False) as response:
                if response.status == 200:
                    return await _read(response, MAX_PICTURE_BYTES)
                if response.status not in {301, 302, 303, 307, 308}:
                    raise ValueError(f"The picture's server says {response.status}.")
                url = url.join(URL(response.headers.get("Location", "")))
        raise ValueError("Too many redirections.")

    async def _once(self, service: Service, wish: Fetch) -> tuple[str, Any, bool]:
        """Ask once; returns the outcome, the values, and whether asking again is of no use."""
        session = self._inside if service.allow_private else self._outside
        if session is None:
            return "failed", None, True
        is_safe = wish.method in {"GET", "PUT"}
        headers = {"Accept": "application/json"}
        if service.secret is not None:
            headers[service.header] = service.secret.reveal()
        try:
            async with asyncio.timeout(wish.timeout_s):
                async with session.request(
                    wish.method,
                    _url(service, wish.path),
                    params=dict(wish.query),
                    json=dict(wish.body) if wish.body else None,
                    headers=headers,
                    allow_redirects=False,
                ) as response:
                    return await _answer(response, is_safe=is_safe)
        except AddressRefused as error:
            log.warning("a look-up was refused", extra={"service": service.id, "reason": str(error)})
            return "failed", None, True
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, AddressRefused)
            log.warning("a look-up could not connect", extra={"service": service.id, "refused": refused})
            return "failed", None, refused
        except (TimeoutError, aiohttp.ClientError, ValueError, RecursionError) as error:
            log.warning("a look-up failed", extra={"service": service.id, "error": type(error).__name__})
            return "failed", None, not is_safe


async def _answer(response: aiohttp.ClientResponse, *, is_safe: bool) -> tuple[str, Any, bool]:
    if response.status in {404, 410}:
        return "not_found", None, True
    if response.status >= 500 or response.status == 429:
        return "failed", None, not is_safe
    if response.status >= 300:
        return "failed", None, True
    try:
        body = await _read(response, MAX_BYTES)
    except ValueError:
        return "failed", None, True
    return "found", json.loads(body) if body else None, True


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body, unpacked.

    Raises:
        ValueError: it is longer than `most` bytes.
    """
    body = bytearray()
    async for piece in response.content.iter_chunked(16_384):
        body += piece
        if len(body) > most:
            raise ValueError(f"more than {most} bytes")
    return bytes(body)


def _url(service: Service, path: str) -> URL:
    return URL(service.url.rstrip("/") + path, encoded=True)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=15, connect=CONNECT_S),
        headers={"User-Agent": "switchboard"},
    )


def _checked_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make the socket for an address that is about to be dialled, unless it lies inside.

    Raises:
        AddressRefused: it does.
    """
    family, kind, protocol, _, place = address
    if not is_public(str(place[0])):
        raise AddressRefused(f"{place[0]} is not a public address")
    return socket.socket(family, kind, protocol)
