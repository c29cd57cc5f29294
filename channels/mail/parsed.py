"""One mail read: bytes in, everything the hub wants to know out, never an exception, bounded time and memory."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import cached_property

from channels.mail import (
    authenticity,
    bounces,
    content,
    folding,
    identity,
    machine,
    markup,
    references,
    rendering,
    threads,
    trimming,
)
from channels.mail.addresses import Address, parse_addresses
from channels.mail.authenticity import Authenticity, KeyLookup
from channels.mail.bounces import Bounce
from channels.mail.content import Attachment
from channels.mail.folding import FoldedPage
from channels.mail.headers import Headers
from channels.mail.invitations import Invitation
from channels.mail.machine import MachineMail
from channels.mail.markup import SafeHtml
from channels.mail.mime import Limits, Part, parse_structure
from channels.mail.threads import Evidence
from channels.mail.trimming import Trimmed

_STUB = re.compile(
    r"view|display|show|read|support|unterstützt|anzeigen|ansicht|afficher|ver |visualiz|格式|浏览器", re.IGNORECASE
)
_MAX_RECIPIENT_FIELDS = 50


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a reader must be told about its surroundings."""

    own_addresses: frozenset[str] = frozenset()
    """Addresses of the hub's mailboxes, lower case: mail from them is a loop."""
    signing_keys: tuple[bytes, ...] = ()
    """Keys of our Message-IDs and reply addresses, the current one first."""
    trusted_servers: frozenset[str] = frozenset()
    """authserv-ids whose Authentication-Results count, lower case."""
    key_lookup: KeyLookup | None = None
    """For verifying DKIM when none of them said anything."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True)
class ParsedMail:
    """A mail as the hub sees it."""

    subject: str
    authors: tuple[Address, ...]
    """From; usually one, sometimes none, two only from the strange and the hostile."""
    sender: Address | None
    """The Sender header."""
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    delivered_to: tuple[str, ...]
    """Every address that the mail went to by its headers, lower case, for finding mailbox and signed address."""
    date: datetime | None
    message_id: str
    """As sent; "" when missing or of no use."""
    stable_id: str
    """`message_id`, or one made from the content."""
    dedupe_key: str
    in_reply_to: str
    references: tuple[str, ...]
    body_text: str
    """All words, quotations included."""
    trimmed: Trimmed
    """The words divided; of the HTML when its structure tells more than the plain text."""
    html: str
    """As sent, unsafe; "" when there was none."""
    attachments: tuple[Attachment, ...]
    invitations: tuple[Invitation, ...]
    machine: MachineMail
    bounce: Bounce | None
    evidence: tuple[Evidence, ...]
    authenticity: Authenticity
    headers: Headers
    defects: tuple[str, ...]
    """What was broken or left out."""
    folded_page: FoldedPage | None = field(default=None, repr=False, compare=False)
    """The HTML divided, when reading the mail needed that."""

    @property
    def author(self) -> Address:
        """The first author; an empty address when there is none."""
        return self.authors[0] if self.authors else Address("")

    @cached_property
    def safe_html(self) -> SafeHtml:
        """The HTML fit to show, made when it is asked for: whoever only sorts mail does without."""
        return markup.sanitize(self.html, text=self.body_text) if self.html else SafeHtml("")

    @property
    def reply_text(self) -> str:
        """The new words."""
        return self.trimmed.reply_text

    def shown_html(self, *, inline_images: Mapping[str, str] | None = None) -> SafeHtml:
        """The HTML to show, with addresses for its inline images; those from elsewhere are held back."""
        return markup.sanitize(self.html, inline_images=inline_images, text=self.body_text)

    def new_html(self, *, inline_images: Mapping[str, str] | None = None) -> SafeHtml:
        """`shown_html` with the new words only: quotations, signatures and disclaimers are left out."""
        if not self.html:
            return SafeHtml("")
        page = self.folded_page
        if page is None:
            page = folding.fold(self.html, sender=self.author.name, address=self.author.email)
        kept = page.new_html
        if kept is None:
            return self.shown_html(inline_images=inline_images) if inline_images else self.safe_html
        safe = markup.sanitize(kept, inline_images=inline_images, text=self.trimmed.reply_text)
        return replace(safe, html=folding.prune(safe.html))


@dataclass(frozen=True, slots=True)
class _Words:
    body_text: str
    html: str
    trimmed: Trimmed
    folded_page: FoldedPage | None = None


def parse(raw: bytes, reading: Reading | None = None) -> ParsedMail:
    """Read one mail."""
    reading = reading or Reading()
    raw = _with_line_feeds(raw)
    root, defects = parse_structure(raw, reading.limits)
    headers = root.headers
    found = content.collect(raw, root)
    authors = parse_addresses(headers.raw("from"))
    author = authors[0] if authors else None
    subject = headers.text("subject")
    words = _words(found, author or Address(""))
    bounce = bounces.read_bounce(raw, found, headers, author, subject, words.body_text)
    attachments = tuple(
        file for file in found.attachments if bounce is None or not file.content_type.startswith("message/")
    )
    message_id = references.first_message_id(headers.raw("message-id") or "")
    message_id = message_id if identity.is_usable(message_id) else ""
    digest = identity.fingerprint(
        author.email if author else "", headers.raw("date") or "", subject, words.body_text, found.attachments
    )
    delivered_to = _delivered_to(headers)
    return ParsedMail(
        subject=subject,
        authors=authors,
        sender=next(iter(parse_addresses(headers.raw("sender"))), None),
        reply_to=parse_addresses(headers.raw("reply-to")),
        to=_all_addresses(headers, "to"),
        cc=_all_addresses(headers, "cc"),
        delivered_to=delivered_to,
        date=parse_date(headers.raw("date") or ""),
        message_id=message_id,
        stable_id=message_id or identity.synthetic_message_id(digest),
        dedupe_key=identity.dedupe_key(message_id, digest),
        in_reply_to=references.first_message_id(headers.raw("in-reply-to") or ""),
        references=references.message_ids(" ".join(headers.all("references"))),
        body_text=words.body_text,
        trimmed=words.trimmed,
        html=words.html,
        attachments=attachments,
        invitations=tuple(found.invitations),
        machine=machine.judge(
            headers, author, subject, is_bounce=bounce is not None, own_addresses=reading.own_addresses
        ),
        bounce=bounce,
        evidence=threads.collect_evidence(headers, delivered_to, subject, reading.signing_keys),
        authenticity=authenticity.judge(
            raw, headers, authors, trusted=reading.trusted_servers, key_lookup=reading.key_lookup
        ),
        headers=headers,
        defects=(*defects, *found.defects),
        folded_page=words.folded_page,
    )


def _with_line_feeds(raw: bytes) -> bytes:
    """Mail of a system that ends lines with bare carriage returns, mended."""
    if b"\n" not in raw[:10_000] and b"\r" in raw[:10_000]:
        return raw.replace(b"\r", b"\n")
    return raw


def _all_addresses(headers: Headers, name: str) -> tuple[Address, ...]:
    values = headers.all(name)[:_MAX_RECIPIENT_FIELDS]
    return tuple(address for value in values for address in parse_addresses(value))


def _delivered_to(headers: Headers) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in threads.recipients_of(headers)[:_MAX_RECIPIENT_FIELDS]:
        for address in parse_addresses(value):
            if address.email:
                found.setdefault(address.key)
    return tuple(found)


def parse_date(value: str) -> datetime | None:
    """A Date field with its zone; None when it is no date."""
    try:
        parsed = parsedate_tz(value[:200])
        if parsed is None:
            return None
        offset = parsed[9] if parsed[9] is not None and abs(parsed[9]) < 86_400 else None
        zone = UTC if not offset else timezone(timedelta(seconds=offset))
        return datetime(*parsed[:6], tzinfo=zone)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _words(found: content.Content, author: Address) -> _Words:
    pieces = found.pieces
    page = (
        "\n".join(html or markup.text_as_html(plain) for plain, html in pieces)
        if any(html for _, html in pieces)
        else ""
    )
    folded: FoldedPage | None = None
    texts = []
    for plain, html in pieces:
        if html and (not plain.strip() or _is_stub(plain)):
            folded = folding.fold(html, sender=author.name, address=author.email)
            texts.append(rendering.as_text(folded.lines))
        else:
            texts.append(plain)
    body = "\n".join(texts).strip("\n").rstrip()
    if len(pieces) != 1:
        return _Words(body, page, trimming.trim(body, sender=author.name, address=author.email))
    if folded is not None:
        return _Words(body, page, folded.trimmed, folded)
    trimmed = trimming.trim(body, sender=author.name, address=author.email)
    if page and rendering.has_structure(page):
        folded = folding.fold(page, sender=author.name, address=author.email)
        trimmed = _better(trimmed, folded.trimmed)
    return _Words(body, page, trimmed, folded)


def _is_stub(plain: str) -> bool:
    """Plain text that only says to look at the HTML."""
    text = plain.strip()
    return len(text) < 200 and "html" in text.lower() and _STUB.search(text) is not None and len(text.split("\n")) < 5


def _better(of_text: Trimmed, of_html: Trimmed) -> Trimmed:
    """The HTML's answer when its structure found a quotation, unless it left nothing."""
    if of_html.is_whole or not of_html.has_quote:
        return of_text
    if not of_text.is_whole and of_text.has_quote and _compact(of_text) == _compact(of_html):
        return of_text  # the same words, in the line breaks their writer chose
    return of_html


def _compact(trimmed: Trimmed) -> str:
    return re.sub(r"[\W_]+", "", trimmed.reply_text)


def as_json(mail: ParsedMail) -> dict[str, object]:
    """What `hub mail parse` prints."""
    bounce = mail.bounce
    return {
        "subject": mail.subject,
        "from_email": mail.author.email,
        "from_name": mail.author.name,
        "to": [address.email for address in mail.to if address.email],
        "cc": [address.email for address in mail.cc if address.email],
        "date": mail.date.isoformat() if mail.date else None,
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "references": list(mail.references),
        "body_text": mail.body_text,
        "reply_text": mail.reply_text,
        "html_safe": mail.safe_html.html,
        "body_html_new": mail.new_html().html if mail.html else "",
        "parts": [
            {"kind": part.kind.value, "text": mail.trimmed.text[part.start : part.end]} for part in mail.trimmed.parts
        ],
        "attachments": [
            {"filename": file.filename, "content_type": file.content_type, "size": file.size}
            for file in mail.attachments
        ],
        "is_auto_reply": mail.machine.is_auto_reply,
        "must_not_answer": mail.machine.must_not_answer,
        "is_bounce": bounce is not None and bounce.kind in _BOUNCES,
        "bounce": {"recipient": bounce.recipient, "status": bounce.status, "message_id": bounce.message_id}
        if bounce
        else None,
        "thread_evidence": [
            {"kind": piece.kind.value, "value": piece.value, "strength": piece.strength.name.lower()}
            for piece in mail.evidence
        ],
        "remote_images": mail.safe_html.remote_images,
        "report": _report_as_json(bounce) if bounce else None,
        "authenticity": {
            "verdict": mail.authenticity.verdict.value,
            "spf": mail.authenticity.spf,
            "dkim": mail.authenticity.dkim,
            "dmarc": mail.authenticity.dmarc,
            "source": mail.authenticity.source,
            "remarks": list(mail.authenticity.remarks),
        },
        "invitations": [asdict(invitation) for invitation in mail.invitations],
        "machine_evidence": list(mail.machine.evidence),
        "defects": list(mail.defects),
    }


def _report_as_json(bounce: Bounce) -> dict[str, object]:
    return {
        "kind": bounce.kind.value,
        "envelope_id": bounce.envelope_id,
        "recipients": [
            {"recipient": one.recipient, "kind": one.kind.value, "status": one.status, "reason": one.reason}
            for one in bounce.recipients
        ],
    }


_BOUNCES = frozenset({bounces.BounceKind.FAILED, bounces.BounceKind.DELAYED})


__all__ = ["ParsedMail", "Part", "Reading", "as_json", "parse", "parse_date"]
