"""What ``--from-cache`` prints when nothing waits: the last report again, within the scope and filters of this one."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.simulation import Simulation, a_world, day, followed, on
from tests.unit.test_prefetch import prefetch

from freshwax.errors import UsageError
from freshwax.model import Kind, Mode, Report
from freshwax.reports.render import render
from freshwax.tracking.report import report_from_cache


def from_cache(user: Simulation, **options: object) -> Report:
    """Ask for what is stored, and read it."""
    settings = replace(user.options, mode=Mode.FROM_CACHE, **options)  # type: ignore[arg-type]
    report = report_from_cache(user.store, settings, user.clock.now())
    if report.id:
        user.read(report)
    return report


def titles(report: Report) -> list[str]:
    return sorted(line.release.title for line in report.lines if line.hidden_by is None)


@pytest.fixture
def read() -> Simulation:
    """Somebody who has read of a single and an album by two artists, and of a record that came late."""
    world, nightjar = a_world()
    tern = world.artist("Tern")
    nightjar.single("Low Tide", day(5), appears=on(5))
    nightjar.single("Driftwood", day(-30), appears=on(5))
    tern.album("Ebb", day(5), appears=on(5))
    user = followed(world, nightjar, tern)
    user.check(0)
    assert len(user.check(7)) == 3
    return user


def test_the_last_report_again_is_whole_where_nothing_limits_it(read: Simulation) -> None:
    again = from_cache(read)
    assert (again.mode, titles(again)) == (Mode.REPEAT, ["Driftwood", "Ebb", "Low Tide"])


def test_the_last_report_again_obeys_filters(read: Simulation) -> None:
    late = from_cache(read, kinds=frozenset({Kind.LATE}))
    assert titles(late) == ["Driftwood"]
    shown = render(late, "table", now=read.clock.now())
    assert "Your filters hid 2 releases: that counts as told." in shown
    assert titles(from_cache(read, excluded=("ebb",))) == ["Driftwood", "Low Tide"]
    assert titles(from_cache(read)) == ["Driftwood", "Ebb", "Low Tide"], "and that was a look, no more"


def test_the_last_report_again_obeys_its_scope(read: Simulation) -> None:
    tern = next(artist.ref for artist in read.store.artists() if artist.name == "Tern")
    assert titles(from_cache(read, artists=frozenset({tern}))) == ["Ebb"]
    assert titles(from_cache(read, types=frozenset({"single"}))) == ["Driftwood", "Low Tide"]
    assert titles(from_cache(read, artists=frozenset({tern}), types=frozenset({"single"}))) == []


def test_a_repeated_report_of_which_filters_leave_nothing_does_not_say_that_nothing_is_new(read: Simulation) -> None:
    shown = render(from_cache(read, kinds=frozenset({Kind.EDITION})), "table", now=read.clock.now())
    assert "Nothing new." not in shown
    assert "Your filters hid 3 releases: that counts as told." in shown


def test_after_nothing_but_a_prefetch_there_is_no_report_and_why_is_said() -> None:
    world, nightjar = a_world()
    user = followed(world, nightjar)
    assert prefetch(user) == 0
    (run,) = user.store.runs(1)
    assert run.error == "1 artist waits for a first check: `freshwax track` asks it"
    with pytest.raises(UsageError, match="but prefetches"):
        from_cache(user)


def test_a_prefetch_says_why_it_asked_nobody() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    user = followed(world, nightjar, tern)
    user.check(0)
    assert prefetch(user) == 0
    assert user.store.runs(1)[0].error == "Nobody's turn comes within the next 12 hours"
    user.wait(7)
    user.track(failing=[nightjar.id, tern.id])
    user.follow(world.artist("Wren").id)
    assert prefetch(user) == 0
    assert user.store.runs(1)[0].error == (
        "1 artist waits for a first check, and the last check of 2 artists failed: `freshwax track` asks them"
    )


def test_the_last_run_is_found_behind_many_prefetches(read: Simulation) -> None:
    for _ in range(25):
        prefetch(read)
    again = from_cache(read)
    assert (again.run.mode, again.run.coverage.checked, again.run.exit_code) == (Mode.INCREMENTAL, 2, 0)
