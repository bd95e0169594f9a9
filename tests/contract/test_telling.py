"""Outbox, reports and the memory of what was told, on every store."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.contract.store_words import NOW, SHELL, A, B, at, mark, release, report, save, silent, start, titles, told

from freshwax.model import (
    Announcement,
    ArtistState,
    Cost,
    Coverage,
    Kind,
    Line,
    Mode,
    Ref,
    Report,
    RunStatus,
    Silence,
)
from freshwax.store.base import Store, Telling

MAIL = "mail"


def test_what_is_to_be_told_waits_on_every_channel_once(store: Store) -> None:
    one, two = release("one"), release("two")
    save(store, A, told(two), silent(release("three")), channels=[SHELL, MAIL])
    save(store, B, told(two, Kind.LATE), told(one), at=at(1))

    assert store.untold(SHELL) == [
        Announcement(two, Kind.NEW, A, NOW),
        Announcement(one, Kind.NEW, B, at(1)),
    ]
    assert titles(store.untold(MAIL)) == ["two"]
    assert store.untold("nobody") == []


def test_untold_comes_by_first_sight_then_ref(store: Store) -> None:
    save(store, A, silent(release("c")), at=at(-1))
    save(store, A, told(release("b")), told(release("a")), told(release("c")))

    assert titles(store.untold(SHELL)) == ["c", "a", "b"]


def test_untold_can_be_asked_for_some_artists_through_twins_and_joint_records(store: Store) -> None:
    one, two, twin = release("one"), release("two"), release("twin")
    save(store, A, told(one), told(two))
    save(store, B, silent(twin, Silence.TWIN, of=one.ref, announced=one.ref))

    assert titles(store.untold(SHELL, [B])) == ["one"]
    assert titles(store.untold(SHELL, [A])) == ["one", "two"]
    assert store.untold(SHELL, []) == store.untold(SHELL, [Ref("spotify", "else")]) == []


def test_what_only_removed_artists_announce_waits_unseen(store: Store) -> None:
    one, two = release("one"), release("two")
    save(store, A, told(one), told(two))
    save(store, B, silent(two, Silence.TOLD, announced=two.ref))
    store.set_state(A, ArtistState.REMOVED)
    assert titles(store.untold(SHELL)) == ["two"]

    store.watch([(A, None)], at(1))
    assert titles(store.untold(SHELL)) == ["one", "two"]


def test_a_report_that_is_told_empties_the_outbox_of_its_channel_only(store: Store) -> None:
    run = start(store)
    save(store, A, told(release("one")), channels=[SHELL, MAIL])
    fixed = report(store, run)
    assert titles(store.untold(SHELL)) == ["one"]

    store.tell(fixed.id, at(1))

    assert store.untold(SHELL) == []
    assert titles(store.untold(MAIL)) == ["one"]
    assert store.last_report(SHELL) == fixed
    assert store.last_report(MAIL) is None


def test_what_was_told_on_a_channel_does_not_queue_there_again(store: Store) -> None:
    one = release("one")
    run = start(store)
    save(store, A, told(one))
    store.tell(report(store, run).id, at(1))
    save(store, B, told(one), channels=[SHELL, MAIL])

    assert store.untold(SHELL) == []
    assert titles(store.untold(MAIL)) == ["one"]


def test_telling_twice_is_telling_once(store: Store) -> None:
    run = start(store)
    save(store, A, told(release("one")))
    fixed = report(store, run)
    store.tell(fixed.id, at(1))
    store.tell(fixed.id, at(2))

    story = store.story(Ref("spotify", "one"))
    assert story
    assert story.told == (Telling(SHELL, Kind.NEW, at(1), fixed.id, None),)
    with pytest.raises(KeyError):
        store.tell(99, at(1))


def test_an_upcoming_release_waits_on_marked_until_it_is_told_as_out(store: Store) -> None:
    run = start(store)
    one = release("one", date="2026-04-01")
    save(store, A, told(one, Kind.UPCOMING))
    first = report(store, run)
    store.tell(first.id, at(1))
    assert store.untold(SHELL) == [Announcement(one, Kind.UPCOMING, A, NOW, told_upcoming=True)]

    out = report(store, run, lines=(Line(one, Kind.NEW, NOW, hidden_by="kinds"),))
    store.tell(out.id, at(30))

    assert store.untold(SHELL) == []
    story = store.story(one.ref)
    assert story
    assert story.told == (
        Telling(SHELL, Kind.UPCOMING, at(1), first.id, None),
        Telling(SHELL, Kind.NEW, at(30), out.id, "kinds"),
    )


def test_a_report_takes_the_place_of_one_that_was_never_told(store: Store) -> None:
    run = start(store)
    save(store, A, told(release("one")))
    lost = report(store, run)
    other = report(store, run, channel=MAIL)
    kept = report(store, run)

    assert len({lost.id, other.id, kept.id}) == 3
    with pytest.raises(KeyError):
        store.tell(lost.id, at(1))
    store.tell(kept.id, at(1))
    store.tell(other.id, at(1))
    assert store.reports(run.id) == [other, kept]


def test_a_report_comes_back_as_it_was_fixed_with_the_facts_of_today(store: Store) -> None:
    run = start(store)
    one, two = release("one"), release("two")
    save(store, A, told(one), silent(two), at=at(-1))
    run = replace(
        run,
        status=RunStatus.PAUSED,
        coverage=Coverage(5, 1, 1, 1, 1, 1, at(-9), 2),
        cost=Cost(3, 2, 1, 0.1),
        error="ünfinished",
    )
    lines = (Line(two, Kind.LATE, at(-1)), Line(one, Kind.NEW, at(-1), "title"))
    fixed = report(store, run, mode=Mode.REPEAT, lines=lines, notes=("It's 1.", "zwei\n"))
    assert fixed == Report(fixed.id, SHELL, Mode.REPEAT, run, lines, ("It's 1.", "zwei\n"))
    store.tell(fixed.id, at(1))
    store.finish_run(replace(run, status=RunStatus.COMPLETED))
    assert store.last_report(SHELL) == fixed
    assert store.reports(run.id) == [fixed]

    new = replace(one, title="New")
    save(store, A, changed=(new,))
    assert store.reports(run.id) == [replace(fixed, lines=(lines[0], replace(lines[1], release=new)))]


def test_the_last_report_is_the_newest_that_had_lines(store: Store) -> None:
    run = start(store)
    empty = report(store, run)
    assert store.last_report(SHELL) is None
    store.tell(empty.id, NOW)
    assert store.last_report(SHELL) == empty
    save(store, A, told(release("one")))
    full = report(store, run)
    store.tell(full.id, at(1))
    store.tell(report(store, run).id, at(2))

    assert store.last_report(SHELL) == full
    assert len(store.reports(run.id)) == 3


def test_a_report_of_an_unknown_release_is_refused_and_the_waiting_one_stays(store: Store) -> None:
    run = start(store)
    save(store, A, told(release("one")))
    waiting = report(store, run)
    with pytest.raises(KeyError):
        report(store, run, lines=(Line(release("nothing"), Kind.NEW, NOW),))
    store.tell(waiting.id, NOW)

    assert store.last_report(SHELL) == waiting


def test_a_story_tells_all(store: Store) -> None:
    one, twin = release("one"), release("twin")
    save(store, B, silent(one, Silence.HORIZON), name="Bea")
    save(store, A, told(one), silent(twin, Silence.TWIN, of=one.ref), at=at(1), channels=[SHELL, MAIL], marks=(mark(),))

    story = store.story(one.ref)

    assert story
    assert (story.release, story.first_seen_at, story.told, story.history) == (one, NOW, (), ())
    assert [(artist.ref, known.silence, known.kind) for artist, known in story.decided] == [
        (B, Silence.HORIZON, None),
        (A, None, Kind.NEW),
    ]
    assert story.decided[0][0] == store.artist(B)
    waits = Announcement(one, Kind.NEW, A, NOW)
    assert story.waiting == ((MAIL, waits), (SHELL, waits))
    assert store.story(Ref("spotify", "else")) is None
