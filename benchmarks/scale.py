"""Ten thousand artists with a million known releases: what a run takes, what is stored, what reading commands take."""

from __future__ import annotations

import argparse
import csv
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from _process import BARE, Freshwax, Measured, measure, server
from _table import fact, headline, say, verdict
from freshwax.demo.builder import base62_id
from freshwax.demo.chance import Dice
from freshwax.demo.names import Titles, artist_name

MEMORY = 250  # MB
DATABASE = 400  # MB
RATIO = 2.0
# A year of weekly runs over fewer artists: from the 13th week on, what comes in pushes out what is 90 days old; the
# first audit, in the 26th, brings more at once, and its room is used again.
FULL_WEEK = 27
GROWTH = 2.0  # kB a week: the run, and its report
COLUMNS = ("artist_id", "artist_name", "release_id", "title", "type", "release_date", "total_tracks", "appears_at")


def main() -> int:
    options = _options()
    headline()
    now = datetime.now(UTC).replace(microsecond=0)
    learnt = now - timedelta(days=7)
    with TemporaryDirectory(prefix="freshwax-bench-") as name:
        folder = Path(name)
        rows = folder / "rows.csv"
        _write(rows, options, now)
        with server("--rows", str(rows), "--at", now.isoformat()) as spotify:
            user = Freshwax(folder, spotify.url)
            _build(rows, user.database, learnt)
            checks = _measure(user, options, now)
        return verdict((*checks, *(_year(folder, options, now) if options.year_of else ())))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artists", type=int, default=10_000)
    parser.add_argument("--releases", type=int, default=100, help="known releases of each artist")
    parser.add_argument("--new", type=int, default=100, help="artists that have something new")
    parser.add_argument("--times", type=int, default=7, help="runs of each command, of which the median counts")
    parser.add_argument("--year-of", type=int, default=200, help="artists in a year of weekly runs; 0: without one")
    return parser.parse_args()


def _write(path: Path, options: argparse.Namespace, now: datetime) -> None:
    """Write the world as rows: what the server serves, and what the database is built from."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number in range(options.artists):
            dice = Dice("scale", number)
            who = (base62_id("artist", number), artist_name(dice))
            titles = Titles(dice, 0.0, 0.0)
            albums = dice.below(options.releases // 2 + 1)
            for count in range(options.releases):
                day = now.date() - timedelta(days=100 + 40 * count + dice.below(40))
                rows.writerow(
                    _row(who, f"{number}-{count}", titles.next(), "album" if count < albums else "single", day)
                )
            if number < options.new:
                day = now.date() - timedelta(days=2)
                rows.writerow(_row(who, f"{number}-new", titles.next(), "single", day))


def _row(who: tuple[str, str], key: str, title: str, kind: str, day: date) -> tuple[object, ...]:
    return (*who, base62_id("release", key), title, kind, day, 1 if kind == "single" else 10, f"{day}T01:00")


def _build(rows: Path, database: Path, at: datetime) -> None:
    """Learn the world as the tracker would, without HTTP; a week ago, so that everybody is due.

    In a process of its own: what a process starts begins with its memory, and would be charged for it.
    """
    builder = Path(__file__).with_name("_direct.py")
    done = measure([sys.executable, str(builder), str(rows), str(database), at.isoformat()])
    if done.exit_code:
        raise SystemExit(done.stderr)
    say(f"{int(done.stdout):,} known releases in a database of {database.stat().st_size / 1e6:,.0f} MB,")
    say(f"built in {done.wall:.0f} s by the tracker itself, without HTTP")
    say()


def _measure(user: Freshwax, options: argparse.Namespace, now: datetime) -> tuple[tuple[str, bool], ...]:
    run, report = user.track()
    coverage, cost = report["coverage"], report["cost"]
    again, unchanged = user.track("--force")
    say(f"  {'':<26}{'checked':>9}{'told':>7}{'requests':>10}{'wall, s':>9}{'CPU, s':>8}{'MB':>7}")
    for label, done, what in (("a run over all of them", run, report), ("another, all of it 304", again, unchanged)):
        told, asked = len(what["releases"]), what["cost"]["requests"]
        checked = what["coverage"]["checked"]
        say(f"  {label:<26}{checked:>9,}{told:>7}{asked:>10,}{done.wall:>9.1f}{done.cpu:>8.1f}{done.memory:>7.0f}")
    say()
    since = (now - timedelta(days=6)).date().isoformat()
    commands = (
        ("track", "--from-cache"),
        ("releases", "--since", since),
        ("artists", "list"),
        ("runs",),
    )
    say(f"  {'command, as a process':<34}{'lines':>8}{'wall, ms':>10}{'CPU, ms':>9}{'MB':>5}{'x bare':>9}")
    ratios = {command: _paired(user, command, options.times) for command in commands}
    say(f"  bare: {BARE[-1]}, paired run by run")
    memory = max(run.memory, again.memory)
    complete = coverage["checked"] == options.artists and len(report["releases"]) == min(options.new, options.artists)
    size = user.database.stat().st_size / 1e6
    say()
    fact("requests a check", f"{cost['requests'] / max(coverage['checked'], 1):.3f}")
    fact("database after these runs, MB", f"{size:.0f}")
    return (
        ("everybody checked, everything new told", complete),
        (f"peak memory of a run under {MEMORY} MB", memory < MEMORY),
        (f"a database under {DATABASE} MB", size < DATABASE),
        (f"track --from-cache at most {RATIO:.0f} x bare", ratios[commands[0]] <= RATIO),
        (f"releases --since at most {RATIO:.0f} x bare", ratios[commands[1]] <= RATIO),
    )


def _year(folder: Path, options: argparse.Namespace, now: datetime) -> tuple[tuple[str, bool], ...]:
    """Let a smaller list live through a year of weekly runs in which nothing appears; show how its database grows."""
    fewer = argparse.Namespace(artists=options.year_of, releases=options.releases, new=0)
    rows, database = folder / "year.csv", folder / "year.db"
    _write(rows, fewer, now)
    builder = Path(__file__).with_name("_direct.py")
    done = measure([sys.executable, str(builder), str(rows), str(database), now.isoformat(), "52"])
    if done.exit_code:
        raise SystemExit(done.stderr)
    _, *sizes = (int(line) for line in done.stdout.split())
    say()
    say(f"  a year of weekly runs over {options.year_of:,} artists, nothing new")
    for week in (1, 14, FULL_WEEK, 39, 52):
        fact(f"database after week {week}, MB", f"{sizes[week - 1] / 1e6:.2f}")
    growth = (sizes[51] - sizes[FULL_WEEK - 1]) / (52 - FULL_WEEK) / 1e3
    fact(f"a week after week {FULL_WEEK} adds, kB", f"{growth:.2f}")
    return ((f"a week after week {FULL_WEEK} adds at most {GROWTH:.0f} kB", growth <= GROWTH),)


def _paired(user: Freshwax, command: tuple[str, ...], times: int) -> float:
    """Run a command and the bare interpreter by turns; print the command's medians, return the ratio of the walls."""
    pairs: list[tuple[Measured, Measured]] = [(user.run(*command), measure(BARE)) for _ in range(times)]
    wall, cpu = median(own.wall for own, _ in pairs), median(own.cpu for own, _ in pairs)
    ratio = median(own.wall / bare.wall for own, bare in pairs)
    lines, memory = pairs[0][0].stdout.count("\n"), max(own.memory for own, _ in pairs)
    say(f"  {' '.join(command):<34}{lines:>8,}{wall * 1e3:>10.0f}{cpu * 1e3:>9.0f}{memory:>5.0f}{ratio:>9.2f}")
    return ratio


if __name__ == "__main__":
    sys.exit(main())
