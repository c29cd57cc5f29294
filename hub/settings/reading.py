"""Turning tables into settings: every mistake told at once, with its place and the nearest right key."""

import re
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from hub.settings.floor import ChannelSettings, Settings
from hub.settings.places import Keys
from hub.settings.sections import default_kinds
from hub.settings.sources import Sources
from hub.settings.values import Problem, Secret, SettingsError, did_you_mean, wanted_instead, why_unreadable

_BAD: Final = object()
_OF_CHANNELS: Final = frozenset({"skills", "any_of", "best_skills"})
"""Keys of a channel's block that are the hub's and not the channel's."""
_PASSWORD_IN_URL: Final = re.compile(r"[\w+.-]+://[^/@\s]*:[^/@\s]+@")


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a TOML file (none: defaults) with the environment's over them.

    The path may also come as HUB_CONFIG. `file:` references in the file are relative to the file's folder; those of
    the environment, and `data_dir`, to where the hub is started.

    Raises:
        SettingsError: with everything that is wrong, each with file and line or the variable's name.
    """
    if path is None and environ.get("HUB_CONFIG"):
        path = Path(environ["HUB_CONFIG"])
    sources = Sources(path, environ)
    raw = sources.tables()
    raw["kinds"] = _with_default_kinds(raw.get("kinds", {}))
    reader = _Reader(sources)
    settings = reader.value((), raw, Settings)
    if sources.problems:
        raise SettingsError(sources.problems)
    assert isinstance(settings, Settings)
    return settings


def _with_default_kinds(given: object) -> object:
    return {**{name: {} for name in default_kinds()}, **given} if isinstance(given, dict) else given


class _Reader:
    """Walks tables and types side by side, collecting what is wrong on the way."""

    def __init__(self, sources: Sources) -> None:
        self._environ = sources.environ
        self._places = sources.places
        self._problems = sources.problems
        self._folder = sources.path.parent if sources.path else Path()

    def value(self, keys: Keys, raw: object, wanted: object) -> object:
        """Return what the type wants, or _BAD after noting why it cannot be made."""
        wanted = _without_none(wanted)
        inner = _struct_inside(wanted)
        if wanted is ChannelSettings:
            return self._channel(keys, raw)
        if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
            return self._struct(keys, raw, wanted)
        if inner is not None and get_origin(wanted) is tuple:
            return self._rows(keys, raw, inner)
        if inner is not None:
            return self._tables(keys, raw, inner)
        if wanted in (Secret, Path):
            return self._text(keys, raw, wanted)
        return self._plain(keys, raw, wanted)

    def _struct(self, keys: Keys, raw: object, cls: type[msgspec.Struct]) -> object:
        if not isinstance(raw, dict):
            return self._wrong(keys, f"Expected a table, got {raw!r}.")
        fields = {field.name: field for field in msgspec.structs.fields(cls)}
        values: dict[str, Any] = {}
        if "id" in fields and not fields["id"].required:  # the table's own name
            values["id"] = keys[-1]
            del fields["id"]
        for name, value in raw.items():
            if name in fields:
                values[name] = self.value((*keys, name), value, fields[name].type)
            else:
                values[name] = self._unknown((*keys, name), fields)
        for name in [name for name, field in fields.items() if field.required and name not in raw]:
            values[name] = self._wrong(keys, f"{'.'.join(keys)} needs the key {name!r}.")
        if any(value is _BAD for value in values.values()):
            return _BAD
        if keys[:1] == ("kinds",) and keys[-1] in default_kinds():
            return msgspec.structs.replace(default_kinds()[keys[-1]], **values)
        return cls(**values)

    def _tables(self, keys: Keys, raw: object, inner: type) -> object:
        if not isinstance(raw, dict):
            return self._wrong(keys, f"Expected tables [{'.'.join(keys)}.ID], got {raw!r}.")
        made = {name: self.value((*keys, name), value, inner) for name, value in raw.items()}
        return _BAD if any(value is _BAD for value in made.values()) else made

    def _rows(self, keys: Keys, raw: object, inner: type) -> object:
        if not isinstance(raw, list):
            return self._wrong(keys, f"Expected a list of tables, got {raw!r}.")
        made = tuple(self.value((*keys, str(index)), value, inner) for index, value in enumerate(raw))
        return _BAD if any(value is _BAD for value in made) else made

    def _channel(self, keys: Keys, raw: object) -> object:
        if not isinstance(raw, dict) or not isinstance(raw.get("kind"), str):
            return self._wrong(keys, f"{'.'.join(keys)} needs the key 'kind': what speaks for this channel.")
        fields = {field.name: field.type for field in msgspec.structs.fields(ChannelSettings)}
        ours: dict[str, Any] = {
            name: self.value((*keys, name), raw[name], fields[name]) for name in _OF_CHANNELS & raw.keys()
        }
        options = {
            name: self._resolved((*keys, name), value)
            for name, value in raw.items()
            if name not in {"kind", *_OF_CHANNELS}
        }
        if any(value is _BAD for value in (*ours.values(), *options.values())):
            return _BAD
        return ChannelSettings(id=keys[-1], kind=raw["kind"], options=options, **ours)

    def _resolved(self, keys: Keys, value: object) -> object:
        """Return a value of a channel's block with its references made secrets."""
        if isinstance(value, dict):
            return {name: self._resolved((*keys, name), inner) for name, inner in value.items()}
        if isinstance(value, str) and value.startswith(("env:", "file:")):
            return self._secret(keys, value)
        return value

    def _text(self, keys: Keys, raw: object, wanted: object) -> object:
        if not isinstance(raw, str):
            return self._wrong(keys, f"{'.'.join(keys)}: expected a text, got {raw!r}.")
        return self._secret(keys, raw) if wanted is Secret else Path(raw)

    def _secret(self, keys: Keys, text: str) -> object:
        scheme, _, rest = text.partition(":")
        if scheme == "env":
            value = self._environ.get(rest)
            return Secret(value) if value else self._wrong(keys, f"{'.'.join(keys)}: the variable {rest} is not set.")
        if scheme == "file":
            return self._secret_file(keys, Path(rest))
        is_url = keys[-1].endswith("_url")
        is_bare = _PASSWORD_IN_URL.match(text) is not None if is_url else bool(text)
        if is_bare and keys not in self._places.variables:
            hint = "Write env:NAME or file:PATH, so that this file can be shown and kept in git."
            return self._wrong(keys, f"{'.'.join(keys)}: a secret stands in the file itself.", hint)
        return Secret(text)

    def _secret_file(self, keys: Keys, path: Path) -> object:
        folder = Path() if keys in self._places.variables else self._folder
        try:
            return Secret((folder / path).read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            return self._wrong(
                keys, f"{'.'.join(keys)}: the secret's file {path} cannot be read: {why_unreadable(error)}."
            )

    def _plain(self, keys: Keys, raw: object, wanted: object) -> object:
        is_variable = keys in self._places.variables
        value = _from_variable(raw, wanted) if is_variable else raw
        try:
            return msgspec.convert(value, wanted, strict=not is_variable)
        except msgspec.ValidationError as error:
            said = wanted_instead(error, wanted, is_typed=not is_variable)
            return self._wrong(keys, f"{'.'.join(keys)} = {raw!r}: {said}")

    def _wrong(self, keys: Keys, text: str, hint: str = "") -> object:
        self._problems.append(Problem(where=self._places.of(keys), text=text, hint=hint))
        return _BAD

    def _unknown(self, keys: Keys, known: Mapping[str, object]) -> object:
        place = f"[{'.'.join(keys[:-1])}]" if keys[:-1] else "the settings"
        return self._wrong(keys, f"There is no key {keys[-1]!r} in {place}.", did_you_mean(keys[-1], known))


def _without_none(wanted: object) -> object:
    if get_origin(wanted) in (Union, types.UnionType):
        members = [member for member in get_args(wanted) if member is not type(None)]
        return members[0] if len(members) == 1 else wanted
    return wanted


def _struct_inside(wanted: object) -> type | None:
    """Return the struct that a mapping or a tuple holds."""
    inner = [arg for arg in get_args(wanted) if isinstance(arg, type) and issubclass(arg, msgspec.Struct)]
    return inner[0] if inner else None


def _from_variable(text: object, wanted: object) -> object:
    """Read a variable's text as its type wants: lists by commas, tables as TOML, the rest as it stands."""
    if get_origin(wanted) is tuple:
        return [part.strip() for part in str(text).split(",") if part.strip()]
    if get_origin(wanted) is Mapping:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text
