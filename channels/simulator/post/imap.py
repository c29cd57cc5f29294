"""Reading mail by IMAP (RFC 3501; IDLE, MOVE, UIDPLUS, NAMESPACE, ID, LITERAL+, SASL-IR), on this machine only."""

import asyncio
import base64
import binascii
import contextlib
import fnmatch
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from channels.simulator.post.grammar import Malformed, Word, folder_name, literal_length, shown_name, uppercase, words
from channels.simulator.post.office import Folder, Mailbox, Office
from channels.simulator.post.selected import Selected, flags_of

LARGEST: Final = 30 * 1024 * 1024
PATIENCE_S: Final = 1800.0
CAPABILITIES: Final = b"IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN IDLE MOVE UIDPLUS NAMESPACE ID CHILDREN SPECIAL-USE"
_LONGEST_LINE: Final = 64 * 1024
_MOST_ERRORS: Final = 20
_MARKS: Final = {"Sent": b"\\Sent", "Drafts": b"\\Drafts", "Trash": b"\\Trash"}
_BY_UID: Final = frozenset({b"FETCH", b"STORE", b"COPY", b"MOVE", b"SEARCH", b"EXPUNGE"})
_ANYBODY: Final = frozenset({b"CAPABILITY", b"NOOP", b"LOGOUT", b"ID", b"LOGIN", b"AUTHENTICATE"})
_IN_FOLDER: Final = frozenset({*_BY_UID, b"CHECK", b"CLOSE", b"UNSELECT"})
_CHANGING: Final = frozenset({b"STORE", b"MOVE", b"EXPUNGE"})


class Refusal(Exception):
    """The command is understood and not done: NO."""


class Leaving(Exception):
    """The conversation is over."""


class ImapSession:
    """One connection of a mail program."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, office: Office) -> None:
        self._reader = reader
        self._writer = writer
        self._office = office
        self._box: Mailbox | None = None
        self._open: Selected | None = None

    async def run(self) -> None:
        """Talk until one of us goes."""
        errors = 0
        self._put(b"* OK [CAPABILITY %s] post.example, of this demo" % CAPABILITIES)
        with contextlib.suppress(Leaving, OSError, EOFError, TimeoutError, ValueError):
            while errors < _MOST_ERRORS:
                await self._writer.drain()
                errors += not await self._take(await self._command())
            self._put(b"* BYE Too many errors")
        with contextlib.suppress(OSError):
            await self._writer.drain()

    def _put(self, *lines: bytes) -> None:
        self._writer.write(b"".join(line + b"\r\n" for line in lines))

    def _tell(self, lines: Iterable[bytes]) -> None:
        self._put(*(b"* " + line for line in lines))

    async def _line(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            line = await self._reader.readuntil(b"\n")
        return line.removesuffix(b"\n").removesuffix(b"\r") + b"\r\n"

    async def _command(self) -> bytes:
        """Read a command with its literals, each of which is asked for."""
        command = await self._line()
        while (announced := literal_length(command[-40:])) is not None:
            length, waits = announced
            if len(command) + length > (LARGEST if self._box else _LONGEST_LINE):
                self._put(b"* BYE Too large")
                raise Leaving
            if waits:
                self._put(b"+ Go on")
                await self._writer.drain()
            async with asyncio.timeout(PATIENCE_S):
                command += await self._reader.readexactly(length)
            command += await self._line()
        return command[:-2]

    async def _take(self, command: bytes) -> bool:
        """Do one command; False when it made no sense."""
        tag, _, rest = command.partition(b" ")
        try:
            name, parts, by_uid = _asked(tag, rest)
            done = await self._do(name, parts, by_uid=by_uid)
        except Refusal as error:
            self._put(b"%s NO %s" % (tag, str(error).encode()))
        except (Malformed, IndexError) as error:
            self._put(b"%s BAD %s" % (tag or b"*", (str(error) or "Something is missing.").encode()))
            return False
        else:
            if self._open is not None and (by_uid or name not in {b"FETCH", b"STORE", b"SEARCH"}):
                self._tell(self._open.news())
            self._put(b"%s OK %s" % (tag, done))
            if name == b"LOGOUT":
                raise Leaving
        return True

    async def _do(self, name: bytes, parts: list[Word], *, by_uid: bool) -> bytes:
        if self._box is None and name not in _ANYBODY:
            raise Refusal("Sign in first.")
        if name in _IN_FOLDER:
            return self._in_folder(name, parts, by_uid=by_uid)
        if name == b"AUTHENTICATE":
            return await self._authenticate(parts)
        if name == b"IDLE":
            return await self._idle()
        handler = {
            b"CAPABILITY": self._capability,
            b"NOOP": self._noop,
            b"ID": self._id,
            b"LOGOUT": self._logout,
            b"LOGIN": self._login,
            b"SELECT": self._select,
            b"EXAMINE": self._examine,
            b"LIST": self._list,
            b"LSUB": self._list,
            b"STATUS": self._status,
            b"NAMESPACE": self._namespace,
            b"CREATE": self._create,
            b"SUBSCRIBE": self._noop,
            b"UNSUBSCRIBE": self._noop,
            b"APPEND": self._append,
        }.get(name)
        if handler is None:
            raise Malformed("That is no command here.")
        return handler(parts)

    # -- anybody

    def _capability(self, _parts: list[Word]) -> bytes:
        self._put(b"* CAPABILITY " + CAPABILITIES)
        return b"That is all"

    def _noop(self, _parts: list[Word]) -> bytes:
        return b"Done"

    def _id(self, _parts: list[Word]) -> bytes:
        self._put(b'* ID ("name" "demo post")')
        return b"Done"

    def _logout(self, _parts: list[Word]) -> bytes:
        self._put(b"* BYE Until next time")
        return b"Done"

    def _login(self, parts: list[Word]) -> bytes:
        user, password = parts[0], parts[1]
        if not isinstance(user, bytes) or not isinstance(password, bytes):
            raise Malformed("A name and a password were expected.")
        return self._enter(user.decode("utf-8", "replace"), password.decode("utf-8", "replace"))

    async def _authenticate(self, parts: list[Word]) -> bytes:
        if next(uppercase(parts[:1]), b"") != b"PLAIN":
            raise Refusal("PLAIN or LOGIN.")
        given = parts[1] if len(parts) > 1 else None
        if given is None:
            self._put(b"+ ")
            await self._writer.drain()
            given = (await self._line())[:-2]
        try:
            _, user, password = base64.b64decode(bytes(given), validate=True).decode("utf-8").split("\0")
        except (binascii.Error, ValueError, TypeError):
            raise Malformed("That is no SASL PLAIN.") from None
        return self._enter(user, password)

    def _enter(self, user: str, password: str) -> bytes:
        if self._box is not None:
            raise Malformed("You are signed in.")
        if not self._office.may_enter(user, password):
            raise Refusal("[AUTHENTICATIONFAILED] Wrong name or password.")
        self._box = self._office.box(user)
        if self._box is None:
            raise Refusal("[UNAVAILABLE] There are too many mailboxes.")
        return b"[CAPABILITY %s] Welcome" % CAPABILITIES

    # -- folders

    @property
    def _mine(self) -> Mailbox:
        if self._box is None:
            raise Refusal("Sign in first.")
        return self._box

    def _folder(self, word: Word, hint: str = "[NONEXISTENT]") -> Folder:
        folder = self._mine.folder(folder_name(word))
        if folder is None:
            raise Refusal(f"{hint} There is no such folder.")
        return folder

    def _select(self, parts: list[Word]) -> bytes:
        return self._opened(parts[0], is_readonly=False)

    def _examine(self, parts: list[Word]) -> bytes:
        return self._opened(parts[0], is_readonly=True)

    def _opened(self, name: Word, *, is_readonly: bool) -> bytes:
        self._open = None
        self._open = Selected(self._office, self._mine, self._folder(name), is_readonly=is_readonly)
        self._tell(self._open.opening())
        return b"[READ-ONLY] Opened" if is_readonly else b"[READ-WRITE] Opened"

    def _list(self, parts: list[Word]) -> bytes:
        pattern = folder_name(parts[0]) + folder_name(parts[1])
        if not pattern:
            self._put(b'* LIST (\\Noselect) "/" ""')
            return b"Done"
        wanted = pattern.replace("[", "[[]").replace("%", "*")
        for name in self._mine.folders:
            if fnmatch.fnmatchcase(name, "INBOX" if wanted.upper() == "INBOX" else wanted):
                marks = b" ".join(filter(None, [b"\\HasNoChildren", _MARKS.get(name, b"")]))
                self._put(b'* LIST (%s) "/" %s' % (marks, shown_name(name)))
        return b"Done"

    def _namespace(self, _parts: list[Word]) -> bytes:
        self._put(b'* NAMESPACE (("" "/")) NIL NIL')
        return b"Done"

    def _status(self, parts: list[Word]) -> bytes:
        folder = self._folder(parts[0])
        figures = {
            b"MESSAGES": len(folder.mails),
            b"RECENT": 0,
            b"UIDNEXT": folder.next_uid,
            b"UIDVALIDITY": folder.validity,
            b"UNSEEN": sum("\\Seen" not in one.flags for one in folder.mails),
        }
        if not isinstance(parts[1], list):
            raise Malformed("A list was expected.")
        asked = [one for one in uppercase(parts[1]) if isinstance(one, bytes)]
        told = b" ".join(b"%s %d" % (name, figures[name]) for name in asked if name in figures)
        self._put(b"* STATUS %s (%s)" % (shown_name(folder.name), told))
        return b"Done"

    def _create(self, parts: list[Word]) -> bytes:
        name = folder_name(parts[0]).rstrip("/")
        if not name or len(name) > 200 or not name.isprintable():
            raise Malformed("That is no folder's name.")
        if not self._mine.create(name):
            raise Refusal("[ALREADYEXISTS] There is one, or there are too many.")
        return b"Done"

    def _append(self, parts: list[Word]) -> bytes:
        folder = self._folder(parts[0], "[TRYCREATE]")
        flags = next((flags_of([one]) for one in parts[1:-1] if isinstance(one, list)), frozenset())
        stamp = next((one for one in parts[1:-1] if isinstance(one, bytes)), b"").decode("ascii", "replace").strip()
        raw = parts[-1]
        if len(parts) < 2 or not isinstance(raw, bytes):
            raise Malformed("A message was expected.")
        try:
            at = datetime.strptime(stamp, "%d-%b-%Y %H:%M:%S %z").timestamp() if stamp else None
        except ValueError:
            raise Malformed("That is no date.") from None
        kept = self._office.keep(self._mine, folder, raw, set(flags), at)
        return b"[APPENDUID %d %d] Kept" % (folder.validity, kept.uid)

    # -- in a folder

    def _in_folder(self, name: bytes, parts: list[Word], *, by_uid: bool) -> bytes:
        opened = self._open
        if opened is None:
            raise Malformed("Open a folder first.")
        if opened.is_readonly and name in _CHANGING:
            raise Refusal("[READ-ONLY] It is opened to be read only.")
        if name == b"SEARCH":
            self._tell([opened.search(parts, by_uid=by_uid)])
        elif name == b"FETCH":
            self._tell(opened.fetch(parts[0], parts[1], by_uid=by_uid))
        elif name == b"STORE":
            action = parts[1]
            if not isinstance(action, bytes):
                raise Malformed("FLAGS were expected.")
            self._tell(opened.store(parts[0], action, parts[2:], by_uid=by_uid))
        elif name in {b"COPY", b"MOVE"}:
            return self._copied(opened, name, parts, by_uid=by_uid)
        elif name == b"EXPUNGE":
            opened.expunge(parts[0] if by_uid else None)
        else:
            if name == b"CLOSE" and not opened.is_readonly:
                opened.expunge()
            self._open = self._open if name == b"CHECK" else None
        return b"Done"

    def _copied(self, opened: Selected, name: bytes, parts: list[Word], *, by_uid: bool) -> bytes:
        target = self._folder(parts[1], "[TRYCREATE]")
        told = opened.copy(parts[0], target, by_uid=by_uid, is_move=name == b"MOVE")
        if name == b"COPY":
            return told + b"Done"
        self._tell([b"OK " + told + b"Moved"] if told else [])
        return b"Done"

    # -- IDLE

    async def _idle(self) -> bytes:
        """Tell of what changes until the client says DONE (RFC 2177)."""
        changed = asyncio.Event()
        folder = self._open.folder if self._open is not None else self._mine.inbox
        folder.watch(changed.set)
        self._put(b"+ idling")
        ending = asyncio.ensure_future(self._line())
        try:
            while not ending.done():
                changed.clear()
                if self._open is not None:
                    self._tell(self._open.news())
                await self._writer.drain()
                woken = asyncio.ensure_future(changed.wait())
                await asyncio.wait({ending, woken}, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
            if ending.result().strip().upper() != b"DONE":
                raise Malformed("DONE was expected.")
        finally:
            folder.unwatch(changed.set)
            ending.cancel()
        return b"Done"


def _asked(tag: bytes, rest: bytes) -> tuple[bytes, list[Word], bool]:
    """Return a command's name in capitals, its words, and whether it goes by UIDs.

    Raises:
        Malformed: there is no command.
    """
    parts = words(rest)
    names = [one for one in uppercase(parts[:2]) if isinstance(one, bytes)]
    if not tag or not names or not isinstance(parts[0], bytes):
        raise Malformed("A command was expected.")
    if names[0] != b"UID":
        return names[0], parts[1:], False
    if len(names) < 2 or names[1] not in _BY_UID:
        raise Malformed("UID goes before FETCH, STORE, COPY, MOVE, SEARCH or EXPUNGE.")
    return names[1], parts[2:], True


async def serve_imap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, office: Office) -> None:
    """Serve one connection."""
    try:
        await ImapSession(reader, writer, office).run()
    finally:
        writer.close()
