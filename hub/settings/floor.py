"""The company's own words: queues, skills, agents, hours, outcomes, replies. All can live in git as files.

Tables are keyed by id: `[queues.billing]`. Texts for people are keyed by language: `{ en = "Lunch", zh = "午休" }`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hub.settings.sections import (
    CallSettings,
    Capacity,
    Demo,
    Flows,
    Handling,
    Kind,
    Letters,
    Limits,
    Offers,
    Presence,
    Seconds,
    Section,
    Server,
    SignIn,
    Some,
    SomeSeconds,
    default_kinds,
)
from hub.settings.values import Secret

Level = Annotated[int, Meta(ge=1, le=5)]
Texts = Mapping[str, str]
ServiceLevel = Literal[
    "answered_of_offered_less_short", "answered_of_offered", "answered_of_answered", "answered_and_abandoned_in_time"
]
Hex = Annotated[str, Meta(pattern="^(#[0-9a-fA-F]{6})?$")]


class Company(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers, in which languages, where."""

    name: str = "Our company"
    """Shown to customers and staff."""
    languages: tuple[str, ...] = ("en",)
    """Languages customers are served in; texts need each of them, else customers see the default one."""
    default_language: str = "en"
    """For customers whose language is not served or not known."""
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "US"
    """Phone numbers without a country code are read as this country's. Wrong, and the same caller becomes two
    customers."""
    zone: str = "UTC"
    """Time zone of opening hours and of "today" in figures, such as `Europe/Berlin`. Wrong, and the hub closes at the
    wrong hour twice a year or every day."""


class Hours(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opening hours: "09:00-12:30" in local time; a closing time not after the opening lies on the next day."""

    id: str = ""
    zone: str = ""
    """Time zone; empty: the company's."""
    week: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """`monday` .. `sunday` -> spans, several a day are fine. A day not named is closed."""
    days: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Holidays and special days: date -> spans that replace the weekday's; none is closed."""


class WayOut(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an interaction goes that is not served by waiting on."""

    kind: Literal["callback", "voicemail", "form", "message", "queue", "flow", "end"]
    target: str = ""
    """What the kind needs: a queue's id, a flow's id, a text's name."""


class Group(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of agents that serves a queue."""

    id: str
    rank: int = 0
    """Lower is asked first."""
    delay_s: Seconds = 0.0
    """Asked only after this wait: 0 makes the group equal, long delays leave customers waiting beside free agents."""


class Relax(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What loosens once an interaction has waited; steps add up."""

    after_s: Seconds
    lower_levels_by: Annotated[int, Meta(ge=0, le=4)] = 0
    drop_skills: tuple[str, ...] = ()
    add_groups: tuple[Group, ...] = ()
    add_queues: tuple[str, ...] = ()
    any_language: bool = False
    way_out: WayOut | None = None


class Reservation(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep agents free for better customers; it gives way to whoever has waited `until_waited_s`."""

    keep_free: Some = 1
    for_value_at_least: Some = 2
    until_waited_s: Seconds = 20.0


class QueueSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One queue. What routing decides by has the names of `routing.policy.QueuePolicy`, in seconds."""

    id: str = ""
    name: str = ""
    """Shown to staff and customers; empty: the id."""
    color: Hex = ""
    """`#rrggbb`, on the board and the cards; empty: chosen from the id."""
    language: str = ""
    """For customers whose language is not known; empty: the company's."""
    target_s: SomeSeconds = 60.0
    """Answered within this is in time: the usual is 20 for calls, 60 for chats, 14400 for mail. It also weighs in the
    order: half the target is four times the urgency."""
    target_share: Annotated[float, Meta(gt=0, le=1)] = 0.8
    """The share that should be in time; colours the board. 1.0 needs idle agents all day."""
    service_level: ServiceLevel = "answered_of_offered_less_short"
    """The formula behind the figure; its name travels with the number, for two formulas differ by 20 points."""
    profile: Literal["in_time_first", "generalized_cmu", "strict_priority", "first_come"] = "in_time_first"
    """How interactions compete for an agent (docs: routing)."""
    agent_order: Literal["least_flexible", "longest_idle", "least_loaded", "most_skilled", "fastest", "round_robin"] = (
        "least_flexible"
    )
    """Which of several free agents is asked. `longest_idle` feels fair and wastes rare skills on easy work."""
    long_wait_factor: Annotated[int, Meta(ge=1, le=100)] = 3
    """Who has waited this many targets goes first. High, and the figure looks good while some wait for ever."""
    skills: Mapping[str, Level] = msgspec.field(default_factory=dict)
    """Skills an agent needs, with the least level."""
    groups: tuple[Group, ...] = ()
    """Groups of agents that serve it; none: everybody whose own `queues` allow it."""
    relax: tuple[Relax, ...] = ()
    """What loosens as the wait grows."""
    max_wait_s: SomeSeconds | None = None
    """Beyond this wait the customer takes `when_waited`. None: waits on."""
    when_waited: WayOut | None = None
    max_length: Some | None = None
    """How many may wait; the next takes `when_full`. None: any number. Short turns customers away on a busy morning."""
    when_full: WayOut | None = None
    when_nobody: WayOut | None = None
    """Nobody who serves the queue is signed in. None: it waits."""
    when_unable: WayOut | None = None
    """None of those signed in could take it. None: it waits."""
    hours: str = ""
    """Opening hours by id; empty: always open."""
    when_closed: WayOut | None = None
    """Came while closed. None: it waits for opening."""
    work_off_after_close: bool = True
    """Whoever came in time is served after closing. Off: they are sent away at the stroke."""
    count_closed_wait: bool = True
    """Closed hours count as waiting, so that Monday begins with Friday's."""
    sticky_s: Seconds = 0.0
    """How long the agent who knows the customer is waited for. Long: acquaintance at the price of the wait."""
    only_agent_s: SomeSeconds = 300.0
    """How long work addressed to one agent waits for them before others may take it."""
    offer_timeout_s: SomeSeconds | None = None
    """In place of the channel kind's."""
    offers_at_once: Annotated[int, Meta(ge=1, le=10)] = 1
    """Agents offered the same interaction at once. More is quicker, and teaches people that others will take it."""
    auto_accept: bool | None = None
    """In place of the channel kind's."""
    pull_allowed: bool = False
    """Agents may pick from the list. On: the easy ones go first."""
    records_calls: bool = True
    """On a line that records. Off: what is said while this queue has the call is never recorded."""
    reservation: Reservation | None = None
    wrap_up_s: Seconds | None = None
    """In place of `handling.wrap_up_s`."""

    def __post_init__(self) -> None:
        if not self.name:
            msgspec.structs.force_setattr(self, "name", self.id)


class AgentSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One member of staff kept as configuration; those made by `hub user add` live in the database alone."""

    id: str = ""
    name: str
    email: str
    role: Literal["agent", "supervisor", "admin"] = "agent"
    queues: tuple[str, ...] | None = None
    """Queues they serve; None: every queue whose groups and skills let them in. None at all: an empty list."""
    groups: tuple[str, ...] = ()
    skills: Mapping[str, Level] = msgspec.field(default_factory=dict)
    """Skill -> level 1 (helps in need) to 5 (teaches others)."""
    languages: tuple[str, ...] = ()
    """Languages they answer in; empty: the company's default language."""
    kinds: tuple[str, ...] | None = None
    """Channel kinds they take; None: all."""
    capacity: Some | None = None
    """Units; None: `capacity.agent_units`."""
    units: Mapping[str, Some] = msgspec.field(default_factory=dict)
    """Channel kind -> units one costs this agent, where it differs."""
    speed: Annotated[float, Meta(gt=0)] = 1.0
    """1.0 is average, more is quicker; used by the agent order `fastest` alone."""
    phone: str = ""
    """Number (+15005550006) or SIP address (sip:ann@pbx.example) that rings for calls; empty: their browser."""
    signature: str = ""
    """Below the letters they write, after the mailbox's own. Empty: what they set themselves stays."""


class ChannelSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One configured way in and out. All keys that are not named here go to the channel's constructor as they are."""

    id: str
    kind: str
    skills: Mapping[str, Level] = msgspec.field(default_factory=dict)
    """Skills an agent needs for what comes in by it, besides those of the queue."""
    any_of: tuple[Mapping[str, Level], ...] = ()
    """Choices of skills: of each, one is enough."""
    best_skills: tuple[str, ...] = ()
    """Of those who may take it, who is best in these is asked first."""
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Disposition(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One outcome an agent can choose in wrap-up."""

    id: str = ""
    label: Texts
    queues: tuple[str, ...] = ()
    """Queues that offer it; none: all."""


class AwayReason(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reason for being away."""

    id: str = ""
    label: Texts


class CannedReply(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reply kept ready. `{{customer}}` and `{{agent}}` stand for names."""

    id: str = ""
    shortcut: str
    """Typed after a slash."""
    title: Texts
    text: Texts
    queues: tuple[str, ...] = ()
    """Queues that offer it; none: all."""


class Service(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the company's systems that flows may look things up in."""

    id: str = ""
    url: str
    """Where it is, with the path before the flows' own: `https://erp.example.com/api`."""
    header: str = "Authorization"
    """The header that carries the secret."""
    secret: Secret | None = None
    """Sent with every look-up, by `env:NAME` or `file:PATH`; flows never see it."""
    allow_private: bool = False
    """It may be inside the company's network, and spoken to without https. Off, such an address is refused."""


class Tier(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value tier: how much a customer is worth to the company."""

    id: str = ""
    label: Texts
    value: Annotated[int, Meta(ge=1, le=1000)] = 1
    """Weight in the queue's order: 1 ordinary; at 10 ordinary customers wait for ever on a busy day."""


class Settings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the hub is configured with. Read once at start and handed down."""

    server: Server = msgspec.field(default_factory=Server)
    company: Company = msgspec.field(default_factory=Company)
    offers: Offers = msgspec.field(default_factory=Offers)
    handling: Handling = msgspec.field(default_factory=Handling)
    letters: Letters = msgspec.field(default_factory=Letters)
    presence: Presence = msgspec.field(default_factory=Presence)
    capacity: Capacity = msgspec.field(default_factory=Capacity)
    calls: CallSettings = msgspec.field(default_factory=CallSettings)
    kinds: Mapping[str, Kind] = msgspec.field(default_factory=default_kinds)
    sign_in: SignIn = msgspec.field(default_factory=SignIn)
    limits: Limits = msgspec.field(default_factory=Limits)
    demo: Demo = msgspec.field(default_factory=Demo)
    flows: Flows = msgspec.field(default_factory=Flows)
    skills: tuple[str, ...] = ()
    """All skills there are. Empty: any name is taken, and a misspelt one makes a queue nobody can serve."""
    hours: Mapping[str, Hours] = msgspec.field(default_factory=dict)
    tiers: Mapping[str, Tier] = msgspec.field(default_factory=dict)
    queues: Mapping[str, QueueSettings] = msgspec.field(default_factory=dict)
    agents: Mapping[str, AgentSettings] = msgspec.field(default_factory=dict)
    channels: Mapping[str, ChannelSettings] = msgspec.field(default_factory=dict)
    dispositions: Mapping[str, Disposition] = msgspec.field(default_factory=dict)
    away_reasons: Mapping[str, AwayReason] = msgspec.field(default_factory=dict)
    canned_replies: Mapping[str, CannedReply] = msgspec.field(default_factory=dict)
    services: Mapping[str, Service] = msgspec.field(default_factory=dict)

    def kind(self, name: str) -> Kind:
        """Return what an interaction of this channel kind costs; a kind not configured costs what a chat does."""
        return self.kinds.get(name) or self.kinds["chat"]

    def text(self, texts: Texts, language: str) -> str:
        """Return the text in this language, else in the company's default, else in any."""
        wanted = (language, language.partition("-")[0], self.company.default_language)
        return next((texts[name] for name in wanted if name in texts), next(iter(texts.values()), ""))
