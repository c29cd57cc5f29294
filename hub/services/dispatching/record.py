"""What the routing engine was told, in the journal: replaying it rebuilds the engine exactly, and explains the past.

Each start of a dispatcher writes the state it began with and the policy it decides under; each event it handled is one
journal event, with the instant at which it was handled. Equal events at equal instants give equal decisions: what was
decided need not be kept.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hub.clock import Clock
from hub.domain.errors import NotFound
from hub.domain.events import EventKind
from hub.storage.journal import of_interaction
from hub.storage.unit_of_work import Store, UnitOfWork
from routing import events as told
from routing.engine import Router
from routing.errors import RoutingError
from routing.explain import Explanation, explain_agent, explain_interaction
from routing.policy import Policy
from routing.state import Snapshot

log = logging.getLogger(__name__)

_KINDS: Final[Mapping[str, type]] = {
    cls.__name__: cls
    for cls in (
        told.InteractionQueued,
        told.InteractionChanged,
        told.InteractionLeft,
        told.AgentChanged,
        told.AgentLeft,
        told.OfferAccepted,
        told.OfferEnded,
        told.OfferRefused,
        told.WorkStarted,
        told.WorkEnded,
        told.PickFromList,
        told.AssignByHand,
        told.QueueForced,
        told.Tick,
    )
}
_PAGE = 2_000
_UNANSWERED = frozenset({"abandoned", "flowed_out", "cancelled"})
_FRESH_AFTER = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The engine as it was, and what it decided about the subject on the way there.

    `decided` are the decisions of the last event that concerned the subject, and `decided_seq` is that event's number.
    """

    router: Router
    seq: int
    at_ms: int
    decided: Sequence[told.Decision]
    decided_seq: int = 0


class RoutingRecord:
    """Writes and reads what the engine was told."""

    def __init__(self, store: Store, policy: Policy, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._buffer: list[tuple[int, told.Event]] = []
        self.written = 0
        self._has_gap = False

    async def start(self, snapshot: Snapshot) -> None:
        """Write the state an engine begins with."""
        encoded = msgspec.json.encode(msgspec.to_builtins(snapshot)).decode()
        policy = msgspec.json.encode(msgspec.to_builtins(self._policy)).decode()

        async def unit(tx: UnitOfWork) -> None:
            tx.record(EventKind.ROUTING_STARTED, snapshot=encoded, policy=policy, at_ms=snapshot.at_ms)

        await self._store.write(unit)
        self.written = 0
        self._has_gap = False

    @property
    def wants_fresh_start(self) -> bool:
        """Whether a new state is due: so much was written since the last that it would make reading cheaper, or
        something could not be written, and only a new state is exact again."""
        return self.written >= _FRESH_AFTER or self._has_gap

    def note(self, event: told.Event, at_ms: int) -> None:
        """Remember an event that was handled, until `flush`."""
        self._buffer.append((at_ms, event))

    def flush(self) -> None:
        """Put what was remembered behind what waits to be written, in order; nobody waits for it."""
        taken, self._buffer = self._buffer, []
        if not taken:
            return

        async def unit(tx: UnitOfWork) -> None:
            for at_ms, event in taken:
                interaction, agent = subjects(event)
                tx.record(EventKind.ROUTING_TOLD, interaction=interaction, agent=agent, told=encode(event), at_ms=at_ms)

        self.written += len(taken)
        self._store.submit(unit, guarded=True).add_done_callback(self._written)

    def _written(self, done: "asyncio.Future[None]") -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self._has_gap = True
            log.warning("the routing record has a gap", extra={"error": str(error)})

    async def past(self, *, until_seq: int, subject: str = "", since: Past | None = None) -> Past:
        """Return the engine as it was after the journal's event `until_seq`; `since` is an earlier past to go on from.

        Raises:
            NotFound: the journal does not reach back that far.
        """
        since = await self._beginning(until_seq, since)
        router, seq, at_ms = since.router, since.seq, since.at_ms
        decided: Sequence[told.Decision] = ()
        decided_seq = 0
        loop = asyncio.get_running_loop()
        while True:
            page = await self._page(seq, until_seq)
            # Thousands of events take a second: not on the loop that everybody waits for.
            about, about_seq = await loop.run_in_executor(None, _play, router, page, subject)
            if about:
                decided, decided_seq = about, about_seq
            if page:
                seq, at_ms, _ = page[-1]
            if len(page) < _PAGE:
                return Past(router=router, seq=seq, at_ms=at_ms, decided=decided, decided_seq=decided_seq)

    async def _beginning(self, before: int, since: Past | None) -> Past:
        """Return the engine as it last began before a journal number, or `since` if it has not begun again after."""

        async def unit(tx: UnitOfWork) -> tuple[int, Any] | None:
            row = await tx.fetch_one(
                "SELECT seq, facts FROM journal WHERE kind = 'routing_started' AND seq <= $1 AND seq > $2 "
                "ORDER BY seq DESC LIMIT 1",
                before,
                -1 if since is None else since.seq,
            )
            return None if row is None else (int(row[0]), msgspec.json.decode(row[1]))

        found = await self._store.read(unit)
        if found is None:
            if since is None:
                raise NotFound("The journal does not reach back that far.")
            return since
        seq, facts = found
        try:
            snapshot = msgspec.convert(_as_now(msgspec.json.decode(facts["snapshot"])), Snapshot)
            return Past(router=Router(self._policy_of(facts), snapshot), seq=seq, at_ms=snapshot.at_ms, decided=())
        except (RoutingError, msgspec.ValidationError) as error:
            raise NotFound(f"The routing of then can no longer be rebuilt: {error}.") from error

    def _policy_of(self, facts: Mapping[str, Any]) -> Policy:
        """Return the policy that was decided under; early records do not say, and are read under today's."""
        told_policy = facts.get("policy")
        if told_policy is None:
            return self._policy
        return msgspec.convert(msgspec.json.decode(told_policy), Policy)

    async def _page(self, after: int, until: int) -> list[tuple[int, int, told.Event]]:
        async def unit(tx: UnitOfWork) -> list[tuple[int, int, told.Event]]:
            rows = await tx.fetch(
                "SELECT seq, facts FROM journal WHERE seq > $1 AND seq <= $2 AND kind = 'routing_told' "
                "ORDER BY seq LIMIT $3",
                after,
                until,
                _PAGE,
            )
            decoded = [(int(row[0]), msgspec.json.decode(row[1])) for row in rows]
            return [(seq, int(facts["at_ms"]), decode(facts["told"])) for seq, facts in decoded]

        return await self._store.read(unit)

    async def offers_of(self, interaction: str) -> list[tuple[int, str]]:
        """Return (journal number, agent) of each offer that was made of an interaction, in order."""

        async def unit(tx: UnitOfWork) -> list[tuple[int, str]]:
            made = await of_interaction(tx, interaction, EventKind.OFFER_MADE)
            return [(event.seq, str(event.agent)) for event in made]

        return await self._store.read(unit)

    async def leavings_of(self, interaction: str) -> list[tuple[int, int, str]]:
        """Return (journal number, instant, outcome) of each time an interaction left its queue unanswered, in order."""

        async def unit(tx: UnitOfWork) -> list[tuple[int, int, str]]:
            rows = await tx.fetch(
                "SELECT seq, at, facts FROM journal WHERE interaction = $1 "
                "AND kind IN ('interaction_ended', 'interaction_transferred') ORDER BY seq",
                interaction,
            )
            found = [(int(seq), int(at), str(msgspec.json.decode(facts).get("outcome"))) for seq, at, facts in rows]
            return [one for one in found if one[2] in _UNANSWERED]

        return await self._store.read(unit)

    async def explain_leaving(
        self, subject: str, seq: int, at_ms: int
    ) -> tuple[told.FlowOut | None, Explanation | None]:
        """Return the way out that an interaction took, if it took one, and how it stood until it left.

        Raises:
            NotFound: the journal does not reach back that far.
        """
        past, explanation = await self.explain_past(subject, seq)
        flowed = next((one for one in past.decided if isinstance(one, told.FlowOut)), None)
        if explanation is not None:
            return None, _later(past.router, subject, at_ms) or explanation
        if flowed is None:
            return None, None
        before, explanation = await self.explain_past(subject, past.decided_seq - 1)
        return flowed, _later(before.router, subject, at_ms - 1) or explanation

    async def explain_past(
        self, subject: str, seq: int, *, since: Past | None = None
    ) -> tuple[Past, Explanation | None]:
        """Explain an interaction or an agent as things stood at a journal number.

        Raises:
            NotFound: the journal does not reach back that far.
        """
        past = await self.past(until_seq=seq, subject=subject, since=since)
        return past, explained(past.router, subject)


def explained(router: Router, subject: str) -> Explanation | None:
    """Explain an interaction or an agent as the engine sees it; None if it knows neither."""
    return explain_interaction(router, subject) or explain_agent(router, subject)


def _later(router: Router, subject: str, at_ms: int) -> Explanation | None:
    """Explain the subject when nothing but time has passed till then; None if that has made it leave."""
    _handle(router, told.Tick(), max(at_ms, router.now_ms))
    return explained(router, subject)


def encode(event: told.Event) -> str:
    """Return an event as JSON: its name and its fields."""
    return msgspec.json.encode([type(event).__name__, msgspec.to_builtins(event)]).decode()


def decode(text: str) -> told.Event:
    """Return the event of `encode`."""
    name, fields = msgspec.json.decode(text)
    event: told.Event = msgspec.convert(_as_now(fields), _KINDS[name])
    return event


def _as_now(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what was recorded as it is recorded today: early records name the fields of needs and of held work."""
    if isinstance(value, list):
        return [_as_now(one) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("skill"), str):
        return [value["skill"], value.get("level", 1)]
    if isinstance(value.get("interaction_id"), str) and isinstance(value.get("channel"), str):
        return [value["interaction_id"], value["channel"], value.get("queue_id", ""), value.get("since_ms", 0)]
    return {name: _as_now(one) for name, one in value.items()}


def _play(
    router: Router, page: Sequence[tuple[int, int, told.Event]], subject: str
) -> tuple[Sequence[told.Decision], int]:
    """Tell the router a page of the record; return the last decisions about the subject, and their event's number."""
    decided: Sequence[told.Decision] = ()
    decided_seq = 0
    for seq, at_ms, event in page:
        about = [found for found in _handle(router, event, at_ms) if subject in decision_subjects(found)]
        if about:
            decided, decided_seq = about, seq
    return decided, decided_seq


def _handle(router: Router, event: told.Event, at_ms: int) -> list[told.Decision]:
    try:
        return router.handle(event, at_ms=at_ms)
    except RoutingError:
        return []


def subjects(event: Any) -> tuple[str | None, str | None]:  # noqa: ANN401 - one of many events
    """Return which interaction and which agent an event is about."""
    interaction = getattr(event, "interaction_id", None)
    if interaction is None and hasattr(event, "interaction"):
        interaction = event.interaction.id
    agent = getattr(event, "agent_id", None)
    if agent is None and hasattr(event, "agent"):
        agent = event.agent.id
    return interaction, agent


def decision_subjects(decision: told.Decision) -> tuple[str | None, str | None]:
    """Return which interaction and which agent a decision is about."""
    return getattr(decision, "interaction_id", None), getattr(decision, "agent_id", None)
