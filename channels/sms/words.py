"""STOP, START and HELP, and what the carrier's error numbers mean.

The English words are those that carriers in North America must obey, and which the provider obeys itself
(twilio.com/docs: "Twilio support for opt-out keywords"); what it knows it confirms, the others are ours to confirm.
"""

import re
from collections.abc import Mapping
from typing import Final

from hub.domain.texting import Consent

_THEIRS: Final[Mapping[str, Consent]] = {
    **dict.fromkeys(("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"), Consent.STOP),
    **dict.fromkeys(("start", "unstop"), Consent.START),
    **dict.fromkeys(("help", "info"), Consent.HELP),
}
_OURS: Final[Mapping[str, Consent]] = {
    **dict.fromkeys(("停止", "退订", "取消订阅", "拒收", "td", "停", "退訂", "取消訂閱"), Consent.STOP),
    **dict.fromkeys(("开始", "订阅", "恢复", "恢复订阅", "開始", "訂閱"), Consent.START),
    **dict.fromkeys(("帮助", "幫助", "客服电话"), Consent.HELP),
}
_AGREED: Final = frozenset({"yes"})
"""Lifts an opt-out at the provider, and is an ordinary answer to anything else."""
_AROUND: Final = re.compile(r"^[\s\"'“”‘’.!。！,，]+|[\s\"'“”‘’.!。！,，]+$")

CONFIRMATIONS: Final[Mapping[Consent, Mapping[str, str]]] = {
    Consent.STOP: {
        "en": "You will receive no more messages from us. Reply START to receive them again.",
        "zh": "您已退订，我们不会再向您发送消息。回复“开始”可重新接收。",
    },
    Consent.START: {
        "en": "You will receive our messages again. Reply STOP to end them.",
        "zh": "您已恢复接收我们的消息。回复“退订”可停止接收。",
    },
    Consent.HELP: {
        "en": "You are writing with {name}. Just ask, somebody will answer. Reply STOP to receive no more messages.",
        "zh": "这里是{name}，请直接留言，我们会回复您。回复“退订”可停止接收消息。",
    },
}

ERRORS: Final[Mapping[str, str]] = {
    "21211": "This is no telephone number",
    "21408": "Messages to this country are switched off in the account",
    "21610": "The recipient has opted out of messages from this number",
    "21612": "There is no way to send to this number from this line",
    "21614": "This number cannot receive messages: it is no mobile phone",
    "21617": "The message is too long",
    "30001": "Too many messages are waiting at the carrier",
    "30002": "The account is suspended",
    "30003": "The phone is switched off or out of reach",
    "30004": "The recipient blocks messages from this number",
    "30005": "There is no such number",
    "30006": "This number is a landline or cannot be reached",
    "30007": "The carrier took the message for spam and did not deliver it",
    "30008": "The carrier does not say why",
    "30034": "The line is not registered for messages of companies (A2P 10DLC)",
    "63016": "More than 24 hours since the customer wrote: only templates may be sent",
    "63024": "The recipient cannot be reached on WhatsApp",
    "12300": "A file of the message could not be fetched",
}
"""The provider's number -> what it means, in words for an agent."""


def consent(text: str, told: str = "") -> tuple[Consent | None, bool]:
    """Return what a text says of being written to, and whether the provider knows it by itself.

    `told` is the provider's own reading (OptOutType), which counts more than the words.
    """
    if told.lower() in {one.value for one in Consent}:
        return Consent(told.lower()), True
    word = _AROUND.sub("", text).casefold()
    if word in _THEIRS:
        return _THEIRS[word], True
    if word in _AGREED:
        return Consent.START, True
    return _OURS.get(word), False


def is_bare(text: str) -> bool:
    """Whether a text is nothing but such a word, and asks for no answer. HELP does, and so may YES."""
    word = _AROUND.sub("", text).casefold()
    return (_THEIRS.get(word) or _OURS.get(word)) in {Consent.STOP, Consent.START}


def meaning(code: str, fallback: str = "") -> str:
    """Return what an error number means; an unknown one in the provider's words."""
    return ERRORS.get(code) or fallback or "The carrier could not deliver it"
