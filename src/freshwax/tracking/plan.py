"""Whom a run checks: everyone whose turn it is, or those whom a policy picks under a budget.

``freshwax plan`` asks the same functions, so it shows what the next run would do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from freshwax.model import Artist, ArtistState, Mode, Run, RunStatus
from freshwax.planning.due import (
    EARLY,
    HOUR,
    PROMISED,
    PROMISED_DEAR,
    REQUESTS_A_CHECK,
    WEEK,
    Pace,
    Past,
    Plan,
    allowance,
    checks_a_week,
    is_ahead,
    is_prefetched,
    plan_run,
    rhythm,
)
from freshwax.quota import DAY
from freshwax.reports.words import count
from freshwax.store.base import Store
from freshwax.tracking.options import RunOptions
from freshwax.tracking.remarks import sentences

if TYPE_CHECKING:
    from freshwax.planning.batch import Batch

ADAPTIVE, TIERS = "adaptive", "tiers"
NO_CEILING = timedelta(days=36_500)
RECENT = 500  # runs among which the last regular ones are looked for
SOON = timedelta(minutes=5)  # a place in the day's quota that is free within a run counts: the gate waits for it


class Planned(Struct, frozen=True):
    """A run's plan, and a sentence about it that its user should read, without a full stop."""

    plan: Plan
    remark: str | None = None


def used_today(store: Store, source: str, now: datetime) -> int:
    """Return how many requests the last 24 hours hold, but for those that are about to leave them."""
    return store.requests_since(source, now - DAY + SOON, now)


def plan_for(
    store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions, *, run_id: int | None = None
) -> Planned:
    """Return the plan of a run that begins now. ``run_id`` is its own number, where it has one already."""
    if options.mode is Mode.PREFETCH:
        batch = prefetch_batch(store, artists, now, options)
        remark = None if batch else _left_to_the_run(artists, now, options)
        return Planned(_of_batch(batch, artists, now, options, spare=_spare(batch, options)), remark)
    plan = plan_run(
        artists, now, check_interval=options.check_interval, fresh_for=options.fresh_for, force=options.everyone
    )
    if options.policy is None:
        return Planned(plan, sentences(_clock(artists, plan, now), _taken_away(store, plan.answered)))
    batch = smart_batch(store, artists, now, options, run_id=run_id)
    answered = _answered(artists, now, options)
    ahead = _of_batch(batch, artists, now, options, spare=_spare(batch, options))
    plan = replace(ahead, gone=plan.gone, answered=answered)
    warning = batch.warning.rstrip(".") if batch.warning else None
    return Planned(plan, sentences(_clock(artists, plan, now), warning, _taken_away(store, answered)))


def _clock(artists: Sequence[Artist], plan: Plan, now: datetime) -> str | None:
    """Say that the clock was ahead once: checks stored with instants to come count for nothing, and are made again."""
    wrong = {one.ref for one in artists if is_ahead(one, now)}
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
    dear = (not pick.artist.learnt or pick.artist.failures > 0 for pick in batch.picks)
    cost = accumulate(PROMISED_DEAR if one else PROMISED for one in dear)
    return len(batch.picks) - max(sum(upto <= options.budget for upto in cost), min(len(batch.picks), 1))


def smart_batch(
    store: Store, artists: Sequence[Artist], now: datetime, options: RunOptions, *, run_id: int | None = None
) -> Batch:
    """Return whom the policy of the options picks now, each with a reason, and why the others are left out."""
    from freshwax.planning.batch import plan_batch  # noqa: PLC0415 -- with numpy, which no other run needs

    past = [run for run in _recent(store, now) if run.id != run_id]
    return plan_batch(
        options.policy or ADAPTIVE,
        store.history(artists),
        now,
        pace=_pace(store, artists, past, now, options),
        max_interval=options.max_interval,
        fresh_for=options.fresh_for,
    )


def _pace(store: Store, artists: Sequence[Artist], past: Sequence[Run], now: datetime, options: RunOptions) -> Pace:
    """Return how many checks smart batches make, and this one.

    A budget of requests is planned to its last request, but what later runs can hold is reckoned with by what it pays
    for on the mean. Those whom a prefetch has just checked take their places in it with them; the ceiling still has all
    of it. Without a budget the ceiling has whatever it needs.
    """
    active = sum(one.state is ArtistState.ACTIVE for one in artists)
    every, margin = (options.every, timedelta(0)) if options.every else rhythm(_whole(past, active), now)
    if options.picks is not None:
        return Pace(options.picks, every)
    if options.budget is not None:
        room = max(options.budget - len(_answered(artists, now, options)), 0)
        pays_for = max(options.budget / REQUESTS_A_CHECK, 1.0)
        return Pace(pays_for, every, room=room, most=options.budget, margin=margin)
    if options.policy == TIERS:  # they keep a calendar of their own
        return Pace(None, every)
    week = checks_a_week(active, options.max_interval)
    usual = week * (every / WEEK)
    room = allowance(week, max(usual, week), _checks(store, past, options), now)
    return Pace(max(usual, 1e-9), every, room=room, most=active, margin=margin)


def _checks(store: Store, past: Sequence[Run], options: RunOptions) -> list[Past]:
    """Return how many checks each run made: of the artists that this one is over, where it is not over all."""
    if options.artists is None:
        return [Past(run.started_at, run.coverage.checked, run.mode is Mode.PREFETCH) for run in past]
    asked = ({one.artist for one in store.checks(run.id) if one.outcome == "ok"} for run in past)
    return [
        Past(run.started_at, len(options.artists & checked), run.mode is Mode.PREFETCH)
        for run, checked in zip(past, asked, strict=True)
    ]


def _recent(store: Store, now: datetime) -> list[Run]:
    """Return the runs of late, the oldest first; one that is stored with an instant in the future is not believed."""
    return [run for run in reversed(store.runs(RECENT)) if run.started_at <= now]


def _whole(past: Sequence[Run], artists: int) -> list[datetime]:
    """Return when runs over the whole list began: no prefetch, nothing that found nobody to ask, and not over a few."""
    return [
        run.started_at
        for run in past
        if run.mode is not Mode.PREFETCH
        and run.coverage.checked + run.coverage.fresh
        and 2 * run.coverage.artists >= artists
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
        pace=Pace(_ahead(store, waiting, now, options), WEEK),
        max_interval=NO_CEILING,  # nobody comes first for having waited: the run sees to them
        fresh_for=options.fresh_for,
    )


def _left_to_the_run(artists: Sequence[Artist], now: datetime, options: RunOptions) -> str:
    """Say why a prefetch asks nobody."""
    coming = plan_run(
        artists, now + options.fresh_for, check_interval=options.check_interval, fresh_for=options.fresh_for
    ).due
    hours = round(options.fresh_for / HOUR)
    if not coming:
        return f"Nobody's turn comes within the next {count(hours, 'hour')}" if hours else "Nobody's turn has come"
    failed = sum(one.failures > 0 for one in coming)
    first = len(coming) - failed
    waiting = f"{count(first, 'artist')} {'waits' if first == 1 else 'wait'} for a first check" if first else ""
    repeat = f"the last check of {count(failed, 'artist')} failed" if failed else ""
    left = ", and ".join(filter(None, (waiting, repeat)))
    return f"{left[0].upper()}{left[1:]}: `freshwax track` asks {'it' if len(coming) == 1 else 'them'}"


def _ahead(store: Store, waiting: Sequence[Artist], now: datetime, options: RunOptions) -> int:
    given = options.picks or options.budget
    return given or ceil(min(len(waiting), _usual(store, now, len(waiting))) / 2)


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
