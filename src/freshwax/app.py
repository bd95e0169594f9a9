"""The composition root: the one place where configuration, clock, store and source meet.

Commands call what stands here and print what it returns. Whatever is heavy is imported by the function that needs it,
so that reading what is stored starts without the network's libraries.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from freshwax.clock import Clock, SystemClock
from freshwax.config import Config
from freshwax.errors import Busy, UsageError
from freshwax.model import ArtistState, Group, Kind, Mode, Ref, Report, Run, RunStatus
from freshwax.quota import DAY, LISTINGS, OWN_QUOTA, Cooldown, Limit, in_force
from freshwax.secret import Secret
from freshwax.store.base import Store

if TYPE_CHECKING:
    from freshwax.sources.gate import Gate
    from freshwax.sources.spotify.client import Fact, SpotifySource
    from freshwax.store.backup import BackedUp, Restored, Soundness
    from freshwax.store.repair import Repaired
    from freshwax.tracking.options import RunOptions
    from freshwax.tracking.pulse import Pulse

SOURCE = "spotify"
STDOUT = "stdout"
NOBODY = "The watch list is empty: put artists on it with `freshwax artists import FILE` first."


class TrackOptions(Struct, frozen=True):
    """What one run of ``track`` was asked to do, validated.

    ``only`` limits the run to these artists; ``types``, where the command line gave them, the groups and the report.
    ``policy`` names who picks whom to check; without one, all are checked that are due. ``lookback``: None for that of
    the settings.
    """

    baseline: bool = False
    background: bool = False
    from_cache: bool = False
    since: date | None = None
    types: tuple[Group, ...] | None = None
    kinds: tuple[Kind, ...] = tuple(Kind)
    lookback: int | None = None
    budget: int | None = None
    force: bool = False
    policy: str | None = None
    only: tuple[Ref, ...] | None = None

    @property
    def mode(self) -> Mode:
        """The mode under which the run goes into the history."""
        if self.from_cache:
            return Mode.FROM_CACHE
        if self.background:
            return Mode.BACKGROUND
        return Mode.BASELINE if self.baseline else Mode.INCREMENTAL


def clock() -> Clock:
    """Return the clock that everything runs by."""
    return SystemClock()


def now() -> datetime:
    """Read the clock, once a command."""
    return clock().now()


@contextmanager
def open_store(config: Config, *, read_only: bool = False) -> Iterator[Store]:
    """Open the database, and close it when the block ends, however it ends."""
    from freshwax.store.sqlite import SQLiteStore

    with closing(SQLiteStore.open(config.database_path, read_only=read_only)) as store:
        yield store


@contextmanager
def run_lock(config: Config) -> Iterator[None]:
    """Hold the right to run on this database; ``Busy`` if another run holds it."""
    from freshwax.store.lock import RunLock

    with RunLock(config.database_path, now()):
        yield


def as_they_are(config: Config, store: Store, runs: Sequence[Run]) -> list[Run]:
    """Return runs as they are: one that is stored as running while nobody runs was killed."""
    from freshwax.store.facts import LOST
    from freshwax.store.lock import is_held

    running = {run.id for run in runs if run.status is RunStatus.RUNNING}
    if not running or is_held(config.database_path):
        return list(runs)
    # Read once more, as it may have ended in between.
    again = [store.run(run.id) or run if run.id in running else run for run in runs]
    lost = {"status": RunStatus.FAILED, "error": LOST, "exit_code": 1}
    return [replace(run, **lost) if run.status is RunStatus.RUNNING else run for run in again]


@contextmanager
def telling_lock(config: Config) -> Iterator[None]:
    """Hold the right to print what is untold; ``Busy`` while another process prints it."""
    from freshwax.store.lock import RunLock

    lock = RunLock(f"{os.path.realpath(config.database_path)}.report", now())  # one lock, whatever the file is called
    try:
        lock.acquire()
    except Busy:
        message = (
            f"a report of {config.database_path} is being printed: wait until that has ended, then print what is left "
            "with `freshwax track --from-cache`"
        )
        raise Busy(message) from None
    try:
        yield
    finally:
        lock.release()


def make_source(config: Config, store: Store, clock: Clock, *, run_id: int | None = None) -> SpotifySource:
    """Return the source; it heeds the cooldowns in the store. It belongs to one event loop; close it there."""
    from freshwax.sources.spotify.client import make_spotify

    return make_spotify(
        config.spotify_client_id.reveal(),
        config.spotify_client_secret,
        store,
        clock,
        api_url=config.spotify_api_url,
        accounts_url=config.spotify_accounts_url,
        requests_per_second=config.spotify_requests_per_second,
        requests_per_day=config.spotify_requests_per_day,
        concurrency=config.concurrency,
        page_size=config.spotify_page_size,
        run_id=run_id,
    )


def track(
    config: Config,
    options: TrackOptions,
    *,
    emit: Callable[[Report], None],
    progress: Callable[[int, int, str], None] | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Report:
    """Do a run, or answer from what earlier runs left, and return the report.

    ``emit`` prints a report that is fixed already and has flushed it when it returns; only then it counts as told. It
    is not called with ``background``. ``progress`` is told how many artists are done, of how many, and which; ``warn``
    what people should know that is no part of the report.
    """
    from freshwax.tracking.report import RECENT, compose_report, fix_report, report_from_cache

    settings = run_options(config, options)
    if options.from_cache:
        with telling_lock(config), open_store(config) as store:
            runs = as_they_are(config, store, store.runs(RECENT))
            return _tell(store, report_from_cache(store, settings, now(), runs), emit)
    with pulse(config.heartbeat_url, config.heartbeat_partial, warn) as beat:
        run = _run(config, settings, progress, beat)
        if options.background:
            with open_store(config, read_only=True) as store:
                report = compose_report(store, run, settings, now())
            _log(report)
            return report
        # The run is over for others while its report is printed: a pager may stay open for hours.
        with telling_lock(config), open_store(config) as store:
            return _tell(store, fix_report(store, run, settings, now()), emit)


def prefetch(
    config: Config,
    *,
    budget: int | None,
    until: datetime | None,
    progress: Callable[[int, int, str], None] | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Run:
    """Check the likeliest artists ahead of the scheduled run, which tells what was found; return the finished run.

    ``budget``: requests, None for half of what the run will need. No check begins at ``until`` or later.
    """
    settings = run_options(config, TrackOptions(budget=budget))
    with pulse(config.heartbeat_url, config.heartbeat_partial, warn) as beat:
        return _run(config, replace(settings, mode=Mode.PREFETCH, until=until), progress, beat)


def pulse(url: Secret, partial: str, warn: Callable[[str], None]) -> Pulse:
    """Return what tells the monitoring service of a run, if one is set; ``warn`` is told what did not arrive."""
    from freshwax.tracking.pulse import Pulse

    if not url:
        return Pulse(None, partial, now)
    import logging

    from freshwax.sources.heartbeat import Heartbeat

    def tell(text: str) -> None:
        logging.getLogger(__name__).warning("%s", text)
        warn(text)

    return Pulse(Heartbeat(url, tell), partial, now)


def _run(config: Config, settings: RunOptions, progress: Callable[[int, int, str], None] | None, beat: Pulse) -> Run:
    """Check what is due, alone on this database."""
    from freshwax.tracking import session

    with run_lock(config), open_store(config) as store:
        beat.begin()
        if not store.artists({ArtistState.ACTIVE, ArtistState.GONE}):
            raise UsageError(NOBODY)

        def source() -> tuple[SpotifySource, Gate]:
            made = make_source(config, store, clock())
            return made, made.gate

        run = session.track(store, source, clock(), settings, progress)
    beat.ended(run)
    return run


def _log(report: Report) -> None:
    """Write down what a reader would have seen below the report."""
    import logging

    from freshwax.reports.summary import summary

    for line in summary(report, now()):
        logging.getLogger(__name__).info("%s", line, extra={"run_id": report.run.id})


def _tell(store: Store, report: Report, emit: Callable[[Report], None]) -> Report:
    """Print a report, and record it as told once that is done; one that is told again has no number."""
    emit(report)
    if report.id:
        store.tell(report.id, now())
    return report


def run_options(config: Config, options: TrackOptions) -> RunOptions:
    """Return what a run does, from the configuration and what was asked of this run."""
    from freshwax.tracking.options import RunOptions

    since = options.since
    return RunOptions(
        mode=options.mode,
        market=config.market,
        groups=options.types or config.types,
        types=None if options.types is None else frozenset(options.types),
        kinds=frozenset(options.kinds),
        excluded=config.exclude_titles,
        artists=None if options.only is None else frozenset(options.only),
        lookback=config.lookback if options.lookback is None else options.lookback,
        check_interval=timedelta(days=config.check_interval),
        fresh_for=timedelta(hours=config.fresh_for),
        audit_interval=timedelta(days=config.audit_interval),
        budget=options.budget,
        per_day=config.spotify_requests_per_day or None,
        force=options.force,
        policy=options.policy,
        max_interval=timedelta(days=config.max_interval),
        concurrency=config.concurrency,
        keep_checks=timedelta(days=config.retention_checks),
        keep_releases=timedelta(days=max(config.retention_releases, config.lookback))
        if config.retention_releases
        else None,
        since=None if since is None else datetime(since.year, since.month, since.day, tzinfo=UTC),
    )


def release_held(config: Config, artist: Ref) -> int:
    """Decide an artist's held releases by the usual rules; return how many will be told."""
    from freshwax.discovery.classify import Moment
    from freshwax.tracking.session import decide_held

    with open_store(config) as store:
        last = next(iter(store.runs(1)), None)
        if last is None:
            return 0
        return decide_held(store, artist, Moment(now(), last.id, config.market, config.lookback), (STDOUT,))


def pause(store: Store, now: datetime, per_day: int | None = None) -> Cooldown | None:
    """Return until when, and why, runs may ask nothing of the source; None if they may. ``per_day``: the user's own
    limit, where that counts as well.
    """
    cooldowns = store.cooldowns(SOURCE)
    full = Limit(per_day, DAY).free_at(store.nth_last_request(SOURCE, per_day, now), now) if per_day else None
    if full is not None:
        cooldowns.append(Cooldown(SOURCE, full, OWN_QUOTA))
    return in_force(cooldowns, LISTINGS, now)


async def diagnose(config: Config) -> list[Fact]:
    """Find out what stands between this machine and the source; a watched artist serves as the example."""
    with open_store(config) as store:
        example = [artist.ref.id for artist in store.artists({ArtistState.ACTIVE})][:1]
        source = make_source(config, store, clock())
        try:
            return await source.diagnose(config.market, *example)
        finally:
            await source.aclose()


def refuse_own(config: Config, target: Path) -> None:
    """Raise UsageError where writing to a file would destroy what freshwax lives on: a database, or the settings."""
    from freshwax.store.own_files import belongs_to

    if belongs_to(config.database_path, target):
        raise UsageError(f"{target} belongs to the database: give another path.")
    refuse_settings(config, target)
    refuse_database(target)


def refuse_settings(config: Config, target: Path) -> None:
    """Raise UsageError where a file is the configuration, or holds a secret of it."""
    from freshwax.config import files_of
    from freshwax.store.own_files import same_as

    if same_as(target, files_of(config)):
        raise UsageError(f"{target} belongs to the configuration: give another path.")


def refuse_database(target: Path) -> None:
    """Raise UsageError where a file is a database, of freshwax or of another program, or belongs to one by its name."""
    from freshwax.store.own_files import is_ours, is_sqlite, stands_beside

    if is_ours(target):
        raise UsageError(f"{target} is a database of freshwax, or a backup: give another path.")
    if is_sqlite(target) or stands_beside(target):
        raise UsageError(f"{target} is a database, or belongs to one: give another path.")


def back_up(config: Config, target: Path, now: datetime, *, replace: bool) -> BackedUp:
    """Copy the database to a file; see ``store.backup.back_up``. UsageError: the file holds settings."""
    from freshwax.store import backup

    refuse_settings(config, target)
    return backup.back_up(config.database_path, target, now, replace=replace)


def restore(config: Config, file: Path, now: datetime) -> Restored:
    """Put a backup in the place of the database, alone on it; see ``store.backup.restore``."""
    from freshwax.store import backup

    with run_lock(config), telling_lock(config):
        return backup.restore(config.database_path, file, now)


def repair(config: Config, now: datetime) -> Repaired:
    """Mend a damaged database, alone on it; see ``store.repair.repair``."""
    from freshwax.store.repair import repair

    with run_lock(config), telling_lock(config):
        return repair(config.database_path, now)


def examine_database(config: Config) -> Soundness:
    """Return the schema of the database, and what is wrong with it. ``StoreError`` where it cannot be read at all."""
    from freshwax.store.backup import soundness

    return soundness(config.database_path)


def latest_schema() -> int:
    """Return the schema version that this freshwax writes."""
    from freshwax.store.migrate import migrations

    return max(migrations())
