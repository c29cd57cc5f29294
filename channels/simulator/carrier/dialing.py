"""Dial: calling telephones into a call, or a queue's front, and joining a conference."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from channels.simulator.carrier.attending import attend_dialled
from channels.simulator.carrier.bridges import Bridge
from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import (
    HungUp,
    Interrupt,
    Leg,
    Pressed,
    Redirected,
    Route,
    Source,
    StatusHook,
)
from channels.simulator.carrier.machines import detect
from channels.simulator.carrier.plant import TIME_LIMIT_S, Attempt
from channels.simulator.carrier.queues import CallQueue, Dequeued
from channels.simulator.carrier.recordings import Order, Recording
from channels.simulator.carrier.running import Next, Run
from channels.simulator.carrier.twiml import Node
from channels.simulator.carrier.verbs import answer, send_digits

RING_S: Final = 30
Params = list[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Answered:
    """A dialled leg was picked up."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class Ready:
    """A leg has heard what it was to hear before talking."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class Gone:
    """A leg has ended, or was redirected away (`is_over` False)."""

    leg: Leg
    is_over: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """Somebody waits in the queue now."""


@dataclass(frozen=True, slots=True)
class Split:
    """The bridge of this leg was broken by the other end."""


async def dial(run: Run, node: Node) -> Next:
    """Connect the call with others; goes on with `action`, which is requested also when the call goes elsewhere."""
    if not node.flag("answerOnBridge"):
        answer(run)
    following = run.following
    result: Params = [("DialCallStatus", "answered")]
    try:
        await _connect(run, node, result)
    except (HungUp, Redirected) as interrupt:
        _tell_anyway(run, node, following, interrupt, result)
        raise
    return run.action(node, result)


def _tell_anyway(run: Run, node: Node, following: Node | None, interrupt: Interrupt, result: Params) -> None:
    """Request what would have come next; the provider does, and ignores the answer."""
    source = run.action(node, result if isinstance(interrupt, HungUp) else [("DialCallStatus", "answered")])
    is_redirect = isinstance(interrupt, Redirected) and following is not None and following.name == "Redirect"
    if source is None and is_redirect and following is not None:
        source = Source(hook=run.redirect_hook(following))
    if source is not None:
        run.tell(source)


async def _connect(run: Run, node: Node, result: Params) -> None:
    """Connect and wait for the end; `result` always holds what is to be told, also when something interrupts it."""
    if rooms := node.of("Conference"):
        await attend_dialled(run, node, rooms[0])
        return
    if queues := node.of("Queue"):
        await _dial_queue(run, queues[0], result)
        return
    nouns = node.of("Number", "Client", "Sip") or [Node("Number", {}, node.line, text=node.text)]
    if others := node.of("Sim", "Application", "WhatsApp"):
        run.leg.note(12200, f"<{others[0].name}> is not simulated", is_error=False)
        result[:] = [("DialCallStatus", "failed")]
        return
    groups = [[noun] for noun in nouns] if node.flag("sequential") else [nouns]
    for group in groups:
        dialled = _Dialled(run, node, group)
        try:
            await dialled.talk()
        finally:
            result[:] = dialled.result
        if dialled.was_answered:
            break


class _Dialled:
    """Telephones rung at once; the first to answer gets the call."""

    def __init__(self, run: Run, node: Node, nouns: Sequence[Node]) -> None:
        self._run = run
        self._leg = run.leg
        self._node = node
        self._nouns = nouns
        self._ringing: dict[str, Leg] = {}
        self.was_answered = False
        self.result: Params = [("DialCallStatus", "failed"), ("DialBridged", False)]

    async def talk(self) -> None:
        """Ring, connect and wait for the end; `result` holds the parameters then."""
        winner: Leg | None = None
        ringback = self._leg.hearing.begin(Sound(at=self._leg.switch.now(), kind="tone", text="ringback"))
        last: Leg | None = None
        try:
            for noun in self._nouns:
                last = self._place(noun) or last
            winner, last = await self._race(last)
            self._leg.hearing.cut(ringback)
            if winner is not None:
                await self._bridged(winner)
        finally:
            self._leg.hearing.cut(ringback)
            for leg in list(self._ringing.values()):
                leg.hang_up()
            if winner is None and last is not None:
                self._failed(last)

    async def _race(self, last: Leg | None) -> tuple[Leg | None, Leg | None]:
        """Wait for the first that is ready to talk."""
        until = self._leg.switch.now() + self._node.number("timeout", RING_S) * 1000
        answered: Leg | None = None
        while self._ringing:
            event = await self._leg.next(None if answered is not None else until)
            match event:
                case None if answered is None:
                    for leg in list(self._ringing.values()):
                        leg.decline("no-answer", 487)
                case Answered(leg=leg) if answered is None:
                    answered = leg
                    for other in [one for one in self._ringing.values() if one is not leg]:
                        other.hang_up()
                case Ready(leg=leg) if leg.sid in self._ringing:
                    return self._ringing.pop(leg.sid), leg
                case Gone(leg=leg):
                    self._ringing.pop(leg.sid, None)
                    last = leg if answered is None or leg is answered else last
                case _:
                    pass
        return None, last

    async def _bridged(self, child: Leg) -> None:
        """Let the two talk; the child ends with it, unless it was led elsewhere."""
        self.was_answered = True
        leg, node = self._leg, self._node
        answer(self._run)
        bridge = Bridge(leg, child)
        recording = self._record()
        until = leg.switch.now() + node.number("timeLimit", int(TIME_LIMIT_S)) * 1000
        was_led_away = False
        try:
            while not child.is_over and not was_led_away:
                event = await leg.next(until)
                if event is None or (isinstance(event, Pressed) and event.key == "*" and node.flag("hangupOnStar")):
                    child.hang_up()
                was_led_away = isinstance(event, Gone) and event.leg is child and not event.is_over
        finally:
            bridge.split()
            if recording is not None:
                recording.finish()
            if not was_led_away:
                child.hang_up()
            self.result = [("DialCallStatus", "completed"), ("DialCallSid", child.sid), ("DialBridged", True)]
            self.result += [] if was_led_away else [("DialCallDuration", child.duration_s)]
            if recording is not None:
                self.result += [("RecordingUrl", recording.url_of()), ("RecordingSid", recording.sid)]

    def _failed(self, last: Leg) -> None:
        status = "canceled" if last.status == "completed" else last.status
        self.was_answered = last.status == "completed"
        self.result = [("DialCallStatus", status), ("DialCallSid", last.sid), ("DialBridged", False)]

    def _record(self) -> Recording | None:
        how = self._node.get("record", "do-not-record")
        if how in {"do-not-record", "false"}:
            return None
        node = self._node
        order = Order(
            source="DialVerb",
            call_sid=self._leg.sid,
            channels=2 if how.endswith("dual") else 1,
            hook=self._run.hook(node, "recordingStatusCallback", "recordingStatusCallbackMethod"),
            events=node.words("recordingStatusCallbackEvent", "completed"),
        )
        return self._run.plant.record_leg(self._leg, order)

    def _place(self, noun: Node) -> Leg | None:
        """Begin to call one of them; None when it cannot even be tried."""
        run = self._run
        to, custom = _address(noun)
        from_ = _caller_id(run, self._node, to)
        if not to or from_ is None:
            run.leg.note(13214 if to else 13223, f"cannot call {to or noun.text!r}")
            return None
        progress = StatusHook(
            run.hook(noun, "statusCallback", "statusCallbackMethod"), noun.words("statusCallbackEvent", "completed")
        )
        hook = run.hook(noun, "url")
        attempt = Attempt(
            timeout_s=self._node.number("timeout", RING_S) + 1.0,
            program=lambda child: _called(run, child, noun, Source(hook=hook) if hook else None),
            progress=progress,
        )
        route = Route(to=to, from_=from_, direction="outbound-dial", parent=run.leg.sid, custom=custom)
        child = run.plant.call(route, attempt)
        self._ringing[child.sid] = child
        if noun.get("sendDigits"):
            send_digits(child, noun.get("sendDigits"))
        child.watch(lambda gone: run.leg.post(Gone(gone, is_over=True)))
        return child


async def _called(run: Run, child: Leg, noun: Node, source: Next) -> None:
    """What a dialled telephone goes through: its own document first, then the call."""
    parent = run.leg
    parent.post(Answered(child))
    detect(run, child, noun)
    own = Run(run.plant, child, run.verbs, place="callee")
    try:
        while isinstance(source, Source):
            source = await own.follow(source)
        parent.post(Ready(child))
        await child.rest()
    except Redirected as redirected:
        parent.post(Gone(child, is_over=False))
        await Run(run.plant, child, run.verbs).call(redirected.source)


def _address(noun: Node) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return whom a noun means, and what is handed over to them; empty when it means nobody."""
    if noun.name == "Client":
        identity = noun.of("Identity")
        custom = tuple((one.get("name"), one.get("value")) for one in noun.of("Parameter"))
        return f"client:{identity[0].text if identity else noun.text}", custom
    if noun.name == "Sip":
        return (noun.text if noun.text.startswith("sip:") else ""), ()
    number = re.sub(r"[\s().-]", "", noun.text)
    return (number if re.fullmatch(r"\+?[0-9]{3,15}", number) else ""), ()


def _caller_id(run: Run, node: Node, to: str) -> str | None:
    """Return who seems to call; None when the provider would not allow it."""
    route = run.leg.route
    wanted = node.get("callerId")
    if to.startswith(("client:", "sip:")):
        return wanted or route.from_
    if not wanted:
        return None if route.from_.startswith("client:") else route.from_
    allowed = wanted in {route.from_, route.to} or run.plant.switch.account.owns(wanted)
    return wanted if allowed else None


# -- queues


async def _dial_queue(run: Run, noun: Node, result: Params) -> None:
    """Talk to whoever has waited longest in a queue, waiting for somebody to come if need be."""
    queue = run.plant.queue(noun.text)
    member, waited_s = await _front_of(run, queue)
    hook = run.hook(noun, "url")
    params: Params = [
        ("QueueSid", queue.sid),
        ("CallSid", member.sid),
        ("QueueTime", waited_s),
        ("DequeingCallSid", run.leg.sid),
    ]
    taken = Dequeued(to=run.leg, source=Source(hook=hook, params=tuple(params)) if hook else None)
    member.watch(lambda gone: run.leg.post(Gone(gone, is_over=True)))
    member.interrupt(taken)
    result[:] = [
        ("DialCallStatus", "completed"),
        ("QueueSid", queue.sid),
        ("DequeueResult", "bridged"),
        ("DequeuedCallSid", member.sid),
        ("DequeuedCallQueueTime", waited_s),
    ]
    begun = run.now()
    bridge: Bridge | None = None
    try:
        while not member.is_over:
            event = await run.leg.next()
            if isinstance(event, Ready) and event.leg is member:
                bridge = Bridge(run.leg, member)
            elif isinstance(event, Gone) and event.leg is member:
                break
    finally:
        if bridge is not None:
            bridge.split()
        member.post(Split())
        result.append(("DequeuedCallDuration", (run.now() - begun) // 1000))


async def _front_of(run: Run, queue: CallQueue) -> tuple[Leg, int]:
    front = queue.front()
    if front is None:
        queue.waiting_for.append(run.leg)
        try:
            while front is None:
                await run.leg.next()
                front = queue.front()
        finally:
            queue.waiting_for.remove(run.leg)
    waited_s = queue.wait_s(front)
    queue.leave(front.leg)
    return front.leg, waited_s
