"""The folder that an IMAP client has open: as it was last told, with numbers that only change when it is told."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from channels.simulator.post.grammar import Malformed, Word, chosen, literal
from channels.simulator.post.office import Folder, Mailbox, Office, Stored
from channels.simulator.post.parts import envelope, section, structure
from channels.simulator.post.picking import Picker

_BODY: Final = re.compile(rb"^BODY(\.PEEK)?\[(.*)\](?:<(\d{1,10})\.(\d{1,10})>)?$", re.IGNORECASE | re.DOTALL)
_MACROS: Final = {
    b"FAST": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"],
    b"ALL": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"],
    b"FULL": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODY"],
}
_WHOLE: Final = {b"RFC822": b"", b"RFC822.HEADER": b"HEADER", b"RFC822.TEXT": b"TEXT"}
_FLAG: Final = re.compile(r"^\\?[!#$&'+,\-./0-9:;<=>?@A-Z\^_`a-z|~]{1,60}$")
_SYSTEM: Final = {name.lower(): name for name in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")}


class Selected:
    """One client's view of one folder."""

    def __init__(self, office: Office, box: Mailbox, folder: Folder, *, is_readonly: bool) -> None:
        self.box = box
        self.folder = folder
        self.is_readonly = is_readonly
        self._office = office
        self._view: list[Stored] = list(folder.mails)
        self._flags = {one.uid: frozenset(one.flags) for one in self._view}

    def opening(self) -> list[bytes]:
        """Return what SELECT tells."""
        unseen = next((n for n, one in enumerate(self._view, 1) if "\\Seen" not in one.flags), 0)
        flags = b" ".join(name.encode() for name in _SYSTEM.values())
        told = [b"FLAGS (%s)" % flags, b"%d EXISTS" % len(self._view), b"0 RECENT"]
        told += [b"OK [UNSEEN %d] First unseen" % unseen] if unseen else []
        return [
            *told,
            b"OK [PERMANENTFLAGS (%s \\*)] Limited" % flags,
            b"OK [UIDVALIDITY %d] UIDs valid" % self.folder.validity,
            b"OK [UIDNEXT %d] Predicted next UID" % self.folder.next_uid,
        ]

    def news(self) -> Iterator[bytes]:
        """Yield what has changed since the client was last told, and tell it so."""
        there = {one.uid for one in self.folder.mails}
        for number in range(len(self._view), 0, -1):
            if self._view[number - 1].uid not in there:
                self._flags.pop(self._view.pop(number - 1).uid, None)
                yield b"%d EXPUNGE" % number
        known = {one.uid for one in self._view}
        fresh = [one for one in self.folder.mails if one.uid not in known]
        for number, one in enumerate(self._view, 1):
            if self._flags.get(one.uid) != frozenset(one.flags):
                yield self._told_flags(number, one, with_uid=True)
        if fresh:
            self._view += fresh
            self._flags |= {one.uid: frozenset(one.flags) for one in fresh}
            yield b"%d EXISTS" % len(self._view)

    def meant(self, numbers: Word, *, by_uid: bool) -> list[tuple[int, Stored]]:
        """Return (sequence number, mail) of a set of numbers.

        Raises:
            Malformed: it is no set.
        """
        if not isinstance(numbers, bytes):
            raise Malformed("A set of numbers was expected.")
        if by_uid:
            wanted = chosen(numbers, [one.uid for one in self._view])
            return [(n, one) for n, one in enumerate(self._view, 1) if one.uid in wanted]
        places = chosen(numbers, range(1, len(self._view) + 1))
        return [(n, self._view[n - 1]) for n in sorted(places)]

    def search(self, keys: Sequence[Word], *, by_uid: bool) -> bytes:
        """Return the answer to SEARCH."""
        found = Picker(keys, self._view).picked()
        return b" ".join([b"SEARCH", *(b"%d" % (one.uid if by_uid else n) for n, one in found)])

    # -- FETCH

    def fetch(self, numbers: Word, items: Word, *, by_uid: bool) -> Iterator[bytes]:
        """Yield the answers to FETCH, one a mail.

        Raises:
            Malformed: an item is not known.
        """
        asked = [items] if isinstance(items, bytes) else list(items)
        names = [name for item in asked for name in _MACROS.get(_plain(item), [_plain(item)])]
        if by_uid and b"UID" not in [name.upper() for name in names]:
            names.insert(0, b"UID")
        for number, one in self.meant(numbers, by_uid=by_uid):
            reads = any(_marks_seen(name) for name in names) and not self.is_readonly and "\\Seen" not in one.flags
            if reads:
                self._change(one, one.flags | {"\\Seen"})
                self.folder.tell()
            parts = [self._item(one, name) for name in names]
            parts += [b"FLAGS " + _flags(one.flags)] if reads and b"FLAGS" not in names else []
            yield b"%d FETCH (%s)" % (number, b" ".join(parts))

    def _item(self, one: Stored, name: bytes) -> bytes:
        upper = name.upper()
        if found := _BODY.match(name):
            return _body(one.raw, found)
        if upper in _WHOLE:
            return upper + b" " + literal(section(one.raw, _WHOLE[upper]))
        if upper == b"UID":
            return b"UID %d" % one.uid
        if upper == b"FLAGS":
            return b"FLAGS " + _flags(one.flags)
        if upper == b"RFC822.SIZE":
            return b"RFC822.SIZE %d" % len(one.raw)
        if upper == b"INTERNALDATE":
            return b'INTERNALDATE "%s"' % datetime.fromtimestamp(one.at, UTC).strftime("%d-%b-%Y %H:%M:%S %z").encode()
        if upper == b"ENVELOPE":
            return b"ENVELOPE " + envelope(one.raw)
        if upper in {b"BODYSTRUCTURE", b"BODY"}:
            return upper + b" " + structure(one.raw)
        raise Malformed("There is no such item.")

    # -- STORE, EXPUNGE

    def store(self, numbers: Word, action: bytes, words: Sequence[Word], *, by_uid: bool) -> Iterator[bytes]:
        """Change flags; yield the answers.

        Raises:
            Malformed: the action or a flag cannot be read.
        """
        sign, is_silent = action.upper()[:1], action.upper().endswith(b".SILENT")
        if action.upper().removesuffix(b".SILENT").lstrip(b"+-") != b"FLAGS":
            raise Malformed("Only flags can be stored.")
        given = flags_of(words)
        for number, one in self.meant(numbers, by_uid=by_uid):
            changed = one.flags | given if sign == b"+" else one.flags - given if sign == b"-" else set(given)
            self._change(one, changed)
            if not is_silent:
                yield self._told_flags(number, one, with_uid=by_uid)
        self.folder.tell()

    def _change(self, one: Stored, flags: set[str]) -> None:
        one.flags = set(flags)
        self._flags[one.uid] = frozenset(flags)

    def _told_flags(self, number: int, one: Stored, *, with_uid: bool) -> bytes:
        self._flags[one.uid] = frozenset(one.flags)
        name = b"UID %d " % one.uid if with_uid else b""
        return b"%d FETCH (%sFLAGS %s)" % (number, name, _flags(one.flags))

    def expunge(self, among: Word | None = None) -> None:
        """Remove what is marked as deleted; with a set of UIDs, only of those."""
        allowed = None if among is None else {one.uid for _, one in self.meant(among, by_uid=True)}
        gone = {one.uid for one in self.folder.mails if "\\Deleted" in one.flags}
        self.folder.remove(gone if allowed is None else gone & allowed)

    # -- COPY, MOVE

    def copy(self, numbers: Word, target: Folder, *, by_uid: bool, is_move: bool) -> bytes:
        """Copy or move mails; return what COPYUID tells (RFC 4315), empty when there were none."""
        meant = [one for _, one in self.meant(numbers, by_uid=by_uid)]
        made = [self._office.keep(self.box, target, one.raw, set(one.flags), one.at) for one in meant]
        if is_move:
            self.folder.remove({one.uid for one in meant})
        sets = [b",".join(b"%d" % one.uid for one in some) for some in (meant, made)]
        return b"[COPYUID %d %s %s] " % (target.validity, sets[0], sets[1]) if meant else b""


def flags_of(words: Sequence[Word]) -> frozenset[str]:
    """Return flags out of words or a list of them.

    Raises:
        Malformed: one is none.
    """
    names = words[0] if len(words) == 1 and isinstance(words[0], list) else words
    found = [_plain(name).decode("ascii", "replace") for name in names]
    if any(not _FLAG.match(name) for name in found):
        raise Malformed("That is no flag.")
    return frozenset(_SYSTEM.get(name.lower(), name) for name in found)


def _flags(flags: set[str]) -> bytes:
    return b"(%s)" % b" ".join(sorted(name.encode() for name in flags))


def _plain(word: Word) -> bytes:
    if not isinstance(word, bytes):
        raise Malformed("A word was expected.")
    return word


def _marks_seen(name: bytes) -> bool:
    found = _BODY.match(name)
    return not found[1] if found else name.upper() in {b"RFC822", b"RFC822.TEXT"}


def _body(raw: bytes, found: re.Match[bytes]) -> bytes:
    text = section(raw, found[2])
    if found[3] is None:
        return b"BODY[%s] %s" % (found[2], literal(text))
    start, length = int(found[3]), int(found[4])
    return b"BODY[%s]<%d> %s" % (found[2], start, literal(text[start : start + length]))
