"""Are the browser libraries in the repository the very files their list names? `python -m tests.meta.vendored`."""

import hashlib
import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "hub" / "static" / "vendor"
UNLISTED = {".json", ".md", ".txt", ".ts"}
"""Endings that need no hash: the list itself, licences, and types that are never served."""


class Vendored(msgspec.Struct):
    """One file of the list; the keys that say how it was made are for people."""

    file: str
    sha256: str


class VendorList(msgspec.Struct):
    """The file vendor.json."""

    files: list[Vendored]


def mismatches() -> list[str]:
    """Return what is wrong: a changed file, a missing one, one that no list names."""
    listed = msgspec.json.decode((FOLDER / "vendor.json").read_bytes(), type=VendorList).files
    wrong = []
    for entry in listed:
        path = FOLDER / entry.file
        if not path.is_file():
            wrong.append(f"{entry.file} is listed and missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != entry.sha256:
            wrong.append(f"{entry.file} is not the file that was listed")
    served = {path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in UNLISTED}
    names = {entry.file for entry in listed}
    wrong += [f"{path.name} is in no list" for path in served if path.relative_to(FOLDER).as_posix() not in names]
    return sorted(wrong)


if __name__ == "__main__":
    found = mismatches()
    print(*found or ["Vendored files: as listed."], sep="\n")
    sys.exit(bool(found))
