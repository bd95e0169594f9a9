"""Whom to check in a run, and in which order: policies over columns, one interface.

A policy is given when each artist was last checked, its activity, the instant and the bounds of the run, and returns
picks in order. All orders are total: equal scores go to the longest waiting, then to the smaller index. Instants are in
days since 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from math import ceil

import numpy as np
from msgspec import Struct

from freshwax.errors import UsageError
from freshwax.planning.activity import MONDAY, Activity, Bools, Floats, Ints, tier
from freshwax.planning.due import spread

WEEK = 7.0
PATIENCE = 28.0  # days; found by replay, where 7 to 28 differ by a few hundredths
LISTED_BY = 0.5  # a release of a day is listed by noon UTC, when the day has begun everywhere
EARLY = 1.0  # a run that starts a few hours early still finds due who missed a turn
RETRY_SHARE = 4  # failed checks take one in so many places, at most: a source of trouble must not starve the rest
AHEAD = "ahead"  # goes by no user's choice: it is what a prefetch asks by
TIERS = (1, 2, 4, 12)  # weeks between the checks of high, medium, low and inactive artists


class Why(IntEnum):
    """Why an artist was picked, or left out."""

    LATER = 0  # others are worth more
    FRESH = 1  # checked a moment ago
    CEILING = 2  # would come to lie beyond the longest interval
    UNLEARNT = 3  # never learnt
    FAILED = 4  # its last check failed
    WORTH = 5  # worth the most, or its turn by the policy's calendar


class Standing(Struct, frozen=True, eq=False):
    """Where each artist stands, in columns.

    ``checked``: last good check (nan: never learnt). ``turn``: its last turn, which a prefetch does not take.
    ``tried``: last check, good or not (nan: none). ``failures``: failed checks in a row since the last good one.
    ``phase`` is any whole number that stays with the artist: artists of one tier take turns by it.
    """

    checked: Floats
    turn: Floats
    tried: Floats
    failures: Ints
    phase: Ints


class Bounds(Struct, frozen=True):
    """What a run may do: ``budget`` checks (None: any number), as may those after it.

    Runs begin ``every`` days apart, up to ``margin`` late. Nobody is left unchecked for more than ``max_interval``
    days, nobody asked again within ``fresh_for`` days. ``room``: the checks that this run has left of its budget, where
    that is not all of it. ``most``: how many it may make for the sake of the ceiling and of first checks, where that is
    not the budget.
    """

    budget: float | None
    every: float
    max_interval: float
    fresh_for: float = 0.0
    room: int | None = None
    most: int | None = None
    margin: float = 0.0

    def places(self, artists: int) -> int:
        """Return how many of so many artists this run can check."""
        room = self.budget if self.room is None else self.room
        return artists if room is None else min(int(room), artists)


class Choice(Struct, frozen=True, eq=False):
    """What a policy chose: indexes in order; for each artist why (a ``Why``) and its score, where it has one."""

    order: Ints
    why: Ints
    score: Floats


def choose(policy: str, standing: Standing, activity: Activity, now: float, bounds: Bounds) -> Choice:
    """Return whom a run at ``now`` asks. UsageError for a policy that does not exist, or a budget below 1."""
    score_of = ahead if policy == AHEAD else POLICIES.get(policy)
    if score_of is None:
        raise UsageError(f"There is no policy {policy!r}; there are {', '.join(POLICIES)}.")
    if bounds.budget is not None and bounds.budget <= 0:
        raise UsageError(f"A budget of {bounds.budget} asks nobody: give 1 or more.")
    age = np.maximum(now - standing.checked, 0.0)  # nan stays
    score, due = score_of(Case(standing, activity, now, age, bounds))
    fresh = age < bounds.fresh_for
    why = np.where(fresh, Why.FRESH, Why.LATER).astype(np.int64)
    order = _picks(standing, age, score, due & ~fresh, why, now, bounds)
    return Choice(order, why, score)


def _picks(standing: Standing, age: Floats, score: Floats, due: Bools, why: Ints, now: float, bounds: Bounds) -> Ints:
    """Return the picks of a run in order, and note in ``why`` what each is picked for.

    The ceiling comes first; then half of what is left is for those to be learnt, a fourth for checks that failed, and
    the rest for those who are worth most. Checks that failed wait outside all other orders: they would rise to the top
    of each, and be asked there for ever. First checks and repeats, which are dear, are spread among the others.
    """
    index = np.arange(len(age))
    well, learnt, fresh = standing.failures == 0, ~np.isnan(age), why == Why.FRESH
    waiting = np.lexsort((index, -score, -age))
    waiting = waiting[(well & learnt & ~fresh)[waiting]]
    ranked = np.lexsort((index, -age, -score))
    ranked = ranked[(well & learnt & due)[ranked]]
    unlearnt = np.lexsort((index, _order_of(standing.tried)))
    unlearnt = unlearnt[(well & ~learnt)[unlearnt]]
    again, at_once = _retries(standing, now, bounds)
    must = waiting[: must_now(age[waiting], bounds)]
    room = max(bounds.places(len(age)), len(must))
    picked = 0

    def take(candidates: Ints, reason: Why, most: int) -> list[int]:
        nonlocal picked
        free = candidates[why[candidates] <= Why.FRESH]
        taken: list[int] = free[: max(min(most, room - picked), 0)].tolist()
        why[taken] = reason
        picked += len(taken)
        return taken

    first = take(must, Why.CEILING, room)
    half = -(-(room - picked) // 2) if len(ranked) + at_once else room
    beyond = min(max((bounds.most or 0) - room, 0), len(unlearnt))
    room += beyond
    learn = take(unlearnt, Why.UNLEARNT, max(half, beyond))
    repeat = take(again, Why.FAILED, at_once)
    best = take(ranked, Why.WORTH, room)
    learn += take(unlearnt, Why.UNLEARNT, room)
    repeat += take(again, Why.FAILED, room)
    return np.array(first + spread(spread(best, learn), repeat), np.int64)


def _order_of(tried: Floats) -> Floats:
    """Return what puts those who were never tried first, then those whose last try is longest ago."""
    return np.where(np.isnan(tried), -np.inf, tried)


def _retries(standing: Standing, now: float, bounds: Bounds) -> tuple[Ints, int]:
    """Return whose failed check may be repeated now, the longest untried first, and how many places are theirs.

    A check that failed is repeated by the next run; again after one, three, seven, ... runs, but weekly at the least.
    Where a run has fewer than four places, one of them is for this only every few runs.
    """
    runs = 2.0 ** np.clip(standing.failures - 1, 0, 20) - 1
    wait = np.minimum(bounds.every * runs, max(bounds.every, WEEK))
    since = np.where(np.isnan(standing.tried), np.inf, now - standing.tried)
    failing = standing.failures > 0
    ready = np.flatnonzero(failing & (since >= wait - bounds.every / 2))
    ready = ready[np.argsort(_order_of(standing.tried)[ready], kind="stable")]
    room = bounds.places(len(since))
    if room >= RETRY_SHARE or not len(ready):
        share = max(1 / RETRY_SHARE, failing.mean() if len(failing) else 0.0)  # where most fail, most places are theirs
        return ready, int(room * share)
    last = since[standing.failures > 1].min(initial=np.inf)
    return ready, int(last >= bounds.every * (RETRY_SHARE / max(room, 1) - 0.5))


def must_now(ages: Floats, bounds: Bounds) -> int:
    """Return how many of the oldest must be asked in this run, so that no later one has to leave anybody beyond
    ``max_interval``: ``ages`` from the oldest to the youngest.

    The j-th oldest can still be asked in the r runs after this one that come before its time is up; they hold
    r x budget checks, so of the j oldest, j - r x budget are for now.
    """
    budget = len(ages) if bounds.budget is None else bounds.budget
    most = bounds.places(len(ages)) if bounds.most is None else bounds.most
    runs_left = np.floor((bounds.max_interval - bounds.margin - ages) / bounds.every)
    needed = np.arange(1, len(ages) + 1) - np.maximum(runs_left, 0.0) * budget
    return int(np.clip(np.ceil(needed.max(initial=0.0) - 1e-9), 0, min(most, len(ages))))


def smallest_interval(artists: int, budget: float, every: float) -> float:
    """Return the smallest ``max_interval``, in days, that so many artists can be held to by runs of ``budget``."""
    return every * ceil(artists / budget)


# -- what each policy goes by --------------------------------------------------------------------------------------

Score = tuple[Floats, Bools]  # the larger the sooner; and who may be asked at all


class Case(Struct, frozen=True, eq=False):
    """What a policy goes by. ``age``: days since the last check; nan where there was none."""

    standing: Standing
    activity: Activity
    now: float
    age: Floats
    bounds: Bounds


Scorer = Callable[[Case], Score]


def _everybody(case: Case) -> Bools:
    return np.ones(len(case.age), np.bool_)


def adaptive(case: Case) -> Score:
    """Score by the waiting that a check ends: expected releases not seen yet, times days since the last check and four
    weeks.

    For a steady rate r, t days after the last check, r t x t / 2 is the waiting that has come together (the index of
    the square-root law: Sia, Cho and Cho, 2007), and r t the releases that wait. The truth lies between the two, for
    rates are estimates and artists fall silent; the constant says where. That releases come on weekdays of the
    artist's own is in the expected number: it grows on the likely days and stands still on others.
    """
    coming = expected(case.standing.checked, case.activity, case.now)
    return coming * (case.age + PATIENCE), _everybody(case)


def ahead(case: Case) -> Score:
    """Score for a prefetch, which answers for a run up to ``fresh_for`` days later: what it gains, less what it costs.

    Releases that are out by now are known so much sooner; those that come out in between wait a whole turn longer. So
    it is good to ask whose likeliest day has just been, and bad to ask whose likeliest day is about to begin.
    """
    checked, now, gap = case.standing.checked, case.now, case.bounds.fresh_for
    out = expected(checked, case.activity, now)
    between = expected(np.full(len(checked), now), case.activity, now + gap)
    return out * gap - between * case.bounds.every, _everybody(case)


def expected(checked: Floats, activity: Activity, now: float) -> Floats:
    """Return how many releases are expected to be listed between each artist's last check and ``now``."""
    shares = np.cumsum(activity.weekdays, axis=1)
    mass = _weeks(shares, np.full(len(checked), now)) - _weeks(shares, np.nan_to_num(np.minimum(checked, now)))
    grown: Floats = WEEK * activity.rate * np.maximum(mass, 0.0)
    return grown


def _weeks(shares: Floats, at: Floats) -> Floats:
    """Return the weeks' worth of releases that are listed by an instant, since the first Monday of 1970, about."""
    day = np.floor(at).astype(np.int64)
    weekday = (day + MONDAY) % 7
    row = np.arange(len(at))
    upto = shares[row, weekday]
    before = np.where(weekday > 0, shares[row, weekday - 1], 0.0)
    listed = np.clip((at - day) / LISTED_BY, 0.0, 1.0)
    weeks: Floats = (day + MONDAY) // 7 + before + (upto - before) * listed
    return weeks


def square_root(case: Case) -> Score:
    """Go by the law of the square root alone: age over an interval that goes with 1 / sqrt(rate)."""
    return case.age * np.sqrt(case.activity.rate), _everybody(case)


def tiers(case: Case) -> Score:
    """Ask by the last release: below 90 days ago every week, 180 every 2nd, 365 every 4th, else every 12th.

    Each artist has its own phase, so that a tier does not come all at once. Who missed a turn is due.
    """
    standing, now, learnt = case.standing, case.now, ~np.isnan(case.age)
    weeks = np.array(TIERS)[tier(case.activity, learnt, now)]
    week = np.floor((now + MONDAY) / WEEK).astype(np.int64)
    turn = (week + standing.phase) % weeks == 0
    taken = np.nan_to_num(np.floor((standing.turn + MONDAY) / WEEK), nan=-1.0) >= week
    due = (turn & ~taken) | (now - standing.turn >= weeks * WEEK + WEEK - EARLY)
    return case.age / (weeks * WEEK), due | ~learnt


def rotation(case: Case) -> Score:
    """Ask whoever waits longest."""
    return case.age, _everybody(case)


def miniflux(case: Case) -> Score:
    """Ask by miniflux's entry frequency, over a window of 365 days instead of 7: a week over the releases a week.

    The releases a week are rounded up; fewer than two in the window: the longest interval, here four weeks.
    """
    activity = case.activity
    gap = activity.span / np.maximum(activity.count - 1, 1)
    weekly = np.where(activity.count > 1, np.ceil(WEEK / np.maximum(gap, 1.0)), 0.0)
    interval = np.where(weekly > 0, WEEK / np.maximum(weekly, 1.0), 4 * WEEK)
    return case.age / interval, _everybody(case)


POLICIES: Mapping[str, Scorer] = {
    "adaptive": adaptive,
    "tiers": tiers,
    "rotation": rotation,
    "miniflux": miniflux,
    "sqrt": square_root,
    "all": rotation,
}
