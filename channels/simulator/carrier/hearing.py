"""What a leg hears, as a timeline: who or what, from when to when, in which words.

No sound is mixed. A `Sound` stands for a stretch of it; spoken text takes as long as a person would take to say it.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from hub.clock import Instant

Kind = Literal["say", "play", "music", "silence", "tone", "voice", "mix"]

LETTERS_PER_S: Final = 14.0
HAN_PER_S: Final = 4.2
_HAN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SHORTEST_S: Final = 0.3


@dataclass(slots=True, kw_only=True)
class Sound:
    """A stretch of sound. `until` is None while nobody knows its end; cut short, it is brought forward.

    say      a machine's voice: `text`, `language`, `voice`
    play     a file: `url`
    music    what waiting sounds like when nobody chose it; `url` when somebody did
    silence  nothing
    tone     `text` names it: beep, ringback, busy, dtmf:1
    voice    a person: `text`, and `source` who it is
    mix      from now on these people can be heard: `text`, comma separated
    """

    at: Instant
    kind: Kind
    until: Instant | None = None
    text: str = ""
    url: str = ""
    language: str = ""
    voice: str = ""
    source: str = ""

    @property
    def length_s(self) -> float:
        """How long its words take, in seconds."""
        return speech_s(self.text)

    def heard_at(self, words: str) -> Instant | None:
        """Return when the last of some words will have been spoken if nothing cuts them off; None: they are not in it.

        Case does not matter.
        """
        if self.kind not in {"say", "voice"}:
            return None
        found = self.text.casefold().find(words.casefold())
        if found < 0:
            return None
        return self.at + round(min(speech_s(self.text[: found + len(words)]), speech_s(self.text)) * 1000)


def speech_s(text: str) -> float:
    """Return how long a text takes to say, in seconds."""
    han = len(_HAN.findall(text))
    return max(han / HAN_PER_S + (len(text) - han) / LETTERS_PER_S, _SHORTEST_S) if text else 0.0


class Hearing:
    """The timeline of one leg. `listen` is called with every sound as it begins, and again when one is cut short."""

    def __init__(self, now: Callable[[], Instant], *, most: int = 400) -> None:
        self._now = now
        self.sounds: deque[Sound] = deque(maxlen=most)
        self.listen: Callable[[Sound], None] | None = None

    def begin(self, sound: Sound) -> Sound:
        """Let the leg hear something from now on."""
        if sound.kind == "mix":
            self._end_mix(sound)
        self.sounds.append(sound)
        if self.listen is not None:
            self.listen(sound)
        return sound

    def cut(self, sound: Sound) -> None:
        """End a sound now, if it has not ended."""
        now = self._now()
        if sound.until is None or sound.until > now:
            sound.until = now
            if self.listen is not None:
                self.listen(sound)

    def _end_mix(self, following: Sound) -> None:
        """Let who could be heard so far be followed by who can be heard now; nobody is no sound at all."""
        for sound in self.sounds:
            if sound.kind == "mix" and sound.until is None:
                sound.until = following.at
        if not following.text:
            following.until = following.at

    def at(self, instant: Instant) -> list[Sound]:
        """Return what could be heard at an instant."""
        return [s for s in self.sounds if s.at <= instant and (s.until is None or instant < s.until)]

    @property
    def words(self) -> list[str]:
        """Everything spoken to this leg, in order."""
        return [sound.text for sound in self.sounds if sound.kind in {"say", "voice"}]

    @property
    def mix(self) -> str:
        """Who can be heard now, comma separated."""
        return next((sound.text for sound in reversed(self.sounds) if sound.kind == "mix"), "")
