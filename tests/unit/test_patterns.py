"""Patterns are claimed where they foretell, not elsewhere; odd histories get clear answers."""

from __future__ import annotations

import random
from array import array
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from freshwax.history import ALBUM, EXACT, UNREAD_ALBUMS, UNREAD_OTHERS, History
from freshwax.model import Artist, ArtistState, Ref
from freshwax.planning import patterns
from freshwax.planning.forecast import HORIZON, REFIT, STEP, forecast

EPOCH = date(1970, 1, 1)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = (NOW.date() - EPOCH).days
SOME = (3, 20, 60, 90, 130)
Lists = list[list[tuple[int, int]]]  # an artist's releases: days before today, flags


def history(lists: Lists, *, unread: bytes | None = None, checked: datetime | None = NOW) -> History:
    artists = tuple(
        Artist(Ref("spotify", f"{index:022}"), f"Siskin {index}", ArtistState.ACTIVE, NOW, checked)
        for index in range(len(lists))
    )
    rows = sorted((index, TODAY - ago, flags) for index, one in enumerate(lists) for ago, flags in one)
    return History(
        artists,
        unread or bytes(len(lists)),
        array("q", [owner for owner, _, _ in rows]),
        array("q", [day for _, day, _ in rows]),
        bytes(flags for _, _, flags in rows),
    )


def singles(*days: int) -> list[tuple[int, int]]:
    return [(ago, EXACT) for ago in days]


def crowd(number: int, seed: int, releases: int = 30) -> Lists:
    """Artists who release on any day, in any gap."""
    chance = random.Random(seed)
    return [singles(*chance.sample(range(2000), releases)) for _ in range(number)]


def weekly(weekday: int, every: int, number: int) -> list[tuple[int, int]]:
    """Releases on one weekday, the last of them in the past week."""
    ago = (NOW.weekday() - weekday) % 7
    return singles(*range(ago, ago + 7 * every * number, 7 * every))


def test_a_weekday_is_claimed_where_the_peers_have_none() -> None:
    *_, tuesday = patterns.find(history([*crowd(30, 1), weekly(1, 3, 30)]), NOW)
    assert tuesday.weekday.value is not None
    assert tuesday.weekday.value.day == 1
    assert 0.8 < tuesday.weekday.value.confidence < 1
    assert tuesday.weekday.test is not None
    assert tuesday.weekday.test.held_back == 10
    assert tuesday.weekday.test.own < tuesday.weekday.test.peers


def test_what_everybody_does_is_nobodys_pattern() -> None:
    found = patterns.find(history([weekly(4, 2 + index % 5, 25) for index in range(30)]), NOW)
    assert all(one.weekday.value is None and one.weekday.test is not None for one in found)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_chance_is_seldom_taken_for_a_habit(seed: int) -> None:
    found = patterns.find(history(crowd(200, seed)), NOW)
    for name in ("weekday", "months", "gap"):
        assert sum(getattr(one, name).value is not None for one in found) <= 20, name


def test_months_gap_and_its_spread() -> None:
    yearly = singles(*(ago + year * 365 for year in range(12) for ago in (20, 30, 40, 50)))
    slow, fast = (singles(*range(5, 5 + 40 * step, step)) for step in (60, 14))
    *_, seasonal, _, quick = patterns.find(history([*crowd(30, 4), yearly, slow, fast]), NOW)
    assert seasonal.months.value is not None
    assert set(seasonal.months.value) <= {9, 10, 11}
    assert quick.gap.value == patterns.Gap(14, 14, 14)
    assert quick.claims >= 2


def test_albums_and_the_singles_before_them() -> None:
    def cycle(leads: int, every: int) -> list[tuple[int, int]]:
        albums = [10 + every * number for number in range(15)]
        before = [(album + 20 * lead, EXACT) for album in albums for lead in range(1, leads + 1)]
        return [(album, EXACT | ALBUM) for album in albums] + before

    bare = [cycle(0, 100 + 37 * (index % 11)) for index in range(30)]
    *_, led = patterns.find(history([*bare, cycle(4, 200)]), NOW)
    assert led.albums.value == patterns.Gap(200, 200, 200)
    assert led.leads.value == patterns.Leads(4, 4)


def test_the_window_is_the_next_28_days_and_beat_both_base_rates() -> None:
    lists = [*(singles(*range(5, 1500, 30)) for _ in range(10)), *(singles(*range(900, 1500, 30)) for _ in range(10))]
    found = patterns.find(history(lists), NOW)
    claimed = [one for one in found if one.window.value is not None]
    assert claimed
    for one in claimed:
        window, test = one.window.value, one.window.test
        assert window is not None
        assert test is not None
        assert test.base is not None
        assert test.own < min(test.base, test.peers)
        assert (window.first, window.last) == (date(2026, 11, 24), date(2026, 12, 21))
        assert 0 < window.probability < 1
        assert 0 < one.skill < 1
    quiet = [one.window.value.probability for one in found[10:] if one.window.value]
    assert all(chance < 0.1 for chance in quiet)


def test_best_names_those_with_a_claim_the_most_predictable_first() -> None:
    found = patterns.find(history([*crowd(20, 5), weekly(1, 3, 30), []]), NOW)
    ranked = patterns.best(found)
    assert all(one.claims for one in ranked)
    assert [one.skill for one in ranked] == sorted((one.skill for one in ranked), reverse=True)
    assert len(ranked) == sum(one.claims > 0 for one in found)


@pytest.mark.parametrize("lists", [[], [[]], [[], []], [singles(10)], [singles(-3)], [singles(*SOME)]])
def test_too_little_history_is_no_pattern_and_no_score(lists: Lists) -> None:
    for one in patterns.find(history(lists), NOW):
        assert one.claims == 0
        assert one.weekday == one.months == one.gap == one.albums == one.leads == one.window == patterns.Claim()
        assert one.skill == 0


def test_an_artist_without_peers_has_clear_answers() -> None:
    (one,) = patterns.find(history([weekly(1, 3, 30)]), NOW)
    assert one.releases == 30
    assert one.weekday.value is not None
    assert one.window.test is not None


def test_five_thousand_releases() -> None:
    *_, busy = patterns.find(history([*crowd(5, 6), singles(*range(5000))]), NOW)
    assert busy.releases == 5000
    assert busy.gap.value == patterns.Gap(1, 1, 1)
    assert busy.window.value is None or busy.window.value.probability > 0.9


def test_a_clock_that_went_backwards_learns_from_the_past_only() -> None:
    lists = [*crowd(20, 7), weekly(1, 3, 30)]
    past = NOW - timedelta(days=400)
    now_found = patterns.find(history([[(ago, flags) for ago, flags in one if ago >= 400] for one in lists]), past)
    found = patterns.find(history(lists), past)
    for one, same in zip(found, now_found, strict=True):
        assert one.announced is not None
        assert (one.releases, one.weekday, one.gap, one.window) == (same.releases, same.weekday, same.gap, same.window)
    (none,) = patterns.find(history([singles(1)]), datetime(1969, 6, 1, tzinfo=UTC))
    assert (none.releases, none.last, none.announced) == (0, None, date(2026, 11, 22))


def test_only_days_in_the_part_that_was_read_count() -> None:
    albums = [(ago, EXACT | ALBUM) for ago in range(100, 1000, 100)]
    rest = [*singles(50, 80, 120), (10, 0)]  # the last one is a year or a month, no day
    one, partly, unread = patterns.find(
        history([albums + rest] * 3, unread=bytes([0, UNREAD_OTHERS, UNREAD_ALBUMS | UNREAD_OTHERS])), NOW
    )
    assert (one.releases, partly.releases, unread.releases) == (12, 4, 4)


def test_what_was_not_checked_since_is_not_taken_for_silence() -> None:
    lists = [singles(*range(200, 1500, 30)) for _ in range(10)]
    lately = patterns.find(history(lists, checked=NOW), NOW)
    unasked = patterns.find(history(lists, checked=NOW - timedelta(days=195)), NOW)
    assert lately[0].window.test is not None
    assert unasked[0].window.test is not None
    assert unasked[0].window.test.held_back < lately[0].window.test.held_back


def test_forecasts_know_nothing_of_their_future() -> None:
    chance = random.Random(8)
    releases = [np.array(sorted(chance.sample(range(1500), 60)), np.int64) for _ in range(20)]
    last, before = 1500, 1500 - STEP * REFIT * 3
    whole = forecast(releases, np.full(20, last), last)
    cut = forecast([days[days <= before] for days in releases], np.full(20, before), before)
    past = whole.day <= before
    assert (whole.day[past] == cut.day).all()
    for name in ("model", "own", "peers"):
        assert np.allclose(getattr(whole, name)[past], getattr(cut, name)), name
    assert not whole.known[whole.day + HORIZON > last].any()
