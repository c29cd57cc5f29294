"""Delivery, read and complaint reports, standard or not, tied to the message they are about.

Standard: RFC 3464 (delivery), RFC 8098 (read), RFC 5965 (complaints). The others are read from the words of
the mail systems that write them; see `bounce_phrases`.
"""

# ruff: noqa: E501, RUF001

import re
from dataclasses import dataclass, field
from enum import Enum

from channels.mail import bounce_phrases as phrases
from channels.mail.addresses import Address, addresses_in, normalize
from channels.mail.charsets import decode, newlines
from channels.mail.content import Content
from channels.mail.headers import Headers, make_headers, parse_block
from channels.mail.references import first_message_id

_MAX_TEXT = 100_000
_MAX_RECIPIENTS = 200
_MAX_WORDS = 30_000
"""Characters of a report in words that are searched for what failed and why: two hundred recipients take fewer."""


class BounceKind(Enum):
    """What the report says about the message."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    READ = "read"
    """A disposition notification; it may also say "deleted unread"."""
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class BouncedRecipient:
    """One recipient of a report."""

    recipient: str
    kind: BounceKind
    status: str = ""
    """Enhanced status code (RFC 3463), "5.1.1"; "" when none was given."""
    reason: str = ""
    """The other server's words."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report; `recipient`, `status`, `reason` are those of its first recipient that failed."""

    kind: BounceKind
    recipient: str = ""
    status: str = ""
    reason: str = ""
    message_id: str = ""
    """Of the message that the report is about; "" when it was not enclosed."""
    envelope_id: str = ""
    recipients: tuple[BouncedRecipient, ...] = ()


@dataclass
class _Report:
    """What the parts of a report gave."""

    groups: list[Headers] = field(default_factory=list)
    feedback: Headers | None = None
    disposition: Headers | None = None
    original: Headers | None = None


def read_bounce(
    raw: bytes, content: Content, headers: Headers, sender: Address | None, subject: str, text: str
) -> Bounce | None:
    """The report that a mail is, None when it is an ordinary mail.

    Args:
        raw: the mail.
        content: its parts.
        headers: its headers.
        sender: its first author.
        subject: decoded.
        text: its words, quotations included.
    """
    is_report = bool(content.reports) or ("x-failed-recipients" in headers and _is_of_machine(headers, sender))
    if not is_report and not _sounds_like_bounce(headers, sender, subject, text):
        return None
    report = _read_parts(raw, content)
    original_id, text_above = _original(report, content, text)
    if report.feedback is not None:
        return _complaint(report.feedback, original_id, report.original)
    if report.disposition is not None:
        return _disposition(report.disposition, original_id)
    found = _standard(report, original_id)
    if found is not None and found.recipient:
        return found if found.reason and found.status else _completed(found, text_above)
    if (
        found is None
        and not _sounds_like_bounce(headers, sender, subject, text_above)
        and "x-failed-recipients" not in headers
    ):
        return None
    other = _nonstandard(headers, sender, subject, text_above, original_id, report.original)
    return other if other.recipient or found is None else found


def _read_parts(raw: bytes, content: Content) -> _Report:
    report = _Report()
    for part in content.reports:
        kind = part.content_type
        body = part.content(raw)[:_MAX_TEXT]
        if kind in {"message/delivery-status", "message/global-delivery-status"}:
            report.groups.extend(_groups(body))
        elif kind == "message/feedback-report":
            report.feedback = parse_block(body.lstrip())[0]
        elif kind == "message/disposition-notification":
            report.disposition = parse_block(body.lstrip())[0]
        elif report.original is None:
            report.original = parse_block(body.lstrip())[0]
    if report.original is None:
        report.original = _enclosed(content)
    return report


def _enclosed(content: Content) -> Headers | None:
    for file in content.attachments:
        if file.content_type in {"message/rfc822", "message/global", "text/rfc822-headers"} or file.filename.endswith(
            ".eml"
        ):
            return parse_block(file.content[:_MAX_TEXT].lstrip())[0]
    return None


def _groups(body: bytes) -> list[Headers]:
    """The blocks of a delivery-status part; systems forget and double the empty lines between."""
    groups: list[Headers] = []
    for block in re.split(rb"(?:\r?\n[ \t]*){2,}", body.strip())[: _MAX_RECIPIENTS + 1]:
        headers, _ = parse_block(block)
        if not headers.fields:
            continue
        groups.extend(_split_group(headers))
    return groups


def _split_group(headers: Headers) -> list[Headers]:
    """Several recipients that share one block."""
    groups: list[list[tuple[str, str]]] = [[]]
    for name, value in headers.fields:
        starts = name == "final-recipient" or (name == "original-recipient" and "final-recipient" not in headers)
        if starts and any(known == name for known, _ in groups[-1]):
            groups.append([])
        groups[-1].append((name, value))
    return [make_headers(group) for group in groups]


_ADDRESS_FIELD = re.compile(r"(?:[A-Za-z0-9-]{1,30}\s*;)?\s*(.*)", re.DOTALL)


def _address(value: str | None) -> str:
    """`rfc822; <ann@example.org>` as an address."""
    match = _ADDRESS_FIELD.match(value or "")
    text = match[1].strip() if match else ""
    text = text.partition(" ")[0] if "@" in text.partition(" ")[0] else text
    return normalize(text.strip("<>\"' ")) or next(iter(addresses_in(text, 1)), "")


def _standard(report: _Report, message_id: str) -> Bounce | None:
    recipients = []
    envelope_id = ""
    for group in report.groups:
        envelope_id = envelope_id or (group.raw("original-envelope-id") or "")
        found = _recipient(group)
        if found is not None:
            recipients.append(found)
    if not report.groups:
        return None
    first = next((one for one in recipients if one.kind is BounceKind.FAILED), recipients[0] if recipients else None)
    if first is None:
        return Bounce(BounceKind.FAILED, message_id=message_id, envelope_id=envelope_id)
    return Bounce(
        first.kind,
        first.recipient,
        first.status,
        first.reason,
        message_id,
        envelope_id,
        tuple(recipients[:_MAX_RECIPIENTS]),
    )


def _recipient(group: Headers) -> BouncedRecipient | None:
    final = _address(group.raw("final-recipient"))
    address = _address(group.raw("original-recipient")) or final or _address(group.raw("x-actual-recipient"))
    if not address and "action" not in group and "status" not in group:
        return None
    action = (group.raw("action") or "").partition(" ")[0].strip().lower().rstrip(";.")
    status = _status(group.raw("status") or "") or _status(group.raw("diagnostic-code") or "")
    kind = _KINDS.get(action) or (BounceKind.DELAYED if status.startswith("4") else BounceKind.FAILED)
    reason = group.text("diagnostic-code")
    reason = re.sub(r"\A(?:smtp|x-[\w-]{1,30})\s*;\s*", "", reason, flags=re.IGNORECASE)
    return BouncedRecipient(address, kind, status, reason[:1000])


_KINDS = {
    "failed": BounceKind.FAILED,
    "failure": BounceKind.FAILED,
    "delayed": BounceKind.DELAYED,
    "delivered": BounceKind.DELIVERED,
    "relayed": BounceKind.RELAYED,
    "expanded": BounceKind.EXPANDED,
}
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.@-])([45])([0-5])\d(?=[\s\-:]|\Z)")


def _status(text: str) -> str:
    match = _ENHANCED.search(text)
    return match.group() if match else ""


def _status_of_words(text: str) -> str:
    """The enhanced code in `text`, or the class that its three-digit code or its words stand for."""
    status = _status(text)
    if status:
        return status
    for pattern, code in phrases.STATUS_WORDS:
        if pattern.search(text):
            return code
    reply = _REPLY_CODE.search(text)
    return f"{reply[1]}.0.0" if reply else ""


def _original(report: _Report, content: Content, text: str) -> tuple[str, str]:
    """The Message-ID of the mail that the report is about, and the report's own words without that mail."""
    text = newlines(text[:_MAX_TEXT])
    divider = phrases.COPY.search(text)
    above = text[: divider.start()] if divider else text
    below = text[divider.end() :] if divider else ""
    if report.original is not None and (found := first_message_id(report.original.raw("message-id") or "")):
        return found, above
    for file in content.attachments:
        if (
            file.content_type in {"text/plain", "text/rfc822-headers", "application/octet-stream"}
            and file.size < _MAX_TEXT
        ):
            below += "\n" + decode(file.content)
    match = phrases.MESSAGE_ID.search(below) or phrases.MESSAGE_ID.search(above)
    return (match[1] if match else ""), above


def _complaint(feedback: Headers, message_id: str, original: Headers | None) -> Bounce:
    recipient = _address(feedback.raw("original-rcpt-to") or feedback.raw("removal-recipient"))
    if not recipient and original is not None:
        recipient = _address(original.raw("to"))
    reason = (feedback.raw("feedback-type") or "abuse").strip()
    one = BouncedRecipient(recipient, BounceKind.COMPLAINT, "", reason)
    return Bounce(BounceKind.COMPLAINT, recipient, "", reason, message_id, recipients=(one,))


def _disposition(fields: Headers, message_id: str) -> Bounce:
    recipient = _address(fields.raw("final-recipient") or fields.raw("original-recipient"))
    reason = (fields.raw("disposition") or "").strip()[:200]
    message_id = first_message_id(fields.raw("original-message-id") or "") or message_id
    one = BouncedRecipient(recipient, BounceKind.READ, "", reason)
    return Bounce(BounceKind.READ, recipient, "", reason, message_id, recipients=(one,))


def _completed(found: Bounce, text: str) -> Bounce:
    """A standard report whose fields lack what its words tell."""
    status = found.status or _status_of_words(text)
    reason = found.reason or _reason(text, found.recipient)
    return Bounce(found.kind, found.recipient, status, reason, found.message_id, found.envelope_id, found.recipients)


def _nonstandard(
    headers: Headers, sender: Address | None, subject: str, text: str, message_id: str, original: Headers | None
) -> Bounce:
    text = text[:_MAX_WORDS]
    failed = headers.raw("x-failed-recipients")
    recipients = addresses_in(failed) if failed else _failed_addresses(headers, sender, text, original)
    recipient = recipients[0] if recipients else ""
    status = _status_of_words(_around(text, recipient)) or _status_of_words(text)
    delayed = phrases.DELAY.search(f"{subject}\n{text[:3000]}") is not None and not phrases.GIVEN_UP.search(text[:3000])
    kind = BounceKind.DELAYED if delayed else BounceKind.FAILED
    reason = _reason(text, recipient)
    found = tuple(BouncedRecipient(one, kind, status, reason) for one in recipients[:_MAX_RECIPIENTS])
    return Bounce(kind, recipient, status or ("4.0.0" if delayed else "5.0.0"), reason, message_id, recipients=found)


def _sounds_like_bounce(headers: Headers, sender: Address | None, subject: str, text: str) -> bool:
    """Sent by a mail system or with a null sender, and in such words.

    Customers write of parcels that could not be delivered, and shops call themselves "Delivery Service": words and a
    name alone are not enough, unless a machine says that it is one and a server's status code stands among the words.
    """
    if phrases.NOT_BOUNCE.match(subject):
        return False
    has_subject, has_words = phrases.SUBJECT.search(subject) is not None, phrases.WORDS.search(text[:5000]) is not None
    if _is_of_system(headers, sender):
        return has_subject or has_words
    has_code = _ENHANCED.search(text[:5000]) is not None
    return has_subject and has_words and has_code and _is_of_machine(headers, sender)


def _is_of_system(headers: Headers, sender: Address | None) -> bool:
    """Whether a mail system sent it, by its address, or by having no sender to return it to."""
    local = sender.email.partition("@")[0] if sender else ""
    return phrases.SYSTEM.match(local) is not None or (headers.raw("return-path") or "x").replace(" ", "") == "<>"


def _is_of_machine(headers: Headers, sender: Address | None) -> bool:
    """Whether it says that a machine sent it, if not which."""
    submitted = (headers.raw("auto-submitted") or "no").strip().lower()
    is_named = phrases.SYSTEM_NAME.search(sender.name if sender else "") is not None
    return is_named or not submitted.startswith("no") or _is_of_system(headers, sender)


_LINE_ADDRESS = re.compile(
    r"^[\s*>•·(-]{0,12}(?:(?:[^\n]{0,80};)?(?:dda:)?smtp=|(?:expanded from|unknown user|no such user|invalid recipient|rcpt|to|recipient|user|address|e-?mail|mailbox|undeliverable to|failed recipient|收件人|收信人|邮箱|收件人邮箱|收件者|宛先|получатель|empfänger|destinataire|destinatario|para)"
    r"[^:：@<\n]{0,40}[:： ]\s*)?[<(\[\"']{0,2}(?:rfc822;|smtp:|mailto:)?([^\s<>\"'(),;:\[\]]{1,64}@[^\s<>\"'(),;:\[\]]{1,253})",
    re.IGNORECASE | re.MULTILINE,
)


def _failed_addresses(headers: Headers, sender: Address | None, text: str, original: Headers | None) -> list[str]:
    """The addresses that the report complains about: those that begin a line, else any that is nobody else's."""
    others = {address.lower() for name in ("to", "delivered-to") for address in addresses_in(headers.raw(name) or "")}
    if sender is not None:
        others.add(sender.key)
    if original is not None:
        others |= {address.lower() for address in addresses_in(original.raw("from") or "")}
    start = phrases.WORDS.search(text)
    lines = _line_addresses(text[start.start() :]) if start else []
    lines = lines or _line_addresses(text)
    chosen = [address for address in dict.fromkeys(lines) if address and address.lower() not in others]
    if not chosen:
        chosen = [
            address for address in addresses_in(text) if address.lower() not in others and not _is_system(address)
        ]
        chosen = chosen[:1]
    if not chosen and original is not None:
        chosen = addresses_in(original.raw("to") or "")[:1]
    return [address for address in chosen if not _is_system(address)][:_MAX_RECIPIENTS]


def _line_addresses(text: str) -> list[str]:
    """The addresses that begin a line; lines without any are many, and looked at only once."""
    likely = "\n".join(line for line in text.split("\n") if "@" in line)
    return [normalize(match[1].rstrip(".,")) for match in _LINE_ADDRESS.finditer(likely)]


def _is_system(address: str) -> bool:
    return phrases.SYSTEM.match(address.partition("@")[0]) is not None


def _around(text: str, recipient: str) -> str:
    """The words from the recipient's line on."""
    at = text.find(recipient) if recipient else -1
    return text[at + len(recipient) : at + len(recipient) + 600] if at >= 0 else text[:600]


def _reason(text: str, recipient: str) -> str:
    """The line that says why, as the other server said it."""
    window = _around(text, recipient)
    lines = [line.strip(" \t:：*>-") for line in window.split("\n")]
    lines = [line for line in lines if len(line) > 6]
    coded = [line for line in lines if _ENHANCED.search(line) or _REPLY_CODE.search(line)]
    return (coded or lines or [""])[0][:1000]
