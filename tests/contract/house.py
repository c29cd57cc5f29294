"""Customers, interactions and words in a few strokes, straight into a store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from hub.clock import FakeClock
from hub.domain.agent import Role
from hub.domain.customers import Address, AddressKind, Customer
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.interaction import Interaction, State
from hub.domain.messages import Author, Message
from hub.events import Bus
from hub.services import people
from hub.services.access import Scope
from hub.services.messages import Messages, Words
from hub.services.people import People
from hub.settings import Settings
from hub.storage.migrations import sqlite_path
from hub.storage.postgresql import PostgresStore
from hub.storage.rows import Rows
from hub.storage.sqlite import SqliteStore
from hub.storage.tables import INTERACTIONS, MESSAGES
from hub.storage.unit_of_work import Store, UnitOfWork

SEES_ALL = Scope("sue", Role.SUPERVISOR)


async def open_store(url: str, clock: FakeClock, bus: Bus, **options: Any) -> Store:
    """Open the store that a URL names."""
    store: Store
    if url.startswith("sqlite"):
        store = SqliteStore(sqlite_path(url), clock=clock, bus=bus, **options)
    else:
        store = PostgresStore(url, clock=clock, bus=bus, **options)
    await store.open()
    return store


@asynccontextmanager
async def opened_store(url: str, clock: FakeClock, bus: Bus, **options: Any) -> AsyncIterator[Store]:
    """Lend another store on the database, closed whatever happens."""
    store = await open_store(url, clock, bus, **options)
    try:
        yield store
    finally:
        await store.close()


def email(value: str, **more: Any) -> Address:
    return Address(kind=AddressKind.EMAIL, value=value, **more)


def phone(value: str, **more: Any) -> Address:
    return Address(kind=AddressKind.PHONE, value=value, **more)


def agent_of(*queues: str, agent: str = "ann") -> Scope:
    """The scope of an agent of these queues."""
    return Scope(agent, Role.AGENT, queues)


@dataclass(kw_only=True)
class House:
    """A store and what is said about its content."""

    store: Store
    clock: FakeClock
    bus: Bus
    settings: Settings

    @property
    def people(self) -> People:
        return People(self.store, self.settings)

    async def rows(self, rows: Rows[Any], tail: str = "", *args: object) -> list[Any]:
        async def unit(tx: UnitOfWork) -> list[Any]:
            return await tx.select(rows, tail, *args)

        return await self.store.read(unit)

    async def fetch(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        async def unit(tx: UnitOfWork) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await tx.fetch(sql, *args)]

        return await self.store.read(unit)

    async def customer(self, name: str = "", *addresses: Address) -> Customer:
        """Return the customer these addresses belong to."""
        given = addresses or (Address(kind=AddressKind.CHAT, value=new_id("v")),)

        async def unit(tx: UnitOfWork) -> Customer:
            return (await people.resolve(tx, given, name=name))[0]

        return await self.store.write(unit)

    async def interaction(
        self, customer: Customer, *, queue: str = "support", agent: str | None = "ann", **more: Any
    ) -> Interaction:
        """A conversation that an agent has."""
        record = Interaction(
            id=new_id("i"),
            channel="site",
            kind="chat",
            customer=customer.id,
            queue=queue,
            state=State.ACTIVE,
            created_at=self.clock.now(),
            agent=agent,
            **{"address": customer.id, **more},
        )

        async def unit(tx: UnitOfWork) -> Interaction:
            tx.record(EventKind.INTERACTION_CREATED, interaction=record.id, customer=customer.id, queue=queue)
            return await tx.insert(INTERACTIONS, record)

        return await self.store.write(unit)

    async def says(self, interaction: Interaction, text: str, *, agent: str | None = None) -> Message:
        """The customer says something, or the agent."""
        return await Messages(self.store, self.settings).say(words(interaction, text, agent=agent))

    async def conversation(self, name: str, *texts: str, queue: str = "support") -> Interaction:
        """A new customer's conversation with these words of theirs, which nobody has yet."""
        interaction = await self.interaction(await self.customer(name), queue=queue, agent=None)
        for text in texts:
            await self.says(interaction, text)
        return interaction

    async def messages(self, interaction: Interaction) -> list[Message]:
        return await self.rows(MESSAGES, "WHERE interaction = $1 ORDER BY n", interaction.id)


def words(interaction: Interaction, text: str, *, agent: str | None = None, client_id: str = "", **more: Any) -> Words:
    return Words(
        interaction=interaction.id,
        author=Author.AGENT if agent else Author.CUSTOMER,
        agent=agent,
        name=(agent or "").title(),
        address="" if agent else interaction.address,
        client_id=client_id or new_id("x"),
        text=text,
        **more,
    )
