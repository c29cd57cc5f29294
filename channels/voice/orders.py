"""What the hub orders, in the carrier's REST words. An order that comes again finds what it began before."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from channels._twilio import TIMEOUT_S, Gone, Rest
from channels.voice import news
from channels.voice.documents import ROOM_EVENTS, Places
from channels.voice.news import CAUSES
from hub.clock import Clock
from hub.contract.calls import DialTo, LegView, RecordingNews, Target
from hub.domain.calls import EndCause, LegRole, Listening, Order, OrderKind, Place
from hub.domain.errors import ChannelUnavailable, MessageRejected
from hub.settings import Secret

if TYPE_CHECKING:
    from twilio.rest import Client

T = TypeVar("T")
FRESH_MS: Final = 2_000
"""An order older than this may have been tried before: the hub was killed, or the answer was lost."""
PASS_S: Final = 3_600
_FEW, _AT_ONCE = 3, 10
"""Calls that are asked about one by one rather than by lists, and questions put to the carrier at the same time."""
_UP: Final = frozenset({"queued", "initiated", "ringing", "in-progress"})
_LEG_EVENTS: Final = ("initiated", "ringing", "answered", "completed")


class Orders:
    """Carries orders out at one account."""

    def __init__(
        self,
        rest: Rest,
        places: Places,
        number: str,
        access: tuple[str, str, Secret | None, str],
        clock: Clock,
    ) -> None:
        self._rest = rest
        self._places = places
        self._number = number
        self._access = access
        self._clock = clock
        self._tried: set[str] = set()

    async def check(self) -> None:
        """Prove that the account lets us in and has the number.

        Raises:
            ChannelUnavailable: the carrier is out of reach. MessageRejected: the credentials or the number are wrong.
        """
        if not await self._rest.has_number(self._number):
            raise MessageRejected(f"The account has no number {self._number}.")

    async def dial(self, order: Order, to: DialTo) -> str:
        """Ring a line into its room; return the carrier's name of it."""
        is_again = order.id in self._tried or self._clock.now() - order.at > FRESH_MS
        self._tried.add(order.id)
        if is_again and (found := await self._found(to)):
            return found
        more: dict[str, Any] = {}
        if to.role is LegRole.SUPERVISOR:
            more = listening(to.listening, to.coached)
        if to.detects_machine:
            more["machine_detection"] = "Enable"
            more["amd_status_callback"] = self._places.url("machine", to.leg)
            more["amd_status_callback_method"] = "POST"

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.conferences(to.interaction).participants.create_async(
                # Only a browser may be shown whose call it is; a telephone may be rung from our own numbers alone.
                from_=to.caller if to.endpoint.startswith("client:") else to.shown or self._number,
                to=to.endpoint,
                label=to.leg,
                timeout=to.timeout_s,
                beep="false",
                start_conference_on_enter=True,
                end_conference_on_exit=False,
                early_media=False,
                wait_url=self._places.url("hold", say=to.hearing, lang=to.language if to.hearing else ""),
                wait_method="POST",
                status_callback=self._places.url("leg", to.leg),
                status_callback_method="POST",
                status_callback_event=list(_LEG_EVENTS),
                conference_status_callback=self._places.url("room"),
                conference_status_callback_method="POST",
                conference_status_callback_event=ROOM_EVENTS.split(),
                **more,
            )

        participant = await self._rest.call(ask)
        self._tried.discard(order.id)
        return str(participant.call_sid)

    async def _found(self, to: DialTo) -> str:
        """Return the line that an earlier try began, empty for none."""
        conference = await self._conference(to.interaction)
        if not conference:
            return ""

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.conferences(conference).participants(to.leg).fetch_async()

        try:
            return str((await self._rest.call(ask)).call_sid)
        except Gone:
            return ""

    async def _conference(self, interaction: str) -> str:
        """Return the carrier's name of the room that is open under this interaction's name, empty for none."""

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.conferences.list_async(friendly_name=interaction, limit=5)

        for conference in await self._rest.call(ask):
            if conference.status != "completed":
                return str(conference.sid)
        return ""

    async def carry_out(self, order: Order, target: Target) -> None:
        """Do what the order says; a line that is gone already wants nothing."""
        places = self._places
        documents = {
            OrderKind.JOIN: places.url("join", target.interaction, target.leg),
            OrderKind.PARK: places.url("park"),
            OrderKind.TAKE_MESSAGE: places.url("take-message"),
        }
        try:
            if order.kind in documents:
                await self._update_call(target, url=documents[order.kind], method="POST")
            elif order.kind is OrderKind.HANG_UP:
                await self._update_call(target, status="completed")
            else:
                await self._in_room(order, target)
        except Gone:
            if order.kind is not OrderKind.HANG_UP:
                raise

    async def _in_room(self, order: Order, target: Target) -> None:
        match order.kind:
            case OrderKind.HOLD:
                hold_url = self._places.url("hold", say=order.argument, lang=target.language)
                await self._update_participant(target, hold=True, hold_url=hold_url, hold_method="POST")
            case OrderKind.RESUME:
                await self._update_participant(target, hold=False)
            case OrderKind.MUTE | OrderKind.UNMUTE:
                await self._update_participant(target, muted=order.kind is OrderKind.MUTE)
            case OrderKind.ANNOUNCE:
                said = self._places.url("hold", say=order.argument, lang=target.language, once="1")
                await self._update_participant(target, announce_url=said, announce_method="POST")
            case OrderKind.LISTEN:
                await self._update_participant(target, **listening(target.listening, target.coached))
            case _:
                await self._record(order, target)

    async def _update_call(self, target: Target, **changes: object) -> None:
        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.calls(target.provider_id).update_async(**changes)

        await self._rest.call(ask)

    async def _update_participant(self, target: Target, **changes: object) -> None:
        conference = await self._conference(target.interaction)
        if not conference:
            raise Gone("The room is not there any more.")

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.conferences(conference).participants(target.provider_id).update_async(**changes)

        await self._rest.call(ask)

    async def _record(self, order: Order, target: Target) -> None:
        """Record the customer's line, both sides apart; while it is paused there is silence, not a gap."""

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            recordings = client.calls(target.provider_id).recordings
            if order.kind is OrderKind.RECORD:
                callback = self._places.url("recording", interaction=target.interaction)
                return await recordings.create_async(
                    recording_channels="dual",
                    recording_status_callback=callback,
                    recording_status_callback_event=["completed", "absent"],
                )
            status = {
                OrderKind.PAUSE_RECORDING: "paused",
                OrderKind.RESUME_RECORDING: "in-progress",
                OrderKind.STOP_RECORDING: "stopped",
            }[order.kind]
            current = client.calls(target.provider_id).recordings("Twilio.CURRENT")
            if status == "paused":
                return await current.update_async(status=status, pause_behavior="silence")
            return await current.update_async(status=status)

        await self._rest.call(ask)

    async def fetch(self, recording: str, *, plain: bool = False) -> AsyncIterator[bytes]:
        """Return a recording's sound from the carrier, with our credentials; a redirect is followed without them."""
        from aiohttp import ClientError, ClientSession, ClientTimeout

        url, proof = self._rest.recording(recording, "wav" if plain else "mp3")
        try:
            async with ClientSession(timeout=ClientTimeout(total=60, connect=TIMEOUT_S)) as session:
                answer = await session.get(url, headers={"Authorization": proof}, allow_redirects=False)
                if answer.status in {302, 307}:
                    answer = await session.get(answer.headers["Location"])
                if answer.status == 404:
                    raise ChannelUnavailable("The recording is not there yet.")
                answer.raise_for_status()
                async for chunk in answer.content.iter_chunked(65_536):
                    yield chunk
        except (ClientError, OSError, TimeoutError) as error:
            raise ChannelUnavailable(f"The recording cannot be fetched: {type(error).__name__}.") from error

    async def look(self, lines: Sequence[Target]) -> list[LegView]:
        """Return how these lines stand by the carrier's word, and which are in their room.

        Many lines are looked up in the carrier's lists of what is up, and only what is not on them one by one.
        """
        names = dict.fromkeys(line.interaction for line in lines)
        up: dict[str, LegView] = {}
        if len(names) <= _FEW:
            rooms = [room for room in await asyncio.gather(*map(self._conference, names)) if room]
        else:
            rooms = await self._rooms_up(names)
            up = await self._calls_up()
        participants: dict[str, Any] = {}
        for found in await self._few_at_once(self._participants, rooms):
            participants |= found
        views = [up[line.provider_id] for line in lines if line.provider_id in up]
        asked = [line.provider_id for line in lines if line.provider_id not in up]
        views += [view for view in await self._few_at_once(self._view, asked) if view is not None]
        return [_with_place(view, participants.get(view.provider_id)) for view in views]

    async def _few_at_once(self, ask: Callable[[str], Awaitable[T]], about: Sequence[str]) -> list[T]:
        """Ask about each of many, a few at a time: the carrier turns crowds away."""
        free = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> T:
            async with free:
                return await ask(name)

        return list(await asyncio.gather(*map(one, about)))

    async def _rooms_up(self, names: Container[str]) -> list[str]:
        """Return the carrier's names of the rooms among these that are open."""
        found: list[str] = []
        for status in ("init", "in-progress"):

            async def ask(client: "Client", status: str = status) -> Any:  # noqa: ANN401
                return await client.conferences.list_async(status=status, page_size=1_000)

            found += [room.sid for room in await self._rest.call(ask) if room.friendly_name in names]
        return found

    async def _calls_up(self) -> dict[str, LegView]:
        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.calls.list_async(status="in-progress", page_size=1_000)

        return {call.sid: _view(call) for call in await self._rest.call(ask)}

    async def _participants(self, conference: str) -> dict[str, Any]:
        """Return who is in a room, by the carrier's name of their line."""

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.conferences(conference).participants.list_async(limit=50)

        try:
            return {str(one.call_sid): one for one in await self._rest.call(ask)}
        except Gone:
            return {}

    async def _view(self, provider_id: str) -> LegView | None:
        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.calls(provider_id).fetch_async()

        try:
            call = await self._rest.call(ask)
        except Gone:
            return None
        return _view(call)

    async def recordings_of(self, line: Target) -> list[RecordingNews]:
        """Return what was recorded of a line that is over, in the words that its callbacks would have had.

        Raises:
            ChannelUnavailable: some of it is still being made.
        """

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.calls(line.provider_id).recordings.list_async(limit=50)

        try:
            recordings = await self._rest.call(ask)
        except Gone:
            return []
        if any(one.status not in news.RECORDED for one in recordings):
            raise ChannelUnavailable("A recording is still being made.")
        told = [
            news.of_recording(
                {"RecordingSid": one.sid, "RecordingStatus": one.status, "RecordingDuration": one.duration or ""},
                line.interaction,
                is_message=one.source == "RecordVerb",
            )
            for one in recordings
        ]
        return [one for one in told if one is not None]

    async def forget(self, recording: str) -> None:
        """Remove a recording at the carrier."""

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.recordings(recording).delete_async()

        with contextlib.suppress(Gone):
            await self._rest.call(ask)

    async def lines_up(self) -> list[LegView]:
        """Return every inbound line to our number that is up."""

        async def ask(client: "Client") -> Any:  # noqa: ANN401
            return await client.calls.list_async(to=self._number, status="in-progress", limit=1_000)

        calls = await self._rest.call(ask)
        return [
            LegView(
                provider_id=call.sid,
                number=call._from,  # noqa: SLF001 - the library's own name for it
                began_at=round(call.start_time.timestamp() * 1000) if call.start_time else 0,
            )
            for call in calls
            if call.direction == "inbound"
        ]

    def pass_for(self, agent: str) -> tuple[str, int]:
        """Return an access token for an agent's browser, and when it is over (ms since 1970)."""
        from twilio.jwt.access_token import AccessToken
        from twilio.jwt.access_token.grants import VoiceGrant

        account_sid, key_sid, key_secret, application_sid = self._access
        if not key_sid or key_secret is None:
            raise MessageRejected("Phones in browsers need api_key_sid and api_key_secret.")
        now_s = self._clock.now() // 1000
        token = AccessToken(
            account_sid, key_sid, key_secret.reveal(), identity=agent, nbf=now_s, valid_until=now_s + PASS_S
        )
        token.add_grant(VoiceGrant(incoming_allow=True, outgoing_application_sid=application_sid or None))
        return str(token.to_jwt()), (now_s + PASS_S) * 1000


def _view(call: Any) -> LegView:  # noqa: ANN401 - the library's row
    return LegView(
        provider_id=str(call.sid),
        is_live=call.status in _UP,
        is_machine=news.is_machine(call.answered_by or ""),
        cause=CAUSES.get(call.status, EndCause.LOST),
    )


def _with_place(view: LegView, participant: Any) -> LegView:  # noqa: ANN401
    if participant is None or participant.status != "connected":
        return view
    return msgspec.structs.replace(view, place=Place.ROOM, is_held=bool(participant.hold))


def listening(how: Listening, coached: str) -> dict[str, Any]:
    """Return a participant's settings for a supervisor: unheard, heard by one, heard by all."""
    if how is Listening.WHISPER and coached:
        return {"muted": False, "coaching": True, "call_sid_to_coach": coached}
    return {"muted": how is Listening.MONITOR, "coaching": False}
