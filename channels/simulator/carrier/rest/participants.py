"""Participants: called into a conference, changed, put out."""

from typing import Any, Final

from channels.simulator.carrier.account import API_VERSION, Hook
from channels.simulator.carrier.attending import announce, record_from_start
from channels.simulator.carrier.conferences import Conference, JoinRefused, Participant
from channels.simulator.carrier.grammar import BEEP, CALL_EVENTS, CONFERENCE_EVENTS, RECORDING_EVENTS
from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.interpreter import participant as joining_program
from channels.simulator.carrier.legs import Leg, Route, rfc2822
from channels.simulator.carrier.plant import TIME_LIMIT_S, Attempt, Plant
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.recordings import Order
from channels.simulator.carrier.rest import conferences
from channels.simulator.carrier.rest.calls import USUAL_TIMEOUT_S, ends, machine_of, record_when_up
from channels.simulator.carrier.rest.paging import page
from channels.simulator.carrier.rest.requests import Request, Response
from channels.simulator.carrier.sids import is_sid

LONGEST_LABEL: Final = 128


def collection(plant: Plant, request: Request) -> Response:
    """List who is in a conference, or call somebody into one."""
    name = request.parts[1]
    if request.method == "POST":
        return create(plant, request, name)
    conference = conferences.find(plant, name)
    everybody = [*conference.participants.values(), *conference.pending.values()]
    for flag, attribute in (("Muted", "is_muted"), ("Hold", "is_held"), ("Coaching", "is_coaching")):
        wanted = request.asked(flag).lower()
        if wanted:
            everybody = [one for one in everybody if getattr(one, attribute) is (wanted == "true")]
    rows = [_Row(one.leg.sid, one) for one in newest_participants(everybody)]
    return page(request, "participants", rows, lambda one: row(plant, conference, one.participant))


class _Row:
    """A participant under its call's name, as pages need it."""

    def __init__(self, sid: str, participant: Participant) -> None:
        self.sid = sid
        self.participant = participant


def newest_participants(everybody: list[Participant]) -> list[Participant]:
    """Return participants, the last to come first."""
    return sorted(everybody, key=lambda one: one.created_at, reverse=True)


def create(plant: Plant, request: Request, name: str) -> Response:
    """Call somebody into a conference; a name nobody uses makes one."""
    to, from_ = ends(plant, request)
    label = request.get("Label")
    if len(label) > LONGEST_LABEL:
        raise RestError(20001, "Label is longer than 128 characters")
    coached = request.get("CallSidToCoach")
    is_coaching = request.flag("Coaching")
    if is_coaching and not coached:
        raise RestError(16027)
    machine = machine_of(request, is_async=True, callback="AmdStatusCallback")
    progress = request.progress("StatusCallback", CALL_EVENTS, "completed")
    told = request.progress("ConferenceStatusCallback", CONFERENCE_EVENTS, "start end")
    wait = request.hook("WaitUrl", "WaitMethod", code=21205) if request.has("WaitUrl") else None
    options: dict[str, Any] = {
        "label": label,
        "is_muted": request.flag("Muted"),
        "beep": request.choice("Beep", sorted(BEEP), "true"),
        "starts": request.flag("StartConferenceOnEnter", default=True),
        "ends": request.flag("EndConferenceOnExit"),
        "wait": wait,
        "coached_sid": coached,
        "is_coaching": is_coaching,
    }
    timeout_s = request.number("Timeout", USUAL_TIMEOUT_S, 5, 600)
    limit_s = request.number("TimeLimit", int(TIME_LIMIT_S), 1, 86_400)
    early = request.flag("EarlyMedia", default=True)
    conference = room_for(plant, name)
    if conference.find(label) is not None:
        raise RestError(16025)
    if is_coaching and coached not in conference.participants:
        raise RestError(16028)

    async def program(leg: Leg) -> None:
        await joining_program(plant, conference, conference_participant(conference, leg), machine)(leg)

    attempt = Attempt(timeout_s=timeout_s, program=program, progress=progress, time_limit_s=limit_s, is_queued=True)
    leg = plant.call(Route(to=to, from_=from_, direction="outbound-api"), attempt)
    participant = Participant(leg=leg, **options)
    try:
        conference.expect(participant)
    except JoinRefused as refused:
        leg.hang_up()
        raise RestError(refused.code) from refused
    conference.subscribe(told)
    if conference.find(label) is participant and len(conference.pending) + len(conference.participants) == 1:
        conference.most = request.number("MaxParticipants", conference.most, 2, 250)
    record_as_asked(plant, request, conference, leg)
    if early:
        let_hear_ringing(conference, leg)
    return Response(status=201, payload=row(plant, conference, participant))


def room_for(plant: Plant, name: str) -> Conference:
    """Return the conference a request means: by sid one that lives, by any other name a new one if need be."""
    if not is_sid(name, "CF"):
        return plant.room(name)
    conference = conferences.find(plant, name)
    if conference.is_over:
        raise RestError(16009)
    return conference


def conference_participant(conference: Conference, leg: Leg) -> Participant:
    """Return who is expected on this leg."""
    return conference.pending.get(leg.sid) or conference.participants.get(leg.sid) or Participant(leg=leg)


def record_as_asked(plant: Plant, request: Request, conference: Conference, leg: Leg) -> None:
    """Record the leg, the conference, or both, as a request says."""
    if request.flag("Record"):
        channels = 2 if request.choice("RecordingChannels", ("mono", "dual"), "mono") == "dual" else 1
        record_when_up(plant, leg, request, channels)
    if request.get("ConferenceRecord") in {"true", "record-from-start"}:
        told = request.progress("ConferenceRecordingStatusCallback", RECORDING_EVENTS, "completed")
        record_from_start(plant, conference, Order(source="Conference", hook=told.hook, events=told.events))


def let_hear_ringing(conference: Conference, leg: Leg) -> None:
    """Let those in the room hear the new telephone ring, until it is answered or given up."""
    now = leg.switch.now()
    tones = [
        (one.leg, one.leg.hearing.begin(Sound(at=now, kind="tone", text="ringback")))
        for one in conference.participants.values()
        if not one.is_held
    ]

    def quiet() -> None:
        for listener, tone in tones:
            listener.hearing.cut(tone)

    leg.when_up.append(quiet)
    leg.watch(lambda _: quiet())


def single(plant: Plant, request: Request) -> Response:
    """Fetch a participant, change or put out one: by call sid or by label."""
    conference = conferences.find(plant, request.parts[1])
    participant = conference.find(request.parts[3].removesuffix(".json"))
    if participant is None:
        raise RestError(20404)
    if request.method == "DELETE":
        conference.kick(participant)
        return Response(status=204)
    if request.method == "POST":
        change(plant, request, conference, participant)
    return Response(payload=row(plant, conference, participant))


def change(plant: Plant, request: Request, conference: Conference, participant: Participant) -> None:
    """Mute, hold, coach, announce; what is not said stays as it is."""
    hook = request.hook("AnnounceUrl", "AnnounceMethod", code=21205)
    hold = request.hook("HoldUrl", "HoldMethod", code=21205, default="GET")
    flags = {name: request.flag(name) for name in ("Muted", "Hold", "Coaching", "EndConferenceOnExit")}
    if request.get("Coaching") or request.get("CallSidToCoach"):
        try:
            conference.set_coaching(
                participant, is_coaching=flags["Coaching"], coached_sid=request.get("CallSidToCoach")
            )
        except JoinRefused as refused:
            raise RestError(refused.code) from refused
    if request.get("Muted"):
        conference.set_muted(participant, is_muted=flags["Muted"])
    if request.get("Hold"):
        held = hold if request.has("HoldUrl") else None
        conference.set_held(participant, is_held=flags["Hold"], hold=held)
    if request.get("EndConferenceOnExit"):
        conference.set_exit(participant, ends=flags["EndConferenceOnExit"])
    if request.has("WaitUrl"):
        participant.wait = request.hook("WaitUrl", "WaitMethod", code=21205)
        conference.remix()
    if hook:
        plant.switch.spawn(announce(plant, conference, participant, Hook(hook.url, hook.method)), "announcement")


def row(plant: Plant, conference: Conference, participant: Participant) -> dict[str, Any]:
    """Return a participant as the provider shows it."""
    account = plant.switch.account.sid
    leg = participant.leg
    return {
        "account_sid": account,
        "call_sid": leg.sid,
        "label": participant.label or None,
        "call_sid_to_coach": participant.coached_sid or None,
        "coaching": participant.is_coaching,
        "conference_sid": conference.sid,
        "date_created": rfc2822(participant.created_at),
        "date_updated": rfc2822(participant.updated_at),
        "end_conference_on_exit": participant.ends,
        "muted": participant.is_muted,
        "hold": participant.is_held,
        "start_conference_on_enter": participant.starts,
        "status": participant.status,
        "queue_time": str(leg.queue_time_ms),
        "uri": f"/{API_VERSION}/Accounts/{account}/Conferences/{conference.sid}/Participants/{leg.sid}.json",
    }
