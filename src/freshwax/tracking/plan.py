"""Whom a run checks: everyone whose turn it is, or those whom a policy picks under a budget.

``freshwax plan`` asks the same functions, so it shows what the next run would do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from freshwax.model import Artist, ArtistState, Mode, Run, RunStatus
from freshwax.planning.due import (
    EARLY,
    REQUESTS_A_CHECK,
    WEEK,
    Past,
    Plan,
    allowance,
    checks_a_week,
    is_prefetched,
    plan_run,
    usual_gap,
)
from freshwax.quota import DAY
from freshwax.reports.words import count
from freshwax.store.base import Store
from freshwax.tracking.options import RunOptions

if TYPE_CHECKING:
    from freshwax.planning.batch import Batch

ADAPTIVE, TIERS = "adaptive", "tiers"
NO_CEILING = timedelta(days=36_500)
RECENT = 50  # runs among which the last regular ones are looked for
SOON = timedelta(minutes=5)  # a place in the day's quota that is free within a run counts: the gate waits for it


class Planned(Struct, frozen=True):
    """A run's plan, and a sentence about it that its user should read, without a full stop."""

    plan: Plan
    remark: str | None = None


def used_today(store: Store, source: str, now: datetime) -> int:
    """Return how many requests the last 24 hours hold, but for those that are about to leave them.

    An instant more than a day ahead cannot be believed.
    """
    return store.requests_since(source, now - DAY + SOON) - store.requests_since(source, now + DAY)


def plan_for(
    store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions, *, run_id: int | None = None
) -> Planned:
    """Return the plan of a run that begins now. ``run_id`` is its own number, where it has one already."""
    if options.mode is Mode.PREFETCH:
        batch = prefetch_batch(store, artists, now, options)
        return Planned(_of_batch(batch, artists, now, options, spare=_spare(batch, options)))
    plan = plan_run(
        artists, now, check_interval=options.check_interval, fresh_for=options.fresh_for, force=options.everyone
    )
    if options.policy is None:
        return Planned(plan, _sentences(_clock(artists, plan, now), _taken_away(store, plan.answered)))
    batch = smart_batch(store, artists, now, options, run_id=run_id)
    answered = _answered(artists, now, options)
    ahead = _of_batch(batch, artists, now, options, spare=_spare(batch, options))
    plan = replace(ahead, gone=plan.gone, answered=answered)
    warning = batch.warning.rstrip(".") if batch.warning else None
    return Planned(plan, _sentences(_clock(artists, plan, now), warning, _taken_away(store, answered)))


def _sentences(*parts: str | None) -> str | None:
    return ". ".join(part for part in parts if part) or None


def _clock(artists: Sequence[Artist], plan: Plan, now: datetime) -> str | None:
    """Say that the clock was ahead once: checks stored with instants to come count for nothing, and are made again."""
    wrong = {one.ref for one in artists if one.checked_at is not None and one.checked_at > now}
    if not wrong:
        return None
    here = sum(one.ref in wrong for one in plan.due)
    stored, made = ("was", "is") if len(wrong) == 1 else ("were", "are")
    again = f"{made} made again" if here == len(wrong) else f"{made} made again bit by bit, {here:,} in this run"
    return (
        f"{count(len(wrong), 'check')} {stored} stored with a time in the future, and {again}: look at this machine's "
        "clock"
    )


def _of_batch(
    batch: Batch | None, artists: Sequence[Artist], now: datetime, options: RunOptions, *, spare: int
) -> Plan:
    due = tuple(pick.artist for pick in batch.picks) if batch is not None else ()
    picked = {artist.ref for artist in due}
    rest = [one for one in artists if one.state is ArtistState.ACTIVE and one.ref not in picked]
    fresh = {one.ref for one in rest if one.checked_at and timedelta(0) <= now - one.checked_at < options.fresh_for}
    return Plan(
        due=due,
        fresh=tuple(one for one in rest if one.ref in fresh),
        not_due=tuple(one for one in rest if one.ref not in fresh),
        gone=(),
        spare=spare,
    )


def _spare(batch: Batch | None, options: RunOptions) -> int:
    """Return how many of the picks the budget need not reach: it is one of requests, and a check may take several."""
    if batch is None or options.budget is None or options.picks is not None:
        return 0
    return max(len(batch.picks) - _checks_of(options.budget), 0)


def _checks_of(requests: int) -> int:
    """Return how many checks a budget of requests pays for, whatever they find."""
    return max(int(requests / REQUESTS_A_CHECK), 1)


def smart_batch(
    store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions, *, run_id: int | None = None
) -> Batch:
    """Return whom the policy of the options picks now, each with a reason, and why the others are left out.

    Those whom a prefetch has just checked take their places in the budget with them.
    """
    from freshwax.planning.batch import plan_batch  # noqa: PLC0415 -- with numpy, which no other run needs

    active = [one for one in artists if one.state is ArtistState.ACTIVE]
    past = [run for run in _recent(store, now) if run.id != run_id]
    every = options.every or usual_gap(_whole(past, len(active)), now, options.max_interval)
    budget, room = _pace(options, len(active), len(_answered(artists, now, options)), past, now, every)
    return plan_batch(
        options.policy or ADAPTIVE,
        store.history(artists),
        now,
        budget=budget,
        room=room,
        every=every,
        max_interval=options.max_interval,
        fresh_for=options.fresh_for,
    )


def _pace(
    options: RunOptions, artists: int, answered: int, past: Sequence[Run], now: datetime, every: timedelta
) -> tuple[int | None, int | None]:
    """Return how many checks a usual run makes, and how many this one; None: any number.

    A budget of requests is planned to its last request, but what later runs can hold is reckoned with by what it
    surely pays for.
    """
    if options.picks is not None:
        return options.picks, options.picks
    if options.budget is not None:
        return _checks_of(options.budget), max(options.budget - answered, 0)
    if options.policy == TIERS:  # they keep a calendar of their own
        return None, None
    week = checks_a_week(artists, options.max_interval)
    usual = week * (every / WEEK)
    past_checks = [Past(run.started_at, run.coverage.checked) for run in past]
    return max(ceil(usual), 1), allowance(week, max(usual, week), past_checks, now)


def _recent(store: Store, now: datetime) -> list[Run]:
    """Return the runs of late, the oldest first; one that is stored with an instant in the future is not believed."""
    return [run for run in reversed(store.runs(RECENT)) if run.started_at <= now]


def _whole(past: Sequence[Run], artists: int) -> list[datetime]:
    """Return when runs over the whole list began: no prefetch, no failure, and not over a few artists only."""
    return [
        run.started_at
        for run in past
        if run.mode is not Mode.PREFETCH and run.status is not RunStatus.FAILED and 2 * run.coverage.artists >= artists
    ]


def prefetch_batch(store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions) -> Batch | None:
    """Return whom a prefetch asks of those whose turn comes while its answers are fresh; None: nobody.

    Those come first who are likeliest to have released something by now, and not between now and their turn. Whoever is
    asked now need not be asked then, so the two together cost no more than the run alone. First checks, and the repeats
    of failed ones, are the run's. Without a budget, half of what a run has to do.
    """
    from freshwax.planning.batch import plan_batch  # noqa: PLC0415 -- with numpy, which no other run needs
    from freshwax.planning.policies import AHEAD  # noqa: PLC0415 -- as well

    coming = plan_run(
        artists, now + options.fresh_for, check_interval=options.check_interval, fresh_for=options.fresh_for
    )
    waiting = [one for one in coming.due if one.learnt and not one.failures]
    if not waiting:
        return None
    return plan_batch(
        AHEAD,
        store.history(waiting),
        now,
        budget=options.picks or options.budget or ceil(min(len(waiting), _usual(store, now, len(waiting))) / 2),
        every=WEEK,
        max_interval=NO_CEILING,  # nobody comes first for having waited: the run sees to them
        fresh_for=options.fresh_for,
    )


def _usual(store: Store, now: datetime, otherwise: int) -> int:
    """Return how many artists a regular run has to answer for: the most in the last days."""
    week = [run for run in _recent(store, now) if run.mode is not Mode.PREFETCH and now - run.started_at < WEEK + EARLY]
    recent = (run.coverage for run in week if run.status is not RunStatus.FAILED)
    return max((one.checked + one.failed + one.paused + one.fresh for one in recent), default=otherwise) or 1


def _answered(artists: Sequence[Artist], now: datetime, options: RunOptions) -> tuple[Artist, ...]:
    return tuple(
        one for one in artists if one.state is ArtistState.ACTIVE and is_prefetched(one, now, options.fresh_for)
    )


def _taken_away(store: Store, answered: Sequence[Artist]) -> str | None:
    """Say what the prefetches before a run took away from it: their cost, as far as it was for those they answer for.

    A check is known by its instant: that at which its run began.
    """
    if not answered:
        return None
    at = Counter(one.checked_at for one in answered)
    requests = seconds = 0.0
    for run in store.runs(RECENT):
        if run.mode is Mode.PREFETCH and run.coverage.checked:
            part = at[run.started_at] / run.coverage.checked
            requests, seconds = requests + part * run.cost.requests, seconds + part * run.cost.seconds
    return (
        f"A prefetch answered for {count(len(answered), 'artist')} ahead: it took {count(round(requests), 'request')} "
        f"and {seconds:.1f} seconds off this run"
    )
