"""The REST API's part about phone calls: what agents do in one, dialling out, supervisors, and browsers that ring."""

import msgspec

from agent_console import call_shapes as api
from agent_console.routes import Answer, Call, Handler, Nothing, Route, route
from agent_console.rows import Rows
from agent_console.services import ConsoleServices
from hub.contract.calls import LiveCalls
from hub.domain.calls import Listening, Softphone
from hub.domain.errors import HubError
from hub.domain.interaction import Interaction


class CallApi:
    """The handlers about calls; each is one row of `routes`."""

    def __init__(self, services: ConsoleServices, made: Rows) -> None:
        self._hub = services
        self._rows = made

    # -- in a call

    async def hold(self, call: Call) -> Answer:
        """The customer hears music, and nobody."""
        return await self._now(call, await self._hub.call_desk.hold(call.id, call.scope))

    async def resume(self, call: Call) -> Answer:
        """The customer is back; with a guest it becomes a conversation of three."""
        return await self._now(call, await self._hub.call_desk.resume(call.id, call.scope))

    async def mute(self, call: Call) -> Answer:
        """The others do not hear the agent, or do again."""
        await self._hub.call_desk.mute(call.id, call.scope, muted=call.body.muted)
        return await self._now(call)

    async def consult(self, call: Call) -> Answer:
        """Ring somebody while the customer holds."""
        body: api.Consulting = call.body
        interaction = await self._hub.call_desk.consult(
            call.id, call.scope, number=body.number.strip(), agent=body.agent, blind=body.blind
        )
        return await self._now(call, interaction)

    async def end_consult(self, call: Call) -> Answer:
        """Let the guest go, and return to the customer."""
        return await self._now(call, await self._hub.call_desk.end_consult(call.id, call.scope))

    async def swap(self, call: Call) -> Answer:
        """Talk to the one who holds; the other holds."""
        return await self._now(call, await self._hub.call_desk.swap(call.id, call.scope))

    async def put_through(self, call: Call) -> Answer:
        """Leave the call to the guest."""
        return await self._now(call, await self._hub.call_desk.put_through(call.id, call.scope))

    async def recording(self, call: Call) -> Answer:
        """Keep no sound for a while, or go on."""
        await self._hub.call_desk.pause_recording(call.id, call.scope, paused=call.body.paused)
        return await self._now(call)

    async def dial(self, call: Call) -> Answer:
        """Call somebody."""
        body: api.Dialling = call.body
        interaction = await self._hub.call_desk.call_out(
            call.scope,
            body.channel,
            body.number,
            customer=body.customer,
            client_id=body.client_id,
            shown=body.shown,
        )
        return await self._now(call, interaction)

    async def plan(self, call: Call) -> Answer:
        """Call somebody later."""
        body: api.Planning = call.body
        interaction = await self._hub.callbacks.plan(
            call.scope, body.channel, body.number, body.due_at, customer=body.customer, own=body.own
        )
        return await self._now(call, interaction)

    async def begin(self, call: Call) -> Answer:
        """Make a planned call now."""
        return await self._now(call, await self._hub.callbacks.begin(call.id, call.scope))

    async def give_up(self, call: Call) -> Answer:
        """Plan a call no more."""
        return await self._now(call, await self._hub.callbacks.give_up(call.id, call.scope))

    # -- supervisors

    async def listen(self, call: Call) -> Answer:
        """Join a call, or leave it."""
        body: api.Joining = call.body
        if body.listening is not Listening.NO:
            await self._hub.reading.interaction(call.id, call.scope)
        await self._hub.call_desk.listen(call.id, call.scope, body.listening)
        return Answer()

    async def take_over(self, call: Call) -> Answer:
        """Become the agent of a call that one is in."""
        return await self._now(call, await self._hub.call_desk.take_over(call.id, call.scope))

    # -- the browser as a telephone

    async def phone(self, call: Call) -> Answer:
        """With what this browser registers at the carriers, once for each account."""
        found: dict[tuple[str, str, str], api.PhoneShape] = {}
        if not call.agent.phone:
            for channel in self._hub.channels.values():
                if isinstance(channel, LiveCalls):
                    how: Softphone = channel.softphone
                    try:
                        token, expires_at = channel.pass_for(call.agent.id)
                    except HubError:
                        # This line's people have telephones of their own; its block says so by having no key.
                        continue
                    found.setdefault(
                        (how.kind, how.url, how.account),
                        api.PhoneShape(
                            kind="module" if how.kind == "module" else "websocket",
                            url=how.url,
                            account=how.account,
                            token=token,
                            expires_at=expires_at,
                            needs_microphone=how.needs_microphone,
                        ),
                    )
        return api.PhoneAnswer(own=call.agent.phone, phones=list(found.values()))

    async def _now(self, call: Call, interaction: Interaction | None = None) -> Answer:
        """Return the call as the floor has it, which is at least as new."""
        found, customer = await self._hub.reading.interaction(
            interaction.id if interaction is not None else call.id, call.scope
        )
        current = self._hub.floor.interactions.get(found.id, found)
        return api.CallAnswer(interaction=self._rows.interaction(current, customer_name=customer.name))

    # -- the table

    def routes(self) -> list[Route]:
        """Return this part of the API."""
        one = "/interactions/{id}/call"
        rows: list[tuple[str, str, str, Handler, type[msgspec.Struct]]] = [
            ("POST", f"{one}/hold", "Let the customer hold", self.hold, Nothing),
            ("POST", f"{one}/resume", "Take the customer off hold", self.resume, Nothing),
            ("POST", f"{one}/mute", "Be heard, or not", self.mute, api.Muting),
            ("POST", f"{one}/consult", "Ring somebody meanwhile", self.consult, api.Consulting),
            ("POST", f"{one}/end-consult", "Let them go", self.end_consult, Nothing),
            ("POST", f"{one}/swap", "Talk to the other", self.swap, Nothing),
            ("POST", f"{one}/put-through", "Leave it to them", self.put_through, Nothing),
            ("POST", f"{one}/recording", "Keep the sound, or not", self.recording, api.Pausing),
            ("POST", f"{one}/take-over", "Become its agent", self.take_over, Nothing),
            ("POST", "/calls", "Call somebody", self.dial, api.Dialling),
            ("POST", "/callbacks", "Call somebody later", self.plan, api.Planning),
            ("POST", f"{one}/begin", "Make a planned call now", self.begin, Nothing),
            ("POST", f"{one}/give-up", "Plan it no more", self.give_up, Nothing),
        ]
        return [
            *(route(method, path, said, run, api.CallAnswer, body=body) for method, path, said, run, body in rows),
            route("POST", f"{one}/listen", "Join a call, or leave", self.listen, Answer, body=api.Joining),
            route("GET", "/phone", "With what a browser rings", self.phone, api.PhoneAnswer),
        ]
