"""Which interaction a mail belongs to, by what evidence, and who may join it.

Signed reply addresses and our own Message-IDs are strong, foreign ids medium, a subject weak. None of
them is enough by itself: whoever writes must be a participant, or the mail opens an interaction of its
own that is linked and shown to a person (FreeScout CVE-2026-47123, security.md 1.6).
"""

# ruff: noqa: RUF001

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from channels.mail.headers import Headers
from channels.mail.references import first_message_id, mac, message_ids, own_message, same_mac


class Strength(IntEnum):
    """How much a piece of evidence proves."""

    WEAK = 1
    MEDIUM = 2
    STRONG = 3


class EvidenceKind(Enum):
    """Where evidence was found."""

    REPLY_ADDRESS = "reply_address"
    OWN_MESSAGE_ID = "own_message_id"
    IN_REPLY_TO = "in_reply_to"
    REFERENCES = "references"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One hint at an interaction or a message of ours or theirs."""

    kind: EvidenceKind
    value: str
    strength: Strength


class Action(Enum):
    """What to do with a mail."""

    JOIN = "join"
    OPEN = "open"
    OPEN_LINKED = "open_linked"
    """A new interaction that names the other; a person decides."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interaction that evidence points to, as the store knows it."""

    interaction_id: str
    participants: frozenset[str]
    """Addresses that wrote to it, or were written to from it; lower case."""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision and its reason, to be stored and shown."""

    action: Action
    interaction_id: str = ""
    reason: str = ""
    evidence: Evidence | None = None


_PREFIX = re.compile(
    r"\A\s*(?:\[(?:external|extern|spam|ext)\]\s*|(?:re|aw|antw|antwort|sv|vs|vá|odp|odpowiedź|rif|res|resp|réf|ref|tr|rv|fw|fwd|wg|i|enc|ynt|ilt|cevap|yanıt|vb|doorst|pd|dal"
    r"|ответ|на|пересл|ha|hа|vidarebefordrat|回复|回覆|答复|答覆|转发|轉寄|轉發|返信|転送|회신|답장|전달|atb|továbbítás|spam|απ|πρθ|σχετ|השב|הועבר|رد)\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s*[:：]\s*)",
    re.IGNORECASE,
)


def base_subject(subject: str) -> str:
    """A subject without its reply and forward marks, for comparing."""
    return without_marks(subject).lower()


def without_marks(subject: str) -> str:
    """A subject without its reply and forward marks, as it is shown."""
    text = subject[:1000]
    for _ in range(20):
        shorter = _PREFIX.sub("", text, count=1)
        if shorter == text:
            break
        text = shorter
    return " ".join(text.split())


def is_reply_subject(subject: str) -> bool:
    """Whether a subject carries a reply or forward mark."""
    return _PREFIX.match(subject[:200]) is not None


_REPLY_LOCAL = re.compile(r"(?:.*\+)?([A-Za-z0-9_-]{1,64})\.([A-Za-z2-7]{16})\Z")


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """The signed part of an address that answers come back to."""

    interaction_id: str
    mac: str


def make_reply_address(key: bytes, mailbox: str, interaction_id: str, recipient: str) -> str:
    """`support+<interaction>.<mac>@example.org` for mail to `recipient` about `interaction_id`.

    The MAC covers both, so that a recipient cannot turn his address into one for another
    interaction, nor hand it to a stranger.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", interaction_id):
        raise ValueError("an interaction's id has letters, digits, _ and - only")
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{interaction_id}.{_reply_mac(key, interaction_id, recipient)}@{domain}"


def _reply_mac(key: bytes, interaction_id: str, recipient: str) -> str:
    return mac(key, "reply", interaction_id.lower(), recipient.strip().lower())


def read_reply_address(address: str) -> ReplyAddress | None:
    """The unverified parts of a signed address, None when it is not of that form."""
    local = address.rpartition("@")[0]
    match = _REPLY_LOCAL.match(local[-200:]) if "+" in local else None
    return ReplyAddress(match[1], match[2].lower()) if match else None


def verify_reply_address(keys: Sequence[bytes], found: ReplyAddress, recipients: Sequence[str]) -> str:
    """Which of `recipients` the address was made for, "" when for none (a forgery, or somebody else's)."""
    for recipient in recipients:
        if same_mac(keys, found.mac, "reply", found.interaction_id.lower(), recipient.strip().lower()):
            return recipient
    return ""


_MAX_PARENTS = 10
_ADDRESSED_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to", "to", "cc")


def collect_evidence(
    headers: Headers, recipients: Sequence[str], subject: str, keys: Sequence[bytes] = ()
) -> tuple[Evidence, ...]:
    """All hints of a mail, strongest first.

    Args:
        headers: of the mail.
        recipients: every address it went to (To, Cc, Delivered-To and their like).
        subject: decoded.
        keys: to recognise our own Message-IDs; reply addresses are only verified in `decide`.
    """
    found = [
        Evidence(EvidenceKind.REPLY_ADDRESS, recipient, Strength.STRONG)
        for recipient in recipients
        if read_reply_address(recipient) is not None
    ]
    answered = " ".join(headers.all("in-reply-to"))
    parents = message_ids(answered)[:_MAX_PARENTS] or tuple(filter(None, [first_message_id(answered)]))
    references = message_ids(" ".join(headers.all("references")))
    ids = dict.fromkeys([*parents, *reversed(references)])
    found.extend(_of_id(message_id, keys, is_parent=message_id in parents) for message_id in ids)
    if base_subject(subject):
        found.append(Evidence(EvidenceKind.SUBJECT, base_subject(subject), Strength.WEAK))
    return tuple(sorted(found, key=lambda evidence: -evidence.strength))


def _of_id(message_id: str, keys: Sequence[bytes], *, is_parent: bool) -> Evidence:
    if keys and own_message(keys, message_id):
        return Evidence(EvidenceKind.OWN_MESSAGE_ID, message_id, Strength.STRONG)
    kind = EvidenceKind.IN_REPLY_TO if is_parent else EvidenceKind.REFERENCES
    return Evidence(kind, message_id, Strength.MEDIUM)


def recipients_of(headers: Headers) -> list[str]:
    """Every value of the fields that tell where a mail was sent or delivered, unparsed."""
    return [value for name in _ADDRESSED_TO for value in headers.all(name)]


def decide(
    sender: str,
    evidence: Sequence[Evidence],
    known: Mapping[Evidence, Candidate],
    keys: Sequence[bytes] = (),
    *,
    is_authentic: bool | None = None,
    subject: str = "",
) -> Decision:
    """Where a mail goes. Pure: `known` holds what the store found for the evidence.

    Args:
        sender: the author's address, "" when there is none that can be believed.
        evidence: as collected, strongest first.
        known: the interaction that a piece of evidence points to, where there is one.
        keys: to verify reply addresses.
        is_authentic: False when SPF, DKIM or DMARC failed: such a mail joins nothing without a person.
        subject: decoded; only needed for weak evidence.
    """
    linked: Decision | None = None
    for piece in evidence:
        candidate = known.get(piece)
        if candidate is None:
            continue
        refusal = _refusal(piece, candidate, sender.lower(), keys, subject, is_authentic=is_authentic)
        if not refusal:
            return Decision(Action.JOIN, candidate.interaction_id, f"{piece.kind.value} by a participant", piece)
        if linked is None and piece.strength > Strength.WEAK:
            linked = Decision(Action.OPEN_LINKED, candidate.interaction_id, f"{piece.kind.value}: {refusal}", piece)
    return linked or Decision(Action.OPEN, reason="nothing points to an earlier interaction")


def _refusal(
    piece: Evidence,
    candidate: Candidate,
    sender: str,
    keys: Sequence[bytes],
    subject: str,
    *,
    is_authentic: bool | None,
) -> str:
    """Why evidence does not let this sender in, "" when it does."""
    if piece.kind is EvidenceKind.REPLY_ADDRESS:
        found = read_reply_address(piece.value)
        if found is None or found.interaction_id.lower() != candidate.interaction_id.lower():
            return "not for this interaction"
        if not verify_reply_address(keys, found, sorted(candidate.participants | {sender})):
            return "the signature is not ours"
    if not sender or sender not in candidate.participants:
        return "the sender is no participant"
    if is_authentic is False:
        return "the sender is not proved"
    if piece.strength is Strength.WEAK and not _subject_fits(subject, candidate):
        return "only the subject fits"
    return ""


def _subject_fits(subject: str, candidate: Candidate) -> bool:
    """Weak evidence joins only an answer ("Re:") to a subject of some length from a known participant."""
    base = base_subject(subject)
    return is_reply_subject(subject) and len(base) >= 8 and base == base_subject(candidate.subject)
