"""Which parts of a mail are its words, which its files: bodies chosen, attachments named, containers opened."""

import re
from dataclasses import dataclass, field

from channels.mail import charsets, tnef, transfer
from channels.mail.filenames import clean_filename, sniff, unique_filename
from channels.mail.flowed import unflow
from channels.mail.headers import parse_block
from channels.mail.invitations import Invitation, read_invitation
from channels.mail.mime import Part

MAX_BODY = 4_000_000
"""Bytes of one text part that become words; the rest is in the raw mail."""
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_:-]{2,40})", re.IGNORECASE)
_REPORT_PARTS = frozenset(
    {"message/delivery-status", "message/disposition-notification", "message/feedback-report", "text/rfc822-headers",
     "message/global-delivery-status", "message/global-headers", "text/rfc822-header"}
)  # fmt: skip
_TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_CALENDARS = frozenset({"text/calendar", "application/ics"})
_IGNORED = frozenset({"application/applefile", "text/x-amp-html", "text/watch-html"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail."""

    filename: str
    """Safe to show and to store; unique within the mail."""
    content_type: str
    """As claimed; never trust it."""
    content: bytes = field(repr=False)
    sniffed_type: str = ""
    """As its first bytes say; "" when they say nothing."""
    content_id: str = ""
    is_inline: bool = False
    """Shown within the HTML, by its Content-ID."""

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content)


@dataclass
class Content:
    """What was found while walking a mail."""

    pieces: list[tuple[str, str]] = field(default_factory=list)
    """What is shown, in order: (plain text, HTML) of the same words, either may be ""."""
    attachments: list[Attachment] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    reports: list[Part] = field(default_factory=list)
    """Delivery reports, complaint reports and the header or mail they enclose."""
    names: set[str] = field(default_factory=set)
    defects: list[str] = field(default_factory=list)

    @property
    def has_words(self) -> bool:
        """Whether any piece has words."""
        return any(plain.strip() or page.strip() for plain, page in self.pieces)


def collect(raw: bytes, root: Part) -> Content:
    """Bodies, attachments, invitations and report parts of a mail."""
    content = Content()
    _visit(raw, root, content, in_report=False)
    _mark_inline(content)
    return content


def _visit(raw: bytes, part: Part, content: Content, *, in_report: bool) -> None:
    if not part.is_multipart:
        _leaf(raw, part, content, in_report=in_report)
        return
    kind = part.content_type
    if kind == "multipart/alternative":
        _alternative(raw, part, content)
        return
    is_report = kind == "multipart/report"
    for child in part.children:
        _visit(raw, child, content, in_report=is_report)


def _alternative(raw: bytes, part: Part, content: Content) -> None:
    """All ways to say the same: the last plain and the last HTML one count, files are files."""
    plain = page = ""
    for child in part.children:
        before = len(content.pieces)
        if child.content_type in _IGNORED:
            continue
        _visit(raw, child, content, in_report=False)
        found = content.pieces[before:]
        del content.pieces[before:]
        pages = [html for _, html in found if html.strip()]
        words = [text for text, html in found if text.strip() and not html]
        if pages:
            page = "\n".join(pages)
        plain = "\n".join(words) if words and not (pages and plain) else plain
    content.pieces.append((plain, page))


def _leaf(raw: bytes, part: Part, content: Content, *, in_report: bool) -> None:
    kind = part.content_type
    if kind in _REPORT_PARTS or (in_report and kind == "message/rfc822"):
        content.reports.append(part)
    elif kind in _IGNORED:
        return
    elif kind in _CALENDARS:
        _add_calendar(raw, part, content)
    elif kind in {"text/plain", "text/html"} and _is_body(part, content):
        _add_text(raw, part, content)
    elif kind in _TNEF_TYPES or part.filename.lower() == "winmail.dat":
        _add_tnef(raw, part, content)
    elif kind in {"message/rfc822", "message/global"}:
        _add_message(raw, part, content)
    else:
        _add_file(raw, part, content)


def _is_body(part: Part, content: Content) -> bool:
    if part.disposition == "attachment":
        return False
    return not part.filename or not content.has_words


def decode_text(raw: bytes, part: Part) -> str:
    """The words of a text part, line ends unified."""
    body = part.content(raw)[:MAX_BODY]
    label = part.parameters.get("charset")
    if part.content_type == "text/html" and (not label or charsets.codec_of(label) in {None, "ascii"}):
        found = _META_CHARSET.search(body[:4096])
        label = found[1].decode("ascii") if found else label
    return charsets.newlines(charsets.decode(body, label))


def _add_text(raw: bytes, part: Part, content: Content) -> None:
    text = decode_text(raw, part)
    if part.content_type == "text/html":
        content.pieces.append(("", text))
        return
    if part.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    text, files = transfer.split_uuencoded(text)
    content.pieces.append((text, ""))
    for file in files:
        _keep(content, file.filename, "application/octet-stream", file.content)


def _add_calendar(raw: bytes, part: Part, content: Content) -> None:
    found = read_invitation(decode_text(raw, part), part.parameters.get("method", ""))
    if found is not None and found not in content.invitations:
        content.invitations.append(found)
    _keep(content, part.filename or "invite.ics", part.content_type, part.content(raw))


def _add_tnef(raw: bytes, part: Part, content: Content) -> None:
    data = part.content(raw)
    opened = tnef.unpack(data)
    if opened is None:
        content.defects.append("winmail.dat unreadable")
        _add_file(raw, part, content)
        return
    for file in opened.files:
        _keep(content, file.filename, file.content_type or "application/octet-stream", file.content, file.content_id)
    if not content.has_words and (opened.text or opened.html):
        content.pieces.append((opened.text, opened.html))


def _add_message(raw: bytes, part: Part, content: Content) -> None:
    inner = part.content(raw)
    headers, _ = parse_block(inner)
    name = part.filename or f"{headers.text('subject')[:80] or 'message'}.eml"
    _keep(content, name if name.lower().endswith(".eml") else f"{name}.eml", part.content_type, inner)


def _add_file(raw: bytes, part: Part, content: Content) -> None:
    _keep(content, part.filename, part.content_type, part.content(raw), part.content_id)


def _keep(content: Content, name: str, kind: str, data: bytes, content_id: str = "") -> None:
    filename = clean_filename(name, content_type=kind, number=len(content.attachments) + 1)
    content.attachments.append(
        Attachment(unique_filename(filename, content.names), kind, data, sniff(data), content_id=content_id)
    )


def _mark_inline(content: Content) -> None:
    """A file is inline when the HTML refers to it, however its part was labelled."""
    page = "".join(page for _, page in content.pieces)
    if "cid:" not in page.lower():
        return
    for number, file in enumerate(content.attachments):
        if file.content_id and f"cid:{file.content_id}" in page:
            content.attachments[number] = Attachment(
                file.filename, file.content_type, file.content, file.sniffed_type, file.content_id, is_inline=True
            )
