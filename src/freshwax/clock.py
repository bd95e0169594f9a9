"""Time, read at the edge only: the shell asks a clock once and hands the instant on."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the shell asks for the time and for waiting."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary point; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current instant in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary point."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        import asyncio  # noqa: PLC0415 -- reading commands never wait, and start faster without it

        await asyncio.sleep(seconds)


class SimulatedClock:
    """A clock that stands still until it is moved; waiting moves it. For the demo, replays and tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the instant that it was moved to."""
        return self._now

    def monotonic(self) -> float:
        """Return real seconds: simulated runs still take, and report, real time."""
        return time.monotonic()

    def move_to(self, instant: datetime) -> None:
        """Set the clock, backwards too."""
        self._now = instant

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run, without moving the calendar: pacing must not make days pass."""
        import asyncio  # noqa: PLC0415 -- reading commands never wait, and start faster without it

        await asyncio.sleep(min(seconds, 0.0))
