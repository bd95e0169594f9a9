"""Seeded chance that gives the same draws on every Python version and platform.

Only ``Random.random`` is promised to be reproducible between versions, so everything else is made from that here.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A source of chance for one purpose; dice for other purposes, or with other seeds, are independent of it."""

    def __init__(self, *seed: object) -> None:
        digest = hashlib.sha256("\x1f".join(str(part) for part in seed).encode()).digest()
        self._random = random.Random(int.from_bytes(digest[:8], "big")).random

    def unit(self) -> float:
        """A number in [0, 1)."""
        return self._random()

    def chance(self, probability: float) -> bool:
        """True this often."""
        return self._random() < probability

    def below(self, bound: int) -> int:
        """A whole number from 0 up to, but not, the bound."""
        return int(self._random() * bound)

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self._random()

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self._random() * len(options))]

    def weighted(self, options: Iterable[tuple[T, float]]) -> T:
        """One of the options, by weight; the weights add up to one."""
        left = self._random()
        chosen: T | None = None
        for chosen, weight in options:  # noqa: B007 - the last one takes what rounding leaves over
            left -= weight
            if left < 0:
                break
        assert chosen is not None
        return chosen

    def exponential(self, mean: float) -> float:
        """The waiting time for something that happens once in ``mean``."""
        return -mean * math.log(1.0 - self._random())

    def gamma(self, shape: int) -> float:
        """A Gamma variable of mean 1; the smaller the shape, the heavier its tail."""
        return sum(self.exponential(1.0 / shape) for _ in range(shape))

    def quantile(self, points: Sequence[tuple[float, float]]) -> float:
        """A draw from the distribution through these (share, value) points, logarithmic in between."""
        share = self._random()
        for (low, small), (high, large) in pairwise(points):
            if share < high:
                return small * math.pow(large / small, (share - low) / (high - low))
        return points[-1][1]

    def instant(self, start: datetime, end: datetime) -> datetime:
        """An instant, to the second, in [start, end]; ``start`` where that is not before ``end``."""
        seconds = max(0.0, (end - start).total_seconds())
        return start + timedelta(seconds=math.floor(seconds * self._random()))

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """The items in another order."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.below(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed
