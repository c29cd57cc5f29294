"""Answers as HTML the way each client builds it: (HTML, new words)."""

# ruff: noqa: E501, RUF001

NEW = "Thank you, the lamp came.\n\nIt is broken."
_NEW = "<div>Thank you, the lamp came.</div><div><br></div><div>It is broken.</div>"
_OLD = "<div>Dear customer,</div><div><br></div><div>your lamp was sent.</div>"

ANSWERS: dict[str, str] = {
    "gmail": f'<div dir="ltr">{_NEW}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Mon, Nov 16, 2026 at 9:41 AM Ann &lt;<a href="mailto:a@example.org">a@example.org</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">{_OLD}</blockquote></div>',
    "gmail in a language nobody knows": f'<div dir="ltr">{_NEW}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">Qapla&#39; tlhIngan a@example.org jatlh<br></div><blockquote class="gmail_quote">{_OLD}</blockquote></div>',
    "gmail signature": f'<div dir="ltr">{_NEW}<div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature">Bob Jones<br>Some words about us</div></div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, Nov 16, 2026 at 9:41 AM Ann wrote:<br></div><blockquote class="gmail_quote">{_OLD}</blockquote></div>',
    "gmail forward": f'<div dir="ltr">{_NEW}<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: <strong class="gmail_sendername" dir="auto">Ann</strong> <span dir="auto">&lt;a@example.org&gt;</span><br>Date: Mon, Nov 16, 2026 at 9:41 AM<br>Subject: Lamp<br>To: b@example.org<br></div><br><br>{_OLD}</div></div>',
    "outlook desktop": f'<html><body><div class="WordSection1"><p class="MsoNormal">Thank you, the lamp came.<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><p class="MsoNormal">It is broken.<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>From:</b> Ann &lt;a@example.org&gt; <br><b>Sent:</b> Monday, November 16, 2026 9:41 AM<br><b>To:</b> Bob<br><b>Subject:</b> Lamp</p></div>{_OLD}</div></body></html>',
    "outlook desktop, unknown language": f'<div class="WordSection1"><p class="MsoNormal">Thank you, the lamp came.</p><p class="MsoNormal">&nbsp;</p><p class="MsoNormal">It is broken.</p><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal"><b>Vo:</b> Ann<br><b>Jaj:</b> Monday<br><b>Daq:</b> Bob</p></div>{_OLD}</div>',
    "outlook web": f'<div style="font-family:Calibri">{_NEW}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000"><b>From:</b> Ann &lt;a@example.org&gt;<br><b>Sent:</b> Monday, November 16, 2026 9:41 AM<br><b>To:</b> Bob<br><b>Subject:</b> Lamp</font><div>&nbsp;</div></div>{_OLD}',
    "outlook mobile": f'<div dir="auto">{_NEW}</div><div id="ms-outlook-mobile-signature" dir="auto"><div></div>Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><b>Von:</b> Ann<br><b>Gesendet:</b> Montag<br><b>An:</b> Bob<br><b>Betreff:</b> Lampe</div>{_OLD}',
    "new outlook mobile": f'<div>{_NEW}</div><div id="mail-editor-reference-message-container"><div class="ms-outlook-mobile-reference-message"><div style="border-top:1pt solid #b5c4df"><b>Od: </b>Ann<br><b>Datum: </b>16.11.2026</div>{_OLD}</div></div>',
    "outlook mac": f'<div>{_NEW}</div><span id="OLK_SRC_BODY_SECTION"><div><span>From: </span>Ann<br><span>Date: </span>Monday</div>{_OLD}</span>',
    "hotmail": f'<div dir="ltr">{_NEW}<div><hr id="stopSpelling">Date: Mon, 16 Nov 2026 09:41:00 +0100<br>From: a@example.org<br>To: b@example.org<br>Subject: Lamp<br><br>{_OLD}</div></div>',
    "apple mail": f'<html><body style="word-wrap: break-word;">Thank you, the lamp came.<div><br></div><div>It is broken.<br><div><br><blockquote type="cite"><div>On 16 Nov 2026, at 09:41, Ann &lt;a@example.org&gt; wrote:</div><br class="Apple-interchange-newline"><div>{_OLD}</div></blockquote></div><br></div></body></html>',
    "iphone": f'<html><body dir="auto">Thank you, the lamp came.<div><br></div><div>It is broken.<br><br><div dir="ltr">Von meinem iPhone gesendet</div><div dir="ltr"><br><blockquote type="cite">Am 16.11.2026 um 09:41 schrieb Ann &lt;a@example.org&gt;:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">{_OLD}</div></blockquote></div></body></html>',
    "yahoo": f'<html><body><div class="ydp1">{_NEW}</div><div id="yahoo_quoted_123" class="yahoo_quoted"><div style="font-family:Helvetica"><div>On Monday, November 16, 2026 at 09:41:00 AM EST, Ann &lt;a@example.org&gt; wrote: </div><div><br></div><div>{_OLD}</div></div></div></body></html>',
    "thunderbird": f'<html><body><p>Thank you, the lamp came.</p><p>It is broken.<br></p><div class="moz-cite-prefix">On 16.11.26 09:41, Ann wrote:<br></div><blockquote type="cite" cite="mid:x@example.org">{_OLD}</blockquote></body></html>',
    "thunderbird signature": f'<p>Thank you, the lamp came.</p><p>It is broken.</p><div class="moz-signature">-- <br>Bob of the lamps<br>a motto</div><div class="moz-cite-prefix">Am 16.11.26 um 09:41 schrieb Ann:<br></div><blockquote type="cite">{_OLD}</blockquote>',
    "proton": f'<div style="font-family: Arial">{_NEW}</div><div class="protonmail_signature_block"><div class="protonmail_signature_block-proton">Sent with <a href="https://proton.me/">Proton Mail</a> secure email.</div></div><div class="protonmail_quote">On Monday, November 16th, 2026 at 9:41 AM, Ann &lt;a@example.org&gt; wrote:<br><blockquote class="protonmail_quote" type="cite">{_OLD}</blockquote><br></div>',
    "qq": f'<div>{_NEW}</div><div><br></div><div style="font-size: 12px;font-family: Arial Narrow;padding:2px 0 2px 0;">------------------&nbsp;原始邮件&nbsp;------------------</div><div style="font-size: 12px;background:#efefef;padding:8px;"><div><b>发件人:</b>&nbsp;"张三" &lt;a@qq.com&gt;;</div><div><b>发送时间:</b>&nbsp;2026年11月16日(星期一) 上午9:41</div><div><b>主题:</b>&nbsp;灯</div></div><div><br></div>{_OLD}',
    "qq includetail": f'<div>{_NEW}</div><div><includetail><div>&nbsp;</div><div style="font:Verdana normal 14px;color:#000;"><div style="FONT-SIZE: 12px;">Original</div>{_OLD}</div></includetail></div>',
    "163": f'<div style="line-height:1.7">{_NEW}</div><br><br><div>在 2026-11-16 09:41:00，"张三" &lt;a@163.com&gt; 写道：</div><blockquote id="isReplyContent" style="PADDING-LEFT: 1ex; MARGIN: 0px 0px 0px 0.8ex; BORDER-LEFT: #ccc 1px solid">{_OLD}</blockquote>',
    "163 mobile": f'<div>{_NEW}</div><div class="ntes-mailmaster-quote"><div>---- 回复的原邮件 ----</div><table><tr><td>发件人</td><td>张三</td></tr></table>{_OLD}</div>',
    "gmx": f'<div>{_NEW}<div>&nbsp;</div><div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b> Montag<br><b>Von:</b> Ann &lt;a@example.org&gt;<br><b>An:</b> Bob<br><b>Betreff:</b> Lampe</div>{_OLD}</div></div>',
    "zoho": f'<div>{_NEW}</div><div class="zmail_extra"><div id="Zm-_Id_-Sgn1">---- On Mon, 16 Nov 2026 09:41:00 +0530 Ann wrote ----</div><blockquote id="blockquote_zmail">{_OLD}</blockquote></div>',
    "tutanota": f'<div>{_NEW}</div>Nov 16, 2026, 09:41 by a@example.org:<br><blockquote class="tutanota_quote" style="border-left: 1px solid #93A3B8;">{_OLD}</blockquote>',
    "fastmail": f'<div>{_NEW}</div><div><br></div><div>On Mon, Nov 16, 2026, at 9:41 AM, Ann wrote:<br></div><blockquote type="cite" id="qt" style="">{_OLD}</blockquote>',
    "spark": f'<div name="messageBodySection">{_NEW}</div><div name="messageSignatureSection"><br>Bob from Spark</div><div name="messageReplySection">On Nov 16, 2026, 09:41 +0100, Ann &lt;a@example.org&gt;, wrote:<br><blockquote type="cite">{_OLD}</blockquote></div>',
    "zimbra": f'<div>{_NEW}</div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>From: </b>"Ann" &lt;a@example.org&gt;<br><b>To: </b>"Bob"<br><b>Sent: </b>Monday<br><b>Subject: </b>Lamp<br></div><div data-marker="__QUOTED_TEXT__">{_OLD}</div>',
    "mailru": f'<div>{_NEW}</div><blockquote style="border-left:1px solid #0857A6; margin:10px; padding:0 0 0 10px;">Понедельник, 16 ноября 2026, 9:41 +03:00 от Анна &lt;a@example.org&gt;:<br>&nbsp;<div>{_OLD}</div></blockquote>',
    "yandex": f'<div>{_NEW}</div><div>&nbsp;</div><div>16.11.2026, 09:41, "Анна" &lt;a@example.org&gt;:</div><blockquote>{_OLD}</blockquote>',
    "lark": f'<div>{_NEW}</div><div id="lark-mail-quote-1" class="history-quote-wrapper"><div class="lark-mail-quote-header">From: Ann</div>{_OLD}</div>',
}  # fmt: skip

INLINE: dict[str, tuple[str, str]] = {
    "gmail": (
        '<div dir="ltr"><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Nov 16, 2026 at 9:41 AM Ann &lt;a@example.org&gt; wrote:<br></div><blockquote class="gmail_quote"><div>Which colour?</div></blockquote><div>Green.</div><blockquote class="gmail_quote"><div>How many?</div></blockquote><div>Two.</div></div></div>',
        "> Which colour?\nGreen.\n> How many?\nTwo.",
    ),
    "apple": (
        '<html><body><blockquote type="cite"><div>On 16 Nov 2026, at 09:41, Ann &lt;a@example.org&gt; wrote:</div><div>Which colour?</div></blockquote><div>Green.</div><blockquote type="cite"><div>How many?</div></blockquote><div>Two.</div></body></html>',
        "> Which colour?\nGreen.\n> How many?\nTwo.",
    ),
}  # fmt: skip

WHOLE: dict[str, tuple[str, str]] = {
    "indented words": ("<p>I need:</p><blockquote style=\"margin:0 0 0 40px\">two lamps</blockquote><p>Thanks</p>", "I need:\n\ntwo lamps\n\nThanks"),
    "table": ("<table><tr><td>Lamp</td><td>2</td></tr><tr><td>Table</td><td>1</td></tr></table>", "Lamp 2\nTable 1"),
    "only a quotation": ('<div class="gmail_quote"><blockquote class="gmail_quote">old</blockquote></div>', "> old"),
}  # fmt: skip
