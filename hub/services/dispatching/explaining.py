"""Why an interaction went to whom it went to: now, and at each offer of the past."""

from collections.abc import Mapping

import msgspec

from hub.domain.agent import Role
from hub.domain.errors import NotFound
from hub.services.access import Scope
from hub.services.dispatching.dispatch import Dispatcher
from hub.services.dispatching.floor import Floor
from hub.services.dispatching.record import Past, explained
from routing.events import MakeOffer
from routing.explain import Explanation, Verdict, explain_agent
from routing.model import Figure

MOST_OFFERS = 5
MOST_LEAVINGS = 3


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stands against an agent: a stable code, and the fact behind it."""

    code: str
    fact: str


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """One agent who was looked at; `rank` 0 is the best group, None is outside all groups."""

    agent: str
    name: str
    may_take: bool
    rank: int | None
    refusals: list[Refused]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an interaction stood at an instant, and when that changes by itself (milliseconds since 1970 UTC)."""

    at: int
    facts: dict[str, Figure]
    considered: list[Considered]
    changes_at: int | None


class ExplainedOffer(msgspec.Struct, frozen=True, kw_only=True):
    """One offer, the rule and figures that decided it, and who else was looked at."""

    seq: int
    at: int
    agent: str
    name: str
    rule: str
    figures: dict[str, Figure]
    standing: Standing | None


class ExplainedLeaving(msgspec.Struct, frozen=True, kw_only=True):
    """One time it left its queue unanswered: how, the way out it took and what decided that, how it stood before."""

    seq: int
    at: int
    outcome: str
    way_out: str
    figures: dict[str, Figure]
    standing: Standing | None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction explained: as it waits now, each of its latest offers, and how it left without an answer."""

    now: Standing | None
    offers: list[ExplainedOffer]
    left: list[ExplainedLeaving]


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction that an agent was weighed against."""

    interaction: str
    may_take: bool
    rank: int | None
    refusals: list[Refused]


class AgentStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent stood at an instant with what waited then, the most urgent first."""

    at: int
    facts: dict[str, Figure]
    weighed: list[Weighed]
    changes_at: int | None


class Explaining:
    """Asks the engine, present or past."""

    def __init__(self, dispatcher: Dispatcher, floor: Floor) -> None:
        self._dispatcher = dispatcher
        self._floor = floor

    async def interaction(self, interaction_id: str) -> Explained:
        """Explain an interaction. What the journal no longer reaches back to is left out."""
        now = explained(self._dispatcher.router, interaction_id)
        return Explained(
            now=self._standing(now) if now else None,
            offers=await self._offers(interaction_id),
            left=await self._left(interaction_id),
        )

    async def agent(self, agent_id: str, scope: Scope, seq: int | None = None) -> AgentStanding:
        """Explain an agent, as things stand or as they stood at a number of the journal.

        Raises:
            NotFound: not signed in then, not this person's to ask about, or the journal does not reach back that far.
        """
        explanation = None
        if scope.role is not Role.AGENT or scope.agent == agent_id:
            record = self._dispatcher.record
            if seq is None or record is None:
                explanation = explain_agent(self._dispatcher.router, agent_id)
            else:
                past = await record.past(until_seq=seq, subject=agent_id)
                explanation = explain_agent(past.router, agent_id)
        if explanation is None:
            raise NotFound("There is no such agent at work.")
        return AgentStanding(
            at=explanation.at_ms,
            facts=dict(explanation.facts),
            weighed=[
                Weighed(
                    interaction=one.interaction_id,
                    may_take=one.may_take,
                    rank=one.rank,
                    refusals=_refused(one),
                )
                for one in explanation.verdicts
                if self._sees(scope, one.interaction_id)
            ],
            changes_at=explanation.next_change_ms,
        )

    def _sees(self, scope: Scope, interaction_id: str) -> bool:
        interaction = self._floor.interactions.get(interaction_id)
        return scope.sees_all if interaction is None else scope.sees(interaction)

    async def _offers(self, interaction_id: str) -> list[ExplainedOffer]:
        record = self._dispatcher.record
        if record is None:
            return []
        found: list[ExplainedOffer] = []
        past: Past | None = None
        for seq, agent in (await record.offers_of(interaction_id))[-MOST_OFFERS:]:
            try:
                past, explanation = await record.explain_past(interaction_id, seq, since=past)
            except NotFound:
                continue
            made = [one for one in past.decided if isinstance(one, MakeOffer) and one.agent_id == agent]
            found.append(
                ExplainedOffer(
                    seq=seq,
                    at=past.at_ms,
                    agent=agent,
                    name=self._name(agent),
                    rule=str(made[0].reason.rule) if made else "",
                    figures=dict(made[0].reason.figures) if made else {},
                    standing=self._standing(explanation) if explanation else None,
                )
            )
        return found

    async def _left(self, interaction_id: str) -> list[ExplainedLeaving]:
        record = self._dispatcher.record
        if record is None:
            return []
        found: list[ExplainedLeaving] = []
        for seq, at_ms, outcome in (await record.leavings_of(interaction_id))[-MOST_LEAVINGS:]:
            try:
                flowed, explanation = await record.explain_leaving(interaction_id, seq, at_ms)
            except NotFound:
                continue
            found.append(
                ExplainedLeaving(
                    seq=seq,
                    at=at_ms,
                    outcome=outcome,
                    way_out=f"{flowed.way_out.kind} {flowed.way_out.target}".strip() if flowed else "",
                    figures=dict(flowed.reason.figures) if flowed else {},
                    standing=self._standing(explanation) if explanation else None,
                )
            )
        return found

    def _standing(self, explanation: Explanation) -> Standing:
        facts: Mapping[str, Figure] = explanation.facts
        return Standing(
            at=explanation.at_ms,
            facts=dict(facts),
            considered=[
                Considered(
                    agent=verdict.agent_id,
                    name=self._name(verdict.agent_id),
                    may_take=verdict.may_take,
                    rank=verdict.rank,
                    refusals=_refused(verdict),
                )
                for verdict in explanation.verdicts
            ],
            changes_at=explanation.next_change_ms,
        )

    def _name(self, agent_id: str) -> str:
        agent = self._floor.agents.get(agent_id)
        return agent.name if agent else agent_id


def _refused(verdict: Verdict) -> list[Refused]:
    return [Refused(code=str(one.code), fact=str(one.fact)) for one in verdict.refusals]
