"""The structure of a mail as offsets into its bytes: nothing is copied, nothing recurses deeper than the caps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.mail import transfer
from channels.mail.headers import Headers, parse_block, parse_parameters


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much structure is read. What lies beyond stays in the raw mail and is told in `defects`."""

    max_parts: int = 500
    """More than any honest mail (digests reach 200); a bomb of 100,000 empty parts costs memory per part."""
    max_depth: int = 30
    """Honest forwards of forwards reach 8."""


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part: `raw[start:end]` is its still encoded body."""

    headers: Headers
    content_type: str
    parameters: dict[str, str]
    disposition: str
    filename: str
    encoding: str
    begin: int
    """Where its header block starts."""
    start: int
    end: int
    children: "tuple[Part, ...]" = ()

    @property
    def is_multipart(self) -> bool:
        """Has parts instead of content."""
        return bool(self.children)

    @property
    def content_id(self) -> str:
        """Without its brackets; "" when there is none."""
        return (self.headers.raw("content-id") or "").strip().strip("<>").strip()

    def walk(self) -> "Iterator[Part]":
        """This part and all below it, in order."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))

    def content(self, raw: bytes) -> bytes:
        """The body with its transfer encoding undone."""
        return transfer.decode(raw[self.start : self.end], self.encoding)


@dataclass
class _Reading:
    raw: bytes
    limits: Limits
    parts: int = 0
    defects: list[str] = field(default_factory=list)

    def note(self, defect: str) -> None:
        if defect not in self.defects:
            self.defects.append(defect)


_TOKEN = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+\Z")
_GUESSED_BOUNDARY = re.compile(
    rb"(?:\A|\n)--([^\s-][^\r\n]{3,120}?|-{2,60}[^\s-][^\r\n]{3,120}?)[ \t]*\r?\n[A-Za-z-]+:"
)


def parse_structure(raw: bytes, limits: Limits | None = None) -> tuple[Part, tuple[str, ...]]:
    """The tree of a mail's parts and what was wrong with it."""
    reading = _Reading(raw, limits or Limits())
    part = _read(reading, 0, len(raw), 0, "text/plain")
    return part, tuple(reading.defects)


def _read(reading: _Reading, begin: int, end: int, depth: int, default: str) -> Part:
    reading.parts += 1
    headers, start = parse_block(reading.raw, begin, end)
    start = min(start, end)
    content_type, parameters = parse_parameters(headers.raw("content-type"))
    disposition, disposition_parameters = parse_parameters(headers.raw("content-disposition"))
    if not _TOKEN.match(content_type):
        content_type = _repaired_type(content_type, default)
    encoding = (headers.raw("content-transfer-encoding") or "").partition(";")[0].strip().strip('"').lower()
    children: tuple[Part, ...] = ()
    if content_type.startswith("multipart/"):
        children = _children(reading, start, end, depth, content_type, parameters.get("boundary", ""))
        if not children:
            content_type = "text/plain"
    return Part(
        headers,
        content_type,
        parameters,
        disposition,
        disposition_parameters.get("filename") or parameters.get("name") or "",
        encoding,
        begin,
        start,
        end,
        children,
    )


def _repaired_type(content_type: str, default: str) -> str:
    known = {"text": "text/plain", "html": "text/html", "pdf": "application/pdf", "multipart": "multipart/mixed"}
    if not content_type:
        return default
    return known.get(content_type, "application/octet-stream" if "/" in content_type else default)


def _children(
    reading: _Reading, start: int, end: int, depth: int, content_type: str, boundary: str
) -> tuple[Part, ...]:
    if depth >= reading.limits.max_depth:
        reading.note("nested too deep")
        return ()
    spans = _spans(reading, start, end, boundary.encode("latin-1", "replace").rstrip())
    if not spans:
        guess = _GUESSED_BOUNDARY.search(reading.raw, max(start - 1, 0), min(end, start + 65_536))
        reading.note("boundary not found")
        spans = _spans(reading, start, end, guess[1]) if guess else []
    default = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
    found = []
    for begin, stop in spans:
        if reading.parts >= reading.limits.max_parts:
            reading.note("too many parts")
            break
        found.append(_read(reading, begin, stop, depth + 1, default))
    return tuple(found)


def _spans(reading: _Reading, start: int, end: int, boundary: bytes) -> list[tuple[int, int]]:
    """Where each part between the boundaries begins and ends; the last may lack its closing line."""
    if not boundary:
        return []
    raw = reading.raw
    line = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?:\n|\Z)")
    spans: list[tuple[int, int]] = []
    open_at: int | None = None
    # One byte back, so that a boundary on the body's first line has its line feed.
    position = max(start - 1, 0)
    while len(spans) <= reading.limits.max_parts:
        match = line.search(raw, position, end)
        if match is None:
            break
        if open_at is not None:
            stop = match.start() - (raw[match.start() - 1] == 13)
            spans.append((open_at, max(stop, open_at)))
            open_at = None
        if match[1]:
            return spans
        open_at = match.end()
        position = max(match.end() - 1, position + 1)
    if open_at is not None:
        reading.note("last boundary missing")
        spans.append((open_at, end))
    return spans
