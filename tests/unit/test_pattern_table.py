"""The table of everybody's patterns: as many columns as are needed, and all of them readable in 80."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from freshwax.cli.patterns import findings, spans
from freshwax.model import Artist, ArtistState, Ref
from freshwax.planning.patterns import Claim, Gap, Leads, Patterns, Weekday, Window
from freshwax.reports.planning import all_patterns
from freshwax.reports.table import render_list

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAME = "Orchestra of Nine"


def patterns(**claims: object) -> Patterns:
    """Of an artist, those that are claimed."""
    artist = Artist(Ref("spotify", "1" * 22), NAME, ArtistState.ACTIVE, NOW)
    every = {name: Claim(claims.get(name), None) for name in ("weekday", "months", "gap", "albums", "leads", "window")}
    return Patterns(artist=artist, releases=30, last=date(2026, 2, 1), announced=None, **every)  # type: ignore[arg-type]


def table(*ones: Patterns) -> list[str]:
    """The lines at 80 columns."""
    rows = [findings(one) for one in ones]
    return render_list(rows, all_patterns(rows), now=NOW, width=80).splitlines()


def test_one_day_is_a_day() -> None:
    gap = findings(patterns(gap=Gap(1.2, 0.6, 3.0))).found["gap"]
    assert (gap.short, gap.finding) == ("1 day", "1 day (1-3)")


ALL = {
    "weekday": Weekday(4, 0.812),
    "months": (1, 2, 3, 9),
    "gap": Gap(81.0, 60.0, 100.0),
    "albums": Gap(1058.0, 700.0, 1500.0),
    "leads": Leads(1.0, 1.4),
    "window": Window(date(2026, 3, 1), date(2026, 3, 28), 0.451),
}


def test_all_six_patterns_fit_with_names_and_values_that_can_be_read() -> None:
    head, row = table(patterns(**ALL))

    assert max(len(head), len(row)) <= 80
    assert head.split() == ["name", *ALL]
    assert row.startswith("Orchestra of Ni")
    assert re.split("  +", row)[1:] == ["Fri 81%", "Jan-Mar Sep", "81 days", "1058 days", "1", "45% by 28 Mar"]


def test_a_pattern_that_nobody_has_takes_no_room() -> None:
    head, first, second = table(patterns(gap=Gap(14.0, 14.0, 15.0)), patterns())

    assert head.split() == ["name", "gap"]
    assert first.split("  ")[0] == NAME
    assert second.split() == [*NAME.split(), "-"]


def test_where_nobody_has_any_the_history_is_shown() -> None:
    head, row = table(patterns())

    assert head.split() == ["name", "release", "days", "last"]
    assert row.split() == [*NAME.split(), "30", "2026-02-01"]


@pytest.mark.parametrize(
    ("months", "words"),
    [
        ((5,), "May"),
        ((1, 2, 3, 9), "Jan-Mar Sep"),
        ((1, 2, 11, 12), "Nov-Feb"),
        ((1, 3, 12), "Mar Dec-Jan"),
        (tuple(range(1, 13)), "Jan-Dec"),
    ],
)
def test_months_in_a_row_are_spans(months: tuple[int, ...], words: str) -> None:
    assert spans(months) == words
