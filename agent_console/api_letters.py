"""The REST API's part about letters: written, sent, taken back, shown as they came, split and joined."""

import msgspec
from aiohttp import web

from agent_console import letter_shapes as api
from agent_console import rows, shapes
from agent_console.api_shapes import FileAnswer, UploadQuery
from agent_console.routes import Answer, Call, Nothing, Route, route
from agent_console.rows import Rows
from agent_console.services import ConsoleServices
from hub.domain.correspondence import DraftedLetter
from hub.domain.errors import NotFound
from hub.domain.messages import FileRef
from hub.domain.visitors import Draft
from hub.services.letters.writing import NewLetter, Suggestion

_CHUNK = 65_536
_SAFE = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_SHEET = (
    "<!doctype html><html><head><meta charset=utf-8><meta name=color-scheme content=light>"
    "<meta name=viewport content='width=device-width'><title>Message</title>"
    "<style>html{background:#fff;color:#171c26;font:14px/1.5 Arial,'PingFang SC','Microsoft YaHei',sans-serif}"
    "body{margin:16px;overflow-wrap:anywhere}img{max-width:100%;height:auto}table{max-width:100%}</style></head><body>"
)


class LetterApi:
    """The handlers about letters; each is one row of `routes`."""

    def __init__(self, services: ConsoleServices, made: Rows) -> None:
        self._hub = services
        self._rows = made

    # -- reading

    async def letters(self, call: Call) -> Answer:
        """Envelopes, and how far our own letters are."""
        found = await self._hub.letters.of(call.id, call.scope)
        return api.LettersAnswer(
            letters=[rows.letter(one.envelope) for one in found],
            outgoing=[rows.outgoing(one.outgoing) for one in found if one.outgoing is not None],
        )

    async def page(self, call: Call) -> web.Response:
        """A letter's page as it was sent, made safe: it runs nothing and loads nothing from elsewhere. The hub fetches
        pictures, when they are asked for.
        """
        query: api.PageQuery = call.query
        page = await self._hub.letters.page(call.id, query.n, call.scope, remote_images=query.pictures)
        if not page:
            raise NotFound("It came without a page.")
        response = web.Response(text=f"{_SHEET}{page}</body></html>", content_type="text/html", charset="utf-8")
        response.headers["Content-Security-Policy"] = _SAFE
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    async def suggestion(self, call: Call) -> Answer:
        """What an answer begins with."""
        query: api.SuggestionQuery = call.query
        found = await self._hub.letters.suggest(call.id, call.scope, query.mode, query.n)
        return api.SuggestionAnswer(suggestion=self._suggested(found))

    def _suggested(self, found: Suggestion) -> api.SuggestionShape:
        return api.SuggestionShape(
            mode=found.mode,
            answers_n=found.answers_n,
            to=[rows.party(one) for one in found.to],
            cc=[rows.party(one) for one in found.cc],
            subject=found.subject,
            signature=found.signature,
            quoted=found.quoted,
            files=[self._rows.file(file) for file in found.files],
            passed_over=[rows.party(one) for one in found.passed_over],
        )

    # -- writing

    async def answer(self, call: Call) -> Answer:
        """Send an answer, or forward; repeated with the same id it is stored once."""
        body: api.Answering = call.body
        letter = msgspec.structs.replace(
            _letter(body),
            mode=body.mode,
            answers_n=body.answers_n,
            seen_n=body.seen_n,
            anyway=body.anyway,
            then=body.then,
        )
        sent = await self._hub.letters.reply(call.id, call.scope, letter)
        assert sent.outgoing is not None
        return api.SentAnswer(interaction=call.id, n=sent.outgoing.n, due_at=sent.outgoing.due_at)

    async def begin(self, call: Call) -> Answer:
        """Write first."""
        body: api.Beginning = call.body
        letter = msgspec.structs.replace(_letter(body), mode="new")
        interaction, sent = await self._hub.letters.begin(call.scope, body.channel, body.queue, letter, body.customer)
        assert sent.outgoing is not None
        return api.SentAnswer(interaction=interaction.id, n=sent.outgoing.n, due_at=sent.outgoing.due_at)

    async def take_back(self, call: Call) -> Answer:
        """Call a letter off that has not gone; its words are a draft again."""
        await self._hub.letters.take_back(call.id, call.body.n, call.scope)
        return await self.draft(call)

    async def try_again(self, call: Call) -> Answer:
        """Send one again that failed, or that may not have arrived."""
        outgoing = await self._hub.letters.try_again(call.id, call.body.n, call.scope)
        return api.OutgoingAnswer(outgoing=rows.outgoing(outgoing))

    async def arrived(self, call: Call) -> Answer:
        """Decide that one has arrived of which nobody could know."""
        outgoing = await self._hub.letters.consider_sent(call.id, call.body.n, call.scope)
        return api.OutgoingAnswer(outgoing=rows.outgoing(outgoing))

    async def transcript(self, call: Call) -> Answer:
        """Send everything said so far to somebody."""
        (to,) = api.parties([call.body.to])
        sent = await self._hub.letters.transcript(call.id, call.scope, to)
        assert sent.outgoing is not None
        return api.SentAnswer(interaction=call.id, n=sent.outgoing.n, due_at=sent.outgoing.due_at)

    async def signature(self, call: Call) -> Answer:
        """What stands below one's own letters."""
        return api.SignatureAnswer(text=await self._hub.letters.own_signature(call.scope))

    async def set_signature(self, call: Call) -> Answer:
        """Write what stands below one's own letters."""
        await self._hub.letters.set_signature(call.scope, call.body.text)
        return await self.signature(call)

    async def draft(self, call: Call) -> Answer:
        """The letter being written: here, or without an id one that begins something."""
        if call.id:
            await self._hub.reading.interaction(call.id, call.scope)
        found = await self._hub.letters.draft(call.id, call.scope)
        return api.DraftAnswer(draft=await self._drafted(call, found))

    async def _drafted(self, call: Call, found: Draft | None) -> api.DraftShape | None:
        if found is None or found.letter is None:
            return None
        files = await self._hub.reading.files(call.id, found.letter.files, call.scope)
        return draft(found, found.letter, [self._rows.file(file) for file in files])

    async def save_draft(self, call: Call) -> Answer:
        """Keep a letter being written."""
        body: api.DraftBody = call.body
        letter = DraftedLetter(
            mode=body.mode,
            answers_n=body.answers_n,
            subject=body.subject,
            to=api.parties(body.to),
            cc=api.parties(body.cc),
            bcc=api.parties(body.bcc),
            files=tuple(body.files),
        )
        await self._hub.letters.save_draft(call.id, call.scope, body.text, letter)
        return Answer()

    async def upload(self, call: Call) -> Answer:
        """Keep a file for a letter that begins something."""
        stored = await self._hub.files.store(
            "",
            call.query.name,
            call.request.content.iter_chunked(_CHUNK),
            by=call.scope.actor,
            limit=self._hub.settings.limits.staff_upload_bytes,
        )
        return FileAnswer(file=self._rows.file(FileRef(stored.id, stored.name, stored.type, stored.size)))

    # -- moving

    async def split(self, call: Call) -> Answer:
        """Make a message an interaction of its own."""
        new = await self._hub.intake.split(call.id, call.body.n, call.scope)
        done = await self._hub.intake.rearranged(new.id, call.scope)
        return api.MovedAnswer(interaction=new.id, join=done[0].id if done else None)

    async def join(self, call: Call) -> Answer:
        """Put all words of an interaction into another."""
        done = await self._hub.intake.join(call.id, call.body.target, call.scope)
        return api.MovedAnswer(interaction=done.target, join=done.id)

    async def undo(self, call: Call) -> Answer:
        """Bring them back."""
        done = await self._hub.intake.undo(call.id, call.scope)
        return api.MovedAnswer(interaction=done.source, join=None)

    # -- the table

    def routes(self) -> list[Route]:
        """Return this part of the API."""
        return [*self._of_reading(), *self._of_writing(), *self._of_moving()]

    def _of_reading(self) -> list[Route]:
        one = "/interactions/{id}/letters"
        return [
            route("GET", one, "Envelopes and outbox", self.letters, api.LettersAnswer),
            route(
                "GET",
                f"{one}/suggestion",
                "How to begin",
                self.suggestion,
                api.SuggestionAnswer,
                query=api.SuggestionQuery,
            ),
            Route(
                method="GET",
                path=f"{one}/page",
                summary="A letter as it came, made safe",
                page=self.page,
                answer=str,
                produces="text/html",
                query=api.PageQuery,
            ),
        ]

    def _of_writing(self) -> list[Route]:
        one, new = "/interactions/{id}/letters", "/letters"
        done, kept = api.OutgoingAnswer, api.DraftAnswer
        written, most = api.DraftBody, api.MOST_BYTES
        return [
            route("POST", one, "Answer or forward", self.answer, api.SentAnswer, body=api.Answering, body_bytes=most),
            route("POST", f"{one}/take-back", "Call it off", self.take_back, kept, body=api.OfMessage),
            route("POST", f"{one}/try-again", "Send it again", self.try_again, done, body=api.OfMessage),
            route("POST", f"{one}/arrived", "It has arrived", self.arrived, done, body=api.OfMessage),
            route(
                "POST",
                f"{one}/transcript",
                "Send a transcript",
                self.transcript,
                api.SentAnswer,
                body=api.TranscriptBody,
            ),
            route("GET", f"{new}/signature", "One's own signature", self.signature, api.SignatureAnswer),
            route(
                "POST",
                f"{new}/signature",
                "Write one's own signature",
                self.set_signature,
                api.SignatureAnswer,
                body=api.SignatureBody,
            ),
            route("GET", f"{one}/draft", "The letter being written", self.draft, kept),
            route(
                "POST",
                f"{one}/draft",
                "Keep what is written",
                self.save_draft,
                Answer,
                body=written,
                body_bytes=most,
            ),
            route("POST", new, "Write first", self.begin, api.SentAnswer, body=api.Beginning, body_bytes=most),
            route("GET", f"{new}/draft", "The new letter being written", self.draft, kept),
            route(
                "POST",
                f"{new}/draft",
                "Keep a new letter",
                self.save_draft,
                Answer,
                body=written,
                body_bytes=most,
            ),
            route("POST", f"{new}/files", "Upload", self.upload, FileAnswer, query=UploadQuery, is_upload=True),
        ]

    def _of_moving(self) -> list[Route]:
        one = "/interactions/{id}"
        return [
            route("POST", f"{one}/split", "Split a letter off", self.split, api.MovedAnswer, body=api.OfMessage),
            route("POST", f"{one}/join", "Join it into another", self.join, api.MovedAnswer, body=api.JoinTarget),
            route("POST", "/joins/{id}/undo", "Undo either", self.undo, api.MovedAnswer, body=Nothing),
        ]


def draft(found: Draft, letter: DraftedLetter, files: list[shapes.FileShape]) -> api.DraftShape:
    """Return a letter being written as the console restores it."""
    return api.DraftShape(
        text=found.text,
        mode=letter.mode,
        answers_n=letter.answers_n,
        subject=letter.subject,
        to=[rows.party(one) for one in letter.to],
        cc=[rows.party(one) for one in letter.cc],
        bcc=[rows.party(one) for one in letter.bcc],
        files=files,
    )


def _letter(body: api.LetterBody) -> NewLetter:
    return NewLetter(
        client_id=body.client_id,
        text=body.text,
        subject=body.subject,
        to=api.parties(body.to),
        cc=api.parties(body.cc),
        bcc=api.parties(body.bcc),
        files=tuple(body.files),
        send_at=body.send_at,
    )
