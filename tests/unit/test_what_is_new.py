"""The table of what "new" means, row by row, as a user meets it: run after run."""

from __future__ import annotations

from datetime import timedelta

from tests.simulation import START, a_world, day, followed, on, titles_told

from freshwax.discovery.classify import Moment
from freshwax.model import ArtistState, Group, Ref, RunStatus
from freshwax.tracking.options import STDOUT
from freshwax.tracking.session import decide_held


def test_a_first_check_tells_what_is_recent_and_learns_the_rest_silently() -> None:
    world, nightjar = a_world()
    nightjar.album("Long Ago", day(-400))
    nightjar.single("Just Out", day(-89))
    assert followed(world, nightjar).check(0) == [("Just Out", "new")]


def test_what_came_out_since_the_last_check_is_new_and_told_once() -> None:
    world, nightjar = a_world()
    nightjar.single("Low Tide", day(3))
    user = followed(world, nightjar)
    assert [user.check(0), user.check(), user.check()] == [[], [("Low Tide", "new")], []]


def test_a_release_listed_days_after_its_date_is_still_new() -> None:
    world, nightjar = a_world()
    nightjar.single("Slow Boat", day(2), appears=on(8))
    user = followed(world, nightjar)
    assert [user.check(0), user.check(), user.check()] == [[], [], [("Slow Boat", "new")]]


def test_a_release_listed_weeks_after_its_date_is_late() -> None:
    world, nightjar = a_world()
    nightjar.single("Lost Post", day(-20), appears=on(30))
    user = followed(world, nightjar)
    assert [user.check(0), user.check(28), user.check()] == [[], [], [("Lost Post", "late")]]


def test_what_is_dated_after_the_first_check_is_late_however_old() -> None:
    world, nightjar = a_world()
    nightjar.single("Much Later", day(5), appears=on(300))
    user = followed(world, nightjar)
    assert [user.check(0), user.check(295), user.check(10)] == [[], [], [("Much Later", "late")]]


def test_a_second_release_of_the_same_day_is_told() -> None:
    world, nightjar = a_world()
    nightjar.single("First of March", day(3))
    nightjar.single("Second of March", day(3), appears=on(8))
    user = followed(world, nightjar)
    assert [user.check(0), user.check(), user.check()] == [
        [],
        [("First of March", "new")],
        [("Second of March", "new")],
    ]


def test_an_old_record_added_today_is_back_catalogue() -> None:
    world, nightjar = a_world()
    nightjar.album("Nineteen Eighty-Seven", "1987", appears=on(3))
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], [("Nineteen Eighty-Seven", "back_catalogue")]]


def test_an_upcoming_release_is_told_and_told_again_when_it_is_out() -> None:
    world, nightjar = a_world()
    nightjar.album("Soon", day(20), appears=on(1))
    user = followed(world, nightjar)
    weeks = [user.check(0), user.check(), user.check(), user.check(), user.check()]
    assert weeks == [[], [("Soon", "upcoming")], [], [("Soon", "new")], []]


def test_an_upcoming_release_first_reported_when_it_is_out_is_one_line() -> None:
    world, nightjar = a_world()
    nightjar.album("Soon", day(9), appears=on(1))
    user = followed(world, nightjar)
    user.check(0)
    assert user.check(tell=False) == []
    assert [user.check(), user.check()] == [[("Soon", "new")], []]


def test_a_year_alone_gets_the_benefit_of_the_doubt() -> None:
    world, nightjar = a_world()
    nightjar.album("This Year", "2026", appears=on(3))
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], [("This Year", "new")]]


def test_explicit_and_clean_are_one_release() -> None:
    world, nightjar = a_world()
    loud = nightjar.single("Loud", day(3))
    world.twin(loud, title="Loud (Clean)", date=day(4))
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], [("Loud", "new")]]


def test_a_relisted_record_is_the_same_record() -> None:
    world, nightjar = a_world()
    old = nightjar.album("Perennial", day(-500))
    world.relist(old, on(3))
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], []]


def test_a_deluxe_edition_is_an_edition_not_a_twin() -> None:
    world, nightjar = a_world()
    plain = nightjar.album("Perennial", day(2))
    world.edition(plain, "Perennial (Deluxe Edition)", day(3))
    user = followed(world, nightjar)
    user.check(0)
    assert sorted(user.check()) == [("Perennial", "new"), ("Perennial (Deluxe Edition)", "edition")]


def test_a_joint_record_is_told_once_for_two_artists() -> None:
    world, nightjar = a_world()
    other = world.artist("Tern")
    world.joint("Together", day(3), [nightjar, other])
    user = followed(world, nightjar, other)
    assert [user.check(0), user.check(), user.check()] == [[], [("Together", "new")], []]


def test_learnt_silently_through_one_artist_is_decided_anew_for_another() -> None:
    world, nightjar = a_world()
    other = world.artist("Tern")
    together = world.joint("Together", day(-5), [nightjar, other], appears=on(-300))
    world.withdraw(together, on(8))
    world.restore(together, on(8))
    user = followed(world, nightjar)
    user.options = type(user.options)(user.options.mode, "US", lookback=1)
    assert user.check(0) == []  # older than the look-back: learnt silently for Nightjar
    user.options = type(user.options)(user.options.mode, "US")
    user.follow(other.id)
    assert user.check(1) == [("Together", "new")]


def test_told_through_one_artist_is_not_told_through_another() -> None:
    world, nightjar = a_world()
    other = world.artist("Tern")
    world.joint("Together", day(3), [nightjar, other])
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], [("Together", "new")]]
    user.follow(other.id)
    assert user.check(1) == []


def test_a_twin_of_what_another_artist_told_is_not_told() -> None:
    world, nightjar = a_world()
    other = world.artist("Tern")
    together = world.joint("Together", day(3), [nightjar, other])
    world.twin(together, title="Together (Clean)", appears=on(9))
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], [("Together", "new")]]
    user.follow(other.id)
    assert user.check(3) == []


def test_a_failed_check_moves_nothing() -> None:
    world, nightjar = a_world()
    nightjar.single("During", day(3))
    user = followed(world, nightjar)
    user.check(0)
    assert user.check(14, failing=[nightjar.id]) == []
    assert user.check(14) == [("During", "new")]  # dated before the failed check: still new, not late


def test_a_group_asked_for_the_first_time_brings_no_old_news() -> None:
    world, nightjar = a_world()
    nightjar.compilation("Collected", day(-30))
    nightjar.compilation("Collected Again", day(9))
    user = followed(world, nightjar)
    assert user.check(0) == []
    user.options = type(user.options)(user.options.mode, "US", groups=tuple(Group))
    assert user.check(10) == [("Collected Again", "new")]


def test_a_removed_artist_that_is_followed_again_starts_with_a_baseline() -> None:
    world, nightjar = a_world()
    nightjar.single("Before", day(3))
    nightjar.single("Between", day(20))
    nightjar.single("Ages Between", day(60))
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], [("Before", "new")]]
    user.store.set_state(Ref("spotify", nightjar.id), ArtistState.REMOVED)
    user.wait(140)
    user.follow(nightjar.id)
    assert user.check(0) == [("Ages Between", "new")]  # Between is older than 90 days by now


def test_a_disabled_artist_is_a_long_gap_and_nothing_else() -> None:
    world, nightjar = a_world()
    nightjar.single("Meanwhile", day(30))
    user = followed(world, nightjar)
    user.check(0)
    user.store.set_state(Ref("spotify", nightjar.id), ArtistState.DISABLED)
    assert user.check(50) == []
    user.follow(nightjar.id)
    assert user.check(150) == [("Meanwhile", "new")]


def test_a_flood_is_held_and_told_when_the_user_says_so() -> None:
    world, nightjar = a_world()
    for number in range(10):
        nightjar.single(f"Old {number}", day(-200 - number))
    for number in range(40):
        nightjar.single(f"Flood {number}", day(3))
    user = followed(world, nightjar)
    user.check(0)
    assert user.check() == []
    (artist, held), *_ = user.store.held()
    assert (artist.name, len(held)) == ("Nightjar", 40)
    last = user.store.runs(1)[0]
    decide_held(user.store, artist.ref, Moment(user.clock.now(), last.id, "US", 90), (STDOUT,))
    assert (len(user.check()), user.store.held()) == (40, [])
    assert user.check() == []


def test_a_catalogue_under_new_ids_is_recognised() -> None:
    world, nightjar = a_world()
    records = [nightjar.album(f"Record {number}", day(-200 - 30 * number)) for number in range(30)]
    for record in records:
        world.relist(record, on(3))
    nightjar.single("Truly New", day(4))
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], [("Truly New", "new")]]
    assert user.store.held() == []


def test_many_new_at_once_are_all_told() -> None:
    world, nightjar = a_world()
    for number in range(6):
        nightjar.single(f"Old {number}", day(-200 - number))
    for number in range(14):
        nightjar.single(f"Box {number}", day(3))
    user = followed(world, nightjar)
    user.check(0)
    assert len(user.check()) == 14


def test_a_check_stored_in_the_future_makes_nobody_fresh() -> None:
    world, nightjar = a_world()
    nightjar.single("Low Tide", day(3))
    user = followed(world, nightjar)
    user.wait(365)  # the clock was wrong by a year ...
    user.world = world.build()
    user.check(0)
    user.clock.move_to(START + timedelta(days=7))  # ... and is set right
    run = user.track()
    assert (run.coverage.checked, run.coverage.fresh, run.coverage.not_due) == (1, 0, 0)
    assert run.error is not None
    assert "1 check was stored with a time in the future" in run.error


def test_a_list_that_comes_back_empty_is_believed_the_third_time() -> None:
    world, nightjar = a_world()
    world.withdraw(nightjar.album("Long Ago", day(-400)), on(3))
    user = followed(world, nightjar)
    user.check(0)
    runs = []
    for _ in range(4):
        user.wait(7)
        runs.append(user.track().status)
    assert runs == [RunStatus.FAILED, RunStatus.FAILED, RunStatus.COMPLETED, RunStatus.COMPLETED]


def test_nothing_is_told_before_it_is_told() -> None:
    world, nightjar = a_world()
    nightjar.single("Low Tide", day(3))
    user = followed(world, nightjar)
    user.check(0)
    user.check(tell=False)  # killed before the report was flushed
    assert titles_told(user) == []
    assert user.check(1) == [("Low Tide", "new")]
