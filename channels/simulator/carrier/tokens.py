"""The access tokens that let a browser be a telephone: read and judged as the provider judges them."""

import base64
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OctKey

from channels.simulator.carrier.account import Account
from hub.clock import Instant

LONGEST_S: Final = 24 * 3600
LEEWAY_S: Final = 60


class TokenRefused(Exception):
    """The token opens nothing; `code` is the provider's number."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a token allows: to be called under `identity`, and to call the application."""

    identity: str
    expires_at: Instant
    can_be_called: bool
    application_sid: str
    params: dict[str, str]


def read(account: Account, token: str, now: Instant) -> Pass:
    """Return what a token allows.

    Raises:
        TokenRefused: it is no token, or not ours, or not valid now.
    """
    header, claims = _open(account, token)
    if header.get("cty") != "twilio-fpa;v=1" or header.get("alg") != "HS256":
        raise TokenRefused(20102, "Invalid Access Token header")
    if claims.get("sub") != account.sid:
        raise TokenRefused(20103, "Invalid Access Token issuer/subject")
    expires_s = _instant(claims, "exp")
    now_s = now // 1000
    if expires_s <= now_s:
        raise TokenRefused(20104, "Access Token expired or expiration date invalid")
    starts_s = _instant(claims, "nbf") if "nbf" in claims else now_s
    if starts_s > now_s + LEEWAY_S:
        raise TokenRefused(20105, "Access Token not yet valid")
    if expires_s - max(starts_s, now_s) > LONGEST_S + LEEWAY_S:
        raise TokenRefused(20157, "Expiration Time in the Access Token Exceeds Maximum Time Allowed")
    return _grants(claims, expires_s * 1000)


def _open(account: Account, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check the signature with the key that the token names."""
    try:
        issuer = _issuer(token)
        secret = account.api_keys.get(issuer)
        if secret is None:
            raise TokenRefused(20103, "Invalid Access Token issuer/subject")
        opened = jwt.decode(token, OctKey.import_key(secret.encode()), algorithms=["HS256"])
    except BadSignatureError as error:
        raise TokenRefused(20107, "Invalid Access Token signature") from error
    except (JoseError, msgspec.DecodeError, ValueError, TypeError, LookupError) as error:
        raise TokenRefused(20101, "Invalid Access Token") from error
    return dict(opened.header), dict(opened.claims)


def _issuer(token: str) -> str:
    """Return who a token says has issued it, before anything is believed."""
    payload = token.split(".")[1]
    claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["iss"])


def _instant(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TokenRefused(20104 if name == "exp" else 20105, "Access Token expired or expiration date invalid")
    return int(value)


def _grants(claims: dict[str, Any], expires_at: Instant) -> Pass:
    grants = claims.get("grants")
    identity = grants.get("identity") if isinstance(grants, dict) else None
    voice = grants.get("voice") if isinstance(grants, dict) else None
    if not isinstance(grants, dict) or not isinstance(voice, dict) or not isinstance(identity, str) or not identity:
        raise TokenRefused(20106, "Invalid Access Token grants")
    outgoing = voice.get("outgoing") or {}
    incoming = voice.get("incoming") or {}
    return Pass(
        identity=identity,
        expires_at=expires_at,
        can_be_called=incoming.get("allow") is True,
        application_sid=str(outgoing.get("application_sid", "")),
        params={str(name): str(value) for name, value in (outgoing.get("params") or {}).items()},
    )
