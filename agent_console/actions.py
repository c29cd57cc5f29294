"""What people do, as calls of the hub's services. Each returns the answer's fields beside `ok`."""

import asyncio
import hashlib
from typing import Any

from agent_console import requests, rows
from agent_console.api_letters import draft as drafted
from agent_console.rows import Rows
from agent_console.services import ConsoleServices
from agent_console.sync import Sync
from agent_console.tabs import Tab
from hub.domain.agent import Agent
from hub.domain.errors import Closed, Conflict, Forbidden, NotFound, OfferGone
from hub.domain.interaction import WITH_AGENT, Interaction, State
from hub.domain.messages import Author, Choice
from hub.domain.texting import TemplateUse
from hub.services.access import Scope
from hub.services.messages import Words

Answer = dict[str, Any]


class Actions:
    """One method for each event of the protocol."""

    def __init__(self, services: ConsoleServices, rows: Rows, sync: Sync) -> None:
        self._hub = services
        self._rows = rows
        self._sync = sync

    # -- looking

    def sync(self, tab: Tab, request: requests.Sync) -> Answer:
        """Bring a browser up to date. Plain, so that the answer leaves before any later frame."""
        return self._sync.sync(tab, request.seq)

    async def open(self, tab: Tab, request: requests.Open) -> Answer:
        """Show a conversation and push what is said in it until `leave_view`."""
        scope, name = tab.view.scope, request.interaction
        self._sync.begin_open(tab, name)
        try:
            found = await self._hub.reading.conversation(name, scope, after=request.after_n or 0)
            customer = found.interaction.customer
            profile, page = await asyncio.gather(
                self._hub.people.profile(customer, scope), self._hub.timeline.page(customer, scope)
            )
        except BaseException:
            self._sync.leave_view(tab, name)
            raise
        letters = await self._letters(found.interaction, scope)
        # The answer is written in the next turn of the loop; what was pushed meanwhile is said again behind it.
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._sync.end_open, tab, name)
        current = self._hub.floor.interactions.get(name, found.interaction)
        return {
            "interaction": self._rows.interaction(current, customer_name=found.customer.name),
            "customer": rows.customer(profile),
            "messages": [self._rows.message(m, reached_n=current.reached_n) for m in found.messages],
            "earlier": found.is_earlier,
            "notes": [rows.note(note) for note in found.notes],
            "segments": [rows.segment(segment) for segment in found.segments],
            "draft": {"reply": found.drafts.get("reply", ""), "note": found.drafts.get("note", "")},
            "history": page,
            **letters,
        }

    async def _letters(self, interaction: Interaction, scope: Scope) -> Answer:
        """Return what surrounds the messages, and the letter being written, where a channel has envelopes."""
        kind = self._rows.kinds().get(interaction.kind)
        if kind is None or not (kind.has_envelopes or kind.has_receipts):
            return {}
        found = await self._hub.letters.of(interaction.id, scope)
        kept = await self._hub.letters.draft(interaction.id, scope) if kind.has_envelopes else None
        answer: Answer = {
            "letters": [rows.letter(one.envelope) for one in found],
            "outgoing": [rows.outgoing(one.outgoing) for one in found if one.outgoing is not None],
        }
        if kept is not None and kept.letter is not None:
            files = await self._hub.reading.files(interaction.id, kept.letter.files, scope)
            answer["letter_draft"] = drafted(kept, kept.letter, [self._rows.file(file) for file in files])
        return answer

    async def leave_view(self, tab: Tab, request: requests.OfInteraction) -> Answer:
        """Push the conversation no longer."""
        self._sync.leave_view(tab, request.interaction)
        return {}

    async def earlier(self, tab: Tab, request: requests.Earlier) -> Answer:
        """Return older messages."""
        interaction, messages, is_earlier = await self._hub.reading.page(
            request.interaction, tab.view.scope, before=request.before_n
        )
        shown = [self._rows.message(message, reached_n=interaction.reached_n) for message in messages]
        return {"messages": shown, "earlier": is_earlier}

    # -- oneself

    async def presence(self, tab: Tab, request: requests.ChoosePresence) -> Answer:
        """Choose one's presence."""
        return _presence(await self._hub.presence.choose(tab.view.agent_id, request.presence, request.reason or ""))

    async def resume_work(self, tab: Tab, request: requests.Request) -> Answer:
        """End not-responding."""
        del request
        return _presence(await self._hub.presence.resume_work(tab.view.agent_id))

    # -- offers

    async def accept(self, tab: Tab, request: requests.Accept) -> Answer:
        """Take an offer."""
        interaction = await self._hub.offers.accept(request.offer, tab.view.agent_id)
        return {"interaction": interaction.id}

    async def reject(self, tab: Tab, request: requests.Reject) -> Answer:
        """Refuse an offer."""
        offer = self._hub.floor.offers.get(request.offer)
        if offer is not None and offer.agent != tab.view.agent_id:
            raise OfferGone("This offer is no longer yours.")
        reason = request.reason or "other"
        await self._hub.offers.reject(request.offer, tab.view.agent_id, reason)
        return {"interaction": offer.interaction if offer else None}

    async def pull(self, tab: Tab, request: requests.OfInteraction) -> Answer:
        """Take a waiting interaction by hand where its queue allows it."""
        interaction = self._seen(tab, request.interaction)
        agent = self._hub.floor.agents[tab.view.agent_id]
        queue = self._hub.settings.queues.get(interaction.queue)
        if queue is None or not queue.pull_allowed or not agent.serves(interaction.queue):
            raise Forbidden("Interactions of this queue are offered, not picked.")
        taken = await self._hub.dispatcher.pull(interaction.id, agent.id)
        return {"interaction": taken.id}

    # -- the conversation

    async def send(self, tab: Tab, request: requests.Send) -> Answer:
        """Say something to the customer; answered once it is committed."""
        await self._check_mine(tab, request.interaction)
        agent_id = tab.view.agent_id
        files = tuple(await self._hub.files.refs(request.interaction, request.files, by=tab.view.scope.actor))
        text, use = request.text, None
        if request.template is not None:
            use = TemplateUse(request.template.id, tuple(request.template.values))
            text = self._hub.texting.worded(self._seen(tab, request.interaction).channel, use)
        message = await self._hub.messages.say(
            Words(
                interaction=request.interaction,
                author=Author.AGENT,
                client_id=request.client_id,
                text=text,
                template=use,
                agent=agent_id,
                name=self._hub.floor.agent_name(agent_id),
                files=files,
                choices=tuple(Choice(choice.id, choice.label) for choice in request.choices),
                seen_n=request.seen_n,
                anyway=request.anyway,
            )
        )
        return {"n": message.n, "at": message.at}

    async def note(self, tab: Tab, request: requests.Note) -> Answer:
        """Say something to colleagues."""
        interaction, _ = await self._hub.reading.interaction(request.interaction, tab.view.scope)
        return {"id": await self._add_note(tab, interaction, request.text, request.client_id)}

    async def _add_note(self, tab: Tab, interaction: Interaction, text: str, client_id: str) -> str:
        agent_id = tab.view.agent_id
        agent = self._hub.floor.agents[agent_id]
        named = hashlib.sha256(f"{agent_id}\n{interaction.id}\n{client_id}".encode()).hexdigest()
        added = await self._hub.people.add_note(
            interaction.customer,
            text,
            tab.view.scope,
            interaction=interaction.id,
            name=agent.name,
            note_id=f"n{named[:24]}",
        )
        return added.id

    async def draft(self, tab: Tab, request: requests.Draft) -> Answer:
        """Keep what is not sent."""
        await self._hub.handling.save_draft(request.interaction, tab.view.scope, request.mode, request.text)
        return {}

    def typing(self, tab: Tab, request: requests.Typing) -> Answer:
        """Tell colleagues, and the customer if it is one's own conversation, that one types. It may be lost."""
        interaction = self._seen(tab, request.interaction)
        agent_id = tab.view.agent_id
        name = self._hub.floor.agent_name(agent_id)
        heard: Answer = {"interaction": interaction.id, "who": "agent", "name": name, "typing": request.typing}
        if interaction.agent == agent_id:
            self._hub.signals.publish("typing", **heard, agent=agent_id)
        else:
            self._sync.typing(interaction.id, heard, by=agent_id)
        return {}

    async def seen(self, tab: Tab, request: requests.Seen) -> Answer:
        """Note how far one has read."""
        self._seen(tab, request.interaction)
        await self._hub.handling.seen(request.interaction, tab.view.scope, request.n)
        return {}

    # -- moving it on

    async def transfer(self, tab: Tab, request: requests.Transfer) -> Answer:
        """Give it to a queue or a colleague, with what they should know."""
        interaction = self._mine(tab, request.interaction)
        await self._note_along(tab, interaction, request.note)
        await self._hub.handling.transfer(
            request.interaction, tab.view.scope, queue=request.queue, agent=request.agent, needs=request.needs
        )
        return {}

    async def _note_along(self, tab: Tab, interaction: Interaction, text: str | None) -> None:
        """Keep the note first: afterwards the interaction may be nobody's whom its writer may see."""
        if text and text.strip():
            digest = hashlib.sha256(f"{interaction.version}{text}".encode()).hexdigest()
            await self._add_note(tab, interaction, text, digest)

    async def park(self, tab: Tab, request: requests.OfInteraction) -> Answer:
        """Set it aside."""
        self._seen(tab, request.interaction)
        await self._hub.handling.park(request.interaction, tab.view.scope)
        return {}

    async def unpark(self, tab: Tab, request: requests.OfInteraction) -> Answer:
        """Take it up again."""
        self._seen(tab, request.interaction)
        await self._hub.handling.unpark(request.interaction, tab.view.scope)
        return {}

    async def wrap_up(self, tab: Tab, request: requests.OfInteraction) -> Answer:
        """Leave the customer."""
        self._seen(tab, request.interaction)
        interaction = await self._hub.handling.wrap_up(request.interaction, tab.view.scope)
        return {"wrap_up_ends_at": interaction.wrap_up_ends_at}

    async def extend_wrap_up(self, tab: Tab, request: requests.OfInteraction) -> Answer:
        """Take more time."""
        self._seen(tab, request.interaction)
        interaction = await self._hub.handling.extend_wrap_up(request.interaction, tab.view.scope)
        return {"wrap_up_ends_at": interaction.wrap_up_ends_at}

    async def complete(self, tab: Tab, request: requests.Complete) -> Answer:
        """Close it with its outcome."""
        if request.note:
            interaction, _ = await self._hub.reading.interaction(request.interaction, tab.view.scope)
            if interaction.agent == tab.view.agent_id:
                await self._note_along(tab, interaction, request.note)
        await self._hub.handling.complete(request.interaction, tab.view.scope, request.disposition)
        return {}

    # -- steering others

    async def assign(self, tab: Tab, request: requests.Assign) -> Answer:
        """Give an interaction to an agent or a queue."""
        await self._hub.supervision.assign(
            request.interaction, tab.view.scope, agent=request.agent, queue=request.queue, needs=request.needs
        )
        return {}

    async def force_presence(self, tab: Tab, request: requests.ForcePresence) -> Answer:
        """Set somebody's presence."""
        return _presence(
            await self._hub.presence.choose(request.agent, request.presence, request.reason or "", actor=tab.view.scope)
        )

    async def force_close(self, tab: Tab, request: requests.ForceClose) -> Answer:
        """End an interaction wherever it stands."""
        await self._hub.supervision.force_close(request.interaction, tab.view.scope, request.reason)
        return {}

    # -- access

    def _seen(self, tab: Tab, interaction_id: str) -> Interaction:
        """Return an open interaction that this person may see.

        Raises:
            NotFound: there is none, or not for them: both look the same.
        """
        found = self._hub.floor.interactions.get(interaction_id)
        if found is None or not tab.view.scope.sees(found):
            raise NotFound("There is no such interaction.")
        return found

    def _mine(self, tab: Tab, interaction_id: str) -> Interaction:
        """Return one's own interaction with a customer at the other end.

        Raises:
            NotFound: not one's own. Conflict: the customer is not there any more.
        """
        found = self._seen(tab, interaction_id)
        if found.agent != tab.view.agent_id:
            raise NotFound("You are not handling such an interaction.")
        if found.state not in WITH_AGENT or found.state is State.PARKED:
            raise Conflict("This cannot be done now.")
        return found

    async def _check_mine(self, tab: Tab, interaction_id: str) -> None:
        """Return if somebody may try to write in an interaction; whether it still takes messages the service knows.

        Raises:
            NotFound: it does not exist for this person. Closed: it is over.
        """
        if interaction_id not in self._hub.floor.interactions:
            await self._hub.reading.interaction(interaction_id, tab.view.scope)
            raise Closed("This conversation has ended.")
        self._seen(tab, interaction_id)


def _presence(agent: Agent) -> Answer:
    following = None
    if agent.next_presence is not None:
        following = {"presence": agent.next_presence, "reason": agent.next_reason or None}
    return {"presence": agent.presence, "next_presence": following}
