"""What a run says that could not go on: why, and when the rest of it continues."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from freshwax.errors import Paused
from freshwax.model import Artist
from freshwax.planning.due import plan_run
from freshwax.quota import BUDGET, LISTINGS, OWN_QUOTA, in_force, own_limit
from freshwax.reports.words import clock_time
from freshwax.store.base import Store
from freshwax.tracking.options import Meter, RunOptions

SPENT = "The request budget of this run is spent"
INTERRUPTED = "Interrupted"


def why_paused(reason: Paused, meter: Meter, per_day: int | None, *, by_budget: bool) -> str:
    """Say what ended the run. What the day has left is a budget for the gate, too: ``by_budget`` tells them apart.

    Until when the user's own limit holds depends on what is left: ``resumes`` says it.
    """
    if reason.reason == OWN_QUOTA:
        return own_limit(per_day)
    if reason.reason != BUDGET:
        return str(reason)
    return SPENT if by_budget or not per_day or meter.resumes(1) is None else own_limit(per_day)


def is_barred(store: Store, source: str, available: int | None, now: datetime) -> bool:
    """Return whether no listing can be asked for now: for a quota that is spent, or a pause."""
    return available == 0 or in_force(store.cooldowns(source), LISTINGS, now) is not None


def resumes(meter: Meter, left: int, checked: int, requests: int) -> datetime | None:
    """Return when there is room for ``left`` checks at the price that a run paid; None: now.

    A rest that is larger than a day's quota has to wait until all of that is free again.
    """
    price = max(requests / checked, 1.0) if checked else 1.0
    return meter.resumes(ceil(left * price))


def continues(at: datetime | None, left: Sequence[Artist], now: datetime, options: RunOptions) -> str:
    """Say when the rest of a run continues. Whom ``--force`` asked beyond their turn, the next run leaves out."""
    when = f"after {clock_time(at, now)}" if at else "with the next run"
    due = plan_run(left, now, check_interval=options.check_interval, fresh_for=options.fresh_for).due
    if not options.everyone or len(due) == len(left):
        return f"the rest continues {when}"
    return f"who is due continues {when}, the others with the same command"
