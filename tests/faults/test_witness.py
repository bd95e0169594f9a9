"""The judge of the fault campaign sees what it is there to see: each kind of falsehood, loss and repetition."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from freshwax.demo.builder import WorldBuilder
from freshwax.demo.faults import Logged
from freshwax.demo.trial import score
from freshwax.demo.witness import Finished, Witness, announced_twice, recognisable
from freshwax.demo.world import World, WorldRelease, instant
from freshwax.model import DEFAULT_GROUPS, Coverage, Credit, Kind, Line, Mode, Ref, Release, Report, Run, RunStatus
from freshwax.store.base import Check

MONDAY = instant("2026-03-02T12:00")
WEEK, HOUR = timedelta(weeks=1), timedelta(hours=1)


@pytest.fixture
def builder() -> WorldBuilder:
    return WorldBuilder()


def artists_of(builder: WorldBuilder) -> tuple[str, str]:
    """Two artists, of whom the first brings a single out after the first Monday."""
    nightjar, other = builder.artist("Nightjar"), builder.artist("Other")
    nightjar.album("Old", "2020-01-03")
    other.album("Older", "2019-01-04")
    nightjar.single("News", "2026-03-06")
    return nightjar.id, other.id


def answer(
    artist: str, *shown: str, at: datetime, status: int = 200, groups: tuple[str, ...] = DEFAULT_GROUPS
) -> Logged:
    what = {"what": "albums", "method": "GET", "path": f"/v1/artists/{artist}/albums", "artist": artist}
    return Logged(**what, groups=groups, status=status, bytes=1, at=at, readable=status == 200, shown=shown)


def finished(*artists: str, at: datetime = MONDAY, number: int = 1, shown: tuple[str, ...] = ()) -> Finished:
    """A run that checked everybody, and said so."""
    coverage = Coverage(artists=len(artists), checked=len(artists), oldest_check=at)
    return Finished(
        run=Run(number, Mode.INCREMENTAL, RunStatus.COMPLETED, "US", at, at, coverage),
        at=at,
        now=at,
        checks=tuple(Check(Ref("spotify", one), number, at, "ok") for one in artists),
        log=tuple(answer(one, *shown, at=at) for one in artists),
        watched=frozenset(artists),
        left=frozenset(artists),
        everyone=True,
    )


def test_a_true_report_is_believed(builder: WorldBuilder) -> None:
    artists = artists_of(builder)
    witness = Witness(builder.build())
    witness.see(finished(*artists))
    witness.see(finished(*artists, at=MONDAY + WEEK, number=2))
    assert witness.false == []


def said(done: Finished, **coverage: object) -> Finished:
    return changed(done, run=replace(done.run, coverage=replace(done.run.coverage, **coverage)))


def changed(done: Finished, **facts: object) -> Finished:
    return Finished(**{name: getattr(done, name) for name in Finished.__slots__} | facts)


def gone(done: Finished) -> str:
    return done.log[0].artist or ""


def refused(done: Finished, which: int = 1, status: int = 503, offset: int | None = None) -> Logged:
    return dataclasses.replace(answer(done.log[which].artist or "", at=done.at, status=status), offset=offset)


LIES: dict[str, tuple[Callable[[Finished], Finished], str]] = {
    "counts": (lambda done: said(done, not_due=1), "add up to 3"),
    "artists": (lambda done: said(done, artists=1, checked=1), "1 artists, 2 are followed"),
    "not due, not fresh": (
        lambda done: said(
            changed(done, checks=done.checks[:1], at=MONDAY + HOUR, now=MONDAY + HOUR), checked=1, not_due=1
        ),
        "says 0 fresh, and 1 were checked within twelve hours",
    ),
    "checked": (lambda done: changed(done, checks=done.checks[:1]), "says 2 checked, and kept 1"),
    "never asked": (lambda done: changed(done, log=done.log[:1]), "1 count as checked of whom no list was ever sent"),
    "error taken for an answer": (
        lambda done: changed(done, log=(done.log[0], answer(done.log[1].artist or "", at=done.at, status=503))),
        "1 count as checked",
    ),
    "completed": (lambda done: said(done, checked=1, failed=1), "completed with 1 failed and 0 paused"),
    "exit code": (lambda done: changed(done, run=replace(done.run, exit_code=3)), "completed with exit code 3"),
    "left out in silence": (
        lambda done: said(changed(done, checks=done.checks[:1]), checked=1, not_due=1, oldest_check=MONDAY),
        "1 were due and not checked, 0 reported",
    ),
    "asked in vain": (
        lambda done: changed(
            said(done, checked=1, not_due=1), checks=done.checks[:1], everyone=False, log=(*done.log[:1], refused(done))
        ),
        "1 were asked in vain, 0 reported",
    ),
    "half an answer": (
        lambda done: changed(done, log=(refused(done, 0, offset=10), *done.log)),
        "1 count as checked, and an answer to their check could not be read",
    ),
    "given up": (
        lambda done: said(
            changed(
                done, checks=done.checks[1:], left=done.left - {gone(done)}, log=(refused(done, 0, 404), done.log[1])
            ),
            artists=1,
            checked=1,
        ),
        "was given up after 1 runs",
    ),
    "oldest check": (lambda done: said(done, oldest_check=None), "its oldest check is of None"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_false_report_is_not(lie: str, builder: WorldBuilder) -> None:
    artists = artists_of(builder)
    tell, text = LIES[lie]
    witness = Witness(builder.build())
    witness.see(finished(*artists))
    witness.see(tell(finished(*artists, at=MONDAY + WEEK, number=2)))
    assert any(text in one for one in witness.false), witness.false


def test_a_first_check_in_two_parts_is_as_old_as_its_first_part(builder: WorldBuilder) -> None:
    artist = builder.artist("Nightjar").id
    begun, later, again = finished(artist), MONDAY + WEEK, MONDAY + 2 * WEEK
    cut = tuple(replace(check, outcome="partial") for check in begun.checks)
    paused = replace(begun.run, status=RunStatus.PAUSED, exit_code=3)
    rest = changed(finished(artist, at=later, number=2), log=(answer(artist, at=later, groups=("single",)),))

    def what_is_false(of_the_rest: datetime) -> list[str]:
        witness = Witness(builder.build())
        witness.see(said(changed(begun, checks=cut, run=paused), checked=0, paused=1))
        witness.see(said(rest, oldest_check=of_the_rest))
        witness.see(finished(artist, at=again, number=3))
        return witness.false

    assert what_is_false(MONDAY) == []
    assert what_is_false(later) == [
        f"run 2, 2026-03-09 12:00: its oldest check is of {later}, in truth of {MONDAY}",
    ]


def test_a_pause_that_is_not_kept_is_seen(builder: WorldBuilder) -> None:
    artists = artists_of(builder)
    witness = Witness(builder.build())
    done = finished(*artists)
    paused = replace(
        done.run, status=RunStatus.PAUSED, exit_code=3, error="spotify is paused until 2026-03-02 14:00 UTC"
    )
    witness.see(changed(done, run=paused))
    witness.see(finished(*artists, at=MONDAY + timedelta(hours=1), number=2))
    assert any("before 2026-03-02 14:00" in one for one in witness.false), witness.false


def report_of(world: World, *told: WorldRelease) -> tuple[datetime, Report]:
    lines = []
    for one in told:
        credited = tuple(Credit(artist, world.artists[artist].name) for artist in one.artists)
        release = Release(Ref("spotify", one.id), one.title, one.type, credited, one.date)
        lines.append(Line(release, Kind.NEW, MONDAY))
    run = finished(*world.artists).run
    return MONDAY, Report(1, "stdout", Mode.INCREMENTAL, run, tuple(lines))


def test_what_came_after_the_learning_is_owed_and_lost_unless_told(builder: WorldBuilder) -> None:
    artists = artists_of(builder)
    world = builder.build()
    witness = Witness(world)
    witness.see(finished(*artists))
    owed = witness.owed(MONDAY + WEEK)
    news = next(one for one in world.releases if one.title == "News")
    assert set(owed) == {news.truth}
    assert score(world, artists, [report_of(world)], owed).lost == (news.truth,)
    assert score(world, artists, [report_of(world, news)], owed).lost == ()


def test_what_was_gone_again_is_owed_only_where_a_check_was_told_of_it(builder: WorldBuilder) -> None:
    nightjar = builder.artist("Nightjar")
    seen = nightjar.single("Seen", "2026-03-03", withdrawn="2026-03-20")
    nightjar.single("Never seen", "2026-03-03", withdrawn="2026-03-08")
    witness = Witness(builder.build())
    witness.see(finished(nightjar.id))
    witness.see(finished(nightjar.id, at=MONDAY + WEEK, number=2, shown=(seen.id,)))
    assert set(witness.owed(MONDAY + 8 * WEEK)) == {seen.truth}


def test_what_nothing_tells_from_old_records_is_not_owed_until_the_list_was_read_below_it(
    builder: WorldBuilder,
) -> None:
    nightjar = builder.artist("Nightjar")
    top = nightjar.album("Top", "2025-01-03")
    bottom = nightjar.album("Bottom", "2019-01-03")
    unearthed = nightjar.album("Unearthed", "2020-01-03", appears=MONDAY + timedelta(days=1))
    end = MONDAY + 2 * WEEK

    def life(first: tuple[str, ...]) -> set[str]:
        witness = Witness(builder.build())
        witness.see(finished(nightjar.id, shown=first))
        both = (top.id, unearthed.id, bottom.id)
        witness.see(finished(nightjar.id, at=MONDAY + WEEK, number=2, shown=both))
        return set(witness.owed(end))

    assert life((top.id,)) == set()
    assert life((top.id, bottom.id)) == {unearthed.truth}


def test_told_twice_is_repeated_unless_neither_id_nor_artist_are_the_same(builder: WorldBuilder) -> None:
    one, two = artists_of(builder)
    news = next(release for release in builder.build().releases if release.title == "News")
    twin = builder.twin(news, appears="2026-03-07")
    moved = dataclasses.replace(twin, id="moved", artists=(two,))
    world = World(builder.build().artists.values(), [*builder.build().releases, moved])

    def repeated(second: WorldRelease) -> tuple[str, ...]:
        reports = [report_of(world, news), report_of(world, second)]
        assert score(world, (one, two), reports, {}).twice == (news.truth,)
        return recognisable((news.truth,), world, [report for _, report in reports])

    assert repeated(news) == (news.truth,)
    assert repeated(twin) == (news.truth,)
    assert repeated(moved) == ()


def test_who_is_given_up_after_three_runs_was_given_up_in_time(builder: WorldBuilder) -> None:
    artists = artists_of(builder)
    witness = Witness(builder.build())
    witness.see(finished(*artists))
    for number in range(3):
        done = finished(*artists, at=MONDAY + (number + 1) * WEEK, number=number + 2)
        done = changed(done, checks=done.checks[1:], log=(refused(done, 0, 404), done.log[1]))
        last = number == 2
        witness.see(
            said(changed(done, left=done.left - {gone(done)}), artists=1, checked=1)
            if last
            else said(changed(done, run=replace(done.run, status=RunStatus.PARTIAL, exit_code=3)), checked=1, failed=1)
        )
    assert [one for one in witness.false if "oldest" not in one] == []


def test_what_was_recent_when_its_artist_was_learnt_is_owed_if_it_was_named(builder: WorldBuilder) -> None:
    nightjar = builder.artist("Nightjar")
    recent, unnamed = nightjar.single("Recent", "2026-01-03"), nightjar.single("Unnamed", "2026-01-03")
    older = nightjar.album("Older", "2025-01-03")
    witness = Witness(builder.build())
    witness.see(finished(nightjar.id, shown=(recent.id, older.id)))
    assert set(witness.owed(MONDAY + WEEK)) == {recent.truth}
    assert unnamed.truth not in witness.owed(MONDAY + WEEK)


def test_what_was_old_when_its_artist_was_learnt_is_no_news(builder: WorldBuilder) -> None:
    nightjar = builder.artist("Nightjar")
    recent, older = nightjar.single("Recent", "2026-01-03"), nightjar.album("Older", "2025-01-03")
    unread = nightjar.album("Unread", "2020-01-03")
    world = builder.build()
    witness = Witness(world)
    witness.see(finished(nightjar.id, shown=(recent.id, older.id)))
    assert witness.old([report_of(world, recent, older)]) == (older.truth,)
    assert witness.old([report_of(world, recent)]) == ()
    later = finished(nightjar.id, at=MONDAY + WEEK, number=2, shown=(unread.id, older.id))
    witness.see(later)
    (_, told) = report_of(world, older, unread)
    reports = [report_of(world), (MONDAY + WEEK / 2, report_of(world)[1]), (later.at, told)]
    assert witness.old(reports) == (older.truth,), "nobody could know the other"


@pytest.mark.parametrize(
    ("at_first", "asked_after", "old"),
    [("nothing", 2, False), ("nothing", 4, True), ("another album", 2, True), ("nothing", None, True)],
)
def test_what_a_list_that_was_empty_held_back_is_no_old_news_once_it_was_asked_for(
    builder: WorldBuilder, at_first: str, asked_after: int | None, old: bool
) -> None:
    nightjar = builder.artist("Nightjar")
    older, another = nightjar.album("Older", "2025-01-03"), nightjar.album("Another", "2024-01-05")
    world = builder.build()
    witness = Witness(world)
    witness.see(finished(nightjar.id, shown=(another.id,) if at_first == "another album" else ()))
    witness.see(finished(nightjar.id, at=MONDAY + WEEK, number=2, shown=(older.id, another.id)))
    if asked_after is not None:
        witness.let_go(nightjar.id, [older.id], asked_after)
    _, nothing = report_of(world)
    _, told = report_of(world, older)
    reports = [(MONDAY, nothing), (MONDAY + WEEK, nothing), (MONDAY + 2 * WEEK, nothing), (MONDAY + 3 * WEEK, told)]
    assert witness.old(reports) == ((older.truth,) if old else ())


def test_what_a_full_list_held_back_is_old_though_a_guest_had_an_empty_one(builder: WorldBuilder) -> None:
    nightjar, other = builder.artist("Nightjar"), builder.artist("Other")
    older = builder.joint("Older", "2025-01-03", [nightjar, other])
    world = builder.build()
    witness = Witness(world)
    shown = (answer(nightjar.id, older.id, at=MONDAY), answer(other.id, at=MONDAY))
    witness.see(changed(finished(nightjar.id, other.id), log=shown))
    witness.see(finished(nightjar.id, other.id, at=MONDAY + WEEK, number=2, shown=(older.id,)))
    witness.let_go(nightjar.id, [older.id], 2)
    _, nothing = report_of(world)
    _, told = report_of(world, older)
    reports = [(MONDAY, nothing), (MONDAY + WEEK, nothing), (MONDAY + 2 * WEEK, nothing), (MONDAY + 3 * WEEK, told)]
    assert witness.old(reports) == (older.truth,)


def test_what_is_announced_twice_is_seen(builder: WorldBuilder) -> None:
    artists_of(builder)
    world = builder.build()
    news = next(one for one in world.releases if one.title == "News")
    _, once = report_of(world, news)
    ahead = replace(once, lines=tuple(replace(line, kind=Kind.UPCOMING) for line in once.lines))
    assert announced_twice(world, [ahead, once]) == ()
    assert announced_twice(world, [ahead, ahead, once]) == (news.truth,)
