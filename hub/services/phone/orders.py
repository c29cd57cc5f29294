"""Carries out what calls order of their carriers, in order for each call, as often as it takes; and compares notes."""

import asyncio
import contextlib
import logging
from collections import deque

import msgspec

from hub.clock import Clock
from hub.contract.calls import DialTo, InboundCall, LegNews, LegView, LiveCalls, Target
from hub.domain.agent import Agent, Connectivity
from hub.domain.calls import Call, Direction, EndCause, Leg, LegRole, LegState, Order, OrderKind, OrderState, Place
from hub.domain.errors import ChannelUnavailable, HubError, MessageRejected, Unavailable
from hub.domain.interaction import Interaction, State
from hub.events import Bus, Commit
from hub.services.phone.arrivals import KIND
from hub.services.phone.calls import CallService
from hub.settings import Settings
from hub.storage.tables import CALL_ORDERS, CALLS, LEGS
from hub.storage.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)
_RETRY_MS = (250, 500, 1_000, 2_000, 4_000, 8_000)
_ITS_OWN = frozenset({State.CREATED, State.SELF_SERVICE})
"""States in which the caller hears documents of their own, and nothing is wanted of the lines."""
_YOUNG_MS = 15_000
"""A call younger than this may not have reached us yet: its webhook is on the way."""
_TURNS = 3
"""Lines on their way somewhere are compared so many times as often as all the others."""


_OF_CHANNEL = "AND EXISTS (SELECT 1 FROM calls WHERE calls.id = legs.interaction AND calls.channel = $1)"
_LIVE = f"WHERE state <> 'ended' {_OF_CHANNEL} ORDER BY wanted_at, id"
_MOVING = (
    "WHERE state <> 'ended' AND ((goes_to = 'room' AND place <> 'room') OR expected_end OR wants_hold <> is_held) "
    f"{_OF_CHANNEL} ORDER BY wanted_at, id"
)
"""Lines of which something was ordered that has not been confirmed."""


class CallOrders:
    """One worker a call at a time: what was ordered first is done first."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, calls: CallService, bus: Bus) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._calls = calls
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._look_again: set[str] = set()
        self._waiting: dict[str, deque[Order]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._reconciler: asyncio.Task[None] | None = None
        self._is_open = False
        self.channels: dict[str, LiveCalls] = {}
        bus.subscribe(self._on_commit)

    async def start(self) -> None:
        """Take up what was ordered before the hub went away, and look at every open call once."""

        async def unit(tx: UnitOfWork) -> tuple[list[Order], list[str]]:
            orders = await tx.select(CALL_ORDERS, "WHERE state = 'waiting' ORDER BY at, id")
            rows = await tx.fetch(
                "SELECT DISTINCT interaction FROM legs WHERE state <> 'ended' ORDER BY interaction",
            )
            return orders, [row[0] for row in rows]

        self._is_open = True
        orders, open_calls = await self._store.read(unit)
        for order in orders:
            self._put(order)
        for interaction in open_calls:
            await self._calls.look(interaction)
        self._reconciler = asyncio.create_task(self._reconcile_for_ever(), name="call reconciler")

    async def stop(self) -> None:
        """Begin nothing more; what waits is done after the next start."""
        self._is_open = False
        tasks = [t for t in (self._reconciler, *self._workers.values(), *self._looking.values()) if t is not None]
        self._reconciler = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_commit(self, commit: Commit) -> None:
        if not self._is_open:
            return
        for record in commit.records:
            if isinstance(record, Interaction):
                if record.kind == KIND and record.state not in _ITS_OWN and not _has_just_begun(record, commit):
                    self._look_soon(record)
            elif isinstance(record, Order) and record.state is OrderState.WAITING and record.attempts == 0:
                self._put(record)
            elif isinstance(record, Agent) and record.connectivity is Connectivity.CONNECTED:
                for interaction in self._calls.calls_of(record.id):
                    self._look_soon(interaction)

    def _look_soon(self, interaction: Interaction) -> None:
        """Let the call see what the change of its interaction asks for; many changes at once are one look."""
        if interaction.id in self._looking:
            self._look_again.add(interaction.id)
            return
        task = asyncio.create_task(self._look(interaction), name=f"look at {interaction.id}")
        self._looking[interaction.id] = task
        task.add_done_callback(lambda _: self._looking.pop(interaction.id, None))

    async def _look(self, interaction: Interaction) -> None:
        again = True
        while again:
            self._look_again.discard(interaction.id)
            try:
                if interaction.state is State.FLOWED_OUT:
                    await self._calls.flowed_out(interaction.id)
                await self._calls.look(interaction.id)
            except HubError as error:
                log.warning("a call could not be looked at", extra={"interaction": interaction.id, "code": error.code})
            again = interaction.id in self._look_again

    @property
    def is_busy(self) -> bool:
        """Whether anything is being carried out or looked at this moment."""
        return bool(self._workers or self._looking)

    def _put(self, order: Order) -> None:
        self._waiting.setdefault(order.interaction, deque()).append(order)
        if order.interaction not in self._workers:
            work = asyncio.create_task(self._work(order.interaction), name=f"orders of {order.interaction}")
            self._workers[order.interaction] = work

    async def _work(self, interaction: str) -> None:
        waiting = self._waiting[interaction]
        try:
            while waiting:
                await self._until_done(waiting.popleft())
        finally:
            del self._waiting[interaction]
            del self._workers[interaction]

    async def _until_done(self, order: Order) -> None:
        for attempt in range(len(_RETRY_MS) + 1):
            try:
                return await self._do(order)
            except ChannelUnavailable as error:
                if attempt == len(_RETRY_MS):
                    return await self._failed(order, str(error))
                pause_ms = round(error.retry_after_s * 1000) if error.retry_after_s else _RETRY_MS[attempt]
                log.warning("the carrier asks for patience", extra={"order": order.id, "kind": str(order.kind)})
                await self._clock.sleep(pause_ms / 1000)
            except MessageRejected as error:
                return await self._failed(order, str(error))
            except Unavailable:
                await self._clock.sleep(1)
        return None

    async def _do(self, order: Order) -> None:
        async def unit(tx: UnitOfWork) -> tuple[Call | None, Leg | None, Leg | None]:
            call = await tx.get(CALLS, order.interaction)
            leg = await tx.get(LEGS, order.leg) if order.leg else None
            coached = await tx.get(LEGS, order.argument) if order.kind is OrderKind.LISTEN else None
            return call, leg, coached

        call, leg, coached = await self._store.read(unit)
        channel = self.channels.get(call.channel) if call is not None else None
        if call is None or channel is None or leg is None or not leg.is_live:
            await self._over(order, OrderState.VOID)
        elif order.kind is OrderKind.DIAL:
            await self._dial(channel, order, call, leg)
        else:
            target = Target(
                leg=leg.id,
                provider_id=leg.provider_id,
                interaction=call.id,
                language=call.language,
                listening=leg.listening,
                coached=coached.provider_id if coached else "",
            )
            await channel.carry_out(order, target)
            await self._over(order, OrderState.DONE)

    async def _dial(self, channel: LiveCalls, order: Order, call: Call, leg: Leg) -> None:
        if leg.expected_end:
            await self._calls.happened(call.channel, _gone(leg, f"void:{order.id}", EndCause.HUNG_UP_BY_US))
            await self._over(order, OrderState.VOID)
            return
        endpoint = channel.phone_of(leg.agent, leg.endpoint) if leg.agent else leg.endpoint
        to = DialTo(
            leg=leg.id,
            interaction=call.id,
            role=leg.role,
            endpoint=endpoint,
            caller=call.number or call.line,
            timeout_s=round(self._settings.calls.connect_s),
            listening=leg.listening,
            coached=order.argument,
            detects_machine=leg.role is LegRole.CUSTOMER,
            hearing="called_back" if leg.role is LegRole.CUSTOMER and call.customer_first else "",
            language=call.language,
            shown=call.line,
        )
        provider_id = await channel.dial(order, to)

        async def unit(tx: UnitOfWork) -> None:
            known = await tx.get(LEGS, leg.id, lock=True)
            if known is not None and known.is_live:
                state = LegState.DIALLING if known.state is LegState.WANTED else known.state
                changed = msgspec.structs.replace(known, provider_id=known.provider_id or provider_id, state=state)
                await tx.execute(LEGS.update, *LEGS.update_values(changed))
                tx.touch(changed)

        await self._store.write(unit)
        await self._over(order, OrderState.DONE)

    async def _over(self, order: Order, state: OrderState, problem: str = "") -> None:
        async def unit(tx: UnitOfWork) -> None:
            done = msgspec.structs.replace(order, state=state, attempts=order.attempts + 1, problem=problem[:200])
            await tx.execute(CALL_ORDERS.update, *CALL_ORDERS.update_values(done))

        await self._store.write(unit)

    async def _failed(self, order: Order, problem: str) -> None:
        """Say that an order came to nothing, and let the call see what follows from that."""
        log.warning(
            "an order to the carrier failed",
            extra={"order": order.id, "kind": str(order.kind), "interaction": order.interaction, "error": problem},
        )
        await self._over(order, OrderState.FAILED, problem)

        async def unit(tx: UnitOfWork) -> tuple[Call | None, Leg | None]:
            return await tx.get(CALLS, order.interaction), await tx.get(LEGS, order.leg) if order.leg else None

        call, leg = await self._store.read(unit)
        if call is None or leg is None or not leg.is_live:
            return
        if order.kind is OrderKind.DIAL:
            await self._calls.happened(call.channel, _gone(leg, f"failed:{order.id}", EndCause.FAILED))
        else:
            await self._compare(call.channel, [(leg, call)])

    # -- comparing with the carrier's own word

    async def _reconcile_for_ever(self) -> None:
        turn = 0
        while True:
            await self._clock.sleep(self._settings.calls.reconcile_s / _TURNS)
            turn += 1
            for name in tuple(self.channels):
                with contextlib.suppress(HubError):
                    await self.reconcile(name, only_moving=turn % _TURNS != 0)

    async def reconcile(self, channel: str, *, only_moving: bool = False) -> None:
        """Close what ended without notice, and take back in who is on the line and known to nobody.

        Args:
            channel: the line.
            only_moving: look at lines that are on their way somewhere, and at nobody else.

        Raises:
            ChannelUnavailable: the carrier does not answer.
        """

        async def unit(tx: UnitOfWork) -> list[tuple[Leg, Call]]:
            legs = await tx.select(LEGS, _MOVING if only_moving else _LIVE, channel)
            wanted = sorted({leg.interaction for leg in legs})
            calls = {call.id: call for call in await tx.select(CALLS, "WHERE id ANY_OF($1)", wanted)}
            return [(leg, calls[leg.interaction]) for leg in legs]

        known = await self._store.read(unit)
        await self._compare(channel, known)
        if only_moving:
            return
        names = {leg.provider_id for leg, _ in known}
        young = self._clock.now() - _YOUNG_MS
        for view in await self.channels[channel].lines_up():
            if view.provider_id not in names and view.number and view.began_at < young:
                await self._take_in(channel, view)

    async def _compare(self, channel: str, known: list[tuple[Leg, Call]]) -> None:
        lines = [
            Target(leg=leg.id, provider_id=leg.provider_id, interaction=leg.interaction)
            for leg, _ in known
            if leg.provider_id
        ]
        views = {view.provider_id: view for view in await self.channels[channel].look(lines)} if lines else {}
        for leg, call in known:
            view = views.get(leg.provider_id)
            if not leg.provider_id:
                continue
            if view is None or not view.is_live:
                cause = view.cause if view is not None and view.cause else EndCause.LOST
                await self._tell(call, leg, _gone(leg, f"compared:{leg.id}", cause))
            elif (view.place is Place.ROOM) is not (leg.place is Place.ROOM) or view.is_held is not leg.is_held:
                place = view.place if view.place is Place.ROOM or leg.place is Place.ROOM else None
                key = f"compared:{leg.id}:{self._clock.now()}"
                said = LegNews(key=key, leg=leg.id, state="up", place=place, is_held=view.is_held)
                await self._tell(call, leg, said)
            elif view.is_machine and leg.role is LegRole.CUSTOMER and leg.cause is None:
                key = f"{leg.provider_id}:machine"
                await self._tell(call, leg, LegNews(key=key, leg=leg.id, is_machine=True))

    async def _tell(self, call: Call, leg: Leg, said: LegNews) -> None:
        """Take the carrier's own word for what it had told nobody, unless it has been told meanwhile."""
        if await self._calls.compared(call.channel, said, leg):
            log.warning("a line is not as it was told", extra={"leg": leg.id, "interaction": call.id})

    async def _take_in(self, channel: str, view: LegView) -> None:
        log.warning("a caller nobody knew is taken in", extra={"channel": channel})
        await self._calls.arrived(InboundCall(channel=channel, provider_id=view.provider_id, number=view.number))
        await self._calls.park(channel, view.provider_id)


def _has_just_begun(interaction: Interaction, commit: Commit) -> bool:
    """Whether this is a caller who begins to wait: they want nothing, their only line goes where it should."""
    return interaction.state is State.QUEUED and any(
        isinstance(call, Call)
        and call.id == interaction.id
        and call.version == 0
        and call.direction is Direction.INBOUND
        for call in commit.records
    )


def _gone(leg: Leg, key: str, cause: EndCause) -> LegNews:
    return LegNews(key=key, leg=leg.id, provider_id=leg.provider_id, state="ended", cause=cause)
