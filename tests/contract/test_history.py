"""When artists released, in columns, on every store."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.store_words import NOW, A, B, at, mark, release, save, silent, told
from tests.memory_store.store import MemoryStore

from freshwax.history import ALBUM, EXACT, UNREAD_ALBUMS, UNREAD_OTHERS, WATCHED, History
from freshwax.model import ArtistState, Decision, Group, Kind, Ref, Silence
from freshwax.store.base import Store
from freshwax.store.sqlite import SQLiteStore

C = Ref("spotify", "artist-c")
BOTH = UNREAD_ALBUMS | UNREAD_OTHERS


def history(store: Store, *refs: Ref) -> History:
    found = [store.artist(ref) for ref in refs]
    return store.history([artist for artist in found if artist])


def entries(found: History) -> list[tuple[int, str, int]]:
    days = [(date(1970, 1, 1) + timedelta(days=day)).isoformat() for day in found.day]
    return list(zip(found.artist, days, found.flags, strict=True))


def flags(store: Store, *decisions: Decision) -> list[int]:
    save(store, A, *decisions)
    return list(history(store, A).flags)


def test_of_nobody_there_is_nothing(store: Store) -> None:
    save(store, A, told(release("one")))

    found = store.history([])

    assert (found.artists, found.unread, entries(found)) == ((), b"", [])


def test_entries_come_by_artist_as_given_then_day(store: Store) -> None:
    save(store, A, *(silent(release(name, day)) for name, day in [("x", "2026-03-06"), ("y", "1969-12-31")]))
    save(store, B, silent(release("z", "2026-02-03")))
    save(store, C, silent(release("w", "2026-01-02")))
    artists = [store.artist(ref) for ref in (B, A)]

    found = store.history([artist for artist in artists if artist])

    assert found.artists == tuple(artists)
    assert entries(found) == [
        (0, "2026-02-03", ALBUM | EXACT),
        (1, "1969-12-31", ALBUM | EXACT),
        (1, "2026-03-06", ALBUM | EXACT),
    ]


def test_of_one_day_they_come_by_ref_however_the_day_was_written(store: Store) -> None:
    days = {"b": "2026-02", "a": "2026-02-01", "d": "2026", "c": "2026-01-01"}
    decisions = [silent(release(name, day)) for name, day in days.items()]
    watched = silent(release("aa", "2026-02-01"), previous_check_at=at(-7), group=Group.SINGLE)
    save(store, A, *decisions, watched)

    assert entries(history(store, A)) == [
        (0, "2026-01-01", ALBUM),
        (0, "2026-01-01", ALBUM),
        (0, "2026-02-01", ALBUM | EXACT),
        (0, "2026-02-01", EXACT | WATCHED),
        (0, "2026-02-01", ALBUM),
    ]


def test_a_release_counts_for_each_artist_with_the_facts_of_now(store: Store) -> None:
    save(store, A, told(release("one", "2026-02-03")))
    save(store, B, silent(release("one", "2026-02-04"), Silence.TOLD), at=at(1))

    assert [day for _, day, _ in entries(history(store, A, B))] == ["2026-02-04", "2026-02-04"]


def test_what_says_nothing_of_a_release_day_is_left_out(store: Store) -> None:
    one = release("one", "2026-02-03")
    save(
        store,
        A,
        told(one),
        told(release("edition"), Kind.EDITION, of=one.ref),
        silent(release("twin"), Silence.TWIN, of=one.ref, announced=one.ref),
        told(release("back"), Kind.BACK_CATALOGUE),
        silent(release("held"), Silence.HELD),
        *(silent(release(f"on {day}", day)) for day in (None, "0000", "0000-00-00", "2026-02-30", "2026-13")),
    )

    assert [day for _, day, _ in entries(history(store, A))] == ["2026-02-03"]


@pytest.mark.parametrize("silence", [Silence.BASELINE, Silence.HORIZON, Silence.FIRST_ASKED, Silence.TOLD])
def test_what_was_learnt_in_silence_counts(store: Store, silence: Silence) -> None:
    assert flags(store, silent(release("one"), silence)) == [ALBUM | EXACT]


@pytest.mark.parametrize("group", [Group.SINGLE, Group.COMPILATION, Group.APPEARS_ON])
def test_only_the_list_of_albums_has_albums(store: Store, group: Group) -> None:
    assert flags(store, told(release("one", type="album"), group=group)) == [EXACT]


@pytest.mark.parametrize("day", ["2026", "2026-03"])
def test_a_year_or_a_month_is_not_exact(store: Store, day: str) -> None:
    assert flags(store, told(release("one", day), previous_check_at=at(-7))) == [ALBUM | WATCHED]


def test_the_first_of_january_is_believed_where_it_was_watched(store: Store) -> None:
    learnt = silent(release("1", "2024-01-01"))
    watched = told(release("2", "2026-01-01"), previous_check_at=at(-7))

    assert flags(store, learnt, watched) == [ALBUM, ALBUM | EXACT | WATCHED]


def test_what_a_deeper_read_found_was_not_seen_to_appear(store: Store) -> None:
    deep = [
        silent(release(day, day), Silence.HORIZON, previous_check_at=at(-7)) for day in ("2020-01-01", "2021-05-07")
    ]

    assert flags(store, *deep) == [ALBUM, ALBUM | EXACT]


@pytest.mark.parametrize(
    ("read", "unread"),
    [
        ({Group.ALBUM: True, Group.SINGLE: True}, 0),
        ({Group.ALBUM: False, Group.SINGLE: True}, UNREAD_ALBUMS),
        ({Group.ALBUM: True, Group.SINGLE: False}, UNREAD_OTHERS),
        ({Group.ALBUM: False, Group.APPEARS_ON: False}, BOTH),
        ({Group.SINGLE: True, Group.COMPILATION: False}, UNREAD_OTHERS),
        ({Group.ALBUM: True}, 0),
        ({}, BOTH),
    ],
)
def test_a_list_is_unread_until_its_end_was_reached(store: Store, read: dict[Group, bool], unread: int) -> None:
    save(store, B)
    marks = tuple(mark(group, read_to_end_at=at(-1) if ended else None) for group, ended in read.items())
    save(store, A, marks=marks)

    assert list(history(store, B, A).unread) == [UNREAD_ALBUMS, unread]


def test_a_removed_artist_keeps_its_releases_but_no_list(store: Store) -> None:
    save(store, A, told(release("one")), marks=(mark(read_to_end_at=NOW),))
    store.set_state(A, ArtistState.REMOVED)

    found = history(store, A)

    assert (len(entries(found)), list(found.unread)) == (1, [BOTH])


def test_an_artist_that_the_store_does_not_know_has_no_history(store: Store) -> None:
    save(store, A)
    with closing(MemoryStore()) as other:
        other.watch([(B, None)], NOW)
        found = store.history([*other.artists(), *store.artists()])

    assert (entries(found), list(found.unread)) == ([], [BOTH, UNREAD_ALBUMS])


@st.composite
def decisions(draw: st.DrawFn, name: str) -> Decision:
    """Any decision about a release of that name, on a list that has few days."""
    one = release(name, draw(st.sampled_from([None, "0000", "2026", "2026-01", "2026-01-01", "2026-02", "2026-02-01"])))
    more: dict[str, Any] = {
        "group": draw(st.sampled_from(Group)),
        "previous_check_at": draw(st.none() | st.just(NOW)),
        "of": draw(st.none() | st.just(one.ref)),
    }
    kind = draw(st.none() | st.sampled_from(Kind))
    return told(one, kind, **more) if kind else silent(one, draw(st.sampled_from(Silence)), **more)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), order=st.permutations([A, B, C]))
def test_both_stores_give_the_same_columns(data: st.DataObject, order: list[Ref]) -> None:
    checks = {
        ref: data.draw(st.tuples(*(decisions(name) for name in data.draw(st.permutations("abcdef"))[:4])))
        for ref in (A, B, C)
    }
    wanted = order[: data.draw(st.integers(0, 3))]
    with closing(MemoryStore()) as memory, closing(SQLiteStore.open(":memory:")) as sqlite:
        for store in (memory, sqlite):
            for ref, decided in checks.items():
                save(store, ref, *decided)
        first, second = history(memory, *wanted), history(sqlite, *wanted)

    assert (first.artists, entries(first), first.unread) == (second.artists, entries(second), second.unread)
