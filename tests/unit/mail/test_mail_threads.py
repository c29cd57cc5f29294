"""Threading with evidence, and who is believed."""

# ruff: noqa: E501, RUF001

import base64

import dkim  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from channels.mail.authenticity import Verdict, aligned
from channels.mail.parsed import Reading, parse
from channels.mail.references import make_message_id, message_ids, own_message
from channels.mail.threads import (
    Action,
    Candidate,
    Decision,
    Evidence,
    EvidenceKind,
    base_subject,
    decide,
    make_reply_address,
    read_reply_address,
    verify_reply_address,
)
from tests.payloads.mail.builders import mail

KEY, OLD_KEY, OTHER_KEY = b"k" * 32, b"o" * 32, b"x" * 32
ANN, EVE = "ann@example.org", "eve@evil.example"
OURS = Candidate("int-7", frozenset({ANN}), "My broken lamp")


def decided(raw: bytes, candidate: Candidate = OURS, *, is_authentic: bool | None = None) -> Decision:
    """The decision for a mail when everything in it points to `candidate`."""
    parsed = parse(raw, Reading(signing_keys=(KEY, OLD_KEY)))
    known = dict.fromkeys(parsed.evidence, candidate)
    return decide(
        parsed.author.key, parsed.evidence, known, (KEY, OLD_KEY), is_authentic=is_authentic, subject=parsed.subject
    )


def reply_address(recipient: str = ANN, interaction: str = "int-7", key: bytes = KEY) -> str:
    return make_reply_address(key, "support@example.com", interaction, recipient)


def test_signed_reply_address_joins() -> None:
    found = decided(mail(To=reply_address()))

    assert (found.action, found.interaction_id) == (Action.JOIN, "int-7")
    assert found.evidence is not None
    assert found.evidence.kind is EvidenceKind.REPLY_ADDRESS


def test_signed_reply_address_survives_a_change_of_case_and_of_key() -> None:
    assert decided(mail(To=reply_address().upper())).action is Action.JOIN
    assert decided(mail(To=reply_address(key=OLD_KEY))).action is Action.JOIN


def test_signed_reply_address_is_found_where_it_was_delivered() -> None:
    assert decided(mail(To="support@example.com", Delivered_To=reply_address())).action is Action.JOIN


@pytest.mark.parametrize(
    "address",
    [
        reply_address(key=OTHER_KEY),
        reply_address(interaction="int-8"),
        reply_address().replace("int-7", "int-8"),
        "support+int-7.aaaaaaaaaaaaaaaa@example.com",
    ],
)
def test_forged_reply_address_opens_a_new_interaction(address: str) -> None:
    raw = mail(To=address, Subject="Hello")

    assert decided(raw).action is Action.OPEN_LINKED


def test_stranger_with_a_genuine_address_or_id_stays_outside() -> None:
    by_address = mail(From=EVE, To=reply_address())
    by_id = mail(From=EVE, In_Reply_To=make_message_id(KEY, "m-1", "example.com"))

    assert decided(by_address).action is Action.OPEN_LINKED
    assert decided(by_id).action is Action.OPEN_LINKED


def test_unproved_sender_stays_outside() -> None:
    found = decided(mail(To=reply_address()), is_authentic=False)

    assert (found.action, found.reason) == (Action.OPEN_LINKED, "reply_address: the sender is not proved")


def test_own_message_id_and_foreign_references_join_for_participants() -> None:
    own = mail(In_Reply_To=make_message_id(KEY, "m-1", "example.com"), Subject="Re: x")
    foreign = mail(References="<a@b.example> <c@d.example>", Subject="Re: x")

    assert decided(own).evidence == Evidence(
        EvidenceKind.OWN_MESSAGE_ID,
        make_message_id(KEY, "m-1", "example.com"),
        decided(own).evidence.strength,  # type: ignore[union-attr]
    )
    assert decided(foreign).action is Action.JOIN


OWN_ID = make_message_id(KEY, "m-1", "example.com")


@pytest.mark.parametrize(
    "fields",
    [
        {"In-Reply-To": f"<x@y.example> {OWN_ID}"},
        {"In-Reply-To": f"Your letter of Monday {OWN_ID}"},
        {"In-Reply-To": OWN_ID.strip("<>")},
        {"References": "<a@b.example>", "references": OWN_ID},
        {"References": f"<a@b.example>,{OWN_ID},<c@d.example>"},
        {"References": f"<a@b.example>\r\n {OWN_ID[:20]}\r\n {OWN_ID[20:]}"},
    ],
)
def test_our_id_is_found_however_a_program_writes_it(fields: dict[str, str]) -> None:
    evidence = parse(mail("Hello", fields), Reading(signing_keys=(KEY,))).evidence

    assert (evidence[0].kind, evidence[0].value) == (EvidenceKind.OWN_MESSAGE_ID, OWN_ID)


@pytest.mark.parametrize(
    ("subject", "sender", "action"),
    [
        ("Re: My broken lamp", ANN, Action.JOIN),
        ("AW: RE[2]: my  broken lamp", ANN, Action.JOIN),
        ("My broken lamp", ANN, Action.OPEN),
        ("Re: My broken lamp", EVE, Action.OPEN),
        ("Re: Hi", ANN, Action.OPEN),
    ],
)
def test_subject_alone_joins_only_answers_of_participants(subject: str, sender: str, action: Action) -> None:
    assert decided(mail(Subject=subject, From=sender)).action is action


def test_nothing_known_opens() -> None:
    parsed = parse(mail(In_Reply_To="<x@y.example>"))

    assert decide(ANN, parsed.evidence, {}).action is Action.OPEN


@pytest.mark.parametrize(
    "subject",
    ["Re: Lamp", "RE[2]: Lamp", "AW: Lamp", "Antw: Lamp", "SV: Lamp", "VS: Lamp", "Odp: Lamp", "Ynt: Lamp", "回复：Lamp", "答复: Lamp", "转发: Lamp",
     "RIF: Lamp", "Fwd: Re: Lamp", "[EXTERNAL] Re: Lamp", "Ответ: Lamp", "返信: Lamp", "회신: Lamp", "re : lamp"],
)  # fmt: skip
def test_reply_marks_of_all_languages_are_peeled(subject: str) -> None:
    assert base_subject(subject) == "lamp"


def test_references_of_a_flood_keep_both_ends() -> None:
    flood = " ".join(f"<{number}@x>" for number in range(5_000))
    found = message_ids(flood)

    assert (len(found), found[0], found[-1]) == (100, "<0@x>", "<4999@x>")


@given(st.text(max_size=80))
def test_no_forged_id_or_address_passes(text: str) -> None:
    assert own_message([KEY], f"<hub.{text}@example.com>") == ""
    found = read_reply_address(f"support+{text}@example.com")
    assert found is None or verify_reply_address([KEY], found, [ANN]) == ""


TRUSTED = Reading(trusted_servers=frozenset({"mx.example.com"}))
PASS = "mx.example.com; spf=pass smtp.mailfrom=ann@example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"Authentication_Results": PASS}, Verdict.PASS),
        ({"Authentication_Results": PASS.replace("mx.example.com", "evil.example")}, Verdict.NONE),
        (
            {
                "Authentication_Results": "mx.example.com; dmarc=fail header.from=example.org; spf=pass smtp.mailfrom=evil.example"
            },
            Verdict.FAIL,
        ),
        ({"Authentication_Results": "mx.example.com; spf=pass smtp.mailfrom=bounce@evil.example"}, Verdict.NONE),
        ({"Authentication_Results": "mx.example.com; spf=fail smtp.mailfrom=ann@example.org"}, Verdict.FAIL),
        ({"Authentication_Results": "mx.example.com; dkim=pass header.i=@mail.example.org"}, Verdict.PASS),
        ({"Authentication_Results": "mx.example.com; spf=none (note; dmarc=pass) smtp.mailfrom=x"}, Verdict.NONE),
        ({"Authentication_Results": "mx.example.com; none"}, Verdict.NONE),
        ({"Authentication_Results": PASS, "From": "ann@example.org, eve@evil.example"}, Verdict.NONE),
        ({"Authentication_Results": PASS, "From": '"boss@corp.example" <ann@example.org>'}, Verdict.NONE),
        ({}, Verdict.NONE),
    ],
)
def test_only_the_own_servers_words_count(fields: dict[str, str], verdict: Verdict) -> None:
    assert parse(mail(**fields), TRUSTED).authenticity.verdict is verdict


def test_the_topmost_trusted_result_counts() -> None:
    forged = mail(Authentication_Results=PASS)
    raw = b"Authentication-Results: mx.example.com; dmarc=fail header.from=example.org\r\n" + forged

    assert parse(raw, TRUSTED).authenticity.verdict is Verdict.FAIL


def test_filters_that_write_a_header_each_are_all_heard_against_the_sender() -> None:
    below = b"Authentication-Results: mx.example.com; dmarc=fail header.from=example.org\r\n"
    own = b"Authentication-Results: mx.example.com; spf=none smtp.helo=evil.example\r\n"

    assert parse(own + below + mail(), TRUSTED).authenticity.verdict is Verdict.FAIL
    assert parse(own + mail(Authentication_Results=PASS), TRUSTED).authenticity.verdict is Verdict.NONE
    assert parse(own + below.replace(b"mx.", b"evil.") + mail(), TRUSTED).authenticity.verdict is Verdict.NONE


def test_relaxed_alignment() -> None:
    assert aligned("mail.example.co.uk", "example.co.uk")
    assert not aligned("example.co.uk", "other.co.uk")
    assert not aligned("", "example.org")


@pytest.fixture(scope="module")
def signer() -> tuple[bytes, bytes]:
    """A private key (PEM) and its DNS record."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # small: fast, and only a test
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def signed(raw: bytes, private: bytes, domain: bytes = b"example.org", *, partly: bool = False) -> bytes:
    """`raw` with a DKIM signature."""
    signature: bytes = dkim.sign(raw, b"s", domain, private, length=partly)
    return signature + raw


def test_dkim_is_verified_here_when_no_server_did(signer: tuple[bytes, bytes]) -> None:
    private, record = signer
    reading = Reading(key_lookup=lambda name: record if name.startswith(b"s._domainkey.") else None)

    def judged(raw: bytes) -> tuple[Verdict, str]:
        found = parse(raw, reading).authenticity
        return found.verdict, found.dkim

    assert judged(signed(mail(), private)) == (Verdict.PASS, "pass")
    assert judged(signed(mail(), private).replace(b"Hello", b"Hullo")) == (Verdict.NONE, "fail")
    assert judged(signed(mail(), private, b"evil.example")) == (Verdict.NONE, "none")
    assert judged(signed(mail(), private, partly=True) + b"more words") == (Verdict.NONE, "none")


def test_key_lookup_that_fails_is_no_error() -> None:
    def broken(name: bytes) -> bytes | None:
        raise OSError("no DNS")

    raw = mail(DKIM_Signature="v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=AAAA; b=BBBB")

    assert parse(raw, Reading(key_lookup=broken)).authenticity.verdict is Verdict.NONE
    assert parse(raw, Reading(key_lookup=lambda _: b"v=DKIM1; p=AAAA")).authenticity.verdict is Verdict.NONE
