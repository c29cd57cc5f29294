"""A channel of letters without a provider: what arrives is handed in, what is sent is kept, troubles are scripted."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import msgspec

import channels
from channels.mail.markup import sanitize
from hub.app import Hub
from hub.contract import (
    Candidate,
    Capabilities,
    ChannelStatus,
    Hint,
    HubSide,
    Inbound,
    InboundFile,
    InboundMessage,
    InboundReport,
    Listener,
    OutboundMessage,
    Placement,
    RawArrival,
    Receipt,
)
from hub.domain.correspondence import Authenticity, Party
from hub.domain.errors import HubError, PayloadUnreadable
from hub.settings import ChannelSettings
from hub.storage.unit_of_work import UnitOfWork
from tests.builders import Desk

MAILBOX = "support@fernway.example"
KIND = "letterbox"
PATH = "tests.letterbox:Letterbox"


@contextmanager
def known() -> Iterator[None]:
    """Let configurations name this kind of channel."""
    kinds: dict[str, str] = channels.KINDS
    kinds[KIND] = PATH
    try:
        yield
    finally:
        del kinds[KIND]


def block(queue: str = "support") -> ChannelSettings:
    """Return the configuration of a mailbox called `post`."""
    return ChannelSettings(id="post", kind=KIND, options={"queue": queue})


def of(hub: Hub) -> "Letterbox":
    """Return the mailbox of a hub."""
    return next(channel for channel in hub.channels if isinstance(channel, Letterbox))


async def all_read(desk: Desk) -> None:
    """Wait until everything that has arrived is read, however slow the machine is."""

    async def waiting(tx: UnitOfWork) -> int:
        row = await tx.fetch_one("SELECT count(*) FROM arrivals WHERE state = 'kept'")
        return int(row[0]) if row else 0

    async with asyncio.timeout(20):
        while await desk.hub.services.store.read(waiting):
            await desk.settle()
    await desk.settle()


class Mailed(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as it travels in this world; `answers` are names of earlier ones."""

    name: str
    sender: Party
    to: tuple[Party, ...] = (Party(MAILBOX, "Fernway Outdoor"),)
    cc: tuple[Party, ...] = ()
    reply_to: tuple[Party, ...] = ()
    subject: str = ""
    text: str = ""
    quoted: str = ""
    html: str = ""
    language: str = "en"
    answers: tuple[str, ...] = ()
    files: tuple[tuple[str, str, bytes, str], ...] = ()
    """Name, type, content, and the name by which the page shows it."""
    authenticity: Authenticity = Authenticity.UNKNOWN
    remarks: tuple[str, ...] = ()
    is_automatic: bool = False
    must_not_answer: bool = False
    bounce_of: str = ""
    bounce_kind: str = "failed"
    status: str = ""


class Letterbox:
    """One mailbox. `faults` are raised by the next sendings, in order; `refused` recipients are not taken."""

    kind: ClassVar[str] = KIND

    def __init__(self, *, id: str, queue: str = "support") -> None:  # noqa: A002 - a key of the block
        self._id = id
        self._queue = queue
        self._hub: HubSide | None = None
        self.sent: list[OutboundMessage] = []
        self.faults: list[HubError] = []
        self.receipt: dict[str, Any] = {}
        self.is_legible = True
        self.line = ChannelStatus(is_up=False, since=0)

    @property
    def id(self) -> str:
        return self._id

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            kind="email",
            label="E-mail",
            icon="mail",
            is_live=False,
            has_files=True,
            keeps_agent=True,
            has_envelopes=True,
            can_begin=True,
        )

    @property
    def status(self) -> ChannelStatus:
        return self.line

    async def open(self, hub: HubSide) -> Listener:
        self._hub = hub
        self.line = ChannelStatus(is_up=True, since=hub.clock.now())
        return Listener(on_message=lambda _interaction, _message: None, on_change=lambda _interaction: None)

    async def close(self, reason: str) -> None:
        self._hub = None

    # -- in

    async def post(self, *letters: Mailed) -> None:
        """These letters arrive, in this order."""
        assert self._hub is not None
        arrivals = [RawArrival(provider_id=one.name, raw=msgspec.json.encode(one)) for one in letters]
        await self._hub.inbox.keep(self._id, arrivals, {})

    async def read(self, raw: bytes) -> Inbound:
        if not self.is_legible:
            raise PayloadUnreadable("Part 3 ends before its boundary.")
        letter = msgspec.json.decode(raw, type=Mailed)
        message = InboundMessage(
            dedupe=letter.name,
            sender=letter.sender,
            subject=letter.subject,
            text=letter.text,
            quoted=letter.quoted,
            html=letter.html,
            language=letter.language,
            reply_to=letter.reply_to,
            to=letter.to,
            cc=letter.cc,
            provider_id=letter.name,
            references=letter.answers,
            files=tuple(InboundFile(name=n, type=t, content=c, cid=cid) for n, t, c, cid in letter.files),
            hints=tuple(Hint(kind="message", value=name, key=at) for at, name in enumerate(letter.answers)),
            place=lambda found: placed(found, letter.sender),
            authenticity=letter.authenticity,
            remarks=letter.remarks,
            is_automatic=letter.is_automatic,
            must_not_answer=letter.must_not_answer,
            queue=self._queue,
        )
        if not letter.bounce_of:
            return message
        return InboundReport(
            dedupe=letter.name,
            kind=letter.bounce_kind,
            provider_ids=(letter.bounce_of,),
            recipient=letter.sender.address,
            status=letter.status,
            text=letter.text,
            message=message,
        )

    # -- out

    def name_message(self, outgoing: str, interaction: str) -> str:
        return f"<{outgoing}.{interaction}@fernway.example>"

    async def send(self, message: OutboundMessage) -> Receipt:
        if message.before_handover is not None:
            await message.before_handover()
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append(message)
        return Receipt(provider_id=message.provider_id, **self.receipt)

    @property
    def address(self) -> str:
        return MAILBOX

    def owns(self, address: str) -> bool:
        return address.lower() == MAILBOX

    def subject(self, subject: str, mode: str) -> str:
        mark = "Fwd: " if mode == "forward" else "Re: "
        return subject if subject.startswith(mark) else f"{mark}{subject}"

    def signature(self, own: str, agent: str, language: str) -> str:
        return own or f"{agent}\nFernway Outdoor, Trail Street 4"

    def safe_page(
        self, html: str, images: Mapping[str, str], *, remote_image: Callable[[str], str] | None = None
    ) -> str:
        return sanitize(html, inline_images=images, remote_image=remote_image).html


def placed(found: Mapping[int, Candidate], sender: Party) -> Placement:
    """Return where a letter belongs: to what it answers, if its sender takes part there."""
    for candidate in found.values():
        if sender.address.lower() in candidate.participants:
            return Placement(join=candidate.interaction, reason="references by a participant")
    linked: Sequence[str] = [candidate.interaction for candidate in found.values()]
    if linked:
        return Placement(linked=linked[0], reason="references: the sender is no participant")
    return Placement(reason="nothing points to an earlier interaction")
