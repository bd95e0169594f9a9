"""Whom a run checks: everyone whose turn it is, or those whom a policy picks under a budget.

``freshwax plan`` asks the same functions, so it shows what the next run would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from freshwax.model import Artist, ArtistState, RunStatus
from freshwax.planning.due import Plan, plan_run, planned_checks
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
    plan = plan_run(
        artists, now, check_interval=options.check_interval, fresh_for=options.fresh_for, force=options.everyone
    )
    if options.policy is None:
        return Planned(plan)
    batch = smart_batch(store, artists, now, options, run_id=run_id)
    due = tuple(pick.artist for pick in batch.picks)
    picked = {artist.ref for artist in due}
    rest = [one for one in artists if one.state is ArtistState.ACTIVE and one.ref not in picked]
    fresh = {one.ref for one in rest if one.checked_at and timedelta(0) <= now - one.checked_at < options.fresh_for}
    return Planned(
        Plan(
            due=due,
            fresh=tuple(one for one in rest if one.ref in fresh),
            not_due=tuple(one for one in rest if one.ref not in fresh),
            gone=plan.gone,
        ),
        batch.warning.rstrip(".") if batch.warning else None,
    )


def smart_batch(
    store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions, *, run_id: int | None = None
) -> Batch:
    """Return whom the policy of the options picks now, each with a reason, and why the others are left out."""
    from freshwax.planning.batch import plan_batch  # noqa: PLC0415 -- with numpy, which no other run needs

    policy = options.policy or ADAPTIVE
    every = options.every or since_last_run(store, now, run_id)
    picks = options.picks or options.budget
    if picks is None and policy == ADAPTIVE:  # tiers keep a calendar of their own
        active = sum(artist.state is ArtistState.ACTIVE for artist in artists)
        picks = planned_checks(active, every, options.max_interval)
    return plan_batch(
        policy,
        store.history(artists),
        now,
        budget=picks,
        every=every,
        max_interval=options.max_interval,
        fresh_for=options.fresh_for,
    )


def since_last_run(store: Store, now: datetime, run_id: int | None = None) -> timedelta:
    """Return the time since the last regular run began, from an hour to a week: what lies, by that, between runs.

    A run that failed as a whole does not count, nor does one that is stored with an instant in the future.
    """
    earlier = (
        now - run.started_at
        for run in store.runs(RECENT)
        if run.id != run_id and run.status is not RunStatus.FAILED and run.started_at <= now
    )
    return min(max(next(earlier, LONGEST), SHORTEST), LONGEST)
