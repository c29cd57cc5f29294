"""TwiML: what a line hears and does next, from the hub's steps.

Rules: twilio.com/docs/voice/twiml. A waiting room's document may hold Say, Play, Pause, Gather, Redirect and Leave; a
message is recorded outside of it, so who is to leave one leaves the waiting room first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape

import msgspec

from channels.voice import music
from hub.contract.calls import CallStep, Said
from hub.domain.calls import Gathering

EARS: Final[Mapping[str, str]] = {"en": "en-US", "zh": "cmn-Hans-CN", "de": "de-DE", "fr": "fr-FR", "es": "es-ES"}
"""Language -> the name that the carrier's speech recognition has for it."""
LONGEST_HINT, MOST_HINTS = 100, 500
VOICES: Final[Mapping[str, tuple[str, str]]] = {"en": ("Polly.Joanna", "en-US"), "zh": ("Polly.Zhiyu", "cmn-CN")}
"""Language -> the carrier's voice and its language; both are always said, a mismatch is refused (13511)."""
LONGEST_SAY: Final = 450
"""Characters of one Say: address-encoded, 4,500 are the limit, which is about 500 Chinese characters."""
ROOM_EVENTS: Final = "start end join leave mute hold"
MESSAGE_SILENCE_S: Final = 6
_OWN: Final = "own"
UNSPEAKABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no document may hold, wherever the words are from: one of them, and the caller hears an error."""
_ENDS: Final = (". ", "? ", "! ", "\u3002", "\uff01", "\uff1f")
"""Where a sentence ends, in Latin and in Chinese."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """The addresses of the hub's own documents for one line."""

    base: str
    """Public address, `/webhooks/` and the channel's id."""
    music: str = ""
    """A sound file to play to whoever waits; empty: the hub's own music."""
    voices: Mapping[str, tuple[str, str]] = field(default_factory=lambda: VOICES, hash=False)

    def music_for(self, seconds: float) -> str:
        """Return where music of about so long is."""
        return self.music or self.url("music", f"{music.bars(seconds)}.wav")

    def url(self, *parts: str, **query: str) -> str:
        """Return an address under `base`."""
        path = "/".join(quote(part, safe="") for part in parts)
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items() if value)
        return f"{self.base}/{path}" + (f"?{asked}" if asked else "")


def document(step: CallStep, places: Places, *, in_waiting_room: bool = False) -> str:
    """Return what a line does next. Callers who hear the same share a document: it is written once.

    Args:
        step: the hub's word.
        places: where it goes on.
        in_waiting_room: whether it already hears the queue's documents.
    """
    if in_waiting_room:
        return _written(msgspec.structs.replace(step, interaction="", leg="", turn=""), places, in_waiting_room=True)
    if step.then == "queue":
        # The one thing that is each caller's own stands behind all words.
        before, _, after = _written(msgspec.structs.replace(step, interaction=_OWN), places).rpartition(_OWN)
        return f"{before}{escape(step.interaction)}{after}"
    return _written(step, places)


@lru_cache(maxsize=512)
def _written(step: CallStep, places: Places, *, in_waiting_room: bool = False) -> str:
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    if in_waiting_room:
        _waiting_room(response, step, places)
    else:
        _outside(response, step, places)
    return str(response)


def _outside(response: Any, step: CallStep, places: Places) -> None:  # noqa: ANN401 - the library's types are loose
    if step.then == "refuse":
        response.reject(reason="busy")
        return
    if step.then != "listen":
        _say(response, step.say, places)
    if step.then in {"queue", "wait"}:
        response.enqueue(
            step.interaction,
            action=places.url("left"),
            method="POST",
            wait_url=places.url("wait"),
            wait_url_method="POST",
        )
    elif step.then == "room":
        _room(response, step, places)
    elif step.then == "listen":
        _listen(response, step, places)
    elif step.then == "ask_again":
        response.pause(length=max(step.music_s, 1))
        response.redirect(places.url("answer", turn=step.turn), method="POST")
    elif step.then == "message":
        response.record(
            action=places.url("message", turn=step.turn),
            method="POST",
            max_length=step.max_s,
            timeout=MESSAGE_SILENCE_S,
            finish_on_key="#",
            play_beep=True,
            recording_status_callback=places.url("recording", interaction=step.interaction, message="1"),
            recording_status_callback_event="completed absent",
        )
        if step.turn:
            # Nothing was said: that is an answer too.
            response.redirect(places.url("answer", turn=step.turn), method="POST")
    else:
        response.hangup()


def _listen(response: Any, step: CallStep, places: Places) -> None:  # noqa: ANN401
    """Say the words and listen for keys and speech meanwhile; whatever comes, even nothing, is asked about."""
    asked = step.gathering or Gathering(language="en")
    options: dict[str, Any] = {"num_digits": asked.digits} if asked.digits else {}
    if asked.hints:
        options["hints"] = ",".join(
            UNSPEAKABLE.sub(" ", hint.replace(",", " "))[:LONGEST_HINT] for hint in asked.hints[:MOST_HINTS]
        )
    gather = response.gather(
        input="dtmf speech",
        action=places.url("answer", turn=step.turn),
        method="POST",
        action_on_empty_result=True,
        timeout=max(round(asked.timeout_s), 1),
        speech_timeout="auto",
        finish_on_key=asked.end_key or ("" if asked.digits == 1 else "#"),
        language=EARS.get(asked.language.partition("-")[0], EARS["en"]),
        **options,
    )
    _say(gather, step.say, places)


def _waiting_room(response: Any, step: CallStep, places: Places) -> None:  # noqa: ANN401
    if step.then in {"room", "message", "listen", "ask_again"}:
        response.leave()
        return
    if step.then != "wait":
        _say(response, step.say, places)
        response.hangup()
        return
    if step.keys:
        gather = response.gather(
            input="dtmf", num_digits=1, timeout=1, action=places.url("wait"), method="POST", finish_on_key=""
        )
        _say(gather, step.say, places)
        _music(gather, step.music_s, places)
    else:
        _say(response, step.say, places)
        _music(response, step.music_s, places)
    response.redirect(places.url("wait"), method="POST")


def _music(response: Any, seconds: int, places: Places) -> None:  # noqa: ANN401
    """Play for about so long; within a Gather keys are heard all the same."""
    response.play(places.music_for(max(seconds, 5)))


def _room(response: Any, step: CallStep, places: Places) -> None:  # noqa: ANN401
    dial = response.dial(action=places.url("left"), method="POST")
    dial.conference(
        step.interaction,
        beep="false",
        start_conference_on_enter=True,
        end_conference_on_exit=False,
        participant_label=step.leg,
        wait_url=places.url("hold"),
        wait_method="POST",
        status_callback=places.url("room"),
        status_callback_method="POST",
        status_callback_event=ROOM_EVENTS,
    )


def hold_document(
    said: Sequence[Said], places: Places, *, seconds: int = 30, then: str = "hold", is_once: bool = False
) -> str:
    """Return what somebody on hold hears: words, then music, over and over. Only Say, Play, Pause and Redirect here.

    `then` is the document of ours that is asked for after so many seconds. `is_once`: words alone, said into a room.
    """
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    _say(response, said, places)
    if not is_once:
        _music(response, seconds, places)
        response.redirect(places.url(then), method="POST")
    return str(response)


def leave() -> str:
    """Return the document that leads whoever waits out of the waiting room, to be asked about anew."""
    return '<?xml version="1.0" encoding="UTF-8"?><Response><Leave /></Response>'


def nothing() -> str:
    """Return the document that asks for nothing."""
    return '<?xml version="1.0" encoding="UTF-8"?><Response />'


def _say(response: Any, said: Sequence[Said], places: Places) -> None:  # noqa: ANN401
    for words in said:
        voice, language = places.voices.get(words.language) or places.voices["en"]
        for piece in pieces(words.text):
            response.say(piece, voice=voice, language=language)


def pieces(text: str, longest: int = LONGEST_SAY) -> list[str]:
    """Cut a text for being spoken, at sentences or blanks where there are some, each at most `longest` characters."""
    found = []
    rest = " ".join(UNSPEAKABLE.sub(" ", text).split())
    while len(rest) > longest:
        cut = max(rest.rfind(mark, 0, longest) + len(mark) for mark in _ENDS)
        if cut < longest // 3:
            cut = rest.rfind(" ", 0, longest) + 1 or longest
        found.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [*found, rest] if rest else found
