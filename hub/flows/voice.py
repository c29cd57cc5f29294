"""Outputs as speech: what is said, what is listened for, what is recorded; a voice channel turns it into its own words.

The structure is that of a gather: prompts, then digits or speech. Nothing is said that only eyes can use: no links, no
marks of layout. A menu's choices are read out with their keys.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from hub.flows import phrases
from hub.flows.model import AnswerType
from hub.flows.session import Asked, Finished, Offered, Outcome, Output, Recording

MAX_SPOKEN: Final = 1_000
"""Characters said in one go: more than a minute of speech that nobody can interrupt by reading ahead."""

LOCALES: Final = {"en": "en-US", "zh": "zh-CN", "de": "de-DE", "fr": "fr-FR", "es": "es-ES"}
_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_EMAIL: Final = re.compile(r"\b([\w.+-]{1,64})@([\w-]{1,63}(?:\.[\w-]{1,63})+)")
_LAYOUT: Final = re.compile(r"[*_`#>|~^\\]+|^\s*[-•]\s+", re.MULTILINE)
_SPACES: Final = re.compile(r"\s+")

_PRESS: Final = {"en": "For {label}, press {digit}.", "zh": "{label}请按{digit}。"}
_YES_NO: Final = {"en": "Say yes or press 1, say no or press 2.", "zh": "是请按1，否请按2。"}
_END_KEY: Final = {"en": "Finish with the hash key.", "zh": "请以井号键结束。"}
_AT: Final = {"en": (" at ", " dot "), "zh": (" 艾特 ", " 点 ")}


class Say(msgspec.Struct, frozen=True):
    """Words to be spoken, in a locale."""

    text: str
    locale: str


class Gather(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts during which an answer is listened for.

    `digits` is how many keys make an answer; 0 means that `end_key` does. `timeout_s` of silence end it.
    """

    prompts: tuple[Say, ...]
    step: str
    timer: int
    locale: str
    speech: bool = True
    digits: int = 0
    end_key: str = ""
    timeout_s: float = 6.0
    hints: tuple[str, ...] = ()
    keys: dict[str, str] = {}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts, a tone, and a recording of at most `most_s` seconds."""

    prompts: tuple[Say, ...]
    step: str
    most_s: float


class HangUp(msgspec.Struct, frozen=True):
    """The call is over."""


class Stay(msgspec.Struct, frozen=True):
    """The call goes on elsewhere: the queue, or a look-up that takes a moment."""


Voice = Say | Gather | Record | HangUp | Stay


def spoken(outputs: Sequence[Output], language: str) -> list[Voice]:
    """Return outputs as speech. Words before a question are said while it is listened for, so that they can be cut."""
    locale = LOCALES.get(phrases.base(language), language)
    made: list[Voice] = []
    said: list[Say] = []
    for output in outputs:
        if isinstance(output, Finished):
            made += [*said, HangUp() if _is_goodbye(output) else Stay()]
            said = []
        elif isinstance(output, Asked):
            made.append(_gather(output, [*said, *_question(output, language, locale)], locale))
            said = []
        elif isinstance(output, Recording):
            made.append(
                Record(
                    prompts=(*said, Say(speakable(output.text, language), locale)),
                    step=output.step,
                    most_s=output.most_s,
                )
            )
            said = []
        elif text := speakable(output.text, language):
            said.append(Say(text, locale))
    if said:
        made += [*said, Stay()]
    return made


def speakable(text: str, language: str) -> str:
    """Return a text as it can be said: no links, addresses spelled out, no marks of layout."""
    at, dot = _AT.get(phrases.base(language), _AT["en"])
    plain = _URL.sub("", text)
    plain = _EMAIL.sub(lambda match: match[0].replace("@", at).replace(".", dot), plain)
    plain = _SPACES.sub(" ", _LAYOUT.sub(" ", plain)).strip()
    return plain[:MAX_SPOKEN]


def key_of(said: str, keys: dict[str, str]) -> str:
    """Return the choice that a pressed key takes, "" for a key without one."""
    return keys.get(said.strip(), "")


def _question(output: Asked, language: str, locale: str) -> list[Say]:
    base = phrases.base(language)
    texts = [output.lead, output.text]
    if output.wants is AnswerType.YES_NO:
        texts.append(_YES_NO.get(base, _YES_NO["en"]))
    elif output.choices:
        press = _PRESS.get(base, _PRESS["en"])
        texts += [press.format(label=one.label, digit=one.digit) for one in output.choices if one.digit]
    elif _end_key(output):
        texts.append(_END_KEY.get(base, _END_KEY["en"]))
    spoken_texts = [speakable(text, language) for text in texts]
    return [Say(text, locale) for text in spoken_texts if text]


def _gather(output: Asked, prompts: Sequence[Say], locale: str) -> Gather:
    return Gather(
        prompts=tuple(prompts),
        step=output.step,
        timer=output.timer,
        locale=locale,
        digits=output.digits,
        end_key=_end_key(output),
        timeout_s=output.silence_s,
        hints=output.hints,
        keys=_keys(output.choices),
    )


def _end_key(output: Asked) -> str:
    """Return the key that ends an answer whose length nobody knows beforehand; a text is spoken, not keyed."""
    is_keyed = output.wants in {AnswerType.NUMBER, AnswerType.AMOUNT, AnswerType.PHONE}
    return "#" if is_keyed and not output.digits else ""


def _keys(choices: Sequence[Offered]) -> dict[str, str]:
    return {one.digit: one.id for one in choices if one.digit}


def _is_goodbye(output: Finished) -> bool:
    return output.outcome not in {Outcome.QUEUED, Outcome.HANDED_BACK}
