"""Letters put together the ways people and clients do it: (name, mail, the new words), as text and as HTML."""

# ruff: noqa: E501

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from tests.payloads.mail.letters import WEST, Tongue
from tests.payloads.mail.letters_east import EAST

TONGUES = {**WEST, **EAST}
NEED_MARKS = frozenset({"orange", "the bat", "docomo", "coremail", "interia", "hey"})
"""Attributions too poor to open a quotation that carries no marks."""


@dataclass(frozen=True, slots=True)
class Case:
    """One mail and what a reader should see of it first."""

    name: str
    mail: str
    new: str


def marked(text: str, mark: str = "> ") -> str:
    """`text` quoted."""
    return "\n".join(f"{mark}{line}".rstrip() for line in text.split("\n"))


def _wrapped(line: str, width: int) -> str:
    """A line broken as a client does that wraps before it sends."""
    return (
        "\n".join(textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False))
        if "\n" not in line
        else line
    )


def text_cases(*codes: str) -> Iterator[Case]:
    """Every client in the layouts of plain text, in these languages or all."""
    for code in codes or TONGUES:
        tongue = TONGUES[code]
        for number, new in enumerate(tongue.news):
            sign_off = tongue.sign_offs[number % len(tongue.sign_offs)]
            for client, line in tongue.attributions.items():
                for layout, build in _QUOTING.items():
                    if layout == "unmarked" and client in NEED_MARKS:
                        continue
                    yield Case(f"{code}/{client}/{layout}/{number}", build(tongue, new, sign_off, line), new)
            for client, block in tongue.blocks.items():
                for layout, build in _BLOCKS.items():
                    yield Case(f"{code}/{client}/{layout}/{number}", build(tongue, new, sign_off, block), new)
        yield from _tails(code, tongue)
        yield from _inline(code, tongue)


_Build = Callable[[Tongue, str, str, str], str]
_QUOTING: dict[str, _Build] = {
    "top": lambda t, new, _, line: f"{new}\n\n{line}\n\n{marked(t.old)}\n",
    "signed": lambda t, new, sign, line: f"{new}\n\n{sign}\n\n{line}\n{marked(t.old)}\n",
    "tight": lambda t, new, _, line: f"{new}\n{line}\n{marked(t.old)}",
    "wrapped": lambda t, new, _, line: f"{new}\n\n{_wrapped(line, 72)}\n\n{marked(t.old)}\n",
    "narrow": lambda t, new, _, line: f"{new}\n\n{_wrapped(line, 60)}\n{marked(t.old)}\n",
    "quoted itself": lambda t, new, _, line: f"{new}\n\n{marked(line)}\n> \n{marked(t.old)}\n",
    "bottom": lambda t, new, _, line: f"{line}\n{marked(t.old)}\n\n{new}\n",
    "bottom signed": lambda t, new, sign, line: f"{line}\n\n{marked(t.old)}\n\n{new}\n\n{sign}\n",
    "mobile": lambda t, new, _, line: f"{new}\n\n{t.mobile[0]}\n\n{line}\n\n{marked(t.old)}\n",
    "no-break": lambda t, new, sign, line: (
        f"{new}\n\u00a0\n{sign}\n\u00a0\n{line.replace(' ', chr(0xA0), 3)}\n{marked(t.old)}\n"
    ),
    "nested": lambda t, new, _, line: (
        f"{new}\n\n{line}\n\n{marked(t.news[0])}\n>\n{marked(line)}\n{marked(t.old, '>> ')}\n"
    ),
    "unmarked": lambda t, new, sign, line: f"{new}\n\n{sign}\n\n{line}\n\n{t.old}\n",
    "signature below": lambda t, new, _, line: (
        f"{new}\n\n{line}\n{marked(t.old)}\n\n-- \n{t.sign_offs[0].split(chr(10))[-1]}\n"
    ),
}
_BLOCKS: dict[str, _Build] = {
    "top": lambda t, new, _, block: f"{new}\n\n{block}\n\n{t.old}\n",
    "signed": lambda t, new, sign, block: f"{new}\n\n{sign}\n\n{block}\n\n{t.old}\n",
    "tight": lambda t, new, _, block: f"{new}\n{block}\n{t.old}\n",
    "bold": lambda t, new, sign, block: f"{new}\n\n{sign}\n\n{_bold(block)}\n\n{t.old}\n",
    "quoted": lambda t, new, _, block: f"{new}\n\n{marked(block)}\n> \n{marked(t.old)}\n",
    "indented": lambda t, new, _, block: f"{new}\n\n{_bold(block, '  ')}\n\n{t.old}\n",
    "history": lambda t, new, sign, block: (
        f"{new}\n\n{sign}\n\n\n{block}\n\n{t.news[1]}\n\n{sign}\n\n{block}\n\n{t.old}\n"
    ),
    "disclaimed": lambda t, new, sign, block: (
        f"{new}\n\n{sign}\n\n{t.disclaimer}\n\n{block}\n\n{t.old}\n\n{t.disclaimer}\n"
    ),
    "mobile": lambda t, new, _, block: f"{new}\n\n{t.mobile[2]}\n{block}\n\n{t.old}\n",
}


def _bold(block: str, indent: str = "") -> str:
    """Labels as Outlook and Gmail's text export write them."""
    lines = []
    for line in block.split("\n"):
        label, colon, value = line.partition(":")
        is_label = colon and len(label) < 20 and label[:1].isalpha() and not indent
        lines.append(f"*{label}:*{value}" if is_label else f"{indent}{line}")
    return "\n".join(lines)


def _tails(code: str, tongue: Tongue) -> Iterator[Case]:
    """Mails that quote nothing and end in a signature, a telephone's mark or a lawyer."""
    for number, new in enumerate(tongue.news):
        for place, sign in enumerate(tongue.sign_offs):
            yield Case(f"{code}/sign-off {place}/{number}", f"{new}\n\n{sign}\n", new)
            yield Case(
                f"{code}/sign-off {place}, disclaimer/{number}", f"{new}\n\n{sign}\n\n{tongue.disclaimer}\n", new
            )
            yield Case(f"{code}/sign-off {place}, mobile/{number}", f"{new}\n\n{sign}\n\n{tongue.mobile[0]}\n", new)
        for mobile in tongue.mobile:
            yield Case(f"{code}/{mobile}/{number}", f"{new}\n\n{mobile}\n", new)
            yield Case(f"{code}/{mobile}, link/{number}", f"{new}\n\n{mobile}<https://example.org/app>\n", new)


def _inline(code: str, tongue: Tongue) -> Iterator[Case]:
    """Answers between quotations: what they answer stays in sight."""
    first, second = tongue.news[0], tongue.news[2]
    quote = tongue.old.split("\n")[2]
    answered = f"> {quote}\n{first}\n\n> {quote}\n\n{second}"
    for client, line in tongue.attributions.items():
        yield Case(f"{code}/{client}/inline", f"{line}\n\n{answered}\n", answered)
        yield Case(f"{code}/{client}/inline signed", f"{line}\n{answered}\n\n{tongue.sign_offs[0]}\n", answered)


def _divs(text: str, tag: str = "div") -> str:
    return "".join(f"<{tag}>{escape(line) or '<br>'}</{tag}>" for line in text.split("\n"))


def _paragraphs(text: str) -> str:
    return "".join(f'<p class="MsoNormal">{escape(line) or "<o:p>&nbsp;</o:p>"}</p>' for line in text.split("\n"))


def _bolded(block: str) -> str:
    return "<br>".join(
        f"<b>{escape(label)}:</b>{escape(value)}"
        for label, _, value in (line.partition(":") for line in block.split("\n"))
    )


_PAGES: dict[str, _Build] = {
    "gmail": lambda t, new, sign, line: (
        f'<div dir="ltr">{_divs(new)}<div><br></div>{_divs(sign)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">{escape(line)}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">{_divs(t.old)}</blockquote></div>'
    ),
    "gmail classes renamed": lambda t, new, _, line: (
        f'<div dir="ltr">{_divs(new)}</div><br><div class="x_gmail_quote"><div dir="ltr" class="x_gmail_attr">{escape(line)}</div><blockquote class="x_gmail_quote">{_divs(t.old)}</blockquote></div>'
    ),
    "apple": lambda t, new, sign, line: (
        f'<html><head></head><body style="overflow-wrap: break-word;">{_divs(new)}<br id="lineBreakAtBeginningOfSignature"><div>{_divs(sign)}</div><div><br><blockquote type="cite"><div>{escape(line)}</div><br class="Apple-interchange-newline"><div>{_divs(t.old)}</div></blockquote></div><br></body></html>'
    ),
    "iphone": lambda t, new, _, line: (
        f'<html><body dir="auto">{_divs(new)}<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">{escape(t.mobile[0])}</div><div dir="ltr"><br><blockquote type="cite">{escape(line)}<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">{_divs(t.old)}</div></blockquote></body></html>'
    ),
    "thunderbird": lambda t, new, sign, line: (
        f'<html><body>{_divs(new)}<br><div class="moz-signature">{_divs("-- " + chr(10) + sign)}</div><div class="moz-cite-prefix">{escape(line)}<br></div><blockquote type="cite" cite="mid:1@example.com">{_divs(t.old)}</blockquote></body></html>'
    ),
    "yahoo": lambda t, new, sign, line: (
        f'<html><body><div class="ydp1yahoo-style-wrap" style="font-family:Helvetica">{_divs(new)}<div dir="ltr"><br></div><div class="ydp1signature">{_divs(sign)}</div></div><div id="ydp2yahoo_quoted_1" class="ydp2yahoo_quoted"><div style="font-size:13px;"><div>{escape(line)}</div><div><br></div><div>{_divs(t.old)}</div></div></div></body></html>'
    ),
    "yahoo phone": lambda t, new, _, line: (
        f'{_divs(new)}<br><br><div id="ymail_android_signature"><a id="ymail_android_signature_link" href="https://example.org">{escape(t.mobile[0])}</a></div> <br> <blockquote style="margin: 0 0 20px 0;"> <div style="font-family:Roboto, sans-serif;"> <div>{escape(line)}</div> </div> <div>{_divs(t.old)}</div></blockquote>'
    ),
    "proton": lambda t, new, sign, line: (
        f'<div style="font-family: Arial; font-size: 14px;">{_divs(new)}</div><div class="protonmail_signature_block" style="font-family: Arial"><div class="protonmail_signature_block-user">{_divs(sign)}</div></div><div class="protonmail_quote">{escape(line)}<br><blockquote class="protonmail_quote" type="cite">{_divs(t.old)}</blockquote><br></div>'
    ),
    "163": lambda t, new, sign, line: (
        f'<div style="line-height:1.7;color:#000000;font-size:14px;font-family:Arial"><div style="margin: 0;">{_divs(new)}</div><div><br></div>{_divs(sign)}<br><br><div style="position:relative;zoom:1">{_divs("")}</div><div id="divNeteaseMailCard"></div><p>{escape(line)}</p><blockquote id="isReplyContent" style="PADDING-LEFT: 1ex; MARGIN: 0px 0px 0px 0.8ex; BORDER-LEFT: #ccc 1px solid">{_divs(t.old)}</blockquote></div>'
    ),
    "plain divs": lambda t, new, sign, line: (
        f"{_divs(new)}<div><br></div>{_divs(sign)}<div><br></div><div>{escape(line)}</div><blockquote>{_divs(t.old)}</blockquote>"
    ),
    "no quote element": lambda t, new, _, line: (
        f"<p>{'<br>'.join(escape(new).split(chr(10)))}</p><p>{escape(line)}</p><p>{'<br>'.join(escape(t.old).split(chr(10)))}</p>"
    ),
}
_BLOCK_PAGES: dict[str, _Build] = {
    "outlook desktop": lambda t, new, sign, block: (
        f'<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal {{margin:0}} --></style></head><body lang="EN-GB"><div class="WordSection1">{_paragraphs(new)}<p class="MsoNormal"><o:p>&nbsp;</o:p></p>{_paragraphs(sign)}<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">{_bolded(block)}<o:p></o:p></p></div></div><p class="MsoNormal"><o:p>&nbsp;</o:p></p>{_paragraphs(t.old)}</div></body></html>'
    ),
    "outlook web": lambda t, new, sign, block: (
        f'<div class="elementToProof" style="font-family:Aptos">{_divs(new)}</div><div class="elementToProof"><br></div><div id="Signature" class="elementToProof">{_divs(sign)}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt">{_bolded(block)}</font><div>&nbsp;</div></div><div>{_divs(t.old)}</div>'
    ),
    "outlook mobile": lambda t, new, _, block: (
        f'<div dir="ltr">{_divs(new)}</div><div id="ms-outlook-mobile-signature" dir="ltr"><br>{escape(t.mobile[2])}</div><div id="mail-editor-reference-message-container" dir="ltr"><br><hr style="display: inline-block; width: 98%;"><div id="divRplyFwdMsg" style="font-size: 11pt;">{_bolded(block)}<br></div>{_divs(t.old)}</div>'
    ),
    "outlook mobile body line": lambda t, new, _, block: (
        f'<div dir="auto">{_divs(new)}</div><div id="ms-outlook-mobile-body-separator-line" dir="auto"><br></div><div id="ms-outlook-mobile-signature">{escape(t.mobile[2])}</div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg"><b>{_bolded(block)}</b></div>{_divs(t.old)}'
    ),
    "outlook mac": lambda t, new, sign, block: (
        f'<body><div class="WordSection1">{_paragraphs(new)}<p class="MsoNormal">&nbsp;</p>{_paragraphs(sign)}<div id="mail-editor-reference-message-container"><div><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal" style="margin-bottom:12.0pt">{_bolded(block)}</p></div>{_paragraphs(t.old)}</div></div></div></body>'
    ),
    "qq": lambda t, new, sign, block: (
        f'<div>{_divs(new)}</div><div><br></div>{_divs(sign)}<div><br></div><div style="font-size: 12px;font-family: Arial Narrow;padding:2px 0 2px 0;">------------------&nbsp;Original&nbsp;------------------</div><div style="font-size: 12px;background:#efefef;padding:8px;">{_bolded(block)}</div><div><br></div>{_divs(t.old)}'
    ),
    "qq includetail": lambda t, new, _, block: (
        f'<div>{_divs(new)}</div><div><br></div><div><includetail><!--<![endif]--><div>&nbsp;</div><div style="font-size: 12px;">{_bolded(block)}</div>{_divs(t.old)}</includetail></div>'
    ),
    "163 master": lambda t, new, _, block: (
        f'<div class="cm-content">{_divs(new)}</div><div class="J-reply" style="background-color:#f2f2f2;color:black;padding:6px"><div style="font-size:12px">---- Replied Message ----</div><table><tr><td>{_bolded(block)}</td></tr></table></div><blockquote class="ntes-mailmaster-quote">{_divs(t.old)}</blockquote>'
    ),
    "foxmail": lambda t, new, sign, block: (
        f'<div><span></span>{_divs(new)}</div><div><br></div><hr style="width: 210px; height: 1px;" color="#b5c4df" size="1" align="left"><div><span><div style="MARGIN: 10px; FONT-SIZE: 10pt">{_divs(sign)}</div></span></div><blockquote style="margin-Top: 0px; margin-Bottom: 0px; margin-Left: 0.5em"><div>&nbsp;</div><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><div style="PADDING-RIGHT: 8px; PADDING-LEFT: 8px; FONT-SIZE: 12px;BACKGROUND: #efefef;">{_bolded(block)}</div></div><div>{_divs(t.old)}</div></blockquote>'
    ),
    "plain": lambda t, new, _, block: (
        f"{_divs(new)}<div><br></div><div>{_bolded(block)}</div><div><br></div>{_divs(t.old)}"
    ),
}


def page_cases(*codes: str) -> Iterator[Case]:
    """Every client's HTML, in these languages or all."""
    for code in codes or TONGUES:
        tongue = TONGUES[code]
        for number, new in enumerate(tongue.news):
            sign_off = tongue.sign_offs[number]
            for client, build in _PAGES.items():
                line = tongue.attributions["gmail"]
                line = tongue.attributions.get(client.split()[0], line)
                yield Case(f"{code}/html {client}/{number}", build(tongue, new, sign_off, line), new)
            block = tongue.blocks["outlook desktop"]
            for client, build in _BLOCK_PAGES.items():
                yield Case(f"{code}/html {client}/{number}", build(tongue, new, sign_off, block), new)
