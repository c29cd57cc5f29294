"""What customers did by themselves, as those see it who take over: the path, the answers, what was looked up."""

import re

import msgspec

from hub.domain.interaction import Interaction
from hub.domain.self_service import FlowSession
from hub.flows import phrases
from hub.flows.drawing import caption
from hub.flows.expressions import Value
from hub.flows.model import Ask, Flow
from hub.flows.session import Session, Visit
from hub.services.flow_library import FlowLibrary
from hub.storage.tables import FLOW_SESSIONS
from hub.storage.unit_of_work import Store, UnitOfWork

_HOLE = re.compile(r"\{\{[^{}]*\}\}")
_SHOWN = 100
"""Steps of a session that are shown: the last ones."""


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """One step: what it was about, how it ended, and what the customer answered there, as they read it themselves."""

    at: int
    flow: str
    step: str
    kind: str
    about: str
    outcome: str
    answer: str
    tries: int


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One session: where it went, where it broke off (the last step), and what is known from it."""

    flow: str
    title: str
    started_at: int
    ended_at: int | None
    outcome: str
    reason: str
    steps: list[Passed]
    results: dict[str, dict[str, str]]


class Paths:
    """Reads sessions of flows for the console."""

    def __init__(self, store: Store, library: FlowLibrary) -> None:
        self._store = store
        self._library = library

    async def of(self, interaction: Interaction) -> list[Taken]:
        """Return the sessions of an interaction, the oldest first. The caller has checked who may see it."""

        async def unit(tx: UnitOfWork) -> list[FlowSession]:
            return await tx.select(FLOW_SESSIONS, "WHERE interaction = $1 ORDER BY started_at, id", interaction.id)

        return [self._taken(stored) for stored in await self._store.read(unit)]

    def _taken(self, stored: FlowSession) -> Taken:
        session = msgspec.json.decode(stored.body, type=Session)
        book = self._library.known(session.pins)
        return Taken(
            flow=stored.flow,
            title=_title(book.get(stored.flow), session) or stored.flow,
            started_at=stored.started_at,
            ended_at=stored.ended_at,
            outcome=stored.outcome,
            reason=stored.reason,
            steps=[_passed(visit, book.get(visit.flow), session) for visit in session.path[-_SHOWN:]],
            results={
                name: {key: _shown(value, session.language) for key, value in kept.items() if key != "found"}
                for name, kept in session.results.items()
            },
        )


def _title(flow: Flow | None, session: Session) -> str:
    return flow.title.of((session.language, *flow.languages), "") if flow is not None else ""


def _passed(visit: Visit, flow: Flow | None, session: Session) -> Passed:
    step = flow.steps.get(visit.step) if flow is not None else None
    answer = _shown(visit.value, session.language)
    if flow is not None and isinstance(step, Ask) and (option := step.option(answer)) is not None:
        answer = option.label.of((session.language, *flow.languages), session.medium)
    return Passed(
        at=visit.at,
        flow=visit.flow,
        step=visit.step,
        kind=visit.kind,
        about=_HOLE.sub("…", caption(step, flow)) if step is not None and flow is not None else visit.step,
        outcome=visit.outcome,
        answer=answer,
        tries=visit.tries,
    )


def _shown(value: Value, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return phrases.said("yes" if value else "no", language)
    return (value if isinstance(value, str) else msgspec.json.encode(value).decode())[:500]
