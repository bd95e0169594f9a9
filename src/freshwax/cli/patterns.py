"""``freshwax patterns``: habits of artists, as far as they foretell anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeVar

import click

from freshwax import app
from freshwax.cli import output
from freshwax.cli.setup import Setup
from freshwax.cli.values import ArtistText
from freshwax.errors import UsageError

if TYPE_CHECKING:
    from freshwax.planning.patterns import Claim, Gap, Leads, Patterns, Weekday, Window
    from freshwax.reports.planning import Finding, Findings

T = TypeVar("T")
Said = tuple[str, str, dict[str, object]]  # a finding in words, in few letters for a table, and in values

TOO_LITTLE = "too little history"
NOT_BETTER = "not clearly better"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@click.command("patterns")
@click.argument("artist", type=ArtistText(), metavar="[ARTIST]", required=False)
@click.option("--best", is_flag=True, help="Only artists of whom something is claimed, the most predictable first.")
@output.list_format
@click.pass_obj
def command(setup: Setup, /, artist: str | None, best: bool, format_: str | None) -> None:
    """Show when artists tend to release: weekday, months, gaps, albums and the singles before them, the next window.

    A pattern is claimed only where it foretold the artist's own later releases better than its peers' habits do. With
    ARTIST (an ID, URI, link, or name on the watch list): the scores of every pattern, claimed or not.

    The table of all artists has a column for each pattern that one of them has: gap and albums are the typical days
    between releases and between albums, leads the singles before an album, window the chance of a release by a day.
    """
    if artist is not None and best:
        raise UsageError("--best ranks all artists: leave out ARTIST, or --best.")
    from freshwax.cli import pick
    from freshwax.planning import patterns
    from freshwax.reports.planning import ONE_ARTIST, all_patterns

    now = app.now()
    with app.open_store(setup.config, read_only=True) as store:
        asked = pick.artist(store, artist) if artist is not None else None
        watched = store.artists()
        history = store.history(watched)
    if not watched:
        raise UsageError(app.NOBODY)
    found = patterns.find(history, now)
    if asked is not None:
        one = next(one for one in found if one.artist.ref == asked.ref)
        output.print_list(list(findings(one).found.values()), ONE_ARTIST, format_, now)
        setup.say(_about(one))
        return
    shown = patterns.best(found) if best else found
    rows = [findings(one) for one in shown]
    output.print_list(rows, all_patterns(rows), format_, now)
    claimed = sum(one.claims > 0 for one in found)
    setup.say(f"{claimed:,} of {len(found):,} artists have a pattern that foretold their later releases.")


def _about(one: Patterns) -> str:
    from freshwax.reports.escape import brief
    from freshwax.reports.words import count

    name = brief(one.artist.name or one.artist.ref.id)
    if one.last is None:
        begin = f"{name}: no release with a known day up to today."
    else:
        begin = f"{name}: {count(one.releases, 'release day')}, the last on {one.last}."
    coming = f" Announced for {one.announced}." if one.announced else ""
    return f"{begin}{coming} Scores on the part that was held back: lower is better."


def findings(one: Patterns) -> Findings:
    """Return the patterns of an artist in words."""
    from freshwax.reports.planning import Findings

    found = (
        _finding("weekday", one.weekday, _weekday(one.weekday.value)),
        _finding("months", one.months, _months(one.months.value)),
        _finding("gap", one.gap, _gap(one.gap.value)),
        _finding("albums", one.albums, _gap(one.albums.value)),
        _finding("leads", one.leads, _leads(one.leads.value)),
        _finding("window", one.window, _window(one.window.value), measure="Brier"),
    )
    return Findings(
        id=one.artist.ref.id,
        name=one.artist.name,
        releases=one.releases,
        last=_iso(one.last),
        announced=_iso(one.announced),
        found={finding.pattern: finding for finding in found},
    )


def _finding(pattern: str, claim: Claim[T], said: Said | None, measure: str = "log loss") -> Finding:
    from freshwax.reports.planning import Finding

    test = claim.test
    long, short, values = said or (None, None, {})
    why = None if long is not None else TOO_LITTLE if test is None else NOT_BETTER
    if test is None:
        return Finding(pattern, long, why, values, measure, short=short)
    return Finding(pattern, long, why, values, measure, test.held_back, test.own, test.base, test.peers, short)


def _weekday(value: Weekday | None) -> Said | None:
    if value is None:
        return None
    day, share = DAYS[value.day], f"{value.confidence:.0%}"
    return f"{day} {share}", f"{day[:3]} {share}", {"day": day, "confidence": round(value.confidence, 3)}


def _months(value: tuple[int, ...] | None) -> Said | None:
    if value is None:
        return None
    return " ".join(MONTHS[month - 1] for month in value), spans(value), {"months": list(value)}


def spans(months: Sequence[int]) -> str:
    """Return months in few letters: ``Jan-Mar Sep``; December and January are neighbours."""
    firsts = [month for month in months if (month - 2) % 12 + 1 not in months] or [1]
    spans = []
    for first in firsts:
        length = next((more for more in range(1, 12) if (first + more - 1) % 12 + 1 not in months), 12)
        last = (first + length - 2) % 12 + 1
        spans.append(MONTHS[first - 1] if first == last else f"{MONTHS[first - 1]}-{MONTHS[last - 1]}")
    return " ".join(spans)


def _gap(value: Gap | None) -> Said | None:
    if value is None:
        return None
    days = round(value.median)
    short = "1 day" if days == 1 else f"{days} days"
    median, low, high = (round(one, 1) for one in (value.median, value.low, value.high))
    values = {"median_days": median, "low_days": low, "high_days": high}
    return f"{short} ({value.low:.0f}-{value.high:.0f})", short, dict(values)


def _leads(value: Leads | None) -> Said | None:
    if value is None:
        return None
    values = {"typical": value.typical, "mean": round(value.mean, 2)}
    return f"{value.typical:g} before an album", f"{value.typical:g}", dict(values)


def _window(value: Window | None) -> Said | None:
    if value is None:
        return None
    values = {"first": _iso(value.first), "last": _iso(value.last), "probability": round(value.probability, 3)}
    words = f"{value.probability:.0%} by {value.last.day} {MONTHS[value.last.month - 1]}"
    return words, words, dict(values)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
