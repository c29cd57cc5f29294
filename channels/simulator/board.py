"""The console's tables as a simulated colleague keeps them: rows put and dropped (docs/reference/protocols.md, 2)."""

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]

ONE_MORE_UNITS = 25
"""What a chat costs of an agent's capacity, by the house's default."""


class Board:
    """What one colleague sees."""

    def __init__(self) -> None:
        self.seq = 0
        self.tables: dict[str, dict[str, Row]] = {}

    def replace(self, answer: Row) -> None:
        """Take in the answer to `sync`."""
        if answer["mode"] == "snapshot":
            self.tables = {}
        self._apply(answer)

    def take(self, frame: Row) -> bool:
        """Take in a pushed frame; False when one before it was lost, and `sync` must be asked."""
        if frame["prev"] > self.seq:
            return False
        self._apply(frame)
        return True

    def rows(self, table: str) -> list[Row]:
        """Return a table's rows."""
        return list(self.tables.get(table, {}).values())

    @property
    def waiting(self) -> int:
        """How many wait in all queues this colleague sees."""
        return sum(queue["waiting"] for queue in self.rows("queues"))

    def is_hungry(self, team: frozenset[str]) -> bool:
        """Whether a person who is none of the team is there with hands free: they should get work first."""
        return any(
            agent["id"] not in team
            and _takes_work(agent)
            and agent["misses"] == 0
            and agent["held"] + ONE_MORE_UNITS <= agent["capacity"]
            and agent["held"] < 2 * ONE_MORE_UNITS
            for agent in self.rows("agents")
        )

    def on_duty(self, team: frozenset[str]) -> int:
        """How many of the team take new work."""
        return sum(agent["id"] in team and _takes_work(agent) for agent in self.rows("agents"))

    def _apply(self, change: Row) -> None:
        for table, rows in change["put"].items():
            self.tables.setdefault(table, {}).update(rows)
        for table, ids in change["drop"].items():
            for row_id in ids:
                self.tables.get(table, {}).pop(row_id, None)
        self.seq = max(self.seq, change["seq"])


def _takes_work(agent: Row) -> bool:
    return (
        agent["presence"] == "available"
        and agent["next_presence"] is None
        and agent["connectivity"] == "connected"
        and agent["status"] != "not_responding"
    )
