"""Splitting a message off into an interaction of its own, joining two interactions, and undoing both.

A message that moves leaves a mark in its place, so that numbers stay without gaps and the way back is known; its
envelope, files, index entry and what is still to be sent go with it.
"""

from collections.abc import Sequence

import msgspec

from hub.domain.agent import Role
from hub.domain.correspondence import Authenticity, Envelope, Rearrangement
from hub.domain.customers import Address, AddressKind, Customer
from hub.domain.errors import BadRequest, Conflict, NotFound
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import ClosingReason, Interaction, State, moved
from hub.domain.messages import MOVED, Author, Message
from hub.services import moves, people
from hub.services.access import Scope
from hub.services.handling import Handling
from hub.services.placing import compared
from hub.services.wording import worded
from hub.storage.tables import ENVELOPES, INTERACTIONS, MESSAGES, REARRANGEMENTS
from hub.storage.unit_of_work import UnitOfWork

SPLIT, JOINED = "split", "joined"
_WITH_AGENT = frozenset({State.ACTIVE, State.HELD, State.CONSULTING})


async def split(tx: UnitOfWork, interaction_id: str, n: int, scope: Scope) -> Interaction:
    """Move a customer's message into an interaction of its own, queued like any arrival; returns that interaction.

    It belongs to whoever sent the message: another sender's is another customer's.

    Raises:
        NotFound: not for this person. BadRequest: no such letter of a customer. Conflict: nothing would be left.
    """
    source = await _seen(tx, interaction_id, scope)
    message = await tx.get(MESSAGES, source.id, n)
    envelope = await tx.get(ENVELOPES, source.id, n)
    if message is None or envelope is None or message.author is not Author.CUSTOMER:
        raise BadRequest("Only a letter of a customer can be split off.")
    row = await tx.fetch_one("SELECT count(*) FROM messages WHERE interaction = $1 AND author = 'customer'", source.id)
    if row is None or int(row[0]) < 2:
        raise Conflict("Nothing would be left: it is the only message of a customer.")
    customer = await _customer_of(tx, source, envelope)
    new = _like(source, tx.now, customer)
    new = msgspec.structs.replace(
        new,
        channel=envelope.channel,
        subject=envelope.subject[:200],
        address=compared(envelope.sender.address) if envelope.sender else "",
    )
    new = _with_words(new, [message])
    _created(tx, new, scope)
    await _move(tx, source, new, [(n, 1)], f"split off by {scope.actor}")
    new = await moves.enter_queue(tx, new, "arrival")
    await tx.insert(INTERACTIONS, new)
    await tx.save(INTERACTIONS, msgspec.structs.replace(source, waits_since=await _waits_since(tx, source)))
    await _note(tx, SPLIT, source, new, [(n, 1)], scope)
    return new


async def join(tx: UnitOfWork, source_id: str, target_id: str, scope: Scope, handling: Handling) -> Rearrangement:
    """Move all words of `source` to the end of `target`; the source ends as a duplicate if it was open.

    Raises:
        NotFound: not for this person. Conflict: they are one, of different kinds, or not in a state to be joined.
    """
    if source_id == target_id:
        raise Conflict("An interaction cannot be joined with itself.")
    await tx.fetch("SELECT id FROM interactions WHERE id ANY_OF($1) ORDER BY id FOR UPDATE", [source_id, target_id])
    source, target = await _seen(tx, source_id, scope), await _seen(tx, target_id, scope)
    _check_joinable(source, target, scope)
    said = await _words(tx, source.id)
    if not said:
        raise Conflict("There is nothing in it to be joined.")
    pairs = [(message.n, target.last_n + place) for place, message in enumerate(said, 1)]
    was_open = source.is_open
    await _move(tx, source, target, pairs, f"joined by {scope.actor}")
    after = _with_words(target, said)
    waits = [at for at in (source.waits_since, target.waits_since) if at is not None]
    after = msgspec.structs.replace(after, waits_since=min(waits) if waits else None)
    if target.state is State.PARKED and source.waits_since is not None:
        await moves.wake_parked(tx, after)
    else:
        await tx.save(INTERACTIONS, after)
    await _end(tx, msgspec.structs.replace(source, waits_since=None), scope, handling)
    return await _note(tx, JOINED, source, target, pairs, scope, was_open=was_open)


async def undo(tx: UnitOfWork, rearrangement_id: str, scope: Scope, handling: Handling) -> Rearrangement:
    """Bring the messages back to where they came from.

    What was open when it was joined cannot be open again under its own id: its words open a new interaction that
    follows it. A split-off interaction that holds nothing else ends as a duplicate.

    Raises:
        NotFound: no such thing for this person. Conflict: it was undone, or its messages have moved on since.
    """
    found = await tx.get(REARRANGEMENTS, rearrangement_id, lock=True)
    if found is None:
        raise NotFound("There is no such split or join.")
    if found.undone_at is not None:
        raise Conflict("It was undone already.")
    await tx.fetch(
        "SELECT id FROM interactions WHERE id ANY_OF($1) ORDER BY id FOR UPDATE", [found.source, found.target]
    )
    source, target = await _seen(tx, found.source, scope), await _seen(tx, found.target, scope)
    back = [(there, here) for here, there in found.moved]
    if found.kind == SPLIT:
        await _undo_split(tx, source, target, back, scope, handling)
    else:
        await _undo_join(tx, found, source, target, back, scope)
    undone = msgspec.structs.replace(found, undone_at=tx.now)
    await tx.execute(REARRANGEMENTS.update, *REARRANGEMENTS.update_values(undone))
    return tx.touch(undone)


async def listed(tx: UnitOfWork, interaction_id: str, scope: Scope) -> list[Rearrangement]:
    """Return what was split off from and joined into an interaction, newest first.

    Raises:
        NotFound: not for this person.
    """
    await _seen(tx, interaction_id, scope, lock=False)
    return await tx.select(
        REARRANGEMENTS, "WHERE source = $1 OR target = $1 ORDER BY at DESC, id DESC LIMIT 100", interaction_id
    )


async def _seen(tx: UnitOfWork, interaction_id: str, scope: Scope, *, lock: bool = True) -> Interaction:
    found = await tx.get(INTERACTIONS, interaction_id, lock=lock)
    if found is None or not scope.sees(found):
        raise NotFound("There is no such interaction.")
    return found


def _check_joinable(source: Interaction, target: Interaction, scope: Scope) -> None:
    if source.kind != target.kind:
        raise Conflict("Only interactions of one kind can be joined.")
    if not target.accepts_customer_messages:
        raise Conflict("It has ended. Join it into the open one instead.")
    for one in (source, target):
        if one.state in {State.CREATED, State.SELF_SERVICE, State.CONNECTING, State.TRANSFERRING}:
            raise Conflict("It is on the move. Try again in a moment.")
    if source.is_open and source.agent not in (None, scope.agent) and scope.role is Role.AGENT:
        raise Conflict("A colleague is handling it.")


async def _customer_of(tx: UnitOfWork, source: Interaction, envelope: Envelope) -> Customer:
    """Return whose message it is: the interaction's customer, unless the sender is somebody else."""
    address = compared(envelope.sender.address) if envelope.sender else ""
    if not address or address == source.address:
        return await people.survivor(tx, source.customer)
    if envelope.authenticity is Authenticity.DISPROVED:
        name = envelope.sender.name if envelope.sender else ""
        return await people.stranger(tx, name=name, language=source.language, claims={"email": address})
    name = envelope.sender.name if envelope.sender else ""
    return (await people.resolve(tx, [Address(kind=AddressKind.EMAIL, value=address)], name=name))[0]


def _like(source: Interaction, now: int, customer: Customer) -> Interaction:
    """Return a new interaction, of the same kind and queue, that holds nothing yet."""
    interaction_id = new_id("i")
    return Interaction(
        id=interaction_id,
        channel=source.channel,
        kind=source.kind,
        customer=customer.id,
        queue=source.queue,
        state=State.CREATED,
        created_at=now,
        queued_at=now,
        address=source.address,
        subject=source.subject,
        language=source.language,
        tier=customer.tier,
        root=interaction_id,
        is_message=source.is_message,
        needs=source.needs,
    )


def _created(tx: UnitOfWork, new: Interaction, scope: Scope) -> None:
    tx.record(
        EventKind.INTERACTION_CREATED,
        actor=scope.actor,
        interaction=new.id,
        customer=new.customer,
        queue=new.queue,
        channel=new.channel,
        channel_kind=new.kind,
    )


def _with_words(interaction: Interaction, said: Sequence[Message]) -> Interaction:
    """Return the interaction with these messages at its end."""
    last = max(said, key=lambda message: message.at)
    is_later = last.at >= (interaction.last_at or 0)
    waits = interaction.waits_since
    if waits is None and last.author is Author.CUSTOMER and is_later:
        waits = last.at
    return msgspec.structs.replace(
        interaction,
        last_n=interaction.last_n + len(said),
        last_at=last.at if is_later else interaction.last_at,
        last_from=str(last.author) if is_later else interaction.last_from,
        waits_since=waits,
    )


async def _words(tx: UnitOfWork, interaction_id: str) -> list[Message]:
    return await tx.select(MESSAGES, "WHERE interaction = $1 AND author <> 'system' ORDER BY n", interaction_id)


async def _waits_since(tx: UnitOfWork, interaction: Interaction) -> int | None:
    """Return since when the customer waits for an answer, by what is there now."""
    row = await tx.fetch_one(
        "SELECT min(at) FROM messages WHERE interaction = $1 AND author = 'customer' AND n > "
        "coalesce((SELECT max(n) FROM messages WHERE interaction = $1 AND author = 'agent'), 0)",
        interaction.id,
    )
    return int(row[0]) if row is not None and row[0] is not None else None


async def _move(
    tx: UnitOfWork,
    source: Interaction,
    target: Interaction,
    pairs: Sequence[tuple[int, int]],
    because: str,
    *,
    into_marks: bool = False,
) -> None:
    """Move messages (number there, number here), leaving marks; `into_marks` puts them where marks stand.

    Raises:
        Conflict: a message or a mark is not where it was.
    """
    for there, here in pairs:
        message = await tx.get(MESSAGES, source.id, there)
        if message is None or message.code == MOVED:
            raise Conflict("A message has moved on since.")
        if into_marks:
            mark = await tx.get(MESSAGES, target.id, here)
            if mark is None or mark.code != MOVED:
                raise Conflict("A message has moved on since.")
        left = Message(
            interaction=source.id,
            n=there,
            at=message.at,
            author=Author.SYSTEM,
            code=MOVED,
            text=worded(MOVED, source.language),
        )
        await tx.execute(MESSAGES.update, *MESSAGES.update_values(left))
        arrived = msgspec.structs.replace(message, interaction=target.id, n=here)
        if into_marks:
            await tx.execute(MESSAGES.update, *MESSAGES.update_values(arrived))
        else:
            await tx.execute(MESSAGES.insert, *MESSAGES.values(arrived))
        tx.touch(left)
        tx.touch(arrived)
        await _move_beside(tx, message, arrived, target, because)
    for last in await tx.select(
        MESSAGES, "WHERE interaction = $1 AND author <> 'system' ORDER BY n DESC LIMIT 1", source.id
    ):
        # Lists show the last words: these are they now.
        tx.touch(last)


async def _move_beside(tx: UnitOfWork, before: Message, after: Message, target: Interaction, because: str) -> None:
    """Move what lies beside a message: envelope, outbox, arrival, files, index entry; and tell the journal."""
    for table in ("outgoing", "arrivals", "envelopes"):
        await tx.execute(
            f"UPDATE {table} SET interaction = $1, n = $2 WHERE interaction = $3 AND n = $4",  # noqa: S608
            after.interaction,
            after.n,
            before.interaction,
            before.n,
        )
    envelope = await tx.get(ENVELOPES, after.interaction, after.n)
    files = [file.id for file in after.files]
    if envelope is not None:
        files += [envelope.html, *envelope.inline.values()]
        evidence = f"{because}; {envelope.evidence}"[:500]
        changed = msgspec.structs.replace(envelope, evidence=evidence, linked=before.interaction)
        await tx.execute(ENVELOPES.update, *ENVELOPES.update_values(changed))
        tx.touch(changed)
    await tx.execute(
        "UPDATE files SET interaction = $1, customer = $2 WHERE id ANY_OF($3)", target.id, target.customer, files
    )
    await tx.execute(
        "UPDATE indexed SET ref = $1, interaction = $2, customer = $3, queue = $4 WHERE ref = $5 AND kind = 'message'",
        f"{after.interaction}:{after.n}",
        target.id,
        target.customer,
        target.queue,
        f"{before.interaction}:{before.n}",
    )
    moves.message_stored(tx, target, after)


async def _end(tx: UnitOfWork, interaction: Interaction, scope: Scope, handling: Handling) -> None:
    """End an interaction whose words are elsewhere now; one that has ended already is only saved."""
    reason, actor = ClosingReason.DUPLICATE, scope.actor
    if interaction.state in {State.QUEUED, State.OFFERED}:
        await handling.leave_queue(tx, interaction, State.CANCELLED, reason, actor)
    elif interaction.state in _WITH_AGENT:
        wrapping = await handling.begin_wrap_up(tx, interaction, "handled", actor=actor)
        await handling.close(tx, wrapping, reason, actor, None)
    elif interaction.state is State.PARKED:
        free = msgspec.structs.replace(moved(interaction, State.WRAPPING), units=0, agent=None)
        await handling.close(tx, free, reason, actor, None)
    elif interaction.state is State.WRAPPING:
        await handling.close(tx, interaction, reason, actor, None)
    else:
        await tx.save(INTERACTIONS, interaction)


async def _note(
    tx: UnitOfWork,
    kind: str,
    source: Interaction,
    target: Interaction,
    pairs: Sequence[tuple[int, int]],
    scope: Scope,
    *,
    was_open: bool = True,
) -> Rearrangement:
    record = Rearrangement(
        id=new_id("r"),
        kind=kind,
        source=source.id,
        target=target.id,
        actor=scope.actor,
        at=tx.now,
        moved=tuple(pairs),
        was_open=was_open,
    )
    tx.record(
        EventKind.INTERACTION_SPLIT if kind == SPLIT else EventKind.INTERACTION_JOINED,
        actor=scope.actor,
        interaction=source.id,
        customer=source.customer,
        queue=source.queue,
        other=target.id,
        count=len(pairs),
    )
    return await tx.insert(REARRANGEMENTS, record)


async def _undo_split(
    tx: UnitOfWork,
    source: Interaction,
    target: Interaction,
    back: Sequence[tuple[int, int]],
    scope: Scope,
    handling: Handling,
) -> None:
    if not source.accepts_customer_messages:
        raise Conflict("The interaction it was split off from has ended.")
    await _move(tx, target, source, back, f"split undone by {scope.actor}", into_marks=True)
    source = msgspec.structs.replace(source, waits_since=await _waits_since(tx, source))
    if source.state is State.PARKED and source.waits_since is not None:
        await moves.wake_parked(tx, source)
    else:
        await tx.save(INTERACTIONS, source)
    if await _words(tx, target.id):
        await tx.save(INTERACTIONS, msgspec.structs.replace(target, waits_since=await _waits_since(tx, target)))
    else:
        await _end(tx, msgspec.structs.replace(target, waits_since=None), scope, handling)


async def _undo_join(
    tx: UnitOfWork,
    found: Rearrangement,
    source: Interaction,
    target: Interaction,
    back: Sequence[tuple[int, int]],
    scope: Scope,
) -> None:
    because = f"join undone by {scope.actor}"
    if not found.was_open:
        await _move(tx, target, source, back, because, into_marks=True)
        await tx.save(INTERACTIONS, source)
    else:
        said = [message for there, _ in back if (message := await tx.get(MESSAGES, target.id, there)) is not None]
        new = _like(source, tx.now, await people.survivor(tx, source.customer))
        new = msgspec.structs.replace(new, root=source.root, previous=source.id, last_agent=source.last_agent)
        if said:
            new = _with_words(new, said)
        _created(tx, new, scope)
        await _move(tx, target, new, [(there, place) for place, (there, _) in enumerate(back, 1)], because)
        await tx.insert(INTERACTIONS, await moves.enter_queue(tx, new, "arrival"))
    await tx.save(INTERACTIONS, msgspec.structs.replace(target, waits_since=await _waits_since(tx, target)))
