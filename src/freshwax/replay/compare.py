"""Policies side by side over one history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from math import floor
from pathlib import Path

from msgspec import Struct

from freshwax.errors import UsageError
from freshwax.planning.policies import smallest_interval
from freshwax.replay import heavy, histories
from freshwax.replay.fast import MAX_INTERVAL, NOON, UNBUDGETED, Progress, Runs, check, replay
from freshwax.replay.scores import Scores, score
from freshwax.replay.timeline import Timeline, day_number, from_world

YEAR = 52 * 7.0
TIERS = "tiers"


class Case(Struct, frozen=True, eq=False):
    """A history, and how it is replayed: the first run at noon (UTC) of ``start``, the last before ``end``.

    ``max_interval`` None: 90 days, or as many as a budget needs to come round.
    """

    timeline: Timeline
    title: str
    start: float
    end: float
    every: float = 7.0
    max_interval: float | None = None
    fail: float = 0.0
    shuffle: bool = False
    seed: int = 0

    def runs(self, policy: str, budget: int | None) -> Runs:
        """Return the runs of a policy under a budget."""
        return Runs(
            policy,
            self.start + NOON,
            self.end,
            every=self.every,
            budget=None if policy in UNBUDGETED else budget,
            max_interval=self.longest(None if policy in UNBUDGETED else budget),
            fail=self.fail,
            shuffle=self.shuffle,
            seed=self.seed,
        )

    def longest(self, budget: int | None) -> float:
        """Return the longest interval between two checks of an artist that holds under a budget."""
        if self.max_interval is not None:
            return self.max_interval
        needed = smallest_interval(len(self.timeline.names), budget, self.every) if budget and budget > 0 else 0.0
        return max(MAX_INTERVAL, needed)


def compare(
    case: Case, policies: Sequence[str], budgets: Sequence[int | None], progress: Progress | None = None
) -> list[Scores]:
    """Return the scores of each policy under each budget (None: what tiers spend), in the order asked for.

    Policies that have no budget are replayed once, and so are budgets for more than everybody. UsageError, before
    anything is replayed, for what cannot be.
    """
    artists = len(case.timeline.names)
    budgets = distinct(budgets, artists)
    for policy, budget in _pairs(policies, [budget for budget in budgets if budget is not None]):
        check(case.runs(policy, budget), artists)
    done: dict[tuple[str, int | None], Scores] = {}

    def scores_of(policy: str, budget: int | None) -> Scores:
        if (policy, budget) not in done:
            done[policy, budget] = score(case.timeline, replay(case.timeline, case.runs(policy, budget), progress))
        return done[policy, budget]

    def spent() -> int:
        tiers = scores_of(TIERS, None)
        return max(round(tiers.checks / tiers.runs), 1)

    real = dict.fromkeys(spent() if budget is None else budget for budget in budgets)
    return [scores_of(policy, budget) for policy, budget in _pairs(policies, tuple(real))]


def distinct(budgets: Sequence[int | None], artists: int) -> tuple[int | None, ...]:
    """Leave out budgets that ask no more than another does: of those that are enough for everybody, the first stays."""
    once = tuple(dict.fromkeys(budgets))
    enough = [budget for budget in once if budget is not None and budget >= artists]
    return tuple(budget for budget in once if budget not in enough[1:])


def _pairs(policies: Sequence[str], budgets: Sequence[int | None]) -> Iterator[tuple[str, int | None]]:
    for policy in policies:
        for budget in (None,) if policy in UNBUDGETED else budgets:
            yield policy, budget


def recorded(data: Path, artists: Path | None, complete_before: date | None) -> Timeline:
    """Return the timeline of a CSV file of releases, of all artists or those of another file (``read_artists``)."""
    only = histories.read_artists(artists, complete_before) if artists is not None else None
    return from_world(histories.read_world(data, only))


def last_year(timeline: Timeline) -> tuple[float, float]:
    """Return the last 52 weeks of a history, or its later half where it is shorter than two years: days, the end
    after the last that appeared.
    """
    end = floor(timeline.last) + 1.0
    begin = floor(timeline.first)
    return max(end - YEAR, floor((begin + end) / 2)), end


def invented(world: str, seed: int, artists: int | None) -> tuple[Timeline, tuple[float, float]]:
    """Return the timeline of an invented world, ``demo`` or ``heavy``, and the days to replay."""
    if world == "heavy":
        timeline = heavy.heavy(seed) if artists is None else heavy.heavy(seed, artists)
        return timeline, (heavy.START, heavy.START + heavy.REPLAY_DAYS)
    if world != "demo":
        raise UsageError(f"There is no world {world!r}; there are demo and heavy.")
    own = histories.demo_world(seed) if artists is None else histories.demo_world(seed, artists)
    start = day_number(histories.DEMO_START)
    return from_world(own), (start, start + 7.0 * histories.DEMO_WEEKS)
