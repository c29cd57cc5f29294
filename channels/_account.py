"""A carrier's account as the lines at it use it: who may call us, whether we are let in, and what nobody proved."""

import asyncio
import contextlib
import hashlib
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from channels._health import Health
from channels._twilio import LONGEST_KEPT, UNPROVED, Rest, Signatures, Webhook
from hub.clock import Clock
from hub.contract import ChannelStatus, HubSide, RawArrival
from hub.domain.errors import ChannelUnavailable, HubError, PayloadUnreadable
from hub.settings import Secret

log = logging.getLogger(__name__)
LONGEST_SILENCE_S: Final = 60.0
WARM_UP_AFTER_S: Final = 1.0
QUIET_TRIES: Final = 3
"""A carrier that starts beside us answers sooner."""
Check = Callable[[], Awaitable[None]]


class Account:
    """One channel's account. `check` asks the carrier and returns if it lets us in.

    Raises (from `check`):
        ChannelUnavailable: the carrier is out of reach. MessageRejected: it does not let us in.
    """

    def __init__(
        self,
        channel: str,
        sid: str,
        check: Check,
        *,
        auth_token: Secret,
        second_auth_token: Secret | None,
        api_key_sid: str,
        api_key_secret: Secret | None,
        api_url: str,
    ) -> None:
        self._channel = channel
        self._sid = sid
        self._check = check
        self._tokens = [token for token in (auth_token, second_auth_token) if token is not None]
        has_key = bool(api_key_sid) and api_key_secret is not None
        secret = api_key_secret if has_key and api_key_secret is not None else auth_token
        self.rest = Rest(sid, api_key_sid if has_key else sid, secret, api_url)
        self._hub: HubSide | None = None
        self._health: Health | None = None
        self._signatures: Signatures | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def hub(self) -> HubSide:
        """The hub's side; there once the channel is mounted."""
        if self._hub is None:
            raise RuntimeError("a channel is mounted before it is opened")
        return self._hub

    @property
    def health(self) -> Health:
        """How the line stands; there once the channel is mounted."""
        if self._health is None:
            raise RuntimeError("a channel is mounted before it is opened")
        return self._health

    @property
    def status(self) -> ChannelStatus:
        """How the line to the carrier is (see `HasLine`)."""
        return self._health.status if self._health else ChannelStatus(is_up=False, since=0, reason="Not opened yet.")

    def mount(self, hub: HubSide) -> None:
        """Know the hub, and with it the address that the carrier signs."""
        self._hub = hub
        self._health = Health(hub.clock)
        self._signatures = Signatures(self._tokens, hub.public_url)

    async def open(self) -> None:
        """Prove that the carrier lets us in: later, if it is out of reach, for others do not need this carrier.

        Raises:
            MessageRejected: it does not; the text says what to do.
        """
        clock = self.hub.clock
        try:
            await self._check()
            self.health.carrier()
        except ChannelUnavailable as error:
            self.health.carrier(str(error))
            self._tasks.append(asyncio.create_task(self._prove_later(clock), name="carrier"))
        self._tasks.append(asyncio.create_task(self._warm_up(clock), name="carrier's library"))

    async def close(self) -> None:
        """Ask nothing more."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        await self.rest.close()

    def vouches_for(self, webhook: Webhook) -> bool:
        """Whether a token of ours has signed it."""
        return self._signatures is not None and self._signatures.vouches_for(webhook)

    async def refuse(self, webhook: Webhook) -> web.Response:
        """Let nobody in; what names our account is kept for a person, for then it is more likely our own mistake."""
        log.warning("a request is not signed by the carrier", extra={"channel": self._channel})
        arrival = None
        if dict(webhook.fields).get("AccountSid") == self._sid and len(webhook.body) <= LONGEST_KEPT:
            self.health.unproved()
            raw = webhook.packed()
            name = hashlib.sha256(raw).hexdigest()[:40]
            arrival = RawArrival(provider_id=name, raw=raw, problem=UNPROVED)
        with contextlib.suppress(HubError):
            await self.hub.inbox.refuse(self._channel, arrival)
        return web.Response(status=403, text="This is not signed with a token of ours.")

    def proved(self, raw: bytes) -> Webhook:
        """Return what was kept, if a token of ours has signed it.

        Raises:
            PayloadUnreadable: none has, or it is no request.
        """
        try:
            webhook = Webhook.unpacked(raw)
        except ValueError as error:
            raise PayloadUnreadable(str(error)) from error
        if not self.vouches_for(webhook):
            raise PayloadUnreadable(UNPROVED)
        return webhook

    async def _warm_up(self, clock: Clock) -> None:
        """Load what takes long to load, once everything else has started."""
        await clock.sleep(WARM_UP_AFTER_S)
        await self.rest.warm_up()

    async def _prove_later(self, clock: Clock) -> None:
        """Ask again until the carrier answers, and say in the log what it says."""
        for tries in itertools.count(1):
            await clock.sleep(min(2**tries, LONGEST_SILENCE_S))
            try:
                await self._check()
            except ChannelUnavailable as error:
                self.health.carrier(str(error))
                if tries >= QUIET_TRIES:
                    log.warning("the carrier is out of reach", extra={"channel": self._channel, "error": str(error)})
            except HubError as error:
                self.health.carrier(str(error))
                log.error(  # noqa: TRY400
                    "the carrier refuses us", extra={"channel": self._channel, "error": str(error)}
                )
                return
            else:
                self.health.carrier()
                log.info("the carrier answers", extra={"channel": self._channel})
                return
