"""Mailboxes joined by a wire: what one sends, composed and parsed as real mail, arrives at whoever it is for."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from channels import KINDS
from channels.mail.channel import Mail
from channels.mail.compose import compose
from channels.mail.keys import signing_keys
from channels.mail.readers import Readers
from channels.mail.templates import Templates
from hub.contract import HubSide, Inbox, Listener, OutboundMessage, RawArrival, Receipt
from hub.domain.ids import new_id
from hub.settings import ChannelSettings, Secret

KIND = "peer"


class Wire:
    """Carries mail between peers; `relay` may change it on the way. `carried` is all of it: (recipient, mail)."""

    def __init__(self) -> None:
        self.inboxes: dict[str, tuple[Inbox, str]] = {}
        self.carried: list[tuple[str, bytes]] = []
        self.relay: Callable[[bytes], bytes] = lambda mail: mail

    async def carry(self, recipient: str, mail: bytes) -> None:
        self.carried.append((recipient, mail))
        local, _, domain = recipient.partition("@")
        known = self.inboxes.get(f"{local.partition('+')[0]}@{domain}")
        if known is not None:
            inbox, channel = known
            await inbox.keep(channel, [RawArrival(provider_id=new_id("p"), raw=self.relay(mail))], {})


class Peer(Mail):
    """The real mail channel without servers."""

    kind: ClassVar[str] = KIND
    wire: ClassVar[Wire] = Wire()

    async def open(self, hub: HubSide) -> Listener:
        self._keys = signing_keys(hub.visitor_key)
        self._readers = Readers(self.id, self._manner(self._keys))
        self._hub = hub
        self.open_way_out(self._keys[0], hub.templates)
        Peer.wire.inboxes[self._outlet.address] = (hub.inbox, self.id)
        return Listener(on_message=lambda _interaction, _message: None, on_change=lambda _interaction: None)

    async def send(self, message: OutboundMessage) -> Receipt:
        mail = compose(message, self._outlet.letterhead(self._keys[0]), Templates(self._hub.templates))
        if message.before_handover is not None:
            await message.before_handover()
        await asyncio.gather(*(Peer.wire.carry(wire, mail.content) for _, wire in mail.recipients))
        return Receipt(provider_id=message.provider_id)


def peer_block(address: str, **more: object) -> ChannelSettings:
    """The configuration of a peer; the wire is new with each first one."""
    KINDS[KIND] = "tests.peers:Peer"
    options = {
        "address": address, "queue": "support", "name": "Support", "imap_host": "127.0.0.1", "imap_security": "plain",
        "imap_password": Secret("x"), "smtp_security": "plain", "acknowledge": True,
    }  # fmt: skip
    return ChannelSettings(id="help", kind=KIND, options={**options, **more})
