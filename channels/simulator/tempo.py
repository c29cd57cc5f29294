"""How fast simulated people live."""

import asyncio
import random
from dataclasses import dataclass

from hub.clock import Clock


@dataclass(frozen=True, slots=True)
class Tempo:
    """Waiting as people do. `pace` stretches every pause: 1.0 is life, 0.02 is a test."""

    clock: Clock
    pace: float = 1.0

    async def pause(self, chance: random.Random, least_s: float, most_s: float) -> None:
        """Let some time pass."""
        await self.clock.sleep(chance.uniform(least_s, most_s) * self.pace)

    async def type(self, chance: random.Random, text: str, quickness: float = 1.0) -> None:
        """Take the time that typing a text takes; Chinese takes longer a character and has fewer of them."""
        per_character = 0.055 if text.isascii() else 0.16
        seconds = min(1.2 + per_character * len(text), 14.0) / quickness
        await self.pause(chance, seconds * 0.8, seconds * 1.2)

    async def until(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for something, at most so long; True when it came."""
        return await self.clock.wait_until(event, self.clock.now() + round(seconds * self.pace * 1000))
