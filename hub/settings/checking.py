"""Settings that can be read can still make no sense: names that lead nowhere, queues that nobody can serve."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.settings import staffing
from hub.settings.floor import QueueSettings, Settings, Texts, WayOut
from hub.settings.values import Problem, did_you_mean

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MIN_SECRET = 32
WAYS_OUT = ("when_waited", "when_full", "when_nobody", "when_unable", "when_closed")


def validate(settings: Settings, *, is_demo: bool = False, flows: Iterable[str] = ()) -> list[Problem]:
    """Return everything that makes no sense, errors first.

    `is_demo` also looks at what only the demo reads. `flows` are the ids of the flows that exist.
    """
    rules: list[Callable[[Settings], Iterator[Problem]]] = [
        _server,
        _company,
        _timing,
        _kinds,
        _hours,
        _queues,
        _people,
        _channels,
        _texts,
        staffing.problems,
    ]
    found = [problem for rule in rules for problem in rule(settings)]
    found += _ways_out(settings, frozenset(flows))
    if is_demo:
        found += _demo(settings)
    return sorted(found, key=lambda problem: problem.severity != "error")


def _server(settings: Settings) -> Iterator[Problem]:
    server = settings.server
    url = urlsplit(server.public_url)
    if url.scheme not in {"http", "https"} or not url.hostname or url.path not in {"", "/"}:
        yield Problem(where="server.public_url", text=f"{server.public_url!r} is no address of the form https://HOST.")
    elif url.scheme == "http" and not _is_loopback(url.hostname):
        hint = "Put a proxy with a certificate in front and write its https address."
        yield Problem(
            where="server.public_url",
            text="Beyond this machine only https keeps sessions from being stolen.",
            hint=hint,
        )
    if server.secret_key and len(server.secret_key.reveal()) < MIN_SECRET:
        text = f"The secret key has {len(server.secret_key.reveal())} characters; under {MIN_SECRET} it can be guessed."
        hint = 'Put `openssl rand -base64 48` into a file and write secret_key = "file:PATH", or leave it out.'
        yield Problem(where="server.secret_key", text=text, hint=hint)
    if not _is_loopback(server.host) and _is_loopback(url.hostname or ""):
        text = "The hub listens to other machines, but its public address is this machine's own."
        hint = "Write the https address that people type."
        yield Problem(where="server.public_url", text=text, hint=hint, severity="warning")
    for name in ("trusted_proxies", "metrics_from"):
        for network in getattr(server, name):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                yield Problem(where=f"server.{name}", text=f"{error}.", hint="As in 10.0.0.0/8.")
    scheme = urlsplit(server.database_url.reveal()).scheme
    if scheme not in {"sqlite", "postgresql", "postgres"}:
        hint = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME."
        yield Problem(where="server.database_url", text=f"There is no database of the kind {scheme!r}.", hint=hint)
    if server.redis_url and scheme == "sqlite":
        yield Problem(
            where="server.redis_url",
            text="Redis joins several hubs; on SQLite there can be only one.",
            severity="warning",
        )


def _company(settings: Settings) -> Iterator[Problem]:
    company = settings.company
    if company.default_language not in company.languages:
        served = ", ".join(company.languages)
        text = f"The default language {company.default_language!r} is not among the languages {served}."
        yield Problem(where="company.default_language", text=text)
    yield from _zone("company.zone", company.zone)


def _timing(settings: Settings) -> Iterator[Problem]:
    presence = settings.presence
    if not presence.heartbeat_s < presence.grace_s < presence.lost_s:
        text = (
            f"heartbeat_s {presence.heartbeat_s:g}, grace_s {presence.grace_s:g}, lost_s {presence.lost_s:g} must grow."
        )
        yield Problem(where="presence", text=text, hint="15, 30, 45 is a good beginning.")
    ends = {
        "rejected",
        "timed_out",
        "busy",
        "failed",
        "customer_left",
        "won_elsewhere",
        "agent_lost",
        "supervisor",
        "capacity_changed",
    }
    for name in ("agent_back_off_s", "same_agent_again_s"):
        for end in getattr(settings.offers, name):
            if end not in ends:
                text = f"No offer ends as {end!r}."
                yield Problem(where=f"offers.{name}", text=text, hint=did_you_mean(end, ends))


def _kinds(settings: Settings) -> Iterator[Problem]:
    for name, kind in settings.kinds.items():
        yield from _known(
            f"kinds.{name}.may_be_interrupted_by", kind.may_be_interrupted_by, settings.kinds, "channel kind"
        )
        if kind.units > settings.capacity.agent_units:
            whole = settings.capacity.agent_units
            text = f"One {name} costs {kind.units} units, an agent has {whole}: nobody can take it."
            yield Problem(where=f"kinds.{name}.units", text=text)


def _hours(settings: Settings) -> Iterator[Problem]:
    from datetime import date

    for hours in settings.hours.values():
        where = f"hours.{hours.id}"
        if hours.zone:
            yield from _zone(f"{where}.zone", hours.zone)
        for day in hours.week:
            if day not in WEEKDAYS:
                yield Problem(where=f"{where}.week", text=f"{day!r} is no weekday.", hint=did_you_mean(day, WEEKDAYS))
        for day in hours.days:
            try:
                date.fromisoformat(day)
            except ValueError:
                yield Problem(where=f"{where}.days", text=f"{day!r} is no date.", hint="As in 2026-12-25.")
        for day, spans in [*hours.week.items(), *hours.days.items()]:
            for span in spans:
                if not _is_span(span):
                    yield Problem(
                        where=f"{where}.{day}", text=f"{span!r} is no span of time.", hint='As in "09:00-17:30".'
                    )


def _queues(settings: Settings) -> Iterator[Problem]:
    if not settings.queues:
        yield Problem(
            where="queues",
            text="There is no queue: nothing that arrives can be offered to anybody.",
            severity="warning",
        )
    groups = {group for agent in settings.agents.values() for group in agent.groups}
    for queue in settings.queues.values():
        where = f"queues.{queue.id}"
        if queue.hours:
            yield from _known(f"{where}.hours", (queue.hours,), settings.hours, "opening hours")
        if queue.language:
            yield from _known(f"{where}.language", (queue.language,), settings.company.languages, "language")
        for step in queue.relax:
            yield from _known(f"{where}.relax", step.add_queues, settings.queues, "queue")
            yield from _skills(settings, f"{where}.relax", step.drop_skills)
        yield from _skills(settings, f"{where}.skills", queue.skills)
        asked = [group.id for group in (*queue.groups, *(g for step in queue.relax for g in step.add_groups))]
        if settings.agents:
            yield from _known(f"{where}.groups", asked, groups, "group with an agent in it")


def _people(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for agent in settings.agents.values():
        where = f"agents.{agent.id}"
        yield from _known(f"{where}.queues", agent.queues or (), settings.queues, "queue")
        yield from _skills(settings, f"{where}.skills", agent.skills)
        yield from _known(f"{where}.languages", agent.languages, settings.company.languages, "language")
        yield from _known(f"{where}.kinds", agent.kinds or (), settings.kinds, "channel kind")
        yield from _known(f"{where}.units", agent.units, settings.kinds, "channel kind")
        email = agent.email.lower()
        if "@" not in email:
            yield Problem(where=f"{where}.email", text=f"{agent.email!r} is no e-mail address.")
        if email in seen:
            yield Problem(where=f"{where}.email", text=f"{agent.email} is the address of {seen[email]} already.")
        seen[email] = agent.id


def _channels(settings: Settings) -> Iterator[Problem]:
    if not settings.channels:
        yield Problem(where="channels", text="There is no channel: nobody can reach you.", severity="warning")
    for channel in settings.channels.values():
        asked = (*channel.skills, *(skill for group in channel.any_of for skill in group), *channel.best_skills)
        yield from _skills(settings, f"channels.{channel.id}", asked)
        for key, value in channel.options.items():
            where = f"channels.{channel.id}.{key}"
            if (key == "queue" or key.endswith("_queue")) and isinstance(value, str) and value:
                yield from _known(where, (value,), settings.queues, "queue")
            elif key == "queues" and isinstance(value, Mapping):
                for name, queue in value.items():
                    yield from _known(f"{where}.{name}", (str(queue),), settings.queues, "queue")


def _texts(settings: Settings) -> Iterator[Problem]:
    labelled: list[tuple[str, Texts]] = []
    shortcuts: dict[str, str] = {}
    for outcome in settings.dispositions.values():
        labelled.append((f"dispositions.{outcome.id}.label", outcome.label))
        yield from _known(f"dispositions.{outcome.id}.queues", outcome.queues, settings.queues, "queue")
    for reply in settings.canned_replies.values():
        where = f"canned_replies.{reply.id}"
        labelled += [(f"{where}.title", reply.title), (f"{where}.text", reply.text)]
        yield from _known(f"{where}.queues", reply.queues, settings.queues, "queue")
        if reply.shortcut in shortcuts:
            text = f"The shortcut {reply.shortcut!r} is that of {shortcuts[reply.shortcut]} already."
            yield Problem(where=f"{where}.shortcut", text=text)
        shortcuts[reply.shortcut] = reply.id
    labelled += [(f"away_reasons.{reason.id}.label", reason.label) for reason in settings.away_reasons.values()]
    labelled += [(f"tiers.{tier.id}.label", tier.label) for tier in settings.tiers.values()]
    for where, texts in labelled:
        yield from _known(where, texts, settings.company.languages, "language of the company")
        if settings.company.default_language not in texts:
            text = f"The text in the default language {settings.company.default_language!r} is missing."
            yield Problem(where=where, text=text, severity="warning")


def _demo(settings: Settings) -> Iterator[Problem]:
    demo = settings.demo
    for role in ("agent", "agent2", "supervisor", "admin"):
        yield from _known(f"demo.{role}", (getattr(demo, role),), settings.agents, "agent")


def _ways_out(settings: Settings, flows: frozenset[str]) -> Iterator[Problem]:
    for queue in settings.queues.values():
        for name, way in _ways(queue):
            where = f"queues.{queue.id}.{name}"
            if way.kind == "queue":
                yield from _known(where, (way.target,), settings.queues, "queue")
                if _comes_back(settings.queues, queue.id, name):
                    yield Problem(
                        where=where, text="The way out leads back here: whoever takes it goes round in circles."
                    )
            elif way.kind == "flow" and way.target not in flows:
                yield Problem(
                    where=where,
                    text=f"There is no flow {way.target!r}: the way out leads nowhere.",
                    hint=did_you_mean(way.target, flows),
                )


def _ways(queue: QueueSettings) -> Iterator[tuple[str, WayOut]]:
    for name in WAYS_OUT:
        way: WayOut | None = getattr(queue, name)
        if way is not None:
            yield name, way
    for index, step in enumerate(queue.relax):
        if step.way_out is not None:
            yield f"relax.{index}.way_out", step.way_out


def _comes_back(queues: Mapping[str, QueueSettings], start: str, cause: str) -> bool:
    """Follow one cause from queue to queue: closed here and closed there may hand the same work round for ever."""
    seen: set[str] = set()
    current = start
    while current in queues and current not in seen:
        seen.add(current)
        way = next((way for name, way in _ways(queues[current]) if name == cause and way.kind == "queue"), None)
        if way is None:
            return False
        current = way.target
    return current == start


def _skills(settings: Settings, where: str, names: Iterable[str]) -> Iterator[Problem]:
    if settings.skills:
        yield from _known(where, names, settings.skills, "skill")


def _known(where: str, names: Iterable[str], known: Iterable[str], what: str) -> Iterator[Problem]:
    names, known = tuple(names), tuple(known)
    for name in names:
        if name not in known:
            yield Problem(where=where, text=f"There is no {what} {name!r}.", hint=did_you_mean(name, known))


def _zone(where: str, name: str) -> Iterator[Problem]:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(
            where=where, text=f"There is no time zone {name!r}.", hint="As in Europe/Berlin or Asia/Shanghai."
        )


def _is_span(text: str) -> bool:
    """Whether this is "09:00-12:30"; routing reads spans by the same rule."""
    parts = [part.strip().split(":") for part in text.split("-")]
    if len(parts) != 2 or any(len(part) != 2 or not (part[0] + part[1]).isdecimal() for part in parts):
        return False
    if any(len(part[1]) != 2 or int(part[1]) > 59 for part in parts):
        return False
    begin, end = (int(hour) * 60 + int(minute) for hour, minute in parts)
    return begin < 1440 and end <= 1440


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
