"""Mails put together by part, for tests."""

import base64
from collections.abc import Mapping


def mail(body: str | bytes = "Hello.\n", headers: Mapping[str, str] | None = None, /, **fields: str) -> bytes:
    """A mail from Ann to support with `fields` (underscores for hyphens) and `headers` over the usual ones."""
    usual = {
        "From": "Ann Smith <ann@example.org>",
        "To": "support@example.com",
        "Subject": "Lamp",
        "Date": "Mon, 16 Nov 2026 09:41:00 +0100",
        "Message-ID": "<1@example.org>",
    }
    usual |= {name.replace("_", "-"): value for name, value in fields.items()}
    usual |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in usual.items() if value)
    content = body if isinstance(body, bytes) else body.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    return head.encode() + b"\r\n" + content


def part(body: str | bytes, content_type: str = "text/plain; charset=utf-8", **fields: str) -> bytes:
    """One MIME part."""
    head = f"Content-Type: {content_type}\r\n" if content_type else ""
    head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + (body if isinstance(body, bytes) else body.encode())


def file_part(content: bytes, content_type: str, name: str, **fields: str) -> bytes:
    """An attachment in base64."""
    return part(
        base64.encodebytes(content),
        content_type,
        Content_Disposition=f'attachment; filename="{name}"',
        Content_Transfer_Encoding="base64",
        **fields,
    )


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "b0undary", close: bool = True) -> tuple[str, bytes]:
    """A Content-Type and the body of a multipart."""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + one + b"\r\n" for one in parts)
    if close:
        body += b"--" + boundary.encode() + b"--\r\n"
    return f'multipart/{kind}; boundary="{boundary}"', body


def nested(*parts: bytes, kind: str = "mixed", boundary: str = "inner") -> bytes:
    """A multipart as a part of another."""
    content_type, body = multipart(*parts, kind=kind, boundary=boundary)
    return part(body, content_type)


def multipart_mail(*parts: bytes, kind: str = "mixed", close: bool = True, **fields: str) -> bytes:
    """A whole multipart mail."""
    content_type, body = multipart(*parts, kind=kind, close=close)
    return mail(body, {"Content-Type": content_type, "MIME-Version": "1.0"}, **fields)
