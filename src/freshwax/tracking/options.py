"""What a run is told to do, and what it tells of itself while it does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from freshwax.model import DEFAULT_GROUPS, Cost, Group, Kind, Mode, Ref

STDOUT = "stdout"

Progress = Callable[[int, int, str], None]  # artists done, artists to check, the one just done


class RunOptions(Struct, frozen=True):
    """The settings of one run.

    ``artists`` limits the run, and its report, to some of the watch list; ``types`` limits the report to release
    types that were asked for on the command line (what is left out stays untold). ``budget``: requests for this
    run, ``per_day``: the rolling quota of 24 hours; None lifts either. ``channels`` get an outbox row for each
    release that is to be told.
    """

    mode: Mode
    market: str
    groups: tuple[Group, ...] = DEFAULT_GROUPS
    types: frozenset[str] | None = None
    kinds: frozenset[Kind] | None = None
    excluded: tuple[str, ...] = ()
    artists: frozenset[Ref] | None = None
    lookback: int = 90
    check_interval: timedelta = timedelta(days=7)
    fresh_for: timedelta = timedelta(hours=12)
    audit_interval: timedelta = timedelta(days=180)
    budget: int | None = None
    per_day: int | None = None
    force: bool = False
    concurrency: int = 8
    channels: tuple[str, ...] = (STDOUT,)
    since: datetime | None = None


class Meter(Protocol):
    """The network layer's gate, as far as the tracker needs it (``sources.limits.Gate`` is one)."""

    run_id: int | None
    cooldown: tuple[datetime, str] | None

    @property
    def cost(self) -> Cost:
        """What was spent so far."""
        ...

    def allow(self, requests: int | None) -> None:
        """Set how many requests may be sent from now on."""
        ...
