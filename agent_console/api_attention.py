"""The REST API's part about what a supervisor must look at: what cannot be read, does not go out, was not kept."""

from aiohttp import web

from agent_console import letter_shapes as api
from agent_console.routes import Answer, Call, Nothing, Route, route
from agent_console.rows import named, promise
from agent_console.services import ConsoleServices
from hub.contract import HasLine
from hub.domain.agent import Role
from hub.services.arrivals import is_unproved
from hub.services.reading import Troubled


class AttentionApi:
    """The handlers; each is one row of `routes`."""

    def __init__(self, services: ConsoleServices) -> None:
        self._hub = services

    async def attention(self, call: Call) -> Answer:
        """Everything of the kind."""
        arrivals = await self._hub.arrivals.attention(call.scope)
        troubled = await self._hub.reading.troubled_letters(call.scope)
        return api.AttentionAnswer(
            arrivals=[
                api.ArrivalShape(
                    id=one.id,
                    channel=one.channel,
                    at=one.received_at or one.at,
                    size=one.size,
                    attempts=one.attempts,
                    problem=one.problem,
                    may_read_again=call.scope.role is Role.ADMIN or not is_unproved(one),
                )
                for one in arrivals
            ],
            letters=[_troubled(one) for one in troubled],
            promises=[
                api.BrokenPromise(promise=promise(one), customer_name=named(customer.name, customer.id))
                for one, customer in await self._hub.promises.broken(call.scope)
            ],
            channels=[
                api.ChannelLine(
                    id=channel.id,
                    channel_kind=channel.capabilities.kind,
                    is_up=channel.status.is_up,
                    since=channel.status.since,
                    problem=channel.status.reason,
                )
                for channel in self._hub.channels.values()
                if isinstance(channel, HasLine)
            ],
        )

    async def troubled(self, call: Call) -> Answer:
        """Letters that did not go out, or may not have arrived."""
        found = await self._hub.reading.troubled_letters(call.scope)
        return api.TroubledAnswer(letters=[_troubled(one) for one in found])

    async def read_again(self, call: Call) -> Answer:
        """Read an arrival once more."""
        await self._hub.arrivals.read_again(call.id, call.scope)
        return Answer()

    async def dismiss(self, call: Call) -> Answer:
        """Take an arrival off the list; it stays kept."""
        await self._hub.arrivals.dismiss(call.id, call.scope)
        return Answer()

    async def raw(self, call: Call) -> web.Response:
        """An arrival as it came, to be saved: never shown by a browser."""
        body = await self._hub.arrivals.raw(call.id, call.scope)
        response = web.Response(body=body, content_type="text/plain")
        response.headers["Content-Disposition"] = f'attachment; filename="{call.id}.txt"'
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
        return response

    def routes(self) -> list[Route]:
        """Return this part of the API."""
        one = "/arrivals/{id}"
        return [
            route("GET", "/attention", "What to look at", self.attention, api.AttentionAnswer),
            route("GET", "/letters/troubled", "Letters that did not go", self.troubled, api.TroubledAnswer),
            route("POST", f"{one}/read-again", "Read it again", self.read_again, Answer, body=Nothing),
            route("POST", f"{one}/dismiss", "It needs nothing", self.dismiss, Answer, body=Nothing),
            Route(
                method="GET", path=f"{one}/raw", summary="As it came", page=self.raw, answer=str, produces="text/plain"
            ),
        ]


def _troubled(one: Troubled) -> api.TroubledShape:
    return api.TroubledShape(
        interaction=one.interaction.id,
        n=one.outgoing.n,
        channel=one.outgoing.channel,
        channel_kind=one.interaction.kind,
        customer_name=named(one.customer.name, one.customer.id),
        subject=one.subject,
        agent=one.interaction.agent,
        at=one.outgoing.due_at,
        state="failed" if one.outgoing.state == "failed" else "uncertain",
        status=one.outgoing.status,
        problem=one.outgoing.problem,
    )
