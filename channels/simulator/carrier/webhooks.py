"""What the carrier sends to its customer: signed, timed out, retried and, when faults are on, mistreated.

Rules of the provider that hold here: 15 s in all and 5 s to connect; one retry, on connection failure only, unless the
address's fragment says otherwise (`#rc=2&rp=5xx,ct&tt=3000`); at most 10 redirects; an idempotency token that stays the
same for all attempts of one request; answers of at most 64 kB. What is sent as a status is never repeated beyond that,
and requests about one thing are begun in order but arrive as the network likes.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, quote_plus, urldefrag, urljoin, urlsplit

import aiohttp

from channels.simulator.carrier.account import Account, Hook
from channels.simulator.carrier.faults import Fault, Faults
from channels.simulator.carrier.sids import Sids
from channels.simulator.carrier.signing import signature, with_body_hash
from channels.simulator.carrier.timers import Timers

Pairs = list[tuple[str, str]]
MOST_REDIRECTS: Final = 10
LARGEST_ANSWER: Final = 65_536
LARGEST_SOUND: Final = 10_000_000
AGENT: Final = "TwilioProxy/1.1"
FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"


class Unreachable(Exception):
    """No connection came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request as it goes over the wire."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""
    connect_timeout_s: float = 5.0
    largest: int = LARGEST_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `error` is the provider's number for what went wrong, 0 for nothing; `url` where it came from."""

    status: int = 0
    content_type: str = ""
    body: bytes = b""
    location: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    error: int = 0
    url: str = ""


class Transport(Protocol):
    """Carries requests: over the network, or to an application in the same process."""

    async def send(self, request: Outgoing) -> Answer:
        """Send a request and return its answer. Raises Unreachable."""

    async def close(self) -> None:
        """Let go of connections."""


class NetworkTransport:
    """Requests over the network."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def send(self, request: Outgoing) -> Answer:
        """Send a request and return its answer.

        Raises:
            Unreachable: no connection came about, or it broke.
        """
        if self._is_closed:
            raise Unreachable("The carrier has closed.")
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=request.connect_timeout_s)
        try:
            async with self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                body = await response.content.read(request.largest + 1)
                while len(body) <= request.largest and not response.content.at_eof():
                    body += await response.content.read(request.largest + 1 - len(body))
                return Answer(
                    status=response.status,
                    content_type=response.headers.get("Content-Type", ""),
                    body=body,
                    location=response.headers.get("Location", ""),
                    cookies={name: morsel.value for name, morsel in response.cookies.items()},
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(str(error)) from error

    async def close(self) -> None:
        """Close all connections, for good."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()


@dataclass(frozen=True, slots=True)
class Overrides:
    """Connection settings, as an address's fragment may hold them."""

    attempts: int = 2
    retry_on: frozenset[str] = frozenset({"ct"})
    total_s: float = 15.0
    connect_s: float = 5.0

    @classmethod
    def of(cls, fragment: str, *, total_s: float, connect_s: float) -> "Overrides":
        """Read a fragment; what cannot be read counts as not said."""
        said = {name: values[-1] for name, values in parse_qs(fragment).items()}

        def number(name: str, default: float, most: float) -> float:
            return min(int(said[name]), most) if said.get(name, "").isdigit() else default

        policy = frozenset(said["rp"].split(",")) if "rp" in said else frozenset({"ct"})
        return cls(
            attempts=1 + int(number("rc", 1, 5)),
            retry_on=policy,
            total_s=number("tt", total_s * 1000, total_s * 1000) / 1000,
            connect_s=number("ct", connect_s * 1000, 10_000) / 1000,
        )

    def retries(self, failure: str) -> bool:
        """Whether this kind of failure is worth another attempt."""
        return bool(self.retry_on & {failure, "all"})


class Webhooks:
    """Everything the carrier sends. `fetch` wants an answer, `notify` only wants to have said it."""

    def __init__(self, account: Account, timers: Timers, transport: Transport, faults: Faults, sids: Sids) -> None:
        self._account = account
        self._timers = timers
        self._transport = transport
        self._faults = faults
        self._sids = sids
        self._tasks: set[asyncio.Task[Any]] = set()
        self._held: dict[str, Callable[[], None]] = {}
        self.in_flight = 0
        self.sent = 0

    @property
    def running(self) -> int:
        """How many deliveries are under way."""
        return len(self._tasks)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.close()

    async def fetch(
        self,
        kind: str,
        hook: Hook,
        params: Pairs,
        *,
        cookies: dict[str, str] | None = None,
        largest: int = LARGEST_ANSWER,
    ) -> Answer:
        """Ask for a document or a sound; the answer says what went wrong, nothing is raised."""
        strikes = self._faults.strike(kind)
        for effect in ("slow", "late"):
            if effect in strikes:
                await self._timers.sleep(strikes[effect].seconds)
        if "lost" in strikes:
            return Answer(error=11205, url=hook.url)
        token = self._sids.new("RQ")
        if "duplicated" in strikes:
            self.spawn(self._deliver(hook, params, token, cookies, largest))
        return await self._deliver(hook, params, token, cookies, largest)

    def notify(
        self, kind: str, hook: Hook, params: Pairs, *, event: str = "", on_failure: Callable[[Answer], None]
    ) -> None:
        """Send a status; nothing waits for it. `on_failure` hears of an answer the debugger should know."""
        if not hook:
            return
        token = self._sids.new("RQ")

        def send() -> None:
            self.spawn(self._tell(hook, params, token, on_failure))

        strikes = self._faults.strike(kind, event)
        if "lost" in strikes:
            return
        if "reordered" in strikes and kind not in self._held:
            self._hold(kind, send, strikes["reordered"])
            return
        if "duplicated" in strikes:
            self._timers.after(self._faults.spread(strikes["duplicated"]), send)
        delay = next((strikes[effect] for effect in ("late", "slow") if effect in strikes), None)
        if delay is not None:
            self._timers.after(delay.seconds, send)
        else:
            send()
        if kind in self._held:
            self._held[kind]()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let something run to its end; `close` ends it early."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_json(self, hook: Hook, body: bytes) -> Answer:
        """Send a JSON body, signed through its hash in the query."""
        url = with_body_hash(urldefrag(hook.url)[0], body)
        headers = self._headers(url, [], self._sids.new("RQ"), None) | {"Content-Type": "application/json"}
        return await self._attempt(Outgoing(method="POST", url=url, headers=headers, body=body), Overrides())

    def _hold(self, kind: str, send: Callable[[], None], fault: Fault) -> None:
        """Keep one back until the next of its kind has gone, or its time is up."""

        def release() -> None:
            if self._held.pop(kind, None) is not None:
                alarm.cancel()
                send()

        alarm = self._timers.after(fault.seconds, release)
        self._held[kind] = release

    async def _tell(self, hook: Hook, params: Pairs, token: str, on_failure: Callable[[Answer], None]) -> None:
        answer = await self._deliver(hook, params, token, None, LARGEST_ANSWER)
        if answer.error:
            on_failure(replace(answer, error=15003 if answer.status >= 400 else answer.error))

    async def _deliver(
        self, hook: Hook, params: Pairs, token: str, cookies: dict[str, str] | None, largest: int
    ) -> Answer:
        """Send until it is answered, redirected or given up."""
        limits = self._account.limits
        url, fragment = urldefrag(hook.url)
        overrides = Overrides.of(fragment, total_s=limits.webhook_timeout_s, connect_s=limits.connect_timeout_s)
        method = hook.method
        for _ in range(MOST_REDIRECTS + 1):
            request = self._request(method, url, params, token, cookies, largest)
            answer = await self._attempt(replace(request, connect_timeout_s=overrides.connect_s), overrides)
            if cookies is not None:
                cookies.update(answer.cookies)
            if answer.error or not (300 <= answer.status < 400 and answer.location):
                return answer
            url = urljoin(request.url, answer.location)
            if answer.status not in {307, 308}:
                method, params = "GET", []
        return Answer(error=11215, url=url)

    def _request(
        self, method: str, url: str, params: Pairs, token: str, cookies: dict[str, str] | None, largest: int
    ) -> Outgoing:
        if method == "GET":
            joint = "&" if urlsplit(url).query else "?"
            asked = f"{url}{joint}{encoded(params)}" if params else url
            return Outgoing(method="GET", url=asked, headers=self._headers(asked, [], token, cookies), largest=largest)
        headers = self._headers(url, params, token, cookies) | {"Content-Type": FORM}
        return Outgoing(method=method, url=url, headers=headers, body=encoded(params).encode(), largest=largest)

    def _headers(self, url: str, params: Pairs, token: str, cookies: dict[str, str] | None) -> dict[str, str]:
        headers = {
            **self._proof(url, params),
            "I-Twilio-Idempotency-Token": token,
            "User-Agent": AGENT,
            "Accept": "*/*",
        }
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return headers

    def _proof(self, url: str, params: Pairs) -> dict[str, str]:
        """Return the headers that prove who sends: signed with the account's token, or with a shared key."""
        key = self._account.signing_key
        if key is None:
            return {"X-Twilio-Signature": signature(self._account.auth_token, url, params)}
        name, secret = key
        return {
            "X-Twilio-Signature": signature(secret, url, params, "sha256"),
            "X-Twilio-Webhooks-Signature-Settings": f"key={name},algorithm=HMAC_SHA256",
        }

    async def _attempt(self, request: Outgoing, overrides: Overrides) -> Answer:
        answer = Answer(error=11205, url=request.url)
        for _ in range(overrides.attempts):
            answer, failure = await self._send_once(request, overrides)
            if not failure or not overrides.retries(failure):
                break
        return answer

    async def _send_once(self, request: Outgoing, overrides: Overrides) -> tuple[Answer, str]:
        """Send once; returns the answer and what kind of failure it was, empty for none."""
        self.in_flight += 1
        self.sent += 1
        sending = asyncio.ensure_future(self._transport.send(request))
        alarm = self._timers.after(overrides.total_s, sending.cancel)
        try:
            answer = await sending
        except Unreachable:
            return Answer(error=11205, url=request.url), "ct"
        except asyncio.CancelledError:
            if alarm.callback is not None:
                sending.cancel()
                raise  # we were cancelled ourselves, nothing timed out
            return Answer(error=11200, url=request.url), "rt"
        finally:
            alarm.cancel()
            self.in_flight -= 1
        if answer.status >= 400 or answer.status < 200:
            failure = "4xx" if answer.status < 500 else "5xx"
            return replace(answer, error=11200, url=request.url), failure
        error = 11750 if len(answer.body) > request.largest else 0
        return replace(answer, error=error, url=request.url), ""


@lru_cache(maxsize=8192)
def quoted(text: str) -> str:
    """Return a text as form bodies write it; the same names and sids come again and again."""
    return quote_plus(text)


def encoded(params: Pairs) -> str:
    """Return parameters as a form body."""
    return "&".join(f"{quoted(name)}={quoted(value)}" for name, value in params)


def flattened(params: Sequence[tuple[str, object]]) -> Pairs:
    """Return parameters as they go over the wire: texts; what is None is left out."""
    return [
        (name, ("true" if value else "false") if isinstance(value, bool) else str(value))
        for name, value in params
        if value is not None
    ]
