"""Runs, requests, cooldowns and settings, on every store."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from tests.contract.store_words import NOW, at, start

from freshwax.model import Cost, Coverage, Mode, Run, RunStatus
from freshwax.quota import Cooldown, Limit, believed
from freshwax.store.base import Store


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
        store.claim_request("spotify", "albums", at(day), run.id, ())
    number = store.claim_request("other", "albums", at(9), None, ())
    store.settle_request(number, 200, 1234)

    assert [store.nth_last_request("spotify", n) for n in (1, 2, 3, 4)] == [at(3), at(2), at(1), None]
    assert store.nth_last_request("nobody", 1) is None
    assert [store.requests_since("spotify", at(day)) for day in (0, 2, 3.5)] == [3, 2, 0]
    assert store.requests_since("other", at(9)) == 1


def test_requests_have_numbers_of_their_own(store: Store) -> None:
    numbers = [store.claim_request("spotify", "albums", NOW, None, ()) for _ in range(3)]

    assert len(set(numbers)) == 3


def test_a_cooldown_is_remembered_past_or_not_and_replaced(store: Store) -> None:
    assert store.cooldowns("spotify") == []
    store.set_cooldown(Cooldown("spotify", at(-9), "quota exceeded", since=at(-10)))
    store.set_cooldown(Cooldown("other", at(9), "x"))
    assert store.cooldowns("spotify") == [Cooldown("spotify", at(-9), "quota exceeded", "", at(-10))]
    store.set_cooldown(Cooldown("spotify", at(1), "rate limit"))
    assert store.cooldowns("spotify") == [Cooldown("spotify", at(1), "rate limit", "", None)]


def test_of_two_cooldowns_of_a_bucket_the_longer_is_kept_whoever_comes_last(store: Store) -> None:
    long = Cooldown("spotify", at(1), "rate limit", since=NOW)
    short = Cooldown("spotify", at(0.1), "quota exceeded", since=at(0.01))
    elsewhere = replace(short, bucket="search")

    assert store.set_cooldown(long) == store.set_cooldown(short) == long
    assert store.set_cooldown(elsewhere) == elsewhere
    assert store.cooldowns("spotify") == [long, elsewhere]
    longer = replace(short, until=at(2))
    assert store.set_cooldown(longer) == longer
    assert store.cooldowns("spotify") == [longer, elsewhere]


def test_a_cooldown_of_a_year_that_no_source_asks_for_makes_way(store: Store) -> None:
    store.set_cooldown(Cooldown("spotify", at(365), "quota exceeded"))
    sane = Cooldown("spotify", at(0.1), "rate limit", since=NOW)

    assert store.set_cooldown(sane) == sane
    assert store.cooldowns("spotify") == [sane]


def test_each_bucket_has_a_cooldown_of_its_own(store: Store) -> None:
    search = Cooldown("spotify", at(2), "quota exceeded", "search", NOW)
    whole = Cooldown("spotify", at(1), "rate limit", "", NOW)
    store.set_cooldown(search)
    store.set_cooldown(whole)

    assert store.cooldowns("spotify") == [whole, search]


def test_a_request_is_claimed_only_where_every_limit_has_room(store: Store) -> None:
    day, hour = Limit(3, timedelta(days=1)), Limit(1, timedelta(hours=1))

    def claim(hours: float) -> int | datetime:
        return store.claim_request("spotify", "albums", at(hours / 24), None, (day, hour))

    numbers = [claim(hours) for hours in (0, 1, 2)]
    assert len({one for one in numbers if isinstance(one, int)}) == 3
    assert claim(2.5) == at(1), "the day is full, the hour is, too: the later end counts"
    assert claim(23.9) == at(1)
    assert isinstance(claim(24), int), "the first request has just left the day"
    assert claim(24.5) == at(25.0 / 24)
    assert claim(25) != at(1)
    assert store.requests_since("spotify", at(0)) == 5
    assert isinstance(store.claim_request("other", "albums", at(0.1), None, (day, hour)), int)


def test_a_claim_for_a_run_that_never_began_is_refused(store: Store) -> None:
    with pytest.raises(KeyError):
        store.claim_request("spotify", "albums", NOW, 99, ())


# -- the future ------------------------------------------------------------------------------------------------------


def seen(store: Store, now: float) -> list[float | None]:
    """The last requests as they count at a day, the newest first, in days."""
    found = [store.nth_last_request("spotify", n, at(now)) for n in (1, 2, 3, 4)]
    return [None if one is None else (one - NOW) / timedelta(days=1) for one in found]


@pytest.fixture
def ahead(store: Store) -> Store:
    """Three requests of the days to come, and one of yesterday."""
    for day in (-1, 5, 7, 7.25):
        store.claim_request("spotify", "albums", at(day), None, ())
    store.claim_request("other", "albums", at(9), None, ())
    return store


def test_requests_of_the_future_count_from_when_they_were_noticed(ahead: Store) -> None:
    assert seen(ahead, 0) == [0, 0, 0, -1], "from now on, where nobody noticed yet"
    assert ahead.notice_ahead("spotify", at(0)) == 3
    ahead.claim_request("spotify", "albums", at(0.5), None, ())

    assert ahead.notice_ahead("spotify", at(1)) == 3
    assert seen(ahead, 1) == [0.5, 0, 0, 0]
    assert [ahead.requests_since("spotify", at(day), at(1)) for day in (0, 0.2, 0.6)] == [4, 1, 0]


def test_a_clock_that_is_set_right_finds_the_ledger_as_it_was(ahead: Store) -> None:
    ahead.notice_ahead("spotify", at(0))

    assert ahead.notice_ahead("spotify", at(6)) == 2
    assert seen(ahead, 6) == [5, 0, 0, -1]
    assert ahead.notice_ahead("spotify", at(8)) == 0
    assert seen(ahead, 8) == [7.25, 7, 5, -1]
    assert [ahead.nth_last_request("spotify", n) for n in (1, 2, 3, 4)] == [at(7.25), at(7), at(5), at(-1)]


def test_what_comes_from_the_future_later_is_noticed_anew(ahead: Store) -> None:
    ahead.notice_ahead("spotify", at(0))
    ahead.claim_request("spotify", "albums", at(6), None, ())

    assert seen(ahead, 2) == [2, 2, 2, 2]
    ahead.notice_ahead("spotify", at(2))
    assert seen(ahead, 3) == [2, 2, 2, 2]
    assert seen(ahead, 1) == [1, 1, 1, 1], "a clock that goes further back has noticed nothing yet"


def test_requests_of_clocks_that_were_ahead_count_as_sent_now(ahead: Store) -> None:
    assert ahead.pull_back("spotify", at(0)) == 3
    assert [ahead.nth_last_request("spotify", n) for n in (1, 2, 3, 4)] == [at(0), at(0), at(0), at(-1)]
    assert ahead.nth_last_request("other", 1) == at(9)
    assert ahead.pull_back("spotify", at(0)) == ahead.notice_ahead("spotify", at(0)) == 0


def test_they_are_pulled_back_to_when_they_were_noticed(ahead: Store) -> None:
    ahead.notice_ahead("spotify", at(0))
    ahead.claim_request("spotify", "albums", at(1), None, ())

    assert ahead.pull_back("spotify", at(1)) == 3
    assert seen(ahead, 1) == [1, 0, 0, 0], "by which clocks, and how long ago, is not known"


def test_a_cooldown_of_the_future_lasts_from_when_it_was_noticed_and_as_stored_later(store: Store) -> None:
    future = Cooldown("spotify", at(11), "quota exceeded", "search", at(10))
    store.set_cooldown(future)
    store.notice_ahead("spotify", at(0))
    store.notice_ahead("spotify", at(0.5))

    (noticed,) = store.cooldowns("spotify")
    assert noticed == replace(future, noticed=at(0))
    assert believed(noticed, at(0.5)).until == at(1)
    store.notice_ahead("spotify", at(10))
    assert store.cooldowns("spotify") == [future], "the clock was behind"
    store.notice_ahead("spotify", at(3))
    store.pull_back("spotify", at(3.5))
    assert store.cooldowns("spotify") == [Cooldown("spotify", at(4), "quota exceeded", "search", at(3))]


def test_an_instant_that_another_process_read_a_moment_later_is_no_wrong_clock(store: Store) -> None:
    store.claim_request("spotify", "albums", NOW + timedelta(seconds=1), None, ())

    assert store.notice_ahead("spotify", NOW) == store.pull_back("spotify", NOW) == 0
    assert store.nth_last_request("spotify", 1) == NOW + timedelta(seconds=1)


def test_settings_are_remembered_and_forgotten(store: Store) -> None:
    assert store.setting("page_size") is None
    store.set_setting("page_size", "10")
    store.set_setting("page_size", "5")
    assert store.setting("page_size") == "5"
    store.set_setting("page_size", None)
    store.set_setting("page_size", None)
    assert store.setting("page_size") is None


def test_closing_twice_is_no_error(store: Store) -> None:
    store.settle_request(store.claim_request("spotify", "albums", NOW, None, ()), 200, 1)
    store.close()
    store.close()
