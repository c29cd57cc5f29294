"""Bodies and answers of the REST API's part about phone calls, with their limits."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from agent_console import shapes
from agent_console.api_shapes import Id
from agent_console.routes import Answer
from hub.domain.calls import Listening

Number = Annotated[str, Meta(max_length=40)]
ClientId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class Muting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the others hear one."""

    muted: bool


class Pausing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the sound is kept."""

    paused: bool


class Consulting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to ring while the customer holds: a number or a colleague. `blind`: put the customer through at once."""

    number: Number = ""
    agent: Annotated[str, Meta(max_length=64)] = ""
    blind: bool = False


class Joining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a supervisor takes part; "no": not any more."""

    how: Literal["monitor", "whisper", "barge", "no"]

    @property
    def listening(self) -> Listening:
        """The same in the hub's words."""
        return Listening.NO if self.how == "no" else Listening(self.how)


class Dialling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call, from which line; the same `client_id` again begins nothing new.

    `shown` is the number of ours that they see.
    """

    channel: Id
    number: Annotated[str, Meta(min_length=1, max_length=40)]
    client_id: ClientId
    customer: Annotated[str, Meta(max_length=64)] = ""
    shown: Number = ""


class Planning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call when (ms since 1970), from which line; `own`: the one who plans it is asked first."""

    channel: Id
    number: Annotated[str, Meta(min_length=1, max_length=40)]
    due_at: Annotated[int, Meta(ge=0)]
    customer: Annotated[str, Meta(max_length=64)] = ""
    own: bool = True


class CallAnswer(Answer, frozen=True, kw_only=True):
    """The call as it is now."""

    interaction: shapes.InteractionRow


class PhoneShape(msgspec.Struct, frozen=True, kw_only=True):
    """A telephone that this browser may be: how it registers (`kind`, `url`, `account`), with what, until when."""

    kind: Literal["websocket", "module"]
    url: str
    account: str
    token: str
    expires_at: int
    needs_microphone: bool


class PhoneAnswer(Answer, frozen=True, kw_only=True):
    """One's telephones. `own` is the number or address that rings instead of the browser, empty for none."""

    own: str
    phones: list[PhoneShape]
