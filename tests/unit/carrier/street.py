"""A customer of the carrier, and a carrier in the same process: our clock, no sockets, every webhook verified."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from twilio.request_validator import RequestValidator

from channels.simulator.carrier import Account, AccountLimits, Application, Carrier, Hook, MessagingService, Number
from channels.simulator.carrier.legs import Leg
from channels.simulator.carrier.rest.api import Asked, basic
from channels.simulator.carrier.rest.requests import Response
from channels.simulator.carrier.twiml import validate
from channels.simulator.carrier.webhooks import Answer, Outgoing, Unreachable
from hub.clock import FakeClock

SID = "AC" + "0" * 31 + "1"
TOKEN = "a-token"
KEY = "SK" + "1" * 32
KEY_SECRET = "a-key-secret-of-the-customer-32b"
APP = "AP" + "0" * 32
SERVICE = "MG" + "0" * 32
LINE = "+15550100"
OTHER_LINE = "+15550101"
ANN = "+8613800138000"
BOB = "+14155550123"
BASE = "https://hub.example"

Params = dict[str, str]
Reply = str | bytes | tuple[int, str, bytes] | None
Handler = Callable[[Params], Reply]
XML = "text/xml"


def response(*verbs: str) -> str:
    """Return a document of these verbs."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


@dataclass(frozen=True, kw_only=True)
class Request:
    """A webhook that has come in."""

    at: int
    method: str
    path: str
    params: Params
    headers: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.params[name]


@dataclass
class Customer:
    """The customer's server. What no handler answers is answered with 204; `silent` paths are never answered."""

    clock: FakeClock
    handlers: dict[str, Handler] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    forged: list[str] = field(default_factory=list)

    def on(self, path: str, *verbs: str, reply: Reply | Handler = None) -> None:
        """Answer a path with verbs, with a whole reply, or with what a function returns."""
        answer = reply if reply is not None else response(*verbs)
        self.handlers[path] = answer if callable(answer) else lambda _: answer

    def at(self, path: str) -> list[Request]:
        """Return what came to a path, in order."""
        return [request for request in self.requests if request.path == path]

    async def send(self, request: Outgoing) -> Answer:
        """Take a webhook, as a transport does."""
        parts = urlsplit(request.url)
        form = request.body.decode() if request.method == "POST" else ""
        params = dict(parse_qsl(form, keep_blank_values=True))
        signature = request.headers["X-Twilio-Signature"]
        if not RequestValidator(TOKEN).validate(request.url, params, signature):
            self.forged.append(request.url)
        params |= dict(parse_qsl(parts.query, keep_blank_values=True))
        self.requests.append(
            Request(at=self.clock.now(), method=request.method, path=parts.path, params=params, headers=request.headers)
        )
        if parts.path in self.dead:
            raise Unreachable
        if parts.path in self.silent:
            await asyncio.Event().wait()
        handler = self.handlers.get(parts.path)
        return self._reply(handler(params) if handler is not None else (204, "", b""))

    def _reply(self, reply: Reply) -> Answer:
        if reply is None:
            return Answer(status=204)
        if isinstance(reply, tuple):
            status, kind, body = reply
            is_redirect = 300 <= status < 400
            return Answer(status=status, content_type=kind, body=body, location=body.decode() if is_redirect else "")
        raw = reply.encode() if isinstance(reply, str) else reply
        return Answer(status=200, content_type=XML, body=raw)

    async def close(self) -> None:
        """Nothing is kept."""


@dataclass
class Street:
    """A carrier, its customer and a clock."""

    clock: FakeClock
    customer: Customer
    carrier: Carrier

    @classmethod
    def open(cls, *, seed: int = 1, limits: AccountLimits | None = None) -> "Street":
        """Return a street where the customer has two lines, an application and a messaging service."""
        clock = FakeClock()
        customer = Customer(clock)
        return cls(clock, customer, Carrier(an_account(limits), clock, seed=seed, transport=customer))

    async def wait(self, seconds: float = 0.0) -> None:
        """Let time pass."""
        await self.clock.advance(seconds=seconds)

    def ask(self, method: str, path: str, **fields: Any) -> Response:
        """Use the REST interface; lists become repeated fields, `StartTime_after` and the like query filters."""
        pairs = [
            (name, str(one))
            for name, value in fields.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        encoded = urlencode(pairs)
        return self.carrier.api.answer(
            Asked(
                method=method,
                path=f"/2010-04-01/Accounts/{SID}/{path}",
                query=encoded if method != "POST" else "",
                authorization=basic(SID, TOKEN),
                content_type="application/x-www-form-urlencoded",
                body=encoded.encode() if method == "POST" else b"",
            )
        )

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        """Post, and insist on success."""
        answer = self.ask("POST", path, **fields)
        assert answer.status in {200, 201}, answer.payload
        assert answer.payload is not None
        return answer.payload

    def get(self, path: str, **fields: Any) -> dict[str, Any]:
        """Get, and insist on success."""
        answer = self.ask("GET", path, **fields)
        assert answer.status == 200, answer.payload
        assert answer.payload is not None
        return answer.payload

    def leg(self, sid: str) -> Leg:
        """Return a leg."""
        return self.carrier.plant.legs[sid]

    def statuses(self, path: str, sid: str = "") -> list[str]:
        """Return the call statuses reported to a path, in order."""
        return [one["CallStatus"] for one in self.customer.at(path) if not sid or one["CallSid"] == sid]

    async def close(self) -> None:
        """Close the carrier; nothing is left, and every webhook was rightly signed."""
        await self.carrier.close()
        await self.clock.settled()
        assert self.carrier.pending == {"tasks": 0, "deliveries": 0, "alarms": 0}
        assert self.customer.forged == []


def an_account(limits: AccountLimits | None = None) -> Account:
    """Return the customer's account."""
    application = Application(
        sid=APP, voice=Hook(f"{BASE}/app"), status_callback=Hook(f"{BASE}/status"), friendly_name="softphones"
    )
    return Account(
        sid=SID,
        auth_token=TOKEN,
        api_keys={KEY: KEY_SECRET},
        numbers={
            number: Number(
                phone_number=number,
                voice=Hook(f"{BASE}/voice"),
                voice_fallback=Hook(f"{BASE}/fallback"),
                status_callback=Hook(f"{BASE}/status"),
                sms=Hook(f"{BASE}/sms"),
                sms_fallback=Hook(f"{BASE}/sms-fallback"),
            )
            for number in (LINE, OTHER_LINE)
        },
        applications={APP: application},
        services={
            SERVICE: MessagingService(
                sid=SERVICE, senders=(LINE, f"whatsapp:{LINE}"), status_callback=Hook(f"{BASE}/delivery")
            )
        },
        limits=limits or AccountLimits(calls_per_s=100.0),
    )


def sound_wav(seconds: float) -> tuple[int, str, bytes]:
    """Return a reply that is a sound of so many seconds."""
    from channels.simulator.carrier.wav import wav

    return 200, "audio/wav", b"".join(wav(round(seconds * 1000), 1, []))


def is_sound(document: str, **how: Any) -> bool:
    """Whether the provider would object to nothing."""
    return validate(document, **how) == []


def json_of(answer: Response) -> dict[str, Any]:
    """Return an answer's object as it would come over the wire."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(answer.payload))
    return decoded


def names(requests: Sequence[Request], name: str) -> list[str]:
    """Return one parameter of several requests."""
    return [request[name] for request in requests]
