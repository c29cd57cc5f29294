"""What a flow says, as its channel carries it: with buttons, as texts with numbered lines, or as one mail."""

from typing import Any, Final

from hub.domain.interaction import Interaction
from hub.domain.messages import Choice
from hub.flows.model import Medium
from hub.flows.session import Session, Stepped
from hub.flows.session import State as FlowState
from hub.flows.writing import Bubble, chat, mail, sms
from hub.services.flows.answer_links import asking

PHONE_KIND: Final = "voice"
_MEDIA: Final = {PHONE_KIND: Medium.PHONE, "email": Medium.EMAIL}


def medium_of(interaction: Interaction) -> Medium:
    """Return how a flow would talk in this interaction; what is written to a telephone number is a text."""
    is_text = interaction.address.startswith("+")
    return _MEDIA.get(interaction.kind) or (Medium.SMS if is_text else Medium.CHAT)


def bubbles_of(stepped: Stepped) -> list[Bubble]:
    """Return what is said as the channel carries it: with buttons, as texts with numbered lines, or as one mail.

    A mail waits for what is being looked up: there is one for each of the customer's, however many steps it takes.
    """
    session = stepped.session
    if session.medium is Medium.SMS:
        return [Bubble(one.text) for one in sms(stepped.outputs, session.language)]
    if session.medium is not Medium.EMAIL:
        return chat(stepped.outputs)
    letter = mail(session.standing, session.language)
    is_ready = bool(letter.text) and session.state is not FlowState.LOOKING_UP
    return [Bubble(letter.text, letter.choices)] if is_ready else []


def question_of(session: Session, bubble: Bubble) -> dict[str, Any]:
    """Return what a message has of the question it puts; in a mail, the name by which its links mean it, too."""
    if session.medium is not Medium.EMAIL:
        return {"choices": tuple(Choice(choice.id, choice.label) for choice in bubble.choices)}
    choices = tuple(Choice(choice.id, choice.label, choice.digit) for choice in bubble.choices)
    return {"choices": choices, "client_id": asking(session.id, session.timer) if choices else ""}
