"""Enqueue and Leave: waiting in a queue with a document of one's own, until something takes the call out."""

from dataclasses import dataclass
from typing import Final

from channels.simulator.carrier.account import Hook
from channels.simulator.carrier.dialing import Filled, Gone, Ready, Split
from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import HungUp, Leg, Redirected, Source
from channels.simulator.carrier.queues import CallQueue, Dequeued, Member
from channels.simulator.carrier.running import Next, Over, Run
from channels.simulator.carrier.twiml import Node
from channels.simulator.carrier.verbs import answer

SHORTEST_ROUND_MS: Final = 1000
"""The least time between two requests for wait music: a document without length would be a storm of them."""


class Left(Over):
    """The wait document has said Leave."""


LEFT: Final = Left()


@dataclass(slots=True)
class _Wait:
    """One call's stay in a queue."""

    run: Run
    queue: CallQueue
    member: Member
    hook: Hook | None

    async def music(self) -> None:
        """Play the wait document round after round, until something interrupts it or it says Leave."""
        run = Run(self.run.plant, self.run.leg, self.run.verbs, place="queue wait")
        while True:
            if self.hook is None or not self.hook:
                kind = "music" if self.hook is None else "silence"
                await run.sound(Sound(at=0, kind="music" if kind == "music" else "silence"), None)
            begun = run.now()
            source: Next = Source(
                hook=self.hook or Hook(""), params=tuple(self.queue.params(self.member)), kind="queue"
            )
            while isinstance(source, Source):
                source = await run.follow(source)
            if source is LEFT:
                return
            if run.now() - begun < SHORTEST_ROUND_MS:
                await run.leg.rest(begun + SHORTEST_ROUND_MS)

    def params(self, result: str) -> list[tuple[str, object]]:
        """Return the parameters of the result."""
        return [
            ("QueueResult", result),
            ("QueueSid", self.queue.sid),
            ("QueueTime", self.queue.wait_s(self.member)),
        ]


async def enqueue(run: Run, node: Node) -> Next:
    """Wait in a queue; `action` is requested whatever ends it, and obeyed unless the call was led elsewhere."""
    answer(run)
    queue = run.plant.queue(node.text, node.number("maxQueueSize", 0) or None)
    if queue.is_full:
        return run.action(node, [("QueueResult", "queue-full"), ("QueueSid", queue.sid), ("QueueTime", 0)])
    hook = run.hook(node, "waitUrl", "waitUrlMethod") if "waitUrl" in node.attributes else None
    wait = _Wait(run, queue, queue.join(run.leg), hook)
    for dialler in queue.waiting_for:
        dialler.post(Filled())
    params = wait.params("leave")
    try:
        await wait.music()
        params = wait.params("leave")
    except Dequeued as taken:
        if taken.to is None:
            _tell(run, node, wait, "redirected")
            raise Redirected(taken.source or Source()) from None
        params = await _bridged(run, node, wait, taken)
    except Redirected:
        _tell(run, node, wait, "redirected")
        raise
    except HungUp:
        _tell(run, node, wait, "hangup")
        raise
    finally:
        queue.leave(run.leg)
    return run.action(node, params)


async def _bridged(run: Run, node: Node, wait: _Wait, taken: Dequeued) -> list[tuple[str, object]]:
    """Talk to whoever took the call out of the queue, until that ends."""
    leg, other = run.leg, taken.to
    assert other is not None
    params = wait.params("bridged")
    own = Run(run.plant, leg, run.verbs, place="queue member")
    try:
        source: Next = taken.source
        while isinstance(source, Source):
            source = await own.follow(source)
        if not other.is_over:
            _ready(other, leg)
            while not isinstance(await leg.next(), Split):
                pass
    except Redirected:
        other.post(Gone(leg, is_over=False))
        _tell(run, node, wait, "redirected-from-bridged")
        raise
    except HungUp:
        _tell(run, node, wait, "bridged")
        raise
    return params


def _ready(other: Leg, leg: Leg) -> None:
    other.post(Ready(leg))


def _tell(run: Run, node: Node, wait: _Wait, result: str) -> None:
    source = run.action(node, wait.params(result))
    if source is not None:
        run.tell(source)


async def leave(_run: Run, _node: Node) -> Next:
    """Leave the queue; outside a queue's wait document it means nothing."""
    return LEFT
