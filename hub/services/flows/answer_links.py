"""Links that answer a question of a flow: signed, bound to the session and to the question, and only for a while.

Whoever has the letter may answer, as whoever has it may write back. A link says nothing that the letter does not.
"""

import hashlib
import hmac
import ipaddress
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from hub.domain.errors import NotFound

PATH: Final = "/answers/"
_LONGEST: Final = 200


class AnswerLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link as it was followed: `asking` names the session and the question, `until` is an instant."""

    asking: str
    choice: str
    until: int
    signature: str


class AnswerLinks:
    """Makes links and tells ours from others; gives none where nobody but this machine could follow them."""

    def __init__(self, key: bytes, public_url: str) -> None:
        self._key = hashlib.sha256(b"answer-link" + key).digest()
        self._base = public_url.rstrip("/") if is_public(public_url) else ""

    def url(self, asking: str, choice: str, until: int) -> str:
        """Return the address at which this choice can be taken until an instant; empty without a public address."""
        if not self._base:
            return ""
        query = urlencode({"choice": choice, "until": until, "sig": self._signature(asking, choice, until)})
        return f"{self._base}{PATH}{asking}?{query}"

    def check(self, link: AnswerLink) -> None:
        """Return if the link is one of ours.

        Raises:
            NotFound: it is not.
        """
        is_short = len(link.asking) + len(link.choice) <= _LONGEST
        wanted = self._signature(link.asking, link.choice, link.until).encode()
        if not is_short or not hmac.compare_digest(wanted, link.signature.encode("utf-8", "replace")):
            raise NotFound("This link is not one of ours.")

    def _signature(self, asking: str, choice: str, until: int) -> str:
        signed = msgspec.json.encode([asking, choice, until])
        return urlsafe_b64encode(hmac.digest(self._key, signed, "sha256")).decode().rstrip("=")


def asking(session_id: str, timer: int) -> str:
    """Return the name of one question: each wait of a session has a number of its own."""
    return f"{session_id}.{timer}"


def read_asking(name: str) -> tuple[str, int]:
    """Return the session and the wait that a name means.

    Raises:
        NotFound: it is no such name.
    """
    session_id, _, timer = name.rpartition(".")
    if not session_id or not timer.isascii() or not timer.isdigit() or len(timer) > 9:
        raise NotFound("This link is not one of ours.")
    return session_id, int(timer)


def is_public(url: str) -> bool:
    """Whether an address can mean this hub on somebody else's machine."""
    host = urlsplit(url).hostname or ""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and host != "localhost" and not host.endswith(".localhost")
    return not ip.is_loopback and not ip.is_unspecified
