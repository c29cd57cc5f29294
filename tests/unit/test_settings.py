"""Settings: read from file and environment, every mistake named with its place, nothing secret shown."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from hub.settings import (
    Problem,
    Secret,
    Settings,
    SettingsError,
    block_arguments,
    check_block,
    load,
    routing_policy,
    validate,
)
from routing.policy import Policy, QueuePolicy

A_COMPANY = """
skills = ["invoices", "chinese_letters"]

[company]
languages = ["en", "zh"]

[hours.office]
week = { monday = ["09:00-12:30", "13:30-18:00"] }
days = { 2026-12-25 = [] }

[queues.billing]
name = "Billing"
target_s = 45
hours = "office"
max_wait_s = 600
when_waited = { kind = "queue", target = "support" }
skills = { invoices = 3 }

[queues.support]
pull_allowed = true

[agents.ann]
name = "Ann"
email = "ann@example.com"
queues = ["billing", "support"]
skills = { invoices = 2 }

[agents.bob]
name = "Bob"
email = "bob@example.com"
role = "supervisor"
queues = ["support"]

[channels.site]
kind = "webchat"
queue = "support"
token = "env:SITE_TOKEN"
"""


def file_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hub.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(path: Path | None, environ: dict[str, str]) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        load(path, environ)
    return list(caught.value.problems)


def test_defaults_are_those_of_the_design() -> None:
    settings = load(None, {})
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert settings.server.public_url == "http://127.0.0.1:8080"
    assert settings.server.database_url.reveal() == "sqlite:///var/hub.db"
    assert {name: kind.offer_timeout_s for name, kind in settings.kinds.items()} == {
        "voice": 20,
        "chat": 30,
        "email": 300,
    }
    assert {name: kind.units for name, kind in settings.kinds.items()} == {"voice": 100, "chat": 25, "email": 20}
    assert (settings.presence.heartbeat_s, settings.presence.grace_s, settings.presence.lost_s) == (15, 30, 45)
    assert settings.offers.misses_until_not_responding == 2
    assert settings == Settings()


def test_file_then_environment(tmp_path: Path) -> None:
    path = file_of(tmp_path, '[server]\nport = 9000\nhost = "::1"\n[kinds.chat]\nunits = 30\n')
    settings = load(
        path, {"HUB_PORT": "9001", "HUB_OFFERS__SWEEP_S": "0.5", "HUB_SERVER__TRUSTED_PROXIES": "10.0.0.0/8, ::1"}
    )
    assert (settings.server.port, settings.server.host) == (9001, "::1")
    assert settings.server.public_url == "http://[::1]:9001"
    assert settings.offers.sweep_s == 0.5
    assert settings.server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert (settings.kinds["chat"].units, settings.kinds["chat"].offer_timeout_s) == (30, 30)
    assert settings.kinds["voice"].units == 100
    assert load(None, {"HUB_CONFIG": str(path)}).server.port == 9000


def test_unknown_key_names_the_nearest_with_file_and_line(tmp_path: Path) -> None:
    path = file_of(tmp_path, '[server]\nhost = "::1"\nprot = 1\n\n[[queues.a.groups]]\nid = "x"\nrnak = 1\n[ofers]\n')
    found = problems_of(path, {})
    assert [(p.where.removeprefix(f"{path}:"), p.hint) for p in found] == [
        ("3", "Did you mean 'port'?"),
        ("5", "Did you mean 'rank'?"),
        ("8", "Did you mean 'offers'?"),
    ]
    assert found[0].text == "There is no key 'prot' in [server]."


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = file_of(
        tmp_path, '[server]\nport = "x"\nlog_format = "xml"\n[agents.ann]\nname = "Ann"\n[offers]\nsweep_s = 0\n'
    )
    found = problems_of(path, {})
    assert [p.where.rpartition(":")[2] for p in found] == ["2", "3", "4", "7"]
    assert "agents.ann needs the key 'email'" in found[2].text


def test_mistyped_variable_is_refused_and_a_strangers_is_not() -> None:
    found = problems_of(None, {"HUB_DATABSE_URL": "x"})
    assert [(p.where, p.hint) for p in found] == [("HUB_DATABSE_URL", "Did you mean 'HUB_DATABASE_URL'?")]
    load(None, {"HUB_SERVICE_HOST": "10.1.2.3", "HUB_PORT_80_TCP": "tcp://10.1.2.3:80", "HUB_TEST_PG_URL": "x"})
    assert problems_of(None, {"HUB_OFERS__SWEEP_S": "2"})[0].where == "HUB_OFERS__SWEEP_S"
    assert problems_of(None, {"HUB_PORT": "tcp://10.1.2.3:80"})[0].where == "HUB_PORT"


def test_secrets_come_by_reference_and_do_not_show(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n", encoding="utf-8")
    path = file_of(tmp_path, '[server]\nsecret_key = "file:key"\ndatabase_url = "env:DB"\n')
    settings = load(path, {"DB": "postgresql://hub:pw@db/hub"})
    assert settings.server.secret_key is not None
    assert settings.server.secret_key.reveal() == "s3cret"
    assert settings.server.database_url.reveal() == "postgresql://hub:pw@db/hub"
    for shown in (repr(settings), str(settings), f"{settings.server.secret_key}"):
        assert "s3cret" not in shown
        assert "pw" not in shown


def test_secret_in_the_file_itself_is_refused_but_not_in_the_environment(tmp_path: Path) -> None:
    path = file_of(tmp_path, '[server]\nsecret_key = "abc"\ndatabase_url = "postgresql://hub:pw@db/hub"\n')
    found = problems_of(path, {})
    assert len(found) == 2
    assert all("abc" not in str(p) and "pw" not in str(p) for p in found)
    fine = file_of(tmp_path, '[server]\ndatabase_url = "sqlite:///x.db"\n')
    assert load(fine, {"HUB_SECRET_KEY": "abc"}).server.secret_key == Secret("abc")


def test_reference_that_leads_nowhere_is_a_problem(tmp_path: Path) -> None:
    path = file_of(tmp_path, '[server]\nsecret_key = "file:gone"\nredis_url = "env:NOT_SET"\n')
    assert [p.where.rpartition(":")[2] for p in problems_of(path, {})] == ["2", "3"]


def test_broken_or_missing_file_is_a_problem(tmp_path: Path) -> None:
    assert "not TOML" in str(problems_of(file_of(tmp_path, "[server"), {})[0])
    missing = tmp_path / "none.toml"
    assert str(problems_of(missing, {})[0]) == f"error: {missing}: The file cannot be read: No such file or directory."


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HUB_PORT", "abc", "server.port = 'abc': Expected a whole number."),
        ("HUB_PORT", "99999", "server.port = '99999': Expected a whole number, at most 65535."),
        ("HUB_OFFERS__SWEEP_S", "soon", "offers.sweep_s = 'soon': Expected a number."),
        ("HUB_LOG_LEVEL", "loud", "server.log_level = 'loud': Expected one of debug, info, warning, error."),
    ],
)
def test_variable_that_is_wrong_is_named_with_what_is_wanted(variable: str, value: str, said: str) -> None:
    assert [str(problem) for problem in problems_of(None, {variable: value})] == [f"error: {variable}: {said}"]


def test_value_of_a_wrong_type_is_answered_in_words(tmp_path: Path) -> None:
    path = file_of(tmp_path, '[server]\nport = "abc"\n[company]\nlanguages = 3\n[queues.a]\npull_allowed = 1\n')
    assert [problem.text for problem in problems_of(path, {})] == [
        "server.port = 'abc': Expected a whole number, got a text.",
        "company.languages = 3: Expected a list, got a whole number.",
        "queues.a.pull_allowed = 1: Expected true or false, got a whole number.",
    ]


def test_channel_blocks_pass_through_with_their_secrets_resolved(tmp_path: Path) -> None:
    settings = load(file_of(tmp_path, A_COMPANY), {"SITE_TOKEN": "t0ken"})
    site = settings.channels["site"]
    assert (site.id, site.kind) == ("site", "webchat")
    assert site.options == {"queue": "support", "token": Secret("t0ken")}
    assert problems_of(file_of(tmp_path, '[channels.x]\nqueue = "a"\n'), {})[0].text.startswith("channels.x needs")


def test_skills_of_a_channel_are_the_hubs_and_checked(tmp_path: Path) -> None:
    block = (
        '[channels.x]\nkind = "webchat"\nskills = { tax = 3 }\nany_of = [{ law = 1, tax = 2 }]\nbest_skills = ["law"]\n'
    )
    found = load(file_of(tmp_path, block), {}).channels["x"]
    assert (found.options, found.skills, found.any_of) == ({}, {"tax": 3}, ({"law": 1, "tax": 2},))
    problems = problems_of(file_of(tmp_path, 'skills = ["tax"]\n' + block.replace("tax = 3", "tax = 9")), {})
    assert [(p.where.rpartition(":")[2], p.severity) for p in problems] == [("4", "error")]
    unknown = [p for p in validate(load(file_of(tmp_path, 'skills = ["tax"]\n' + block), {})) if "skill" in p.text]
    assert {p.text for p in unknown} == {"There is no skill 'law'."}


def test_queue_without_anybody_able_says_what_they_lack(tmp_path: Path) -> None:
    settings = load(file_of(tmp_path, A_COMPANY), {"SITE_TOKEN": "x"})
    errors = [p for p in validate(settings) if p.severity == "error"]
    assert [p.text for p in errors] == ["0 of 2 agents can take queue billing: none has skill invoices >= 3."]
    assert settings.queues["support"].name == "support"


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ('[queues.a]\nhours = "ofice"\n[hours.office]\n', "queues.a.hours", "office"),
        ('[queues.a]\nwhen_full = { kind = "queue", target = "b" }\n', "queues.a.when_full", "no queue 'b'"),
        ('[queues.a]\nwhen_full = { kind = "queue", target = "a" }\n', "queues.a.when_full", "circles"),
        ('[queues.a]\nwhen_full = { kind = "flow", target = "f" }\n', "queues.a.when_full", "nowhere"),
        ('skills = ["x"]\n[queues.a]\nskills = { y = 1 }\n', "queues.a.skills", "no skill 'y'"),
        ('[server]\npublic_url = "http://hub.example.com"\n', "server.public_url", "https"),
        ('[server]\npublic_url = "hub.example.com"\n', "server.public_url", "form"),
        ('[server]\ntrusted_proxies = ["10.0.0.1/8"]\n', "server.trusted_proxies", "host bits"),
        ('[server]\ndatabase_url = "mysql://x"\n', "server.database_url", "mysql"),
        ('[company]\ndefault_language = "fr"\n', "company.default_language", "fr"),
        ('[company]\nzone = "Mars/Base"\n', "company.zone", "Mars"),
        ("[presence]\ngrace_s = 90\n", "presence", "grow"),
        ("[offers]\nagent_back_off_s = { missed = 1 }\n", "offers.agent_back_off_s", "missed"),
        ("[kinds.voice]\nunits = 200\n", "kinds.voice.units", "nobody"),
        ('[hours.a]\nweek = { mon = ["09:00-17:00"] }\n', "hours.a.week", "monday"),
        ('[hours.a]\nweek = { monday = ["9-17"] }\n', "hours.a.monday", "09:00-17:30"),
        ('[hours.a]\ndays = { "25.12.2026" = [] }\n', "hours.a.days", "2026-12-25"),
        ('[channels.a]\nkind = "x"\nqueue = "q"\n', "channels.a.queue", "no queue 'q'"),
        ('[dispositions.a]\nlabel = { xx = "A" }\n', "dispositions.a.label", "xx"),
        ('[agents.a]\nname = "A"\nemail = "a"\n', "agents.a.email", "no e-mail address"),
    ],
)
def test_sense_is_checked(tmp_path: Path, text: str, where: str, said: str) -> None:
    found = [p for p in validate(load(file_of(tmp_path, text), {})) if p.where == where]
    assert found, where
    assert said in str(found[0])


def test_key_that_can_be_guessed_and_an_address_nobody_reaches_are_named() -> None:
    [guessed] = [p for p in validate(load(None, {"HUB_SECRET_KEY": "short"})) if p.severity == "error"]
    assert "can be guessed" in str(guessed)
    wheres = [p.where for p in validate(load(None, {"HUB_HOST": "0.0.0.0"}))]
    assert "server.public_url" in wheres
    open_to_all = {"HUB_HOST": "0.0.0.0", "HUB_PUBLIC_URL": "https://hub.example.com", "HUB_SECRET_KEY": "k" * 40}
    assert [p for p in validate(load(None, open_to_all)) if p.where.startswith("server")] == []


def test_only_the_demo_needs_the_demos_people(tmp_path: Path) -> None:
    settings = load(file_of(tmp_path, '[agents.mia]\nname = "Mia"\nemail = "mia@example.test"\n'), {})
    assert [p for p in validate(settings) if p.where.startswith("demo")] == []
    assert [p.where for p in validate(settings, is_demo=True) if p.where.startswith("demo")] == [
        "demo.agent",
        "demo.agent2",
        "demo.supervisor",
        "demo.admin",
    ]


class AChannel:
    def __init__(
        self, inbox: object, *, queue: str, sites: tuple[str, ...] = (), theme: Literal["a", "b"] = "a"
    ) -> None:
        self.kept = (inbox, queue, sites, theme)


def test_block_is_checked_against_the_constructor() -> None:
    assert check_block(AChannel, {"kind": "x", "queue": "a", "sites": ["b"]}) == []
    found = check_block(AChannel, {"quue": "a", "sites": "b", "theme": "c"}, where="channels.site")
    assert [(p.where, p.hint) for p in found] == [
        ("channels.site", ""),
        ("channels.site.quue", "Did you mean 'queue'?"),
        ("channels.site.sites", ""),
        ("channels.site.theme", ""),
    ]
    arguments = block_arguments(AChannel, {"kind": "x", "queue": "a", "sites": ["b"]})
    assert AChannel(None, **arguments).kept == (None, "a", ("b",), "a")


class ANamedChannel:
    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the parameter that is looked for
        name: str | Mapping[str, str] = "",
        form: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.kept = (id, name, form)


def test_block_knows_its_own_name_and_takes_texts_by_language() -> None:
    block = {"name": {"en": "Shop"}, "form": [{"id": "name", "required": True}]}
    assert check_block(ANamedChannel, block) == []
    assert check_block(ANamedChannel, {"id": "x", "name": 3, "form": ["a"]}) != []
    kept = ANamedChannel(**block_arguments(ANamedChannel, block, id="site")).kept
    assert kept[0] == "site"
    assert kept[1] == {"en": "Shop"}


def test_routing_takes_the_policy_made_of_settings(tmp_path: Path) -> None:
    settings = load(file_of(tmp_path, A_COMPANY), {"SITE_TOKEN": "x"})
    policy = msgspec.convert(routing_policy(settings), Policy)
    billing = policy.queues["billing"]
    assert (billing.target_ms, billing.max_wait_ms, billing.hours_id) == (45_000, 600_000, "office")
    assert (billing.skills[0].skill, billing.skills[0].level) == ("invoices", 3)
    assert policy.queues["support"].pick_allowed
    assert policy.channels["email"].offer_timeout_ms == 300_000
    assert msgspec.convert(routing_policy(Settings()), Policy) == Policy(queues={})


def test_every_key_routing_knows_of_a_queue_can_be_set(tmp_path: Path) -> None:
    settings = load(file_of(tmp_path, A_COMPANY), {"SITE_TOKEN": "x"})
    given = routing_policy(settings)["queues"]["billing"].keys()
    assert given == {field.name for field in dataclasses.fields(QueuePolicy)}


def test_kind_and_text_fall_back() -> None:
    settings = load(None, {})
    assert settings.kind("sms") == settings.kinds["chat"]
    assert settings.text({"en": "Lunch", "zh": "午休"}, "zh-CN") == "午休"
    assert settings.text({"en": "Lunch"}, "fr") == "Lunch"
    assert settings.text({}, "fr") == ""
