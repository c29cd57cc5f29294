"""Mailboxes in memory. What is delivered is there at once, and the oldest is forgotten when there is too much."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final

from channels.simulator.post.returns import Failure, report

MOST_MAILS: Final = 5_000
MOST_BYTES: Final = 256 * 1024 * 1024
MOST_MAILBOXES: Final = 5_000
FOLDERS: Final = ("INBOX", "Sent", "Drafts", "Trash")
FAILURES: Final[Mapping[str, Failure]] = {
    "gone.example": Failure("5.1.1", "550 5.1.1 <{address}>: Recipient address rejected: User unknown"),
    "full.example": Failure("5.2.2", "552 5.2.2 <{address}>: The mailbox is full"),
}
"""Domains whose addresses are accepted here and fail a moment later, as far away servers do."""
REFUSED: Final = "refused.example"
"""The domain whose addresses are refused at once."""
_VALIDITY: Final = 1
_UIDS_FROM: Final = 1_767_225_600
"""2026-01-01 UTC, in seconds since 1970."""
_UIDS_A_SECOND: Final = 8
"""UIDs only rise, over restarts too (RFC 3501, 2.3.1.1): each start begins where the clock is; no demo outruns it."""


@dataclass(slots=True, eq=False)
class Stored:
    """One mail in one folder. `at` is when it came, in seconds since 1970."""

    uid: int
    raw: bytes
    at: float
    flags: set[str] = field(default_factory=set)


class Folder:
    """Mails by rising UID, and who wants to know of new ones."""

    validity = _VALIDITY

    def __init__(self, name: str, first_uid: int) -> None:
        self.name = name
        self.next_uid = first_uid
        self.mails: list[Stored] = []
        self._watchers: list[Callable[[], None]] = []

    def add(self, raw: bytes, at: float, flags: set[str]) -> Stored:
        """Keep a mail."""
        stored = Stored(self.next_uid, raw, at, flags)
        self.next_uid += 1
        self.mails.append(stored)
        self.tell()
        return stored

    def remove(self, gone: set[int]) -> None:
        """Drop the mails with these UIDs."""
        before = len(self.mails)
        self.mails = [one for one in self.mails if one.uid not in gone]
        if len(self.mails) != before:
            self.tell()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever something changes."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Call it no more."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    def tell(self) -> None:
        """Something has changed."""
        for watcher in tuple(self._watchers):
            watcher()

    @property
    def is_idle(self) -> bool:
        """Whether it is empty and nobody looks."""
        return not self.mails and not self._watchers


class Mailbox:
    """One address's folders."""

    def __init__(self, address: str, first_uid: int) -> None:
        self.address = address
        self._first_uid = first_uid
        self.folders = {name: Folder(name, first_uid) for name in FOLDERS}

    @property
    def inbox(self) -> Folder:
        """Where mail comes in."""
        return self.folders["INBOX"]

    def folder(self, name: str) -> Folder | None:
        """Return a folder; INBOX in any case of letters."""
        return self.folders.get("INBOX" if name.upper() == "INBOX" else name)

    def create(self, name: str) -> bool:
        """Make a folder; False when there is one, or there are many."""
        if self.folder(name) is not None or len(self.folders) >= 50:
            return False
        self.folders[name] = Folder(name, self._first_uid)
        return True


class Office:
    """All mailboxes. `own` are the addresses that need a password: the companies'; everybody else's is `password`."""

    def __init__(self, own: Mapping[str, str], password: str, *, now: Callable[[], float] = time.time) -> None:
        self._own = {address.lower(): secret for address, secret in own.items()}
        self._password = password
        self._now = now
        self._began = int(now())
        self._boxes: dict[str, Mailbox] = {}
        self._order: deque[tuple[Mailbox, Folder, Stored]] = deque()
        self._bytes = 0
        self._names = 0

    def is_own(self, address: str) -> bool:
        """Whether an address is a company's, with or without a detail behind a plus."""
        return _base(address) in self._own

    def may_enter(self, address: str, password: str) -> bool:
        """Whether this is the mailbox's password."""
        return "@" in address and self._own.get(address.lower(), self._password) == password

    def box(self, address: str) -> Mailbox | None:
        """Return an address's mailbox, made when it is first asked for; None when there are too many."""
        name = _base(address) if self.is_own(address) else address.lower()
        if name not in self._boxes:
            if len(self._boxes) >= MOST_MAILBOXES:
                self._tidy()
            if len(self._boxes) >= MOST_MAILBOXES:
                return None
            self._boxes[name] = Mailbox(name, max(int((self._now() - _UIDS_FROM) * _UIDS_A_SECOND), 1))
        return self._boxes[name]

    def peek(self, address: str) -> Mailbox | None:
        """Return an address's mailbox if there is one."""
        return self._boxes.get(address.lower())

    def accept(self, raw: bytes, sender: str, recipients: list[str]) -> str:
        """Deliver to each recipient, or tell the sender that it failed; returns the name it goes by here."""
        self._names += 1
        name = f"{self._began:x}.{self._names:x}"
        for recipient in recipients:
            failure = FAILURES.get(recipient.rpartition("@")[2].lower())
            if failure is None:
                self._deliver(_stamped(raw, sender, recipient, name, self._now()), recipient)
            elif sender:
                back = report(raw, sender, recipient, failure, name, self._now())
                self._deliver(_stamped(back, "", sender, name, self._now()), sender)
        return name

    def _deliver(self, raw: bytes, recipient: str) -> None:
        if recipient.rpartition("@")[2].lower() in FAILURES:
            return
        box = self.box(recipient)
        if box is not None:
            self.keep(box, box.inbox, raw)

    def keep(
        self, box: Mailbox, folder: Folder, raw: bytes, flags: set[str] | None = None, at: float | None = None
    ) -> Stored:
        """Put a mail into a folder, and forget the oldest ones where that is too much."""
        stored = folder.add(raw, self._now() if at is None else at, flags or set())
        self._order.append((box, folder, stored))
        self._bytes += len(raw)
        while len(self._order) > 1 and (len(self._order) > MOST_MAILS or self._bytes > MOST_BYTES):
            _, oldest, gone = self._order.popleft()
            self._bytes -= len(gone.raw)
            oldest.remove({gone.uid})
        return stored

    def boxes(self) -> Iterator[Mailbox]:
        """Yield all mailboxes."""
        yield from self._boxes.values()

    def _tidy(self) -> None:
        """Drop mailboxes that are empty and unwatched."""
        idle = [name for name, box in self._boxes.items() if all(one.is_idle for one in box.folders.values())]
        for name in idle:
            del self._boxes[name]


def _base(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _stamped(raw: bytes, sender: str, recipient: str, name: str, now: float) -> bytes:
    """Add what the last server of a mail's way adds (RFC 5321, 4.4)."""
    date = formatdate(now)
    head = (
        f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n"
        f"Received: by post.example (demo) id {name} for <{recipient}>; {date}\r\n"
    )
    return head.encode("utf-8", "replace") + raw
