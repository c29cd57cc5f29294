"""What the legs of a call say about its interaction, and what follows: connected, lost, back, gone, put through."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from hub.domain.call_plan import RING_AGAIN_MS, News
from hub.domain.calls import Direction, EndCause, Leg, LegRole, OrderKind
from hub.domain.events import EventKind
from hub.domain.interaction import ClosingReason, Interaction, State, moved
from hub.domain.segments import SegmentKind
from hub.services import moves
from hub.services.handling import Handling
from hub.services.phone.state import WholeCall, is_recorded, order, save_leg
from hub.services.presence import take_back
from hub.settings import Settings
from hub.storage.tables import AGENTS, CALLS, INTERACTIONS
from hub.storage.unit_of_work import UnitOfWork

_BACK_OFF: Final = {EndCause.BUSY: "busy", EndCause.REFUSED: "rejected", EndCause.NO_ANSWER: "timed_out"}
Handler = Callable[[UnitOfWork, WholeCall, EndCause | None], Awaitable[None]]


class CallNews:
    """Moves an interaction as its legs demand, in the caller's unit."""

    def __init__(self, settings: Settings, handling: Handling) -> None:
        self._settings = settings
        self._handling = handling
        self.on_left_flow: Callable[[UnitOfWork, Interaction], Awaitable[None]] | None = None
        self._handlers: Mapping[News, Handler] = {
            News.CONNECTED: self._connected,
            News.CONNECT_FAILED: self._connect_failed,
            News.CUSTOMER_GONE: self._customer_gone,
            News.CUSTOMER_UNREACHED: self._unreached,
            News.LINE_LOST: self._line_lost,
            News.AGENT_HUNG_UP: self._agent_hung_up,
            News.REATTACHED: self._reattached,
            News.REATTACH_FAILED: self._reattach_failed,
            News.PUT_THROUGH: self._put_through,
            News.GUEST_UNREACHED: self._guest_unreached,
        }

    async def take(self, tx: UnitOfWork, whole: WholeCall, news: News, cause: EndCause | None) -> None:
        """Do what the news ask for; afterwards they are news no more."""
        await self._handlers[news](tx, whole, cause)

    async def _connected(self, tx: UnitOfWork, whole: WholeCall, _cause: EndCause | None) -> None:
        interaction, call = whole.interaction, whole.call
        agent = await moves.holder_for_change(tx, interaction.agent or "")
        if call.direction is not Direction.OUTBOUND:
            moves.record_answer(tx, self._settings, interaction, agent.id, rang_ms=_rang_ms(tx, interaction))
        tx.record(
            EventKind.CALL_CONNECTED,
            interaction=interaction.id,
            customer=interaction.customer,
            agent=agent.id,
            queue=interaction.queue,
            direction=str(call.direction),
        )
        await moves.begin_segment(tx, interaction, SegmentKind.HANDLED, agent=agent.id, outcome="accepted")
        await moves.cancel_job(tx, "call_look", interaction.id)
        active = moved(interaction, State.ACTIVE, answered_at=tx.now, last_agent=agent.id, head_start_ms=0)
        active = await moves.say_system(tx, active, "joined", agent=agent.id, name=agent.name)
        await tx.save(AGENTS, msgspec.structs.replace(agent, misses=0, idle_since=tx.now))
        await tx.save(INTERACTIONS, active)
        if not is_recorded(self._settings, whole.call, whole.interaction.queue):
            return
        if call.direction is not Direction.INBOUND:
            # Who calls has heard it before; whom we call hears it now.
            await order(tx, call, OrderKind.ANNOUNCE, leg=customers_line(whole), argument="recorded")
        await order(tx, call, OrderKind.RECORD, leg=customers_line(whole))
        if call.is_recording_paused:
            await tx.save(CALLS, msgspec.structs.replace(call, is_recording_paused=False))

    async def _connect_failed(self, tx: UnitOfWork, whole: WholeCall, cause: EndCause | None) -> None:
        """The agent's phone was not answered: the caller keeps their place, the agent pauses."""
        interaction, call = whole.interaction, whole.call
        back_off = self._settings.offers.agent_back_off_s.get(_BACK_OFF.get(cause or EndCause.FAILED, "failed"), 5.0)
        await moves.release(
            tx, interaction.agent or "", interaction.units, paused_until=tx.now + round(back_off * 1000)
        )
        await moves.cancel_job(tx, "call_look", interaction.id)
        if call.direction is Direction.OUTBOUND:
            await self._end(tx, interaction, ClosingReason.NOT_REACHED)
            return
        await tx.save(INTERACTIONS, await moves.disconnected(tx, interaction, "connect_failed"))

    async def _customer_gone(self, tx: UnitOfWork, whole: WholeCall, _cause: EndCause | None) -> None:
        interaction = whole.interaction
        if interaction.state is State.CONNECTING:
            await moves.release(tx, interaction.agent or "", interaction.units)
            interaction = await tx.save(INTERACTIONS, await moves.disconnected(tx, interaction, "customer_left"))
        if interaction.state is State.SELF_SERVICE and self.on_left_flow is not None:
            await self.on_left_flow(tx, interaction)
            return
        if interaction.state is State.HELD and self.on_left_flow is not None:
            await self.on_left_flow(tx, interaction)
            interaction = await moves.interaction_for_change(tx, interaction.id)
        if interaction.state in {State.CREATED, State.SELF_SERVICE}:
            await self._end(tx, interaction, ClosingReason.CUSTOMER_LEFT)
            return
        await self._handling.customer_left(tx, interaction)

    async def _unreached(self, tx: UnitOfWork, whole: WholeCall, cause: EndCause | None) -> None:
        """The customer did not answer our call: the agent notes it in wrap-up, and a callback is tried again later."""
        interaction, call = whole.interaction, whole.call
        if call.direction is Direction.CALLBACK and interaction.state is State.CONNECTING:
            moves.record_answer(tx, self._settings, interaction, interaction.agent or "", rang_ms=0)
        dials = call.dials + 1
        await tx.save(CALLS, msgspec.structs.replace(call, dials=dials))
        wrapping = await self._handling.begin_wrap_up(
            tx, interaction, f"not_reached:{cause}" if cause else "not_reached", actor="system"
        )
        if call.direction is Direction.CALLBACK and dials < self._settings.calls.callback_tries:
            due = tx.now + round(self._settings.calls.callback_again_s * 1000)
            await moves.schedule(tx, "callback_again", wrapping.id, due)

    async def _line_lost(self, tx: UnitOfWork, whole: WholeCall, _cause: EndCause | None) -> None:
        """Keep the caller, say what happened, and wait a little for the agent."""
        until = tx.now + round(self._settings.calls.reattach_s * 1000)
        call = await tx.save(CALLS, msgspec.structs.replace(whole.call, reattach_until=until))
        await moves.schedule(tx, "call_look", call.id, tx.now + RING_AGAIN_MS)
        tx.record(
            EventKind.LINE_LOST,
            interaction=call.id,
            customer=whole.interaction.customer,
            agent=whole.interaction.agent,
            queue=whole.interaction.queue,
        )

    async def _agent_hung_up(self, tx: UnitOfWork, whole: WholeCall, _cause: EndCause | None) -> None:
        await self._handling.begin_wrap_up(tx, whole.interaction, "handled", actor=f"agent:{whole.interaction.agent}")

    async def _reattached(self, tx: UnitOfWork, whole: WholeCall, _cause: EndCause | None) -> None:
        await tx.save(CALLS, msgspec.structs.replace(whole.call, reattach_until=None))
        await moves.cancel_job(tx, "call_look", whole.call.id)
        tx.record(
            EventKind.LINE_BACK,
            interaction=whole.call.id,
            customer=whole.interaction.customer,
            agent=whole.interaction.agent,
            queue=whole.interaction.queue,
        )

    async def _reattach_failed(self, tx: UnitOfWork, whole: WholeCall, _cause: EndCause | None) -> None:
        await tx.save(CALLS, msgspec.structs.replace(whole.call, reattach_until=None))
        await moves.cancel_job(tx, "call_look", whole.call.id)
        await take_back(tx, whole.interaction, whole.agent.name if whole.agent else "", "agent_lost")

    async def _put_through(self, tx: UnitOfWork, whole: WholeCall, _cause: EndCause | None) -> None:
        """The guest is there: customer and guest talk on without us, and the agent wraps up."""
        call = await tx.save(CALLS, msgspec.structs.replace(whole.call, release_to="", is_released=True))
        tx.record(
            EventKind.CALL_PUT_THROUGH,
            actor=f"agent:{whole.interaction.agent}",
            interaction=call.id,
            customer=whole.interaction.customer,
            agent=whole.interaction.agent,
            queue=whole.interaction.queue,
        )
        if is_recorded(self._settings, whole.call, whole.interaction.queue):
            await order(tx, call, OrderKind.STOP_RECORDING, leg=customers_line(whole))
        await self._handling.begin_wrap_up(tx, whole.interaction, "handled", actor=f"agent:{whole.interaction.agent}")

    async def _guest_unreached(self, tx: UnitOfWork, whole: WholeCall, cause: EndCause | None) -> None:
        """Whom the agent rang is not there (any more): back to the customer."""
        call = await tx.save(CALLS, msgspec.structs.replace(whole.call, release_to=""))
        for leg in whole.legs:
            if leg.role is LegRole.GUEST and not leg.is_live and not leg.expected_end:
                await save_leg(tx, msgspec.structs.replace(leg, expected_end=True))
        tx.record(
            EventKind.CONSULT_ENDED,
            interaction=call.id,
            customer=whole.interaction.customer,
            agent=whole.interaction.agent,
            queue=whole.interaction.queue,
            cause=str(cause or ""),
        )
        if whole.interaction.state is State.CONSULTING:
            await moves.begin_segment(
                tx, whole.interaction, SegmentKind.HANDLED, agent=whole.interaction.agent, outcome="consult_ended"
            )
            await tx.save(INTERACTIONS, moved(whole.interaction, State.ACTIVE))

    async def _end(self, tx: UnitOfWork, interaction: Interaction, reason: ClosingReason) -> None:
        """End an interaction that never was in a queue's figures."""
        ended = msgspec.structs.replace(
            interaction,
            state=State.ABANDONED,
            closing_reason=reason,
            ended_at=tx.now,
            agent=None,
            units=0,
            answered_at=None,
        )
        await moves.end_segments(tx, interaction.id, str(reason))
        await tx.save(INTERACTIONS, ended)


def _rang_ms(tx: UnitOfWork, interaction: Interaction) -> int:
    """From the agent's acceptance, which `answered_at` holds while the lines are being joined."""
    return tx.now - (interaction.answered_at or tx.now)


def customers_line(whole: WholeCall) -> str:
    """Return the id of the customer's line that is there, empty when it is gone."""
    return next((leg.id for leg in reversed(whole.legs) if leg.role is LegRole.CUSTOMER and leg.is_live), "")


def guests(legs: tuple[Leg, ...]) -> list[Leg]:
    """Return the guests' lines that are there or on their way."""
    return [leg for leg in legs if leg.role is LegRole.GUEST and leg.is_live]
