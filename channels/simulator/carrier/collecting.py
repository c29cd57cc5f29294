"""Verbs that take something from the caller: keys and speech (Gather), a message (Record)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.simulator.carrier.account import Hook
from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import HungUp, Pressed, Source, SpeechBegan, SpeechEnded
from channels.simulator.carrier.recordings import Order, Recording
from channels.simulator.carrier.running import BEEP_S, Next, Run
from channels.simulator.carrier.twiml import Node
from channels.simulator.carrier.verbs import answer
from channels.simulator.carrier.webhooks import flattened
from hub.clock import Instant

GATHER_TIMEOUT_S: Final = 5
LONGEST_SPEECH_S: Final = 60
LONGEST_MESSAGE_S: Final = 3600
LONGEST_TRANSCRIBED_S: Final = 120
AUTO_PAUSE_S: Final = 1.0
"""How long `speechTimeout="auto"` waits for more."""
TRANSCRIBING_S: Final = 2.0


@dataclass(slots=True)
class _Entry:
    """What was entered so far."""

    node: Node
    kinds: frozenset[str]
    digits: str = ""
    finished_on: str = ""
    has_digits: bool = False
    is_speaking: bool = False
    speech: list[str] = field(default_factory=list)
    confidence: float = 0.0

    @property
    def finish_key(self) -> str:
        return self.node.get("finishOnKey", "#")

    def press(self, key: str) -> bool:
        """Take a key; True when that is enough."""
        if key == self.finish_key:
            self.finished_on = key
            return True
        self.has_digits = True
        self.digits += key
        most = self.node.number("numDigits", 0)
        return bool(most) and len(self.digits) >= most

    def params(self) -> list[tuple[str, object]] | None:
        """Return the parameters of the result; None when there is none."""
        if self.digits:
            return [("Digits", self.digits), ("FinishedOnKey", self.finished_on or None), ("msg", "Gather End")]
        if self.speech:
            text, language = " ".join(self.speech), self.node.get("language", "en-US")
            return [("SpeechResult", text), ("Confidence", round(self.confidence, 7)), ("Language", language)]
        return None


async def gather(run: Run, node: Node) -> Next:
    """Take keys, speech or both, also while the prompts play; without input the document goes on."""
    leg = run.leg
    leg.deafen()
    answer(run)
    entry = _Entry(node, node.words("input", "dtmf"))
    collector = _Collector(run, entry)
    await collector.prompts()
    await collector.wait()
    params = entry.params()
    if params is None and not node.flag("actionOnEmptyResult"):
        return None
    empty: list[tuple[str, object]] = [("Digits", "") if "dtmf" in entry.kinds else ("SpeechResult", "")]
    source = run.action(node, params if params is not None else empty, own=True)
    return None if source is None else Source(hook=source.hook, params=source.params, kind="gather")


class _Collector:
    """Listens while prompts play and after them."""

    def __init__(self, run: Run, entry: _Entry) -> None:
        self._run = run
        self._leg = run.leg
        self._entry = entry
        self._is_enough = False
        self._partials = 0

    async def prompts(self) -> None:
        """Play what stands inside; the first input stops it."""
        barge_in = self._entry.node.flag("bargeIn", default=True)
        for child in self._entry.node.children:
            for _ in range(1 if child.name == "Pause" else child.number("loop", 1) or 1000):
                sound, seconds = await self._prompt(child)
                if await self._listen(sound, seconds, stops=barge_in):
                    return

    async def wait(self) -> None:
        """Wait for input to begin, then to end; nothing within the time-out is no input."""
        entry = self._entry
        timeout_s = entry.node.number("timeout", GATHER_TIMEOUT_S)
        while not self._is_enough:
            if entry.is_speaking:
                until = self._leg.switch.now() + LONGEST_SPEECH_S * 1000
            elif entry.speech:
                until = self._leg.switch.now() + round(self._speech_pause_s(timeout_s) * 1000)
            else:
                until = self._leg.switch.now() + timeout_s * 1000
            if not await self._take(until):
                return

    async def _prompt(self, child: Node) -> tuple[Sound, float]:
        run = self._run
        if child.name == "Say":
            language, voice = child.get("language", "en-US"), child.get("voice", "man")
            sound = Sound(at=0, kind="say", text=child.text, language=language, voice=voice)
            return sound, sound.length_s
        if child.name == "Play" and child.text:
            url = run.absolute(child.text)
            return Sound(at=0, kind="play", url=url), await run.fetch_sound(url) or 1.0
        return Sound(at=0, kind="silence"), child.number("length", 1)

    async def _listen(self, sound: Sound, seconds: float, *, stops: bool) -> bool:
        """Play one prompt while listening; True when input has made the rest needless."""
        hearing = self._leg.hearing
        sound.at = self._leg.switch.now()
        sound.until = sound.at + round(seconds * 1000)
        until = sound.until
        hearing.begin(sound)
        try:
            while await self._take(until):
                if self._is_enough or stops:
                    return True
            return False
        finally:
            hearing.cut(sound)

    async def _take(self, until: Instant) -> bool:
        """Take one input before `until`; False when none came."""
        while True:
            event = await self._leg.next(until)
            if event is None:
                return False
            if self._note(event):
                return True

    def _note(self, event: object) -> bool:
        """Note an event; True when it was input that is wanted."""
        entry = self._entry
        if isinstance(event, Pressed) and "dtmf" in entry.kinds and not entry.speech:
            self._is_enough = entry.press(event.key)
            return True
        if "speech" not in entry.kinds or entry.has_digits:
            return False
        if isinstance(event, SpeechBegan):
            entry.is_speaking = True
            self._partial(event)
            return True
        if isinstance(event, SpeechEnded):
            entry.is_speaking = False
            entry.speech.append(event.text)
            entry.confidence = max(entry.confidence, event.confidence)
            return True
        return False

    def _speech_pause_s(self, timeout_s: int) -> float:
        said = self._entry.node.get("speechTimeout")
        return AUTO_PAUSE_S if said == "auto" else float(said) if said.isdigit() else float(timeout_s)

    def _partial(self, event: SpeechBegan) -> None:
        """Report what is understood so far, twice, as recognition goes on."""
        node = self._entry.node
        hook = self._run.hook(node, "partialResultCallback", "partialResultCallbackMethod")
        if not hook:
            return
        words = event.text.split() or [event.text]
        half, length_s = " ".join(words[: -(-len(words) // 2)]), (event.until - self._leg.switch.now()) / 1000
        for share, text in ((0.5, half), (0.95, event.text)):
            self._leg.end_after(length_s * share, lambda text=text: self._send_partial(hook, text))  # type: ignore[misc]

    def _send_partial(self, hook: Hook, text: str) -> None:
        params: Sequence[tuple[str, object]] = [
            *self._leg.params(),
            ("UnstableSpeechResult", text),
            ("StableSpeechResult", ""),
            ("Stability", 0.9),
            ("SequenceNumber", self._partials),
        ]
        self._partials += 1
        switch = self._leg.switch
        switch.webhooks.notify(
            "gather", hook, flattened(params), on_failure=lambda answer: switch.note_answer(answer, self._leg.sid)
        )


async def record(run: Run, node: Node) -> Next:
    """Take a message: it ends with a key, with silence, at its greatest length or when the caller hangs up."""
    leg = run.leg
    leg.deafen()
    answer(run)
    if node.flag("playBeep", default=True):
        await run.sound(Sound(at=0, kind="tone", text="beep"), BEEP_S)
    order = Order(
        source="RecordVerb",
        call_sid=leg.sid,
        hook=run.hook(node, "recordingStatusCallback", "recordingStatusCallbackMethod"),
        events=node.words("recordingStatusCallbackEvent", "completed"),
    )
    recording = run.plant.record_leg(leg, order)
    message = _Message(run, node, recording)
    try:
        ended_with = await message.listen()
    except HungUp:
        message.finish()
        message.tell_after_hangup()
        raise
    message.finish()
    if not message.words and not ended_with:
        return None
    return run.action(node, message.params(ended_with), own=True)


class _Message:
    """A message being left."""

    def __init__(self, run: Run, node: Node, recording: Recording) -> None:
        self._run = run
        self._leg = run.leg
        self._node = node
        self._recording = recording
        self.words: list[str] = []

    async def listen(self) -> str:
        """Listen until it is over; returns the key that ended it, if one did."""
        node, leg = self._node, self._leg
        longest_s = LONGEST_TRANSCRIBED_S if node.flag("transcribe") else LONGEST_MESSAGE_S
        end = leg.switch.now() + node.number("maxLength", longest_s) * 1000
        silence_ms = node.number("timeout", 5) * 1000
        quiet_until = leg.switch.now() + silence_ms
        while True:
            event = await leg.next(min(end, quiet_until))
            if event is None:
                return ""
            if isinstance(event, Pressed) and event.key in node.get("finishOnKey", "1234567890*#"):
                return event.key
            if isinstance(event, SpeechBegan):
                quiet_until = event.until + silence_ms
                self.words.append(event.text)

    def finish(self) -> None:
        """End the recording and have it written down, when that is wanted."""
        self._recording.finish()
        hook = self._run.hook(self._node, "transcribeCallback", "transcribeMethod")
        if self._node.flag("transcribe") and hook and self.words:
            self._leg.switch.timers.after(TRANSCRIBING_S, lambda: self._transcribed(hook))

    def params(self, ended_with: str) -> list[tuple[str, object]]:
        """Return the parameters of the result."""
        return [*self._recording.params(), ("Digits", ended_with or None)]

    def tell_after_hangup(self) -> None:
        """Request the action also when the caller has hung up; what it answers is not obeyed."""
        source = self._run.action(self._node, self.params("hangup"), own=True)
        if source is not None:
            self._run.tell(source)

    def _transcribed(self, hook: Hook) -> None:
        switch, recording = self._leg.switch, self._recording
        params: list[tuple[str, object]] = [
            *self._leg.params(),
            ("TranscriptionSid", switch.sids.new("TR")),
            ("TranscriptionText", " ".join(self.words)),
            ("TranscriptionStatus", "completed"),
            ("RecordingSid", recording.sid),
            ("RecordingUrl", recording.url_of()),
        ]
        switch.webhooks.notify(
            "transcription",
            hook,
            flattened(params),
            on_failure=lambda answer: switch.note_answer(answer, self._leg.sid),
        )
