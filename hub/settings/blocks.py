"""Checking a channel's block against the constructor that will receive it."""

import inspect
import typing
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hub.settings.values import Problem, Secret, did_you_mean, wanted_instead

_PLAIN: Final = (bool, int, float, str, bytes, list, tuple, dict, set, frozenset)


def check_block(cls: type, block: Mapping[str, Any], *, where: str = "") -> list[Problem]:
    """Return what is wrong with a block: keys the constructor does not know, lacks, or has of another type.

    The constructor's keyword-only parameters are the block's keys. `kind` names the class itself and is skipped; a
    parameter `id` is the block's own name, which `block_arguments` fills in.
    """
    where = where or cls.__name__
    wanted = {
        name: parameter
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name != "id"
    }
    given = {name: value for name, value in block.items() if name != "kind"}
    found = [
        Problem(
            where=f"{where}.{name}", text=f"There is no key {name!r} in this block.", hint=did_you_mean(name, wanted)
        )
        for name in given
        if name not in wanted
    ]
    found += [
        Problem(where=where, text=f"This block needs the key {name!r}.")
        for name, parameter in wanted.items()
        if parameter.default is inspect.Parameter.empty and name not in given
    ]
    hints = typing.get_type_hints(inspect.getattr_static(cls, "__init__"))
    for name in wanted.keys() & given.keys() & hints.keys():
        found += _mistyped(f"{where}.{name}", given[name], hints[name])
    return sorted(found, key=lambda problem: problem.where)


def _mistyped(where: str, value: object, wanted: object) -> list[Problem]:
    if isinstance(value, Secret):
        return []
    if isinstance(value, str) and Secret in (wanted, *typing.get_args(wanted)):
        hint = "Write env:NAME or file:PATH, so that this file can be shown and kept in git."
        return [Problem(where=where, text="A secret stands in the file itself.", hint=hint)]
    if not _is_plain(wanted):
        return []
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        return [Problem(where=where, text=f"{value!r}: {wanted_instead(error, wanted)}")]
    return []


def _is_plain(wanted: object) -> bool:
    """Whether a type is made of plain values only, so that TOML can hold it as it is."""
    origin = typing.get_origin(wanted)
    if origin in (typing.Literal, None):
        return origin is typing.Literal or wanted in (*_PLAIN, Any, type(None), ...)
    if origin is typing.Annotated:
        return _is_plain(typing.get_args(wanted)[0])
    return all(_is_plain(arg) for arg in typing.get_args(wanted))


def block_arguments(cls: type, block: Mapping[str, Any], *, id: str = "") -> dict[str, Any]:  # noqa: A002 - its word
    """Return the block as keyword arguments for the constructor: lists have become tuples where it wants tuples.

    `id` is the block's name, handed over when the constructor takes it.

    Call `check_block` first; this trusts the block.
    """
    hints = typing.get_type_hints(inspect.getattr_static(cls, "__init__"))
    arguments = {
        name: msgspec.convert(value, hints[name])
        if name in hints and _is_plain(hints[name]) and not isinstance(value, Secret)
        else value
        for name, value in block.items()
        if name != "kind"
    }
    return {"id": id, **arguments} if "id" in inspect.signature(cls).parameters else arguments
