"""Who is due, and in which order: the plan of a run that asks everyone whose week is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from math import ceil

from msgspec import Struct

from freshwax.model import Artist, ArtistState

EARLY = timedelta(days=1)  # a weekly run that starts a few hours early still finds everyone due
GONE_PROBE = timedelta(days=30)
WEEK = timedelta(days=7)
SHARE_A_WEEK = 5  # a smart batch checks one artist in so many a week, unless told otherwise
CHANGED_SHARE = 20  # one check in so many takes a second request, about
_NEVER = datetime.min.replace(tzinfo=UTC)


class Plan(Struct, frozen=True):
    """The artists to check, in order, and why the others are not.

    ``gone``: artists that the source no longer has, to be probed once a month; outside every count. ``answered``: those
    of ``fresh`` whose turn this run is, and whom a prefetch checked in its stead.
    """

    due: tuple[Artist, ...]
    fresh: tuple[Artist, ...]
    not_due: tuple[Artist, ...]
    gone: tuple[Artist, ...]
    answered: tuple[Artist, ...] = ()


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
    starves neither. A check that is stored with an instant in the future proves nothing: that artist is due.
    """
    due: list[Artist] = []
    learning: list[Artist] = []
    fresh: list[Artist] = []
    not_due: list[Artist] = []
    gone: list[Artist] = []
    answered: list[Artist] = []
    for artist in artists:
        if artist.state is ArtistState.GONE:
            if _age(artist.attempted_at, now) >= GONE_PROBE:
                gone.append(artist)
        elif artist.state is not ArtistState.ACTIVE:
            continue
        elif not artist.learnt:
            learning.append(artist)
        elif force or artist.failures:
            due.append(artist)
        elif _age(artist.turn_at or artist.checked_at, now) >= check_interval - EARLY:
            (answered if is_prefetched(artist, now, fresh_for) else due).append(artist)
        else:
            (fresh if _age(artist.checked_at, now) < fresh_for else not_due).append(artist)
    due.sort(key=lambda artist: (min(artist.checked_at or _NEVER, now), artist.ref))
    learning.sort(key=lambda artist: (artist.added_at, artist.attempted_at or _NEVER, artist.ref))
    fresh += answered
    return Plan(tuple(_take_turns(due, learning)), tuple(fresh), tuple(not_due), tuple(gone), tuple(answered))


def is_prefetched(artist: Artist, now: datetime, fresh_for: timedelta) -> bool:
    """Return whether an artist was checked ahead of its turn, a moment ago."""
    ahead = artist.turn_at is not None and artist.checked_at is not None and artist.turn_at < artist.checked_at
    return ahead and _age(artist.checked_at, now) < fresh_for


def planned_checks(artists: int, every: timedelta, max_interval: timedelta) -> int:
    """Return how many checks a smart batch plans where nobody gave a budget, with so many artists and so much time
    between runs.

    A fifth of the list a week, spread over the runs; as many as ``max_interval`` needs, where that is more; at least 1.
    """
    share_of_week = ceil(artists * (every / WEEK) / SHARE_A_WEEK)
    return max(share_of_week, ceil(artists * (every / max_interval)), 1)


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
