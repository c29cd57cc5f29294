"""Dispatch: feeds the routing engine what is committed, and commits what it decides.

Where a commit says otherwise, the engine is corrected.

Event-driven; a sweep once a second looks whether engine and floor still agree, so that nothing stays undispatched.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter

import msgspec

from hub.clock import Clock
from hub.contract import Waiting
from hub.domain.agent import Agent, Connectivity, Presence
from hub.domain.errors import Conflict, HubError, Unavailable
from hub.domain.interaction import ClosingReason, Interaction, State
from hub.domain.offer import Offer, OfferState, RevokeReason
from hub.events import Commit
from hub.services.dispatching.floor import Floor, Key
from hub.services.dispatching.lease import Lease
from hub.services.dispatching.record import RoutingRecord
from hub.services.dispatching.wishes import Wishes
from hub.services.handling import Handling
from hub.services.offers import Offers, Proposal, Refusal
from hub.settings import Settings, routing_policy
from routing import events as told
from routing import hours
from routing.engine import Router
from routing.errors import RoutingError
from routing.model import (
    AgentState,
    Exclusion,
    FlowCause,
    HeldWork,
    LiveOffer,
    OfferEnd,
    WaitingInteraction,
    WayOutKind,
)
from routing.policy import Policy
from routing.state import Snapshot

log = logging.getLogger(__name__)

_WAITING = frozenset({State.QUEUED, State.OFFERED})
_AGAIN_S = 1.0
"""How long an offer that could not be stored is held before it is decided anew. Short asks a database that is away all
the time; long leaves customers waiting beside free agents once it is back."""
_KEPT = frozenset({WayOutKind.CALLBACK, WayOutKind.VOICEMAIL, WayOutKind.FORM, WayOutKind.MESSAGE})
"""Ways out after which somebody answers later. A caller leaves a message on the line; who writes has written it."""
_TAKEN = frozenset({State.ACTIVE, State.CONNECTING})
_ENDS = {
    (OfferState.REJECTED, ""): OfferEnd.REJECTED,
    (OfferState.TIMED_OUT, ""): OfferEnd.TIMED_OUT,
    (OfferState.REVOKED, RevokeReason.CUSTOMER_LEFT): OfferEnd.CUSTOMER_LEFT,
    (OfferState.REVOKED, RevokeReason.WON_ELSEWHERE): OfferEnd.WON_ELSEWHERE,
    (OfferState.REVOKED, RevokeReason.AGENT_LOST): OfferEnd.AGENT_LOST,
    (OfferState.REVOKED, RevokeReason.SUPERVISOR): OfferEnd.SUPERVISOR,
}
_REASONS = {
    FlowCause.QUEUE_FULL: ClosingReason.QUEUE_FULL,
    FlowCause.CLOSED: ClosingReason.QUEUE_CLOSED,
    FlowCause.NOBODY_LOGGED_IN: ClosingReason.NOBODY_ABLE,
    FlowCause.NOBODY_ABLE: ClosingReason.NOBODY_ABLE,
    FlowCause.WAITED_TOO_LONG: ClosingReason.WAITED_TOO_LONG,
    FlowCause.RELAXED_OUT: ClosingReason.WAITED_TOO_LONG,
}


class Dispatcher:
    """One dispatching node: owns the engine."""

    def __init__(self, settings: Settings, floor: Floor, offers: Offers, handling: Handling, clock: Clock) -> None:
        self._settings = settings
        self._floor = floor
        self._offers = offers
        self._handling = handling
        self._clock = clock
        self.policy = msgspec.convert(routing_policy(settings), Policy)
        self.router = Router(self.policy)
        self._inbox: deque[told.Event] = deque()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: set[str] = set()
        """Interactions whose way out is decided and not yet committed."""
        self._loop_task: asyncio.Task[None] | None = None
        self.corrections = 0
        self.record: RoutingRecord | None = None
        self.lease: Lease | None = None
        floor.watch(self._on_commit)
        floor.place = self.place
        floor.hours = self.queue_hours

    async def start(self) -> None:
        """Rebuild the engine from the floor and begin to dispatch."""
        if self.lease is None:
            await self._begin()
            return
        self._offers.fence = self.lease.check
        await self.lease.keep(self._begin, self._end)

    async def _begin(self) -> None:
        """Begin to decide, from the floor as it is."""
        is_sound = True
        try:
            await self._begin_engine()
        except Unavailable as error:
            is_sound = False
            log.warning("dispatching waits for the database", extra={"error": str(error)})
        self._loop_task = asyncio.create_task(self._run(is_sound=is_sound), name="dispatch")

    async def _begin_engine(self) -> None:
        waiting = [i.id for i in self._floor.interactions.values() if i.state in _WAITING]
        longest_ms = max(self.policy.same_agent_again_ms.values(), default=0)
        declined = await self._offers.ended(waiting, since=self._clock.now() - longest_ms)
        snapshot = self._snapshot(declined)
        self.router = Router(self.policy, snapshot)
        self._inbox.clear()
        if self.record is not None:
            await self.record.start(snapshot)

    async def stop(self) -> None:
        """Stop deciding; what was decided is committed or dropped."""
        if self.lease is not None:
            await self.lease.stop()
        await self._end()

    async def _end(self) -> None:
        if self._loop_task is not None:
            self._loop_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop_task
            self._loop_task = None
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def place(self, interaction: str) -> Waiting:
        """Return where an interaction stands and how long it is expected to wait."""
        wait_ms = self.router.estimate_wait_ms(interaction)
        return Waiting(
            position=self.router.position(interaction),
            wait_s=None if wait_ms is None else max(round(wait_ms / 1000), 0),
        )

    def queue_hours(self, queue: str) -> tuple[bool, int | None]:
        """Return whether a queue is open now, and when it opens if not."""
        policy = self.policy.queues.get(queue)
        if policy is None or policy.hours_id is None:
            return True, None
        times = self.policy.hours[policy.hours_id]
        now = self._clock.now()
        return hours.is_open(times, now), hours.next_open_ms(times, now)

    def tell(self, event: told.Event) -> None:
        """Tell the engine something now: decisions follow in the background."""
        self._inbox.append(event)
        self._wake.set()

    async def pull(self, interaction_id: str, agent_id: str) -> Interaction:
        """Give an agent the waiting interaction they picked from the list.

        Raises:
            Conflict: the queue allows no picking, the agent may not or cannot take it, or somebody was quicker.
        """
        wish, now = told.PickFromList(agent_id, interaction_id), self._clock.now()
        try:
            decisions = self.router.handle(wish, at_ms=now)
        except RoutingError as error:
            raise Conflict(f"This cannot be taken from the list: {error}.") from error
        if self.record is not None:
            self.record.note(wish, now)
        picked: Offer | Refusal | None = None
        for decision in decisions:
            if isinstance(decision, told.MakeOffer) and decision.interaction_id == interaction_id:
                picked = await self._offer(decision)
            else:
                self._act(decision)
        if not isinstance(picked, Offer):
            raise Conflict("Somebody else was quicker, or you have no capacity left.")
        return await self._offers.accept(picked.id, agent_id)

    # -- what was committed

    def _on_commit(self, commit: Commit, _keys: set[Key]) -> None:
        agents: dict[str, None] = {}
        for record in commit.records:
            if isinstance(record, Offer):
                self._on_offer(record)
                agents[record.agent] = None
            elif isinstance(record, Agent):
                agents[record.id] = None
        for record in commit.records:
            if isinstance(record, Interaction):
                self._on_interaction(record)
        for agent_id in agents:
            self._on_agent(agent_id)
        if self._inbox:
            self._wake.set()

    def _on_offer(self, offer: Offer) -> None:
        if offer.state in {OfferState.PENDING, OfferState.ACCEPTED}:
            return
        self._inbox.append(told.OfferEnded(offer.interaction, offer.agent, _cause(offer)))

    def _on_interaction(self, interaction: Interaction) -> None:
        known = self.router.floor.items.get(interaction.id)
        if interaction.state in _WAITING:
            wanted = self._waiting(interaction)
            if known is None or _PLACE(known.interaction) != _PLACE(wanted):
                self._inbox.append(told.InteractionLeft(interaction.id))
                self._inbox.append(told.InteractionQueued(wanted))
            elif _WISHES(known.interaction) != _WISHES(wanted):
                self._inbox.append(told.InteractionChanged(wanted))
        elif interaction.state in _TAKEN and interaction.agent is not None:
            if known is not None:
                self._inbox.append(told.OfferAccepted(interaction.id, interaction.agent))
        else:
            self._inbox.append(told.InteractionLeft(interaction.id))

    def _on_agent(self, agent_id: str) -> None:
        agent = self._floor.agents.get(agent_id)
        if agent is None or not _is_there(agent):
            self._inbox.append(told.AgentLeft(agent_id))
        else:
            self._inbox.append(told.AgentChanged(self._agent_state(agent)))

    # -- deciding

    async def _run(self, *, is_sound: bool) -> None:
        """Decide, for ever. What went wrong in the engine itself is not mended by waiting: it begins anew."""
        while True:
            try:
                if not is_sound:
                    await self._clock.sleep(_AGAIN_S)
                    await self._begin_engine()
                    is_sound = True
                await self._decide()
            except Unavailable as error:
                is_sound = False
                log.warning("dispatching waits for the database", extra={"error": str(error)})
            except Exception:
                is_sound = False
                self.corrections += 1
                log.exception("deciding failed: the engine begins anew from the floor as it is")

    async def _decide(self) -> None:
        next_sweep = self._clock.now()
        while True:
            self._handle_inbox()
            if self._clock.now() >= next_sweep:
                self._sweep()
                self._handle_inbox()
                next_sweep = self._clock.now() + round(self._settings.offers.sweep_s * 1000)
            await self._keep_record()
            due = self.router.next_wake_ms()
            wake_at = next_sweep if due is None else min(due, next_sweep)
            await self._clock.wait_until(self._wake, max(wake_at, self._clock.now()))
            self._wake.clear()

    async def _keep_record(self) -> None:
        if self.record is None:
            return
        self.record.flush()
        if self.record.wants_fresh_start:
            try:
                await self.record.start(self.router.snapshot())
            except Unavailable as error:
                log.warning("the routing record waits for the database", extra={"error": str(error)})

    def _handle_inbox(self) -> None:
        while self._inbox:
            self._handle(self._inbox.popleft())
        due = self.router.next_wake_ms()
        if due is not None and due <= self._clock.now():
            self._handle(told.Tick())

    def _handle(self, event: told.Event) -> None:
        if isinstance(event, told.InteractionLeft) and event.interaction_id not in self.router.floor.items:
            return  # what does not wait changes with every word: the engine and its record have no use for it
        now = self._clock.now()
        try:
            decisions = self.router.handle(event, at_ms=now)
        except RoutingError as error:
            self.corrections += 1
            log.warning("the engine refused an event", extra={"told": type(event).__name__, "error": str(error)})
            return
        if self.record is not None:
            self.record.note(event, now)
        for decision in decisions:
            self._act(decision)

    def _act(self, decision: told.Decision) -> None:
        match decision:
            case told.MakeOffer():
                self._spawn(self._make(decision))
            case told.FlowOut():
                waiting = self._floor.interactions.get(decision.interaction_id)
                if waiting is not None and waiting.queue == decision.queue_id:
                    self._leaving.add(waiting.id)
                    self._spawn(self._flow_out(decision, waiting))
            case told.WithdrawOffer(cause=OfferEnd.TIMED_OUT):
                self._spawn(self._expire(decision))
            case told.MarkNotResponding() | told.Relaxed() | told.WithdrawOffer():
                # The store counts misses itself and ends the other offers where their cause lies.
                log.debug("decided", extra={"decision": type(decision).__name__})

    def _spawn(self, work: "asyncio.Future[None] | object") -> None:
        task: asyncio.Task[None] = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: object) -> None:
        try:
            await work  # type: ignore[misc]
        except HubError as error:
            log.warning("a decision could not be carried out", extra={"error": str(error), "code": error.code})
        except Exception:
            log.exception("a decision could not be carried out")

    async def _make(self, decision: told.MakeOffer) -> None:
        made = await self._offer(decision)
        if isinstance(made, Offer) and decision.auto_accept:
            await self._offers.accept(made.id, made.agent)

    async def _offer(self, decision: told.MakeOffer) -> Offer | Refusal:
        """Commit an offer, and correct the engine if the truth has moved on."""
        interaction = self._floor.interactions.get(decision.interaction_id)
        agent = self._floor.agents.get(decision.agent_id)
        if interaction is None or agent is None:
            because = told.RefusedBecause.INTERACTION_GONE if interaction is None else told.RefusedBecause.AGENT_UNABLE
            self.tell(told.OfferRefused(decision.interaction_id, decision.agent_id, because, decision.offer_no))
            return Refusal(str(because))
        units = agent.units.get(interaction.kind, self._settings.kind(interaction.kind).units)
        held_over = sum(self._floor.interactions[i].units for i in decision.interrupts if i in self._floor.interactions)
        proposal = Proposal(
            interaction=interaction.id,
            agent=agent.id,
            deadline_at=decision.deadline_ms,
            units=units,
            extra=held_over,
            why=self._why(decision, interaction, agent),
        )
        try:
            result = await self._offers.make(proposal)
        except Exception:
            # Nothing was stored, as far as anybody knows: nobody has been offered it, and nobody will have missed it.
            await self._clock.sleep(_AGAIN_S)
            self.tell(told.OfferRefused(interaction.id, agent.id, told.RefusedBecause.AGENT_UNABLE, decision.offer_no))
            raise
        if isinstance(result, Refusal):
            because = told.RefusedBecause(result.because)
            self.tell(told.OfferRefused(interaction.id, agent.id, because, decision.offer_no))
        return result

    def _why(self, decision: told.MakeOffer, interaction: Interaction, agent: Agent) -> tuple[str, ...]:
        """Say why this agent, in codes that the console words: `rule|...`, `skill|NAME|LEVEL`, `language|CODE`, ..."""
        queue = self._settings.queues.get(interaction.queue)
        needed = {**(queue.skills if queue else {}), **interaction.needs.named}
        why = [f"skill|{skill}|{agent.skills[skill]}" for skill in needed if skill in agent.skills]
        language = interaction.language.partition("-")[0]
        if language and language in agent.languages:
            why.append(f"language|{language}")
        if interaction.last_agent == agent.id:
            why.append("served_before")
        if interaction.tier:
            why.append(f"tier|{interaction.tier}")
        return (f"rule|{decision.reason.rule}", *why)

    async def _flow_out(self, decision: told.FlowOut, waiting: Interaction) -> None:
        way_out = decision.way_out
        to_queue = way_out.target if way_out.kind is WayOutKind.QUEUE else None
        try:
            await self._handling.flow_out(
                waiting, _REASONS[decision.cause], queue=to_queue, is_kept=way_out.kind in _KEPT
            )
        finally:
            self._leaving.discard(waiting.id)

    async def _expire(self, decision: told.WithdrawOffer) -> None:
        for offer in self._floor.offers_of(decision.agent_id):
            if offer.interaction == decision.interaction_id:
                await self._offers.expire(offer.id)

    # -- agreeing with the floor

    def _sweep(self) -> None:
        """Tell the engine what it should know and does not, and the other way round. Normally this finds nothing."""
        for interaction in self._floor.interactions.values():
            if interaction.id in self._leaving:
                continue
            if interaction.state in _WAITING and interaction.id not in self.router.floor.items:
                self.corrections += 1
                self._inbox.append(told.InteractionQueued(self._waiting(interaction)))
        for known in tuple(self.router.floor.items):
            found = self._floor.interactions.get(known)
            if found is None or found.state not in _WAITING:
                self.corrections += 1
                self._inbox.append(told.InteractionLeft(known))

    def staff(self) -> list[AgentState]:
        """Return everybody who may take work, there or not, as routing sees them."""
        return [self._agent_state(agent) for agent in self._floor.agents.values()]

    def _snapshot(self, declined: Iterable[Offer]) -> Snapshot:
        agents = [self._agent_state(agent) for agent in self._floor.agents.values() if _is_there(agent)]
        there = {agent.id for agent in agents}
        waiting = [i for i in self._floor.interactions.values() if i.state in _WAITING]
        excluded = self._excluded(declined)
        return Snapshot(
            at_ms=self._clock.now(),
            waiting=tuple(replace(self._waiting(i), excluded=tuple(excluded.get(i.id, ()))) for i in waiting),
            agents=tuple(agents),
            offers=tuple(_live_offers(self._floor.offers.values(), there, {i.id for i in waiting})),
        )

    def _excluded(self, declined: Iterable[Offer]) -> dict[str, list[Exclusion]]:
        """Return, by interaction, who is not offered it again yet, by how the last offers in its queue ended."""
        until: dict[tuple[str, str], int] = {}
        for offer in declined:
            interaction = self._floor.interactions.get(offer.interaction)
            again_ms = self.policy.same_agent_again_ms.get(_cause(offer), 0)
            if again_ms and interaction is not None and offer.made_at >= (interaction.queued_at or 0):
                until[offer.interaction, offer.agent] = (offer.ended_at or 0) + again_ms
        found: dict[str, list[Exclusion]] = {}
        for (interaction_id, agent_id), until_ms in until.items():
            if until_ms > self._clock.now():
                found.setdefault(interaction_id, []).append(Exclusion(agent_id, until_ms))
        return found

    def _waiting(self, interaction: Interaction) -> WaitingInteraction:
        company = self._settings.company
        language = interaction.language.partition("-")[0]
        tier = self._settings.tiers.get(interaction.tier)
        return WaitingInteraction(
            id=interaction.id,
            queue_id=interaction.queue,
            channel=self._known_kind(interaction.kind),
            queued_at_ms=interaction.queued_at or interaction.created_at,
            head_start_ms=interaction.head_start_ms,
            value=tier.value if tier else 1,
            languages=(language,) if language in company.languages else (),
            stays=interaction.is_message or self._floor.is_owed(interaction.id),
            **Wishes.of(interaction).for_routing(self.policy.skills),
        )

    def _known_kind(self, kind: str) -> str:
        """Return the channel kind whose rules hold: a chat's where the configuration has none (see `Settings.kind`)."""
        return kind if kind in self.policy.channels else "chat"

    def _agent_state(self, agent: Agent) -> AgentState:
        held = [i for i in self._floor.work_of(agent.id) if i.units > 0]
        return AgentState(
            id=agent.id,
            is_available=agent.presence is Presence.AVAILABLE and agent.next_presence is None,
            is_connected=agent.connectivity is Connectivity.CONNECTED,
            is_not_responding=agent.not_responding_since is not None,
            skills=agent.skills,
            languages=agent.languages or (self._settings.company.default_language,),
            groups=agent.groups,
            queue_ids=agent.queues,
            channels=agent.kinds,
            capacity_units=agent.capacity,
            units=agent.units,
            speed=agent.speed,
            idle_since_ms=agent.idle_since,
            last_offer_at_ms=agent.last_offer_at,
            holds=tuple(HeldWork(i.id, self._known_kind(i.kind), i.queue, i.answered_at or 0) for i in held),
            paused_until_ms=agent.paused_until,
            misses=agent.misses,
        )


def _cause(offer: Offer) -> OfferEnd:
    """Return how the offer ended, in routing's words."""
    reason = offer.reason if offer.state is OfferState.REVOKED else ""
    return _ENDS.get((offer.state, reason), OfferEnd.CAPACITY_CHANGED)


def _is_there(agent: Agent) -> bool:
    return agent.presence is not Presence.OFFLINE and agent.connectivity is not Connectivity.LOST


_PLACE = attrgetter("queue_id", "queued_at_ms")
_WISHES = attrgetter(
    "head_start_ms", "value", "skills", "any_of", "best_skills", "languages", "only_agent_id", "preferred_agent_ids"
)


def _live_offers(offers: Iterable[Offer], agents: set[str], interactions: set[str]) -> Iterable[LiveOffer]:
    for number, offer in enumerate(offers, 1):
        if offer.agent in agents and offer.interaction in interactions:
            yield LiveOffer(
                interaction_id=offer.interaction,
                agent_id=offer.agent,
                offer_no=number,
                deadline_ms=offer.deadline_at,
                offered_at_ms=offer.made_at,
            )
