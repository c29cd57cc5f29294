"""The technical sections of the settings: the server, its limits, how offers and presence are timed.

Every comment says what goes wrong on either side of the value. Durations end in `_s` and are seconds.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hub.settings.values import Secret

Seconds = Annotated[float, Meta(ge=0)]
SomeSeconds = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=0)]
Some = Annotated[int, Meta(ge=1)]

MIB = 1024 * 1024
UPLOAD_TYPES = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".txt", ".csv"),
    *(".docx", ".xlsx", ".pptx", ".mp3", ".ogg", ".wav", ".mp4", ".eml"),
)


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common manners of all sections: frozen, by keyword, an unknown key is an error."""


class Flows(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Self-service flows."""

    folder: Path | None = None
    """Folder of the flows' files. None: those that come with the hub, which name the queues of its demo."""
    embeddings: Path | None = None
    """Folder of a sentence encoder (`model.onnx`, `tokenizer.json`) by which what customers say is compared with
    choices beside its words: "I relocated" for "Change of address". Wants the extra `embeddings`, some 5 ms of
    processor time a sentence, and its model's memory. None: words and synonyms alone."""
    embeddings_languages: tuple[str, ...] = ()
    """Languages that the model knows; others are compared by words. Empty: all. A model asked about a language it
    never read finds likenesses where there are none."""
    sends_per_day: Count = 5
    """Messages on another channel that flows send to one customer, and to one address, in 24 hours; 0: none at all.
    Many let a stranger have somebody pestered in the company's name."""
    sends_per_hour: Some = 200
    """Messages that flows send by one channel in an hour; further ones are held back. Few keep customers of a busy hour
    without theirs; many let somebody who opens chat after chat run up the carrier's bill."""


class Server(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the hub listens, keeps its data and writes its log."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback is reached only from this machine (and a proxy on it); 0.0.0.0 from everywhere,
    which wants `public_url` with https and a proxy in front that holds the certificate."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    """Port to listen on; 0 takes a free one, which only tests want. Below 1024 the hub would have to run as root."""
    public_url: str = ""
    """The address people type, without a path: sign-in, links and allowed origins are checked against it. Wrong, and
    every browser is refused with 403. Empty: http://HOST:PORT, right on one's own machine only."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) whose X-Forwarded-For is believed. Too few: all visitors look like the proxy and share its
    limits. Too many: a visitor writes the header and escapes every limit."""
    metrics_from: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks (CIDR) that may read /metrics; to everybody else there is no such page. Without the collector's, nothing
    is measured; with 0.0.0.0/0, the whole world sees how busy you are."""
    secret_key: Secret | None = None
    """Signs links and visitor tokens; at least 32 random characters, by `env:NAME` or `file:PATH`. Changed, all
    visitors and file links must begin anew; known to others, they can forge them. The demo makes its own."""
    data_dir: Path = Path("var")
    """Folder of the SQLite file and the uploads, outside every web root. In a container it must be a volume, or all is
    lost with it. Several hubs on one database share one: else they could not read each other's mail."""
    database_url: Secret = Secret("")
    """`sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`. Empty: hub.db in `data_dir`. One SQLite file serves
    one hub; several hubs need PostgreSQL."""
    redis_url: Secret | None = None
    """`redis://HOST`, needed by several hubs to ring each other's doorbell. One hub is quicker without."""
    log_format: Literal["text", "json"] = "text"
    """`text` for people at a terminal, `json` for a log store; a store cannot search the fields of text."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """`debug` shows addresses and fills disks; at `warning` nobody can tell afterwards what an interaction went
    through."""
    shutdown_s: SomeSeconds = 10.0
    """How long a stopping hub finishes what it began. Below 3 s replies are cut off (what was acknowledged is safe);
    beyond the supervisor's own limit (30 s in Kubernetes, 90 s in systemd) it is killed anyway."""

    def __post_init__(self) -> None:
        if not self.database_url:
            msgspec.structs.force_setattr(self, "database_url", Secret(f"sqlite:///{self.data_dir}/hub.db"))
        if not self.public_url:
            msgspec.structs.force_setattr(self, "public_url", f"http://{_in_url(self.host)}:{self.port}")


class Kind(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one interaction of a channel kind costs an agent, and how it is offered."""

    units: Annotated[int, Meta(ge=1, le=1000)] = 100
    """Units of an agent's capacity that one takes. Too few: agents drown and answers slow; too many: idle hands while
    customers wait."""
    offer_timeout_s: SomeSeconds = 20.0
    """How long an agent may look at an offer. Below 10 s people miss it; far above 30 s customers of live
    channels leave."""
    may_be_interrupted_by: tuple[str, ...] = ()
    """Channel kinds offered although this work fills the agent. Empty: a call waits for mail to be finished; too many:
    people never finish anything."""
    pack: bool = True
    """Fill agents who have some of this work before starting on idle ones. Off, chats are smeared over everybody and
    no agent stays whole for a call."""
    auto_accept: bool = False
    """Accept for the agent. On, nobody looks away unnoticed, and customers talk to empty chairs."""


class CallSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Phone calls: how long lines are waited for, and what happens when they are lost."""

    connect_s: Annotated[float, Meta(ge=5, le=600)] = 20.0
    """How long a phone rings: an agent's once they have accepted, a customer's when we call. Below 15 s nobody gets to
    a desk phone; above 30 s voice boxes answer."""
    reattach_s: SomeSeconds = 20.0
    """How long a caller is kept for an agent whose line was lost. Below 10 s no browser is back; above 30 s another
    colleague would have been quicker."""
    callback_tries: Some = 3
    """How often a customer who does not answer is called back."""
    callback_again_s: SomeSeconds = 1800.0
    """How long after an unanswered callback it is tried again. Minutes annoy, days break the promise."""
    recording_days: Count = 0
    """Days that the sound of calls and of messages left on the phone is kept, here and at the provider; 0: for ever.
    The conversation says that there was some."""
    reconcile_s: SomeSeconds = 15.0
    """How often open calls are compared with the carrier's own list. Rarely: ghosts hold agents; all the time: the
    carrier's limits are spent on questions."""


class Capacity(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much work an agent holds at once."""

    agent_units: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Units of an agent who has no figure of their own; the costs in `kinds` are shares of it."""


class Offers(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How work is proposed to agents and what happens when it is not taken."""

    misses_until_not_responding: Some = 2
    """Offers missed in a row until no more are made. At 1 a sip of coffee takes an agent out of rotation; above 3 every
    customer in line pays another full timeout for an empty chair."""
    agent_back_off_s: Mapping[str, Seconds] = msgspec.field(
        default_factory=lambda: {
            "rejected": 0.0,
            "timed_out": 5.0,
            "busy": 10.0,
            "failed": 5.0,
            "capacity_changed": 1.0,
        }
    )
    """Pause of an agent by how the last offer ended. Without it an absent agent's misses come in a row at once; long
    pauses take hands away that are needed."""
    same_agent_again_s: Mapping[str, Seconds] = msgspec.field(
        default_factory=lambda: {
            "rejected": 60.0,
            "timed_out": 60.0,
            "busy": 10.0,
            "failed": 5.0,
            "agent_lost": 5.0,
            "supervisor": 60.0,
        }
    )
    """How long an interaction is kept from the agent who did not take it. Short: ping-pong with one agent; long: nobody
    is left to offer it to."""
    nobody_grace_s: Seconds = 15.0
    """How long a queue may be without any able agent before those waiting flow out. Shorter than a browser's reload
    empties the queue; long keeps customers in a line nobody serves."""
    sweep_s: SomeSeconds = 1.0
    """How often everything waiting is looked at besides the events that should have moved it. A safety net: longer and
    an unforeseen stall lasts as long, shorter only warms the machine."""
    short_abandon_s: Seconds = 5.0
    """Who leaves sooner is counted apart and does not hurt the service level. 0 punishes for wrong numbers; beyond 10 s
    the figure hides customers who gave up."""


class Handling(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Work with a customer and after one."""

    wrap_up_s: Seconds = 60.0
    """Time for notes and the outcome once the customer left; a queue may have its own. 0 gives notes nobody wrote; long
    hides idle time."""
    wrap_up_extend_s: SomeSeconds = 60.0
    """What one press of "more time" adds."""
    wrap_up_extensions: Count = 3
    """How often it may be pressed. 0 closes on people who are writing; many make wrap-up a break room."""


class Letters(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Letters: what agents write in channels with envelopes, and how it is sent."""

    undo_s: Seconds = 10.0
    """How long a letter waits before it goes, so that it can be taken back. 0 sends what people regret a second later;
    long makes them wonder whether it works."""
    message_chars: Some = 50_000
    """Longest letter. Shorter cuts detailed answers; much longer belongs in a file."""
    recipients: Some = 50
    """Recipients of one letter, copies included. Many make the mailbox look like a sender of bulk mail."""
    files_bytes: Some = 20 * MIB
    """All files of one letter. In transport they grow by a third, and most providers refuse more than 25 MB."""
    schedule_days: Some = 90
    """How far ahead a letter may be scheduled. What is promised for next year is forgotten by then."""
    raw_days: Count = 90
    """Days that letters are kept as they arrived, beside what was read of them; 0: for ever. Few leave nothing to read
    again when a reader gets better; many fill the disk, with words that somebody may have asked to forget. What could
    not be read stays until somebody has looked at it."""
    retry_first_s: SomeSeconds = 60.0
    """Wait before a letter that the provider put off is tried again; doubled each time. Short annoys servers that ask
    to come later; long delays answers for a hiccup."""
    retry_longest_s: SomeSeconds = 14_400.0
    """Longest wait between two tries."""
    give_up_s: SomeSeconds = 172_800.0
    """A letter that could not be sent for this long is given up and shown to the agent. Short loses to a weekend's
    outage; long lets the agent believe that it was sent."""
    lease_s: SomeSeconds = 120.0
    """How long one node may be silent about a letter that it is sending before another takes over."""
    acknowledgements_per_day: Count = 1
    """Automatic acknowledgements to one address in a day; 0: none at all. More feeds loops with other machines."""
    acknowledgements_per_thread: Count = 3
    """Automatic acknowledgements in one exchange, follow-ups included."""
    flow_letters_per_day: Count = 20
    """Letters of self-service flows to one address in a day; 0: none at all, all mail is left to people. A whole
    conversation takes up to ten; more than two of them feed loops with machines that do not say what they are."""


class Presence(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the hub tells whether an agent's browser is there; each must be longer than the one before."""

    heartbeat_s: SomeSeconds = 15.0
    """How often the console says it is alive. Browsers slow the timers of hidden tabs to one a minute at worst, but
    keep open sockets answering: shorter only costs traffic."""
    grace_s: SomeSeconds = 30.0
    """Silence after which no new work is offered. Shorter than a reload on a slow line makes agents flicker."""
    lost_s: SomeSeconds = 45.0
    """Silence after which the agent's work goes back to the head of its queue. Shorter tears chats from agents who
    drive through a tunnel; longer leaves customers with nobody."""


class SignIn(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sessions of staff and the brake on guessing passwords."""

    session_s: SomeSeconds = 43_200.0
    """A session's longest life. Longer than a shift leaves keys in borrowed machines; shorter signs people out
    in mid-call."""
    idle_s: SomeSeconds = 3_600.0
    """A session unused this long ends. An open console counts as use."""
    tries_per_account: Some = 5
    """Wrong passwords for one account in `window_s` before answers slow down. Few annoy typists, many help guessers."""
    tries_per_address: Some = 20
    """The same for one network address, which a whole office may share."""
    window_s: SomeSeconds = 900.0
    """The time over which wrong passwords are counted."""


class Limits(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one visitor, one address or one frame may ask of the hub."""

    message_chars: Some = 4000
    """Longest message either way. Shorter cuts real complaints in two; much longer is pasted logs and attacks."""
    visitor_upload_bytes: Some = 10 * MIB
    """Largest file of a visitor; a photo of a modern phone has 3 to 8 MB."""
    visitor_upload_bytes_per_day: Some = 50 * MIB
    """All files of one visitor in a day. Without it one visitor fills the disk."""
    staff_upload_bytes: Some = 25 * MIB
    """Largest file of an agent; above this mail providers refuse it anyway."""
    upload_types: tuple[str, ...] = UPLOAD_TYPES
    """Endings that are taken, checked against the content. Never .html or .svg: they run scripts in the reader's
    browser."""
    file_link_s: SomeSeconds = 600.0
    """How long a signed link to a file works. Short: it dies while the page is read; long: a leaked link lives on."""
    visitor_messages_per_day: Some = 300
    """Messages of one visitor in a day; people write fewer than 100."""
    letters_per_sender_per_hour: Some = 20
    """Interactions that one address opens by letters in an hour; further ones are put into its latest open one. Lower
    mixes up what a partner's system sends, higher buries a queue under a loop of two machines."""
    visitor_idle_days: Some = 30
    """A visitor's token unused this long is forgotten: longer follows people around, shorter loses their thread."""
    chats_per_address_per_hour: Some = 10
    """Chats begun from one network address (IPv6: /64) in an hour. Offices share an address: too low shuts them out."""
    visitor_events_per_s: SomeSeconds = 2.0
    """Events a visitor's socket may send steadily; faster than people type is a program."""
    visitor_events_burst: Some = 10
    """Events it may send at once, such as all that waited while the line was lost."""
    staff_events_per_s: SomeSeconds = 20.0
    """Events a console may send steadily."""
    staff_events_burst: Some = 40
    """Events it may send at once."""
    sockets_per_visitor: Some = 5
    """Open tabs of one visitor."""
    sockets_per_address: Some = 20
    """Visitors' sockets from one network address. Offices share one; an attacker has it alone."""
    sockets_per_agent: Some = 6
    """Open consoles of one agent."""
    connections_per_address: Some = 50
    """Requests of one network address being answered at once. Offices share an address; more is somebody who holds
    connections open on purpose."""
    visitor_frame_bytes: Some = 16_384
    """Largest frame a visitor's socket may send: a message of 4000 characters takes up to 16,000 bytes."""
    staff_frame_bytes: Some = 65_536
    """Largest frame a console may send."""
    request_bytes: Some = 65_536
    """Largest body of an HTTP request that is no upload."""
    connect_s: SomeSeconds = 5.0
    """How long a socket may be open without saying who it is. Longer lets strangers hold memory."""


class Demo(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The demo: who one-click sign-in signs in as, and how many simulated visitors come. `hub serve` ignores it."""

    agent: str = "ann"
    """Agent behind the button "agent"."""
    agent2: str = "bob"
    """Agent behind the button "second agent"."""
    supervisor: str = "sue"
    """Agent behind the button "supervisor"."""
    admin: str = "ada"
    """Agent behind the button "admin"."""
    visitors_per_minute: Annotated[float, Meta(ge=0, le=600)] = 6.0
    """Simulated visitors that come. 0: quiet; above 60 two people at the consoles see only a flood."""
    phone_lines: tuple[str, ...] = ()
    """Channels of the kinds `voice` and `sms` that the demo's own carrier serves, without an account. Others reach a
    real one."""
    callers_per_minute: Annotated[float, Meta(ge=0, le=60)] = 1.0
    """Simulated callers that ring. Calls take minutes: above 4 they wait in a long line."""
    texters_per_minute: Annotated[float, Meta(ge=0, le=60)] = 1.0
    """Simulated people who text. 0: none."""
    mailbox: str = ""
    """Channel whose mail server the demo plays itself, on the ports of its block. Empty: no letters."""
    letters_per_minute: Annotated[float, Meta(ge=0, le=60)] = 1.0
    """Simulated letters that come. 0: none."""


def default_kinds() -> Mapping[str, Kind]:
    """Return the channel kinds the hub knows by itself; a configuration changes single keys or adds kinds."""
    return {
        "voice": Kind(units=100, offer_timeout_s=20.0),
        "chat": Kind(units=25, offer_timeout_s=30.0),
        "email": Kind(units=20, offer_timeout_s=300.0, may_be_interrupted_by=("voice",)),
    }


def _in_url(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared with, not bound to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
