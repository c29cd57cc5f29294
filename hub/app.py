"""The composition root: the one place that knows everyone and builds everything. Nothing is built at import."""

import asyncio
import contextlib
import fcntl
import importlib
import importlib.resources
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from aiohttp import web

import agent_console
from agent_console import ConsoleServices, ConsoleSockets, House, Rows
from channels import KINDS
from hub import jobs, version
from hub.answer_pages import add_answers
from hub.auth import Auth
from hub.clock import Clock, SystemClock
from hub.contract import Channel, HasAddresses, HubSide
from hub.contract.calls import LiveCalls
from hub.domain.errors import HubError, Unavailable
from hub.events import Bus, Commit, Signals
from hub.flows.asking import phrases_of
from hub.flows.checking import Around
from hub.likeness import Likeness
from hub.likeness import load as load_likeness
from hub.logs import ErrorCounter, Log
from hub.metrics import Metrics
from hub.outbound import Outbound
from hub.services.accounts import Accounts
from hub.services.arrivals import Arrivals
from hub.services.chats import Chats
from hub.services.data_folder import SHARED, STRANGE, DataFolder, NodeName, unusable
from hub.services.dispatching.dispatch import Dispatcher
from hub.services.dispatching.explaining import Explaining
from hub.services.dispatching.floor import Floor
from hub.services.dispatching.lease import Lease
from hub.services.dispatching.record import RoutingRecord
from hub.services.feed import ChannelFeed
from hub.services.files import FileStore
from hub.services.flows.agents import AgentFlows
from hub.services.flows.answer_links import AnswerLinks
from hub.services.flows.answers import FlowAnswers
from hub.services.flows.figures import FlowOverview
from hub.services.flows.letters import FlowLetters
from hub.services.flows.library import FlowLibrary
from hub.services.flows.paths import Paths
from hub.services.flows.self_service import SelfService
from hub.services.flows.sending import FlowSending
from hub.services.flows.surroundings import surroundings
from hub.services.flows.trying import FlowTrying
from hub.services.handling import Handling
from hub.services.indexer import Indexer
from hub.services.intake import Intake
from hub.services.invariants import InvariantMonitor
from hub.services.letters.acknowledging import Acknowledging
from hub.services.letters.delivery import Delivery
from hub.services.letters.outbound import Loader
from hub.services.letters.writing import Letters
from hub.services.offers import Offers
from hub.services.people import People
from hub.services.phone.callbacks import TIMER as CALLBACK_TIMER
from hub.services.phone.callbacks import Callbacks
from hub.services.phone.calls import RECORDINGS_TIMER, CallService
from hub.services.phone.desk import CallDesk
from hub.services.phone.orders import CallOrders
from hub.services.phone.recordings import Recordings
from hub.services.phone.self_service import CallFlows
from hub.services.presence import PresenceService
from hub.services.promises import TIMER, Promises
from hub.services.reading import Reading
from hub.services.search import Search
from hub.services.supervision import Supervision
from hub.services.texting import Texting
from hub.services.timeline import Timeline
from hub.settings import Problem, Secret, Settings, SettingsError, block_arguments, check_block
from hub.settings.values import did_you_mean
from hub.storage.journal import Journal
from hub.storage.migrations import is_current, migrate, sqlite_path
from hub.storage.opening import opened, store_of
from hub.storage.unit_of_work import Store
from hub.web import ClientAddress, HasPages, add_files, add_probes, new_application

if TYPE_CHECKING:
    from hub.demo import Demo

log = logging.getLogger(__name__)
MINUTE_MS = 60_000
PUBLISHED_MS = 5_000
HOUR_MS = 3_600_000
OVERDUE_MS = 2_000


@dataclass(kw_only=True)
class Services:
    """Every use case of the hub, built once and handed down."""

    store: Store
    bus: Bus
    signals: Signals
    floor: Floor
    accounts: Accounts
    agent_flows: AgentFlows
    callbacks: Callbacks
    call_desk: CallDesk
    call_orders: CallOrders
    calls: CallService
    arrivals: Arrivals
    chats: Chats
    data_folder: DataFolder
    delivery: Delivery
    dispatcher: Dispatcher
    files: FileStore
    flow_answers: FlowAnswers
    handling: Handling
    indexer: Indexer
    intake: Intake
    journal: Journal
    letters: Letters
    node_name: NodeName
    offers: Offers
    people: People
    presence: PresenceService
    promises: Promises
    reading: Reading
    recordings: Recordings
    search: Search
    self_service: SelfService
    supervision: Supervision
    texting: Texting
    timeline: Timeline


class Hub:
    """A hub that can be started and stopped: its application, its services, its channels."""

    def __init__(
        self, settings: Settings, services: Services, app: web.Application, clock: Clock, metrics: Metrics
    ) -> None:
        self.settings = settings
        self.services = services
        self.app = app
        self.clock = clock
        self.metrics = metrics
        self.channels: list[Channel] = []
        self.jobs = jobs.Jobs(services.store, services.bus, clock, _handlers(services), metrics.jobs.add)
        self.side: HubSide
        self.console: ConsoleSockets | None = None
        self.demo: Demo | None = None
        self.log: Log | None = None
        """Where this process's log goes, if anywhere."""
        self._failures = ErrorCounter(metrics.failures.add)
        self._feed = ChannelFeed(services.floor, services.signals)
        self.outbound = Outbound(settings.services, clock)
        self.monitor = InvariantMonitor(services.floor, self._on_violation)
        self._housekeeper: asyncio.Task[None] | None = None
        self._lock: IO[str] | None = None
        self.is_started = False

    async def start(self) -> None:
        """Migrate and open the database, load the floor, take up timers, open the channels.

        Raises:
            Unavailable: the database cannot be reached, or another hub has it.
        """
        url = self.settings.server.database_url.reveal()
        self._lock = _locked(url)
        logging.getLogger().addHandler(self._failures)
        try:
            await migrate(url)
            await self._start_all()
        except BaseException:
            await self.stop()
            raise
        self.is_started = True

    async def _start_all(self) -> None:
        services = self.services
        await services.store.open()
        await services.data_folder.claim()
        services.bus.head = await services.journal.head()
        await services.accounts.sync_configured(self.settings.agents)
        await self._open_flows()
        await services.presence.after_restart()
        await services.chats.after_restart()
        await services.floor.load(services.store)
        services.bus.subscribe(services.floor.apply)
        services.floor.watch(self._feed.on_commit)
        services.bus.subscribe(self._count)
        await self.jobs.start()
        await services.dispatcher.start()
        if self.demo is not None:
            await self.demo.open()
        for channel in self.channels:
            self._feed.listen(channel.id, await channel.open(self.side))
            if isinstance(channel, LiveCalls):
                services.call_orders.channels[channel.id] = channel
        await services.call_orders.start()
        await services.delivery.start()
        await services.arrivals.start()
        services.indexer.start()
        self._housekeeper = asyncio.create_task(self._keep_house(), name="housekeeping")

    async def stop(self, reason: str = "restart") -> None:
        """Take nothing new in, tell everybody, finish what began, close the database."""
        self.is_started = False
        if self.demo is not None:
            await self.demo.stop()
        await self.services.delivery.stop(patience_s=self.settings.server.shutdown_s / 2)
        await self.services.arrivals.stop()
        for channel in self.channels:
            await channel.close(reason)
        if self.demo is not None:
            await self.demo.close()
        if self.console is not None:
            await self.console.close(reason)
        if self._housekeeper is not None:
            self._housekeeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._housekeeper
        services = self.services
        await services.dispatcher.stop()
        await services.call_orders.stop()
        await self.jobs.stop()
        await services.indexer.stop()
        services.accounts.close()
        await services.store.close()
        services.node_name.release()
        await self.outbound.close()
        logging.getLogger().removeHandler(self._failures)
        if self._lock is not None:
            self._lock.close()

    async def _open_flows(self) -> None:
        """Take the flows in; one that cannot be read is told, and the versions kept before go on."""
        self.outbound.open()
        self.services.self_service.fetcher = self.outbound
        for finding in await self.services.self_service.library.load():
            log.error("a flow cannot be read", extra={"finding": finding})
        likeness = self.services.self_service.likeness
        if isinstance(likeness, Likeness):
            published = self.services.self_service.library.published.values()
            await asyncio.to_thread(likeness.learn, [phrase for flow in published for phrase in phrases_of(flow)])

    async def why_not_ready(self) -> str:
        """Say why the hub cannot work now; empty when it can."""
        if not self.is_started:
            return "The hub is starting or stopping."
        try:
            await self.services.journal.head()
        except Unavailable as error:
            return str(error)
        return self.services.data_folder.trouble

    def _count(self, commit: Commit) -> None:
        for event in commit.events:
            if event.kind == "message_stored":
                self.metrics.messages.add(str(event.facts.get("author")))
            elif event.kind == "offer_ended":
                self.metrics.offers.add(str(event.facts.get("outcome")))
        if commit.events:
            self.metrics.journal_seq.set(commit.events[-1].seq)

    def _on_violation(self, name: str) -> None:
        self.metrics.violations.add(name)
        log.error("an invariant is broken", extra={"invariant": name})

    async def _keep_house(self) -> None:
        """Once a second: the invariants, figures that are levels. Once a minute: the board's lines, the new day.

        Every five seconds: flows that another hub has published.
        """
        floor = self.services.floor
        sampled_at = swept_at = learned_at = 0
        while True:
            now = self.clock.now()
            self.monitor.look(now)
            self.services.self_service.look()
            self.metrics.waiting.replace({queue: floor.count_waiting(queue) for queue in self.settings.queues})
            lines = self.services.arrivals.lines()
            self.metrics.lines.replace({name: 1 if status.is_up else 0 for name, status in lines.items()})
            self.metrics.oldest_wait_s.replace({queue: self._waited_s(queue, now) for queue in self.settings.queues})
            self.metrics.jobs_overdue.set(1 if self.jobs.overdue_ms > OVERDUE_MS else 0)
            if self.log is not None:
                self.metrics.log_lines_dropped.set(self.log.dropped)
            await self.services.data_folder.keep()
            await self.services.presence.catch_up()
            await self.services.chats.catch_up()
            if now - learned_at >= PUBLISHED_MS and self.services.store.is_postgresql:
                learned_at = now
                await self._learn_flows()
            if now - sampled_at >= MINUTE_MS:
                sampled_at = now
                floor.begin_day(now)
                floor.sample()
                await self._retire()
            if now - swept_at >= HOUR_MS:
                swept_at = now
                await self._forget_old()
            await self.clock.sleep(1)

    async def _retire(self) -> None:
        """Take their work from closed accounts; while the database is away it is tried again in a minute."""
        try:
            await self.services.presence.retire()
        except HubError as error:
            log.warning("closed accounts keep their work for now", extra={"error": str(error)})

    def _waited_s(self, queue: str, now: int) -> float:
        since = self.services.floor.oldest_at(queue)
        return 0 if since is None else max(now - since, 0) / 1000

    async def _learn_flows(self) -> None:
        """Take what other hubs have published; while the database is away there is nothing to take."""
        try:
            await self.services.self_service.library.catch_up()
        except HubError as error:
            log.debug("flows are not looked for", extra={"error": str(error)})

    async def _forget_old(self) -> None:
        """Remove what has been kept for its time; what cannot be removed now is tried again in an hour."""
        kept = (
            ("letters", self.settings.letters.raw_days, self.services.arrivals.forget_old),
            ("recordings", self.settings.calls.recording_days, self.services.recordings.forget_old),
        )
        for what, days, forget_old in kept:
            try:
                if days:
                    await forget_old(days)
            except (HubError, OSError) as error:
                log.warning("what is old stays", extra={"kind": what, "error": str(error)})


def build(settings: Settings, *, clock: Clock | None = None, strict: bool = False, demo: bool = False) -> Hub:
    """Return a hub built from its settings; nothing runs yet. `strict` lets no listener's error pass (tests).

    Raises:
        SettingsError: a channel's block is wrong, or names a kind that is not there.
    """
    clock = clock or SystemClock()
    if demo:
        from hub.demo import at_our_carrier

        settings = at_our_carrier(settings)
    bus, signals = Bus(strict=strict), Signals()
    store = store_of(settings.server.database_url.reveal(), clock, bus)
    metrics = Metrics(version=version())
    key = secret_key(settings)
    channels = [_channel(block.id, block.kind, dict(block.options)) for block in settings.channels.values()]
    services = _services(settings, store, bus, signals, clock, key, {channel.id: channel for channel in channels})
    app = new_application(settings, metrics)
    hub = Hub(settings, services, app, clock, metrics)
    hub.side = HubSide(
        clock=clock,
        conversations=services.chats,
        inbox=services.arrivals,
        files=services.files,
        calls=services.calls,
        public_url=settings.server.public_url,
        templates=data_folder("templates"),
        client_ip=ClientAddress(settings.server.trusted_proxies),
        limits=settings.limits,
        visitor_key=key,
        meter=metrics.meter("visitor", message="message"),
    )
    store.on_group = metrics.group_committed
    add_probes(app, settings, metrics, hub.why_not_ready)
    add_files(app, services.files, hub.outbound.picture)
    add_answers(app, services.flow_answers, settings.company.name, hub.side.templates)
    hub.channels = channels
    services.arrivals.count = metrics.arrivals.add
    services.arrivals.count_refused = metrics.refused.add
    for channel in hub.channels:
        services.arrivals.serve(channel)
        if isinstance(channel, HasPages):
            channel.mount(app, hub.side)
    hub.console, authority = _console(hub, is_demo=demo)
    if demo:
        from hub.demo import setup

        hub.demo = setup(
            app,
            settings=settings,
            accounts=services.accounts,
            auth=authority,
            floor=services.floor,
            templates=hub.side.templates,
            key=key,
        )
    return hub


def _services(
    settings: Settings,
    store: Store,
    bus: Bus,
    signals: Signals,
    clock: Clock,
    key: bytes,
    channels: Mapping[str, Channel],
) -> Services:
    floor = Floor(settings)
    node_name = NodeName(settings.server.data_dir)
    node = node_name.take()
    handling = Handling(store, settings)
    offers = Offers(store, settings)
    journal = Journal(store)
    files = FileStore(store, settings, clock, key)
    intake = Intake(store, settings, handling)
    intake.acknowledging = Acknowledging(settings, channels)
    dispatcher = Dispatcher(settings, floor, offers, handling, clock)
    dispatcher.record = RoutingRecord(store, dispatcher.policy, clock)
    dispatcher.lease = Lease(store, clock, "dispatch", node)
    calls = CallService(store, settings, floor, handling)
    orders = CallOrders(store, settings, clock, calls, bus)
    chats = Chats(store, settings, handling, floor, signals)
    flows = settings.flows.folder or data_folder("config") / "flows"
    self_service = SelfService(store, settings, floor, FlowLibrary(store, flows))
    texting = Texting(store, channels)
    self_service.letters = intake.flow_letters = FlowLetters(settings, channels)
    links = AnswerLinks(key, settings.server.public_url)
    self_service.texting = intake.texting = chats.messages.texting = texting
    chats.self_service = intake.self_service = self_service
    chats.messages.heard = self_service.heard
    self_service.callbacks = calls
    self_service.likeness = load_likeness(settings.flows.embeddings) if settings.flows.embeddings else None
    self_service.sending = FlowSending(settings, channels)
    calls.serve_flows(CallFlows(self_service))
    delivery = Delivery(store, settings, bus, clock, Loader(store, files, channels, links), node=node)
    delivery.unreached = self_service.unreached
    return Services(
        store=store,
        bus=bus,
        signals=signals,
        floor=floor,
        accounts=Accounts(store, settings, clock),
        agent_flows=AgentFlows(store, self_service),
        arrivals=Arrivals(store, clock, settings.server.data_dir, files, intake),
        callbacks=Callbacks(store, settings, calls, handling),
        call_desk=CallDesk(store, settings, calls),
        call_orders=orders,
        calls=calls,
        chats=chats,
        data_folder=DataFolder(store, clock, settings.server.data_dir),
        delivery=delivery,
        dispatcher=dispatcher,
        files=files,
        flow_answers=FlowAnswers(store, self_service, links),
        handling=handling,
        indexer=Indexer(store, bus, clock),
        intake=intake,
        journal=journal,
        letters=Letters(store, settings, handling, files, channels),
        node_name=node_name,
        offers=offers,
        people=People(store, settings),
        presence=PresenceService(store, settings),
        promises=Promises(store, settings),
        reading=Reading(store),
        recordings=Recordings(store, calls, files, orders.channels),
        search=Search(store, settings),
        self_service=self_service,
        supervision=Supervision(store, settings, handling, self_service),
        texting=texting,
        timeline=Timeline(store),
    )


def _handlers(services: Services) -> dict[str, jobs.Handler]:
    """Return what each kind of durable timer does."""

    async def nothing(_subject: str) -> None:
        """The timer's row was all that mattered."""

    return {
        "offer_expiry": services.offers.expire,
        "wrap_up_end": services.handling.wrap_up_ended,
        "agent_lost": services.presence.lost,
        "visitor_gone": services.chats.give_up,
        "call_look": services.calls.look,
        "callback_again": services.calls.call_again,
        CALLBACK_TIMER: services.callbacks.due,
        "fetch_recording": services.recordings.fetch,
        RECORDINGS_TIMER: services.recordings.compare,
        "jwt_used": nothing,
        TIMER: services.promises.overdue,
        "flow_wait": services.self_service.time_up,
        "flow_fetch": services.self_service.fetch,
    }


def _console(hub: Hub, *, is_demo: bool) -> tuple[ConsoleSockets, Auth]:
    """Add the console to the hub's application."""
    services, side = hub.services, hub.side
    kinds = {channel.capabilities.kind: channel.capabilities for channel in hub.channels}
    rows = Rows(services.floor, kinds, services.files.link)
    authority = Auth(services.accounts, hub.settings, hub.clock, client_ip=side.client_ip, me=rows.me, is_demo=is_demo)
    house = House(client_ip=side.client_ip, templates=side.templates, meter=hub.metrics.meter("staff", message="send"))

    def around() -> Around:
        return surroundings(hub.settings, services.dispatcher.policy, services.dispatcher.staff())

    use_cases = ConsoleServices(
        settings=hub.settings,
        clock=hub.clock,
        signals=services.signals,
        floor=services.floor,
        accounts=services.accounts,
        dispatcher=services.dispatcher,
        files=services.files,
        handling=services.handling,
        messages=services.chats.messages,
        offers=services.offers,
        people=services.people,
        presence=services.presence,
        promises=services.promises,
        reading=services.reading,
        search=services.search,
        supervision=services.supervision,
        texting=services.texting,
        timeline=services.timeline,
        explaining=Explaining(services.dispatcher, services.floor),
        letters=services.letters,
        arrivals=services.arrivals,
        callbacks=services.callbacks,
        call_desk=services.call_desk,
        intake=services.intake,
        channels={channel.id: channel for channel in hub.channels},
        agent_flows=services.agent_flows,
        flow_trying=FlowTrying(services.self_service, around),
        paths=Paths(services.store, services.self_service.library),
        flows=FlowOverview(services.store, services.self_service.library, lambda: services.floor.day_began_at, around),
    )
    return agent_console.setup(hub.app, use_cases, authority, house, rows), authority


def _locked(url: str) -> IO[str] | None:
    """Hold the SQLite file for this hub alone: two would each believe they know the floor.

    Raises:
        Unavailable: another hub has it.
    """
    if not url.startswith("sqlite"):
        return None
    path = sqlite_path(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Unavailable(f"Another hub is using {path}. Several hubs need PostgreSQL.") from error
    return lock


@dataclass(frozen=True, kw_only=True)
class CheckedChannels:
    """What building the channels' blocks shows: what is wrong, and the addresses that providers must be given."""

    problems: list[Problem]
    addresses: dict[str, Mapping[str, str]]


def check_channels(settings: Settings) -> CheckedChannels:
    """Build each channel's block, and say what came of it."""
    found: list[Problem] = []
    addresses: dict[str, Mapping[str, str]] = {}
    for block in settings.channels.values():
        try:
            channel = _channel(block.id, block.kind, dict(block.options))
        except SettingsError as error:
            found += error.problems
            continue
        if isinstance(channel, HasAddresses):
            addresses[block.id] = channel.addresses(settings.server.public_url)
            found += channel.advice(settings.server.public_url)
    return CheckedChannels(problems=found, addresses=addresses)


async def data_folder_problems(settings: Settings) -> list[Problem]:
    """Say if nothing can be kept there, or the database, where there is one, knows another data folder than this."""
    folder, url, clock = settings.server.data_dir, settings.server.database_url.reveal(), SystemClock()
    kept = {"server.data_dir": folder}
    if url.startswith("sqlite"):
        kept["server.database_url"] = sqlite_path(url).parent
    if bad := [Problem(where=where, text=why) for where, at in kept.items() if (why := unusable(at))]:
        return bad
    try:
        if not await is_current(url):
            return []
        async with opened(url, clock) as store:
            is_strange = await DataFolder(store, clock, folder).is_strange()
    except Unavailable:
        return []
    return [Problem(where="server.data_dir", text=STRANGE, hint=SHARED, severity="warning")] if is_strange else []


def _channel(channel_id: str, kind: str, options: dict[str, Any]) -> Channel:
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        where = f"channels.{channel_id}.kind"
        raise SettingsError([Problem(where=where, text=f"There is no channel kind {kind!r}.", hint=hint)])
    module, _, name = KINDS[kind].partition(":")
    cls = getattr(importlib.import_module(module), name)
    problems = check_block(cls, options, where=f"channels.{channel_id}")
    if problems:
        raise SettingsError(problems)
    channel: Channel = cls(**block_arguments(cls, options, id=channel_id))
    return channel


def secret_key(settings: Settings) -> bytes:
    """Return the key that signs links: the configured one, or one made at first start and kept in the data folder."""
    if settings.server.secret_key is not None:
        return settings.server.secret_key.reveal().encode()
    path = settings.server.data_dir / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return Secret(path.read_text()).reveal().encode()


def data_folder(name: str) -> Path:
    """Return the folder `config` or `templates`: inside the installed package, or beside it in a checkout."""
    packaged = Path(str(importlib.resources.files("hub"))) / "_data" / name
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / name
