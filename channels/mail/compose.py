"""A letter made into a mail: the words with signature and what they answer, text and HTML, files, and the fields.

The same letter makes the same bytes at each try. BCC recipients are on the envelope alone.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from channels.mail import writing
from channels.mail.markup import sanitize
from channels.mail.phrasing import FORWARDED, WROTE, moment, of
from channels.mail.references import mac, make_message_id, own_message
from channels.mail.rendering import as_text, render
from channels.mail.templates import Templates, as_html
from channels.mail.threads import make_reply_address, read_reply_address
from hub.contract import OutboundMessage
from hub.domain.correspondence import Party, Quoted
from hub.domain.errors import MessageRejected

_LOOP = "X-Auto-Response-Suppress"
_REPLIED: Final = frozenset({"acknowledgement", "flow"})
"""Kinds of automatic letters that answer one of the customer's (RFC 3834, 5.2)."""
_MAX_QUOTED = 200_000


_PARKED_PICTURE: Final = re.compile(r"<img\b[^>]*\bdata-remote-src=[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """Whose mails these are. `aliases` come back to the mailbox too; `has_plus`: its server takes `name+detail@`."""

    address: str
    key: bytes
    name: str = ""
    aliases: tuple[str, ...] = ()
    has_plus: bool = True
    sender_format: str = "{agent} ({mailbox})"
    signature: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"

    @property
    def domain(self) -> str:
        """What follows the @, as it goes on the wire."""
        return writing.mailable(self.address).address.rpartition("@")[2]

    def owns(self, address: str) -> bool:
        """Whether a mail to `address` comes back here: the mailbox, an alias, or either with a detail."""
        local, _, domain = address.strip().lower().rpartition("@")
        own = {self.address.lower(), *(alias.lower() for alias in self.aliases)}
        return f"{local}@{domain}" in own or (self.has_plus and f"{local.partition('+')[0]}@{domain}" in own)

    def message_id(self, outgoing: str) -> str:
        """The signed Message-ID of an outgoing letter."""
        return make_message_id(self.key, outgoing, self.domain)

    def outgoing(self, message_id: str) -> str:
        """The letter that a Message-ID of ours names, "" for a stranger's."""
        return own_message([self.key], message_id)

    def sender_name(self, agent: str) -> str:
        """The name beside the address: the agent's and the mailbox's, as configured."""
        if not agent or not self.name:
            return agent or self.name
        return self.sender_format.replace("{agent}", agent).replace("{mailbox}", self.name)


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A mail ready to go. `is_utf8`: some address needs SMTPUTF8; `recipients` is (address as stored, on the wire)."""

    content: bytes
    sender: str
    recipients: tuple[tuple[str, str], ...]
    is_utf8: bool


def compose(message: OutboundMessage, box: Letterhead, templates: Templates) -> Composed:
    """Make the mail.

    Raises:
        MessageRejected: an address in it is none.
    """
    try:
        sender = writing.mailable(box.address)
        everybody = [*message.to, *message.cc, *message.bcc]
        wire = [(party.address, writing.mailable(party.address)) for party in everybody]
        headers = _headers(message, box)
    except writing.Unaddressable as error:
        raise MessageRejected(str(error), "553") from error
    pending = set(message.pending) or {party.address for party in everybody}
    return Composed(
        content=headers + _body(message, box, templates),
        sender=sender.address,
        recipients=tuple(dict.fromkeys((stored, one.address) for stored, one in wire if stored in pending)),
        is_utf8=sender.is_utf8 or any(one.is_utf8 for _, one in wire),
    )


def _headers(message: OutboundMessage, box: Letterhead) -> bytes:
    name = box.sender_name(message.sender)
    fields = [
        ("Date", format_datetime(datetime.fromtimestamp(message.at // 1000, UTC))),
        ("From", writing.mailbox(name, box.address)),
        ("To", writing.mailboxes(_pairs(message.to))),
    ]
    if message.cc:
        fields.append(("Cc", writing.mailboxes(_pairs(message.cc))))
    if box.has_plus and message.to:
        fields.append(("Reply-To", writing.mailbox(name, _reply_address(box, message))))
    fields += [("Subject", writing.words(message.subject, used=9)), ("Message-ID", message.provider_id)]
    if message.in_reply_to:
        fields.append(("In-Reply-To", writing.references([message.in_reply_to])))
    if message.references:
        fields.append(("References", writing.references(message.references)))
    if message.is_automatic:
        submitted = "auto-replied" if message.mode in _REPLIED else "auto-generated"
        fields += [("Auto-Submitted", submitted), (_LOOP, "All")]
    if message.language:
        fields.append(("Content-Language", "".join(c for c in message.language[:20] if c.isalnum() or c == "-")))
    fields.append(("MIME-Version", "1.0"))
    return b"".join(writing.field(name, value) for name, value in fields if value)


def _reply_address(box: Letterhead, message: OutboundMessage) -> str:
    """The signed address that answers come to, made for the first recipient: the others are participants too."""
    address = make_reply_address(box.key, box.address, message.interaction, message.to[0].address)
    local = address.rpartition("@")[0]
    return address if len(local) <= 64 and read_reply_address(address) else box.address


def _pairs(parties: Sequence[Party]) -> list[tuple[str, str]]:
    return [(party.name, party.address) for party in parties]


def _body(message: OutboundMessage, box: Letterhead, templates: Templates) -> bytes:
    plain, page = render_letter(message, box, templates)
    both = writing.multipart(
        "alternative",
        [writing.text_part("plain", plain), writing.text_part("html", page)],
        _boundary(box, message, "a"),
    )
    if not message.files:
        return both
    parts = [both, *(writing.file_part(file.name, file.type, _read(file.path)) for file in message.files)]
    return writing.multipart("mixed", parts, _boundary(box, message, "m"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MessageRejected("A file of this letter is gone.") from error


def _boundary(box: Letterhead, message: OutboundMessage, part: str) -> str:
    """A boundary nobody can guess, the same at each try: content that knew it could end a part."""
    digest = hashlib.sha256(mac(box.key, "boundary", message.id, part).encode() + box.key).hexdigest()
    return f"=_{part}_{digest[:32]}"


def render_letter(message: OutboundMessage, box: Letterhead, templates: Templates) -> tuple[str, str]:
    """The text and the page of a letter."""
    language = message.language.partition("-")[0].lower() or "en"
    zone = ZoneInfo(box.zone)
    quoted = _quoted(message.quoted, message.mode, language, zone) if message.quoted else None
    text, words = message.text, as_html(message.text)
    if message.transcript:
        text, words = templates.transcript(message.transcript, zone)
    common = {
        "language": language,
        "subject": writing.one_line(message.subject),
        "signature": message.signature,
        "quoted": quoted,
        "choices": message.choices,
    }
    plain = templates.render("letter.txt.j2", text=text.strip("\n"), **common)
    page = templates.render("letter.html.j2", words=words, signature_html=as_html(message.signature), **common)
    return plain, page


def _quoted(quoted: Quoted, mode: str, language: str, zone: ZoneInfo) -> dict[str, object]:
    at = moment(datetime.fromtimestamp(quoted.at / 1000, zone)) if quoted.at else ""
    # Pictures from elsewhere stay behind: what we send on must not tell their owner who reads it.
    page = _PARKED_PICTURE.sub("", sanitize(quoted.html, text=quoted.text).html) if quoted.html else ""
    html = page or str(as_html(quoted.text))
    text = (quoted.text or (as_text(render(quoted.html)) if quoted.html else ""))[:_MAX_QUOTED]
    if mode == "forward":
        heading = _forwarded(quoted, language, at)
    else:
        name = _shown(quoted.sender) or "?"
        heading = of(WROTE, language).format(date=at, name=name)
        text = "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in text.split("\n"))
    return {"heading": heading, "heading_html": as_html(heading), "text": text, "html": Templates.safe(html)}


def _forwarded(quoted: Quoted, language: str, at: str) -> str:
    title, sender, date, subject, to, cc = of(FORWARDED, language)
    lines = [
        (sender, _shown(quoted.sender)),
        (date, at),
        (subject, writing.one_line(quoted.subject)),
        (to, ", ".join(map(_shown, quoted.to))),
        (cc, ", ".join(map(_shown, quoted.cc))),
    ]
    return f"---------- {title} ----------\n" + "\n".join(f"{name}: {value}" for name, value in lines if value) + "\n"


def _shown(party: Party | None) -> str:
    if party is None:
        return ""
    name = writing.one_line(party.name)
    address = writing.one_line(party.address)
    return f"{name} <{address}>" if name and address else name or address
