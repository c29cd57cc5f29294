"""One line to an IMAP server, guarded: it can be cut from outside, and believes no size or length that it is told.

IMAPClient speaks; below it the socket is ours, so that a stopping hub need not wait for a silent server.
"""

import contextlib
import imaplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from channels.mail.account import Account

CONNECT_S: Final = 15.0
SIGN_IN_S: Final = 45.0
READ_S: Final = 60.0
"""Silence in the middle of an answer after which the server counts as gone. Slow servers think for 30 s."""
_SLACK: Final = 2_000_000
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 4))

Gone = (OSError, EOFError, imaplib.IMAP4.error, IMAPClientError)
"""What a line that is lost, or a server that talks nonsense, raises."""


class TooLong(imaplib.IMAP4.abort):
    """The server sends more than it was asked for, or than it announced."""


class LineCut(OSError):
    """The line was cut from our side: the hub stops, or the server took too long."""


class _Protocol(imaplib.IMAP4):
    """imaplib over a socket of ours, which reads no literal longer than allowed."""

    def __init__(self, host: str, port: int, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial
        self.longest = _SLACK
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:  # noqa: ARG002 - imaplib's signature
        return self._dial()

    def read(self, size: int) -> bytes:
        """Read a literal."""
        if size > self.longest:
            raise TooLong(f"A literal of {size:,} bytes where {self.longest:,} were expected.")
        return super().read(size)


class ImapLine(IMAPClient):  # type: ignore[misc]
    """A line that is dialled when it is made, and signed in by `sign_in`."""

    def __init__(self, account: Account, cutter: "Cutter") -> None:
        self._account = account
        self._cutter = cutter
        self._secure = account.context() if account.security != "plain" else None
        super().__init__(account.host, account.real_port, ssl=account.security == "tls", timeout=READ_S)
        self.normalise_times = False
        self._imap.debug = 0
        if account.security == "starttls":
            self._secure_now()

    def _secure_now(self) -> None:
        """Begin TLS. Nothing was said before but the greeting; without TLS nothing is said afterwards either."""
        try:
            self.starttls(self._secure)
        except BaseException:
            with contextlib.suppress(*Gone):
                self.shutdown()
            raise
        self._cached_capabilities = None

    def _poll_socket(self, sock: socket.socket, timeout: float | None = None) -> Sequence[object]:
        """Wait for the server in IDLE; what came with the answer before lies in the buffer, and no socket tells."""
        with contextlib.suppress(OSError):
            if self._imap.file.peek(1):
                return [sock]
        found: Sequence[object] = super()._poll_socket(sock, timeout)
        return found

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - IMAPClient's name
        return _Protocol(self._account.host, self._account.real_port, self._dialled)

    def _dialled(self) -> socket.socket:
        account = self._account
        failure: OSError = OSError(f"{account.host} has no address.")
        for family, kind, number, _, address in socket.getaddrinfo(
            account.host, account.real_port, type=socket.SOCK_STREAM
        ):
            plain = socket.socket(family, kind, number)
            try:
                self._cutter.hold(plain)
                plain.settimeout(CONNECT_S)
                plain.connect(address)
                _keep_alive(plain)
                if account.security != "tls" or self._secure is None:
                    return plain
                return self._secure.wrap_socket(plain, server_hostname=account.host)
            except OSError as error:
                plain.close()
                failure = error
        raise failure

    def sign_in(self, token: str = "") -> None:
        """Sign in with the token, or the password.

        Raises:
            LoginError: the server refuses.
        """
        account = self._account
        if token and account.mechanism == "oauthbearer":
            self.oauthbearer_login(account.user, token)
        elif token:
            self.oauth2_login(account.user, token)
        elif account.password is None:
            raise LoginError("there is no password")
        elif b"AUTH=PLAIN" in self.capabilities():
            self.plain_login(account.user, account.password.reveal())
        else:
            self.login(account.user, account.password.reveal())
        self._cached_capabilities = None

    def allow(self, size: int) -> None:
        """Say how long a literal may be from now on."""
        self._imap.longest = size + _SLACK

    def uids(self, criteria: Sequence[object]) -> list[int]:
        """Return UIDs found, rising, each once; whatever else a server puts there is left out."""
        found = self.search([str(one) for one in criteria])
        return sorted({uid for uid in found if isinstance(uid, int) and 0 < uid < 2**32})

    def details(self, uids: Sequence[int], items: Sequence[str]) -> dict[int, dict[bytes, Any]]:
        """Return what was asked of these messages, and of no others."""
        found = self.fetch(list(uids), list(items)) if uids else {}
        wanted = set(uids)
        return {uid: about for uid, about in found.items() if uid in wanted and about.get(b"SEQ") is not None}

    def _has_grown(self) -> bool:
        """Whether the folder has grown since it was selected: a server tells that once, with whatever it answers."""
        told = [one for one in self._imap.untagged_responses.get("EXISTS", ()) if one.isdigit()]
        return len(told) > 1 and int(told[-1]) > int(told[0])

    def heard_something(self, until: float, is_stopping: Callable[[], bool]) -> bool:
        """Be in IDLE until the monotonic instant `until`; True when the server told of new mail, now or before.

        Raises:
            LineCut: the line is dead, though the library says nothing.
        """
        if self._has_grown():
            return True
        self.idle()
        silent = 0
        news = False
        while not news and not is_stopping() and (left := until - time.monotonic()) > 0:
            began = time.monotonic()
            answers = self.idle_check(timeout=left)
            for answer in answers:
                if isinstance(answer, tuple) and answer[:1] == (b"BYE",):
                    raise LineCut("The server said goodbye.")
                news = news or (isinstance(answer, tuple) and len(answer) > 1 and answer[1] in (b"EXISTS", b"RECENT"))
            # A dead socket is always ready and never says anything.
            silent = silent + 1 if not answers and time.monotonic() - began < min(0.05, left / 2) else 0
            if silent > 3:
                raise LineCut("The line is dead.")
        self.socket().settimeout(READ_S)
        if is_stopping():
            raise LineCut("The hub stops.")
        self.idle_done()
        return news


class Cutter:
    """Holds a second handle on the socket, by which another thread can cut the line at any moment, also mid-dial."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._deadline: float | None = None
        self.is_stopping = threading.Event()

    def hold(self, dialled: socket.socket) -> None:
        """Take a handle on a new socket.

        Raises:
            LineCut: the hub stops; nothing new is dialled.
        """
        with self._lock:
            self._release()
            if self.is_stopping.is_set():
                raise LineCut("The hub stops.")
            self._handle = dialled.dup()

    def release(self) -> None:
        """Let the handle go: the line has ended."""
        with self._lock:
            self._release()

    def _release(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def cut(self) -> None:
        """Cut the line: whoever waits for the server gets an error now."""
        with self._lock:
            if self._handle is not None:
                with contextlib.suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Cut the line for good."""
        self.is_stopping.set()
        self.cut()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Allow what is inside so long, however steadily the server drips."""
        self._deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            self._deadline = None

    def look(self) -> None:
        """Cut the line if what it does has taken too long. Called every second or so, from another thread."""
        deadline = self._deadline
        if deadline is not None and time.monotonic() > deadline:
            self._deadline = None
            self.cut()


def signed_in(account: Account, cutter: Cutter, token: Callable[[str], str]) -> ImapLine:
    """Dial and sign in. `token` gives an access token that is not the refused one, "" where passwords are used.

    A token that is refused is renewed once: providers take tokens back before their time.

    Raises:
        LoginError: the server refuses. What `Gone` holds: it is not reached.
    """
    given = token("")
    try:
        return _entered(account, cutter, given)
    except LoginError:
        renewed = token(given) if given else ""
        if renewed in ("", given):
            raise
        return _entered(account, cutter, renewed)


def _entered(account: Account, cutter: Cutter, token: str) -> ImapLine:
    with cutter.within(SIGN_IN_S):
        line = ImapLine(account, cutter)
    try:
        with cutter.within(SIGN_IN_S):
            line.sign_in(token)
    except BaseException:
        with contextlib.suppress(*Gone):
            line.shutdown()
        raise
    return line


def is_refusal(error: BaseException) -> bool:
    """Whether the server said NO, rather than going away."""
    lost = (imaplib.IMAP4.abort, IMAPClientAbortError, OSError, EOFError, LineCut)
    return not isinstance(error, lost)


def _keep_alive(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def explained(error: BaseException) -> str:
    """Return why a line is not there, in words for an operator, without secrets and control characters."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"The server's certificate is not trusted: {error.verify_message}."
    elif isinstance(error, ssl.SSLError):
        text = f"TLS failed: {error.reason or error}."
    elif isinstance(error, TimeoutError):
        text = "The server did not answer in time."
    elif isinstance(error, socket.gaierror):
        text = "The server's name is not known."
    else:
        text = str(error) or type(error).__name__
    if text.startswith("b'"):
        text = text[2:].rstrip("'")
    return "".join(character if character.isprintable() else " " for character in text)[:300]


__all__ = [
    "SIGN_IN_S",
    "Cutter",
    "Gone",
    "ImapLine",
    "LineCut",
    "LoginError",
    "TooLong",
    "explained",
    "is_refusal",
    "signed_in",
]
