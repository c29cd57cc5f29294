"""All that channels see of the hub, and all that the hub sees of channels.

A channel is built with its configuration block as keyword arguments, opened with the hub's side, and closed. It never
imports services or storage. Instants are milliseconds since 1970 UTC.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from hub.clock import Clock
from hub.domain.interaction import Interaction
from hub.domain.messages import FileRef, Message
from hub.domain.visitors import StoredFile
from hub.settings import Limits


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel can do; the console shows what this says and knows no channel by name.

    `is_live` means that somebody waits at the other end this minute; `keeps_agent` that work of a lost agent stays
    theirs instead of going back to the queue.
    """

    kind: str
    label: str
    icon: str
    is_live: bool = True
    has_typing: bool = False
    has_read_receipts: bool = False
    has_files: bool = False
    has_choices: bool = False
    keeps_agent: bool = False


class VisitorId(msgspec.Struct, frozen=True, kw_only=True):
    """Who a visitor is: the visitor's own id on this channel, and the customer behind it."""

    id: str
    customer: str
    name: str = ""
    language: str = ""
    is_signed: bool = False


class SignedIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer's own site vouches for. `email` counts only when the site has verified it."""

    subject: str
    name: str = ""
    email: str = ""
    phone: str = ""
    once: str = ""
    expires_at: int = 0


class ChatStart(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation begun by a visitor. `client_id` is the visitor's own id for it: repeated, it begins nothing new.

    `form` holds what was typed before the chat; `is_message` means nobody is expected to answer at once. `flow` names
    the self-service flow it begins in, if there is such a flow.
    """

    channel: str
    client_id: str
    queue: str
    visitor: VisitorId | None = None
    identity: SignedIdentity | None = None
    token_hash: str = ""
    form: dict[str, str] = msgspec.field(default_factory=dict)
    text: str = ""
    choice: str = ""
    language: str = ""
    is_message: bool = False
    flow: str = ""


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that exists now. `is_new` is False when it was a repetition, or one was open already."""

    interaction: Interaction
    visitor: VisitorId
    is_new: bool


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Where an interaction stands in its queue; None where it is not known."""

    position: int | None = None
    wait_s: int | None = None


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel may tell a customer about a queue."""

    id: str
    name: str
    is_open: bool
    opens_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What a channel is told, in commit order, about interactions of its own."""

    on_message: Callable[[Interaction, Message], None]
    on_change: Callable[[Interaction], None]
    on_typing: Callable[[str, bool, str], None] = field(default=lambda _interaction, _typing, _name: None)


class Conversations(Protocol):
    """The hub's side of conversations in writing, as a channel uses it."""

    async def visitor(self, channel: str, token_hash: str) -> VisitorId | None:
        """Return who holds this token on this channel, or None."""

    async def identify(self, channel: str, visitor: VisitorId | None, identity: SignedIdentity) -> VisitorId | None:
        """Bind what the site vouches for; return the visitor as known from now on (None: not known before a start)."""

    async def start(self, start: ChatStart) -> Started:
        """Begin a conversation, or return the one that is open: committed when this returns."""

    def say(
        self,
        interaction: str,
        visitor: VisitorId,
        client_id: str,
        text: str,
        *,
        choice: str = "",
        files: Sequence[FileRef] = (),
    ) -> "asyncio.Future[Message]":
        """Store what the visitor says; resolves after the commit."""

    async def current(self, channel: str, visitor: VisitorId) -> Interaction | None:
        """Return the visitor's latest conversation, open or ended."""

    async def of_visitor(self, interaction: str, visitor: VisitorId) -> Interaction:
        """Return a conversation of this visitor. Raises NotFound for anybody else's."""

    async def history(
        self, interaction: str, *, after: int = 0, before: int | None = None, limit: int = 50
    ) -> list[Message]:
        """Return messages in order: those after a number, or the last ones before one."""

    async def seen(self, interaction: str, visitor: VisitorId, n: int) -> None:
        """Note that the visitor has read up to message `n`."""

    async def end(self, interaction: str, visitor: VisitorId) -> Interaction:
        """The visitor ends the conversation."""

    async def visitor_gone(self, interaction: str) -> None:
        """The visitor's last line is cut: after a time of grace a waiting conversation counts as abandoned."""

    async def visitor_back(self, interaction: str) -> None:
        """The visitor's line is up again."""

    def typing(self, interaction: str, *, typing: bool, text: str = "") -> None:
        """The visitor types, or stops."""

    def waiting(self, interaction: str) -> Waiting:
        """Return position and estimated wait of a waiting conversation."""

    def queue(self, queue: str) -> QueueView:
        """Return what customers may know of a queue."""

    def agent_name(self, agent: str | None) -> str:
        """Return the name customers see."""


class Files(Protocol):
    """Where files live: outside the web root, under random names."""

    async def store(
        self,
        interaction: str,
        name: str,
        body: AsyncIterator[bytes],
        *,
        by: str,
        limit: int,
        per_day: int | None = None,
    ) -> StoredFile:
        """Keep an upload. Raises TooLarge or TypeRefused; nothing of a refused one stays."""

    def link(self, file: FileRef) -> str:
        """Return a signed path that opens the file for a while."""

    async def refs(self, interaction: str, ids: Sequence[str], *, by: str) -> list[FileRef]:
        """Return files of an interaction uploaded by this person. Raises NotFound for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSide:
    """What a channel is given when it is opened."""

    clock: Clock
    conversations: Conversations
    files: Files
    public_url: str
    templates: Path
    client_ip: Callable[[object], str]
    limits: Limits
    visitor_key: bytes


class Channel(Protocol):
    """One configured way in and out."""

    kind: ClassVar[str]

    @property
    def id(self) -> str:
        """The name of its block in the configuration."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    async def open(self, hub: HubSide) -> Listener:
        """Begin to work; return what wants to hear of its interactions.

        Raises:
            ChannelError: it cannot work as configured; the text says what to do.
        """

    async def close(self, reason: str) -> None:
        """Stop taking anything in, tell those connected why, and return when done."""
