"""An IMAP server that lies: a scripted peer on the loopback, one thread for each line."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator

GOOD = b"From: ann@example.org\r\nSubject: good\r\n\r\nHello.\r\n"
Answer = Callable[[str, str], bytes | None]
_COMMAND = re.compile(rb"(\S+) (.*?)\r\n", re.DOTALL)


def literal(raw: bytes) -> bytes:
    return b"{%d}\r\n%s" % (len(raw), raw)


class LyingServer:
    """Answers usual commands as a small honest server with mails `uids`; `lie` may answer first.

    `lie(command, rest)` returns raw bytes, in which `TAG` stands for the command's tag; None leaves it to the server.
    """

    def __init__(self, lie: Answer | None = None, *, greeting: bytes = b"* OK ready\r\n") -> None:
        self.uids = [1, 2, 3]
        self.lie = lie or (lambda _command, _rest: None)
        self.greeting = greeting
        self.lines = 0
        self.commands: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, name="lying", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for line in self._open:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self.lines += 1
            self._open.append(line)
            threading.Thread(target=self._serve, args=(line,), name="lying-line", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError):
            line.sendall(self.greeting)
            for tag, text in self._heard(line):
                word, _, rest = text.partition(" ")
                command = f"{word} {rest.partition(' ')[0]}".upper() if word.upper() == "UID" else word.upper()
                self.commands.append(text)
                answer = self.lie(command, rest)
                answer = self._honest(command, rest) if answer is None else answer
                if answer == b"HANG UP":
                    line.close()
                    return
                line.sendall(answer.replace(b"TAG", tag))

    def _heard(self, line: socket.socket) -> Iterator[tuple[bytes, str]]:
        buffer = b""
        while chunk := line.recv(4_096):
            buffer += chunk
            while match := _COMMAND.match(buffer):
                buffer = buffer[match.end() :]
                yield match[1], match[2].decode("utf-8", "replace")

    def _honest(self, command: str, rest: str) -> bytes:
        if command == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 UIDPLUS\r\nTAG OK x\r\n"
        if command in {"SELECT", "EXAMINE"}:
            count = len(self.uids)
            return b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\nTAG OK x\r\n" % count
        if command == "UID SEARCH":
            found = self._searched(rest)
            return b"* SEARCH %s\r\nTAG OK x\r\n" % b" ".join(b"%d" % uid for uid in found)
        if command == "UID FETCH":
            return b"".join(self._about(uid, rest) for uid in self._asked(rest)) + b"TAG OK x\r\n"
        return b"TAG OK x\r\n"

    def _searched(self, rest: str) -> list[int]:
        wanted = rest.partition("UID ")[2].split(" ")[0].strip('"')
        if wanted == "*":
            return self.uids[-1:]
        return [uid for uid in self.uids if _is_in(uid, wanted)]

    def _asked(self, rest: str) -> list[int]:
        return [uid for uid in self.uids if _is_in(uid, rest.split(" ")[1])]

    def _about(self, uid: int, rest: str) -> bytes:
        if "BODY" in rest:
            return b"* %d FETCH (UID %d BODY[] %s)\r\n" % (uid, uid, literal(GOOD))
        date = b'"16-Nov-2026 09:41:00 +0000"'
        return b"* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE %s)\r\n" % (uid, uid, len(GOOD), date)


def _is_in(uid: int, wanted: str) -> bool:
    for part in wanted.split(","):
        low, _, high = part.partition(":")
        if int(low) <= uid <= (2**32 if high == "*" else int(high or low)):
            return True
    return False
