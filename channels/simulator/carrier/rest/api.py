"""Who may ask, how often, and which resource answers. Nothing here waits: an answer is complete when it is returned."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote

from channels.simulator.carrier.account import API_VERSION
from channels.simulator.carrier.messaging import Post
from channels.simulator.carrier.plant import Plant
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest import accounts, calls, conferences, messages, participants, queues, recordings
from channels.simulator.carrier.rest.requests import Request, Response

Handler = Callable[["Api", Request], Response]
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came over the wire: the path still encoded."""

    method: str
    path: str
    query: str = ""
    authorization: str = ""
    content_type: str = ""
    body: bytes = b""


class Api:
    """The REST interface of one account."""

    def __init__(self, plant: Plant, post: Post) -> None:
        self.plant = plant
        self.post = post
        self._full_at_ms = 0.0
        self.answered = 0
        """Requests so far, refused ones too."""

    def answer(self, asked: Asked) -> Response:
        """Answer a request; every refusal is an answer too."""
        self.answered += 1
        try:
            return self._answer(asked)
        except RestError as error:
            headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else {}
            return Response(status=error.status, payload=error.body(), headers=headers)

    def _answer(self, asked: Asked) -> Response:
        self._check_credentials(asked.authorization)
        self._check_rate()
        request = self._read(asked)
        handler = next((handler for pattern, handler in ROUTES if pattern.fullmatch("/".join(request.parts))), None)
        if handler is None:
            raise RestError(20404, f"The requested resource {request.path} was not found")
        if request.method not in {"GET", "POST", "DELETE"}:
            raise RestError(20004)
        return handler(self, request)

    def _check_credentials(self, authorization: str) -> None:
        kind, _, encoded = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise RestError(20003) from error
        if kind.lower() != "basic" or not self.plant.switch.account.accepts(user, password):
            raise RestError(20003)

    def _check_rate(self) -> None:
        """Take one request from a bucket that fills by the second; an empty one is answered with 429."""
        limits = self.plant.switch.account.limits
        now = float(self.plant.switch.clock.monotonic_ms())
        full_at = max(self._full_at_ms, now) + 1000 / limits.requests_per_s
        if full_at - now > limits.request_burst * 1000 / limits.requests_per_s:
            raise RestError(20429, retry_after_s=1)
        self._full_at_ms = full_at

    def _read(self, asked: Asked) -> Request:
        start = f"/{API_VERSION}/Accounts/"
        if not asked.path.startswith(start):
            raise RestError(20404, f"The requested resource {asked.path} was not found")
        account, *parts = [unquote(part) for part in asked.path[len(start) :].split("/")]
        if account.removesuffix(".json") != self.plant.switch.account.sid:
            raise RestError(20404, f"The requested resource {asked.path} was not found")
        form: Sequence[tuple[str, str]] = ()
        if asked.method == "POST" and asked.body:
            if asked.content_type.partition(";")[0].strip().lower() != FORM:
                raise RestError(
                    20001, "The request's content type must be application/x-www-form-urlencoded", status=415
                )
            form = parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True)
        query = parse_qsl(asked.query, keep_blank_values=True)
        return Request(method=asked.method, path=asked.path, parts=parts, query=query, form=form)


def _plant(handler: Callable[[Plant, Request], Response]) -> Handler:
    return lambda api, request: handler(api.plant, request)


def _post(handler: Callable[[Post, Request], Response]) -> Handler:
    return lambda api, request: handler(api.post, request)


_ROUTES: Final[Sequence[tuple[str, Handler]]] = (
    (r"", lambda api, request: accounts.account(api.plant.switch, request)),
    (r"Calls\.json", _plant(calls.collection)),
    (r"Calls/[^/]+", _plant(calls.single)),
    (r"Calls/[^/]+/Recordings(\.json|/[^/]+)", _plant(calls.of_recordings)),
    (r"Conferences\.json", _plant(conferences.collection)),
    (r"Conferences/[^/]+", _plant(conferences.single)),
    (r"Conferences/[^/]+/Participants\.json", _plant(participants.collection)),
    (r"Conferences/[^/]+/Participants/[^/]+", _plant(participants.single)),
    (r"Conferences/[^/]+/Recordings(\.json|/[^/]+)", _plant(conferences.of_recordings)),
    (r"Queues\.json", _plant(queues.collection)),
    (r"Queues/[^/]+", _plant(queues.single)),
    (r"Queues/[^/]+/Members\.json", _plant(queues.members)),
    (r"Queues/[^/]+/Members/[^/]+", _plant(queues.member)),
    (r"Recordings\.json", _plant(recordings.collection)),
    (r"Recordings/[^/]+", _plant(recordings.single)),
    (r"Messages\.json", _post(messages.collection)),
    (r"Messages/[^/]+", _post(messages.single)),
    (r"Messages/[^/]+/Media(\.json|/[^/]+)", _post(messages.media)),
    (r"IncomingPhoneNumbers\.json", lambda api, request: accounts.numbers(api.plant.switch, request)),
    (r"IncomingPhoneNumbers/[^/]+", lambda api, request: accounts.number(api.plant.switch, request)),
    (r"Applications(\.json|/[^/]+)", lambda api, request: accounts.applications(api.plant.switch, request)),
)
ROUTES: Final = [(re.compile(pattern), handler) for pattern, handler in _ROUTES]


def basic(user: str, password: str) -> str:
    """Return the Authorization header of these credentials."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
