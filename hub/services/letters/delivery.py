"""The outbox's worker: claims letters that are due, hands them to their channels, and writes what became of them.

A claim is a lease taken by compare-and-set, so that of several nodes one sends a letter. `sending` is committed before
the provider may take it: whatever dies afterwards without the provider's word leaves the letter `uncertain`, for a
person to decide, and whatever dies before leaves it to be tried again.
"""

import asyncio
import contextlib
import heapq
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from hub.clock import Clock
from hub.contract import Pace, Receipt
from hub.domain.correspondence import Outgoing, OutgoingState, Refusal
from hub.domain.errors import (
    ChannelUnavailable,
    Conflict,
    DeliveryUncertain,
    HubError,
    MessageRejected,
    NotFound,
    RecipientOptedOut,
    Unavailable,
)
from hub.domain.events import EventKind
from hub.domain.interaction import Interaction
from hub.events import Bus, Commit
from hub.services import moves, texting
from hub.services.letters import outbox
from hub.services.letters.outbound import Loader
from hub.settings import Settings
from hub.storage.tables import ENVELOPES, OUTGOING
from hub.storage.unit_of_work import Store, UnitOfWork

log = logging.getLogger(__name__)
SWEEP_S = 5.0
_AT_A_SWEEP = 500
_MINUTE_MS = 60_000
_WORDS = 500
_OPEN = frozenset({OutgoingState.WAITING, OutgoingState.SENDING})


class Delivery:
    """Sends what is due. `node` names this node across its restarts, as in the lease of dispatching."""

    def __init__(self, store: Store, settings: Settings, bus: Bus, clock: Clock, letters: Loader, *, node: str) -> None:
        self._store = store
        self._settings = settings.letters
        self._clock = clock
        self._letters = letters
        self._node = node
        self._due: list[tuple[int, str]] = []
        self._lanes: dict[str, _Lane] = {}
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._sending: set[str] = set()
        self._trouble: set[str] = set()
        self._random = random.Random()  # noqa: S311 - spreads retries, keeps no secret
        self.unreached: Callable[[UnitOfWork, Interaction], Awaitable[Interaction]] | None = None
        bus.subscribe(self._on_commit)

    async def start(self) -> None:
        """Settle what this node left behind, and begin to send."""
        await self._store.write(self._recover)
        await self._look()
        self._loop = asyncio.create_task(self._run(), name="delivery")

    async def stop(self, *, patience_s: float = 0.0) -> None:
        """Claim nothing more; what is being sent is finished, at most for `patience_s`, and otherwise cut off."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
            self._loop = None
        if self._tasks and patience_s > 0:
            await asyncio.wait(tuple(self._tasks), timeout=patience_s)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _recover(self, tx: UnitOfWork) -> None:
        """What this node had claimed when it died: before the words went it is tried again, afterwards uncertain."""
        left = await tx.select(OUTGOING, "WHERE state IN ('waiting', 'sending') AND holder = $1 FOR UPDATE", self._node)
        for letter in left:
            await self._abandoned(tx, letter)

    async def _abandoned(self, tx: UnitOfWork, letter: Outgoing) -> None:
        if letter.state is OutgoingState.SENDING:
            await _settle(
                tx, letter, EventKind.LETTER_UNCERTAIN, OutgoingState.UNCERTAIN, problem="The hub was cut off."
            )
        else:
            await tx.save(OUTGOING, msgspec.structs.replace(letter, lease_until=0, holder=""))

    # -- what is due

    def _on_commit(self, commit: Commit) -> None:
        for record in commit.records:
            if isinstance(record, Outgoing) and record.state is OutgoingState.WAITING and record.lease_until == 0:
                self._arm(record.id, record.due_at)

    def _arm(self, letter_id: str, due_at: int) -> None:
        heapq.heappush(self._due, (due_at, letter_id))
        self._wake.set()

    async def _run(self) -> None:
        """Wait for the next letter, and look into the database now and then: other nodes write there too."""
        sweep_at = self._clock.now() + round(SWEEP_S * 1000)
        while True:
            now = self._clock.now()
            try:
                if now >= sweep_at:
                    sweep_at = now + round(SWEEP_S * 1000)
                    await self._look()
                due = set()
                while self._due and self._due[0][0] <= now:
                    due.add(heapq.heappop(self._due)[1])
                for letter_id in sorted(due - self._sending):
                    await self._line_up(letter_id)
            except Exception:
                # One letter's trouble never ends the worker; the next sweep finds what was passed over.
                log.exception("the outbox could not be worked on")
            await self._clock.wait_until(self._wake, min(sweep_at, self._due[0][0]) if self._due else sweep_at)
            self._wake.clear()

    async def _look(self) -> None:
        """Arm what is due soon, and settle what another node left when its lease ran out."""

        async def unit(tx: UnitOfWork) -> list[Outgoing]:
            return await tx.select(
                OUTGOING,
                "WHERE state IN ('waiting', 'sending') AND due_at <= $1 ORDER BY due_at LIMIT $2",
                tx.now + round(2 * SWEEP_S * 1000),
                _AT_A_SWEEP,
            )

        try:
            found = await self._store.read(unit)
            for letter in found:
                if letter.state is OutgoingState.WAITING:
                    self._arm(letter.id, max(letter.due_at, letter.lease_until))
                elif letter.lease_until <= self._clock.now() and letter.id not in self._sending:
                    await self._store.write(lambda tx, key=letter.id: self._take_over(tx, key))  # type: ignore[misc]
        except Unavailable as error:
            log.warning("outbox out of reach", extra={"error": str(error)})

    async def _take_over(self, tx: UnitOfWork, letter_id: str) -> None:
        letter = await tx.get(OUTGOING, letter_id, lock=True)
        if letter is not None and letter.state is OutgoingState.SENDING and letter.lease_until <= tx.now:
            await self._abandoned(tx, letter)

    async def _line_up(self, letter_id: str) -> None:
        """Put a letter in its channel's lane: so many at once, so many a minute."""

        async def unit(tx: UnitOfWork) -> Outgoing | None:
            return await tx.get(OUTGOING, letter_id)

        try:
            letter = await self._store.read(unit)
        except Unavailable:
            self._arm(letter_id, self._clock.now() + _MINUTE_MS // 60)
            return
        if letter is None or letter.state is not OutgoingState.WAITING or letter.due_at > self._clock.now():
            return
        lane = self._lanes.get(letter.channel)
        if lane is None:
            lane = self._lanes[letter.channel] = _Lane(self._letters.pace(letter.channel))
        self._sending.add(letter_id)
        lane.waiting.append(letter_id)
        self._advance(lane)

    def _advance(self, lane: "_Lane") -> None:
        while lane.waiting and lane.running < lane.pace.at_once:
            wait_ms = lane.wait_ms(self._clock.now())
            if wait_ms > 0:
                if not lane.is_armed:
                    lane.is_armed = True
                    self._clock.call_at(self._clock.now() + wait_ms, lambda: self._resume(lane))
                return
            lane.begun.append(self._clock.now())
            lane.running += 1
            task = asyncio.create_task(self._deliver(lane, lane.waiting.popleft()), name="letter")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _resume(self, lane: "_Lane") -> None:
        lane.is_armed = False
        if self._loop is not None:
            self._advance(lane)

    async def _deliver(self, lane: "_Lane", letter_id: str) -> None:
        try:
            letter = await self._store.write(lambda tx: self._claim(tx, letter_id))
            if isinstance(letter, Outgoing):
                await self._send(letter)
            elif letter is not None:
                self._arm(letter_id, letter)
        except Unavailable as error:
            log.warning("a letter waits for the database", extra={"outgoing": letter_id, "error": str(error)})
            self._arm(letter_id, self._clock.now() + round(SWEEP_S * 1000))
        except Exception:
            # Whatever state it is in, its lease runs out and the sweep settles it.
            log.exception("a letter could not be handled", extra={"outgoing": letter_id})
        finally:
            self._sending.discard(letter_id)
            lane.running -= 1
            if self._loop is not None:
                self._advance(lane)

    # -- one letter

    async def _claim(self, tx: UnitOfWork, letter_id: str) -> Outgoing | int | None:
        """Take the letter for this node; or return when to ask again, or None when it waits no longer."""
        letter = await tx.get(OUTGOING, letter_id, lock=True)
        if letter is None or letter.state is not OutgoingState.WAITING:
            return None
        if letter.due_at > tx.now or letter.lease_until > tx.now:
            return max(letter.due_at, letter.lease_until)
        return await tx.save(
            OUTGOING,
            msgspec.structs.replace(
                letter,
                holder=self._node,
                lease_until=self._lease_end(tx.now),
                attempts=letter.attempts + 1,
                tried_since=letter.tried_since or tx.now,
            ),
        )

    def _lease_end(self, now: int) -> int:
        return now + round(self._settings.lease_s * 1000)

    async def _send(self, letter: Outgoing) -> None:
        """Hand one claimed letter to its channel and write what became of it."""
        state = _Try(letter)
        keeper = asyncio.create_task(self._keep(state), name="letter's lease")
        try:
            outbound = await self._letters.load(letter)
            outbound = msgspec.structs.replace(outbound, before_handover=lambda: self._hand_over(state))
            receipt = await self._letters.channel(letter.channel).send(outbound)
        except HubError as error:
            await self._close(state, error)
        except Exception as error:
            log.exception("a letter could not be sent", extra={"outgoing": letter.id})
            await self._close(state, DeliveryUncertain(str(error)) if state.is_handed_over else _internal(error))
        else:
            self._note(letter.channel, None)
            await self._persist(lambda tx: self._sent(tx, state, receipt))
        finally:
            keeper.cancel()

    async def _hand_over(self, state: "_Try") -> None:
        """Commit that the provider may have it from now on.

        Raises:
            Conflict: the letter is not this node's any more: nothing may be sent.
        """

        async def unit(tx: UnitOfWork) -> Outgoing:
            letter = await self._mine(tx, state)
            if letter is None or letter.state is not OutgoingState.WAITING or letter.lease_until <= tx.now:
                raise Conflict("Another node has it.")
            sending = msgspec.structs.replace(letter, state=OutgoingState.SENDING, lease_until=self._lease_end(tx.now))
            return await tx.save(OUTGOING, sending)

        await self._store.write(unit)
        state.is_handed_over = True

    async def _keep(self, state: "_Try") -> None:
        """Prolong the lease while the provider takes its time."""
        while True:
            await self._clock.sleep(self._settings.lease_s / 3)

            async def unit(tx: UnitOfWork) -> None:
                letter = await self._mine(tx, state)
                if letter is not None and letter.state in _OPEN:
                    longer = msgspec.structs.replace(letter, lease_until=self._lease_end(tx.now))
                    await tx.execute(OUTGOING.update, *OUTGOING.update_values(longer))

            try:
                await self._store.write(unit)
            except HubError as error:
                log.warning("letter's lease not prolonged", extra={"outgoing": state.letter.id, "error": str(error)})

    async def _mine(self, tx: UnitOfWork, state: "_Try") -> Outgoing | None:
        """Return the letter as it stands, locked, if this very try of this node still is the latest."""
        letter = await tx.get(OUTGOING, state.letter.id, lock=True)
        is_mine = letter is not None and letter.holder == self._node and letter.attempts == state.letter.attempts
        return letter if is_mine else None

    async def _close(self, state: "_Try", error: HubError) -> None:
        """Write how a try ended that did not succeed."""
        if isinstance(error, ChannelUnavailable):
            self._note(state.letter.channel, error)
        await self._persist(lambda tx: self._failed(tx, state, error))

    async def _persist(self, unit: Callable[[UnitOfWork], Awaitable[None]]) -> None:
        """Write a result, however long the database is away: nobody else knows it."""
        while True:
            try:
                return await self._store.write(unit)
            except Unavailable as error:
                log.warning("a letter's result waits for the database", extra={"error": str(error)})
                await self._clock.sleep(1)

    def _note(self, channel: str, error: ChannelUnavailable | None) -> None:
        """Log once when a channel goes away, once when it is back."""
        if error is not None and channel not in self._trouble:
            self._trouble.add(channel)
            log.warning("channel does not send", extra={"channel": channel, "status": error.reply_status})
        elif error is None and channel in self._trouble:
            self._trouble.discard(channel)
            log.info("channel sends again", extra={"channel": channel})

    async def _sent(self, tx: UnitOfWork, state: "_Try", receipt: Receipt) -> None:
        """The provider has it, for all recipients or for some."""
        letter = await self._settleable(tx, state)
        if letter is None:
            return
        refused = _merged(letter.refused, receipt.refused)
        envelope = await tx.get(ENVELOPES, letter.interaction, letter.n)
        parties = [*envelope.recipients, *envelope.cc, *envelope.bcc] if envelope else []
        not_taken = {refusal.address for refusal in receipt.refused}
        given_up = {refusal.address for refusal in letter.refused if refusal.is_final}
        accepted = tuple(
            dict.fromkeys(p.address for p in parties if p.address not in not_taken and p.address not in given_up)
        )
        letter = msgspec.structs.replace(letter, refused=refused, accepted=accepted, status=receipt.status)
        later = [refusal for refusal in receipt.refused if not refusal.is_final]
        if later and not self._is_given_up(letter, tx.now):
            await self._put_off(tx, letter, later[0].status, later[0].text, None)
            return
        final = tuple(msgspec.structs.replace(refusal, is_final=True) for refusal in refused)
        await _settle(
            tx,
            msgspec.structs.replace(letter, refused=final, sent_at=tx.now),
            EventKind.LETTER_SENT,
            OutgoingState.SENT,
            status=receipt.status,
            refused=len(final),
        )

    async def _failed(self, tx: UnitOfWork, state: "_Try", error: HubError) -> None:
        letter = await self._settleable(tx, state)
        if letter is None:
            return
        words, status = str(error)[:_WORDS], getattr(error, "reply_status", "")
        if isinstance(error, RecipientOptedOut):
            await texting.refused(tx, letter, status)
        if isinstance(error, ChannelUnavailable | DeliveryUncertain) and await texting.is_reported(tx, letter):
            done = msgspec.structs.replace(letter, sent_at=tx.now)
            await _settle(tx, done, EventKind.LETTER_SENT, OutgoingState.SENT)
        elif isinstance(error, MessageRejected):
            refused = _merged(letter.refused, error.refused)
            await self._give_up(tx, msgspec.structs.replace(letter, refused=refused), words, status)
        elif isinstance(error, DeliveryUncertain):
            await _settle(tx, letter, EventKind.LETTER_UNCERTAIN, OutgoingState.UNCERTAIN, problem=words)
        elif isinstance(error, NotFound):
            await self._give_up(tx, letter, words)
        elif self._is_given_up(letter, tx.now):
            await self._give_up(tx, letter, f"Given up after many tries. {words}", status)
        else:
            await self._put_off(tx, letter, status, words, getattr(error, "retry_after_s", None))

    async def _give_up(self, tx: UnitOfWork, letter: Outgoing, problem: str, status: str = "") -> None:
        """It will not be sent; a flow that had said it waits for no answer."""
        await _settle(tx, letter, EventKind.LETTER_FAILED, OutgoingState.FAILED, problem=problem, status=status)
        if self.unreached is not None and letter.is_automatic:
            await self.unreached(tx, await moves.interaction_for_change(tx, letter.interaction))

    async def _settleable(self, tx: UnitOfWork, state: "_Try") -> Outgoing | None:
        """Return the letter if this try's result still counts; a node's own word beats "uncertain" set meanwhile."""
        letter = await self._mine(tx, state)
        if letter is None or letter.state not in {*_OPEN, OutgoingState.UNCERTAIN}:
            log.warning("a letter's result came too late", extra={"outgoing": state.letter.id})
            return None
        return letter

    def _is_given_up(self, letter: Outgoing, now: int) -> bool:
        give_up_s = self._letters.pace(letter.channel).give_up_s or self._settings.give_up_s
        return now - (letter.tried_since or now) >= give_up_s * 1000

    async def _put_off(
        self, tx: UnitOfWork, letter: Outgoing, status: str, words: str, retry_after_s: float | None
    ) -> None:
        """Try again later: twice as long as before, spread by a fifth either way, at least what the provider asks."""
        first = self._letters.pace(letter.channel).retry_first_s or self._settings.retry_first_s
        longest = self._settings.retry_longest_s
        wait_s = min(first * 2 ** min(letter.attempts - 1, 30), longest)
        wait_s = max(wait_s * self._random.uniform(0.8, 1.2), min(retry_after_s or 0.0, longest))
        await _settle(
            tx,
            msgspec.structs.replace(letter, due_at=tx.now + round(wait_s * 1000)),
            EventKind.LETTER_DELAYED,
            OutgoingState.WAITING,
            problem=words,
            status=status,
        )


class _Try:
    """One try of one letter by this node."""

    def __init__(self, letter: Outgoing) -> None:
        self.letter = letter
        self.is_handed_over = False


class _Lane:
    """One channel's letters on their way."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.waiting: deque[str] = deque()
        self.begun: deque[int] = deque(maxlen=max(pace.per_minute, 1))
        self.running = 0
        self.is_armed = False

    def wait_ms(self, now: int) -> int:
        """Return how long the next letter has to wait for the minute's allowance."""
        if not self.pace.per_minute or len(self.begun) < self.pace.per_minute:
            return 0
        return max(self.begun[0] + _MINUTE_MS - now, 0)


async def _settle(
    tx: UnitOfWork,
    letter: Outgoing,
    kind: EventKind,
    state: OutgoingState,
    *,
    problem: str = "",
    status: str = "",
    refused: int = 0,
) -> None:
    """Write a letter's new state and tell the journal, which never holds the provider's words."""
    settled = msgspec.structs.replace(letter, state=state, lease_until=0, holder="", problem=problem, status=status)
    if state in {OutgoingState.SENT, OutgoingState.UNCERTAIN}:
        # The holder stays known: its own late word still counts.
        settled = msgspec.structs.replace(settled, holder=letter.holder)
    await tx.save(OUTGOING, settled)
    interaction = await moves.interaction_for_change(tx, letter.interaction)
    outbox.record(
        tx, kind, interaction, letter, "system", attempts=letter.attempts, status=status[:20], refused=refused
    )


def _merged(before: tuple[Refusal, ...], now: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """Return final refusals of before with those of this try."""
    latest = {refusal.address: refusal for refusal in before if refusal.is_final}
    return tuple((latest | {refusal.address: refusal for refusal in now}).values())


def _internal(error: Exception) -> ChannelUnavailable:
    return ChannelUnavailable(f"The hub could not prepare it ({type(error).__name__}).")
