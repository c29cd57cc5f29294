"""Answers that are given by a link: looked at as often as anybody likes, given once."""

from typing import Literal

import msgspec

from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, Message
from hub.domain.self_service import FlowSession
from hub.flows.session import Session
from hub.flows.session import State as FlowState
from hub.services import moves
from hub.services.flows.answer_links import AnswerLink, AnswerLinks, read_asking
from hub.services.flows.self_service import SelfService
from hub.services.flows.sessions import open_session
from hub.services.messages import after_message
from hub.storage.tables import FLOW_SESSIONS, INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import Store, UnitOfWork

Standing = Literal["open", "given", "over"]


class LinkedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a link stands for: `open` can be given, `given` has just been, `over` is too late or was answered before."""

    standing: Standing
    label: str
    language: str


class FlowAnswers:
    """The use cases of whoever follows a link in a flow's letter."""

    def __init__(self, store: Store, flows: SelfService, links: AnswerLinks) -> None:
        self._store = store
        self._flows = flows
        self._links = links

    async def look(self, link: AnswerLink) -> LinkedAnswer:
        """Return what a link would answer; changes nothing, for machines that look into mails follow links too.

        Raises:
            NotFound: it is not one of ours.
        """
        self._links.check(link)
        session_id, timer = read_asking(link.asking)

        async def unit(tx: UnitOfWork) -> LinkedAnswer:
            stored = await tx.get(FLOW_SESSIONS, session_id)
            if stored is None:
                return LinkedAnswer(standing="over", label="", language="")
            session = msgspec.json.decode(stored.body, type=Session)
            is_open = tx.now < link.until and _waits(stored, session, timer)
            label = await _label(tx, stored.interaction, link)
            return LinkedAnswer(
                standing="open" if is_open and label else "over", label=label, language=session.language
            )

        return await self._store.read(unit)

    async def answer(self, link: AnswerLink) -> LinkedAnswer:
        """Let the flow hear the choice, as if it had been written back.

        Two at once, or a letter at the same time: whichever is first is the answer, the other comes too late.

        Raises:
            NotFound: it is not one of ours.
        """
        self._links.check(link)
        session_id, timer = read_asking(link.asking)

        async def unit(tx: UnitOfWork) -> LinkedAnswer:
            stored = await tx.get(FLOW_SESSIONS, session_id)
            if stored is None:
                return LinkedAnswer(standing="over", label="", language="")
            interaction = await moves.interaction_for_change(tx, stored.interaction)
            label = await _label(tx, interaction.id, link)
            found = await open_session(tx, interaction.id)
            is_open = found is not None and found[0].id == session_id and _waits(*found, timer)
            if not is_open or not label or tx.now >= link.until or interaction.state is not State.SELF_SERVICE:
                return LinkedAnswer(standing="over", label=label, language=interaction.language)
            await self._hear(tx, interaction, link, label)
            return LinkedAnswer(standing="given", label=label, language=interaction.language)

        return await self._store.write(unit)

    async def _hear(self, tx: UnitOfWork, interaction: Interaction, link: AnswerLink, label: str) -> None:
        message = Message(
            interaction=interaction.id,
            n=interaction.last_n + 1,
            at=tx.now,
            author=Author.CUSTOMER,
            text=label,
            choice=link.choice,
        )
        await tx.insert(MESSAGES, message)
        moves.message_stored(tx, interaction, message)
        saved = await tx.save(INTERACTIONS, after_message(interaction, message))
        await self._flows.heard(tx, saved, message)


def _waits(stored: FlowSession, session: Session, timer: int) -> bool:
    """Whether a session still waits for the answer to this question, and to no later one."""
    return stored.ended_at is None and session.state is FlowState.ASKING and session.timer == timer


async def _label(tx: UnitOfWork, interaction: str, link: AnswerLink) -> str:
    """Return the words of a choice as the letter had them; empty when it offered no such choice."""
    found = await tx.select(MESSAGES, "WHERE interaction = $1 AND client_id = $2", interaction, link.asking)
    return next((one.label for message in found for one in message.choices if one.id == link.choice), "")
