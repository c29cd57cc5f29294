"""Flows as those see them who answer for them: who is where now, what was solved, where people leave; and versions."""

import asyncio
import statistics
from collections.abc import Callable

import msgspec

from hub.domain.errors import BadRequest, NotFound
from hub.domain.self_service import FlowSession, FlowVersion
from hub.flows.checking import Around, check
from hub.flows.drawing import Numbers, caption, svg
from hub.flows.model import AnyStep, Finding, Flow, FlowError
from hub.flows.phrases import base
from hub.flows.reading import read_flow
from hub.flows.run import kind_of
from hub.flows.session import Session
from hub.services.flows.library import FlowLibrary
from hub.services.flows.tally import StepTally, Tally
from hub.storage.tables import FLOW_SESSIONS, FLOW_VERSIONS
from hub.storage.unit_of_work import Store, UnitOfWork

AT_ONCE = 500
"""Sessions that are read at a time: each takes some tens of microseconds to decode."""
LATE_MS = 60_000
"""How late a session's end may be committed and still be counted."""


class StepFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One step today: who stands there now, who passed, left or went to a person, and how long it took (median)."""

    step: str
    kind: str
    about: str
    now: int
    passed: int
    left: int
    handed_over: int
    median_ms: int | None


class FlowFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One flow today, entered from another one too. Begun = open + solved + handed over + left.

    `on_older` are open on a version before this.
    """

    name: str
    title: str
    version: str
    begun: int
    open: int
    solved: int
    handed_over: int
    left: int
    on_older: int
    steps: list[StepFigures]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a flow, with its text."""

    id: str
    version: str
    published_at: int
    author: str
    is_published: bool
    text: str


class FlowSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One flow with its picture and its versions, the newest first."""

    figures: FlowFigures
    picture: str
    versions: list[Version]


class FlowOverview:
    """Reads and publishes flows for the console. The caller has checked who may."""

    def __init__(
        self,
        store: Store,
        library: FlowLibrary,
        day_began_at: Callable[[], int],
        around: Callable[[], Around],
    ) -> None:
        self._store = store
        self._library = library
        self._around = around
        self._day_began_at = day_began_at
        self._over = Tally()
        self._over_since = -1
        self._over_until = 0
        self._counted: set[str] = set()
        self._counting = asyncio.Lock()

    async def figures(self, language: str = "") -> list[FlowFigures]:
        """Return every flow's figures since the company's day began, with their titles in this language."""
        tallies = await self._tallies()
        return [_figures(flow, *tallies, language) for _, flow in sorted(self._library.published.items())]

    async def sheet(self, name: str, language: str = "") -> FlowSheet:
        """Return one flow, drawn with its live numbers.

        Raises:
            NotFound: there is no such flow.
        """
        flow = self._library.published.get(name)
        if flow is None:
            raise NotFound("There is no such flow.")
        figures = _figures(flow, *await self._tallies(), language)
        numbers = {one.step: Numbers(now=one.now, passed=one.passed, left=one.left) for one in figures.steps}
        return FlowSheet(
            figures=figures,
            picture=svg(flow, numbers, follows_theme=True, language=language),
            versions=await self._versions(flow),
        )

    async def publish(self, text: str, *, author: str, language: str = "") -> FlowSheet:
        """Publish a flow's text, if nothing is wrong with it; those under way end on what they began with.

        Raises:
            BadRequest: it is no flow, or one with errors; the text says where and why.
        """
        try:
            flow = read_flow(text, "text")
        except FlowError as error:
            raise BadRequest(str(error)) from error
        errors = [one for one in self._findings(flow) if one.severity == "error"]
        if errors:
            raise BadRequest("\n".join(map(str, errors)))
        await self._library.publish(text, author=author)
        return await self.sheet(flow.name, language)

    async def roll_back(self, name: str, version: str, *, author: str, language: str = "") -> FlowSheet:
        """Publish an older version again.

        Raises:
            NotFound: there is no such version of this flow.
        """

        async def unit(tx: UnitOfWork) -> FlowVersion | None:
            return await tx.get(FLOW_VERSIONS, f"{name}@{version}")

        found = await self._store.read(unit)
        if found is None:
            raise NotFound("There is no such version.")
        return await self.publish(found.text, author=author, language=language)

    def _findings(self, flow: Flow) -> list[Finding]:
        return check(flow, {**self._library.published, flow.name: flow}, self._around())

    async def _tallies(self) -> tuple[Tally, Tally]:
        """Return what is over of what began since the day did, and what is open now."""
        async with self._counting:
            since = self._day_began_at()
            if since != self._over_since:
                self._over, self._over_since, self._over_until, self._counted = Tally(), since, since, set()
            at, last = self._over_until - LATE_MS, ""
            while ended := await self._ended(since, at, last):
                for stored in ended:
                    if stored.id not in self._counted:
                        self._counted.add(stored.id)
                        self._over.add(_session(stored.body))
                at, last = ended[-1].ended_at or 0, ended[-1].id
                self._over_until = at
            now = Tally()
            for stored in await self._open():
                now.add(_session(stored.body))
            return self._over, now

    async def _ended(self, since: int, at: int, last: str) -> list[FlowSession]:
        """Return what ended after another, the oldest first."""
        tail = (
            "WHERE started_at >= $1 AND (ended_at > $2 OR (ended_at = $2 AND id > $3)) ORDER BY ended_at, id LIMIT $4"
        )

        async def unit(tx: UnitOfWork) -> list[FlowSession]:
            return await tx.select(FLOW_SESSIONS, tail, since, at, last, AT_ONCE)

        return await self._store.read(unit)

    async def _open(self) -> list[FlowSession]:
        async def unit(tx: UnitOfWork) -> list[FlowSession]:
            return await tx.select(FLOW_SESSIONS, "WHERE ended_at IS NULL")

        return await self._store.read(unit)

    async def _versions(self, flow: Flow) -> list[Version]:
        async def unit(tx: UnitOfWork) -> list[FlowVersion]:
            tail = "WHERE name = $1 ORDER BY published_at DESC, id LIMIT 50"
            return await tx.select(FLOW_VERSIONS, tail, flow.name)

        return [
            Version(
                id=one.id,
                version=one.version,
                published_at=one.published_at,
                author=one.author,
                is_published=one.version == flow.version,
                text=one.text,
            )
            for one in await self._store.read(unit)
        ]


_session = msgspec.json.Decoder(Session).decode


def _figures(flow: Flow, over: Tally, now: Tally, language: str) -> FlowFigures:
    """Return a flow's figures from what is over and what is open."""
    ended, going = over.flows[flow.name], now.flows[flow.name]
    return FlowFigures(
        name=flow.name,
        title=flow.title.of((language, base(language), *flow.languages), ""),
        version=flow.version,
        begun=ended.begun + going.begun,
        open=going.open,
        solved=ended.solved + going.solved,
        handed_over=ended.handed_over,
        left=ended.left,
        on_older=going.open - going.open_by_version[flow.version],
        steps=[
            _step(flow, step, over.steps[flow.name, name], now.steps[flow.name, name], language)
            for name, step in flow.steps.items()
        ],
    )


def _step(flow: Flow, step: AnyStep, over: StepTally, now: StepTally, language: str) -> StepFigures:
    took_ms = [*over.took_ms, *now.took_ms]
    return StepFigures(
        step=step.id,
        kind=kind_of(step),
        about=caption(step, flow, language),
        now=now.now,
        passed=over.passed + now.passed,
        left=over.left,
        handed_over=over.handed_over,
        median_ms=round(statistics.median(took_ms)) if took_ms else None,
    )
