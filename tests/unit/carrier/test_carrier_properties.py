"""Whatever is done in whatever order: each leg ends once, nothing goes backwards, nothing is left behind."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.simulator.carrier import Fault, HangUp, Manners, Phone, Press, Say, Wait, WaitFor
from channels.simulator.carrier.legs import RANK, TERMINAL
from channels.simulator.carrier.phones import Step
from channels.simulator.carrier.problems import REFUSALS
from tests.unit.carrier.street import ANN, BASE, BOB, LINE, Street

PATHS = ["/voice", "/fallback", "/one", "/two", "/wait", "/hold", "/after"]
AGENTS = ["client:ann", "client:bob", BOB]
ALL = ["initiated", "ringing", "answered", "completed"]
EVENTS = ["start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"]

steps = st.one_of(
    st.builds(Wait, st.floats(0, 20)),
    st.builds(Press, st.sampled_from(["1", "12#", "*", ""])),
    st.builds(Say, st.sampled_from(["Hello", "您好,请问订单到了吗", "a " * 40])),
    st.builds(WaitFor, st.sampled_from(["press", "hold"]), st.floats(1, 20)),
    st.just(HangUp()),
)
scripts: st.SearchStrategy[list[Step]] = st.lists(steps, max_size=4)
manners = st.builds(
    Manners,
    outcome=st.sampled_from(["answers", "answers", "answers", "busy", "no-answer", "rejects", "fails"]),
    after_s=st.floats(0, 8),
    nature=st.sampled_from(["human", "machine"]),
    greeting=st.sampled_from(["", "Hello?"]),
)
verbs = st.sampled_from(
    [
        "<Say>Please press one.</Say>",
        '<Gather numDigits="1" timeout="2" action="/one"><Say>Press one or hold.</Say></Gather>',
        '<Gather input="speech" speechTimeout="auto" timeout="3" action="/two" actionOnEmptyResult="true"/>',
        '<Record timeout="2" maxLength="6" action="/after"/>',
        '<Pause length="2"/>',
        '<Enqueue waitUrl="/wait" action="/after">queue</Enqueue>',
        '<Dial><Conference statusCallback="/room" statusCallbackEvent="start end join leave">r</Conference></Dial>',
        '<Dial action="/after"><Conference endConferenceOnExit="true" waitUrl="/hold">r</Conference></Dial>',
        '<Dial timeout="6" action="/after"><Client>ann</Client><Client>bob</Client></Dial>',
        f'<Dial timeout="6" record="record-from-answer" timeLimit="9"><Number url="/two">{BOB}</Number></Dial>',
        "<Dial><Queue>queue</Queue></Dial>",
        '<Redirect method="GET">/two</Redirect>',
        "<Reject/>",
        "<Hangup/>",
        "<Leave/>",
        "<Sing/>",
    ]
)
documents = st.dictionaries(st.sampled_from(PATHS), st.lists(verbs, max_size=3), max_size=len(PATHS))
actions = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("call in", "call out", "add", "hold", "unhold", "mute", "coach", "kick", "end room", "redirect"),
                *("hang up", "cancel", "dequeue", "record", "announce", "speak", "press", "party hangs up", "delete"),
            ]
        ),
        st.integers(0, 20),
        st.floats(0, 6),
    ),
    max_size=14,
)
faults = st.lists(
    st.builds(
        Fault,
        kind=st.sampled_from(["*", "status", "conference", "call", "queue", "leg"]),
        effect=st.sampled_from(["lost", "duplicated", "late", "reordered", "slow", "dropped"]),
        share=st.sampled_from([0.2, 1.0]),
        seconds=st.floats(0.1, 5),
    ),
    max_size=2,
)


class Story:
    """A street on which anything may happen."""

    def __init__(self, seen: Street) -> None:
        self.street = seen
        self.paths: dict[str, list[str]] = {}

    def act(self, what: str, n: int) -> None:
        """Do one thing to the n-th leg, or whatever it means; refusals are answers too."""
        street = self.street
        legs = list(street.carrier.plant.legs.values())
        leg = legs[n % len(legs)] if legs else None
        rooms = [one for one in street.carrier.plant.conferences.values() if not one.is_over]
        room = rooms[n % len(rooms)].sid if rooms else "CF" + "0" * 32
        sid = leg.sid if leg is not None else "CA" + "0" * 32
        person = f"Conferences/{room}/Participants/{sid}.json"
        hook = f"{BASE}{PATHS[n % len(PATHS)]}"
        progress = {"StatusCallback": f"{BASE}/progress", "StatusCallbackEvent": ALL}
        to = AGENTS[n % len(AGENTS)]
        requests: dict[str, tuple[str, dict[str, Any]]] = {
            "call out": ("Calls.json", {"To": to, "From": LINE, "Url": hook, **progress, "Record": "true"}),
            "add": (
                "Conferences/r/Participants.json",
                {
                    "To": to,
                    "From": LINE,
                    "Label": f"l{n % 3}",
                    "EndConferenceOnExit": str(n % 5 == 0).lower(),
                    **progress,
                }
                | {"ConferenceStatusCallback": f"{BASE}/room", "ConferenceStatusCallbackEvent": EVENTS},
            ),
            "hold": (person, {"Hold": "true", "HoldUrl": f"{BASE}/hold"}),
            "unhold": (person, {"Hold": "false"}),
            "mute": (person, {"Muted": "true"}),
            "coach": (person, {"Coaching": "true", "CallSidToCoach": legs[(n + 1) % len(legs)].sid if legs else sid}),
            "end room": (f"Conferences/{room}.json", {"Status": "completed"}),
            "announce": (f"Conferences/{room}.json", {"AnnounceUrl": f"{BASE}/hold"}),
            "redirect": (f"Calls/{sid}.json", {"Url": hook}),
            "hang up": (f"Calls/{sid}.json", {"Status": "completed"}),
            "cancel": (f"Calls/{sid}.json", {"Status": "canceled"}),
            "record": (f"Calls/{sid}/Recordings.json", {}),
        }
        if what in requests:
            path, fields = requests[what]
            self.check_answer(street.ask("POST", path, **fields).payload)
        elif what == "kick":
            street.ask("DELETE", person)
        elif what == "delete":
            street.ask("DELETE", f"Calls/{sid}.json")
        elif what == "call in":
            self.call_in(n)
        elif what == "dequeue":
            for queue in list(street.carrier.plant.queues):
                self.check_answer(street.ask("POST", f"Queues/{queue}/Members/Front.json", Url=hook).payload)
        elif leg is not None:
            {
                "speak": lambda: leg.speak("Hello hello"),
                "press": lambda: leg.press("1#"),
                "party hangs up": leg.hang_up,
            }[what]()

    def call_in(self, n: int) -> None:
        """Somebody calls in, with a script of little patience."""
        script: list[Step] = [Wait(n / 2), Press("1"), Say("I need help"), Wait(float(n)), HangUp()]
        self.street.carrier.person_calls(ANN, LINE, script[n % 3 :])

    def check_answer(self, payload: dict[str, object] | None) -> None:
        """A refusal has one of the provider's numbers."""
        assert payload is not None
        if "code" in payload:
            assert payload["code"] in REFUSALS or payload["code"] in {13240, 16022}, payload


async def play(
    said: dict[str, list[str]],
    phones: Sequence[tuple[Manners, list[Step]]],
    done: list[tuple[str, int, float]],
    bad: list[Fault],
) -> Street:
    street = Street.open()
    street.carrier.switch.faults.switch_on(*bad)
    for path, held in said.items():
        street.customer.on(path, *held)
    for address, (how, script) in zip(AGENTS, phones, strict=True):
        street.carrier.world.install(address, Phone(how, script))
    story = Story(street)
    story.call_in(1)
    for what, n, pause_s in done:
        story.act(what, n)
        check_now(street)
        await street.wait(pause_s)
        check_now(street)
    street.carrier.switch.faults.switch_off()
    await street.wait(200)
    for leg in street.carrier.live_calls():
        leg.hang_up()
    await street.wait(60)
    return street


def check_now(street: Street) -> None:
    """What holds at any time: a leg is in one place, and only while it is up."""
    plant = street.carrier.plant
    waiting = [sid for queue in plant.queues.values() for sid in queue.members]
    inside = [sid for room in plant.conferences.values() for sid in room.participants]
    assert len({*waiting, *inside}) == len(waiting) + len(inside)
    for sid in [*waiting, *inside]:
        assert sid not in plant.legs or plant.legs[sid].is_up
    for room in plant.conferences.values():
        assert room.is_over == (not room.participants and not room.pending)
        labels = [one.label for one in [*room.participants.values(), *room.pending.values()] if one.label]
        assert len(labels) == len(set(labels))
        assert (
            room.is_over
            or room.status == "in-progress"
            or len(room.participants) < 2
            or not any(one.starts for one in room.participants.values())
        )


def check(street: Street) -> None:
    """What holds at the end of every story."""
    assert street.carrier.pending == {"tasks": 0, "deliveries": 0, "alarms": 0}
    legs = street.carrier.plant.legs.values()
    assert all(leg.status in TERMINAL and leg.ended_at is not None for leg in legs)
    by_sequence: dict[str, dict[int, str]] = {}
    for one in street.customer.at("/progress"):
        told = by_sequence.setdefault(one["CallSid"], {})
        assert told.setdefault(int(one["SequenceNumber"]), one["CallStatus"]) == one["CallStatus"]
    for told in by_sequence.values():
        ranks = [RANK[told[n]] for n in sorted(told)]  # type: ignore[index]
        assert all(earlier < later for earlier, later in pairwise(ranks)), told
    for room in street.carrier.plant.conferences.values():
        assert (room.is_over, room.participants, room.pending) == (True, {}, {})
        assert room.reason_ended
    assert all(not queue.members and not queue.waiting_for for queue in street.carrier.plant.queues.values())
    assert all(recording.is_over for recording in street.carrier.plant.recordings.values())
    for leg in legs:
        assert all(sound.until is not None and sound.until >= sound.at for sound in leg.hearing.sounds)
        assert leg.place is None


@settings(max_examples=60, deadline=None)
@given(documents, st.tuples(*[st.tuples(manners, scripts) for _ in AGENTS]), actions, faults)
def test_any_story_ends_well(
    said: dict[str, list[str]],
    phones: tuple[tuple[Manners, list[Step]], ...],
    done: list[tuple[str, int, float]],
    bad: list[Fault],
) -> None:
    async def story() -> None:
        street = await play(said, phones, done, bad)
        check(street)
        await street.close()

    asyncio.run(story())


def test_the_same_story_is_the_same_again() -> None:
    async def once() -> list[tuple[int, str, dict[str, str]]]:
        script: list[Step] = [Say("Hello"), Wait(9), HangUp()]
        phones = [(Manners(after_s=1), script)] * 3
        said = {"/voice": ['<Dial><Conference beep="false">r</Conference></Dial>']}
        done = [("add", 1, 4.0), ("hold", 0, 2.0), ("unhold", 0, 2.0), ("call out", 2, 3.0), ("end room", 0, 1.0)]
        street = await play(said, phones, done, [Fault(kind="*", effect="late", share=0.3)])
        await street.close()
        return [(request.at, request.path, request.params) for request in street.customer.requests]

    first, second = asyncio.run(once()), asyncio.run(once())
    assert len(first) > 8
    assert first == second
