"""A telephone in the hand of somebody made of nothing: it picks up, hears words, speaks, presses keys, hangs up."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Final

from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import Leg
from channels.simulator.tempo import Tempo

_KEPT: Final = 20
"""What was said and not listened to is forgotten beyond so much."""


class Receiver:
    """One telephone, one call at a time; a second one finds it busy. People talk once the other has finished."""

    def __init__(self, tempo: Tempo, chance: random.Random) -> None:
        self._tempo = tempo
        self._chance = chance
        self._leg: Leg | None = None
        self._heard: deque[Sound] = deque(maxlen=_KEPT)
        self.on_call: Callable[[], object] = lambda: None
        """Called when a call that came in has been picked up."""
        self.news = asyncio.Event()
        """Set whenever something is heard, and when the call begins or ends."""

    @property
    def is_up(self) -> bool:
        """Whether somebody is at the other end."""
        return self._leg is not None and self._leg.is_up

    @property
    def is_free(self) -> bool:
        """Whether there is no call, not even one that rings."""
        return self._leg is None or self._leg.is_over

    # -- what the carrier tells

    def offered(self, leg: Leg) -> None:
        """It rings: it is picked up after a moment."""
        if not self.is_free:
            leg.decline("busy", 486)
            return
        self.takes(leg)
        leg.end_after(self._chance.uniform(0.6, 2.0) * self._tempo.pace, leg.answer)

    def takes(self, leg: Leg) -> None:
        """This is the call from now on."""
        self._leg = leg
        self._heard.clear()

    def connected(self, leg: Leg) -> None:
        """The other end is there."""
        if leg is self._leg:
            self.news.set()
            if leg.route.direction != "inbound":
                self.on_call()

    def heard(self, leg: Leg, sound: Sound) -> None:
        """Keep what is said; a sound that is told again was only cut short."""
        if leg is self._leg and sound.kind in {"say", "voice"} and not any(sound is one for one in self._heard):
            self._heard.append(sound)
            self.news.set()

    def ended(self, leg: Leg) -> None:
        """The other end is gone."""
        if leg is self._leg:
            self.news.set()

    # -- what its owner does

    async def say(self, text: str) -> None:
        """Say something; returns when it has been said, or the call is over."""
        if self._leg is None or not self._leg.is_up:
            return
        until = self._leg.speak(text)
        await self._tempo.clock.sleep(max(until - self._tempo.clock.now(), 0) / 1000)

    def press(self, keys: str) -> None:
        """Press keys."""
        if self._leg is not None:
            self._leg.press(keys)

    def hang_up(self) -> None:
        """Put it down."""
        if self._leg is not None:
            self._leg.hang_up()

    async def listen(self, within_s: float, *, kind: str = "voice") -> str:
        """Return the next words that a person (`say`: a machine) says, when they have been said; empty for none."""
        deadline = self._tempo.clock.now() + round(within_s * 1000)
        while self.is_up:
            self.news.clear()
            found = self._next(kind)
            if found is not None:
                until = found.until or found.at
                await self._tempo.clock.sleep(max(until - self._tempo.clock.now(), 0) / 1000)
                return found.text
            if not await self._tempo.clock.wait_until(self.news, deadline):
                return ""
        return ""

    async def is_answered(self, within_s: float) -> bool:
        """Wait until the other end is there; False when it does not come, or is gone."""
        deadline = self._tempo.clock.now() + round(within_s * 1000)
        while not self.is_up:
            self.news.clear()
            if self.is_free or not await self._tempo.clock.wait_until(self.news, deadline):
                return False
        return True

    def _next(self, kind: str) -> Sound | None:
        """Take the next of a kind. Whoever listens to a person lets machines talk, never the other way round."""
        while self._heard and (kind == "voice" or self._heard[0].kind != "voice"):
            sound = self._heard.popleft()
            if sound.kind == kind:
                return sound
        return None
