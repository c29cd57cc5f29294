"""All verbs, and the programs of legs: an inbound call, a call begun by REST, a leg called into a conference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.simulator.carrier.account import NOWHERE, Hook
from channels.simulator.carrier.attending import attend
from channels.simulator.carrier.collecting import gather, record
from channels.simulator.carrier.conferences import Conference, Participant
from channels.simulator.carrier.dialing import dial
from channels.simulator.carrier.legs import HungUp, Leg, Redirected, Source
from channels.simulator.carrier.machines import report_later, verdict
from channels.simulator.carrier.plant import Plant, Program
from channels.simulator.carrier.queueing import enqueue, leave
from channels.simulator.carrier.running import Run, Verb
from channels.simulator.carrier.verbs import hangup, pause, play, redirect, reject, say, start, stop

VERBS: Final[Mapping[str, Verb]] = {
    "Say": say,
    "Play": play,
    "Pause": pause,
    "Gather": gather,
    "Record": record,
    "Dial": dial,
    "Enqueue": enqueue,
    "Leave": leave,
    "Redirect": redirect,
    "Hangup": hangup,
    "Reject": reject,
    "Start": start,
    "Stop": stop,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Whether to find out what has answered. `mode` empty: no. `is_async`: beside the call, reported to `hook`."""

    mode: str = ""
    is_async: bool = False
    hook: Hook = NOWHERE


def inbound(plant: Plant, source: Source) -> Program:
    """Return the program of a call that comes in: its first document decides whether it is answered."""

    async def program(leg: Leg) -> None:
        await Run(plant, leg, VERBS).call(source)

    return program


def outbound(plant: Plant, source: Source, machine: Machine) -> Program:
    """Return the program of a call begun by REST."""

    async def program(leg: Leg) -> None:
        first: Source = source
        if machine.mode and machine.is_async:
            report_later(plant.switch, leg, machine.mode, machine.hook)
        elif machine.mode:
            answered_by, seconds = verdict(leg, machine.mode)
            try:
                await leg.rest(plant.switch.now() + round(seconds * 1000))
            except Redirected as redirected:
                first = redirected.source
            except HungUp:
                return
            leg.answered_by = answered_by
            leg.extra += [("AnsweredBy", answered_by), ("MachineDetectionDuration", round(seconds * 1000))]
        await Run(plant, leg, VERBS).call(first)

    return program


def participant(plant: Plant, conference: Conference, joining: Participant, machine: Machine) -> Program:
    """Return the program of a leg called into a conference: it ends when it leaves, unless it was led elsewhere."""

    async def program(leg: Leg) -> None:
        if machine.mode:
            report_later(plant.switch, leg, machine.mode, machine.hook)
        run = Run(plant, leg, VERBS)
        try:
            await attend(run, conference, joining)
        except Redirected as redirected:
            await run.call(redirected.source)
        except HungUp:
            return
        finally:
            leg.hang_up()

    return program
