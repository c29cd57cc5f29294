"""What simulated people do in self-service: they know the words of a menu, as everybody does who has met one."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

KEYS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "en": (
        ("Order status, press", "order"),
        ("digits of your order number", "number"),
        ("Do you have it", "maybe"),
        ("try another number", "no"),
        ("anything else", "no"),
        ("how satisfied", "stars"),
        ("add something", "no"),
        ("What went wrong", "word"),
        ("still there", ""),
    ),
    "zh": (
        ("订单状态请按", "order"),
        ("五位订单号", "number"),
        ("您收到了吗", "maybe"),
        ("要换一个订单号", "no"),
        ("其他需要帮助", "no"),
        ("请打 1 到 5 分", "stars"),
        ("还想补充什么", "no"),
        ("哪里不满意", "word"),
    ),
}
"""By language: words of a question, and what kind of answer it gets; the first that fits counts."""
PUT_THROUGH: Final[Mapping[str, Sequence[str]]] = {
    "en": ("connecting you", "colleague", "next in line", "in line.", "Please hold", "press one"),
    "zh": ("转接", "同事", "下一位", "前面还有", "请稍候", "请按一"),
}
"""By language: what is heard once a person is on the way."""
ASK_FOR_PERSON: Final[Mapping[str, Sequence[str]]] = {
    "en": ("Agent, please", "I would like to talk to a person", "agent"),
    "zh": ("转人工", "人工客服"),
}
_GUESSES: Final = ("10", "11", "12", "13", "99")
"""How order numbers begin; the last kind is none of the shop's."""


def question_in(said: str, language: str) -> str:
    """Return what kind of answer is wanted, empty when nothing is asked that people know to answer."""
    return next((kind for words, kind in KEYS.get(language, KEYS["en"]) if words in said), "")


def is_put_through(said: str, language: str) -> bool:
    """Whether a person is on the way."""
    return any(words in said for words in PUT_THROUGH.get(language, PUT_THROUGH["en"]))


def order_digits(chance: random.Random) -> str:
    """Return the five digits of an order; now and then of none."""
    return f"{chance.choice(_GUESSES)}{chance.randrange(1000):03d}"


def keys_for(kind: str, chance: random.Random) -> str:
    """Return the keys that a caller presses, empty when they would rather speak or wait."""
    if kind == "order":
        return "1"
    if kind == "number":
        return order_digits(chance)
    if kind == "stars":
        return f"{chance.choice((3, 4, 4, 5, 5))}#"
    return {"maybe": chance.choice("12"), "no": "2"}.get(kind, "")
