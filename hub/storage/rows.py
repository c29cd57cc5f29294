"""Structs to rows and back: the column lists and their types are read off the struct once."""

import types
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from hub.storage.changes import Shape

T = TypeVar("T", bound=msgspec.Struct)

_PG_TYPES: dict[type, str] = {int: "int8", str: "text", float: "float8", bool: "bool"}


def _plain(hint: Any) -> Any:
    """Return the type without `| None`."""
    if get_origin(hint) in {Union, types.UnionType}:
        return next(arg for arg in get_args(hint) if arg is not type(None))
    return hint


def _codec(hint: Any) -> tuple[str, Callable[[Any], Any] | None, Callable[[Any], Any] | None]:
    """Return a column's PostgreSQL type, its encoder and its decoder (None where the value goes as it is)."""
    plain = _plain(hint)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return (
            "text",
            lambda value: None if value is None else str(value),
            lambda text: None if text is None else plain(text),
        )
    if plain is bool:
        return "bool", None, bool
    if plain in _PG_TYPES:
        return _PG_TYPES[plain], None, None
    decode = msgspec.json.Decoder(plain).decode
    return (
        "text",
        lambda value: None if value is None else msgspec.json.encode(value).decode(),
        lambda text: None if text is None else decode(text),
    )


class Rows(Generic[T]):
    """The table of one struct type: SQL fragments, and the conversion both ways."""

    def __init__(self, table: str, struct: type[T], *, key: Sequence[str] = ("id",)) -> None:
        self.table = table
        self.struct = struct
        self.key = tuple(key)
        hints = get_type_hints(struct)
        self.columns = struct.__struct_fields__
        codecs = [_codec(hints[name]) for name in self.columns]
        self.pg_types = tuple(codec[0] for codec in codecs)
        self._encoders = tuple((index, codec[1]) for index, codec in enumerate(codecs) if codec[1])
        self._decoders = tuple((index, codec[2]) for index, codec in enumerate(codecs) if codec[2])
        self.listed = ", ".join(self.columns)
        self.select = f"SELECT {self.listed} FROM {table}"  # noqa: S608 -- names come from our own structs
        marks = ", ".join(f"${n}" for n in range(1, len(self.columns) + 1))
        self.insert = f"INSERT INTO {table} ({self.listed}) VALUES ({marks})"  # noqa: S608
        changed = [name for name in self.columns if name not in self.key]
        order = [*self.key, *changed]
        self._update_order = tuple(self.columns.index(name) for name in order)
        where = " AND ".join(f"{name} = ${n}" for n, name in enumerate(self.key, 1))
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(changed, len(self.key) + 1))
        self.update = f"UPDATE {table} SET {sets} WHERE {where}"  # noqa: S608
        self._partial: dict[tuple[str, ...], Shape] = {}
        self.insertion = Shape("insert", table, self.columns, self.pg_types)
        self.replacement = self.partial(tuple(order))

    def partial(self, columns: tuple[str, ...]) -> Shape:
        """Return the shape of an update of some columns, the key first."""
        found = self._partial.get(columns)
        if found is None:
            types = tuple(self.pg_types[self.columns.index(name)] for name in columns)
            found = Shape("update", self.table, columns, types, len(self.key), is_exact=True)
            self._partial[columns] = found
        return found

    def key_of(self, record: T) -> object:
        """Return what tells the record from others of its table, as `changes.touched` names it."""
        if len(self.key) == 1:
            return getattr(record, self.key[0])
        return tuple(getattr(record, name) for name in self.key)

    def values(self, record: T) -> list[Any]:
        """Return the record's columns in the order of `columns`."""
        values = list(msgspec.structs.astuple(record))
        for index, encode in self._encoders:
            values[index] = encode(values[index])
        return values

    def update_values(self, record: T) -> list[Any]:
        """Return the record's columns in the order of the `update` statement: the key first."""
        values = self.values(record)
        return [values[index] for index in self._update_order]

    def record(self, row: Sequence[Any]) -> T:
        """Return the struct of a row selected with `select`."""
        values = list(row)
        for index, decode in self._decoders:
            values[index] = decode(values[index])
        return self.struct(**dict(zip(self.columns, values, strict=True)))
