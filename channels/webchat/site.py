"""One chat site: what its block in the configuration says, and what it answers its visitors."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from hub.contract import QueueView
from hub.settings import Problem, Secret, SettingsError

Texts = Mapping[str, str]
_KINDS = frozenset({"text", "email", "choice", "textarea"})
_GREETING = {"en": "Hello. How can we help?", "zh": "您好，请问有什么可以帮您？"}
_CLOSED = {
    "en": "We are closed right now. Leave a message and we will answer it.",
    "zh": "现在是非工作时间，请留言，我们会尽快回复。",
}


class Site:
    """A chat site. The keyword arguments are the keys of its block in the configuration.

    queue           where conversations wait
    flow            the self-service flow they begin in (default: none, they wait at once)
    message_queue   where messages wait that are left while closed (default: `queue`)
    name            shown in the widget's head; a text or texts by language
    greeting, closed_text   texts by language
    form            fields before a chat: id, label, kind (text, email, choice, textarea), required, options
    quick_replies   first questions as buttons: id, label; optional: queue (where a choice leads), flow (what it begins
                    in instead of the site's; empty: it waits for a person at once)
    origins         the sites that may carry the widget; none: every site may
    identity_secret what the site signs its customers' identities with (HS256)
    accent          the widget's colour, #rrggbb
    languages       languages the widget offers
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the block's own word
        queue: str,
        message_queue: str = "",
        name: str | Texts = "",
        greeting: Texts | None = None,
        closed_text: Texts | None = None,
        form: Sequence[Mapping[str, Any]] = (),
        quick_replies: Sequence[Mapping[str, Any]] = (),
        origins: Sequence[str] = (),
        identity_secret: Secret | None = None,
        accent: str = "#1757c2",
        languages: Sequence[str] = ("en", "zh"),
        flow: str = "",
    ) -> None:
        self.id = id
        self._flow = flow
        self.queue = queue
        self.message_queue = message_queue or queue
        self._name = {"en": name} if isinstance(name, str) else dict(name)
        self._greeting, self._closed_text = dict(greeting or _GREETING), dict(closed_text or _CLOSED)
        self.form = [self._field(field) for field in form]
        self._quick_replies = list(quick_replies)
        self.origins = [self._origin(origin) for origin in origins]
        self.identity_secret = identity_secret
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", accent):
            raise _wrong(id, "accent", f"{accent!r} is no colour: write #rrggbb.")
        self._accent = accent
        self._languages = list(languages)

    def title(self, language: str) -> str:
        """Return the site's name as shown."""
        return _in(self._name, language)

    def queue_for(self, choice: str | None, *, is_message: bool) -> str:
        """Return where a conversation that begins with this quick reply waits."""
        if is_message:
            return self.message_queue
        for reply in self._quick_replies:
            if reply.get("id") == choice and reply.get("queue"):
                return str(reply["queue"])
        return self.queue

    def flow_for(self, choice: str | None) -> str:
        """Return the flow in which a conversation that begins with this quick reply begins; empty: in none."""
        return next(
            (str(each["flow"]) for each in self._quick_replies if each.get("id") == choice and "flow" in each),
            self._flow,
        )

    def described(self, language: str, view: QueueView, limits: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the widget needs to know of this site, in the visitor's language."""
        return {
            "id": self.id,
            "name": _in(self._name, language),
            "open": view.is_open,
            "opens_at": None if view.is_open else view.opens_at,
            "greeting": _in(self._greeting, language),
            "closed_text": _in(self._closed_text, language),
            "form": [_spoken(field, language) for field in self.form],
            "quick_replies": [
                {"id": str(reply["id"]), "label": _in(reply["label"], language)} for reply in self._quick_replies
            ],
            "files": dict(limits),
            "accent": self._accent,
            "languages": self._languages,
        }

    def may_be_framed_by(self, referrer: str) -> bool:
        """Whether the page that loads the widget's frame is one of the site's."""
        if not self.origins:
            return True
        parts = urlsplit(referrer)
        return f"{parts.scheme}://{parts.netloc}" in self.origins

    def _field(self, field: Mapping[str, Any]) -> Mapping[str, Any]:
        if not field.get("id") or not field.get("label") or field.get("kind", "text") not in _KINDS:
            raise _wrong(self.id, "form", f"A field needs id, label and a kind of {', '.join(sorted(_KINDS))}.")
        return field

    def _origin(self, origin: str) -> str:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
            raise _wrong(self.id, "origins", f"{origin!r} is not like https://www.example.com.")
        return f"{parts.scheme}://{parts.netloc}"


def _wrong(site: str, key: str, text: str) -> SettingsError:
    return SettingsError([Problem(where=f"channels.{site}.{key}", text=text)])


def _in(texts: str | Texts, language: str) -> str:
    if isinstance(texts, str):
        return texts
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


def _spoken(field: Mapping[str, Any], language: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "id": field["id"],
        "label": _in(field["label"], language),
        "kind": field.get("kind", "text"),
        "required": bool(field.get("required", False)),
    }
    if field.get("options"):
        out["options"] = [
            {"id": str(option["id"]), "label": _in(option["label"], language)}
            if isinstance(option, Mapping)
            else option
            for option in field["options"]
        ]
    return out
