"""The REST API under /api/v1 (docs/reference/protocols.md, 3)."""

from collections.abc import Sequence

import msgspec

from agent_console import api_shapes as api
from agent_console import rows, shapes
from agent_console.api_attention import AttentionApi
from agent_console.api_calls import CallApi
from agent_console.api_letters import LetterApi
from agent_console.routes import Answer, Call, Nothing, Route, route
from agent_console.rows import Rows, named
from agent_console.services import Authority, ConsoleServices, Endpoint
from hub.contract import Capabilities, Channel, Corresponds
from hub.domain.messages import FileRef
from hub.domain.promises import PromiseState
from hub.services.accounts import Login, PasswordChange
from hub.services.people import Edit
from hub.services.reading import Known
from hub.services.timeline import KINDS
from hub.settings.floor import Texts

_CHUNK = 65_536


class Api:
    """The handlers; each is one row of `routes`."""

    def __init__(self, services: ConsoleServices, auth: Authority, rows: Rows) -> None:
        self._hub = services
        self._auth = auth
        self._rows = rows

    # -- customers

    async def customers(self, call: Call) -> Answer:
        """Search people, or list the latest."""
        query: api.FindCustomers = call.query
        if not query.q.strip():
            known = await self._hub.reading.latest_customers(call.scope, query.limit)
            return api.CustomersAnswer(customers=[_card(one) for one in known])
        return api.CustomersAnswer(customers=await self._found(query.q, call, query.limit))

    async def _found(self, q: str, call: Call, limit: int) -> list[api.CustomerCard]:
        hits = {hit.id: hit for hit in await self._hub.search.customers(q, call.scope, limit=limit)}
        known = await self._hub.reading.known(list(hits))
        return [_card(one, hits[one.customer.id].matched) for one in known]

    async def customer(self, call: Call) -> Answer:
        """One profile."""
        profile = await self._hub.people.profile(call.id, call.scope)
        return api.CustomerAnswer(customer=rows.customer(profile))

    async def edit_customer(self, call: Call) -> Answer:
        """Change a profile."""
        edit = msgspec.convert(msgspec.to_builtins(call.body), Edit)
        await self._hub.people.edit(call.id, edit, call.scope)
        return await self.customer(call)

    async def timeline(self, call: Call) -> Answer:
        """One page of everything with a customer; kinds that this hub does not have are skipped."""
        query: api.TimelineQuery = call.query
        asked = [kind for kind in query.kinds.split(",") if kind]
        kinds = [kind for kind in asked if kind in KINDS]
        if asked and not kinds:
            await self._hub.people.profile(call.id, call.scope)
            return api.TimelineAnswer(items=[], before=None)
        page = await self._hub.timeline.page(
            call.id, call.scope, before=query.before, kinds=kinds or None, q=query.q or None, limit=query.limit
        )
        return api.TimelineAnswer(items=page.items, before=page.before)

    async def add_note(self, call: Call) -> Answer:
        """Tell colleagues something about a customer."""
        note = await self._hub.people.add_note(call.id, call.body.text, call.scope, name=call.agent.name)
        return api.NoteAnswer(note=rows.note(note))

    async def promise(self, call: Call) -> Answer:
        """Promise a customer something."""
        body: api.NewPromise = call.body
        made = await self._hub.promises.make(
            call.id,
            body.text,
            body.due_at,
            call.scope,
            interaction=body.interaction,
            queue=body.queue,
            client_id=body.client_id,
        )
        return api.PromiseAnswer(promise=rows.promise(made))

    async def end_promise(self, call: Call) -> Answer:
        """Say that a promise was kept, or take it back."""
        ended = await self._hub.promises.end(call.id, PromiseState(call.body.state), call.scope)
        return api.PromiseAnswer(promise=rows.promise(ended))

    async def duplicates(self, call: Call) -> Answer:
        """Who may be the same person."""
        found = await self._hub.people.duplicates(call.id, call.scope)
        return api.DuplicatesAnswer(
            duplicates=[
                api.DuplicateShape(
                    customer=api.DuplicatePerson(one.id, named(one.name, one.id)),
                    evidence=one.evidence,
                    score=one.score,
                )
                for one in found
            ]
        )

    async def merge(self, call: Call) -> Answer:
        """Make two customers one."""
        merge = await self._hub.people.merge(call.id, call.body.source, call.scope)
        return api.MergeAnswer(merge=merge.id)

    async def undo_merge(self, call: Call) -> Answer:
        """Make them two again."""
        merge = await self._hub.people.undo_merge(call.id, call.scope)
        return api.MergeAnswer(merge=merge.id)

    async def search(self, call: Call) -> Answer:
        """Customers, messages and notes that hold every word."""
        query: api.SearchQuery = call.query
        found = await self._hub.search.find(query.q, call.scope, limit=query.limit)
        hits = {hit.id: hit for hit in found.customers}
        known = await self._hub.reading.known(list(hits))
        cards = [_card(one, hits[one.customer.id].matched) for one in known]
        return api.SearchAnswer(customers=cards, messages=found.messages, notes=found.notes)

    # -- interactions

    async def interaction(self, call: Call) -> Answer:
        """One interaction, open or ended."""
        found, customer = await self._hub.reading.interaction(call.id, call.scope)
        current = self._hub.floor.interactions.get(found.id, found)
        return api.InteractionAnswer(interaction=self._rows.interaction(current, customer_name=customer.name))

    async def routing(self, call: Call) -> Answer:
        """Why it went to whom it went to: as it waits now, and at each of its latest offers."""
        found, _ = await self._hub.reading.interaction(call.id, call.scope)
        return api.RoutingAnswer(routing=await self._hub.explaining.interaction(found.id))

    async def agent_routing(self, call: Call) -> Answer:
        """What an agent may take and why not the rest; of others only supervisors are told."""
        query: api.RoutingQuery = call.query
        return api.AgentRoutingAnswer(routing=await self._hub.explaining.agent(call.id, call.scope, query.seq))

    async def self_service(self, call: Call) -> Answer:
        """What the customer did by themselves: the path, the answers, what was looked up."""
        found, _ = await self._hub.reading.interaction(call.id, call.scope)
        current = self._hub.floor.interactions.get(found.id, found)
        language = self._spoken(call)
        return api.PathsAnswer(
            sessions=await self._hub.paths.of(found, language),
            offerable=self._hub.agent_flows.offerable(current, call.scope, language),
        )

    async def texting(self, call: Call) -> Answer:
        """Whether the customer can be written to now, and with which agreed wordings; null where no texts are sent."""
        found, _ = await self._hub.reading.interaction(call.id, call.scope)
        rules = self._hub.texting.rules(found.channel)
        standing = await self._hub.texting.standing(found.id, call.scope)
        if rules is None or standing is None:
            return api.TextingAnswer(texting=None)
        return api.TextingAnswer(texting=api.TextingShape(standing=standing, templates=list(rules.templates)))

    async def send_into_flow(self, call: Call) -> Answer:
        """Let one's customer go through a flow; they come back by themselves."""
        body: api.SentInto = call.body
        await self._hub.agent_flows.send(call.id, body.flow, call.scope)
        return await self.self_service(call)

    async def take_back(self, call: Call) -> Answer:
        """End the flow one sent the customer into, and talk on."""
        await self._hub.agent_flows.take_back(call.id, call.scope)
        return await self.self_service(call)

    def _spoken(self, call: Call) -> str:
        """Return the language of the console that asks, of those the company speaks."""
        return spoken(call.request.headers.get("Accept-Language", ""), self._hub.settings.company.languages)

    async def flows(self, call: Call) -> Answer:
        """Every flow's figures today."""
        return api.FlowsAnswer(flows=await self._hub.flows.figures(self._spoken(call)))

    async def flow(self, call: Call) -> Answer:
        """One flow with its picture and its versions."""
        return api.FlowAnswer(flow=await self._hub.flows.sheet(call.id, self._spoken(call)))

    async def publish_flow(self, call: Call) -> Answer:
        """Publish a flow's text."""
        language = self._spoken(call)
        return api.FlowAnswer(
            flow=await self._hub.flows.publish(call.body.text, author=call.agent.id, language=language)
        )

    async def try_flow(self, call: Call) -> Answer:
        """Meet a flow as a customer does; nothing is stored or sent."""
        body: api.FlowTrial = call.body
        now = self._hub.clock.now()
        trial = await self._hub.flow_trying.play(
            call.id, body.medium, body.language, body.inputs, text=body.text, now=now
        )
        return api.TrialAnswer(trial=trial)

    async def roll_back_flow(self, call: Call) -> Answer:
        """Publish an older version again."""
        language = self._spoken(call)
        found = await self._hub.flows.roll_back(call.id, call.body.version, author=call.agent.id, language=language)
        return api.FlowAnswer(flow=found)

    async def messages(self, call: Call) -> Answer:
        """A page of its messages."""
        query: api.MessagesQuery = call.query
        found, messages, is_earlier = await self._hub.reading.page(
            call.id, call.scope, before=query.before_n, limit=query.limit
        )
        shown = [self._rows.message(message, reached_n=found.reached_n) for message in messages]
        return api.MessagesAnswer(messages=shown, earlier=is_earlier)

    async def outcomes_missing(self, call: Call) -> Answer:
        """One's own work that the clock closed before its outcome was given."""
        found = await self._hub.reading.without_outcome(call.scope)
        return api.OutcomesMissingAnswer(
            interactions=[self._rows.interaction(one, customer_name=customer.name) for one, customer in found]
        )

    async def upload(self, call: Call) -> Answer:
        """Keep a file, to be sent with a message."""
        await self._hub.reading.interaction(call.id, call.scope)
        stored = await self._hub.files.store(
            call.id,
            call.query.name,
            call.request.content.iter_chunked(_CHUNK),
            by=call.scope.actor,
            limit=self._hub.settings.limits.staff_upload_bytes,
        )
        return api.FileAnswer(file=self._rows.file(FileRef(stored.id, stored.name, stored.type, stored.size)))

    # -- the hub

    async def settings(self, call: Call) -> Answer:
        """What the console needs to know of the configuration, in the browser's language."""
        known = self._hub.settings
        language = self._spoken(call)

        def text(texts: Texts) -> str:
            return known.text(texts, language)

        return api.SettingsAnswer(
            queues=[api.QueueShape(id=q.id, name=q.name, color=q.color or None) for q in known.queues.values()],
            dispositions=[
                api.DispositionShape(id=key, label=text(one.label), queues=list(one.queues))
                for key, one in known.dispositions.items()
            ],
            away_reasons=[api.ReasonShape(key, text(one.label)) for key, one in known.away_reasons.items()],
            canned_replies=self._canned_replies(),
            tiers=[api.ReasonShape(key, text(one.label)) for key, one in known.tiers.items()],
            kinds={kind: _kind(one) for kind, one in self._rows.kinds().items()},
            channels=[self._channel(one) for one in self._hub.channels.values()],
            languages=list(known.company.languages),
            skills=list(known.skills or sorted({skill for one in known.agents.values() for skill in one.skills})),
            demo=self._auth.is_demo,
            company=known.company.name,
            role=call.agent.role,
        )

    def _channel(self, one: Channel) -> api.ChannelShape:
        numbers = self._hub.call_desk.shown_by(one.id)
        address = one.address if isinstance(one, Corresponds) else next(iter(numbers), "")
        return api.ChannelShape(one.id, one.capabilities.kind, address, numbers)

    def _canned_replies(self) -> list[api.CannedReplyShape]:
        """Return each reply once for each language it is written in."""
        return [
            api.CannedReplyShape(
                id=f"{key}:{language}",
                shortcut=one.shortcut,
                title=self._hub.settings.text(one.title, language),
                text=text,
                languages=[language],
                queues=list(one.queues),
            )
            for key, one in self._hub.settings.canned_replies.items()
            for language, text in one.text.items()
        ]

    async def events(self, call: Call) -> Answer:
        """A page of the journal."""
        query: api.EventsQuery = call.query
        found, head = await self._hub.reading.events(call.scope, after=query.after, limit=query.limit)
        return api.EventsAnswer(
            events=[msgspec.convert(event, api.EventShape, from_attributes=True) for event in found],
            next=found[-1].seq if found else query.after,
            head=head,
        )

    # -- the table

    def routes(self) -> list[Route]:
        """Return the whole API."""
        parts = (LetterApi(self._hub, self._rows), CallApi(self._hub, self._rows), AttentionApi(self._hub))
        return [
            *self._of_sessions(),
            *self._of_customers(),
            *self._of_the_rest(),
            *(row for part in parts for row in part.routes()),
        ]

    def _of_sessions(self) -> list[Route]:
        auth, session = self._auth, api.SessionAnswer
        routes = [
            _raw("POST", "/session", "Sign in", auth.sign_in, session, Login),
            _raw("GET", "/session", "Who is signed in", auth.session, session),
            _raw("DELETE", "/session", "Sign out", auth.sign_out, Answer),
            _raw("GET", "/sessions", "One's own sessions", auth.sessions, api.SessionsAnswer),
            _raw("DELETE", "/sessions/{id}", "End one of one's own sessions", auth.revoke, Answer),
            _raw("POST", "/password", "Change one's own password", auth.change_password, Answer, PasswordChange),
        ]
        if auth.is_demo:
            routes.append(_raw("POST", "/demo/session", "Be one of us", auth.demo_session, session, api.DemoSignIn))
        return routes

    def _of_customers(self) -> list[Route]:
        one = "/customers/{id}"
        return [
            route("GET", "/customers", "Find customers", self.customers, api.CustomersAnswer, query=api.FindCustomers),
            route("GET", one, "A profile", self.customer, api.CustomerAnswer),
            route("PATCH", one, "Change a profile", self.edit_customer, api.CustomerAnswer, body=api.EditProfile),
            route("GET", f"{one}/timeline", "Everything", self.timeline, api.TimelineAnswer, query=api.TimelineQuery),
            route("POST", f"{one}/notes", "Add a note", self.add_note, api.NoteAnswer, body=api.NewNote),
            route("POST", f"{one}/promises", "Promise", self.promise, api.PromiseAnswer, body=api.NewPromise),
            route("POST", "/promises/{id}", "End a promise", self.end_promise, api.PromiseAnswer, body=api.EndPromise),
            route("GET", f"{one}/duplicates", "Who may be the same", self.duplicates, api.DuplicatesAnswer),
            route("POST", f"{one}/merge", "Make two one", self.merge, api.MergeAnswer, body=api.MergeSource),
            route("POST", "/merges/{id}/undo", "Make them two again", self.undo_merge, api.MergeAnswer, body=Nothing),
        ]

    def _of_the_rest(self) -> list[Route]:
        one = "/interactions/{id}"
        return [
            route("GET", "/search", "Search", self.search, api.SearchAnswer, query=api.SearchQuery),
            route("GET", one, "An interaction", self.interaction, api.InteractionAnswer),
            route("GET", f"{one}/self-service", "What the customer did alone", self.self_service, api.PathsAnswer),
            route(
                "POST",
                f"{one}/self-service",
                "Send the customer into a flow",
                self.send_into_flow,
                api.PathsAnswer,
                body=api.SentInto,
            ),
            route(
                "DELETE", f"{one}/self-service", "Take the customer back from a flow", self.take_back, api.PathsAnswer
            ),
            route("GET", f"{one}/texting", "May it be written to", self.texting, api.TextingAnswer),
            route("GET", f"{one}/routing", "Why it went where it went", self.routing, api.RoutingAnswer),
            route(
                "GET",
                "/agents/{id}/routing",
                "What an agent may take",
                self.agent_routing,
                api.AgentRoutingAnswer,
                query=api.RoutingQuery,
            ),
            route("GET", f"{one}/messages", "Messages", self.messages, api.MessagesAnswer, query=api.MessagesQuery),
            route("POST", f"{one}/files", "Upload", self.upload, api.FileAnswer, query=api.UploadQuery, is_upload=True),
            route("GET", "/flows", "Self-service today", self.flows, api.FlowsAnswer),
            route("POST", "/flows", "Publish a flow", self.publish_flow, api.FlowAnswer, body=api.FlowText),
            route("POST", "/flows/{id}/try", "Try a flow", self.try_flow, api.TrialAnswer, body=api.FlowTrial),
            route("GET", "/flows/{id}", "A flow, drawn with who is where", self.flow, api.FlowAnswer),
            route(
                "POST",
                "/flows/{id}/roll-back",
                "Publish an older version",
                self.roll_back_flow,
                api.FlowAnswer,
                body=api.FlowRollBack,
            ),
            route("GET", "/outcomes/missing", "Outcomes to give", self.outcomes_missing, api.OutcomesMissingAnswer),
            route("GET", "/settings", "What the console needs to know", self.settings, api.SettingsAnswer),
            route("GET", "/events", "The journal", self.events, api.EventsAnswer, query=api.EventsQuery),
        ]


def _raw(
    method: str,
    path: str,
    summary: str,
    endpoint: Endpoint,
    answer: type[Answer],
    body: type[msgspec.Struct] | None = None,
) -> Route:
    return Route(method=method, path=path, summary=summary, raw=endpoint, answer=answer, body=body)


def _card(known: Known, matched: str | None = None) -> api.CustomerCard:
    customer = known.customer
    return api.CustomerCard(
        id=customer.id,
        name=named(customer.name, customer.id, *(address.value for address in known.addresses)),
        language=customer.language or None,
        company=customer.company or None,
        tier=customer.tier or None,
        addresses=[shapes.AddressShape(kind=a.kind, value=a.value, verified=a.is_verified) for a in known.addresses],
        fields=dict(customer.fields),
        matched=matched,
    )


def _kind(one: Capabilities) -> api.KindShape:
    return msgspec.convert(one, api.KindShape, from_attributes=True)


def spoken(accepted: str, served: Sequence[str]) -> str:
    """Return the first of the browser's languages that is served, else the first that is served."""
    for part in accepted.split(",")[:20]:
        wanted = part.partition(";")[0].strip().lower()
        for language in served:
            if wanted and wanted.partition("-")[0] == language.lower().partition("-")[0]:
                return language
    return served[0] if served else "en"
