"""The page behind a link in a flow's letter: it shows what would be answered, and a button answers it.

Looking changes nothing: mail scanners and previews follow every link. The page has no script, and works without style.
"""

# ruff: noqa: RUF001

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.domain.errors import NotFound
from hub.services.flows.answer_links import PATH, AnswerLink
from hub.services.flows.answers import FlowAnswers, LinkedAnswer

_STATUS: Final = {"open": 200, "given": 200, "over": 410, "unknown": 404}
_WORDS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "en": {
        "open": ("Your answer", "Send answer"),
        "given": ("Thank you", "We have your answer. The reply comes by mail."),
        "over": ("This question is closed", "It was answered before, or too long ago. You can still answer the mail."),
        "unknown": ("This link does not work", "It may have been cut off. You can answer the mail instead."),
    },
    "zh": {
        "open": ("您的回复", "确认发送"),
        "given": ("谢谢", "我们已收到您的回复，结果将通过邮件发送给您。"),
        "over": ("此问题已关闭", "您可能已经回复过，或链接已过期。您仍可直接回复邮件。"),
        "unknown": ("链接无效", "链接可能不完整。您可以直接回复邮件。"),
    },
}


def add_answers(app: web.Application, answers: FlowAnswers, company: str, templates: Path) -> None:
    """Add the links' page (GET) and what its button does (POST)."""
    show = _Page(company, templates)

    async def look(request: web.Request) -> web.Response:
        try:
            return show(request, await answers.look(_link(request)))
        except NotFound:
            return show(request, None)

    async def answer(request: web.Request) -> web.Response:
        try:
            return show(request, await answers.answer(_link(request)))
        except NotFound:
            return show(request, None)

    app.router.add_get(f"{PATH}{{asking:[0-9a-z.]{{1,80}}}}", look)
    app.router.add_post(f"{PATH}{{asking:[0-9a-z.]{{1,80}}}}", answer)


class _Page:
    """Renders the page in the session's language, where there is one, else in the browser's."""

    def __init__(self, company: str, templates: Path) -> None:
        environment = Environment(
            loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, auto_reload=False
        )
        self._template = environment.get_template("answers/page.html")
        self._style = (templates / "answers" / "page.css").read_text(encoding="utf-8")
        digest = b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'"
        )
        self._company = company

    def __call__(self, request: web.Request, answer: LinkedAnswer | None) -> web.Response:
        wanted = (answer.language if answer else "") or request.headers.get("Accept-Language", "")
        language = "zh" if wanted.lower().startswith("zh") else "en"
        standing = answer.standing if answer else "unknown"
        title, text = _WORDS[language][standing]
        page = self._template.render(
            language=language,
            company=self._company,
            style=self._style,
            title=title,
            text=text,
            label=answer.label if answer and standing in {"open", "given"} else "",
            is_open=standing == "open",
        )
        headers = {"Content-Security-Policy": self._policy, "X-Robots-Tag": "noindex"}
        return web.Response(text=page, content_type="text/html", status=_STATUS[standing], headers=headers)


def _link(request: web.Request) -> AnswerLink:
    query = request.query
    until = query.get("until", "")
    return AnswerLink(
        asking=request.match_info["asking"],
        choice=query.get("choice", ""),
        until=int(until) if until.isascii() and until.isdigit() and len(until) <= 15 else 0,
        signature=query.get("sig", ""),
    )
