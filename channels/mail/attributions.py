"""Where a quotation begins: attribution lines, header blocks and dividers, in whatever language the client spoke.

No pattern here can take more than linear time: lines are cut before they are searched, and joins
are bounded in number and length.
"""

# ruff: noqa: E501, RUF001

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from channels.mail import phrases
from channels.mail.rendering import Line, Mark

_MAX_LINE = 500
_MAX_JOIN = 4
_FLAGS = re.IGNORECASE | re.VERBOSE

_VERB = re.compile(
    rf"(?<![^\W\d_])(?:{phrases.WROTE})(?![^\W\d_]|(?-i:[a-z]))|写道|寫道|작성|のメール|のメッセージ|書きました", _FLAGS
)
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[./-]\ ?\d{1,2}[./-]\ ?\d{2,4}(?!\d)|\d{1,2}月\s?\d{1,2}日|\d{1,2}월\s?\d{1,2}일"
    r"|(?<!\d)25\d\d(?!\d)"
)
_TIME = re.compile(
    r"(?<!\d)\d{1,2}\s?[:.h：]\s?\d{2}(?!\d)|\d{1,2}\s?(?:時|时|시|點|点)|(?<!\d)\d{1,2}\s?[ap]\.?m\b", re.IGNORECASE
)
_EMAIL = re.compile(r"[^\s<>()\[\]@,;:\"]{1,80}@[^\s<>()\[\]@,;:\"]{1,80}")
_ENDS = re.compile(r"(?:[:：]|\b(?:wrote|writes)|写道|寫道)\s*[-*_>\s]{0,30}\Z")
_OPENS = re.compile(rf"[\s*_>\-–—]{{0,10}}(?:(?:{phrases.OPENS})(?![^\W\d_])|在|於|于|\d|\[?\d{{1,4}}[./年-])", _FLAGS)
_NEEDS_MORE = re.compile(
    rf"\s*(?:<|\(?mailto:|于|於|님이|さん|via\b|\[|(?:{phrases.WROTE})|a\s[ée]crit|ha\sscritto|het\svolgende|tarihinde|şunu)",
    _FLAGS,
)
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RUN_ON = re.compile(r"[:：][ \u00a0]{2,40}(?=\S)")
"""The colon of an attribution, in front of words that stand on the same line."""
_DECORATION = " \t*_|>-–—"

_LABELS = {label.strip(): role for role, labels in phrases.HEADER_LABELS.items() for label in labels}
_LABEL_LINE = re.compile(r"[\s>*_|]{0,10}\**\s?([^\W\d_][^:：|\n]{0,28}?)\s*\**\s*[:：|]\s*\**\s?(.*)", re.DOTALL)
_LABEL_WITHIN = re.compile(r"(?<!\S)\*?([^\W\d_]{1,20}(?:\s[^\W\d_]{1,12})?)\s?[:：]")
_SPACED_OUT = re.compile(r"(?<=[\u3040-\u9fff])[\s\u3000]+(?=[\u3040-\u9fff])")
_FOREIGN_LABELS = re.compile(
    r"message|nachricht|mensaje|messaggio|phone|tel|name|nombre|e-?mail|email|company|firma|order|bestell|address|adresse"
    r"|comment|留言|电话|姓名|お名前|내용|telefon|сообщение|телефон|имя",
    re.IGNORECASE,
)
_LOOKAHEAD = 14

_ORIGINAL_NAMES = "".join(line.strip() for line in phrases.ORIGINAL.split("\n"))
_DIVIDER = re.compile(
    rf"[\s>*|]{{0,10}}(?:[-_=~*—–+]{{2,60}}(?:\s|&nbsp;){{0,3}}\**(?:{_ORIGINAL_NAMES})(?:\s|&nbsp;|\*|:){{0,4}}[-_=~*—–+]{{0,60}}\s*:?"
    r"|-{4,60}\s?original\s?-{4,60}|-{3,60}[^-\n]{1,100}\b(?:wrote|schrieb|écrit|escribió|scritto):?\s?-{3,60}"
    rf"|(?:{_ORIGINAL_NAMES})\s?(?:[:：]|[-_=~*—–]{{2,60}}))\**\s*\Z",
    re.IGNORECASE,
)
_REPLY_ABOVE = re.compile(phrases.REPLY_ABOVE, _FLAGS)
_RULE = re.compile(r"[\s>*]{0,6}(?:[-_=~*—–─━]\s?){3,200}\Z")


class Strength(IntEnum):
    """How sure a line is an attribution."""

    NONE = 0
    NEEDS_QUOTE = 1
    """Only when marked quotation follows."""
    STRONG = 2
    """Even when what follows carries no quote marks."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Lines `start` to `stop` (exclusive) announce a quotation."""

    start: int
    stop: int
    strength: Strength
    is_header: bool = False
    """A header block or divider: all that follows is the original."""


def is_rule(text: str) -> bool:
    """A line drawn with characters."""
    return _RULE.match(text[:_MAX_LINE]) is not None


def find_attribution(lines: Sequence[Line], last: int, first: int) -> Opening | None:
    """The attribution that ends on line `last` and begins no earlier than `first`.

    Clients wrap it anywhere, so up to three lines above are tried; the reading that starts like
    an attribution wins over the shorter one that does not.
    """
    if not _may_end(_BIDI.sub("", lines[last].text[-200:])):
        return Opening(last, last + 1, Strength.STRONG) if _is_run_on(lines[last].text) else None
    joined = ""
    best: Opening | None = None
    for start in range(last, max(first, last - _MAX_JOIN + 1) - 1, -1):
        line = lines[start]
        if not line.text.strip() or (start != last and _blocks_join(lines[start], lines[last])):
            break
        joined = f"{_BIDI.sub('', line.text).strip()} {joined}".strip()
        if len(joined) > _MAX_LINE:
            break
        strength = _strength(joined)
        if strength is Strength.NONE:
            continue
        if best is None or strength > best.strength or _NEEDS_MORE.match(lines[best.start].text):
            best = Opening(start, last + 1, strength)
        if _OPENS.match(joined) and _is_complete(joined) and not _NEEDS_MORE.match(joined):
            return Opening(start, last + 1, strength)
    return best


def _is_run_on(text: str) -> bool:
    """Whether a line is an attribution with the quoted words right behind it: so Yahoo's telephones write."""
    colon = _RUN_ON.search(text[:_MAX_LINE]) if "@" in text[:_MAX_LINE] else None
    if colon is None:
        return False
    head = text[: colon.start() + 1]
    return _OPENS.match(head) is not None and _is_complete(head) and _strength(head) is Strength.STRONG


def _blocks_join(line: Line, last: Line) -> bool:
    return line.depth != last.depth or line.text.rstrip().endswith((".", "!", "?", ":", "。", "！", "？"))


def _may_end(text: str) -> bool:
    """Whether a line can be the last of an attribution; cheap, for it is asked of every line."""
    return text[-60:].rstrip(" \t*_-–—").endswith(_LAST_WORDS)


_LAST_WORDS: tuple[str, ...] = (
    ":",
    "：",
    ">",
    ")",
    "]",
    "写道",
    "寫道",
    "wrote",
    "writes",
    "écrit",
    "escribió",
    "escreveu",
    "scritto",
)
_LAST_WORDS += ("geschrieben", "schreef", "작성", "yazdı")


def _is_complete(joined: str) -> bool:
    return _DATE.search(joined) is not None and (_EMAIL.search(joined) or _VERB.search(joined)) is not None


def _strength(joined: str) -> Strength:
    text = joined.strip(_DECORATION)
    verb = _VERB.search(text)
    email = _EMAIL.search(text) is not None
    dated = _DATE.search(text) is not None
    timed = _TIME.search(text) is not None
    ends = _ENDS.search(joined) is not None or (verb is not None and verb.end() >= len(text) - 2)
    if ends and _is_strong(has_verb=verb is not None, email=email, dated=dated, timed=timed, text=text):
        return Strength.STRONG
    opens = (dated or email) and _OPENS.match(text) is not None
    if ends and (verb is not None or (dated and email) or opens) and len(text) < 200:
        return Strength.NEEDS_QUOTE
    if dated and email and joined.rstrip().endswith((">", ")", "]")) and _OPENS.match(text):
        return Strength.NEEDS_QUOTE
    return Strength.NONE


def _is_strong(*, has_verb: bool, email: bool, dated: bool, timed: bool, text: str) -> bool:
    if has_verb:
        return (
            (email and (dated or timed or len(text) < 120))
            or (dated and timed)
            or (dated and _OPENS.match(text) is not None)
        )
    return dated and timed and email


def role_of(text: str) -> tuple[str, str]:
    """("from", "Ann <a@b>") for a header line in any language; ("", "") for anything else."""
    if ":" not in text[:48] and "：" not in text[:48] and "|" not in text[:48]:
        return "", ""
    match = _LABEL_LINE.match(text[:_MAX_LINE])
    if match is None:
        return "", ""
    label = _SPACED_OUT.sub("", match[1].strip().strip("*_ ").lower())
    role = _LABELS.get(label) or _LABELS.get(" ".join(label.split()))
    return (role, match[2].strip()) if role else ("", "")


def find_header_block(lines: Sequence[Line], start: int) -> Opening | None:
    """The block of "From: Sent: To: Subject:" lines that begins at `start`."""
    role, value = role_of(lines[start].text)
    if role not in {"from", "date", "to", "subject"}:
        return None
    if role == "from" and _is_whole_block(lines[start].text):
        return Opening(start, start + 1, Strength.STRONG, is_header=True)
    roles: dict[str, str] = {role: value}
    stop, misses, foreign, repeated = start + 1, 0, 0, 0
    for number in range(start + 1, min(len(lines), start + _LOOKAHEAD)):
        text = lines[number].text
        found, content = role_of(text)
        if found:
            repeated += found in roles and found != "other"
            if repeated > 2:
                return None
            roles.setdefault(found, content)
            stop, misses = number + 1, 0
            continue
        if not text.strip() and {"from", "subject"} <= roles.keys() and len(roles) > 2:
            break
        misses += 1
        foreign += _is_foreign(text)
        if misses > 2:
            break
    if not _is_block(roles, foreign):
        return None
    return Opening(start, stop, Strength.STRONG, is_header=True)


def _is_whole_block(text: str) -> bool:
    """A header block that lost its line ends: "From: a@b Sent: Monday To: c Subject: d"."""
    text = text[:_MAX_LINE]
    if "@" not in text:
        return False
    labels = {_LABELS.get(" ".join(match[1].lower().split())) for match in _LABEL_WITHIN.finditer(text)}
    return {"date", "subject"} <= labels


def _is_foreign(text: str) -> bool:
    match = _LABEL_LINE.match(text[:_MAX_LINE])
    return match is not None and _FOREIGN_LABELS.search(match[1]) is not None


def _is_block(roles: dict[str, str], foreign: int) -> bool:
    """Whether the labels found make a mail's header rather than a contact form or a travel plan."""
    names = roles.keys() - {"cc", "other"}
    has_address = any("@" in value for value in roles.values())
    if foreign and "date" not in names:
        return False
    if "from" not in names:
        return {"date", "to", "subject"} <= names and has_address
    if "subject" in names:
        return len(names) >= 3 or has_address
    if {"from", "to", "date"} <= names:
        return has_address
    return "@" in roles["from"] and len(roles) >= 3


def find_divider(lines: Sequence[Line], number: int) -> Opening | None:
    """A line like "-----Original Message-----", "原始邮件" in dashes, "Begin forwarded message:"."""
    line = lines[number]
    text = line.text
    if line.mark is Mark.REST:
        return Opening(number, number + 1, Strength.STRONG, is_header=True)
    bare = text.strip()
    if not 4 <= len(bare) <= 160 or not (bare[0] in "-_=~*—–+>|#[" or bare[-1] in ":：-=_*~"):
        return None
    if _DIVIDER.match(bare):
        return Opening(number, number + 1, Strength.STRONG, is_header=True)
    if _REPLY_ABOVE.search(bare):
        return Opening(number, number + 1, Strength.STRONG, is_header=True)
    return None
