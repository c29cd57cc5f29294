"""One log: the event first, its fields after, as text for people or JSON for a store.

`log = logs.get(__name__)`, then `log.info("offer expired", offer_id=offer.id, rang_s=20.0)`. What `about(...)` binds
travels with the task: the interaction's id stands in every line written on its behalf, by libraries too, whose own
logging is led into the same stream. Addresses are shown at `debug` only; secrets never.
"""

import hashlib
import ipaddress
import json
import logging
import os
import re
import select
import sys
import traceback
from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import msgspec
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import FilteringBoundLogger, Processor, WrappedLogger

Fields = MutableMapping[str, Any]

HIDDEN: Final = "***"
STALL_S: Final = 0.05
"""How long a line may wait for a full pipe before it is dropped and counted. Longer and a stuck log collector stops
the hub; 0 would lose lines of a collector that is merely busy."""
MAX_VALUE: Final = 2000
"""Longest value in a line, in characters. Longer ones are message texts and pages, which have no place in a log."""

_SECRET_KEY: Final = re.compile(
    r"passw|secret|token|cookie|authorization|api_?key|signature|identity|jwt|csrf", re.IGNORECASE
)
_ADDRESS_KEYS: Final = frozenset({"address", "email", "phone", "sender", "recipient", "caller", "to", "from", "from_"})
_IP_KEYS: Final = frozenset({"ip", "remote", "peer", "client_ip", "forwarded_for"})
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE: Final = re.compile(r"\+\d{8,15}\b")
_IP: Final = re.compile(
    r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}(?![\w:]))"
)
_URL_PASSWORD: Final = re.compile(r"(://[^/@\s:]{0,64}:)[^/@\s]{1,256}@")
_QUERY: Final = re.compile(r"(https?://[^\s?#]{1,512}|(?<=\s)/[^\s?#]{0,512})\?[^\s\"']{1,2048}")
_OURS: Final = ("hub", "channels", "agent_console", "routing")


def get(name: str) -> FilteringBoundLogger:
    """Return the logger of a module; may be called at import, before `configure`."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def about(**fields: object) -> AbstractContextManager[None]:
    """Let these fields stand in every line written inside the block, by this task and those it starts."""
    return bound_contextvars(**{name: value for name, value in fields.items() if value is not None})


def configure(
    *, form: Literal["text", "json"] = "text", level: str = "info", stream: TextIO | None = None, key: bytes = b""
) -> "Log":
    """Lead all logging of this process into one stream, and return it for counting and closing.

    `key` makes the short marks that stand for addresses the same on every hub and after a restart; without, a random
    one is taken and marks can be compared within one run only.
    """
    sink = Log(stream or sys.stderr)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    redact = _Redactor(key or os.urandom(16))
    shared: list[Processor] = [merge_contextvars, structlog.stdlib.add_log_level]
    ending: list[Processor] = [_stamp, _name, _exceptions, redact, _json if form == "json" else _text]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *name: _Line(sink, *name),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=ending,
    )
    _route_libraries(sink, formatter, threshold)
    return sink


class Log:
    """The stream that lines go to. A reader that does not keep up loses lines, counted in `dropped`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._fd = _descriptor(stream)
        self.dropped = 0

    def write(self, line: str) -> None:
        """Write one line, whole or not at all as far as the system allows."""
        if self._fd is None:
            self._stream.write(line + "\n")
            return
        rest = memoryview((line + "\n").encode("utf-8", "backslashreplace"))
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:  # an event loop may have made the pipe non-blocking for all who share it
                if not select.select([], [self._fd], [], STALL_S)[1]:
                    self.dropped += 1
                    return
            except OSError:  # nobody reads any more; a log that is gone is no reason to stop answering
                self.dropped += 1
                return


class ErrorCounter(logging.Handler):
    """Tells `count` of every error that is logged, by the name of who logged it: what is caught is logged."""

    def __init__(self, count: Callable[[str], object]) -> None:
        super().__init__(logging.ERROR)
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        """Count it."""
        self._count(record.name)


class _Line:
    """What structlog hands a finished line to, whatever the level's name."""

    def __init__(self, sink: Log, name: str = "hub") -> None:
        self.name = name
        self.msg = self.debug = self.info = self.warning = self.error = self.critical = self.exception = sink.write


class _Handler(logging.Handler):
    """Leads the standard library's records into the log."""

    def __init__(self, sink: Log) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        self._sink.write(self.format(record))


class _Redactor:
    """Hides secrets always, and addresses above `debug`."""

    def __init__(self, key: bytes) -> None:
        self._key = key[:64]

    def __call__(self, _logger: WrappedLogger, _method: str, fields: Fields) -> Fields:
        is_debug = fields.get("level") == "debug"
        return {name: self._value(name, value, is_debug) for name, value in fields.items()}

    def _value(self, name: str, value: object, is_debug: bool) -> object:
        if _SECRET_KEY.search(name) and not isinstance(value, bool | int | float):
            return HIDDEN
        if isinstance(value, int | float) or value is None:
            return value
        text = str(value)
        if not is_debug:
            if name in _ADDRESS_KEYS:
                return self.mark(text)
            if name in _IP_KEYS:
                return network(text)
        text = self._scrubbed(text, is_debug)
        return (
            text if len(text) <= MAX_VALUE or name == "exception" else f"{text[:MAX_VALUE]}… ({len(text)} characters)"
        )

    def _scrubbed(self, text: str, is_debug: bool) -> str:
        if "://" in text:
            text = _URL_PASSWORD.sub(rf"\1{HIDDEN}@", text)
        if "?" in text:
            text = _QUERY.sub(r"\1?…", text)
        if not is_debug:
            if "@" in text:
                text = _EMAIL.sub(lambda found: self.mark(found[0]), text)
            if "+" in text:
                text = _PHONE.sub(lambda found: self.mark(found[0]), text)
            text = _IP.sub(_coarse, text)
        return text

    def mark(self, address: str) -> str:
        """Return a short mark that is the same for the same address and gives nothing of it away."""
        return (
            "~"
            + hashlib.blake2b(
                address.strip().lower().encode(errors="surrogatepass"), key=self._key, digest_size=5
            ).hexdigest()
        )


def network(address: str) -> str:
    """Return the network an IP address lies in (/24, /48), all of it that a log needs."""
    try:
        ip = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return HIDDEN
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def _coarse(found: re.Match[str]) -> str:
    """Return the network of an address that stands in a text; this machine's own, and what is none, as it is."""
    try:
        ip = ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]
    return found[0] if ip.is_loopback or ip.is_unspecified else network(found[0])


def _stamp(_logger: WrappedLogger, _method: str, fields: Fields) -> Fields:
    fields["at"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return fields


def _exceptions(_logger: WrappedLogger, _method: str, fields: Fields) -> Fields:
    """Turn `exc_info` into text: the trace and the error, never the values of local variables."""
    info = fields.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else None
    if info is True:
        error = sys.exception()
    if error is not None:
        fields["exception"] = "".join(traceback.format_exception(error)).rstrip()
    return fields


def _name(logger: WrappedLogger, _method: str, fields: Fields) -> Fields:
    """Say whose line it is; for a library's, drop what structlog put in beside the record."""
    record = fields.pop("_record", None)
    fields.pop("_from_structlog", None)
    fields["logger"] = record.name if isinstance(record, logging.LogRecord) else getattr(logger, "name", "hub")
    return fields


def _ordered(fields: Fields) -> dict[str, Any]:
    first = {name: fields.pop(name) for name in ("at", "level", "event") if name in fields}
    last = {name: fields.pop(name) for name in ("logger", "exception") if name in fields}
    return {**first, **fields, **last}


def _json(_logger: WrappedLogger, _method: str, fields: Fields) -> str:
    ordered = _ordered(fields)
    try:
        return msgspec.json.encode(ordered, enc_hook=str).decode()
    except UnicodeEncodeError:  # half a surrogate pair, as in a header's bytes that are no UTF-8
        return json.dumps(ordered, default=str)


def _text(_logger: WrappedLogger, _method: str, fields: Fields) -> str:
    rest = _ordered(fields)
    head = f"{str(rest.pop('at'))[11:23]} {rest.pop('level', '')!s:<7} {rest.pop('event', '')}"
    trace = rest.pop("exception", None)
    # A line break inside a value would let a visitor write log lines of their own, an escape sequence colour or hide
    # those of others. A trace has lines, each set in: none of them begins like an entry.
    line = " ".join([_printable(head), *(f"{name}={_shown(value)}" for name, value in rest.items())])
    return "\n  ".join([line, *map(_printable, str(trace).split("\n"))]) if trace else line


def _printable(text: str) -> str:
    """Return a text with everything in it escaped that a terminal would not show as it stands."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) and text.isprintable() else repr(text)


def _route_libraries(sink: Log, formatter: logging.Formatter, threshold: int) -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(handler)
    handler = _Handler(sink)
    handler.setFormatter(formatter)
    root.addHandler(handler)
    # Libraries say at `info` what only their authors want to know; warnings of theirs are ours too.
    root.setLevel(max(threshold, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(threshold)
    logging.captureWarnings(capture=True)


def _descriptor(stream: TextIO) -> int | None:
    try:
        stream.flush()
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
