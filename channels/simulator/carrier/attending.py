"""A leg's stay in a conference: joining, its music while nobody can be heard, and what follows."""

from channels.simulator.carrier.account import Hook
from channels.simulator.carrier.conferences import (
    Conference,
    JoinRefused,
    Participant,
    Removed,
    Track,
    TrackChanged,
)
from channels.simulator.carrier.hearing import Sound, speech_s
from channels.simulator.carrier.legs import Source, StatusHook
from channels.simulator.carrier.plant import Plant
from channels.simulator.carrier.recordings import Order
from channels.simulator.carrier.running import MARKUP, Next, Run, is_callable
from channels.simulator.carrier.twiml import Document, Node, read
from channels.simulator.carrier.wav import length_s
from channels.simulator.carrier.webhooks import LARGEST_SOUND, flattened


async def attend_dialled(run: Run, node: Node, noun: Node) -> None:
    """Attend the conference a Dial names; a leg that cannot join goes on at once."""
    coached = noun.get("coach")
    wait = run.hook(noun, "waitUrl", "waitMethod") if "waitUrl" in noun.attributes else None
    participant = Participant(
        leg=run.leg,
        label=noun.get("participantLabel"),
        is_muted=noun.flag("muted"),
        beep=noun.get("beep", "true"),
        starts=noun.flag("startConferenceOnEnter", default=True),
        ends=noun.flag("endConferenceOnExit"),
        wait=wait,
        coached_sid=coached,
        is_coaching=bool(coached),
    )
    conference = run.plant.room(noun.text)
    hook = run.hook(noun, "statusCallback", "statusCallbackMethod")
    is_first = not conference.participants and not conference.pending
    if hook or is_first:
        conference.subscribe(StatusHook(hook, noun.words("statusCallbackEvent", "start end")))
    if is_first:
        conference.most = noun.number("maxParticipants", conference.most)
        if noun.get("record") in {"record-from-start", "true"}:
            record_from_start(run.plant, conference, _recording_hook(run, noun))
    limit = node.number("timeLimit", 0)
    if limit:
        run.leg.end_after(limit, lambda: conference.leave(participant, "participant_updated_via_api"))
    await attend(run, conference, participant)


async def attend(run: Run, conference: Conference, participant: Participant) -> bool:
    """Stay until put out, moved or hung up; False when the leg could not join."""
    leg = run.leg
    try:
        conference.join(participant)
    except JoinRefused as refused:
        leg.note(refused.code, f"cannot join {conference.name}")
        return False
    leg.forgive(TrackChanged)
    try:
        while True:
            try:
                await _stay(run, conference, participant)
            except TrackChanged:
                continue
            except Removed:
                return True
    finally:
        conference.leave(participant, "participant_updated_via_api")
        leg.forgive(TrackChanged, Removed)


async def _stay(run: Run, conference: Conference, participant: Participant) -> None:
    track = conference.track(participant)
    if track is None:
        await run.leg.rest()
    else:
        await _music(run, conference, track)


async def _music(run: Run, conference: Conference, track: Track) -> None:
    """Play what a participant hears while nobody else can be heard: once, then silence, unless it redirects."""
    own = Run(run.plant, run.leg, run.verbs, place="conference wait")
    if track.hook is None:
        await own.sound(Sound(at=0, kind="music"), None)
    if track.hook:
        source: Next = Source(
            hook=track.hook, params=(("ConferenceSid", conference.sid), ("FriendlyName", conference.name)), kind="wait"
        )
        while isinstance(source, Source):
            loaded = await own.load(source)
            if loaded.failure and track.kind == "wait":
                run.leg.hang_up()
            own.base = loaded.base
            if loaded.document is not None:
                source = await own.walk(loaded.document.verbs)
                continue
            source = None
            while loaded.sound_s > 0:
                await own.sound(Sound(at=0, kind="music", url=loaded.url), max(loaded.sound_s, 1.0))
    await own.sound(Sound(at=0, kind="silence"), None)


def record_from_start(plant: Plant, conference: Conference, order: Order) -> None:
    """Record a conference from when it begins to its end."""

    def begin() -> None:
        named = Order(source="Conference", conference_sid=conference.sid, hook=order.hook, events=order.events)
        plant.record_room(conference, named)

    conference.on_start.append(begin)


def _recording_hook(run: Run, noun: Node) -> Order:
    return Order(
        source="Conference",
        hook=run.hook(noun, "recordingStatusCallback", "recordingStatusCallbackMethod"),
        events=noun.words("recordingStatusCallbackEvent", "completed"),
    )


# -- announcements


async def announce(plant: Plant, conference: Conference, participant: Participant | None, hook: Hook) -> None:
    """Let one participant, or everybody, hear a document while they go on talking."""
    switch = plant.switch
    params = [("AccountSid", switch.account.sid), ("ConferenceSid", conference.sid)]
    answer = await switch.webhooks.fetch("wait", hook, flattened(params), largest=LARGEST_SOUND)
    kind = answer.content_type.partition(";")[0].strip().lower()
    document: Document | None = None
    failure = answer.error
    if not failure and kind in MARKUP:
        document = read(answer.body, place="conference wait")
        failure = next((problem.code for problem in document.problems if problem.is_error), 0)
    elif not failure and not kind.startswith("audio/"):
        failure = 12300
    if failure:
        switch.note(failure, "announcement", sid=conference.sid, url=hook.url)
    elif document is None:
        sound = Sound(at=0, kind="play", url=answer.url)
        await _play_to(conference, participant, sound, length_s(answer.body, kind))
    else:
        for verb in document.verbs:
            sound, seconds = _announced(verb)
            await _play_to(conference, participant, sound, seconds)
    conference.announced(participant, hook.url, failure)


def _announced(verb: Node) -> tuple[Sound, float]:
    if verb.name == "Say":
        return Sound(
            at=0, kind="say", text=verb.text, language=verb.get("language", "en-US"), voice=verb.get("voice", "man")
        ), speech_s(verb.text)
    if verb.name == "Play" and is_callable(verb.text):
        return Sound(at=0, kind="play", url=verb.text), 1.0
    return Sound(at=0, kind="silence"), float(verb.number("length", 1))


async def _play_to(conference: Conference, participant: Participant | None, sound: Sound, seconds: float) -> None:
    switch = conference.switch
    now = switch.now()
    for one in [participant] if participant is not None else list(conference.participants.values()):
        if one.has_joined:
            one.leg.hearing.begin(
                Sound(
                    at=now,
                    until=now + round(seconds * 1000),
                    kind=sound.kind,
                    text=sound.text,
                    url=sound.url,
                    language=sound.language,
                    voice=sound.voice,
                )
            )
    await switch.timers.sleep(seconds)
