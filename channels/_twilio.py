"""What Twilio's channels share: the REST client with a real time limit, its errors in the hub's words, signatures."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

from hub.domain.errors import ChannelUnavailable, DeliveryUncertain, MessageRejected, RecipientOptedOut, TooLarge
from hub.settings import Secret

if TYPE_CHECKING:
    from aiohttp import ClientSession, web
    from twilio.http.response import Response
    from twilio.rest import Client

T = TypeVar("T")
TIMEOUT_S = 8.0
"""Longer, and a caller hears silence; the library's own client waits for ever."""
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_SIGNED_BY: Final = ("Content-Type", "X-Twilio-Signature", "X-Twilio-Webhooks-Signature-Settings", "User-Agent")
_PERHAPS = frozenset({500, 502, 504})
"""Nobody can know whether it was done."""
_OPTED_OUT = 21610
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

    async def once(self, ask: "Callable[[Client], Awaitable[T]]") -> T:
        """Ask for something that must not be done twice.

        Raises:
            ChannelUnavailable: it was not done, later. MessageRejected: never. RecipientOptedOut: never, they said so.
            DeliveryUncertain: the line broke, or the carrier stumbled, when it may have been done.
        """
        from aiohttp import ClientConnectorError, ClientError
        from twilio.base.exceptions import TwilioRestException

        self.under_way += 1
        try:
            await self.warm_up()
            async with asyncio.timeout(TIMEOUT_S):
                return await ask(self.client)
        except TwilioRestException as error:
            if error.status in _PERHAPS:
                raise DeliveryUncertain(f"The carrier stumbled ({error.status}) and may have it.") from error
            if error.status in _LATER:
                raise ChannelUnavailable(f"The carrier asks to come back later: {error.msg}") from error
            refused = RecipientOptedOut if error.code == _OPTED_OUT else MessageRejected
            raise refused(f"{error.msg} ({error.code})", str(error.code)) from error
        except ClientConnectorError as error:
            raise ChannelUnavailable(f"The carrier cannot be reached: {type(error).__name__}.") from error
        except (ClientError, OSError, TimeoutError) as error:
            raise DeliveryUncertain(f"The carrier did not answer: {type(error).__name__}.") from error
        finally:
            self.under_way -= 1

    async def media(self, message: str, media: str, limit: int) -> bytes:
        """Return a file that came with a message; its bytes lie elsewhere, where our credentials have no business.

        Raises:
            ChannelUnavailable: later. MessageRejected: it is not there. TooLarge: more than `limit` bytes.
        """
        from aiohttp import ClientError, ClientSession, ClientTimeout

        url = f"{self._url}/2010-04-01/Accounts/{self._account_sid}/Messages/{message}/Media/{media}"
        proof = {"Authorization": _basic(self._key, self._secret.reveal())}
        self.under_way += 1
        try:
            async with ClientSession(timeout=ClientTimeout(total=2 * TIMEOUT_S), trust_env=False) as session:
                answer = await session.get(url, headers=proof, allow_redirects=False)
                if answer.status in {302, 307}:
                    answer = await session.get(answer.headers["Location"])
                if answer.status in _LATER:
                    raise ChannelUnavailable(f"The carrier asks to come back later ({answer.status}).")
                if answer.status != 200:
                    raise MessageRejected(f"The carrier does not give the file out ({answer.status}).")
                return await _at_most(answer.content.iter_chunked(65_536), limit)
        except (ClientError, OSError, TimeoutError, KeyError) as error:
            raise ChannelUnavailable(f"The file cannot be fetched: {type(error).__name__}.") from error
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

    def recording(self, sid: str, ending: str) -> tuple[str, str]:
        """Return where a recording's sound is, and the Authorization header that lets us in there."""
        url = f"{self._url}/2010-04-01/Accounts/{self._account_sid}/Recordings/{sid}.{ending}"
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
        self._is_closed = False
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

        if self._is_closed:
            raise ChannelUnavailable("The hub has hung up on the carrier.")
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
        """Close the connections, for good: what is asked late opens none that nobody would close."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()


def _fields(values: Mapping[str, object] | None) -> list[tuple[str, str]] | None:
    """Return fields as they go over the wire: a list is a field repeated, truth is lower case, None is left out."""
    if not values:
        return None
    pairs = ((name, one) for name, value in values.items() for one in (value if isinstance(value, list) else [value]))
    return [(name, str(one).lower() if isinstance(one, bool) else str(one)) for name, one in pairs if one is not None]


async def _at_most(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"A file holds at most {limit // 1_000_000} MB.")
    return bytes(body)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Gone(MessageRejected):
    """There is no such call, room or leg any more."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A request in the carrier's name, as far as a signature covers it; it can be kept as bytes and judged later."""

    method: str
    path: str
    """Path and query as they came over the wire."""
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, request: "web.Request", body: bytes) -> "Webhook":
        """Return what a request says."""
        headers = {name: request.headers[name] for name in _SIGNED_BY if name in request.headers}
        return cls(method=request.method, path=request.raw_path, headers=headers, body=body)

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The form's fields, in order, unknown and blank ones too."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def packed(self) -> bytes:
        """Return it as bytes that a person can read, too."""
        lines = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n\n" + self.body

    @classmethod
    def unpacked(cls, raw: bytes) -> "Webhook":
        """Return what was packed.

        Raises:
            ValueError: nothing was.
        """
        head, _, body = raw.partition(b"\n\n")
        first, *lines = head.decode("utf-8", "surrogateescape").split("\n")
        method, _, path = first.partition(" ")
        if not path.startswith("/"):
            raise ValueError("This is no request.")
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        return cls(method=method, path=path, headers=headers, body=body)


UNPROVED: Final = "No token of ours has signed it: compare auth_token and public_url with the provider's."
LONGEST_KEPT: Final = 65_536
"""Bytes of a refused request's body; no carrier's is as long."""


class Signatures:
    """Proves that a request is the carrier's (X-Twilio-Signature: an HMAC over address and parameters).

    The address is the one the carrier was given, never what the request says of itself: behind a proxy they differ, and
    the carrier signs with or without a port as it likes. Several keys count, so that a token can be changed without a
    gap; a shared key signs by SHA-256 and says so. Source: twilio.com/docs/usage/security, and the provider's library.
    """

    def __init__(self, tokens: Sequence[Secret], public_url: str) -> None:
        self._bases = _with_and_without_port(public_url.rstrip("/"))
        keys = [token.reveal().encode() for token in tokens]
        self._keys = {name: [hmac.new(key, digestmod=name) for key in keys] for name in ("sha1", "sha256")}

    def proves(self, request: "web.Request", body: bytes) -> bool:
        """Return whether one of our tokens signed this."""
        return self.vouches_for(Webhook.of(request, body))

    def vouches_for(self, webhook: Webhook) -> bool:
        """Return whether one of our tokens signed this."""
        given = webhook.headers.get("X-Twilio-Signature", "")
        if not given:
            return False
        query = dict(parse_qsl(webhook.path.partition("?")[2], keep_blank_values=True))
        signed = ""
        if "bodySHA256" in query or webhook.headers.get("Content-Type", "").startswith("application/json"):
            if hashlib.sha256(webhook.body).hexdigest() != query.get("bodySHA256", "").lower():
                return False
        elif webhook.method == "POST":
            signed = "".join(name + value for name, value in sorted(set(webhook.fields)))
        settings = webhook.headers.get("X-Twilio-Webhooks-Signature-Settings", "")
        algorithm = "sha256" if "algorithm=HMAC_SHA256" in settings else "sha1"
        is_signed = False
        for base in self._bases:
            text = (base + webhook.path + signed).encode("utf-8", "surrogateescape")
            for key in self._keys[algorithm]:
                mac = key.copy()
                mac.update(text)
                expected = base64.b64encode(mac.digest())
                is_signed |= hmac.compare_digest(expected, given.encode("utf-8", "surrogateescape"))
        return is_signed


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Return an address with its port and without."""
    at = urlsplit(url)
    bare = at.netloc.removesuffix(f":{at.port}") if at.port else at.netloc
    port = at.port or (443 if at.scheme == "https" else 80)
    return at._replace(netloc=f"{bare}:{port}").geturl(), at._replace(netloc=bare).geturl()
