"""What a run says that could not go on: why, and when the rest of it continues."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from freshwax.errors import Paused
from freshwax.quota import BUDGET, LISTINGS, OWN_QUOTA, in_force, own_limit
from freshwax.reports.words import clock_time
from freshwax.store.base import Store
from freshwax.tracking.options import Meter

SPENT = "The request budget of this run is spent"


def why_paused(reason: Paused, meter: Meter, per_day: int | None, *, by_budget: bool) -> str:
    """Say what ended the run. What the day has left is a budget for the gate, too: ``by_budget`` tells them apart.

    Until when the user's own limit holds depends on what is left: ``continues`` says it.
    """
    if reason.reason == OWN_QUOTA:
        return own_limit(per_day)
    if reason.reason != BUDGET:
        return str(reason)
    return SPENT if by_budget or not per_day or meter.resumes(1) is None else own_limit(per_day)


def is_barred(store: Store, source: str, available: int | None, now: datetime) -> bool:
    """Return whether no listing can be asked for now: for a quota that is spent, or a pause."""
    return available == 0 or in_force(store.cooldowns(source), LISTINGS, now) is not None


def continues(meter: Meter, left: int, checked: int, requests: int, now: datetime) -> str:
    """Say when the rest of a run continues: once there is room for ``left`` checks at the price that this run paid.

    A rest that is larger than a day's quota continues when all of that is free again.
    """
    price = max(requests / checked, 1.0) if checked else 1.0
    at = meter.resumes(ceil(left * price))
    return f"the rest continues after {clock_time(at, now)}" if at else "the rest continues with the next run"
