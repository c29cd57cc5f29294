"""How the provider signs what it sends: an HMAC over the address and the sorted parameters."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

Pairs = Iterable[tuple[str, str]]


def signature(token: str, url: str, params: Pairs = (), algorithm: str = "sha1") -> str:
    """Return the value of X-Twilio-Signature.

    Args:
        token: the account's auth token.
        url: as the customer gave it, query and all, without fragment.
        params: the fields of a form body; none for GET and for JSON bodies.
        algorithm: "sha1", or "sha256" with a shared key.
    """
    fields = sorted(set(params))
    signed = url + "".join(name + value for name, value in fields)
    return base64.b64encode(hmac.digest(token.encode(), signed.encode("utf-8", "surrogatepass"), algorithm)).decode()


def with_body_hash(url: str, body: bytes) -> str:
    """Return the address under which a JSON body is sent: with its hash in the query."""
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}bodySHA256={hashlib.sha256(body).hexdigest()}"
