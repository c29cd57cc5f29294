"""What the carrier's parameters say, in the hub's words. Pure: the same parameters always say the same.

Parameters: twilio.com/docs/messaging/guides/webhook-request and track-outbound-message-status. They come twice, late
and in any order; a message is known by its MessageSid, a report by message and status.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
import phonenumbers

from channels.sms import words
from hub.contract import Candidate, Hint, Ignored, Inbound, InboundFile, InboundMessage, InboundReceipt, Placement
from hub.domain.correspondence import Party
from hub.domain.customers import AddressKind
from hub.domain.errors import PayloadUnreadable
from hub.domain.texting import Consent

PREFIX: Final = "whatsapp:"
MOST_MEDIA: Final = 10
_PROGRESS: Final[Mapping[str, Literal["queued", "sent", "delivered", "read", "failed"]]] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
_SID: Final = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
_MEDIA_SID: Final = re.compile(r"/(ME[0-9a-f]{32})(?:\?.*)?$")
_NUMBER_ALONE: Final = re.compile(r"(?:whatsapp:)?[+\d\s()./-]*")
_CHINESE: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_ENDINGS: Final[Mapping[str, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "video/mp4": "mp4",
    "text/plain": "txt",
    "text/csv": "csv",
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the carrier told us in one request; `outgoing` is our name of the message that it reports on."""

    params: dict[str, str]
    outgoing: str = ""


class Attached(msgspec.Struct, frozen=True):
    """A file of a message that lies at the carrier: its name there, and what it is to be called here."""

    sid: str
    name: str


class LineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What reading must know of a line."""

    kind: str
    queue: str
    region: str
    languages: tuple[str, ...]
    name: str = ""
    flow: str = ""


def key_of(told: Told) -> str:
    """Return what tells one request from another that says something else.

    Raises:
        PayloadUnreadable: it names no message.
    """
    sid = told.params.get("MessageSid") or told.params.get("SmsSid") or ""
    if not _SID.fullmatch(sid):
        raise PayloadUnreadable("It names no message.")
    if not told.outgoing:
        return sid
    return f"{told.outgoing}:{told.params.get('MessageStatus', '')}:{told.params.get('ErrorCode', '')}"[:200]


def receipt(told: Told) -> Inbound:
    """Return how far a message has come."""
    status, code = told.params.get("MessageStatus", ""), told.params.get("ErrorCode", "")
    progress = _PROGRESS.get(status)
    if progress is None:
        return Ignored(dedupe="", reason=f"A status that changes nothing: {status[:40]}.")
    code = code if code.isascii() and code.isdigit() and len(code) <= 6 else ""
    return InboundReceipt(
        dedupe="",
        provider_id=told.outgoing,
        progress=progress,
        code=code if progress == "failed" else "",
        text=words.meaning(code, told.params.get("ChannelStatusMessage", "")[:200]) if progress == "failed" else "",
    )


def attached(told: Told) -> list[Attached]:
    """Return the files that came with a message."""
    count = told.params.get("NumMedia", "0")
    found = []
    for number in range(min(int(count) if count.isascii() and count.isdigit() else 0, MOST_MEDIA)):
        match = _MEDIA_SID.search(told.params.get(f"MediaUrl{number}", ""))
        kind = told.params.get(f"MediaContentType{number}", "").partition(";")[0].strip().lower()
        if match:
            found.append(Attached(match[1], f"{number + 1}.{_ENDINGS.get(kind, 'bin')}"))
    return found


def message(told: Told, line: LineFacts, files: Sequence[InboundFile], missing: Sequence[str]) -> InboundMessage:
    """Return a message as the hub takes it in; `missing` are the names of files that could not be had."""
    params = told.params
    sid = key_of(told)
    text = params.get("Body", "")
    said, is_theirs = words.consent(text, params.get("OptOutType", ""))
    language = language_of(text, line.languages)
    number = address(params.get("From", ""), line.region)
    return InboundMessage(
        dedupe=sid,
        provider_id=sid,
        sender=Party(number, _name(params.get("ProfileName", ""))),
        text="\n".join(
            part for part in (text, _place(params), *(_missing(name, language) for name in missing)) if part
        ),
        language=language,
        files=tuple(files),
        hints=(Hint(kind="sender", value=number),),
        place=_belongs,
        is_automatic=said in {Consent.STOP, Consent.START} and words.is_bare(text),
        queue=line.queue,
        kind=line.kind,
        address_kind=AddressKind.PHONE,
        flow=line.flow,
        consent=said,
        confirmation="" if said is None or is_theirs else _confirmation(said, language, line.name),
    )


def _name(profile: str) -> str:
    """Return what a chat app says somebody is called; their number is no name."""
    return "" if _NUMBER_ALONE.fullmatch(profile) else profile


def _belongs(found: Mapping[int, Candidate]) -> Placement:
    thread = found.get(0)
    return Placement(join=thread.interaction, reason="the same two numbers") if thread else Placement()


def address(text: str, region: str) -> str:
    """Return a sender's number in E.164; a short code or a name as it is."""
    plain = text.removeprefix(PREFIX).strip()
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return plain
    if not phonenumbers.is_possible_number(number):
        return plain
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def language_of(text: str, languages: Sequence[str]) -> str:
    """Return the language somebody writes in, as far as the script tells, of those that the line speaks."""
    chinese = next((one for one in languages if one.startswith("zh")), "")
    if chinese and _CHINESE.search(text):
        return chinese
    return next((one for one in languages if not one.startswith("zh")), languages[0] if languages else "")


def _confirmation(said: Consent, language: str, name: str) -> str:
    texts = words.CONFIRMATIONS[said]
    return texts.get(language.partition("-")[0], texts["en"]).format(name=name)


def _missing(name: str, language: str) -> str:
    if language.startswith("zh"):
        return f"[附件 {name} 无法获取]"
    return f"[The file {name} could not be fetched]"


def _place(params: Mapping[str, str]) -> str:
    """Return a place that somebody sent, in words."""
    latitude, longitude = params.get("Latitude", ""), params.get("Longitude", "")
    if not latitude or not longitude:
        return ""
    named = ", ".join(part for part in (params.get("Label", ""), params.get("Address", "")) if part)
    return f"{named} ({latitude}, {longitude})".strip()
