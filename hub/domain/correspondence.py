"""What letters need beside their words: raw arrivals, the envelope of a message, and what is still to be sent.

A letter is a message of a channel whose two sides write with time between (e-mail, SMS). Its words are a `Message` like
any other, in the same timeline; the envelope lies beside it under the same number.
"""

import re
import unicodedata
from enum import StrEnum

import msgspec

from hub.domain.ids import InteractionId
from hub.domain.texting import TemplateUse

_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """Return a subject fit to store and show: one line that neither breaks nor turns what stands beside it around.

    Letters of every script keep their own direction; only the characters that impose one on others are left out.
    """
    text = _DIRECTION.sub("", text)
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text).split())


class Party(msgspec.Struct, frozen=True):
    """Somebody on an envelope: the address as the channel writes it, and the name shown with it."""

    address: str
    name: str = ""


class ArrivalState(StrEnum):
    """What became of something that reached us."""

    KEPT = "kept"
    TAKEN = "taken"
    IGNORED = "ignored"
    FAILED = "failed"


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """Something that reached us, kept as it came before anybody reads it; the bytes lie in the data folder.

    Unique by (`channel`, `provider_id`), the provider's own name for this very delivery. `failed` ones need attention
    and can be read again. `dedupe` tells that two deliveries are one message: the first one has it. `received_at` is
    when the provider had it, `interaction` and `n` what it became.
    """

    id: str
    channel: str
    provider_id: str
    at: int
    size: int
    sha256: str
    state: ArrivalState = ArrivalState.KEPT
    attempts: int = 0
    problem: str = ""
    dedupe: str = ""
    received_at: int | None = None
    interaction: InteractionId | None = None
    n: int | None = None


class ChannelMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a channel has read one source (a folder of a mailbox): committed with what was read."""

    channel: str
    name: str
    value: str


class Authenticity(StrEnum):
    """Whether a sender is who they say."""

    PROVED = "proved"
    DISPROVED = "disproved"
    UNKNOWN = "unknown"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds message `n` of an interaction.

    `provider_id` is the name by which answers will refer to it (a Message-ID), `refers_to` those it refers to, oldest
    first. `quoted` is what was folded away from the words. `html` names the file that holds the page as sent, unsafe;
    it is only ever shown sanitised; `inline` names the files of its images by their cid. `evidence` says in words why
    it belongs here; `linked` names the interaction that it might belong to, for a person to decide. `problem` and
    `status` are what became known of it afterwards: it bounced.
    """

    interaction: InteractionId
    n: int
    channel: str
    subject: str = ""
    sender: Party | None = None
    reply_to: tuple[Party, ...] = ()
    recipients: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    provider_id: str = ""
    refers_to: tuple[str, ...] = ()
    quoted: str = ""
    html: str = ""
    inline: dict[str, str] = msgspec.field(default_factory=dict)
    sent_at: int | None = None
    arrival: str = ""
    evidence: str = ""
    linked: InteractionId | None = None
    authenticity: Authenticity = Authenticity.UNKNOWN
    remarks: tuple[str, ...] = ()
    is_automatic: bool = False
    must_not_answer: bool = False
    status: str = ""
    problem: str = ""


class Rearrangement(msgspec.Struct, frozen=True, kw_only=True):
    """A person moved messages to another interaction: split off, or joined. `moved` pairs numbers there and here.

    `was_open` says whether the source could still be worked on before.
    """

    id: str
    kind: str
    source: InteractionId
    target: InteractionId
    actor: str
    at: int
    moved: tuple[tuple[int, int], ...] = ()
    was_open: bool = True
    undone_at: int | None = None


class OutgoingState(StrEnum):
    """Where a letter stands on its way out. `uncertain`: the line broke after the words, nobody can know."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"


class Refusal(msgspec.Struct, frozen=True):
    """One recipient that the provider would not take, in the provider's words; `is_final` unless it may do so later."""

    address: str
    status: str = ""
    text: str = ""
    is_final: bool = True


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A letter to be sent: written with its message in one transaction, sent by the worker that holds its lease.

    `due_at` is when it may go (undo window, schedule, the next try); until then it can be taken back. `provider_id` is
    given before the first try, so that the same letter is the same letter however often it is tried.

    `mode` says what it is: reply, reply_all, forward, new, acknowledgement, transcript, text, flow; `answers_n` is the
    message it answers or forwards (of a transcript: the last one in it), `signature` what stands below its words.
    `holder` is the node that has claimed it until `lease_until`; `tried_since` begins the time after which it is given
    up; `accepted` are recipients for whom the provider has it already. `template` is the agreed wording of a text.
    """

    id: str
    interaction: InteractionId
    n: int
    channel: str
    created_at: int
    due_at: int
    state: OutgoingState = OutgoingState.WAITING
    attempts: int = 0
    lease_until: int = 0
    provider_id: str = ""
    is_automatic: bool = False
    sent_at: int | None = None
    status: str = ""
    problem: str = ""
    refused: tuple[Refusal, ...] = ()
    mode: str = ""
    answers_n: int | None = None
    signature: str = ""
    holder: str = ""
    tried_since: int | None = None
    accepted: tuple[str, ...] = ()
    template: TemplateUse | None = None
    version: int = 0


class DraftedLetter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The envelope of a letter that is being written; `files` are ids of files uploaded for it."""

    mode: str = ""
    answers_n: int | None = None
    subject: str = ""
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    files: tuple[str, ...] = ()
    send_at: int | None = None


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """The message that a letter answers or forwards, shown below its words. `html` is as sent, unsafe."""

    sender: Party | None = None
    at: int | None = None
    subject: str = ""
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    text: str = ""
    html: str = ""


class LinkedChoice(msgspec.Struct, frozen=True):
    """One answer to a question that a letter puts: its number, its words, and where it can be given with a click."""

    digit: str
    label: str
    link: str = ""


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a transcript."""

    at: int
    author: str
    name: str = ""
    text: str = ""
    files: tuple[str, ...] = ()
