"""How a simulated colleague answers a letter: by the REST API, as the console's page does."""

import random
from collections.abc import Sequence
from typing import Any, Final

from channels.simulator.client import Gateway
from channels.simulator.desk import Answer

PARK_SHARE: Final = 0.6
"""How often a colleague keeps a matter open until the customer answers."""


class Clerk:
    """One colleague's letters of one interaction."""

    def __init__(self, gateway: Gateway, cookie: str, interaction: str, chance: random.Random) -> None:
        self._gateway = gateway
        self._cookie = cookie
        self._path = f"/api/v1/interactions/{interaction}/letters"
        self._chance = chance

    async def answer(self, answer: Answer, seen_n: int) -> bool:
        """Send an answer to the customer's latest letter; True when the interaction is parked with it.

        Raises:
            Refused: the hub says no. LineDown: it is away.
        """
        begun = (await self._call("GET", "/suggestion?mode=reply"))["suggestion"]
        parks = not answer.is_done and self._chance.random() < PARK_SHARE
        await self._call(
            "POST",
            "",
            {
                "client_id": f"sim-letter-{self._chance.getrandbits(64):x}",
                "text": _letter(answer.texts),
                "subject": begun["subject"],
                "to": begun["to"],
                "cc": begun["cc"],
                "answers_n": begun["answers_n"],
                "seen_n": seen_n,
                "anyway": True,
                "then": "park" if parks else "wrap_up",
            },
        )
        return parks

    async def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return await self._gateway.call(method, f"{self._path}{path}", body, cookie=self._cookie)


def _letter(texts: Sequence[str]) -> str:
    return "\n\n".join(texts)
