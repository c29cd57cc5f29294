"""Two profiles becoming one, remembering what moved, and two again."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hub.domain.customers import Customer
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.visitors import Merge
from hub.storage.tables import CUSTOMERS, INTERACTIONS, MERGES
from hub.storage.unit_of_work import UnitOfWork

MAX_TAGS: Final = 30
_MOVED_TABLES: Final = ("interactions", "notes", "promises", "visitors", "files", "flow_sessions")
_VERSIONED: Final = frozenset({"interactions", "promises", "flow_sessions"})
_OF_INTERACTIONS: Final = ("notes", "promises", "files", "flow_sessions")
_TAKEN_OVER: Final = ("name", "language", "company", "tier")


async def join(tx: UnitOfWork, target: Customer, source: Customer, actor: str) -> Merge:
    """Make `source` part of `target`, in the caller's unit, remembering what moved."""
    moved = await _move_all(tx, source.id, target.id)
    moved["profile"] = _taken_over(target, source)
    merge = Merge(id=new_id("m"), source=source.id, target=target.id, actor=actor, at=tx.now, moved=moved)
    await tx.insert(MERGES, merge)
    await tx.save(CUSTOMERS, msgspec.structs.replace(source, merged_into=target.id))
    await tx.save(CUSTOMERS, _completed(target, source))
    tx.record(EventKind.CUSTOMERS_MERGED, actor=actor, customer=target.id, source=source.id, merge=merge.id)
    return merge


async def part(tx: UnitOfWork, merge: Merge, holder: str, actor: str) -> Merge:
    """Make them two again, in the caller's unit. `holder` has what was merged: the target, or whom it became since."""
    await _move_back(tx, merge, holder)
    await _follow_addresses(tx, merge, holder)
    target = await tx.get(CUSTOMERS, merge.target, lock=True)
    source = await tx.get(CUSTOMERS, merge.source, lock=True)
    if source is not None and target is not None:
        await tx.save(CUSTOMERS, _given_back(target, source, merge.moved.get("profile", [])))
        await tx.save(CUSTOMERS, msgspec.structs.replace(source, merged_into=None))
    undone = msgspec.structs.replace(merge, undone_at=tx.now)
    await tx.execute(MERGES.update, *MERGES.update_values(undone))
    tx.record(
        EventKind.MERGE_UNDONE,
        actor=actor,
        customer=merge.target,
        source=merge.source,
        merge=merge.id,
        holder=holder,
    )
    return tx.touch(undone)


def _completed(target: Customer, source: Customer) -> Customer:
    """Return the survivor with what only the other one knew."""
    return msgspec.structs.replace(
        target,
        name=target.name or source.name,
        language=target.language or source.language,
        company=target.company or source.company,
        tier=target.tier or source.tier,
        tags=tuple(dict.fromkeys(target.tags + source.tags))[:MAX_TAGS],
        fields={**source.fields, **target.fields},
    )


def _taken_over(target: Customer, source: Customer) -> list[str]:
    """Name what only the source knew: it goes back with the source."""
    parts = [name for name in _TAKEN_OVER if getattr(source, name) and not getattr(target, name)]
    parts += [f"tag:{tag}" for tag in source.tags if tag not in target.tags]
    return parts + [f"field:{name}" for name in source.fields if name not in target.fields]


def _given_back(target: Customer, source: Customer, parts: Sequence[str]) -> Customer:
    """Return the target without what it took over, as far as nobody has changed that since."""
    changes = {name: "" for name in _TAKEN_OVER if name in parts and getattr(target, name) == getattr(source, name)}
    return msgspec.structs.replace(
        target,
        tags=tuple(tag for tag in target.tags if f"tag:{tag}" not in parts),
        fields={k: v for k, v in target.fields.items() if f"field:{k}" not in parts or source.fields.get(k) != v},
        **changes,
    )


async def _move_all(tx: UnitOfWork, source: str, target: str) -> dict[str, list[str]]:
    moved: dict[str, list[str]] = {}
    for table in _MOVED_TABLES:
        rows = await tx.fetch(f"SELECT id FROM {table} WHERE customer = $1", source)  # noqa: S608
        moved[table] = [str(row[0]) for row in rows]
    rows = await tx.fetch("SELECT kind, value FROM addresses WHERE customer = $1", source)
    moved["addresses"] = [f"{kind} {value}" for kind, value in rows]
    for table in (*_MOVED_TABLES, "addresses"):
        await tx.execute(f"UPDATE {table} SET {_owned_by(table)} WHERE customer = $2", target, source)  # noqa: S608
    await _announce_moved(tx, moved["interactions"])
    return moved


def _owned_by(table: str) -> str:
    """Return what gives rows to customer `$1`: whoever remembers one from before, on any node, cannot save it over."""
    return "customer = $1, version = version + 1" if table in _VERSIONED else "customer = $1"


async def _move_back(tx: UnitOfWork, merge: Merge, holder: str) -> None:
    """Return what moved from `holder`, who has it now: the target, or whom the target was merged into since."""
    for table in _MOVED_TABLES:
        await tx.execute(
            f"UPDATE {table} SET {_owned_by(table)} WHERE customer = $2 AND id ANY_OF($3)",  # noqa: S608
            merge.source,
            holder,
            merge.moved.get(table, []),
        )
    for spelled in merge.moved.get("addresses", []):
        kind, _, value = spelled.partition(" ")
        await tx.execute(
            "UPDATE addresses SET customer = $1 WHERE customer = $2 AND kind = $3 AND value = $4",
            merge.source,
            holder,
            kind,
            value,
        )
    await _announce_moved(tx, merge.moved.get("interactions", []))


async def _follow_addresses(tx: UnitOfWork, merge: Merge, holder: str) -> None:
    """Return what came since the merge by an address that goes back: it is of whoever has the address."""
    addresses = [spelled.partition(" ")[2] for spelled in merge.moved.get("addresses", [])]
    rows = await tx.fetch(
        "SELECT id FROM interactions WHERE customer = $1 AND created_at >= $2 AND address ANY_OF($3)",
        holder,
        merge.at,
        [*addresses, *merge.moved.get("visitors", [])],
    )
    since = [str(row[0]) for row in rows]
    if not since:
        return
    for table, key in (("interactions", "id"), *((table, "interaction") for table in _OF_INTERACTIONS)):
        sql = f"UPDATE {table} SET {_owned_by(table)} WHERE customer = $2 AND {key} ANY_OF($3)"  # noqa: S608
        await tx.execute(sql, merge.source, holder, since)
    await _announce_moved(tx, since)


async def _announce_moved(tx: UnitOfWork, ids: list[str]) -> None:
    """Let screens that show open interactions learn whose they are now."""
    for interaction in await tx.select(INTERACTIONS, "WHERE id ANY_OF($1) AND ended_at IS NULL", ids):
        tx.touch(interaction)
