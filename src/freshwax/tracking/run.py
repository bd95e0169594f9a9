"""A run, from top to bottom.

::

    load artists -> plan (who is due, or picked, in what order)   tracking.plan; planning, pure
                 -> check each: eight at once                     the source, bounded and paced
                      -> decide, commit: one transaction each     tracking.check, discovery
                 -> read deep what could not be explained, what was never read to its end, what is due for an audit
                 -> finish: status, coverage, cost                run_history
                 -> drop what is old                              tracking.pruning
                 -> report what is untold                         tracking.report; told once it is printed

Whatever kills the process between two arrows, the next run continues: done artists stay done, the rest are still due.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from freshwax.clock import Clock
from freshwax.discovery.classify import Moment, Reading
from freshwax.errors import AuthError, CheckError, FreshwaxError, Paused, SourceError
from freshwax.model import Artist, ArtistState, Coverage, Group, Mode, Observation, Ref, Run, RunStatus
from freshwax.planning.due import Plan, left_for_deep, plan_run, share
from freshwax.quota import BUDGET
from freshwax.reports.escape import visible
from freshwax.sources.base import Source, Want
from freshwax.store.base import Store
from freshwax.tracking.check import NOT_FOUND, by_name, commit, give_up, record_failure
from freshwax.tracking.options import Meter, Progress, RunOptions
from freshwax.tracking.pause import INTERRUPTED, SPENT, continues, is_barred, resumes, why_paused
from freshwax.tracking.plan import plan_for, used_today
from freshwax.tracking.pruning import prune
from freshwax.tracking.remarks import NOBODY_LEFT, denied, of_the_future, sentences
from freshwax.tracking.trace import trace

DEEP_PAGES = 20  # a group may read so many pages of depth in one run
_log = logging.getLogger(__name__)


async def run(
    store: Store, source: Source, meter: Meter, clock: Clock, options: RunOptions, progress: Progress | None = None
) -> Run:
    """Check what is due, and return the finished run.

    Cancelling the task ends the run as ``paused``: what is committed stays, the rest is due next time.
    """
    started = clock.monotonic()
    now = clock.now()
    record = store.start_run(options.mode, options.market, now)
    meter.run_id = record.id
    known = {"run_id": record.id}
    _log.info("run %d (%s) begins", record.id, options.mode, extra=known)
    anew = options.mode is Mode.BASELINE
    moment = Moment(now, record.id, options.market, options.lookback, anew=anew)
    this = _Run(store, source, meter, options, moment, clock)
    this.progress = progress or this.progress
    interrupted = False
    try:
        await this.work()
    except asyncio.CancelledError:
        interrupted = True
        this.end(INTERRUPTED, RunStatus.PAUSED)
    except Exception as error:
        this.end(str(error), RunStatus.FAILED, error.exit_code if isinstance(error, FreshwaxError) else 1)
        raise
    finally:
        finished = this.finish(record, clock.now(), clock.monotonic() - started)
        store.finish_run(finished)
        ended = visible("; ".join(filter(None, (finished.status, finished.error))))
        _log.info("run %d ended: %s", finished.id, ended, extra=known)
    # A source that answered has confirmed the clock; where none did, what is old is not for this clock to say.
    if finished.coverage.checked and not interrupted:
        with suppress(asyncio.CancelledError):  # the run is done: whoever is in a hurry gets its report
            await prune(store, now, options)
    return finished


class _Run:
    """One run in progress."""

    def __init__(
        self,
        store: Store,
        source: Source,
        meter: Meter,
        options: RunOptions,
        moment: Moment,
        clock: Clock,
    ) -> None:
        self.store = store
        self.source = source
        self.meter = meter
        self.options = options
        self.moment = moment
        self.clock = clock
        self.progress: Progress = lambda *_: None
        self.want = Want(
            groups=options.groups,
            market=options.market,
            since=moment.cutoff,
            anew=moment.anew,
        )
        self.plan = Plan((), (), (), ())
        self.checked: set[Ref] = set()
        self.learnt: set[Ref] = set()  # of these: whom nobody had checked to the end before
        self.failed: dict[Ref, str] = {}
        self.missing: list[Artist] = []  # had a 404, and do not count as gone yet
        self.gone: dict[Ref, str] = {}
        self.nobody = False  # whether all are
        self.dropped: set[Ref] = set()  # removed by somebody meanwhile
        self.found = 0
        self.remark: str | None = None
        self.by_budget = False  # whether the user's budget bounds the run, and not what the day has left
        self.cut: str | None = None  # what kept a plan from being worked off, as the user wanted it
        self.ended: tuple[RunStatus, str, int] | None = None
        self.asked = 0  # requests, for checks
        self.goes_on = False  # whether a quota or a cooldown ended it: there is an hour at which the rest continues

    async def work(self) -> None:
        """Do all of it; returns early once the run has ended."""
        ahead = self.store.notice_ahead(self.source.name, self.moment.now)
        artists = self._load()
        planned = plan_for(self.store, artists, self.moment.now, self.options, run_id=self.moment.run_id)
        self.plan = planned.plan
        self.remark = sentences(of_the_future(ahead), planned.remark)
        available = self._available()
        self.by_budget = available is not None and available == self.options.budget
        if self.options.mode is Mode.PREFETCH and not self.plan.due:
            self.plan = self._plan_of_the_barred(artists, available)
        learning = any(not artist.learnt and not artist.failures for artist in self.plan.due)
        allowance = share(
            available,
            due=len(self.plan.due),
            learning=learning,
            deep_waiting=bool(self._deep_queue(1)),
        )
        self.meter.allow(allowance.checks)
        await self._check_all()
        self._give_up()
        self.asked = self.meter.cost.requests
        if self.plan.answered:
            self.store.take_turns([artist.ref for artist in self.plan.answered], self.moment.now)
        if self.options.mode is Mode.PREFETCH:  # depth is the run's, and would eat the requests that it is to have
            return
        paused = self.ended is not None and self.ended[0] is RunStatus.PAUSED
        if self.ended is None or (paused and not learning):
            left = None if available is None else max(available - self.meter.cost.requests, 0)
            self.meter.allow(left_for_deep(left, per_day=self.options.per_day, reserved=allowance.deep))
            await self._read_deep()

    def _load(self) -> list[Artist]:
        artists = self.store.artists({ArtistState.ACTIVE, ArtistState.GONE}, groups=self.options.groups)
        wanted = self.options.artists
        return artists if wanted is None else [artist for artist in artists if artist.ref in wanted]

    def _plan_of_the_barred(self, artists: list[Artist], available: int | None) -> Plan:
        """Return the plan of a prefetch that has nobody to ask: where nobody may be asked at all, those who are due
        wait for that as well, and it has to say so.
        """
        options, now = self.options, self.moment.now
        if not is_barred(self.store, self.source.name, available, now):
            return self.plan
        return plan_run(artists, now, check_interval=options.check_interval, fresh_for=options.fresh_for)

    def _available(self) -> int | None:
        """Return how many requests this run may send: the budget, and what the rolling day still has; None: any
        number.
        """
        budget, per_day = self.options.budget, self.options.per_day
        left = None
        if per_day:
            left = max(per_day - self._used(), 0)
        bounds = [bound for bound in (budget, left) if bound is not None]
        return min(bounds, default=None)

    def _used(self) -> int:
        return used_today(self.store, self.source.name, self.moment.now)

    # -- checks --------------------------------------------------------------------------------------------------

    async def _check_all(self) -> None:
        """Check the due artists in the order of the plan, ``concurrency`` at once; those whom the plan can spare only
        after the others: or a check that takes two requests would lose its second one to them, week by week.
        """
        for part in (self.plan.promised, (*self.plan.gone, *self.plan.spared)):
            await self._together(partial(self._worker, iter(part)))

    async def _together(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Let ``concurrency`` workers work; what one of them stumbles over ends them all, and is raised as it is."""
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self.options.concurrency):
                    workers.create_task(work())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _worker(self, queue: Iterator[Artist]) -> None:
        for artist in queue:
            if self.ended is not None or self.cut is not None or self._late():
                return
            await self._check(artist)
            done = len(self.checked) + len(self.failed)
            self.progress(done, len(self.plan.due), by_name(artist))

    def _late(self) -> bool:
        """Return whether it is too late to begin another check, or another list in depth."""
        until = self.options.until
        if until is None or self.clock.now() < until:
            return False
        self.cut = f"It is {until:%H:%M} UTC, when this run was to stop"
        return True

    async def _check(self, artist: Artist) -> None:
        try:
            seen = await self.source.check(self.store.follow(artist.ref), self.want)
        except CheckError as failure:
            self._fail(artist, failure)
            return
        except FreshwaxError as reason:
            self._stop(reason)
            return
        if not self._commit(artist, seen):
            self.dropped.add(artist.ref)
            return
        if seen.paused:  # what was read is kept, but the artist is still due
            self._stop(self.meter.refusal or Paused("The requests of this run are spent", reason=BUDGET, until=None))
        else:
            self.checked.add(artist.ref)
            if not artist.learnt:
                self.learnt.add(artist.ref)

    def _fail(self, artist: Artist, failure: CheckError) -> None:
        record_failure(self.store, artist, failure, self.moment)
        _log.warning("%s", visible(str(failure)), extra={"run_id": self.moment.run_id})
        if artist.state is ArtistState.GONE:
            return
        self.failed[artist.ref] = str(failure)
        if failure.code == NOT_FOUND:
            self.missing.append(artist)

    def _give_up(self) -> None:
        """Let count as gone who had too many 404s, and say so where the service had them for most."""
        answered, missing = len(self.checked), len(self.missing)
        self.gone = give_up(self.store, self.missing, answered, self.moment.now)
        self.failed = {ref: why for ref, why in self.failed.items() if ref not in self.gone}
        self.remark = sentences(self.remark, denied(answered, missing))

    def _stop(self, reason: FreshwaxError) -> None:
        """End the run for everybody: the source cannot or must not be asked any more."""
        picked = self.options.policy is not None or self.options.mode is Mode.PREFETCH
        if picked and isinstance(reason, Paused) and reason.reason == BUDGET and self.by_budget:
            self.cut = SPENT
        elif isinstance(reason, Paused):
            why = why_paused(reason, self.meter, self.options.per_day, by_budget=self.by_budget)
            self.end(why, RunStatus.PAUSED)
            self.goes_on = True
        elif isinstance(reason, (AuthError, SourceError)):
            self.end(str(reason), RunStatus.FAILED, reason.exit_code)
        else:
            raise reason

    def end(self, why: str, status: RunStatus, exit_code: int = 3) -> None:
        """Note why the run is over; a failure outweighs a pause, the first of either counts."""
        if self.ended is None or (status is RunStatus.FAILED and self.ended[0] is RunStatus.PAUSED):
            self.ended = (status, why, exit_code)

    # -- depth ---------------------------------------------------------------------------------------------------

    def _deep_queue(self, limit: int) -> list[tuple[Ref, Group]]:
        return self.store.deep_queue(
            self.moment.now - self.options.audit_interval, self.options.groups, self.options.artists, limit
        )

    async def _read_deep(self) -> None:
        """Read lists to their end, as the allowance goes: the unexplained first, then the unread, then audits."""
        groups: dict[Ref, list[Group]] = {}
        for ref, group in self._deep_queue(1_000_000):
            if ref in self.checked:
                groups.setdefault(ref, []).append(group)
        queue = iter(groups.items())

        async def reader() -> None:
            for ref, wanted in queue:
                if self._late():
                    return
                try:
                    await self._read_artist(ref, wanted)
                except CheckError:
                    continue  # it stays in the queue; whether the artist answers at all is the next check's to tell
                except (AuthError, SourceError):
                    return  # the depth waits for another day; everything due was checked

        await self._together(reader)

    async def _read_artist(self, ref: Ref, groups: list[Group]) -> None:
        """Read some lists of an artist in depth, each behind a head that this run has seen; others wait for their turn.

        News that came on top since an older check would have pushed the list down: they would seem to lie deeper than
        the list was ever read, and be learnt silently.
        """
        for group in groups:
            follow = self.store.follow(ref)
            mark = follow.marks.get(group)
            if mark is not None and mark.checked_at == self.moment.now:
                seen = await self.source.read_deep(follow, group, self.want, DEEP_PAGES)
                self._commit(follow.artist, seen, Reading.REST if ref in self.learnt else Reading.DEPTH)

    def _commit(self, artist: Artist, seen: Observation, reading: Reading = Reading.CHECK) -> bool:
        """Decide and write what was seen; returns whether the artist is still watched."""
        ahead = self.options.mode is Mode.PREFETCH
        result = commit(self.store, seen, self.moment, self.options.channels, reading, ahead=ahead)
        if result is not None:
            trace(result, by_name(artist))
            self.found += sum(one.kind is not None for one in result.decisions)
        return result is not None

    # -- the end -------------------------------------------------------------------------------------------------

    def finish(self, record: Run, now: datetime, seconds: float) -> Run:
        """Return the run as it ended."""
        coverage = self._coverage()
        status, error, exit_code = self._verdict(coverage)
        return replace(
            record,
            status=status,
            finished_at=now,
            coverage=coverage,
            cost=replace(self.meter.cost, seconds=round(seconds, 3)),
            found=self.found,
            error=error,
            exit_code=exit_code,
        )

    def _coverage(self) -> Coverage:
        """Count where everyone stands. An artist that was not asked because the source is down counts as failed.

        A plan that is cut leaves out whom it has not reached: of those whom it can spare, when its budget is spent; of
        all, when its time is up.
        """
        due = {artist.ref for artist in self.plan.due} - self.gone.keys() - self.dropped
        left = len(due - self.checked - self.failed.keys())
        down = self.ended is not None and self.ended[0] is RunStatus.FAILED
        fresh, not_due = len(self.plan.fresh), len(self.plan.not_due)
        if self.cut is not None and self.ended is None:
            spared = {artist.ref for artist in (self.plan.spared if self.cut == SPENT else self.plan.due)}
            left_out = len(spared & due - self.checked - self.failed.keys())
            left, not_due = left - left_out, not_due + left_out
        watched = self._load()
        active = [artist for artist in watched if artist.state is ArtistState.ACTIVE]
        self.nobody = bool(watched) and not active
        checks = [one.checked_at for one in active if one.checked_at is not None and one.checked_at <= self.moment.now]
        return Coverage(
            artists=len(due) + len(self.plan.fresh) + len(self.plan.not_due),
            checked=len(due & self.checked),
            fresh=fresh,
            not_due=not_due,
            failed=len(self.failed) + (left if down else 0),
            paused=0 if down else left,
            oldest_check=min(checks, default=None),
            history_incomplete=sum(artist.history_incomplete or not artist.learnt for artist in active),
        )

    def _verdict(self, coverage: Coverage) -> tuple[RunStatus, str | None, int]:
        remark = sentences(None if coverage.paused and self.ended is None else self.cut, self.remark)
        if self.ended is not None and self.ended[0] is RunStatus.FAILED:
            return self.ended
        if coverage.failed and not coverage.checked and not coverage.paused and self._is_outage(coverage):
            why = f"Every check of this run failed, the first: {next(iter(self.failed.values()))}"
            return RunStatus.FAILED, sentences(why, self.remark), 3
        if coverage.paused:
            return RunStatus.PAUSED, sentences(self._why_paused(coverage), remark), 3
        if coverage.failed:
            failed = "1 check" if coverage.failed == 1 else f"{coverage.failed:,} checks"
            return RunStatus.PARTIAL, sentences(f"{failed} failed", remark), 3
        if self.nobody:
            return RunStatus.FAILED, sentences(NOBODY_LEFT, remark), 3
        return RunStatus.COMPLETED, remark, 0

    def _is_outage(self, coverage: Coverage) -> bool:
        """Return whether failures speak of the source: checks failed that had not before, or those of everybody."""
        news = any(artist.ref in self.failed and not artist.failures for artist in self.plan.due)
        return news or not coverage.fresh + coverage.not_due

    def _why_paused(self, coverage: Coverage) -> str:
        """Say what kept the run from its end, and when the rest continues."""
        why = self.ended[1] if self.ended else self.cut or INTERRUPTED
        if not self.goes_on and why != INTERRUPTED:
            return why
        at = resumes(self.meter, coverage.paused, len(self.checked), self.asked) if self.goes_on else None
        left = [one for one in self.plan.due if one.ref not in self.checked and one.ref not in self.failed]
        return f"{why}; {continues(at, left, self.clock.now(), self.options)}"
