"""Which choice does a customer mean? Words and synonyms against what was said, with a confidence.

Latin words are compared stemmed and with one typing mistake, unspaced scripts by pairs of characters. A word that
several choices share says less than one that only one of them has. Offline; sentence embeddings may be put in beside
the words (`Similar`), where they are installed.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import msgspec

from hub.domain.words import folded
from hub.flows import phrases
from hub.flows.phrases import base

SURE: Final = 0.75
"""Confidence from which a choice is taken without asking back."""
UNSURE: Final = 0.4
"""Confidence from which it is worth asking back; below it nothing was understood."""
AHEAD: Final = 0.15
"""By how much the best choice must lead the next one to be taken without asking back."""
_NEGATED: Final = 0.7
_PART: Final = 0.6
MAX_TEXT: Final = 500
"""Characters of what was said that are looked at."""

Similar = Callable[[str, Sequence[str]], Sequence[float]]
"""Likeness (0 to 1) of a text to each of some phrases: the place for sentence embeddings."""

_CJK: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_PIECE: Final = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK: Final = re.compile(rf"[{_CJK}]")
_EMPTY: Final = frozenset(
    re.split(
        " ",
        "a an the i my me you your is are am be it its to of in on at for with and or do does did have has can could "
        "would will please want need like about what where when which that this there some any hi hello hey if so just "
        "的 了 吗 我 你 您 请 想 要 是 在 有 呢 吧",
    )
)
_GREETING: Final = re.compile("[你您]好[吗呀啊]?|大家好|(?:早上|上午|中午|下午|晚上)好|哈[喽啰]|嗨")
"""Greetings say nothing about a choice, as `hello` does not: without them `你好` would mean `好了`."""
_ENDINGS: Final = ("ations", "ation", "ings", "ing", "ies", "ment", "ers", "ed", "es", "er", "s", "y", "e")


class Known(msgspec.Struct, frozen=True):
    """One thing that may be meant: its id, and the phrases that mean it (the label first)."""

    id: str
    phrases: tuple[str, ...]
    digit: str = ""


class Match(msgspec.Struct, frozen=True):
    """What was probably meant. `id` is "" when nothing was understood; `is_sure` needs no asking back."""

    id: str = ""
    confidence: float = 0.0
    is_sure: bool = False


def match(text: str, known: Sequence[Known], *, language: str = "en", similar: Similar | None = None) -> Match:
    """Return which of these a text means."""
    plain = phrases.bare(text[:MAX_TEXT])
    if not plain or not known:
        return Match()
    direct = _by_place(plain, known) or _by_phrase(plain, known)
    if direct:
        return Match(direct, 1.0, is_sure=True)
    scores = scored(plain, known, language=language)
    found = _best(scores)
    if similar is None or found.is_sure:
        return found
    return _best(_with_likeness(scores, text[:MAX_TEXT], known, similar))


def _best(scores: Mapping[str, float]) -> Match:
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    best, score = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    if score < UNSURE:
        return Match("", score)
    return Match(best, score, is_sure=score >= SURE and score - second >= AHEAD)


def scored(plain: str, known: Sequence[Known], *, language: str = "en") -> dict[str, float]:
    """Return a likeness for each: the best of its phrases, words that others share counting less."""
    wanted = {one.id: [_phrase_tokens(phrase) for phrase in one.phrases] for one in known}
    scores = _likenesses(tokens(plain), wanted)
    meant = _without_negated(plain, language)
    if meant == plain:
        return scores
    # What is said not to be meant may still be it ("I do not see my order"): worth asking back, never sure.
    positive = _likenesses(tokens(meant), wanted)
    if max(positive.values()) >= UNSURE:
        return positive
    return {one: min(score, _NEGATED) for one, score in scores.items()}


@lru_cache(maxsize=20_000)
def _phrase_tokens(phrase: str) -> tuple[str, ...]:
    """Return a flow's own phrase as it is compared: the same few thousand, again and again."""
    return tuple(tokens(phrase))


@lru_cache(maxsize=20_000)
def _bare_phrase(phrase: str) -> str:
    return phrases.bare(phrase)


def _likenesses(said: Sequence[str], wanted: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, float]:
    if not said:
        return dict.fromkeys(wanted, 0.0)
    shared = Counter(token for lists in wanted.values() for token in {t for words in lists for t in words})
    return {one: max((_likeness(said, words, shared) for words in lists), default=0.0) for one, lists in wanted.items()}


def tokens(text: str) -> list[str]:
    """Return what a text is compared by: stems of words, pairs of characters; words that say nothing are left out."""
    found: list[str] = []
    for piece in _PIECE.findall(_GREETING.sub(" ", folded(text))):
        if _IS_CJK.match(piece):
            bare = "".join(c for c in piece if c not in _EMPTY) or piece
            found += [a + b for a, b in pairwise(bare)] if len(bare) > 1 else [bare]
        elif piece not in _EMPTY:
            found.append(_stem(piece))
    return found


def _likeness(said: Sequence[str], phrase: Sequence[str], shared: Mapping[str, int]) -> float:
    """Return how much of a phrase was said, and how much of what was said is the phrase."""
    if not phrase:
        return 0.0
    earned = [1.0 if token in said else _nearly(token, said) for token in phrase]
    if not any(earned):
        return 0.0
    weights = [1 / shared[token] for token in phrase]
    covered = sum(weight * credit for weight, credit in zip(weights, earned, strict=True))
    telling = min(covered, 1.0)
    heard = sum(word in phrase or _nearly(word, phrase) > 0 for word in said) / len(said)
    of_phrase = covered / sum(weights)
    if heard == 1.0 and covered:  # said was nothing but a part of the phrase: 订单 for 订单状态
        of_phrase = max(of_phrase, _PART)
    return round(of_phrase * (0.55 + 0.3 * telling + 0.15 * heard), 3)


def _nearly(token: str, words: Sequence[str]) -> float:
    """Return what a word is worth that stands among these with one typing mistake."""
    if len(token) < 4 or _IS_CJK.match(token):
        return 0.0
    near = [
        len(word) for word in words if len(word) > 3 and abs(len(word) - len(token)) < 2 and _one_mistake(token, word)
    ]
    if not near:
        return 0.0
    return 0.85 if min(max(near), len(token)) > 5 else 0.75


def _one_mistake(a: str, b: str) -> bool:
    """Whether two words differ by one letter too many, one missing, one wrong, or two swapped."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    swapped = rest_a[:2] == rest_b[:2][::-1] and rest_a[2:] == rest_b[2:]
    return swapped or rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _by_place(plain: str, known: Sequence[Known]) -> str:
    """Return the choice that a number or an ordinal names: `2`, `two`, `the second one`, `第二个`, `选2`."""
    for one in known:
        if one.digit and plain == one.digit:
            return one.id
    words = plain.removeprefix("the ").removeprefix("number ").removeprefix("option ").removesuffix(" one").strip()
    words = words.removeprefix("选").removeprefix("按").removesuffix("个").removesuffix("项")
    for table in (phrases.ORDINALS["en"], phrases.ORDINALS["zh"]):
        if words in table and table.index(words) < len(known):
            return known[table.index(words)].id
    written = int(words) if words.isdecimal() and len(words) < 3 else -1
    number = phrases.NUMBERS.get(words, phrases.HAN_DIGITS.get(words, written))
    return next((one.id for one in known if one.digit == str(number)), "")


def _by_phrase(plain: str, known: Sequence[Known]) -> str:
    said = [one.id for one in known if any(plain == _bare_phrase(phrase) for phrase in (one.id, *one.phrases))]
    return said[0] if len(said) == 1 else ""


def _without_negated(plain: str, language: str) -> str:
    """Return the text without what it says is not meant: "not billing, an order" asks for an order."""
    for word in phrases.NEGATION.get(base(language), ()):
        plain = re.sub(rf"(?<![a-z]){re.escape(word)}(?![a-z])\s*[^\s,，。;.]*(?:\s+[^\s,，。;.]+)?", " ", plain)
    return plain


def _with_likeness(scores: dict[str, float], text: str, known: Sequence[Known], similar: Similar) -> dict[str, float]:
    """Return the scores with likenesses by meaning where these are higher; other scripts' phrases are not compared."""
    is_cjk = bool(_IS_CJK.search(text))
    spoken = [(one.id, phrase) for one in known for phrase in one.phrases if bool(_IS_CJK.search(phrase)) is is_cjk]
    likeness = similar(text, [phrase for _, phrase in spoken])
    liked = dict(scores)
    for (one, _), value in zip(spoken, likeness, strict=True):
        liked[one] = max(liked[one], round(min(max(value, 0.0), 1.0), 3))
    return liked
