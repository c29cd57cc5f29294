"""E-mail as the hub knows it: one configured mailbox, read by IMAP and answered by SMTP."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from channels.mail.account import Account, AfterReading, FirstReading, Security
from channels.mail.addresses import normalize
from channels.mail.dns_keys import DnsKeys
from channels.mail.imap import Mailbox
from channels.mail.inbound import Routes
from channels.mail.keys import signing_keys
from channels.mail.parsed import Reading
from channels.mail.readers import Manner, Readers
from channels.mail.sent import SentFolder
from channels.mail.tokens import Grant, TokenSource
from channels.mail.way_out import Outlet, WayOut
from hub.contract import Capabilities, ChannelStatus, HubSide, Inbound, Listener
from hub.domain.errors import ChannelUnavailable
from hub.settings import Problem, Secret, SettingsError

MIB = 1024 * 1024


class Mail(WayOut):
    """A mailbox. The keyword arguments are the keys of its block in the configuration; see docs/how-to/email.md."""

    kind: ClassVar[str] = "mail"

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the block's own word
        address: str,
        queue: str,
        name: str = "",
        aliases: Sequence[str] = (),
        queues: Mapping[str, str] | None = None,
        automatic_queue: str = "",
        flow: str = "",
        trusted_servers: Sequence[str] = (),
        verify_dkim: bool = True,
        dns_servers: Sequence[str] = (),
        imap_host: str,
        imap_port: int = 0,
        imap_security: Security = "tls",
        imap_user: str = "",
        imap_password: Secret | None = None,
        folders: Sequence[str] = ("INBOX",),
        first_reading: FirstReading = "unseen",
        after_reading: AfterReading = "seen",
        done_folder: str = "",
        max_mail_bytes: int = 30 * MIB,
        poll_s: float = 60.0,
        idle: bool = True,
        oauth: Literal["", "xoauth2", "oauthbearer"] = "",
        oauth_token_url: str = "",
        oauth_client_id: str = "",
        oauth_client_secret: Secret | None = None,
        oauth_refresh_token: Secret | None = None,
        oauth_scope: str = "",
        ca_file: str = "",
        smtp_host: str = "",
        smtp_port: int = 0,
        smtp_security: Security = "starttls",
        smtp_user: str = "",
        smtp_password: Secret | None = None,
        smtp_at_once: int = 2,
        smtp_per_minute: int = 0,
        sent_folder: str = "",
        plus_addresses: bool = True,
        sender_format: str = "{agent} ({mailbox})",
        signature: Mapping[str, str] | None = None,
        acknowledge: bool = False,
        acknowledgement: Mapping[str, str] | None = None,
        acknowledgement_closed: Mapping[str, str] | None = None,
        zone: str = "UTC",
    ) -> None:
        block = dict(locals())
        self._id, self._name = id, name
        self._address = normalize(address).lower()
        self._aliases = tuple(normalize(one).lower() for one in aliases)
        by_address = {one.lower(): target for one, target in (queues or {}).items()}
        self._routes = Routes(queue=queue, by_address=by_address, automatic=automatic_queue, flow=flow)
        self._trusted = frozenset(one.lower() for one in trusted_servers)
        self._key_lookup = DnsKeys(servers=tuple(dns_servers)) if verify_dkim else None
        self._account = Account(
            host=imap_host,
            port=imap_port,
            security=imap_security,
            ca_file=ca_file,
            user=imap_user or address,
            password=imap_password,
            mechanism=oauth,
            folders=tuple(folders),
            after_reading=after_reading,
            done_folder=done_folder,
            first_reading=first_reading,
            max_bytes=max_mail_bytes,
            poll_s=poll_s,
            idle=idle,
        )
        self._grant = _grant(block)
        super().__init__(Outlet.of(block, self._address or address, self._aliases))
        self._check(address, aliases)
        self._mailbox: Mailbox | None = None
        self._readers: Readers | None = None
        self._keys: tuple[bytes, ...] = ()
        self.tokens: TokenSource | None = None

    def _check(self, address: str, aliases: Sequence[str]) -> None:
        """Raise what is wrong with the block, all of it.

        Raises:
            SettingsError: with each key that has to change.
        """
        where = f"channels.{self._id}"
        found = self._account.problems(where)
        if self._outlet.sent_folder in self._account.folders:
            text = "Copies of what was sent would be read as new mail."
            found.append(Problem(where=f"{where}.sent_folder", text=text))
        found += _open_secrets(where, imap_password=self._account.password, smtp_password=self._outlet.password)
        if self._account.mechanism:
            found += self._grant.problems(where)
        found += self._outlet.problems(where)
        for key, given, read in (
            ("address", (address,), (self._address,)),
            ("aliases", aliases, self._aliases),
        ):
            for spelled, normal in zip(given, read, strict=True):
                if not normal:
                    found.append(Problem(where=f"{where}.{key}", text=f"{spelled!r} is no e-mail address."))
        for key, value, least in (
            ("max_mail_bytes", self._account.max_bytes, 64 * 1024),
            ("poll_s", self._account.poll_s, 1),
        ):
            if value < least:
                found.append(Problem(where=f"{where}.{key}", text=f"{value} is too little: at least {least}."))
        if found:
            raise SettingsError(found)

    @property
    def id(self) -> str:
        """The name of its block in the configuration."""
        return self._id

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            kind="email",
            label="E-mail",
            icon="mail",
            is_live=False,
            has_files=True,
            keeps_agent=True,
            has_envelopes=True,
            can_begin=True,
        )

    @property
    def status(self) -> ChannelStatus:
        """How the line to the mailbox is."""
        return self._mailbox.status if self._mailbox else ChannelStatus(is_up=False, since=0, reason="Not opened yet.")

    async def open(self, hub: HubSide) -> Listener:
        """Begin to read the mailbox. A server that is away, or refuses, is sought for as long as the hub runs."""
        self._keys = signing_keys(hub.visitor_key)
        self._readers = Readers(self._id, self._manner(self._keys))
        if self._account.mechanism:
            self.tokens = TokenSource(self._grant, hub.clock)
        self._mailbox = Mailbox(self._id, self._account, tokens=self.tokens, clock=hub.clock)
        token = self.tokens.token if self.tokens else None
        name = self._outlet.sent_folder
        sent = SentFolder(self._id, self._account, name, token=token) if name else None
        self.open_way_out(self._keys[0], hub.templates, token=token, sent=sent)
        self._mailbox.start(hub.inbox)
        return Listener(on_message=lambda _interaction, _message: None, on_change=lambda _interaction: None)

    async def close(self, reason: str) -> None:  # noqa: ARG002 - nobody is connected who could be told
        """Stop reading; returns within two seconds, whatever the server does."""
        if self._mailbox is not None:
            await self._mailbox.stop()
        await self.close_way_out()
        if self._readers is not None:
            self._readers.close()
            self._readers = None

    async def read(self, raw: bytes) -> Inbound:
        """Read one mail, in a thread or a process: nobody else waits for it."""
        return await self._open_readers().read(raw)

    async def read_apart(self, raw: bytes) -> Inbound:
        """Read one mail that a hub has died over (see `ReadsApart`)."""
        return await self._open_readers().read_apart(raw)

    def _open_readers(self) -> Readers:
        if self._readers is None:
            raise ChannelUnavailable("The mailbox is closed.")
        return self._readers

    def _manner(self, keys: tuple[bytes, ...]) -> Manner:
        own = frozenset({self._address, *self._aliases})
        reading = Reading(
            own_addresses=own, signing_keys=keys, trusted_servers=self._trusted, key_lookup=self._key_lookup
        )
        return Manner(reading=reading, routes=self._routes, keys=keys)


def _open_secrets(where: str, **secrets: object) -> list[Problem]:
    """Return which passwords stand in the configuration itself."""
    return [
        Problem(
            where=f"{where}.{key}",
            text="A password never stands in this file.",
            hint=f'Write {key} = "env:NAME" or "file:PATH".',
        )
        for key, secret in secrets.items()
        if secret is not None and not isinstance(secret, Secret)
    ]


def _grant(block: Mapping[str, Any]) -> Grant:
    """Return how tokens are asked for, of a mailbox's whole block."""
    return Grant(
        url=block["oauth_token_url"],
        client_id=block["oauth_client_id"],
        client_secret=block["oauth_client_secret"],
        refresh_token=block["oauth_refresh_token"],
        scope=block["oauth_scope"],
    )
