"""A user in a simulated world: the real client over real HTTP, against the stand-in server, in simulated time.

The tour, the benchmarks and the end-to-end tests all stand on this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from freshwax.clock import SimulatedClock
from freshwax.demo.server import DemoServer
from freshwax.demo.world import World
from freshwax.model import DEFAULT_GROUPS, Kind, Mode, Ref, Report, Run
from freshwax.secret import Secret
from freshwax.sources.gate import Gate
from freshwax.sources.http import HttpClient, Timeouts
from freshwax.sources.spotify.client import SpotifySource, make_spotify
from freshwax.store.base import Store
from freshwax.tracking import session
from freshwax.tracking.options import RunOptions
from freshwax.tracking.report import fix_report

PAGE = 10


@dataclass(frozen=True, slots=True)
class Score:
    """What a series of reports told, held against what the world truly brought.

    ``expected``: truths that the listings showed first at some check after the first one. ``twice`` and ``lost``:
    IDs of truths told more than once, or never. ``delayed``: told, but not in the first run that could have seen
    it.
    """

    expected: int
    told: int
    twice: tuple[str, ...]
    lost: tuple[str, ...]
    delayed: tuple[str, ...]


class Trial:
    """Follows a world's artists with one store, run after run.

    ``page_size`` is what it asks for, ``timeouts`` how long it waits (None: as every user does).
    """

    def __init__(
        self, world: World, server: DemoServer, store: Store, clock: SimulatedClock, *, per_day: int | None = None
    ) -> None:
        self.world = world
        self.server = server
        self.store = store
        self.clock = clock
        self.reports: list[tuple[datetime, Report]] = []
        self.page_size = PAGE
        self.timeouts: Timeouts | None = None
        self._per_day = per_day
        self._options = RunOptions(Mode.INCREMENTAL, "US", per_day=per_day)

    def follow(self, artists: Iterable[str]) -> None:
        """Put artists on the watch list."""
        watched = [(Ref("spotify", one), self.world.artists[one].name) for one in artists]
        self.store.watch(watched, self.clock.now())

    def track(
        self, at: datetime, options: RunOptions | None = None, *, now: datetime | None = None
    ) -> tuple[Run, Report]:
        """Let it be ``at``, do a run, and read its report. ``now``: what the user's clock says, where that is wrong."""
        self._let_it_be(at, now)
        settings = options or self._options
        run = self._session(settings)
        report = fix_report(self.store, run, settings, self.clock.now())
        self.reports.append((at, report))  # read by now, whether that can be recorded or not
        self.store.tell(report.id, self.clock.now())
        return run, report

    def prefetch(self, at: datetime, options: RunOptions, *, now: datetime | None = None) -> Run:
        """Let it be ``at``, and ask some ahead of the run that tells what they bring."""
        self._let_it_be(at, now)
        return self._session(replace(options, mode=Mode.PREFETCH))

    def _session(self, options: RunOptions) -> Run:
        """Do a run. A signal ends more than that: KeyboardInterrupt, as between two runs."""
        signals: list[bool] = []
        run = session.track(self.store, self._source, self.clock, options, stopped=lambda: signals.append(True))
        if signals:
            raise KeyboardInterrupt
        return run

    def _let_it_be(self, at: datetime, now: datetime | None) -> None:
        self.server.at = at
        self.clock.move_to(at if now is None else now)

    def _source(self) -> tuple[SpotifySource, Gate]:
        manners = self.server.manners
        source = make_spotify(
            manners.client_id,
            Secret(manners.client_secret),
            self.store,
            self.clock,
            api_url=self.server.api_url,
            accounts_url=self.server.accounts_url,
            requests_per_second=0,
            requests_per_day=self._per_day,
            page_size=self.page_size,
            http=HttpClient(timeouts=self.timeouts),
        )
        return source, source.gate

    def full_scan(self, artists: Iterable[str], at: datetime) -> int:
        """Return how many requests reading every list whole would have cost: a page of ten at a time."""
        counts = (len(self.world.listings(one, DEFAULT_GROUPS, at)) for one in artists)
        return sum(max(-(-count // PAGE), 1) for count in counts)

    def score(self, artists: Collection[str]) -> Score:
        """Hold what was told against what the listings showed at each run after the first."""
        return score(self.world, artists, self.reports)


def score(
    world: World,
    artists: Collection[str],
    reports: Sequence[tuple[datetime, Report]],
    owed: Mapping[str, datetime] | None = None,
) -> Score:
    """Compare reports with the truth of the world.

    ``owed``: the truths that had to be told, and from when on. Without it, they are those that the listings showed at
    some run, but not at the first one, which learns.
    """
    truth_of = {one.id: one.truth for one in world.releases}
    told: dict[str, list[datetime]] = {}
    for at, report in reports:
        for line in report.lines:
            if line.hidden_by is None and line.kind is not Kind.UPCOMING:
                told.setdefault(truth_of[line.release.ref.id], []).append(at)
    expected = _appeared(world, artists, [at for at, _ in reports]) if owed is None else owed
    return Score(
        expected=len(expected),
        told=sum(truth in told for truth in expected),
        twice=tuple(sorted(truth for truth, times in told.items() if len(times) > 1)),
        lost=tuple(sorted(truth for truth in expected if truth not in told)),
        delayed=tuple(sorted(truth for truth, at in expected.items() if truth in told and min(told[truth]) > at)),
    )


def _appeared(world: World, artists: Collection[str], runs: Sequence[datetime]) -> dict[str, datetime]:
    shown = world.truth_seen(artists, runs)
    _, *later = shown  # the first run learns
    return {truth: at for at in later for truth in shown[at]}
