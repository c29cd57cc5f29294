"""Bytes to text for whatever charset a mail claims, omits or lies about; never an exception."""

# ruff: noqa: RUF001, SIM905
import codecs
import re
from functools import lru_cache

_ALIASES = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "iso-gb2312": "gb18030", "x-gbk": "gb18030",
    "gb_2312": "gb18030", "cp936": "gb18030", "ms936": "gb18030", "windows-936": "gb18030", "hz-gb-2312": "hz",
    "chinesebig5": "big5hkscs", "big5": "big5hkscs", "cn-big5": "big5hkscs", "x-x-big5": "big5hkscs", "cp950": "cp950",
    "ks_c_5601": "cp949", "ks_c_5601-1987": "cp949", "ks_c_5601-1989": "cp949", "euc-kr": "cp949", "euckr": "cp949",
    "korean": "cp949", "ksc5601": "cp949", "windows-949": "cp949", "cseuckr": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "iso_8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "l1": "cp1252", "windows-1252http-equivcontent-type": "cp1252", "ansi": "cp1252", "ansi_x3.4-1968": "ascii",
    "iso-8859-9": "cp1254", "iso-8859-8-i": "iso8859_8", "iso-8859-8-e": "iso8859_8", "iso-8859-11": "cp874",
    "tis-620": "cp874", "tis620": "cp874", "windows-874": "cp874", "logical": "iso8859_8", "visual": "iso8859_8",
    "unicode-1-1-utf-7": "utf_7", "utf-7-imap": "utf_7", "unicode-1-1-utf-8": "utf_8", "utf8": "utf_8",
    "utf-8mb4": "utf_8", "utf8mb4": "utf_8", "unicode": "utf_16", "ucs-2": "utf_16", "utf-16": "utf_16",
    "iso-2022-jp-ms": "iso2022_jp", "cp50220": "iso2022_jp", "cp50221": "iso2022_jp", "iso-2022-jp": "iso2022_jp",
    "iso-2022-jp-1": "iso2022_jp", "csiso2022jp": "iso2022_jp", "jis": "iso2022_jp",
    "koi8-ru": "koi8_u", "koi8": "koi8_r", "cp-850": "cp850", "ibm850": "cp850", "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman", "x-mac-cyrillic": "mac_cyrillic", "cp1250": "cp1250",
}  # fmt: skip
"""Labels that mean more (or something other) than Python's codec of that name."""

_ALLOWED = frozenset(
    """ascii utf_8 utf_8_sig utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be utf_7 gb18030 hz big5 big5hkscs cp950
    cp949 euc_kr johab iso2022_kr cp932 shift_jis_2004 euc_jp euc_jis_2004 iso2022_jp iso2022_jp_2 iso2022_jp_3 koi8_r
    koi8_u koi8_t cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp850 cp852 cp855 cp858 cp862
    cp866 cp874 iso8859_1 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10
    iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16 mac_roman mac_cyrillic mac_latin2 mac_greek mac_turkish
    ptcp154 kz1048 tis_620""".split()
)
"""Everything else Python would open for a label ("zip", "idna", "unicode_escape") is a weapon, not a charset."""

_UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_JIS_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\$\([A-Z]|\([BJI])")
_NEWLINE = re.compile("\r\n?|[\x0c\x85\u2028\u2029]")
_SAMPLE = 4096
_SINGLE_BYTE_WEST = frozenset({"cp1252", "iso8859_15", "cp1254", "cp850", "mac_roman", "iso8859_2", "cp1250"})


@lru_cache(maxsize=512)
def codec_of(label: str) -> str | None:
    """The Python codec for a charset label, None when it names nothing we would open."""
    key = label.strip().strip("\"'").lower()[:60]
    if "*" in key:  # RFC 2231 language: "utf-8*en"
        key = key.partition("*")[0]
    name = _ALIASES.get(key) or _ALIASES.get(key.replace("_", "-"), key)
    try:
        found = codecs.lookup(name).name.replace("-", "_")
    except (LookupError, ValueError, UnicodeError):
        return None
    return found if found in _ALLOWED else None


def decode(raw: bytes, label: str | None = None) -> str:
    """Text of `raw`, by its label if that works, else by its bytes. NUL and lone surrogates never survive."""
    codec = codec_of(label) if label else None
    text = _decode(raw, codec)
    text = text.removeprefix("\ufeff")
    return clean(text)


def clean(text: str) -> str:
    """`text` without the control characters, surrogates and non-characters that no store or page should see."""
    return _UNWANTED.sub(_replacement, text)


def newlines(text: str) -> str:
    """`text` with every kind of line end as one line feed."""
    return _NEWLINE.sub("\n", text)


def _replacement(match: re.Match[str]) -> str:
    return "\ufffd" if match.group() >= "\ud800" else ""


def _decode(raw: bytes, codec: str | None) -> str:
    if codec in {None, "ascii", "utf_8", "utf_8_sig", "cp1252"} and raw.isascii():
        return _decode_ascii(raw, codec)
    if codec in {None, "ascii"}:
        return _detect(raw)
    assert codec is not None
    if codec.startswith(("utf_16", "utf_32")) and b"\x00" not in raw and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _detect(raw)
    if codec == "iso2022_jp":
        return _decode_jis(raw)
    if codec in _SINGLE_BYTE_WEST and (utf8 := _utf8(raw)) is not None:
        return utf8  # text that happens to be valid UTF-8 beyond ASCII is UTF-8, whatever it is called
    try:
        return raw.decode(codec)
    except (UnicodeError, ValueError):
        return _decode_mislabelled(raw, codec)


def _decode_ascii(raw: bytes, codec: str | None) -> str:
    if codec in {None, "ascii"} and b"\x1b" in raw and _JIS_ESCAPE.search(raw):
        return _decode_jis(raw)
    return raw.decode("ascii")


def _decode_mislabelled(raw: bytes, codec: str) -> str:
    text = raw.decode(codec, "replace")
    if text.count("\ufffd") * 20 <= len(text):  # a few broken characters: the label is right
        return text
    return _detect(raw, fallback=codec)


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _detect(raw: bytes, *, fallback: str = "cp1252") -> str:
    utf8 = _utf8(raw)
    if utf8 is not None:
        return utf8
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    if _JIS_ESCAPE.search(raw):
        return _decode_jis(raw)
    best = max(_CANDIDATES, key=lambda name: _score(raw, name))
    if _score(raw, best) <= 0:
        utf8 = raw.decode("utf-8", "replace")
        high = sum(len(run) for run in _HIGH.findall(raw))
        best = "utf_8" if utf8.count("\ufffd") * 4 < high else fallback
    return raw.decode(best, "replace")


_CANDIDATES = ("cp1252", "gb18030", "big5hkscs", "cp932", "cp949", "cp1251", "koi8_r")
_COMMON = {
    "gb18030": re.compile(rb"[\xb0-\xd7][\xa1-\xfe]|\xa1[\xa1-\xff]|\xa3[\xa1-\xfe]"),
    "big5hkscs": re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]|\xa1[\x40-\x7e]"),
    "cp932": re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]|\x81[\x40-\x5b]|[\x88-\x97][\x40-\xfc]"),
    "cp949": re.compile(rb"[\xb0-\xc8][\xa1-\xfe]"),
}  # the rows of each character set that everyday writing comes from
_LOW_CYRILLIC = re.compile("[а-яё]{2,}")
_ODD_CYRILLIC = re.compile("[а-яё][А-ЯЁ]|[\u0400-\u040f\u0452-\u045f\u2500-\u259f]")
_KANA = re.compile("[\u3041-\u30fe]")
_WESTERN = re.compile("[A-Za-z][À-ÿŒœ][a-z]|[a-z][À-ÿŒœß](?![À-ÿ])|\\b[ÀÁÄÅÉÈÖÜØàéèôùü](?![À-ÿ])")
_FREQUENT = {
    "gb18030": frozenset(
        "的一是不了在人有我他这为来们到时要会可以你请您好发收件主题回复产品公司单订中国大上个电话谢先生小没能"
    ),
    "big5hkscs": frozenset(
        "的一是不了在人有我他這為來們到時要會可以你請您好發收件主題回覆產品公司單訂中國大上個電話謝先生小沒能"
    ),
    "cp949": frozenset("이다의는에을를가은고하지로한도기사나니요세주문안녕습해어서그있대스시인정수자"),
    "cp932": frozenset("のにをはがとでしてたまるいなすかこお件注文送信願様日本"),
}


@lru_cache(maxsize=64)
def _score(raw: bytes, codec: str) -> float:
    """How much of the bytes beyond ASCII reads as ordinary writing in `codec`; <= 0 means no."""
    sample = raw[:_SAMPLE]
    try:
        text = sample.decode(codec, "strict" if len(raw) <= _SAMPLE else "ignore")
    except (UnicodeError, ValueError):
        return -1.0
    high = sum(len(run) for run in _HIGH.findall(sample)) or 1
    if codec in _COMMON:
        common = sum(len(found) for found in _COMMON[codec].findall(sample))
        frequent = sum(1 for character in text if character in _FREQUENT[codec])
        kana = len(_KANA.findall(text)) if codec == "cp932" else 0
        beyond = sum(1 for character in text if character > "\x7f") or 1
        return min(common / (2 * beyond), 1.0) * 0.5 + min(frequent / beyond, 0.6) + min(kana / beyond, 0.5)
    if codec == "cp1252":
        good = len(_WESTERN.findall(text))
        return min(good / high, 1.0) * 0.9
    good = sum(len(run) for run in _LOW_CYRILLIC.findall(text))
    return (good - 2 * len(_ODD_CYRILLIC.findall(text))) / high


def _decode_jis(raw: bytes) -> str:
    """ISO-2022-JP as Windows writes it: half-width kana and the vendor's rows (①, ㈱) included."""
    out: list[str] = []
    mode = b"(B"
    start = 0
    for match in _JIS_ESCAPE.finditer(raw):
        out.append(_jis_run(raw[start : match.start()], mode))
        mode, start = match.group()[1:], match.end()
    out.append(_jis_run(raw[start:], mode))
    return "".join(out)


def _jis_run(run: bytes, mode: bytes) -> str:
    if not run:
        return ""
    if mode in {b"(B", b"(J"}:
        return run.decode("ascii") if run.isascii() else run.decode("cp932", "replace")
    if mode == b"(I":
        return bytes(byte | 0x80 for byte in run).decode("cp932", "replace")
    if mode in {b"$@", b"$B"}:
        return _jis_to_sjis(run).decode("cp932", "replace")
    return (b"\x1b" + mode + run).decode("iso2022_jp_3", "replace")


def _jis_to_sjis(run: bytes) -> bytes:
    out = bytearray()
    pairs = iter(range(0, len(run) - 1, 2))
    for position in pairs:
        row, cell = run[position], run[position + 1]
        if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
            out += b"?" if row != 0x0A else b"\n"
            continue
        lead = ((row - 0x21) >> 1) + (0x81 if row <= 0x5E else 0xC1)
        trail = cell + 0x7E if row % 2 == 0 else cell + (0x1F if cell < 0x60 else 0x20)
        out += bytes((lead, trail))
    return bytes(out)
