"""Replays recorded release histories through the stand-in server and the real client: a year, weekly.

DIR holds ``releases.csv.gz`` (artist_id, artist_name, release_id, title, type, release_date, date_precision) and
``artists.csv.gz`` (artist_id, completeness, complete_from). Artists whose listing is complete from before the replay
are followed. Each release is listed from its date on.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from _judge import judge
from _table import costs, fact, headline, outcome, say, verdict
from _trial import WatchedTrial, watched
from freshwax.demo.world import World, instant

TARGET = 1.10


def main() -> int:
    options = _options()
    headline()
    started = time.monotonic()
    world = load(options.data, options.complete_before)
    first, last = instant(options.first), instant(options.last)
    with watched(world, first, options.quota or None) as trial:
        trial.live(first, last)
        return _show(trial, time.monotonic() - started)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--complete-before", default="2018-01-01", metavar="DAY")
    parser.add_argument("--first", default="2019-01-06T18:00", help="the first run (UTC)")
    parser.add_argument("--last", default="2020-02-09T18:00", help="no run after this (UTC)")
    parser.add_argument("--quota", type=int, default=580, help="requests in a rolling day; 0: any number")
    return parser.parse_args()


def load(folder: Path, complete_before: str) -> World:
    """The complete artists of a data set, and their releases."""
    complete = {
        row["artist_id"]
        for row in _rows(folder / "artists.csv.gz")
        if row["completeness"] == "all"
        or (row["completeness"] == "since_oldest_single" and row["complete_from"] < complete_before)
    }
    return World.from_rows(row for row in _rows(folder / "releases.csv.gz") if row["artist_id"] in complete)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    return csv.DictReader(io.StringIO(text, newline=""))


def _show(trial: WatchedTrial, seconds: float) -> int:
    judged = judge(trial)
    weekly = [row for row in trial.rows if row.regular]
    say(f"{len(trial.world.artists)} artists, {len(trial.world.releases):,} releases, {_span(trial)}")
    say()
    fact("learning: days", sum(row.at < weekly[0].at for row in trial.rows))
    fact("learning: told as recent", judged.at_learning)
    fact("weekly runs", len(weekly))
    fact("runs in between, for the quota", sum(row.at > weekly[0].at and not row.regular for row in trial.rows))
    say()
    outcome(judged)
    say()
    rate = costs(trial)
    say()
    fact("seconds", f"{seconds:.0f}")
    exact = len(judged.in_time) + len(judged.twins) == len(judged.expected)
    return verdict(
        (
            ("every release told in the first run after it appeared", exact),
            ("nothing lost", not judged.lost),
            ("nothing told twice, nothing old told as new", not judged.twice and not judged.stale),
            (f"at most {TARGET:.2f} requests an artist and week", rate <= TARGET),
        )
    )


def _span(trial: WatchedTrial) -> str:
    return f"{trial.rows[0].at:%Y-%m-%d} to {trial.rows[-1].at:%Y-%m-%d}"


if __name__ == "__main__":
    sys.exit(main())
