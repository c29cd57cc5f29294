"""SMTP servers on loopback that do as they are told: refuse, put off, drop the line, dawdle (aiosmtpd)."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PASSWORD = "open sesame"
USER = "help@example.test"
DROP = "drop"


@dataclass
class Taken:
    """A mail that the server took."""

    sender: str
    recipients: list[str]
    content: bytes
    mail_options: list[str]
    rcpt_options: list[str]


@dataclass
class Script:
    """What the server says; `on_data` and `on_mail` are used up one a mail, `on_rcpt` is by address.

    DROP cuts the line there instead of an answer; DROP for `after_data` cuts it when the words were taken.
    """

    on_mail: list[str] = field(default_factory=list)
    on_rcpt: dict[str, str] = field(default_factory=dict)
    on_data: list[str] = field(default_factory=list)
    after_data: list[str] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    hold: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)
    two: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    slowness: Callable[[], Awaitable[None]] | None = None
    tokens: set[str] = field(default_factory=set)
    """Access tokens that are valid; XOAUTH2 is offered where there was ever one."""
    refused_tokens: list[str] = field(default_factory=list)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        """Google's and Microsoft's way to sign in with a token: a refusal is first told as a challenge."""
        user, bearer, *_ = base64.b64decode(args[1], validate=True).decode().split("\x01")
        token = bearer.removeprefix("auth=Bearer ")
        if user == f"user={USER}" and token in self.tokens:
            return AuthResult(success=True)
        self.refused_tokens.append(token)
        await server.challenge_auth('{"status":"401","schemes":"bearer"}')
        return AuthResult(success=False, handled=False, message="535 5.7.8 The token is over")

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.on_mail.pop(0) if self.on_mail else ""
        if said == DROP:
            return _cut(server)
        if said:
            return said
        envelope.mail_from, envelope.mail_options = address, options
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.on_rcpt.get(address, "")
        if said == DROP:
            return _cut(server)
        if said:
            return said
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.began.set()
        if self.at_once == 2:
            self.two.set()
        try:
            if self.hold is not None:
                await self.hold.wait()
            if self.slowness is not None:
                await self.slowness()
            said = self.on_data.pop(0) if self.on_data else ""
            if said == DROP:
                return _cut(server)
            if said:
                return said
            content = envelope.content
            assert isinstance(content, bytes)
            self.taken.append(
                Taken(
                    envelope.mail_from or "",
                    list(envelope.rcpt_tos),
                    content,
                    list(envelope.mail_options),
                    list(envelope.rcpt_options),
                )
            )
            if self.slowness is not None:
                await self.slowness()
            if self.after_data and self.after_data.pop(0) == DROP:
                return _cut(server)
            return "250 2.0.0 queued"
        finally:
            self.at_once -= 1


def _cut(server: SMTP) -> str:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    return "421 never heard"


@asynccontextmanager
async def smtp_server(
    script: Script | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    auth: bool = False,
    size: int = 33_554_432,
    smtputf8: bool = True,
) -> AsyncIterator[Script]:
    """A server on a free port of the loopback."""
    script = script or Script()

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: object) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=given.password == PASSWORD.encode(), handled=False)

    def made() -> SMTP:
        script.connections += 1
        return SMTP(
            script, hostname="mx.test", tls_context=starttls, require_starttls=starttls is not None,
            auth_require_tls=bool(script.tokens), authenticator=check if auth else None,
            auth_exclude_mechanism=() if script.tokens else ("XOAUTH2",), auth_required=bool(script.tokens),
            data_size_limit=size, enable_SMTPUTF8=smtputf8,
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, ssl=tls)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, ssl.SSLContext]:
    """A certificate that signs itself: its file to trust, and a server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, pem = folder / f"{name}.pem", folder / f"{name}.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, pem)
    return cert, context
