"""A strict reader of address fields: what stands in the angle brackets is the address, and nothing else is.

`email.utils.parseaddr("a@corp <x@evil>")` answers a@corp; whoever trusts that can be spoofed (security.md, 1.6).
"""

import re
from dataclasses import dataclass

from channels.mail.headers import decode_words, unfold

MAX_ADDRESSES = 2_000
_MAX_TEXT = 200_000

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|\((?:[^()\\]|\\.)*\)?|<[^<>]*>?|[,;:]|[^"(<,;:]+')
_ATOM = re.compile(r"[^\s\"(),:;<>@\[\]\\\x00-\x20\x7f]+\Z")
_SEPARATORS = frozenset({",", ";"})
_HIGH_RUN = re.compile(r"[^\x00-\x7f]+")
_LABEL = re.compile(r"[a-z0-9_\u0080-\U0010ffff](?:[a-z0-9_\-\u0080-\U0010ffff]{0,62})\Z")
_LITERAL = re.compile(r"\[(?:ipv6:)?[0-9a-f:.]{2,60}\]\Z")
_IN_TEXT = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10}")


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of a header: `email` has a lower-case domain, and is "" when there was no valid one."""

    email: str
    name: str = ""

    @property
    def domain(self) -> str:
        """What follows the last @."""
        return self.email.rpartition("@")[2]

    @property
    def key(self) -> str:
        """For comparing: lower case throughout."""
        return self.email.lower()


def parse_addresses(value: str | None) -> tuple[Address, ...]:
    """Every mailbox of an address field, groups flattened, in order.

    A mailbox without a valid address is kept when it has a name (a From of only words), so that
    nobody mistakes "unreadable" for "absent".
    """
    if not value:
        return ()
    text = unfold(value)[:_MAX_TEXT]
    if not text.isascii():
        text = _HIGH_RUN.sub(_decoded_run, text) if "=?" in text else decode_words(text)
    found: list[Address] = []
    for tokens in _split(text):
        address = _mailbox(tokens)
        if address is not None:
            found.append(address)
        if len(found) >= MAX_ADDRESSES:
            break
    return tuple(found)


def addresses_in(text: str, limit: int = 50) -> list[str]:
    """Addresses that appear in running text, in order, each once."""
    seen: dict[str, None] = {}
    for match in _IN_TEXT.finditer(text[:_MAX_TEXT]):
        email = normalize(match.group().strip(".'"))
        if email:
            seen.setdefault(email)
        if len(seen) >= limit:
            break
    return list(seen)


def normalize(text: str) -> str:
    """`text` as an address with a lower-case domain, or "" if it is none."""
    text = text.strip()
    if len(text) > 320 or text.count("@") < 1:
        return ""
    local, _, domain = text.rpartition("@")
    domain = domain.strip().rstrip(".").lower()
    if not _valid_local(local) or not _valid_domain(domain):
        return ""
    return f"{local}@{domain}"


def _valid_local(local: str) -> bool:
    if not 0 < len(local) <= 128:
        return False
    if local.startswith('"') and local.endswith('"') and len(local) > 2:
        return not any(character in local for character in "\r\n\x00")
    return _ATOM.match(local) is not None  # stray dots (".a..b@docomo.ne.jp") exist and are delivered


def _valid_domain(domain: str) -> bool:
    if domain.startswith("["):
        return _LITERAL.match(domain) is not None
    labels = domain.split(".")
    return len(domain) <= 253 and all(_LABEL.match(label) and not label.endswith("-") for label in labels)


def _decoded_run(match: re.Match[str]) -> str:
    return decode_words(match.group())


def _decoded(text: str) -> str:
    return decode_words(text) if "=?" in text else text


def _split(text: str) -> list[list[str]]:
    """Tokens of each mailbox; a display name with a bare comma ("Doe, Ann <a@b>") is put together again."""
    groups: list[list[str]] = [[]]
    has_words = has_address = False
    for match in _PIECE.finditer(text):
        piece = match.group()
        if piece == "," and has_words and not has_address:
            groups[-1].append(",")
        elif piece in _SEPARATORS:
            groups.append([])
            has_words = has_address = False
        elif piece == ":" and not has_address:
            groups[-1] = []  # a group's name
            has_words = False
        else:
            groups[-1].append(piece)
            has_words = has_words or bool(piece.strip(" ,"))
            has_address = has_address or "<" in piece or "@" in piece
    return [group for group in groups if any(part.strip(" ,") for part in group)]


def _mailbox(tokens: list[str]) -> Address | None:
    angles = [token for token in tokens if token.startswith("<")]
    if angles:
        inner = angles[-1].strip("<> \t")
        if inner.startswith("@") and ":" in inner:  # an obsolete route
            inner = inner.rpartition(":")[2]
        email = normalize(inner.removeprefix("mailto:").strip())
        last = max(place for place, token in enumerate(tokens) if token.startswith("<"))
        name = _name(tokens[:last]) or _name(tokens[last + 1 :])
        return Address(email, name) if email or name else None
    comments = [token for token in tokens if token.startswith("(")]
    bare = "".join(token for token in tokens if not token.startswith("(")).strip(" ,")
    email = normalize(bare.strip("'")) or normalize(re.sub(r"\s+", "", bare) if bare.count("@") == 1 else "")
    if email and (" " not in bare or bare.startswith('"')):
        return Address(email, _decoded(comments[-1].strip("() ")) if comments else "")
    name = _name(tokens)
    return Address("", name) if name else None


def _name(tokens: list[str]) -> str:
    words: list[str] = []
    comment = ""
    for token in tokens:
        if token.startswith("("):
            comment = comment or token.strip("() ")
        elif token.startswith('"'):
            words.append(re.sub(r"\\(.)", r"\1", token.strip('"')))
        else:
            words.append(token)
    text = _decoded(" ".join(" ".join(words).replace(" , ", ", ").split()))
    text = text.strip().strip(",").strip()
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return (text or _decoded(comment))[:500]
