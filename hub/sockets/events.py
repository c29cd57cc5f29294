"""What a handler is, and how an event's arguments are checked before it runs."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

Handler = Callable[..., Awaitable[object] | object]
"""`handler(connection, *arguments)`. What it returns (or its future resolves to) is the acknowledgement.

A coroutine function runs as a task. A plain function runs at once: it is the hot path, and may return a future that
resolves later, for instance after a commit. Handlers of one connection start in the order of its events.
"""


class EventRefused(Exception):
    """The event is answered with a public code, and nothing is logged."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Event:
    """An event's handler and what its arguments look like.

    With `types` (msgspec structs, or anything msgspec decodes) the client must send exactly these arguments; without,
    plain JSON values, as many as the handler takes.
    """

    __slots__ = ("_decode", "_fewest", "_most", "handler", "is_coroutine")

    def __init__(self, handler: Handler, *types: Any) -> None:  # noqa: ANN401 - a type is any type form
        self.handler = handler
        self.is_coroutine = inspect.iscoroutinefunction(handler)
        if types:
            self._decode: Callable[[str], Any] = msgspec.json.Decoder(tuple.__class_getitem__((str, *types))).decode
            self._fewest = self._most = len(types)
        else:
            self._decode = msgspec.json.Decoder(list[Any]).decode
            self._fewest, self._most = _arguments_taken(handler)

    def arguments(self, packet: str) -> list[Any]:
        """Return what to call the handler with.

        Raises:
            EventRefused: `invalid`, whatever is wrong: a client is told no detail.
        """
        try:
            decoded = self._decode(packet)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise EventRefused("invalid") from error
        if not self._fewest <= len(decoded) - 1 <= self._most:
            raise EventRefused("invalid")
        return list(decoded[1:])


def event_table(events: Mapping[str, Handler | Event]) -> dict[str, Event]:
    """Return the closed table of events; a bare handler takes plain JSON values."""
    return {name: event if isinstance(event, Event) else Event(event) for name, event in events.items()}


def _arguments_taken(handler: Handler) -> tuple[int, int]:
    """Return the fewest and the most arguments `handler` takes after the connection."""
    fewest = most = -1
    for parameter in inspect.signature(handler).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return fewest, 1_000
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            most += 1
            fewest += parameter.default is parameter.empty
    return fewest, most
