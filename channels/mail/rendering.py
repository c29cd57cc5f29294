"""HTML to lines of text, each knowing how deep it is quoted and what its surroundings said about it.

A tokenizer, not a tree: one pass, linear in the input, safe on the HTML that is too hostile to parse.
"""

# ruff: noqa: E501, SIM905

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from html import unescape
from itertools import islice
from typing import NamedTuple

from channels.mail.charsets import clean

MAX_TEXT = 1_000_000
"""Characters of text that are taken from a page; nobody reads on behind that."""

MAX_WHOLE = 200_000
"""Characters of HTML that are always read to their end."""

_MAX_HTML = 2_000_000
_MAX_LINES = 30_000
_MAX_TOKENS = 200_000
"""Tags and runs of words; a page of 100 kB has 10,000."""


class Mark(Enum):
    """What the HTML around a line says about it."""

    NONE = ""
    QUOTE = "quote"
    """Inside what the client calls the quoted mail."""
    REST = "rest"
    """Here begins the original; all that follows is it."""
    SIGNATURE = "signature"
    ATTRIBUTION = "attribution"


class Line(NamedTuple):
    """One line of a mail's text, without its quote marks."""

    text: str
    depth: int = 0
    """How many quotations it stands in."""
    mark: Mark = Mark.NONE


_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(style|script|title|head|template|noscript|textarea|select)\b[^>]{0,4000}+>.*?(?:</\1[^>]{0,100}+>?|\Z)"
    r"|<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+'|[\"'])*+)>"
    r"|<[!?][^>]*+>?|[^<]+|<(?:<+(?=<)|[^<]*+)",
    re.IGNORECASE | re.DOTALL,
)
_HEAD_BODY = re.compile(r"<body", re.IGNORECASE)
_BLOCKS = frozenset(
    """address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure footer form h1 h2
    h3 h4 h5 h6 header hr html li main nav ol p pre section table tbody tfoot thead tr ul includetail""".split()
)
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "dl"})
_VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "wbr", "col", "area", "base"})
_TRACKED = frozenset(
    "blockquote div span p pre table td tr body section article center includetail font a ul ol details".split()
)
_WHITE = re.compile(r"[ \t\r\n\f\u200b\u200c\ufeff\u034f\u00ad]+")
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.IGNORECASE)
_TIGHT = re.compile(r"MsoNormal|MsoPlainText|margin(?:-bottom|-top)?:\s?0(?![.\d])", re.IGNORECASE)
_MAX_STACK = 400
_PLACED = frozenset({"img", "br", "hr"})

_QUOTE_ATTRIBUTES = re.compile(
    r"""gmail_quote|gmail_extra|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|isReplyContent|type=["']?cite
    |ntes-mailmaster-quote|freshdesk_quote|front-blockquote|messageReplySection|moz-forward-container|history_container
    |name=["']quote["']|id=["']?qt["']?(?:\s|$)|data-marker=["']?__QUOTED_TEXT__|mail-quote|reply-content-quote|clean_bq
    |quote-original|originalMessage|id=["']?mail-editor-reference-message-container|class=["']?[^"'>]*\bcitation\b
    |ms-outlook-mobile-reference-message|lark-mail-quote|lark-mail-doc-quote|history-quote|alimail-quote|foxmail_quote
    |adL-quote|data-quote|reply_quote|hs_reply""",
    re.VERBOSE | re.IGNORECASE,
)
_REST_ATTRIBUTES = re.compile(
    r"""id=["']?(?:x_)*(?:divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|stopSpelling|replySplit|original-content
    |ms-outlook-mobile-body-separator-line|_rc_sig_after|lineBreakAtBeginningOfMessage_)["'\s>]?
    |border(?:-top)?:\s*(?:none;\s*border-top:\s*)?solid\s+\#(?:b5c4df|e1e1e1|cccccc)\s+1(?:\.0)?pt
    |background:\s*\#efefef;\s*padding:\s*8px|border-top:\s*1pt\s+solid\s+\#(?:b5c4df|e1e1e1)
    |border-top-color:\s*rgb\(229,\s*229,\s*229\);\s*border-top-width:\s*1px""",
    re.VERBOSE | re.IGNORECASE,
)
_SIGNATURE_ATTRIBUTES = re.compile(
    r"""gmail_signature|moz-signature|protonmail_signature|AppleMailSignature|ms-outlook-mobile-signature|bloop_sign
    |spnEditorSign|messageSignatureSection|data-marker=["']?__SIG|data-signatureblock|composer_signature|mail_signature
    |id=["']?(?:x_)*Signature["'\s>]|class=["']?(?:x_)*elementToProof\ssignature|ntes_signature|lark-mail-signature
    |foxmail_signature|zm_sig|class=["']?signature["'\s>]|id=["']?signature["'\s>]|hs_signature|front-signature
    |class=["']?fastmail-signature|id=["']?sig\d{5,}|mailmaster-signature|xm_compose_signature""",
    re.VERBOSE | re.IGNORECASE,
)
_ATTRIBUTION_ATTRIBUTES = re.compile(
    r"gmail_attr|moz-cite-prefix|zmail_extra_hr|ntes-attribution|lark-mail-quote-header", re.IGNORECASE
)
_HINTS = (
    "gmail_", "yahoo_quoted", "protonmail_", "tutanota_quote", "zmail_extra", "isreplycontent", "cite", "quote", "replysection",
    "moz-", "history_container", "\"qt\"", "citation", "originalmessage", "reference-message", "clean_bq", "hs_reply", "rplyfwdmsg",
    "appendonsend", "olk_src_body", "stopspelling", "replysplit", "original-content", "border-top", "#efefef", "includetail", "zwchr",
)  # fmt: skip


def has_structure(html: str) -> bool:
    """Whether the HTML itself may tell what is quoted (cheap; for mails that have plain text as well)."""
    lowered = html.lower()
    return any(hint in lowered for hint in _HINTS)


@lru_cache(maxsize=4096)
def _meaning(attributes: str) -> str:
    """What the attributes of an element say: "attribution", "signature", "rest", "quote" or "", and " hidden"."""
    hidden = " hidden" if _HIDDEN.search(attributes) else ""
    if _ATTRIBUTION_ATTRIBUTES.search(attributes):
        return f"attribution{hidden}"
    if _SIGNATURE_ATTRIBUTES.search(attributes):
        return f"signature{hidden}"
    if _REST_ATTRIBUTES.search(attributes):
        return f"rest{hidden}"
    if _QUOTE_ATTRIBUTES.search(attributes) and "gmail_extra" not in attributes:
        return f"quote{hidden}"
    return hidden


@dataclass(slots=True)
class _Open:
    tag: str
    mark: Mark = Mark.NONE
    """Its own, or that of what it stands in."""
    quotes: bool = False
    is_hidden: bool = False
    is_tight: bool = False
    """A paragraph without room around it."""


@dataclass(slots=True)
class _Page:
    lines: list[Line] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    depth: int = 0
    hidden: int = 0
    pre: int = 0
    rest_pending: bool = False
    size: int = 0
    line_mark: Mark = Mark.NONE
    line_depth: int = 0
    has_words: bool = False
    is_held_open: bool = False
    """A no-break space stands in this line, as editors write an empty one."""

    def break_line(self, *, blank: bool = False) -> None:
        text = "".join(self.words)
        self.words.clear()
        self.has_words = False
        blank = blank or (self.is_held_open and not text.strip())
        self.is_held_open = False
        if not self.pre:
            text = text.strip(" \t\n")
        if text or (self.pre and self.lines):
            for piece in text.split("\n") if self.pre else (text,):
                self.lines.append(Line(piece.rstrip(), self.line_depth, self.line_mark))
            self.line_mark = Mark.NONE
        if blank and self.lines and self.lines[-1].text:
            self.lines.append(Line("", self.depth))

    def write(self, text: str) -> None:
        if not self.has_words and (text.strip() or not self.words):
            self.line_depth = self.depth
            self.has_words = bool(text.strip())
            self.line_mark = self._mark() if self.has_words else Mark.NONE
        self.words.append(text)
        self.size += len(text)

    def _mark(self) -> Mark:
        if self.rest_pending:
            self.rest_pending = False
            return Mark.REST
        return self.stack[-1].mark if self.stack else Mark.NONE


class Place(NamedTuple):
    """`html[start:end]` is words, a picture, a rule or a line break.

    It belongs to the line whose number is `numbers[line]` and, with `is_pre`, to those below as well.
    """

    start: int
    end: int
    line: int
    is_pre: bool = False


class Rendered(NamedTuple):
    """The visible lines of a page, and where in it what they are made of stands, in order."""

    lines: list[Line]
    places: list[Place]
    numbers: list[int]
    """By `Place.line`: the number of the line, in `lines`."""


def render(html: str) -> list[Line]:
    """The visible lines of `html`: no empty line at either end, never two in a row."""
    return _render(html, None).lines


def render_placed(html: str) -> Rendered:
    """The visible lines and the places of what they are made of."""
    return _render(html, [])


def _render(html: str, places: list[Place] | None) -> Rendered:
    body = _HEAD_BODY.search(html)
    page = _Page()
    tokens = _TOKEN.finditer(html, body.start() if body else 0, _MAX_HTML)
    for match in islice(tokens, _MAX_TOKENS):
        name = match[3]
        if name is not None:
            name = name.lower()
            if places is not None and name in _PLACED:
                places.append(Place(match.start(), match.end(), _line_of(page, name)))
            _tag(page, bool(match[2]), name, match[4])
        elif match[1] is None and not match.group().startswith(("<!", "<?")):
            if places is not None and not page.hidden:
                places.append(Place(match.start(), match.end(), _line_of(page), is_pre=page.pre > 0))
            _text(page, match.group())
        if page.size > MAX_TEXT or len(page.lines) > _MAX_LINES:
            break
    page.break_line()
    lines, numbers = _tidy(page.lines)
    return Rendered(lines, places or [], numbers)


def _line_of(page: _Page, name: str = "") -> int:
    """The line that an element belongs to: a picture between two goes with the upper one, unless it is quoted."""
    line = len(page.lines)
    if page.pre:
        return line + "".join(page.words).count("\n")
    is_free = page.depth == 0 and not page.rest_pending and (not page.stack or page.stack[-1].mark is Mark.NONE)
    return line - 1 if name == "img" and is_free and not page.has_words and line else line


def as_text(lines: Sequence[Line]) -> str:
    """Lines as plain text, quotations marked as people do."""
    return "\n".join(marked(line) for line in lines)


def marked(line: Line) -> str:
    """A line with its quote marks."""
    return f"{'> ' * line.depth}{line.text}".rstrip() if line.depth else line.text


def _text(page: _Page, token: str) -> None:
    if page.hidden:
        return
    text = unescape(token) if "&" in token else token
    if page.pre:
        page.write(text.replace("\r\n", "\n"))
        return
    if "  " in text or not text.isprintable() or "\u034f" in text:  # most runs are plain words
        text = _WHITE.sub(" ", text)
    if text == " " and (not page.words or page.words[-1].endswith((" ", "\n"))):
        return
    if "\xa0" in text:
        page.is_held_open = True
        text = text.replace("\xa0", " ")
    page.write(text)


def _tag(page: _Page, closing: bool, name: str, attributes: str) -> None:
    if name == "br":
        _line_break(page)
        return
    if name == "hr":
        page.break_line(blank=True)
        if "stopspelling" in attributes.lower() or "zwchr" in attributes.lower():
            page.rest_pending = True
        return
    if name in {"td", "th"}:
        _cell(page, closing=closing)
    if name in _BLOCKS:
        page.break_line(blank=name in _SPACED and not _is_tight(page, name, attributes, closing=closing))
    if name in _TRACKED and not attributes.endswith("/"):
        if closing:
            _close(page, name)
        else:
            _open(page, name, attributes)
    if name == "li" and not closing and not page.hidden:
        page.write("- ")


def _is_tight(page: _Page, name: str, attributes: str, *, closing: bool) -> bool:
    """Whether a paragraph stands close to the next, as a line does."""
    if name != "p":
        return False
    if closing:
        return bool(page.stack) and page.stack[-1].tag == "p" and page.stack[-1].is_tight
    return _TIGHT.search(attributes) is not None or any(opened.tag == "td" for opened in page.stack[-4:])


def _line_break(page: _Page) -> None:
    if page.hidden:
        return
    if page.pre:
        page.write("\n")
    elif page.has_words:
        page.break_line()
    else:
        page.words.clear()
        if page.lines and page.lines[-1].text:
            page.lines.append(Line("", page.depth))


def _cell(page: _Page, *, closing: bool) -> None:
    if closing and page.words and not page.hidden:
        page.words.append(" ")


def _open(page: _Page, name: str, attributes: str) -> None:
    if len(page.stack) >= _MAX_STACK:
        return
    opened = _Open(name, page.stack[-1].mark if page.stack else Mark.NONE)
    if attributes and (meaning := _meaning(attributes[:1000])):
        _recognize(page, opened, meaning)
    if name == "blockquote" and (page.depth or opened.mark is Mark.QUOTE):
        opened.quotes = True
    if name == "includetail":
        page.rest_pending = True
    opened.is_tight = name == "p" and _is_tight(page, name, attributes, closing=False)
    page.pre += name == "pre"
    page.depth += opened.quotes
    page.hidden += opened.is_hidden
    page.stack.append(opened)


def _recognize(page: _Page, opened: _Open, meaning: str) -> None:
    opened.is_hidden = meaning.endswith(" hidden")
    kind = meaning.removesuffix(" hidden")
    if kind == "attribution":
        opened.mark = Mark.ATTRIBUTION
    elif kind == "signature":
        opened.mark = Mark.SIGNATURE
    elif kind == "rest":
        page.break_line()
        page.rest_pending = True
    elif kind == "quote" and opened.tag == "blockquote":
        opened.quotes = True
    elif kind == "quote":
        opened.mark = Mark.QUOTE


def _close(page: _Page, name: str) -> None:
    for back in range(1, min(len(page.stack), 60) + 1):
        if page.stack[-back].tag == name:
            break
    else:
        return
    while True:
        opened = page.stack.pop()
        page.pre -= opened.tag == "pre"
        page.depth -= opened.quotes
        page.hidden -= opened.is_hidden
        if opened.tag == name:
            return


def _tidy(lines: list[Line]) -> tuple[list[Line], list[int]]:
    tidy: list[Line] = []
    numbers: list[int] = []
    for line in lines:
        numbers.append(len(tidy))
        text = line.text.rstrip(" \t")
        text = text if text.isprintable() else clean(text).rstrip(" \t")
        if not text and (not tidy or not tidy[-1].text):
            continue
        tidy.append(line if text == line.text else Line(text, line.depth, line.mark))
    while tidy and not tidy[-1].text:
        tidy.pop()
    return tidy, numbers
