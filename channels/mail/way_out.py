"""A mailbox's way out as its configuration block describes it: checked at start, and the channel's half that sends."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from channels.mail.compose import Letterhead
from channels.mail.markup import sanitize
from channels.mail.phrasing import answer_subject, duration, moment
from channels.mail.sent import SentFolder
from channels.mail.smtp import Security, Sender, Submission, Token
from channels.mail.templates import Templates
from hub.contract import AutomaticText, Circumstances, OutboundMessage, Pace, Receipt
from hub.domain.errors import ChannelUnavailable
from hub.settings import Problem, Secret

_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S+|(?<!\S)[^\s/]+\.[a-z]{2,20}/\S*", re.IGNORECASE)
_ADDRESS = re.compile(r"://|@|\.[a-z]{2,}", re.IGNORECASE)
"""What an acknowledgement repeats of a stranger's words goes to whoever they say they are: it carries no links."""


@dataclass(frozen=True, kw_only=True)
class Outlet:
    """The keys of a mailbox's block that concern sending; docs/how-to/email.md says what each does."""

    address: str
    name: str
    aliases: tuple[str, ...]
    host: str
    port: int
    security: Security
    user: str
    password: Secret | None
    at_once: int
    per_minute: int
    ca_file: str
    sent_folder: str
    plus_addresses: bool
    sender_format: str
    signature: Mapping[str, str] = field(default_factory=dict)
    acknowledge: bool = False
    acknowledgement: Mapping[str, str] = field(default_factory=dict)
    acknowledgement_closed: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"

    @classmethod
    def of(cls, block: Mapping[str, Any], address: str, aliases: tuple[str, ...]) -> "Outlet":
        """Take what concerns sending out of a mailbox's whole block; what it leaves empty is as for reading."""
        taken = {name.removeprefix("smtp_"): value for name, value in block.items() if name.startswith("smtp_")}
        taken["host"] = taken["host"] or block["imap_host"]
        taken["user"] = taken["user"] or block["imap_user"] or address
        if taken["password"] is None and not block["oauth"]:
            taken["password"] = block["imap_password"]
        for name in ("name", "ca_file", "sent_folder", "plus_addresses", "sender_format", "acknowledge", "zone"):
            taken[name] = block[name]
        for name in ("signature", "acknowledgement", "acknowledgement_closed"):
            taken[name] = block[name] or {}
        return cls(address=address, aliases=aliases, **taken)

    def submission(self, token: Token | None) -> Submission:
        """How mail is handed in; with a token when there is no password."""
        return Submission(
            host=self.host,
            port=self.port,
            security=self.security,
            user=self.user,
            password=self.password.reveal() if isinstance(self.password, Secret) else "",
            token=token if self.password is None else None,
            ca_file=self.ca_file,
            local_name=self.address.rpartition("@")[2] if self.address.isascii() else "",
            at_once=self.at_once,
            per_minute=self.per_minute,
        )

    def letterhead(self, key: bytes) -> Letterhead:
        """Whose mails these are."""
        return Letterhead(
            address=self.address,
            key=key,
            name=self.name,
            aliases=self.aliases,
            has_plus=self.plus_addresses,
            sender_format=self.sender_format,
            signature=self.signature,
            zone=self.zone,
        )

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with it, each with the key that has to change."""
        found = []
        if problem := self.submission(None).problem():
            found.append(Problem(where=f"{where}.smtp_security", text=problem))
        if self.at_once < 1 or self.per_minute < 0:
            found.append(
                Problem(where=f"{where}.smtp_at_once", text="At least one letter at once, and no negative pace.")
            )
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            found.append(Problem(where=f"{where}.zone", text=f"There is no time zone {self.zone!r}."))
        templates = Templates(Path())
        for key in ("signature", "acknowledgement", "acknowledgement_closed"):
            for language, text in getattr(self, key).items():
                if problem := templates.check(text):
                    found.append(Problem(where=f"{where}.{key}.{language}", text=problem))
        return found


class WayOut:
    """The half of the mail channel that writes: what `Sends`, `Paced`, `Corresponds`, `Acknowledges`, `Shows` want."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._templates = Templates(Path())
        self._sender: Sender | None = None
        self._sent: SentFolder | None = None

    def open_way_out(
        self,
        key: bytes,
        templates: Path,
        *,
        token: Token | None = None,
        sent: SentFolder | None = None,
    ) -> None:
        """Make ready to send; nothing is connected yet. `sent` gets copies, and is closed with the way out."""
        self._templates = Templates(templates)
        box = self._outlet.letterhead(key)
        self._sent = sent
        keep_sent = sent.keep if sent is not None else None
        self._sender = Sender(self._outlet.submission(token), box, self._templates, keep_sent=keep_sent)

    async def close_way_out(self) -> None:
        """Say good-bye to the server."""
        if self._sender is not None:
            await self._sender.close()
        if self._sent is not None:
            await self._sent.close()

    @property
    def pace(self) -> Pace:
        """As the block says."""
        return Pace(at_once=self._outlet.at_once, per_minute=self._outlet.per_minute)

    def name_message(self, outgoing: str, interaction: str) -> str:
        """Return the signed Message-ID of a letter.

        Raises:
            ChannelUnavailable: the channel is not open.
        """
        return self._open_sender().name_message(outgoing, interaction)

    async def send(self, message: OutboundMessage) -> Receipt:
        """Hand a letter to the server; see `Sends.send`."""
        return await self._open_sender().send(message)

    def _open_sender(self) -> Sender:
        if self._sender is None:
            raise ChannelUnavailable("The mailbox is not open.")
        return self._sender

    @property
    def address(self) -> str:
        """Where people write to it (see `Corresponds`)."""
        return self._outlet.address

    def owns(self, address: str) -> bool:
        """Whether mail to this address comes back here."""
        return self._outlet.letterhead(b"").owns(address)

    def subject(self, subject: str, mode: str) -> str:
        """Return an answer's subject, marked once."""
        return answer_subject(subject, mode)

    def signature(self, own: str, agent: str, language: str) -> str:
        """Return what stands below an agent's words."""
        return self._open_sender().signature(own, agent, language)

    def acknowledgement(self, circumstances: Circumstances) -> AutomaticText | None:
        """Return the automatic acknowledgement in the customer's language, if the block wants one."""
        if not self._outlet.acknowledge:
            return None
        language = circumstances.language.partition("-")[0].lower() or "en"
        subject = _LINK.sub("...", circumstances.subject)
        zone = ZoneInfo(circumstances.zone)
        at = circumstances.opens_at
        values = {
            "name": "" if _ADDRESS.search(circumstances.name) else circumstances.name,
            "subject": subject,
            "company": circumstances.company,
            "is_open": circumstances.is_open,
            "opens_at": moment(datetime.fromtimestamp(at / 1000, zone)) if at is not None else "",
            "answer": duration(circumstances.answer_s, language) if circumstances.answer_s else "",
        }
        own = self._outlet.acknowledgement if circumstances.is_open else self._outlet.acknowledgement_closed
        source = own.get(language) or own.get("en") or next(iter(own.values()), "")
        if source:
            text = self._templates.render_text(source, **values)
        else:
            text = self._templates.acknowledgement(language, **values)
        return AutomaticText(answer_subject(subject, "reply"), text)

    def safe_page(
        self, html: str, images: Mapping[str, str], *, remote_image: Callable[[str], str] | None = None
    ) -> str:
        """Return a page of a stranger's fit to show in a sandboxed frame."""
        return sanitize(html, inline_images=images, remote_image=remote_image).html
