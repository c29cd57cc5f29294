"""Every document that the hub can give a line is one the carrier takes: verbs, attributes, nesting, size."""

import inspect
import itertools
import string
from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.simulator.carrier.twiml import LARGEST, read, validate
from channels.voice import documents
from channels.voice.documents import EARS, UNSPEAKABLE, VOICES, Places, document, hold_document, leave, nothing
from hub.contract.calls import CallStep, Said
from hub.domain.calls import Gathering
from hub.services.phone.words import HOLD_CODES, TEXTS, spoken, standing
from tests.meta.source import PACKAGES, files, name_of

PLACES: Final = Places(base="https://hub.example:8443/webhooks/a-line")
THENS: Final[tuple[str, ...]] = get_args(get_type_hints(CallStep)["then"])
LANGUAGES: Final = ("en", "zh", "de", "zh-CN", "tlh")
HARSH: Final = "Æ\x00\x1b\ufffe <b>&amp; \"quoted\" 'words' ]]> \u2028 退订 😀 "
WORDS: Final[tuple[tuple[Said, ...], ...]] = (
    (),
    tuple(standing(3, 400, "zh")),
    *((Said(text, language),) for text in (HARSH, "您" * 3_000, "a" * 3_000) for language in LANGUAGES),
)
GATHERINGS: Final = (
    None,
    *(
        Gathering(language=language, digits=digits, end_key=end_key, timeout_s=timeout_s, hints=hints)
        for language, digits, end_key, timeout_s, hints in itertools.product(
            LANGUAGES, (0, 1, 12), ("", "#"), (0.0, 6.0), ((), ("one, two", "您" * 200, HARSH), ("word",) * 900)
        )
    ),
)


def steps(then: str, words: Sequence[Said]) -> Iterator[CallStep]:
    """Return steps of a kind with everything that they can carry."""
    own: dict[str, Any] = {
        "then": then,
        "interaction": "i" + "z" * 40,
        "leg": "l" + "z" * 40,
        "turn": "q123456789.123456789",
    }
    if then == "listen":
        for gathering in GATHERINGS:
            yield CallStep(say=tuple(words), gathering=gathering, **own)
        return
    for keys, music_s, max_s in itertools.product(("", "1"), (0, 30, 600), (1, 180)):
        yield CallStep(say=tuple(words), keys=keys, music_s=music_s, max_s=max_s, **own)


@pytest.mark.parametrize("then", THENS)
def test_every_step_of_a_line_is_a_sound_document(then: str) -> None:
    for words in WORDS:
        for step in steps(then, words):
            assert validate(document(step, PLACES)) == []


@pytest.mark.parametrize("then", THENS)
def test_every_step_of_who_waits_is_one_that_a_waiting_room_may_hold(then: str) -> None:
    for words in WORDS:
        for step in steps(then, words):
            assert validate(document(step, PLACES, in_waiting_room=True), place="queue wait") == []


@pytest.mark.parametrize("code", sorted(TEXTS))
@pytest.mark.parametrize("is_once", [True, False])
def test_who_holds_hears_what_a_room_may_hold(code: str, is_once: bool) -> None:
    for language in LANGUAGES:
        values = {"position": 2, "ahead": 1, "minutes": 3}
        held = hold_document([spoken(code, language, **values)], PLACES, is_once=is_once)
        assert validate(held, place="conference wait") == []
    assert TEXTS.keys() >= HOLD_CODES


@pytest.mark.parametrize("then", ["call", "wait", "left", "hold"])
@pytest.mark.parametrize("place", ["", "queue wait", "conference wait"])
def test_who_is_kept_when_something_fails_hears_what_may_be_heard_anywhere(then: str, place: str) -> None:
    assert validate(hold_document((), PLACES, seconds=5, then=then), place=place) == []


def test_documents_without_words_are_sound() -> None:
    assert validate(nothing()) == []
    assert validate(leave(), place="queue wait") == []


def test_no_document_is_written_anywhere_else() -> None:
    """A function that writes documents and is not tried above, or a verb written by hand, has to be added here."""
    own = {
        name for name, one in inspect.getmembers(documents, inspect.isfunction) if one.__module__ == documents.__name__
    }
    assert {name for name in own if not name.startswith("_")} - {"pieces"} == {
        *("document", "hold_document", "leave", "nothing"),
    }
    writers = {
        name_of(path)
        for path in files(".py", under=PACKAGES)
        if any(sign in path.read_text(encoding="utf-8") for sign in ("VoiceResponse", "<Response", "MessagingResponse"))
    }
    assert {name for name in writers if not name.startswith("channels/simulator/")} == {
        "channels/_twilio.py",  # only loads the library
        "channels/sms/channel.py",  # answers a text with nothing
        "channels/voice/documents.py",
    }


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=2_000), st.sampled_from(LANGUAGES))
def test_whatever_is_said_is_said_within_the_carriers_limits(text: str, language: str) -> None:
    written = document(CallStep(say=(Said(text, language),), then="hang_up"), PLACES)
    assert validate(written) == []
    assert len(written.encode()) <= LARGEST
    said = "".join(verb.text for verb in read(written).verbs if verb.name == "Say")
    assert "".join(said.split()) == "".join(UNSPEAKABLE.sub("", text).split())


def test_every_language_of_the_hub_has_a_voice_and_an_ear() -> None:
    for texts in TEXTS.values():
        assert texts.keys() <= VOICES.keys() & EARS.keys()
        assert texts.keys() == {"en", "zh"}
        assert {field for _, field, _, _ in string.Formatter().parse(texts["en"]) if field} <= {
            *("position", "ahead", "minutes"),
        }
