"""The templates of our own mails: sandboxed, an unknown name in one is an error, HTML is escaped."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from channels.mail.phrasing import moment
from hub.domain.correspondence import Spoken

_LINK = re.compile(r"https?://[^\s<>\"'\u3000-\u303f\uff00-\uffef]{1,2000}")
_TRAILING = ".,;:!?)]}"


def as_html(text: str) -> Markup:
    """Words as HTML that keeps their lines and paragraphs and makes their links work."""
    paragraphs = [part for part in re.split(r"\n{2,}", text.replace("\r\n", "\n").strip("\n")) if part.strip()]
    return Markup("\n").join(Markup('<p style="margin:0 0 1em">{}</p>').format(_lines(part)) for part in paragraphs)


def _lines(text: str) -> Markup:
    return Markup("<br>\n").join(_linked(line) for line in text.split("\n"))


def _linked(line: str) -> Markup:
    made, last = [], 0
    for match in _LINK.finditer(line):
        url = match.group().rstrip(_TRAILING)
        made.append(escape(line[last : match.start()]))
        made.append(Markup('<a href="{}">{}</a>').format(url, url))
        last = match.start() + len(url)
    return Markup("").join([*made, escape(line[last:])])


class Templates:
    """Loads from the folder `mail` of the templates."""

    def __init__(self, folder: Path) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=jinja2.FileSystemLoader(folder / "mail"),
            autoescape=lambda name: name is not None and name.endswith(".html.j2"),
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=False,
        )

    @staticmethod
    def safe(html: str) -> Markup:
        """HTML that was made safe by `markup.sanitize` or here."""
        return Markup(html)  # noqa: S704 - its callers have sanitised it

    def render(self, name: str, **values: object) -> str:
        """Render a template of ours."""
        return self._environment.get_template(name).render(**values)

    def render_text(self, source: str, **values: object) -> str:
        """Render a text of the configuration."""
        return self._environment.from_string(source).render(**values)

    def check(self, source: str) -> str:
        """Return what is wrong with a text of the configuration, "" when nothing is."""
        try:
            self._environment.from_string(source)
        except jinja2.TemplateSyntaxError as error:
            return str(error)
        return ""

    def acknowledgement(self, language: str, **values: object) -> str:
        """The automatic acknowledgement in this language, else in English."""
        names = [f"acknowledgement.{one}.txt.j2" for one in (language.partition("-")[0].lower() or "en", "en")]
        return self._environment.select_template(names).render(**values).strip() + "\n"

    def transcript(self, lines: Sequence[Spoken], zone: ZoneInfo) -> tuple[str, Markup]:
        """A conversation as text and as HTML."""
        shown = [
            {
                "time": moment(datetime.fromtimestamp(line.at / 1000, zone)),
                "name": line.name,
                "text": line.text,
                "words": as_html(line.text),
                "files": line.files,
            }
            for line in lines
        ]
        return self.render("transcript.txt.j2", lines=shown), self.safe(self.render("transcript.html.j2", lines=shown))
