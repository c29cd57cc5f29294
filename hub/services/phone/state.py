"""A call inside a unit of work: read whole, planned, and moved until nothing more is wanted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from hub.domain.agent import Agent, Connectivity
from hub.domain.call_plan import News, Plan, Surroundings, plan
from hub.domain.calls import Call, EndCause, Leg, LegState, Order, OrderKind
from hub.domain.errors import NotFound
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.services import moves
from hub.settings import Settings
from hub.storage.tables import AGENTS, CALL_ORDERS, CALLS, INTERACTIONS, LEGS
from hub.storage.unit_of_work import UnitOfWork

_MOST_TURNS = 8
_BESIDE = (
    "WHERE interaction = (SELECT line.interaction FROM legs AS line JOIN calls ON calls.id = line.interaction "
    "WHERE line.provider_id = $1 AND line.provider_id <> '' AND calls.channel = $2 LIMIT 1) "
    "ORDER BY wanted_at, id FOR UPDATE"
)
_LAST_OF_RECORDING = (
    "WHERE interaction = $1 AND leg = $2 AND kind IN ('record', 'stop_recording') ORDER BY at DESC, id DESC LIMIT 1"
)
_SET_LEGS = LEGS.insertion._replace(
    tail="ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in LEGS.columns if name not in LEGS.key)
)


@dataclass(frozen=True, slots=True)
class WholeCall:
    """A call with its interaction and its legs, as stored and locked."""

    interaction: Interaction
    call: Call
    legs: tuple[Leg, ...]
    agent: Agent | None

    def leg(self, leg_id: str) -> Leg | None:
        """Return one of its legs."""
        return next((leg for leg in self.legs if leg.id == leg_id), None)


OnNews = Callable[[UnitOfWork, WholeCall, News, EndCause | None], Awaitable[None]]


async def whole_call(tx: UnitOfWork, interaction_id: str) -> WholeCall:
    """Return a call, locked until the end of the unit.

    Raises:
        NotFound: there is no such call.
    """
    interaction = await moves.interaction_for_change(tx, interaction_id)
    call = await tx.get(CALLS, interaction_id, lock=True)
    if call is None:
        raise NotFound("There is no such call.")
    legs = await tx.select(LEGS, "WHERE interaction = $1 ORDER BY wanted_at, id FOR UPDATE", interaction_id)
    agent = await tx.get(AGENTS, interaction.agent) if interaction.agent else None
    return WholeCall(interaction, call, tuple(legs), agent)


async def call_in_flow(tx: UnitOfWork, channel: str, provider_id: str) -> WholeCall:
    """Return the call of a line whose caller answers a flow, by the carrier's name of the line.

    What is remembered of it will do, for an answer changes it exactly.

    Raises:
        NotFound: there is no such call.
    """
    legs = await tx.select(LEGS, _BESIDE, provider_id, channel)
    if not legs:
        raise NotFound("There is no such call.")
    interaction_id = legs[0].interaction
    one = (interaction_id,)
    interaction = (await tx.recall(INTERACTIONS, one, fits=_is_in_flow)).get(interaction_id)
    call = (await tx.recall(CALLS, one, fits=lambda _: True)).get(interaction_id)
    if interaction is None or call is None:
        raise NotFound("There is no such call.")
    agent = await tx.get(AGENTS, interaction.agent) if interaction.agent else None
    return WholeCall(interaction, call, tuple(legs), agent)


def _is_in_flow(interaction: Interaction) -> bool:
    return interaction.state is State.SELF_SERVICE


async def save_leg(tx: UnitOfWork, leg: Leg) -> Leg:
    """Store a leg, new or changed."""
    await tx.change(_SET_LEGS, [LEGS.values(leg)], touches=(leg.id,))
    return tx.touch(leg)


async def order(tx: UnitOfWork, call: Call, kind: str, *, leg: str = "", argument: str = "") -> Order:
    """Write an order; it is carried out after the commit."""
    written = Order(
        id=new_id("r"),
        interaction=call.id,
        kind=kind,  # type: ignore[arg-type]
        leg=leg,
        argument=argument,
        at=tx.now,
        due_at=tx.now,
    )
    return await tx.insert(CALL_ORDERS, written)


async def settle(tx: UnitOfWork, interaction_id: str, on_news: OnNews) -> WholeCall:
    """Do what the call needs now, again and again until it needs nothing more.

    Raises:
        NotFound: there is no such call.
    """
    whole = await whole_call(tx, interaction_id)
    for _ in range(_MOST_TURNS):
        wanted = plan(whole.interaction, whole.call, whole.legs, _around(tx, whole))
        await _apply(tx, whole, wanted)
        if wanted.news is not None:
            await on_news(tx, whole, wanted.news, wanted.cause)
        elif not wanted.legs and not wanted.wishes:
            break
        whole = await whole_call(tx, interaction_id)
    return whole


def _around(tx: UnitOfWork, whole: WholeCall) -> Surroundings:
    agent = whole.agent
    return Surroundings(
        now=tx.now,
        agent_endpoint=agent.phone if agent else "",
        agent_is_there=agent is not None and agent.connectivity is Connectivity.CONNECTED,
        is_browser=agent is None or not agent.phone,
    )


async def _apply(tx: UnitOfWork, whole: WholeCall, wanted: Plan) -> None:
    for leg in wanted.legs.values():
        await save_leg(tx, leg)
    for wish in wanted.wishes:
        if wish.kind is OrderKind.PARK and await _is_being_recorded(tx, whole.call, wish.leg):
            # Nobody talks any more; whether what follows is recorded is the next queue's to say.
            await order(tx, whole.call, OrderKind.STOP_RECORDING, leg=wish.leg)
        await order(tx, whole.call, wish.kind, leg=wish.leg, argument=wish.argument)


async def _is_being_recorded(tx: UnitOfWork, call: Call, leg: str) -> bool:
    if not call.records:
        return False
    last = await tx.select(CALL_ORDERS, _LAST_OF_RECORDING, call.id, leg)
    return bool(last) and last[0].kind is OrderKind.RECORD


def is_recorded(settings: Settings, call: Call, queue: str) -> bool:
    """Whether what is said in a call is recorded: it may be, and the queue that has it wants it."""
    found = settings.queues.get(queue)
    return call.records and (found is None or found.records_calls)


def ended(leg: Leg, cause: EndCause, at: int) -> Leg:
    """Return the leg as it is once it is over."""
    return msgspec.structs.replace(leg, state=LegState.ENDED, cause=leg.cause or cause, ended_at=leg.ended_at or at)
