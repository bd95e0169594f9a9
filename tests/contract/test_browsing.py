"""Browsing, on every store."""

from __future__ import annotations

from tests.contract.store_words import NOW, A, B, at, release, save, silent, start, titles, told

from freshwax.model import ArtistState, Kind, Silence
from freshwax.store.base import Seen, Store


def test_releases_come_newest_date_first_the_undated_last(store: Store) -> None:
    dates = {"a": "2026-01-01", "b": None, "c": "2026", "d": "2026-03-06", "e": "2026-01", "f": "2026-01-01"}
    save(store, A, *(silent(release(name, date)) for name, date in dates.items()))

    assert titles(store.releases()) == ["d", "a", "f", "e", "c", "b"]
    assert titles(store.releases(limit=2)) == ["d", "a"]
    assert titles(store.releases(dated_since="2026-01-01")) == ["d", "a", "f"]
    assert store.releases(limit=0) == []


def test_a_row_says_when_it_was_seen_and_as_what_it_was_announced(store: Store) -> None:
    one, two = release("one"), release("two")
    save(store, A, silent(one), told(two, Kind.EDITION, of=one.ref))
    save(store, B, told(one, Kind.LATE), silent(two, Silence.TOLD, announced=two.ref), at=at(1))

    assert store.releases() == [Seen(one, NOW, Kind.LATE), Seen(two, NOW, Kind.EDITION)]


def test_releases_can_be_asked_for_an_artist_a_time_a_run(store: Store) -> None:
    one, two, three = release("one"), release("two"), release("three")
    first = save(store, A, told(one), silent(two)).run_id
    second = start(store, at(1)).id
    save(store, B, silent(one), told(three), at=at(1))

    assert titles(store.releases(artist=A)) == ["one", "two"]
    assert titles(store.releases(artist=B)) == ["one", "three"]
    assert titles(store.releases(since=at(1))) == ["three"]
    assert titles(store.releases(announced_only=True)) == ["one", "three"]
    assert titles(store.releases(run_id=first)) == ["one", "two"]
    assert titles(store.releases(run_id=second)) == ["one", "three"]
    assert titles(store.releases(run_id=second, artist=B, since=at(1), announced_only=True)) == ["three"]
    assert store.releases(run_id=second, artist=A) == []


def test_what_only_removed_artists_made_is_left_out(store: Store) -> None:
    one, two = release("one"), release("two")
    run = save(store, A, told(one), told(two)).run_id
    save(store, B, silent(two))
    store.set_state(A, ArtistState.REMOVED)

    assert titles(store.releases()) == titles(store.releases(since=NOW)) == ["two"]
    assert titles(store.releases(run_id=run)) == ["two"]
    assert store.releases(artist=A) == []
