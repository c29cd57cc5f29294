"""Utterances in and out, files that travel with them, and notes that only colleagues see."""

from enum import StrEnum

import msgspec

from hub.domain.ids import AgentId, CustomerId, FileId, InteractionId

MOVED = "moved"
"""The code of what stands in the place of a message that was moved to another interaction."""


class Author(StrEnum):
    """Whose words these are."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One quick reply that the customer can take with a click; by letter, with its number."""

    id: str
    label: str
    digit: str = ""


class FileRef(msgspec.Struct, frozen=True):
    """A stored file as a message shows it; the link is signed when it is shown."""

    id: FileId
    name: str
    type: str
    size: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One utterance. `n` numbers it within its interaction; `client_id` is the sender's own id for it.

    `code` is set on system messages (`joined`, `left`, ...) so that a client can word it in its own language.
    """

    interaction: InteractionId
    n: int
    at: int
    author: Author
    agent: AgentId | None = None
    name: str = ""
    text: str = ""
    code: str = ""
    client_id: str = ""
    choice: str = ""
    files: tuple[FileRef, ...] = ()
    choices: tuple[Choice, ...] = ()


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a colleague should know and the customer never sees."""

    id: str
    customer: CustomerId
    interaction: InteractionId | None
    author: AgentId
    name: str
    text: str
    at: int
