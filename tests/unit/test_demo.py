"""The demo's parts that need no hub: its settings, who works, what people say to each other."""

import random
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.simulator.board import Board
from channels.simulator.desk import Case, Desk
from channels.simulator.people import Person, new_person
from channels.simulator.picture import snapshot
from channels.simulator.scripts import Library, Script
from channels.simulator.talk import Talk
from hub.demo.config import company_file, demo_settings, loopback_url
from hub.demo.past import visitor_token
from hub.demo.world import colleagues
from hub.settings import SettingsError, load, routing_policy
from routing.hours import is_open
from routing.model import WayOut, WayOutKind
from routing.policy import Policy, Profile
from routing.validate import Severity, check_policy

LIBRARY = Library.load()
FACTS = {"order", "email", "phone", "name", "address", "size"}


def somebody(language: str = "en", seed: int = 3) -> Person:
    return new_person(1, LIBRARY, [language], random.Random(seed))


def script(name: str) -> Script:
    return next(one for one in LIBRARY.scripts if one.id == name)


def talk(name: str, seed: int = 3) -> Talk:
    subject = script(name)
    return Talk(subject, somebody(subject.language, seed), LIBRARY.language(subject.language).customer)


def desk(language: str = "en", **ready: str) -> Desk:
    case = Case(language=language, queue="support", customer="Maya", agent="Chen")
    return Desk(case, LIBRARY, ready, random.Random(5))


# -- settings


def test_demo_keeps_its_own_data_and_tells_visitors_apart() -> None:
    settings = demo_settings(None, {})
    assert settings.server.data_dir == Path("var/demo")
    assert settings.server.database_url.reveal() == "sqlite:///var/demo/hub.db"
    assert settings.server.trusted_proxies == ("127.0.0.0/8", "::1/128")


def test_database_that_was_asked_for_is_used() -> None:
    settings = demo_settings(None, {"HUB_DATABASE_URL": "sqlite:////tmp/elsewhere.db"})
    assert settings.server.database_url.reveal() == "sqlite:////tmp/elsewhere.db"


def test_number_of_visitors_comes_from_the_command_line() -> None:
    assert demo_settings(None, {}, visitors=2.5).demo.visitors_per_minute == 2.5


def test_fresh_start_forgets_the_database_and_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / "var" / "demo"
    (kept / "files").mkdir(parents=True)
    for name in ("hub.db", "hub.db-wal", "secret.key"):
        (kept / name).write_text("x")
    demo_settings(None, {}, fresh=True)
    assert sorted(path.name for path in kept.iterdir()) == ["secret.key"]


def test_fresh_start_never_touches_another_database() -> None:
    with pytest.raises(SettingsError, match="empty it yourself"):
        demo_settings(None, {"HUB_DATABASE_URL": "postgresql://db/live"}, fresh=True)


def test_hub_is_reached_on_its_own_machine() -> None:
    settings = load(company_file(), {})
    for host, url in (
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("10.0.0.7", "http://10.0.0.7:8080"),
    ):
        server = msgspec.structs.replace(settings.server, host=host)
        assert loopback_url(server) == url


# -- who is there


def test_simulated_colleagues_are_nobody_a_person_signs_in_as_and_serve_every_queue() -> None:
    settings = load(company_file(), {})
    chosen = colleagues(settings)
    assert len(chosen) == 4
    assert {agent.id for agent in chosen}.isdisjoint({"ann", "bob", "sue", "ada"})
    served = {queue for agent in chosen for queue in (agent.queues or settings.queues)}
    assert served == set(settings.queues)
    assert {language for agent in chosen for language in agent.languages} == {"en", "zh"}


def test_company_shows_what_routing_can_do_and_is_open_at_any_hour() -> None:
    settings = load(company_file(), {})
    policy = msgspec.convert(routing_policy(settings), Policy)
    queues = policy.queues.values()
    assert not [found for found in check_policy(policy) if found.severity is Severity.ERROR]
    assert {queue.profile for queue in queues} == set(Profile)
    assert any(queue.auto_accept for queue in queues)
    week = [1_800_000_000_000 + hour * 3_600_000 for hour in range(7 * 24)]
    shut = {q.id for q in queues if q.hours_id and not all(is_open(policy.hours[q.hours_id], at) for at in week)}
    assert shut == {"workshop"}
    assert policy.queues["workshop"].when_closed == WayOut(WayOutKind.QUEUE, "support")


def test_same_seed_makes_the_same_people() -> None:
    first, second = (
        [new_person(n, LIBRARY, LIBRARY.languages, chance) for n in range(20)]
        for chance in (random.Random(4), random.Random(4))
    )
    assert [(p.name, p.email, p.facts, p.patience_s) for p in first] == [
        (p.name, p.email, p.facts, p.patience_s) for p in second
    ]
    assert len({p.ip for p in first}) == 20
    assert {p.language for p in first} == {"en", "zh"}


def test_tokens_of_the_past_look_like_a_browsers() -> None:
    token = visitor_token(bytes(32))
    assert re.fullmatch(r"v1_[A-Za-z0-9_-]{43}", token)


def test_photo_is_a_png() -> None:
    picture = snapshot(random.Random(1))
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert b"IEND" in picture[-12:]
    assert len(picture) < 40_000


# -- scripts


def test_there_is_enough_to_talk_about() -> None:
    assert len(LIBRARY.scripts) >= 25
    assert sum(one.language == "zh" for one in LIBRARY.scripts) >= 10
    assert len({one.id for one in LIBRARY.scripts}) == len(LIBRARY.scripts)
    assert {one.topic for one in LIBRARY.scripts} == {"sales", "support", "billing", "workshop"}


@pytest.mark.parametrize("one", LIBRARY.scripts, ids=lambda one: one.id)
def test_customers_know_their_facts_and_colleagues_do_not(one: Script) -> None:
    mine = [*one.openings, one.short, *(line for _, line in one.turns)]
    assert {name for line in mine for name in re.findall(r"{(\w+)}", line)} <= FACTS
    assert not [line for line, _ in one.turns if "{" in line]
    assert "{" not in somebody(one.language).fill(" ".join(mine))


@pytest.mark.parametrize("one", LIBRARY.scripts, ids=lambda one: one.id)
def test_colleague_knows_a_subject_by_its_first_words(one: Script) -> None:
    person = somebody(one.language)
    for opening in one.openings:
        assert LIBRARY.recognise(person.fill(opening), one.language) == one


def test_both_languages_can_say_the_same_things() -> None:
    english, chinese = LIBRARY.language("en"), LIBRARY.language("zh")
    assert set(english.customer) == set(chinese.customer)
    assert set(english.colleague) == set(chinese.colleague)
    assert LIBRARY.language("fr") is english


# -- customers


@pytest.mark.parametrize("one", LIBRARY.scripts, ids=lambda one: one.id)
def test_simulated_people_bring_every_subject_to_an_end(one: Script) -> None:
    customer, colleague = talk(one.id), desk(one.language)
    said = [customer.opening()]
    for _ in range(20):
        answer = colleague.answer(said)
        if answer.is_done:
            return
        reaction = customer.react(answer.texts, "Chen", answer.choices)
        if reaction.leaves:
            return
        said = list(reaction.texts)
    pytest.fail("they are still talking")


def test_customer_answers_what_the_script_asks() -> None:
    assert talk("boots-size").react(
        ["They run true to length but a little narrow. Do you wear thick socks?"], "Ann"
    ).texts == ("Yes, merino ones, and my feet are on the wide side.",)


def test_customer_tells_facts_once() -> None:
    customer = talk("tent-seam")
    (answer,) = customer.react(["Could you tell me your order number, please?"], "Ann").texts
    assert re.fullmatch(r"FW\d{5}", answer)
    assert customer.react(["Which order number?"], "Ann").texts != (answer,)


def test_customer_sends_a_photo_when_asked() -> None:
    assert talk("zip-repair").react(["Can you send a photo?"], "Ann").sends_photo


def test_customer_says_again_what_it_is_about() -> None:
    (answer,) = talk("canoe-delivery").react(["Hello! How can I help you?"], "Ann").texts
    assert answer.endswith("I'm asking about having a canoe delivered.")


def test_customer_waits_when_asked_to() -> None:
    reactions = [talk("voucher", seed).react(["One moment please."], "Ann") for seed in range(20)]
    assert not any(reaction.leaves for reaction in reactions)
    assert {len(reaction.texts) for reaction in reactions} == {0, 1}


@pytest.mark.parametrize(
    ("name", "said"), [("zh-zip", "Hello, we can repair that for you"), ("zip-repair", "可以维修的")]
)
def test_customer_asks_for_their_own_language_once(name: str, said: str) -> None:
    customer = talk(name)
    foreign = LIBRARY.language(customer.script.language).customer["foreign"]
    assert customer.react([said], "Ann").texts[0] in foreign
    assert customer.react([said], "Ann").texts[:1] != foreign


def test_customer_who_gets_nonsense_leaves() -> None:
    customer = talk("voucher")
    reactions = [customer.react(["bananas"], "Ann") for _ in range(3)]
    assert [reaction.leaves for reaction in reactions] == [False, False, True]


def test_customer_says_thanks_and_goes() -> None:
    customer = talk("voucher")
    for line, _ in customer.script.turns:
        customer.react([line], "Ann")
    reaction = customer.react(["Is there anything else I can do for you?"], "Ann")
    assert reaction.leaves
    assert reaction.texts[0] in LIBRARY.language("en").customer["thanks"]


def test_customer_takes_one_of_the_quick_replies() -> None:
    reaction = talk("voucher").react(["Anything else?"], "Ann", [{"id": "done", "label": "No, that was all"}])
    assert (reaction.choice, reaction.texts) == ("done", ("No, that was all",))


# -- colleagues


def test_colleague_greets_and_answers_by_the_script() -> None:
    greeting, line = desk().answer(["The zip on my sleeping bag split. Can you fix that or do I need a new one?"]).texts
    assert "Chen" in greeting
    assert line == script("zip-repair").turns[0][0]


def test_colleague_goes_on_where_another_stopped() -> None:
    colleague = desk()
    turns = script("zip-repair").turns
    colleague.take_over([turns[0][0]], is_mine=True)
    assert colleague.answer(["Hi, do you repair zips? Mine is 6 years old", turns[0][1]]).texts == (turns[1][0],)


def test_colleague_passes_on_what_belongs_elsewhere() -> None:
    answers = [
        Desk(Case(language="en", queue="support", customer="", agent="Chen"), LIBRARY, {}, random.Random(seed)).answer(
            ["My gift voucher doesn't work at the checkout"], ["billing"]
        )
        for seed in range(10)
    ]
    assert {answer.pass_to for answer in answers} == {"", "billing"}


def test_colleague_has_ready_made_replies_for_what_no_script_knows() -> None:
    answer = desk(catalogue="Our catalogue comes in March.").answer(["When is the new catalogue out"])
    assert answer.texts[-1] == "Our catalogue comes in March."


def test_colleague_stops_pretending() -> None:
    colleague = desk()
    texts = [colleague.answer(["Do you know quantum physics?"]).texts[-1] for _ in range(4)]
    more = LIBRARY.language("en").colleague["more"]
    assert [text in more for text in texts] == [False, False, False, True]


# -- the board


def agent(name: str, **changes: Any) -> dict[str, Any]:
    plain = {"presence": "available", "next_presence": None, "connectivity": "connected", "status": "idle"}
    return {"id": name, "held": 0, "capacity": 100, "misses": 0, **plain, **changes}


@pytest.mark.parametrize(
    ("changes", "is_hungry"),
    [
        ({}, True),
        ({"held": 25}, True),
        ({"held": 50}, False),
        ({"misses": 1}, False),
        ({"presence": "away"}, False),
        ({"connectivity": "grace"}, False),
        ({"status": "not_responding"}, False),
        ({"next_presence": {"presence": "away"}}, False),
    ],
)
def test_person_with_free_hands_is_noticed(changes: dict[str, Any], is_hungry: bool) -> None:
    board = Board()
    rows = {"ann": agent("ann", **changes), "chen": agent("chen")}
    board.replace({"mode": "snapshot", "seq": 1, "put": {"agents": rows}, "drop": {}})
    assert board.is_hungry(frozenset({"chen"})) is is_hungry


def test_lost_frame_is_noticed() -> None:
    board = Board()
    board.replace({"mode": "snapshot", "seq": 5, "put": {"queues": {"a": {"waiting": 2}}}, "drop": {}})
    assert board.take({"seq": 6, "prev": 5, "put": {"queues": {"a": {"waiting": 3}}}, "drop": {}})
    assert not board.take({"seq": 9, "prev": 8, "put": {"queues": {"a": {"waiting": 9}}}, "drop": {}})
    assert (board.waiting, board.seq) == (3, 6)
    assert board.take({"seq": 7, "prev": 6, "put": {}, "drop": {"queues": ["a"]}})
    assert board.waiting == 0
