"""Who asks: the session cookie, its protection against other sites' requests, and the routes to sign in and out.

An unsafe method with a cookie needs the hub's own Origin and a content type that no form of another site can send
(reference: security, 2).
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import hdrs, web

from hub.clock import Clock
from hub.domain.errors import BadRequest, Forbidden, TypeRefused, Unauthorized
from hub.services.accounts import Accounts, Device, Login, PasswordChange, Signed, SignedIn, hash_of
from hub.settings import Settings

T = TypeVar("T", bound=msgspec.Struct)
CACHED_MS, CACHED = 5_000, 5_000
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,64}")
_BROWSERS: Final = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_SYSTEMS: Final = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")


class DemoRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the demo's button signs in."""

    role: str


class Auth:
    """Tells requests apart by their session, and answers `/session` and `/sessions`."""

    def __init__(
        self,
        accounts: Accounts,
        settings: Settings,
        clock: Clock,
        *,
        client_ip: Callable[[web.Request], str],
        me: Callable[[str], object],
        is_demo: bool = False,
    ) -> None:
        self._accounts = accounts
        self._settings = settings
        self._clock = clock
        self._client_ip = client_ip
        self._me = me
        self.is_demo = is_demo
        url = urlsplit(settings.server.public_url)
        self._origins = own_origins(settings.server.public_url)
        self.is_secure = url.scheme == "https"
        self.cookie = "__Host-hub" if self.is_secure else "hub"
        self._known: OrderedDict[str, tuple[int, Signed]] = OrderedDict()
        self._revocations = 0
        accounts.on_revoked.append(self._forget)

    # -- who asks

    async def current(self, request: web.Request) -> Signed:
        """Return who is signed in; an unsafe method must come from our own pages.

        Raises:
            Unauthorized: nobody is. Forbidden: another site sent this. TypeRefused: the content type is a form's.
        """
        if request.method not in SAFE:
            self.check_origin(request)
        return await self.bearer(request)

    async def bearer(self, request: web.Request) -> Signed:
        """Return whose session the request's cookie is, whatever its method.

        Raises:
            Unauthorized: it is nobody's (any more).
        """
        token = request.cookies.get(self.cookie, "")
        if not _TOKEN.fullmatch(token):
            raise Unauthorized("Sign in first.")
        key = hash_of(token)
        now = self._clock.monotonic_ms()
        known = self._known.get(key)
        if known is not None and now - known[0] < CACHED_MS:
            return known[1]
        revocations = self._revocations
        signed = await self._accounts.signed(token)
        if signed is None:
            self._known.pop(key, None)
            raise Unauthorized("This session is over. Sign in again.")
        if revocations == self._revocations:
            # One that ended while this was read might be it: then the next request reads again.
            self._known[key] = (now, signed)
        while len(self._known) > CACHED:
            self._known.popitem(last=False)
        return signed

    def _forget(self, session_id: str) -> None:
        self._revocations += 1
        for key, (_, signed) in tuple(self._known.items()):
            if signed.session.id == session_id:
                del self._known[key]

    def is_own_origin(self, origin: str | None) -> bool:
        """Whether a page of ours says so."""
        return origin is not None and origin in self._origins

    def check_origin(self, request: web.Request) -> None:
        """Return if an unsafe request comes from one of our own pages.

        Raises:
            Forbidden: it does not. TypeRefused: its content type is one that other sites can send.
        """
        if not self.is_own_origin(request.headers.get(hdrs.ORIGIN)):
            raise Forbidden("This request does not come from the hub's own pages.")
        if request.content_type == "application/octet-stream":
            if request.headers.get("X-Hub") != "1":
                raise Forbidden("An upload needs the header X-Hub: 1.")
        elif request.content_type != "application/json":
            raise TypeRefused("Send application/json.")

    # -- the cookie

    def welcome(self, signed: SignedIn) -> web.Response:
        """Return the answer to a sign-in, with the cookie."""
        response = _json({"ok": True, "me": self._me(signed.agent.id)})
        age = round(self._settings.sign_in.session_s)
        self._set_cookie(response, signed.token, age)
        return response

    def _set_cookie(self, response: web.Response, token: str, age: int) -> None:
        response.set_cookie(
            self.cookie, token, max_age=age, path="/", httponly=True, secure=self.is_secure, samesite="Lax"
        )

    def _device(self, request: web.Request) -> Device:
        return Device(ip=self._client_ip(request), browser=browser_name(request.headers.get(hdrs.USER_AGENT, "")))

    # -- routes

    async def sign_in(self, request: web.Request) -> web.Response:
        """POST /api/v1/session."""
        self.check_origin(request)
        login = await _body(request, Login)
        return self.welcome(await self._accounts.sign_in(login, self._device(request)))

    async def session(self, request: web.Request) -> web.Response:
        """GET /api/v1/session: who is signed in; a stranger learns only whose hub this is, and whether it is a demo."""
        try:
            signed = await self.current(request)
        except Unauthorized as error:
            answer = {"ok": False, "error": error.code, "message": str(error)} | self.about()
            return _json(answer, status=401)
        return _json({"ok": True, "me": self._me(signed.agent.id)} | self.about())

    def about(self) -> dict[str, object]:
        """Return what a stranger may know of this hub."""
        return {"demo": self.is_demo, "company": self._settings.company.name}

    async def sign_out(self, request: web.Request) -> web.Response:
        """DELETE /api/v1/session."""
        signed = await self.current(request)
        await self._accounts.sign_out(signed)
        response = _json({"ok": True})
        self._set_cookie(response, "", 0)
        return response

    async def sessions(self, request: web.Request) -> web.Response:
        """GET /api/v1/sessions: one's own."""
        signed = await self.current(request)
        shown = [
            {
                "id": session.id,
                "created_at": session.created_at,
                "seen_at": session.seen_at,
                "expires_at": session.expires_at,
                "address": session.ip,
                "agent": session.browser,
                "current": session.id == signed.session.id,
            }
            for session in await self._accounts.sessions(signed.agent.id)
        ]
        has_password = await self._accounts.has_password(signed.agent.id)
        return _json({"ok": True, "sessions": shown, "has_password": has_password})

    async def revoke(self, request: web.Request) -> web.Response:
        """DELETE /api/v1/sessions/{id}: one of one's own."""
        signed = await self.current(request)
        await self._accounts.revoke(signed.agent.id, request.match_info["id"])
        return _json({"ok": True})

    async def change_password(self, request: web.Request) -> web.Response:
        """POST /api/v1/password: one's own; all other sessions end."""
        signed = await self.current(request)
        await self._accounts.change_password(signed, await _body(request, PasswordChange))
        return _json({"ok": True})

    async def demo_session(self, request: web.Request) -> web.Response:
        """POST /api/v1/demo/session: sign in with one click. Only the demo has this route."""
        self.check_origin(request)
        wanted = (await _body(request, DemoRole)).role
        demo = self._settings.demo
        agents = {"agent": demo.agent, "agent2": demo.agent2, "supervisor": demo.supervisor, "admin": demo.admin}
        if wanted not in agents:
            raise BadRequest(f"A role is one of {', '.join(agents)}.")
        return self.welcome(await self._accounts.sign_in_as(agents[wanted], self._device(request)))


def own_origins(public_url: str) -> frozenset[str]:
    """Return the origins of our own pages: the public address, and on one's own machine its other names."""
    url = urlsplit(public_url)
    names = {url.hostname or ""}
    loopback = {"localhost", "127.0.0.1", "::1"}
    if url.scheme == "http" and names <= loopback:
        names = loopback
    port = f":{url.port}" if url.port and url.port != {"http": 80, "https": 443}.get(url.scheme) else ""
    return frozenset(f"{url.scheme}://{f'[{name}]' if ':' in name else name}{port}" for name in names)


def browser_name(user_agent: str) -> str:
    """Return what a person recognizes of a User-Agent header: "Firefox on Linux"."""
    names = {"Edg": "Edge", "OPR": "Opera", "Mac OS X": "macOS"}
    browser = next((name for name in _BROWSERS if f"{name}/" in user_agent), "")
    system = next((name for name in _SYSTEMS if name in user_agent), "")
    if not browser:
        return re.sub(r"[^A-Za-z0-9 ._-].*", "", user_agent)[:40]
    return names.get(browser, browser) + (f" on {names.get(system, system)}" if system else "")


async def _body(request: web.Request, shape: type[T]) -> T:
    """Return the request's body as a struct.

    Raises:
        BadRequest: it is not one.
    """
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not what is expected: {error}.") from None


def _json(payload: Mapping[str, object], *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(payload), content_type="application/json")
