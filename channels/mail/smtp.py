"""Sending by SMTP (RFC 5321): connections kept and used again, TLS required and verified, each answer told apart.

What the server says decides: 4xx and trouble on the line before the words mean later, 5xx means never. Once the final
dot is on its way only the server knows; then silence means that nobody can.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from channels.mail.compose import Composed, Letterhead, compose
from channels.mail.phrasing import answer_subject
from channels.mail.templates import Templates
from hub.contract import OutboundMessage, Pace, Receipt
from hub.domain.correspondence import Refusal
from hub.domain.errors import ChannelUnavailable, DeliveryUncertain, MessageRejected

log = logging.getLogger(__name__)

Security = Literal["tls", "starttls", "plain"]
Token = Callable[..., Awaitable[str]]
"""Gives an access token; `refused` is one that it must not give again."""
PORTS = {"tls": 465, "starttls": 587, "plain": 25}
IDLE_S = 60.0
_PIECE = 65_536
_WORDS = 400


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Where and how mail is handed in. `plain` is taken on loopback only; `token` makes XOAUTH2 of it.

    `command_s` is the patience for one answer, `data_s` for the last one, which RFC 5321 (4.5.3.2.6) wants to be ten
    minutes: a shorter one makes slow letters uncertain.
    """

    host: str
    port: int = 0
    security: Security = "starttls"
    user: str = ""
    password: str = ""
    token: Token | None = None
    ca_file: str = ""
    local_name: str = ""
    at_once: int = 2
    per_minute: int = 0
    connect_s: float = 30.0
    command_s: float = 120.0
    data_s: float = 600.0

    def problem(self) -> str:
        """What is wrong with it, "" when nothing is."""
        if self.security == "plain" and not is_loopback(self.host):
            return "Without TLS mail is handed in on this machine only: use starttls or tls."
        if self.security == "plain" and self.token is not None:
            return "A token is never sent without TLS."
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host.lower() == "localhost"


class Sender:
    """One mailbox's way out. Its methods are what `Sends`, `Paced` and `Corresponds` of the contract want."""

    def __init__(
        self,
        submission: Submission,
        box: Letterhead,
        templates: Templates,
        *,
        keep_sent: Callable[[bytes], Awaitable[None]] | None = None,
    ) -> None:
        """`keep_sent` is given each mail that was sent, for the Sent folder; what it raises is only noted."""
        self._submission = submission
        self._box = box
        self._templates = templates
        self._keep_sent = keep_sent
        self._idle: list[tuple[float, aiosmtplib.SMTP]] = []
        self._keeping: set[asyncio.Task[None]] = set()
        self._tls: ssl.SSLContext | None = None

    @property
    def pace(self) -> Pace:
        """As the mailbox's block says."""
        return Pace(at_once=self._submission.at_once, per_minute=self._submission.per_minute)

    def name_message(self, outgoing: str, interaction: str) -> str:  # noqa: ARG002 - the outgoing letter's id says all
        """Return the signed Message-ID of a letter."""
        return self._box.message_id(outgoing)

    def owns(self, address: str) -> bool:
        """Whether mail to this address comes back here."""
        return self._box.owns(address)

    def subject(self, subject: str, mode: str) -> str:
        """Return an answer's subject, marked once."""
        return answer_subject(subject, mode)

    def signature(self, own: str, agent: str, language: str) -> str:
        """Return the agent's own lines and the mailbox's below them, else the agent's name."""
        texts = self._box.signature
        base = language.partition("-")[0].lower()
        common = texts.get(base) or texts.get("en") or next(iter(texts.values()), "")
        filled = self._templates.render_text(common, agent=agent, mailbox=self._box.name) if common else ""
        return "\n".join(part.strip("\n") for part in (own or (agent if not filled else ""), filled) if part)

    async def check(self) -> None:
        """Connect and sign in, to prove that it works.

        Raises:
            ChannelUnavailable: it does not, in words.
        """
        self._put_back(await self._connection())

    async def close(self) -> None:
        """Say good-bye to the server."""
        if self._keeping:
            await asyncio.wait(tuple(self._keeping), timeout=5)
        idle, self._idle = self._idle, []
        for _, smtp in idle:
            await _quit(smtp)

    async def send(self, message: OutboundMessage) -> Receipt:
        """Hand one letter to the server.

        Raises:
            ChannelUnavailable, MessageRejected, DeliveryUncertain: as `Sends.send` says.
        """
        mail = await asyncio.to_thread(compose, message, self._box, self._templates)
        smtp = await self._connection()
        try:
            receipt = await _Transaction(smtp, mail, message, self._submission).run()
        except BaseException:
            if smtp.is_connected:
                await self._after_trouble(smtp)
            raise
        self._put_back(smtp)
        if not message.pending:
            # Else others had it before, and the copy was made then.
            self._copy(mail.content)
        return receipt

    def _copy(self, content: bytes) -> None:
        if self._keep_sent is not None:
            task = asyncio.create_task(self._kept(content), name="copy to Sent")
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def _kept(self, content: bytes) -> None:
        assert self._keep_sent is not None
        try:
            await self._keep_sent(content)
        except Exception as error:  # noqa: BLE001 - the letter is sent; a missing copy changes nothing of that
            why = str(error) or type(error).__name__
            log.warning("no copy in the Sent folder", extra={"mailbox": self._box.domain, "why": why})

    async def _after_trouble(self, smtp: aiosmtplib.SMTP) -> None:
        """Use the connection again if the server forgets the broken transaction, else drop it."""
        try:
            async with asyncio.timeout(5):
                await smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            smtp.close()
        else:
            self._put_back(smtp)

    def _put_back(self, smtp: aiosmtplib.SMTP) -> None:
        if smtp.is_connected and len(self._idle) < self._submission.at_once:
            self._idle.append((asyncio.get_running_loop().time(), smtp))
        else:
            smtp.close()

    async def _connection(self) -> aiosmtplib.SMTP:
        """Return a connection that is signed in: one that was used lately and still answers, else a new one."""
        while self._idle:
            since, smtp = self._idle.pop()
            if asyncio.get_running_loop().time() - since > IDLE_S:
                await _quit(smtp)
                continue
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout(5):
                    await smtp.noop()
                return smtp
            smtp.close()
        return await self._connected()

    async def _connected(self) -> aiosmtplib.SMTP:
        how = self._submission
        if how.problem():
            raise ChannelUnavailable(how.problem())
        smtp = aiosmtplib.SMTP(
            hostname=how.host,
            port=how.port or PORTS[how.security],
            timeout=how.command_s,
            use_tls=how.security == "tls",
            start_tls=how.security == "starttls",
            tls_context=await self._context() if how.security != "plain" else None,
            local_hostname=how.local_name or "localhost",
        )
        try:
            async with asyncio.timeout(how.connect_s):
                await smtp.connect()
                await smtp._ehlo_or_helo_if_needed()  # noqa: SLF001 - the library says HELO where EHLO is refused
                await self._sign_in(smtp)
        except aiosmtplib.SMTPResponseException as error:
            smtp.close()
            raise ChannelUnavailable(_said(error), status=str(error.code)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            smtp.close()
            reason = str(error)[:_WORDS] or "no answer in time"
            raise ChannelUnavailable(f"The mail server cannot be used: {reason}.") from error
        return smtp

    async def _sign_in(self, smtp: aiosmtplib.SMTP) -> None:
        how = self._submission
        if how.token is not None:
            await _sign_in_with(smtp, how.user, how.token)
        elif how.user and not (how.security == "plain" and not smtp.supported_auth_methods):
            # A server on this machine that asks for nobody's name takes mail from it as it is.
            await smtp.login(how.user, how.password)

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context, cafile=self._submission.ca_file or None)
        return self._tls


class _Transaction:
    """One mail on one connection."""

    def __init__(self, smtp: aiosmtplib.SMTP, mail: Composed, message: OutboundMessage, submission: Submission) -> None:
        self._smtp = smtp
        self._mail = mail
        self._message = message
        self._submission = submission
        self._encoding = "utf-8" if mail.is_utf8 else "ascii"

    async def run(self) -> Receipt:
        """Sender, recipients, words.

        Raises:
            ChannelUnavailable, MessageRejected, DeliveryUncertain.
        """
        try:
            await self._sender()
            refused = await self._recipients()
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError) as error:
            raise ChannelUnavailable(f"The line to the mail server broke: {error}.") from error
        if self._message.before_handover is not None:
            await self._message.before_handover()
        answer = await self._words()
        return Receipt(
            provider_id=self._message.provider_id,
            refused=tuple(refused),
            status=f"{answer.code} {answer.message}"[:200],
        )

    async def _sender(self) -> None:
        size = self._smtp.esmtp_extensions.get("size", "").strip()
        if size.isdigit() and 0 < int(size) < len(self._mail.content):
            limit = int(size) // 1_048_576
            raise MessageRejected(f"The mail server takes at most {limit} MB; this letter is larger.", "552")
        if self._mail.is_utf8 and not self._smtp.supports_extension("smtputf8"):
            raise MessageRejected("The mail server cannot send to addresses with letters beyond ASCII.", "553")
        try:
            await self._smtp.mail(self._mail.sender, options=self._options(), encoding=self._encoding)
        except aiosmtplib.SMTPSenderRefused as error:
            raise _refusal(error) from error

    def _options(self) -> list[str]:
        offers = self._smtp.supports_extension
        options = [f"SIZE={len(self._mail.content)}"] if offers("size") else []
        if offers("8bitmime"):
            options.append("BODY=8BITMIME" if self._mail.is_utf8 else "BODY=7BIT")
        if self._mail.is_utf8:
            options.append("SMTPUTF8")
        if offers("dsn"):
            options += ["RET=HDRS", f"ENVID={self._message.id}"]
        return options

    async def _recipients(self) -> list[Refusal]:
        """Name the recipients; raises when the server takes none of them."""
        options = []
        if self._smtp.supports_extension("dsn"):
            # A machine's mail asks for no report: whoever reads it would be a machine too.
            options = ["NOTIFY=NEVER" if self._message.is_automatic else "NOTIFY=FAILURE,DELAY"]
        refused: list[Refusal] = []
        for stored, wire in self._mail.recipients:
            try:
                await self._smtp.rcpt(wire, options=options, encoding=self._encoding)
            except aiosmtplib.SMTPRecipientRefused as error:
                if error.code == aiosmtplib.SMTPStatus.domain_unavailable:
                    raise _refusal(error) from error
                refused.append(Refusal(stored, _status(error), _said(error), is_final=not _is_later(error.code)))
        if len(refused) == len(self._mail.recipients):
            raise _all_refused(refused)
        return refused

    async def _words(self) -> SMTPResponse:
        """Send the content. Until the final dot is written the server cannot have it."""
        try:
            answer = await self._smtp.execute_command(b"DATA")
            if answer.code != aiosmtplib.SMTPStatus.start_input:
                raise _refusal(aiosmtplib.SMTPDataError(answer.code, answer.message))
            await self._write(_stuffed(self._mail.content))
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError) as error:
            self._smtp.close()
            raise ChannelUnavailable(f"The line to the mail server broke: {error}.") from error
        try:
            answer = await self._smtp.execute_command(b".", timeout=self._submission.data_s)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._smtp.close()
            raise DeliveryUncertain(f"The mail server did not say whether it has the letter: {error}.") from error
        if answer.code // 100 != 2:
            raise _refusal(aiosmtplib.SMTPDataError(answer.code, answer.message))
        return answer

    async def _write(self, content: bytes) -> None:
        """Write in pieces, no faster than they leave; returns when all have left and the line stands."""
        async with asyncio.timeout(self._submission.data_s):
            for start in range(0, len(content), _PIECE):
                self._protocol().write(content[start : start + _PIECE])
                while self._unsent() > _PIECE:  # noqa: ASYNC110 - no event tells how much has left
                    await asyncio.sleep(0.01)
            while self._unsent() > 0:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        self._protocol()

    def _protocol(self) -> SMTPProtocol:
        if self._smtp.protocol is None or not self._smtp.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("cut off within the words")
        return self._smtp.protocol

    def _unsent(self) -> int:
        transport = self._smtp.transport
        return transport.get_write_buffer_size() if isinstance(transport, asyncio.WriteTransport) else 0


async def _sign_in_with(smtp: aiosmtplib.SMTP, user: str, token: Token) -> None:
    """Sign in with a token; one that is refused is renewed once, as providers take them back before their time."""
    given = await token()
    try:
        await smtp.auth_xoauth2(user, given)
    except aiosmtplib.SMTPAuthenticationError:
        renewed = await token(refused=given)
        if renewed == given:
            raise
        await smtp.auth_xoauth2(user, renewed)


def _stuffed(content: bytes) -> bytes:
    """Lines that begin with a dot get another one (RFC 5321, 4.5.2); the content ends with a line's end."""
    content = content if content.endswith(b"\r\n") else content + b"\r\n"
    return (b"." if content.startswith(b".") else b"") + content.replace(b"\r\n.", b"\r\n..")


def _is_later(code: int) -> bool:
    return code // 100 == 4 or code // 100 not in {4, 5}


def _refusal(error: aiosmtplib.SMTPResponseException) -> ChannelUnavailable | MessageRejected:
    if _is_later(error.code):
        return ChannelUnavailable(_said(error), status=_status(error))
    return MessageRejected(_said(error), _status(error))


def _all_refused(refused: Sequence[Refusal]) -> ChannelUnavailable | MessageRejected:
    first = next((one for one in refused if not one.is_final), refused[0])
    if not first.is_final:
        return ChannelUnavailable(first.text, status=first.status)
    return MessageRejected(first.text, first.status, tuple(refused))


def _status(error: aiosmtplib.SMTPResponseException) -> str:
    """The code, and the enhanced one if the server gave it (RFC 3463)."""
    first = error.message.split(" ", 1)[0].split("\n", 1)[0]
    is_enhanced = first.count(".") == 2 and first.replace(".", "").isdigit()
    return f"{error.code} {first}" if is_enhanced else str(error.code)


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    words = " ".join(error.message.encode("utf-8", "replace").decode().split())[:_WORDS]
    return f"{error.code} {words}".strip()


async def _quit(smtp: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        async with asyncio.timeout(2):
            await smtp.quit()
    smtp.close()
