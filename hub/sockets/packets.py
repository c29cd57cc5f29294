"""Bytes on the wire: Socket.IO v5 packets in Engine.IO v4 messages in websocket frames.

The frames are those of RFC 6455, unmasked as servers send them, and not compressed: one frame fits all recipients.
"""

import struct
from typing import NamedTuple

import msgspec

OPEN, CLOSE, PING, PONG, MESSAGE = "0", "1", "2", "3", "4"

_TEXT = 0x81
_CLOSE_FRAME = 0x88
_PONG_FRAME = 0x8A
_LONGEST_ACK_ID = 20

_header_short = struct.Struct("!BB").pack
_header_medium = struct.Struct("!BBH").pack
_header_long = struct.Struct("!BBQ").pack
_close_code = struct.Struct("!H").pack
_encode = msgspec.json.Encoder().encode


class IncomingEvent(NamedTuple):
    """An EVENT packet taken apart as far as needed to find its handler."""

    ack_id: str
    """Digits, or empty when the client wants no acknowledgement."""
    name: str
    """Empty when there is none that could be known."""
    arguments: str
    """The JSON list `[name, argument, ...]`, not checked yet."""


def text_frame(payload: bytes) -> bytes:
    """Return the websocket frame that carries `payload`, which is UTF-8."""
    length = len(payload)
    if length < 126:
        return _header_short(_TEXT, length) + payload
    if length < 65_536:
        return _header_medium(_TEXT, 126, length) + payload
    return _header_long(_TEXT, 127, length) + payload


def close_frame(code: int, reason: str) -> bytes:
    """Return the websocket frame that ends a connection; a reason longer than a control frame holds is cut."""
    payload = _close_code(code) + reason.encode()[:120]
    return _header_short(_CLOSE_FRAME, len(payload)) + payload


def pong_frame(payload: bytes) -> bytes:
    """Return the websocket frame that answers a websocket ping."""
    return _header_short(_PONG_FRAME, len(payload)) + payload


def event_frame(namespace: str, event: str, payload: object) -> bytes:
    """Return the frame of an event for every socket of `namespace`; anything msgspec can encode may be the payload."""
    return text_frame(b"42%b,%b" % (namespace.encode(), _encode((event, payload))))


def ack_frame(namespace: str, ack_id: str, answer: object) -> bytes:
    """Return the frame that acknowledges an event; `None` is an acknowledgement without arguments."""
    arguments = b"[]" if answer is None else _encode((answer,))
    return text_frame(b"43%b,%b%b" % (namespace.encode(), ack_id.encode(), arguments))


def take_apart(packet: str, start: int) -> IncomingEvent | None:
    """Split an EVENT packet whose type and namespace end at `start`; None when no Socket.IO client sends such."""
    opening = packet.find("[", start, start + _LONGEST_ACK_ID + 1)
    if opening < 0:
        return None
    ack_id = packet[start:opening]
    if ack_id and not (ack_id.isascii() and ack_id.isdigit()):
        return None
    name_at = opening + 2
    name_end = packet.find('"', name_at) if packet.startswith('["', opening) else -1
    name = packet[name_at:name_end] if name_end > 0 else ""
    return IncomingEvent(ack_id, name, packet[opening:])
