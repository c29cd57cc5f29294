"""The markup: what the provider objects to, and that its own library's builders agree with our tables."""

import ast
import inspect
import re
from collections.abc import Mapping
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml import messaging_response, voice_response
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from channels.simulator.carrier.grammar import MESSAGING, VOICE, Element
from channels.simulator.carrier.twiml import PLACES, Problem, read, validate
from tests.unit.carrier.street import response

OLD = {"Autopilot", "Conversation", "Prompt", "Queue"}
"""Elements the library still builds and the provider has withdrawn, or never documented where the library puts them."""
BETA = {"AiSession", "ConversationRelaySession", "ApplicationSid", "Headers", "Uri", "Config"}


def codes(document: str, **how: object) -> list[int]:
    return [problem.code for problem in validate(document, **how)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "document",
    [
        response('<Say voice="Polly.Zhiyu" language="cmn-CN">您好<break time="1s"/></Say>', "<Hangup/>"),
        response('<Gather input="speech dtmf" numDigits="1" speechTimeout="auto"><Play>/a.wav</Play></Gather>'),
        response('<Dial><Conference waitUrl="" beep="onEnter">room</Conference></Dial>', "<Redirect>/next</Redirect>"),
        response('<Enqueue waitUrl="/wait" action="/left">support</Enqueue>'),
        response('<Dial><Client><Identity>ann</Identity><Parameter name="a" value="b"/></Client></Dial>'),
        response('<Start><Recording channels="dual"/></Start>', '<Connect><Stream url="wss://x.example/"/></Connect>'),
        response("<Record timeout='5' maxLength='60'/>", "<Say>Nothing.</Say>"),
        response(),
    ],
)
def test_sound_documents(document: str) -> None:
    assert validate(document) == []


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", 12100),
        ("<Response>", 12100),
        ("Hello", 12100),
        ("<response/>", 12100),
        ('<!DOCTYPE a [<!ENTITY b "c">]><Response>&b;</Response>', 12100),
        ("<Response>" * 30 + "</Response>" * 30, 12100),
        (response("<say>Hello</say>"), 12200),
        (response("<Sing/>"), 12200),
        (response("<Say/>"), 13520),
        (response('<Say loud="yes">Hello</Say>'), 12200),
        (response("<Say>" + "a" * 4097 + "</Say>"), 13520),
        (response('<Say voice="Polly.Zhiyu">' + "a" * 3001 + "</Say>"), 13520),
        (response("<Say>" + "您" * 501 + "</Say>"), 13520),
        (response('<Say voice="Google.cmn-CN-Standard-A" language="en-US">Hi</Say>'), 13512),
        (response("<Gather><Dial>+15550100</Dial></Gather>"), 12200),
        (response('<Gather timeout="soon"/>'), 12200),
        (response('<Gather finishOnKey="##"/>'), 12200),
        (response('<Gather hints="' + "a" * 101 + '"/>'), 13331),
        (response("<Dial/>"), 13201),
        (response("<Dial>" + "<Number>+15550100</Number>" * 11 + "</Dial>"), 13245),
        (response("<Dial><Conference>a</Conference><Number>+15550100</Number></Dial>"), 12200),
        (response("<Dial><Conference>a</Conference><Queue>b</Queue></Dial>"), 12200),
        (response('<Dial><Conference participantLabel="' + "a" * 129 + '">a</Conference></Dial>'), 12200),
        (response("<Dial><Client/></Dial>"), 13221),
        (response("<Enqueue/>"), 13330),
        (response("<Enqueue>" + "a" * 65 + "</Enqueue>"), 13330),
        (response("<Play/>"), 13410),
        (response("<Play>not a url</Play>"), 11100),
        (response('<Gather action="https://under_score.example/"/>'), 12200),
        (response("<Hangup/>", "<Say>Never.</Say>"), 12200),
        (response('<Dial action="/a">+15550100</Dial>', "<Say>Never.</Say>"), 12200),
        (response("<Say>First.</Say>", "<Reject/>"), 12200),
        (response("<Pause/>" * 9000), 11750),
    ],
)
def test_documents_the_provider_objects_to(document: str, code: int) -> None:
    assert code in codes(document)


@pytest.mark.parametrize("place", sorted(PLACES))
def test_documents_for_a_purpose_hold_few_verbs(place: str) -> None:
    assert validate(response("<Say>Hello</Say>", "<Pause/>"), place=place) == []
    assert any(problem.is_error for problem in validate(response("<Dial>+15550100</Dial>"), place=place))
    has_gather = place in {"queue wait", "callee"}
    assert (validate(response("<Gather/>"), place=place) == []) is has_gather


def test_inline_documents_are_short_and_name_whole_addresses() -> None:
    assert codes(response("<Say>" + "a" * 4000 + "</Say>"), is_inline=True) == [32018]
    assert codes(response('<Gather action="/menu"/>'), is_inline=True) == [11100]
    assert codes(response('<Gather action="https://hub.example/menu"/>'), is_inline=True) == []


def test_a_problem_names_its_line() -> None:
    (problem,) = validate("<Response>\n<Say>Hello</Say>\n<Sing/>\n</Response>")
    assert problem == Problem(code=12200, text="<Sing> is no verb", line=3)


def test_messaging_documents() -> None:
    fine = "<Response><Message><Body>Hello</Body><Media>https://x.example/a.png</Media></Message></Response>"
    assert validate(fine, is_messaging=True) == []
    assert codes(response("<Say>Hello</Say>"), is_messaging=True) == [12200]


def test_library_documents_are_sound() -> None:
    built = VoiceResponse()
    gather = Gather(input="dtmf speech", action="/menu", num_digits=1, hints="sales, support", speech_timeout="auto")
    gather.say("Welcome", voice="Polly.Amy", language="en-GB")
    gather.play("https://hub.example/a.mp3", loop=2)
    gather.pause(length=2)
    built.append(gather)
    dial = Dial(timeout=20, record="record-from-answer-dual", recording_status_callback="/recording")
    dial.conference(
        "room", start_conference_on_enter=True, end_conference_on_exit=False, beep=False, status_callback="/room",
        status_callback_event="start end join leave", participant_label="customer", wait_url="/wait",
    )  # fmt: skip
    built.append(dial)
    built.enqueue("support", wait_url="/wait", max_queue_size=10)
    built.redirect("/again")
    assert validate(str(built)) == []


def builders(module: ModuleType) -> dict[str, set[str]]:
    """Return elements and what the library's builders put into them."""
    tree = ast.parse(inspect.getsource(module))
    classes = {cls.name: ast.unparse(cls) for cls in tree.body if isinstance(cls, ast.ClassDef)}
    names = {
        name: found[1] for name, text in classes.items() if (found := re.search(r"self\.name = '([\w:-]+)'", text))
    }
    nested = {name: set(re.findall(r"self\.nest\((\w+)", text)) for name, text in classes.items()}
    return {names[name]: {names[child] for child in nested[name]} for name in names}


@pytest.mark.parametrize(("module", "grammar"), [(voice_response, VOICE), (messaging_response, MESSAGING)])
def test_nesting_is_that_of_the_library(module: ModuleType, grammar: Mapping[str, Element]) -> None:
    built = builders(module)
    assert len(built) > 3
    wrong = {
        f"{name} holds {child}"
        for name, children in built.items()
        if name in grammar
        for child in children - OLD - BETA - grammar[name].children
    }
    assert wrong == set()


def camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.title() for part in rest)


CONTENT = {
    *(
        "message",
        "number",
        "phoneNumber",
        "identity",
        "name",
        "sipUrl",
        "simSid",
        "url",
        "text",
        "for",
        "words",
        "body",
    ),
    *("applicationSid", "mediaUrl"),
}


@pytest.mark.parametrize("verb", ["say", "play", "pause", "gather", "record", "dial", "enqueue", "redirect", "reject"])
def test_attributes_are_those_of_the_library(verb: str) -> None:
    parameters = set(inspect.signature(getattr(VoiceResponse, verb)).parameters) - {"self", "kwargs"}
    unknown = {camel(name) for name in parameters} - CONTENT - set(VOICE[verb.title()].attributes)
    assert unknown <= {"passports"}, "a beta of the library's"


@pytest.mark.parametrize("noun", ["number", "client", "conference", "sip", "queue"])
def test_nouns_have_the_attributes_of_the_library(noun: str) -> None:
    parameters = set(inspect.signature(getattr(Dial, noun)).parameters) - {"self", "kwargs"}
    assert {camel(name) for name in parameters} - CONTENT <= set(VOICE[noun.title()].attributes)


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda text: f"<Response>{text}</Response>")))
def test_reading_never_raises(document: bytes | str) -> None:
    read(document)
    read(document, is_messaging=True)


ELEMENTS = st.sampled_from(sorted(VOICE))


def wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda name, held: f"<{name}>{''.join(held)}</{name}>", ELEMENTS, st.lists(inner, max_size=3))


@given(st.recursive(ELEMENTS.map(lambda name: f"<{name}/>"), wrapped, max_leaves=12))
def test_any_nesting_is_judged(element: str) -> None:
    for problem in validate(response(element)):
        assert problem.code > 11000
        assert problem.line == 1
