"""What planning costs: profiles and a plan for a million artists with ten million releases, and a plan for 500.

For the million: CPU seconds and memory beyond the columns that were read. For the 500: what a run takes longer, with
everything that is read and imported for it. The histories are invented and seeded.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from _direct import learn
from _process import measure as in_process
from _table import fact, headline, verdict
from freshwax.demo.generate import generate
from freshwax.planning.activity import Activity, Observed, days, events_of, measure, recommended, tier
from freshwax.planning.policies import Bounds, Standing, choose
from freshwax.store.sqlite import SQLiteStore

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
    standing = Standing(checked, checked, checked, np.zeros(artists, np.int64), np.arange(artists))
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


def household(artists: int) -> list[tuple[str, bool]]:
    """What a smart batch adds to a run, measured in processes of its own over a database that the tracker wrote."""
    world = generate(seed=3, artists=artists, start=NOW - timedelta(days=60), end=NOW)
    with TemporaryDirectory(prefix="freshwax-bench-") as folder:
        database = Path(folder) / "freshwax.db"
        with closing(SQLiteStore.open(database)) as store:
            learn(world, store, NOW - WEEK)
            releases = len(store.releases())
        command = (sys.executable, str(Path(__file__).with_name("_picks.py")), str(database), NOW.isoformat())
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as `freshwax` sets it
        added = median(float(in_process(command, env).stdout) for _ in range(7))
    fact("artists", artists, f"{releases:,} releases")
    fact("added to a run, ms (median of 7)", f"{added:.0f}", "with the import of numpy")
    return [("a plan for a household adds at most 150 ms", added <= 150)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artists", type=int, default=1_000_000)
    parser.add_argument("--releases", type=int, default=10_000_000)
    parser.add_argument("--household", type=int, default=500, help="artists of the plan for one user")
    options = parser.parse_args()
    headline()
    small = household(options.household)
    return verdict([*small, *million(options.artists, options.releases)])


if __name__ == "__main__":
    sys.exit(main())
