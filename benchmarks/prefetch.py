"""What a prefetch the evening before takes off a weekly run, in an invented world over real HTTP.

Two users follow the same artists and run weekly; one of them prefetches twelve hours ahead, half of what the run needs.
Delays are in days, from when a listing first showed a release until it was known here, and until it was told.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from _table import fact, headline, verdict
from freshwax.clock import SimulatedClock
from freshwax.demo.api import Manners
from freshwax.demo.generate import generate
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.demo.world import World, instant
from freshwax.model import Kind, Mode, Run
from freshwax.store.sqlite import SQLiteStore
from freshwax.tracking import session
from freshwax.tracking.options import RunOptions

START = instant("2026-01-04T08:00")
WEEK, AHEAD = timedelta(weeks=1), timedelta(hours=11, minutes=30)


class User(Trial):
    """Somebody who runs weekly, with or without a prefetch."""

    def prefetch(self, at: datetime) -> Run:
        self.clock.move_to(at)
        self.server.at = at
        return session.track(self.store, self._source, self.clock, RunOptions(Mode.PREFETCH, "US"))


class Outcome:
    """What a year of runs cost one of the users, and how late they were."""

    def __init__(self, runs: list[Run], ahead: list[Run], found: list[float], told: list[float]) -> None:
        self.live = sum(run.cost.requests for run in runs)
        self.seconds = sum(run.cost.seconds for run in runs)
        self.total = self.live + sum(run.cost.requests for run in ahead)
        self.found, self.told = mean(found), mean(told)


def live(world: World, weeks: int, latency: float, *, ahead: bool) -> Outcome:
    with TemporaryDirectory(prefix="freshwax-bench-") as folder, DemoServer(world, START, latency=latency) as server:
        server.manners = Manners(quota=None)
        with closing(SQLiteStore.open(Path(folder) / "freshwax.db")) as store:
            user = User(world, server, store, SimulatedClock(START))
            user.follow(world.artists)
            user.track(START - WEEK)
            runs, early = [], []
            for week in range(weeks):
                at = START + week * WEEK
                if ahead:
                    early.append(user.prefetch(at - AHEAD))
                runs.append(user.track(at)[0])
            return Outcome(runs, early, *_delays(user))


def _delays(user: User) -> tuple[list[float], list[float]]:
    """Days from first listing until known, and until told, of what appeared after the learning."""
    listed = {one.id: one.appears_at for one in reversed(user.world.releases)}
    found, told = [], []
    for at, report in user.reports[1:]:
        for line in report.lines:
            since = listed[line.release.ref.id]
            if since > START - WEEK and line.kind is not Kind.UPCOMING:
                found.append((line.first_seen_at - since) / timedelta(days=1))
                told.append((at - since) / timedelta(days=1))
    return found, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artists", type=int, default=500)
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--latency-ms", type=float, default=20.0)
    options = parser.parse_args()
    headline()
    end = START + WEEK * options.weeks
    world = generate(options.seed, artists=options.artists, start=START - 2 * WEEK, end=end)
    without, with_it = (live(world, options.weeks, options.latency_ms / 1000, ahead=one) for one in (False, True))
    for label, what in (("without a prefetch", without), ("with a prefetch", with_it)):
        fact(f"{label}: requests of the runs", what.live, f"{what.total:,} in all")
        fact("  seconds of the runs", f"{what.seconds:.1f}")
        fact("  delay until known, until told", f"{what.found:.2f}", f"{what.told:.2f}")
    return verdict(
        [
            ("at least 40 % of the run's requests taken away", with_it.live <= 0.6 * without.live),
            ("at least 40 % of its time taken away", with_it.seconds <= 0.6 * without.seconds),
            ("no more requests in the two together", with_it.total <= without.total),
            ("known no later than without", with_it.found <= without.found),
            ("told no later than without", with_it.told <= without.told),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
