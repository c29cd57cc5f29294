"""The customer's account with the carrier: credentials, numbers, applications, limits."""

from dataclasses import dataclass, field
from typing import Final

from channels.simulator.carrier.sids import is_sid

API_VERSION: Final = "2010-04-01"


@dataclass(frozen=True, slots=True)
class Hook:
    """An address the carrier calls, and how. A fragment may hold connection settings; it is never sent."""

    url: str
    method: str = "POST"

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self.url)


NOWHERE: Final = Hook("")
"""No address."""


@dataclass(slots=True, kw_only=True)
class Number:
    """A telephone number of the account and what happens when it is called or written to."""

    phone_number: str
    sid: str = ""
    friendly_name: str = ""
    voice: Hook = NOWHERE
    voice_fallback: Hook = NOWHERE
    status_callback: Hook = NOWHERE
    sms: Hook = NOWHERE
    sms_fallback: Hook = NOWHERE
    voice_application_sid: str = ""
    can_talk: bool = True
    can_write: bool = True


@dataclass(slots=True, kw_only=True)
class Application:
    """Addresses under one name, as softphones use them."""

    sid: str
    friendly_name: str = ""
    voice: Hook = NOWHERE
    voice_fallback: Hook = NOWHERE
    status_callback: Hook = NOWHERE
    sms: Hook = NOWHERE
    message_status: Hook = NOWHERE


@dataclass(slots=True, kw_only=True)
class MessagingService:
    """A pool of senders under one name."""

    sid: str
    senders: tuple[str, ...] = ()
    status_callback: Hook = NOWHERE
    inbound: Hook = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """What the account may do."""

    calls_per_s: float = 1.0
    """Calls begun by REST a second; more are queued, as the provider does. Raise it for floors with many agents."""
    max_queued_calls: int = 10_000
    """Calls that may wait for their turn; beyond it requests are refused with 429."""
    requests_per_s: float = 100.0
    """REST requests a second for long; beyond it they are refused with 429 and Retry-After."""
    request_burst: int = 200
    """REST requests at once, after a quiet time."""
    webhook_timeout_s: float = 15.0
    """How long a webhook may take in all."""
    connect_timeout_s: float = 5.0
    """How long its connection may take."""
    must_own_numbers: bool = True
    """Whether caller ids and senders must be the account's own or verified. Off is no honest carrier."""
    closed_countries: frozenset[str] = frozenset()
    """Countries that no message may be sent to (ISO 3166, two letters)."""


@dataclass(slots=True, kw_only=True)
class Account:
    """One customer's account. `api_keys` are key sid -> secret; they open the REST interface and sign access tokens."""

    sid: str
    auth_token: str
    friendly_name: str = "Simulated account"
    api_keys: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Number] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    services: dict[str, MessagingService] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    """Wordings agreed beforehand, by the sid of their content; `{{1}}` and so on stand for what is filled in."""
    verified: set[str] = field(default_factory=set)
    secondary_token: str = ""
    """A second token that is accepted while the first is being changed; nothing is signed with it."""
    signing_key: tuple[str, str] | None = None
    """Name and secret of a shared key: webhooks are then signed with it, by SHA-256, and say so in a header."""
    limits: AccountLimits = AccountLimits()

    def __post_init__(self) -> None:
        """Refuse what the provider would never have given out."""
        if not is_sid(self.sid, "AC"):
            raise ValueError("an account's sid is AC and 32 hexadecimal digits")

    def owns(self, number: str) -> bool:
        """Whether a number may stand as caller id."""
        return number in self.numbers or number in self.verified or not self.limits.must_own_numbers

    def accepts(self, user: str, password: str) -> bool:
        """Whether these credentials open the REST interface."""
        tokens = {self.auth_token, self.secondary_token} - {""}
        return (user == self.sid and password in tokens) or self.api_keys.get(user, "") == password != ""
