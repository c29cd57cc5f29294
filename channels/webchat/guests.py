"""Who a visitor is: a random token of their browser, or an identity that the customer's own site has signed."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from hub.contract import SignedIdentity
from hub.domain.errors import Unauthorized

LONGEST_S = 600
_PREFIX = "v1_"
_TOKEN = re.compile(r"v1_[A-Za-z0-9_-]{37,57}")


def first_token(key: bytes, site: str, client_id: str) -> str:
    """Return the token of whoever begins the conversation that `client_id`, unguessable, names.

    The same beginning, repeated because its answer was lost, gets the same token: nothing of it need be stored.
    """
    mac = hmac.new(key, f"visitor.{site}.{client_id}".encode(), hashlib.sha256).digest()
    return _PREFIX + urlsafe_b64encode(mac).decode().rstrip("=")


def renewed_token(key: bytes, token: str, identity: str) -> str:
    """Return the token that takes the place of `token` once the site has vouched for its holder by `identity`, a JWT.

    Whoever came to know the first one loses it with that. Asked again, because the answer was lost, it is the same.
    """
    mac = hmac.new(key, f"renewed.{token}.{identity}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return _PREFIX + urlsafe_b64encode(mac).decode().rstrip("=")


def token_hash(token: str) -> str:
    """Return what is stored of a token. The hub cannot say a token, only know it again."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(token: str) -> bool:
    """Whether this could be a token of ours at all."""
    return _TOKEN.fullmatch(token) is not None


def signed_identity(token: str, *, secret: str, site: str, audience: str, now_s: int) -> SignedIdentity:
    """Return what the customer's own site vouches for: a JWT (RFC 7519), HS256 with the site's secret.

    Wanted are `iss` (the site's id), `aud` (the hub's public address), `sub`, `jti` and an `exp` at most ten minutes
    away; `email` counts only with `email_verified`.

    Raises:
        Unauthorized: it is not signed by this site for this hub, or is over.
    """
    if len(token) > 4_096:
        raise Unauthorized("The identity token is too long.")
    try:
        claims: Mapping[str, Any] = jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"]).claims
    except (JoseError, ValueError) as error:
        raise Unauthorized("The identity token is not signed by this site.") from error
    expires = claims.get("exp")
    if claims.get("iss") != site or claims.get("aud") != audience:
        raise Unauthorized("The identity token is for another site.")
    if not isinstance(expires, int) or not now_s < expires <= now_s + LONGEST_S:
        raise Unauthorized("The identity token is over, or lives too long.")
    subject, once = claims.get("sub"), claims.get("jti")
    if (
        not isinstance(subject, str)
        or not isinstance(once, str)
        or not 1 <= len(subject) <= 200
        or not 1 <= len(once) <= 100
    ):
        raise Unauthorized("The identity token needs a sub and a jti.")
    return SignedIdentity(
        subject=subject,
        name=_text(claims, "name"),
        email=_text(claims, "email") if claims.get("email_verified") is True else "",
        phone=_text(claims, "phone_number") if claims.get("phone_number_verified") is True else "",
        once=f"{site}:{once}",
        expires_at=expires * 1000,
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value[:254] if isinstance(value, str) else ""
