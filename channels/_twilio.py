"""What Twilio's channels share: the REST client with a real time limit, its errors in the hub's words, signatures."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from hub.domain.errors import ChannelUnavailable, MessageRejected
from hub.settings import Secret

if TYPE_CHECKING:
    from aiohttp import ClientSession, web
    from multidict import MultiDict
    from twilio.http.response import Response
    from twilio.rest import Client

T = TypeVar("T")
TIMEOUT_S = 8.0
"""Longer, and a caller hears silence; the library's own client waits for ever."""
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_CODES_GONE = frozenset({20404, 21220})
"""There is no such thing (any more), or the call is not up: what was wanted of it is over."""


class Rest:
    """Twilio's REST interface, wherever it is: a region, an edge, a carrier for tests."""

    def __init__(self, account_sid: str, key: str, secret: Secret, url: str) -> None:
        self._account_sid = account_sid
        self._key = key
        self._secret = secret
        self._url = url.rstrip("/")
        self._http = _Http()
        self._client: Client | None = None
        self._loading: asyncio.Task[None] | None = None
        self.under_way = 0
        """Questions that wait for their answer this moment."""

    @property
    def client(self) -> "Client":
        """The library's client. Its modules take most of a second to load: `warm_up` first, where callers wait."""
        if self._client is None:
            from twilio.rest import Client

            self._client = Client(self._key, self._secret.reveal(), self._account_sid, http_client=self._http)
            self._client.api.base_url = self._url
        return self._client

    async def call(self, ask: "Callable[[Client], Awaitable[T]]") -> T:
        """Ask for something.

        Raises:
            ChannelUnavailable: later; the carrier is busy or out of reach. MessageRejected: never.
            Gone: it is not there (any more).
        """
        from aiohttp import ClientError
        from twilio.base.exceptions import TwilioException, TwilioRestException

        self.under_way += 1
        try:
            # Loading has no part in the carrier's time: under load it would be taken for silence.
            await self.warm_up()
            async with asyncio.timeout(TIMEOUT_S):
                return await ask(self.client)
        except TwilioRestException as error:
            if error.code in _CODES_GONE or error.status == 404:
                raise Gone(str(error.msg)) from error
            if error.status in _LATER:
                raise ChannelUnavailable(f"The carrier asks to come back later: {error.msg}") from error
            raise MessageRejected(f"{error.msg} ({error.code})", str(error.code)) from error
        except (TwilioException, ClientError, OSError, TimeoutError) as error:
            raise ChannelUnavailable(f"The carrier cannot be reached: {type(error).__name__}.") from error
        finally:
            self.under_way -= 1

    async def warm_up(self) -> None:
        """Load the library beside the loop, once, so that no caller waits for it."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._load), name="carrier's library")
        await asyncio.shield(self._loading)

    def _load(self) -> None:
        from twilio.twiml.voice_response import VoiceResponse

        VoiceResponse()
        _ = self.client.api.v2010

    async def has_number(self, number: str) -> bool:
        """Return whether the account lets us in and has a number. Asked without the library, for a quick start.

        Raises:
            ChannelUnavailable: the carrier is out of reach. MessageRejected: the credentials are wrong.
        """
        from aiohttp import ClientError

        url = f"{self._url}/2010-04-01/Accounts/{self._account_sid}/IncomingPhoneNumbers.json"
        self.under_way += 1
        try:
            async with asyncio.timeout(TIMEOUT_S):
                asked = {"PhoneNumber": number, "PageSize": 1}
                answer = await self._http.request("GET", url, asked, auth=(self._key, self._secret.reveal()))
        except (ClientError, OSError, TimeoutError) as error:
            raise ChannelUnavailable(f"The carrier cannot be reached: {type(error).__name__}.") from error
        finally:
            self.under_way -= 1
        if answer.status_code in _LATER:
            raise ChannelUnavailable(f"The carrier asks to come back later ({answer.status_code}).")
        if answer.status_code != 200:
            text = f"The carrier does not let us in ({answer.status_code}): look at account_sid and auth_token."
            raise MessageRejected(text, str(answer.status_code))
        return bool(json.loads(answer.text)["incoming_phone_numbers"])

    def recording(self, sid: str) -> tuple[str, str]:
        """Return where a recording's sound is, and the Authorization header that lets us in there."""
        url = f"{self._url}/2010-04-01/Accounts/{self._account_sid}/Recordings/{sid}.mp3"
        return url, _basic(self._key, self._secret.reveal())

    async def close(self) -> None:
        """Hang up on the carrier's computers."""
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
        await self._http.close()


class _Http:
    """The library's transport, with a real time limit and without what aiohttp has given up (`auth=`).

    The library calls `request` and reads `status_code` and `text` of the answer.
    """

    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self.is_async = True

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the library passes none
        allow_redirects: bool = False,
    ) -> "Response":
        """Send a request; what is to come later is said as such, with the carrier's own time."""
        from aiohttp import ClientSession, ClientTimeout
        from twilio.http.response import Response

        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=TIMEOUT_S), trust_env=False)
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = _basic(*auth)
        async with self._session.request(
            method, url, params=_fields(params), data=_fields(data), headers=sent, allow_redirects=allow_redirects
        ) as answer:
            if answer.status == 429:
                wait = answer.headers.get("Retry-After", "")
                raise ChannelUnavailable("The carrier asks to slow down.", float(wait) if wait.isdigit() else None)
            return Response(answer.status, await answer.text(), answer.headers)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _fields(values: Mapping[str, object] | None) -> list[tuple[str, str]] | None:
    """Return fields as they go over the wire: a list is a field repeated, truth is lower case, None is left out."""
    if not values:
        return None
    pairs = ((name, one) for name, value in values.items() for one in (value if isinstance(value, list) else [value]))
    return [(name, str(one).lower() if isinstance(one, bool) else str(one)) for name, one in pairs if one is not None]


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Gone(MessageRejected):
    """There is no such call, room or leg any more."""


class Signatures:
    """Proves that a request is the carrier's (X-Twilio-Signature: an HMAC over address and parameters).

    The address is the one the carrier was given, never what the request says of itself: behind a proxy they differ.
    Several keys count, so that a token can be changed without a gap; a shared key signs by SHA-256 and says so.
    """

    def __init__(self, tokens: Sequence[Secret], public_url: str) -> None:
        self._tokens = tuple(tokens)
        self._public_url = public_url.rstrip("/")

    def proves(self, request: "web.Request", body: bytes) -> bool:
        """Return whether one of our tokens signed this."""
        from multidict import MultiDict

        if not request.headers.get("X-Twilio-Signature"):
            return False
        if request.content_type == "application/json" or "bodySHA256" in request.query:
            wanted = request.query.get("bodySHA256", "")
            return hashlib.sha256(body).hexdigest() == wanted.lower() and self._matches(request, MultiDict())
        is_form = request.method == "POST"
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True) if is_form else []
        return self._matches(request, MultiDict(fields))

    def _matches(self, request: "web.Request", fields: "MultiDict[str]") -> bool:
        from twilio.request_validator import RequestValidator

        settings = request.headers.get("X-Twilio-Webhooks-Signature-Settings", "")
        algorithm = "HMAC_SHA256" if "algorithm=HMAC_SHA256" in settings else None
        url, signature = self._public_url + request.raw_path, request.headers["X-Twilio-Signature"]
        return any(
            RequestValidator(token.reveal()).validate(url, fields, signature, algorithm) for token in self._tokens
        )
