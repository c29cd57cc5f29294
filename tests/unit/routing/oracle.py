"""The engine's rules by brute force: plain lists, every pair looked at after every event.

Knows no hours and no ways out for want of agents; those have tests of their own.
"""

from dataclasses import dataclass, field

from routing import events as ev
from routing.errors import NotTakeable
from routing.model import AgentState, FlowCause, HeldWork, OfferEnd, SkillNeed, WaitingInteraction, WayOut, WayOutKind
from routing.policy import AgentOrder, Policy, Profile, QueuePolicy, RelaxStep

Told = tuple[object, ...]


@dataclass
class Made:
    no: int
    deadline: int
    made: int
    exclusive: bool


@dataclass
class Waiter:
    w: WaitingInteraction
    queue: QueuePolicy
    order: int
    stage: int = 0
    least: int = 0
    made: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    offers: dict[str, Made] = field(default_factory=dict)
    reviewed: int = -1
    wanted: bool = True
    personal: list[str] = field(default_factory=list)

    @property
    def arrival(self) -> int:
        return self.w.queued_at_ms - self.w.head_start_ms

    @property
    def entry(self) -> tuple[int, int, str]:
        return self.arrival, self.order, self.w.id

    @property
    def full(self) -> bool:
        return len(self.offers) >= self.queue.offers_at_once or any(made.exclusive for made in self.offers.values())


@dataclass
class Person:
    s: AgentState
    up: bool = True
    held: dict[str, HeldWork] = field(default_factory=dict)
    offers: list[str] = field(default_factory=list)
    idle: int = 0
    last_offer: int = -1
    paused: int = 0
    misses: int = 0
    refused: bool = False


def leaves(w: WaitingInteraction, way_out: WayOut | None) -> bool:
    """Whether it takes the way out: what nobody waits for only goes into another queue."""
    return way_out is not None and (not w.stays or way_out.kind is WayOutKind.QUEUE)


class Oracle:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.now = 0
        self.items: dict[str, Waiter] = {}
        self.people: dict[str, Person] = {}
        self.order = 0
        self.out: list[Told] = []

    def handle(self, event: ev.Event, at: int) -> list[Told]:
        at = max(at, self.now)
        while (due := self.next_due()) is not None and due <= at:
            self.now = due
            for person in self.people.values():
                if person.paused == due:
                    person.refused = False
            in_order = [self.items[item_id] for item_id in sorted(self.items)]
            for item in in_order:
                for agent_id, made in sorted(item.offers.items()):
                    if made.deadline == due and agent_id in item.offers:
                        self.end(item, agent_id, OfferEnd.TIMED_OUT, told=True)
            for item in in_order:
                if item.w.id in self.items and not item.full and self.item_due(item) == due:
                    self.review(item)
            self.settle()
        self.now = at
        self.apply(event)
        self.settle()
        out, self.out = self.out, []
        return sorted(out, key=repr)

    # When.

    def next_due(self) -> int | None:
        dues = [person.paused for person in self.people.values() if person.paused > self.now]
        for item in self.items.values():
            dues += [made.deadline for made in item.offers.values()]
            due = None if item.full else self.item_due(item)
            if due is not None:
                dues.append(due)
        return min(dues, default=None)

    def item_due(self, item: Waiter) -> int | None:
        queue, since = item.queue, item.w.queued_at_ms
        edges = self.edges(queue)
        waits: list[int] = [] if item.stage >= len(edges) else [edges[item.stage]]
        if queue.when_waited is not None and queue.max_wait_ms is not None:
            waits.append(queue.max_wait_ms)
        if item.w.preferred_agent_ids and queue.sticky_ms:
            waits.append(queue.sticky_ms)
        if item.w.only_agent_id is not None and queue.only_agent_ms is not None:
            waits.append(queue.only_agent_ms)
        dues = [since + wait for wait in waits] + list(item.excluded.values())
        return min((due for due in dues if due > item.reviewed), default=None)

    # Stages and eligibility.

    def edges(self, queue: QueuePolicy) -> list[int]:
        edges = {group.delay_ms for group in queue.groups}
        for step in queue.relax:
            edges.add(step.after_ms)
            edges |= {step.after_ms + group.delay_ms for group in step.add_groups}
        if queue.reservation is not None:
            edges.add(queue.reservation.until_waited_ms)
        return sorted(edge for edge in edges if edge > 0)

    def elapsed(self, item: Waiter) -> int:
        return self.edges(item.queue)[item.stage - 1] if item.stage else 0

    def rank(self, item: Waiter, person: Person) -> int | None:
        """None: may not. Skills, languages, channel, membership at the item's stage."""
        steps = [step for step in item.queue.relax if step.after_ms <= self.elapsed(item)]
        s = person.s
        languages = () if any(step.any_language for step in steps) else item.w.languages
        if languages and not set(languages) & set(s.languages):
            return None
        if s.channels is not None and item.w.channel not in s.channels:
            return None
        if self.units(person, item.w.channel) > s.capacity_units or not self.is_skilled(item, s, steps):
            return None
        return min(self.ranks(item, s, steps), default=None)

    def is_skilled(self, item: Waiter, s: AgentState, steps: list[RelaxStep]) -> bool:
        lower = sum(step.lower_levels_by for step in steps)
        dropped = [skill for step in steps for skill in step.drop_skills]

        def has(need: SkillNeed) -> bool:
            return s.skills.get(need.skill, 0) >= max(1, need.level - lower)

        all_of = [need for need in (*item.queue.skills, *item.w.skills) if need.skill not in dropped]
        any_of = [group for group in item.w.any_of if not any(need.skill in dropped for need in group)]
        return all(has(need) for need in all_of) and all(any(has(need) for need in group) for group in any_of)

    def ranks(self, item: Waiter, s: AgentState, steps: list[RelaxStep]) -> list[int]:
        queue, elapsed = item.queue, self.elapsed(item)
        found = []
        if s.queue_ids is None or queue.id in s.queue_ids:
            added = [(group, step.after_ms) for step in steps for group in step.add_groups]
            rings = [(group, 0) for group in queue.groups] + added
            found += [g.rank for g, since in rings if g.delay_ms <= elapsed - since and g.id in s.groups]
            if not queue.groups:
                found = [0]
        others = [other for step in steps for other in step.add_queues]
        for number, other in enumerate(others, start=1):
            if s.queue_ids is None or other in s.queue_ids:
                groups = self.policy.queues[other].groups
                found += [1000 * number] if not groups else [1000 * number + g.rank for g in groups if g.id in s.groups]
        return found

    def units(self, person: Person, channel: str) -> int:
        return person.s.units.get(channel, self.policy.channels[channel].units)

    def used(self, person: Person, for_channel: str | None = None) -> int:
        channels = [work.channel for work in person.held.values()]
        channels += [self.items[item_id].w.channel for item_id in person.offers]
        return sum(
            self.units(person, kind)
            for kind in channels
            if for_channel is None or for_channel not in self.policy.channels[kind].may_be_interrupted_by
        )

    def overfull(self, person: Person, channel: str) -> bool:
        kinds = [work.channel for work in person.held.values()]
        kinds += [self.items[item_id].w.channel for item_id in person.offers]
        beside = [
            kind
            for kind in kinds
            if channel not in self.policy.channels[kind].may_be_interrupted_by
            and kind not in self.policy.channels[channel].may_be_interrupted_by
        ]
        return sum(self.units(person, kind) for kind in beside) > person.s.capacity_units

    def free(self, person: Person, channel: str) -> bool:
        if not person.up or person.paused > self.now:
            return False
        if person.s.channels is not None and channel not in person.s.channels:
            return False
        return person.s.capacity_units - self.used(person, channel) >= self.units(person, channel)

    # The rule.

    def keep_free(self, item: Waiter) -> int:
        reservation = item.queue.reservation
        if reservation is None or item.w.value >= reservation.for_value_at_least:
            return 0
        return 0 if self.elapsed(item) >= reservation.until_waited_ms else reservation.keep_free

    def candidates(self, item: Waiter) -> list[Person]:
        if not item.wanted or item.full:
            return []
        barred = {*item.excluded, *item.offers}
        barred |= {person.s.id for person in self.people.values() if item.w.id in person.held}
        free = [person for person in self.people.values() if self.free(person, item.w.channel)]
        if item.personal:
            return [person for person in free if person.s.id in item.personal and person.s.id not in barred]
        able = [person for person in free if self.rank(item, person) is not None]
        if len(able) <= self.keep_free(item):
            return []
        return [person for person in able if person.s.id not in barred]

    def line(self, item: Waiter) -> tuple[object, ...]:
        queue = item.queue
        keep = self.keep_free(item)
        if queue.profile is Profile.FIRST_COME:
            return queue.profile, keep
        if queue.profile is Profile.STRICT_PRIORITY:
            return queue.profile, item.w.value, keep
        factor = queue.long_wait_factor if queue.profile is Profile.IN_TIME_FIRST else 0
        return queue.profile, item.w.value, queue.target_ms, factor, keep

    def urgency(self, item: Waiter) -> tuple[int, float]:
        queue, waited = item.queue, max(0, self.now - item.arrival)
        if queue.profile is Profile.STRICT_PRIORITY:
            return 0, -item.w.value
        if queue.profile is Profile.FIRST_COME:
            return 2, -(1 / self.policy.first_come_target_ms**2 * (waited + 1000))
        score = -(item.w.value / queue.target_ms**2 * (waited + 1000))
        if queue.profile is Profile.GENERALIZED_CMU or waited <= queue.target_ms:
            return 2, score
        return (1 if waited >= queue.long_wait_factor * queue.target_ms else 3), score

    def preference(self, item: Waiter, person: Person) -> tuple[object, ...]:
        agent_id = person.s.id
        if item.personal:
            return (item.personal.index(agent_id),)
        known = list(item.w.preferred_agent_ids)
        if agent_id in known:
            return 0, known.index(agent_id)
        s, order, channel = person.s, item.queue.agent_order, item.w.channel
        best = -sum(s.skills.get(skill, 0) for skill in item.w.best_skills)
        used = self.used(person)
        is_packed = self.policy.channels[channel].pack and 2 * self.units(person, channel) <= s.capacity_units
        load = -used if is_packed else used
        breadth = len(s.skills) + len(s.languages) + len(s.groups)
        breadth += len(self.policy.channels if s.channels is None else s.channels)
        breadth += len(self.policy.queues if s.queue_ids is None else s.queue_ids)
        keys: dict[AgentOrder, tuple[object, ...]] = {
            AgentOrder.LEAST_FLEXIBLE: (breadth, sum(s.skills.values()), load, person.idle),
            AgentOrder.LONGEST_IDLE: (person.idle,),
            AgentOrder.LEAST_LOADED: (used, person.idle),
            AgentOrder.FASTEST: (-s.speed, load, person.idle),
            AgentOrder.ROUND_ROBIN: (person.last_offer,),
        }
        if order is AgentOrder.MOST_SKILLED:
            steps = [step for step in item.queue.relax if step.after_ms <= self.elapsed(item)]
            dropped = [skill for step in steps for skill in step.drop_skills]
            groups = [group for group in item.w.any_of if not any(need.skill in dropped for need in group)]
            asked = {need.skill for need in (*item.queue.skills, *item.w.skills) if need.skill not in dropped}
            asked |= {need.skill for group in groups for need in group}
            keys[order] = (-sum(s.skills.get(skill, 0) for skill in asked), load, person.idle)
        return 1, self.rank(item, person), best, *keys[order], agent_id

    def settle(self) -> None:
        while True:
            firsts: dict[tuple[object, ...], tuple[Waiter, list[Person]]] = {}
            for item in sorted(self.items.values(), key=lambda each: each.entry):
                people = self.candidates(item)
                if people:
                    firsts.setdefault(self.line(item), (item, people))
            if not firsts:
                return
            item, people = min(firsts.values(), key=lambda pair: (self.urgency(pair[0]), pair[0].entry))
            person = min(people, key=lambda each: self.preference(item, each))
            self.offer(item, person, exclusive=False)

    # What happens.

    def offer(self, item: Waiter, person: Person, *, exclusive: bool) -> None:
        channel = self.policy.channels[item.w.channel]
        timeout = item.queue.offer_timeout_ms or channel.offer_timeout_ms
        item.made += 1
        item.offers[person.s.id] = Made(item.made, self.now + timeout, self.now, exclusive)
        person.offers.append(item.w.id)
        person.last_offer = self.now
        self.out.append(("offer", item.w.id, person.s.id, item.made, self.now + timeout))

    def review(self, item: Waiter) -> None:
        item.excluded = {agent_id: until for agent_id, until in item.excluded.items() if until > self.now}
        if item.full:
            return
        item.reviewed = self.now
        queue, waited = item.queue, self.now - item.w.queued_at_ms
        limit = None if queue.when_waited is None else queue.max_wait_ms
        if limit is not None and not item.offers and waited >= limit and leaves(item.w, queue.when_waited):
            self.flow(item, FlowCause.WAITED_TOO_LONG)
            return
        edges = self.edges(queue)
        stage = max(item.stage, item.least, sum(edge <= waited for edge in edges))
        while True:
            item.stage = stage
            steps = [step for step in queue.relax if step.after_ms <= self.elapsed(item)]
            if any(step.way_out and leaves(item.w, step.way_out) for step in steps) and not item.offers:
                self.flow(item, FlowCause.RELAXED_OUT)
                return
            others = [
                person
                for person in self.people.values()
                if person.up and self.rank(item, person) is not None and person.s.id not in item.excluded
            ]
            if not item.excluded or stage >= len(edges) or others:
                break
            stage += 1
            item.least = stage
            self.out.append(("relaxed", item.w.id, stage))
        self.aim(item, waited)

    def aim(self, item: Waiter, waited: int) -> None:
        item.wanted, item.personal = True, []
        only, queue = item.w.only_agent_id, item.queue
        if only is not None and (queue.only_agent_ms is None or waited < queue.only_agent_ms):
            item.wanted = only in self.people and only not in item.excluded
            item.personal = [only]
        elif waited < queue.sticky_ms:
            item.personal = [
                agent_id
                for agent_id in item.w.preferred_agent_ids
                if agent_id in self.people
                and self.people[agent_id].up
                and agent_id not in item.excluded
                and self.rank(item, self.people[agent_id]) is not None
            ]

    def review_addressed(self, agent_id: str) -> None:
        for item in list(self.items.values()):
            if agent_id in (*item.w.preferred_agent_ids, item.w.only_agent_id) and item.w.id in self.items:
                self.review(item)

    def flow(self, item: Waiter, cause: FlowCause) -> None:
        self.items.pop(item.w.id, None)
        self.out.append(("flow", item.w.id, cause))

    def close(self, item: Waiter, agent_id: str, cause: OfferEnd | None) -> None:
        made = item.offers.pop(agent_id)
        self.people[agent_id].offers.remove(item.w.id)
        if cause is not None:
            self.out.append(("withdrawn", item.w.id, agent_id, made.no, cause))

    def end(self, item: Waiter, agent_id: str, cause: OfferEnd, *, told: bool) -> None:
        self.close(item, agent_id, cause if told else None)
        person = self.people[agent_id]
        again = self.policy.same_agent_again_ms.get(cause, 0)
        if again:
            item.excluded[agent_id] = self.now + again
        pause = self.policy.agent_backoff_ms.get(cause, 0)
        if pause:
            person.paused = max(person.paused, self.now + pause)
        if cause is OfferEnd.TIMED_OUT:
            person.misses += 1
            if person.misses >= self.policy.misses_until_not_responding and person.up:
                person.up = False
                person.s = _with(person.s, is_not_responding=True)
                self.out.append(("not_responding", agent_id))
                self.withdraw_all(person, OfferEnd.CAPACITY_CHANGED)
                self.review_addressed(agent_id)
        elif cause is OfferEnd.REJECTED:
            person.misses = 0
        if item.w.id in self.items:
            self.review(item)

    def withdraw_all(self, person: Person, cause: OfferEnd) -> None:
        for item_id in list(person.offers):
            self.end(self.items[item_id], person.s.id, cause, told=True)

    def unfit(self, person: Person) -> None:
        if not person.up:
            self.withdraw_all(person, OfferEnd.CAPACITY_CHANGED if person.s.is_connected else OfferEnd.AGENT_LOST)
        agent_id = person.s.id
        for item_id in sorted(
            person.offers, key=lambda each: (self.items[each].offers[agent_id].made, each), reverse=True
        ):
            channel = self.items[item_id].w.channel
            if self.overfull(person, channel):
                self.end(self.items[item_id], person.s.id, OfferEnd.CAPACITY_CHANGED, told=True)

    def gone(self, item: Waiter, cause: OfferEnd, winner: str | None = None) -> None:
        for agent_id in list(item.offers):
            self.close(item, agent_id, None if agent_id == winner else cause)
        del self.items[item.w.id]

    def apply(self, event: ev.Event) -> None:
        name = "on_" + type(event).__name__
        getattr(self, name)(event)

    def on_Tick(self, event: ev.Tick) -> None:  # noqa: N802
        pass

    def on_InteractionQueued(self, event: ev.InteractionQueued) -> None:  # noqa: N802
        w = event.interaction
        queue = self.policy.queues[w.queue_id]
        self.order = max(self.order, w.order or self.order + 1)
        item = Waiter(w, queue, w.order or self.order, least=w.least_stage, made=w.offers_made)
        item.excluded = {each.agent_id: each.until_ms for each in w.excluded}
        length = sum(each.w.queue_id == queue.id for each in self.items.values())
        is_full = queue.max_length is not None and length >= queue.max_length
        if is_full and queue.when_full is not None and leaves(w, queue.when_full):
            self.flow(item, FlowCause.QUEUE_FULL)
            return
        self.items[w.id] = item
        self.review(item)

    def on_InteractionLeft(self, event: ev.InteractionLeft) -> None:  # noqa: N802
        if event.interaction_id in self.items:
            self.gone(self.items[event.interaction_id], OfferEnd.CUSTOMER_LEFT)

    def on_AgentChanged(self, event: ev.AgentChanged) -> None:  # noqa: N802
        s = event.agent
        person = self.people.get(s.id)
        is_new = person is None
        if person is None:
            person = self.people[s.id] = Person(s, up=False, idle=self.now)
        if person.s.is_not_responding and not s.is_not_responding:
            person.misses = 0
        was_up, before = person.up, person.s
        person.s = s
        person.up = s.is_available and s.is_connected and not s.is_not_responding
        if person.refused:
            person.refused, person.paused = False, 0
        if person.up and not was_up:
            person.idle = self.now
        self.unfit(person)
        if is_new or person.up != was_up or _ability(before) != _ability(s):
            self.review_addressed(s.id)

    def on_AgentLeft(self, event: ev.AgentLeft) -> None:  # noqa: N802
        person = self.people.get(event.agent_id)
        if person is not None:
            self.withdraw_all(person, OfferEnd.AGENT_LOST)
            del self.people[event.agent_id]
            self.review_addressed(event.agent_id)

    def on_OfferAccepted(self, event: ev.OfferAccepted) -> None:  # noqa: N802
        item, person = self.items.get(event.interaction_id), self.people.get(event.agent_id)
        if item is None:
            return
        self.gone(item, OfferEnd.WON_ELSEWHERE, winner=event.agent_id)
        if person is not None:
            person.held.setdefault(item.w.id, HeldWork(item.w.id, item.w.channel, item.w.queue_id, self.now))
            person.misses, person.idle = 0, self.now
            self.unfit(person)

    def on_OfferEnded(self, event: ev.OfferEnded) -> None:  # noqa: N802
        item = self.items.get(event.interaction_id)
        made = None if item is None else item.offers.get(event.agent_id)
        if item is not None and made is not None and event.offer_no in (0, made.no):
            self.end(item, event.agent_id, event.cause, told=False)

    def on_OfferRefused(self, event: ev.OfferRefused) -> None:  # noqa: N802
        item = self.items.get(event.interaction_id)
        if item is None:
            return
        if event.because is ev.RefusedBecause.INTERACTION_GONE:
            self.gone(item, OfferEnd.CUSTOMER_LEFT)
        elif event.agent_id in item.offers:
            self.close(item, event.agent_id, None)
            person = self.people[event.agent_id]
            person.refused = True
            person.paused = max(person.paused, self.now + self.policy.refused_backoff_ms)
            self.review(item)

    def on_WorkStarted(self, event: ev.WorkStarted) -> None:  # noqa: N802
        person = self.people.get(event.agent_id)
        if person is not None:
            person.held[event.work.interaction_id] = event.work
            person.idle = self.now
            self.unfit(person)

    def on_WorkEnded(self, event: ev.WorkEnded) -> None:  # noqa: N802
        person = self.people.get(event.agent_id)
        if person is not None and person.held.pop(event.interaction_id, None) is not None:
            person.idle = self.now
            if event.interaction_id in self.items:
                self.review(self.items[event.interaction_id])

    def on_AssignByHand(self, event: ev.AssignByHand) -> None:  # noqa: N802
        item, person = self.items.get(event.interaction_id), self.people.get(event.agent_id)
        if item is None or person is None:
            raise NotTakeable("not there")
        if item.w.id in person.offers:
            return
        channel = item.w.channel
        if not person.up or person.s.capacity_units - self.used(person, channel) < self.units(person, channel):
            raise NotTakeable("no capacity")
        for agent_id in list(item.offers):
            self.close(item, agent_id, OfferEnd.SUPERVISOR)
        self.offer(item, person, exclusive=True)


def _ability(s: AgentState) -> tuple[object, ...]:
    return (
        sorted(s.skills.items()),
        sorted(s.languages),
        sorted(s.groups),
        s.queue_ids,
        s.channels,
        s.capacity_units,
        sorted(s.units.items()),
    )


def _with(state: AgentState, *, is_not_responding: bool) -> AgentState:
    kept = {name: getattr(state, name) for name in AgentState.__dataclass_fields__}
    kept["is_not_responding"] = is_not_responding
    return AgentState(**kept)


def told(decisions: list[ev.Decision]) -> list[Told]:
    """The engine's decisions in the oracle's words."""
    out: list[Told] = []
    for d in decisions:
        match d:
            case ev.MakeOffer():
                out.append(("offer", d.interaction_id, d.agent_id, d.offer_no, d.deadline_ms))
            case ev.WithdrawOffer():
                out.append(("withdrawn", d.interaction_id, d.agent_id, d.offer_no, d.cause))
            case ev.FlowOut():
                out.append(("flow", d.interaction_id, d.cause))
            case ev.MarkNotResponding():
                out.append(("not_responding", d.agent_id))
            case ev.Relaxed():
                out.append(("relaxed", d.interaction_id, d.stage))
    return sorted(out, key=repr)
