"""A mixed corpus of mails, made the same every time: what a contact center's mailbox holds."""

# ruff: noqa: E501, RUF001

import random
from collections.abc import Callable

from tests.payloads.mail import pages
from tests.payloads.mail.builders import file_part, mail, multipart_mail, nested, part
from tests.payloads.mail.quotations import ATTRIBUTIONS, HEADER_BLOCKS, SIGN_OFFS
from tests.payloads.mail.reports import REPORTS

WORDS = [
    "the",
    "lamp",
    "that",
    "I",
    "ordered",
    "last",
    "week",
    "came",
    "today",
    "but",
    "it",
    "is",
    "broken",
    "and",
    "I",
    "would",
    "like",
    "to",
    "have",
    "a",
    "new",
    "one",
    "soon",
    "please",
]
HTML = "text/html; charset=utf-8"


def _prose(chance: random.Random, sentences: int) -> str:
    out = []
    for _ in range(sentences):
        words = chance.choices(WORDS, k=chance.randint(6, 16))
        out.append(" ".join(words).capitalize() + ".")
    return "\n".join(out)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _answer(chance: random.Random) -> str:
    line = chance.choice(list(ATTRIBUTIONS.values()))
    return f"{_prose(chance, 5)}\n\n{chance.choice(SIGN_OFFS)}\n\n{line}\n{_quoted(_prose(chance, 25))}\n"


def _newsletter(chance: random.Random) -> str:
    row = '<tr><td style="padding:10px;font-family:Arial;color:#333333" width="300"><a href="https://shop.example/{n}"><img src="https://shop.example/{n}.png" width="120" alt="x"></a><p style="margin:0">{text}</p></td></tr>'
    rows = "".join(row.format(n=number, text=_prose(chance, 2)) for number in range(40))
    return f'<html><head><style>td{{color:red}}</style></head><body><table width="600">{rows}</table></body></html>'


def _page(chance: random.Random) -> str:
    page = chance.choice(list(pages.ANSWERS.values()))
    return page.replace("your lamp was sent.", _prose(chance, 20).replace("\n", "<br>"))


def make(count: int = 400, seed: int = 7) -> list[bytes]:
    """`count` mails: a third plain answers, a third HTML, and newsletters, files, reports, eastern charsets."""
    chance = random.Random(seed)
    makers: dict[str, tuple[int, Callable[[], bytes]]] = {
        "plain": (6, lambda: mail(_prose(chance, 12), Subject="=?utf-8?q?Gr=C3=B6=C3=9Fe_der_Lampe?=")),
        "answer": (6, lambda: mail(_answer(chance), In_Reply_To="<a@b.example>", References="<a@b.example> <c@d.example>")),
        "outlook": (2, lambda: mail(f"{_prose(chance, 4)}\n\n{chance.choice(list(HEADER_BLOCKS.values()))}\n\n{_prose(chance, 30)}")),
        "both": (8, lambda: multipart_mail(part(_answer(chance)), part(_page(chance), HTML), kind="alternative")),
        "html": (4, lambda: mail(_page(chance), {"Content-Type": HTML})),
        "newsletter": (2, lambda: mail(_newsletter(chance), {"Content-Type": HTML}, List_Unsubscribe="<mailto:u@x.example>")),
        "files": (3, lambda: multipart_mail(nested(part(_prose(chance, 5)), part(_page(chance), HTML), kind="alternative"), file_part(chance.randbytes(60_000), "image/jpeg", "photo.jpg"))),
        "report": (2, lambda: chance.choice(list(REPORTS.values()))[0]),
        "chinese": (2, lambda: mail("您好，请问我的订单什么时候发货？谢谢\n".encode("gb18030") * 20, {"Content-Type": "text/plain; charset=gb2312", "Subject": "=?gb2312?B?xPq6ww==?="})),
        "japanese": (1, lambda: mail("お世話になっております。\n".encode("iso2022_jp") * 20, {"Content-Type": "text/plain; charset=iso-2022-jp"})),
    }  # fmt: skip
    names = [name for name, (weight, _) in makers.items() for _ in range(weight)]
    return [makers[chance.choice(names)][1]() for _ in range(count)]
