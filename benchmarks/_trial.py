"""A trial that knows what each request was for, and learns and goes on as a user with a daily quota would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from freshwax.clock import SimulatedClock
from freshwax.demo.api import Manners
from freshwax.demo.faults import Logged
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.demo.world import World
from freshwax.model import ArtistState, Follow, Group, Mode, Observation, Ref, Report, Run
from freshwax.planning.due import EARLY
from freshwax.sources.base import Candidate, Want
from freshwax.sources.gate import Gate
from freshwax.sources.spotify.client import SpotifySource
from freshwax.store.sqlite import SQLiteStore
from freshwax.tracking.options import RunOptions

WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)

# What a request is for. The first three are checks; the rest are deep reads.
PROBE, HEAD, FURTHER = "probe", "album head", "further"
BASELINE = "baseline"
UNEXPLAINED, FIRST_DEPTH, AUDIT = "unexplained", "first depth", "audit"


class Watch:
    """What each request of one run was for: a source tells what it begins with an artist, the server's log the rest."""

    def __init__(self, log: list[Logged]) -> None:
        self._log = log
        self._start = len(log)
        self._began: dict[str, list[tuple[int, str]]] = {}

    def checked(self, follow: Follow) -> None:
        """Note a check that begins."""
        self._begin(follow, PROBE if follow.artist.learnt else BASELINE)

    def read_deep(self, follow: Follow, group: Group) -> None:
        """Note a deep read that begins, and what for."""
        mark = follow.marks[group]
        self._begin(follow, UNEXPLAINED if mark.deep_wanted else FIRST_DEPTH if mark.read_to_end_at is None else AUDIT)

    def _begin(self, follow: Follow, purpose: str) -> None:
        self._began.setdefault(follow.artist.ref.id, []).append((len(self._log), purpose))

    def purposes(self) -> Counter[str]:
        """Count the requests of the run by what they were for."""
        found: Counter[str] = Counter()
        probed: set[tuple[str, int]] = set()
        for number, entry in enumerate(self._log[self._start :], self._start):
            if entry.what == "albums" and entry.artist is not None:
                began, purpose = [one for one in self._began[entry.artist] if one[0] <= number][-1]
                if purpose == PROBE and (entry.artist, began) in probed:
                    purpose = HEAD if entry.groups == (Group.ALBUM,) and entry.offset == 0 else FURTHER
                probed.add((entry.artist, began))
                found[purpose] += 1
        return found


class _WatchedSource:
    """A Spotify source that tells a ``Watch`` what it is asked for."""

    def __init__(self, source: SpotifySource, watch: Watch) -> None:
        self.name = source.name
        self._source = source
        self._watch = watch

    async def check(self, follow: Follow, want: Want) -> Observation:
        self._watch.checked(follow)
        return await self._source.check(follow, want)

    async def read_deep(self, follow: Follow, group: Group, want: Want, pages: int) -> Observation:
        self._watch.read_deep(follow, group)
        return await self._source.read_deep(follow, group, want, pages)

    async def search_artists(self, name: str) -> list[Candidate]:
        return await self._source.search_artists(name)

    async def aclose(self) -> None:
        await self._source.aclose()


@dataclass(frozen=True, slots=True)
class Row:
    """One run. ``regular``: its turn by the week; one in between learns, or goes on where a quota stopped the last."""

    at: datetime
    run: Run
    report: Report
    purposes: Counter[str]
    regular: bool
    scan: int


class WatchedTrial(Trial):
    """A trial that keeps a row for every run."""

    def __init__(self, world: World, server: DemoServer, store: SQLiteStore, at: datetime, per_day: int | None) -> None:
        super().__init__(world, server, store, SimulatedClock(at), per_day=per_day)
        self.rows: list[Row] = []
        self.learnt_at: dict[str, datetime] = {}
        self.quota = per_day
        self._outcomes: dict[int, frozenset[Ref]] = {}
        self._watch = Watch(server.log)

    def _source(self) -> tuple[_WatchedSource, Gate]:  # type: ignore[override]
        source, gate = super()._source()
        return _WatchedSource(source, self._watch), gate

    def step(self, at: datetime, *, regular: bool, audit_interval: timedelta | None = None) -> Row:
        """Do a run and keep its row."""
        self._watch = Watch(self.server.log)
        options = RunOptions(Mode.INCREMENTAL, "US", per_day=self.quota)
        if audit_interval is not None:
            options = RunOptions(Mode.INCREMENTAL, "US", force=True, audit_interval=audit_interval)
        run, report = self.track(at, options)
        scan = self.full_scan(self.world.artists, at) if regular else 0
        row = Row(at, run, report, self._watch.purposes(), regular, scan)
        self.rows.append(row)
        if len(self.learnt_at) < len(self.world.artists):
            for artist in self.store.artists({ArtistState.ACTIVE}):
                if artist.learnt:
                    self.learnt_at.setdefault(artist.ref.id, at)
        return row

    def lift_quota(self) -> None:
        """Let any number of requests through from now on."""
        self.quota = self._per_day = None
        self.server.manners = Manners()

    def outcomes(self, row: Row) -> frozenset[Ref]:
        """The artists whose regular check a run did."""
        if row.run.id not in self._outcomes:
            done = frozenset(one.artist for one in self.store.checks(row.run.id) if one.outcome == "ok")
            self._outcomes[row.run.id] = done
        return self._outcomes[row.run.id]

    def learn(self, at: datetime, days: int = 30) -> None:
        """Run daily from ``at`` until every artist is learnt, so many days at most."""
        for _ in range(days):
            self.step(at, regular=False)
            if len(self.learnt_at) == len(self.world.artists):
                return
            at += DAY

    def week(self, at: datetime) -> None:
        """Do a week's run, and go on daily as long as a quota cuts it short."""
        row = self.step(at, regular=True)
        for later in range(1, 7):
            if not row.run.coverage.paused:
                return
            row = self.step(at + later * DAY, regular=False)

    def live(self, first: datetime, last: datetime) -> None:
        """Learn from ``first`` on, then run weekly until ``last``, from the first week in which everybody is due."""
        self.learn(first)
        at = first + WEEK
        while at < self.rows[-1].at + WEEK - EARLY:
            at += WEEK
        while at <= last:
            self.week(at)
            at += WEEK


@contextmanager
def watched(world: World, at: datetime, per_day: int | None) -> Iterator[WatchedTrial]:
    """A trial over real HTTP with a database of its own, everybody of the world followed."""
    with TemporaryDirectory(prefix="freshwax-bench-") as folder, DemoServer(world, at) as server:
        server.manners = Manners(quota=per_day)
        with closing(SQLiteStore.open(Path(folder) / "freshwax.db")) as store:
            trial = WatchedTrial(world, server, store, at, per_day)
            trial.follow(world.artists)
            yield trial
