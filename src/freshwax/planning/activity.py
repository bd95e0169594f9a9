"""How often artists release: rates shrunk towards their peers', and the profile that a person reads.

Everything is worked out for all artists at once, in numpy columns. Days are counted from 1970-01-01; a rate is in
releases a day.

The rate is gamma-Poisson with forgetting: of n releases, each weighing 2^(-age/H), in an observed span that weighs T,
the estimate is (b m + n) / (b + T), where m is the peers' mean rate and b, by moments, says how alike the peers are.
It is the mean of two: H = 90 days follows a campaign, H = 720 days remembers a career.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from freshwax.history import ALBUM, EXACT, UNREAD_ALBUMS, UNREAD_OTHERS, History
from freshwax.model import Artist

HALF_LIVES = (90.0, 720.0)
WINDOW = 5 * 365.0  # what lies further back says little about today
UNHEARD = 365.0  # an empty catalogue counts as a year of silence
USUAL_RATE = 2.0 / 365.0  # releases a day: where nobody's history is known yet
USUAL_SPAN = 365.0  # weighs as much as so many days of the peers' history
ALIKE = (30.0, 1500.0)  # bounds of b, days
WEEKDAY_WEIGHT = 4.0  # the peers' weekdays count like so many releases of the artist's own
# Shares of releases from Monday to Sunday, where nothing is known; they weigh as much as seven releases.
USUAL_WEEKDAYS = (0.05, 0.05, 0.10, 0.15, 0.58, 0.04, 0.03)
MONDAY = 3  # 1970-01-01 was a Thursday: (day + 3) % 7 is 0 on Mondays
RECENT = 365.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86_400.0


class Frequency(StrEnum):
    """How active an artist is, by the time since the last release."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INACTIVE = "inactive"


# Days since the last release, below which an artist counts as such.
HIGH_BELOW, MEDIUM_BELOW, LOW_BELOW = 90.0, 180.0, 365.0


class Events(Struct, frozen=True, eq=False):
    """Days on which artists released something, one entry an artist and day, sorted by artist, then day."""

    artist: Ints
    day: Ints
    album: Bools


class Observed(Struct, frozen=True, eq=False):
    """What was seen of ``n`` artists, and from when to when: ``since`` and ``until`` are nan where never learnt."""

    n: int
    events: Events
    since: Floats
    until: Floats


class Activity(Struct, frozen=True, eq=False):
    """What planning needs to know of each artist.

    ``rate``: releases a day. ``last``: day of the last release, nan without one. ``weekdays``: shares of the artist's
    releases from Monday to Sunday, shrunk towards the peers'. ``count`` releases in the last year, ``span`` days
    between the first and the last of them.
    """

    rate: Floats
    last: Floats
    weekdays: Floats
    count: Ints
    span: Floats

    def of(self, which: Bools) -> Activity:
        """Return the activity of some of the artists."""
        return Activity(
            rate=self.rate[which],
            last=self.last[which],
            weekdays=self.weekdays[which],
            count=self.count[which],
            span=self.span[which],
        )


class Profile(Struct, frozen=True):
    """An artist's activity, for people. ``observed_days`` is the span that the history known so far covers."""

    artist: Artist
    last_release_days_ago: int | None
    avg_releases_per_year: float
    release_frequency: Frequency
    recommended_check_interval_days: int
    releases: int
    observed_days: int


def days(at: datetime) -> float:
    """Return an instant in days since 1970-01-01."""
    return (at - _EPOCH).total_seconds() / _DAY_SECONDS


def checked_days(artists: Sequence[Artist], now: datetime) -> Floats:
    """Return when each artist was last checked; nan for those never learnt. A time to come is taken for now."""
    return np.array(
        [days(min(one.checked_at, now)) if one.learnt and one.checked_at else np.nan for one in artists], float
    )


def observed(history: History, now: datetime) -> Observed:
    """Return the release days of a history, and the span in which each artist was observed.

    The span begins with the oldest release that is known; where a list was not read to its end, with the oldest that
    was read of it. What lies in the future does not count yet.
    """
    n = len(history.artists)
    artist = np.frombuffer(history.artist, f"i{history.artist.itemsize}").astype(np.int64)
    day = np.frombuffer(history.day, f"i{history.day.itemsize}").astype(np.int64)
    flags = np.frombuffer(history.flags, np.uint8)
    album = (flags & ALBUM) > 0
    past = day <= days(now)
    unread = np.frombuffer(history.unread, np.uint8)
    until = checked_days(history.artists, now)
    oldest = _oldest(artist, day, past, n)
    since = np.where(np.isinf(oldest), until - UNHEARD, oldest)
    for mine, bit in ((album, UNREAD_ALBUMS), (~album, UNREAD_OTHERS)):
        known = _oldest(artist, day, past & mine, n)
        limited = (unread & bit) > 0
        since = np.where(limited & np.isfinite(known), np.maximum(since, known), since)
    keep = past & ((flags & EXACT) > 0)
    return Observed(n, events_of(artist[keep], day[keep], album[keep]), np.minimum(since, until), until)


def _oldest(artist: Ints, day: Ints, which: Bools, n: int) -> Floats:
    found = np.full(n, np.inf)
    np.minimum.at(found, artist[which], day[which])
    return found


def events_of(artist: Ints, day: Ints, album: Bools) -> Events:
    """Return one event an artist and day, from entries sorted by artist and day; an album among them makes it one."""
    if not len(artist):
        return Events(artist, day, album)
    first = np.concatenate(([True], (np.diff(artist) != 0) | (np.diff(day) != 0)))
    begins = np.flatnonzero(first)
    return Events(artist[first], day[first], np.logical_or.reduceat(album, begins))


def measure(observed: Observed, today: float) -> Activity:
    """Return the activity of all artists as of ``today`` (days since 1970), from what was observed until then."""
    n, events = observed.n, observed.events
    since = np.maximum(observed.since, today - WINDOW)
    # The release that begins the span does not count in it; one that another artist's check found after it, not yet.
    counted = (events.day > since[events.artist]) & (events.day <= observed.until[events.artist])
    rate = np.zeros(n)
    for half_life in HALF_LIVES:
        rate += _rate(events, counted, since, observed.until, today, half_life) / len(HALF_LIVES)
    last = np.full(n, -np.inf)
    np.maximum.at(last, events.artist, events.day)
    count, span = _last_year(events, n, today)
    return Activity(rate, np.where(np.isinf(last), np.nan, last), _weekdays(events, n, today), count, span)


def _rate(events: Events, counted: Bools, since: Floats, until: Floats, today: float, half_life: float) -> Floats:
    fade = np.log(2.0) / half_life
    weight = np.exp(-fade * np.maximum(today - events.day, 0.0)) * counted
    seen = np.bincount(events.artist, weight, len(since)).astype(float)
    exposure = (np.exp(-fade * (today - until)) - np.exp(-fade * (today - since))) / fade
    exposure = np.nan_to_num(np.maximum(exposure, 0.0))  # never learnt: nothing was observed
    total = exposure.sum()
    mean = (seen.sum() + USUAL_RATE * USUAL_SPAN) / (total + USUAL_SPAN)
    alike = _alike(seen, exposure, mean)
    shrunk: Floats = (alike * mean + seen) / (alike + exposure)
    return shrunk


def _alike(seen: Floats, exposure: Floats, mean: float) -> float:
    """Return b of the gamma prior, in days: the mean over the variance that chance alone does not explain.

    A decayed count of mean mu has a variance of mu / 2, where the span is long against the half-life.
    """
    total = exposure.sum()
    if total <= 0.0:
        return ALIKE[0]
    own = seen / np.maximum(exposure, 1.0)
    spread = (exposure * (own - mean) ** 2).sum() / total - 0.5 * mean * np.count_nonzero(exposure) / total
    return float(np.clip(mean / max(spread, 1e-12), *ALIKE))


def _weekdays(events: Events, n: int, today: float) -> Floats:
    recent = events.day > today - WINDOW
    place = events.artist[recent] * 7 + (events.day[recent] + MONDAY) % 7
    own = np.bincount(place, minlength=7 * n).reshape(n, 7).astype(float)
    peers = own.sum(0) + 7.0 * np.array(USUAL_WEEKDAYS)
    own += WEEKDAY_WEIGHT * peers / peers.sum()
    shares: Floats = own / own.sum(1, keepdims=True)
    return shares


def _last_year(events: Events, n: int, today: float) -> tuple[Ints, Floats]:
    recent = (events.day > today - RECENT) & (events.day <= today)
    artist, day = events.artist[recent], events.day[recent]
    count = np.bincount(artist, minlength=n)
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, artist, day)
    np.maximum.at(last, artist, day)
    return count, np.where(count > 0, last - first, 0.0)


def tier(activity: Activity, learnt: Bools, today: float) -> Ints:
    """Return the index of each artist's ``Frequency``, by the days since its last release.

    Without a release an artist is inactive; one that was never learnt is as its peers are: half a mean gap ago.
    """
    unknown = np.where(learnt, np.inf, 0.5 / activity.rate)
    quiet = np.where(np.isnan(activity.last), unknown, today - activity.last)
    return np.searchsorted((HIGH_BELOW, MEDIUM_BELOW, LOW_BELOW), quiet, "right")


def recommended(rate: Floats, *, mean_interval: float, max_interval: float) -> Floats:
    """Return how often to ask each artist, in days, at least 1: the square-root law (Sia, Cho and Cho, 2007).

    The interval goes with 1 / sqrt(rate) and is scaled so that an artist of the mean root is asked every
    ``mean_interval`` days.
    """
    root = np.sqrt(rate)
    interval: Floats = np.clip(mean_interval * root.mean() / root, 1.0, max_interval) if len(rate) else rate
    return interval


def profiles(history: History, now: datetime, *, mean_interval: float, max_interval: float) -> list[Profile]:
    """Return the profile of each artist of a history, in its order."""
    today = days(now)
    seen = observed(history, now)
    activity = measure(seen, today)
    tiers = tier(activity, ~np.isnan(seen.until), today)
    interval = recommended(activity.rate, mean_interval=mean_interval, max_interval=max_interval)
    within = seen.events.day >= seen.since[seen.events.artist]  # an unread list may hold older ones, by another artist
    releases = np.bincount(seen.events.artist[within], minlength=seen.n)
    span = np.nan_to_num(seen.until - seen.since)
    return [
        Profile(
            artist=artist,
            last_release_days_ago=None if np.isnan(activity.last[i]) else int(today - activity.last[i]),
            avg_releases_per_year=round(float(activity.rate[i]) * 365.25, 2),
            release_frequency=tuple(Frequency)[tiers[i]],
            recommended_check_interval_days=round(float(interval[i])),
            releases=int(releases[i]),
            observed_days=max(int(span[i]), 0),
        )
        for i, artist in enumerate(history.artists)
    ]
