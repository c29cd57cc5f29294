"""What stands below the words: signatures, sign-offs, mobile marks, lawyers' paragraphs, list footers."""

# ruff: noqa: E501, RUF001
import re
from collections.abc import Iterator, Sequence
from operator import or_

from channels.mail import phrases
from channels.mail.attributions import is_rule

_FLAGS = re.IGNORECASE | re.VERBOSE
_MAX_LINE = 400
_MAX_SIGNATURE = 14
"""Lines below a sign-off that may still be a signature."""
_SHORT = 60

_DELIMITER = re.compile(r"\s?(?:--|—|––|__|_{3}|-{3})\s*\Z")
_MOBILE = re.compile(rf"[\s<(\[*_]{{0,6}}(?:{phrases.SENT_FROM})", _FLAGS)
_DEVICE = re.compile(phrases.DEVICES, _FLAGS)
_BOTH = rf"(?:(?:{phrases.THANKS})\s?(?:[,，]|\b(?:{phrases.AND})|[&+])\s{{0,2}})?(?:{phrases.CLOSINGS})"
_CLOSING = re.compile(rf"[\s*_]{{0,4}}{_BOTH}(?:\s?[,.!،、。，！~～]|\s?\Z|\s?[-–—/|])", _FLAGS)
_CLOSING_AND_NAME = re.compile(
    rf"[\s*_]{{0,4}}(?:{phrases.PLAIN_CLOSINGS})\.?\ (?-i:[^\W\d_a-zß-öø-ÿ][\w.'’-]{{0,20}}(?:\ [^\W\d_a-zß-öø-ÿ][\w.'’-]{{0,20}}){{0,2}})\s*\Z",
    _FLAGS,
)
_LONG_FORMULAS = ("je vous", "nous vous", "veuillez", "recevez", "dans l", "in attesa", "sin otro", "sin más")
_THANKS = re.compile(rf"[\s*_]{{0,4}}(?:{phrases.THANKS})\s?(?P<mark>[,，!！.。~]{{0,3}})\s*\Z", _FLAGS)
_THANKS_ALONE = re.compile(rf"[\s*_]{{0,4}}(?:{phrases.THANKS})\s?[,，!.。！]?\s*\Z", _FLAGS)
_DISCLAIMER = re.compile(rf"[\W_]{{0,12}}(?:{phrases.DISCLAIMERS})", _FLAGS | re.DOTALL)
_BANNER = re.compile(rf"[\W_]{{0,12}}(?:{phrases.BANNERS})", _FLAGS | re.DOTALL)
_FOOTER = re.compile(rf"[\s>*]{{0,4}}(?:{phrases.FOOTERS})", _FLAGS)
_CONTACT = re.compile(
    r"(?:\+|\(|\b0)\d[\d\s().\-/]{6,}\d|\b(?:tel|phone|mobile|cell|fax|telefon|tél|тел|tlf|móvil|cel|whatsapp|skype|mob|e-?mail)\b"
    r"\s?[.:：]|(?:電話|电话|手机|手機|传真|傳真|전화|휴대폰|携帯|邮箱|信箱|微信|qq)\s?[:：]|www\.\w|https?://|[\w.+-]{1,64}@[\w-]{1,63}\.\w"
    r"|\b(?:gmbh|ltd|inc|llc|s\.?a\.?r\.?l|s\.?p\.?a|s\.?l|b\.?v|sp\. z o\.o|co\., ltd|ооо|a\.ş|ag|corp|limited)\b|株式会社|有限公司|주식회사"
    r"|\s\|\s|\b(?:manager|director|engineer|ceo|cto|cfo|consultant|assistant|geschäftsführer|leiter|vertrieb"
    r"|directeur|responsable|gerente|менеджер|директор|müdürü)\b|经理|總監|总监|部長|課長|부장|팀장|과장|대리|地址[:：]|〒\d|\b[A-Z]?-?\d{5}\s[A-ZÄÖÜ]"
    r"|\d{2,4}-\d{3,4}-\d{4}|\A[tmepf]\s?[:.]\s?[+(\d\w]",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(
    r"\s*(?:p\.?\s?p?\.?\s?s\b|n\.?b\.?\s?:|ps\s?[:：]|附言|又及|追伸|추신|з\.?\s?ы\.?|п\.?\s?с\.?)[.:：\s]",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"\W{0,6}[^\W_]{1,40}\W+(?:[^\W_]+\W+){6,}.*[.?!。？！]\s*\Z|.{0,200}[\u3040-\u9fff]{8}[^\n]{0,200}[。？！]\s*\Z",
    re.DOTALL,
)
_EASTERN_NAME = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]{1,4}[ \u3000]?[\u3040-\u30ff\u3400-\u9fff]{1,4}(?:敬上|上)?\Z"
    r"|[\uac00-\ud7af]{2,4}(?:\s?(?:드림|올림|배상|과장|대리|부장|팀장))?\Z"
)
_PLACE_OF_WORK = re.compile(r"(?:公司|集团|集團|中心|[部科室处處课課]|事業部|センター|팀|부|과|센터|회사)\Z")
_FIELDS = re.compile(r"\s[|·•]\s|\s?[｜│]\s?")
_REACHED = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}|\+?\d[\d ()./-]{6,20}\d|(?:https?://|www\.)\S{3,200}"
)
_INKLESS = " \t\r\n\u00a0\u3000|\ufffc"
_DASH_NAME = re.compile(r"[-–—~]\s?[^\W\d_][\w.' -]{1,30}\Z")


def is_mobile_mark(text: str) -> bool:
    """A line like "Sent from my iPhone"."""
    return 4 < len(text) < 160 and _MOBILE.match(text) is not None and _DEVICE.search(text) is not None


def banner_end(texts: Sequence[str]) -> int:
    """How many lines at the top are a gateway's warning."""
    start = 0
    while start < len(texts) and not texts[start].strip():
        start += 1
    stop = start
    while stop < len(texts) and texts[stop].strip() and stop - start < 8:
        stop += 1
    paragraph = " ".join(texts[start:stop])[:600]
    if not _BANNER.match(paragraph):
        return 0
    if stop - start > 1 and _BANNER.match(texts[start]) and len(texts[start]) > 60 and not _goes_on(texts[start + 1]):
        stop = start + 1
    while stop < len(texts) and (not texts[stop].strip() or is_rule(texts[stop])):
        stop += 1
    return stop


def _goes_on(text: str) -> bool:
    return (
        text[:1].islower()
        or re.search(r"links?|attachment|sender|content|anhäng|absender|pièces", text, re.IGNORECASE) is not None
    )


def tail_start(texts: Sequence[str], sender: str = "", address: str = "") -> tuple[int, int]:
    """Where the words end in the lines of one piece of writing: (signature starts, disclaimer starts).

    Both are `len(texts)` when there is none. A postscript below a signature keeps everything.
    """
    end = _content_end(texts, len(texts))
    disclaimer = _disclaimer_start(texts, end)
    end = _content_end(texts, disclaimer)
    signature = _signature_start(texts, end, sender, address)
    if _has_postscript(texts, signature, end):
        signature = end
    if signature < end or disclaimer < len(texts):
        return min(signature, disclaimer), disclaimer
    return len(texts), len(texts)


def _content_end(texts: Sequence[str], end: int) -> int:
    while end and (not has_ink(texts[end - 1]) or _divides(texts[end - 1])):
        end -= 1
    return end


def has_ink(text: str) -> bool:
    """Whether a line has more than blanks, the bars of a flattened table or the place of a picture."""
    return bool(text.strip(_INKLESS))


def _divides(text: str) -> bool:
    return is_rule(text) or _DELIMITER.match(text) is not None


def _paragraphs(texts: Sequence[str], end: int) -> Iterator[int]:
    """Where paragraphs begin, last first; not farther up than any signature stands."""
    for number in range(end - 1, max(-1, end - 200), -1):
        if not has_ink(texts[number]):
            continue
        above = texts[number - 1].strip() if number else ""
        if not above or (above != "|" and not has_ink(above)) or _divides(above):
            yield number


def _disclaimer_start(texts: Sequence[str], end: int) -> int:
    """The first of the closing paragraphs that all sound like a lawyer, a scanner or a list."""
    found = len(texts)
    for count, start in enumerate(_paragraphs(texts, end)):
        if count > 5:
            break
        head = "\n".join(texts[start : start + 6])[:700]
        if _DISCLAIMER.match(head.replace("\n", " ")) or _FOOTER.match(head):
            found = start
        elif found == len(texts) and count > 2:
            break
    return found


def _signature_start(texts: Sequence[str], end: int, sender: str, address: str) -> int:
    lowest = max(0, end - _MAX_SIGNATURE - 6)
    start = end
    start = _without_mobile(texts, start)
    found = _delimited(texts, lowest, start)
    above = start if found is None else _content_end(texts, found)
    closed = _closed(texts, max(0, above - _MAX_SIGNATURE - 6), above, sender)
    found = found if closed is None else closed
    if found is None:
        found = _contact_block(texts, lowest, start, sender, address)
    return start if found is None else found


def _without_mobile(texts: Sequence[str], end: int) -> int:
    """The end of the words above trailing "Sent from my ..." lines (looked for in the last six lines)."""
    seen = 0
    for number in range(end - 1, -1, -1):
        text = texts[number].strip()
        if not text:
            continue
        if is_mobile_mark(text):
            end = number
            seen = 0
            continue
        seen += 1
        if seen > 3 or len(text) > 80:
            break
    return _content_end(texts, end)


def _delimited(texts: Sequence[str], lowest: int, end: int) -> int | None:
    """A "-- " or a drawn line with no more than a signature below it."""
    for number in range(max(lowest, end - 30), end):
        text = texts[number]
        if not _DELIMITER.match(text) and not (is_rule(text) and _looks_like_contact(texts[number + 1 : end])):
            continue
        below = [line for line in texts[number + 1 : end] if line.strip()]
        is_standard = text.strip() == "--"
        limit = _MAX_SIGNATURE if is_standard else 8
        if (
            below
            and len(below) <= limit
            and (is_standard or not any(_SENTENCE.match(line[:_MAX_LINE]) for line in below))
        ):
            return number
    return None


def _closed(texts: Sequence[str], lowest: int, end: int, sender: str) -> int | None:
    """A valediction with only short lines below."""
    for number in range(lowest, end):
        text = texts[number].strip()
        if not text or (len(text) > 60 and not _is_long_formula(text)):
            continue
        below = [line.strip() for line in texts[number + 1 : end] if line.strip()]
        if _is_closing(text, below, sender) and _is_signature_body(below):
            above = next((texts[place] for place in range(number - 1, -1, -1) if texts[place].strip()), "")
            if _THANKS_ALONE.match(above) and above.strip().endswith((",", "，")):
                number -= 1
            return number
    return None


def _is_long_formula(text: str) -> bool:
    return len(text) < 240 and text[:10].lower().startswith(_LONG_FORMULAS)


def _is_closing(text: str, below: Sequence[str], sender: str) -> bool:
    if _CLOSING_AND_NAME.match(text):
        return True
    match = _CLOSING.match(text)
    if match is not None:
        rest = text[match.end() :].strip(" ,.-–—/|*_!！")
        return len(rest.split()) <= 4 and not rest.endswith("?") and len(rest) < 50
    thanks = _THANKS.match(text)
    if thanks is None or not below or len(below[0].split()) > 4:
        return False
    return (
        thanks["mark"] in {",", "，"}
        or _is_sender(below[0], sender)
        or _is_eastern_name(below[0])
        or _has_contact(below)
    )


def _has_contact(below: Sequence[str]) -> bool:
    return any(_CONTACT.search(line[:_MAX_LINE]) for line in below)


def _is_eastern_name(text: str) -> bool:
    """A few ideographs or syllables and nothing else, perhaps with a humble word behind."""
    return _EASTERN_NAME.match(text) is not None


def _is_signature_body(below: Sequence[str]) -> bool:
    """Short lines, and behind them whatever a lawyer adds without leaving a line free."""
    lawyers = (n for n, line in enumerate(below) if len(line) > _SHORT and _DISCLAIMER.match(line[:_MAX_LINE]))
    below = below[: next(lawyers, len(below))]
    if len(below) > _MAX_SIGNATURE:
        return False
    return not any(
        len(line) > 160 or (_SENTENCE.match(line[:_MAX_LINE]) and not _CONTACT.search(line)) for line in below
    )


def _looks_like_contact(lines: Sequence[str]) -> bool:
    below = [line for line in lines if line.strip()]
    return 1 <= len(below) <= 10 and sum(1 for line in below if _CONTACT.search(line[:_MAX_LINE])) >= min(2, len(below))


def _contact_block(texts: Sequence[str], lowest: int, end: int, sender: str, address: str) -> int | None:
    """A last paragraph that begins with a name and is mostly ways to reach its owner."""
    start = next(_paragraphs(texts, end), 0)
    if start == 0 or start < lowest:
        return None
    block = [text.strip("|\ufffc \t") for text in texts[start:end] if has_ink(text)]
    if not block or len(block) > _MAX_SIGNATURE:
        return None
    above = next(texts[place] for place in range(start - 1, -1, -1) if has_ink(texts[place]) or not place)
    if above.rstrip()[-1:] in {":", "："}:
        return None  # what is announced is part of the words: an address to be noted
    if _is_card(block, sender, address) or _is_eastern_card(block):
        return start
    first = block[0].strip("*_ ,-–—")
    is_named = _is_sender(first, sender) or _looks_like_name(first)
    contacts = sum(1 for line in block[1:] if _CONTACT.search(line[:_MAX_LINE]))
    if is_named and len(block) <= _MAX_SIGNATURE and contacts >= 2 and contacts * 2 >= len(block) - 1:
        return start
    if len(block) == 1 and _is_sender(first, sender) and _DASH_NAME.match(block[0]):
        return start
    return None


def _is_card(block: Sequence[str], sender: str, address: str) -> bool:
    """A name and how to reach it in a line or two: "Ann | Example Ltd | +44 ...", or a name over its own address."""
    own = address.lower()
    if own and block[-1].lower().strip("<>") == own:
        return len(block) == 1 or (len(block) == 2 and len(block[0]) <= 40 and block[0][-1:] not in ":：?？!！")
    fields = [field.strip() for field in _FIELDS.split(block[0])]
    if len(block) == 1:
        is_named = _is_sender(fields[0], sender) or _looks_like_name(fields[0])
        return len(fields) >= 3 and is_named and _REACHED.search(block[0][:_MAX_LINE]) is not None
    is_named = _is_sender(block[0], sender) or _is_eastern_name(block[0])
    return len(block) == 2 and is_named and _REACHED.fullmatch(block[1][:_MAX_LINE]) is not None


def _is_eastern_card(block: Sequence[str]) -> bool:
    """A name over the place of work and ways to reach its owner there: no address that somebody asks to be noted."""
    if not 3 <= len(block) <= 8 or not _is_eastern_name(block[0]):
        return False
    works = [_PLACE_OF_WORK.search(line[:_SHORT]) is not None for line in block[1:]]
    reached = [_CONTACT.search(line[:_MAX_LINE]) is not None for line in block[1:]]
    return any(works) and any(reached) and all(map(or_, works, reached))


def _is_sender(text: str, sender: str) -> bool:
    name = sender.strip().lower()
    return bool(name) and text.lower() in {name, name.split()[0], name.split()[-1]}


def _looks_like_name(text: str) -> bool:
    words = text.split()
    return (
        1 <= len(words) <= 4
        and len(text) <= 40
        and ":" not in text
        and all(word[:1].isupper() or not word[:1].isascii() for word in words)
    )


def _has_postscript(texts: Sequence[str], start: int, end: int) -> bool:
    return any(_POSTSCRIPT.match(text) for text in texts[start:end])
