"""All that channels see of the hub, and all that the hub sees of channels.

A channel is built with its configuration block as keyword arguments, opened with the hub's side, and closed. It never
imports services or storage. What is said of phone calls is in `calls`. Instants are milliseconds since 1970 UTC.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

import msgspec

from hub.clock import Clock
from hub.contract.calls import Calls
from hub.domain.correspondence import Authenticity, LinkedChoice, Party, Quoted, Refusal, Spoken
from hub.domain.customers import AddressKind
from hub.domain.interaction import Interaction
from hub.domain.messages import FileRef, Message
from hub.domain.texting import Consent, TemplateUse, TextRules
from hub.domain.visitors import StoredFile
from hub.meters import SocketMeter, Unmetered
from hub.settings import Limits, Problem


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel can do; the console shows what this says and knows no channel by name.

    `is_live` means that somebody waits at the other end this minute; `keeps_agent` that work of a lost agent stays
    theirs instead of going back to the queue. `has_envelopes`: its messages carry a subject and recipients;
    `can_begin`: an agent may write first. `has_receipts`: the provider tells of each message how far it came;
    `has_segments`: it is charged by the segments of SMS.
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
    has_envelopes: bool = False
    can_begin: bool = False
    has_receipts: bool = False
    has_segments: bool = False


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

    async def identify(
        self, channel: str, visitor: VisitorId | None, identity: SignedIdentity, *, token_hash: str
    ) -> VisitorId | None:
        """Bind what the site vouches for; return the visitor as known from now on, by the token of `token_hash` alone.

        None: not known before a start.
        """

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


class RawArrival(msgspec.Struct, frozen=True, kw_only=True):
    """Something as it reached the channel. `provider_id` is the provider's own name for this very delivery.

    `received_at` is when the provider had it. With a `problem` it is not read but shown to a person, in these words;
    `raw` may then hold only the beginning of something of `size` bytes.
    """

    provider_id: str
    raw: bytes
    received_at: int | None = None
    size: int | None = None
    problem: str = ""


class InboundFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came with a message; `cid` is the name by which the message's own page shows it."""

    name: str
    type: str
    content: bytes
    cid: str = ""


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a message that points to what was said before.

    `kind`: `interaction` (an interaction's id), `message` (the provider's id of an earlier message, ours or theirs),
    `subject` (open interactions of the same sender in this channel are looked for), `sender` (their latest one here,
    open or lately ended) or `answered` (the provider's id of this very message: an answer to it may have come before
    it). `key` is the channel's own, to know the hint again.
    """

    kind: str
    value: str
    key: int = 0


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction that a hint points to. `participants`: all who wrote to it or were written to, as compared."""

    interaction: str
    participants: frozenset[str]
    subject: str = ""
    is_open: bool = True


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message belongs and why, in words: `join` the interaction, or open one, `linked` to one it may belong
    to.
    """

    join: str | None = None
    linked: str | None = None
    reason: str = ""


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was read: what every kind of it has.

    `dedupe` is the same for two deliveries of one thing, in whatever channel of the kind they came.
    """

    dedupe: str


class Ignored(Inbound, frozen=True, kw_only=True):
    """Nothing to do, and why."""

    reason: str


class InboundMessage(Inbound, frozen=True, kw_only=True):
    """A message that was read. Text is what the sender says now; `quoted` what was folded away, `html` unsafe, as sent.

    `place` is the channel's judgement: told which interactions the hints point to, it says where the message belongs.
    It is pure and quick, for it is asked inside the transaction. A `DISPROVED` sender joins no known customer.

    `flow` names the self-service flow that it begins in, if it opens an interaction. `consent` is what the sender says
    of being written to; `confirmation` is sent back where that is ours to confirm.
    """

    sender: Party | None
    sent_at: int | None = None
    subject: str = ""
    text: str = ""
    quoted: str = ""
    html: str = ""
    language: str = ""
    reply_to: tuple[Party, ...] = ()
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    provider_id: str = ""
    references: tuple[str, ...] = ()
    files: tuple[InboundFile, ...] = ()
    hints: tuple[Hint, ...] = ()
    place: Callable[[Mapping[int, Candidate]], Placement] | None = None
    authenticity: Authenticity = Authenticity.UNKNOWN
    remarks: tuple[str, ...] = ()
    is_automatic: bool = False
    must_not_answer: bool = False
    queue: str = ""
    kind: str = "email"
    address_kind: AddressKind = AddressKind.EMAIL
    flow: str = ""
    consent: Consent | None = None
    confirmation: str = ""


class InboundReport(Inbound, frozen=True, kw_only=True):
    """What a provider tells of messages we sent: delivered, delayed, failed, complained of.

    `provider_ids` name the message, surest first; where none is known, `recipient` and the time decide, or it becomes a
    message for a person (`message`). `kind`: failed, delayed, delivered, complaint.
    """

    kind: str
    provider_ids: tuple[str, ...] = ()
    recipient: str = ""
    status: str = ""
    text: str = ""
    message: InboundMessage | None = None


class InboundReceipt(Inbound, frozen=True, kw_only=True):
    """How far one message of ours has come, by the provider's word. Told twice or too late, it changes nothing.

    `provider_id` is the name it was given before the first try; `code` the provider's number of what went wrong.
    """

    provider_id: str
    progress: Literal["queued", "sent", "delivered", "read", "failed"]
    code: str = ""
    text: str = ""


class Inbox(Protocol):
    """The hub's side of what arrives in writing."""

    async def keep(self, channel: str, arrivals: Sequence[RawArrival], marks: Mapping[str, str]) -> int:
        """Keep what arrived as it is, and with it how far the channel has read, in one transaction.

        What is known already (channel, provider id) is not kept twice; returns how many were new. When this returns,
        the provider may be told that we have them; they are read soon, and after a restart, in order.
        """

    async def mark(self, channel: str, name: str) -> str:
        """Return how far the channel had read this source; empty for never."""

    async def refuse(self, channel: str, arrival: RawArrival | None) -> None:
        """Count a request that nobody can vouch for, and keep it (not `None`) to be read again, up to a limit."""


class OutboundFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to send; the bytes lie at `path`. `link` is a path of the hub's that opens it for a while, to anybody."""

    name: str
    type: str
    size: int
    path: Path
    cid: str = ""
    link: str = ""


class OutboundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be sent. `provider_id` was given before the first try (see `Sends.name_message`); `attempt` is 1, 2
    ...

    `sender` is the name customers see. `in_reply_to` and `references` are provider ids. `quoted` is the message that is
    answered (or, in mode `forward`, passed on) below the words; None where nothing is quoted. `transcript` is what was
    said, where that is sent. `is_automatic`: a machine wrote it. `pending`, where it is not empty, are the recipients
    that still have to get it; the others have it and are only shown. `choices` are answers listed below the words.

    `before_handover` is awaited when the next step may make the provider take the message; what it raises is passed
    on, and nothing is sent then. What happens before is safe to repeat; a channel that never awaits it promises that
    each of its errors means that the provider does not have the message.
    """

    id: str
    interaction: str
    n: int
    provider_id: str
    attempt: int
    at: int
    to: tuple[Party, ...]
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    sender: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    files: tuple[OutboundFile, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    language: str = ""
    is_automatic: bool = False
    mode: str = ""
    signature: str = ""
    quoted: Quoted | None = None
    transcript: tuple[Spoken, ...] = ()
    pending: tuple[str, ...] = ()
    template: TemplateUse | None = None
    choices: tuple[LinkedChoice, ...] = ()
    before_handover: Callable[[], Awaitable[None]] | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The provider has it; some recipients may have been refused."""

    provider_id: str
    refused: tuple[Refusal, ...] = ()
    status: str = ""


@runtime_checkable
class Reads(Protocol):
    """A channel whose arrivals are kept raw and read afterwards."""

    async def read(self, raw: bytes) -> Inbound:
        """Read one arrival. Called again for the same bytes it says the same.

        Raises:
            PayloadUnreadable: it cannot be read; it is shown to a person and can be read again.
        """


@runtime_checkable
class ReadsApart(Protocol):
    """One that can read an arrival where that hurts nobody: a hub has died over this one before."""

    async def read_apart(self, raw: bytes) -> Inbound:
        """Read one arrival as `Reads.read` does, in a process that may end of it.

        Raises:
            PayloadUnreadable: it cannot be read, or ended the process.
        """


@runtime_checkable
class Sends(Protocol):
    """A channel that sends letters from the hub's outbox."""

    def name_message(self, outgoing: str, interaction: str) -> str:
        """Return the provider's id that a letter will carry, the same for each try."""

    async def send(self, message: OutboundMessage) -> Receipt:
        """Hand a message to the provider; return when the provider has it.

        Raises:
            ChannelUnavailable: later. MessageRejected: never. DeliveryUncertain: nobody can know.
        """


class ChannelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel's line to its provider is: up, or sought since an instant, and why it is not there, in words."""

    is_up: bool
    since: int
    reason: str = ""


@runtime_checkable
class HasLine(Protocol):
    """A channel that keeps a line to a provider."""

    @property
    def status(self) -> ChannelStatus:
        """How it is now."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a channel may send: letters at once, and letters a minute (0: any number).

    `retry_first_s` and `give_up_s` are what the settings of letters say, where the channel says nothing else.
    """

    at_once: int = 2
    per_minute: int = 0
    retry_first_s: float | None = None
    give_up_s: float | None = None


@runtime_checkable
class Paced(Protocol):
    """A channel that says how fast it may send; others send two letters at once."""

    @property
    def pace(self) -> Pace:
        """How fast it may send."""


@runtime_checkable
class SendsTexts(Protocol):
    """A channel of short messages, each sent as soon as it is written: it `Sends` them, and `Reads` what arrives."""

    @property
    def rules(self) -> TextRules:
        """What a text may be."""


@runtime_checkable
class Corresponds(Protocol):
    """A channel whose letters have addresses, subjects and signatures by rules of its own. All is pure and quick."""

    @property
    def address(self) -> str:
        """Where people write to it."""

    def owns(self, address: str) -> bool:
        """Whether letters to this address come back to this channel."""

    def subject(self, subject: str, mode: str) -> str:
        """Return the subject of a letter that answers or forwards one with this subject."""

    def signature(self, own: str, agent: str, language: str) -> str:
        """Return what stands below an agent's words. `own` is what the agent wrote for that, `agent` their name."""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What an automatic acknowledgement may tell. `opens_at` is set while closed, `answer_s` where it is known."""

    interaction: str
    language: str = ""
    name: str = ""
    subject: str = ""
    company: str = ""
    is_open: bool = True
    opens_at: int | None = None
    zone: str = "UTC"
    answer_s: int | None = None


class AutomaticText(msgspec.Struct, frozen=True):
    """An automatic letter's subject and words."""

    subject: str
    text: str


@runtime_checkable
class Acknowledges(Protocol):
    """A channel that acknowledges what opens an interaction."""

    def acknowledgement(self, circumstances: Circumstances) -> AutomaticText | None:
        """Return what to answer at once, None for nothing. Pure and quick: it is asked inside the transaction."""


@runtime_checkable
class Shows(Protocol):
    """A channel whose messages have pages that strangers made."""

    def safe_page(
        self, html: str, images: Mapping[str, str], *, remote_image: Callable[[str], str] | None = None
    ) -> str:
        """Return the page fit to show in a sandboxed frame.

        `images` gives addresses for its inline images by cid, `remote_image` for those from elsewhere by theirs;
        without it they are held back.
        """


@runtime_checkable
class HasAddresses(Protocol):
    """A channel whose provider calls the hub, and must be told where. Both are pure; `hub check-config` asks."""

    def addresses(self, public_url: str) -> Mapping[str, str]:
        """Return what to enter at the provider: the name that it has there -> the address."""

    def advice(self, public_url: str) -> Sequence[Problem]:
        """Return what can be run but will not work for everybody, as warnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSide:
    """What a channel is given when it is opened."""

    clock: Clock
    conversations: Conversations
    inbox: Inbox
    files: Files
    calls: Calls
    public_url: str
    templates: Path
    client_ip: Callable[[object], str]
    limits: Limits
    visitor_key: bytes
    meter: SocketMeter = field(default_factory=Unmetered)
    """Is told what customers' sockets do."""


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
