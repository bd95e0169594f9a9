"""Records that a list shows without what tells them from others: their title, type, artists or date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.memory_store.store import MemoryStore
from tests.simulation import START, a_world, day, on

from freshwax.clock import SimulatedClock
from freshwax.demo.builder import WorldBuilder
from freshwax.demo.faults import ItemField, NoPageField
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.model import Release, RunStatus

FIELDS = ("name", "album_type", "artists", "release_date")
every_field = pytest.mark.parametrize("field", FIELDS)


@contextmanager
def following(world: WorldBuilder) -> Iterator[Trial]:
    """A user who follows everybody there is."""
    built = world.build()
    with DemoServer(built, START) as server:
        trial = Trial(built, server, MemoryStore(), SimulatedClock(START))
        trial.follow(built.artists)
        yield trial


def week(trial: Trial, number: int, lacking: str | None = None) -> tuple[RunStatus, list[str]]:
    """Do a week's run, all records without a field if one is named. Returns its status, and the titles it told."""
    if lacking is not None:
        trial.server.misbehave(ItemField(lacking, gone=True))
    run, report = trial.track(START + timedelta(weeks=number))
    trial.server.repair()
    return run.status, [line.release.title for line in report.lines]


def facts(trial: Trial, release: str) -> Release:
    """What is kept of a release of the only artist."""
    (artist,) = trial.store.artists()
    return trial.store.follow(artist.ref).known[release].release


@every_field
def test_a_new_record_is_told_once_its_facts_are_there_and_not_again_under_a_new_id(field: str) -> None:
    world, nightjar = a_world()
    nightjar.album("Long Ago", day(-400))
    world.relist(nightjar.album("High Tide", day(8)), on(16))
    with following(world) as trial:
        weeks = [week(trial, 0), week(trial, 1), week(trial, 2, field), week(trial, 3), week(trial, 4)]
    assert weeks == [
        (RunStatus.COMPLETED, []),
        (RunStatus.COMPLETED, []),
        (RunStatus.FAILED, []),
        (RunStatus.COMPLETED, ["High Tide"]),
        (RunStatus.COMPLETED, []),
    ]


@every_field
def test_a_told_record_that_comes_back_under_a_new_id_without_a_field_is_not_told_again(field: str) -> None:
    world, nightjar = a_world()
    nightjar.album("Long Ago", day(-400))
    world.relist(nightjar.album("High Tide", day(3)), on(10))
    with following(world) as trial:
        told = [week(trial, 0), week(trial, 1), week(trial, 2, field), week(trial, 3)]
    assert [titles for _, titles in told] == [[], ["High Tide"], [], []]


@every_field
def test_what_is_known_is_known_without_its_fields_and_keeps_them(field: str) -> None:
    world, nightjar = a_world()
    nightjar.single("Long Ago", day(-400))
    record = nightjar.album("High Tide", day(3))
    with following(world) as trial:
        week(trial, 0)
        week(trial, 1)
        before = facts(trial, record.id)
        assert week(trial, 2, field) == (RunStatus.COMPLETED, [])
        assert facts(trial, record.id) == before


@pytest.mark.parametrize("learnt", [True, False])
@pytest.mark.parametrize("records", [0, 1, 30])
def test_an_answer_without_items_is_a_failed_check_and_no_empty_list(learnt: bool, records: int) -> None:
    world, nightjar = a_world()
    for number in range(records):
        nightjar.album(f"Long Ago {number}", day(-400 - number))
    nightjar.single("High Tide", day(8))
    with following(world) as trial:
        weeks = [week(trial, 0)] * learnt
        trial.server.misbehave(NoPageField("items"))
        weeks += [week(trial, 1)]
        trial.server.misbehave(NoPageField("items"))
        weeks += [week(trial, 2), week(trial, 3)]
    failed, told = (RunStatus.FAILED, []), (RunStatus.COMPLETED, ["High Tide"])
    assert weeks == [(RunStatus.COMPLETED, [])] * learnt + [failed, failed, told]


@pytest.mark.parametrize("field", ["name", "artists", "release_date"])
def test_a_record_that_never_has_a_field_is_taken_as_it_is_the_fifth_time(field: str) -> None:
    world, nightjar = a_world()
    nightjar.single("Long Ago", day(-400))
    nightjar.single("High Tide", day(3))
    with following(world) as trial:
        weeks = [week(trial, 0), *(week(trial, number, field) for number in range(1, 7))]
    assert [status for status, _ in weeks[1:5]] == [RunStatus.FAILED] * 4
    assert [len(titles) for _, titles in weeks] == [0, 0, 0, 0, 0, 1, 0]
