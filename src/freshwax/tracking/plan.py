"""Whom a run checks: everyone whose turn it is, or those whom a policy picks under a budget.

``freshwax plan`` asks the same functions, so it shows what the next run would do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from freshwax.model import Artist, ArtistState, Mode, Run, RunStatus
from freshwax.planning.due import EARLY, Plan, is_prefetched, plan_run, planned_checks
from freshwax.reports.words import count
from freshwax.store.base import Store
from freshwax.tracking.options import RunOptions

if TYPE_CHECKING:
    from freshwax.planning.batch import Batch

ADAPTIVE = "adaptive"
RECENT = 50  # runs among which the last regular one is looked for
SHORTEST, LONGEST = timedelta(hours=1), timedelta(days=7)


class Planned(Struct, frozen=True):
    """A run's plan, and a sentence about it that its user should read, without a full stop."""

    plan: Plan
    remark: str | None = None


def plan_for(
    store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions, *, run_id: int | None = None
) -> Planned:
    """Return the plan of a run that begins now. ``run_id`` is its own number, where it has one already."""
    if options.mode is Mode.PREFETCH:
        return Planned(_of_batch(prefetch_batch(store, artists, now, options), artists, now, options))
    plan = plan_run(
        artists, now, check_interval=options.check_interval, fresh_for=options.fresh_for, force=options.everyone
    )
    if options.policy is None:
        return Planned(plan, _taken_away(store, plan))
    batch = smart_batch(store, artists, now, options, run_id=run_id)
    answered = _answered(artists, now, options)
    plan = replace(_of_batch(batch, artists, now, options), gone=plan.gone, answered=answered)
    said = (batch.warning.rstrip(".") if batch.warning else None, _taken_away(store, plan))
    return Planned(plan, ". ".join(one for one in said if one) or None)


def _of_batch(batch: Batch | None, artists: Sequence[Artist], now: datetime, options: RunOptions) -> Plan:
    due = tuple(pick.artist for pick in batch.picks) if batch is not None else ()
    picked = {artist.ref for artist in due}
    rest = [one for one in artists if one.state is ArtistState.ACTIVE and one.ref not in picked]
    fresh = {one.ref for one in rest if one.checked_at and timedelta(0) <= now - one.checked_at < options.fresh_for}
    return Plan(
        due=due,
        fresh=tuple(one for one in rest if one.ref in fresh),
        not_due=tuple(one for one in rest if one.ref not in fresh),
        gone=(),
    )


def smart_batch(
    store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions, *, run_id: int | None = None
) -> Batch:
    """Return whom the policy of the options picks now, each with a reason, and why the others are left out.

    Those whom a prefetch has just checked take their places in the budget with them.
    """
    from freshwax.planning.batch import plan_batch  # noqa: PLC0415 -- with numpy, which no other run needs

    policy = options.policy or ADAPTIVE
    every = options.every or since_last_run(store, now, run_id)
    picks = options.picks or options.budget
    if picks is None and policy == ADAPTIVE:  # tiers keep a calendar of their own
        active = sum(artist.state is ArtistState.ACTIVE for artist in artists)
        picks = planned_checks(active, every, options.max_interval)
    if picks is not None:
        picks = max(picks - len(_answered(artists, now, options)), 1)
    return plan_batch(
        policy,
        store.history(artists),
        now,
        budget=picks,
        every=every,
        max_interval=options.max_interval,
        fresh_for=options.fresh_for,
    )


def prefetch_batch(store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions) -> Batch | None:
    """Return whom a prefetch asks: the likeliest of those whose turn comes while its answers are fresh; None: nobody.

    Whoever is asked now need not be asked then, so the two together cost no more than the run alone. Failed checks are
    the run's to repeat. Without a budget, half of what a run has to do.
    """
    from freshwax.planning.batch import plan_batch  # noqa: PLC0415 -- with numpy, which no other run needs

    coming = plan_run(
        artists, now + options.fresh_for, check_interval=options.check_interval, fresh_for=options.fresh_for
    )
    waiting = [one for one in coming.due if not one.failures]
    if not waiting:
        return None
    return plan_batch(
        ADAPTIVE,
        store.history(waiting),
        now,
        budget=options.picks or options.budget or ceil(min(len(waiting), _usual(store, now, len(waiting))) / 2),
        every=since_last_run(store, now),
        max_interval=options.max_interval,
        fresh_for=options.fresh_for,
    )


def _usual(store: Store, now: datetime, otherwise: int) -> int:
    """Return how many artists a regular run has to answer for: the most in the last days."""
    recent = (run.coverage for run in _regular(store, now) if now - run.started_at < LONGEST + EARLY)
    return max((one.checked + one.failed + one.paused + one.fresh for one in recent), default=otherwise) or 1


def _answered(artists: Sequence[Artist], now: datetime, options: RunOptions) -> tuple[Artist, ...]:
    return tuple(
        one for one in artists if one.state is ArtistState.ACTIVE and is_prefetched(one, now, options.fresh_for)
    )


def _taken_away(store: Store, plan: Plan) -> str | None:
    """Say what the prefetches before a run took away from it."""
    if not plan.answered:
        return None
    since = min(one.checked_at for one in plan.answered if one.checked_at)
    ahead = [run for run in store.runs(RECENT) if run.mode is Mode.PREFETCH and run.started_at >= since]
    requests = sum(run.cost.requests for run in ahead)
    seconds = sum(run.cost.seconds for run in ahead)
    return (
        f"A prefetch answered for {count(len(plan.answered), 'artist')} ahead: it took {count(requests, 'request')} "
        f"and {seconds:.1f} seconds off this run"
    )


def since_last_run(store: Store, now: datetime, run_id: int | None = None) -> timedelta:
    """Return the time since the last regular run began, from an hour to a week: what lies, by that, between runs.

    A run that failed as a whole does not count, nor does one that is stored with an instant in the future.
    """
    earlier = (now - run.started_at for run in _regular(store, now) if run.id != run_id)
    return min(max(next(earlier, LONGEST), SHORTEST), LONGEST)


def _regular(store: Store, now: datetime) -> Iterator[Run]:
    """Return the runs of late that were no prefetch and did not fail, the newest first."""
    for run in store.runs(RECENT):
        if run.mode is not Mode.PREFETCH and run.status is not RunStatus.FAILED and run.started_at <= now:
            yield run
