"""What visitors and the hub say to each other (docs/reference/protocols.md, 1): structs in, plain tables out."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.contract import Waiting
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, FileRef, Message

FLOW = "flow"
"""The code of what a self-service flow says: the company's own words, shown like a colleague's."""
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[!-~]+\Z")]
Text = Annotated[str, Meta(max_length=16_000)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Form = Annotated[dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=4_000)]], Meta(max_length=20)]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common manners: an unknown field is an error."""


class Resume(_Request, frozen=True, kw_only=True):
    """Asks for everything after message `after` of a conversation, or for the latest one."""

    interaction: Name | None = None
    after: Number = 0


class Earlier(_Request, frozen=True, kw_only=True):
    """Asks for older messages."""

    interaction: Name
    before: Number


class Start(_Request, frozen=True, kw_only=True):
    """Begins a conversation."""

    client_id: Name
    form: Form = {}
    text: Text = ""
    choice: Annotated[str, Meta(max_length=80)] | None = None


class LeaveMessage(_Request, frozen=True, kw_only=True):
    """Leaves a message for when somebody is there."""

    client_id: Name
    form: Form = {}
    text: Text


class Say(_Request, frozen=True, kw_only=True):
    """Says something."""

    client_id: Name
    interaction: Name
    text: Text = ""
    files: Annotated[list[Name], Meta(max_length=10)] = []
    choice: Annotated[str, Meta(max_length=80)] | None = None


class Typing(_Request, frozen=True, kw_only=True):
    """Types, or stops."""

    interaction: Name
    typing: bool


class Seen(_Request, frozen=True, kw_only=True):
    """Has read up to message `n`."""

    interaction: Name
    n: Number


class End(_Request, frozen=True, kw_only=True):
    """Ends the conversation."""

    interaction: Name


def message_out(message: Message, link: Callable[[FileRef], str]) -> dict[str, Any]:
    """Return a message as the widget gets it."""
    is_customer = message.author is Author.CUSTOMER
    out: dict[str, Any] = {
        "interaction": message.interaction,
        "n": message.n,
        "at": message.at,
        "from": "visitor" if is_customer else "agent" if message.code == FLOW else str(message.author),
        "text": message.text,
        "files": [file_out(file, link) for file in message.files],
        "choices": [{"id": choice.id, "label": choice.label} for choice in message.choices],
    }
    if message.name and not is_customer:
        out["name"] = message.name
    if message.client_id and is_customer:
        out["client_id"] = message.client_id
    if message.code and message.code != FLOW:
        out["code"] = message.code
    return out


def file_out(file: FileRef, link: Callable[[FileRef], str]) -> dict[str, Any]:
    """Return a file as the widget shows it."""
    return {"id": file.id, "name": file.name, "type": file.type, "size": file.size, "url": link(file)}


def thread_out(interaction: Interaction, waiting: Waiting, agent_name: str, *, message_left: bool) -> dict[str, Any]:
    """Return a conversation as the widget shows it."""
    state = "waiting" if interaction.state in _WAITS else "active" if interaction.accepts_customer_messages else "ended"
    return {
        "interaction": interaction.id,
        "state": state,
        "agent": {"name": agent_name} if interaction.agent and agent_name and state == "active" else None,
        "position": waiting.position if state == "waiting" and not message_left else None,
        "wait_s": waiting.wait_s if state == "waiting" and not message_left else None,
        "last_n": interaction.last_n,
        "seen_by_agent": interaction.read_n,
        "seen_by_visitor": interaction.reached_n,
        "ended_at": (interaction.ended_at or interaction.last_at or interaction.created_at)
        if state == "ended"
        else None,
        "message_left": message_left,
    }


_WAITS = frozenset({State.CREATED, State.QUEUED, State.OFFERED, State.CONNECTING})
