"""A smart batch: the artists that a run checks under its budget, and a reason for each that a person understands."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isnan

import numpy as np
from msgspec import Struct

from freshwax.history import History
from freshwax.model import Artist, ArtistState
from freshwax.planning.activity import Activity, Floats, checked_days, days, measure, observed
from freshwax.planning.due import CHANGED_SHARE, Pace, is_ahead, is_to_probe
from freshwax.planning.policies import Bounds, Choice, Standing, Why, choose, expected, smallest_interval

LEARNING_COST = 2  # requests that a first check takes, about
_DAY = timedelta(days=1)


class Place(Struct, frozen=True):
    """Where an artist stands in a plan: picked or not, why, and what speaks for it.

    ``expected``: releases expected since the last check, None without one. ``rate``: releases a year. ``score`` orders
    the picks.
    """

    artist: Artist
    why: Why
    score: float
    expected: float | None
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
    pace: Pace,
    max_interval: timedelta,
    fresh_for: timedelta,
) -> Batch:
    """Return whom a run at ``now`` asks, of the artists of a history; those neither active nor gone are left out.

    UsageError for an unknown policy or a budget of nothing.
    """
    active = np.array([one.state is ArtistState.ACTIVE for one in history.artists], bool)
    activity = measure(observed(history, now), days(now)).of(active)
    artists = [one for one in history.artists if one.state is ArtistState.ACTIVE]
    standing = _standing(artists, now, max_interval)
    bounds = Bounds(
        budget=pace.budget,
        every=pace.every / _DAY,
        max_interval=max_interval / _DAY,
        fresh_for=fresh_for / _DAY,
        room=pace.room,
        most=pace.most,
        margin=pace.margin / _DAY,
    )
    choice = choose(policy, standing, activity, days(now), bounds)
    places = _places(artists, standing, activity, choice, days(now))
    picks = tuple(places[i] for i in choice.order)
    rest = sorted((one for one in places if not one.picked), key=lambda one: (-one.score, one.artist.ref))
    unlearnt = sum(one.why is Why.UNLEARNT for one in picks)
    known = len(picks) - unlearnt
    left = [one.artist.checked_at for one in rest if one.artist.checked_at is not None and one.artist.checked_at <= now]
    return Batch(
        picks=picks,
        skipped=tuple(rest),
        cost=known + known // CHANGED_SHARE + LEARNING_COST * unlearnt,
        oldest=min(left, default=None),
        warning=_warning(len(artists), bounds),
        gone=tuple(one for one in history.artists if _to_probe(one, now)),
    )


def _standing(artists: Sequence[Artist], now: datetime, max_interval: timedelta) -> Standing:
    """Return where artists stand. One with a check or a turn that is stored with an instant in the future counts as
    checked as long ago as may be.
    """
    checked, ahead = checked_days(artists, now), days(now - max_interval)
    wrong = np.array([is_ahead(one, now) for one in artists], bool)
    turns = [days(min(one.turn_at, now)) if one.turn_at is not None else np.nan for one in artists]
    tried = [days(min(one.attempted_at, now)) if one.attempted_at is not None else np.nan for one in artists]
    checked = np.where(wrong & ~np.isnan(checked), ahead, checked)
    return Standing(
        checked=checked,
        turn=np.where(np.isnan(turns) | wrong, checked, turns),
        tried=np.array(tried, float),
        failures=np.array([one.failures for one in artists], np.int64),
        phase=np.array([phase_of(one.ref.id) for one in artists], np.int64),
    )


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
        Place(artist, Why(why), worth, None if isnan(soon) else soon, rate)
        for artist, why, worth, soon, rate in zip(artists, *columns, strict=True)
    ]


def _warning(artists: int, bounds: Bounds) -> str | None:
    """Say that ``max_interval`` cannot be held, where it cannot: by such a budget, or by runs so far apart."""
    longest = f"max_interval ({bounds.max_interval:.0f} days)"
    if bounds.every > bounds.max_interval:
        return f"Runs {bounds.every:.0f} days apart cannot hold {longest}. Run more often, or raise it"
    if bounds.budget is None or (bounds.most is not None and bounds.most >= artists):
        return None
    smallest = smallest_interval(artists, bounds.budget, bounds.every) + bounds.margin
    if smallest <= bounds.max_interval:
        return None
    return (
        f"Checking {bounds.budget:,.0f} a run cannot hold {longest}: {artists:,} artists need {smallest:.0f} days. "
        "Raise the budget or max_interval, or run more often"
    )


def _to_probe(artist: Artist, now: datetime) -> bool:
    return artist.state is ArtistState.GONE and is_to_probe(artist, now)
