"""The REST API as one table, and what a row of it means: who may call, what goes in, what comes out.

The OpenAPI document, the checks and the tests are made from the same table.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import web

from agent_console import permissions
from agent_console.services import Authority, Endpoint
from hub.domain.agent import Agent
from hub.domain.errors import BadRequest, NotFound
from hub.services.access import Scope
from hub.services.dispatching.floor import Floor

BASE: Final = "/api/v1"
ID_PATTERN: Final = "^[0-9A-Za-z_-]{1,64}$"
_ID = re.compile(ID_PATTERN)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What every successful call answers at least."""

    ok: bool = True


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body without content: `{}`."""


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No query at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, checked: who asks, about what, with which words."""

    agent: Agent
    id: str
    query: Any
    body: Any
    request: web.Request

    @property
    def scope(self) -> Scope:
        """What the caller sees."""
        return Scope.of(self.agent)


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One row of the table. A `raw` handler looks at the request itself (it deals in cookies); a `page` answers in
    another format than JSON, named by `produces`. `body_bytes` is for bodies larger than usual.
    """

    method: str
    path: str
    summary: str
    answer: type
    handler: Handler | None = None
    raw: Endpoint | None = None
    page: Callable[[Call], Awaitable[web.Response]] | None = None
    produces: str = "application/json"
    query: type[msgspec.Struct] = NoQuery
    body: type[msgspec.Struct] | None = None
    is_upload: bool = False
    body_bytes: int | None = None

    @property
    def name(self) -> str:
        """How the permission table calls it."""
        return f"{self.method} {self.path}"


def route(
    method: str,
    path: str,
    summary: str,
    handler: Handler,
    answer: type[Answer],
    *,
    query: type[msgspec.Struct] = NoQuery,
    body: type[msgspec.Struct] | None = None,
    is_upload: bool = False,
    body_bytes: int | None = None,
) -> Route:
    """Return a row whose handler answers in JSON."""
    return Route(
        method=method,
        path=path,
        summary=summary,
        handler=handler,
        answer=answer,
        query=query,
        body=body,
        is_upload=is_upload,
        body_bytes=body_bytes,
    )


def mount(app: web.Application, routes: list[Route], auth: Authority, floor: Floor) -> None:
    """Add the table to an application. Rights and scope are those of the account as the floor has it this moment."""
    for route in routes:
        endpoint = route.raw or _endpoint(route, auth, floor)
        app.router.add_route(route.method, BASE + route.path, endpoint)


def _endpoint(route: Route, auth: Authority, floor: Floor) -> Endpoint:
    allowed = permissions.ROUTES[route.name]

    async def endpoint(request: web.Request) -> web.StreamResponse:
        signed = await auth.current(request)
        agent = floor.agents.get(signed.agent.id, signed.agent)
        if allowed is not None:
            permissions.require(allowed, agent.role)
        call = Call(
            agent=agent,
            id=_checked_id(request),
            query=read_query(request.query, route.query),
            body=await read_body(request, route.body, route.body_bytes) if route.body else None,
            request=request,
        )
        if route.page is not None:
            return await route.page(call)
        assert route.handler is not None, route.name
        return json_response(await route.handler(call))

    return endpoint


def _checked_id(request: web.Request) -> str:
    """Return the id in the path, or nothing; what cannot be one does not exist.

    Raises:
        NotFound: it cannot be an id.
    """
    found = request.match_info.get("id", "")
    if found and not _ID.fullmatch(found):
        raise NotFound("There is no such thing.")
    return found


def read_query(query: Mapping[str, str], shape: type[msgspec.Struct]) -> msgspec.Struct:
    """Return the query's parameters as a struct.

    Raises:
        BadRequest: unknown, doubled or malformed ones; the text says which.
    """
    given = dict(query)
    if len(given) != len(query):
        raise BadRequest("A parameter is given twice.")
    try:
        found: msgspec.Struct = msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequest(f"In the query: {error}.") from None
    return found


async def read_body(request: web.Request, shape: type[msgspec.Struct], most_bytes: int | None = None) -> msgspec.Struct:
    """Return the JSON body as a struct; `most_bytes` where it may be larger than usual.

    Raises:
        BadRequest: it is none; the text says where.
    """
    if most_bytes is not None:
        request = request.clone(client_max_size=most_bytes)
    try:
        found: msgspec.Struct = msgspec.json.decode(await request.read(), type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"In the body: {error}.") from None
    return found


def json_response(payload: object) -> web.Response:
    """Return an answer in JSON."""
    return web.Response(body=msgspec.json.encode(payload), content_type="application/json")
