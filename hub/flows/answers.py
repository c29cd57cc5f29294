"""Reading answers: what was typed, said or keyed becomes a value of the type asked for, or the reason why not."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

import msgspec

from hub.domain.customers import AddressKind, normalized
from hub.domain.errors import BadRequest
from hub.domain.redaction import without_cards
from hub.flows import phrases
from hub.flows.expressions import MAX_TEXT, Value
from hub.flows.model import AnswerType, Ask

MAX_RAW: Final = 10_000
"""Characters of an answer that are looked at; what comes after them is not read at all."""

_NUMBER: Final = re.compile(r"[-+]?\d[\d., '_]{0,30}")
_MONEY: Final = re.compile(r"[$€£¥₩]|\b(?:usd|eur|gbp|cny|rmb|dollars?|euros?|pounds?|yuan)\b|元|块|美元|欧元|人民币")
_ISO: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_SHORT: Final = re.compile(r"(\d{1,2})[-/. ](\d{1,2})(?:[-/. ](\d{4}|\d{2}))?")
_HAN: Final = re.compile(r"(\d{1,2})月(\d{1,2})[日号]?")
_NAMED: Final = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?(?: of)? )?([a-z]{3,9})\.?(?: (\d{1,2})(?:st|nd|rd|th)?)?,?(?: (\d{4}))?"
)
_MASK: Final = {"#": str.isdecimal, "@": str.isalpha, "*": str.isalnum}


class Given(msgspec.Struct, frozen=True):
    """An answer that was understood (`value`), or why it was not: a code of `phrases.SAID` with its values."""

    value: Value = None
    is_understood: bool = True
    code: str = ""
    names: dict[str, str] = {}


class Way(msgspec.Struct, frozen=True):
    """How a flow reads answers: its days and its country, the language spoken, what day it is."""

    today: date
    language: str = "en"
    dates: str = "dmy"
    region: str = "US"


def read(ask: Ask, raw: str, way: Way) -> Given:
    """Return the value of an answer; choices are matched elsewhere (`matching`)."""
    text = without_cards(unicodedata.normalize("NFKC", raw[:MAX_RAW]).replace("\x00", "")).strip()
    if not text:
        return Given(is_understood=False, code="again")
    return _READERS[ask.type](ask, text, way)


def example_of(pattern: str) -> str:
    """Return something that fits a pattern: `SB-#####` gives SB-12345."""
    digits, letters = iter("1234567890" * 8), iter("ABCDEFGHJK" * 8)
    return "".join(next(letters) if c == "@" else next(digits) if c in "#*" else c for c in pattern)


def fits(pattern: str, text: str) -> str:
    """Return the text as the pattern writes it, or "" if it does not fit.

    `#` is a digit, `@` a letter, `*` either; everything else stands for itself and may be left out by the customer,
    as may spaces. Linear in the text.
    """
    given = [c for c in text.upper() if c.isalnum()][:80]
    whole = [c for c in pattern if c in _MASK or c.isalnum()]
    open_places = [c for c in pattern if c in _MASK]
    for wanted in (whole, open_places):
        if len(given) == len(wanted) and all(_fits(mask, c) for mask, c in zip(wanted, given, strict=True)):
            filling = iter([c for mask, c in zip(wanted, given, strict=True) if mask in _MASK])
            return "".join(next(filling) if c in _MASK else c for c in pattern)
    return ""


def _fits(mask: str, character: str) -> bool:
    test = _MASK.get(mask)
    return test(character) if test and character.isascii() else mask.upper() == character


def spoken_digits(text: str) -> str:
    """Return a text with its spoken digits written: `A B one two` is `A B 1 2`, 一二三 is 123."""
    digits = {word: str(value) for word, value in phrases.NUMBERS.items() if value < 10}
    words = [digits.get(word, word) for word in text.lower().split()]
    return "".join(str(phrases.HAN_DIGITS.get(c, c)) for c in " ".join(words))


def number_in(text: str) -> float | None:
    """Return the number that a text is about: in figures, in English words up to thousands, in Chinese numerals."""
    plain = text.lower().strip(" .!。！")
    found = _NUMBER.findall(plain)
    if len(found) == 1:
        return _figure(found[0])
    if found:
        return None
    words = re.split(r"[\s-]+", plain)
    if any(word in phrases.NUMBERS for word in words):
        return _english(words)
    han = re.search(r"[零〇一二两三四五六七八九十百千万]+", plain)
    return _chinese(han[0]) if han else None


def _figure(text: str) -> float | None:
    figure = re.sub(r"[ '_]", "", text).rstrip(".,")
    decimal = max(figure.rfind("."), figure.rfind(","))
    if decimal >= 0:
        mark, tail = figure[decimal], figure[decimal + 1 :]
        is_grouping = len(tail) == 3 and figure.count(mark) >= 1 and (mark == "," or figure.count(mark) > 1)
        whole = re.sub(r"[.,]", "", figure[:decimal])
        figure = whole + tail if is_grouping else f"{whole}.{tail}"
    try:
        return float(figure)
    except ValueError:
        return None


def _english(words: list[str]) -> float | None:
    total = part = 0
    for word in words:
        value = phrases.NUMBERS.get(word)
        if value is None:
            continue
        if value == 1_000:
            total, part = total + max(part, 1) * 1_000, 0
        elif value == 100:
            part = max(part, 1) * 100
        else:
            part += value
    return float(total + part)


def _chinese(text: str) -> float:
    total = section = digit = 0
    if not any(c in phrases.HAN_UNITS for c in text):
        return float("".join(str(phrases.HAN_DIGITS[c]) for c in text[:15]))
    for c in text[:30]:
        if c in phrases.HAN_DIGITS:
            digit = phrases.HAN_DIGITS[c]
        elif c == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * phrases.HAN_UNITS[c], 0
    return float(total + section + digit)


def _number(ask: Ask, text: str, _way: Way) -> Given:
    value = number_in(text)
    if value is None or abs(value) > 10**15:
        return Given(is_understood=False, code="number")
    return _within(ask, int(value) if value.is_integer() else round(value, 6))


def _amount(ask: Ask, text: str, _way: Way) -> Given:
    value = number_in(_MONEY.sub(" ", text.lower()))
    if value is None or abs(value) > 10**12:
        return Given(is_understood=False, code="amount")
    return _within(ask, round(value, 2))


def _within(ask: Ask, value: int | float) -> Given:
    if ask.least is not None and value < ask.least:
        return Given(is_understood=False, code="too_small", names={"bound": f"{ask.least:g}"})
    if ask.most is not None and value > ask.most:
        return Given(is_understood=False, code="too_large", names={"bound": f"{ask.most:g}"})
    return Given(value)


def _written(ask: Ask, text: str, _way: Way) -> Given:
    least = 1 if ask.least is None else int(ask.least)
    if len(text) < least:
        return Given(is_understood=False, code="text")
    return Given(text[: int(ask.most) if ask.most else MAX_TEXT])


def _date(ask: Ask, text: str, way: Way) -> Given:
    found = _day(text.lower().strip(" .,。!！"), way)
    if found is None:
        return Given(is_understood=False, code="date")
    days = (found - way.today).days
    bounds = ((ask.least, "too_small", days.__lt__), (ask.most, "too_large", days.__gt__))
    for bound, code, is_beyond in bounds:
        if bound is not None and is_beyond(round(bound)):
            day = way.today + timedelta(days=round(bound))
            return Given(is_understood=False, code=code, names={"bound": day.isoformat()})
    return Given(found.isoformat())


def _day(text: str, way: Way) -> date | None:
    if text in phrases.DAYS:
        return way.today + timedelta(days=phrases.DAYS[text])
    if (weekday := _weekday(text)) is not None:
        return way.today + timedelta(days=(weekday - way.today.weekday() - 1) % 7 + 1)
    if match := _ISO.fullmatch(text):
        return _made(int(match[1]), int(match[2]), int(match[3]))
    if match := _HAN.fullmatch(text):
        return _coming(int(match[1]), int(match[2]), None, way)
    if text.isdecimal() and len(text) in (4, 8):  # keyed in on a phone
        text = f"{text[:2]}/{text[2:4]}" + (f"/{text[4:]}" if len(text) == 8 else "")
    if match := _SHORT.fullmatch(text):
        first, second = int(match[1]), int(match[2])
        day, month = (second, first) if way.dates == "mdy" else (first, second)
        return _coming(month, day, match[3], way)
    if (match := _NAMED.fullmatch(text)) and match[2][:3] in phrases.MONTHS and (match[1] or match[3]):
        return _coming(phrases.MONTHS.index(match[2][:3]) + 1, int(match[1] or match[3]), match[4], way)
    return None


def _weekday(text: str) -> int | None:
    plain = text.removeprefix("next ").removeprefix("this ").removeprefix("on ").removeprefix("下").removeprefix("这")
    if plain in phrases.WEEKDAYS["en"]:
        return phrases.WEEKDAYS["en"].index(plain)
    day = plain.removeprefix("星期").removeprefix("周").removeprefix("礼拜").replace("天", "日")
    return phrases.WEEKDAYS["zh"].index(day) if plain != day and day in phrases.WEEKDAYS["zh"] else None


def _coming(month: int, day: int, year: str | None, way: Way) -> date | None:
    """Return a date; without a year the next such day."""
    if year:
        return _made(int(year) + (2000 if len(year) == 2 else 0), month, day)
    this = _made(way.today.year, month, day)
    return this if this is None or this >= way.today else _made(way.today.year + 1, month, day)


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _phone(_ask: Ask, text: str, way: Way) -> Given:
    try:
        return Given(normalized(AddressKind.PHONE, spoken_digits(text)[:60], region=way.region))
    except BadRequest:
        return Given(is_understood=False, code="phone")


def _email(_ask: Ask, text: str, _way: Way) -> Given:
    spoken = re.sub(r"\s+(?:at|艾特)\s+", "@", text.strip(" .。").lower())
    spoken = re.sub(r"\s+(?:dot|点)\s+", ".", spoken)
    try:
        return Given(normalized(AddressKind.EMAIL, spoken if "@" in text else spoken.replace(" ", "")))
    except BadRequest:
        return Given(is_understood=False, code="email")


def _pattern(ask: Ask, text: str, _way: Way) -> Given:
    for candidate in (text, *_numbered_words(text), spoken_digits(text)):
        if found := fits(ask.pattern, candidate):
            return Given(found)
    return Given(is_understood=False, code="pattern", names={"example": example_of(ask.pattern)})


def _numbered_words(text: str) -> list[str]:
    """Return the words that hold a digit, and what stands between words: "my order is SB-12345, thanks"."""
    return [word for word in re.split(r"[\s,;:。，；：]+", text)[:50] if any(c.isdecimal() for c in word)]


def _yes_no(_ask: Ask, text: str, way: Way) -> Given:
    value = yes_or_no(text, way.language)
    return Given(value) if value is not None else Given(is_understood=False, code="yes_no")


def yes_or_no(text: str, language: str) -> bool | None:
    """Return whether a text says yes or no; None when it says neither, or both."""
    plain = phrases.bare(text)
    for table, value in ((phrases.NO, False), (phrases.YES, True)):
        if phrases.is_one_of(plain, table, (language, *phrases.LANGUAGES)):
            return value
    words = re.split(r"[\s,]+", plain)
    is_yes = words[0] in phrases.YES["en"][:12]
    is_no = words[0] in phrases.NO["en"][:9]
    if len(words) > 6 or is_yes == is_no:
        return None
    return is_yes


def _choice(_ask: Ask, _text: str, _way: Way) -> Given:
    return Given(is_understood=False, code="choose")


_READERS: Final[dict[AnswerType, Callable[[Ask, str, Way], Given]]] = {
    AnswerType.CHOICE: _choice,
    AnswerType.TEXT: _written,
    AnswerType.NUMBER: _number,
    AnswerType.DATE: _date,
    AnswerType.AMOUNT: _amount,
    AnswerType.PHONE: _phone,
    AnswerType.EMAIL: _email,
    AnswerType.PATTERN: _pattern,
    AnswerType.YES_NO: _yes_no,
}
