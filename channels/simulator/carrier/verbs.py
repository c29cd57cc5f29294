"""The plain verbs: speaking, playing, waiting, going elsewhere, ending; recording beside the document."""

from functools import partial
from typing import Final

from channels.simulator.carrier.hearing import Sound
from channels.simulator.carrier.legs import Leg, Source
from channels.simulator.carrier.recordings import Order
from channels.simulator.carrier.running import HALF_SECOND, OVER, Next, Run
from channels.simulator.carrier.twiml import Node

FOR_EVER: Final = 1000
"""What `loop="0"` means to the provider."""
UNKNOWN_SOUND_S: Final = 1.0
DTMF_S: Final = 0.2


async def say(run: Run, node: Node) -> Next:
    """Speak."""
    answer(run)
    language, voice = node.get("language", "en-US"), node.get("voice", "man")
    for _ in range(node.number("loop", 1) or FOR_EVER):
        await run.say(node.text, language=language, voice=voice)
    return None


async def play(run: Run, node: Node) -> Next:
    """Play a file, or keys. A file that cannot be had is noted and left out."""
    answer(run)
    for key in node.get("digits"):
        kind = "silence" if key in "wW" else "tone"
        length = HALF_SECOND * (2 if key == "W" else 1) if kind == "silence" else DTMF_S
        await run.sound(Sound(at=0, kind="silence" if key in "wW" else "tone", text=f"dtmf:{key}"), length)
    if not node.text:
        return None
    url = run.absolute(node.text)
    seconds = await run.fetch_sound(url)
    if seconds is None:
        await run.leg.rest(run.now() + round(UNKNOWN_SOUND_S * 1000))
        return None
    for _ in range(node.number("loop", 1) or FOR_EVER):
        await run.sound(Sound(at=0, kind="play", url=url), max(seconds, DTMF_S))
    return None


async def pause(run: Run, node: Node) -> Next:
    """Let time pass. As the first verb of a call it lets the telephone ring on."""
    await run.sound(Sound(at=0, kind="silence"), node.number("length", 1))
    return None


async def redirect(run: Run, node: Node) -> Next:
    """Go on with another document; an empty one means this one again."""
    answer(run)
    return Source(hook=run.redirect_hook(node), kind="action" if not run.place else "wait")


async def hangup(run: Run, _node: Node) -> Next:
    """End the call; one that still rings is answered first, as the provider does."""
    answer(run)
    run.leg.hang_up()
    await run.leg.rest()
    return OVER


async def reject(run: Run, node: Node) -> Next:
    """Refuse a call that rings: as the first verb only, it costs nothing."""
    leg = run.leg
    if leg.is_up:
        return await hangup(run, node)
    leg.decline("busy" if node.get("reason") == "busy" else "no-answer", 486 if node.get("reason") == "busy" else 603)
    await leg.rest()
    return OVER


async def start(run: Run, node: Node) -> Next:
    """Record from here on, beside what the document does."""
    answer(run)
    for child in node.of("Recording"):
        order = Order(
            source="StartCallRecordingTwiML",
            call_sid=run.leg.sid,
            channels=2 if child.get("channels", "dual") == "dual" else 1,
            track=child.get("track", "both"),
            hook=run.hook(child, "recordingStatusCallback", "recordingStatusCallbackMethod"),
            events=child.words("recordingStatusCallbackEvent", "completed"),
        )
        run.plant.record_leg(run.leg, order)
    for child in node.children:
        if child.name != "Recording":
            run.leg.note(12200, f"<{child.name}> is not simulated", is_error=False)
    return None


async def stop(run: Run, node: Node) -> Next:
    """Stop what was started beside the document."""
    for child in node.children:
        run.leg.note(12200, f"<{child.name}> is not simulated", is_error=False)
    return None


def send_digits(leg: Leg, digits: str) -> None:
    """Let the telephone that is called hear keys once it is up; `w` is half a second of silence."""

    def tone(key: str) -> None:
        now = leg.switch.now()
        leg.hearing.begin(Sound(at=now, until=now + round(DTMF_S * 1000), kind="tone", text=f"dtmf:{key}"))

    def send() -> None:
        delay_s = 0.0
        for key in digits:
            if key in "wW":
                delay_s += HALF_SECOND
            else:
                leg.end_after(delay_s, partial(tone, key))
                delay_s += DTMF_S

    leg.when_up.append(send)


def answer(run: Run) -> None:
    """Pick up a call that rings: the first thing that is said to it does so."""
    if run.leg.status == "ringing" and run.leg.route.direction == "inbound":
        run.leg.answer()
