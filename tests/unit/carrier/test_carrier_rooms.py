"""Conferences, queues and dialled legs: who hears whom, what ends when, and what is told about it."""

from typing import Any

import pytest

from channels.simulator.carrier import HangUp, Manners, Meet, Phone, Press, Say, Wait, WaitFor
from channels.simulator.carrier.legs import Leg
from channels.simulator.carrier.phones import Step
from tests.unit.carrier.street import ANN, BASE, BOB, LINE, Street, names, sound_wav

AGENT, SUE = "client:agent", "client:sue"
EVENTS = ["start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"]


class Floor:
    """A caller in a room, and people called into it."""

    def __init__(self, street: Street) -> None:
        self.street = street
        for address in (AGENT, SUE, BOB):
            street.carrier.world.install(address, Phone(Manners(after_s=1)))

    async def caller(self, *script: Any, **attributes: str) -> Leg:
        """Somebody calls and is led into the room."""
        said = " ".join(f'{name}="{value}"' for name, value in attributes.items())
        self.street.customer.on(
            "/voice", f'<Dial action="/after"><Conference beep="false" {said}>room</Conference></Dial>'
        )
        leg = self.street.carrier.person_calls(ANN, LINE, script)
        await self.street.wait(0.5)
        return leg

    async def add(self, to: str = AGENT, **fields: Any) -> Leg:
        """Call somebody into the room; they have answered when this returns."""
        fields = {"Beep": "false", "StatusCallback": f"{BASE}/agent", **fields}
        made = self.street.post("Conferences/room/Participants.json", To=to, From=LINE, **fields)
        await self.street.wait(2)
        return self.street.leg(made["call_sid"])

    @property
    def sid(self) -> str:
        """The room's conference."""
        rooms = self.street.get("Conferences.json", FriendlyName="room")["conferences"]
        return str(rooms[0]["sid"])

    def change(self, leg: Leg, **fields: Any) -> dict[str, Any]:
        """Change a participant."""
        return self.street.post(f"Conferences/{self.sid}/Participants/{leg.sid}.json", **fields)

    def events(self) -> list[str]:
        """What was told about the room, in order."""
        return names(self.street.customer.at("/room"), "StatusCallbackEvent")


@pytest.fixture
def floor(street: Street) -> Floor:
    return Floor(street)


async def test_conference_begins_with_the_second_and_ends_with_the_last(street: Street, floor: Floor) -> None:
    agent = await floor.add(
        ConferenceStatusCallback=f"{BASE}/room", ConferenceStatusCallbackEvent=EVENTS, Label="agent"
    )
    assert street.get("Conferences.json")["conferences"][0]["status"] == "init"
    assert agent.hearing.at(street.clock.now())[-1].kind == "music"

    caller = await floor.caller(participantLabel="customer")
    assert street.get(f"Conferences/{floor.sid}.json")["status"] == "in-progress"
    assert (caller.hearing.mix, agent.hearing.mix) == ("agent", "customer")

    sid = floor.sid
    caller.hang_up()
    assert agent.hearing.mix == ""
    agent.hang_up()
    await street.wait(1)

    assert floor.events() == [
        *("participant-join", "participant-join", "conference-start"),
        *("participant-leave", "participant-leave", "conference-end"),
    ]
    told = street.customer.at("/room")
    assert names(told, "SequenceNumber") == ["1", "2", "3", "4", "5", "6"]
    assert told[-1]["ReasonConferenceEnded"] == "last-participant-left"
    assert told[3]["ReasonParticipantLeft"] == "participant_hung_up"
    assert street.get(f"Conferences/{sid}.json")["status"] == "completed"
    assert street.statuses("/agent") == ["completed"]


async def test_speech_goes_to_those_who_can_hear_it(street: Street, floor: Floor) -> None:
    caller = await floor.caller(participantLabel="customer")
    agent = await floor.add(Label="agent")
    coach = await floor.add(SUE, Label="supervisor", Coaching="true", CallSidToCoach=agent.sid)

    caller.speak("My order is late.")
    agent.speak("I shall look.")
    coach.speak("Offer a refund.")
    assert caller.hearing.words == ["I shall look."]
    assert agent.hearing.words == ["My order is late.", "Offer a refund."]
    assert coach.hearing.words == ["My order is late.", "I shall look."]

    floor.change(coach, Coaching="false")
    coach.speak("Hello, this is Sue.")
    assert caller.hearing.words[-1] == "Hello, this is Sue."

    floor.change(coach, Muted="true")
    coach.speak("Nobody hears this.")
    assert "Nobody hears this." not in [*caller.hearing.words, *agent.hearing.words]
    await street.wait(5)


async def test_held_caller_hears_music_only_and_is_not_heard(street: Street, floor: Floor) -> None:
    street.customer.on("/hold", '<Play loop="0">/music.wav</Play>')
    street.customer.on("/music.wav", reply=sound_wav(5.0))
    caller = await floor.caller(participantLabel="customer")
    agent = await floor.add(Label="agent")

    shown = floor.change(caller, Hold="true", HoldUrl=f"{BASE}/hold")
    assert shown["hold"] is True
    await street.wait(7)
    assert (street.customer.at("/hold")[0].method, len(street.customer.at("/music.wav"))) == ("GET", 1)
    assert [sound.url for sound in caller.hearing.at(street.clock.now())] == [f"{BASE}/music.wav"]
    agent.speak("Can you hear me?")
    caller.speak("Are you there?")
    assert (caller.hearing.words, agent.hearing.words) == ([], [])

    floor.change(caller, Hold="false")
    await street.wait()
    assert [sound.kind for sound in caller.hearing.at(street.clock.now())][-1] == "mix"
    agent.speak("Thank you for waiting.")
    assert caller.hearing.words == ["Thank you for waiting."]
    await street.wait(5)


async def test_one_whose_exit_ends_it_ends_it_for_all(street: Street, floor: Floor) -> None:
    street.customer.on("/after", "<Say>How was it?</Say>")
    caller = await floor.caller(participantLabel="customer")
    agent = await floor.add(
        EndConferenceOnExit="true", ConferenceStatusCallback=f"{BASE}/room", ConferenceStatusCallbackEvent=EVENTS
    )
    agent.hang_up()
    await street.wait(10)
    assert caller.hearing.words[-1] == "How was it?"
    after = street.customer.at("/after")[0]
    assert after["DialCallStatus"] == "answered"
    assert "DialCallSid" not in after.params
    assert floor.events() == [], "the first to come had named no address, so nothing is told"


async def test_agent_put_out_leaves_the_caller_with_music(street: Street, floor: Floor) -> None:
    caller = await floor.caller(
        participantLabel="customer",
        statusCallback="/room",
        statusCallbackEvent=" ".join(EVENTS),
    )
    agent = await floor.add(Label="agent")
    assert street.ask("DELETE", f"Conferences/{floor.sid}/Participants/agent.json").status == 204
    await street.wait(1)
    assert (agent.status, caller.status) == ("completed", "in-progress")
    assert caller.hearing.at(street.clock.now())[-1].kind == "music"
    left = next(one for one in street.customer.at("/room") if one["StatusCallbackEvent"] == "participant-leave")
    assert left["ReasonParticipantLeft"] == "participant_updated_via_api"
    street.post(f"Conferences/{floor.sid}.json", Status="completed")
    await street.wait(1)
    assert street.customer.at("/room")[-1]["ReasonConferenceEnded"] == "conference-ended-via-api"


async def test_agent_who_never_answers_only_leaves(street: Street, floor: Floor) -> None:
    street.carrier.world.install(AGENT, Phone(Manners(outcome="no-answer")))
    caller = await floor.caller(statusCallback="/room", statusCallbackEvent="join leave end")
    made = street.post(
        "Conferences/room/Participants.json", To=AGENT, From=LINE, Timeout=10, StatusCallback=f"{BASE}/agent"
    )
    assert made["status"] == "queued"
    await street.wait(30)
    assert street.leg(made["call_sid"]).status == "no-answer"
    told = street.customer.at("/room")
    assert names(told, "StatusCallbackEvent") == ["participant-join", "participant-leave"]
    assert (
        told[1].params.items()
        >= {
            "ReasonParticipantLeft": "participant_add_failed",
            "ParticipantCallStatus": "no-answer",
            "CallSid": made["call_sid"],
        }.items()
    )
    assert caller.is_up


async def test_ringing_agent_is_called_off_by_delete(street: Street, floor: Floor) -> None:
    street.carrier.world.install(AGENT, Phone(Manners(after_s=20)))
    await floor.caller()
    agent = await floor.add(Label="agent")
    assert street.ask("DELETE", f"Conferences/{floor.sid}/Participants/agent.json").status == 204
    assert agent.status == "canceled"


async def test_labels_are_unique_and_caller_music_comes_from_the_customer(street: Street, floor: Floor) -> None:
    street.customer.on("/wait", "<Say>Please hold.</Say>")
    caller = await floor.caller(waitUrl="/wait", participantLabel="customer", startConferenceOnEnter="false")
    refused = street.ask("POST", "Conferences/room/Participants.json", To=AGENT, From=LINE, Label="customer")
    assert (refused.payload or {})["code"] == 16025
    await street.wait(30)
    assert len(street.customer.at("/wait")) == 1
    assert [sound.kind for sound in caller.hearing.at(street.clock.now())] == ["silence"]
    second = street.carrier.person_calls(BOB, LINE)
    street.customer.on("/after", "<Say>Bye.</Say>")
    await street.wait(20)
    assert second.hearing.words == ["Bye."]
    assert 16025 in street.carrier.alerts


async def test_wait_music_that_fails_drops_the_leg(street: Street, floor: Floor) -> None:
    street.customer.on("/wait", '<Gather numDigits="1"/>')
    caller = await floor.caller(waitUrl="/wait")
    assert caller.status == "completed"
    assert 13238 in street.carrier.alerts


async def test_announcement_is_heard_by_one_or_by_all(street: Street, floor: Floor) -> None:
    street.customer.on("/announce", "<Say>This call is recorded.</Say>")
    caller = await floor.caller(statusCallback="/room", statusCallbackEvent="announcement")
    agent = await floor.add()
    street.post(f"Conferences/{floor.sid}.json", AnnounceUrl=f"{BASE}/announce")
    await street.wait(5)
    floor.change(caller, AnnounceUrl=f"{BASE}/announce")
    floor.change(caller, AnnounceUrl=f"{BASE}/nothing")
    await street.wait(5)
    assert (len(caller.hearing.words), len(agent.hearing.words)) == (2, 1)
    assert sorted(floor.events()) == ["announcement-end", "announcement-end", "announcement-fail"]


async def test_conference_recording_leaves_the_coach_out(street: Street, floor: Floor) -> None:
    caller = await floor.caller(
        record="record-from-start",
        recordingStatusCallback="/recording",
        recordingStatusCallbackEvent="in-progress completed",
    )
    agent = await floor.add()
    coach = await floor.add(SUE, Coaching="true", CallSidToCoach=agent.sid)
    recording = street.get(f"Conferences/{floor.sid}/Recordings.json")["recordings"][0]
    coach.speak("Whisper whisper whisper.")
    await street.wait(4)
    path = f"Conferences/{floor.sid}/Recordings/Twilio.CURRENT.json"
    assert street.post(path, Status="paused", PauseBehavior="skip")["status"] == "paused"
    caller.speak("My card is 4111 1111 1111 1111.")
    await street.wait(10)
    street.post(path, Status="in-progress")
    agent.speak("Thank you.")
    await street.wait(3)
    street.post(f"Conferences/{floor.sid}.json", Status="completed")
    await street.wait(3)
    kept = street.carrier.plant.recordings[recording["sid"]]
    assert kept.duration_ms < 11_000
    assert len(kept.spans) == 1
    assert names(street.customer.at("/recording"), "RecordingStatus") == ["in-progress", "completed"]
    assert street.customer.at("/recording")[1]["RecordingSource"] == "Conference"


async def test_moving_a_caller_from_a_room_tells_the_dial_action_too(street: Street, floor: Floor) -> None:
    street.customer.on("/after", "<Say>Never spoken.</Say>")
    street.customer.on("/elsewhere", "<Enqueue>waiting</Enqueue>")
    caller = await floor.caller()
    await floor.add()
    street.post(f"Calls/{caller.sid}.json", Url=f"{BASE}/elsewhere")
    await street.wait(5)
    assert len(street.customer.at("/after")) == 1
    assert "Never spoken." not in caller.hearing.words
    assert caller.is_up
    assert len(street.get("Queues.json")["queues"]) == 1


async def test_ended_conference_name_gets_a_new_one(street: Street, floor: Floor) -> None:
    first = await floor.caller()
    sid = floor.sid
    first.hang_up()
    await street.wait(1)
    await floor.caller()
    assert floor.sid != sid
    refused = street.ask("POST", f"Conferences/{sid}/Participants.json", To=AGENT, From=LINE)
    assert refused.status == 400


# -- queues


async def test_caller_waits_with_position_and_music_round_after_round(street: Street) -> None:
    street.customer.on("/voice", '<Enqueue waitUrl="/wait" action="/left">support</Enqueue>')
    street.customer.on("/wait", "<Say>You are number one.</Say>", '<Pause length="4"/>')
    leg = street.carrier.person_calls(ANN, LINE)
    street.carrier.person_calls(BOB, LINE)
    await street.wait(20)
    asked = [one for one in street.customer.at("/wait") if one["CallSid"] == leg.sid]
    assert len(asked) > 2
    assert (asked[1]["QueuePosition"], asked[1]["CurrentQueueSize"]) == ("1", "2")
    assert int(asked[1]["QueueTime"]) > 0
    queue = street.get("Queues.json")["queues"][0]
    members = street.get(f"Queues/{queue['sid']}/Members.json")["queue_members"]
    assert [member["position"] for member in members] == [1, 2]
    assert queue["current_size"] == 2


async def test_wait_document_may_gather_and_leave(street: Street) -> None:
    street.customer.on("/voice", '<Enqueue waitUrl="/wait" action="/left">support</Enqueue>')
    street.customer.on("/wait", '<Gather numDigits="1" action="/choice" timeout="10"><Say>Press 1.</Say></Gather>')
    street.customer.on("/choice", "<Leave/>")
    street.customer.on("/left", "<Say>We call you back.</Say>")
    leg = street.carrier.person_calls(ANN, LINE, [WaitFor("press 1"), Press("1"), WaitFor("call you back"), HangUp()])
    await street.wait(20)
    left = street.customer.at("/left")[0]
    assert (left["QueueResult"], leg.status) == ("leave", "completed")
    assert leg.hearing.words[-1] == "We call you back."


async def test_storm_of_short_wait_documents_is_slowed(street: Street) -> None:
    street.customer.on("/voice", '<Enqueue waitUrl="/wait">support</Enqueue>')
    street.customer.on("/wait")
    street.carrier.person_calls(ANN, LINE)
    await street.wait(10)
    assert len(street.customer.at("/wait")) <= 11


@pytest.mark.parametrize("how", ["hangup", "redirected", "queue-full"])
async def test_every_end_of_waiting_has_its_result(street: Street, how: str) -> None:
    most = "1" if how == "queue-full" else "10"
    street.customer.on("/voice", f'<Enqueue maxQueueSize="{most}" action="/left">support</Enqueue>')
    street.customer.on("/left", "<Hangup/>")
    street.customer.on("/elsewhere", "<Say>Elsewhere.</Say>")
    first = street.carrier.person_calls(ANN, LINE)
    await street.wait(3)
    if how == "hangup":
        first.hang_up()
    elif how == "redirected":
        street.post(f"Calls/{first.sid}.json", Url=f"{BASE}/elsewhere")
    else:
        street.carrier.person_calls(BOB, LINE)
    await street.wait(3)
    assert names(street.customer.at("/left"), "QueueResult") == [how]
    if how == "redirected":
        assert first.hearing.words == ["Elsewhere."]


async def test_front_of_the_queue_is_led_elsewhere_by_request(street: Street) -> None:
    street.customer.on("/voice", "<Enqueue>support</Enqueue>")
    street.customer.on("/agent-is-ready", '<Dial><Conference beep="false">room</Conference></Dial>')
    first = street.carrier.person_calls(ANN, LINE)
    await street.wait(1)
    second = street.carrier.person_calls(BOB, LINE)
    await street.wait(1)
    queue = street.get("Queues.json")["queues"][0]["sid"]
    assert street.post(f"Queues/{queue}/Members/Front.json", Url=f"{BASE}/agent-is-ready")["call_sid"] == first.sid
    await street.wait(1)
    assert [one["call_sid"] for one in street.get(f"Queues/{queue}/Members.json")["queue_members"]] == [second.sid]
    assert street.get("Conferences.json")["conferences"][0]["friendly_name"] == "room"
    gone = street.ask("POST", f"Queues/{queue}/Members/{first.sid}.json", Url=f"{BASE}/agent-is-ready")
    assert gone.status == 404


async def test_agent_who_dials_a_queue_talks_to_its_front(street: Street) -> None:
    street.customer.on("/voice", '<Enqueue action="/left">support</Enqueue>')
    street.customer.on("/left", "<Say>Goodbye.</Say>")
    street.customer.on("/agent", '<Dial action="/after"><Queue url="/connecting">support</Queue></Dial>')
    street.customer.on("/connecting", "<Say>You will now be connected.</Say>")
    street.customer.on("/after", "<Hangup/>")
    street.carrier.world.install(AGENT, Phone(Manners(after_s=1), [Meet(ANN), Say("Good morning."), Wait(5), HangUp()]))
    agent = street.post("Calls.json", To=AGENT, From=LINE, Url=f"{BASE}/agent")
    await street.wait(5)
    caller = street.carrier.person_calls(ANN, LINE, [WaitFor("good morning"), Say("Morning.")])
    await street.wait(30)
    assert caller.hearing.words == ["You will now be connected.", "Good morning.", "Goodbye."]
    assert street.leg(agent["sid"]).hearing.words == ["Morning."]
    assert street.customer.at("/left")[0]["QueueResult"] == "bridged"
    assert street.customer.at("/after")[0].params.items() >= {"DequeuedCallSid": caller.sid}.items()


# -- dialled legs


async def test_dialled_telephone_talks_and_its_end_is_told(street: Street) -> None:
    street.customer.on(
        "/voice",
        f'<Dial action="/after" record="record-from-answer-dual"><Number statusCallback="/leg"'
        f' statusCallbackEvent="initiated ringing answered completed">{BOB}</Number></Dial>',
    )
    street.customer.on("/after", "<Hangup/>")
    street.carrier.world.install(BOB, Phone(Manners(greeting="Bob here."), [WaitFor("hello bob"), Wait(3), HangUp()]))
    leg = street.carrier.person_calls(ANN, LINE, [WaitFor("bob here"), Say("Hello Bob, it is me.")])
    await street.wait(40)
    assert leg.hearing.words == ["Bob here."]
    after = street.customer.at("/after")[0]
    child = street.get("Calls.json", ParentCallSid=leg.sid)["calls"][0]
    assert (after["DialCallStatus"], after["DialCallSid"], after["DialBridged"]) == ("completed", child["sid"], "true")
    assert after["DialCallDuration"] == child["duration"]
    assert "RecordingUrl" in after.params
    assert street.statuses("/leg") == ["initiated", "ringing", "in-progress", "completed"]
    assert {one["ParentCallSid"] for one in street.customer.at("/leg")} == {leg.sid}
    assert child["direction"] == "outbound-dial"


async def test_first_to_answer_gets_the_call_and_others_stop_ringing(street: Street) -> None:
    street.customer.on(
        "/voice",
        f'<Dial callerId="{LINE}"><Client statusCallback="/leg">agent</Client><Number>{BOB}</Number></Dial>',
    )
    street.carrier.world.install(AGENT, Phone(Manners(after_s=3)))
    street.carrier.world.install(BOB, Phone(Manners(after_s=5)))
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(10)
    children = {one["to"]: one["status"] for one in street.get("Calls.json", ParentCallSid=leg.sid)["calls"]}
    assert children == {AGENT: "in-progress", BOB: "canceled"}
    assert leg.hearing.mix == AGENT


async def test_sequential_dialling_goes_on_to_the_next(street: Street) -> None:
    street.customer.on(
        "/voice", f'<Dial sequential="true" timeout="5"><Client>nobody</Client><Number>{BOB}</Number></Dial>'
    )
    street.carrier.world.install(BOB, Phone(Manners(after_s=1)))
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(10)
    assert leg.hearing.mix == BOB


async def test_callee_hears_its_own_document_first_and_may_refuse(street: Street) -> None:
    street.customer.on("/voice", f'<Dial action="/after"><Number url="/screen">{BOB}</Number></Dial>')
    street.customer.on(
        "/screen", '<Gather numDigits="1" action="/accepted"><Say>A call. Press 1.</Say></Gather>', "<Hangup/>"
    )
    street.customer.on("/after", "<Say>Nobody is there.</Say>")
    street.customer.on("/accepted")
    street.carrier.world.install(BOB, Phone(Manners()))
    refused = street.carrier.person_calls(ANN, LINE)
    await street.wait(30)
    assert refused.hearing.words == ["Nobody is there."]
    street.carrier.world.install(BOB, Phone(Manners(), [WaitFor("press 1"), Press("1"), Meet(), Say("Yes?"), HangUp()]))
    accepted = street.carrier.person_calls(ANN, LINE)
    await street.wait(30)
    assert accepted.hearing.words == ["Yes?", "Nobody is there."]


@pytest.mark.parametrize(("outcome", "status"), [("busy", "busy"), ("no-answer", "no-answer"), ("fails", "failed")])
async def test_failed_dial_says_why(street: Street, outcome: Any, status: str) -> None:
    street.customer.on("/voice", f'<Dial action="/after" timeout="8">{BOB}</Dial>')
    street.customer.on("/after", "<Hangup/>")
    street.carrier.world.install(BOB, Phone(Manners(outcome=outcome)))
    street.carrier.person_calls(ANN, LINE)
    await street.wait(30)
    assert names(street.customer.at("/after"), "DialCallStatus") == [status]


async def test_caller_who_hangs_up_stops_the_ringing(street: Street) -> None:
    street.customer.on("/voice", f"<Dial>{BOB}</Dial>")
    street.carrier.world.install(BOB, Phone(Manners(after_s=20)))
    leg = street.carrier.person_calls(ANN, LINE, [Wait(5), HangUp()])
    await street.wait(6)
    assert street.get("Calls.json", ParentCallSid=leg.sid)["calls"][0]["status"] == "canceled"


async def test_softphone_calls_need_a_caller_id_of_ours(street: Street) -> None:
    street.carrier.world.install(BOB, Phone())
    street.customer.on("/after", "<Hangup/>")
    for caller_id in ("", "+19998887777"):
        said = f'callerId="{caller_id}"' if caller_id else ""
        street.customer.on("/app", f'<Dial action="/after" {said}>{BOB}</Dial>')
        street.carrier.call_application("AP" + "0" * 32, "agent", {"To": BOB}, Phone())
        await street.wait(5)
    assert names(street.customer.at("/after"), "DialCallStatus") == ["failed", "failed"]
    assert street.carrier.alerts == [13214, 13214]


async def test_parent_redirected_out_of_a_bridge_ends_the_child(street: Street) -> None:
    street.customer.on("/voice", f'<Dial action="/after">{BOB}</Dial>')
    street.customer.on("/elsewhere", "<Enqueue>waiting</Enqueue>")
    street.carrier.world.install(BOB, Phone(Manners(after_s=1)))
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(5)
    street.post(f"Calls/{leg.sid}.json", Url=f"{BASE}/elsewhere")
    await street.wait(5)
    assert street.get("Calls.json", ParentCallSid=leg.sid)["calls"][0]["status"] == "completed"
    assert (leg.is_up, names(street.customer.at("/after"), "DialCallStatus")) == (True, ["answered"])


async def test_child_redirected_out_of_a_bridge_lets_the_parent_go_on(street: Street) -> None:
    street.customer.on("/voice", f'<Dial action="/after">{BOB}</Dial>')
    street.customer.on("/after", "<Say>Bye.</Say>")
    street.customer.on("/elsewhere", "<Enqueue>waiting</Enqueue>")
    street.carrier.world.install(BOB, Phone(Manners(after_s=1)))
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(5)
    child = street.get("Calls.json", ParentCallSid=leg.sid)["calls"][0]
    street.post(f"Calls/{child['sid']}.json", Url=f"{BASE}/elsewhere")
    await street.wait(5)
    assert leg.hearing.words == ["Bye."]
    assert "DialCallDuration" not in street.customer.at("/after")[0].params
    assert street.leg(child["sid"]).is_up


async def test_time_limit_and_star_end_a_dial(street: Street) -> None:
    street.carrier.world.install(BOB, Phone(Manners(after_s=1)))
    street.customer.on("/after", "<Hangup/>")
    scripts: dict[str, list[Step]] = {'timeLimit="10"': [], 'hangupOnStar="true"': [Wait(8), Press("*")]}
    for said, script in scripts.items():
        street.customer.on("/voice", f'<Dial action="/after" {said}>{BOB}</Dial>')
        street.carrier.person_calls(ANN, LINE, script)
        await street.wait(20)
    durations = [int(seconds) for seconds in names(street.customer.at("/after"), "DialCallDuration")]
    assert durations[0] == 10
    assert 6 <= durations[1] <= 9
