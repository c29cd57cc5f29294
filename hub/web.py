"""The aiohttp application: what holds for every request, whoever answers it.

Errors become JSON with a stable code, answers carry the security headers, strangers cannot hold connections, and the
probes answer.
"""

import asyncio
import errno
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Protocol, runtime_checkable

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from hub.contract import HubSide
from hub.domain.errors import HubError, NotFound, RateLimited
from hub.domain.networks import address_block
from hub.metrics import Metrics
from hub.services.files import FileStore
from hub.settings import Settings

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
_DEADLINE_S = 15
_UPLOAD_DEADLINE_S = 120
_UPLOADS = ("/chat/api/files", "/files")


@runtime_checkable
class HasPages(Protocol):
    """A channel that answers HTTP requests of its own."""

    def mount(self, app: web.Application, hub: HubSide) -> None:
        """Add its routes to the application."""


_parsed = lru_cache(maxsize=1_000)(ipaddress.ip_address)
"""The same few addresses come with every request."""


class Networks:
    """Addresses by their networks (CIDR); what is no address is in none."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def __contains__(self, address: str) -> bool:
        try:
            ip = _parsed(address)
        except ValueError:
            return False
        return any(ip in network for network in self._networks)


class ClientAddress:
    """Finds a client's address behind the proxies that are trusted, and only those."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._trusted = Networks(trusted)

    def __call__(self, request: Any) -> str:  # noqa: ANN401 - channels hand over a request without naming its type
        """Return the right-most address that is no trusted proxy's."""
        address = request.remote or "0.0.0.0"  # noqa: S104 - "unknown", not bound to
        if address not in self._trusted:
            return str(address)
        # A proxy may add a header of its own behind the one that the client made up.
        for hop in reversed(",".join(request.headers.getall("X-Forwarded-For", ())).split(",")):
            hop = hop.strip()
            if not hop:
                continue
            address = hop
            if hop not in self._trusted:
                break
        return str(address)

    def is_direct(self, request: web.Request) -> bool:
        """Whether no proxy that is not trusted stands between: whose address would then be taken for the client's."""
        return "X-Forwarded-For" not in request.headers or (request.remote or "") in self._trusted


def new_application(settings: Settings, metrics: Metrics) -> web.Application:
    """Return an application with what holds for every request."""
    app = web.Application(
        client_max_size=settings.limits.request_bytes, middlewares=[_count_requests(metrics), _guard(settings), _errors]
    )
    app.on_response_prepare.append(_add_headers(settings))
    logging.getLogger("aiohttp.server").addFilter(_is_our_mistake)
    return app


def _is_our_mistake(record: logging.LogRecord) -> bool:
    """Whether an error that aiohttp reports is more than a stranger's request that is no HTTP: each would be a trace.

    Its address stands there in full, too.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def _add_headers(settings: Settings) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    is_https = settings.server.public_url.startswith("https://")

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if is_https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")

    return add


def _count_requests(metrics: Metrics) -> Any:  # noqa: ANN401 - aiohttp's middleware type
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        structlog.contextvars.clear_contextvars()
        response = await handler(request)
        metrics.requests.add(f"{response.status // 100}xx")
        if response.status == HTTPStatus.TOO_MANY_REQUESTS:
            metrics.limited.add("request")
        return response

    return middleware


_PROVIDERS_SHARE = 20
"""A provider asks from few addresses for all of its customers' callers: refused, they would hear of an error."""


def _guard(settings: Settings) -> Any:  # noqa: ANN401 - aiohttp's middleware type
    """Refuse what no honest client sends, and give every body a deadline."""
    from urllib.parse import urlsplit

    own = urlsplit(settings.server.public_url).netloc
    client = ClientAddress(settings.server.trusted_proxies)
    under_way: dict[str, int] = {}
    probes = frozenset({"/healthz", "/readyz", "/metrics"})

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Not `request.host`: without the header it asks the resolver, and everybody waits for the answer.
        host = request.headers.get("Host", "")
        if host != own and request.path not in probes and not _is_loopback_name(host, own):
            return _error(421, "bad_request", f"This hub answers at {own}.")
        if any(encoding != "identity" for encoding in request.headers.getall("Content-Encoding", ())):
            return _error(415, "type_refused", "Send the body without compression.")
        if request.method == "GET" and request.headers.get("Upgrade"):
            return await handler(request)
        is_upload = request.method == "POST" and request.path.endswith(_UPLOADS)
        address = address_block(client(request))
        most = settings.limits.connections_per_address
        if request.path.startswith("/webhooks/"):
            most *= _PROVIDERS_SHARE
        if under_way.get(address, 0) >= most:
            return error_response(RateLimited())
        under_way[address] = under_way.get(address, 0) + 1
        try:
            async with asyncio.timeout(_UPLOAD_DEADLINE_S if is_upload else _DEADLINE_S):
                return await handler(request)
        except TimeoutError:
            return _error(408, "unavailable", "The request took too long.")
        finally:
            under_way[address] -= 1
            if not under_way[address]:
                del under_way[address]

    return middleware


def _is_loopback_name(host: str, own: str) -> bool:
    """Whether both names mean this machine: `localhost` and `127.0.0.1` are the same to a newcomer."""
    names = {"localhost", "127.0.0.1", "[::1]"}
    mine, _, my_port = own.rpartition(":")
    theirs, _, their_port = host.rpartition(":")
    return mine in names and theirs in names and my_port == their_port


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except HubError as error:
        return error_response(error)
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "application/json":
            raise
        return _error(error.status, _CODES.get(error.status, "bad_request"), error.reason or "", error)
    except RecursionError:
        return _error(400, "bad_request", "The body is nested too deeply.")
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            return _error(404, "not_found", "There is no such file.")
        log.exception("a request failed", extra={"method": request.method, "path": request.path})
        return _error(500, "internal", "Something went wrong here. It has been noted.")


_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    413: "too_large",
    415: "type_refused",
    429: "rate_limited",
}


def error_response(error: HubError) -> web.Response:
    """Return an error as the client gets it."""
    response = _error(error.status, error.code, str(error))
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(max(round(error.retry_after_s), 1))
    return response


def _error(status: int, code: str, text: str, cause: web.HTTPException | None = None) -> web.Response:
    response = web.json_response({"ok": False, "error": code, "message": text}, status=status)
    if cause is not None and "Allow" in cause.headers:
        response.headers["Allow"] = cause.headers["Allow"]
    return response


def add_probes(
    app: web.Application, settings: Settings, metrics: Metrics, is_ready: Callable[[], Awaitable[str]]
) -> None:
    """Add /healthz (the process answers), /readyz (it can work; says why not) and /metrics (Prometheus)."""
    client, collectors = ClientAddress(settings.server.trusted_proxies), Networks(settings.server.metrics_from)

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def readyz(_request: web.Request) -> web.Response:
        why_not = await is_ready()
        if why_not:
            return _error(503, "unavailable", why_not)
        return web.json_response({"ok": True})

    async def page(request: web.Request) -> web.Response:
        if not client.is_direct(request) or client(request) not in collectors:
            raise NotFound("There is no such page.")
        body, content_type = metrics.render(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", page)


def add_files(app: web.Application, files: FileStore, fetch: Callable[[str], Awaitable[tuple[str, bytes]]]) -> None:
    """Add the signed links: to stored files, always a download and never a page, and to pictures from elsewhere."""

    async def download(request: web.Request) -> web.StreamResponse:
        query = request.query
        file, path = await files.open(request.match_info["id"], _expires(request), query.get("sig", ""))
        return web.FileResponse(
            path,
            headers={
                "Content-Type": file.type,
                "Content-Disposition": f"attachment; filename*=UTF-8''{_quoted(file.name)}",
                "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
                # A letter's page stands in a sandbox, where it is of no origin; the link itself is the key.
                "Cross-Origin-Resource-Policy": "cross-origin" if file.type.startswith("image/") else "same-origin",
                "Cache-Control": "private, max-age=600",
            },
        )

    async def picture(request: web.Request) -> web.StreamResponse:
        query = request.query
        url = query.get("url", "")
        files.check_picture(url, _expires(request), query.get("sig", ""))
        kind, content = await fetch(url)
        return web.Response(
            body=content,
            headers={
                "Content-Type": kind,
                "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
                "Cross-Origin-Resource-Policy": "cross-origin",
                "Cache-Control": "private, max-age=600",
            },
        )

    app.router.add_get("/files/{id:f[0-9a-z]+}/{name:[^/]+}", download)
    app.router.add_get("/pictures", picture)


def _expires(request: web.Request) -> int:
    """Return until when a link says that it holds, in seconds; 0 for nonsense."""
    expires = request.query.get("exp", "")
    return int(expires) if expires.isascii() and expires.isdigit() and len(expires) <= 12 else 0


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
