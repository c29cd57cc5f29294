"""What customers did by themselves, as those see it who take over: the path, the answers, what was looked up."""

import msgspec

from hub.domain.interaction import Interaction
from hub.domain.self_service import FlowSession
from hub.flows import phrases
from hub.flows.drawing import caption
from hub.flows.expressions import Value
from hub.flows.model import AnyStep, Ask, Flow, LookUp
from hub.flows.session import Session, Visit
from hub.services.flows.library import FlowLibrary
from hub.storage.tables import FLOW_SESSIONS
from hub.storage.unit_of_work import Store, UnitOfWork

_SHOWN = 100
"""Steps of a session that are shown: the last ones."""


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """One step: what it was about, how it ended, and what the customer answered there; a choice as it is called."""

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

    async def of(self, interaction: Interaction, language: str = "") -> list[Taken]:
        """Return the sessions of an interaction, the oldest first. The caller has checked who may see it.

        What the company wrote is in the reader's language where its flow speaks it, else in the customer's.
        """

        async def unit(tx: UnitOfWork) -> list[FlowSession]:
            return await tx.select(FLOW_SESSIONS, "WHERE interaction = $1 ORDER BY started_at, id", interaction.id)

        return [self._taken(stored, language) for stored in await self._store.read(unit)]

    def _taken(self, stored: FlowSession, language: str) -> Taken:
        session = msgspec.json.decode(stored.body, type=Session)
        language = language or session.language
        book = self._library.known(session.pins)
        return Taken(
            flow=stored.flow,
            title=_title(book.get(stored.flow), session, language) or stored.flow,
            started_at=stored.started_at,
            ended_at=stored.ended_at,
            outcome=stored.outcome,
            reason=stored.reason,
            steps=[_passed(visit, book.get(visit.flow), session, language) for visit in session.path[-_SHOWN:]],
            results={
                name: {key: _shown(value, language) for key, value in kept.items() if key != "found"}
                for name, kept in session.results.items()
            },
        )


def _title(flow: Flow | None, session: Session, language: str) -> str:
    if flow is None:
        return ""
    return flow.title.of((language, phrases.base(language), session.language, *flow.languages), "")


def _passed(visit: Visit, flow: Flow | None, session: Session, language: str) -> Passed:
    step = flow.steps.get(visit.step) if flow is not None else None
    answer = _shown(visit.value, language)
    if flow is not None and isinstance(step, Ask) and (option := step.option(answer)) is not None:
        languages = (language, phrases.base(language), session.language, *flow.languages)
        answer = option.label.of(languages, session.medium)
    return Passed(
        at=visit.at,
        flow=visit.flow,
        step=visit.step,
        kind=visit.kind,
        about=_about(step, flow, language) if step is not None and flow is not None else visit.step,
        outcome=visit.outcome,
        answer=answer,
        tries=visit.tries,
    )


def _about(step: AnyStep, flow: Flow, language: str) -> str:
    """Return what a step was about. Where something was looked up is nothing to an agent; what it was is."""
    if isinstance(step, LookUp) and not step.text:
        return step.name
    return caption(step, flow, language)


def _shown(value: Value, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return phrases.said("yes" if value else "no", language)
    return (value if isinstance(value, str) else msgspec.json.encode(value).decode())[:500]
