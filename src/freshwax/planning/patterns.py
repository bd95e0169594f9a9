"""When an artist tends to release: claimed only where it foretold the artist's later releases better than its peers.

The last third of an artist's releases (three at least, with as many before them) is held back: each is foretold from
what went before it, once with the artist's own habit, shrunk towards its peers, and once with the peers' alone. The
scores are log losses, and Brier scores for the window of 28 days: lower is better. A small lead proves nothing:
see ODDS.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import lgamma, log
from typing import Generic, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from freshwax.history import ALBUM, EXACT, UNREAD_ALBUMS, UNREAD_OTHERS, History
from freshwax.model import Artist
from freshwax.planning.forecast import HORIZON, Days, Floats, Forecasts, forecast

T = TypeVar("T")

HELD = 3  # held back, and learnt from, at least
HELD_WEEKS = 26  # of which a forecast must have come out
PEERS_WEIGHT = 4.0  # of the artist's own releases, as much as the peers' shares count
GAP_WEIGHT = 3.0
# A habit is claimed that made the held-back part so many times likelier than its peers' habits did. Where there is no
# habit that ratio is 1 on average, so chance gets there for one artist in five at most; in benchmarks/predictions.py
# for one in thirty.
ODDS = 5
ACTIVE = 1.5 / 12  # a month is active that holds half more than its share of a year
LEAD_DAYS = 90
_EPOCH = date(1970, 1, 1)
_FIRST_GAP = (1.0, log(90), log(90) ** 2 + 1)  # what a gap is before any was seen: 30 to 250 days, most of them


class Test(Struct, frozen=True):
    """What the held-back part says: mean losses of the artist's own habit and of its peers', lower is better.

    ``base`` is a third score, of the artist's plain base rate; only the window has one. ``held_back`` counts the
    releases (gaps, albums, forecasts) that were foretold.
    """

    __test__ = False  # no test of pytest's

    own: float
    peers: float
    held_back: int
    base: float | None = None


class Claim(Struct, Generic[T], frozen=True):
    """A pattern, or None where it is none. ``test`` is None where there is too little history to test one."""

    value: T | None = None
    test: Test | None = None


class Weekday(Struct, frozen=True):
    """The likeliest weekday (0: Monday) and its share, shrunk towards the peers'."""

    day: int
    confidence: float


class Gap(Struct, frozen=True):
    """Days between one release and the next: the median, and the quartiles about it."""

    median: float
    low: float
    high: float


class Leads(Struct, frozen=True):
    """How many singles come in the 90 days before an album: the median and the mean."""

    typical: float
    mean: float


class Window(Struct, frozen=True):
    """The chance of a release from ``first`` to ``last``, both included."""

    first: date
    last: date
    probability: float


class Patterns(Struct, frozen=True):
    """What is known of one artist's habits.

    ``releases`` counts days with a release, up to today, in the part of the history that was read; ``announced`` is the
    first release day after today. ``skill`` is the share of the better base rate's Brier score that the window takes
    away; 0 without a window.
    """

    artist: Artist
    releases: int
    last: date | None
    announced: date | None
    weekday: Claim[Weekday]
    months: Claim[tuple[int, ...]]
    gap: Claim[Gap]
    albums: Claim[Gap]
    leads: Claim[Leads]
    window: Claim[Window]

    @property
    def claims(self) -> int:
        """How many patterns are claimed."""
        everything = (self.weekday, self.months, self.gap, self.albums, self.leads, self.window)
        return sum(claim.value is not None for claim in everything)

    @property
    def skill(self) -> float:
        """How much better the window is foretold than by the base rates, from 0 to 1."""
        test = self.window.test
        if self.window.value is None or test is None or test.base is None:
            return 0.0
        best = min(test.base, test.peers)
        return 1 - test.own / best if best else 0.0


def find(history: History, now: datetime) -> list[Patterns]:
    """Return the patterns of every artist, in the order of ``history.artists``. They are each other's peers.

    Releases dated after ``now`` are announced, not learnt from: a clock that went backwards takes nothing else.
    """
    today = (now.astimezone(UTC).date() - _EPOCH).days
    lists = _split(history, today)
    until = np.array([_until(artist, today) for artist in history.artists], np.int64)
    forecasts = forecast([one.days for one in lists], until, today)
    bounds = np.searchsorted(forecasts.artist, np.arange(len(lists) + 1))
    peers = _Peers(lists)
    return [
        _patterns(artist, one, peers, _window(one.days, forecasts, slice(*bounds[index : index + 2]), today))
        for index, (artist, one) in enumerate(zip(history.artists, lists, strict=True))
    ]


def best(patterns: list[Patterns]) -> list[Patterns]:
    """Return those of whom something is claimed, the most predictable first."""
    claimed = [one for one in patterns if one.claims]
    return sorted(claimed, key=lambda one: (-one.skill, -one.claims, one.artist.ref))


class _Lists(Struct, frozen=True, eq=False):
    """One artist's release days in the part that was read: all of them, those with an album, those with none."""

    days: Days
    albums: Days
    singles: Days
    announced: int | None


def _split(history: History, today: int) -> list[_Lists]:
    """Sort the releases into an artist's days; only dates that name their day."""
    flags = np.frombuffer(history.flags, np.uint8)
    exact = (flags & EXACT) > 0
    day = np.array(history.day, np.int64)[exact]
    owner = np.array(history.artist, np.int64)[exact]
    album = (flags[exact] & ALBUM) > 0
    order = np.lexsort((day, owner))
    owner, day, album = owner[order], day[order], album[order]
    bounds = np.searchsorted(owner, np.arange(len(history.artists) + 1))
    return [
        _of_one(day[low:high], album[low:high], unread, today)
        for low, high, unread in zip(bounds[:-1], bounds[1:], history.unread, strict=True)
    ]


def _of_one(day: Days, album: NDArray[np.bool_], unread: int, today: int) -> _Lists:
    """Keep what lies in the part that was read of every list: an unread one is known back to its oldest entry."""
    since = 0
    for bit, among in ((UNREAD_ALBUMS, album), (UNREAD_OTHERS, ~album)):
        if unread & bit and among.any():
            since = max(since, int(day[among][0]))
    past = (day <= today) & ((day >= since) if since else True)
    albums = np.unique(day[past & album])
    singles = np.setdiff1d(day[past & ~album], albums)
    later = day[day > today]
    return _Lists(np.unique(day[past]), albums, singles, int(later[0]) if len(later) else None)


def _until(artist: Artist, today: int) -> int:
    """Return the day of the last check: what came out later is not known."""
    if artist.checked_at is None:
        return today
    return min((artist.checked_at.astimezone(UTC).date() - _EPOCH).days, today)


class _Pool:
    """What all artists did, in rows that can be added up: those before any day at once."""

    def __init__(self, days: list[Days], rows: list[Floats], width: int) -> None:
        day = np.concatenate([np.zeros(0, np.int64), *days])
        order = np.argsort(day, kind="stable")
        self._days = day[order]
        whole = np.concatenate([np.zeros((0, width)), *rows])[order]
        self._sums = np.concatenate([np.zeros((1, width)), whole.cumsum(axis=0)])

    def others(self, days: Days, own_before: Floats) -> Floats:
        """Return the sums of everyone else before each of the days."""
        return np.maximum(self._sums[np.searchsorted(self._days, days)] - own_before, 0)


class _Peers:
    """The pools that each artist is compared with."""

    def __init__(self, lists: list[_Lists]) -> None:
        self.weekday = _Pool([one.days for one in lists], [_one_hot(_weekday(one.days), 7) for one in lists], 7)
        self.month = _Pool([one.days for one in lists], [_one_hot(_month(one.days), 12) for one in lists], 12)
        self.gap = _Pool([one.days[1:] for one in lists], [_powers(_gaps(one.days)) for one in lists], 3)
        self.album = _Pool([one.albums[1:] for one in lists], [_powers(_gaps(one.albums)) for one in lists], 3)
        led = [_led(one) for one in lists]
        self.leads = _Pool([days for days, _ in led], [_powers(number) for _, number in led], 3)


def _patterns(artist: Artist, one: _Lists, peers: _Peers, window: Claim[Window]) -> Patterns:
    return Patterns(
        artist=artist,
        releases=len(one.days),
        last=_date(int(one.days[-1])) if len(one.days) else None,
        announced=_date(one.announced) if one.announced is not None else None,
        weekday=_preferred(one.days, peers.weekday),
        months=_active(one.days, peers.month),
        gap=_typical(one.days, peers.gap),
        albums=_typical(one.albums, peers.album),
        leads=_lead_singles(one, peers.leads),
        window=window,
    )


def _held(number: int) -> int | None:
    """Return how many of so many are held back; None: too few to test anything."""
    held = max(HELD, number // 3)
    return held if number - held >= HELD else None


def _test(own: Floats, peers: Floats, held: int) -> tuple[Test, bool]:
    """Return the mean losses of the held-back part, and whether the own habit is better by more than chance."""
    test = Test(float(own[-held:].mean()), float(peers[-held:].mean()), held)
    return test, bool((peers - own)[-held:].sum() >= log(ODDS))


def _shares(category: Days, days: Days, pool: _Pool, width: int) -> tuple[Floats, Floats]:
    """Return the shares before each release and after the last: the artist's own, shrunk, and its peers'."""
    own = np.concatenate([np.zeros((1, width)), _one_hot(category, width).cumsum(axis=0)])
    others = pool.others(np.append(days, days[-1] + 1), own)
    peers = (others + 1) / (others.sum(axis=1, keepdims=True) + width)
    return (PEERS_WEIGHT * peers + own) / (PEERS_WEIGHT + np.arange(len(days) + 1)[:, None]), peers


def _categories(category: Days, days: Days, pool: _Pool, width: int) -> tuple[Floats, Test, bool] | None:
    """Return the shares as they are now, the test, and whether it is passed; None: too few releases."""
    held = _held(len(days))
    if held is None:
        return None
    own, peers = _shares(category, days, pool, width)
    each = np.arange(len(days))
    test, passed = _test(-np.log(own[each, category]), -np.log(peers[each, category]), held)
    return own[-1], test, passed


def _preferred(days: Days, pool: _Pool) -> Claim[Weekday]:
    found = _categories(_weekday(days), days, pool, 7)
    if found is None:
        return Claim()
    shares, test, passed = found
    day = int(shares.argmax())
    return Claim(Weekday(day, float(shares[day])) if passed else None, test)


def _active(days: Days, pool: _Pool) -> Claim[tuple[int, ...]]:
    found = _categories(_month(days), days, pool, 12)
    if found is None:
        return Claim()
    shares, test, passed = found
    months = tuple(int(month) + 1 for month in np.flatnonzero(shares >= ACTIVE))
    return Claim(months if passed and months else None, test)


def _typical(days: Days, pool: _Pool) -> Claim[Gap]:
    gaps = _gaps(days)
    held = _held(len(gaps))
    if held is None:
        return Claim()
    test, passed = _test(*_gap_losses(gaps, days[1:], pool), held)
    low, median, high = (float(value) for value in np.quantile(np.diff(days), (0.25, 0.5, 0.75)))
    return Claim(Gap(median, low, high) if passed else None, test)


def _gap_losses(gaps: Floats, days: Days, pool: _Pool) -> tuple[Floats, Floats]:
    """Return the log losses of normal distributions of the logarithm of a gap: the own, shrunk, and the peers'."""
    own = np.concatenate([np.zeros((1, 3)), _powers(gaps).cumsum(axis=0)])[:-1]
    number, first, second = (pool.others(days, own) + np.array(_FIRST_GAP)).T
    centre = first / number
    spread = np.maximum(second / number - centre**2, 0.05)
    own_number, own_first, own_second = own.T
    own_centre = (GAP_WEIGHT * centre + own_first) / (GAP_WEIGHT + own_number)
    squares = np.maximum(own_second - 2 * own_centre * own_first + own_number * own_centre**2, 0)
    own_spread = (GAP_WEIGHT * spread + squares) / (GAP_WEIGHT + own_number)
    return _normal_loss(gaps, own_centre, own_spread), _normal_loss(gaps, centre, spread)


def _normal_loss(value: Floats, centre: Floats, spread: Floats) -> Floats:
    return np.asarray(0.5 * np.log(2 * np.pi * spread) + (value - centre) ** 2 / (2 * spread), np.float64)


def _lead_singles(one: _Lists, pool: _Pool) -> Claim[Leads]:
    days, number = _led(one)
    held = _held(len(days))
    if held is None:
        return Claim()
    own = np.concatenate([np.zeros((1, 3)), _powers(number).cumsum(axis=0)])[:-1]
    losses = [
        _count_losses(int(k), *row)
        for k, row in zip(number, zip(own, pool.others(days, own), strict=True), strict=True)
    ]
    own_losses, peers_losses = np.array(losses).T
    test, passed = _test(own_losses, peers_losses, held)
    return Claim(Leads(float(np.median(number)), float(number.mean())) if passed else None, test)


def _count_losses(number: int, own: Floats, others: Floats) -> tuple[float, float]:
    """Return the log losses of a number by gamma-Poisson: with the artist's own counts, and with the peers' alone."""
    albums, singles, squares = others + np.array([1.0, 1.0, 3.0])
    mean = singles / albums
    excess = max(squares / albums - mean**2 - mean, 0.0)
    weight = min(max(mean / excess if excess else 10.0, 0.2), 10.0)  # of albums that the peers' mean counts for
    alone = _gamma_poisson(number, mean * weight, weight)
    return _gamma_poisson(number, mean * weight + own[1], weight + own[0]), alone


def _gamma_poisson(number: int, shape: float, rate: float) -> float:
    chance = lgamma(shape + number) - lgamma(shape) - lgamma(number + 1)
    return -(chance + shape * log(rate / (rate + 1)) - number * log(rate + 1))


def _led(one: _Lists) -> tuple[Days, Floats]:
    """Return the albums whose 90 days before were observed, and how many days with a single those held."""
    days = one.albums[one.albums >= one.days[0] + LEAD_DAYS] if len(one.days) else one.albums
    number = np.searchsorted(one.singles, days) - np.searchsorted(one.singles, days - LEAD_DAYS)
    return days, number.astype(np.float64)


def _window(days: Days, forecasts: Forecasts, rows: slice, today: int) -> Claim[Window]:
    """Return the chance of the 28 days from tomorrow, where the forecast has beaten both base rates."""
    held = _held(len(days))
    if held is None:
        return Claim()
    tested = forecasts.known[rows] & (forecasts.day[rows] >= days[-held - 1])
    if tested.sum() < HELD_WEEKS:
        return Claim()
    happened = forecasts.happened[rows][tested]
    own, base, peers = (
        float(((chance[rows][tested] - happened) ** 2).mean())
        for chance in (forecasts.model, forecasts.own, forecasts.peers)
    )
    test = Test(own, peers, int(tested.sum()), base)
    if own >= min(base, peers):
        return Claim(test=test)
    chance = float(forecasts.model[rows][-1])
    return Claim(Window(_date(today + 1), _date(today + HORIZON), chance), test)


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _weekday(days: Days) -> Days:
    return (days + 3) % 7  # 1970-01-01 was a Thursday


def _month(days: Days) -> Days:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12


def _gaps(days: Days) -> Floats:
    """Return the logarithms of the gaps in days."""
    return np.asarray(np.log(np.diff(days)), np.float64)


def _powers(values: Floats) -> Floats:
    return np.stack([np.ones_like(values), values, values**2], axis=1)


def _one_hot(category: Days, width: int) -> Floats:
    return np.asarray(np.eye(width)[category], np.float64)
