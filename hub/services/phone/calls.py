"""Phone calls: what a caller lives through, what the carrier tells, and what the interaction makes of it."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from hub.contract.calls import CallStep, InboundCall, LegNews, Line, RecordingNews, Said
from hub.domain.call_plan import ASKED_MS, RING_AGAIN_MS, is_asked
from hub.domain.calls import (
    LEG_RANK,
    Call,
    CallerSaid,
    CarrierEvent,
    Direction,
    EndCause,
    Gathering,
    Leg,
    LegRole,
    LegState,
    OrderKind,
    Place,
    Recording,
)
from hub.domain.customers import Customer
from hub.domain.errors import NotFound
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import WITH_AGENT, ClosingReason, Interaction, State
from hub.domain.messages import FileRef
from hub.domain.offer import RevokeReason
from hub.domain.visitors import StoredFile
from hub.services import moves, people
from hub.services.dispatching.floor import Floor
from hub.services.handling import Handling
from hub.services.phone.arrivals import KIND, CallArrivals, Taken, begun, latest_call, may_record, rule_at
from hub.services.phone.news import CallNews, customers_line
from hub.services.phone.self_service import CallFlows
from hub.services.phone.state import WholeCall, call_in_flow, ended, is_recorded, order, save_leg, settle, whole_call
from hub.services.phone.words import HOLD_CODES, spoken, standing
from hub.services.wording import worded
from hub.settings import Settings
from hub.storage.tables import CALLS, CARRIER_EVENTS, INTERACTIONS, LEGS, MESSAGES, RECORDINGS
from hub.storage.unit_of_work import Store, UnitOfWork

BOOKING_KEY = "1"
CONSENT_TURN = "consent"
_YES = frozenset(
    {"yes", "yes please", "i agree", "sure", "ok", "okay", "是", "是的", "同意", "我同意", "好", "好的", "可以"}
)
MESSAGE_MAX_S = 180
RECORDINGS_TIMER = "compare_recordings"
TOLD_BY_MS = 120_000
"""How long after a line's end the carrier has told of its recordings; then its list is read."""
_WAITS = frozenset({State.QUEUED, State.OFFERED, State.CONNECTING})
_TALKING = frozenset({State.ACTIVE, State.HELD, State.CONSULTING})


class CallService:
    """The use cases of callers and carriers."""

    def __init__(self, store: Store, settings: Settings, floor: Floor, handling: Handling) -> None:
        self._store = store
        self._settings = settings
        self._floor = floor
        self._handling = handling
        self.news = CallNews(settings, handling)
        self._arrivals = CallArrivals(store, settings, floor)
        self._flows: CallFlows | None = None
        self.lines: dict[str, Line] = {}

    def serve_flows(self, flows: CallFlows) -> None:
        """Let callers into flows, on the lines that name one."""
        self._flows = self._arrivals.flows = flows
        self.news.on_left_flow = flows.hung_up

    def declare(self, line: Line) -> None:
        """Say what a line does with its calls."""
        self.lines[line.channel] = line

    # -- arriving

    async def arrived(self, call: InboundCall) -> CallStep:
        """Take a call in; the same one again begins nothing new.

        Raises:
            NotFound: there is no such line.
        """
        line = self._line(call.channel)

        async def again(tx: UnitOfWork) -> Taken:
            whole = await _known(tx, call.channel, call.provider_id)
            return whole, await self._flow_step(tx, whole, call.provider_id)

        taken = await self._arrivals.take(line, call)
        whole, step = taken if taken is not None else await self._store.write(again)
        language = whole.call.language
        welcome = self._welcome(line, language)
        rule = rule_at(line, call, whole.call.number) if line.records else ""
        is_closed = whole.interaction.state is State.REJECTED
        if rule == "ask" and not is_closed:
            return self._question(whole, welcome)
        if rule == "announce" and not is_closed:
            welcome.append(spoken("recorded", language))
        if step is not None:
            return msgspec.structs.replace(step, say=(*welcome, *step.say))
        if is_closed:
            return self._out_of_hours(line, whole, welcome)
        return CallStep(say=tuple(welcome), then="queue", interaction=whole.interaction.id)

    def _question(self, whole: WholeCall, welcome: list[Said]) -> CallStep:
        """Ask whether the call may be recorded, before anything else; meanwhile the caller's place is kept."""
        language = whole.call.language
        return CallStep(
            say=(*welcome, spoken("may_record", language)),
            then="listen",
            turn=CONSENT_TURN,
            gathering=Gathering(language=language, digits=1),
        )

    def _line(self, channel: str) -> Line:
        line = self.lines.get(channel)
        if line is None:
            raise NotFound(f"There is no phone line {channel!r}.")
        return line

    def _welcome(self, line: Line, language: str) -> list[Said]:
        text = line.welcome.get(language) or line.welcome.get(line.languages[0], "")
        shown = language if language in line.welcome else line.languages[0]
        return [Said(text, shown)] if text else []

    def _out_of_hours(self, line: Line, whole: WholeCall, welcome: list[Said]) -> CallStep:
        language = whole.call.language
        said = [*welcome, spoken("closed", language)]
        if not line.takes_messages:
            return CallStep(say=(*said, spoken("goodbye", language)), then="hang_up")
        return self._message_step(whole, said)

    def _message_step(self, whole: WholeCall, said: Sequence[Said]) -> CallStep:
        return CallStep(
            say=(*said, spoken("leave_message", whole.call.language)),
            then="message",
            interaction=whole.interaction.id,
            max_s=MESSAGE_MAX_S,
        )

    async def _following(
        self, tx: UnitOfWork, line: Line, customer: Customer, before: Interaction, number: str
    ) -> Interaction:
        """Return a new interaction, to be inserted, of somebody who did not reach anybody `before`."""
        previous = await latest_call(tx, customer.id)
        interaction = begun(tx, self._settings, line, customer, previous, language=before.language, number=number)
        return msgspec.structs.replace(
            interaction, queue=before.queue, previous=before.id, root=before.root or before.id
        )

    # -- waiting

    async def waiting(self, channel: str, provider_id: str, *, heard: str = "") -> CallStep:
        """Say what a waiting caller hears next; a key books a callback. One who waits no more is sent on.

        Raises:
            NotFound: nobody knows this call.
        """
        line = self._line(channel)

        async def unit(tx: UnitOfWork) -> tuple[WholeCall, Leg, CallStep | None]:
            whole = await _known(tx, channel, provider_id)
            step = await self._flow_step(tx, whole, provider_id)
            leg = next(leg for leg in whole.legs if leg.provider_id == provider_id)
            if step is not None:
                return whole, leg, step
            if heard == BOOKING_KEY and self._may_book(line, whole):
                await self._book(tx, line, whole)
                whole = await whole_call(tx, whole.interaction.id)
            elif leg.place is not Place.QUEUE and leg.goes_to is Place.QUEUE:
                leg = await save_leg(tx, msgspec.structs.replace(leg, place=Place.QUEUE))
            return whole, leg, None

        whole, leg, step = await self._store.write(unit)
        return step or self._waiting_step(line, whole, leg)

    async def answered(self, channel: str, provider_id: str, turn: str, said: CallerSaid) -> CallStep:
        """Take a caller's answer in self-service and say what comes next; told again it changes nothing.

        Raises:
            NotFound: nobody knows this call.
        """
        line = self._line(channel)
        if turn == CONSENT_TURN:
            return await self._consented(line, provider_id, said)

        async def unit(tx: UnitOfWork) -> tuple[WholeCall, CallStep | None]:
            whole = await call_in_flow(tx, channel, provider_id)
            if self._flows is None:
                raise NotFound("There is no such call.")
            whole = replace(whole, interaction=await self._flows.answer(tx, whole, turn, said))
            return whole, await self._flow_step(tx, whole, provider_id, turn)

        whole, step = await self._store.write(unit)
        leg = next(leg for leg in whole.legs if leg.provider_id == provider_id)
        return step or self._waiting_step(line, whole, leg)

    async def _consented(self, line: Line, provider_id: str, said: CallerSaid) -> CallStep:
        """Note whether the caller agrees to being recorded; the first answer counts, and silence agrees to nothing.

        An answer that comes when they are with an agent already counts from then on.
        """
        agrees = said.digits == "1" or said.text.strip(" .!\u3002\uff01").lower() in _YES

        async def unit(tx: UnitOfWork) -> Taken:
            whole = await _known(tx, line.channel, provider_id)
            asked = LegNews(key=f"consent:{provider_id}", provider_id=provider_id)
            if await _is_first(tx, line.channel, asked, whole.interaction.id):
                call = await tx.save(CALLS, msgspec.structs.replace(whole.call, records=agrees))
                code = "recording_agreed" if agrees else "recording_refused"
                interaction = await tx.save(INTERACTIONS, await moves.say_system(tx, whole.interaction, code))
                whole = await _no_longer_asked(tx, replace(whole, call=call, interaction=interaction), provider_id)
                if is_recorded(self._settings, whole.call, whole.interaction.queue) and interaction.state in _TALKING:
                    await order(tx, call, OrderKind.RECORD, leg=customers_line(whole))
            return whole, await self._flow_step(tx, whole, provider_id)

        whole, step = await self._store.write(unit)
        leg = next(leg for leg in whole.legs if leg.provider_id == provider_id)
        if step is None and whole.interaction.state in _WAITS and leg.goes_to is Place.QUEUE:
            return CallStep(then="queue", interaction=whole.interaction.id)
        return step or self._waiting_step(line, whole, leg)

    async def _flow_step(self, tx: UnitOfWork, whole: WholeCall, provider_id: str, turn: str = "") -> CallStep | None:
        """Return what a caller in a flow hears next, None for anybody else."""
        leg = next((leg for leg in whole.legs if leg.provider_id == provider_id), None)
        if self._flows is None or leg is None:
            return None
        return await self._flows.step(tx, whole, leg, turn)

    def _waiting_step(self, line: Line, whole: WholeCall, leg: Leg) -> CallStep:
        interaction, language = whole.interaction, whole.call.language
        if interaction.state is State.CALLBACK_BOOKED:
            return CallStep(say=(spoken("booked", language),), then="hang_up")
        if leg.goes_to is Place.ROOM:
            return CallStep(then="room", interaction=interaction.id, leg=leg.id)
        if leg.goes_to is Place.MESSAGE:
            return self._message_step(whole, ())
        if interaction.state not in _WAITS:
            return CallStep(say=(spoken("sorry", language),), then="hang_up")
        place = self._floor.waiting(interaction.id)
        said = standing(place.position, place.wait_s, language)
        may_book = self._may_book(line, whole)
        if may_book:
            said.append(spoken("book", language))
        return CallStep(
            say=tuple(said),
            then="wait",
            interaction=interaction.id,
            keys=BOOKING_KEY if may_book else "",
            music_s=line.announce_s,
        )

    def _may_book(self, line: Line, whole: WholeCall) -> bool:
        waits = whole.interaction.state in {State.QUEUED, State.OFFERED}
        return line.books_callbacks and waits and bool(whole.call.number) and whole.call.direction is Direction.INBOUND

    # -- ways out

    async def _book(self, tx: UnitOfWork, line: Line, whole: WholeCall) -> None:
        """End the waiting and begin it anew without the caller: their place is kept as a head start."""
        before = whole.interaction
        waited_ms = before.head_start_ms + tx.now - (before.queued_at or before.created_at)
        await moves.end_offers(tx, before, RevokeReason.FLOWED_OUT)
        await self._handling.leave_queue(
            tx,
            msgspec.structs.replace(before, state=State.QUEUED),
            State.CALLBACK_BOOKED,
            ClosingReason.CALLBACK_BOOKED,
            "customer",
        )
        if await self._is_owed(tx, whole.call.number, before.queue):
            return
        customer = await people.survivor(tx, before.customer)
        booked = await self._queue_callback(tx, line, whole, customer, head_start_ms=max(waited_ms, 0))
        tx.record(
            EventKind.CALLBACK_BOOKED,
            actor="customer",
            interaction=before.id,
            customer=customer.id,
            queue=before.queue,
            callback=booked.id,
        )

    async def _queue_callback(
        self, tx: UnitOfWork, line: Line, whole: WholeCall, customer: Customer, *, head_start_ms: int
    ) -> Interaction:
        """Queue the call that we owe somebody; whoever takes it is rung first, then the customer."""
        before = whole.interaction
        interaction = await self._following(tx, line, customer, before, whole.call.number)
        interaction = await moves.enter_queue(tx, interaction, "callback", head_start_ms=head_start_ms)
        await tx.insert(INTERACTIONS, interaction)
        call = msgspec.structs.replace(
            whole.call,
            id=interaction.id,
            direction=Direction.CALLBACK,
            records=may_record(line, whole.call.number),
            customer_first=line.calls_customer_first,
            due_at=None,
            version=0,
        )
        await tx.insert(CALLS, call)
        return interaction

    async def book_callback(self, tx: UnitOfWork, interaction: Interaction, queue: str, phone: str) -> bool:
        """Queue a call to whoever asked for one in another way; False when there is no line, or no such number."""
        number = self._arrivals.number(phone)
        line = self.lines.get(interaction.channel) or next(
            (one for one in self.lines.values() if one.queue == queue), next(iter(self.lines.values()), None)
        )
        if line is None or not number:
            return False
        if await self._is_owed(tx, number, queue):
            return True
        before = msgspec.structs.replace(interaction, queue=queue)
        call = Call(
            id=interaction.id,
            channel=line.channel,
            direction=Direction.INBOUND,
            number=number,
            line=line.number,
            language=interaction.language,
        )
        customer = await people.survivor(tx, interaction.customer)
        booked = await self._queue_callback(tx, line, WholeCall(before, call, (), None), customer, head_start_ms=0)
        tx.record(
            EventKind.CALLBACK_BOOKED,
            actor="customer",
            interaction=interaction.id,
            customer=customer.id,
            queue=queue,
            callback=booked.id,
        )
        return True

    async def _is_owed(self, tx: UnitOfWork, number: str, queue: str) -> bool:
        """Whether somebody is owed a call already; one that was planned for later waits from now on."""
        known = await owed_call(tx, number, queue)
        if known is not None and known.state is State.PARKED:
            call = await tx.get(CALLS, known.id, lock=True)
            if call is not None:
                await tx.save(INTERACTIONS, await self.queue_planned(tx, known, call))
        return known is not None

    async def queue_planned(self, tx: UnitOfWork, planned: Interaction, call: Call) -> Interaction:
        """Let a planned call wait in its queue from now on, in the caller's unit; the caller saves what is returned."""
        await moves.cancel_job(tx, "callback_due", planned.id)
        await tx.save(CALLS, msgspec.structs.replace(call, due_at=None))
        return await moves.enter_queue(tx, planned, "callback", outcome="due", queued_at=tx.now)

    async def flowed_out(self, interaction_id: str) -> None:
        """The queue gave a waiting call up: the caller may leave a message where the line takes them."""

        async def unit(tx: UnitOfWork) -> None:
            whole = await whole_call(tx, interaction_id)
            line = self.lines.get(whole.call.channel)
            leg = next((one for one in whole.legs if one.role is LegRole.CUSTOMER and one.is_live), None)
            if whole.interaction.state is not State.FLOWED_OUT or leg is None or line is None:
                return
            if line.takes_messages and leg.goes_to in {Place.QUEUE, Place.SCRIPT} and not leg.expected_end:
                await save_leg(tx, msgspec.structs.replace(leg, goes_to=Place.MESSAGE))
                await order(tx, whole.call, OrderKind.TAKE_MESSAGE, leg=leg.id)

        await self._store.write(unit)

    async def message_left(self, channel: str, provider_id: str) -> CallStep:
        """Thank for the message. Its recording makes an interaction of it once the carrier has it.

        Raises:
            NotFound: nobody knows this call.
        """

        async def unit(tx: UnitOfWork) -> Call | None:
            leg = await _leg_of(tx, channel, "", provider_id)
            return await tx.get(CALLS, leg.interaction) if leg is not None else None

        call = await self._store.read(unit)
        if call is None:
            raise NotFound("There is no such call.")
        return CallStep(say=(spoken("message_taken", call.language),), then="hang_up")

    async def recording_kept(self, recording_id: str, file: StoredFile) -> None:
        """Note where a recording lies, and show it in the conversation."""

        async def unit(tx: UnitOfWork) -> None:
            recording = await tx.get(RECORDINGS, recording_id, lock=True)
            if recording is None or recording.file is not None:
                return
            kept = msgspec.structs.replace(recording, file=file.id)
            await tx.execute(RECORDINGS.update, *RECORDINGS.update_values(kept))
            tx.touch(kept)
            interaction = await moves.interaction_for_change(tx, recording.interaction)
            ref = FileRef(file.id, file.name, file.type, file.size)
            code = "message_recorded" if recording.is_message else "call_recorded"
            shown = await moves.say_system(tx, interaction, code, files=(ref,))
            await tx.save(INTERACTIONS, shown)
            tx.record(
                EventKind.RECORDING_STORED,
                interaction=interaction.id,
                customer=interaction.customer,
                queue=interaction.queue,
                file=file.id,
                duration_s=recording.duration_s,
            )

        await self._store.write(unit)

    async def recording_removed(self, recording_id: str) -> None:
        """Note that a recording's sound is not kept any more, where it was shown, too."""

        async def unit(tx: UnitOfWork) -> None:
            recording = await tx.get(RECORDINGS, recording_id, lock=True)
            if recording is None or recording.file is None:
                return
            gone = msgspec.structs.replace(recording, file=None, problem="removed")
            await tx.execute(RECORDINGS.update, *RECORDINGS.update_values(gone))
            tx.touch(gone)
            interaction = await moves.interaction_for_change(tx, recording.interaction)
            for message in await tx.select(MESSAGES, "WHERE interaction = $1", interaction.id):
                if any(file.id == recording.file for file in message.files):
                    code = "recording_removed"
                    said = msgspec.structs.replace(
                        message, code=code, text=worded(code, interaction.language), files=()
                    )
                    await tx.execute(MESSAGES.update, *MESSAGES.update_values(said))

        await self._store.write(unit)

    async def call_again(self, interaction_id: str) -> None:
        """Queue a callback once more whose customer did not answer."""

        async def unit(tx: UnitOfWork) -> None:
            whole = await whole_call(tx, interaction_id)
            before, line = whole.interaction, self._line(whole.call.channel)
            if await owed_call(tx, whole.call.number, before.queue) is not None:
                return
            customer = await people.survivor(tx, before.customer)
            await self._queue_callback(tx, line, whole, customer, head_start_ms=0)

        await self._store.write(unit)

    async def park(self, channel: str, provider_id: str) -> None:
        """Lead a caller, whatever they hear, into the queue's waiting room."""

        async def unit(tx: UnitOfWork) -> None:
            leg = await _leg_of(tx, channel, "", provider_id)
            if leg is not None and leg.is_live:
                whole = await whole_call(tx, leg.interaction)
                await order(tx, whole.call, OrderKind.PARK, leg=leg.id)

        await self._store.write(unit)

    def words(self, code: str, language: str) -> Said | None:
        """Return what is said to somebody who holds; None for a code that there is not."""
        return spoken(code, language) if code in HOLD_CODES else None

    # -- the carrier's news

    async def happened(self, channel: str, news: LegNews | RecordingNews) -> None:
        """Take the carrier's news; what was told before changes nothing, and no state ever goes back."""
        await self._take(channel, news, None)

    async def compared(self, channel: str, news: LegNews, as_of: Leg) -> bool:
        """Take what the carrier has answered about a line as it was when it was asked; whether the answer counts.

        It does not where the line has changed since: the carrier has told, and the answer may be the older of the two.
        """
        return await self._take(channel, news, as_of)

    async def _take(self, channel: str, news: LegNews | RecordingNews, as_of: Leg | None) -> bool:
        async def unit(tx: UnitOfWork) -> bool:
            interaction = await self._interaction_of(tx, channel, news)
            if as_of is not None and await tx.get(LEGS, as_of.id) != as_of:
                return False
            if not await _is_first(tx, channel, news, interaction) or interaction is None:
                return False
            if isinstance(news, RecordingNews):
                await self._recorded(tx, interaction, news)
            else:
                await self._told(tx, interaction, news)
                await settle(tx, interaction, self.news.take)
            return True

        return await self._store.write(unit)

    async def look(self, interaction_id: str) -> None:
        """See whether the call needs anything; asked after every change of its interaction, and by timers."""

        async def unit(tx: UnitOfWork) -> None:
            whole = await settle(tx, interaction_id, self.news.take)
            call = whole.call
            if call.reattach_until is not None:
                await moves.schedule(tx, "call_look", call.id, min(call.reattach_until, tx.now + RING_AGAIN_MS))
            elif whole.interaction.state is State.CONNECTING and any(is_asked(leg, tx.now) for leg in whole.legs):
                await moves.schedule(tx, "call_look", call.id, tx.now + ASKED_MS)

        await self._store.write(unit)

    def calls_of(self, agent: str) -> list[Interaction]:
        """Return the calls that an agent has this moment."""
        return [interaction for interaction in self._floor.work_of(agent) if interaction.kind == KIND]

    async def _interaction_of(self, tx: UnitOfWork, channel: str, news: LegNews | RecordingNews) -> str | None:
        if isinstance(news, RecordingNews):
            found = await tx.get(CALLS, news.interaction)
            return found.id if found is not None and found.channel == channel else None
        leg = await _leg_of(tx, channel, news.leg, news.provider_id)
        return leg.interaction if leg is not None else None

    async def _told(self, tx: UnitOfWork, interaction: str, news: LegNews) -> None:
        whole = await whole_call(tx, interaction)
        before = next(
            leg
            for leg in whole.legs
            if leg.id == news.leg or (news.provider_id and leg.provider_id == news.provider_id)
        )
        leg = _after(before, news, tx.now)
        if leg == before:
            return
        await save_leg(tx, leg)
        if leg.state is LegState.ENDED and before.is_live:
            if leg.units and leg.agent:
                await moves.release(tx, leg.agent, leg.units)
            tx.record(
                EventKind.LEG_ENDED,
                interaction=interaction,
                customer=whole.interaction.customer,
                agent=leg.agent,
                queue=whole.interaction.queue,
                leg=leg.id,
                role=str(leg.role),
                cause=str(leg.cause),
                talked_ms=tx.now - leg.joined_at if leg.joined_at else 0,
            )
            if leg.role is LegRole.CUSTOMER and self._may_have_sound(whole.call, leg):
                await moves.schedule(tx, RECORDINGS_TIMER, leg.id, tx.now + TOLD_BY_MS)

    def _may_have_sound(self, call: Call, leg: Leg) -> bool:
        """Whether something may have been recorded of a line: the call, or a message that was left."""
        line = self.lines.get(call.channel)
        return call.records or leg.goes_to is Place.MESSAGE or (line is not None and bool(line.flow))

    async def _recorded(self, tx: UnitOfWork, interaction: str, news: RecordingNews) -> None:
        whole = await whole_call(tx, interaction)
        if await tx.select(RECORDINGS, "WHERE provider_id = $1", news.provider_id):
            return
        recording = Recording(
            id=new_id("g"),
            interaction=whole.interaction.id,
            provider_id=news.provider_id,
            is_message=news.is_message,
            started_at=tx.now - (news.duration_s or 0) * 1000,
            duration_s=news.duration_s,
            problem=news.problem,
        )
        await tx.insert(RECORDINGS, recording)
        if not news.problem:
            await moves.schedule(tx, "fetch_recording", recording.id, tx.now)

    async def message_taken(self, recording_id: str) -> Recording:
        """Make work of its own of a message that was left; one that is already, or is part of a talk, stays there.

        Raises:
            NotFound: there is no such recording.
        """

        async def unit(tx: UnitOfWork) -> Recording:
            recording = await tx.get(RECORDINGS, recording_id, lock=True)
            if recording is None:
                raise NotFound("There is no such recording.")
            whole = await whole_call(tx, recording.interaction)
            # Who left it in a flow and waits for a person now, or has talked to one, has left no work of its own.
            goes_on = whole.interaction.state in _WAITS | WITH_AGENT or whole.interaction.answered_at is not None
            if whole.call.direction is Direction.MESSAGE or goes_on:
                return recording
            taken = msgspec.structs.replace(recording, interaction=(await self._message_interaction(tx, whole)).id)
            await tx.execute(RECORDINGS.update, *RECORDINGS.update_values(taken))
            return tx.touch(taken)

        return await self._store.write(unit)

    async def message_was_silent(self, recording_id: str) -> None:
        """Note that nobody said anything after the tone: it is no message, and nobody's work."""

        async def unit(tx: UnitOfWork) -> None:
            recording = await tx.get(RECORDINGS, recording_id, lock=True)
            if recording is not None:
                silent = msgspec.structs.replace(recording, problem="silent")
                await tx.execute(RECORDINGS.update, *RECORDINGS.update_values(silent))
                tx.touch(silent)

        await self._store.write(unit)

    async def _message_interaction(self, tx: UnitOfWork, whole: WholeCall) -> Interaction:
        """Queue the message somebody left as work of its own, behind the call in which they did not reach anybody."""
        before = whole.interaction
        customer = await people.survivor(tx, before.customer)
        line = self._line(whole.call.channel)
        interaction = await self._following(tx, line, customer, before, whole.call.number)
        interaction = await moves.enter_queue(tx, msgspec.structs.replace(interaction, is_message=True), "message")
        tx.record(
            EventKind.MESSAGE_LEFT,
            actor="customer",
            interaction=interaction.id,
            customer=customer.id,
            queue=before.queue,
        )
        await tx.insert(
            CALLS, msgspec.structs.replace(whole.call, id=interaction.id, direction=Direction.MESSAGE, version=0)
        )
        return await tx.insert(INTERACTIONS, interaction)


async def _known(tx: UnitOfWork, channel: str, provider_id: str) -> WholeCall:
    """Return a call by the carrier's name of its line.

    Raises:
        NotFound: nobody knows it.
    """
    leg = await _leg_of(tx, channel, "", provider_id)
    if leg is None:
        raise NotFound("There is no such call.")
    return await whole_call(tx, leg.interaction)


async def _leg_of(tx: UnitOfWork, channel: str, leg_id: str, provider_id: str) -> Leg | None:
    """Return a leg by our name of it, or the carrier's, in a call of this channel."""
    of_channel = "AND EXISTS (SELECT 1 FROM calls WHERE calls.id = legs.interaction AND calls.channel = $2) LIMIT 1"
    if leg_id:
        found = await tx.select(LEGS, f"WHERE id = $1 {of_channel}", leg_id, channel)
    else:
        found = await tx.select(
            LEGS, f"WHERE provider_id = $1 AND provider_id <> '' {of_channel}", provider_id, channel
        )
    return found[0] if found else None


async def owed_call(tx: UnitOfWork, number: str, queue: str) -> Interaction | None:
    """Return the call that a queue owes somebody; nobody else can begin to owe one until the unit is committed."""
    await tx.be_alone(f"callback:{number}:{queue}")
    found = await tx.select(
        INTERACTIONS,
        "WHERE ended_at IS NULL AND state <> 'wrapping' AND queue = $2 AND EXISTS (SELECT 1 FROM calls "
        "WHERE calls.id = interactions.id AND calls.number = $1 AND calls.direction = 'callback') FOR UPDATE",
        number,
        queue,
    )
    return found[0] if found else None


async def _no_longer_asked(tx: UnitOfWork, whole: WholeCall, provider_id: str) -> WholeCall:
    """Let a caller who has answered be led on."""
    asked = [leg for leg in whole.legs if leg.provider_id == provider_id and leg.place is Place.ASKED]
    free = {leg.id: await save_leg(tx, msgspec.structs.replace(leg, place=Place.SCRIPT)) for leg in asked}
    return replace(whole, legs=tuple(free.get(leg.id, leg) for leg in whole.legs))


async def _is_first(tx: UnitOfWork, channel: str, news: LegNews | RecordingNews, interaction: str | None) -> bool:
    """Keep the news; whether they are new. The unique key, not the look before it, is what counts them once."""
    facts = {name: str(value) for name, value in msgspec.structs.asdict(news).items() if value not in ("", None)}
    event = CarrierEvent(
        id=new_id("e"),
        channel=channel,
        key=news.key,
        at=tx.now,
        kind=type(news).__name__,
        interaction=interaction,
        facts=facts,
    )
    return bool(
        await tx.execute(
            f"{CARRIER_EVENTS.insert} ON CONFLICT (channel, key) DO NOTHING", *CARRIER_EVENTS.values(event)
        )
    )


def _after(leg: Leg, news: LegNews, now: int) -> Leg:
    """Return the leg as the news leave it: states only forwards, places and holds only by newer numbers."""
    if news.provider_id and not leg.provider_id:
        leg = msgspec.structs.replace(leg, provider_id=news.provider_id)
    state = LegState(news.state) if news.state else leg.state
    if state is LegState.ENDED and leg.is_live:
        return ended(leg, EndCause.HUNG_UP_BY_US if leg.expected_end else news.cause or EndCause.HUNG_UP, now)
    if not leg.is_live:
        return leg
    if news.is_machine:
        # The line is up until we hang up: only what becomes of the call is decided.
        leg = msgspec.structs.replace(leg, cause=EndCause.MACHINE)
    if LEG_RANK[state] > LEG_RANK[leg.state]:
        leg = msgspec.structs.replace(leg, state=state)
    if leg.state is LegState.UP and leg.answered_at is None:
        leg = msgspec.structs.replace(leg, answered_at=now)
    if news.seq is not None and news.seq <= leg.seq:
        return leg
    return _placed(leg, news, now)


def _placed(leg: Leg, news: LegNews, now: int) -> Leg:
    changes: dict[str, object] = {} if news.seq is None else {"seq": news.seq}
    if news.place is not None:
        changes["place"] = news.place
        if news.place is Place.ROOM:
            changes |= {"joined_at": leg.joined_at or now, "state": LegState.UP, "answered_at": leg.answered_at or now}
    if news.is_held is not None:
        changes["is_held"] = news.is_held
    if news.is_muted is not None:
        changes["is_muted"] = news.is_muted
    return msgspec.structs.replace(leg, **changes) if changes else leg
