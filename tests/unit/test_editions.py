"""Which releases are the same, and which titles a filter means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshwax.discovery.editions import Keys, are_twins, days_apart, is_edition, keys_of
from freshwax.discovery.filters import hiding_word
from freshwax.model import Credit, Precision, Ref, Release, ReleaseDate


def release(title: str, date: str = "2026-03-06", *, type: str = "album", artists: str = "a") -> Release:  # noqa: A002
    precision = {4: Precision.YEAR, 7: Precision.MONTH}.get(len(date), Precision.DAY)
    credited = tuple(Credit(one, one.upper()) for one in artists)
    return Release(Ref("spotify", title + date), title, type, credited, ReleaseDate(date, precision))


def twins(one: Release, other: Release) -> bool:
    return are_twins(one, keys_of(one), other, keys_of(other))


def editions(one: str, other: str) -> bool:
    return is_edition(keys_of(release(one)), keys_of(release(other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Low Tide", "LOW TIDE"),
        ("Low Tide", "Low Tide (Clean)"),
        ("Low Tide", "Low Tide - Clean"),
        ("Low Tide [Explicit]", "Low Tide (Edited Version)"),
        ("Low Tide", "Low Tide (feat. Tern)"),
        ("Low Tide", "Low Tide feat. Tern"),
        ("Low Tide", "Low  Tide!"),
        ("Ｌｏｗ Ｔｉｄｅ", "Low Tide"),
        ("Low Tide (Deluxe)", "Low Tide (Deluxe Edition)"),
        ("Low Tide (2011 Remaster)", "Low Tide - Remastered 2011"),
        ("÷", "÷"),
        ("???", "???"),
        ("&", "& (Clean)"),
        ("& feat. Tern", "&"),
        ("\N{FIRE}", "\N{FIRE}"),
        ("Low Tide (Live)", "Low Tide - Live"),
    ],
)
def test_twins(one: str, other: str) -> None:
    assert twins(release(one), release(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Low Tide", "High Tide"),
        ("Low Tide", "Low Tide (Live)"),
        ("& (Live)", "? (Live)"),
        ("&", "& (Live)"),
        ("Low Tide", "Low Tide (Acoustic)"),
        ("Low Tide", "Low Tide - Sped Up"),
        ("Low Tide", "Low Tide (Instrumental)"),
        ("Low Tide", "Low Tide (Re-Recorded)"),
        ("Low Tide (Tern Remix)", "Low Tide (Gull Remix)"),
        ("Low Tide, Part 1", "Low Tide, Part 2"),
        ("Low Tide", "Low Tide (Deluxe)"),
        ("Low Tide (10th Anniversary Edition)", "Low Tide (20th Anniversary Edition)"),
        ("÷", "×"),
        ("", ""),
        (" ", ""),
    ],
)
def test_not_twins(one: str, other: str) -> None:
    assert not twins(release(one), release(other))


@pytest.mark.parametrize(
    "title",
    [
        "Low Tide (Deluxe)",
        "Low Tide [Super Deluxe Edition]",
        "Low Tide - 2011 Remaster",
        "Low Tide (Remastered)",
        "Low Tide (20th Anniversary Edition)",
        "Low Tide (Expanded Edition) [Explicit]",
        "Low Tide (Bonus Track Version)",
    ],
)
def test_editions_of_the_plain_record(title: str) -> None:
    assert editions("Low Tide", title)
    assert editions(title, "Low Tide")


@pytest.mark.parametrize("title", ["Low Tide (Live) [Deluxe]", "Low Tide (Deluxe Live Edition)", "Low Tide (Acoustic)"])
def test_another_recording_is_no_edition(title: str) -> None:
    assert not editions("Low Tide", title)


def test_a_live_deluxe_edition_belongs_to_the_live_record() -> None:
    assert editions("Low Tide (Live)", "Low Tide (Live Deluxe Edition)")


def test_a_single_and_the_album_of_its_name_are_two() -> None:
    assert not twins(release("Low Tide", type="single"), release("Low Tide", type="album"))


def test_other_artists_make_another_record() -> None:
    assert not twins(release("Low Tide", artists="a"), release("Low Tide", artists="ab"))
    assert twins(release("Low Tide", artists="ab"), release("Low Tide", artists="ba"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-03-06", "2026-03-09", True),
        ("2026-03-06", "2026-03-10", False),
        ("2026", "2026-11-16", True),
        ("2026-03", "2026-04-02", True),
        ("2026-03", "2026-04-04", False),
    ],
)
def test_twins_are_dated_within_three_days(one: str, other: str, *, same: bool) -> None:
    assert twins(release("Low Tide", one), release("Low Tide", other)) is same
    assert twins(release("Low Tide", other), release("Low Tide", one)) is same


titles = st.text(max_size=40) | st.lists(
    st.sampled_from(["Low", "Tide", "(Deluxe)", "- Live", "[Clean]", "(feat. X)", "(", ")", " - ", "2", "Remaster"]),
    max_size=6,
).map(" ".join)


@given(titles)
def test_a_title_is_its_own_twin_unless_it_is_empty(title: str) -> None:
    assert twins(release(title), release(title)) is bool(title.strip())


@given(titles, titles)
def test_to_be_the_same_does_not_depend_on_the_order(one: str, other: str) -> None:
    assert twins(release(one), release(other)) == twins(release(other), release(one))
    assert editions(one, other) == editions(other, one)


@given(titles, titles)
def test_nobody_is_twin_and_edition_at_once(one: str, other: str) -> None:
    assert not (twins(release(one), release(other)) and editions(one, other))


def test_an_unknown_date_is_near_no_known_one() -> None:
    assert days_apart(None, ReleaseDate("2026", Precision.YEAR)) is None
    assert Keys("", "") == keys_of(release(""))


@pytest.mark.parametrize(
    "title", ["Alive", "Olive Tree", "Deliverance", "Demons", "Long Live", "Livewire", "Unmixed", "The Demonstration"]
)
def test_a_filter_reads_words_not_substrings(title: str) -> None:
    assert hiding_word(title, ["live", "demo", "mix"]) is None


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("Low Tide (Live)", "live"),
        ("Low Tide - Live at the Pier", "live"),
        ("Live at the Pier", "live"),
        ("Low Tide (Demo)", "demo"),
        ("Low Tide (The Demos)", "demo"),
        ("Kitchen Demos", "demo"),
        ("Low Tide (Club Mix)", "mix"),
        ("Low Tide (Sped Up)", "sped up"),
        ("Karaoke Night", "karaoke"),
    ],
)
def test_a_filter_finds_what_it_means(title: str, word: str) -> None:
    assert hiding_word(title, ["live", "demo", "mix", "sped up", "karaoke"]) == word
