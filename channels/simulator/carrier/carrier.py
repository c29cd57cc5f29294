"""The carrier as a whole: one account, the world's telephones, and everything between them."""

from collections.abc import Mapping, Sequence

import phonenumbers

from channels.simulator.carrier.account import Account, Hook, Number
from channels.simulator.carrier.interpreter import inbound
from channels.simulator.carrier.legs import Endpoint, Leg, Route, Source, StatusHook
from channels.simulator.carrier.loops import Loop
from channels.simulator.carrier.messaging import Message, Post
from channels.simulator.carrier.phones import Phone, Step, World
from channels.simulator.carrier.plant import Plant
from channels.simulator.carrier.problems import RestError
from channels.simulator.carrier.rest.api import Api
from channels.simulator.carrier.softphones import Send, Softphone, Softphones
from channels.simulator.carrier.switch import Switch
from channels.simulator.carrier.webhooks import Transport
from hub.clock import Clock

ONLY_COMPLETED = frozenset({"completed"})


def places(from_: str, to: str) -> list[tuple[str, object]]:
    """Return where two numbers are at home, as far as their prefixes tell."""
    said: list[tuple[str, object]] = []
    for name, number in (("From", from_), ("Caller", from_), ("To", to), ("Called", to)):
        try:
            country = phonenumbers.region_code_for_number(phonenumbers.parse(number))
        except phonenumbers.NumberParseException:
            country = None
        said.append((f"{name}Country", country))
    return said


class Carrier:
    """A carrier for one customer. People call and write through it; the customer uses its REST interface."""

    def __init__(
        self,
        account: Account,
        clock: Clock,
        *,
        world: World | None = None,
        seed: int = 1,
        transport: Transport | None = None,
    ) -> None:
        self.switch = Switch(account, clock, seed=seed, transport=transport)
        self.world = world or World()
        self.plant = Plant(self.switch, self.world)
        self.post = Post(self.switch)
        self.api = Api(self.plant, self.post)
        self.softphones = Softphones(self.world)
        for number in account.numbers.values():
            number.sid = number.sid or self.switch.sids.new("PN")
            self.world.install(number.phone_number, Loop(number.phone_number, self.call_number))

    @property
    def account(self) -> Account:
        """The customer's account."""
        return self.switch.account

    @property
    def alerts(self) -> list[int]:
        """The numbers of everything the carrier objected to so far."""
        return self.switch.debugger.codes

    def reached_at(self, base_url: str) -> None:
        """Say under which address this carrier is reached; it stands in the addresses it gives out."""
        self.plant.base_url = self.post.base_url = base_url.rstrip("/")

    # -- people

    def person_calls(self, from_: str, to: str, script: Sequence[Step] = ()) -> Leg:
        """Somebody with a telephone calls a number of the account and does what the script says."""
        return self.call_number(from_, to, Phone(script=script))

    def call_number(self, from_: str, to: str, phone: Endpoint) -> Leg:
        """A telephone calls a number: one that nobody has is not in service."""
        number = self.account.numbers.get(to)
        route = Route(to=to, from_=from_, direction="inbound", number_sid=number.sid if number else "")
        leg = self.plant.new_leg(route, phone, is_inbound=True)
        if number is None or not number.can_talk:
            leg.end("failed", 404)
            return leg
        leg.extra += places(from_, to)
        leg.progress = StatusHook(number.status_callback, ONLY_COMPLETED)
        leg.fallback = number.voice_fallback
        self._ring(leg, Source(hook=self._voice_of(number), kind="call"))
        return leg

    def call_application(self, application_sid: str, identity: str, params: Mapping[str, str], phone: Endpoint) -> Leg:
        """A registered client calls its application.

        Raises:
            RestError: the account has no such application.
        """
        application = self.account.applications.get(application_sid)
        if application is None:
            raise RestError(21218)
        route = Route(
            to=params.get("To", ""),
            from_=f"client:{identity}",
            direction="inbound",
            application_sid=application_sid,
        )
        leg = self.plant.new_leg(route, phone, is_inbound=True)
        taken = {name for name, _ in leg.params()}
        leg.extra += [(name, value) for name, value in params.items() if name not in taken]
        leg.progress = StatusHook(application.status_callback, ONLY_COMPLETED)
        leg.fallback = application.voice_fallback
        self._ring(leg, Source(hook=application.voice, kind="call"))
        return leg

    async def person_writes(
        self,
        from_: str,
        to: str,
        body: str,
        *,
        media: Sequence[tuple[str, bytes]] = (),
        profile: str = "",
    ) -> Message:
        """Somebody writes to a number of the account; returns when the customer's server has answered.

        Raises:
            RestError: the account has no such number.
        """
        number = self.account.numbers.get(to.removeprefix("whatsapp:"))
        if number is None or not number.can_write:
            raise RestError(20404)
        return await self.post.receive(number, from_, body, to=to, media=media, profile=profile)

    def softphone(self, send: Send, *, may_be_guest: bool = False) -> Softphone:
        """Return a telephone for a page that has just connected; `send` tells the page things."""
        return Softphone(self.switch, self.softphones, self, send, may_be_guest=may_be_guest)

    # -- its end

    @property
    def pending(self) -> dict[str, int]:
        """What is still under way."""
        return self.switch.pending

    def live_calls(self) -> list[Leg]:
        """Return all legs that have not ended."""
        return [leg for leg in self.plant.legs.values() if not leg.is_over]

    async def close(self) -> None:
        """Cut all lines and let go of everything."""
        for leg in self.live_calls():
            leg.hang_up()
        await self.switch.close()

    def _ring(self, leg: Leg, source: Source) -> None:
        leg.ring()
        leg.run(inbound(self.plant, source))

    def _voice_of(self, number: Number) -> Hook:
        application = self.account.applications.get(number.voice_application_sid)
        return application.voice if application is not None else number.voice
