"""What is dropped when it is old, and what stays, on every store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.contract.store_words import NOW, SHELL, A, B, at, release, report, save, silent, start, titles, told

from freshwax.model import Kind, Precision, Release, ReleaseDate, Silence
from freshwax.store.backup import flaws
from freshwax.store.base import Pruned, Store
from freshwax.store.sqlite import SQLiteStore

IMAGE = "https://i.example.org/image/ab67616d00001e02" + 24 * "f"
OLD = "2025-01-01"


def prune(store: Store, before: datetime, most: int = 100) -> Pruned:
    return store.prune(checks_before=at(-100), releases_before=before, most=most)


def kept(store: Store, one: Release) -> Release:
    story = store.story(one.ref)
    assert story
    return story.release


def only_traces(one: Release) -> Release:
    return Release(one.ref, "", one.type, (), one.date, forgotten=True)


def test_outcomes_and_requests_go_with_their_age(store: Store) -> None:
    first, second = save(store, A).run_id, start(store, at(7)).id
    save(store, A, run=second, at=at(7))
    for day in (-3, 0, 1):
        store.claim_request("spotify", "x", at(day), None, ())
    store.claim_request("other", "x", at(0), None, ())

    assert store.prune(checks_before=at(1), releases_before=None, most=100) == Pruned(4, 0)
    assert store.checks(first) == []
    assert len(store.checks(second)) == 1
    assert store.requests_since("spotify", at(-9)) == 1
    assert store.nth_last_request("other", 1) is None
    assert store.run(first) is not None
    assert store.follow(A).marks != {}

    save(store, B, run=second, at=at(8))
    assert [check.artist for check in store.checks(second)] == [A, B]


def test_a_step_takes_no_more_than_it_may(store: Store) -> None:
    save(store, A, *(silent(release(name, OLD)) for name in ("a", "b", "c")), run=start(store, at(-200)).id)
    store.claim_request("spotify", "x", at(-200), None, ())

    assert not store.has_forgotten()
    assert [prune(store, at(1), 2) for _ in range(4)] == [Pruned(2, 0), Pruned(0, 2), Pruned(0, 1), Pruned(0, 0)]
    assert store.releases() == []
    assert store.has_forgotten()


def test_what_is_forgotten_keeps_what_later_decisions_need(store: Store) -> None:
    one = release("one", OLD, url="https://example.org/x/one", image_url=IMAGE)
    save(store, A, told(one, key="k", marks="m"))
    save(store, A, changed=(replace(one, title="Else"),))
    fixed = report(store, start(store))
    store.tell(fixed.id, NOW)

    assert prune(store, at(1)) == Pruned(0, 1)

    story = store.story(one.ref)
    assert story
    assert story.release == only_traces(one)
    assert (story.first_seen_at, story.history) == (NOW, ())
    assert [telling.kind for telling in story.told] == [Kind.NEW]
    known = store.follow(A).known["one"]
    assert (known.key, known.marks, known.kind, known.announced) == ("k", "m", Kind.NEW, one.ref)
    assert store.releases() == []
    last = store.last_report(SHELL)
    assert last
    assert [line.release for line in last.lines] == [story.release]
    with store.write() as tx:
        assert [found.release for found in tx.announced([], ["k"])] == [story.release]
    save(store, B, told(one))
    assert store.untold(SHELL) == []
    assert prune(store, at(1)) == Pruned(0, 1)
    assert prune(store, at(1)) == Pruned(0, 0)


def test_what_is_waiting_held_upcoming_or_recent_stays(store: Store) -> None:
    names = ("waiting", "held", "year", "month", "day", "again", "told", "gone")
    dates = {"year": "2026", "month": "2026-03", "day": "2026-03-08"}
    one = {name: release(name, dates.get(name, OLD)) for name in names}
    undated = release("undated", None)
    save(store, A, silent(undated), *(silent(one[name]) for name in ("year", "month", "day", "again", "gone")))
    save(store, A, silent(one["held"], Silence.HELD), told(one["told"]))
    store.tell(report(store, start(store)).id, at(2))
    save(store, A, told(one["waiting"]), channels=["mail"])
    save(store, B, silent(one["again"]), at=at(2))

    assert prune(store, NOW) == Pruned(0, 0)
    assert prune(store, at(2)) == Pruned(0, 2)
    assert {one.ref.id for one in (kept(store, one["gone"]), kept(store, undated)) if one.forgotten} == {
        "gone",
        "undated",
    }
    assert sorted(titles(store.releases())) == ["again", "day", "held", "month", "told", "waiting", "year"]
    assert prune(store, at(3)) == Pruned(0, 3)
    assert prune(store, at(26)) == Pruned(0, 1)
    assert prune(store, at(400)) == Pruned(0, 1)
    assert sorted(titles(store.releases())) == ["held", "waiting"]


def test_a_decision_brings_a_release_back_and_its_history_says_nothing_of_it(store: Store) -> None:
    one = release("one", OLD, image_url=IMAGE)
    save(store, A, silent(one))
    prune(store, at(1))
    later = replace(one, title="Another title", image_url=IMAGE.upper())
    save(store, B, silent(later), at=at(9))

    story = store.story(one.ref)
    assert story
    assert (story.release, story.first_seen_at, story.history) == (later, NOW, ())
    assert titles(store.releases()) == ["one"]


def test_what_is_forgotten_can_be_dated_anew(store: Store) -> None:
    one = release("one", OLD)
    save(store, A, silent(one))
    prune(store, at(1))
    moved = replace(only_traces(one), date=ReleaseDate("2025-02", Precision.MONTH))
    save(store, A, changed=(moved,), at=at(9))

    story = store.story(one.ref)
    assert story
    assert (story.release, story.history) == (moved, ())


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "/",
        "https://example.org/one",
        "https://example.org/two",
        "https://example.org/one/",
        "https://example.org",
        "no slash at all",
        "one",
        "https://i.example.org/00ff",
        "https://i.example.org/00FF",
        "https://i.example.org/00f",
        "https://i.example.org/00ff?x=/1e02",
        "https://i.example.org/12",
    ],
)
def test_addresses_come_back_as_they_were(store: Store, url: str | None) -> None:
    one = release("one", url=url, image_url=IMAGE)
    two = release("two", url=IMAGE, image_url=url)
    save(store, A, silent(one), silent(two))

    assert [kept(store, one), kept(store, two)] == [one, two]


def test_credits_that_nobody_shares_any_more_go(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with closing(SQLiteStore.open(path)) as store:
        shared, alone = release("one", OLD), release("two", OLD, artists=())
        save(store, A, silent(shared), silent(alone), silent(release("three", "2027")))
        prune(store, at(1))
        assert credit_lists(path) == 1
        save(store, A, changed=(release("three", "2027", artists=()),))
        assert credit_lists(path) == 1
        assert flaws(path) == []


def credit_lists(path: Path) -> int:
    with closing(sqlite3.connect(path)) as plain:
        (count,) = plain.execute("SELECT count(*) FROM credit_lists").fetchone()
    return int(count)
