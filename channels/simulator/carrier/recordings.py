"""Recordings of legs and conferences: started, paused, stopped, reported, and files made when they are asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from channels.simulator.carrier.account import NOWHERE, Hook
from channels.simulator.carrier.legs import rfc2822
from channels.simulator.carrier.switch import Switch
from channels.simulator.carrier.wav import Span, mp3, wav
from channels.simulator.carrier.webhooks import flattened
from hub.clock import Instant

State = Literal["in-progress", "paused", "stopped", "processing", "completed", "absent"]
Voices = Callable[[], Sequence[tuple[Instant, Instant, int]]]
"""Who was heard from when to when, on which channel; asked when the recording ends."""
PROCESSING_S: Final = 1.0
"""How long a file takes to be ready after the recording has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is recorded and who is told. `source` is the provider's word for who began it."""

    source: str
    call_sid: str = ""
    conference_sid: str = ""
    channels: int = 1
    track: str = "both"
    hook: Hook = NOWHERE
    events: frozenset[str] = frozenset({"completed"})


@dataclass(slots=True)
class Recording:
    """One recording. Its time stops while it is paused, unless silence is kept."""

    switch: Switch
    order: Order
    voices: Voices
    url: str
    sid: str = ""
    state: State = "in-progress"
    started_at: Instant = 0
    ended_at: Instant | None = None
    duration_ms: int = 0
    spans: list[Span] = field(default_factory=list)
    _stretches: list[tuple[Instant, Instant, bool]] = field(default_factory=list)
    _since: Instant = 0
    _keeps_silence: bool = False

    def begin(self) -> None:
        """Start it."""
        self.sid = self.switch.sids.new("RE")
        self.started_at = self._since = self.switch.now()
        self._report("in-progress")

    @property
    def is_live(self) -> bool:
        """Whether it is still being made."""
        return self.state in {"in-progress", "paused"}

    @property
    def is_over(self) -> bool:
        """Whether nothing about it will change any more."""
        return self.state in {"completed", "absent"}

    def pause(self, *, keep_silence: bool) -> None:
        """Record nothing for a while; with `keep_silence` the time stays in the file."""
        if self.state == "in-progress":
            self._close_stretch(is_heard=True)
            self.state, self._keeps_silence = "paused", keep_silence

    def resume(self) -> None:
        """Record again."""
        if self.state == "paused":
            self._close_stretch(is_heard=False)
            self.state = "in-progress"

    def finish(self) -> None:
        """End it; the file is ready a little later. A second time changes nothing."""
        if not self.is_live:
            return
        self._close_stretch(is_heard=self.state == "in-progress")
        self.ended_at = self.switch.now()
        self.state = "processing"
        self._lay_out()
        self.switch.timers.after(PROCESSING_S, self._ready)

    def file(self, ending: str) -> Iterator[bytes]:
        """Yield the file's bytes."""
        if ending == "mp3":
            return iter([mp3(self.duration_ms)])
        return wav(self.duration_ms, self.order.channels, self.spans)

    @property
    def duration_s(self) -> int:
        """Its length in whole seconds begun."""
        return -(-self.duration_ms // 1000)

    def _close_stretch(self, *, is_heard: bool) -> None:
        now = self.switch.now()
        if is_heard or self._keeps_silence:
            self._stretches.append((self._since, now, is_heard))
        self._since = now

    def _lay_out(self) -> None:
        """Put the stretches one after another and mark in them who was heard."""
        voices = self.voices()
        at = 0
        for start, end, is_heard in self._stretches:
            if is_heard:
                for first, last, channel in voices:
                    first, last = max(first, start), min(last, end)
                    if first < last:
                        self.spans.append(Span(at + first - start, at + last - start, channel))
            at += end - start
        self.duration_ms = at

    def _ready(self) -> None:
        self.state = "completed" if self.duration_ms else "absent"
        self._report(self.state)

    def _report(self, event: str) -> None:
        order = self.order
        if not order.hook or event not in order.events:
            return
        params: list[tuple[str, object]] = [
            ("AccountSid", self.switch.account.sid),
            ("CallSid", order.call_sid or None),
            ("ConferenceSid", order.conference_sid or None),
            ("RecordingSid", self.sid),
            ("RecordingUrl", self.url_of()),
            ("RecordingStatus", event),
            ("RecordingDuration", self.duration_s if event != "in-progress" else None),
            ("RecordingChannels", order.channels),
            ("RecordingStartTime", rfc2822(self.started_at)),
            ("RecordingSource", order.source),
            ("RecordingTrack", order.track),
            ("ErrorCode", 0),
        ]
        self.switch.webhooks.notify(
            "recording",
            order.hook,
            flattened(params),
            event=event,
            on_failure=lambda answer: self.switch.note_answer(answer, self.sid),
        )

    def params(self) -> list[tuple[str, object]]:
        """Return what is told of it together with something else."""
        return [
            ("RecordingUrl", self.url_of()),
            ("RecordingSid", self.sid),
            ("RecordingDuration", self.duration_s),
        ]

    def url_of(self) -> str:
        """Return the address of its file, without ending."""
        return f"{self.url}/2010-04-01/Accounts/{self.switch.account.sid}/Recordings/{self.sid}"
