"""Where settings come from: a TOML file, and the environment over it."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hub.settings.places import Keys, Places
from hub.settings.values import Problem, why_unreadable

SHORT: Final[Mapping[str, Keys]] = {
    "HUB_DATABASE_URL": ("server", "database_url"),
    "HUB_REDIS_URL": ("server", "redis_url"),
    "HUB_HOST": ("server", "host"),
    "HUB_PORT": ("server", "port"),
    "HUB_PUBLIC_URL": ("server", "public_url"),
    "HUB_SECRET_KEY": ("server", "secret_key"),
    "HUB_DATA_DIR": ("server", "data_dir"),
    "HUB_LOG_FORMAT": ("server", "log_format"),
    "HUB_LOG_LEVEL": ("server", "log_level"),
}
"""Variables with a short name; every other setting is HUB_SECTION__KEY, as in HUB_OFFERS__SWEEP_S=2."""

_NEAR: Final = 0.88


class Sources:
    """Reads file and environment into one table of tables; what cannot be read becomes a problem."""

    def __init__(self, path: Path | None, environ: Mapping[str, str]) -> None:
        self.path = path
        self.environ = environ
        self.places = Places(path)
        self.problems: list[Problem] = []

    def tables(self) -> dict[str, Any]:
        """Return the file's tables with the environment's values over them, as texts."""
        raw = self._file()
        for name, keys, text in self._overrides():
            self._put(raw, keys, text, name)
        return raw

    def _file(self) -> dict[str, Any]:
        if self.path is None:
            return {}
        try:
            text = self.path.read_text(encoding="utf-8")
            raw = tomllib.loads(text)
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(
                Problem(where=str(self.path), text=f"The file cannot be read: {why_unreadable(error)}.")
            )
            return {}
        except tomllib.TOMLDecodeError as error:
            self.problems.append(Problem(where=str(self.path), text=f"This is not TOML: {error}."))
            return {}
        self.places.note_text(text)
        return raw

    def _overrides(self) -> Iterator[tuple[str, Keys, str]]:
        for name, text in sorted(self.environ.items()):
            if name in SHORT:
                yield name, SHORT[name], text
            elif name.startswith("HUB_") and "__" in name:
                yield name, tuple(part.lower() for part in name[4:].split("__")), text
            elif name.startswith("HUB_") and (near := _near_miss(name)):
                hint = f"Did you mean {near!r}?"
                self.problems.append(Problem(where=name, text="The hub reads no such variable.", hint=hint))

    def _put(self, raw: dict[str, Any], keys: Keys, text: str, name: str) -> None:
        table = raw
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                self.problems.append(Problem(where=name, text=f"{key!r} is not a table."))
                return
        table[keys[-1]] = text
        self.places.variables[keys] = name


def _near_miss(name: str) -> str:
    """Name the variable that was meant. Others set HUB_ variables too: Kubernetes does for a service called hub."""
    near = difflib.get_close_matches(name, SHORT, n=1, cutoff=_NEAR)
    return near[0] if near else ""
