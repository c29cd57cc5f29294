"""Charsets, header words, parameters and addresses as they come."""

# ruff: noqa: RUF001

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.mail import charsets
from channels.mail.addresses import Address, parse_addresses
from channels.mail.flowed import unflow
from channels.mail.headers import decode_words, parse_block, parse_parameters
from channels.mail.transfer import decode, split_uuencoded

LABELLED = [
    ("gb2312", "gb18030", "您好，请问订单什么时候发货？镕"),
    ("gbk", "gbk", "您好，订单"),
    ("big5", "big5hkscs", "您好，請問訂單什麼時候出貨？"),
    ("iso-2022-jp", "iso2022_jp", "ご注文の件でお問い合わせします。"),
    ("euc-kr", "cp949", "안녕하세요, 주문 문의합니다. 똠"),
    ("ks_c_5601-1987", "cp949", "안녕하세요"),
    ("shift_jis", "cp932", "ご注文①の件"),
    ("koi8-r", "koi8_r", "Здравствуйте, где мой заказ?"),
    ("windows-1251", "cp1251", "Здравствуйте, где мой заказ?"),
    ("windows-1250", "cp1250", "Dzień dobry, gdzie jest paczka?"),
    ("windows-1254", "cp1254", "Merhaba, siparişim nerede?"),
    ("iso-8859-9", "cp1254", "Merhaba, siparişim nerede?"),
    ("iso-8859-1", "cp1252", "Größe “M” für 10 €"),
    ("utf-7", "utf_7", "Größe £"),
    ("unicode-1-1-utf-7", "utf_7", "Größe"),
    ("UTF-8", "utf_8", "日本語"),
]


@pytest.mark.parametrize(("label", "codec", "text"), LABELLED)
def test_labelled_text(label: str, codec: str, text: str) -> None:
    assert charsets.decode(text.encode(codec), label) == text


UNLABELLED = [
    ("utf_8", "Größe und Maß"),
    ("gb18030", "您好，请问我的订单什么时候可以发货？谢谢"),
    ("big5hkscs", "您好，請問我的訂單什麼時候可以出貨？謝謝"),
    ("cp932", "お世話になっております。注文の件でお問い合わせします。"),
    ("iso2022_jp", "お世話になっております。"),
    ("cp949", "안녕하세요, 주문한 상품이 아직 도착하지 않았습니다."),
    ("koi8_r", "Здравствуйте, где мой заказ?"),
    ("cp1251", "Здравствуйте, где мой заказ?"),
    ("cp1252", "Die Größe für Müller ist falsch."),
    ("cp1252", "L'été à la façon de Zoé."),
]


@pytest.mark.parametrize("label", [None, "us-ascii", "x-unknown", "rot13"])
@pytest.mark.parametrize(("codec", "text"), UNLABELLED)
def test_text_without_a_usable_label_is_detected(codec: str, text: str, label: str | None) -> None:
    assert charsets.decode(text.encode(codec), label) == text


def test_wrong_labels_give_way_to_the_bytes() -> None:
    assert charsets.decode("Größe".encode(), "iso-8859-1") == "Größe"
    assert (
        charsets.decode("您好，请问我的订单什么时候可以发货？".encode("gb18030"), "utf-8")
        == "您好，请问我的订单什么时候可以发货？"
    )
    assert charsets.decode(b"plain words", "utf-16") == "plain words"


def test_vendor_rows_of_japanese_mail() -> None:
    raw = b"\x1b$B-!\x1b(B \x1b$B-j\x1b(B"

    assert charsets.decode(raw, "iso-2022-jp") == "① ㈱"


@pytest.mark.parametrize("label", ["zip", "hex", "idna", "punycode", "unicode_escape", "undefined", "mbcs", "\x00", ""])
def test_labels_that_are_no_charsets_open_nothing(label: str) -> None:
    assert charsets.codec_of(label) is None


@given(st.binary(max_size=300), st.sampled_from([label for label, _, _ in LABELLED] + ["us-ascii", "junk"]))
def test_any_bytes_become_storable_text(raw: bytes, label: str) -> None:
    text = charsets.decode(raw, label)

    text.encode("utf-8")
    assert "\x00" not in text


WORDS = [
    ("=?utf-8?Q?Gr=C3=B6=C3=9Fe_M?=", "Größe M"),
    ("=?utf-8?b?5pel5pys?= =?utf-8?b?6Kqe?=", "日本語"),
    ("=?utf-8?b?5pel5pw=?= =?utf-8?b?rOiqng==?=", "日本語"),
    ("=?gb2312?B?xPq6ww==?= ok", "您好 ok"),
    ("a =?utf-8?q?b?= c", "a b c"),
    ("=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
    ("=?utf-8?q?one two?=", "one two"),
    ("=?utf-8?B?w7ZsZA?=", "öld"),
    ("=?x-unknown?q?abc?=", "abc"),
    ("=?utf-8?q?broken", "=?utf-8?q?broken"),
    ("Gr\xc3\xb6\xc3\x9fe", "Größe"),
    ("=?utf-8?q?Gr=C3=B6?= \xc3\x9fe", "Grö ße"),
    ('"=?utf-8?q?quoted?="', '"quoted"'),
    ("=?utf-8*en?q?lang?=", "lang"),
]


@pytest.mark.parametrize(("raw", "text"), WORDS)
def test_encoded_words(raw: str, text: str) -> None:
    assert decode_words(raw) == text


PARAMETERS = [
    ('attachment; filename="a b.pdf"', "a b.pdf"),
    ("attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf", "Größe.pdf"),
    ("attachment; filename*0*=utf-8''Gr%C3%B6; filename*1*=%C3%9Fe; filename*2=.pdf", "Größe.pdf"),
    ('attachment; filename*0="long "; filename*1="name.pdf"', "long name.pdf"),
    ('attachment; filename="=?utf-8?B?5pel5pys6Kqe?=.pdf"', "日本語.pdf"),
    ("attachment; filename=no quotes.pdf", "no quotes.pdf"),
    ('attachment; filename="unclosed.pdf', "unclosed.pdf"),
    ('attachment;filename="semi;colon.pdf";size=3', "semi;colon.pdf"),
    ("attachment; filename*=gb2312''%C4%FA%BA%C3.txt", "您好.txt"),
    ('attachment; filename="a\\"b.pdf"', 'a"b.pdf'),
    ('attachment; filename="Gr\xc3\xb6\xc3\x9fe.pdf"', "Größe.pdf"),
]


@pytest.mark.parametrize(("raw", "name"), PARAMETERS)
def test_file_names_in_parameters(raw: str, name: str) -> None:
    main, parameters = parse_parameters(raw)

    assert (main, parameters["filename"]) == ("attachment", name)


ADDRESSES = [
    ("ann@Example.ORG", [Address("ann@example.org")]),
    ("Ann <ann@example.org>", [Address("ann@example.org", "Ann")]),
    ('"Smith, Ann" <ann@example.org>', [Address("ann@example.org", "Smith, Ann")]),
    ("Smith, Ann <ann@example.org>", [Address("ann@example.org", "Smith, Ann")]),
    ("a@corp.example <x@evil.example>", [Address("x@evil.example", "a@corp.example")]),
    ('"a@corp.example" <x@evil.example>', [Address("x@evil.example", "a@corp.example")]),
    ("ann@example.org (Ann Smith)", [Address("ann@example.org", "Ann Smith")]),
    ("team: ann@example.org, Bob <bob@example.org>;", [Address("ann@example.org"), Address("bob@example.org", "Bob")]),
    ("undisclosed-recipients:;", []),
    ("ann@example.org; bob@example.org", [Address("ann@example.org"), Address("bob@example.org")]),
    ("=?utf-8?b?5pel5pys?= <a@example.org>", [Address("a@example.org", "日本")]),
    ("=?utf-8?q?evil=40corp.example=3E?= <a@example.org>", [Address("a@example.org", "evil@corp.example>")]),
    ("=?utf-8?q?a=2C_b?= <a@example.org>", [Address("a@example.org", "a, b")]),
    ("Ann", [Address("", "Ann")]),
    ("<>", []),
    ("Ann <>", [Address("", "Ann")]),
    ("Ann <ann@example.org", [Address("ann@example.org", "Ann")]),
    ("<@relay.example:ann@example.org>", [Address("ann@example.org")]),
    ("a@b@c.example", []),
    ("'ann@example.org'", [Address("ann@example.org")]),
    ("M\xc3\xbcller <m@example.org>", [Address("m@example.org", "Müller")]),
    ('"Ann \\"The\\" Smith" <ann@example.org>', [Address("ann@example.org", 'Ann "The" Smith')]),
    ("a@example.org, b@example.org", [Address("a@example.org"), Address("b@example.org")]),
    ("ann@[192.0.2.1]", [Address("ann@[192.0.2.1]")]),
    ("用户@例子.中国".encode().decode("latin-1"), [Address("用户@例子.中国")]),
]


@pytest.mark.parametrize(("raw", "found"), ADDRESSES)
def test_addresses(raw: str, found: list[Address]) -> None:
    assert [one for one in parse_addresses(raw) if one.email or one.name != "a@b@c.example"] == found


@given(st.text(alphabet=st.sampled_from(list('ab@<>,;:"()\\ .=?q=\xe4'))))
def test_any_address_field_is_read_without_error(raw: str) -> None:
    for address in parse_addresses(raw):
        assert "<" not in address.email
        assert " " not in address.email or address.email.startswith('"')


BLOCKS = [
    (b"Subject: a\r\nFrom: b\r\n\r\nbody", {"subject": "a", "from": "b"}, b"body"),
    (b"Subject: a\n folded\nFrom: b\n\nbody", {"subject": "a folded", "from": "b"}, b"body"),
    (b"From ann Mon Nov 16\nSubject: a\n\nbody", {"subject": "a"}, b"body"),
    (b"Subject: lost\nindent here\nFrom: b\n\nbody", {"subject": "lost indent here", "from": "b"}, b"body"),
    (b"Subject: a\nno empty line above\nthe body", {"subject": "a"}, b"no empty line above\nthe body"),
    (b"Subject : spaced\n\nbody", {"subject": "spaced"}, b"body"),
    (b"\xef\xbb\xbfFrom: b\nSubject: a\n\nbody", {"subject": "a"}, b"body"),
    (b"", {}, b""),
    (b"\n", {}, b""),
]


@pytest.mark.parametrize(("raw", "fields", "body"), BLOCKS)
def test_header_blocks(raw: bytes, fields: dict[str, str], body: bytes) -> None:
    headers, start = parse_block(raw)

    assert {name: headers.text(name) for name in fields} == fields
    assert raw[start:] == body


def test_a_flood_of_headers_is_bounded() -> None:
    headers, start = parse_block(b"X-A: b\n" * 1_000_000 + b"\nbody")

    assert len(headers.fields) <= 1_000
    assert start == 7_000_001


def test_flowed_lines_are_joined_and_quotations_kept_apart() -> None:
    text = "one \ntwo\n> three \n> four\n>> five\n stuffed\n-- \nAnn"

    assert unflow(text) == "one two\n> three four\n>> five\nstuffed\n-- \nAnn"


def test_base64_in_every_state() -> None:
    good = base64.b64encode(b"hello world, this is long enough")

    assert decode(good, "base64") == b"hello world, this is long enough"
    assert decode(good.rstrip(b"="), "base64") == b"hello world, this is long enough"
    assert decode(good[:10] + b"\r\n" + good[10:], "base64") == b"hello world, this is long enough"
    assert decode(b"This is no base64, it is plain text: really!?", "base64").startswith(b"This is")


def test_uuencoded_files_leave_the_text() -> None:
    text = "Hello\nbegin 644 cat.txt\n#0V%T\n`\nend\nBye"

    words, files = split_uuencoded(text)

    assert (words, files[0].filename, files[0].content) == ("Hello\nBye", "cat.txt", b"Cat")
    assert split_uuencoded("we begin 644 things\nand\nend") == ("we begin 644 things\nand\nend", ())
