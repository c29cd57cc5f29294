"""HTML of strangers: what is left of it, and how long that takes."""

# ruff: noqa: E501

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.mail.markup import is_hostile, sanitize
from channels.mail.parsed import parse
from channels.mail.rendering import render
from channels.mail.styles import filter_style
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
FORBIDDEN = ("script", "alert", "onerror", "onload", "javascript", "evil.example", "<form", "<input", "<iframe", "<svg", "<math",
             "<style", "<meta", "<base", "<link", "position", "expression", "url(", "id=", "class=", "onclick", "data:", "-9999")  # fmt: skip


PARKED = re.compile(r' data-remote-src="[^"]*"')


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_runs_loads_or_escapes_is_left(payload: str) -> None:
    for page in (payload, f"<div>{payload}", f"<table><tr><td>{payload}</table>"):
        safe = PARKED.sub("", sanitize(page).html.lower())

        assert not [word for word in FORBIDDEN if word in safe.replace("&lt;", "")]


def test_remote_images_load_only_when_asked_and_only_safely() -> None:
    page = '<img src="https://shop.example/a.png"><img src="http://shop.example/b.png">'

    assert sanitize(page).remote_images == 2
    assert sanitize(page).html == (
        '<img data-remote-src="https://shop.example/a.png"><img data-remote-src="https://shop.example/b.png">'
    )
    assert sanitize(page, remote_images=True).html == (
        '<img src="https://shop.example/a.png"><img src="https://shop.example/b.png">'
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
    "select": "<select>" * 100_000,
    "two megabytes": "<p>x</p>" * 300_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_hostile_pages_take_bounded_time(name: str) -> None:
    started = time.process_time()

    parse(mail(HUGE[name], {"Content-Type": "text/html"}))

    assert time.process_time() - started < 4


def test_half_a_megabyte_of_divs_is_text_at_once() -> None:
    started = time.process_time()
    safe = sanitize("<div>" * 100_000, text="words & more")

    assert time.process_time() - started < 0.2
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
