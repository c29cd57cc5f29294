"""Self-service on the phone: what a caller in a flow hears next, and what becomes of their answers.

A caller's line asks for its next document; nothing can be pushed to it. So the session keeps what was said since the
caller last spoke (`standing`), and a turn names how much of it was heard: asking twice gets the same words, an answer
told twice counts once, and a line that lost its document asks from the beginning.
"""

import re
from dataclasses import dataclass
from typing import Final

import msgspec

from hub.contract.calls import CallStep, Said
from hub.domain.calls import CallerSaid, Gathering, Leg, Place
from hub.domain.interaction import WITH_AGENT, Interaction, State
from hub.domain.messages import Author, Message
from hub.domain.redaction import without_cards
from hub.flows import session as flows
from hub.flows.session import Session, TimeUp
from hub.flows.voice import Gather, Record, Say, spoken
from hub.services import moves
from hub.services.flows.self_service import SelfService
from hub.services.flows.sessions import latest_session
from hub.services.phone.state import WholeCall, save_leg
from hub.storage.tables import CALLS, INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import UnitOfWork

LOOKING_S: Final = 1
"""How long a line waits before it asks again whether a look-up has ended."""
_TURN: Final = re.compile(r"([ql])(\d{1,9})\.(\d{1,9})")
_ENDS: Final = frozenset({State.RESOLVED, State.CALLBACK_BOOKED, State.ABANDONED})


@dataclass(frozen=True, slots=True)
class _Turn:
    """Where a caller stands: at which question (or look-up), and how much of what was said they have heard."""

    is_question: bool
    timer: int
    heard: int

    def __str__(self) -> str:
        return f"{'q' if self.is_question else 'l'}{self.timer}.{self.heard}"


def _read(turn: str) -> _Turn | None:
    found = _TURN.fullmatch(turn)
    return _Turn(found[1] == "q", int(found[2]), int(found[3])) if found else None


class CallFlows:
    """Flows as a caller lives through them, inside the units of the calls' service."""

    def __init__(self, flows: SelfService) -> None:
        self._flows = flows

    def has(self, flow: str) -> bool:
        """Whether there is such a flow."""
        return bool(flow) and self._flows.library.has(flow)

    async def begin(self, tx: UnitOfWork, interaction: Interaction, flow: str) -> Interaction:
        """Let a call that was just created enter a flow; returns its interaction, stored."""
        return await self._flows.begin(tx, interaction, flow, "")

    async def hung_up(self, tx: UnitOfWork, interaction: Interaction) -> None:
        """The caller is gone: their session ends, and the interaction with it unless it is an agent's."""
        if interaction.state is State.SELF_SERVICE:
            await self._flows.left(tx, interaction)
        else:
            await self._flows.put(tx, interaction, flows.HungUp("hung up"))

    async def answer(self, tx: UnitOfWork, whole: WholeCall, turn: str, said: CallerSaid) -> Interaction:
        """Give a caller's answer to their session; one to an older question, or told before, is none."""
        at = _read(turn)
        interaction = whole.interaction
        if at is None or not at.is_question or interaction.state not in {State.SELF_SERVICE, State.HELD}:
            return interaction
        found = await latest_session(tx, interaction.id)
        if found is None:
            return interaction
        if not (said.digits or said.text or said.recording):
            return await self._flows.take(tx, interaction, found, TimeUp(f"t{at.timer}", at.timer))
        session = found[1]
        given = flows.Said(
            id=f"q{at.timer}",
            text=said.text[:2_000],
            digits=said.digits[:40],
            confidence=said.confidence,
            recording=said.recording,
        )
        if session.timer != at.timer or given.id in session.seen:
            return interaction
        written = await _written(tx, interaction, given)
        after = await self._flows.take(tx, written, found, given)
        return after if after is not written else await tx.save(INTERACTIONS, after)

    async def step(self, tx: UnitOfWork, whole: WholeCall, leg: Leg, turn: str) -> CallStep | None:
        """Return what a caller hears next in their flow, or as it ends; None when no flow has anything to say."""
        found = await latest_session(tx, whole.interaction.id) if leg.goes_to is Place.SCRIPT else None
        if found is None:
            return None
        session = found[1]
        at = _read(turn)
        heard = at.heard if at is not None and not at.is_question else 0
        words, last = _spoken(session, heard)
        if whole.call.language != session.language:
            await tx.save(CALLS, msgspec.structs.replace(whole.call, language=session.language))
        is_wanted_back = session.is_over or whole.interaction.state is not State.HELD
        if session.by_agent and is_wanted_back and whole.interaction.state in WITH_AGENT:
            await save_leg(tx, msgspec.structs.replace(leg, goes_to=Place.ROOM))
            return CallStep(
                say=words if session.is_over else (), then="room", interaction=whole.interaction.id, leg=leg.id
            )
        if not session.is_over:
            return _open_step(session, words, last, whole)
        if whole.interaction.state in _ENDS:
            return CallStep(say=words, then="hang_up")
        if whole.interaction.state in {State.QUEUED, State.OFFERED, State.CONNECTING}:
            await save_leg(tx, msgspec.structs.replace(leg, goes_to=Place.QUEUE))
            return CallStep(say=words, then="queue", interaction=whole.interaction.id)
        return None


def _spoken(session: Session, heard: int) -> tuple[tuple[Said, ...], Gather | Record | None]:
    """Return what was not heard yet as words, and the question or recording it ends in."""
    if session.is_over and not any(isinstance(output, flows.Finished) for output in session.standing[-1:]):
        return (), None  # cut short by a person: the question that stood is asked no more
    words: list[Said] = []
    last: Gather | Record | None = None
    for one in spoken(session.standing[heard:], session.language):
        if isinstance(one, Gather | Record):
            words += [Said(prompt.text, session.language) for prompt in one.prompts]
            last = one
        elif isinstance(one, Say):
            words.append(Said(one.text, session.language))
    return tuple(words), last


def _open_step(session: Session, words: tuple[Said, ...], last: Gather | Record | None, whole: WholeCall) -> CallStep:
    """Return how a session that goes on is listened to."""
    if session.state is flows.State.LOOKING_UP:
        turn = _Turn(is_question=False, timer=session.timer, heard=len(session.standing))
        return CallStep(say=words, then="ask_again", turn=str(turn), music_s=LOOKING_S)
    turn = _Turn(is_question=True, timer=session.timer, heard=0)
    if isinstance(last, Record):
        return CallStep(
            say=words, then="message", interaction=whole.interaction.id, max_s=round(last.most_s), turn=str(turn)
        )
    asked = last or Gather(prompts=(), step="", timer=session.timer, locale="")
    return CallStep(
        say=words,
        then="listen",
        turn=str(turn),
        gathering=Gathering(
            language=session.language,
            digits=asked.digits,
            end_key=asked.end_key,
            timeout_s=asked.timeout_s,
            hints=asked.hints,
        ),
    )


async def _written(tx: UnitOfWork, interaction: Interaction, given: flows.Said) -> Interaction:
    """Write down what the caller said or pressed, so that whoever takes over reads it as a conversation.

    Returns the interaction with its new count, to be saved.
    """
    text = without_cards(given.text or given.digits)
    if not text:
        return interaction
    message = Message(
        interaction=interaction.id, n=interaction.last_n + 1, at=tx.now, author=Author.CUSTOMER, text=text
    )
    await tx.insert(MESSAGES, message)
    moves.message_stored(tx, interaction, message)
    return msgspec.structs.replace(interaction, last_n=message.n, last_at=tx.now, last_from="customer")
