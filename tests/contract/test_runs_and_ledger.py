"""Runs, requests, cooldowns and settings, on every store."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.contract.store_words import NOW, at, start

from freshwax.model import Cost, Coverage, Mode, Run, RunStatus
from freshwax.store.base import Cooldown, Store


def test_a_run_begins_and_ends(store: Store) -> None:
    run = store.start_run(Mode.BASELINE, "DE", NOW)
    assert run == store.run(run.id) == Run(run.id, Mode.BASELINE, RunStatus.RUNNING, "DE", NOW)

    done = replace(
        run,
        status=RunStatus.PARTIAL,
        finished_at=at(0.01),
        coverage=Coverage(12, 1, 2, 3, 4, 2, at(-3), 5),
        cost=Cost(9, 4, 12345, 1.0625),
        found=3,
        error="three failed",
        exit_code=3,
    )
    store.finish_run(done)

    assert store.run(run.id) == done
    assert store.run(99) is None


def test_runs_come_newest_first(store: Store) -> None:
    numbers = [start(store, at(-day)).id for day in range(4)]

    assert [run.id for run in store.runs()] == numbers[::-1]
    assert [run.id for run in store.runs(2)] == numbers[:1:-1]
    assert len(set(numbers)) == 4


def test_a_run_that_was_killed_is_found_out_by_the_next(store: Store) -> None:
    done = replace(start(store), status=RunStatus.COMPLETED)
    store.finish_run(done)
    killed = start(store)
    start(store, at(1))

    buried = store.run(killed.id)
    assert buried
    assert (buried.status, buried.exit_code) == (RunStatus.FAILED, 1)
    assert "killed" in (buried.error or "")
    assert store.run(done.id) == done


def test_a_run_that_never_began_cannot_end(store: Store) -> None:
    run = start(store)
    with pytest.raises(KeyError):
        store.finish_run(replace(run, id=99))


def test_the_ledger_counts_by_source_and_time(store: Store) -> None:
    run = start(store)
    for day in (3, 1, 2):
        store.record_request("spotify", "albums", at(day), run.id)
    number = store.record_request("other", "albums", at(9), None)
    store.settle_request(number, 200, 1234)

    assert [store.nth_last_request("spotify", n) for n in (1, 2, 3, 4)] == [at(3), at(2), at(1), None]
    assert store.nth_last_request("nobody", 1) is None
    assert [store.requests_since("spotify", at(day)) for day in (0, 2, 3.5)] == [3, 2, 0]
    assert store.requests_since("other", at(9)) == 1


def test_requests_have_numbers_of_their_own(store: Store) -> None:
    numbers = [store.record_request("spotify", "albums", NOW, None) for _ in range(3)]

    assert len(set(numbers)) == 3


def test_a_cooldown_is_remembered_past_or_not_and_replaced(store: Store) -> None:
    assert store.cooldown("spotify") is None
    store.set_cooldown(Cooldown("spotify", at(-9), "quota"))
    store.set_cooldown(Cooldown("other", at(9), "x"))
    assert store.cooldown("spotify") == Cooldown("spotify", at(-9), "quota")
    store.set_cooldown(Cooldown("spotify", at(1), "Retry-After"))
    assert store.cooldown("spotify") == Cooldown("spotify", at(1), "Retry-After")


def test_settings_are_remembered_and_forgotten(store: Store) -> None:
    assert store.setting("page_size") is None
    store.set_setting("page_size", "10")
    store.set_setting("page_size", "5")
    assert store.setting("page_size") == "5"
    store.set_setting("page_size", None)
    store.set_setting("page_size", None)
    assert store.setting("page_size") is None


def test_closing_twice_is_no_error(store: Store) -> None:
    store.settle_request(store.record_request("spotify", "albums", NOW, None), 200, 1)
    store.close()
    store.close()
