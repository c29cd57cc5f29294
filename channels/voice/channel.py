"""A phone line as the hub knows it: webhooks in, orders out."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from aiohttp import web

from channels._account import Account
from channels._twilio import Webhook
from channels.voice import checking, music, news
from channels.voice.documents import Places, document, hold_document, leave, nothing
from channels.voice.orders import Orders
from hub.contract import Capabilities, ChannelStatus, HubSide, Ignored, Inbound, Listener
from hub.contract.calls import CallStep, DialTo, InboundCall, LegNews, LegView, Line, RecordingNews, Target
from hub.domain.calls import CallerSaid, EndCause, Order, Softphone
from hub.domain.errors import NotFound, Unavailable
from hub.domain.recording_rules import PLACE
from hub.settings import Problem, Secret, SettingsError

log = logging.getLogger(__name__)
STATIC: Final = Path(__file__).parent / "static"
_SOFTPHONE: Final = "/voice/static/softphone.js"
_SDK_ORIGINS: Final = ("https://*.twilio.com", "wss://*.twilio.com", "https://media.twiliocdn.com")
_SDK_MEDIA: Final = ("mediastream:", "https://sdk.twilio.com", "https://media.twiliocdn.com")
SORRY_S: Final = 5
ANSWERED_MS: Final = 800
"""By then who is on the line hears music, and the question is put again: a database may hang as long as it likes."""
_IN_PLACE: Final = frozenset({"call", "wait"})
"""Documents that are asked for again as they were: a call that was not taken in yet, and a waiting room's."""
_CALLBACKS: Final = ("status", "leg/{leg}", "machine/{leg}", "room", "recording")
Answer = Callable[[dict[str, str], web.Request], Awaitable[str]]


class Voice:
    """One phone number at a carrier. The keyword arguments are the keys of its block in the configuration."""

    kind: ClassVar[str] = "voice"

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the block's own word
        number: str,
        queue: str,
        account_sid: str,
        auth_token: Secret,
        second_auth_token: Secret | None = None,
        api_key_sid: str = "",
        api_key_secret: Secret | None = None,
        application_sid: str = "",
        api_url: str = "https://api.twilio.com",
        welcome: Mapping[str, str] | None = None,
        languages: Sequence[str] = ("en",),
        softphone: Literal["provider", "websocket"] = "provider",
        softphone_url: str = "",
        music_url: str = "",
        announce_s: int = 30,
        takes_messages: bool = True,
        books_callbacks: bool = True,
        caller_ids: Sequence[str] = (),
        callbacks_ring: Literal["agent", "customer"] = "agent",
        records: bool = False,
        recording_consent: Mapping[str, str] | None = None,
        flow: str = "",
    ) -> None:
        self._id = id
        values = {
            "account_sid": account_sid,
            "api_key_sid": api_key_sid,
            "api_key_secret": api_key_secret,
            "application_sid": application_sid,
            "api_url": api_url,
            "languages": languages,
            "welcome": welcome or {},
            "caller_ids": caller_ids,
            "recording_consent": recording_consent or {},
        }
        if found := checking.problems(f"channels.{id}", number, values):
            raise SettingsError(found)
        self._line = Line(
            channel=id,
            number=number,
            queue=queue,
            languages=tuple(languages),
            welcome=dict(welcome or {}),
            announce_s=announce_s,
            takes_messages=takes_messages,
            books_callbacks=books_callbacks,
            records=records,
            consent=dict(recording_consent or {}),
            flow=flow,
            calls_customer_first=callbacks_ring == "customer",
            caller_ids=tuple(caller_ids),
        )
        self.account = Account(
            id,
            account_sid,
            lambda: self.orders.check(),  # noqa: PLW0108 - there are none before the channel is mounted
            auth_token=auth_token,
            second_auth_token=second_auth_token,
            api_key_sid=api_key_sid,
            api_key_secret=api_key_secret,
            api_url=api_url,
        )
        self._access = (account_sid, api_key_sid, api_key_secret, application_sid)
        self._softphone = _softphone(softphone, softphone_url, api_url, account_sid)
        self._music_url = music_url
        self._places: Places | None = None
        self._orders: Orders | None = None

    @property
    def id(self) -> str:
        """The name of its block in the configuration."""
        return self._id

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(kind="voice", label="Phone", icon="phone", can_begin=True)

    @property
    def hub(self) -> HubSide:
        """The hub's side; there once the channel is mounted."""
        return self.account.hub

    @property
    def places(self) -> Places:
        """The addresses of our own documents; there once the channel is mounted."""
        if self._places is None:
            raise RuntimeError("a channel is mounted before it is opened")
        return self._places

    @property
    def orders(self) -> Orders:
        """What is asked of the carrier; there once the channel is mounted."""
        if self._orders is None:
            raise RuntimeError("a channel is mounted before it is opened")
        return self._orders

    @property
    def status(self) -> ChannelStatus:
        """How the line to the carrier is (see `HasLine`)."""
        return self.account.status

    def addresses(self, public_url: str) -> dict[str, str]:
        """Return what to enter at the provider (see `HasAddresses`)."""
        return checking.addresses(self._id, public_url)

    def advice(self, public_url: str) -> list[Problem]:
        """Return what will not work for everybody (see `HasAddresses`)."""
        return checking.advice(f"channels.{self._id}", public_url, has_key=bool(self._access[1]))

    def mount(self, app: web.Application, hub: HubSide) -> None:
        """Add the addresses that the carrier calls."""
        self.account.mount(hub)
        path = f"/webhooks/{self._id}"
        self._places = Places(base=f"{hub.public_url.rstrip('/')}{path}", music=self._music_url)
        self._orders = Orders(self.account.rest, self._places, self._line.number, self._access, hub.clock)
        for name, answer in self._documents().items():
            app.router.add_post(f"{path}/{name}", self._proved(answer, again=name if name in _IN_PLACE else "left"))
        app.router.add_get(f"{path}/music/{{bars:[0-9]{{1,3}}}}.wav", self._music)
        for name in _CALLBACKS:
            app.router.add_post(f"{path}/{name}", self._proved(self._told))
        if self._softphone.kind == "module" and not any(
            one.canonical == "/voice/static" for one in app.router.resources()
        ):
            app.router.add_static("/voice/static", STATIC)

    async def open(self, hub: HubSide) -> Listener:
        """Say what the line does with its calls, and prove that the carrier lets us in (later, if out of reach).

        Raises:
            MessageRejected: it does not; the text says what to do.
        """
        hub.calls.declare(self._line)
        await self.account.open()
        return Listener(on_message=lambda _interaction, _message: None, on_change=lambda _interaction: None)

    async def close(self, reason: str) -> None:  # noqa: ARG002 - calls go on without us
        """Take nothing more in. Calls that are up stay up, and are found again after the next start."""
        await self.account.close()

    # -- what the carrier asks

    def _documents(self) -> dict[str, Answer]:
        return {
            "call": self._call,
            "wait": self._wait,
            "left": self._left,
            "message": self._message,
            "answer": self._answer,
            "join/{interaction}/{leg}": self._join,
            "park": self._park,
            "take-message": self._take_message,
            "hold": self._hold,
            "fallback": self._fallback,
        }

    def _proved(self, answer: Answer, *, again: str = "") -> Callable[[web.Request], Awaitable[web.Response]]:
        """Let only the carrier in; whatever goes wrong behind that, a caller hears words and no error.

        `again` is the document that is asked for instead where this one cannot be had; without one it is no document.
        """

        async def handle(request: web.Request) -> web.Response:
            webhook = Webhook.of(request, await request.read())
            params = dict(webhook.fields)
            if not self.account.vouches_for(webhook):
                return await self.account.refuse(webhook)
            try:
                text = await (self._in_time(answer(params, request)) if again else answer(params, request))
            except NotFound:
                text = document(CallStep(then="hang_up"), self.places) if again else ""
            except Exception as error:
                log.warning(
                    "a call could not be served", exc_info=True, extra={"channel": self._id, "error": str(error)}
                )
                if not again:
                    # The carrier does not ask again: what was missed here is found by comparing with its own list.
                    return web.Response(status=503)
                text = self._sorry(again)
            if not again:
                return web.Response(status=204)
            return web.Response(text=text, content_type="text/xml")

        return handle

    async def _in_time(self, answer: Awaitable[str]) -> str:
        """Return the answer if it is there while the carrier, and whoever is on the line, has patience.

        Raises:
            Unavailable: it is not; what was begun is done all the same, and doing it again changes nothing.
        """
        clock, loop = self.hub.clock, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as limit:
                timer = clock.call_at(clock.now() + ANSWERED_MS, lambda: limit.reschedule(loop.time()))
                try:
                    return await answer
                finally:
                    timer.cancel()
        except TimeoutError as error:
            raise Unavailable("The hub takes too long to answer the carrier.") from error

    async def read(self, raw: bytes) -> Inbound:
        """Take what was refused, if a token of ours has signed it after all (see `Reads`); nothing happens twice.

        Raises:
            PayloadUnreadable: none has.
        """
        webhook = self.account.proved(raw)
        at = urlsplit(webhook.path)
        found = news.of(_parts(at.path), dict(parse_qsl(at.query)), dict(webhook.fields))
        await self._tell(found)
        text = "What it said has been taken." if found else "It asked what a caller hears next, and that is over."
        return Ignored(dedupe="", reason=text)

    def _sorry(self, again: str) -> str:
        """Keep who is on the line: music, and the question again in a moment."""
        return hold_document((), self.places, seconds=SORRY_S, then=again)

    async def _music(self, request: web.Request) -> web.Response:
        """Give everybody the hub's own music: the carrier's requests for sounds carry nothing that must be proved."""
        count = min(int(request.match_info["bars"]), music.bars(music.LONGEST_S))
        body = await asyncio.to_thread(music.piece, count)
        return web.Response(body=body, content_type="audio/wav", headers={"Cache-Control": "public, max-age=86400"})

    async def _call(self, params: dict[str, str], _request: web.Request) -> str:
        return document(await self._arrived(params), self.places)

    async def _arrived(self, params: Mapping[str, str]) -> CallStep:
        call = InboundCall(
            channel=self._id,
            provider_id=params.get("CallSid", ""),
            number=params.get("From", ""),
            name=params.get("CallerName", ""),
            places=(_place(params, "From"), _place(params, "To")),
        )
        return await self.hub.calls.arrived(call)

    async def _wait(self, params: dict[str, str], _request: web.Request) -> str:
        try:
            step = await self._waiting(params, heard=params.get("Digits", "")[:20])
        except NotFound:
            return leave()
        return document(step, self.places, in_waiting_room=True)

    async def _waiting(self, params: Mapping[str, str], heard: str = "") -> CallStep:
        return await self.hub.calls.waiting(self._id, params.get("CallSid", ""), heard=heard)

    async def _left(self, params: dict[str, str], _request: web.Request) -> str:
        """The line has left the waiting room or the room: gone, redirected by us, or in need of its next step."""
        if params.get("CallStatus") in news.ENDED or params.get("QueueResult") == "hangup":
            await self._ended(params)
            return nothing()
        if params.get("QueueResult") in {"redirected", "redirected-from-bridged"}:
            return nothing()
        try:
            step = await self._waiting(params)
        except NotFound:
            # Whoever is on the line and known to nobody came while nothing could be stored.
            if params.get("Direction") != "inbound":
                raise
            step = await self._arrived(params)
        return document(step, self.places)

    async def _answer(self, params: dict[str, str], request: web.Request) -> str:
        """In self-service the caller has pressed, said or left out something; or asks what has been found."""
        said = CallerSaid(
            digits=params.get("Digits", "")[:40],
            text=params.get("SpeechResult", "")[:5_000],
            confidence=_confidence(params.get("Confidence", "")),
        )
        turn = request.query.get("turn", "")
        return document(await self.hub.calls.answered(self._id, params.get("CallSid", ""), turn, said), self.places)

    async def _message(self, params: dict[str, str], request: web.Request) -> str:
        turn, sid = request.query.get("turn", ""), params.get("CallSid", "")
        if turn:
            left = CallerSaid(recording=params.get("RecordingSid", "")[:40])
            step = await self.hub.calls.answered(self._id, sid, turn, left)
        else:
            step = await self.hub.calls.message_left(self._id, sid)
        if params.get("CallStatus") in news.ENDED:
            await self._ended(params)
            return nothing()
        return document(step, self.places)

    async def _join(self, _params: dict[str, str], request: web.Request) -> str:
        step = CallStep(then="room", interaction=request.match_info["interaction"], leg=request.match_info["leg"])
        return document(step, self.places)

    async def _park(self, params: dict[str, str], _request: web.Request) -> str:
        return document(await self._waiting(params), self.places)

    async def _take_message(self, params: dict[str, str], _request: web.Request) -> str:
        return document(await self._waiting(params), self.places)

    async def _hold(self, _params: dict[str, str], request: web.Request) -> str:
        said = self.hub.calls.words(request.query.get("say", ""), request.query.get("lang", "en"))
        return hold_document([said] if said else (), self.places, is_once="once" in request.query)

    async def _fallback(self, params: dict[str, str], _request: web.Request) -> str:
        """Whatever failed: a caller is kept and asked about again, never told of an error."""
        log.error("the carrier fell back", extra={"channel": self._id, "code": params.get("ErrorCode", "")})
        failed = urlsplit(params.get("ErrorUrl", "")).path.rpartition("/")[2]
        return self._sorry(failed if failed in _IN_PLACE else "left")

    # -- what the carrier tells

    async def _ended(self, params: Mapping[str, str]) -> None:
        sid = params.get("CallSid", "")
        await self._tell(LegNews(key=f"{sid}:completed", provider_id=sid, state="ended", cause=EndCause.HUNG_UP))

    async def _tell(self, said: LegNews | RecordingNews | None) -> str:
        if said is not None:
            await self.hub.calls.happened(self._id, said)
        return ""

    async def _told(self, params: dict[str, str], request: web.Request) -> str:
        return await self._tell(news.of(_parts(request.raw_path.partition("?")[0]), request.query, params))

    # -- what the hub orders

    async def dial(self, order: Order, to: DialTo) -> str:
        """Ring a line into its room (see `LiveCalls`)."""
        return await self.orders.dial(order, to)

    async def carry_out(self, order: Order, target: Target) -> None:
        """Do what the order says (see `LiveCalls`)."""
        await self.orders.carry_out(order, target)

    def fetch(self, recording: str, *, plain: bool = False) -> AsyncIterator[bytes]:
        """Return a recording's sound (see `LiveCalls`)."""
        return self.orders.fetch(recording, plain=plain)

    async def look(self, lines: Sequence[Target]) -> list[LegView]:
        """Return how these lines stand (see `LiveCalls`)."""
        return await self.orders.look(lines)

    async def recordings_of(self, line: Target) -> list[RecordingNews]:
        """Return what was recorded of a line (see `LiveCalls`)."""
        return await self.orders.recordings_of(line)

    async def forget(self, recording: str) -> None:
        """Remove a recording at the carrier (see `LiveCalls`)."""
        await self.orders.forget(recording)

    async def lines_up(self) -> list[LegView]:
        """Return every inbound line that is up (see `LiveCalls`)."""
        return await self.orders.lines_up()

    def phone_of(self, agent: str, endpoint: str) -> str:
        """Return what rings for an agent (see `LiveCalls`)."""
        return endpoint or f"client:{agent}"

    def pass_for(self, agent: str) -> tuple[str, int]:
        """Return what the agent's browser signs in to the carrier with (see `LiveCalls`)."""
        return self.orders.pass_for(agent)

    @property
    def softphone(self) -> Softphone:
        """How a browser becomes a telephone (see `LiveCalls`)."""
        return self._softphone


def _parts(path: str) -> list[str]:
    """Return what an address of ours says behind `/webhooks/{channel}/`."""
    return [unquote(part) for part in path.split("/")[3:]]


def _confidence(said: str) -> float:
    """Return how sure the recognition was, from 0 to 1; where it does not say, it was."""
    try:
        sure = float(said)
    except ValueError:
        return 1.0
    return sure if 0.0 <= sure <= 1.0 else 1.0


def _softphone(kind: str, url: str, api_url: str, account: str) -> Softphone:
    """Return how browsers register: with the provider's own script, or by a websocket beside its REST interface."""
    if kind == "provider":
        return Softphone(
            kind="module",
            url=_SOFTPHONE,
            account=account,
            origins=_SDK_ORIGINS,
            media=_SDK_MEDIA,
            needs_microphone=True,
        )
    at = urlsplit(url or f"{api_url.rstrip('/')}/softphone")
    scheme = {"http": "ws", "https": "wss"}.get(at.scheme, at.scheme)
    if not at.netloc:
        # A path of the hub's own: where a carrier is mounted under it.
        return Softphone(kind="websocket", url=at.path, account=account)
    return Softphone(
        kind="websocket",
        url=urlunsplit((scheme, at.netloc, at.path, at.query, "")),
        account=account,
        origins=(f"{scheme}://{at.netloc}",),
    )


def _place(params: Mapping[str, str], end: str) -> str:
    """Return where a number is from by the carrier's word, with the state where it names one: "US-CA", "DE", or "".

    Both are the carrier's to say, and of the number: nobody knows where who calls is.
    """
    country, state = params.get(f"{end}Country", ""), params.get(f"{end}State", "")
    if not PLACE.fullmatch(country):
        return ""
    place = f"{country}-{state}"
    return place if PLACE.fullmatch(place) else country
