"""The same runs the long way: the real tracker, store and client over HTTP, in simulated time.

What ``fast`` looks up is asked here, read from pages, decided, stored and told: for correctness, not for sweeps.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from freshwax.clock import SimulatedClock
from freshwax.demo.faults import Garbage
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.demo.world import World
from freshwax.errors import UsageError
from freshwax.model import Kind, Mode, Report, Run
from freshwax.replay.fast import AFTERMATH, ORACLE, Log, Record, Runs, check, luck, unlucky
from freshwax.replay.timeline import EPOCH, Ints, Timeline, from_world
from freshwax.store.base import Store
from freshwax.tracking.options import RunOptions

MARKET = "US"
AT_ONCE = 8
NO_AUDIT = timedelta(days=36_500)
SILENT = (Kind.EDITION, Kind.UPCOMING)  # told, but no release that counts: it did before, or will when it is out


def replay(world: World, store: Store, runs: Runs) -> Record:
    """Do the runs of a world with an empty store. ``shuffle`` checks eight at once, in whatever order that gives."""
    timeline = from_world(world)
    check(runs, len(timeline.names))
    if runs.policy == ORACLE:
        raise UsageError("The oracle knows what it was not told: no tracker can.")
    with DemoServer(world, _instant(runs.learnt)) as server:
        trial = Trial(world, server, store, SimulatedClock(_instant(runs.learnt)))
        trial.follow(world.artists)
        trial.track(_instant(runs.learnt), RunOptions(Mode.INCREMENTAL, MARKET, concurrency=1))
        return _live(trial, timeline, runs)


def _live(trial: Trial, timeline: Timeline, runs: Runs) -> Record:
    log = Log()
    entry_of = dict(zip(timeline.release.tolist()[::-1], range(len(timeline.release))[::-1], strict=True))
    waiting = {
        number
        for number, appears in zip(timeline.release.tolist(), timeline.appears.tolist(), strict=True)
        if runs.learnt < appears <= runs.end
    }
    index_of = {name: index for index, name in enumerate(timeline.names)}
    dice = luck(runs)
    number, last = 0, runs.end + AFTERMATH * runs.max_interval + runs.every
    while number < runs.counted or (waiting and runs.start + number * runs.every <= last):
        now = runs.start + number * runs.every
        fails = np.flatnonzero(unlucky(dice, len(timeline.names), runs))
        faults = [trial.server.misbehave(Garbage(), artist=timeline.names[one]) for one in fails.tolist()]
        run, report = trial.track(_instant(now), _options(runs))
        trial.server.repair(*faults)
        asked, answered = _asked(trial.store, run, index_of)
        told = _told(timeline, report)
        waiting.difference_update(told)
        log.note(number, now, asked, answered, np.array([entry_of[one] for one in told], np.int64))
        number += 1
    return log.record(runs)


def _options(runs: Runs) -> RunOptions:
    return RunOptions(
        Mode.INCREMENTAL,
        MARKET,
        policy=runs.policy,
        picks=runs.budget,
        every=timedelta(days=runs.every),
        max_interval=timedelta(days=runs.max_interval),
        fresh_for=timedelta(0),
        audit_interval=NO_AUDIT,
        concurrency=AT_ONCE if runs.shuffle else 1,
    )


def _asked(store: Store, run: Run, index_of: dict[str, int]) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return whom a run asked, in order, and who answered; a deep read after a check is no other check."""
    outcomes: dict[int, bool] = {}
    for one in store.checks(run.id):
        outcomes.setdefault(index_of[one.artist.id], one.outcome == "ok")
    return np.array(list(outcomes), np.int64), np.array(list(outcomes.values()), bool)


def _told(timeline: Timeline, report: Report) -> list[int]:
    """Return the releases that a report tells, by their numbers in the timeline."""
    lines = [line for line in report.lines if line.kind not in SILENT and line.hidden_by is None]
    return [timeline.numbers[line.release.ref.id] for line in lines if line.release.ref.id in timeline.numbers]


def _instant(days: float) -> datetime:
    return EPOCH + timedelta(seconds=round(days * 86400))
