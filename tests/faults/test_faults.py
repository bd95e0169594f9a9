"""Half a year under each fault of the catalogue, and under some of them together: nothing lost, nothing told twice, no
report that says it saw more than it did. ``benchmarks/faults.py`` does the same over years and hundreds of artists.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from freshwax.demo.campaign import Outcome, suffer
from freshwax.demo.disasters import BY_NAME, CATALOGUE, Disaster

MIXES = (
    ("connections reset", "changed order", "catalogues under new IDs", "the user's own quota"),
    ("429, a day's Retry-After", "wrong totals", "artists merged", "clock 20 hours back"),
    ("5xx bursts", "items without fields", "artists vanish and return", "ISO week 53, tiers"),
    ("time-outs", "short pages", "pages of 50 refused", "clock a year ahead, no Date"),
)


def live_through(tmp_path: Path, *disasters: Disaster, seed: int = 1) -> Outcome:
    return suffer(
        "+".join(one.name for one in disasters), disasters, tmp_path, artists=12, weeks=22, seed=seed, pace=12
    )


def assert_nothing_amiss(outcome: Outcome) -> None:
    assert outcome.false == ()
    assert outcome.lost == ()
    assert outcome.repeated == ()
    assert outcome.old == ()
    assert outcome.told == outcome.owed >= 15


@pytest.mark.parametrize("disaster", CATALOGUE, ids=lambda one: one.name)
def test_a_fault_alone(disaster: Disaster, tmp_path: Path) -> None:
    outcome = live_through(tmp_path, disaster)
    assert_nothing_amiss(outcome)
    # A page size that is refused is remembered, and not asked for again.
    assert outcome.struck >= (1 if disaster.page_size > 10 else 2) or not disaster.often


@pytest.mark.parametrize("names", MIXES, ids=lambda names: names[0])
def test_faults_together(names: tuple[str, ...], tmp_path: Path) -> None:
    assert_nothing_amiss(live_through(tmp_path, *(BY_NAME[name] for name in names), seed=2))
