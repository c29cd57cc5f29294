"""The markup's grammar as tables: elements, their attributes with what values they take, and what may stand in what.

Drawn from the provider's documentation of each verb. Names are case-sensitive, as the provider's are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

METHOD: Final = frozenset({"GET", "POST"})
BOOL: Final = frozenset({"true", "false"})
BEEP: Final = BOOL | {"onEnter", "onExit"}
DIAL_RECORD: Final = frozenset(
    {
        *("do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual"),
        *("record-from-ringing-dual", "true", "false"),
    }
)
CALL_EVENTS: Final = frozenset({"initiated", "ringing", "answered", "completed"})
CONFERENCE_EVENTS: Final = frozenset(
    {"start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"}
)
RECORDING_EVENTS: Final = frozenset({"in-progress", "completed", "absent"})
TRACK: Final = frozenset({"inbound", "outbound", "both"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Words:
    """Any number of some words, separated by blanks."""

    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number within bounds; some attributes take one word instead."""

    least: int
    most: int
    word: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Any text, up to a length."""

    most: int = 4096


@dataclass(frozen=True, slots=True)
class Url:
    """An address, absolute or relative to the document's own; it may be empty where emptiness means something."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of a telephone: `exactly` one, or any number with `w` for half a second."""

    pattern: str


Value = Choice | Words | Number | Text | Url | Keys

TIMES: Final = Number(0, 1000)
BOOLEAN: Final = Choice(BOOL)
VERB: Final = Choice(METHOD)
SAYING: Final[Mapping[str, Value]] = {"voice": Text(100), "language": Text(20), "loop": TIMES}
RECORDING: Final[Mapping[str, Value]] = {
    "recordingStatusCallback": Url(),
    "recordingStatusCallbackMethod": VERB,
    "recordingStatusCallbackEvent": Words(RECORDING_EVENTS),
    "recordingConfigurationId": Text(64),
}
CALLEE: Final[Mapping[str, Value]] = {
    "url": Url(),
    "method": VERB,
    "statusCallback": Url(),
    "statusCallbackMethod": VERB,
    "statusCallbackEvent": Words(CALL_EVENTS),
}
MACHINE: Final[Mapping[str, Value]] = {
    "machineDetection": Choice(frozenset({"Enable", "DetectMessageEnd"})),
    "amdStatusCallback": Url(),
    "amdStatusCallbackMethod": VERB,
    "machineDetectionTimeout": Number(3, 59),
    "machineDetectionSpeechThreshold": Number(1000, 6000),
    "machineDetectionSpeechEndThreshold": Number(500, 5000),
    "machineDetectionSilenceTimeout": Number(2000, 10000),
}


@dataclass(frozen=True, slots=True)
class Element:
    """What an element may carry and hold. `text` says whether it holds words: "no", "may" or "must"."""

    attributes: Mapping[str, Value] = field(default_factory=dict)
    children: frozenset[str] = frozenset()
    text: str = "no"
    required: frozenset[str] = frozenset()


SPOKEN: Final = frozenset({"Say", "Play", "Pause"})
SSML: Final = frozenset(
    {
        "break",
        "emphasis",
        "lang",
        "p",
        "phoneme",
        "prosody",
        "s",
        "say-as",
        "sub",
        "w",
        "amazon:effect",
        "amazon:domain",
    }
)
NOUNS: Final = frozenset({"Number", "Client", "Sip"})
ALONE: Final = frozenset({"Conference", "Queue", "Sim", "Application", "WhatsApp"})
VOICE_VERBS: Final = frozenset(
    {
        *("Say", "Play", "Pause", "Gather", "Record", "Dial", "Enqueue", "Leave", "Hangup", "Redirect", "Reject"),
        *("Connect", "Start", "Stop", "Refer", "Pay", "Echo", "Sms"),
    }
)

_GATHER: Final[Mapping[str, Value]] = {
    "input": Words(frozenset({"dtmf", "speech"})),
    "action": Url(),
    "method": VERB,
    "timeout": Number(0, 600),
    "speechTimeout": Number(0, 60, "auto"),
    "maxSpeechTime": Number(1, 60),
    "profanityFilter": BOOLEAN,
    "finishOnKey": Keys(r"[0-9*#]?"),
    "numDigits": Number(1, 1000),
    "partialResultCallback": Url(),
    "partialResultCallbackMethod": VERB,
    "language": Text(30),
    "hints": Text(50_000),
    "bargeIn": BOOLEAN,
    "debug": BOOLEAN,
    "actionOnEmptyResult": BOOLEAN,
    "speechModel": Text(60),
    "enhanced": BOOLEAN,
}
_RECORD: Final[Mapping[str, Value]] = {
    "action": Url(),
    "method": VERB,
    "timeout": Number(0, 3600),
    "finishOnKey": Keys(r"[0-9*#]*"),
    "maxLength": Number(1, 14_400),
    "playBeep": BOOLEAN,
    "trim": Choice(frozenset({"trim-silence", "do-not-trim"})),
    "transcribe": BOOLEAN,
    "transcribeCallback": Url(),
    **RECORDING,
}
_DIAL: Final[Mapping[str, Value]] = {
    "action": Url(),
    "method": VERB,
    "timeout": Number(1, 600),
    "hangupOnStar": BOOLEAN,
    "timeLimit": Number(1, 86_400),
    "callerId": Text(256),
    "record": Choice(DIAL_RECORD),
    "trim": Choice(frozenset({"trim-silence", "do-not-trim"})),
    "answerOnBridge": BOOLEAN,
    "ringTone": Text(20),
    "recordingTrack": Choice(TRACK),
    "sequential": BOOLEAN,
    "referUrl": Url(),
    "referMethod": VERB,
    "events": Text(200),
    **RECORDING,
}
_CONFERENCE: Final[Mapping[str, Value]] = {
    "muted": BOOLEAN,
    "beep": Choice(BEEP),
    "startConferenceOnEnter": BOOLEAN,
    "endConferenceOnExit": BOOLEAN,
    "waitUrl": Url(),
    "waitMethod": VERB,
    "maxParticipants": Number(2, 250),
    "record": Choice(frozenset({"do-not-record", "record-from-start", "true", "false"})),
    "region": Text(20),
    "coach": Text(34),
    "trim": Choice(frozenset({"trim-silence", "do-not-trim"})),
    "statusCallback": Url(),
    "statusCallbackMethod": VERB,
    "statusCallbackEvent": Words(CONFERENCE_EVENTS),
    "eventCallbackUrl": Url(),
    "jitterBufferSize": Text(10),
    "participantLabel": Text(128),
    **RECORDING,
}
_STREAM: Final[Mapping[str, Value]] = {
    "name": Text(),
    "connectorName": Text(),
    "url": Url(),
    "track": Text(30),
    "statusCallback": Url(),
    "statusCallbackMethod": VERB,
}
_TRANSCRIPTION: Final[Mapping[str, Value]] = {
    "name": Text(),
    "track": Text(30),
    "statusCallbackUrl": Url(),
    "statusCallbackMethod": VERB,
    "inboundTrackLabel": Text(),
    "outboundTrackLabel": Text(),
    "partialResults": BOOLEAN,
    "languageCode": Text(20),
    "transcriptionEngine": Text(30),
    "profanityFilter": BOOLEAN,
    "speechModel": Text(60),
    "hints": Text(50_000),
    "enableAutomaticPunctuation": BOOLEAN,
    "intelligenceService": Text(),
}
_RELAY: Final[Mapping[str, Value]] = {
    name: Text()
    for name in (
        *("url", "language", "ttsLanguage", "transcriptionLanguage", "ttsProvider", "voice", "transcriptionProvider"),
        *("speechModel", "dtmfDetection", "welcomeGreeting", "welcomeGreetingInterruptible", "interruptible", "hints"),
        *("profanityFilter", "debug", "reportInputDuringAgentSpeech", "preemptible", "interruptSensitivity"),
    )
}
_PAY: Final[Mapping[str, Value]] = {
    name: Text()
    for name in (
        *("input", "action", "bankAccountType", "statusCallback", "statusCallbackMethod", "timeout", "maxAttempts"),
        *("securityCode", "postalCode", "minPostalCodeLength", "paymentConnector", "paymentMethod", "tokenType"),
        *("chargeAmount", "currency", "description", "validCardTypes", "language"),
    )
}

VOICE: Final[Mapping[str, Element]] = {
    "Response": Element(children=VOICE_VERBS),
    "Say": Element(SAYING, SSML, "must"),
    "Play": Element({"loop": TIMES, "digits": Keys(r"[0-9*#wW]*")}, text="may"),
    "Pause": Element({"length": Number(1, 3600)}),
    "Gather": Element(_GATHER, SPOKEN),
    "Record": Element(_RECORD),
    "Dial": Element(_DIAL, NOUNS | ALONE, "may"),
    "Number": Element({**CALLEE, **MACHINE, "sendDigits": Keys(r"[0-9*#wWA-D]*"), "byoc": Text(34)}, text="must"),
    "Client": Element(CALLEE, frozenset({"Identity", "Parameter"}), "may"),
    "Identity": Element(text="must"),
    "Parameter": Element({"name": Text(), "value": Text()}, required=frozenset({"name", "value"})),
    "Sip": Element({**CALLEE, **MACHINE, "username": Text(), "password": Text()}, text="must"),
    "Conference": Element(_CONFERENCE, text="must"),
    "Queue": Element(
        {"url": Url(), "method": VERB, "reservationSid": Text(34), "postWorkActivitySid": Text(34)}, text="may"
    ),
    "Sim": Element(text="must"),
    "Application": Element(
        {**CALLEE, "customerId": Text(), "copyParentTo": BOOLEAN}, frozenset({"Parameter"}), text="may"
    ),
    "WhatsApp": Element(CALLEE, text="must"),
    "Enqueue": Element(
        {
            "action": Url(),
            "method": VERB,
            "maxQueueSize": Number(1, 5000),
            "waitUrl": Url(),
            "waitUrlMethod": VERB,
            "workflowSid": Text(34),
        },
        frozenset({"Task"}),
        "may",
    ),
    "Task": Element({"priority": Text(20), "timeout": Text(20)}, text="must"),
    "Leave": Element(),
    "Hangup": Element(children=frozenset({"Parameter"})),
    "Redirect": Element({"method": VERB}, text="may"),
    "Reject": Element({"reason": Choice(frozenset({"rejected", "busy"}))}, frozenset({"Parameter"})),
    "Start": Element({"action": Url(), "method": VERB}, frozenset({"Stream", "Siprec", "Transcription", "Recording"})),
    "Stop": Element(children=frozenset({"Stream", "Siprec", "Transcription"})),
    "Recording": Element(
        {
            "trim": Choice(frozenset({"trim-silence", "do-not-trim"})),
            "track": Choice(TRACK),
            "channels": Choice(frozenset({"mono", "dual"})),
            **RECORDING,
        }
    ),
    "Stream": Element(_STREAM, frozenset({"Parameter"})),
    "Siprec": Element(_STREAM, frozenset({"Parameter"})),
    "Transcription": Element(_TRANSCRIPTION, frozenset({"Parameter"})),
    "Connect": Element(
        {"action": Url(), "method": VERB}, frozenset({"Stream", "ConversationRelay", "Room", "VirtualAgent"})
    ),
    "ConversationRelay": Element(_RELAY, frozenset({"Language", "Parameter"})),
    "Language": Element({name: Text() for name in ("code", "ttsProvider", "voice", "transcriptionProvider")}),
    "Room": Element({"participantIdentity": Text()}, text="must"),
    "VirtualAgent": Element({"connectorName": Text(), "language": Text()}, frozenset({"Parameter"})),
    "Refer": Element({"action": Url(), "method": VERB}, frozenset({"Sip"})),
    "Pay": Element(_PAY, frozenset({"Prompt", "Parameter"})),
    "Prompt": Element({"for": Text(), "errorType": Text(), "cardType": Text(), "attempt": Text()}, SPOKEN),
    "Echo": Element(),
    "Sms": Element(
        {"to": Text(), "from": Text(), "action": Url(), "method": VERB, "statusCallback": Url()}, text="must"
    ),
}

MESSAGING: Final[Mapping[str, Element]] = {
    "Response": Element(children=frozenset({"Message", "Redirect"})),
    "Message": Element(
        {"to": Text(), "from": Text(), "action": Url(), "method": VERB, "statusCallback": Url()},
        frozenset({"Body", "Media"}),
        "may",
    ),
    "Body": Element(text="must"),
    "Media": Element(text="must"),
    "Redirect": Element({"method": VERB}, text="may"),
}

UNREACHABLE_AFTER: Final = frozenset({"Redirect", "Hangup", "Reject"})
"""Verbs that hand over for good: what follows in the same document never runs."""

SAY_LIMITS: Final = {"Polly.": 3000, "Google.": 5000}
"""Characters a voice takes, by the start of its name; the basic voices take 4,096."""
SAY_LIMIT: Final = 4096
SAY_ENCODED_LIMIT: Final = 4500
"""Characters of a text after URL-encoding: about 500 Chinese ones."""
