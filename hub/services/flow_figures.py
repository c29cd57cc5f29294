"""Flows as those see them who answer for them: who is where now, what was solved, where people leave; and versions."""

import statistics
from collections.abc import Callable, Iterator

import msgspec

from hub.domain.errors import BadRequest, NotFound
from hub.domain.self_service import FlowSession, FlowVersion
from hub.flows.checking import check
from hub.flows.drawing import Numbers, caption, svg
from hub.flows.model import Finding, Flow, FlowError
from hub.flows.reading import read_flow
from hub.flows.run import kind_of
from hub.flows.session import Outcome, Session
from hub.services.flow_library import FlowLibrary
from hub.storage.tables import FLOW_SESSIONS, FLOW_VERSIONS
from hub.storage.unit_of_work import Store, UnitOfWork

LATEST = 2_000
"""Sessions of the day that are looked at, the latest ones."""


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
    """One flow today. Begun = open + solved + handed over + left. `on_older` are open on a version before this."""

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

    def __init__(self, store: Store, library: FlowLibrary, day_began_at: Callable[[], int]) -> None:
        self._store = store
        self._library = library
        self._day_began_at = day_began_at

    async def figures(self) -> list[FlowFigures]:
        """Return every flow's figures since the company's day began."""
        sessions = await self._sessions()
        return [figures_of(flow, sessions) for _, flow in sorted(self._library.published.items())]

    async def sheet(self, name: str) -> FlowSheet:
        """Return one flow, drawn with its live numbers.

        Raises:
            NotFound: there is no such flow.
        """
        flow = self._library.published.get(name)
        if flow is None:
            raise NotFound("There is no such flow.")
        figures = figures_of(flow, await self._sessions())
        numbers = {one.step: Numbers(now=one.now, passed=one.passed, left=one.left) for one in figures.steps}
        return FlowSheet(figures=figures, picture=svg(flow, numbers), versions=await self._versions(flow))

    async def publish(self, text: str, *, author: str) -> FlowSheet:
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
        return await self.sheet(flow.name)

    async def roll_back(self, name: str, version: str, *, author: str) -> FlowSheet:
        """Publish an older version again.

        Raises:
            NotFound: there is no such version of this flow.
        """

        async def unit(tx: UnitOfWork) -> FlowVersion | None:
            return await tx.get(FLOW_VERSIONS, f"{name}@{version}")

        found = await self._store.read(unit)
        if found is None:
            raise NotFound("There is no such version.")
        return await self.publish(found.text, author=author)

    def _findings(self, flow: Flow) -> list[Finding]:
        return check(flow, {**self._library.published, flow.name: flow})

    async def _sessions(self) -> list[tuple[FlowSession, Session]]:
        since = self._day_began_at()

        async def unit(tx: UnitOfWork) -> list[FlowSession]:
            tail = "WHERE started_at >= $1 OR ended_at IS NULL ORDER BY started_at DESC LIMIT $2"
            return await tx.select(FLOW_SESSIONS, tail, since, LATEST)

        decode = msgspec.json.Decoder(Session).decode
        return [(stored, decode(stored.body)) for stored in await self._store.read(unit)]

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


def figures_of(flow: Flow, sessions: list[tuple[FlowSession, Session]]) -> FlowFigures:
    """Return a flow's figures from the sessions that came by it."""
    own = [session for _, session in sessions if session.flow == flow.name]
    passing = [session for _, session in sessions if flow.name in session.pins]
    return FlowFigures(
        name=flow.name,
        title=flow.title.of(flow.languages, ""),
        version=flow.version,
        begun=len(own),
        open=sum(not session.is_over for session in own),
        solved=sum(session.outcome is Outcome.RESOLVED for session in own),
        handed_over=sum(session.is_over and session.outcome not in _BY_THEMSELVES for session in own),
        left=sum(session.outcome is Outcome.ABANDONED for session in own),
        on_older=sum(not session.is_over and session.pins[flow.name] != flow.version for session in own),
        steps=list(_steps(flow, passing)),
    )


_BY_THEMSELVES = frozenset({Outcome.RESOLVED, Outcome.ABANDONED})


def _steps(flow: Flow, sessions: list[Session]) -> Iterator[StepFigures]:
    now: dict[str, int] = {}
    passed: dict[str, int] = {}
    left: dict[str, int] = {}
    handed: dict[str, int] = {}
    took: dict[str, list[int]] = {}
    for session in sessions:
        for place, visit in enumerate(session.path):
            if visit.flow != flow.name:
                continue
            after = session.path[place + 1].at if place + 1 < len(session.path) else session.ended_at
            passed[visit.step] = passed.get(visit.step, 0) + 1
            if after is not None:
                took.setdefault(visit.step, []).append(after - visit.at)
        if session.path and session.path[-1].flow == flow.name:
            last = session.path[-1].step
            if not session.is_over:
                now[last] = now.get(last, 0) + 1
            elif session.outcome is Outcome.ABANDONED:
                left[last] = left.get(last, 0) + 1
            elif session.outcome not in _BY_THEMSELVES:
                handed[last] = handed.get(last, 0) + 1
    for name, step in flow.steps.items():
        yield StepFigures(
            step=name,
            kind=kind_of(step),
            about=caption(step, flow),
            now=now.get(name, 0),
            passed=passed.get(name, 0),
            left=left.get(name, 0),
            handed_over=handed.get(name, 0),
            median_ms=round(statistics.median(took[name])) if name in took else None,
        )
