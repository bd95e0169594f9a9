"""A smart batch: the artists that a run checks under its budget, and a reason for each that a person understands."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from msgspec import Struct

from freshwax.model import Artist, ArtistState, History
from freshwax.planning.activity import Activity, Floats, checked_days, days, measure, observed
from freshwax.planning.due import GONE_PROBE
from freshwax.planning.policies import Bounds, Choice, Standing, Why, choose, expected, smallest_interval

BATCH_POLICIES = ("adaptive", "tiers")
CHANGED_SHARE = 20  # one check in so many takes a second request, about
LEARNING_COST = 2  # requests that a first check takes, about
_DAY = timedelta(days=1)


class Place(Struct, frozen=True):
    """Where an artist stands in a plan: picked or not, why, and what speaks for it.

    ``expected``: releases expected since the last check. ``rate``: releases a year. ``score`` orders the picks.
    """

    artist: Artist
    why: Why
    score: float
    expected: float
    rate: float

    @property
    def picked(self) -> bool:
        """Whether the run asks the artist."""
        return self.why >= Why.CEILING


class Batch(Struct, frozen=True):
    """The plan of a smart batch: picks in order, who is skipped (by score), expected requests, the oldest check after
    it, and a warning where the budget cannot hold ``max_interval``. ``gone``: as in ``planning.due.Plan``.
    """

    picks: tuple[Place, ...]
    skipped: tuple[Place, ...]
    cost: int
    oldest: datetime | None
    warning: str | None
    gone: tuple[Artist, ...]


def plan_batch(
    policy: str,
    history: History,
    now: datetime,
    *,
    budget: int | None,
    every: timedelta,
    max_interval: timedelta,
    fresh_for: timedelta,
) -> Batch:
    """Return whom a run at ``now`` asks, of the artists of a history; those neither active nor gone are left out.

    ``every``: until the next run. UsageError for an unknown policy or a budget below 1.
    """
    active = np.array([one.state is ArtistState.ACTIVE for one in history.artists], bool)
    activity = measure(observed(history, now), days(now))
    standing, activity = _standing(history.artists, activity, active, now)
    bounds = Bounds(budget, every / _DAY, max_interval / _DAY, fresh_for / _DAY)
    choice = choose(policy, standing, activity, days(now), bounds)
    artists = [one for one in history.artists if one.state is ArtistState.ACTIVE]
    places = _places(artists, standing, activity, choice, days(now))
    picks = tuple(places[i] for i in choice.order)
    rest = sorted((one for one in places if not one.picked), key=lambda one: (-one.score, one.artist.ref))
    unlearnt = sum(one.why is Why.UNLEARNT for one in picks)
    known = len(picks) - unlearnt
    left = [min(one.artist.checked_at, now) for one in rest if one.artist.checked_at is not None]
    return Batch(
        picks=picks,
        skipped=tuple(rest),
        cost=known + known // CHANGED_SHARE + LEARNING_COST * unlearnt,
        oldest=min(left, default=None),
        warning=_warning(len(artists), bounds),
        gone=tuple(one for one in history.artists if _to_probe(one, now)),
    )


def _standing(
    artists: Sequence[Artist], activity: Activity, active: np.ndarray[tuple[int], np.dtype[np.bool_]], now: datetime
) -> tuple[Standing, Activity]:
    chosen = [one for one, is_active in zip(artists, active, strict=True) if is_active]
    standing = Standing(
        checked=checked_days(chosen, now),
        failed=np.array([one.failures > 0 for one in chosen], bool),
        phase=np.array([phase_of(one.ref.id) for one in chosen], np.int64),
    )
    mine = Activity(
        rate=activity.rate[active],
        last=activity.last[active],
        weekdays=activity.weekdays[active],
        count=activity.count[active],
        span=activity.span[active],
        peers=activity.peers,
    )
    return standing, mine


def phase_of(artist_id: str) -> int:
    """Return an artist's place in any calendar: a number that depends on its ID alone."""
    return zlib.crc32(artist_id.encode("utf-8", "surrogatepass"))


def _places(
    artists: Sequence[Artist], standing: Standing, activity: Activity, choice: Choice, now: float
) -> list[Place]:
    coming: Floats = np.where(np.isnan(standing.checked), np.nan, expected(standing.checked, activity, now))
    score = np.nan_to_num(choice.score, nan=0.0, posinf=0.0)
    columns = (choice.why.tolist(), score.tolist(), coming.tolist(), (activity.rate * 365.25).tolist())
    return [
        Place(artist, Why(why), worth, soon, rate)
        for artist, why, worth, soon, rate in zip(artists, *columns, strict=True)
    ]


def _warning(artists: int, bounds: Bounds) -> str | None:
    if bounds.budget is None:
        return None
    smallest = smallest_interval(artists, bounds.budget, bounds.every)
    if smallest <= bounds.max_interval:
        return None
    return (
        f"A budget of {bounds.budget} cannot hold max_interval ({bounds.max_interval:.0f} days): {artists:,} artists "
        f"need {smallest:.0f} days. Raise the budget or max_interval"
    )


def _to_probe(artist: Artist, now: datetime) -> bool:
    gone = artist.state is ArtistState.GONE
    return gone and (artist.attempted_at is None or not now - GONE_PROBE < artist.attempted_at <= now)
