"""Rates and profiles: what is counted, over which span, and how an artist without a history is judged by its peers."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from freshwax.history import ALBUM, EXACT, UNREAD_ALBUMS, UNREAD_OTHERS, History
from freshwax.model import Artist, ArtistState, Ref
from freshwax.planning.activity import Frequency, Profile, profiles

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EPOCH = date(1970, 1, 1)
Entry = tuple[str, bool, bool]  # day, album, exact


def artist(number: int, *, learnt: bool = True, checked: datetime = NOW) -> Artist:
    return Artist(
        Ref("spotify", f"artist{number}"),
        f"Artist {number}",
        ArtistState.ACTIVE,
        NOW - timedelta(days=400),
        checked_at=checked if learnt else None,
        learnt=learnt,
    )


def history(*lists: Sequence[Entry], unread: bytes | None = None, artists: Sequence[Artist] = ()) -> History:
    rows = [(i, day, album, exact) for i, entries in enumerate(lists) for day, album, exact in sorted(entries)]
    return History(
        artists=tuple(artists) or tuple(artist(i) for i in range(len(lists))),
        unread=bytes(len(lists)) if unread is None else unread,
        artist=array("q", [row[0] for row in rows]),
        day=array("q", [(date.fromisoformat(row[1]) - EPOCH).days for row in rows]),
        flags=bytes(ALBUM * row[2] | EXACT * row[3] for row in rows),
    )


def profile(of: History) -> list[Profile]:
    return profiles(of, NOW, mean_interval=35.0, max_interval=90.0)


def singles(*days: str) -> list[Entry]:
    return [(day, False, True) for day in days]


def monthly(count: int) -> list[Entry]:
    return singles(*((NOW.date() - timedelta(days=7 + 30 * i)).isoformat() for i in range(count)))


def test_the_last_release_names_the_frequency():
    quiet = ("2026-11-01", "2026-08-01", "2026-04-01", "2024-01-05")
    found = profile(history(*(singles("2020-01-03", day) for day in quiet)))
    assert [one.release_frequency for one in found] == list(Frequency)
    assert found[0].last_release_days_ago == 21


def test_two_releases_on_a_day_count_once():
    once, twice = profile(history(monthly(12), [*monthly(12), *monthly(12)]))
    assert once.releases == twice.releases == 12


def test_a_year_counts_for_the_span_but_is_no_release_day():
    (found,) = profile(history([("2021-01-01", True, False), *singles("2026-11-20")]))
    assert found.releases == 1
    assert found.observed_days > 5 * 365


def test_a_list_that_was_read_in_part_knows_its_limit():
    """Ten entries of a year, read from a list of many more, are ten a year; not ten in the artist's lifetime."""
    entries = [("1999-05-05", True, True), *monthly(10)]
    whole, part = (
        profile(history(entries, unread=bytes([flag])))[0].observed_days for flag in (UNREAD_ALBUMS, UNREAD_OTHERS)
    )
    assert whole > 9000
    assert part < 300


def test_what_lies_before_the_span_is_not_counted_into_it():
    albums = [("2026-06-05", True, True)]
    old = singles(*(f"20{year:02}-03-05" for year in range(10, 25)))
    (one,) = profile(history([*albums, *old], unread=bytes([UNREAD_ALBUMS])))
    assert (one.releases, one.observed_days) == (1, 170)


def test_what_another_artists_check_found_since_the_last_one_does_not_raise_the_rate_yet():
    known = singles("2024-05-03", "2025-05-02")
    news = singles("2026-11-20")
    before = artist(0, checked=NOW - timedelta(days=10))
    (without,), (with_it,) = (profile(history(one, artists=[before])) for one in (known, known + news))
    assert with_it.avg_releases_per_year == without.avg_releases_per_year


def test_an_artist_never_learnt_is_as_its_peers_are():
    artists = [artist(0), artist(1), artist(2, learnt=False)]
    _, _, fresh = profile(history(monthly(20), monthly(18), [], artists=artists))
    assert fresh.release_frequency is Frequency.HIGH
    assert fresh.avg_releases_per_year > 4
    assert fresh.last_release_days_ago is None


def test_a_learnt_artist_without_releases_is_inactive():
    *_, silent = profile(history(monthly(20), []))
    assert silent.release_frequency is Frequency.INACTIVE


def test_the_busier_are_recommended_shorter_intervals():
    busy, middling, rare = profile(history(monthly(24), singles("2020-01-03", "2025-02-07"), singles("2019-01-04")))
    assert (
        busy.recommended_check_interval_days
        < middling.recommended_check_interval_days
        <= rare.recommended_check_interval_days
        <= 90
    )


def test_an_upcoming_release_is_not_the_last_one():
    (found,) = profile(history(singles("2026-10-23", "2026-12-25")))
    assert found.last_release_days_ago == 30
    assert found.releases == 1


def test_5000_releases_of_one_artist_and_one_of_another():
    many = singles(*((NOW.date() - timedelta(days=i)).isoformat() for i in range(5000)))
    flood, one = profile(history(many, singles("2026-11-20")))
    assert flood.recommended_check_interval_days >= 1
    assert 250 < flood.avg_releases_per_year < 370
    assert one.releases == 1


@given(
    lists=st.lists(
        st.lists(
            st.tuples(st.dates(date(1950, 1, 1), date(2035, 1, 1)).map(date.isoformat), st.booleans(), st.booleans()),
            max_size=6,
        ),
        min_size=1,
        max_size=5,
    ),
    ahead=st.integers(-4000, 4000),
    unread=st.integers(0, 3),
    learnt=st.booleans(),
)
def test_every_history_has_a_profile(lists: list[list[Entry]], ahead: int, unread: int, learnt: bool):
    """Also where the clock went back behind everything that is known."""
    artists = [artist(i, learnt=learnt, checked=NOW + timedelta(days=ahead)) for i in range(len(lists))]
    for one in profile(history(*lists, unread=bytes([unread] * len(lists)), artists=artists)):
        assert one.avg_releases_per_year > 0
        assert 1 <= one.recommended_check_interval_days <= 90
        assert one.observed_days >= 0
        assert one.last_release_days_ago is None or one.last_release_days_ago >= 0
