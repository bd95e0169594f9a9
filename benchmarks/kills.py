"""kill -9, hundreds of times: before and after every commit, at random moments, at random times.

A real freshwax process against the stand-in server, another process. It dies, is run again until it is complete, and
what all its lives printed is held against what the world brought: each release once. One repetition is allowed, and
counted: what had been printed when the process died before it could record that is told again rather than lost.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from _mortals import BACKUP, REPORT, Kill, Life, Mortal, Nursery, Scene, Trace, of_first_schema
from _process import Freshwax, Server, server
from _table import WIDTH, fact, headline, say, verdict
from freshwax.clock import SimulatedClock
from freshwax.demo.api import Manners
from freshwax.demo.builder import WorldBuilder
from freshwax.demo.trial import Trial
from freshwax.demo.world import World
from freshwax.store.sqlite import SQLiteStore

NOW = datetime.now(UTC)
WEEK_AGO = NOW - timedelta(days=7)
JSON = ("--format", "json")
TRACK = ("track", *JSON)
FROM_CACHE = ("track", "--from-cache", *JSON)
TWICE = 0.2  # so many of the random deaths are followed by another one
COMMIT = "COMMIT"


def main() -> int:
    options = _options()
    headline()
    started = time.monotonic()
    world = _world(NOW, options.artists)
    with TemporaryDirectory(prefix="freshwax-kills-") as name:
        folder = Path(name)
        _write_rows(folder / "rows.csv", world)
        with server("--rows", str(folder / "rows.csv")) as running, closing(Nursery(folder)) as nursery:
            mortal = Mortal(nursery, folder, Freshwax(folder, running.url).env)
            scenes = [scene for scene in _scenes(folder, running, world, mortal) if scene.name in options.scene]
            tallies = _kill_all(folder, running, scenes, _expected(world), options)
    say(f"  ({time.monotonic() - started:.0f} seconds)")
    return _show(tallies, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=540, help="random kill points, a third of them by time")
    parser.add_argument("--artists", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=4, help="scenes at once")
    parser.add_argument("--scene", nargs="+", choices=NAMES, default=NAMES)
    return parser.parse_args()


# -- what there is to tell -------------------------------------------------------------------------------------------


def _world(now: datetime, count: int) -> World:
    """A few artists, every third with many albums, who bring out one thing of each sort within the week."""
    world = WorldBuilder("kills")
    artists = [world.artist(f"Bunting {number}") for number in range(count)]

    def day(days: int) -> str:
        return (now + timedelta(days=days)).date().isoformat()

    listed = now - timedelta(hours=1)
    for number, artist in enumerate(artists):
        for old in range(14 if number % 3 == 0 else 2):
            artist.album(f"{artist.name}, volume {old}", day(-500 - 90 * old))
        artist.single(f"{artist.name}, at first", day(-400))
        artist.single(f"{artist.name} today", day(-number % 4 - 2), appears=listed)
    artists[0].album("The Long Way", day(-2), appears=listed)
    artists[1].single("Found Late", day(-40), appears=listed)
    artists[2].single("Not Yet", day(5), appears=listed)
    world.twin(artists[1].single("Said Twice", day(-1), appears=listed))
    world.joint("Together", day(-1), artists[:3], appears=listed)
    return world.build()


def _expected(world: World) -> list[str]:
    """The titles that came within the week."""
    return sorted({one.title for one in world.releases if WEEK_AGO < one.appears_at <= NOW})


def _write_rows(path: Path, world: World) -> None:
    """The world as the server's process reads it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        names = ("artist_id", "artist_name", "release_id", "title", "type", "release_date", "appears_at")
        table.writerow(names)
        for one in world.releases:
            for artist in one.artists:
                facts = (one.id, one.title, one.type, one.date.value, one.appears_at.isoformat())
                table.writerow((artist, world.artists[artist].name, *facts))


class _Remote:
    """The server's process, for a trial: what it uses of a server in its own process."""

    def __init__(self, running: Server) -> None:
        self._running = running
        self.manners = Manners()
        self.accounts_url = running.url
        self.api_url = f"{running.url}/v1"

    def __setattr__(self, name: str, value: object) -> None:
        if name == "at":
            assert isinstance(value, datetime)
            self._running.control(at=value.isoformat())
        else:
            super().__setattr__(name, value)


# -- what is killed --------------------------------------------------------------------------------------------------

NAMES = (
    "a weekly run",
    "into a file",
    "a first run",
    "smart batch",
    "budget spent",
    "prefetch",
    "background",
    "from cache",
    "migration",
    "import",
    "backup",
    "restore",
)


def _scenes(folder: Path, running: Server, world: World, mortal: Mortal) -> Iterator[Scene]:
    learnt = folder / "learnt.db"
    with closing(SQLiteStore.open(learnt)) as store:
        trial = Trial(world, _Remote(running), store, SimulatedClock(WEEK_AGO))  # type: ignore[arg-type]
        trial.follow(world.artists)
        trial.track(WEEK_AGO)
    running.control(at=NOW.isoformat())
    listed = folder / "artists.txt"
    listed.write_text("\n".join(world.artists), "utf-8")
    batch = ("track", "--smart-batch", "--budget", "5", *JSON)
    yield Scene("a weekly run", learnt, TRACK)
    yield Scene("into a file", learnt, (*TRACK, "--output", REPORT))
    yield Scene("a first run", None, (*TRACK, str(listed)))
    yield Scene("smart batch", learnt, batch, (TRACK,))
    yield Scene("budget spent", learnt, ("track", "--budget", "5", *JSON), (TRACK,))
    yield Scene("prefetch", learnt, ("prefetch", "--budget", "6"), (TRACK,))
    silent = Scene("background", learnt, ("track", "--background"), (FROM_CACHE,))
    yield silent
    yield Scene("from cache", mortal.left_by(silent, folder / "kept.db"), FROM_CACHE)
    yield Scene("migration", of_first_schema(learnt, folder / "first.db"), TRACK)
    yield Scene("import", None, ("artists", "import", str(listed)), (TRACK,))
    yield Scene("backup", learnt, ("backup", "--force", BACKUP), (TRACK,))
    yield Scene("restore", learnt, ("restore", str(learnt)), (TRACK,))


@dataclass
class Tally:
    """What came of the kills of one scene."""

    scene: Scene
    commits: int = 0
    boundaries: int = 0
    drawn: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    again: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    intact: int = 0
    damage: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many processes died."""
        return self.deaths.total()

    def add(self, trace: Trace, expected: list[str]) -> None:
        """Judge one user."""
        told = Counter(trace.told())
        twice = {title for title, times in told.items() if times > 1}
        again = twice & trace.excused()
        self.deaths.update(trace.deaths)
        self.again += bool(again)
        self.lost += sorted(set(expected) - told.keys())
        self.repeated += sorted(twice - again) + sorted(told.keys() - set(expected))
        self.intact += trace.intact
        self.damage += trace.damage
        self.unfinished += trace.unfinished


def _kill_all(
    folder: Path, running: Server, scenes: list[Scene], expected: list[str], options: argparse.Namespace
) -> list[Tally]:
    """Play the scenes, some at once: each in a folder, and with chances, of its own."""

    def play(number: int) -> Tally:
        tally = Tally(scenes[number])
        home = folder / f"scene-{number}"
        home.mkdir()
        share = options.kills * (number + 1) // len(scenes) - options.kills * number // len(scenes)
        with closing(Nursery(home)) as nursery:
            mortal = Mortal(nursery, home, Freshwax(home, running.url).env)
            _at_commits(mortal, tally, expected)
            _at_random(mortal, tally, expected, share, random.Random(f"{options.seed} {tally.scene.name}"))
        return tally

    say(f"  {HEAD[0]:<14}{HEAD[1]:>8}{HEAD[2]:>7}{HEAD[3]:>8}{HEAD[4]:>11}{HEAD[5]:>6}{HEAD[6]:>9}{HEAD[7]:>14}")
    tallies = []
    with ThreadPoolExecutor(options.jobs) as at_once:
        for tally in at_once.map(play, range(len(scenes))):
            tallies.append(tally)
            say(_row(tally))
    return tallies


def _at_commits(mortal: Mortal, tally: Tally, expected: list[str]) -> None:
    """Die before each commit, and at the first moment after it; one check at a time, so that all have their number."""
    tally.commits = mortal.rehearse(tally.scene, FRESHWAX_CONCURRENCY="1").moments.count(COMMIT)
    for nth in range(tally.commits):
        for later in (0, 1):
            trace = mortal.die(tally.scene, [(COMMIT, nth, later)], FRESHWAX_CONCURRENCY="1")
            tally.boundaries += bool(trace.deaths)
            tally.add(trace, expected)


def _at_random(mortal: Mortal, tally: Tally, expected: list[str], share: int, rng: random.Random) -> None:
    """Die at random moments and, every third time, at random instants; eight checks at once, as users have it."""
    rehearsal = mortal.rehearse(tally.scene)
    while tally.drawn < share:
        kills = [_draw(rng, rehearsal)]
        if rng.random() < TWICE:
            kills.append(_draw(rng, rehearsal))
        trace = mortal.die(tally.scene, kills)
        tally.drawn += len(trace.deaths)  # one who had ended before its time came does not count
        tally.add(trace, expected)


def _draw(rng: random.Random, rehearsal: Life) -> Kill:
    """An instant, any moment, or one of the rarer sorts of moments: so that the few around the printing have theirs."""
    moments = rehearsal.moments
    match rng.randrange(3):
        case 0:
            return rng.uniform(0.0, rehearsal.took)
        case 1:
            return rng.randrange(len(moments))
    sort = rng.choice(sorted({moment for moment in moments if moment in WHERE}))
    return sort, rng.randrange(moments.count(sort)), 0


# -- what came of it -------------------------------------------------------------------------------------------------

HEAD = ("killed", "commits", "there", "random", "told again", "lost", "repeated", "intact")
WHERE = {
    COMMIT: "before a commit",
    "send": "before a request, already in the ledger",
    "sent": "between a request and its answer",
    "received": "before an answer is read",
    "print": "before the report is printed",
    "printed": "after the print, before it is recorded",
    "rename": "before a file moves to its place",
    "end": "when all is done",
    "at some time": "at some instant",
}
OTHER = "before another statement of SQL"


def _row(tally: Tally) -> str:
    figures = (tally.commits, tally.boundaries, tally.drawn, tally.again, len(tally.lost), len(tally.repeated))
    widths = (8, 7, 8, 11, 6, 9)
    cells = "".join(f"{figure:>{width},}" for figure, width in zip(figures, widths, strict=True))
    return f"  {tally.scene.name:<14}{cells}{f'{tally.intact:,} of {tally.kills:,}':>14}"


def _show(tallies: list[Tally], options: argparse.Namespace) -> int:
    """Print where they died, and the verdicts."""
    say()
    where: Counter[str] = Counter()
    for tally in tallies:
        for name, count in tally.deaths.items():
            where[WHERE.get(name, OTHER)] += count
    for name, count in where.most_common():
        fact(name, count)
    for tally in tallies:
        for what in (*tally.damage, *tally.unfinished):
            say(f"  {tally.scene.name}: {what}"[:WIDTH])
    kills = sum(tally.kills for tally in tallies)
    intact = sum(tally.intact for tally in tallies)
    lost, repeated = (sum(map(len, one)) for one in zip(*((t.lost, t.repeated) for t in tallies), strict=True))
    drawn = sum(tally.drawn for tally in tallies)
    say()
    fact("told again: printed, not recorded", sum(tally.again for tally in tallies))
    return verdict(
        (
            (f"at least {options.kills} random kill points: {drawn:,}", drawn >= options.kills),
            (
                f"before and after every commit: {sum(t.boundaries for t in tallies):,}",
                all(t.boundaries == 2 * t.commits for t in tallies),
            ),
            (f"lost: {lost}", not lost),
            (f"repeated: {repeated}", not repeated),
            (f"database intact: {intact:,} of {kills:,}", intact == kills),
            ("complete after the next run, nothing left over", not any(tally.unfinished for tally in tallies)),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
