"""The watch list, on every store."""

from __future__ import annotations

import pytest
from tests.contract.store_words import NOW, A, B, at, mark, release, save, silent

from freshwax.model import Artist, ArtistState, Group, Ref
from freshwax.store.base import Check, Store, Watched

C = Ref("other", "artist-c")


def test_an_artist_that_is_added_is_active_and_unchecked(store: Store) -> None:
    assert store.watch([(A, "Ann")], NOW) == Watched(added=(A,), enabled=(), known=())
    assert store.artist(A) == Artist(A, "Ann", ArtistState.ACTIVE, NOW)
    assert store.artist(B) is None


def test_duplicates_count_once_and_the_first_name_wins(store: Store) -> None:
    assert store.watch([(A, None), (A, "Ann"), (B, None), (A, "Other")], NOW).added == (A, B)
    assert [artist.name for artist in store.artists()] == ["Ann", None]


def test_a_name_is_taken_where_none_is_known(store: Store) -> None:
    store.watch([(A, None), (B, "Bea")], NOW)

    assert store.watch([(A, "Ann"), (B, "Other")], at(1)).known == (A, B)
    assert [artist.name for artist in store.artists()] == ["Ann", "Bea"]


def test_artists_come_by_name_without_case_then_ref_the_unnamed_last(store: Store) -> None:
    refs = [Ref("spotify", letter) for letter in "abcde"]
    store.watch(zip(refs, ["zoe", None, "Ärger", "abba", "ABBA"], strict=True), NOW)

    assert [artist.ref.id for artist in store.artists()] == ["d", "e", "a", "c", "b"]


def test_artists_are_chosen_by_state(store: Store) -> None:
    store.watch([(A, "a"), (B, "b"), (C, "c")], NOW)
    store.set_state(B, ArtistState.DISABLED)
    store.set_state(C, ArtistState.REMOVED)

    assert [artist.ref for artist in store.artists()] == [A, B]
    assert [artist.ref for artist in store.artists([ArtistState.DISABLED])] == [B]
    assert [artist.ref for artist in store.artists(list(ArtistState))] == [A, B, C]
    assert store.artists([]) == []


def test_a_disabled_artist_is_enabled_with_all_that_it_had(store: Store) -> None:
    save(store, A, silent(release("one")))
    before = store.follow(A)
    store.set_state(A, ArtistState.DISABLED)

    assert store.watch([(A, None)], at(9)).enabled == (A,)
    assert store.follow(A) == before


def test_a_gone_artist_is_enabled_with_its_failures_forgotten(store: Store) -> None:
    run = save(store, A).run_id
    store.save_failure(Check(A, run, NOW, "not_found"), state=ArtistState.GONE)

    assert store.watch([(A, None)], at(1)).enabled == (A,)
    artist = store.artist(A)
    assert artist
    assert (artist.state, artist.failures, artist.failure) == (ArtistState.ACTIVE, 0, None)


def test_a_removed_artist_starts_afresh_but_keeps_what_was_decided(store: Store) -> None:
    run = save(store, A, silent(release("one")), name="Ann").run_id
    store.save_failure(Check(A, run, NOW, "server"))
    store.set_state(A, ArtistState.REMOVED)
    removed = store.follow(A)
    assert (removed.marks, removed.listing, removed.artist.learnt) == ({}, None, False)

    assert store.watch([(A, None)], at(5)).added == (A,)
    follow = store.follow(A)
    assert follow.artist == Artist(A, "Ann", ArtistState.ACTIVE, at(5))
    assert (follow.marks, follow.listing, list(follow.known)) == ({}, None, ["one"])


def test_a_check_that_ends_after_the_removal_leaves_no_watermark_for_later(store: Store) -> None:
    save(store, A)
    store.set_state(A, ArtistState.REMOVED)
    save(store, A)

    store.watch([(A, None)], at(5))

    assert store.follow(A).marks == {}


def test_an_artist_is_as_old_as_its_oldest_mark_of_the_groups(store: Store) -> None:
    store.watch([(B, "b")], NOW)
    save(store, A, marks=(mark(checked_at=at(1)), mark(Group.SINGLE, at(2))), name="a")

    def checked(groups: tuple[Group, ...] | None) -> list[object]:
        return [artist.checked_at for artist in store.artists(groups=groups)]

    assert checked(None) == [at(1), None]
    assert checked((Group.SINGLE,)) == [at(2), None]
    assert checked((Group.SINGLE, Group.ALBUM)) == [at(1), None]
    assert checked((Group.COMPILATION,)) == [None, None]


def test_history_is_incomplete_until_every_list_was_read_to_its_end(store: Store) -> None:
    def incomplete() -> bool:
        (artist,) = store.artists()
        return artist.history_incomplete

    store.watch([(A, None)], NOW)
    assert not incomplete()
    save(store, A, marks=(mark(read_to_end_at=NOW), mark(Group.SINGLE)))
    assert incomplete()
    save(store, A, marks=(mark(Group.SINGLE, read_to_end_at=NOW),))
    assert not incomplete()
    save(store, A, marks=(mark(Group.SINGLE, read_to_end_at=NOW, deep_wanted=True),))
    assert incomplete()


def test_an_artist_that_was_never_watched_is_a_key_error(store: Store) -> None:
    save(store, B)
    with pytest.raises(KeyError):
        store.set_state(A, ArtistState.DISABLED)
    with pytest.raises(KeyError):
        store.follow(A)
    with pytest.raises(KeyError):
        store.save_failure(Check(A, 1, NOW, "server"))
    assert store.checks(1) == [Check(B, 1, NOW, "ok")]
