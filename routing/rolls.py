"""A deterministic source of random numbers for simulated days: the same seed, the same day, on any machine.

The generator is PCG XSH RR 64/32: O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good
Algorithms for Random Number Generation", Harvey Mudd College HMC-CS-2014-0905. Draws for one purpose should come
from a generator of their own (`stream`), so that a change of policy does not change who calls.
"""

from math import cos, exp, log, pi, sqrt

_MULTIPLIER = 6364136223846793005
_MASK = (1 << 64) - 1


class Rolls:
    """One stream of random numbers."""

    __slots__ = ("_increment", "_seed", "_state")

    def __init__(self, seed: int, stream: int = 0) -> None:
        self._seed = seed
        self._increment = (stream << 1 | 1) & _MASK
        self._state = (self._increment + seed) & _MASK
        self._state = (self._state * _MULTIPLIER + self._increment) & _MASK

    def stream(self, number: int) -> "Rolls":
        """Return an independent generator of the same seed."""
        return Rolls(self._seed, number)

    def bits(self) -> int:
        """Return 32 random bits."""
        state = self._state
        self._state = (state * _MULTIPLIER + self._increment) & _MASK
        mixed = ((state >> 18 ^ state) >> 27) & 0xFFFFFFFF
        turn = state >> 59
        return (mixed >> turn | mixed << (32 - turn)) & 0xFFFFFFFF

    def uniform(self) -> float:
        """Return a number in (0, 1): never either end, so that its logarithm exists."""
        return (self.bits() + 0.5) * 2.0**-32

    def below(self, limit: int) -> int:
        """Return a whole number in 0..limit-1; `limit` up to 2^32. The bias is below limit / 2^32."""
        return self.bits() * limit >> 32

    def exponential(self, mean: float) -> float:
        """Return an exponentially distributed number."""
        return -mean * log(self.uniform())

    def lognormal(self, mean: float, variation: float) -> float:
        """Return a lognormally distributed number of this mean and coefficient of variation."""
        sigma_squared = log(1.0 + variation * variation)
        normal = sqrt(-2.0 * log(self.uniform())) * cos(2.0 * pi * self.uniform())
        return exp(log(mean) - sigma_squared / 2.0 + sqrt(sigma_squared) * normal)
