"""Who is due, and in which order: the plan of a run that asks everyone whose week is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise, zip_longest
from math import ceil
from typing import TypeVar

from msgspec import Struct

from freshwax.model import Artist, ArtistState

EARLY = timedelta(days=1)  # a weekly run that starts a few hours early still finds everyone due
GONE_PROBE = timedelta(days=1), timedelta(days=30)  # a gone artist is looked for so often at first, and in the end
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
SHARE_A_WEEK = 5  # a smart batch checks one artist in so many a week, unless told otherwise
CHANGED_SHARE = 20  # one check in so many takes a second request, about
REQUESTS_A_CHECK = 1.25  # on the mean, in a dear list; see benchmarks/demo_year.py
PROMISED = 1.5  # ... and what a run reckons with for what it promises
PROMISED_DEAR = 3.0  # ... of a first check, and of one that failed before
T = TypeVar("T")
_NEVER = datetime.min.replace(tzinfo=UTC)


class Plan(Struct, frozen=True):
    """The artists to check, in order, and why the others are not.

    ``gone``: artists that the source no longer has, to be probed; outside every count. ``answered``: those of ``fresh``
    whose turn this run is, and whom a prefetch checked in its stead. ``spare``: so many at the end of
    ``due`` are checked as far as the budget goes; the others are what the run promises.
    """

    due: tuple[Artist, ...]
    fresh: tuple[Artist, ...]
    not_due: tuple[Artist, ...]
    gone: tuple[Artist, ...]
    answered: tuple[Artist, ...] = ()
    spare: int = 0

    @property
    def promised(self) -> tuple[Artist, ...]:
        """Those of ``due`` whom the budget has to reach."""
        return self.due[: len(self.due) - self.spare]

    @property
    def spared(self) -> tuple[Artist, ...]:
        """The others."""
        return self.due[len(self.due) - self.spare :]


def plan_run(
    artists: Iterable[Artist],
    now: datetime,
    *,
    check_interval: timedelta,
    fresh_for: timedelta,
    force: bool = False,
) -> Plan:
    """Return who is checked now: those whose last turn is longer ago than ``check_interval`` less a day, or whose last
    check failed, or is missing. A prefetch that is younger than ``fresh_for`` answers for its artist.

    Artists that were never learnt and those that are due take turns, the longest waiting first, so that a spent quota
    starves neither. Repeats of failed checks are spread among them: in a row they would look like an outage.
    """
    due: list[Artist] = []
    failing: list[Artist] = []
    learning: list[Artist] = []
    fresh: list[Artist] = []
    not_due: list[Artist] = []
    gone: list[Artist] = []
    answered: list[Artist] = []
    for artist in artists:
        if artist.state is ArtistState.GONE:
            if is_to_probe(artist, now):
                gone.append(artist)
        elif artist.state is not ArtistState.ACTIVE:
            continue
        elif artist.failures:
            failing.append(artist)
        elif not artist.learnt:
            learning.append(artist)
        elif force:
            due.append(artist)
        elif is_ahead(artist, now) or _age(artist.turn_at or artist.checked_at, now) >= check_interval - EARLY:
            (answered if is_prefetched(artist, now, fresh_for) else due).append(artist)
        else:
            (fresh if _age(artist.checked_at, now) < fresh_for else not_due).append(artist)
    due.sort(key=lambda artist: (min(artist.checked_at or _NEVER, now), artist.ref))
    learning.sort(key=lambda artist: (artist.added_at, artist.attempted_at or _NEVER, artist.ref))
    failing.sort(key=lambda artist: (artist.attempted_at or _NEVER, artist.ref))
    fresh += answered
    order = spread(_take_turns(due, learning), failing)
    return Plan(tuple(order), tuple(fresh), tuple(not_due), tuple(gone), tuple(answered))


def spread(many: Sequence[T], few: Sequence[T]) -> list[T]:
    """Return both in their orders, the second evenly spread among the first."""
    total = len(many) + len(few)
    places = {(at + 1) * total // (len(few) + 1) for at in range(len(few))}
    first, second = iter(many), iter(few)
    return [next(second if place in places else first) for place in range(total)]


def probe_after(artist: Artist) -> timedelta:
    """Return how long a gone artist is left alone after the last attempt: a quarter of the time that it was missing for
    by then, so that one that was given up in error is soon found again.
    """
    missing = (artist.attempted_at or artist.added_at) - (artist.checked_at or artist.added_at)
    soonest, latest = GONE_PROBE
    return min(max(missing / 4, soonest), latest)


def is_to_probe(artist: Artist, now: datetime) -> bool:
    """Return whether a gone artist is to be looked for again."""
    return _age(artist.attempted_at, now) >= probe_after(artist)


def is_ahead(artist: Artist, now: datetime) -> bool:
    """Return whether a check or a turn of an artist is stored with an instant in the future, of whichever list.

    It proves nothing, whatever the others say: that artist is due.
    """
    return artist.latest_at is not None and artist.latest_at > now


def is_prefetched(artist: Artist, now: datetime, fresh_for: timedelta) -> bool:
    """Return whether an artist was checked ahead of its turn, a moment ago."""
    ahead = artist.turn_at is not None and artist.checked_at is not None and artist.turn_at < artist.checked_at
    return ahead and not is_ahead(artist, now) and _age(artist.checked_at, now) < fresh_for


class Pace(Struct, frozen=True):
    """How many checks smart batches make, and when.

    ``budget``: of each run (None: any number); ``room``: of this one; ``most``: of this one for the sake of
    ``max_interval``, None for no more than its room. Runs begin ``every`` so often, up to ``margin`` late.
    """

    budget: float | None
    every: timedelta
    room: int | None = None
    most: int | None = None
    margin: timedelta = timedelta(0)


class Past(Struct, frozen=True):
    """What planning asks about an earlier run: when it began, how many checks it made, and whether ahead of turns."""

    at: datetime
    checks: int
    ahead: bool = False


def allowance(a_week: float, most: float, past: Sequence[Past], now: datetime) -> int:
    """Return how many checks there are for a run now, at so many a week, after some runs, the oldest first.

    A token bucket: it fills evenly up to ``most``, and each check takes one. So daily runs share the week, a run that
    was cut short leaves the rest to the next, and one over a few artists takes no more than it used. It was empty after
    the oldest run in sight; without one it is full. A prefetch runs up a debt, a run that asked everybody does not.
    """
    if not past:
        return ceil(most)
    level, at = 0.0, past[0].at
    for run in (*past[1:], Past(now, 0)):
        level = min(level + a_week * ((run.at - at) / WEEK), most)
        level, at = max(level - run.checks, -most if run.ahead else min(level, -1.0)), run.at
    return max(ceil(level - 1e-6), 0)


def rhythm(starts: Sequence[datetime], now: datetime) -> tuple[timedelta, timedelta]:
    """Return how far apart runs begin, at least an hour, and how much later the next one may come.

    By the gaps of four weeks, or the last three, the present one among them: their mean, and what the longest has more.
    ``starts``: the oldest first. Without any: a week.
    """
    recent = [one for one in starts if now - one <= 4 * WEEK]
    points = [*(recent if len(recent) > 2 else starts[-3:]), now]
    gaps = [after - before for before, after in pairwise(points)]
    if not gaps:
        return WEEK, timedelta(0)
    mean = sum(gaps, timedelta(0)) / len(gaps)
    return max(mean, HOUR), max(gaps) - mean


def checks_a_week(artists: int, max_interval: timedelta) -> float:
    """Return how many checks a smart batch spends in a week where nobody gave a budget.

    A fifth of the list, or as many as ``max_interval`` needs, where that is more.
    """
    return artists * max(1 / SHARE_A_WEEK, WEEK / max_interval)


def _age(instant: datetime | None, now: datetime) -> timedelta:
    """Return how long ago an instant was; without one, or with one in the future, as long as can be."""
    return now - instant if instant is not None and instant <= now else timedelta.max


def _take_turns(one: Sequence[Artist], other: Sequence[Artist]) -> list[Artist]:
    pairs = chain.from_iterable(zip_longest(one, other))
    return [artist for artist in pairs if artist is not None]


class Allowance(Struct, frozen=True):
    """How many requests the checks of a run may send, and how many its deep reads; None: any number."""

    checks: int | None
    deep: int | None


def share(available: int | None, *, due: int, learning: bool, deep_waiting: bool) -> Allowance:
    """Split the requests that a run may send, with ``due`` artists to check.

    Learning comes before depth. Then a tenth of what there is belongs to deep reads, however little the day, or the
    user's budget, has left; never all of it. It is kept from the checks only where they would not all fit anyway: what
    came out is told today, a list can be read to its end tomorrow.
    """
    if available is None:
        return Allowance(None, None)
    if learning:
        return Allowance(available, 0)
    deep = min(-(-available // 10), max(available - 1, 0))
    fit = due + due // CHANGED_SHARE <= available
    return Allowance(available if fit or not deep_waiting else available - deep, deep)


def left_for_deep(left: int | None, *, per_day: int | None, reserved: int | None) -> int | None:
    """Return what deep reads may use once the checks are done: their reserve, and more only where a tenth of the
    day stays.

    ``left`` is what the run may still send, None for any number.
    """
    if left is None:
        return None
    keep = (per_day or 0) // 10
    return max(min(reserved or 0, left), left - keep)
