"""Calls that we owe at a time: planned by agents, moved, begun early or given up. One per number and queue.

Until its time a planned call is parked with whoever planned it; then it waits in its queue like any callback, for them
first if they wanted to make it themselves. What callers book for themselves is `CallService`'s.
"""

import msgspec

from hub.domain.calls import Call, Direction
from hub.domain.customers import Address, AddressKind, Customer, normalized
from hub.domain.errors import BadRequest, Conflict, NotFound
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import ClosingReason, Interaction, State, check_move
from hub.domain.segments import SegmentKind
from hub.services import moves, people
from hub.services.access import Scope
from hub.services.handling import Handling
from hub.services.phone.arrivals import KIND, may_record
from hub.services.phone.calls import CallService, owed_call
from hub.settings import Settings
from hub.storage.tables import CALLS, INTERACTIONS
from hub.storage.unit_of_work import Store, UnitOfWork

TIMER = "callback_due"
FURTHEST_MS = 366 * 86_400_000


class Callbacks:
    """The use cases of planned calls."""

    def __init__(self, store: Store, settings: Settings, calls: CallService, handling: Handling) -> None:
        self._store = store
        self._settings = settings
        self._calls = calls
        self._handling = handling

    async def plan(
        self, scope: Scope, channel: str, number: str, due_at: int, *, customer: str = "", own: bool = True
    ) -> Interaction:
        """Owe somebody a call at `due_at` (milliseconds since 1970 UTC); one that is planned already is moved there.

        `own`: whoever plans it is asked first when it is due.

        Raises:
            BadRequest: no such number, or no such time. NotFound: no such line or customer.
            Conflict: their call waits already, or is under way.
        """
        line = self._calls.lines.get(channel)
        if line is None:
            raise NotFound(f"There is no phone line {channel!r}.")
        dialled = normalized(AddressKind.PHONE, number, region=self._settings.company.country)

        async def unit(tx: UnitOfWork) -> Interaction:
            if not tx.now < due_at <= tx.now + FURTHEST_MS:
                raise BadRequest("A call is planned within the next year.")
            known = await owed_call(tx, dialled, line.queue)
            if known is not None and (known.state is not State.PARKED or not scope.sees(known)):
                raise Conflict("This number is being called back already.")
            if known is not None:
                call = await _call(tx, known.id)
            else:
                owner = await people.seen_customer(tx, customer, scope) if customer else None
                if owner is None:
                    owner, _ = await people.resolve(tx, [Address(kind=AddressKind.PHONE, value=dialled)])
                known = self._parked(tx, owner, channel, line.queue, dialled, line.languages[0])
                call = await tx.insert(
                    CALLS,
                    Call(
                        id=known.id,
                        channel=channel,
                        direction=Direction.CALLBACK,
                        number=dialled,
                        line=line.number,
                        language=known.language,
                        records=may_record(line, dialled),
                        customer_first=line.calls_customer_first,
                    ),
                )
                await tx.insert(INTERACTIONS, known)
                await moves.begin_segment(tx, known, SegmentKind.PARKED, agent=scope.agent, outcome="planned")
                _record(tx, EventKind.INTERACTION_CREATED, known, scope, channel=channel, channel_kind=KIND)
            await tx.save(CALLS, msgspec.structs.replace(call, due_at=due_at))
            await moves.schedule(tx, TIMER, known.id, due_at)
            _record(tx, EventKind.CALLBACK_BOOKED, known, scope, callback=known.id, due_at=due_at)
            mine = msgspec.structs.replace(known, agent=scope.agent, direct_to=scope.agent if own else None)
            return await tx.save(INTERACTIONS, mine)

        return await self._store.write(unit)

    def _parked(
        self, tx: UnitOfWork, owner: Customer, channel: str, queue: str, number: str, language: str
    ) -> Interaction:
        tx.touch(owner)
        interaction_id = new_id("i")
        return Interaction(
            id=interaction_id,
            channel=channel,
            kind=KIND,
            customer=owner.id,
            queue=queue,
            state=State.PARKED,
            created_at=tx.now,
            address=number,
            language=owner.language or language,
            tier=owner.tier,
            needs=moves.needs_of(self._settings, channel),
            root=interaction_id,
        )

    async def due(self, interaction_id: str) -> None:
        """Let a planned call wait in its queue, its time having come; one that was moved, begun or given up is not."""

        async def unit(tx: UnitOfWork) -> None:
            interaction = await moves.interaction_for_change(tx, interaction_id)
            call = await _call(tx, interaction_id)
            if interaction.state is State.PARKED and call.due_at is not None and call.due_at <= tx.now:
                await tx.save(INTERACTIONS, await self._calls.queue_planned(tx, interaction, call))

        await self._store.write(unit)

    async def begin(self, interaction_id: str, scope: Scope) -> Interaction:
        """Make a planned call now: the agent's phone is rung, and the customer's.

        Raises:
            NotFound: not this agent's. Conflict: it is not planned any more, or no capacity is left.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction, call = await _planned(tx, interaction_id, scope)
            units = await self._handling.hold(tx, scope.agent, KIND)
            # By way of the queue, which it leaves in this instant: a phone that is not answered leads back there.
            waiting = await self._calls.queue_planned(tx, interaction, call)
            check_move(State.PARKED, State.CONNECTING)
            return await tx.save(
                INTERACTIONS,
                msgspec.structs.replace(
                    waiting, state=State.CONNECTING, agent=scope.agent, direct_to=None, units=units, answered_at=tx.now
                ),
            )

        return await self._store.write(unit)

    async def give_up(self, interaction_id: str, scope: Scope) -> Interaction:
        """Owe nobody a call any more.

        Raises:
            NotFound: not this agent's. Conflict: it is not planned any more.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            interaction, _ = await _planned(tx, interaction_id, scope)
            await moves.cancel_job(tx, TIMER, interaction.id)
            return await self._handling.close_parked(
                tx, interaction, ClosingReason.CALLBACK_CANCELLED, f"agent:{scope.agent}"
            )

        return await self._store.write(unit)


async def _planned(tx: UnitOfWork, interaction_id: str, scope: Scope) -> tuple[Interaction, Call]:
    interaction = await moves.interaction_for_change(tx, interaction_id)
    call = await tx.get(CALLS, interaction_id, lock=True)
    if call is None or interaction.agent != scope.agent:
        raise NotFound("This is not a call that you have planned.")
    if interaction.state is not State.PARKED or call.direction is not Direction.CALLBACK:
        raise Conflict("This call is not planned any more.")
    return interaction, call


async def _call(tx: UnitOfWork, interaction_id: str) -> Call:
    call = await tx.get(CALLS, interaction_id, lock=True)
    if call is None:
        raise NotFound("There is no such call.")
    return call


def _record(tx: UnitOfWork, kind: EventKind, interaction: Interaction, scope: Scope, **facts: str | int) -> None:
    tx.record(
        kind,
        actor=scope.actor,
        interaction=interaction.id,
        customer=interaction.customer,
        agent=scope.agent,
        queue=interaction.queue,
        **facts,
    )
