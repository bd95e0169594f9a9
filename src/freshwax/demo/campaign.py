"""A user who lives through disasters: years of weekly runs over a world in which things go wrong, and what came of it.

Everything is real but time and the world: the client over HTTP on loopback, the tracker, the database. Once a quarter
all artists are checked, in the other weeks a smart batch; every fourth week a prefetch goes ahead of it. A run that did
not complete is started again an hour later, half of the time with the fault still there. One that died, or that the
machine kept from its end, gives its place to a new process. In the last weeks nothing goes wrong, so that what was
delayed can arrive, and at the very end every list is read whole.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from math import exp, log
from pathlib import Path
from zlib import crc32

from msgspec.structs import replace as changed

from freshwax.clock import SimulatedClock
from freshwax.demo.api import Manners
from freshwax.demo.disasters import Disaster
from freshwax.demo.faults import Asked, Effect
from freshwax.demo.generate import Habits, generate
from freshwax.demo.machine import Illness, Killed, Machine
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial, score
from freshwax.demo.witness import Finished, Witness, announced_twice, recognisable
from freshwax.demo.world import World
from freshwax.discovery.classify import Moment
from freshwax.errors import Busy, StoreError
from freshwax.model import ArtistState, Mode, Report, Run
from freshwax.sources.http import Timeouts
from freshwax.store.base import Store
from freshwax.store.lock import RunLock
from freshwax.tracking.options import STDOUT, RunOptions
from freshwax.tracking.session import decide_held

START = datetime(2026, 11, 22, 3, tzinfo=UTC)  # a Sunday; the year has 53 ISO weeks
WEEK, DAY, HOUR = timedelta(weeks=1), timedelta(days=1), timedelta(hours=1)
CALM = 7  # weeks at the end
EVERYONE, AHEAD = 13, 4  # each how many weeks all are checked, and some ahead of the others
BATCH = 10  # a smart batch checks one artist in so many
RUNNING, REPORTING = 5_000, 8  # statements of SQL at most before the machine falls ill: in a run, from its report on
LATE = 1 / 3  # so often it is the report that is struck
REFUSED = {400, 429}  # statuses by which the server's own manners are felt
IMPATIENT = Timeouts(connect=1.0, read=0.15, total=1.0)

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a campaign; see ``witness`` for what the words mean.

    ``releases``: real ones, in the world's whole time. ``owed`` and ``told`` are counts; ``struck`` counts the weeks in
    which something really was wrong, ``incomplete`` the runs that did not end as complete, ``late`` what was told only
    after a later run than the next that asks everybody, ``moved`` the records told again after a change of both ID and
    artist, ``again`` those read from a process that could not record it.
    """

    name: str
    weeks: int
    struck: int
    runs: int
    incomplete: int
    requests: int
    releases: int
    owed: int
    told: int
    late: int
    lost: tuple[str, ...]
    repeated: tuple[str, ...]
    old: tuple[str, ...]
    moved: int
    again: int
    false: tuple[str, ...]


def suffer(
    name: str,
    disasters: Sequence[Disaster],
    folder: Path,
    *,
    artists: int,
    weeks: int,
    seed: int = 1,
    pace: float = 2.0,
    progress: Progress | None = None,
) -> Outcome:
    """Live through some disasters together for so many weeks, and judge what was told.

    ``folder``: for the database. ``pace``: releases a year and artist, about. ``progress`` is told each week.
    """
    chance = random.Random(f"{seed} {name}")
    end = START + weeks * WEEK
    world = generate(seed, artists=artists, start=START, end=end + DAY, habits=Habits(releases_a_year=pace))
    for one in disasters:
        if one.world is not None:
            world = one.world(world, chance, (START + DAY, end - CALM * WEEK))
    with DemoServer(world, START) as server, closing(Machine(folder / "freshwax.db")) as machine:
        life = _Life(world, server, machine, disasters, chance)
        for week in range(weeks + 1):
            life.week(week, calm=week > weeks - CALM)
            if progress is not None:
                progress(week)
        life.read_everything(end)
        return life.outcome(name, weeks, end)


class _Life:
    """A campaign in progress."""

    def __init__(
        self, world: World, server: DemoServer, machine: Machine, disasters: Sequence[Disaster], chance: random.Random
    ) -> None:
        self.server = server
        self.machine = machine
        self.disasters = disasters
        self.chance = chance
        self.witness = Witness(world)
        self.per_day = self._requests(disasters, "per_day")
        self.trial = Trial(world, server, self.store, SimulatedClock(START), per_day=self.per_day)
        self.trial.page_size = max((one.page_size for one in disasters), default=10)
        self.trial.follow(world.artists)
        self.generous = Manners(page_max=max(self.trial.page_size, 10))  # when nothing is wrong
        self.server.manners = self.generous
        self.reports: list[tuple[datetime, Report]] = []
        self.runs = self.incomplete = self.requests = self.struck = self.again = 0
        self.clock = timedelta(0)  # by so much the user's is wrong
        self.felt = False  # whether anything was wrong this week
        self.ills: tuple[Illness, ...] = ()

    @property
    def store(self) -> Store:
        """The store, as the process that is alive has it."""
        return self.machine.store

    def week(self, week: int, *, calm: bool) -> None:
        """Let a week's runs happen, with whatever strikes in it."""
        at = START + week * WEEK - (HOUR if self._summer(week) else timedelta(0))
        active = [one for one in self.disasters if not calm and self._strikes(one, week)]
        self.felt = any(one.lasting for one in self.disasters)
        everyone = calm or week % EVERYONE == 0
        with self._striking(active, everyone=everyone):
            if not everyone and week % AHEAD == AHEAD // 2:
                self._run(at - 6 * HOUR, self._options(everyone=False), ahead=True)
            complete = self._run(at, self._options(everyone=everyone))
            patient = self.chance.random() < 0.5
            if patient and not complete:
                complete = self._run(at + HOUR, self._options(everyone=everyone))
        if not complete:
            self._run(at + 2 * HOUR, self._options(everyone=everyone))
        self.struck += self.felt
        self._answer_for_the_held()

    def read_everything(self, at: datetime) -> None:
        """Read every list whole: nothing wrong, no quota."""
        self.trial = Trial(self.witness.world, self.server, self.store, SimulatedClock(at))
        for later in range(1, 4):  # a long list takes more than one run
            unread = later * DAY - HOUR
            options = RunOptions(Mode.INCREMENTAL, "US", force=True, audit_interval=unread)
            self._run(at + later * DAY, options)
            self._answer_for_the_held()
        self._run(at + 4 * DAY, RunOptions(Mode.INCREMENTAL, "US"))

    def outcome(self, name: str, weeks: int, end: datetime) -> Outcome:
        """Judge."""
        world = self.witness.world
        owed = self.witness.owed(end + 3 * DAY)
        judged = score(world, world.artists, self.reports, owed)
        told = [report for _, report in self.reports]
        repeated = recognisable(judged.twice, world, told)
        return Outcome(
            name=name,
            weeks=weeks,
            struck=self.struck,
            runs=self.runs,
            incomplete=self.incomplete,
            requests=self.requests,
            releases=len({one.truth for one in world.releases}),
            owed=judged.expected,
            told=judged.told,
            late=self._late(owed),
            lost=judged.lost,
            repeated=repeated + announced_twice(world, told),
            old=self.witness.old(self.reports),
            moved=len(judged.twice) - len(repeated),
            again=self.again,
            false=tuple(self.witness.false),
        )

    def _late(self, owed: Collection[str]) -> int:
        """Count what of the owed was told for the first time by a later run than the next that asks everybody."""
        truth_of = self.witness.truth_of
        told: dict[str, datetime] = {}
        for at, report in self.reports:
            for line in report.lines:
                told.setdefault(truth_of[line.release.ref.id], at)
        truths = [one for one in self.witness.world.truths(self.witness.world.artists) if one.id in owed]
        most = (EVERYONE + 1) * WEEK
        return sum(one.id in told and told[one.id] - max(one.first_listed, START) > most for one in truths)

    # -- a run ---------------------------------------------------------------------------------------------------

    def _options(self, *, everyone: bool) -> RunOptions:
        keep = next((one.keep_releases for one in self.disasters if one.keep_releases is not None), None)
        options = RunOptions(Mode.INCREMENTAL, "US", per_day=self.per_day, keep_releases=keep)
        if everyone:
            return options
        policy = next((one.policy for one in self.disasters if one.policy != "adaptive"), "adaptive")
        picks = max(len(self.witness.world.artists) // BATCH, 1)
        return changed(options, policy=policy, picks=picks if policy == "adaptive" else None)

    def _run(self, at: datetime, options: RunOptions, *, ahead: bool = False) -> bool:
        """Do a run, and let the witness see it; return whether it was complete."""
        now = at + self.clock
        watched = self._active()
        self.server.log.clear()
        last = self._last_run()
        run = self._live(at, now, options, ahead=ahead)
        number = self._last_run()
        complete = run is not None and not run.exit_code
        self.runs += 1
        self.incomplete += not complete
        self.requests += sum(entry.what != "token" for entry in self.server.log)
        self.felt |= self.machine.befell or any(entry.status in REFUSED for entry in self.server.log)
        self.witness.see(
            Finished(
                run=run,
                at=at,
                now=now,
                checks=tuple(self.store.checks(number)) if number != last else (),
                log=tuple(self.server.log),
                watched=watched,
                left=self._active(),
                everyone=options.policy is None and not ahead,
            )
        )
        return complete

    def _live(self, at: datetime, now: datetime, options: RunOptions, *, ahead: bool) -> Run | None:
        """Let a process do a run, and its user read the report; None if it died, or the machine ended it."""
        read = len(self.trial.reports)
        self.machine.befell = False
        for illness in self.ills:
            late = self.chance.random() < LATE
            self.machine.strike(illness, self._statements(late=late), printing=late)
        try:
            with RunLock(self.machine.path, now):
                if ahead:
                    return self.trial.prefetch(at, options, now=now)
                run, report = self.trial.track(at, options, now=now)
        except (Killed, StoreError):
            self.again += sum(len(report.lines) for _, report in self.trial.reports[read:])
            return None
        finally:
            self.machine.restart()
            self.trial.store = self.store
        self.reports.append((at, report))
        return run

    def _statements(self, *, late: bool) -> int:
        """Draw how many statements of SQL a machine still bears: of any order of magnitude."""
        return int(exp(self.chance.uniform(0.0, log(REPORTING if late else RUNNING)))) - 1

    def _last_run(self) -> int:
        return next((run.id for run in self.store.runs(1)), 0)

    def _active(self) -> frozenset[str]:
        return frozenset(artist.ref.id for artist in self.store.artists({ArtistState.ACTIVE}))

    def _answer_for_the_held(self) -> None:
        """Do as a report asks where it held something back: tell it."""
        for artist, held in self.store.held():
            self.witness.let_go(artist.ref.id, (known.release.ref.id for known in held), len(self.reports))
            moment = Moment(self.trial.clock.now(), self.store.runs(1)[0].id, "US", 90)
            decide_held(self.store, artist.ref, moment, (STDOUT,))

    # -- what strikes --------------------------------------------------------------------------------------------

    @contextmanager
    def _striking(self, active: Sequence[Disaster], *, everyone: bool) -> Iterator[None]:
        """Let some disasters strike, as long as the block lasts."""
        answers = self._options(everyone=everyone).picks or 2 * len(self.trial.world.artists)  # checks, and depth
        quota = self._requests(active, "quota")
        most = min((one.page_max for one in active if one.page_max), default=self.generous.page_max)
        self.server.manners = replace(self.generous, quota=quota, page_max=most)
        for one in active:
            self._misbehave(one, answers)
        self.clock = sum((one.clock for one in active), timedelta(0))
        self.ills = tuple(one.machine for one in active if one.machine is not None)
        self.trial.timeouts = IMPATIENT if any(one.at_most for one in active) else None
        down = any(one.down for one in active)
        if down:
            self.server.stop()
        try:
            yield
        finally:
            if down:
                self.server.start()
            self.felt |= down or bool(self.clock) or any(fault.struck for fault in self.server.api.faults)
            self.server.repair()
            self.server.manners = self.generous
            self.clock = timedelta(0)
            self.ills = ()
            self.trial.timeouts = None

    def _strikes(self, one: Disaster, week: int) -> bool:
        """Draw whether a disaster strikes in a week; some weeks are always struck, and among them full runs."""
        always = week % (2 * EVERYONE) in {3, EVERYONE} or (one.learning and week == 0)
        return self.chance.random() < one.often or (bool(one.often) and always)

    def _misbehave(self, one: Disaster, answers: int) -> None:
        """Let a disaster strike a week of about so many answers."""
        if one.effects:
            when, times = self._reach()
            most = one.at_most if times is None else min(times, one.at_most or times)
            self.server.misbehave(self.chance.choice(one.effects), times=most, when=when, where=one.where)
        if one.besides is not None:
            self.server.misbehave(one.besides)
        if one.jump:
            self._in_mid_run(partial(self._jump, one.jump), answers)
        if one.rival:
            self._in_mid_run(self._begin_another, answers)

    def _in_mid_run(self, act: Callable[[], None], most: int) -> None:
        """Let something happen before one of the week's first so many answers is there."""
        self.server.misbehave(_Meanwhile(act), times=1, when=_after(self.chance.randrange(most)))

    def _jump(self, by: timedelta) -> None:
        self.trial.clock.move_to(self.trial.clock.now() + by)

    def _begin_another(self) -> None:
        """Start a run while one is on: it must be refused."""
        with suppress(Busy), RunLock(self.machine.path):
            self.witness.false.append(f"{self.trial.clock.now():%Y-%m-%d %H:%M}: two runs at once")

    def _reach(self) -> tuple[Callable[[Asked], bool] | None, int | None]:
        """Draw which requests of a run are struck: all, a third of them, all after the first few, the first few."""
        few = self.chance.randrange(1, 30)
        kind = self.chance.choice(("all", "some", "later", "first"))
        if kind == "some":
            return _scattered(self.chance.randrange(1 << 30)), None
        if kind == "later":
            return _after(few), None
        return None, few if kind == "first" else None

    def _summer(self, week: int) -> bool:
        """Whether clocks on the wall are an hour ahead, where that matters."""
        return any(one.summer_time for one in self.disasters) and 4 <= (START + week * WEEK).month <= 10

    def _requests(self, disasters: Sequence[Disaster], name: str) -> int | None:
        """The least that any of them allows, in requests."""
        shares = [share for one in disasters if (share := getattr(one, name)) is not None]
        return max(round(min(shares) * len(self.witness.world.artists)), 1) if shares else None


@dataclass(frozen=True, slots=True)
class _Meanwhile(Effect):
    """Something happens before the answer is there."""

    act: Callable[[], None]

    def delay(self) -> float:
        """See ``Effect``."""
        self.act()
        return 0.0


def _scattered(seed: int) -> Callable[[Asked], bool]:
    """A third of all requests, each by its own address and by how often it came: not by who is faster."""
    times: dict[str, Iterator[int]] = {}

    def strikes(asked: Asked) -> bool:
        key = f"{seed} {asked.path} {asked.groups} {asked.offset}"
        nth = next(times.setdefault(key, count()))
        return crc32(f"{key} {nth}".encode()) % 3 == 0

    return strikes


def _after(few: int) -> Callable[[Asked], bool]:
    """All requests but the first few."""
    number = count()
    return lambda _: next(number) >= few
