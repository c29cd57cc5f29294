"""A channel with envelopes that sends nowhere: it keeps what it was given and answers as it was told."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from hub.contract import (
    AutomaticText,
    Capabilities,
    Circumstances,
    HubSide,
    Listener,
    OutboundMessage,
    Pace,
    Receipt,
)

KIND = "postbox"
BLOCK = "tests.postbox:Postbox"
Answer = Callable[[OutboundMessage], Receipt]


class Postbox:
    """`answers` are used up one a letter; a callable is asked, an error is raised; without any all is well.

    `stops_at` = "before" or "after" the point of no return makes a try hang there until `go`.
    """

    kind: ClassVar[str] = KIND

    def __init__(self, *, id: str, queue: str = "support", at_once: int = 2, per_minute: int = 0) -> None:  # noqa: A002
        self.id = id
        self.capabilities = Capabilities(
            kind="email", label=id, icon="mail", is_live=False, keeps_agent=True, has_envelopes=True, can_begin=True
        )
        self.queue = queue
        self.pace = Pace(at_once=at_once, per_minute=per_minute)
        self.answers: list[Answer | Exception] = []
        self.tries: list[OutboundMessage] = []
        self.taken: list[OutboundMessage] = []
        self.stops_at = ""
        self.go = asyncio.Event()

    async def open(self, hub: HubSide) -> Listener:
        return Listener(on_message=lambda _interaction, _message: None, on_change=lambda _interaction: None)

    async def close(self, reason: str) -> None:
        """Nothing to close."""

    def name_message(self, outgoing: str, interaction: str) -> str:
        return f"<{outgoing}@example.test>"

    @property
    def address(self) -> str:
        return f"{self.id}@example.test"

    def owns(self, address: str) -> bool:
        return address.lower() == self.address

    def subject(self, subject: str, mode: str) -> str:
        return f"{'Fwd' if mode == 'forward' else 'Re'}: {subject.removeprefix('Re: ')}"

    def signature(self, own: str, agent: str, language: str) -> str:
        return own or agent

    def acknowledgement(self, circumstances: Circumstances) -> AutomaticText | None:
        return AutomaticText(f"Re: {circumstances.subject}", f"We have it ({circumstances.is_open}).")

    async def send(self, message: OutboundMessage) -> Receipt:
        self.tries.append(message)
        if self.stops_at == "before":
            await self.go.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception) and getattr(answer, "is_early", False):
            raise answer
        if message.before_handover is not None:
            await message.before_handover()
        self.taken.append(message)
        if self.stops_at == "after":
            await self.go.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer(message) if answer else Receipt(provider_id=message.provider_id)
