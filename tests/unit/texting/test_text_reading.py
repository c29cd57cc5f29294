"""What the carrier's parameters say: words of consent, files, receipts, and nothing that a stranger could break."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms import Sms, reading, words
from channels.sms.reading import Attached, LineFacts, Told
from hub.contract import Ignored, InboundMessage, InboundReceipt
from hub.domain.errors import PayloadUnreadable
from hub.domain.texting import Consent
from hub.settings import Secret, SettingsError, check_block

SID = "SM" + "0" * 32
FACTS = LineFacts(kind="sms", queue="support", region="US", languages=("en", "zh"), name="Fernway")
BLOCK: dict[str, Any] = {
    "number": "+15005550006",
    "queue": "support",
    "account_sid": "AC" + "0" * 32,
    "auth_token": Secret("token"),
}
PARAMS = st.dictionaries(
    st.sampled_from(
        (
            *("MessageSid", "From", "To", "Body", "NumMedia", "MediaUrl0", "MediaContentType0", "OptOutType"),
            *("ErrorCode", "MessageStatus", "Latitude", "Longitude", "Label", "ProfileName", "ChannelStatusMessage"),
        )
    )
    | st.text(max_size=20),
    st.sampled_from([SID, "1", "STOP", "failed", "read", "whatsapp:+14155550123"]) | st.text(max_size=80),
)


def message(**params: str) -> InboundMessage:
    return reading.message(Told(params={"MessageSid": SID, "From": "+14155550123", **params}), FACTS, (), ())


@pytest.mark.parametrize(
    ("text", "meant", "is_theirs"),
    [
        ("STOP", Consent.STOP, True),
        (" stop. ", Consent.STOP, True),
        ("StopAll", Consent.STOP, True),
        ("退订", Consent.STOP, False),
        ("退订。", Consent.STOP, False),
        ("TD", Consent.STOP, False),
        ("start", Consent.START, True),
        ("yes", Consent.START, True),
        ("恢复订阅", Consent.START, False),
        ("help", Consent.HELP, True),
        ("帮助", Consent.HELP, False),
        ("Please stop calling me", None, False),
        ("", None, False),
    ],
)
def test_consent_is_a_word_alone(text: str, meant: Consent | None, is_theirs: bool) -> None:
    assert words.consent(text) == (meant, is_theirs)


def test_providers_own_reading_counts_more() -> None:
    assert words.consent("ARRÊT", "STOP") == (Consent.STOP, True)


@pytest.mark.parametrize(("text", "asks_nothing"), [("STOP", True), ("开始", True), ("YES", False), ("help", False)])
def test_whoever_says_yes_or_asks_for_help_is_answered(text: str, asks_nothing: bool) -> None:
    assert message(Body=text).is_automatic is asks_nothing


def test_only_what_the_provider_does_not_know_is_confirmed_by_us() -> None:
    assert message(Body="STOP").confirmation == ""
    assert message(Body="退订").confirmation.startswith("您已退订")
    assert "Fernway" in message(Body="帮助").confirmation


@pytest.mark.parametrize(
    ("raw", "region", "plain"),
    [
        ("+14155550123", "US", "+14155550123"),
        ("whatsapp:+8613800138000", "US", "+8613800138000"),
        ("415 555 0123", "US", "+14155550123"),
        ("13800138000", "CN", "+8613800138000"),
        ("FERNWAY", "US", "FERNWAY"),
    ],
)
def test_numbers_are_written_one_way(raw: str, region: str, plain: str) -> None:
    assert reading.address(raw, region) == plain


def test_files_are_known_by_their_names_at_the_carrier_alone() -> None:
    media = "ME" + "a" * 32
    told = Told(
        params={
            "MessageSid": SID,
            "NumMedia": "3",
            "MediaUrl0": f"https://api.twilio.com/2010-04-01/Accounts/AC0/Messages/{SID}/Media/{media}",
            "MediaContentType0": "image/jpeg",
            "MediaUrl1": "http://169.254.169.254/latest/meta-data",
            "MediaUrl2": f"https://elsewhere.example/Media/{media}?x=1",
        }
    )
    assert reading.attached(told) == [Attached(media, "1.jpg"), Attached(media, "3.bin")]


@pytest.mark.parametrize(
    ("status", "progress"), [("accepted", "queued"), ("sent", "sent"), ("delivered", "delivered"), ("read", "read")]
)
def test_receipts_say_how_far_a_message_came(status: str, progress: str) -> None:
    said = reading.receipt(Told(params={"MessageSid": SID, "MessageStatus": status, "ErrorCode": "1"}, outgoing="o1"))
    assert said == InboundReceipt(dedupe="", provider_id="o1", progress=progress)  # type: ignore[arg-type]


def test_failure_says_why_in_words() -> None:
    params = {"MessageSid": SID, "MessageStatus": "undelivered", "ErrorCode": "30003"}
    said = reading.receipt(Told(params=params, outgoing="o1"))
    assert isinstance(said, InboundReceipt)
    assert (said.progress, said.code, said.text) == ("failed", "30003", "The phone is switched off or out of reach")
    assert isinstance(reading.receipt(Told(params={"MessageStatus": "dancing"}, outgoing="o1")), Ignored)


@given(PARAMS, st.sampled_from(["", "o1"]))
def test_whatever_is_told_is_read_the_same_way_twice_or_refused(params: dict[str, str], outgoing: str) -> None:
    channel = Sms(id="texts", **BLOCK)
    told = Told(params={name: value for name, value in params.items() if name != "NumMedia"}, outgoing=outgoing)
    try:
        first = asyncio.run(channel._understood(told))
    except PayloadUnreadable:
        return
    second = asyncio.run(channel._understood(told))
    place = {"place": None}
    if isinstance(first, InboundMessage) and isinstance(second, InboundMessage):
        first, second = msgspec.structs.replace(first, **place), msgspec.structs.replace(second, **place)
    assert first == second


@given(st.binary(max_size=200))
def test_bytes_that_nobody_signed_are_refused(raw: bytes) -> None:
    with pytest.raises(PayloadUnreadable):
        asyncio.run(Sms(id="texts", **BLOCK).read(raw))


@pytest.mark.parametrize(
    "change",
    [
        {"number": "202 555 0142"},
        {"account_sid": "SK" + "0" * 32},
        {"api_url": "twilio"},
        {"languages": ()},
        {"per_minute": 0},
        {"api_key_sid": "SK" + "0" * 32},
        {"templates": ({"id": "a", "sid": "HX" + "0" * 32, "name": "A", "text": "A"},)},
        {"number": "whatsapp:+15005550006", "templates": ({"id": "a", "sid": "HX", "name": "A", "text": "A"},)},
        {"number": "whatsapp:+15005550006", "templates": ({"id": "a", "words": "A"},)},
    ],
)
def test_block_that_makes_no_sense_is_refused_with_the_place(change: dict[str, Any]) -> None:
    assert check_block(Sms, BLOCK) == []
    with pytest.raises(SettingsError, match=r"channels\.texts"):
        Sms(id="texts", **(BLOCK | change))


@pytest.mark.parametrize(
    ("profile", "name"),
    [("Ann Lee", "Ann Lee"), ("", ""), ("whatsapp:+14155550123", ""), ("+1 (415) 555-0123", ""), ("李伟 2", "李伟 2")],
)
def test_a_number_is_nobodys_name(profile: str, name: str) -> None:
    sender = message(ProfileName=profile).sender
    assert sender is not None
    assert sender.name == name
