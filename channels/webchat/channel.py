"""Web chat as the hub knows it: one configured site behind the door that all chat sites share."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aiohttp import web

from channels.webchat.gate import Gate, gate_of
from channels.webchat.site import Site, Texts
from hub.contract import Capabilities, HubSide, Listener
from hub.settings import Secret


class WebChat:
    """A chat site. The keyword arguments are the keys of its block in the configuration; `Site` says what they mean."""

    kind: ClassVar[str] = "webchat"

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the block's own word
        queue: str,
        message_queue: str = "",
        name: str | Texts = "",
        greeting: Texts | None = None,
        closed_text: Texts | None = None,
        form: Sequence[Mapping[str, Any]] = (),
        quick_replies: Sequence[Mapping[str, Any]] = (),
        origins: Sequence[str] = (),
        identity_secret: Secret | None = None,
        accent: str = "#1757c2",
        languages: Sequence[str] = ("en", "zh"),
        flow: str = "",
    ) -> None:
        self._id = id
        self._site = Site(
            id=id,
            queue=queue,
            message_queue=message_queue,
            name=name,
            greeting=greeting,
            closed_text=closed_text,
            form=form,
            quick_replies=quick_replies,
            origins=origins,
            identity_secret=identity_secret,
            accent=accent,
            languages=languages,
            flow=flow,
        )
        self._gate: Gate | None = None

    @property
    def id(self) -> str:
        """The name of its block in the configuration."""
        return self._id

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            kind="chat",
            label="Chat",
            icon="message-circle",
            has_typing=True,
            has_read_receipts=True,
            has_files=True,
            has_choices=True,
        )

    def mount(self, app: web.Application, hub: HubSide) -> None:
        """Add this site to the pages and the Socket.IO server that all chat sites share."""
        self._gate = gate_of(app, hub)
        self._gate.add(self._site)

    async def open(self, hub: HubSide) -> Listener:
        """Begin to take visitors in."""
        if self._gate is None:
            raise RuntimeError("a channel is mounted before it is opened")
        return await self._gate.open(hub)

    async def close(self, reason: str) -> None:
        """Tell every visitor that the hub goes away, and cut the lines."""
        if self._gate is not None:
            await self._gate.close(reason)
