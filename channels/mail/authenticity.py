"""Whether a mail is from whom it says: the trusted server's Authentication-Results, or DKIM verified here.

Anyone can write an Authentication-Results header; only those that carry the name of our own receiving
server count, and of those the topmost (RFC 8601, 5).
"""

# ruff: noqa: SIM905
# mypy: disable-error-code="no-untyped-call"

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import dkim  # type: ignore[import-untyped]

from channels.mail.addresses import Address, addresses_in
from channels.mail.headers import Headers

KeyLookup = Callable[[bytes], bytes | None]
"""DNS name (bytes, final dot) -> TXT record, None when there is none. May raise OSError."""

MAX_VERIFIED = 10_000_000
"""Bytes of a mail whose DKIM signature is computed here."""


class Verdict(Enum):
    """What may be believed of the From address."""

    PASS = "pass"  # noqa: S105 - a result, not a secret
    """Proved for the domain in From."""
    FAIL = "fail"
    """Disproved: must not be merged into a known customer without a person."""
    NONE = "none"
    """Nothing was said that could be trusted."""


@dataclass(frozen=True, slots=True)
class Authenticity:
    """The verdict, the single results ("pass", "fail", "softfail", "none" ...), and remarks for the agent."""

    verdict: Verdict
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    source: str = ""
    """Who said so: the authserv-id, or "verified here"."""
    remarks: tuple[str, ...] = ()


_METHOD = re.compile(r"\b(spf|dkim|dmarc)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b(smtp|header|policy)\.([a-z-]+)\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")
_SECOND_LEVEL = frozenset(
    """co.uk org.uk ac.uk gov.uk com.cn net.cn org.cn gov.cn edu.cn com.au net.au org.au co.jp ne.jp or.jp ac.jp go.jp
    com.br net.br org.br gov.br com.tr org.tr gov.tr co.kr or.kr com.tw org.tw com.hk com.sg co.nz co.za co.in net.in
    org.in com.mx com.ar com.pl org.pl net.pl com.ua co.il org.il com.my co.id com.vn com.sa com.ph
    co.th""".split()
)


def organizational_domain(domain: str) -> str:
    """The registered domain, by the common two-level suffixes; enough to compare, not to decide on ownership."""
    labels = domain.lower().rstrip(".").split(".")
    keep = 3 if ".".join(labels[-2:]) in _SECOND_LEVEL else 2
    return ".".join(labels[-keep:])


def aligned(domain: str, author_domain: str) -> bool:
    """Whether `domain` speaks for the From domain (relaxed, as DMARC does by default)."""
    return bool(domain and author_domain) and organizational_domain(domain) == organizational_domain(author_domain)


def judge(
    raw: bytes,
    headers: Headers,
    authors: tuple[Address, ...],
    *,
    trusted: frozenset[str] = frozenset(),
    key_lookup: KeyLookup | None = None,
) -> Authenticity:
    """What can be believed of a mail's author.

    Args:
        raw: the mail as fetched.
        headers: of the mail.
        authors: mailboxes of From.
        trusted: authserv-ids of our own receiving servers, lower case.
        key_lookup: for verifying DKIM here when no trusted server said anything; None turns that off.
    """
    remarks = _remarks(headers, authors)
    author_domain = authors[0].domain if len(authors) == 1 and authors[0].email else ""
    results = _trusted_results(headers, trusted)
    if results:
        source, text = results[0]
        found = _from_results(text, author_domain, source, remarks)
        if found.verdict is not Verdict.FAIL and any(_says_dmarc_failed(below) for _, below in results[1:]):
            return replace(found, verdict=Verdict.FAIL, dmarc="fail")
        return found
    if key_lookup is not None and author_domain and "dkim-signature" in headers:
        result, domain = verify_dkim(raw, key_lookup, author_domain)
        verdict = Verdict.PASS if result == "pass" and not remarks else Verdict.NONE
        note = (f"DKIM signature of {domain}",) if domain else ()
        return Authenticity(verdict, dkim=result, source="verified here", remarks=remarks + note)
    return Authenticity(Verdict.NONE, remarks=remarks)


def _remarks(headers: Headers, authors: tuple[Address, ...]) -> tuple[str, ...]:
    """What an agent should know whatever the servers say."""
    remarks = []
    if len(authors) > 1:
        remarks.append("several authors")
    if sum(1 for name, _ in headers.fields if name == "from") > 1:
        remarks.append("several From headers")
    if not authors or not authors[0].email:
        remarks.append("no valid author")
    elif any(shown.lower() != authors[0].key for shown in addresses_in(authors[0].name)):
        remarks.append("the name shows another address")
    return tuple(remarks)


def _trusted_results(headers: Headers, trusted: frozenset[str]) -> list[tuple[str, str]]:
    """Return what trusted servers say, the topmost first.

    A server's filters write a header each. Of those below the topmost only what speaks against the sender counts: where
    the server leaves a stranger's in, it stands there.
    """
    found = []
    for value in headers.all("authentication-results")[:50]:
        head, _, rest = _COMMENT.sub(" ", value[:8_000]).partition(";")
        server = head.split()[0].lower() if head.split() else ""
        if server in trusted:
            found.append((server, rest))
    return found


def _says_dmarc_failed(text: str) -> bool:
    return any(one[1].lower() == "dmarc" and one[2].lower() == "fail" for one in _METHOD.finditer(text))


def _from_results(text: str, author_domain: str, source: str, remarks: tuple[str, ...]) -> Authenticity:
    found: dict[str, list[tuple[str, str]]] = {"spf": [], "dkim": [], "dmarc": []}
    for clause in text.split(";"):
        method = _METHOD.search(clause)
        if method is None:
            continue
        properties = {f"{one[1]}.{one[2]}".lower(): one[3] for one in _PROPERTY.finditer(clause)}
        found[method[1].lower()].append((method[2].lower(), _domain_of(method[1].lower(), properties)))
    dmarc = _best(found["dmarc"], author_domain)
    spf, signature = _best(found["spf"], author_domain), _best(found["dkim"], author_domain)
    verdict = _verdict(dmarc, spf, signature, author_domain)
    if remarks and verdict is Verdict.PASS:
        verdict = Verdict.NONE
    return Authenticity(verdict, spf[0], signature[0], dmarc[0], source, remarks)


def _domain_of(method: str, properties: dict[str, str]) -> str:
    keys = {
        "spf": ("smtp.mailfrom", "smtp.helo"),
        "dkim": ("header.d", "header.i"),
        "dmarc": ("header.from",),
    }[method]
    value = next((properties[key] for key in keys if key in properties), "")
    return value.rpartition("@")[2].strip("<>").lower()


def _best(results: list[tuple[str, str]], author_domain: str) -> tuple[str, str]:
    """The result that speaks best for the author: an aligned pass, else any pass, else the first."""
    for wanted in (lambda one: one[0] == "pass" and aligned(one[1], author_domain), lambda one: one[0] == "pass"):
        chosen = next((one for one in results if wanted(one)), None)
        if chosen:
            return chosen
    return results[0] if results else ("", "")


def _verdict(dmarc: tuple[str, str], spf: tuple[str, str], signature: tuple[str, str], author_domain: str) -> Verdict:
    if dmarc[0] == "pass" and (not dmarc[1] or aligned(dmarc[1], author_domain)) and author_domain:
        return Verdict.PASS
    if dmarc[0] == "fail":
        return Verdict.FAIL
    if any(one[0] == "pass" and aligned(one[1], author_domain) for one in (signature, spf)):
        return Verdict.PASS
    failed = spf[0] in {"fail", "hardfail"} or (signature[0] == "fail" and spf[0] != "pass")
    return Verdict.FAIL if failed else Verdict.NONE


_D_TAG = re.compile(r"(?:\A|;)\s*d\s*=\s*([^;\s]+)")
_L_TAG = re.compile(r"(?:\A|;)\s*l\s*=")


def verify_dkim(raw: bytes, key_lookup: KeyLookup, author_domain: str) -> tuple[str, str]:
    """("pass" | "fail" | "none" | "temperror", domain) of the signatures aligned with the author's domain.

    A signature over only part of the body (l=) proves nothing about what stands below it and does
    not count.
    """
    if len(raw) > MAX_VERIFIED:
        return "none", ""

    def lookup(name: bytes, timeout: int = 5) -> bytes | None:  # noqa: ARG001 - dkimpy's signature
        return key_lookup(name)

    result = ("none", "")
    try:
        verifier = dkim.DKIM(raw, minkey=1024, timeout=5)
        signatures = [value.decode("latin-1") for name, value in verifier.headers if name.lower() == b"dkim-signature"]
        for number, signature in enumerate(signatures[:5]):
            domain = _D_TAG.search(signature)
            if domain is None or not aligned(domain[1], author_domain) or _L_TAG.search(signature):
                continue
            result = ("fail", domain[1].lower())
            if verifier.verify(idx=number, dnsfunc=lookup):
                return "pass", domain[1].lower()
    except (OSError, TimeoutError, dkim.DnsTimeoutError):
        return "temperror", result[1]
    except dkim.NaClNotFoundError:  # Ed25519 without PyNaCl: nothing was shown either way
        return "none", ""
    except (dkim.DKIMException, ValueError, KeyError, IndexError, TypeError, AttributeError, binascii.Error):
        return result
    return result
