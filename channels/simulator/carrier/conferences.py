"""Conferences: who is in, who hears whom, when one begins and ends, and what is told about it.

A conference begins with the second participant once anybody in it was to start it; before, and whenever somebody is
alone, they hear their wait music. It ends with its last participant, with one that was to end it, or by request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from channels.simulator.carrier.account import Hook
from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import HungUp, Interrupt, Leg, StatusHook, rfc2822
from channels.simulator.carrier.switch import Switch
from channels.simulator.carrier.webhooks import flattened
from hub.clock import Instant

MOST: Final = 250
MANY: Final = 12
"""From so many participants on, a leg's timeline counts them instead of naming them."""
SUBSCRIPTION: Final = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-modify": "modify",
    "participant-speech-start": "speaker",
    "participant-speech-stop": "speaker",
    "announcement-end": "announcement",
    "announcement-fail": "announcement",
}
Departure = Literal[
    "conference_ended_via_api",
    "moderator_ended_conference",
    "participant_updated_via_api",
    "participant_hung_up",
    "participant_add_failed",
]


class Removed(Interrupt):
    """The leg is no longer in the conference; it goes on with its own document."""


class TrackChanged(Interrupt):
    """The participant is to hear something else than before."""


class JoinRefused(Exception):
    """The leg cannot join; `code` is the provider's number."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Track:
    """What plays while nobody can be heard. `hook` None means the provider's own music, an empty one silence."""

    kind: Literal["wait", "hold"]
    hook: Hook | None


@dataclass(slots=True, kw_only=True)
class Participant:
    """One leg in a conference, or on its way into it."""

    leg: Leg
    label: str = ""
    is_muted: bool = False
    beep: str = "true"
    starts: bool = True
    ends: bool = False
    wait: Hook | None = None
    coached_sid: str = ""
    """Who is coached, also while coaching is off."""
    is_coaching: bool = False
    is_held: bool = False
    hold: Hook | None = None
    has_joined: bool = False
    created_at: Instant = 0
    updated_at: Instant = 0
    mix: str = ""
    track: Track | None = None

    @property
    def name(self) -> str:
        """How a timeline names this participant."""
        return self.label or self.leg.route.party

    @property
    def status(self) -> str:
        """The provider's word for how far it is."""
        words = {"queued": "queued", "initiated": "connecting", "ringing": "ringing", "in-progress": "connected"}
        return words.get(self.leg.status, "complete" if self.leg.status == "completed" else "failed")


@dataclass(slots=True)
class Conference:
    """A room with a name, until it ends."""

    switch: Switch
    name: str
    sid: str = ""
    region: str = "us1"
    status: Literal["init", "in-progress", "completed"] = "init"
    reason_ended: str = ""
    ended_by_sid: str = ""
    created_at: Instant = 0
    updated_at: Instant = 0
    progress: StatusHook | None = None
    most: int = MOST
    participants: dict[str, Participant] = field(default_factory=dict)
    pending: dict[str, Participant] = field(default_factory=dict)
    recordings: list[str] = field(default_factory=list)
    voices: list[tuple[Instant, Instant, int]] = field(default_factory=list)
    on_start: list[Callable[[], object]] = field(default_factory=list)
    on_end: list[Callable[["Conference"], object]] = field(default_factory=list)
    _sequence: int = 0

    def __post_init__(self) -> None:
        """Name it."""
        self.sid = self.switch.sids.new("CF")
        self.created_at = self.updated_at = self.switch.now()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status == "completed"

    def find(self, name: str) -> Participant | None:
        """Return the live participant with this call sid or label."""
        everybody = [*self.participants.values(), *self.pending.values()]
        return next((one for one in everybody if name in {one.leg.sid, one.label} and name), None)

    def subscribe(self, progress: StatusHook) -> None:
        """Say where it is reported. Only the first to come is asked; what later ones say is ignored."""
        if self.progress is None:
            self.progress = progress

    # -- coming and going

    def check(self, participant: Participant) -> None:
        """Raise JoinRefused when this participant cannot come in."""
        if self.is_over:
            raise JoinRefused(16022)
        if len(self.participants) + len(self.pending) >= self.most:
            raise JoinRefused(16020)
        label = participant.label
        taken = self.find(label) if label else None
        if taken is not None and taken is not participant:
            raise JoinRefused(16025)
        if participant.is_coaching and participant.coached_sid not in self.participants:
            raise JoinRefused(13240)

    def expect(self, participant: Participant) -> None:
        """A leg is being called into this room."""
        self.check(participant)
        participant.created_at = participant.updated_at = self.switch.now()
        self.pending[participant.leg.sid] = participant
        participant.leg.watch(self._lost)

    def join(self, participant: Participant) -> None:
        """Take a leg in.

        Raises:
            JoinRefused: the room is full or over, the label is taken, or nobody is there to be coached.
        """
        leg = participant.leg
        if leg.is_over:
            raise HungUp
        was_expected = self.pending.pop(leg.sid, None)
        try:
            self.check(participant)
        except JoinRefused:
            if was_expected is not None:
                leg.unwatch(self._lost)
                self._report("participant-leave", participant, self._leaving(participant, "participant_add_failed"))
                self._end_if_empty("last-participant-left")
            raise
        if was_expected is None:
            participant.created_at = self.switch.now()
            leg.watch(self._lost)
        participant.has_joined = True
        participant.updated_at = self.switch.now()
        self.participants[leg.sid] = participant
        leg.place = self
        if participant.beep in {"true", "onEnter"} and not participant.is_coaching:
            self.beep()
        self._report("participant-join", participant, [])
        is_starting = self.status == "init" and len(self.participants) > 1
        if is_starting and any(one.starts for one in self.participants.values()):
            self.status = "in-progress"
            self._report("conference-start", None, [])
            for start in self.on_start:
                start()
        self.remix()

    def leave(self, participant: Participant, reason: Departure, *, by_kick: bool = False) -> None:
        """Let a leg go. A second time changes nothing."""
        leg = participant.leg
        if self.participants.pop(leg.sid, None) is None:
            return
        leg.unwatch(self._lost)
        leg.place = None
        participant.has_joined = False
        if participant.mix:
            participant.mix = ""
            leg.hearing.begin(Sound(at=self.switch.now(), kind="mix"))
        if participant.beep in {"true", "onExit"}:
            self.beep()
        self._report("participant-leave", participant, self._leaving(participant, reason))
        leg.interrupt(Removed())
        if self.is_over:
            return
        how = "kicked" if by_kick else "left"
        if participant.ends:
            self.end(f"participant-with-end-conference-on-exit-{how}", by=participant)
        elif not self._end_if_empty(f"last-participant-{how}", participant):
            self.remix()

    def kick(self, participant: Participant) -> None:
        """Put somebody out: a leg that is still being called is called off."""
        if participant.leg.sid in self.pending:
            participant.leg.hang_up()
        else:
            self.leave(participant, "participant_updated_via_api", by_kick=True)

    def end(self, reason: str, by: Participant | None = None) -> None:
        """End it for everybody."""
        if self.is_over:
            return
        self.status = "completed"
        self.reason_ended = reason
        self.updated_at = self.switch.now()
        self.ended_by_sid = by.leg.sid if by is not None else ""
        departure: Departure = "conference_ended_via_api" if reason.endswith("api") else "moderator_ended_conference"
        for participant in list(self.participants.values()):
            self.leave(participant, departure)
        for participant in list(self.pending.values()):
            participant.leg.hang_up()
        more = [
            ("ReasonConferenceEnded", reason),
            ("CallSidEndingConference", self.ended_by_sid or None),
            ("ParticipantLabelEndingConference", (by.label if by is not None else "") or None),
        ]
        self._report("conference-end", None, more)
        for told in self.on_end:
            told(self)

    # -- changing

    def set_muted(self, participant: Participant, *, is_muted: bool) -> None:
        """Mute or unmute."""
        if participant.is_muted != is_muted:
            participant.is_muted = is_muted
            self._changed(participant, "participant-mute" if is_muted else "participant-unmute")

    def set_held(self, participant: Participant, *, is_held: bool, hold: Hook | None) -> None:
        """Hold or take back. A held participant hears the hold music only, and is not heard."""
        if participant.is_held != is_held:
            participant.is_held, participant.hold = is_held, hold
            self._changed(participant, "participant-hold" if is_held else "participant-unhold")
            self._retrack(participant)

    def set_coaching(self, participant: Participant, *, is_coaching: bool, coached_sid: str) -> None:
        """Speak to one participant only, or to all.

        Raises:
            JoinRefused: nobody is named (16027), or the named one is not here (16028).
        """
        coached_sid = coached_sid or participant.coached_sid
        if is_coaching and not coached_sid:
            raise JoinRefused(16027)
        if is_coaching and (coached_sid not in self.participants or coached_sid == participant.leg.sid):
            raise JoinRefused(16028)
        participant.is_coaching, participant.coached_sid = is_coaching, coached_sid
        self._changed(participant, "participant-modify")

    def set_exit(self, participant: Participant, *, ends: bool) -> None:
        """Say whether the conference ends when this participant leaves."""
        participant.ends = ends
        self._changed(participant, "participant-modify")

    def track(self, participant: Participant) -> Track | None:
        """Return what plays for a participant now, None when the others can be heard."""
        if participant.is_held:
            return Track("hold", participant.hold)
        if self.status == "init" or len(self.participants) == 1:
            return Track("wait", participant.wait)
        return None

    # -- what is heard

    def hears(self, listener: Participant, speaker: Participant) -> bool:
        """Whether one participant hears another."""
        if listener is speaker or self.status != "in-progress" or listener.is_held:
            return False
        if speaker.is_muted or speaker.is_held:
            return False
        return not speaker.is_coaching or speaker.coached_sid == listener.leg.sid

    def audience(self, leg: Leg) -> Sequence[Leg]:
        """Return who hears this leg speak."""
        speaker = self.participants.get(leg.sid)
        if speaker is None:
            return ()
        return [one.leg for one in self.participants.values() if self.hears(one, speaker)]

    def voiced(self, leg: Leg, start: Instant, end: Instant) -> None:
        """Note that a leg speaks: for recordings, which hold no coach, and for who asked for speaker events."""
        speaker = self.participants[leg.sid]
        if self.status == "in-progress" and not (speaker.is_muted or speaker.is_held or speaker.is_coaching):
            self.voices.append((start, end, 0))
        if self.progress is not None and "speaker" in self.progress.events:
            self._report("participant-speech-start", speaker, [])
            leg.end_after((end - start) / 1000, lambda: self._report("participant-speech-stop", speaker, []))

    def beep(self) -> None:
        """Let everybody hear a beep."""
        now = self.switch.now()
        for participant in self.participants.values():
            participant.leg.hearing.begin(Sound(at=now, until=now + 300, kind="tone", text="beep"))

    def announced(self, participant: Participant | None, url: str, failure: int) -> None:
        """Report how an announcement went."""
        event = "announcement-fail" if failure else "announcement-end"
        more = [("AnnounceUrl", url), ("ReasonAnnouncementFailed", failure or None)]
        self._report(event, participant, more)

    def remix(self) -> None:
        """Write into each leg's timeline who can be heard, where that has changed; start and stop wait music."""
        everybody = list(self.participants.values())
        for listener in everybody:
            heard = [one.name for one in everybody if self.hears(listener, one)]
            mix = ", ".join(heard) if len(heard) < MANY else f"{len(heard)} others"
            if mix != listener.mix:
                listener.mix = mix
                listener.leg.hearing.begin(Sound(at=self.switch.now(), kind="mix", text=mix))
            self._retrack(listener)

    def _retrack(self, participant: Participant) -> None:
        track = self.track(participant)
        if participant.has_joined and track != participant.track:
            participant.track = track
            participant.leg.interrupt(TrackChanged())

    def _changed(self, participant: Participant, event: str) -> None:
        participant.updated_at = self.switch.now()
        self._report(event, participant, [])
        self.remix()

    # -- endings

    def _lost(self, leg: Leg) -> None:
        participant = self.participants.get(leg.sid)
        if participant is not None:
            self.leave(participant, "participant_hung_up")
            return
        expected = self.pending.pop(leg.sid, None)
        if expected is not None and not self.is_over:
            self._report("participant-leave", expected, self._leaving(expected, "participant_add_failed"))
            self._end_if_empty("last-participant-left", expected)

    def _end_if_empty(self, reason: str, by: Participant | None = None) -> bool:
        if self.participants or self.pending:
            return False
        self.end(reason, by)
        return True

    def _leaving(self, participant: Participant, reason: Departure) -> list[tuple[str, object]]:
        return [("ParticipantCallStatus", participant.leg.status), ("ReasonParticipantLeft", reason)]

    # -- telling

    def _report(self, event: str, participant: Participant | None, more: Sequence[tuple[str, object]]) -> None:
        if self.progress is None or SUBSCRIPTION[event] not in self.progress.events:
            return
        self._sequence += 1
        params: list[tuple[str, object]] = [
            ("ConferenceSid", self.sid),
            ("FriendlyName", self.name),
            ("AccountSid", self.switch.account.sid),
            ("SequenceNumber", self._sequence),
            ("Timestamp", rfc2822(self.switch.now())),
            ("StatusCallbackEvent", event),
        ]
        if participant is not None:
            params += [
                ("CallSid", participant.leg.sid),
                ("Muted", participant.is_muted),
                ("Hold", participant.is_held),
                ("Coaching", participant.is_coaching),
                ("CallSidToCoach", (participant.coached_sid if participant.is_coaching else "") or None),
                ("EndConferenceOnExit", participant.ends),
                ("StartConferenceOnEnter", participant.starts),
                ("ParticipantLabel", participant.label or None),
            ]
        self.switch.webhooks.notify(
            "conference",
            self.progress.hook,
            flattened([*params, *more]),
            event=event,
            on_failure=lambda answer: self.switch.note_answer(answer, self.sid),
        )
