"""What agents do in a call, and supervisors with one: hold, consult, put through, listen, take over, call out."""

import msgspec

from hub.domain.agent import Agent
from hub.domain.calls import Call, Direction, Leg, LegRole, Listening, OrderKind, Place
from hub.domain.customers import Address, AddressKind, normalized
from hub.domain.errors import BadRequest, Conflict, NotFound
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State, moved
from hub.domain.segments import SegmentKind
from hub.services import moves, people
from hub.services.access import Scope
from hub.services.phone.arrivals import KIND, may_record
from hub.services.phone.calls import CallService
from hub.services.phone.news import customers_line, guests
from hub.services.phone.state import WholeCall, is_recorded, order, save_leg, settle, whole_call
from hub.settings import Settings
from hub.storage.tables import AGENTS, CALLS, INTERACTIONS
from hub.storage.unit_of_work import Store, UnitOfWork

_TALKING = frozenset({State.ACTIVE, State.HELD, State.CONSULTING})


class CallDesk:
    """The use cases of whoever is in a call, or watches one. Each ends in the call being looked at in the same unit."""

    def __init__(self, store: Store, settings: Settings, calls: CallService) -> None:
        self._store = store
        self._settings = settings
        self._calls = calls
        self._news = calls.news.take

    def shown_by(self, channel: str) -> list[str]:
        """Return the numbers that a line may show to those whom one calls, its own first; none where it is no line."""
        line = self._calls.lines.get(channel)
        return list(line.shown) if line is not None else []

    async def hold(self, interaction_id: str, scope: Scope) -> Interaction:
        """Put the customer on hold: they hear music, and nobody.

        Raises:
            NotFound: not this agent's call. Conflict: nobody is being talked to.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            whole = await _own(tx, interaction_id, scope)
            held = moved(whole.interaction, State.HELD)
            await moves.begin_segment(tx, held, SegmentKind.HELD, agent=scope.agent, outcome="held")
            _record(tx, EventKind.CALL_HELD, held, scope)
            await tx.save(INTERACTIONS, held)
            return (await settle(tx, interaction_id, self._news)).interaction

        return await self._store.write(unit)

    async def resume(self, interaction_id: str, scope: Scope) -> Interaction:
        """Take the customer off hold; a consultation becomes a conversation of three.

        Raises:
            NotFound: not this agent's call. Conflict: nobody is on hold.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            whole = await _own(tx, interaction_id, scope)
            waiting = [leg for leg in guests(whole.legs) if leg.wants_hold]
            for leg in waiting:
                await self._hold_guest(tx, whole, leg, wanted=False)
            if waiting and whole.interaction.state is State.ACTIVE:
                return (await settle(tx, interaction_id, self._news)).interaction
            active = moved(whole.interaction, State.ACTIVE)
            await moves.begin_segment(tx, active, SegmentKind.HANDLED, agent=scope.agent, outcome="resumed")
            _record(tx, EventKind.CALL_RESUMED, active, scope)
            await tx.save(INTERACTIONS, active)
            return (await settle(tx, interaction_id, self._news)).interaction

        return await self._store.write(unit)

    async def consult(
        self, interaction_id: str, scope: Scope, *, number: str = "", agent: str = "", blind: bool = False
    ) -> Interaction:
        """Ring a number or a colleague while the customer holds; `blind` puts the customer through once they answer.

        A colleague's capacity is held from the first ring.

        Raises:
            NotFound: not this agent's call, or no such colleague. BadRequest: no target, or no number.
            Conflict: nobody is being talked to, or the colleague has no capacity left.
        """
        if bool(number) == bool(agent) or agent == scope.agent:
            raise BadRequest("Name a number or a colleague.")
        dialled = normalized(AddressKind.PHONE, number, region=self._settings.company.country) if number else ""

        async def unit(tx: UnitOfWork) -> Interaction:
            whole = await _own(tx, interaction_id, scope)
            if guests(whole.legs):
                raise Conflict("Somebody is being rung already.")
            colleague = await self._reserved(tx, agent) if agent else None
            consulting = moved(whole.interaction, State.CONSULTING)
            await moves.begin_segment(tx, consulting, SegmentKind.HELD, agent=scope.agent, outcome="consulting")
            guest = Leg(
                id=new_id("l"),
                interaction=interaction_id,
                role=LegRole.GUEST,
                endpoint=colleague.phone if colleague else dialled,
                agent=agent or None,
                wanted_at=tx.now,
                goes_to=Place.ROOM,
                units=self._settings.kind(KIND).units if colleague else 0,
            )
            await save_leg(tx, guest)
            await order(tx, whole.call, OrderKind.DIAL, leg=guest.id)
            if blind:
                await tx.save(CALLS, msgspec.structs.replace(whole.call, release_to=guest.id))
            _record(tx, EventKind.CONSULT_BEGAN, consulting, scope, to_agent=agent or None, blind=blind)
            await tx.save(INTERACTIONS, consulting)
            return (await settle(tx, interaction_id, self._news)).interaction

        return await self._store.write(unit)

    async def _reserved(self, tx: UnitOfWork, agent_id: str) -> Agent:
        agent = await moves.agent_for_change(tx, agent_id)
        units = self._settings.kind(KIND).units
        if not agent.can_be_offered or agent.held + units > agent.capacity:
            raise Conflict(f"{agent.name} cannot take a call now.")
        return await tx.save(AGENTS, msgspec.structs.replace(agent, held=agent.held + units))

    async def swap(self, interaction_id: str, scope: Scope) -> Interaction:
        """Talk to the one who holds, customer or guest, and let the other hold; of three the guest stays.

        Raises:
            NotFound: not this agent's call. Conflict: no guest has answered.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            whole = await _own(tx, interaction_id, scope)
            guest = next((leg for leg in guests(whole.legs) if leg.is_in_room), None)
            if guest is None:
                raise Conflict("Nobody has answered yet.")
            to_customer = whole.interaction.state is State.CONSULTING
            swapped = moved(whole.interaction, State.ACTIVE if to_customer else State.CONSULTING)
            kind, outcome = (SegmentKind.HANDLED, "resumed") if to_customer else (SegmentKind.HELD, "consulting")
            await moves.begin_segment(tx, swapped, kind, agent=scope.agent, outcome=outcome)
            _record(tx, EventKind.CALL_RESUMED if to_customer else EventKind.CALL_HELD, swapped, scope)
            if to_customer:
                await self._hold_guest(tx, whole, guest, wanted=True)
            await tx.save(INTERACTIONS, swapped)
            return (await settle(tx, interaction_id, self._news)).interaction

        return await self._store.write(unit)

    async def _hold_guest(self, tx: UnitOfWork, whole: WholeCall, guest: Leg, *, wanted: bool) -> None:
        await save_leg(tx, msgspec.structs.replace(guest, wants_hold=wanted))
        await order(tx, whole.call, OrderKind.HOLD if wanted else OrderKind.RESUME, leg=guest.id)

    async def end_consult(self, interaction_id: str, scope: Scope) -> Interaction:
        """Let the guest go and return to the customer.

        Raises:
            NotFound: not this agent's call. Conflict: nobody is being consulted.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            whole = await _own(tx, interaction_id, scope)
            rung = guests(whole.legs)
            if not rung:
                raise Conflict("Nobody is being consulted.")
            for leg in rung:
                await save_leg(tx, msgspec.structs.replace(leg, expected_end=True))
                await order(tx, whole.call, OrderKind.HANG_UP, leg=leg.id)
            await tx.save(CALLS, msgspec.structs.replace(whole.call, release_to=""))
            active = whole.interaction
            if active.state is State.CONSULTING:
                active = moved(active, State.ACTIVE)
                await moves.begin_segment(tx, active, SegmentKind.HANDLED, agent=scope.agent, outcome="resumed")
                await tx.save(INTERACTIONS, active)
            _record(tx, EventKind.CONSULT_ENDED, active, scope)
            return (await settle(tx, interaction_id, self._news)).interaction

        return await self._store.write(unit)

    async def put_through(self, interaction_id: str, scope: Scope) -> Interaction:
        """Leave the call to the guest: a colleague takes it over, a number talks on with the customer without us.

        Raises:
            NotFound: not this agent's call. Conflict: no guest has answered.
        """

        async def unit(tx: UnitOfWork) -> Interaction:
            whole = await _own(tx, interaction_id, scope)
            guest = next((leg for leg in guests(whole.legs) if leg.is_in_room), None)
            if guest is None:
                raise Conflict("Nobody has answered yet.")
            if guest.agent is None:
                await tx.save(CALLS, msgspec.structs.replace(whole.call, release_to=guest.id))
            else:
                await self._hand_over(tx, whole, guest, scope, "transferred")
            return (await settle(tx, interaction_id, self._news)).interaction

        return await self._store.write(unit)

    async def _hand_over(self, tx: UnitOfWork, whole: WholeCall, leg: Leg, scope: Scope, outcome: str) -> None:
        """Make whoever's line `leg` is the agent of the call; their capacity is held already, the other's is freed."""
        before = whole.interaction
        if before.agent is not None:
            await moves.release(tx, before.agent, before.units, idle_since=tx.now)
        await save_leg(tx, msgspec.structs.replace(leg, role=LegRole.AGENT, units=0, listening=Listening.NO))
        taken = msgspec.structs.replace(
            before,
            state=State.ACTIVE,
            agent=leg.agent,
            last_agent=leg.agent,
            units=leg.units or before.units,
        )
        await moves.begin_segment(tx, taken, SegmentKind.HANDLED, agent=leg.agent, outcome=outcome)
        tx.record(
            EventKind.INTERACTION_TRANSFERRED,
            actor=scope.actor,
            interaction=before.id,
            customer=before.customer,
            agent=before.agent,
            queue=before.queue,
            to_agent=leg.agent,
            to_queue=None,
            outcome=outcome,
        )
        await tx.save(INTERACTIONS, taken)

    async def mute(self, interaction_id: str, scope: Scope, *, muted: bool) -> None:
        """Silence the agent's own line, or let it be heard again.

        Raises:
            NotFound: not this agent's call. Conflict: the line is not in the room.
        """

        async def unit(tx: UnitOfWork) -> None:
            whole = await _own(tx, interaction_id, scope)
            line = next((leg for leg in whole.legs if leg.agent == scope.agent and leg.is_in_room), None)
            if line is None:
                raise Conflict("Your line is not in the call.")
            if line.wants_mute is not muted:
                await save_leg(tx, msgspec.structs.replace(line, wants_mute=muted))
                await order(tx, whole.call, OrderKind.MUTE if muted else OrderKind.UNMUTE, leg=line.id)

        await self._store.write(unit)

    async def pause_recording(self, interaction_id: str, scope: Scope, *, paused: bool) -> None:
        """Stop keeping the sound while card data are said, or go on.

        Raises:
            NotFound: not this agent's call. Conflict: the call is not recorded.
        """

        async def unit(tx: UnitOfWork) -> None:
            whole = await _own(tx, interaction_id, scope)
            if not is_recorded(self._settings, whole.call, whole.interaction.queue):
                raise Conflict("This call is not recorded.")
            if whole.call.is_recording_paused is not paused:
                await tx.save(CALLS, msgspec.structs.replace(whole.call, is_recording_paused=paused))
                kind = OrderKind.PAUSE_RECORDING if paused else OrderKind.RESUME_RECORDING
                await order(tx, whole.call, kind, leg=customers_line(whole))
                _record(tx, EventKind.RECORDING_PAUSED, whole.interaction, scope, paused=paused)

        await self._store.write(unit)

    async def call_out(
        self, scope: Scope, channel: str, number: str, *, customer: str = "", client_id: str = "", shown: str = ""
    ) -> Interaction:
        """Ring the agent's phone, then the number. `client_id` repeated begins nothing.

        `shown` is the number of ours that they see, the line's own where it is empty.

        Raises:
            BadRequest: no such number, or one that the line may not show. NotFound: no such line or customer.
            Conflict: the agent has no capacity left.
        """
        line = self._calls.lines.get(channel)
        if line is None:
            raise NotFound(f"There is no phone line {channel!r}.")
        if shown and shown not in line.shown:
            raise BadRequest(f"This line may not show {shown}.")
        dialled = normalized(AddressKind.PHONE, number, region=self._settings.company.country)

        async def unit(tx: UnitOfWork) -> Interaction:
            if client_id:
                found = await tx.select(
                    INTERACTIONS,
                    "WHERE channel = $1 AND provider_id = $2 AND provider_id <> ''",
                    channel,
                    f"out:{scope.agent}:{client_id}",
                )
                if found:
                    return found[0]
            agent = await moves.agent_for_change(tx, scope.agent)
            units = self._settings.kind(KIND).units
            if agent.held + units > agent.capacity:
                raise Conflict("You have no capacity left. Finish or park something first.")
            owner = await people.seen_customer(tx, customer, scope) if customer else None
            if owner is None:
                owner, _ = await people.resolve(tx, [Address(kind=AddressKind.PHONE, value=dialled)])
            interaction = Interaction(
                id=new_id("i"),
                channel=channel,
                kind=KIND,
                customer=owner.id,
                queue=line.queue,
                state=State.CONNECTING,
                created_at=tx.now,
                address=dialled,
                provider_id=f"out:{scope.agent}:{client_id}" if client_id else "",
                agent=agent.id,
                last_agent=agent.id,
                language=owner.language or line.languages[0],
                tier=owner.tier,
                answered_at=tx.now,
                units=units,
            )
            interaction = msgspec.structs.replace(interaction, root=interaction.id)
            await tx.save(AGENTS, msgspec.structs.replace(agent, held=agent.held + units))
            tx.touch(owner)
            _record(tx, EventKind.INTERACTION_CREATED, interaction, scope, channel=channel, channel_kind=KIND)
            await tx.insert(INTERACTIONS, interaction)
            call = Call(
                id=interaction.id,
                channel=channel,
                direction=Direction.OUTBOUND,
                number=dialled,
                line=shown or line.number,
                language=interaction.language,
                records=may_record(line, dialled),
            )
            await tx.insert(CALLS, call)
            return (await settle(tx, interaction.id, self._news)).interaction

        return await self._store.write(unit)

    # -- supervisors

    async def listen(self, interaction_id: str, scope: Scope, how: Listening) -> None:
        """Join a call unheard, whisper to the agent, speak to both, or leave (`NO`).

        Raises:
            Forbidden: not a supervisor. NotFound: no such call. Conflict: nobody is talking there now.
        """
        scope.require_supervisor()

        async def unit(tx: UnitOfWork) -> None:
            whole = await whole_call(tx, interaction_id)
            mine = next(
                (
                    leg
                    for leg in whole.legs
                    if leg.role is LegRole.SUPERVISOR and leg.agent == scope.agent and leg.is_live
                ),
                None,
            )
            if how is Listening.NO:
                if mine is not None and not mine.expected_end:
                    await save_leg(tx, msgspec.structs.replace(mine, expected_end=True))
                    await order(tx, whole.call, OrderKind.HANG_UP, leg=mine.id)
                return
            agents_line = next((leg for leg in whole.legs if leg.role is LegRole.AGENT and leg.is_in_room), None)
            if whole.interaction.state not in _TALKING or agents_line is None:
                raise Conflict("Nobody is talking in this call now.")
            _record(tx, EventKind.SUPERVISOR_LISTENS, whole.interaction, scope, how=str(how))
            if mine is not None:
                await save_leg(tx, msgspec.structs.replace(mine, listening=how))
                await order(tx, whole.call, OrderKind.LISTEN, leg=mine.id, argument=agents_line.id)
                return
            supervisor = await moves.agent_for_change(tx, scope.agent)
            leg = Leg(
                id=new_id("l"),
                interaction=interaction_id,
                role=LegRole.SUPERVISOR,
                endpoint=supervisor.phone,
                agent=scope.agent,
                wanted_at=tx.now,
                goes_to=Place.ROOM,
                listening=how,
            )
            await save_leg(tx, leg)
            await order(tx, whole.call, OrderKind.DIAL, leg=leg.id, argument=agents_line.provider_id)

        await self._store.write(unit)

    async def take_over(self, interaction_id: str, scope: Scope) -> Interaction:
        """Take the call from its agent: the supervisor's line, which is in the room, becomes the agent's.

        Raises:
            Forbidden: not a supervisor. NotFound: no such call. Conflict: not in the call, or no capacity left.
        """
        scope.require_supervisor()

        async def unit(tx: UnitOfWork) -> Interaction:
            whole = await whole_call(tx, interaction_id)
            mine = next(
                (
                    leg
                    for leg in whole.legs
                    if leg.role is LegRole.SUPERVISOR and leg.agent == scope.agent and leg.is_in_room
                ),
                None,
            )
            if mine is None or whole.interaction.state not in _TALKING:
                raise Conflict("Join the call first.")
            supervisor = await moves.agent_for_change(tx, scope.agent)
            units = whole.interaction.units
            if supervisor.held + units > supervisor.capacity:
                raise Conflict("You have no capacity left.")
            await tx.save(AGENTS, msgspec.structs.replace(supervisor, held=supervisor.held + units))
            await order(tx, whole.call, OrderKind.LISTEN, leg=mine.id)
            await self._hand_over(tx, whole, mine, scope, "taken_over")
            return (await settle(tx, interaction_id, self._news)).interaction

        return await self._store.write(unit)


async def _own(tx: UnitOfWork, interaction_id: str, scope: Scope) -> WholeCall:
    """Return a call that this agent has.

    Raises:
        NotFound: it is not theirs, or no call.
    """
    whole = await whole_call(tx, interaction_id)
    if whole.interaction.agent != scope.agent or whole.interaction.state not in _TALKING:
        raise NotFound("This is not a call of yours.")
    return whole


def _record(
    tx: UnitOfWork, kind: EventKind, interaction: Interaction, scope: Scope, **facts: str | bool | None
) -> None:
    tx.record(
        kind,
        actor=scope.actor,
        interaction=interaction.id,
        customer=interaction.customer,
        agent=scope.agent,
        queue=interaction.queue,
        **facts,
    )
