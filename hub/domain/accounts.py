"""How staff prove who they are, and what a signed-in browser holds."""

import msgspec

from hub.domain.ids import AgentId

MIN_PASSWORD = 12
MAX_PASSWORD = 128


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's password as an argon2id hash; empty means that no password opens this account."""

    agent: AgentId
    password_hash: str
    changed_at: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One signed-in browser. Only the SHA-256 of its token is stored; `id` is public and names it for revoking."""

    id: str
    token_hash: str
    agent: AgentId
    created_at: int
    seen_at: int
    expires_at: int
    ip: str = ""
    browser: str = ""
