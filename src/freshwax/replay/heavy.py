"""An invented world whose artists differ as real ones do: few release much, many hardly anything, and in bursts."""

from __future__ import annotations

import numpy as np

from freshwax.replay.timeline import Timeline, from_columns

START = 17532  # 2018-01-01, in days since 1970: what lies before it is history, 52 weeks from it on are replayed
HISTORY_DAYS = 3 * 365
REPLAY_DAYS = 52 * 7
RUN_OUT = 28
BEFORE = 400.0  # the first spells begin before the history does, so that it begins in the middle of things
SHAPE, MEAN = 0.6, 3.0  # of the gamma distribution of releases a year, while active
ACTIVE, DORMANT = 500.0, 350.0  # mean days of a spell
BRANCHING, LAG = 0.35, 35.0  # a release brings so many others, after so many days on average
FRIDAY, FRIDAYS = 4, 0.7
ALBUMS = 0.2
THURSDAY = 3  # 1970-01-01


def heavy(seed: int, artists: int = 5000) -> Timeline:
    """Return an invented world: three years of history, 52 weeks to replay; the same seed, the same world.

    Rates a year are Gamma(0.6) with a mean of 3 while active; spells of activity and silence are exponential; releases
    bring others (a Hawkes process); 70 % fall on a Friday; at most one an artist and day, listed at some time in the
    first twelve hours (UTC) of its day.
    """
    rng = np.random.default_rng(seed)
    rates = rng.gamma(SHAPE, MEAN / SHAPE, artists)
    own = [_days(rng, float(rate)) for rate in rates]
    who = np.repeat(np.arange(artists), [len(days) for days in own])
    day = np.concatenate(own) if own else np.zeros(0, np.int64)
    return from_columns(
        tuple(f"heavy{number:07d}" for number in range(artists)),
        who,
        day + rng.uniform(0, 0.5, len(day)),
        day,
        album=rng.random(len(day)) < ALBUMS,
        exact=np.ones(len(day), bool),
    )


def _days(rng: np.random.Generator, rate: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the days of an artist's releases, each once."""
    first = START - HISTORY_DAYS
    at = _offspring(rng, _spontaneous(rng, rate * (1 - BRANCHING) / 365))
    day = np.floor(at).astype(np.int64) + first
    weekday = (day + THURSDAY) % 7
    day = np.where(rng.random(len(day)) < FRIDAYS, day - weekday + FRIDAY, day)
    return np.unique(day[day >= first])


def _spontaneous(rng: np.random.Generator, rate: float) -> list[float]:
    """Return the instants of what comes by itself, in days since the history's beginning."""
    end = float(HISTORY_DAYS + REPLAY_DAYS + RUN_OUT)
    at, active = -BEFORE, rng.random() < ACTIVE / (ACTIVE + DORMANT)
    found: list[float] = []
    while at < end:
        until = min(at + rng.exponential(ACTIVE if active else DORMANT), end)
        if active:
            found.extend(rng.uniform(at, until, rng.poisson(rate * (until - at))))
        at, active = until, not active
    return found


def _offspring(rng: np.random.Generator, parents: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the parents and all that they brought, and that brought in turn."""
    end = HISTORY_DAYS + REPLAY_DAYS + RUN_OUT
    everything, waiting = list(parents), list(parents)
    while waiting:
        parent = waiting.pop()
        children = [parent + lag for lag in rng.exponential(LAG, rng.poisson(BRANCHING))]
        kept = [child for child in children if child < end]
        everything += kept
        waiting += kept
    return np.asarray(everything, float)
