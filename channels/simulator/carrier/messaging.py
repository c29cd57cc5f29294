"""Messages: SMS with pictures and WhatsApp, out and in, with delivery reports, opt-out and the 24-hour window."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

from channels._segments import segments
from channels.simulator.carrier.account import API_VERSION, NOWHERE, Hook, Number
from channels.simulator.carrier.plant import keep
from channels.simulator.carrier.switch import Switch
from channels.simulator.carrier.twiml import Node, read
from channels.simulator.carrier.webhooks import LARGEST_SOUND, Answer, flattened
from hub.clock import Instant, utc

Status = Literal[
    "accepted",
    "queued",
    "sending",
    "sent",
    "delivered",
    "undelivered",
    "failed",
    "read",
    "receiving",
    "received",
    "canceled",
    "scheduled",
]
RANK: Final[dict[str, int]] = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "delivered": 4,
    "read": 5,
    "undelivered": 6,
    "failed": 6,
    "canceled": 6,
    "receiving": 0,
    "received": 6,
}
REPORTED: Final = frozenset({"accepted", "queued", "sending", "sent", "delivered", "undelivered", "failed", "read"})
STOP_WORDS: Final = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
START_WORDS: Final = frozenset({"start", "yes", "unstop"})
HELP_WORDS: Final = frozenset({"help", "info"})
WINDOW_MS: Final = 24 * 3600 * 1000
LONGEST: Final = 1600
MOST_MEDIA: Final = 10
STEP_S: Final = 0.5
LARGEST_MEDIA: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or file of a message."""

    sid: str
    content_type: str
    body: bytes
    key: str
    """The random part of the address where it can be had without credentials."""


@dataclass(slots=True, kw_only=True)
class Message:
    """One message."""

    sid: str
    to: str
    from_: str
    body: str
    direction: Literal["inbound", "outbound-api", "outbound-reply"]
    status: Status
    created_at: Instant
    updated_at: Instant = 0
    sent_at: Instant | None = None
    service_sid: str = ""
    segments: int = 1
    media: list[Media] = field(default_factory=list)
    error_code: int | None = None
    is_template: bool = False
    progress: Hook = NOWHERE

    @property
    def is_over(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status in {"delivered", "read", "undelivered", "failed", "received", "canceled"}

    @property
    def is_whatsapp(self) -> bool:
        """Whether it travels by WhatsApp."""
        return self.to.startswith("whatsapp:")


class Inbox(Protocol):
    """Somebody's telephone, as far as messages go."""

    def received(self, message: Message) -> None:
        """A message has arrived."""

    def failure(self, message: Message) -> int:
        """Return the provider's number for why this message cannot be delivered, 0 when it can."""


class Handset:
    """A telephone that keeps what it is sent. `refuses` is the number of the reason why nothing can be delivered."""

    def __init__(self, *, refuses: int = 0, reads_after_s: float | None = None) -> None:
        self.refuses = refuses
        self.reads_after_s = reads_after_s
        self.messages: list[Message] = []

    def received(self, message: Message) -> None:
        """Keep it."""
        self.messages.append(message)

    def failure(self, _message: Message) -> int:
        """Return why it cannot be delivered."""
        return self.refuses


class Post:
    """All messages, and what happens to each."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.base_url = ""
        self.messages: dict[str, Message] = {}
        self.handsets: dict[str, Inbox] = {}
        self.opted_out: set[tuple[str, str]] = set()
        self._media: dict[str, Media] = {}
        self._written_at: dict[tuple[str, str], Instant] = {}

    def handset(self, number: str) -> Handset:
        """Return the telephone at a number, a new one when there is none."""
        known = self.handsets.get(number)
        if isinstance(known, Handset):
            return known
        self.handsets[number] = made = Handset()
        return made

    def media(self, key: str) -> Media | None:
        """Return a file by the random part of its address."""
        return self._media.get(key)

    # -- out

    def send(self, message: Message, media_urls: Sequence[str] = ()) -> None:
        """Take a message on its way; it goes by itself from here on."""
        message.updated_at = self.switch.now()
        message.segments = segments(message.body).count
        keep(self.messages, message.sid, message)
        self._report(message)
        self.switch.spawn(self._travel(message, media_urls), f"message {message.sid}")

    async def _travel(self, message: Message, media_urls: Sequence[str]) -> None:
        timers = self.switch.timers
        await timers.sleep(STEP_S)
        if message.status == "accepted":
            self._move(message, "queued")
            await timers.sleep(STEP_S)
        if message.status == "canceled":
            return
        if not await self._fetch_media(message, media_urls):
            self._fail(message, "failed", 12300)
            return
        failure = self._failure(message)
        if failure in {21610, 63016, 30007}:
            self._fail(message, "failed" if failure != 30007 else "undelivered", failure)
            return
        self._move(message, "sending")
        await timers.sleep(STEP_S)
        message.sent_at = self.switch.now()
        self._move(message, "sent")
        await timers.sleep(STEP_S * 2)
        if failure:
            self._fail(message, "undelivered", failure)
            return
        inbox = self.handsets.get(message.to) or self.handset(message.to)
        inbox.received(message)
        self._move(message, "delivered")
        if message.is_whatsapp and isinstance(inbox, Handset) and inbox.reads_after_s is not None:
            await timers.sleep(inbox.reads_after_s)
            self.looked_at(message)

    def looked_at(self, message: Message) -> None:
        """Whoever got a message has seen it; only WhatsApp tells the sender."""
        if message.is_whatsapp and message.status == "delivered":
            self._move(message, "read")

    def _failure(self, message: Message) -> int:
        pair = (message.from_, message.to)
        if pair in self.opted_out:
            return 21610
        written_at = self._written_at.get(pair)
        is_late = written_at is None or self.switch.now() - written_at > WINDOW_MS
        if message.is_whatsapp and is_late and not message.is_template:
            return 63016
        inbox = self.handsets.get(message.to)
        return inbox.failure(message) if inbox is not None else 0

    async def _fetch_media(self, message: Message, urls: Sequence[str]) -> bool:
        for url in urls:
            answer = await self.switch.webhooks.fetch("message", Hook(url, "GET"), [], largest=LARGEST_SOUND)
            if answer.error or len(answer.body) > LARGEST_MEDIA:
                self.switch.note(answer.error or 11750, "media of a message", sid=message.sid, url=url)
                return False
            kind = answer.content_type.partition(";")[0].strip() or "application/octet-stream"
            self.attach(message, kind, answer.body)
        return True

    def attach(self, message: Message, content_type: str, body: bytes) -> Media:
        """Add a file to a message."""
        media = Media(self.switch.sids.new("ME"), content_type, body, self.switch.sids.new("ME")[2:])
        message.media.append(media)
        keep(self._media, media.key, media)
        return media

    # -- in

    async def receive(
        self,
        number: Number,
        from_: str,
        body: str,
        *,
        to: str = "",
        media: Sequence[tuple[str, bytes]] = (),
        profile: str = "",
    ) -> Message:
        """Somebody writes to one of the account's numbers; returns when the customer's server has answered."""
        to = to or number.phone_number
        now = self.switch.now()
        message = Message(
            sid=self.switch.sids.new("MM" if media else "SM"),
            to=to,
            from_=from_,
            body=body,
            direction="inbound",
            status="received",
            created_at=now,
            updated_at=now,
            sent_at=now,
            segments=segments(body).count,
        )
        for kind, content in media:
            self.attach(message, kind, content)
        keep(self.messages, message.sid, message)
        self._written_at[(to, from_)] = now
        self._heed_words(message)
        params = self.params(message)
        if message.is_whatsapp:
            params += [("ProfileName", profile or from_), ("WaId", from_.removeprefix("whatsapp:+"))]
        answer = await self._ask(number, message, flattened(params))
        self._obey(number, message, answer)
        return message

    async def _ask(self, number: Number, message: Message, params: list[tuple[str, str]]) -> Answer:
        if not number.sms:
            return Answer()
        answer = await self.switch.webhooks.fetch("message", number.sms, params)
        if answer.error and number.sms_fallback:
            self.switch.note_answer(answer, message.sid)
            more = [("ErrorCode", str(answer.error)), ("ErrorUrl", number.sms.url)]
            answer = await self.switch.webhooks.fetch("message", number.sms_fallback, [*params, *more])
        if answer.error:
            self.switch.note_answer(answer, message.sid)
        return answer

    def _obey(self, number: Number, message: Message, answer: Answer) -> None:
        kind = answer.content_type.partition(";")[0].strip().lower()
        if answer.error or not answer.body.strip():
            return
        if kind == "text/plain" and b"<Response" not in answer.body:
            self._reply(number, message, answer.body.decode("utf-8", "replace"), message.from_, Hook(""), [])
            return
        if kind not in {"text/xml", "application/xml", "text/html", "text/plain"}:
            self.switch.note(12300, f"content type {kind}", sid=message.sid, url=answer.url)
            return
        document = read(answer.body, is_messaging=True)
        for problem in document.problems:
            self.switch.note(problem.code, problem.text, sid=message.sid, url=answer.url, is_error=problem.is_error)
        if document.is_usable:
            for verb in document.verbs:
                self._reply_verb(number, message, verb)

    def _reply_verb(self, number: Number, message: Message, verb: Node) -> None:
        if verb.name != "Message":
            self.switch.note(12200, f"<{verb.name}> is not simulated", sid=message.sid, is_error=False)
            return
        body = verb.of("Body")[0].text if verb.of("Body") else verb.text
        urls = [media.text for media in verb.of("Media")]
        hook = Hook(verb.get("statusCallback"), "POST")
        self._reply(number, message, body, verb.get("to", message.from_), hook, urls)

    def _reply(self, number: Number, message: Message, body: str, to: str, hook: Hook, urls: Sequence[str]) -> None:
        del number
        reply = Message(
            sid=self.switch.sids.new("MM" if urls else "SM"),
            to=to,
            from_=message.to,
            body=body[:LONGEST],
            direction="outbound-reply",
            status="queued",
            created_at=self.switch.now(),
            progress=hook,
        )
        self.send(reply, urls)

    def _heed_words(self, message: Message) -> None:
        """Obey STOP, START and HELP as carriers must, before the customer's server hears of them."""
        word = message.body.strip().casefold()
        pair = (message.to, message.from_)
        if word in STOP_WORDS:
            self.opted_out.add(pair)
            self._answer_word(message, "You have been unsubscribed and will receive no more messages. START undoes it.")
        elif word in START_WORDS and pair in self.opted_out:
            self.opted_out.discard(pair)
            self._answer_word(message, "You are subscribed again. STOP ends it, HELP explains.")
        elif word in HELP_WORDS:
            self._answer_word(message, "Reply STOP to receive no more messages.")

    def _answer_word(self, message: Message, text: str) -> None:
        """Let the carrier itself answer; no report is made of it."""
        if message.is_whatsapp:
            return
        now = self.switch.now()
        reply = Message(
            sid=self.switch.sids.new("SM"),
            to=message.from_,
            from_=message.to,
            body=text,
            direction="outbound-reply",
            status="delivered",
            created_at=now,
            updated_at=now,
            sent_at=now,
        )
        keep(self.messages, reply.sid, reply)
        inbox = self.handsets.get(message.from_) or self.handset(message.from_)
        inbox.received(reply)

    # -- telling

    def params(self, message: Message) -> list[tuple[str, object]]:
        """Return the parameters of an incoming message."""
        params: list[tuple[str, object]] = [
            ("MessageSid", message.sid),
            ("SmsSid", message.sid),
            ("SmsMessageSid", message.sid),
            ("AccountSid", self.switch.account.sid),
            ("From", message.from_),
            ("To", message.to),
            ("Body", message.body),
            ("NumMedia", len(message.media)),
            ("NumSegments", message.segments),
            ("SmsStatus", message.status),
            ("ApiVersion", API_VERSION),
        ]
        for n, media in enumerate(message.media):
            params += [(f"MediaContentType{n}", media.content_type), (f"MediaUrl{n}", self.media_url(message, media))]
        return params

    def media_url(self, message: Message, media: Media) -> str:
        """Return the address of a file: credentials are needed there."""
        account = self.switch.account.sid
        return f"{self.base_url}/{API_VERSION}/Accounts/{account}/Messages/{message.sid}/Media/{media.sid}"

    def cancel(self, message: Message) -> bool:
        """Call a message off; False when it is on its way."""
        if RANK[message.status] > RANK["queued"]:
            return False
        self._move(message, "canceled")
        return True

    def _fail(self, message: Message, status: Status, code: int) -> None:
        message.error_code = code
        self._move(message, status)

    def _move(self, message: Message, status: Status) -> None:
        if RANK[status] <= RANK[message.status] or message.status in {"undelivered", "failed", "canceled"}:
            return
        message.status = status
        message.updated_at = self.switch.now()
        self._report(message)

    def _report(self, message: Message) -> None:
        if not message.progress or message.status not in REPORTED:
            return
        is_final = message.status in {"delivered", "undelivered"}
        params: list[tuple[str, object]] = [
            ("MessageSid", message.sid),
            ("MessageStatus", message.status),
            ("SmsSid", message.sid),
            ("SmsStatus", message.status),
            ("To", message.to),
            ("From", message.from_),
            ("AccountSid", self.switch.account.sid),
            ("ApiVersion", API_VERSION),
            ("MessagingServiceSid", message.service_sid or None),
            ("ErrorCode", message.error_code),
            ("RawDlrDoneDate", report_date(utc(message.updated_at)) if is_final and not message.is_whatsapp else None),
            ("ChannelPrefix", "whatsapp" if message.is_whatsapp else None),
            ("EventType", message.status.upper() if message.is_whatsapp else None),
        ]
        self.switch.webhooks.notify(
            "message-status",
            message.progress,
            flattened(params),
            event=message.status,
            on_failure=lambda answer: self.switch.note_answer(answer, message.sid),
        )


def report_date(moment: datetime) -> str:
    """Return a time as delivery reports have it: YYMMDDhhmm."""
    return moment.strftime("%y%m%d%H%M")
