"""What a run is told to do, and what it tells of itself while it does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from freshwax.errors import Paused
from freshwax.model import DEFAULT_GROUPS, Cost, Group, Kind, Mode, Ref

STDOUT = "stdout"

Progress = Callable[[int, int, str], None]  # artists done, artists to check, the one just done


class RunOptions(Struct, frozen=True):
    """The settings of one run.

    ``artists`` limits the run, and its report, to some of the watch list; ``types`` limits the report to release
    types that were asked for on the command line (what is left out stays untold). ``budget``: requests for this
    run, ``per_day``: the rolling quota of 24 hours; None lifts either. ``channels`` get an outbox row for each
    release that is to be told.

    With a ``policy`` (``planning.policies``), that picks whom to check: so many ``picks`` (None: as many as the budget
    has requests; without one, a share of the list), with ``every`` so much time a run (None: the time since the last
    one). Nobody is to go unchecked for longer than ``max_interval``. ``until``: no check begins then, or later.

    When it has ended, outcomes of checks older than ``keep_checks`` are dropped, and the details of releases older than
    ``keep_releases`` (None: never).
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
    policy: str | None = None
    picks: int | None = None
    every: timedelta | None = None
    max_interval: timedelta = timedelta(days=90)
    concurrency: int = 8
    channels: tuple[str, ...] = (STDOUT,)
    since: datetime | None = None
    keep_checks: timedelta = timedelta(days=90)
    keep_releases: timedelta | None = None
    until: datetime | None = None

    @property
    def everyone(self) -> bool:
        """Whether all are checked, due or not."""
        return self.force or self.mode is Mode.BASELINE


class Meter(Protocol):
    """The network layer's gate, as far as the tracker needs it (``sources.limits.Gate`` is one)."""

    run_id: int | None
    refusal: Paused | None  # the last reason why a request was not admitted

    @property
    def cost(self) -> Cost:
        """What was spent so far."""
        ...

    def allow(self, requests: int | None) -> None:
        """Set how many requests may be sent from now on."""
        ...

    def resumes(self, requests: int) -> datetime | None:
        """Return when so many requests, a day's quota at most, will be admitted; None: now."""
        ...
