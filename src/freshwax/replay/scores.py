"""What a replay cost, and what it brought."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from freshwax.replay.fast import Record
from freshwax.replay.timeline import Floats, Ints, Timeline

WEEK = 7.0
_NOT = -1


class Delays(Struct, frozen=True):
    """Days from when a release appeared until it was told: mean, median, and how long the slowest 10 and 1 % took."""

    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None


class Scores(Struct, frozen=True):
    """A replay in numbers.

    ``weekly`` checks on average, ``peak`` in the busiest week (seven days from the first run on). ``in_first_run``:
    share of the releases told by the first run after they appeared. ``longest_gap``: days between two answers of an
    artist, until the end, and no shorter than the longest delay, which may end later. ``releases``: told or lost;
    ``vanished`` ones came and went between two checks and belong to neither; ``lost`` ones were there to be found;
    ``repeated`` ones were told again.
    """

    policy: str
    budget: int | None
    every: float
    runs: int
    checks: int
    weekly: float
    peak: float
    delay: Delays
    in_first_run: float | None
    longest_gap: float
    releases: int
    vanished: int
    lost: int
    repeated: int

    @property
    def unevenness(self) -> float:
        """The busiest week over the average one."""
        return self.peak / self.weekly if self.weekly else 0.0


def score(timeline: Timeline, record: Record) -> Scores:
    """Return the scores of a replay; what appeared after the end does not count, nor do checks after it."""
    runs = record.runs
    counted = runs.counted
    costs = np.array([len(asked) for asked in record.asked[:counted]], np.int64)
    appeared, told, vanished = _told(timeline, record)
    found = told != _NOT
    delays = record.instants[told[found]] - appeared[found]
    first = np.searchsorted(record.instants, appeared[found], "left")
    lost = int(np.count_nonzero(~found & ~vanished))
    return Scores(
        policy=runs.policy,
        budget=runs.budget,
        every=runs.every,
        runs=counted,
        checks=int(costs.sum()),
        weekly=float(costs.sum() * WEEK / (counted * runs.every)),
        peak=_peak(costs, runs.every),
        delay=_delays(delays),
        in_first_run=float((told[found] == first).mean()) if found.any() else None,
        longest_gap=max(_longest_gap(record, len(timeline.names)), float(delays.max(initial=0.0))),
        releases=int(np.count_nonzero(found)) + lost,
        vanished=int(np.count_nonzero(~found & vanished)),
        lost=lost,
        repeated=len(record.entries) - len(np.unique(record.entries)),
    )


def _told(timeline: Timeline, record: Record) -> tuple[Floats, Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return of each release that counts when it appeared, the run that told it, and whether it is gone for good."""
    runs = record.runs
    n = int(timeline.release.max(initial=-1)) + 1
    appeared, gone = np.full(n, np.inf), np.zeros(n)
    np.minimum.at(appeared, timeline.release, timeline.appears)
    np.maximum.at(gone, timeline.release, timeline.gone)
    told = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(told, timeline.release[record.entries], record.found_in)
    told = np.where(told == np.iinfo(np.int64).max, _NOT, told)
    counts = (appeared > runs.learnt) & (appeared <= runs.end)
    return appeared[counts], told[counts], np.isfinite(gone[counts])


def _delays(delays: Floats) -> Delays:
    if not len(delays):
        return Delays(None, None, None, None)
    p50, p90, p99 = (float(value) for value in np.quantile(delays, (0.5, 0.9, 0.99)))
    return Delays(float(delays.mean()), p50, p90, p99)


def _peak(costs: Ints, every: float) -> float:
    """Return the checks of the busiest week; where a run is rarer than that, of the busiest run, as a week's share."""
    if every >= WEEK:
        return float(costs.max(initial=0)) * WEEK / every
    week = np.floor(np.arange(len(costs)) * every / WEEK + 1e-9).astype(np.int64)
    return float(np.bincount(week, costs).max(initial=0))


def _longest_gap(record: Record, artists: int) -> float:
    """Return the longest time that an artist went without an answer, from the learning to the end."""
    last = np.full(artists, record.runs.learnt)
    longest = 0.0
    for now, asked, answered in list(zip(record.instants, record.asked, record.answered, strict=True))[
        : record.runs.counted
    ]:
        who = asked[answered]
        longest = max(longest, float((now - last[who]).max(initial=0.0)))
        last[who] = now
    return max(longest, float((record.runs.end - last).max(initial=0.0)))
