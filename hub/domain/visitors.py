"""Web chat visitors and the files that travel with messages."""

import msgspec

from hub.domain.correspondence import DraftedLetter
from hub.domain.ids import CustomerId, FileId, InteractionId


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """One browser on one chat site. Only the SHA-256 of its token is stored.

    `subject` is the customer's identity as the site signed it, empty for an anonymous visitor.
    """

    id: str
    token_hash: str
    channel: str
    customer: CustomerId
    created_at: int
    seen_at: int
    subject: str = ""
    language: str = ""


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as stored: the bytes lie in the data folder under `id`; `name` is only for showing."""

    id: FileId
    interaction: InteractionId
    customer: CustomerId
    name: str
    type: str
    size: int
    sha256: str
    uploaded_by: str
    created_at: int


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Two customers became one. `moved` names, by table, the ids that changed hands, so that it can be undone."""

    id: str
    source: CustomerId
    target: CustomerId
    actor: str
    at: int
    moved: dict[str, list[str]] = msgspec.field(default_factory=dict)
    undone_at: int | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent has written and not sent; one for replies and one for notes. `letter` is a letter's envelope."""

    id: str
    interaction: InteractionId
    agent: str
    mode: str
    text: str
    at: int
    letter: DraftedLetter | None = None
