"""A small company with a mailbox that sends nowhere, and short words for letters."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from channels import KINDS
from hub.clock import FakeClock
from hub.domain.correspondence import Authenticity, Envelope, Outgoing, Party
from hub.domain.customers import Address, AddressKind
from hub.domain.events import Event, EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, FileRef, Message
from hub.domain.segments import SegmentKind
from hub.services import moves, people
from hub.services.letters.outbox import LetterView
from hub.services.letters.writing import NewLetter
from hub.settings import ChannelSettings
from hub.storage.journal import Journal
from hub.storage.tables import ENVELOPES, INTERACTIONS, MESSAGES, OUTGOING
from hub.storage.unit_of_work import UnitOfWork
from tests.builders import Desk, open_desk
from tests.postbox import BLOCK, KIND, Postbox

CUSTOMER = Party("li.wei@customer.test", "Li Wei")


@dataclass(kw_only=True)
class Office(Desk):
    """A desk whose company also has a mailbox, `help@example.test`."""

    @property
    def postbox(self) -> Postbox:
        return next(channel for channel in self.hub.channels if isinstance(channel, Postbox))

    async def mail(
        self,
        *,
        agent: str | None = "ann",
        text: str = "Where is my tent?",
        sender: Party = CUSTOMER,
        files: tuple[FileRef, ...] = (),
        **envelope: Any,
    ) -> Interaction:
        """A customer's mail that this agent has accepted (nobody: it waits), as intake stores one."""
        fields = {"subject": "Tent", "recipients": (Party("help@example.test"),), "provider_id": "<one@customer.test>"}

        async def unit(tx: UnitOfWork) -> Interaction:
            address = Address(kind=AddressKind.EMAIL, value=sender.address.lower())
            customer, _ = await people.resolve(tx, [address], name=sender.name)
            key = new_id("i")
            interaction = Interaction(
                id=key, channel="help", kind="email", customer=customer.id, queue="support", state=State.CREATED,
                created_at=tx.now, address=address.value, subject="Tent", language="en", root=key,
            )  # fmt: skip
            if agent is None:
                interaction = await moves.enter_queue(tx, interaction, "arrival")
            else:
                units = await self.hub.services.handling.hold(tx, agent, "email")
                interaction = msgspec.structs.replace(
                    interaction, state=State.ACTIVE, agent=agent, units=units, answered_at=tx.now
                )
                await moves.begin_segment(tx, interaction, SegmentKind.HANDLED, agent=agent)
            await tx.insert(INTERACTIONS, interaction)
            return interaction

        interaction = await self.hub.services.store.write(unit)
        await self.arrives(interaction, text, sender=sender, files=files, **(fields | envelope))
        return await self.interaction(interaction.id)

    async def arrives(
        self,
        interaction: Interaction,
        text: str,
        *,
        sender: Party = CUSTOMER,
        files: tuple[FileRef, ...] = (),
        **envelope: Any,
    ) -> int:
        """Another mail of the customer in this interaction; returns its number."""

        async def unit(tx: UnitOfWork) -> int:
            found = await moves.interaction_for_change(tx, interaction.id)
            n = found.last_n + 1
            message = Message(interaction=found.id, n=n, at=tx.now, author=Author.CUSTOMER, text=text, files=files)
            await tx.insert(MESSAGES, message)
            await tx.insert(ENVELOPES, Envelope(interaction=found.id, n=n, channel="help", sender=sender, **envelope))
            changed = msgspec.structs.replace(
                found, last_n=n, last_at=tx.now, last_from="customer", waits_since=found.waits_since or tx.now
            )
            tx.record(
                EventKind.MESSAGE_STORED, actor="customer", interaction=found.id, customer=found.customer,
                queue=found.queue, n=n, author="customer",
            )  # fmt: skip
            await tx.save(INTERACTIONS, changed)
            return n

        n = await self.hub.services.store.write(unit)
        await self.settle()
        return n

    async def reply(self, interaction: Interaction, text: str = "It comes tomorrow.", **more: Any) -> LetterView:
        """Ann answers (or `agent`)."""
        scope = await self.scope(more.pop("agent", "ann"))
        letter = NewLetter(client_id=more.pop("client_id", "") or new_id("x"), text=text, **more)
        view = await self.hub.services.letters.reply(interaction.id, scope, letter)
        await self.settle()
        return view

    async def outgoing(self, interaction: Interaction) -> list[Outgoing]:
        """Return the letters on their way, in order, as stored."""
        return list(await self._rows(OUTGOING, "WHERE interaction = $1 ORDER BY n", interaction.id))

    async def envelopes(self, interaction: Interaction) -> list[Envelope]:
        return list(await self._rows(ENVELOPES, "WHERE interaction = $1 ORDER BY n", interaction.id))

    async def events(self, interaction: Interaction) -> list[Event]:
        """Return what the journal says of an interaction's letters."""
        found = await Journal(self.hub.services.store).read(0, 10_000)
        return [event for event in found if event.interaction == interaction.id and "letter" in event.kind]


def with_mailbox(**options: Any) -> dict[str, Any]:
    """Return changes to the small company: a chat site and a mailbox."""
    KINDS[KIND] = BLOCK
    return {
        "channels": {
            "site": ChannelSettings(id="site", kind="webchat", options={"queue": "support"}),
            "help": ChannelSettings(id="help", kind=KIND, options=options),
        }
    }


async def open_office(folder: Path, url: str, changes: Mapping[str, Any] | None = None, **options: Any) -> Office:
    """Build and start a hub with a mailbox."""
    clock: FakeClock | None = options.pop("clock", None)
    desk = await open_desk(folder, url, {**with_mailbox(**options), **(changes or {})}, clock=clock)
    return Office(hub=desk.hub, clock=desk.clock)


def proved(**more: Any) -> dict[str, Any]:
    """An envelope whose sender is who they say."""
    return {"authenticity": Authenticity.PROVED, **more}
