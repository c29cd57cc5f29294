"""The dialogues beside the shipped flows, played by customers on every channel: the same table, the same outcome."""

from pathlib import Path

import pytest

from hub.flows.dialogues import Dialogue, Table, read_table
from hub.flows.model import Medium
from hub.flows.reading import read_flow
from tests.integration.flow_house import flow_house, play

FLOWS = Path("config/flows")
NAMES = sorted(path.name.removesuffix(".test.yaml") for path in FLOWS.glob("*.test.yaml"))
CLOSED = {"closed now", "nothing known of the queue"}
"""What is played where nobody is at work: on a channel something is always known of a queue."""


@pytest.mark.parametrize("name", NAMES)
async def test_a_table_ends_alike_on_every_channel(name: str, tmp_path: Path) -> None:
    table = read_table((FLOWS / f"{name}.test.yaml").read_text(encoding="utf-8"), name)
    is_open = [one for one in table.dialogues if one.name not in CLOSED]
    assert await failures_of(tmp_path, name, table, is_open, is_open=True) == []


async def test_what_is_said_when_nobody_is_at_work_is_said_on_every_channel(tmp_path: Path) -> None:
    table = read_table((FLOWS / "opening_hours.test.yaml").read_text(encoding="utf-8"), "opening_hours")
    closed = [one for one in table.dialogues if one.name in CLOSED]
    assert len(closed) == len(CLOSED)
    assert await failures_of(tmp_path, "opening_hours", table, closed, is_open=False) == []


async def failures_of(folder: Path, name: str, table: Table, dialogues: list[Dialogue], *, is_open: bool) -> list[str]:
    """Play dialogues on each channel they are for; return where one went another way."""
    flow = read_flow((FLOWS / f"{name}.yaml").read_text(encoding="utf-8"), name)
    failures: list[str] = []
    async with flow_house(folder, flow, is_open=is_open) as house:
        for dialogue in sorted(dialogues, key=lambda one: not one.by_agent):
            for medium in dialogue.channels or flow.media:
                failures += await play(house, dialogue, table.flow, Medium(medium))
        assert house.bad_documents() == []
    return failures
