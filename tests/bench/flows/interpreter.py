"""How many steps a second does the interpreter take? CPU time, best of several short runs.

    python -m tests.bench.flows.interpreter

A step is one entered on the way of a whole conversation (menu, look-up, branch, survey), with everything that the
hub does for it in memory: matching, expressions, templates, the session copied, and written and read as JSON between
inputs. Two pictures: the shipped menu with its matching of words, and the same by keys.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from hub.flows.machine import new_session, step
from hub.flows.model import Flow, Medium
from hub.flows.session import Begin, Input, LookedUp, Said, Session
from hub.services.flows.files import read_folder
from hub.tools.flow import shipped_folder

GOAL: Final = 5_000
RUNS: Final = 5
CONVERSATIONS: Final = 150
KNOWN: Final = {"customer": {"name": "Li"}, "queues": {"support": {"open": True, "waiting": 3}}}
ORDER: Final = {"status": "shipped", "carrier": "Parcel Express", "eta": "2026-12-01", "total": 12.5}


def by_words(session: Session) -> list[Input]:
    """A customer who types."""
    return [
        Begin("0"),
        Said(id="1", text="where is my parcel"),
        Said(id="2", text="FW-10000"),
        LookedUp(id="3", fetch=f"{session.id}:1", outcome="found", values=ORDER),
        Said(id="4", text="no"),
        Said(id="5", text="5"),
        Said(id="6", text="no"),
    ]


def by_keys(session: Session) -> list[Input]:
    """A customer who presses keys."""
    return [
        Begin("0"),
        Said(id="1", digits="1"),
        Said(id="2", digits="10000"),
        LookedUp(id="3", fetch=f"{session.id}:1", outcome="found", values=ORDER),
        Said(id="4", digits="2"),
        Said(id="5", digits="5"),
        Said(id="6", digits="2"),
    ]


def conversation(book: dict[str, Flow], number: int, said: Callable[[Session], list[Input]], medium: Medium) -> int:
    """Play one whole conversation; returns its steps."""
    session = new_session(f"s{number}", book, "main-menu", medium=medium, language="en", now=0)
    decode = msgspec.json.Decoder(Session).decode
    for place, given in enumerate(said(session)):
        stepped = step(book, session, given, place * 1_000, known=KNOWN)
        session = decode(msgspec.json.encode(stepped.session))
    if not session.is_over:
        raise AssertionError(f"the conversation stands at {session.frames[-1].step}")
    return session.steps


def measure(book: dict[str, Flow], said: Callable[[Session], list[Input]], medium: Medium) -> float:
    """Return steps a second of CPU time, the best of several runs."""
    best = 0.0
    for _ in range(RUNS):
        started = time.process_time()
        steps = sum(conversation(book, number, said, medium) for number in range(CONVERSATIONS))
        best = max(best, steps / (time.process_time() - started))
    return best


def main() -> None:
    """Print the figures; fail below the goal."""
    book, _ = read_folder(shipped_folder())
    for name, said, medium in (("by words", by_words, Medium.CHAT), ("by keys", by_keys, Medium.PHONE)):
        rate = measure(book, said, medium)
        print(f"{name}: {rate:,.0f} steps/s of CPU time (goal {GOAL:,})")
        if rate < GOAL:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
