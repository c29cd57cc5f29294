"""HTML of strangers made fit to show: an allow-list, no loads until asked, and nothing parsed that a parser chokes on.

The result still belongs in a sandboxed frame of its own (security.md, 2); this is the first of two walls.
"""

# ruff: noqa: SIM905

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from html import escape
from secrets import token_hex
from urllib.parse import unquote

import nh3

from channels.mail.charsets import clean
from channels.mail.styles import filter_style

MAX_HTML = 1_048_576
"""Characters. Above it a mail is shown as text: the parser's time grows faster than its input."""
MAX_DEPTH = 1_000
_MAX_TABLES = 100
_MAX_FORMATTING = 60
_MAX_OPEN_TIMES_TAGS = 400_000
_MAX_TAG = 4_000
_MAX_TAG_NAMES = 1_000

_TAGS = frozenset(
    """a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del
    details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol
    p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt
    u ul var wbr""".split()
)
_COMMON_ATTRIBUTES = frozenset({"dir", "lang", "title", "style", "align", "valign"})
_ATTRIBUTES = {
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "width", "height", "border", "hspace", "vspace"}),
    "font": frozenset({"color", "face", "size"}),
    "table": frozenset({"border", "cellpadding", "cellspacing", "width", "height", "bgcolor"}),
    "td": frozenset({"colspan", "rowspan", "width", "height", "bgcolor", "nowrap"}),
    "th": frozenset({"colspan", "rowspan", "width", "height", "bgcolor", "nowrap"}),
    "tr": frozenset({"bgcolor", "height"}),
    "col": frozenset({"span", "width"}),
    "ol": frozenset({"start", "type"}),
    "li": frozenset({"value"}),
    "hr": frozenset({"width", "size", "color"}),
    "time": frozenset({"datetime"}),
}
_GONE = frozenset(
    """script style title template noscript textarea select svg math iframe object noembed noframes xmp
    plaintext""".split()
)
"""Elements whose words are no words of the mail."""
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_SELF_CLOSING = frozenset("p li td th tr tbody thead tfoot option dt dd colgroup".split())
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_STRUCTURE = re.compile(r"</?[a-z0-9]+")
_MOST_READINGS = 4
_LONG_TAG = re.compile(r"<[a-zA-Z/!?][^<>]{4000,}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_BETWEEN = re.compile(r"[\s/]+")
_IMAGE_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp);base64,[A-Za-z0-9+/=\s]*\Z", re.IGNORECASE)
_REMOTE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_LINK = re.compile(r"\s*(?:https?://|mailto:|tel:)", re.IGNORECASE)
_COLOR = re.compile(r"#?[\w\s(),.%]{1,40}\Z")
_MAX_INLINE_DATA = 200_000
_MAX_REMOTE = 4_000
_MAX_VALUE = 1_000
_MAX_ESCAPED = 60_000
"""Characters that are written as entities: the sanitiser takes quadratic time for them, 27 s for a million in a row."""


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """What may be shown, and what was held back."""

    html: str
    remote_images: int = 0
    """Images not loaded; showing them is the reader's choice."""
    is_text_only: bool = False
    """The HTML was too big or too deep to be shown as such."""


def is_hostile(html: str) -> bool:
    """Whether a parser would take unreasonable time over `html`, told by counting, without parsing it.

    Depth is what stays open (elements that close each other do not nest); open formatting
    elements are rebuilt inside every following block, so there the product counts; and attribute
    names of one tag are compared with each other. Words misplaced in nested tables are carried up
    one table at a time. Characters that are written as entities cost more the more of them there are.
    """
    if len(html) > MAX_HTML or any(_has_many_names(match.group()) for match in _LONG_TAG.finditer(html)):
        return True
    if html.count("\xa0") + html.count("&") > _MAX_ESCAPED:
        return True
    open_tags: Counter[str] = Counter()
    depth = formatting = deepest_formatting = count = 0
    for slash, name in _TAG.findall(html):
        name = name.lower()
        count += 1
        if name in _VOID or name in _SELF_CLOSING:
            continue
        step = -1 if slash else 1
        if open_tags[name] + step < 0:
            continue
        open_tags[name] += step
        depth += step
        if name in _FORMATTING:
            formatting += step
            deepest_formatting = max(deepest_formatting, formatting)
        if depth >= MAX_DEPTH or open_tags["table"] > _MAX_TABLES:
            return True
    return deepest_formatting > _MAX_FORMATTING and deepest_formatting * count > _MAX_OPEN_TIMES_TAGS


def _has_many_names(tag: str) -> bool:
    return len(_BETWEEN.findall(_QUOTED.sub("", tag))) > _MAX_TAG_NAMES


@dataclass(slots=True)
class _Run:
    """What one run may show, and what it held back."""

    inline_images: Mapping[str, str]
    remote_image: Callable[[str], str] | None
    blocked: int = 0
    given: set[str] = field(default_factory=set)
    """Addresses that we have put in ourselves, at home in what is read again."""
    is_again: bool = False


_RUN: ContextVar[_Run] = ContextVar("run")
"""Of the run that this thread is in: the cleaner is made once, for making it takes longer than most mails."""


def _filter(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        return filter_style(value) or None
    if name == "src":
        return _source(value)
    if name == "href":
        return value.strip() if tag == "a" and _LINK.match(value) else None
    if name in {"color", "bgcolor"}:
        return value if _COLOR.match(value) else None
    return value if len(value) <= _MAX_VALUE else None


def _source(value: str) -> str | None:
    run = _RUN.get()
    if run.is_again:
        return value if value in run.given else None
    found = _address(run, value.strip())
    if found is not None:
        run.given.add(found)
    return found


def _address(run: _Run, source: str) -> str | None:
    if source[:4].lower() == "cid:":
        return run.inline_images.get(_content_id(source), source)
    if source[:5].lower() == "data:":
        return source if len(source) <= _MAX_INLINE_DATA and _IMAGE_DATA.match(source) else None
    if not _REMOTE.match(source) or len(source) > _MAX_REMOTE:
        return None
    secure = f"https:{source[source.index('//') :]}"
    if run.remote_image is not None:
        return run.remote_image(secure)
    run.blocked += 1
    return f"{_PARKED}{secure}"


def _content_id(source: str) -> str:
    """The Content-ID of a cid: address, whose special characters clients escape (RFC 2392) or not."""
    return unquote(source[4:]).strip().strip("<>")


_PARKED = f"x{token_hex(8)}:"
"""What a remote source is marked with until it is moved; no mail can guess it."""
_PARKED_SOURCE = re.compile(rf' src="{_PARKED}(?=https://)')
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags=set(_GONE),
    attributes={tag: set(_ATTRIBUTES.get(tag, frozenset()) | _COMMON_ATTRIBUTES) for tag in _TAGS},
    attribute_filter=_filter,
    url_schemes={"http", "https", "mailto", "tel", "cid", "data", _PARKED.removesuffix(":")},
    url_relative="pass_through",  # only the filter's own addresses of inline images are; it drops all others
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    strip_comments=True,
)


def sanitize(
    html: str,
    *,
    inline_images: Mapping[str, str] | None = None,
    remote_image: Callable[[str], str] | None = None,
    text: str = "",
) -> SafeHtml:
    """`html` with only what may be shown.

    An image from elsewhere keeps its place, and its address in `data-remote-src`, from where nothing loads it.

    Args:
        html: as the mail brought it.
        inline_images: address by Content-ID; a cid: image not in it keeps its harmless cid: address.
        remote_image: gives the address under which an image from elsewhere is shown, by its own (https);
            None where the reader has not asked for any.
        text: what to show instead when the HTML is too much to parse.
    """
    if is_hostile(html):
        return SafeHtml(text_as_html(text), is_text_only=True)
    run = _Run(inline_images or {}, remote_image)
    token = _RUN.set(run)
    try:
        safe = _settled(_CLEANER.clean(html if html.isprintable() else clean(html)), run)
    finally:
        _RUN.reset(token)
    if safe is None:
        return SafeHtml(text_as_html(text), is_text_only=True)
    if run.blocked:
        safe = _PARKED_SOURCE.sub(' data-remote-src="', safe)
    return SafeHtml(safe.strip(), run.blocked)


def _settled(safe: str, run: _Run) -> str | None:
    """Return what a browser reads as it was written; None where that cannot be had.

    Words misplaced in a table are carried up in front of it, there into elements that cannot hold them: written down
    and read once more it is another tree, and none that anybody has looked at.
    """
    run.is_again = True
    for _ in range(_MOST_READINGS):
        if "<table" not in safe:
            return safe
        if is_hostile(safe):
            return None
        again = _CLEANER.clean(safe)
        if _STRUCTURE.findall(again) == _STRUCTURE.findall(safe):
            return safe
        safe = again
    return None


def text_as_html(text: str) -> str:
    """Plain words as HTML that keeps their lines."""
    return f'<div style="white-space:pre-wrap">{escape(text)}</div>' if text else ""
