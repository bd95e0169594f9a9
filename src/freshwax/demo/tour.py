"""The tour: an invented world, a baseline and eight weekly runs, and what each of them brought and cost."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote

from freshwax.clock import SimulatedClock, SystemClock
from freshwax.demo.generate import generate
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Score, Trial
from freshwax.errors import UsageError
from freshwax.model import Kind, Line, Report, Run
from freshwax.reports.escape import visible
from freshwax.reports.layout import fit
from freshwax.store.sqlite import SQLiteStore

ARTISTS = 120
WEEKS = 8
SEED = 7
BASELINE = datetime(2026, 3, 1, 18, tzinfo=UTC)  # a Sunday evening
WIDTH = 77  # of 80 columns: where a terminal has no ellipsis, three dots stand for it
SHOWN = 5  # releases a week; the rest are counted

Say = Callable[[str], None]


def run(keep: Path | None, *, say: Say, quiet: bool = False) -> int:
    """Take the tour; with ``keep``, leave the database in that folder. Returns an exit code."""
    started = SystemClock().monotonic()
    end = BASELINE + timedelta(weeks=WEEKS, days=1)
    world = generate(SEED, artists=ARTISTS, start=BASELINE, end=end)
    artists = list(world.artists)
    with _database(keep) as path, DemoServer(world, BASELINE) as server:
        if not quiet:
            say(f"An invented world of {ARTISTS} artists, served on this machine as Spotify would serve it.")
        with closing(SQLiteStore.open(path)) as store:
            trial = Trial(world, server, store, SimulatedClock(BASELINE))
            trial.follow(artists)
            rows = [_week(trial, week, say) for week in range(WEEKS + 1)]
            score = trial.score(artists)
    for line in _table(rows):
        say(line)
    for line in _verdict(score, rows, SystemClock().monotonic() - started):
        say(line)
    if keep is not None:
        say(f"The database is yours to play with: freshwax --database {visible(quote(str(path)))} releases")
    return 0 if not score.twice else 1


@contextmanager
def _database(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="freshwax-demo-") as folder:
            yield Path(folder) / "freshwax.db"
        return
    path = keep / "freshwax.db"
    if path.exists():
        raise UsageError(f"{path} is there already: choose another folder, or remove it first.")
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {keep} cannot be made ({error.strerror}): choose another one.") from None
    yield path


def _week(trial: Trial, week: int, say: Say) -> tuple[Run, int, int]:
    """Do one run and show what it told; return it with the number of lines and the cost of a full scan."""
    at = BASELINE + timedelta(weeks=week)
    run, report = trial.track(at)
    say("")
    say(f"{_name(week)}, {at:%A %-d %B %Y}: {_found(report)}")
    for line in _best(report)[:SHOWN]:
        say(_line(line))
    if len(report.lines) > SHOWN:
        say(f"  and {len(report.lines) - SHOWN} more")
    return run, len(report.lines), trial.full_scan(trial.world.artists, at)


def _best(report: Report) -> list[Line]:
    """Return the lines with something of each kind first, so that a glance shows what kinds there are."""
    seen: dict[Kind, int] = {}
    ranked = []
    for line in report.lines:
        seen[line.kind] = seen.get(line.kind, 0) + 1
        ranked.append((seen[line.kind] > 1, list(Kind).index(line.kind), line.release.ref, line))
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])]


def _line(line: Line) -> str:
    release = line.release
    artists = ", ".join(credit.name for credit in release.artists)
    date = release.date.value if release.date else "no date"
    told = f"  {line.kind:<14} {date:<10}  {release.type:<6}  {release.title or '(untitled)'} / {artists}"
    return fit(visible(told), WIDTH)


def _found(report: Report) -> str:
    number = len(report.lines)
    return "nothing new" if not number else f"{number} release{'s' if number > 1 else ''}"


def _name(week: int) -> str:
    return f"Week {week}" if week else "Baseline"


def _table(rows: list[tuple[Run, int, int]]) -> list[str]:
    out = ["", f"{'run':<10}{'releases':>9}{'checked':>12}{'requests':>11}{'full scan':>12}{'seconds':>10}"]
    for week, (one, found, scan) in enumerate(rows):
        seen = f"{one.coverage.checked} of {one.coverage.artists}"
        out.append(f"{_name(week):<10}{found:>9}{seen:>12}{one.cost.requests:>11}{scan:>12}{one.cost.seconds:>10.1f}")
    return out


def _verdict(score: Score, rows: list[tuple[Run, int, int]], seconds: float) -> list[str]:
    """Sum up; what the probe cannot see until its turn is said, not hidden."""
    weekly = rows[1:]
    requests, scan = sum(one.cost.requests for one, _, _ in weekly), sum(cost for _, _, cost in weekly)
    out = [
        "",
        (
            f"{score.told} of {score.expected} releases that appeared in {WEEKS} weeks were told, "
            f"{len(score.twice)} of them twice."
        ),
        f"{requests} requests in {WEEKS} weeks, where full scans take {scan}; all of it took {seconds:.1f} s.",
    ]
    if score.delayed or score.lost:
        out.insert(
            2,
            f"{len(score.delayed)} came a run or more late, {len(score.lost)} still wait: swapped or back-dated "
            "records,\nwhich the probe sees by turns (docs/how-it-works.md).",
        )
    return out
