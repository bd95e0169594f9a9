"""How likely an artist releases within the next 28 days, forecast every week of the past and today, causally.

Three forecasts stand side by side, so that the first is shown only to whom it serves: the model, the artist's own base
rate, and the base rate of everyone else. Each knows only what was known on its day: releases up to it, and what became
of forecasts that were at least 28 days old.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Days = NDArray[np.int64]
Floats = NDArray[np.float64]

HORIZON = 28
STEP = 7
PAST = 5 * 52  # weeks of the past that are forecast again
OWN_WEIGHT = 13.0  # weeks that the peers' rate counts beside the artist's own
REFIT = 13  # the model learns anew once a quarter,
LEARNS_FROM = 104  # from the forecasts of two years,
SAMPLE = 20_000  # at most so many of them
HALF_LIVES = (180.0, 365.0, 730.0)  # days after which a release counts half in a rate
PRIOR_RELEASES, PRIOR_DAYS = 0.5, 60.0  # what a rate is before anything is known: about three a year


class Forecasts(Struct, frozen=True, eq=False):
    """One row an artist and week, the artists in their order, each one's weeks in theirs; the last one is today's.

    ``known``: it is known by now whether a release followed within 28 days (``happened``).
    """

    artist: Days
    day: Days
    known: NDArray[np.bool_]
    happened: Floats
    model: Floats
    own: Floats
    peers: Floats


class _Rows(Struct, frozen=True, eq=False):
    artist: Days
    day: Days
    week: Days
    count: Days
    age: Floats
    rates: Floats  # a column a half-life: releases a day
    known: NDArray[np.bool_]
    happened: Floats


def forecast(releases: Sequence[Days], until: Days, today: int) -> Forecasts:
    """Forecast from each artist's release days (sorted, distinct, none after today) and the day it was last checked.

    An artist without a release has no row.
    """
    rows = _rows(releases, until, today)
    own, peers = _base_rates(rows, len(releases))
    model = _model(rows, own, peers)
    return Forecasts(rows.artist, rows.day, rows.known, rows.happened, model, own, peers)


def _rows(releases: Sequence[Days], until: Days, today: int) -> _Rows:
    parts = [_of_one(index, days, int(until[index]), today) for index, days in enumerate(releases) if len(days)]
    if not parts:
        none, nothing = np.zeros(0, np.int64), np.zeros(0)
        return _Rows(none, none, none, none, nothing, np.zeros((0, 3)), np.zeros(0, np.bool_), nothing)
    return _Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _of_one(index: int, days: Days, until: int, today: int) -> tuple[NDArray[np.generic], ...]:
    weeks = np.arange(-min(PAST, (today - int(days[0])) // STEP), 1)
    day = today + STEP * weeks
    count = np.searchsorted(days, day, side="right")
    seen = np.maximum(np.minimum(day, until), days[count - 1])  # silence after the last check proves nothing
    following = np.append(days, np.iinfo(np.int64).max)[count]
    rates = np.stack([_rate(days, count, seen, half_life) for half_life in HALF_LIVES], axis=1)
    return (
        np.full(len(day), index),
        day,
        weeks + PAST,
        count,
        (seen - days[count - 1]).astype(np.float64),
        rates,
        day + HORIZON <= until,
        (following <= day + HORIZON).astype(np.float64),
    )


def _rate(days: Days, count: Days, seen: Days, half_life: float) -> Floats:
    """Return releases a day, the recent ones weighing more. The first only opens the observation."""
    decay = np.log(2) / half_life
    weights = np.zeros(len(days))
    for index in range(1, len(days)):
        weights[index] = weights[index - 1] * np.exp(-decay * (days[index] - days[index - 1])) + 1
    number = weights[count - 1] * np.exp(-decay * (seen - days[count - 1]))
    span = (1 - np.exp(-decay * (seen - days[0]))) / decay
    return np.asarray((PRIOR_RELEASES + number) / (PRIOR_DAYS + span), np.float64)


def _base_rates(rows: _Rows, artists: int) -> tuple[Floats, Floats]:
    """Return each artist's share of past weeks that a release followed, shrunk to the peers', and that of the peers."""
    everyone = _known_before(rows, np.zeros_like(rows.artist), 1)
    own = _known_before(rows, rows.artist, artists)
    others = everyone - own
    peers = (others[:, 1] + 0.2) / (others[:, 0] + 1)
    return (own[:, 1] + OWN_WEIGHT * peers) / (own[:, 0] + OWN_WEIGHT), peers


def _known_before(rows: _Rows, group: Days, groups: int) -> Floats:
    """Return for each row how many forecasts of its group had come out by its day, and how many with a release."""
    lag = HORIZON // STEP
    weeks = PAST + 1 + lag
    cells = (rows.week[rows.known] + lag) * groups + group[rows.known]
    known = np.bincount(cells, minlength=weeks * groups).reshape(weeks, groups).cumsum(axis=0)
    happened = np.bincount(cells, rows.happened[rows.known], weeks * groups).reshape(weeks, groups).cumsum(axis=0)
    return np.stack([known[rows.week, group], happened[rows.week, group]], axis=1)


def _model(rows: _Rows, own: Floats, peers: Floats) -> Floats:
    """Return what a logistic regression says that learns anew each quarter from what had come out by then."""
    features = _features(rows, own, peers)
    result = own.copy()
    lag = HORIZON // STEP
    for first in range(PAST % REFIT, PAST + 1, REFIT):
        chosen = (rows.week >= first) & (rows.week < first + REFIT)
        learnt = np.flatnonzero(rows.known & (rows.week <= first - lag) & (rows.week > first - lag - LEARNS_FROM))
        learnt = learnt[:: len(learnt) // SAMPLE + 1]
        if chosen.any() and len(learnt) >= LEARNS_FROM:
            result[chosen] = _logistic(features[chosen] @ _fit(features[learnt], rows.happened[learnt]))
    return result


def _features(rows: _Rows, own: Floats, peers: Floats) -> Floats:
    short, middle, long = (np.log(np.expm1(HORIZON * rate)) for rate in rows.rates.T)
    age = np.log1p(rows.age)
    recent = [(rows.age < days).astype(np.float64) for days in (7, 14, 28)]
    several = np.log(rows.count)
    return np.stack(
        [np.ones_like(age), middle, short, long, age, *recent, age * middle, several, _odds(own), _odds(peers)], axis=1
    )


def _fit(features: Floats, happened: Floats) -> Floats:
    """Fit by Newton's method, with a ridge that keeps every step solvable."""
    weights = np.zeros(features.shape[1])
    for _ in range(8):
        chance = _logistic(features @ weights)
        slope = features.T @ (happened - chance) - weights
        curve = (features * (chance * (1 - chance))[:, None]).T @ features + np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, slope)
    return weights


def _logistic(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))), np.float64)


def _odds(chance: Floats) -> Floats:
    return np.asarray(np.log(chance / (1 - chance)), np.float64)
