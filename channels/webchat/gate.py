"""The one door of all chat sites: a Socket.IO server at /chat, the widget's pages, uploads and transcripts."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from channels.webchat import wire
from channels.webchat.guests import first_token, is_token, renewed_token, signed_identity, token_hash
from channels.webchat.limits import Allowance
from channels.webchat.pages import Pages
from channels.webchat.site import Site
from hub.contract import ChatStart, HubSide, Listener, SignedIdentity, Started, VisitorId, Waiting
from hub.domain.errors import BadRequest, HubError, NotFound, RateLimited, Unauthorized
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Message
from hub.sockets import Audience, Connection, Event, EventRefused, SocketLimits, SocketServer

T = TypeVar("T")
PAGE = 30
_WAITING = frozenset({State.SELF_SERVICE, State.QUEUED, State.OFFERED})
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_REFRESH_S = 2.0
_REFRESHED, _AT_A_TIME = 256, 16
"""Visitors whose place is looked at each time, and in one go: a thousand take a tenth of a second, in which nobody else
is served. Where more wait they take turns."""


class Guest:
    """One line to one visitor: who they are so far, and the conversation they look at."""

    __slots__ = ("identity", "interaction", "is_renewed", "key", "language", "site", "token", "visitor")

    def __init__(self, site: Site, language: str, visitor: VisitorId | None, token: str) -> None:
        self.site = site
        self.language = language
        self.visitor = visitor
        self.token = token
        self.is_renewed = False
        """Whether the browser has still to be told its token."""
        self.identity: SignedIdentity | None = None
        self.interaction: str | None = None
        self.key: str = visitor.id if visitor else secrets.token_hex(8)


Line = Connection[Guest]


def gate_of(app: web.Application, hub: HubSide) -> "Gate":
    """Return the application's gate, built at the first asking."""
    if _GATE not in app:
        app[_GATE] = Gate(app)
        app[_GATE].build(hub)
    return app[_GATE]


class Gate:
    """Takes visitors in, for every site."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self.sites: dict[str, Site] = {}
        self._hub: HubSide | None = None
        self._server: SocketServer[Guest] | None = None
        self._shown: dict[str, tuple[object, ...]] = {}
        self._read: dict[str, int] = {}
        self._places: dict[str, tuple[Interaction, int | None, int | None]] = {}
        self._starts = Allowance(per_hour=10)
        self._ticker: asyncio.Task[None] | None = None

    def add(self, site: Site) -> None:
        """Serve one more site."""
        self.sites[site.id] = site

    @property
    def hub(self) -> HubSide:
        """The hub's side; there once the first site is open."""
        if self._hub is None:
            raise RuntimeError("the gate is not open")
        return self._hub

    @property
    def server(self) -> SocketServer[Guest]:
        """The Socket.IO server; there once the gate is built."""
        if self._server is None:
            raise RuntimeError("the gate is not open")
        return self._server

    def build(self, hub: HubSide) -> None:
        """Make the Socket.IO server and attach it; called before the application is frozen."""
        self._hub = hub
        limits = hub.limits
        self._starts = Allowance(per_hour=limits.chats_per_address_per_hour)
        self._server = SocketServer(
            namespace="/chat",
            path="/chat/socket.io",
            audience=Audience(
                allow_origin=lambda origin, _request: origin == hub.public_url,
                authenticate=self._authenticate,
                client_ip=hub.client_ip,
                identity_key=lambda guest: guest.key,
                on_disconnect=self._on_disconnect,
                on_resync=lambda line: self.server.emit("resync", {}, to=line.sid),
            ),
            events={
                "resume": Event(self._resume, wire.Resume),
                "earlier": Event(self._earlier, wire.Earlier),
                "start": Event(self._start, wire.Start),
                "leave_message": Event(self._leave_message, wire.LeaveMessage),
                "message": Event(self._message, wire.Say),
                "typing": Event(self._typing, wire.Typing),
                "seen": Event(self._seen, wire.Seen),
                "end": Event(self._end, wire.End),
            },
            meter=hub.meter,
            limits=SocketLimits(
                max_message_bytes=limits.visitor_frame_bytes,
                rate_per_s=limits.visitor_events_per_s,
                burst=limits.visitor_events_burst,
                per_identity=limits.sockets_per_visitor,
                per_ip=limits.sockets_per_address,
                connect_within_s=limits.connect_s,
            ),
            public_errors=(HubError,),
        )
        self._server.attach(self._app)
        Pages(self.sites, hub, self.visitor).attach(self._app)

    async def open(self, hub: HubSide) -> Listener:
        """Begin to keep waiting visitors informed; returns what wants to hear of their conversations."""
        self._hub = hub
        if self._ticker is None:
            self._ticker = asyncio.create_task(self._keep_places_current(), name="webchat places")
        return Listener(on_message=self._on_message, on_change=self._on_change, on_typing=self._on_typing)

    async def close(self, reason: str) -> None:
        """Tell everybody when to come back, and cut the lines."""
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None
        if self._server is not None:
            self._server.emit("restart", {"reason": reason, "retry_in_ms": 1_000 + secrets.randbelow(2_000)}, to=None)
            await self._server.close(reason)

    # -- who it is

    async def _authenticate(self, _request: web.Request, auth: object) -> Guest | None:
        """Return the guest behind a CONNECT packet's `auth`.

        Raises:
            EventRefused: `unauthorized`: the token is not known (any more), or the site's signature is wrong.
        """
        try:
            said = msgspec.convert(auth, _Auth)
        except (msgspec.ValidationError, UnicodeError):
            raise EventRefused("bad_request") from None
        site = self.sites.get(said.site)
        if site is None:
            raise EventRefused("not_found")
        language = said.lang.partition("-")[0].lower()
        language = language if _LANGUAGE.fullmatch(language) else "en"
        token, identity = said.token or "", said.identity
        if identity and is_token(token):
            renewed = renewed_token(self.hub.visitor_key, token, identity)
            if await self.hub.conversations.visitor(site.id, token_hash(renewed)) is not None:
                # This identity has renewed this token before; the answer was lost.
                token, identity = renewed, None
        guest = Guest(site, language, await self.visitor(site, token) if token else None, token)
        guest.is_renewed = token != (said.token or "")
        if identity:
            await self._identify(guest, identity)
        if guest.visitor is not None:
            await self._cut_old_lines(guest.visitor, guest.token)
        return guest

    async def _cut_old_lines(self, visitor: VisitorId, token: str) -> None:
        """End every line of this visitor that was opened with a token that counts no more."""
        for line in self.server.connections_of(visitor.id):
            if line.identity.token != token:
                await self.server.disconnect(line, "renewed", again=True)

    async def visitor(self, site: Site, token: str) -> VisitorId:
        """Return who holds this token.

        Raises:
            Unauthorized: nobody does (any more).
        """
        found = await self.hub.conversations.visitor(site.id, token_hash(token)) if is_token(token) else None
        if found is None:
            raise Unauthorized("This visitor is not known any more.")
        return found

    async def _identify(self, guest: Guest, token: str) -> None:
        secret = guest.site.identity_secret
        if secret is None:
            raise Unauthorized("This site signs no identities.")
        identity = signed_identity(
            token,
            secret=secret.reveal(),
            site=guest.site.id,
            audience=self.hub.public_url,
            now_s=self.hub.clock.now() // 1000,
        )
        renewed = renewed_token(self.hub.visitor_key, guest.token, token)
        guest.visitor = await self.hub.conversations.identify(
            guest.site.id, guest.visitor, identity, token_hash=token_hash(renewed)
        )
        guest.identity = identity
        # Where it is somebody else at this browser, what was said before is not theirs.
        guest.is_renewed = guest.visitor is not None
        guest.token = renewed if guest.is_renewed else ""

    async def _on_disconnect(self, line: Line, _reason: str) -> None:
        interaction = line.identity.interaction
        if interaction is None or self.server.members(interaction):
            return
        self._shown.pop(interaction, None)
        self._read.pop(interaction, None)
        if self._places.pop(interaction, None) is not None:
            await self.hub.conversations.visitor_gone(interaction)

    # -- what visitors say

    async def _resume(self, line: Line, said: wire.Resume) -> dict[str, Any]:
        guest = line.identity
        conversations = self.hub.conversations
        interaction: Interaction | None = None
        if guest.visitor is not None:
            interaction = await conversations.current(guest.site.id, guest.visitor)
            if said.interaction is not None and (interaction is None or interaction.id != said.interaction):
                with contextlib.suppress(NotFound):
                    asked = await conversations.of_visitor(said.interaction, guest.visitor)
                    interaction = interaction if interaction is not None and interaction.is_open else asked
        messages: list[Message] = []
        if interaction is not None:
            after = said.after if said.interaction == interaction.id else 0
            await self._look_at(line, interaction)
            limit = 200 if after else PAGE
            messages = await conversations.history(interaction.id, after=after, limit=limit)
        return {
            "ok": True,
            "now": self.hub.clock.now(),
            "site": self._site(guest),
            "visitor": {"known": guest.visitor is not None, "name": guest.visitor.name if guest.visitor else ""},
            **({"token": guest.token} if guest.is_renewed else {}),
            "thread": self._thread(interaction) if interaction else None,
            "messages": self._messages_out(messages),
            "earlier": bool(messages) and not said.after and messages[0].n > 1,
        }

    async def _look_at(self, line: Line, interaction: Interaction) -> None:
        """Let this line hear of the conversation from now on."""
        guest = line.identity
        if guest.interaction is not None and guest.interaction != interaction.id:
            self.server.leave(line, guest.interaction)
        guest.interaction = interaction.id
        self.server.join(line, interaction.id)
        self._shown[interaction.id] = _signature(interaction)
        self._read[interaction.id] = interaction.read_n
        if interaction.state in _WAITING:
            self._places[interaction.id] = (interaction, None, None)
            await self.hub.conversations.visitor_back(interaction.id)

    async def _earlier(self, line: Line, said: wire.Earlier) -> dict[str, Any]:
        interaction = await self.hub.conversations.of_visitor(said.interaction, _known(line))
        messages = await self.hub.conversations.history(interaction.id, before=said.before, limit=PAGE)
        return {
            "ok": True,
            "messages": self._messages_out(messages),
            "earlier": bool(messages) and messages[0].n > 1,
        }

    async def _start(self, line: Line, said: wire.Start) -> dict[str, Any]:
        interaction = await self._begin(line, said.client_id, said.form, said.text, said.choice, is_message=False)
        messages = await self.hub.conversations.history(interaction.id, limit=PAGE)
        return {
            "ok": True,
            "token": line.identity.token,
            "thread": self._thread(interaction),
            "messages": self._messages_out(messages),
        }

    async def _leave_message(self, line: Line, said: wire.LeaveMessage) -> dict[str, Any]:
        if not said.text.strip():
            raise BadRequest("There is nothing to send.")
        interaction = await self._begin(line, said.client_id, said.form, said.text, None, is_message=True)
        return {"ok": True, "token": line.identity.token, "thread": self._thread(interaction)}

    async def _begin(
        self, line: Line, client_id: str, form: dict[str, str], text: str, choice: str | None, *, is_message: bool
    ) -> Interaction:
        guest = line.identity
        if not self._starts.spend(line.ip, self.hub.clock.now()):
            raise RateLimited(600)
        if guest.visitor is None and not guest.token:
            guest.token = first_token(self.hub.visitor_key, guest.site.id, client_id)
        started: Started | None = None
        try:
            started = await self.hub.conversations.start(
                ChatStart(
                    channel=guest.site.id,
                    client_id=client_id,
                    queue=guest.site.queue_for(choice, is_message=is_message),
                    visitor=guest.visitor,
                    identity=guest.identity,
                    token_hash=token_hash(guest.token),
                    form=form,
                    text=text,
                    choice=choice or "",
                    language=guest.language,
                    is_message=is_message,
                    flow=guest.site.flow_for(choice),
                )
            )
        finally:
            if started is None or not started.is_new:
                self._starts.give_back(line.ip)
        guest.visitor = started.visitor
        self.server.known_as(line, started.visitor.id)
        await self._look_at(line, started.interaction)
        return started.interaction

    def _message(self, line: Line, said: wire.Say) -> "asyncio.Future[dict[str, Any]]":
        if said.files:
            return asyncio.ensure_future(self._message_with_files(line, said))
        stored = self.hub.conversations.say(
            said.interaction, _known(line), said.client_id, said.text, choice=said.choice or ""
        )
        return _mapped(stored, lambda message: {"ok": True, "n": message.n, "at": message.at})

    async def _message_with_files(self, line: Line, said: wire.Say) -> dict[str, Any]:
        visitor = _known(line)
        files = await self.hub.files.refs(said.interaction, said.files, by=visitor.id)
        message = await self.hub.conversations.say(said.interaction, visitor, said.client_id, said.text, files=files)
        return {"ok": True, "n": message.n, "at": message.at}

    def _typing(self, line: Line, said: wire.Typing) -> dict[str, Any]:
        if line.identity.interaction != said.interaction:
            raise NotFound("There is no such conversation.")
        self.hub.conversations.typing(said.interaction, typing=said.typing)
        return {"ok": True}

    async def _seen(self, line: Line, said: wire.Seen) -> dict[str, Any]:
        await self.hub.conversations.seen(said.interaction, _known(line), said.n)
        return {"ok": True}

    async def _end(self, line: Line, said: wire.End) -> dict[str, Any]:
        interaction = await self.hub.conversations.end(said.interaction, _known(line))
        return {"ok": True, "thread": self._thread(interaction)}

    # -- what visitors are told

    def _on_message(self, interaction: Interaction, message: Message) -> None:
        if self._server is not None and self._server.members(interaction.id):
            self._server.emit("message", wire.message_out(message, self.hub.files.link), to=interaction.id)

    def _on_change(self, interaction: Interaction) -> None:
        if self._server is None or not self._server.members(interaction.id):
            return
        if interaction.state not in _WAITING:
            self._places.pop(interaction.id, None)
        elif interaction.id not in self._places or self._places[interaction.id][0].state is not interaction.state:
            self._places[interaction.id] = (interaction, None, None)
        signature = _signature(interaction)
        if self._shown.get(interaction.id) != signature:
            self._shown[interaction.id] = signature
            self._read[interaction.id] = interaction.read_n
            self._server.emit("thread", self._thread(interaction), to=interaction.id)
        elif self._read.get(interaction.id) != interaction.read_n:
            self._read[interaction.id] = interaction.read_n
            self._server.emit("seen", {"interaction": interaction.id, "n": interaction.read_n}, to=interaction.id)

    def _on_typing(self, interaction: str, typing: bool, name: str) -> None:
        if self._server is not None:
            self._server.emit("typing", {"interaction": interaction, "typing": typing, "name": name}, to=interaction)

    async def _keep_places_current(self) -> None:
        """Tell waiting visitors when their place or expected wait has changed."""
        due: list[str] = []
        while True:
            await self.hub.clock.sleep(_REFRESH_S)
            due = due or list(self._places)
            looked_at, due = due[:_REFRESHED], due[_REFRESHED:]
            for number, key in enumerate(looked_at, 1):
                self._keep_place_current(key)
                if number % _AT_A_TIME == 0:
                    await asyncio.sleep(0)

    def _keep_place_current(self, key: str) -> None:
        if (known := self._places.get(key)) is None:
            return
        interaction, position, wait_s = known
        place = self.hub.conversations.waiting(key)
        if (place.position, place.wait_s and place.wait_s // 15) != (position, wait_s and wait_s // 15):
            self._places[key] = (interaction, place.position, place.wait_s)
            self.server.emit("thread", self._thread(interaction, place), to=key)

    def _thread(self, interaction: Interaction, place: Waiting | None = None) -> dict[str, Any]:
        conversations = self.hub.conversations
        return wire.thread_out(
            interaction,
            place or conversations.waiting(interaction.id),
            conversations.agent_name(interaction.agent),
            message_left=interaction.is_message,
        )

    def _messages_out(self, messages: list[Message]) -> list[dict[str, Any]]:
        return [wire.message_out(message, self.hub.files.link) for message in messages]

    def _site(self, guest: Guest) -> dict[str, Any]:
        limits = {"max_bytes": self.hub.limits.visitor_upload_bytes, "types": list(self.hub.limits.upload_types)}
        return guest.site.described(guest.language, self.hub.conversations.queue(guest.site.queue), limits)


class _Auth(msgspec.Struct, frozen=True, kw_only=True):
    site: wire.Name
    token: str | None = None
    identity: str | None = None
    lang: str = "en"


def _signature(interaction: Interaction) -> tuple[object, ...]:
    return (interaction.state, interaction.agent, interaction.queue, interaction.ended_at)


def _known(line: Line) -> VisitorId:
    """Return who is at the other end of the line.

    Raises:
        Unauthorized: nobody yet: a conversation was never begun.
    """
    if line.identity.visitor is None:
        raise Unauthorized("Begin a conversation first.")
    return line.identity.visitor


def _mapped(stored: "asyncio.Future[T]", change: Callable[[T], dict[str, Any]]) -> "asyncio.Future[dict[str, Any]]":
    """Return a future of the changed result; errors pass through."""
    answer: asyncio.Future[dict[str, Any]] = stored.get_loop().create_future()

    def settle(done: "asyncio.Future[T]") -> None:
        if answer.done() or done.cancelled():
            answer.cancel()
            return
        error = done.exception()
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(change(done.result()))

    stored.add_done_callback(settle)
    return answer


_GATE: web.AppKey[Gate] = web.AppKey("webchat_gate", Gate)
