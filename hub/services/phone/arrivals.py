"""Calls that come in. Those that come together are taken together: one look for all, one write for all."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from hub.contract.calls import CallStep, InboundCall, Line
from hub.domain.calls import Call, Direction, Leg, LegRole, LegState, Place
from hub.domain.customers import Address, AddressKind, Customer, clean_name, normalized
from hub.domain.errors import BadRequest
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import ClosingReason, Interaction, State, moved
from hub.domain.recording_rules import place_of, rule_of
from hub.services import moves, people
from hub.services.dispatching.floor import Floor
from hub.services.phone.self_service import CallFlows
from hub.services.phone.state import WholeCall, save_leg
from hub.settings import Settings
from hub.storage.batches import Batch
from hub.storage.tables import CALLS, CUSTOMERS, INTERACTIONS, LEGS
from hub.storage.unit_of_work import Store, UnitOfWork

KIND = "voice"
UNASKED = frozenset({"welcome", "announce"})
"""Rules by which a call is recorded without anybody's answer."""
_LATEST = (
    "WHERE id IN (SELECT (SELECT id FROM interactions AS last WHERE last.customer = customers.id AND last.kind = $2 "
    "ORDER BY last.created_at DESC LIMIT 1) FROM customers WHERE customers.id ANY_OF($1))"
)
_NAMED = "AND provider_id <> ''"
Taken = tuple[WholeCall, CallStep | None]
"""A call that was taken in, and what its caller hears of a flow, if the line has one."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    line: Line
    call: InboundCall
    number: str

    @property
    def key(self) -> tuple[str, str]:
        return self.call.channel, self.call.provider_id


class CallArrivals:
    """Takes calls in. A number routes, it never proves: anybody can show one that is not theirs."""

    def __init__(self, store: Store, settings: Settings, floor: Floor) -> None:
        self._settings = settings
        self._floor = floor
        self.flows: CallFlows | None = None
        # Of a call that is new nothing was there to be read: what two nodes take at once fails on a unique index. What
        # flows do has no such promise.
        self._plain: Batch[_Arrival, Taken | None] = Batch(store, self._take_many, guarded=True)
        self._in_flows: Batch[_Arrival, Taken | None] = Batch(store, self._take_many)

    async def take(self, line: Line, call: InboundCall) -> Taken | None:
        """Take a call in, committed when this returns; None, and nothing done, where it is known already."""
        batch = self._in_flows if self._has_flow(line) else self._plain
        return await batch.submit(_Arrival(line, call, self.number(call.number)))

    def number(self, number: str) -> str:
        """Return a number as E.164; empty for "anonymous" or a short code, where nobody can be called back."""
        try:
            return normalized(AddressKind.PHONE, number, region=self._settings.company.country) if number else ""
        except BadRequest:
            return ""

    def _has_flow(self, line: Line) -> bool:
        return self.flows is not None and self.flows.has(line.flow)

    async def _take_many(self, tx: UnitOfWork, items: Sequence[_Arrival]) -> list[Taken | None]:
        known = await _known(tx, items)
        fresh: dict[tuple[str, str], _Arrival] = {}
        for one in items:
            if one.key not in known:
                fresh.setdefault(one.key, one)
        customers = await self._callers(tx, list(fresh.values()))
        last = await _latest(tx, [customer.id for customer, is_new in customers if not is_new])
        taken: dict[int, Taken] = {}
        for one, (customer, _) in zip(fresh.values(), customers, strict=True):
            taken[id(one)] = await self._take_in(tx, one, customer, last.get(customer.id))
        return [taken.get(id(one)) for one in items]

    async def _callers(self, tx: UnitOfWork, arrivals: Sequence[_Arrival]) -> list[tuple[Customer, bool]]:
        """Return whose numbers they are, and whether they are new."""
        shown = [one for one in arrivals if one.number]
        claims = [(Address(kind=AddressKind.PHONE, value=one.number), one.call.name) for one in shown]
        found = iter(await people.resolve_each(tx, claims))
        return [next(found) if one.number else (await _nobody(tx), True) for one in arrivals]

    async def _take_in(
        self, tx: UnitOfWork, arrival: _Arrival, customer: Customer, previous: Interaction | None
    ) -> Taken:
        line = arrival.line
        languages = (arrival.call.language, customer.language)
        interaction = begun(
            tx,
            self._settings,
            line,
            customer,
            previous,
            language=next((one for one in languages if one in line.languages), line.languages[0]),
            number=arrival.number,
            provider_id=arrival.call.provider_id,
        )
        call = await tx.insert(CALLS, _call(arrival, interaction))
        leg = _line(arrival, interaction, tx.now)
        tx.record(
            EventKind.CALL_ARRIVED,
            actor="customer",
            interaction=interaction.id,
            customer=customer.id,
            queue=line.queue,
            channel=line.channel,
        )
        if self.flows is not None and self._has_flow(line):
            leg = await save_leg(tx, msgspec.structs.replace(leg, goes_to=Place.SCRIPT))
            interaction = await self.flows.begin(tx, interaction, line.flow)
            whole = WholeCall(interaction, call, (leg,), None)
            return whole, await self.flows.step(tx, whole, leg, "")
        if self._floor.queue_view(line.queue).is_open:
            interaction = await moves.enter_queue(tx, interaction, "arrival")
        else:
            interaction = moved(interaction, State.REJECTED, closing_reason=ClosingReason.QUEUE_CLOSED, ended_at=tx.now)
            leg = msgspec.structs.replace(leg, place=Place.SCRIPT, goes_to=Place.MESSAGE)
            record_end(tx, interaction)
        await tx.insert(INTERACTIONS, interaction)
        return WholeCall(interaction, call, (await tx.insert(LEGS, leg),), None), None


def begun(
    tx: UnitOfWork,
    settings: Settings,
    line: Line,
    customer: Customer,
    previous: Interaction | None,
    *,
    language: str,
    number: str,
    provider_id: str = "",
) -> Interaction:
    """Return a new interaction of a line, to be inserted; `previous` is the customer's last one on the phone."""
    interaction_id = new_id("i")
    tx.record(
        EventKind.INTERACTION_CREATED,
        actor="customer",
        interaction=interaction_id,
        customer=customer.id,
        queue=line.queue,
        channel=line.channel,
        channel_kind=KIND,
    )
    tx.touch(customer)
    return Interaction(
        id=interaction_id,
        channel=line.channel,
        kind=KIND,
        customer=customer.id,
        queue=line.queue,
        state=State.CREATED,
        created_at=tx.now,
        address=number,
        provider_id=provider_id,
        language=language,
        tier=customer.tier,
        needs=moves.needs_of(settings, line.channel),
        queued_at=tx.now,
        root=interaction_id,
        last_agent=previous.last_agent if previous else None,
    )


def record_end(tx: UnitOfWork, interaction: Interaction) -> None:
    """Record how an interaction ended that is over."""
    tx.record(
        EventKind.INTERACTION_ENDED,
        interaction=interaction.id,
        customer=interaction.customer,
        queue=interaction.queue,
        outcome=str(interaction.state),
        reason=str(interaction.closing_reason),
    )


async def latest_call(tx: UnitOfWork, customer: str) -> Interaction | None:
    """Return the customer's last interaction on the phone."""
    return (await _latest(tx, (customer,))).get(customer)


async def _latest(tx: UnitOfWork, customers: Sequence[str]) -> dict[str, Interaction]:
    if not customers:
        return {}
    return {found.customer: found for found in await tx.select(INTERACTIONS, _LATEST, list(customers), KIND)}


async def _known(tx: UnitOfWork, items: Sequence[_Arrival]) -> set[tuple[str, str]]:
    """Return which of these calls are in the house already."""
    legs = await tx.select_many(LEGS, ("provider_id",), [(one.call.provider_id,) for one in items], _NAMED)
    if not legs:
        return set()
    calls = await tx.select_many(CALLS, ("id",), [(leg.interaction,) for leg in legs])
    channels = {call.id: call.channel for call in calls}
    return {(channels[leg.interaction], leg.provider_id) for leg in legs if leg.interaction in channels}


async def _nobody(tx: UnitOfWork) -> Customer:
    """Return a new customer whom no number leads to."""
    customer = Customer(id=new_id("c"), created_at=tx.now)
    tx.record(EventKind.CUSTOMER_CREATED, customer=customer.id, actor="customer", address_kind="")
    return await tx.insert(CUSTOMERS, customer)


def _call(arrival: _Arrival, interaction: Interaction) -> Call:
    return Call(
        id=interaction.id,
        channel=arrival.line.channel,
        direction=Direction.INBOUND,
        number=arrival.number,
        line=arrival.line.number,
        name=clean_name(arrival.call.name),
        language=interaction.language,
        records=_rule(arrival) in UNASKED,
    )


def _rule(arrival: _Arrival) -> str:
    """Return the rule by which a call is recorded; empty where none is."""
    return rule_at(arrival.line, arrival.call, arrival.number) if arrival.line.records else ""


def rule_at(line: Line, call: InboundCall, number: str) -> str:
    """Return the rule of recording for who calls; where the carrier names no place, the numbers tell the country."""
    theirs, ours = call.places
    return rule_of(line.consent, (theirs or place_of(number), ours or place_of(line.number)))


def may_record(line: Line, number: str) -> bool:
    """Whether a call that we make is recorded: only where nobody must be asked, for nobody asks there but the agent."""
    return line.records and rule_of(line.consent, (place_of(number), place_of(line.number))) in UNASKED


def _line(arrival: _Arrival, interaction: Interaction, now: int) -> Leg:
    return Leg(
        id=new_id("l"),
        interaction=interaction.id,
        role=LegRole.CUSTOMER,
        endpoint=arrival.number,
        wanted_at=now,
        provider_id=arrival.call.provider_id,
        state=LegState.UP,
        place=Place.ASKED if _rule(arrival) == "ask" else Place.SCRIPT,
        goes_to=Place.QUEUE,
        answered_at=now,
    )
