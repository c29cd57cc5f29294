"""Messages in and out: delivery, refusals, opt-out, pictures, the 24-hour window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels._segments import BASIC, EXTENDED, segments
from channels.simulator.carrier import Handset
from tests.unit.carrier.street import ANN, BASE, BOB, LINE, Street, names

CHAT, CHAT_LINE = f"whatsapp:{BOB}", f"whatsapp:{LINE}"


async def test_message_travels_and_every_step_is_told(street: Street) -> None:
    sent = street.post("Messages.json", To=BOB, From=LINE, Body="Hello", StatusCallback=f"{BASE}/delivery")
    await street.wait(10)
    told = street.customer.at("/delivery")
    assert names(told, "MessageStatus") == ["queued", "sending", "sent", "delivered"]
    assert {one["MessageSid"] for one in told} == {sent["sid"]}
    assert told[-1]["RawDlrDoneDate"] == "2601010000"
    assert [message.body for message in street.carrier.post.handset(BOB).messages] == ["Hello"]


@pytest.mark.parametrize("code", [30003, 30005, 30006, 30007, 30008])
async def test_message_that_cannot_be_delivered_says_why(street: Street, code: int) -> None:
    street.carrier.post.handsets[BOB] = Handset(refuses=code)
    street.post("Messages.json", To=BOB, From=LINE, Body="Hello", StatusCallback=f"{BASE}/delivery")
    await street.wait(10)
    last = street.customer.at("/delivery")[-1]
    assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", str(code))


async def test_incoming_message_carries_its_pictures_and_is_replied_to(street: Street) -> None:
    street.customer.on(
        "/sms", '<Message statusCallback="https://hub.example/delivery"><Body>Thank you.</Body></Message>'
    )
    message = await street.carrier.person_writes(ANN, LINE, "See this", media=[("image/png", b"\x89PNG")])
    asked = street.customer.at("/sms")[0]
    assert (asked["MessageSid"], asked["Body"], asked["NumMedia"]) == (message.sid, "See this", "1")
    assert asked["MediaContentType0"] == "image/png"
    assert asked["MediaUrl0"].endswith(message.media[0].sid)
    await street.wait(10)
    (reply,) = street.carrier.post.handset(ANN).messages
    assert (reply.body, reply.direction) == ("Thank you.", "outbound-reply")
    assert names(street.customer.at("/delivery"), "MessageStatus")[-1] == "delivered"


async def test_fallback_gets_the_message_when_the_first_address_fails(street: Street) -> None:
    street.customer.on("/sms", reply=(500, "", b""))
    await street.carrier.person_writes(ANN, LINE, "Hello")
    assert street.customer.at("/sms-fallback")[0].params.items() >= {"Body": "Hello", "ErrorCode": "11200"}.items()


async def test_stop_start_and_help_are_obeyed_by_the_carrier_itself(street: Street) -> None:
    await street.carrier.person_writes(BOB, LINE, " Stop ")
    assert street.customer.at("/sms")[0]["Body"] == " Stop "
    refused = street.ask("POST", "Messages.json", To=BOB, From=LINE, Body="Hello")
    assert (refused.payload or {})["code"] == 21610
    await street.carrier.person_writes(BOB, LINE, "HELP")
    await street.carrier.person_writes(BOB, LINE, "start")
    assert street.ask("POST", "Messages.json", To=BOB, From=LINE, Body="Hello").status == 201
    assert len(street.carrier.post.handset(BOB).messages) == 3
    await street.wait(10)


async def test_free_words_on_whatsapp_need_a_day_not_over(street: Street) -> None:
    fields = {"To": CHAT, "From": CHAT_LINE, "StatusCallback": f"{BASE}/delivery"}
    street.carrier.post.handset(CHAT).reads_after_s = 3
    street.post("Messages.json", Body="Too early", **fields)
    await street.wait(10)
    assert (
        street.customer.at("/delivery")[-1].params.items() >= {"MessageStatus": "failed", "ErrorCode": "63016"}.items()
    )

    await street.carrier.person_writes(CHAT, CHAT_LINE, "Hello", profile="Bob")
    asked = street.customer.at("/sms")[0]
    assert (asked["ProfileName"], asked["WaId"]) == ("Bob", BOB.removeprefix("+"))
    street.post("Messages.json", Body="In time", **fields)
    await street.wait(20)
    last = street.customer.at("/delivery")[-1]
    assert (last["MessageStatus"], last["EventType"], last["ChannelPrefix"]) == ("read", "READ", "whatsapp")

    await street.wait(25 * 3600)
    street.post("Messages.json", Body="Too late", **fields)
    street.post("Messages.json", ContentSid="HX" + "0" * 32, **fields)
    await street.wait(10)
    assert sorted(message.status for message in list(street.carrier.post.messages.values())[-2:]) == [
        "failed",
        "read",
    ]


async def test_picture_that_cannot_be_had_fails_the_message(street: Street) -> None:
    street.customer.on("/picture", reply=(404, "", b""))
    sent = street.post("Messages.json", To=BOB, From=LINE, MediaUrl=f"{BASE}/picture")
    assert sent["sid"].startswith("MM")
    await street.wait(10)
    assert street.get(f"Messages/{sent['sid']}.json")["status"] == "failed"


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("a" * 152 + "€" + "a" * 10, "GSM-7", 2),
        ("您" * 70, "UCS-2", 1),
        ("您" * 71, "UCS-2", 2),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        ("“quoted”", "UCS-2", 1),
    ],
)
def test_segments_are_counted_as_on_the_air(text: str, encoding: str, count: int) -> None:
    counted = segments(text)
    assert (counted.encoding, counted.count) == (encoding, count)


@given(st.text(max_size=2000))
def test_segments_hold_all_units_and_no_segment_is_empty(text: str) -> None:
    counted = segments(text)
    single, joined = (160, 153) if counted.encoding == "GSM-7" else (70, 67)
    assert (counted.encoding == "GSM-7") is (set(text) <= BASIC | EXTENDED)
    if counted.units <= single:
        assert counted.count == 1
    else:
        assert joined * (counted.count - 1) - (counted.count - 1) < counted.units <= joined * counted.count


async def test_number_without_an_address_keeps_the_message_to_itself(street: Street) -> None:
    street.carrier.account.numbers[LINE].sms = type(street.carrier.account.numbers[LINE].sms)("")
    message = await street.carrier.person_writes(ANN, LINE, "Hello")
    assert (street.customer.requests, street.carrier.alerts) == ([], [])
    assert street.get(f"Messages/{message.sid}.json")["body"] == "Hello"


async def test_agreed_wording_reaches_the_customer_filled_in(street: Street) -> None:
    sid = "HX" + "b" * 32
    street.carrier.account.contents[sid] = "Dear {{1}}, your order {{2}} is on its way."
    sent = street.post(
        "Messages.json", To=CHAT, From=CHAT_LINE, ContentSid=sid, ContentVariables='{"1": "Bob", "2": "4711"}'
    )
    assert sent["body"] == "Dear Bob, your order 4711 is on its way."
    refused = street.ask("POST", "Messages.json", To=CHAT, From=CHAT_LINE, ContentSid=sid, ContentVariables="[1]")
    assert (refused.payload or {})["code"] == 21656
