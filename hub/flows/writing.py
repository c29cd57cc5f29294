"""Outputs in writing: chat messages with choices, SMS with a numbered list in segments, one e-mail with choices."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from hub.flows import phrases
from hub.flows.model import AnswerType
from hub.flows.session import Asked, Finished, Offered, Output, Recording, Told

MAX_BUBBLE: Final = 2_000
"""Characters of one chat message."""
MAX_SEGMENTS: Final = 4
"""Segments that one SMS may take; longer texts become several, cut between sentences."""
MAX_LABEL: Final = 60
"""Characters of a button's label."""
MAX_MAIL: Final = 20_000
"""Characters of one mail; a flow that says more than that has lost its way."""

# GSM 03.38: what an SMS carries in 7 bits; the characters of the second line take two places.
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE: Final = frozenset("^{}\\[~]|€")
_PLAIN: Final = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
                               "\u2026": "...", "\u00a0": " "})  # fmt: skip
_SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s*|\n")

_ANSWER_BY: Final = {
    "en": "Answer with the number ({first}-{last}), or in your own words.",
    "zh": "请回复编号（{first}-{last}）或直接用文字说明。",
}
_REPLY: Final = {
    "en": "Answer this mail with a number or in your own words.",
    "zh": "请直接回复本邮件，写上编号或用文字说明。",
}
_PERSON: Final = {"en": "Answer “agent” to reach a person.", "zh": "回复“人工”可转人工客服。"}


class Bubble(msgspec.Struct, frozen=True):
    """One chat message, with choices to tap."""

    text: str
    choices: tuple[Offered, ...] = ()


class Sms(msgspec.Struct, frozen=True):
    """One text message, and how many segments it is charged as."""

    text: str
    encoding: str
    segments: int


class Mail(msgspec.Struct, frozen=True):
    """One e-mail: its words, and the choices that are listed below them."""

    text: str
    choices: tuple[Offered, ...] = ()

    @property
    def listed(self) -> str:
        """The words with the choices below, as a mail without links shows them."""
        lines = [f"{one.digit}. {one.label}" for one in self.choices]
        return "\n\n".join(part for part in (self.text, "\n".join(lines)) if part)


def chat(outputs: Sequence[Output]) -> list[Bubble]:
    """Return outputs as chat messages; a question's choices hang on its own message."""
    made: list[Bubble] = []
    for output in outputs:
        if isinstance(output, Finished):
            continue
        text = _with_lead(output)
        pieces = _cut(text, MAX_BUBBLE)
        made += [Bubble(piece) for piece in pieces[:-1]]
        choices = output.choices if isinstance(output, Asked) else ()
        made.append(Bubble(pieces[-1], tuple(Offered(one.id, one.label[:MAX_LABEL], one.digit) for one in choices)))
    return made


def sms(outputs: Sequence[Output], language: str, *, most_segments: int = MAX_SEGMENTS) -> list[Sms]:
    """Return outputs as text messages: everything in one where it fits, choices as a numbered list."""
    blocks = [_listed(output, language) for output in outputs if not isinstance(output, Finished)]
    text = "\n".join(block for block in blocks if block).translate(_PLAIN)
    if not text:
        return []
    is_gsm = all(c in _GSM or c in _GSM_DOUBLE for c in text)
    room = (153 if is_gsm else 67) * most_segments
    return [Sms(piece, *measured(piece)) for piece in _cut(text, room, double=is_gsm)]


def measured(text: str) -> tuple[str, int]:
    """Return an SMS's encoding and its segments: 160 or 153 places of GSM-7, 70 or 67 of UCS-2."""
    if all(c in _GSM or c in _GSM_DOUBLE for c in text):
        places = len(text) + sum(c in _GSM_DOUBLE for c in text)
        return "GSM-7", 1 if places <= 160 else -(-places // 153)
    places = len(text.encode("utf-16-be", "surrogatepass")) // 2
    return "UCS-2", 1 if places <= 70 else -(-places // 67)


def mail(outputs: Sequence[Output], language: str) -> Mail:
    """Return outputs as one mail, however many steps have said them: the words, how to answer, and the choices."""
    parts = [_with_lead(output) for output in outputs if not isinstance(output, Finished)]
    asked = next((output for output in reversed(outputs) if isinstance(output, Asked)), None)
    choices = asked.choices if asked is not None else ()
    if asked is not None:
        hints = [_REPLY] if choices else []
        parts.append(" ".join(hint.get(phrases.base(language), hint["en"]) for hint in (*hints, _PERSON)))
    text = "\n\n".join(part for part in parts if part)
    return Mail(_cut(text, MAX_MAIL)[0], choices)


def _with_lead(output: Told | Asked | Recording) -> str:
    lead = output.lead if isinstance(output, Asked) else ""
    return f"{lead} {output.text}".strip()


def _listed(output: Told | Asked | Recording, language: str) -> str:
    text = _with_lead(output)
    if not isinstance(output, Asked) or not output.choices:
        return text
    lines = [f"{one.digit or one.id} {one.label}" for one in output.choices]
    if output.wants is AnswerType.YES_NO:
        return f"{text}\n{' / '.join(lines)}"
    keys = [one.digit for one in output.choices if one.digit]
    hint = _ANSWER_BY.get(phrases.base(language), _ANSWER_BY["en"])
    return "\n".join([text, *lines, *([hint.format(first=keys[0], last=keys[-1])] if len(keys) > 1 else [])])


def _cut(text: str, room: int, *, double: bool = False) -> list[str]:
    """Return a text in pieces of at most `room` places, cut between sentences, else between words."""
    pieces: list[str] = []
    while _places(text, double=double) > room:
        end = _fitting(text, room, double=double)
        at = max((match.start() for match in _SENTENCE.finditer(text, 0, end) if match.start() > 0), default=0)
        at = at or text.rfind(" ", 1, end)
        at = at if at > 0 else end
        pieces.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*pieces, text] if text or not pieces else pieces


def _places(text: str, *, double: bool) -> int:
    if double:
        return len(text) + sum(c in _GSM_DOUBLE for c in text)
    return len(text) + sum(c > "\uffff" for c in text)


def _fitting(text: str, room: int, *, double: bool) -> int:
    """Return how many characters of a text fit."""
    places = 0
    for n, c in enumerate(text):
        places += 2 if (c in _GSM_DOUBLE if double else c > "\uffff") else 1
        if places > room:
            return n
    return len(text)
