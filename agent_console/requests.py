"""What staff may say over the socket, word for word (docs/reference/protocols.md, 2); anything else is refused."""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from hub.domain.agent import Presence
from hub.domain.errors import BadRequest
from hub.domain.interaction import Needs

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[!-~]+\Z")]
ClientId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[!-~]+\Z")]
Number = Annotated[int, Meta(ge=0, le=2**53)]
Reason = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=20_000)]
Label = Annotated[str, Meta(min_length=1, max_length=80)]
T = TypeVar("T", bound="Request")


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event's argument; this one says nothing."""


class Sync(Request, frozen=True):
    """Bring me up to date."""

    seq: Number | None = None


class OfInteraction(Request, frozen=True):
    """Something about one interaction."""

    interaction: Id


class Open(OfInteraction, frozen=True):
    """Show a conversation."""

    after_n: Number | None = None


class Earlier(OfInteraction, frozen=True):
    """Older messages."""

    before_n: Number


class ChoosePresence(Request, frozen=True):
    """One's own presence."""

    presence: Presence
    reason: Reason | None = None


class Accept(Request, frozen=True):
    """Take an offer."""

    offer: Id


class Reject(Request, frozen=True):
    """Refuse an offer."""

    offer: Id
    reason: Reason | None = None


class ChoiceShape(Request, frozen=True):
    """A quick reply for the customer."""

    id: Label
    label: Label


class TemplateShape(Request, frozen=True, kw_only=True):
    """A wording agreed with the provider, and what fills its gaps."""

    id: Id
    values: Annotated[list[Text], Meta(max_length=20)] = []


class Send(OfInteraction, frozen=True, kw_only=True):
    """Say something to the customer."""

    client_id: ClientId
    text: Text = ""
    files: Annotated[list[Id], Meta(max_length=10)] = []
    choices: Annotated[list[ChoiceShape], Meta(max_length=10)] = []
    seen_n: Number
    anyway: bool = False
    template: TemplateShape | None = None


class Note(OfInteraction, frozen=True, kw_only=True):
    """Say something to colleagues."""

    client_id: ClientId
    text: Text


class Draft(OfInteraction, frozen=True, kw_only=True):
    """Keep what is not sent."""

    mode: Literal["reply", "note"]
    text: Text


class Typing(OfInteraction, frozen=True, kw_only=True):
    """Somebody types, or stops."""

    typing: bool


class Seen(OfInteraction, frozen=True, kw_only=True):
    """Read up to here."""

    n: Number


class Transfer(OfInteraction, frozen=True, kw_only=True):
    """Give it to others."""

    queue: Id | None = None
    agent: Id | None = None
    needs: Needs | None = None
    note: Text = ""


class Complete(OfInteraction, frozen=True, kw_only=True):
    """Close it with its outcome."""

    disposition: Id
    note: Text | None = None


class Assign(OfInteraction, frozen=True, kw_only=True):
    """Give others' work to somebody."""

    queue: Id | None = None
    agent: Id | None = None
    needs: Needs | None = None


class ForcePresence(Request, frozen=True, kw_only=True):
    """Set somebody else's presence."""

    agent: Id
    presence: Presence
    reason: Reason | None = None


class ForceClose(OfInteraction, frozen=True, kw_only=True):
    """End somebody else's work."""

    reason: Reason = ""


def read(payload: Any, shape: type[T]) -> T:  # noqa: ANN401 - plain JSON values, whatever a client sends
    """Return an event's argument as a struct.

    Raises:
        BadRequest: it is not one; the text says where.
    """
    try:
        return msgspec.convert({} if payload is None else payload, shape)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{error}.") from None
