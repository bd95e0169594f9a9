"""Replays over worlds so small that what each policy finds, and when, can be worked out by hand."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from array import array
from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshwax.demo.builder import WorldBuilder
from freshwax.errors import UsageError
from freshwax.history import History
from freshwax.model import Artist, ArtistState, Ref
from freshwax.replay.compare import Case, compare, last_year
from freshwax.replay.fast import REPLAYED, UNBUDGETED, Record, Runs, replay
from freshwax.replay.heavy import REPLAY_DAYS, START, heavy
from freshwax.replay.plot import plot
from freshwax.replay.scores import Scores, score
from freshwax.replay.timeline import Timeline, day_number, from_columns, from_history, from_world

FIRST = 18_000.5  # a run at noon


def timeline(*releases: tuple[int, float], artists: int = 3, gone: Sequence[float] | None = None) -> Timeline:
    """A timeline of single releases: artist, and days from the first run until it appears."""
    at = [FIRST + days for _, days in releases]
    return from_columns(
        [f"artist{number}" for number in range(artists)],
        [artist for artist, _ in releases],
        at,
        [int(one) for one in at],
        album=[False] * len(at),
        exact=[True] * len(at),
        gone=None if gone is None else [FIRST + days for days in gone],
    )


def lived(world: Timeline, policy: str, budget: int | None, days: float, **more: float) -> tuple[Record, Scores]:
    """A replay of so many days, with its scores."""
    record = replay(world, Runs(policy, FIRST, FIRST + days, budget=budget, **more))  # type: ignore[arg-type]
    return record, score(world, record)


def test_everybody_asked_each_week_finds_each_release_in_the_next_run() -> None:
    record, scores = lived(timeline((0, -1), (1, 1), (2, 5.5), (0, 8)), "all", None, 14)

    assert [len(asked) for asked in record.asked] == [3, 3, 3]
    assert (scores.releases, scores.lost, scores.repeated) == (4, 0, 0)
    assert scores.delay.mean == pytest.approx((1 + 6 + 1.5 + 6) / 4)
    assert scores.in_first_run == 1.0
    assert (scores.weekly, scores.peak, scores.longest_gap) == (3.0, 3, 7.0)


def test_rotation_of_three_artists_comes_round_in_three_weeks() -> None:
    record, scores = lived(timeline((0, 1), (1, 1), (2, 1)), "rotation", 1, 21)

    assert [asked.tolist() for asked in record.asked] == [[0], [1], [2], [0]]
    assert scores.delay.mean == pytest.approx((6 + 13 + 20) / 3)
    assert scores.in_first_run == pytest.approx(1 / 3)
    assert scores.longest_gap == 21.0


def test_the_oracle_asks_whoever_has_something_new_the_longest_waiting_first() -> None:
    record, scores = lived(timeline((2, 1), (0, 2), (1, 9)), "oracle", 1, 14)

    assert [asked.tolist() for asked in record.asked] == [[], [2], [0], [1]]
    assert scores.checks == 2  # the third comes after the end: it finds, and is not counted
    assert scores.delay.mean == pytest.approx((6 + 12 + 12) / 3)


def test_what_appears_before_the_end_is_waited_for_and_what_comes_later_is_not() -> None:
    record, scores = lived(timeline((2, 13), (0, 15)), "rotation", 1, 14)

    assert scores.releases == 1
    assert scores.delay.mean == pytest.approx(1)
    assert len(record.instants) == 3


def test_what_was_there_when_the_artist_was_learnt_is_no_news() -> None:
    _, scores = lived(timeline((0, -8), (0, -400)), "all", None, 14)

    assert (scores.releases, scores.delay.mean, scores.in_first_run) == (0, None, None)


def test_what_goes_before_anybody_asks_vanished_and_is_not_lost() -> None:
    _, scores = lived(timeline((0, 1), (1, 1), gone=(2, 30)), "all", None, 14)

    assert (scores.releases, scores.vanished, scores.lost) == (1, 1, 0)


def test_a_release_by_two_artists_is_told_once_by_whoever_is_asked_first() -> None:
    world = from_columns(
        ["one", "two"],
        [0, 1],
        [FIRST + 1] * 2,
        [18_001] * 2,
        album=[False] * 2,
        exact=[True] * 2,
        release=[5, 5],
    )

    _, scores = lived(world, "rotation", 1, 21)

    assert (scores.releases, scores.delay.mean) == (1, pytest.approx(6))


def test_a_failed_check_finds_nothing_and_costs_a_request() -> None:
    world = timeline((0, -1), (1, -1), (2, -1))

    record, scores = lived(world, "all", None, 70, fail=0.5, seed=3)

    assert scores.checks == 33
    assert sum(int(one.sum()) for one in record.answered[:11]) < 33
    assert scores.lost == 0


def test_a_policy_sees_only_what_its_checks_found() -> None:
    """Whatever nobody was asked about yet makes no difference to who is asked next."""
    known = [(0, -40.0), (0, -20.0), (1, -300.0), (2, -90.0)]
    record, _ = lived(timeline(*known), "adaptive", 1, 7)
    other, _ = lived(timeline(*known, (1, 7.1), (2, 7.2), (1, 7.3)), "adaptive", 1, 7)

    assert [one.tolist() for one in record.asked[:2]] == [one.tolist() for one in other.asked[:2]]


worlds = st.lists(st.tuples(st.integers(0, 4), st.floats(-500, 90)), min_size=1, max_size=40)


@given(worlds, st.sampled_from(REPLAYED), st.integers(1, 6), st.sampled_from([7.0, 1.0, 3.0]), st.integers(0, 99))
def test_nothing_is_lost_or_repeated_with_failures_in_any_order(
    releases: list[tuple[int, float]], policy: str, budget: int, every: float, seed: int
) -> None:
    world = timeline(*releases, artists=5)
    spend = None if policy in UNBUDGETED else budget

    record, scores = lived(world, policy, spend, 90, every=every, fail=0.05, shuffle=True, seed=seed)

    assert (scores.lost, scores.repeated, scores.vanished) == (0, 0, 0)
    assert scores.releases == sum(-every < days <= 90 and FIRST + days > FIRST - every for _, days in releases)
    assert spend is None or max(len(asked) for asked in record.asked) <= spend
    assert all(len(set(asked.tolist())) == len(asked) for asked in record.asked)
    again, _ = lived(world, policy, spend, 90, every=every, fail=0.05, shuffle=True, seed=seed)
    assert np.array_equal(record.entries, again.entries)


@pytest.mark.parametrize("policy", [name for name in REPLAYED if name not in {"oracle", "tiers", "all"}])
def test_a_budget_keeps_every_run_flat_and_every_gap_within_the_longest(policy: str) -> None:
    world = heavy(1, 120)

    record = replay(world, Runs(policy, START + 0.5, START + REPLAY_DAYS, budget=15))
    scores = score(world, record)

    assert {len(asked) for asked in record.asked} == {15}
    assert scores.unevenness == pytest.approx(1)
    assert scores.longest_gap <= 90


def test_daily_runs_of_a_week_cost_what_their_week_costs() -> None:
    _, scores = lived(timeline((0, 1)), "rotation", 2, 27.5, every=1.0)

    assert (scores.runs, scores.weekly, scores.peak) == (28, 14.0, 14)


# -- a world as a timeline ---------------------------------------------------------------------------------------------


def test_a_twin_and_an_edition_count_once() -> None:
    world = WorldBuilder()
    artist = world.artist("Somebody")
    first = artist.single("Song", "2026-03-06", appears="2026-03-06T08:00")
    world.twin(first, appears="2026-03-07")
    world.edition(first, "Song (Deluxe)", "2026-05-01", appears="2026-05-01")
    artist.single("Another", "2026-06-05", appears="2026-06-05T01:00")

    found = from_world(world.build())

    assert found.appears.tolist() == pytest.approx([20518 + 1 / 3, 20609 + 1 / 24])
    assert found.day.tolist() == [20518, 20609]


def test_a_release_by_two_artists_is_one_release_in_both_listings() -> None:
    world = WorldBuilder()
    one, two = world.artist("One"), world.artist("Two")
    world.joint("Together", "2026-03-06", [one, two], appears="2026-03-06T08:00")

    found = from_world(world.build())

    assert (found.artist.tolist(), found.release.tolist()) == ([0, 1], [0, 0])


def test_the_heavy_world_is_the_same_for_the_same_seed_and_as_uneven_as_told() -> None:
    one, same, other = heavy(1, 400), heavy(1, 400), heavy(2, 400)
    counts = np.sort(np.bincount(one.artist, minlength=400))[::-1]
    friday = np.mean((one.day + 3) % 7 == 4)

    assert np.array_equal(one.appears, same.appears)
    assert len(one.day) != len(other.day)
    assert counts[:40].sum() > 0.3 * counts.sum()
    assert 0.68 < friday < 0.8
    assert np.all((one.appears >= one.day) & (one.appears < one.day + 0.5))
    assert len(np.unique(one.artist * 100_000 + one.day)) == len(one.day)


# -- policies side by side ---------------------------------------------------------------------------------------------


def case(world: Timeline, **more: float) -> Case:
    return Case(world, "tiny", start=START, end=START + 140.0, **more)  # type: ignore[arg-type]


def test_what_tiers_spend_is_what_the_others_get() -> None:
    found = compare(case(heavy(1, 200)), ["adaptive", "tiers"], [None])

    assert [one.policy for one in found] == ["adaptive", "tiers"]
    assert found[0].weekly == pytest.approx(found[1].weekly, abs=1)
    assert found[1].budget is None


def test_policies_without_a_budget_run_once() -> None:
    found = compare(case(heavy(1, 40)), ["all", "rotation", "tiers"], [10, 20])

    assert [(one.policy, one.budget) for one in found] == [
        ("all", None),
        ("rotation", 10),
        ("rotation", 20),
        ("tiers", None),
    ]


@pytest.mark.parametrize(
    ("policy", "budget", "more", "says"),
    [
        ("adaptive", 0, {}, "A budget of 0 asks nobody"),
        ("adaptive", -3, {}, "A budget of -3 asks nobody"),
        ("nosuch", 5, {}, "no policy 'nosuch'; there are adaptive, tiers"),
        ("adaptive", 1, {"max_interval": 90.0}, "the smallest interval that fits is 280 days"),
        ("adaptive", 5, {"fail": 1.5}, "A share of 1.5 cannot fail"),
        ("adaptive", 5, {"end": START - 1.0}, "ends before it starts"),
        (
            "adaptive",
            5,
            {"every": 200.0, "max_interval": 90.0},
            r"200 days apart \(--every\).*90 days \(--max-interval\)",
        ),
        ("adaptive", 5, {"every": 1e-5}, "runs; 200,000 are possible"),
    ],
)
def test_what_cannot_be_replayed_is_said(policy: str, budget: int, more: dict[str, float], says: str) -> None:
    settings = {"start": float(START), "end": START + 140.0, **more}
    with pytest.raises(UsageError, match=says):
        compare(Case(heavy(1, 40), "tiny", **settings), [policy], [budget])  # type: ignore[arg-type]


def test_a_small_budget_is_given_the_interval_that_it_needs() -> None:
    assert [case(heavy(1, 40)).longest(budget) for budget in (None, 10, 2)] == [90, 90, 140]
    assert compare(case(heavy(1, 40)), ["adaptive"], [2])[0].longest_gap <= 140


def test_a_run_rarer_than_a_week_has_its_weekly_share_for_a_peak() -> None:
    _, scores = lived(timeline((0, 1), (1, 1)), "rotation", 1, 180, every=90.0, max_interval=270.0)

    assert scores.weekly == pytest.approx(7 / 90)
    assert scores.unevenness == pytest.approx(1)


def test_no_delay_is_longer_than_the_longest_gap() -> None:
    _, scores = lived(timeline((2, 1)), "rotation", 1, 2)

    assert scores.delay.mean == pytest.approx(13)
    assert scores.longest_gap >= 13


def test_more_checks_than_artists_are_replayed_once() -> None:
    found = compare(case(heavy(1, 40)), ["rotation"], [60, 10, 60, 40, 50])

    assert [one.budget for one in found] == [60, 10]


def test_ones_own_artists_go_by_their_ids_as_in_a_plan() -> None:
    artist = Artist(Ref("spotify", "0" * 22), "Ann", ArtistState.ACTIVE, datetime(2026, 1, 1, tzinfo=UTC))

    assert from_history(History((artist,), b"\0", array("i"), array("i"), b"")).names == ("0" * 22,)


def test_a_history_of_one_release_replays() -> None:
    world = timeline((0, 0), artists=1)
    start, end = last_year(world)

    found = compare(Case(world, "one", start=start, end=end), [*REPLAYED], [1])

    assert {(one.lost, one.repeated) for one in found} == {(0, 0)}


def test_the_plot_is_svg_with_a_line_a_policy_whatever_the_title_says() -> None:
    found = compare(case(heavy(1, 40)), ["all", "rotation"], [10, 20])

    drawn = plot(found, 'a <b> & "c" \x1b[2J.csv')

    root = ET.fromstring(drawn)
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"all", "rotation", "requests a week", "mean delay, days"} <= set(texts)
    assert "\x1b" not in drawn
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 2


def test_the_plot_of_nothing_found_is_empty_but_whole() -> None:
    _, nothing = lived(timeline((0, -400)), "all", None, 14)

    ET.fromstring(plot([nothing], "nothing"))


def test_days_are_counted_from_1970() -> None:
    assert (day_number(date(1970, 1, 1)), day_number(date(2018, 1, 1))) == (0, START)
