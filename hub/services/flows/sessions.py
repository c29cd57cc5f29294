"""Flows' sessions as they are stored: found, and ended from outside without asking their flow."""

import msgspec

from hub.domain.events import EventKind
from hub.domain.interaction import Interaction
from hub.domain.self_service import FlowSession
from hub.flows.session import Outcome, Session, State
from hub.services import moves
from hub.storage.tables import FLOW_SESSIONS
from hub.storage.unit_of_work import UnitOfWork


async def open_session(tx: UnitOfWork, interaction_id: str) -> tuple[FlowSession, Session] | None:
    """Return the session that an interaction is in, locked until the unit ends; None when it is in none."""
    found = await tx.select(FLOW_SESSIONS, "WHERE interaction = $1 AND ended_at IS NULL FOR UPDATE", interaction_id)
    return (found[0], msgspec.json.decode(found[0].body, type=Session)) if found else None


async def latest_session(tx: UnitOfWork, interaction_id: str) -> tuple[FlowSession, Session] | None:
    """Return an interaction's newest session, over or not, as this unit left it; None when it never was in one."""
    touched = [one for one in tx.touched(FlowSession) if one.interaction == interaction_id]
    tail = "WHERE interaction = $1 ORDER BY started_at DESC, id DESC LIMIT 1"
    found = touched or await tx.select(FLOW_SESSIONS, tail, interaction_id)
    if not found:
        return None
    stored = max(found, key=lambda one: (one.started_at, one.id))
    return stored, msgspec.json.decode(stored.body, type=Session)


async def cut_short(
    tx: UnitOfWork,
    interaction: Interaction,
    stored: FlowSession,
    session: Session,
    reason: str,
    *,
    outcome: Outcome = Outcome.QUEUED,
) -> None:
    """End a session where it stands; its timers ring no more and what it looks up is not listened to."""
    over = msgspec.structs.replace(
        session, state=State.ENDED, outcome=outcome, reason=reason, ended_at=tx.now, pending=""
    )
    ended = msgspec.structs.replace(
        stored,
        state=str(over.state),
        stepped_at=tx.now,
        ended_at=tx.now,
        outcome=str(over.outcome),
        reason=over.reason,
        looking_up="",
        body=msgspec.json.encode(over).decode(),
    )
    await tx.save(FLOW_SESSIONS, ended)
    await moves.cancel_job(tx, "flow_wait", stored.id)
    await moves.cancel_job(tx, "flow_fetch", stored.id)
    tx.record(
        EventKind.FLOW_ENDED,
        actor="flow",
        interaction=interaction.id,
        customer=interaction.customer,
        flow=stored.flow,
        step=stored.step,
        outcome=str(outcome),
        reason=reason,
    )


async def end_agents_session(tx: UnitOfWork, interaction: Interaction, reason: str) -> None:
    """End the session that an agent sent the customer into, if there is one: who would get them back has lost them."""
    found = await open_session(tx, interaction.id)
    if found is not None and found[1].by_agent:
        await cut_short(tx, interaction, *found, reason, outcome=Outcome.HANDED_BACK)
