"""OAuth access tokens for IMAP and SMTP: fetched, kept, and renewed before they run out (RFC 6749).

With a refresh token one person's mailbox is read in their name (delegated); without one the hub signs in as an
application of its own (client credentials), as Microsoft 365 wants it for shared mailboxes.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from channels.mail.account import is_loopback
from hub.clock import Clock
from hub.domain.errors import ChannelError, ChannelUnavailable
from hub.settings import Problem, Secret

log = logging.getLogger(__name__)
_EARLY_S = 300
_TIMEOUT = ClientTimeout(total=15, connect=5)
_LARGEST = 64 * 1024
_DEFAULT_LIFE_S = 3_600


class TokenRefused(ChannelError):
    """The identity provider gives no token; its words say why. Trying again changes nothing until somebody acts."""


class _Answer(msgspec.Struct):
    """What the token endpoint answers; strangers' keys are passed over."""

    access_token: str = ""
    expires_in: float | str = _DEFAULT_LIFE_S
    refresh_token: str = ""
    error: str = ""
    error_description: str = ""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """How a token is asked for."""

    url: str
    client_id: str
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    scope: str = ""

    def problems(self, where: str) -> list[Problem]:
        """Return what is wrong with it."""
        found = []
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            found.append(Problem(where=f"{where}.oauth_token_url", text="The token address needs https."))
        if not self.client_id:
            found.append(Problem(where=f"{where}.oauth_client_id", text="OAuth needs the application's id."))
        if self.refresh_token is None and self.client_secret is None:
            text = "OAuth needs a refresh token (a person's mailbox) or a client secret (an application)."
            found.append(Problem(where=f"{where}.oauth_client_secret", text=text))
        return found


class TokenSource:
    """Gives a valid access token to whoever asks, and asks the provider as seldom as it can."""

    def __init__(self, grant: Grant, clock: Clock) -> None:
        self._grant = grant
        self._clock = clock
        self._token = ""
        self._until = 0
        self._refresh = grant.refresh_token
        self._lock = asyncio.Lock()

    async def token(self, *, refused: str = "") -> str:
        """Return an access token; never again the one that a server has just refused.

        Raises:
            TokenRefused: the provider refuses. ChannelUnavailable: it cannot be reached.
        """
        async with self._lock:
            if self._token and self._token != refused and self._clock.now() < self._until:
                return self._token
            answer = await self._ask()
            life_s = _seconds(answer.expires_in)
            self._token = answer.access_token
            # A fifth of a short life is kept in hand, five minutes of a long one.
            self._until = self._clock.now() + round((life_s - min(_EARLY_S, life_s / 5)) * 1000)
            if answer.refresh_token:
                self._refresh = Secret(answer.refresh_token)
            return self._token

    async def _ask(self) -> _Answer:
        form = self._form()
        try:
            async with (
                ClientSession(timeout=_TIMEOUT, trust_env=False, cookie_jar=DummyCookieJar()) as session,
                session.post(self._grant.url, data=form, allow_redirects=False) as response,
            ):
                body = await response.content.read(_LARGEST)
                status = response.status
        except (ClientError, TimeoutError, OSError) as error:
            raise ChannelUnavailable(
                f"The token address cannot be reached: {str(error) or type(error).__name__}."
            ) from None
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            answer = _Answer()
        if status == 200 and answer.access_token.isprintable() and answer.access_token:
            return answer
        said = " ".join(f"{answer.error} {answer.error_description}".split())[:300] or f"status {status}"
        if status >= 500 or status == 429:
            raise ChannelUnavailable(f"The token address is in trouble: {said}.")
        raise TokenRefused(f"No token was given: {said}.")

    def _form(self) -> Mapping[str, str]:
        grant = self._grant
        form = {"client_id": grant.client_id}
        if self._refresh is not None:
            form |= {"grant_type": "refresh_token", "refresh_token": self._refresh.reveal()}
        else:
            form |= {"grant_type": "client_credentials"}
        if grant.client_secret is not None:
            form["client_secret"] = grant.client_secret.reveal()
        if grant.scope:
            form["scope"] = grant.scope
        return form


def _seconds(value: float | str) -> float:
    """Return the life of a token; some providers say it as text."""
    try:
        return min(max(float(value), 1.0), 86_400.0)
    except ValueError:
        return float(_DEFAULT_LIFE_S)
