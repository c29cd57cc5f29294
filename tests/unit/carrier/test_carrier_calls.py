"""One call: how it comes in, is answered, obeys documents, ends, and what is told about it."""

import pytest

from channels.simulator.carrier import Fault, HangUp, Manners, Phone, Press, Say, Wait, WaitFor
from tests.unit.carrier.street import ANN, APP, BASE, BOB, LINE, OTHER_LINE, Street, response, sound_wav

WELCOME = '<Say language="en-US">Welcome. Press 1 for sales.</Say>'


async def test_inbound_call_is_greeted_and_ends_with_its_document(street: Street) -> None:
    street.customer.on("/voice", WELCOME)

    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait()
    assert leg.status == "in-progress"
    asked = street.customer.at("/voice")[0]
    await street.wait(30)

    assert (asked["From"], asked["To"], asked["CallStatus"], asked["Direction"]) == (ANN, LINE, "ringing", "inbound")
    assert leg.hearing.words == ["Welcome. Press 1 for sales."]
    assert (leg.status, leg.duration_s) == ("completed", 2)
    assert street.statuses("/status") == ["completed"]
    assert street.customer.at("/status")[0].params.items() >= {"CallDuration": "2", "SequenceNumber": "0"}.items()
    assert street.carrier.alerts == []


async def test_keys_end_a_gather_and_go_to_its_action(street: Street) -> None:
    street.customer.on("/voice", f'<Gather action="/menu" numDigits="1">{WELCOME}</Gather><Say>Nothing.</Say>')
    street.customer.on("/menu", "<Say>Sales.</Say>")

    leg = street.carrier.person_calls(ANN, LINE, [WaitFor("press 1"), Press("1")])
    await street.wait(30)

    assert street.customer.at("/menu")[0]["Digits"] == "1"
    assert leg.hearing.words == ["Welcome. Press 1 for sales.", "Sales."]
    first = leg.hearing.sounds[0]
    assert first.until is not None
    assert first.until < first.at + round(first.length_s * 1000), "the prompt was cut short"


async def test_gather_without_input_falls_through(street: Street) -> None:
    street.customer.on("/voice", '<Gather action="/menu" timeout="3"/>', "<Say>Nothing.</Say>")

    leg = street.carrier.person_calls(ANN, LINE, [Wait(0.1), Press("#")])
    await street.wait(30)

    assert street.customer.at("/menu") == []
    assert leg.hearing.words == ["Nothing."]


async def test_empty_result_is_told_when_asked_for(street: Street) -> None:
    street.customer.on("/voice", '<Gather action="/menu" timeout="3" actionOnEmptyResult="true"/>')
    street.carrier.person_calls(ANN, LINE)
    await street.wait(10)
    assert street.customer.at("/menu")[0]["Digits"] == ""


async def test_finish_key_and_time_between_keys(street: Street) -> None:
    street.customer.on("/voice", '<Gather action="/menu" timeout="3" finishOnKey="*"/>')
    street.customer.on("/menu", "<Hangup/>")

    street.carrier.person_calls(ANN, LINE, [Press("12"), Wait(2), Press("34*")])
    await street.wait(20)

    asked = street.customer.at("/menu")[0]
    assert (asked["Digits"], asked["FinishedOnKey"]) == ("1234", "*")


async def test_keys_before_a_gather_are_lost(street: Street) -> None:
    street.customer.on("/voice", "<Say>One moment please, I am reading.</Say>", '<Gather action="/menu" timeout="2"/>')
    street.carrier.person_calls(ANN, LINE, [Press("9")])
    await street.wait(20)
    assert street.customer.at("/menu") == []


async def test_speech_is_understood_with_partial_results(street: Street) -> None:
    street.customer.on(
        "/voice",
        '<Gather input="speech dtmf" speechTimeout="auto" action="/menu" partialResultCallback="/partial"'
        ' language="en-US"><Say>What is it about?</Say></Gather>',
    )
    street.customer.on("/menu", "<Hangup/>")

    street.carrier.person_calls(ANN, LINE, [WaitFor("about"), Say("my router blinks red", 0.8)])
    await street.wait(20)

    asked = street.customer.at("/menu")[0]
    assert (asked["SpeechResult"], asked["Confidence"], asked["Language"]) == ("my router blinks red", "0.8", "en-US")
    assert [one["UnstableSpeechResult"] for one in street.customer.at("/partial")] == [
        "my router",
        "my router blinks red",
    ]


async def test_voicemail_is_recorded_with_the_right_length(street: Street) -> None:
    street.customer.on(
        "/voice", '<Record action="/done" maxLength="30" timeout="3" recordingStatusCallback="/recording"/>'
    )
    street.customer.on("/done", "<Hangup/>")
    words = "Please call me back about the invoice."

    street.carrier.person_calls(ANN, LINE, [WaitFor("beep", 1), HangUp()])
    leg = street.carrier.person_calls(ANN, LINE, [Wait(1), Say(words), Wait(0.5), Press("#")])
    await street.wait(20)

    asked = next(one for one in street.customer.at("/done") if one["CallSid"] == leg.sid)
    assert asked["Digits"] == "#"
    told = next(one for one in street.customer.at("/recording") if one["RecordingSid"] == asked["RecordingSid"])
    assert told.params.items() >= {"RecordingStatus": "completed", "RecordingSource": "RecordVerb"}.items()
    recording = street.carrier.plant.recordings[asked["RecordingSid"]]
    body = b"".join(recording.file("wav"))
    assert len(body) == 44 + recording.duration_ms * 8 * 2
    assert any(body[44 + 16_000 :]), "the voice can be heard"


async def test_caller_who_hangs_up_while_recording_is_told_as_a_result(street: Street) -> None:
    street.customer.on("/voice", '<Record action="/done"/>')
    street.carrier.person_calls(ANN, LINE, [Wait(1), Say("Hello there"), HangUp()])
    await street.wait(20)
    assert (street.customer.at("/done")[0]["Digits"], street.customer.at("/done")[0]["CallStatus"]) == (
        "hangup",
        "completed",
    )


async def test_silence_ends_a_recording_and_the_document_goes_on(street: Street) -> None:
    street.customer.on("/voice", '<Record action="/done" timeout="2"/>', "<Say>I heard nothing.</Say>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(20)
    assert (leg.hearing.words, street.customer.at("/done")) == (["I heard nothing."], [])


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
async def test_rejected_call_is_never_answered(street: Street, reason: str, status: str) -> None:
    street.customer.on("/voice", f'<Reject reason="{reason}"/>')
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(5)
    assert (leg.status, leg.started_at) == (status, None)


async def test_pause_first_lets_it_ring(street: Street) -> None:
    street.customer.on("/voice", '<Pause length="3"/>', "<Enqueue>waiting</Enqueue>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(2)
    assert not leg.is_up
    await street.wait(2)
    assert leg.is_up


async def test_music_takes_as_long_as_its_file(street: Street) -> None:
    street.customer.on("/voice", '<Play loop="2">/music.wav</Play>')
    street.customer.on("/music.wav", reply=sound_wav(4.0))
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(30)
    assert leg.duration_s == 8
    assert [sound.url for sound in leg.hearing.sounds] == [f"{BASE}/music.wav"] * 2
    assert len(street.customer.at("/music.wav")) == 1


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda customer: customer.dead.add("/voice"), 11205),
        (lambda customer: customer.silent.add("/voice"), 11200),
        (lambda customer: customer.on("/voice", reply=(500, "text/xml", b"")), 11200),
        (lambda customer: customer.on("/voice", reply=(403, "text/xml", b"")), 11200),
        (lambda customer: customer.on("/voice", reply=(200, "application/json", b"{}")), 12300),
        (lambda customer: customer.on("/voice", reply="<Response><Say>"), 12100),
        (lambda customer: customer.on("/voice", reply="<Response><Sing/></Response>"), 12200),
        (lambda customer: customer.on("/voice", reply=(302, "", b"/voice")), 11215),
        (lambda customer: customer.on("/voice", reply=response("<Say>" + "a" * 66_000 + "</Say>")), 11750),
    ],
)
async def test_fallback_takes_over_with_the_reason(street: Street, break_it: object, code: int) -> None:
    street.customer.on("/fallback", "<Say>One moment.</Say>")
    assert callable(break_it)
    break_it(street.customer)

    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(60)

    asked = street.customer.at("/fallback")[0]
    assert (asked["ErrorCode"], asked["ErrorUrl"]) == (str(code), f"{BASE}/voice")
    assert (leg.hearing.words, leg.status) == (["One moment."], "completed")
    assert code in street.carrier.alerts


async def test_without_any_document_an_error_is_spoken(street: Street) -> None:
    street.customer.dead |= {"/voice", "/fallback"}
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(60)
    assert leg.hearing.words == ["We are sorry, an application error has occurred. Goodbye."]
    assert leg.status == "completed"


async def test_timeout_comes_after_fifteen_seconds(street: Street) -> None:
    street.customer.silent.add("/voice")
    street.customer.on("/fallback", "<Hangup/>")
    street.carrier.person_calls(ANN, LINE)
    await street.wait(14.9)
    assert street.customer.at("/fallback") == []
    await street.wait(0.2)
    assert len(street.customer.at("/fallback")) == 1


async def test_connection_failures_are_tried_twice_with_one_token(street: Street) -> None:
    street.customer.dead.add("/voice")
    street.carrier.person_calls(ANN, LINE)
    await street.wait(60)
    tokens = [one.headers["I-Twilio-Idempotency-Token"] for one in street.customer.at("/voice")]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


async def test_fragment_of_an_address_sets_retries(street: Street) -> None:
    number = street.carrier.account.numbers[LINE]
    number.voice = type(number.voice)(f"{BASE}/voice#rc=3&rp=5xx&tt=2000")
    street.customer.on("/voice", reply=(503, "", b""))
    street.carrier.person_calls(ANN, LINE)
    await street.wait(60)
    assert len(street.customer.at("/voice")) == 4


async def test_outbound_call_reports_every_step_in_order(street: Street) -> None:
    street.carrier.world.install(BOB, Phone(Manners(after_s=3, greeting="Hello?")))
    street.customer.on("/answered", "<Say>This is the company.</Say>")
    made = street.post(
        "Calls.json",
        To=BOB,
        From=LINE,
        Url=f"{BASE}/answered",
        StatusCallback=f"{BASE}/progress",
        StatusCallbackEvent=["initiated", "ringing", "answered", "completed"],
    )
    assert (made["status"], made["direction"], made["start_time"]) == ("queued", "outbound-api", None)

    await street.wait(30)

    told = street.customer.at("/progress")
    assert street.statuses("/progress") == ["initiated", "ringing", "in-progress", "completed"]
    assert [one["SequenceNumber"] for one in told] == ["0", "1", "2", "3"]
    assert "CallDuration" not in told[2].params
    shown = street.get(f"Calls/{made['sid']}.json")
    assert (shown["status"], shown["duration"]) == ("completed", told[3]["CallDuration"])


async def test_recorded_call_names_its_recording_at_the_end(street: Street) -> None:
    street.carrier.world.install(BOB, Phone(Manners(after_s=1)))
    street.post(
        "Calls.json",
        To=BOB,
        From=LINE,
        Twiml=response("<Say>This is recorded.</Say>"),
        Record="true",
        RecordingChannels="dual",
        RecordingStatusCallback=f"{BASE}/recording",
        StatusCallback=f"{BASE}/progress",
    )
    await street.wait(20)
    told, kept = street.customer.at("/progress")[0], street.customer.at("/recording")[0]
    assert (told["RecordingSid"], kept["RecordingChannels"]) == (kept["RecordingSid"], "2")
    assert told["RecordingUrl"] == kept["RecordingUrl"]


@pytest.mark.parametrize(
    ("manners", "status"),
    [
        (Manners(outcome="busy"), "busy"),
        (Manners(outcome="no-answer"), "no-answer"),
        (Manners(outcome="rejects"), "busy"),
        (Manners(outcome="fails"), "failed"),
        (None, "failed"),
    ],
)
async def test_call_that_is_not_answered(street: Street, manners: Manners | None, status: str) -> None:
    if manners is not None:
        street.carrier.world.install(BOB, Phone(manners))
    made = street.post(
        "Calls.json", To=BOB, From=LINE, Url=f"{BASE}/answered", Timeout=20, StatusCallback=f"{BASE}/progress"
    )
    await street.wait(40)
    assert street.get(f"Calls/{made['sid']}.json")["status"] == status
    assert street.statuses("/progress") == [status]
    assert street.customer.at("/answered") == []


async def test_calls_wait_for_their_turn(street: Street) -> None:
    street.carrier.world.install(BOB, Phone())
    street.carrier.account.limits = type(street.carrier.account.limits)(calls_per_s=1.0)
    made = [
        street.post("Calls.json", To=BOB, From=LINE, Twiml=response("<Pause length='60'/>"), StatusCallback=f"{BASE}/p")
        for _ in range(3)
    ]
    assert [call["queue_time"] for call in made] == ["0", "1000", "2000"]
    street.post(f"Calls/{made[2]['sid']}.json", Status="canceled")
    await street.wait(10)
    assert [street.leg(call["sid"]).status for call in made] == ["in-progress", "in-progress", "canceled"]
    assert street.statuses("/p", made[2]["sid"]) == [], "nothing is told of a call cancelled while queued"


async def test_redirected_call_obeys_its_new_document(street: Street) -> None:
    street.customer.on("/voice", '<Gather action="/menu" timeout="60"/>')
    street.customer.on("/elsewhere", "<Say>Elsewhere.</Say>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(5)

    street.post(f"Calls/{leg.sid}.json", Url=f"{BASE}/elsewhere")
    await street.wait(10)

    assert (leg.hearing.words, leg.status) == (["Elsewhere."], "completed")


async def test_call_that_is_not_up_cannot_be_redirected(street: Street) -> None:
    street.customer.on("/voice", '<Pause length="10"/>', "<Hangup/>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(1)
    for _ in range(2):
        refused = street.ask("POST", f"Calls/{leg.sid}.json", Url=f"{BASE}/elsewhere")
        assert (refused.status, (refused.payload or {})["code"]) == (400, 21220)
        await street.wait(20)
    assert leg.status == "completed"


async def test_hanging_up_by_request(street: Street) -> None:
    street.customer.on("/voice", "<Enqueue>waiting</Enqueue>")
    leg = street.carrier.person_calls(ANN, LINE)
    await street.wait(5)
    street.post(f"Calls/{leg.sid}.json", Status="completed")
    assert leg.status == "completed"
    await street.wait()
    assert street.statuses("/status") == ["completed"]


async def test_machine_is_told_from_people(street: Street) -> None:
    machine = Phone(Manners(nature="machine", greeting="You have reached Bob. Leave a message after the tone."))
    street.carrier.world.install(BOB, machine)
    street.customer.on("/answered", "<Hangup/>")
    for mode in ("Enable", "DetectMessageEnd"):
        street.post("Calls.json", To=BOB, From=LINE, Url=f"{BASE}/answered", MachineDetection=mode)
    street.post(
        "Calls.json",
        To=BOB,
        From=LINE,
        Twiml=response("<Pause length='30'/>"),
        MachineDetection="Enable",
        AsyncAmd="true",
        AsyncAmdStatusCallback=f"{BASE}/amd",
    )
    await street.wait(60)
    assert sorted(one["AnsweredBy"] for one in street.customer.at("/answered")) == ["machine_end_beep", "machine_start"]
    assert street.customer.at("/amd")[0].params.items() >= {"AnsweredBy": "machine_start"}.items()


async def test_redirects_in_a_circle_end(street: Street) -> None:
    street.customer.on("/voice", "<Redirect>/voice</Redirect>")
    leg = street.carrier.person_calls(ANN, LINE)
    for _ in range(200):
        await street.wait()
    assert leg.is_over
    assert 12400 in street.carrier.alerts


async def test_number_nobody_has(street: Street) -> None:
    assert street.carrier.person_calls(ANN, "+15559999").status == "failed"
    await street.wait()
    assert street.customer.requests == []


async def test_legs_drop_when_that_fault_is_on(street: Street) -> None:
    street.carrier.switch.faults.switch_on(Fault(kind="leg", effect="dropped", seconds=10))
    street.customer.on("/voice", "<Enqueue>waiting</Enqueue>")
    legs = [street.carrier.person_calls(ANN, LINE) for _ in range(5)]
    await street.wait(11)
    assert {leg.status for leg in legs} == {"completed"}
    assert len({leg.ended_at for leg in legs}) > 1


async def test_application_is_called_with_the_browser_parameters(street: Street) -> None:
    street.customer.on("/app", "<Hangup/>")
    street.carrier.call_application(APP, "ann", {"To": BOB, "queue": "sales", "CallSid": "forged"}, Phone())
    await street.wait(2)
    asked = street.customer.at("/app")[0]
    assert (asked["From"], asked["To"], asked["queue"], asked["ApplicationSid"]) == ("client:ann", BOB, "sales", APP)
    assert asked["CallSid"].startswith("CA")


async def test_call_to_ones_own_number_comes_in_at_the_other_end(street: Street) -> None:
    street.customer.on("/voice", '<Gather numDigits="1" action="/menu"><Say>Welcome.</Say></Gather>')
    street.customer.on("/menu", "<Say>Thank you.</Say>")
    made = street.post(
        "Calls.json", To=OTHER_LINE, From=LINE, Twiml=response("<Pause length='60'/>"), SendDigits="www1"
    )
    await street.wait(20)
    outgoing = street.leg(made["sid"])
    (incoming,) = [leg for leg in street.carrier.plant.legs.values() if leg.route.direction == "inbound"]
    assert (incoming.route.from_, incoming.route.to) == (LINE, OTHER_LINE)
    assert incoming.hearing.words == ["Welcome.", "Thank you."]
    assert (incoming.status, outgoing.status) == ("completed", "completed")


async def test_busy_own_number_is_busy_at_both_ends(street: Street) -> None:
    street.customer.on("/voice", '<Reject reason="busy"/>')
    made = street.post("Calls.json", To=OTHER_LINE, From=LINE, Twiml=response("<Hangup/>"))
    await street.wait(5)
    assert {leg.status for leg in street.carrier.plant.legs.values()} == {"busy"}
    assert street.get(f"Calls/{made['sid']}.json")["status"] == "busy"


async def test_digits_sent_to_a_telephone_are_heard_there(street: Street) -> None:
    street.carrier.world.install(BOB, Phone())
    made = street.post("Calls.json", To=BOB, From=LINE, Twiml=response("<Pause length='9'/>"), SendDigits="1w2")
    await street.wait(5)
    tones = [sound.text for sound in street.leg(made["sid"]).hearing.sounds if sound.kind == "tone"]
    assert tones == ["dtmf:1", "dtmf:2"]


async def test_many_calls_reach_one_telephone_and_each_has_its_script(street: Street) -> None:
    phone = Phone(Manners(after_s=1), [Wait(5), HangUp()])
    street.carrier.world.install(BOB, phone)
    made = [street.post("Calls.json", To=BOB, From=LINE, Twiml=response("<Pause length='60'/>")) for _ in range(80)]
    await street.wait(5)
    assert len(phone.parties) == 80
    await street.wait(10)
    assert {street.leg(one["sid"]).status for one in made} == {"completed"}
    assert phone.parties == {}


async def test_hanging_up_in_the_turn_of_the_answer_leaves_nothing(street: Street) -> None:
    street.carrier.world.install(BOB, Phone(Manners(after_s=1), [HangUp()]))
    made = street.post("Calls.json", To=BOB, From=LINE, Url=f"{BASE}/answered", Record="true")
    joining = street.post("Conferences/room/Participants.json", To=BOB, From=LINE)
    await street.wait(5)
    assert [street.leg(sid).status for sid in (made["sid"], joining["call_sid"])] == ["completed", "completed"]
    assert street.customer.at("/answered") == []
    assert street.get("Conferences.json")["conferences"][0]["status"] == "completed"
    assert street.carrier.pending == {"tasks": 0, "deliveries": 0, "alarms": 0}
