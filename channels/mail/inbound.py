"""A mail that was read, in the hub's words: a message with its hints, a report, or nothing to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.mail import threads
from channels.mail.addresses import Address
from channels.mail.authenticity import Verdict
from channels.mail.bounces import Bounce, BouncedRecipient, BounceKind
from channels.mail.languages import language_of
from channels.mail.parsed import ParsedMail
from channels.mail.references import own_message
from channels.mail.threads import Evidence, EvidenceKind, is_reply_subject, read_reply_address
from hub.contract import Candidate, Hint, Ignored, Inbound, InboundFile, InboundMessage, InboundReport, Placement
from hub.domain.correspondence import Authenticity, Party

_AUTHENTICITY: Final = {
    Verdict.PASS: Authenticity.PROVED,
    Verdict.FAIL: Authenticity.DISPROVED,
    Verdict.NONE: Authenticity.UNKNOWN,
}
_REPORTS: Final = {
    BounceKind.FAILED: "failed",
    BounceKind.DELAYED: "delayed",
    BounceKind.DELIVERED: "delivered",
    BounceKind.RELAYED: "delivered",
    BounceKind.EXPANDED: "delivered",
    BounceKind.READ: "delivered",
    BounceKind.COMPLAINT: "complaint",
}
_ANSWERED: Final = -1
"""The key of the hint that an answer may have come before this mail; others are keyed by their place."""


@dataclass(frozen=True, kw_only=True)
class Routes:
    """Which queue a mail goes to: by the address it was sent to, or because a machine wrote it, or the usual one.

    `flow` is the self-service flow that a conversation begins in, where it may be answered by a machine.
    """

    queue: str
    by_address: Mapping[str, str] = field(default_factory=dict)
    automatic: str = ""
    flow: str = ""

    def queue_of(self, mail: ParsedMail) -> str:
        """Return the queue. A part after a plus in the address does not matter."""
        for address in mail.delivered_to:
            local, _, domain = address.partition("@")
            plain = f"{local.partition('+')[0]}@{domain}"
            found = self.by_address.get(address) or self.by_address.get(plain)
            if found:
                return found
        return self.automatic if self.automatic and mail.machine.is_auto_reply else self.queue


def inbound_of(mail: ParsedMail, routes: Routes, keys: Sequence[bytes]) -> Inbound:
    """Return what a mail is to the hub.

    Args:
        mail: as read.
        routes: which queue it goes to.
        keys: of our Message-IDs and reply addresses, the current one first.
    """
    if mail.bounce is not None:
        return _report(mail, mail.bounce, _message(mail, routes, keys))
    if own_message(keys, mail.message_id) and mail.author.domain == mail.message_id.rstrip(">").rpartition("@")[2]:
        # Of somebody else it is a letter: whoever got ours knows its name, and may have given it to theirs.
        return Ignored(dedupe="", reason="One of our own letters came back.")
    return _message(mail, routes, keys)


def _report(mail: ParsedMail, bounce: Bounce, message: InboundMessage) -> InboundReport:
    ids = (bounce.message_id, bounce.envelope_id, f"<{bounce.envelope_id}>" if bounce.envelope_id else "")
    return InboundReport(
        dedupe=mail.dedupe_key,
        kind=_REPORTS[bounce.kind],
        provider_ids=tuple(dict.fromkeys(one for one in ids if one)),
        recipient=bounce.recipient,
        status=_read_or_not(bounce) if bounce.kind is BounceKind.READ else bounce.status,
        text="; ".join([bounce.reason, *map(_of_recipient, _others(bounce))]),
        message=message,
    )


def _read_or_not(bounce: Bounce) -> str:
    """Return what a disposition says: who deletes a letter unread sends one as well (RFC 8098, 3.2.6)."""
    return "read" if "displayed" in bounce.reason.lower() else "delivered"


def _others(bounce: Bounce) -> list[BouncedRecipient]:
    """Return whom else the letter did not reach, if that is what a report says."""
    return [one for one in bounce.recipients if one.kind is bounce.kind is BounceKind.FAILED][1:]


def _of_recipient(one: BouncedRecipient) -> str:
    return " ".join(part for part in (f"{one.recipient}:", one.status, one.reason) if part)


def _message(mail: ParsedMail, routes: Routes, keys: Sequence[bytes]) -> InboundMessage:
    words = mail.trimmed
    spam = ("marked as spam",) if _is_marked_spam(mail) else ()
    rule = _Rule(
        mail.evidence,
        mail.author.key if len(mail.authors) == 1 else "",
        mail.subject,
        mail.message_id,
        mail.authenticity.verdict is Verdict.FAIL,
        tuple(keys),
    )
    return InboundMessage(
        dedupe=mail.dedupe_key,
        sender=_party(mail.author) if mail.authors else None,
        sent_at=round(mail.date.timestamp() * 1000) if mail.date is not None else None,
        subject=mail.subject,
        text=words.reply_text or mail.body_text,
        quoted=mail.body_text if words.has_quote and not words.is_whole else "",
        html=mail.html,
        language=language_of(f"{mail.subject} {mail.reply_text}", mail.headers.raw("content-language") or ""),
        reply_to=tuple(_party(one) for one in mail.reply_to if one.email),
        to=tuple(_party(one) for one in mail.to if one.email),
        cc=tuple(_party(one) for one in mail.cc if one.email),
        provider_id=mail.stable_id,
        references=tuple(dict.fromkeys((*mail.references, *([mail.in_reply_to] if mail.in_reply_to else [])))),
        files=tuple(
            InboundFile(
                name=file.filename,
                type=file.sniffed_type or file.content_type,
                content=file.content,
                cid=file.content_id if file.is_inline else "",
            )
            for file in mail.attachments
        ),
        hints=rule.hints(),
        place=rule.place,
        authenticity=_AUTHENTICITY[mail.authenticity.verdict],
        remarks=(*mail.authenticity.remarks, *spam, *mail.machine.evidence, *mail.defects),
        is_automatic=mail.machine.is_auto_reply,
        must_not_answer=mail.machine.must_not_answer or bool(spam),
        queue=routes.queue_of(mail),
        flow=routes.flow,
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """Where one mail belongs, by its evidence: `threads.decide` with what the hub found for the hints.

    It holds no more of the mail than it needs: it goes from one process to another.
    """

    evidence: tuple[Evidence, ...]
    sender: str
    subject: str
    message_id: str
    is_disproved: bool
    keys: tuple[bytes, ...]

    def hints(self) -> tuple[Hint, ...]:
        """Return the evidence as the hub looks for it."""
        found = []
        for key, piece in enumerate(self.evidence):
            if piece.kind is EvidenceKind.REPLY_ADDRESS:
                address = read_reply_address(piece.value)
                if address is not None:
                    found.append(Hint(kind="interaction", value=address.interaction_id, key=key))
            elif piece.kind is EvidenceKind.SUBJECT:
                if is_reply_subject(self.subject):
                    found.append(Hint(kind="subject", value=piece.value, key=key))
            else:
                found.append(Hint(kind="message", value=piece.value, key=key))
        if self.message_id:
            found.append(Hint(kind="answered", value=self.message_id, key=_ANSWERED))
        return tuple(found)

    def place(self, found: Mapping[int, Candidate]) -> Placement:
        """Say where the mail belongs and why."""
        known: dict[Evidence, threads.Candidate] = {}
        meant: dict[Evidence, str] = {}
        for key, candidate in found.items():
            if key == _ANSWERED:
                continue
            piece = self.evidence[key]
            meant[piece] = candidate.interaction
            known[piece] = threads.Candidate(_named(piece, candidate), candidate.participants, candidate.subject)
        is_authentic = False if self.is_disproved else None
        decision = threads.decide(
            self.sender, self.evidence, known, self.keys, is_authentic=is_authentic, subject=self.subject
        )
        interaction = meant.get(decision.evidence, "") if decision.evidence is not None else ""
        if decision.action is threads.Action.JOIN:
            return Placement(join=interaction, reason=decision.reason)
        early = found.get(_ANSWERED)
        if early is not None and is_authentic is None and self.sender in early.participants:
            return Placement(join=early.interaction, reason="an answer to it by a participant came before it")
        if decision.action is threads.Action.OPEN_LINKED:
            return Placement(linked=interaction, reason=decision.reason)
        return Placement(reason=decision.reason)


def _named(piece: Evidence, candidate: Candidate) -> str:
    """Return the interaction as the evidence names it: the talk may have moved on to one that follows it."""
    if piece.kind is EvidenceKind.REPLY_ADDRESS:
        address = read_reply_address(piece.value)
        return address.interaction_id if address is not None else ""
    return candidate.interaction


def _party(address: Address) -> Party:
    return Party(address.email, address.name)


def _is_marked_spam(mail: ParsedMail) -> bool:
    flag = (mail.headers.raw("x-spam-flag") or "").strip().lower()
    status = (mail.headers.raw("x-spam-status") or "").strip().lower()
    return flag == "yes" or status.startswith("yes")
