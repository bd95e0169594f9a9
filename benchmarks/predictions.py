"""Forecasts of "a release within 28 days" on recorded histories: Brier scores, calibration, and what is claimed.

DIR holds ``releases.csv.gz`` (artist_id, artist_name, release_id, title, type, release_date, date_precision) and
``artists.csv.gz`` (artist_id, completeness, complete_from). Each week from ``--from`` on is forecast for every artist,
knowing only what was known then. What the program would have claimed on that day is held against what followed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import random
import sys
import time
from array import array
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from _table import fact, headline, say, verdict
from freshwax.history import ALBUM, EXACT, History
from freshwax.model import Artist, ArtistState, Ref
from freshwax.planning import patterns
from freshwax.planning.forecast import Forecasts, forecast

EPOCH = date(1970, 1, 1)
CALENDAR = ("weekday", "months")  # habits that go when the days are dealt out anew; how often one releases stays
Row = tuple[int, int, bool]  # artist, day, album


def main() -> int:
    options = _options()
    headline()
    names, rows, last = load(options.data)
    first = (date.fromisoformat(options.first) - EPOCH).days
    started = time.process_time()
    claimed = patterns.find(history(names, [row for row in rows if row[1] < first], first), noon(first))
    found = patterns.find(history(names, rows, last), noon(last))
    seconds = (time.process_time() - started) / 2
    forecasts = forecast(days_of(len(names), rows), np.full(len(names), last), last)
    say(f"{len(names):,} artists, {len(rows):,} release days, forecast weekly from {options.first} to {_day(last)}")
    say()
    later = forecasts.known & (forecasts.day >= first)
    scores = brier(forecasts, later)
    say(f"  {'Brier score, lower is better':<36}{'forecast':>12}{'own base':>12}{'peers':>12}")
    _scores(forecasts, later, "all artists")
    windows = np.array([one.window.value is not None for one in claimed])
    shown = later & windows[forecasts.artist]
    _scores(forecasts, shown, f"the {windows.sum():,} with a window claimed")
    _scores(forecasts, later & ~windows[forecasts.artist], "the others")
    say()
    calibration(forecasts, later)
    say()
    claims(found, names, rows, last)
    fact("CPU seconds for all patterns", f"{seconds:.2f}")
    kept = brier(forecasts, shown)
    return verdict(
        (
            ("the forecast beats the artists' base rates and the peers'", scores[0] < min(scores[1:])),
            ("and does so after the day it was claimed, for whom it was", not shown.any() or kept[0] < min(kept[1:])),
        )
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--from", dest="first", default="2019-01-01", metavar="DAY")
    return parser.parse_args()


def load(folder: Path) -> tuple[list[str], list[Row], int]:
    """The artists, each one's release days in the part that is complete, and the day of the snapshot.

    A first of January is a year in disguise.
    """
    since = {
        row["artist_id"]: "" if row["completeness"] == "all" else row["complete_from"]
        for row in _rows(folder / "artists.csv.gz")
        if row["completeness"] in {"all", "since_oldest_single"}
    }
    names = list(since)
    index = {name: number for number, name in enumerate(names)}
    rows: dict[tuple[int, int], bool] = {}
    for row in _rows(folder / "releases.csv.gz"):
        artist, day = row["artist_id"], row["release_date"]
        if row["date_precision"] == "day" and artist in since and day >= since[artist] and day[5:] != "01-01":
            key = (index[artist], (date.fromisoformat(day) - EPOCH).days)
            rows[key] = rows.get(key, False) or row["type"] == "album"
    listed = sorted((artist, day, album) for (artist, day), album in rows.items())
    return names, listed, max((day for _, day, _ in listed), default=0)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    return csv.DictReader(io.StringIO(text, newline=""))


def history(names: list[str], rows: list[Row], last: int) -> History:
    """As the store would give it to a check on the last day."""
    artists = tuple(
        Artist(Ref("recorded", name), name, ArtistState.ACTIVE, noon(last), noon(last), learnt=True) for name in names
    )
    flags = bytes(EXACT | (ALBUM if album else 0) for _, _, album in rows)
    owners = array("q", [owner for owner, _, _ in rows])
    return History(artists, bytes(len(names)), owners, array("q", [day for _, day, _ in rows]), flags)


def noon(day: int) -> datetime:
    return datetime(1970, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)


def days_of(artists: int, rows: list[Row]) -> list[NDArray[np.int64]]:
    days: list[list[int]] = [[] for _ in range(artists)]
    for owner, day, _ in rows:
        days[owner].append(day)
    return [np.array(one, np.int64) for one in days]


def brier(forecasts: Forecasts, rows: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Of the forecast, the artists' base rates, and the peers'."""
    happened = forecasts.happened[rows]
    if not len(happened):
        return (0.0, 0.0, 0.0)
    own, base, peers = (
        float(((chance[rows] - happened) ** 2).mean()) for chance in (forecasts.model, forecasts.own, forecasts.peers)
    )
    return own, base, peers


def _scores(forecasts: Forecasts, rows: NDArray[np.bool_], who: str) -> None:
    own, base, peers = brier(forecasts, rows)
    say(f"  {who:<36}{own:>12.4f}{base:>12.4f}{peers:>12.4f}")


def calibration(forecasts: Forecasts, rows: NDArray[np.bool_]) -> None:
    """Print forecasts by tenths beside what came true."""
    say(f"  {'forecast':<12}{'artist weeks':>14}{'mean forecast':>16}{'came true':>12}")
    chance, happened = forecasts.model[rows], forecasts.happened[rows]
    tenth = np.minimum((chance * 10).astype(int), 9)
    for bin_ in np.unique(tenth):
        inside = tenth == bin_
        label = f"{bin_ * 10}-{bin_ * 10 + 10} %"
        say(f"  {label:<12}{inside.sum():>14,}{chance[inside].mean():>16.3f}{happened[inside].mean():>12.3f}")


def claims(found: list[patterns.Patterns], names: list[str], rows: list[Row], last: int) -> None:
    """Print how many artists have which pattern, and how many would by chance, had nobody a habit."""
    dealt = patterns.find(history(names, _dealt(rows), last), noon(last))
    say(f"  {'claimed':<12}{'tested':>14}{'claimed':>12}{'by chance':>12}")
    for name in ("weekday", "months", "gap", "albums", "leads", "window"):
        real = [getattr(one, name) for one in found]
        tested = sum(claim.test is not None for claim in real)
        chance = f"{sum(getattr(one, name).value is not None for one in dealt):,}" if name in CALENDAR else ""
        say(f"  {name:<12}{tested:>14,}{sum(claim.value is not None for claim in real):>12,}{chance:>12}")


def _dealt(rows: list[Row]) -> list[Row]:
    """The same days, and as many an artist, but nobody has a habit."""
    days = [(day, album) for _, day, album in rows]
    random.Random(7).shuffle(days)
    pairs = {(owner, day): album for (owner, _, _), (day, album) in zip(rows, days, strict=True)}
    return sorted((owner, day, album) for (owner, day), album in pairs.items())


def _day(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()


if __name__ == "__main__":
    sys.exit(main())
