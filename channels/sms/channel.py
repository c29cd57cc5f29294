"""A line for texts as the hub knows it: webhooks in, messages out."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from aiohttp import web

from channels._account import Account
from channels._twilio import LONGEST_KEPT, Webhook
from channels.sms import checking, reading, words
from hub.contract import (
    Capabilities,
    ChannelStatus,
    HubSide,
    Inbound,
    InboundFile,
    Listener,
    OutboundMessage,
    Pace,
    RawArrival,
    Receipt,
)
from hub.domain.errors import (
    ChannelUnavailable,
    MessageRejected,
    PayloadUnreadable,
    TooLarge,
    Unavailable,
)
from hub.domain.texting import TextRules
from hub.settings import Problem, Secret, SettingsError

if TYPE_CHECKING:
    from twilio.rest import Client

log = logging.getLogger(__name__)
LONGEST: Final = 1600
LARGEST_FILE: Final = 5_000_000
WINDOW_S: Final = 24 * 3600
RETRY_FIRST_S: Final = 5.0
GIVE_UP_S: Final = 4 * 3600.0
"""A text that comes half a day late answers nothing any more."""
_NOTHING: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Sms:
    """One number for texts at a carrier. The keyword arguments are the keys of its block in the configuration."""

    kind: ClassVar[str] = "sms"

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the block's own word
        number: str,
        queue: str,
        account_sid: str,
        auth_token: Secret,
        second_auth_token: Secret | None = None,
        api_key_sid: str = "",
        api_key_secret: Secret | None = None,
        api_url: str = "https://api.twilio.com",
        name: str = "",
        country: str = "",
        languages: Sequence[str] = ("en",),
        flow: str = "",
        files: bool = True,
        per_minute: int = 60,
        templates: Sequence[Mapping[str, str]] = (),
    ) -> None:
        self._id = id
        self._number = number
        values = {
            "account_sid": account_sid,
            "api_key_sid": api_key_sid,
            "api_key_secret": api_key_secret,
            "api_url": api_url,
            "languages": languages,
            "per_minute": per_minute,
            "templates": templates,
        }
        if found := checking.problems(f"channels.{id}", number, values):
            raise SettingsError(found)
        self._is_chat_app = number.startswith(reading.PREFIX)
        self.account = Account(
            id,
            account_sid,
            self._check,
            auth_token=auth_token,
            second_auth_token=second_auth_token,
            api_key_sid=api_key_sid,
            api_key_secret=api_key_secret,
            api_url=api_url,
        )
        self._takes_files = files
        self._per_minute = per_minute
        self._content = {one["id"]: one["sid"] for one in templates}
        self._rules = TextRules(
            max_chars=LONGEST,
            max_files=(1 if self._is_chat_app else 10) if files else 0,
            max_file_bytes=LARGEST_FILE,
            window_s=WINDOW_S if self._is_chat_app else None,
            templates=checking.templates(templates),
        )
        self._line = reading.LineFacts(
            kind=self.capabilities.kind,
            queue=queue,
            region=country or checking.region_of(number),
            languages=tuple(languages),
            name=name,
            flow=flow,
        )

    @property
    def id(self) -> str:
        """The name of its block in the configuration."""
        return self._id

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            kind="whatsapp" if self._is_chat_app else "sms",
            label="WhatsApp" if self._is_chat_app else "SMS",
            icon="message-circle" if self._is_chat_app else "message-square",
            is_live=False,
            keeps_agent=True,
            has_files=self._takes_files,
            has_receipts=True,
            has_segments=not self._is_chat_app,
        )

    @property
    def rules(self) -> TextRules:
        """What a text may be (see `SendsTexts`)."""
        return self._rules

    @property
    def pace(self) -> Pace:
        """How fast it may send: one after another, so that two texts arrive as they were written."""
        return Pace(at_once=1, per_minute=self._per_minute, retry_first_s=RETRY_FIRST_S, give_up_s=GIVE_UP_S)

    @property
    def hub(self) -> HubSide:
        """The hub's side; there once the channel is mounted."""
        return self.account.hub

    @property
    def status(self) -> ChannelStatus:
        """How the line to the carrier is (see `HasLine`)."""
        return self.account.status

    def addresses(self, public_url: str) -> dict[str, str]:
        """Return what to enter at the provider (see `HasAddresses`)."""
        return checking.addresses(self._id, public_url)

    def advice(self, public_url: str) -> list[Problem]:
        """Return what will not work for everybody (see `HasAddresses`)."""
        return checking.advice(f"channels.{self._id}", public_url)

    def mount(self, app: web.Application, hub: HubSide) -> None:
        """Add the addresses that the carrier calls."""
        self.account.mount(hub)
        path = f"/webhooks/{self._id}"
        for name in ("message", "fallback", "status/{outgoing:o[0-9a-z]{1,60}}"):
            app.router.add_post(f"{path}/{name}", self._told)

    async def open(self, hub: HubSide) -> Listener:  # noqa: ARG002 - known since it was mounted
        """Prove that the carrier lets us in (later, if out of reach).

        Raises:
            MessageRejected: it does not; the text says what to do.
        """
        await self.account.open()
        return Listener(on_message=lambda _interaction, _message: None, on_change=lambda _interaction: None)

    async def close(self, reason: str) -> None:  # noqa: ARG002 - nobody is connected
        """Take nothing more in. What the carrier cannot deliver meanwhile it sends to the fallback address."""
        await self.account.close()

    async def _check(self) -> None:
        """Return if the account lets us in. Whether a number for chats is registered it does not tell this way.

        Raises:
            ChannelUnavailable: later. MessageRejected: the credentials or the number are wrong.
        """
        has_number = await self.account.rest.has_number(self._number.removeprefix(reading.PREFIX))
        if not has_number and not self._is_chat_app:
            raise MessageRejected(f"The account has no number {self._number}: look at `number`.", "20404")

    # -- in

    async def _told(self, request: web.Request) -> web.Response:
        """Keep what the carrier tells, durably, and let it go; it is read afterwards. Only the carrier gets in."""
        if (request.content_length or 0) > LONGEST_KEPT:
            return web.Response(status=413)
        webhook = Webhook.of(request, await request.read())
        told = _what(webhook)
        if not self.account.vouches_for(webhook):
            return await self.account.refuse(webhook)
        try:
            arrival = RawArrival(provider_id=reading.key_of(told), raw=webhook.packed())
            await self.hub.inbox.keep(self._id, [arrival], {})
        except PayloadUnreadable as error:
            return web.Response(status=400, text=str(error))
        except Unavailable:
            # The carrier takes it to the fallback address; what is lost of receipts the next one makes good.
            return web.Response(status=503)
        if told.outgoing:
            return web.Response(status=204)
        return web.Response(text=_NOTHING, content_type="text/xml")

    async def read(self, raw: bytes) -> Inbound:
        """Read what was kept (see `Reads`), if a token of ours has signed it; files are fetched now.

        Raises:
            PayloadUnreadable: none has, or it names no message.
        """
        return await self._understood(_what(self.account.proved(raw)))

    async def _understood(self, told: reading.Told) -> Inbound:
        if told.outgoing:
            return reading.receipt(told)
        files, missing = [], []
        for one in reading.attached(told):
            try:
                files.append(InboundFile(name=one.name, type="", content=await self._fetched(told, one)))
            except (ChannelUnavailable, MessageRejected, TooLarge) as error:
                # What was written is not held back by a file that cannot be had: the agent sees that there was one.
                log.warning(
                    "a file of a message is missing", extra={"channel": self._id, "error": type(error).__name__}
                )
                missing.append(one.name)
        return reading.message(told, self._line, files, missing)

    async def _fetched(self, told: reading.Told, one: reading.Attached) -> bytes:
        limit = self.hub.limits.visitor_upload_bytes
        sid = reading.key_of(told)
        try:
            return await self.account.rest.media(sid, one.sid, limit)
        except ChannelUnavailable:
            return await self.account.rest.media(sid, one.sid, limit)

    # -- out

    def name_message(self, outgoing: str, interaction: str) -> str:  # noqa: ARG002 - ours is enough
        """Return our own name: the carrier's reports carry it in their address (see `Sends`)."""
        return outgoing

    async def send(self, message: OutboundMessage) -> Receipt:
        """Hand a text to the carrier (see `Sends`)."""
        fields = self._fields(message)
        assert message.before_handover is not None
        await message.before_handover()

        async def ask(client: "Client") -> str:
            made = await client.messages.create_async(**fields)
            return str(made.sid)

        try:
            sid = await self.account.rest.once(ask)
        except MessageRejected as error:
            meant = words.meaning(error.reply_status, str(error))
            raise type(error)(f"{meant} ({error.reply_status})", error.reply_status) from error
        return Receipt(provider_id=sid)

    def _fields(self, message: OutboundMessage) -> dict[str, object]:
        """Return what the carrier is to be asked."""
        base = self.hub.public_url.rstrip("/")
        prefix = reading.PREFIX if self._is_chat_app else ""
        fields: dict[str, object] = {
            "to": f"{prefix}{message.to[0].address}",
            "from_": self._number,
            "status_callback": f"{base}/webhooks/{self._id}/status/{message.id}",
        }
        if message.template is not None:
            sid = self._content.get(message.template.id)
            if sid is None:
                raise MessageRejected(f"There is no template {message.template.id!r} any more.")
            values = {str(number): value for number, value in enumerate(message.template.values, 1)}
            return fields | {"content_sid": sid, "content_variables": json.dumps(values, ensure_ascii=False)}
        if message.text:
            fields["body"] = message.text
        if message.files:
            fields["media_url"] = [f"{base}{file.link}" for file in message.files]
        return fields


def _what(webhook: Webhook) -> reading.Told:
    """Return what a request to one of our addresses tells, whoever sent it."""
    match webhook.path.partition("?")[0].split("/")[3:]:
        case ["status", outgoing]:
            return reading.Told(params=dict(webhook.fields), outgoing=outgoing)
        case _:
            return reading.Told(params=dict(webhook.fields))
