"""Everything that can be refused or go wrong, as one tree. `code` is stable and public; the text may change.

HubError
├── Refused                        the caller can do something: 4xx
│   ├── BadRequest      bad_request
│   │   ├── NoAddress    no_address
│   │   └── WeakPassword  weak_password
│   ├── Unauthorized    unauthorized
│   ├── Forbidden       forbidden
│   │   └── WrongPassword  wrong_password   signed in, and must prove it once more
│   ├── NotFound        not_found
│   ├── Conflict        conflict
│   │   ├── AddressTaken  address_taken
│   │   ├── OfferGone   offer_gone
│   │   ├── Stale       stale
│   │   ├── OptedOut    opted_out     the customer wants no more texts
│   │   └── WindowOver  window_over   too long since the customer wrote: agreed wordings only
│   ├── TooLarge        too_large
│   ├── TypeRefused     type_refused
│   ├── RateLimited     rate_limited
│   └── Closed          closed
├── Unavailable         unavailable      later: 503
├── ChannelError                   a provider: 502
│   ├── ChannelUnavailable  channel_unavailable   later; `retry_after_s` where the provider says when
│   ├── MessageRejected     message_rejected      never, in the provider's words
│   │   └── RecipientOptedOut   recipient_opted_out   never: the recipient told the provider so
│   └── DeliveryUncertain   delivery_uncertain    the line broke when it may have been taken: ask a person
└── PayloadUnreadable   payload_unreadable        kept, shown, can be read again
"""

from hub.domain.correspondence import Refusal


class HubError(Exception):
    """Root of all errors that the hub raises on purpose."""

    code = "internal"
    status = 500


class Refused(HubError):
    """The request cannot be done as asked; the caller can do something about it."""

    code = "bad_request"
    status = 400


class BadRequest(Refused):
    """The request's words are off."""


class NoAddress(BadRequest):
    """What was given for an address is none."""

    code = "no_address"


class WeakPassword(BadRequest):
    """A new password is too short, too long, or among the first that are tried."""

    code = "weak_password"


class Unauthorized(Refused):
    """Nobody is signed in, or the token is not known."""

    code = "unauthorized"
    status = 401


class Forbidden(Refused):
    """Signed in, but not allowed to do this."""

    code = "forbidden"
    status = 403


class WrongPassword(Forbidden):
    """Who is signed in has to prove it once more, and has not."""

    code = "wrong_password"


class NotFound(Refused):
    """It does not exist, or not for this caller."""

    code = "not_found"
    status = 404


class Conflict(Refused):
    """The state has moved on: what was asked does not fit it any more."""

    code = "conflict"
    status = 409


class AddressTaken(Conflict):
    """Another customer has the address."""

    code = "address_taken"


class OfferGone(Conflict):
    """The offer was accepted elsewhere, withdrawn or has expired: no longer yours."""

    code = "offer_gone"


class Stale(Conflict):
    """A colleague's newer message arrived while this one was being written."""

    code = "stale"

    def __init__(self, newer: list[object]) -> None:
        super().__init__("A colleague answered while you wrote.")
        self.newer = newer


class OptedOut(Conflict):
    """The customer has written that they want no more texts of this channel."""

    code = "opted_out"


class WindowOver(Conflict):
    """The customer wrote too long ago: until they write again, the provider takes agreed wordings only."""

    code = "window_over"


class TooLarge(Refused):
    """More than the limit in bytes or characters."""

    code = "too_large"
    status = 413


class TypeRefused(Refused):
    """A file of a kind that is not taken."""

    code = "type_refused"
    status = 415


class RateLimited(Refused):
    """Too many in too short a time; try again after `retry_after_s`."""

    code = "rate_limited"
    status = 429

    def __init__(self, retry_after_s: float = 1.0) -> None:
        super().__init__("Too many requests. Try again in a moment.")
        self.retry_after_s = retry_after_s


class Closed(Refused):
    """The interaction has ended, or the queue is closed."""

    code = "closed"
    status = 409


class Unavailable(HubError):
    """The database or another part is out of reach for a moment."""

    code = "unavailable"
    status = 503


class ChannelError(HubError):
    """A provider, or the line to it."""

    code = "channel_error"
    status = 502


class ChannelUnavailable(ChannelError):
    """It cannot be reached, or asks to come back later."""

    code = "channel_unavailable"

    def __init__(self, text: str, retry_after_s: float | None = None, status: str = "") -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s
        self.reply_status = status


class MessageRejected(ChannelError):
    """The provider takes this message never; `reply_status` is its code, the text its words.

    `refused` says so of each recipient, where the provider did.
    """

    code = "message_rejected"

    def __init__(self, text: str, status: str = "", refused: tuple[Refusal, ...] = ()) -> None:
        super().__init__(text)
        self.reply_status = status
        self.refused = refused


class RecipientOptedOut(MessageRejected):
    """The recipient told the provider that they want no more messages of this sender."""

    code = "recipient_opted_out"


class DeliveryUncertain(ChannelError):
    """The line broke after the message was handed over and before the provider said that it has it."""

    code = "delivery_uncertain"


class PayloadUnreadable(HubError):
    """What arrived cannot be read; it stays as it came and can be read again."""

    code = "payload_unreadable"
    status = 400
