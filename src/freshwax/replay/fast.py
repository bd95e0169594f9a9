"""Runs in simulated time, the planner only: the real activity and policies, and checks that are looked up.

A policy sees only what its own checks found: each run is planned from the releases revealed so far.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import ceil

import numpy as np
from msgspec import Struct

from freshwax.errors import UsageError
from freshwax.planning.activity import UNHEARD, Events, Observed, events_of, measure
from freshwax.planning.batch import phase_of
from freshwax.planning.policies import POLICIES, Bounds, Standing, choose, smallest_interval
from freshwax.replay.timeline import Bools, Floats, Ints, Timeline

ORACLE = "oracle"  # knows who has something new: no policy can do better with as many checks
REPLAYED = (*POLICIES, ORACLE)
UNBUDGETED = ("tiers", "all")  # spend what they spend
NOON = 0.5  # UTC: by then the day has begun everywhere
MAX_INTERVAL = 90.0
AFTERMATH = 3  # times the longest interval: how long after the end runs go on, at most
MOST_RUNS = 200_000
MOST_FAILING = 0.9
LOOKBACK = 90  # days before the first check, as ``track`` looks back by default

Progress = Callable[[int, int, str], None]


class Runs(Struct, frozen=True):
    """What is replayed: runs ``every`` days from ``start`` to ``end`` (instants, in days since 1970).

    ``budget``: checks a run, None for any number. ``fail``: that share of the checks fails, by ``seed``; with
    ``shuffle`` each run makes its checks in an order of chance.
    """

    policy: str
    start: float
    end: float
    every: float = 7.0
    budget: int | None = None
    max_interval: float = MAX_INTERVAL
    fail: float = 0.0
    shuffle: bool = False
    seed: int = 0

    @property
    def learnt(self) -> float:
        """When everybody is learnt, and read to the end: one ``every`` before the first run."""
        return self.start - self.every

    @property
    def counted(self) -> int:
        """How many runs there are until the end; those after it only find what is still to be found."""
        return int(np.floor((self.end - self.start) / self.every + 1e-9)) + 1


class Record(Struct, frozen=True, eq=False):
    """What happened: the instants of the runs; whom each asked, in order, and whether it answered; and what was found.

    ``entries`` are indexes into the timeline, in order of being found; ``found_in`` the runs that found them.
    """

    runs: Runs
    instants: Floats
    asked: tuple[Ints, ...]
    answered: tuple[Bools, ...]
    entries: Ints
    found_in: Ints


def check(runs: Runs, artists: int) -> None:
    """UsageError for what cannot be replayed: says what is wrong, and what would do."""
    if runs.policy not in REPLAYED:
        raise UsageError(f"There is no policy {runs.policy!r}; there are {', '.join(REPLAYED)}.")
    if runs.budget is not None and runs.budget < 1:
        raise UsageError(f"A budget of {runs.budget} asks nobody: give 1 or more.")
    if runs.every <= 0:
        raise UsageError(f"Runs cannot be {runs.every:g} days apart: give an --every of 1h or more.")
    if runs.max_interval < runs.every:
        raise UsageError(
            f"Runs {runs.every:g} days apart (--every) cannot ask anybody again within {runs.max_interval:g} days "
            f"(--max-interval): give a shorter --every, or --max-interval {ceil(runs.every)} or more."
        )
    if runs.end <= runs.start:
        raise UsageError("The replay ends before it starts: give an --end after --start.")
    if runs.counted > MOST_RUNS:
        raise UsageError(
            f"That is {runs.counted:,} runs; {MOST_RUNS:,} are possible: let fewer days pass, or more a run."
        )
    if not 0 <= runs.fail <= MOST_FAILING:
        raise UsageError(f"A share of {runs.fail:g} cannot fail (--fail): give 0 to {MOST_FAILING}.")
    if runs.budget is None or runs.policy == ORACLE:
        return
    smallest = smallest_interval(artists, runs.budget, runs.every)
    if smallest > runs.max_interval:
        raise UsageError(
            f"A budget of {runs.budget} cannot ask {artists:,} artists within {runs.max_interval:g} days: the smallest "
            f"interval that fits is {ceil(smallest)} days (--max-interval {ceil(smallest)})."
        )


def luck(runs: Runs) -> np.random.Generator:
    """Return the dice that say whose check fails: the same ones for both paths, whatever the order of a run."""
    return np.random.default_rng((runs.seed, 1))


def unlucky(dice: np.random.Generator, artists: int, runs: Runs) -> Bools:
    """Roll for a run: whose check would fail."""
    fails: Bools = dice.random(artists) < runs.fail
    return fails


def replay(timeline: Timeline, runs: Runs, progress: Progress | None = None) -> Record:
    """Do the runs, and those after the end that find what is left."""
    check(runs, len(timeline.names))
    state = _State(timeline, runs)
    tell = progress or (lambda *_: None)
    total = runs.counted
    last = runs.end + AFTERMATH * runs.max_interval + runs.every
    for number in count():
        now = runs.start + number * runs.every
        if number >= total and (now > last or not state.waits(now)):
            break
        state.run(number, now)
        tell(min(number + 1, total), total, runs.policy)
    return state.record()


class _State:
    """A replay under way: what was checked when, and what was found by it."""

    def __init__(self, timeline: Timeline, runs: Runs) -> None:
        self.timeline = timeline
        self.runs = runs
        self.n = len(timeline.names)
        self.dice, self.luck = np.random.default_rng(runs.seed), luck(runs)
        self.checked = np.full(self.n, runs.learnt)
        self.tried, self.failures = self.checked.copy(), np.zeros(self.n, np.int64)
        self.phase = np.array([phase_of(name) for name in timeline.names], np.int64)
        known = (timeline.appears <= runs.learnt) & (timeline.gone > runs.learnt)
        self.found = known.copy()
        # What had gone again by then is nobody's news; and a first day of the year is believed only where it was seen.
        self.open = ~known & (timeline.gone > runs.learnt)
        self.dated = timeline.exact & ~(known & _new_years(timeline.day))
        self.by_day = np.lexsort((timeline.day, timeline.artist))
        self.log = Log()

    def waits(self, now: float) -> bool:
        """Whether something that appeared before the end can still be found."""
        timeline = self.timeline
        return bool((self.open & (timeline.appears <= self.runs.end) & (timeline.gone > now)).any())

    def run(self, number: int, now: float) -> None:
        """Plan a run, make its checks, and note what they found."""
        order = self._oracle(now) if self.runs.policy == ORACLE else self._plan(now)
        if self.runs.shuffle:
            order = self.dice.permutation(order)
        fails = unlucky(self.luck, self.n, self.runs)[order]
        self.tried[order] = now
        self.failures[order] = np.where(fails, self.failures[order] + 1, 0)
        answered = np.zeros(self.n, bool)
        answered[order[~fails]] = True
        self.checked[answered] = now
        news = np.flatnonzero(self._visible(now) & answered[self.timeline.artist])
        self.found[news] = True
        self.open[news] = False
        self.log.note(number, now, order, ~fails, news)

    def record(self) -> Record:
        """Return what happened."""
        return self.log.record(self.runs)

    def _visible(self, now: float) -> Bools:
        seen: Bools = self.open & (self.timeline.appears <= now) & (self.timeline.gone > now)
        return seen

    def _plan(self, now: float) -> Ints:
        bounds = Bounds(budget=self.runs.budget, every=self.runs.every, max_interval=self.runs.max_interval)
        standing = Standing(self.checked, self.checked, self.tried, self.failures, self.phase)
        return choose(self.runs.policy, standing, measure(self.observed(now), now), now, bounds).order

    def observed(self, now: float) -> Observed:
        """Return what the checks so far have seen, as ``planning.activity.observed`` reads it from a store."""
        timeline = self.timeline
        # Back catalogue says nothing about today; it is what appears long after its day, and came out before learning.
        counts = self.found & (timeline.day <= now) & ~self._old_news()
        oldest = np.full(self.n, np.inf)
        np.minimum.at(oldest, timeline.artist[counts], timeline.day[counts])
        since = np.where(np.isinf(oldest), self.checked - UNHEARD, oldest)
        return Observed(self.n, self._events(counts), np.minimum(since, self.checked), self.checked)

    def _events(self, counts: Bools) -> Events:
        keep = self.by_day[(counts & self.dated)[self.by_day]]
        timeline = self.timeline
        return events_of(timeline.artist[keep], timeline.day[keep], timeline.album[keep])

    def _old_news(self) -> Bools:
        old: Bools = (self.timeline.appears > self.runs.learnt) & (self.timeline.day < self.runs.learnt - LOOKBACK)
        return old

    def _oracle(self, now: float) -> Ints:
        """Return those who have something new, the longest waiting first."""
        news = self._visible(now)
        since = np.full(self.n, np.inf)
        np.minimum.at(since, self.timeline.artist[news], self.timeline.appears[news])
        order = np.argsort(since, kind="stable")[: np.isfinite(since).sum()]
        return order[: self.runs.budget].astype(np.int64)


class Log:
    """What happened so far."""

    def __init__(self) -> None:
        self.instants: list[float] = []
        self.asked: list[Ints] = []
        self.answered: list[Bools] = []
        self.entries: list[Ints] = []
        self.found_in: list[Ints] = []

    def note(self, number: int, now: float, asked: Ints, answered: Bools, entries: Ints) -> None:
        """Add a run."""
        self.instants.append(now)
        self.asked.append(asked)
        self.answered.append(answered)
        self.entries.append(entries)
        self.found_in.append(np.full(len(entries), number, np.int64))

    def record(self, runs: Runs) -> Record:
        """Put it together."""
        return Record(
            runs,
            np.array(self.instants),
            tuple(self.asked),
            tuple(self.answered),
            np.concatenate(self.entries).astype(np.int64),
            np.concatenate(self.found_in),
        )


def _new_years(day: Ints) -> Bools:
    """Tell which days are a 1 January: of older releases mostly a year in disguise."""
    dates = day.astype("datetime64[D]")
    first: Bools = dates == dates.astype("datetime64[Y]").astype("datetime64[D]")
    return first
