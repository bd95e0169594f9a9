"""What a check writes and a later one finds, on every store."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from msgspec.structs import replace
from tests.contract.store_words import NOW, SHELL, A, B, at, mark, release, save, silent, start, titles, told

from freshwax.model import Announced, ArtistState, Group, Kind, Known, LaterKeys, Precision, Ref, ReleaseDate, Silence
from freshwax.store.base import Change, Check, Store


def announced(store: Store, releases: Collection[Ref] = (), keys: Collection[str] = ()) -> list[Announced]:
    with store.write() as tx:
        return list(tx.announced(releases, keys))


def test_what_was_saved_is_what_is_followed(store: Store) -> None:
    one, two = release("one"), release("two", date="2026", artists=(), total_tracks=None, url=None)
    decided = told(one, key="k", marks="deluxe", previous_check_at=at(-7), group=Group.SINGLE)
    marks = (mark(read_to_end_at=at(-3), deep_cursor=7, deep_wanted=True), mark(Group.SINGLE, at(1)))
    save(store, A, decided, silent(two, Silence.TWIN, of=one.ref, announced=one.ref), marks=marks, listing="{}")

    follow = store.follow(A)

    assert follow.known == {
        "one": Known(one, Group.SINGLE, "k", "deluxe", NOW, Kind.NEW, None, one.ref, None, at(-7)),
        "two": Known(two, Group.ALBUM, f"key of {two.title}", "", NOW, None, Silence.TWIN, one.ref, one.ref),
    }
    assert follow.marks == {one.group: one for one in marks}
    assert follow.listing == "{}"
    assert follow.artist == store.artist(A)


def test_a_block_that_raises_writes_nothing(store: Store) -> None:
    result = save(store, A, told(release("one")))
    before = store.follow(A), store.checks(result.run_id), store.untold(SHELL)
    changed = (release("one", title="Else"),)
    later = replace(result, decisions=(told(release("two")),), changed=changed, listing=None, name="X", marks=())

    def fail() -> None:
        with store.write() as tx:
            tx.save(later, [SHELL, "mail"])
            assert list(tx.follow(A).known) == ["one", "two"]
            raise ConnectionError

    with pytest.raises(ConnectionError):
        fail()
    assert (store.follow(A), store.checks(result.run_id), store.untold(SHELL)) == before
    assert store.story(Ref("spotify", "two")) is None
    assert store.untold("mail") == announced(store, keys=["key of Title of two"]) == []


def test_only_one_write_is_open_at_a_time(store: Store) -> None:
    with store.write(), pytest.raises(RuntimeError):
        store.watch([(A, None)], NOW)
    assert store.artists() == []


def test_a_reference_to_nothing_is_a_key_error_and_writes_nothing(store: Store) -> None:
    save(store, A)
    nothing = Ref("spotify", "nothing")
    for bad in (silent(release("one"), of=nothing), silent(release("one"), announced=nothing)):
        with pytest.raises(KeyError):
            save(store, A, bad)
    with pytest.raises(KeyError):
        save(store, A, told(release("one")), run=77)
    assert store.releases() == []


def test_a_twin_may_stand_before_the_one_that_it_refers_to(store: Store) -> None:
    one, twin = release("one"), release("twin")
    save(store, A, silent(twin, Silence.TWIN, of=one.ref, announced=one.ref), told(one))

    assert titles(store.untold(SHELL)) == ["one"]


def test_a_decision_replaces_the_artists_earlier_one(store: Store) -> None:
    one = release("one")
    save(store, A, silent(one, Silence.HELD))
    save(store, A, told(one, Kind.LATE), at=at(3))

    known = store.follow(A).known["one"]
    assert (known.kind, known.silence, known.decided_at) == (Kind.LATE, None, at(3))
    assert store.held() == []
    assert titles(store.untold(SHELL)) == ["one"]


def test_marks_that_a_result_does_not_name_stay(store: Store) -> None:
    save(store, A, marks=(mark(), mark(Group.SINGLE)))
    save(store, A, marks=(mark(checked_at=at(7), horizon=20),), listing=None)

    follow = store.follow(A)
    assert follow.marks == {Group.ALBUM: mark(checked_at=at(7), horizon=20), Group.SINGLE: mark(Group.SINGLE)}
    assert follow.listing is None


def test_a_regular_check_heals_a_paused_or_deep_one_does_not(store: Store) -> None:
    run = save(store, A, paused=True, name="Ann").run_id
    store.save_failure(Check(A, run, at(1), "not_found"), state=ArtistState.GONE)
    failed = store.artist(A)
    assert failed
    assert (failed.name, failed.learnt, failed.failures, failed.attempted_at) == ("Ann", False, 1, at(1))
    save(store, A, paused=True, at=at(2))
    save(store, A, regular=False, at=at(2))
    assert store.artist(A) == failed

    save(store, A, at=at(3), marks=(mark(checked_at=at(3)),))
    expected = replace(failed, state=ArtistState.ACTIVE, learnt=True, failures=0, failure=None, attempted_at=at(3))
    assert store.artist(A) == replace(expected, checked_at=at(3), latest_at=at(3))
    save(store, A, paused=True, at=at(4))
    assert [artist.learnt for artist in store.artists()] == [True]


def test_since_when_an_artist_fails(store: Store) -> None:
    run = save(store, A).run_id
    since = [store.failing_since(A)]
    for day, code in enumerate(["not_found", "server", "not_found", "not_found", "not_found"], 1):
        store.save_failure(Check(A, run, at(day), code))
        since.append(store.failing_since(A))
    assert since == [None, at(1), at(2), at(3), at(3), at(3)]

    save(store, A, at=at(6), marks=(mark(checked_at=at(6)),))
    assert store.failing_since(A) is None
    store.save_failure(Check(A, run, at(7), "not_found"))
    assert store.failing_since(A) == at(7)


def test_failures_count_in_a_row_of_the_same_code(store: Store) -> None:
    run = save(store, A).run_id
    seen = []
    for day, code in enumerate(["server", "server", "not_found", "server"]):
        store.save_failure(Check(A, run, at(day), code, message="it is down"))
        artist = store.artist(A)
        assert artist
        seen.append((artist.failures, artist.failure, artist.attempted_at, artist.checked_at))

    assert seen == [
        (1, "server", at(0), NOW),
        (2, "server", at(1), NOW),
        (1, "not_found", at(2), NOW),
        (1, "server", at(3), NOW),
    ]
    assert store.checks(run)[1:3] == [
        Check(A, run, at(0), "server", message="it is down"),
        Check(A, run, at(1), "server", message="it is down"),
    ]
    assert store.checks(run, failed=True) == store.checks(run)[1:]


def test_every_outcome_is_kept_in_order(store: Store) -> None:
    one = release("one")
    first = save(store, A, told(one), silent(release("two"))).run_id
    second = start(store, at(1)).id
    save(store, B, silent(one, Silence.TOLD, announced=one.ref), paused=True, at=at(1))
    save(store, A, regular=False, at=at(1))

    assert store.checks(first) == [Check(A, first, NOW, "ok", found=1)]
    assert store.checks(second) == [Check(B, second, at(1), "partial"), Check(A, second, at(1), "ok")]
    assert store.checks(99) == []


def test_what_changes_goes_into_the_history(store: Store) -> None:
    one = release("one", date="2026-03")
    save(store, A, told(one))
    day = ReleaseDate("2026-03-20", Precision.DAY)
    later = replace(one, title="New title", type="single", date=day, total_tracks=None, url="x", image_url="y")
    save(store, A, changed=(later,), at=at(7))
    save(store, A, changed=(later,), at=at(8))
    save(store, B, silent(replace(later, date=None)), at=at(9))

    story = store.story(one.ref)
    assert story
    assert story.release == replace(later, date=None)
    assert story.first_seen_at == NOW
    assert story.history == (
        Change(at(7), "title", one.title, "New title"),
        Change(at(7), "type", "album", "single"),
        Change(at(7), "release_date", "2026-03", "2026-03-20"),
        Change(at(7), "total_tracks", "10", None),
        Change(at(9), "release_date", "2026-03-20", None),
    )
    assert store.follow(A).known["one"].release == story.release
    assert store.untold(SHELL)[0].release == story.release


def test_announced_finds_by_ref_and_by_key(store: Store) -> None:
    one, two, three, four = (release(name) for name in ("one", "two", "three", "four"))
    save(store, A, told(two, key="k", marks="m"), silent(three, key="k"), told(one, key="k"), told(four, key=""))
    save(store, B, silent(two, Silence.TOLD, announced=two.ref, key="k", marks="m"), at=at(1))

    both = [Announced(one, "k", ""), Announced(two, "k", "m")]
    assert announced(store, keys=["k", "other", ""]) == both
    assert announced(store, releases=[three.ref, two.ref, Ref("other", "one")]) == both[1:]
    assert announced(store, releases=[four.ref, one.ref], keys=["k"]) == [Announced(four, "", ""), *both]
    assert announced(store) == []


def test_a_twin_of_what_was_announced_is_found_by_its_own_ref(store: Store) -> None:
    one, clean, old = (release(name) for name in ("one", "clean", "old"))
    twin = silent(clean, Silence.TWIN, of=one.ref, announced=one.ref, key="k")
    save(store, A, told(one, key="k"), twin, silent(old, key="k"))
    assert announced(store, releases=[clean.ref, old.ref]) == [Announced(one, "k", "", clean.ref)]
    assert announced(store, releases=[clean.ref, one.ref], keys=["k"]) == [
        Announced(one, "k", "", clean.ref),
        Announced(one, "k", ""),
    ]


def test_announced_sees_what_its_own_transaction_wrote_and_forgets_what_was_replaced(store: Store) -> None:
    one = release("one")
    result = save(store, A)
    with store.write() as tx:
        tx.save(replace(result, decisions=(told(one, key="old"),)), [SHELL])
        assert tx.announced([], ["old"]) == [Announced(one, "old", "")]
    save(store, A, told(one, key="new"))

    assert announced(store, keys=["old", "new"]) == [Announced(one, "new", "")]


def test_the_keys_under_which_a_release_is_listed_now_find_what_was_announced(store: Store) -> None:
    one, clean, silenced = (release(name) for name in ("one", "clean", "silenced"))
    twin = silent(clean, Silence.TWIN, of=one.ref, announced=one.ref, key="k")
    save(store, A, told(one, key="k"), twin, silent(silenced, key="s"))
    named = [(one, "before", ""), (one, "later", "deluxe"), (clean, "other", ""), (silenced, "never", "")]
    save(store, A, rekeyed=tuple(LaterKeys(which.ref, key, marks) for which, key, marks in named))

    known = store.follow(A).known
    assert known["one"].later_keys == ("later", "deluxe"), "the last that it bore"
    assert [known[name].later_keys for name in ("clean", "silenced")] == [("other", ""), ("never", "")]
    assert known["one"].key == "k"
    assert announced(store, keys=["before", "later", "never"]) == [Announced(one, "later", "deluxe")]
    assert announced(store, keys=["other"]) == [Announced(one, "other", "")], "told under its twin's ID"
    with pytest.raises(KeyError):
        save(store, A, rekeyed=(LaterKeys(Ref("spotify", "unknown"), "k", ""),))


def test_held_decisions_come_by_artist_then_ref(store: Store) -> None:
    for ref, name in ((A, "Zoe"), (B, "abe"), (Ref("spotify", "c"), "Bea")):
        held = [silent(release(one), Silence.HELD) for one in ("two", "one")]
        save(store, ref, *held, silent(release("three")), name=name)
    store.set_state(Ref("spotify", "c"), ArtistState.REMOVED)

    found = store.held()

    assert [(artist.name, titles(known)) for artist, known in found] == [
        ("abe", ["one", "two"]),
        ("Zoe", ["one", "two"]),
    ]
    assert found[0][0] == store.artist(B)


def test_deep_reads_queue_by_need(store: Store) -> None:
    old, new = {"read_to_end_at": at(-200)}, {"read_to_end_at": at(-10)}
    names = {
        "wanted": mark(deep_wanted=True, **new),
        "never": mark(),
        "older": mark(read_to_end_at=at(-300)),
        "old": mark(**old),
        "fresh": mark(**new),
        "failing": mark(),
        "paused": mark(),
        "disabled": mark(),
    }
    for name, one in names.items():
        save(store, Ref("spotify", name), marks=(one, mark(Group.SINGLE, **new)), paused=name == "paused")
    store.save_failure(Check(Ref("spotify", "failing"), 1, NOW, "server"))
    store.set_state(Ref("spotify", "disabled"), ArtistState.DISABLED)
    both = (Group.ALBUM, Group.SINGLE)

    queue = store.deep_queue(at(-180), both, None, 10)

    assert queue == [(Ref("spotify", name), Group.ALBUM) for name in ("wanted", "never", "older", "old")]
    assert store.deep_queue(at(-180), both, None, 2) == queue[:2]
    assert store.deep_queue(at(-180), [Group.SINGLE], None, 10) == []
    assert store.deep_queue(at(-180), both, [Ref("spotify", "old"), Ref("spotify", "fresh")], 10) == queue[3:]


def test_a_turn_is_remembered_apart_from_the_check_and_taken_without_one(store: Store) -> None:
    early = mark(checked_at=at(1), turn_at=at(-6))
    save(store, A, marks=(early, mark(Group.SINGLE, at(2))))
    assert store.follow(A).marks[Group.ALBUM] == early
    (artist,) = store.artists()
    assert (artist.checked_at, artist.turn_at, artist.latest_at) == (at(1), at(-6), at(2))
    (artist,) = store.artists(groups=[Group.SINGLE])
    assert (artist.checked_at, artist.turn_at, artist.latest_at) == (at(2), None, at(2))
    assert store.artist(A) == store.artists()[0]

    store.take_turns([A], at(3))

    (artist,) = store.artists()
    assert (artist.checked_at, artist.turn_at, artist.latest_at) == (at(1), at(2), at(3))
    assert {group: one.turn_at for group, one in store.follow(A).marks.items()} == {
        Group.ALBUM: at(3),
        Group.SINGLE: None,
    }
    save(store, A, marks=(mark(checked_at=at(7)), mark(Group.SINGLE, at(7))))
    assert store.artists()[0].turn_at is None


def test_a_turn_of_nobody_is_refused_whole(store: Store) -> None:
    save(store, A)
    with pytest.raises(KeyError):
        store.take_turns([A, B], at(3))
    assert store.artists()[0].turn_at is None
