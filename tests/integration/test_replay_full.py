"""The planner-only replay and the real tracker over HTTP: the same checks, the same scores."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from freshwax.demo.generate import Habits, generate
from freshwax.replay import fast, full
from freshwax.replay.fast import Runs
from freshwax.replay.scores import score
from freshwax.replay.timeline import from_world
from freshwax.store.sqlite import SQLiteStore

START = 20454.5  # 2026-01-01, noon
WEEKS = 26
# Nothing that goes, moves or is another edition: that is the tracker's business, tested elsewhere.
PLAIN = Habits(
    releases_a_year=5.0,
    deluxe_share=0.0,
    guest_share=0.0,
    relisted=0.0,
    withdrawn=0.0,
    changed=0.0,
    reissued=0.0,
    unearthed=0.0,
    swapped=0.0,
)


@pytest.mark.parametrize(("policy", "budget"), [("adaptive", 8), ("tiers", None)])
def test_both_paths_ask_the_same_artists_and_score_the_same(tmp_path: Path, policy: str, budget: int | None) -> None:
    world = generate(5, artists=40, start="2025-10-01", end="2026-08-01", habits=PLAIN)
    timeline = from_world(world)
    runs = Runs(policy, START, START + WEEKS * 7, budget=budget)

    quick = fast.replay(timeline, runs)
    with closing(SQLiteStore.open(tmp_path / "replay.db")) as store:
        real = full.replay(world, store, runs)

    assert [one.tolist() for one in real.asked] == [one.tolist() for one in quick.asked]
    assert score(timeline, real) == score(timeline, quick)
    assert score(timeline, quick).releases > 20
    assert score(timeline, quick).lost == score(timeline, quick).repeated == 0


def test_both_paths_lose_nothing_where_checks_fail_and_run_at_once(tmp_path: Path) -> None:
    world = generate(6, artists=40, start="2025-10-01", end="2026-08-01", habits=PLAIN)
    timeline = from_world(world)
    runs = Runs("adaptive", START, START + WEEKS * 7, budget=8, fail=0.05, shuffle=True)

    quick = fast.replay(timeline, runs)
    with closing(SQLiteStore.open(tmp_path / "replay.db")) as store:
        real = full.replay(world, store, runs)

    assert [sorted(one.tolist()) for one in real.asked] == [sorted(one.tolist()) for one in quick.asked]
    assert sum((~one).sum() for one in real.answered) == sum((~one).sum() for one in quick.answered) > 5
    assert score(timeline, real) == score(timeline, quick)
    assert score(timeline, quick).releases > 20
    assert score(timeline, quick).lost == score(timeline, quick).repeated == 0
