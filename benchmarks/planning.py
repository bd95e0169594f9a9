"""What planning costs: profiles and a plan for a million artists with ten million releases, and a plan for 500.

CPU seconds and memory beyond the columns that were read. The histories are invented and seeded.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from array import array
from datetime import UTC, datetime, timedelta

import numpy as np

from _table import fact, headline, verdict
from freshwax.model import EXACT, Artist, ArtistState, History, Ref
from freshwax.planning.activity import Activity, Observed, days, events_of, measure, recommended, tier
from freshwax.planning.batch import plan_batch
from freshwax.planning.policies import Bounds, Standing, choose

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEARS = 3
WEEK = timedelta(days=7)


def columns(artists: int, releases: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    weights = dice.gamma(0.6, 1.0, artists)
    counts = dice.multinomial(releases, weights / weights.sum())
    artist = np.repeat(np.arange(artists), counts)
    day = dice.integers(int(days(NOW)) - YEARS * 365, int(days(NOW)), releases)
    order = np.lexsort((day, artist))
    return artist[order], day[order]


def million(artists: int, releases: int) -> list[tuple[str, bool]]:
    artist, day = columns(artists, releases, 1)
    dice = np.random.default_rng(2)
    checked = days(NOW) - dice.uniform(0.5, 80, artists)
    since = np.full(artists, days(NOW) - YEARS * 365)
    album = np.zeros(len(artist), bool)
    seen = Observed(artists, events_of(artist, day, album), since, checked)
    standing = Standing(checked, np.zeros(artists, bool), np.arange(artists))
    bounds = Bounds(artists // 10, 7.0, 90.0)

    def profile() -> Activity:
        activity = measure(seen, days(NOW))
        tier(activity, ~np.isnan(checked), days(NOW))
        recommended(activity.rate, mean_interval=35.0, max_interval=90.0)
        return activity

    started = time.process_time()
    activity = profile()
    profiled = time.process_time()
    choose("adaptive", standing, activity, days(NOW), bounds)
    ended = time.process_time()
    tracemalloc.start()  # once more, for the memory alone: tracing takes time
    choose("adaptive", standing, profile(), days(NOW), bounds)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    fact("artists", artists, f"{releases:,} releases")
    fact("profiles, s of CPU", f"{profiled - started:.2f}")
    fact("a plan of a tenth, s of CPU", f"{ended - profiled:.2f}")
    fact("MiB beyond the columns", f"{peak:,.0f}")
    return [
        ("profiles and a plan in at most 5 s of CPU", ended - started <= 5),
        ("in at most 1.5 GB beyond the columns", peak <= 1.5 * 1024),
    ]


def household(artists: int, releases: int) -> list[tuple[str, bool]]:
    artist, day = columns(artists, releases, 3)
    dice = np.random.default_rng(4)
    followed = tuple(
        Artist(Ref("spotify", f"{i:022d}"), f"Artist {i}", ArtistState.ACTIVE, NOW - timedelta(days=400), learnt=True,
               checked_at=NOW - timedelta(days=float(dice.uniform(0.5, 60))))
        for i in range(artists)
    )  # fmt: skip
    history = History(followed, bytes(artists), array("q", artist), array("q", day), bytes([EXACT]) * len(day))
    timings = []
    for _ in range(7):
        started = time.perf_counter()
        plan_batch("adaptive", history, NOW, budget=100, every=WEEK, max_interval=timedelta(days=90),
                   fresh_for=timedelta(hours=12))  # fmt: skip
        timings.append((time.perf_counter() - started) * 1000)
    median = sorted(timings)[3]
    fact("artists", artists, f"{releases:,} releases")
    fact("a plan, ms (median of 7)", f"{median:.1f}")
    return [("a plan for a household adds at most 150 ms", median <= 150)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artists", type=int, default=1_000_000)
    parser.add_argument("--releases", type=int, default=10_000_000)
    options = parser.parse_args()
    headline()
    small = household(500, 15_000)
    return verdict([*small, *million(options.artists, options.releases)])


if __name__ == "__main__":
    sys.exit(main())
