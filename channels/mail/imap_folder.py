"""Reading one folder: everything that is new since the mark, in pieces of bounded size, each kept before the next.

The mark is UIDVALIDITY and UID. UIDs only rise, so what lies above the mark is new, however long nobody looked; when
UIDVALIDITY changes all is read again, and what came before is recognised by its content.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from channels.mail.account import Account
from channels.mail.imap_line import Cutter, Gone, ImapLine, TooLong, explained, is_refusal
from hub.contract import RawArrival

log = logging.getLogger(__name__)

CHUNK_BYTES: Final = 8 * 1024 * 1024
CHUNK_MAILS: Final = 200
WINDOW: Final = 2_000
"""UIDs looked at in one search; doubled where there is nothing, so that gaps cost little."""
BEGINNING: Final = 65_536
"""Bytes taken of a mail that is over the limit: its headers and first words."""
TRIES: Final = 5
"""How often one mail may break the line before it is passed over, and shown to a person."""
_STEADY_BYTES_S: Final = 20_000
_COMMAND_S: Final = 90.0
_DAY_MS: Final = 86_400_000


class Mark(msgspec.Struct, frozen=True):
    """How far a folder was read: up to `uid` under `validity`.

    Of the mails up to `until`, which were there when the folder was first read, only unseen ones are taken. Mails that
    the server had before `since` are left alone when all must be read again; 0: none. Up to `done` they were moved.
    """

    validity: int
    uid: int = 0
    until: int = 0
    since: int = 0
    done: int = 0


class Keep:
    """What a folder's reader asks of the hub: the mark, and to keep mails with a mark. Both may raise."""

    def __init__(
        self, mark: Callable[[str], str], keep: Callable[[Sequence[RawArrival], Mapping[str, str]], int]
    ) -> None:
        self.mark = mark
        self.keep = keep


class FolderMissing(Exception):
    """The server does not have it, or does not let us in; the others are read all the same."""


class Folder:
    """One folder of one mailbox."""

    def __init__(self, name: str, account: Account, hub: Keep, cutter: Cutter, now: Callable[[], int]) -> None:
        self._name = name
        self._account = account
        self._hub = hub
        self._cutter = cutter
        self._now = now
        self._broke: dict[int, int] = {}
        self._careful_until = 0
        self._stored: Mark | None = None
        self.trouble = ""

    def catch_up(self, line: ImapLine) -> int:
        """Keep everything new; return how many mails there were.

        Raises:
            FolderMissing: it is not there. What `Gone` holds: the line is lost; the next one goes on from the mark.
        """
        mark, highest = self._opened(line)
        if self._account.after_reading != "keep" and mark.done < mark.uid:
            mark = self._clear_left(line, mark)
        count = 0
        for uids in self._new(line, mark, highest):
            for chunk in self._chunks(line, uids, mark):
                mark = self._take(line, mark, chunk)
                count += len(chunk)
            mark = self._passed(mark, uids[-1])
        # What was there at first and was seen then is none of ours, also when somebody marks it unread.
        self._passed(mark, min(mark.until, highest))
        return count

    def _passed(self, mark: Mark, uid: int) -> Mark:
        """Note that everything up to `uid` is done."""
        uid = max(mark.uid, uid)
        passed = msgspec.structs.replace(mark, uid=uid, done=uid if mark.done == mark.uid else mark.done)
        if passed != self._stored:
            self._store([], passed)
        return passed

    def _store(self, arrivals: Sequence[RawArrival], mark: Mark) -> None:
        self._hub.keep(arrivals, {self._name: msgspec.json.encode(mark).decode()})
        self._stored = mark

    def _opened(self, line: ImapLine) -> tuple[Mark, int]:
        """Select the folder; return where to go on, and the highest UID there is: UIDNEXT may say anything."""
        is_readonly = self._account.after_reading == "keep"
        with self._cutter.within(_COMMAND_S):
            try:
                told = line.select_folder(self._name, readonly=is_readonly)
            except Gone as error:
                if is_refusal(error):
                    raise FolderMissing(f"The folder {self._name} cannot be opened: {explained(error)}") from error
                raise
        validity = _number(told.get(b"UIDVALIDITY"))
        if not validity:
            raise FolderMissing(f"The server gives no UIDVALIDITY for {self._name}: nothing there can be named.")
        with self._cutter.within(_COMMAND_S):
            highest = max(line.uids(["UID", "*"]), default=0)
        stored = self._hub.mark(self._name)
        if not stored:
            return self._first(validity, highest), highest
        mark = msgspec.json.decode(stored, type=Mark)
        if mark.validity != validity:
            log.warning("a folder is read again: its UIDVALIDITY has changed", extra={"host": self._account.host})
            mark = Mark(validity=validity, since=mark.since)
        return mark, highest

    def _first(self, validity: int, highest: int) -> Mark:
        """Return the mark of a folder that is read for the first time, kept at once: what comes now is new."""
        policy = self._account.first_reading
        if policy == "all":
            return Mark(validity=validity)
        mark = Mark(validity=validity, until=highest, since=self._now())
        if policy == "new":
            mark = msgspec.structs.replace(mark, uid=highest, done=highest)
        self._store([], mark)
        return mark

    def _new(self, line: ImapLine, mark: Mark, highest: int) -> Iterator[list[int]]:
        """Yield the UIDs above the mark, window by window, never empty."""
        start, width = mark.uid + 1, WINDOW
        while start <= highest:
            end = min(start + width - 1, highest)
            criteria: list[object] = ["UID", f"{start}:{end}"]
            if start <= mark.until:
                end = min(end, mark.until)
                criteria = ["UID", f"{start}:{end}", "UNSEEN"]
            with self._cutter.within(_COMMAND_S):
                found = [uid for uid in line.uids(criteria) if start <= uid <= end]
            if found:
                yield found
            width = WINDOW if found else width * 2
            start = end + 1

    def _chunks(self, line: ImapLine, uids: Sequence[int], mark: Mark) -> Iterator[list[tuple[int, int, int | None]]]:
        """Yield (UID, size, received at) in pieces that fit in memory."""
        with self._cutter.within(_COMMAND_S):
            told = line.details(uids, ["RFC822.SIZE", "INTERNALDATE"])
        chunk: list[tuple[int, int, int | None]] = []
        size = 0
        for uid in uids:
            about = told.get(uid, {})
            received_at = _instant(about.get(b"INTERNALDATE"))
            if _was_before_us(mark, uid, received_at):
                continue
            length = _number(about.get(b"RFC822.SIZE"))
            is_full = size + length > CHUNK_BYTES or len(chunk) >= CHUNK_MAILS or uid <= self._careful_until
            if chunk and is_full:
                yield chunk
                chunk, size = [], 0
            chunk.append((uid, length, received_at))
            size += length
        if chunk:
            yield chunk

    def _take(self, line: ImapLine, mark: Mark, chunk: Sequence[tuple[int, int, int | None]]) -> Mark:
        """Fetch one piece, have it kept with the mark behind it, then do to it what is done after reading."""
        arrivals = [arrival for part in self._parts(chunk) for arrival in self._fetched(line, mark, part)]
        last = chunk[-1][0]
        mark = msgspec.structs.replace(mark, uid=max(mark.uid, last))
        self._store(arrivals, mark)
        for uid, _, _ in chunk:
            self._broke.pop(uid, None)
        is_done = self._after(line, [uid for uid, _, _ in chunk])
        return msgspec.structs.replace(mark, done=mark.uid) if is_done else mark

    def _parts(self, chunk: Sequence[tuple[int, int, int | None]]) -> Iterator[list[tuple[int, int, int | None]]]:
        """Yield a piece's mails together, but those over the limit one by one."""
        fitting = [one for one in chunk if one[1] <= self._account.max_bytes]
        if fitting:
            yield fitting
        yield from ([one] for one in chunk if one[1] > self._account.max_bytes)

    def _fetched(self, line: ImapLine, mark: Mark, part: Sequence[tuple[int, int, int | None]]) -> list[RawArrival]:
        uids = [uid for uid, _, _ in part]
        total = sum(size for _, size, _ in part)
        is_large = part[0][1] > self._account.max_bytes
        if len(part) == 1 and self._broke.get(uids[0], 0) >= TRIES:
            log.warning("a mail is passed over: fetching it broke the line again and again")
            return [self._arrival(mark, part[0], b"", "The server breaks the line whenever it is to hand it over.")]
        line.allow(BEGINNING if is_large else total + total // 4)
        item, key = "BODY.PEEK[]", b"BODY[]"
        if is_large:
            item, key = f"BODY.PEEK[]<0.{BEGINNING}>", b"BODY[]<0>"
        try:
            with self._cutter.within(_COMMAND_S + total / _STEADY_BYTES_S):
                told = line.details(uids, [item])
                missing = [uid for uid in uids if key not in told.get(uid, {})]
                still_there = set(line.uids(["UID", ",".join(map(str, missing))])) if missing else set()
        except Exception as error:
            self._note_broken(uids, error)
            raise
        found = []
        for one in part:
            raw = told.get(one[0], {}).get(key)
            if isinstance(raw, bytes) and raw:
                text = f"It has {one[1]:,} bytes, over the limit of {self._account.max_bytes:,}. Here is its beginning."
                found.append(self._arrival(mark, one, raw, text if is_large else ""))
            elif one[0] in still_there and len(part) > 1:
                found += self._fetched(line, mark, [one])
            elif one[0] in still_there:
                found.append(self._arrival(mark, one, b"", "The server has it and does not hand it over."))
            # Otherwise it was deleted or moved while we looked.
        return found

    def _note_broken(self, uids: Sequence[int], error: BaseException) -> None:
        """Remember which mails broke the line: next time one by one, and in the end past the one that does it."""
        if self._cutter.is_stopping.is_set():
            return
        if len(uids) > 1:
            self._careful_until = max(self._careful_until, uids[-1])
        else:
            self._broke[uids[0]] = TRIES if isinstance(error, TooLong) else self._broke.get(uids[0], 0) + 1

    def _arrival(self, mark: Mark, one: tuple[int, int, int | None], raw: bytes, problem: str) -> RawArrival:
        uid, size, received_at = one
        name = "".join(character if character.isprintable() else "?" for character in self._name)
        return RawArrival(
            provider_id=f"{name};{mark.validity};{uid}",
            raw=raw,
            received_at=received_at,
            size=max(size, len(raw)) if problem else len(raw),
            problem=problem,
        )

    # -- after reading

    def _clear_left(self, line: ImapLine, mark: Mark) -> Mark:
        """Do to what the last hub had kept what it had no time to do."""
        with self._cutter.within(_COMMAND_S):
            left = line.uids(["UID", f"{mark.done + 1}:{mark.uid}"])
        left = [uid for uid in left if mark.done < uid <= mark.uid]
        if mark.until > mark.done:
            # Of what was there at first only what was unseen was taken, and may be moved.
            with self._cutter.within(_COMMAND_S):
                unseen = set(line.uids(["UID", f"{mark.done + 1}:{mark.until}", "UNSEEN"]))
            left = [uid for uid in left if uid > mark.until or uid in unseen]
        if mark.since and left:
            with self._cutter.within(_COMMAND_S):
                told = line.details(left, ["INTERNALDATE"])
            left = [
                uid for uid in left if not _was_before_us(mark, uid, _instant(told.get(uid, {}).get(b"INTERNALDATE")))
            ]
        is_done = self._after(line, left)
        return msgspec.structs.replace(mark, done=mark.uid) if is_done else mark

    def _after(self, line: ImapLine, uids: Sequence[int]) -> bool:
        """Do what is done after reading. A server that does not let us is told of and holds no mail up."""
        policy = self._account.after_reading
        if not uids or policy == "keep":
            return True
        try:
            with self._cutter.within(_COMMAND_S):
                if policy == "seen":
                    line.add_flags(uids, [b"\\Seen"], silent=True)
                elif policy == "move":
                    self._move(line, uids)
                else:
                    self._delete(line, uids)
        except Gone as error:
            if not is_refusal(error):
                raise
            self.trouble = f"What was read in {self._name} stays as it is: {explained(error)}"
            return False
        self.trouble = ""
        return True

    def _move(self, line: ImapLine, uids: Sequence[int]) -> None:
        target = self._account.done_folder
        try:
            self._move_to(line, uids, target)
        except Gone as error:
            if not is_refusal(error) or b"TRYCREATE" not in str(error).upper().encode():
                raise
            line.create_folder(target)
            self._move_to(line, uids, target)

    def _move_to(self, line: ImapLine, uids: Sequence[int], target: str) -> None:
        if line.has_capability("MOVE"):
            line.move(uids, target)
        else:
            line.copy(uids, target)
            self._delete(line, uids)

    def _delete(self, line: ImapLine, uids: Sequence[int]) -> None:
        line.add_flags(uids, [b"\\Deleted"], silent=True)
        if line.has_capability("UIDPLUS"):
            line.uid_expunge(uids)
        # Without UIDPLUS an EXPUNGE would also remove what others have only marked.


def _was_before_us(mark: Mark, uid: int, received_at: int | None) -> bool:
    """Whether a mail that is seen again under a new UIDVALIDITY was left alone when the folder was first read."""
    is_old = mark.since > 0 and received_at is not None and received_at < mark.since - _DAY_MS
    return is_old and uid > mark.until


def _number(value: Any) -> int:  # noqa: ANN401 - whatever a server says
    found = value[0] if isinstance(value, list | tuple) and value else value
    return found if isinstance(found, int) and 0 <= found < 2**63 else 0


def _instant(value: Any) -> int | None:  # noqa: ANN401
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    try:
        return max(round(value.timestamp() * 1000), 0)
    except (OverflowError, ValueError):
        return None
