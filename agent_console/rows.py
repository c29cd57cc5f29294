"""Rows out of the floor: in memory, without a query. The same for everybody, but for the work an agent row lists."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from agent_console import shapes
from hub.contract import Capabilities
from hub.domain.agent import Agent, Presence, RoutingStatus
from hub.domain.calls import Leg, LegRole, LegState
from hub.domain.correspondence import Envelope, Outgoing, Party
from hub.domain.customers import Customer
from hub.domain.interaction import WITH_AGENT, Interaction, State
from hub.domain.messages import Author, FileRef, Message, Note
from hub.domain.offer import Offer
from hub.domain.promises import Promise
from hub.domain.segments import Segment
from hub.services.dispatching.floor import Floor
from hub.services.people import Profile
from hub.services.phone.state import is_recorded

_WAITING = frozenset({State.QUEUED, State.OFFERED})
_SERVED = WITH_AGENT - {State.PARKED}
_ICON = "message-square"
Side = Literal["agent", "customer"]


class Rows:
    """Makes rows of what the floor holds this moment."""

    def __init__(self, floor: Floor, kinds: Mapping[str, Capabilities], link: Callable[[FileRef], str]) -> None:
        self.floor = floor
        self._kinds = kinds
        self._link = link

    def me(self, agent_id: str) -> shapes.Me | None:
        """Return the row about oneself, or None when the account is gone."""
        agent = self.floor.agents.get(agent_id)
        if agent is None:
            return None
        return shapes.Me(
            agent_id=agent.id,
            name=agent.name,
            email=agent.email,
            role=agent.role,
            presence=agent.presence,
            reason=agent.reason or None,
            next_presence=_next_presence(agent),
            connectivity=agent.connectivity,
            status=self.floor.status_of(agent),
            held=agent.held,
            capacity=agent.capacity,
            handled_today=self.floor.handled.get(agent.id, 0),
            misses=agent.misses,
            queues=self._queues_of(agent),
            violations=self.floor.violations,
        )

    def agent(self, agent_id: str, *, with_work: bool) -> shapes.AgentRow | None:
        """Return the row of a member of staff; `work` is empty for those who may not see it."""
        agent = self.floor.agents.get(agent_id)
        if agent is None:
            return None
        work = self.floor.work_of(agent_id)
        status = self.floor.status_of(agent)
        return shapes.AgentRow(
            id=agent.id,
            name=agent.name,
            role=agent.role,
            presence=agent.presence,
            reason=agent.reason or None,
            next_presence=_next_presence(agent),
            connectivity=agent.connectivity,
            status=status,
            since_at=_since_at(agent, status, work),
            held=agent.held,
            capacity=agent.capacity,
            misses=agent.misses,
            work=sorted(interaction.id for interaction in work) if with_work else [],
            queues=self._queues_of(agent),
        )

    def _queues_of(self, agent: Agent) -> list[str]:
        return [queue for queue in self.floor.settings.queues if agent.serves(queue)]

    def queues(self, ids: Iterable[str]) -> dict[str, shapes.QueueRow]:
        """Return the rows of some queues; who is served is counted once for all of them."""
        served: dict[str, int] = {}
        for interaction in self.floor.interactions.values():
            if interaction.state in _SERVED:
                served[interaction.queue] = served.get(interaction.queue, 0) + 1
        return {key: self._queue(key, served.get(key, 0)) for key in ids if key in self.floor.settings.queues}

    def _queue(self, queue_id: str, serving: int) -> shapes.QueueRow:
        floor, queue = self.floor, self.floor.settings.queues[queue_id]
        serves = [agent for agent in floor.agents.values() if agent.serves(queue_id)]
        figures = floor.figures[queue_id]
        level, asa_s = figures.service_level(queue.service_level), figures.asa_s
        return shapes.QueueRow(
            id=queue_id,
            name=queue.name,
            color=queue.color or None,
            target_s=queue.target_s,
            target_share=queue.target_share,
            waiting=floor.count_waiting(queue_id),
            unlisted=floor.count_unlisted(queue_id),
            oldest_at=floor.oldest_at(queue_id),
            serving=serving,
            available=sum(agent.is_free for agent in serves),
            away=sum(agent.presence is Presence.AWAY for agent in serves),
            offered=figures.offered,
            answered=figures.answered,
            answered_in_target=figures.answered_in_target,
            short_abandons=figures.short_abandons,
            abandoned=figures.abandoned,
            flowed_out=figures.flowed_out,
            service_level=None if level is None else round(level, 4),
            service_level_variant=queue.service_level,
            asa_s=None if asa_s is None else round(asa_s, 1),
            open=floor.queue_view(queue_id).is_open,
            pull_allowed=queue.pull_allowed,
            history=list(floor.history.get(queue_id, ())),
        )

    def interaction(self, interaction: Interaction, *, customer_name: str = "") -> shapes.InteractionRow:
        """Return the row of an interaction, also of one that is over (then `customer_name` is the caller's to know)."""
        floor = self.floor
        brief = floor.customers.get(interaction.customer)
        is_waiting = interaction.state in _WAITING
        place = floor.place(interaction.id) if is_waiting else None
        capabilities = self._kinds.get(interaction.kind)
        return shapes.InteractionRow(
            id=interaction.id,
            channel=interaction.channel,
            channel_kind=interaction.kind,
            icon=capabilities.icon if capabilities else _ICON,
            queue=interaction.queue,
            customer=interaction.customer,
            customer_name=named(
                customer_name or (brief.name if brief else ""), interaction.customer, interaction.address
            ),
            tier=(brief.tier if brief else interaction.tier) or None,
            language=interaction.language or (brief.language if brief else "") or None,
            subject=interaction.subject,
            state=interaction.state,
            agent=interaction.agent,
            created_at=interaction.created_at,
            queued_at=interaction.queued_at,
            answer_due_at=self._due_at(interaction),
            last_n=interaction.last_n,
            last_at=interaction.last_at,
            last_from=interaction.last_from or None,
            preview=floor.previews.get(interaction.id, ""),
            seen_by_customer=interaction.reached_n,
            unread=len(floor.unread.get(interaction.id, ())),
            waits_for=_waits_for(interaction),
            wrap_up_ends_at=interaction.wrap_up_ends_at,
            disposition=interaction.disposition,
            previous=interaction.previous,
            root=interaction.root,
            head_start_s=interaction.head_start_ms // 1000,
            position=place.position if place else None,
            wait_s=place.wait_s if place else None,
            call=self._call(interaction),
        )

    def _call(self, interaction: Interaction) -> shapes.CallShape | None:
        """Return the facts of an open call, with the lines that ended: why a colleague did not answer is news."""
        call = self.floor.calls.get(interaction.id)
        if call is None:
            return None
        legs = self.floor.legs_of(interaction.id)
        joined = [
            min((leg.joined_at for leg in legs if leg.role is role and leg.joined_at is not None), default=None)
            for role in (LegRole.CUSTOMER, LegRole.AGENT)
        ]
        return shapes.CallShape(
            direction=call.direction,
            number=call.number,
            line=call.line,
            legs=[self._leg(leg, call.number) for leg in legs],
            records=is_recorded(self.floor.settings, call, interaction.queue),
            paused=call.is_recording_paused,
            released=call.is_released,
            reattach_until_at=call.reattach_until,
            answered_at=max(at for at in joined if at is not None) if None not in joined else None,
            due_at=call.due_at,
        )

    def _leg(self, leg: Leg, number: str) -> shapes.LegShape:
        colleague = self.floor.agents.get(leg.agent) if leg.agent else None
        name = colleague.name if colleague else number if leg.role is LegRole.CUSTOMER else leg.endpoint
        return shapes.LegShape(
            id=leg.id,
            role=leg.role,
            name=name,
            agent=leg.agent,
            state=leg.state,
            in_room=leg.is_in_room,
            held=leg.is_held,
            muted=leg.is_muted,
            listening=leg.listening,
            since_at=_leg_since(leg),
            ending=leg.expected_end,
            cause=leg.cause,
        )

    def brief(self, interaction: Interaction) -> shapes.InteractionRow:
        """Return the row of what a colleague handles: without what changes with every word."""
        return msgspec.structs.replace(
            self.interaction(interaction),
            answer_due_at=None,
            last_n=0,
            last_at=None,
            last_from=None,
            preview="",
            seen_by_customer=0,
            unread=0,
            waits_for=None,
            call=None,
        )

    def brief_mark(self, interaction: Interaction) -> tuple[object, ...]:
        """Return what `brief` depends on: equal marks, equal rows. Cheaper than the row."""
        return (
            *(interaction.state, interaction.agent, interaction.direct_to, interaction.queue, interaction.customer),
            *(interaction.queued_at, interaction.wrap_up_ends_at, interaction.disposition, interaction.head_start_ms),
            *(interaction.subject, interaction.tier, interaction.language),
            self.floor.customers.get(interaction.customer),
        )

    def _due_at(self, interaction: Interaction) -> int | None:
        """Return until when the queue's target wants the customer answered."""
        if interaction.state in _WAITING:
            since = interaction.queued_at or interaction.created_at
        elif interaction.state in WITH_AGENT and interaction.waits_since is not None:
            since = interaction.waits_since
        else:
            return None
        queue = self.floor.settings.queues.get(interaction.queue)
        return since + round(queue.target_s * 1000) if queue else None

    def offer(self, offer: Offer) -> shapes.OfferRow:
        """Return the row of a live offer."""
        interaction = self.floor.interactions.get(offer.interaction)
        brief = self.floor.customers.get(interaction.customer) if interaction else None
        call = self.floor.calls.get(offer.interaction)
        return shapes.OfferRow(
            id=offer.id,
            interaction=offer.interaction,
            agent=offer.agent,
            made_at=offer.made_at,
            deadline_at=offer.deadline_at,
            state=offer.state,
            why=list(offer.why),
            channel_kind=interaction.kind if interaction else "",
            customer_name=named(brief.name if brief else "", interaction.customer, interaction.address)
            if interaction
            else "",
            tier=(brief.tier or None) if brief else None,
            queue=offer.queue,
            queued_at=interaction.queued_at if interaction else None,
            before=[interaction.subject] if interaction and interaction.subject else [],
            number=call.number if call else "",
        )

    def message(self, message: Message, *, reached_n: int | None = None) -> shapes.MessageRow:
        """Return the row of a message; `reached_n` is how far the customer has read, where the floor does not know."""
        if reached_n is None:
            interaction = self.floor.interactions.get(message.interaction)
            reached_n = interaction.reached_n if interaction else 0
        is_ours = message.author is Author.AGENT
        return shapes.MessageRow(
            id=f"{message.interaction}:{message.n}",
            interaction=message.interaction,
            n=message.n,
            at=message.at,
            from_=message.author,
            author=message.agent,
            name=message.name or None,
            text=message.text,
            files=[self.file(file) for file in message.files],
            choices=list(message.choices),
            # A visitor's own id is theirs: with that of a beginning, anybody is answered as the visitor.
            client_id=(message.client_id or None) if is_ours else None,
            code=message.code or None,
            delivery=("read" if message.n <= reached_n else "sent") if is_ours else None,
        )

    def kinds(self) -> Mapping[str, Capabilities]:
        """Return what each kind of channel in use can do."""
        return self._kinds

    def file(self, file: FileRef) -> shapes.FileShape:
        """Return a file with a fresh link."""
        return shapes.FileShape(file.id, file.name, file.type, file.size, self._link(file))


def named(name: str, customer_id: str, *addresses: str) -> str:
    """Return what to call a customer: who has no name yet by a number or mail address, else by the end of their id."""
    told = (one for one in addresses if one.startswith("+") or "@" in one)
    return name or next(told, f"Visitor {customer_id[-4:].upper()}")


def note(record: Note) -> shapes.NoteRow:
    """Return the row of a note."""
    return shapes.NoteRow(
        id=record.id,
        interaction=record.interaction,
        customer=record.customer,
        author=record.author,
        name=record.name,
        text=record.text,
        at=record.at,
    )


def promise(record: Promise) -> shapes.PromiseRow:
    """Return the row of a promise."""
    return shapes.PromiseRow(
        id=record.id,
        interaction=record.interaction,
        customer=record.customer,
        text=record.text,
        made_by=record.made_by,
        made_at=record.made_at,
        due_at=record.due_at,
        owner=record.owner,
        state=str(record.state),
        ended_at=record.ended_at,
        ended_by=record.ended_by,
    )


def letter(record: Envelope) -> shapes.LetterRow:
    """Return the row of an envelope."""
    return shapes.LetterRow(
        id=f"{record.interaction}:{record.n}",
        interaction=record.interaction,
        n=record.n,
        subject=record.subject,
        sender=party(record.sender) if record.sender else None,
        reply_to=[party(one) for one in record.reply_to],
        to=[party(one) for one in record.recipients],
        cc=[party(one) for one in record.cc],
        bcc=[party(one) for one in record.bcc],
        quoted=record.quoted,
        has_page=bool(record.html),
        evidence=record.evidence,
        linked=record.linked,
        authenticity=record.authenticity,
        remarks=list(record.remarks),
        is_automatic=record.is_automatic,
        must_not_answer=record.must_not_answer,
        status=record.status,
        problem=record.problem,
    )


def outgoing(record: Outgoing) -> shapes.OutgoingRow:
    """Return the row of a letter of ours on its way."""
    return shapes.OutgoingRow(
        id=f"{record.interaction}:{record.n}",
        interaction=record.interaction,
        n=record.n,
        state=record.state,
        created_at=record.created_at,
        due_at=record.due_at,
        sent_at=record.sent_at,
        attempts=record.attempts,
        status=record.status,
        problem=record.problem,
        refused=[shapes.RefusalShape(one.address, one.status, one.text) for one in record.refused],
        is_automatic=record.is_automatic,
    )


def party(one: Party) -> shapes.PartyShape:
    """Return somebody on an envelope."""
    return shapes.PartyShape(one.address, one.name)


def segment(record: Segment) -> shapes.SegmentRow:
    """Return the row of a segment."""
    return shapes.SegmentRow(
        id=record.id,
        kind=record.kind,
        queue=record.queue,
        agent=record.agent,
        started_at=record.started_at,
        ended_at=record.ended_at,
        outcome=record.outcome,
    )


def customer(profile: Profile) -> shapes.CustomerShape:
    """Return a customer's profile as the console shows it."""
    known: Customer = profile.customer
    return shapes.CustomerShape(
        id=known.id,
        name=named(known.name, known.id, *(address.value for address in profile.addresses)),
        language=known.language or None,
        tier=known.tier or None,
        value=known.value,
        company=known.company or None,
        addresses=[shapes.AddressShape(kind=a.kind, value=a.value, verified=a.is_verified) for a in profile.addresses],
        fields=known.fields,
        notes=[note(record) for record in profile.notes],
        promises=[promise(record) for record in profile.promises],
        tags=list(known.tags),
        created_at=known.created_at,
        merged=[
            shapes.MergedShape(merge=merge.id, source=merge.source, name=named(name, merge.source), at=merge.at)
            for merge, name in profile.merged
        ],
        opt_outs=[
            shapes.OptOutShape(channel=one.channel, address=one.address, at=one.at, word=one.word)
            for one in profile.opt_outs
        ],
        open=profile.open,
        totals=shapes.Totals(
            interactions=profile.interactions,
            messages=profile.messages,
            first_at=profile.first_at,
            last_at=profile.last_at,
        ),
    )


def _next_presence(agent: Agent) -> shapes.NextPresence | None:
    if agent.next_presence is None:
        return None
    return shapes.NextPresence(agent.next_presence, agent.next_reason or None)


def _since_at(agent: Agent, status: RoutingStatus, work: list[Interaction]) -> int:
    """Return since when the agent has been in the state that the board shows."""
    if agent.presence is not Presence.AVAILABLE and not work:
        return agent.presence_since
    if status is RoutingStatus.NOT_RESPONDING:
        return agent.not_responding_since or agent.presence_since
    if status is RoutingStatus.OFFERED:
        return agent.last_offer_at
    answered = [interaction.answered_at for interaction in work if interaction.answered_at]
    return min(answered) if answered else max(agent.idle_since, agent.presence_since)


def _leg_since(leg: Leg) -> int:
    """Return when the state of a line began."""
    if leg.state is LegState.ENDED:
        return leg.ended_at or leg.wanted_at
    return leg.joined_at or leg.answered_at or leg.wanted_at


def _waits_for(interaction: Interaction) -> Side | None:
    if interaction.state in _WAITING or interaction.state is State.CREATED:
        return "agent"
    if interaction.state not in WITH_AGENT:
        return None
    return "agent" if interaction.waits_since is not None else "customer"
