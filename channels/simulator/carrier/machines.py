"""Telling people from machines: what answers is asked for by the way its telephone is told to answer."""

from typing import Final, Protocol, runtime_checkable

from channels.simulator.carrier.account import Hook
from channels.simulator.carrier.legs import Leg
from channels.simulator.carrier.running import Run
from channels.simulator.carrier.switch import Switch
from channels.simulator.carrier.twiml import Node
from channels.simulator.carrier.webhooks import flattened

QUICK_S: Final = 2.0
"""How long it takes to know that a person answered."""
SLOW_S: Final = 4.0
"""How long it takes to know a machine by its greeting."""


@runtime_checkable
class HasNature(Protocol):
    """A telephone that knows what answers it."""

    @property
    def nature(self) -> str:
        """human, machine, fax or unknown."""

    @property
    def greeting_s(self) -> float:
        """How long a machine talks before its beep."""


def verdict(leg: Leg, mode: str) -> tuple[str, float]:
    """Return AnsweredBy and the seconds until it is known. `mode` is Enable or DetectMessageEnd."""
    endpoint: object = leg.endpoint
    nature, greeting_s = "human", 0.0
    if isinstance(endpoint, HasNature):
        nature, greeting_s = endpoint.nature, endpoint.greeting_s
    if nature == "machine":
        if mode == "DetectMessageEnd":
            return "machine_end_beep", max(greeting_s, SLOW_S)
        return "machine_start", SLOW_S
    return nature, QUICK_S


def detect(run: Run, leg: Leg, noun: Node) -> None:
    """Find out beside the call what has answered, when a Number or Sip asks for it, and report it."""
    mode = noun.get("machineDetection")
    if mode in {"Enable", "DetectMessageEnd"}:
        hook = run.hook(noun, "amdStatusCallback", "amdStatusCallbackMethod")
        report_later(run.leg.switch, leg, mode, hook)


def report_later(switch: Switch, leg: Leg, mode: str, hook: Hook) -> None:
    """Report what has answered once it is known, if the leg is still there."""
    answered_by, seconds = verdict(leg, mode)

    def report() -> None:
        leg.answered_by = answered_by
        params = [
            ("CallSid", leg.sid),
            ("AccountSid", switch.account.sid),
            ("AnsweredBy", answered_by),
            ("MachineDetectionDuration", round(seconds * 1000)),
        ]
        switch.webhooks.notify(
            "amd", hook, flattened(params), on_failure=lambda answer: switch.note_answer(answer, leg.sid)
        )

    leg.end_after(seconds, report)
