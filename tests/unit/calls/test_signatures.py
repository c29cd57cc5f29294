"""Whether a webhook is the carrier's: the provider's own vectors, other keys, other bodies, other addresses."""

import hashlib
from urllib.parse import parse_qsl, urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given as for_all
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from channels._twilio import Signatures, Webhook
from channels.simulator.carrier.signing import signature, with_body_hash
from hub.settings import Secret

PUBLIC = "https://mycompany.com"
PATH = "/myapp.php?foo=1&bar=2"
BODY = b"CallSid=CA1234567890ABCDE&Digits=1234&To=%2B18005551212&Caller=%2B14158675310&From=%2B14158675310"
VECTOR = "GvWf1cFY/Q7PnoempGyD5oXAezc="
FORM = "application/x-www-form-urlencoded"


def asked(path: str = PATH, method: str = "POST", kind: str = FORM, **headers: str) -> web.Request:
    sent = {"Content-Type": kind, "Host": "10.0.0.7:8080"} | {
        {"signature": "X-Twilio-Signature", "settings": "X-Twilio-Webhooks-Signature-Settings"}[name]: value
        for name, value in headers.items()
    }
    return make_mocked_request(method, path, headers=sent)


@pytest.fixture
def ours() -> Signatures:
    return Signatures([Secret("old token"), Secret("12345")], PUBLIC)


def test_providers_own_vector_is_proved_behind_any_proxy(ours: Signatures) -> None:
    assert ours.proves(asked(signature=VECTOR), BODY)
    assert Signatures([Secret("12345")], "https://mycompany.com:443").proves(asked(signature=VECTOR), BODY)


@pytest.mark.parametrize(
    ("path", "body", "given"),
    [
        (PATH, BODY.replace(b"1234&", b"1235&"), VECTOR),
        (PATH, BODY + b"&Extra=", VECTOR),
        (PATH.replace("bar=2", "bar=3"), BODY, VECTOR),
        (PATH, BODY, VECTOR[:-2] + "A="),
        (PATH, BODY, "\u00e9"),
        (PATH, b"", VECTOR),
    ],
)
def test_anything_else_is_not(ours: Signatures, path: str, body: bytes, given: str) -> None:
    assert not ours.proves(asked(path, signature=given), body)


def test_without_a_signature_nothing_is_proved(ours: Signatures) -> None:
    assert not ours.proves(asked(), BODY)
    assert not Signatures([], PUBLIC).proves(asked(signature=VECTOR), BODY)


def test_shared_key_signs_by_sha_256_and_says_so() -> None:
    ours = Signatures([Secret("12345"), Secret("shared")], PUBLIC)
    fields = [("Digits", "1"), ("CallSid", "CA1")]
    given = signature("shared", PUBLIC + PATH, fields, "sha256")
    settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    assert ours.proves(asked(signature=given, settings=settings), b"CallSid=CA1&Digits=1")
    assert not ours.proves(asked(signature=given), b"CallSid=CA1&Digits=1")


def test_json_body_counts_by_its_hash(ours: Signatures) -> None:
    body = b'{"a": 1}'
    url = with_body_hash(PUBLIC + PATH, body)
    path, given = url.removeprefix(PUBLIC), signature("12345", url)
    assert hashlib.sha256(body).hexdigest() in path
    assert ours.proves(asked(path, kind="application/json", signature=given), body)
    assert not ours.proves(asked(path, kind="application/json", signature=given), b'{"a": 2}')
    bare = signature("12345", PUBLIC + PATH)
    assert not ours.proves(asked(kind="application/json", signature=bare), body)


def test_get_is_signed_by_its_address_alone(ours: Signatures) -> None:
    given = signature("12345", PUBLIC + PATH)
    assert ours.proves(asked(method="GET", signature=given), b"")


FIELDS = st.lists(st.tuples(st.text("ABab.", max_size=3), st.text("xyz&=+ \u00e9\u4f60", max_size=4)), max_size=6)


@for_all(FIELDS, st.sampled_from(["https://a.example", "https://a.example:443", "http://a.example:8080"]))
def test_judges_as_the_providers_own_library(fields: list[tuple[str, str]], public: str) -> None:
    validator, path = RequestValidator("12345"), "/webhooks/hotline/status?a=%20b"
    body = urlencode(fields).encode()
    read = MultiDict(parse_qsl(body.decode(), keep_blank_values=True))
    for url in (PUBLIC + path, public + path):
        signed = validator.compute_signature(url, read)
        webhook = Webhook(method="POST", path=path, headers={"X-Twilio-Signature": signed}, body=body)
        ours = Signatures([Secret("12345")], public).vouches_for(webhook)
        assert ours is validator.validate(public + path, read, signed)


@for_all(st.binary(max_size=40), st.text("ab%/?=", max_size=9))
def test_webhook_that_was_kept_is_the_same_afterwards(body: bytes, path: str) -> None:
    headers = {"Content-Type": FORM, "X-Twilio-Signature": VECTOR}
    webhook = Webhook(method="POST", path=f"/{path}", headers=headers, body=body)
    assert Webhook.unpacked(webhook.packed()) == webhook


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"POST nowhere\n\n"])
def test_what_is_no_webhook_is_none(raw: bytes) -> None:
    with pytest.raises(ValueError, match="no request"):
        Webhook.unpacked(raw)
