"""What a check finds before a customer does, what a picture shows, and what the tools at a terminal say."""

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from hub.__main__ import main
from hub.demo.config import company_file
from hub.flows.checking import Around, check
from hub.flows.drawing import Numbers, arrows, layout, mermaid, svg
from hub.flows.model import RESERVED, Medium
from hub.flows.reading import read_flow
from hub.services.flows.files import read_folder
from hub.settings import ChannelSettings, Service, load
from hub.tools.flow import Player, Screen, flow_problems, shipped_folder
from tests.unit.flows.talk import HEAD, MENU

AROUND = Around(
    queues={"support": "", "billing": "0 of 4 agents can take it."},
    skills=["repairs"],
    asked=lambda queue, skills: f"0 of 4 agents can take {queue}" if skills["repairs"] > 3 else "",
    services=["erp"],
    channels=["texts"],
)

TEXT = "{http://www.w3.org/2000/svg}text"


def found(steps: str, *, head: str = HEAD, around: Around | None = None) -> list[tuple[int, str, str]]:
    flow = read_flow(head + steps, "shop.yaml")
    lines = len(head.splitlines())
    return [(one.line - lines, one.severity, one.text) for one in check(flow, {flow.name: flow}, around)]


def test_a_sound_flow_has_nothing_wrong() -> None:
    flow = read_flow(MENU, "shop.yaml")
    assert check(flow, {flow.name: flow}) == []


@pytest.mark.parametrize(
    ("steps", "line", "text"),
    [
        ("  a: {say: {en: Hi, zh: 好}, then: bb}\n  b: {end: true}\n", 1, "There is no step 'bb'."),
        ("  a: {say: {en: Hi, zh: 好}}\n", 1, "The step 'a' is a dead end."),
        ("  a: {end: true}\n  b: {end: true}\n", 2, "Nothing leads to the step 'b'."),
        ("  a: {branch: [{when: 'answers.x == 1', then: end}], otherwise: end}\n", 1, "Nobody asks for answers.x."),
        ("  a: {branch: [{when: 'results.x.y == 1', then: end}], otherwise: end}\n", 1, "Nobody looks up results.x."),
        ("  a: {branch: [{when: 'x ==', then: end}], otherwise: end}\n", 1, "'x ==': There is no name 'x'."),
        ("  a: {branch: [{when: 'true', then: end}]}\n", 1, "The step 'a' is a dead end."),
        (
            "  a: {branch: [{when: 'true and false', then: end}], otherwise: end}\n",
            1,
            "'true and false': There is no name 'and'.",
        ),
        ("  a: {end: {en: '{{ answers.x }}'}}\n", 1, "Nobody asks for answers.x."),
        ("  a: {end: {en: 'Hi {{ name }}', zh: 好}}\n", 1, "'Hi {{ name }}': There is no name 'name'."),
        ("  a: {end: {en: Hi}}\n", 1, "Not translated to zh: 'Hi'."),
        ("  a: {end: {en: {chat: Hi}, zh: 好}}\n", 1, "No en words for phone, sms, email."),
        (
            "  a: {say: {en: Hi, zh: 好}}\n  b: {branch: [{when: 'true', then: a}], otherwise: end}\n",
            1,
            "The step 'a' may go round for ever without asking.",
        ),
        (
            "  a: {look_up: x, service: erp, path: /x, failed: a}\n  b: {end: true}\n",
            1,
            "The step 'a' may go round for ever without asking.",
        ),
        ("  a: {queue: support, skills: {repair: 3}}\n", 1, "There is no skill 'repair'."),
        ("  a: {queue: support, skills: {repairs: 5}}\n", 1, "Queue 'support' with these skills: 0 of 4 agents"),
        ("  a: {flow: shop}\n  b: {end: true}\n", 0, "The flow enters itself by 'shop' without asking."),
        ("  a: {flow: nowhere}\n  b: {end: true}\n", 1, "There is no flow 'nowhere'."),
        ("  a: {queue: suport}\n", 1, "There is no queue 'suport'."),
        ("  a: {queue: billing}\n", 1, "Queue 'billing': 0 of 4 agents can take it."),
        ("  a: {look_up: x, service: epr, path: /x}\n  b: {end: true}\n", 1, "There is no service 'epr'"),
        ("  a: {branch: [{when: 'queues.bill.open', then: end}], otherwise: end}\n", 1, "There is no queue 'bill'."),
        (
            "  a: {send: sms, to: '+1', consent: 'answers.ok', text: {en: Hi, zh: 好}}\n  b: {end: true}\n",
            1,
            "Nobody asks for answers.ok.",
        ),
        (
            "  a: {send: sms, by: texst, consent: 'true', text: {en: Hi, zh: 好}}\n  b: {end: true}\n",
            1,
            "There is no channel 'texst'.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_at_its_line(steps: str, line: int, text: str) -> None:
    problems = found(steps, around=AROUND)
    assert any((at == line or line == 0) and said.startswith(text) for at, _, said in problems), problems


def test_a_flow_without_a_way_to_a_person_is_an_error() -> None:
    head = "flow: shop\ntitle: Shop\nsteps:\n"
    assert (-2, "error", "The flow has no way to a person.") in found("  a: {end: true}\n", head=head)


def test_a_question_breaks_a_circle() -> None:
    steps = "  a: {ask: x, type: yes_no, text: {en: 'Again?', zh: '再来？'}, then: a}\n"
    assert not any("round" in said for _, _, said in found(steps))


def test_a_picture_has_every_step_once_and_apart() -> None:
    flow = read_flow(MENU, "shop.yaml")
    picture = ElementTree.fromstring(svg(flow, {"menu": Numbers(now=41, left=6)}))
    boxes = [group.get("data-step") for group in picture.iter("{http://www.w3.org/2000/svg}g")]
    assert sorted(filter(None, boxes)) == sorted([*flow.steps, "person"])
    places = layout(flow)
    assert len({(place.x, place.y) for place in places.values()}) == len(places)
    assert places["menu"].layer == 0 < places["number"].layer < places["find"].layer
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"41", "-6", "menu", "Order status"} <= set(words)
    assert "prefers-color-scheme" not in svg(flow), "a file is read on paper"
    assert "prefers-color-scheme" in svg(flow, follows_theme=True)


def test_a_picture_is_drawn_of_hostile_names_too() -> None:
    flow = read_flow(HEAD + "  a: {end: {en: '<script>alert(1)</script>\"&', zh: 好}}\n", "x")
    assert "<script>" not in svg(flow)
    ElementTree.fromstring(svg(flow))
    assert "<script>" not in mermaid(flow)


def test_what_stands_in_a_picture_fits_its_boxes_in_every_script() -> None:
    flow = read_flow(
        HEAD + '  a: {end: {en: "Order {{ answers.order }} is on its way to you", zh: "订单{{ answers.order }}已发出'
        '，请您耐心等待快递员送达"}}\n',
        "x",
    )
    for language, wanted in (("en", "Order … is on its way to y…"), ("zh", "订单…已发出，请您耐心等待…")):
        words = [text.text for text in ElementTree.fromstring(svg(flow, language=language)).iter(TEXT)]
        assert words == ["a", wanted]


def test_where_a_flow_is_over_stands_behind_all_that_leads_there() -> None:
    for flow in read_folder(shipped_folder())[0].values():
        places = layout(flow)
        for start, target, _ in arrows(flow):
            assert target not in RESERVED or places[target].layer > places[start].layer, (flow.name, start, target)


def test_mermaid_has_every_way() -> None:
    flow = read_flow(MENU, "shop.yaml")
    text = mermaid(flow)
    assert text.startswith("flowchart LR\n")
    assert len([line for line in text.splitlines() if "-->" in line]) == len(arrows(flow))
    assert '  menu -->|"Order status"| number' in text


def test_flow_check_says_what_is_wrong_and_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.yaml").write_text(HEAD + "  a: {say: {en: Hi, zh: 好}, then: b}\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("flow: bad\n", encoding="utf-8")
    assert main(["flow", "check", "--flows", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert f"error: {tmp_path}/shop.yaml:8: There is no step 'b'." in said
    assert f"error: {tmp_path}/bad.yaml:1: The key 'steps' is missing here." in said


def test_the_shipped_flows_are_sound_and_keep_their_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flow", "check"]) == 0
    assert "8 flows" in capsys.readouterr().out
    assert main(["flow", "test"]) == 0
    assert " 0 went another way" in capsys.readouterr().out


def test_a_broken_promise_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.yaml").write_text(MENU, encoding="utf-8")
    table = """
flow: shop
dialogues:
  - {name: wrong, channels: [chat], turns: [{choose: order, hears: banana}], outcome: resolved}
intents: [{step: menu, text: parcel, choice: bill}]
"""
    (tmp_path / "shop.test.yaml").write_text(table, encoding="utf-8")
    assert main(["flow", "test", "--flows", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "wrong [chat] turn 1: 'banana' was not said" in said
    assert "The outcome is 'open', not 'resolved'." in said
    assert "understood as 'order' (1.00, sure), not as 'bill'." in said


def test_flow_check_knows_whom_the_settings_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = HEAD.replace("{queue: support,", "{queue: workshop, skills: {repairs: 4},")
    steps = "  a: {queue: workshop, skills: {sizing: 5, repairs: 5}}\n"
    (tmp_path / "shop.yaml").write_text((head + steps).replace('"wants {{ answers.topic }}"', '""'), encoding="utf-8")
    assert main(["flow", "check", "--flows", str(tmp_path)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning")]
    assert len(said) == 1, "repairs 4 alone is met"
    assert "shop.yaml:8: Queue 'workshop' with these skills: 0 of " in said[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["test", "shopp"], "there is no flow 'shopp'. There are: address-change"),
        (["test", "--flows", "/nowhere"], "there is no flow. There are: none."),
        (["play", "survey", "--language", "fr"], "survey does not speak 'fr'. It speaks: en, zh."),
        (["draw", "survey", "--output", "/nowhere/survey.svg"], "/nowhere/survey.svg cannot be written: No such file"),
    ],
)
def test_what_a_tool_cannot_do_is_said_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flow", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_flow_draw_writes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "menu.svg"
    assert main(["flow", "draw", "main-menu", "--output", str(target)]) == 0
    ElementTree.parse(target)
    assert main(["flow", "draw", "nothing"]) == 2
    assert "There are: address-change" in capsys.readouterr().err


@pytest.mark.parametrize("medium", list(Medium))
def test_flow_play_shows_what_the_customer_gets(medium: Medium) -> None:
    flows, _ = read_folder(shipped_folder())
    lines: list[str] = []
    player = Player(flows, flows["order-status"], medium, "en", Screen(colours=False, show=lines.append))
    player.begin()
    player.typed("FW-10000")
    player.typed("/path")
    text = "\n".join(lines)
    assert "GET erp/orders/FW-10000: found" in text
    assert "on its way with" in text
    assert "order-status/number ask: answered FW-10000" in text
    assert player.talk.session.is_over
    assert "\033[" not in text


def test_check_config_knows_flows_services_and_sites() -> None:
    settings = load(company_file(), {})
    assert flow_problems(settings) == []
    site = ChannelSettings(
        id="site",
        kind="webchat",
        options={
            "queue": "support",
            "flow": "main-menue",
            "quick_replies": [{"id": "order", "flow": "orders"}, {"id": "agent", "flow": ""}],
        },
    )
    services = {"erp": Service(id="erp", url="http://erp.example.com")}
    wrong = msgspec.structs.replace(settings, channels={"site": site}, services=services)
    assert [(one.where, one.text) for one in flow_problems(wrong)] == [
        ("services.erp.url", "Only https is spoken beyond the company's own network."),
        ("channels.site.flow", "There is no flow 'main-menue'."),
        ("channels.site.quick_replies.order.flow", "There is no flow 'orders'."),
    ]
