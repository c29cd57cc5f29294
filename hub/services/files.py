"""Files that travel with messages: random names outside every web root, types by content, links that expire."""

import asyncio
import hashlib
import hmac
import mimetypes
import os
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from hub.clock import Clock
from hub.domain.errors import BadRequest, NotFound, TooLarge, TypeRefused
from hub.domain.events import EventKind
from hub.domain.ids import new_id
from hub.domain.messages import FileRef
from hub.domain.pictures import MOST_POINTS, is_too_large
from hub.domain.redaction import without_cards
from hub.domain.visitors import StoredFile
from hub.settings import Settings
from hub.storage.tables import FILES, INTERACTIONS
from hub.storage.unit_of_work import Store, UnitOfWork

MAX_FILES = 10
_DAY_MS = 86_400_000
_HEAD = 4_096
_ZIP = b"PK\x03\x04"
_MAGIC: tuple[tuple[bytes, int, tuple[str, ...]], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, (".png",)),
    (b"\xff\xd8\xff", 0, (".jpg", ".jpeg")),
    (b"GIF8", 0, (".gif",)),
    (b"WEBP", 8, (".webp",)),
    (b"%PDF-", 0, (".pdf",)),
    (_ZIP, 0, (".docx", ".xlsx", ".pptx")),
    (b"ID3", 0, (".mp3",)),
    (b"\xff\xfb", 0, (".mp3",)),
    (b"\xff\xf3", 0, (".mp3",)),
    (b"OggS", 0, (".ogg",)),
    (b"WAVE", 8, (".wav",)),
    (b"ftyp", 4, (".mp4",)),
)
_TEXTS = frozenset({".txt", ".csv", ".eml"})
_TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".webp": "image/webp",
    ".eml": "message/rfc822",
    ".csv": "text/csv",
    ".ogg": "audio/ogg",
}


class FileStore:
    """Keeps uploads in the data folder and their records in the database."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, key: bytes) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._key = hashlib.sha256(b"file-link" + key).digest()
        self._folder = settings.server.data_dir / "files"

    async def store(
        self,
        interaction: str,
        name: str,
        body: AsyncIterator[bytes],
        *,
        by: str,
        limit: int,
        per_day: int | None = None,
    ) -> StoredFile:
        """Keep an upload; nothing of a refused one stays. Without an interaction it is for a letter that begins one.

        Raises:
            TooLarge: more than `limit` bytes, or `per_day` bytes by the same person since yesterday; or a picture of
                more points than anybody should have to draw.
            TypeRefused: its content is not what its name says, or a kind that is not taken.
            NotFound: there is no such interaction.
        """
        shown = shown_name(without_cards(name))
        file_id = new_id("f")
        path = self.path(file_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            size, digest, head = await _receive(body, path, limit)
            ending = self._checked_ending(shown, head, size)
            await asyncio.to_thread(_check_picture, path)
            return await self._register(interaction, file_id, shown, ending, (size, digest), by, per_day)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _checked_ending(self, name: str, head: bytes, size: int) -> str:
        ending = Path(name).suffix.lower()
        if ending not in self._settings.limits.upload_types:
            raise TypeRefused(f"Files ending in {ending or 'nothing'!r} are not taken.")
        if size == 0:
            raise BadRequest("The file is empty.")
        if ending not in sniffed(head):
            raise TypeRefused(f"The content is not that of a {ending} file.")
        return ending

    async def _register(
        self,
        interaction: str,
        file_id: str,
        name: str,
        ending: str,
        measured: tuple[int, str],
        by: str,
        per_day: int | None,
    ) -> StoredFile:
        size, digest = measured
        kind = _type_of(ending)

        async def unit(tx: UnitOfWork) -> StoredFile:
            found = await tx.get(INTERACTIONS, interaction) if interaction else None
            if interaction and found is None:
                raise NotFound("There is no such conversation.")
            customer = found.customer if found else ""
            if per_day is not None:
                row = await tx.fetch_one(
                    "SELECT coalesce(sum(size), 0) FROM files WHERE uploaded_by = $1 AND created_at > $2",
                    by,
                    tx.now - _DAY_MS,
                )
                if row is not None and int(row[0]) + size > per_day:
                    raise TooLarge("That is more than can be sent in a day.")
            file = StoredFile(
                id=file_id,
                interaction=interaction,
                customer=customer,
                name=name,
                type=kind,
                size=size,
                sha256=digest,
                uploaded_by=by,
                created_at=tx.now,
            )
            await tx.execute(FILES.insert, *FILES.values(file))
            tx.record(
                EventKind.FILE_STORED,
                actor=by,
                interaction=interaction or None,
                customer=customer or None,
                file=file_id,
                size=size,
            )
            return file

        return await self._store.write(unit)

    async def keep(self, files: Sequence[tuple[str, str, bytes]], *, by: str) -> tuple[StoredFile, ...]:
        """Write files (id, name, bytes) that came with a letter; return their records, which the caller inserts.

        When this returns, a power cut loses nothing of them. The same id again replaces a file. What is not of a kind
        that uploads may be, or not what its name says, or a picture too large to draw, is kept as bytes of no type:
        browsers can only save it.
        """
        if files:
            places = [(self.path(file_id), content) for file_id, _, content in files]
            await asyncio.to_thread(write_all_durably, places)
        return tuple(self._record(file_id, name, content, by) for file_id, name, content in files)

    def _record(self, file_id: str, name: str, content: bytes, by: str) -> StoredFile:
        shown = shown_name(without_cards(name))
        ending = Path(shown).suffix.lower()
        is_known = ending in self._settings.limits.upload_types and ending in sniffed(content[:_HEAD])
        is_known = is_known and not is_too_large(content)
        return StoredFile(
            id=file_id,
            interaction="",
            customer="",
            name=shown,
            type=_type_of(ending) if is_known else "application/octet-stream",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            uploaded_by=by,
            created_at=self._clock.now(),
        )

    async def content(self, file_id: str) -> bytes:
        """Return a stored file's bytes. The caller has made sure that they may be seen.

        Raises:
            NotFound: they are gone.
        """
        try:
            return await asyncio.to_thread(self.path(file_id).read_bytes)
        except FileNotFoundError:
            raise NotFound("This file is gone.") from None

    async def forget(self, file_ids: Sequence[str]) -> None:
        """Remove the bytes of files that no record names."""
        for file_id in file_ids:
            await asyncio.to_thread(self.path(file_id).unlink, missing_ok=True)

    def path(self, file_id: str) -> Path:
        """Return where a file's bytes lie."""
        return self._folder / file_id[1:4] / file_id

    def link(self, file: FileRef) -> str:
        """Return a signed path that opens the file for a while."""
        expires = (self._clock.now() + round(self._settings.limits.file_link_s * 1000)) // 60_000 * 60 + 60
        return f"/files/{file.id}/{quote(file.name, safe='')}?exp={expires}&sig={self._signature(file.id, expires)}"

    def picture_link(self, url: str) -> str:
        """Return a signed path by which the hub shows a picture from elsewhere for a while."""
        expires = (self._clock.now() + round(self._settings.limits.file_link_s * 1000)) // 60_000 * 60 + 60
        return f"/pictures?url={quote(url, safe='')}&exp={expires}&sig={self._signature(url, expires)}"

    def check_picture(self, url: str, expires: int, signature: str) -> None:
        """See to it that the hub itself has made this link.

        Raises:
            NotFound: it has not, or the link is over.
        """
        is_ours = hmac.compare_digest(signature.encode(), self._signature(url, expires).encode())
        if not is_ours or expires * 1000 < self._clock.now():
            raise NotFound("This link is over. Open the letter again.")

    def _signature(self, name: str, expires: int) -> str:
        mac = hmac.new(self._key, f"{name}.{expires}".encode("utf-8", "replace"), hashlib.sha256).digest()
        return urlsafe_b64encode(mac[:24]).decode()

    async def open(self, file_id: str, expires: int, signature: str) -> tuple[StoredFile, Path]:
        """Return a file's record and where its bytes lie.

        Raises:
            NotFound: the link is not ours, is over, or its file is gone: all look the same.
        """
        is_ours = hmac.compare_digest(signature.encode(), self._signature(file_id, expires).encode())
        if not is_ours or expires * 1000 < self._clock.now():
            raise NotFound("This link is over. Ask for the file again where you found it.")

        async def unit(tx: UnitOfWork) -> StoredFile | None:
            return await tx.get(FILES, file_id)

        file = await self._store.read(unit)
        path = self.path(file_id)
        if file is None or not path.is_file():
            raise NotFound("This file is gone.")
        return file, path

    async def refs(self, interaction: str, ids: Sequence[str], *, by: str) -> list[FileRef]:
        """Return files of an interaction uploaded by this person, in the order asked for.

        Raises:
            NotFound: one of them is not theirs. BadRequest: too many.
        """
        if len(ids) > MAX_FILES:
            raise BadRequest("At most ten files a message.")
        if not ids:
            return []

        async def unit(tx: UnitOfWork) -> list[StoredFile]:
            return await tx.select(
                FILES, "WHERE id ANY_OF($1) AND interaction = $2 AND uploaded_by = $3", list(ids), interaction, by
            )

        found = {file.id: file for file in await self._store.read(unit)}
        if set(found) != set(ids):
            raise NotFound("There is no such file.")
        return [FileRef(found[key].id, found[key].name, found[key].type, found[key].size) for key in ids]


def _type_of(ending: str) -> str:
    return _TYPES.get(ending) or mimetypes.types_map.get(ending, "application/octet-stream")


def write_all_durably(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write files so that each is there whole, or as it was before, whatever happens; then sync their folders."""
    for path, content in files:
        write_durably(path, content)
    sync_folders(path for path, _ in files)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, or as it was before; its name is durable once its folder is synced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
    try:
        with created(fresh) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def created(path: Path) -> BinaryIO:
    """Create a file that nobody but the hub's own user may read: it holds what customers wrote."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def sync_folders(paths: Iterable[Path]) -> None:
    """Sync the folders that these files are in."""
    for parent in {path.parent for path in paths}:
        folder = os.open(parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def shown_name(name: str) -> str:
    """Return a file's name fit to show: no path, no control or direction characters, at most 120 characters."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(" " if unicodedata.category(character).startswith("C") else character for character in name)
    name = " ".join(name.split()).strip(". ") or "file"
    stem, dot, ending = name.rpartition(".")
    return f"{stem[: 119 - len(ending)]}{dot}{ending}" if dot and len(ending) <= 10 else name[:120]


def sniffed(head: bytes) -> frozenset[str]:
    """Return the endings that fit a file's first bytes; text is what holds no NUL and does not begin as markup."""
    for magic, offset, endings in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return frozenset(endings)
    lowered = head[:1_024].lstrip().lower()
    looks_like_markup = lowered.startswith((b"<!doctype", b"<html", b"<svg", b"<script", b"<?xml"))
    return _TEXTS if b"\x00" not in head and not looks_like_markup else frozenset()


def _check_picture(path: Path) -> None:
    """Return if a file is no picture that takes a browser's memory to draw.

    Raises:
        TooLarge: it is.
    """
    with path.open("rb") as file:
        if is_too_large(file):
            raise TooLarge(f"A picture has at most {MOST_POINTS // 1_000_000} million points.")


async def _receive(body: AsyncIterator[bytes], path: Path, limit: int) -> tuple[int, str, bytes]:
    """Write the upload to its place; return its size, SHA-256 and first bytes."""
    loop = asyncio.get_running_loop()
    digest = hashlib.sha256()
    size, head = 0, b""
    file = await loop.run_in_executor(None, created, path)
    try:
        async for chunk in body:
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"A file holds at most {limit // 1_048_576} MB.")
            head += chunk[: max(_HEAD - len(head), 0)]
            digest.update(chunk)
            await loop.run_in_executor(None, file.write, chunk)
    finally:
        await loop.run_in_executor(None, file.close)
    return size, digest.hexdigest(), head
