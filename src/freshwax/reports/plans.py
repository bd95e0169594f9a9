"""Profiles and plans for people: columns, reasons, and the sentences below them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from freshwax.model import Artist
from freshwax.reports.columns import Column
from freshwax.reports.escape import brief, visible
from freshwax.reports.words import ago, count, failure, instant

SINCE = " since its last check"  # said of what is expected; the table says it by its column "checked"


class Profiled(Protocol):
    """An artist's activity: a row of ``profile``."""

    @property
    def artist(self) -> Artist:
        """Whose it is."""
        ...

    @property
    def last_release_days_ago(self) -> int | None:
        """Days since the last release; None where none is known."""
        ...

    @property
    def avg_releases_per_year(self) -> float:
        """The rate, shrunk towards the peers'."""
        ...

    @property
    def release_frequency(self) -> str:
        """A word for how active the artist is."""
        ...

    @property
    def recommended_check_interval_days(self) -> int:
        """How often to ask."""
        ...

    @property
    def releases(self) -> int:
        """Days with a release that are known."""
        ...

    @property
    def observed_days(self) -> int:
        """How far the known history reaches back from the last check."""
        ...


class Planned(Struct, frozen=True):
    """A row of ``plan``: ``place`` in the order of the run (None: left out), the reason as a code and in words.

    ``rate``: releases a year. ``expected``: releases since the last check; None where there was none.
    """

    place: int | None
    artist: Artist
    reason: str
    words: str
    score: float
    rate: float
    expected: float | None


def name(artist: Artist) -> str:
    """Return what a person calls an artist; the ID where the name is not known."""
    return artist.name or artist.ref.id


def span(days: int) -> str:
    """Return a number of days in the unit that fits: ``9 days``, ``14 months``, ``6 years``."""
    if days < 90:
        return count(days, "day")
    if days < 3 * 365:
        return count(int(days // 30.44), "month")
    return count(int(days // 365.25), "year")


def _back(item: Profiled) -> int:
    """Return how many days what is known reaches back: to the last release at least, that the two agree."""
    return max(item.observed_days, item.last_release_days_ago or 0)


def _last(item: Profiled, now: datetime) -> str:
    del now
    days = item.last_release_days_ago
    return "none known" if days is None else "today" if days <= 0 else f"{span(days)} ago"


def _known(item: Profiled, now: datetime) -> str:
    del now
    return f"{item.releases:,} in {span(_back(item))}" if item.artist.learnt else "not checked yet"


def _every(item: Profiled, now: datetime) -> str:
    del now
    return count(item.recommended_check_interval_days, "day")


PROFILES: tuple[Column[Profiled], ...] = (
    Column("id", lambda item: item.artist.ref.id),
    Column("source", lambda item: item.artist.ref.source),
    Column("name", lambda item: item.artist.name, "name", least=10, shown=lambda item, _: name(item.artist)),
    Column("releases", lambda item: item.releases, "known", shown=_known),
    Column("observed_days", lambda item: item.observed_days),
    Column("last_release_days_ago", lambda item: item.last_release_days_ago, "last release", shown=_last),
    Column(
        "avg_releases_per_year",
        lambda item: item.avg_releases_per_year,
        "a year",
        right=True,
        shown=lambda item, _: f"{item.avg_releases_per_year:.1f}",
    ),
    Column("release_frequency", lambda item: str(item.release_frequency), "active"),
    Column(
        "recommended_check_interval_days",
        lambda item: item.recommended_check_interval_days,
        "ask every",
        right=True,
        shown=_every,
    ),
)


def _checked(item: Planned, now: datetime) -> str:
    return ago(min(item.artist.checked_at, now), now) if item.artist.checked_at else "never"


def _why(item: Planned, now: datetime) -> str:
    """Return the reason in few words: beside a name and a date there are about 40 letters."""
    del now
    artist = item.artist
    if item.reason != "failed":
        return item.words.removesuffix(SINCE)
    return f"failed: {failure(artist.failure)}" + (f", {artist.failures}x" if artist.failures > 1 else "")


PLAN: tuple[Column[Planned], ...] = (
    Column("place", lambda item: item.place, "#", right=True),
    Column("id", lambda item: item.artist.ref.id),
    Column("source", lambda item: item.artist.ref.source),
    Column("name", lambda item: item.artist.name, "name", least=10, shown=lambda item, _: name(item.artist)),
    Column(
        "checked_at",
        lambda item: instant(item.artist.checked_at) if item.artist.checked_at else None,
        "checked",
        shown=_checked,
    ),
    Column("reason", lambda item: item.reason),
    Column("why", lambda item: item.words, "why", least=12, shown=_why),
    Column("releases_per_year", lambda item: round(item.rate, 2)),
    Column("expected_releases", lambda item: None if item.expected is None else round(item.expected, 4)),
    Column("score", lambda item: round(item.score, 4)),
)


def expectation(expected: float) -> str:
    """Return how many releases are expected, as precisely as a person cares."""
    if expected < 0.01:
        return "hardly a release expected"
    return f"{expected:.{2 if expected < 1 else 1}f} releases expected"


def profile_words(item: Profiled) -> str:
    """Return a profile as sentences."""
    if not item.artist.learnt:
        return f"Its peers let expect about {item.avg_releases_per_year:.1f} releases a year."
    known = f"{count(item.releases, 'release')} in {span(_back(item))} known"
    last = item.last_release_days_ago
    when = "" if last is None else ", the last today" if last <= 0 else f", the last {span(last)} ago"
    rate = f"about {item.avg_releases_per_year:.1f} a year are to be expected"
    every = count(item.recommended_check_interval_days, "day")
    return f"Its activity is {item.release_frequency}: {known}{when}; {rate}, worth a check every {every}."


def failed(artist: Artist) -> str:
    """Return how the last check failed, and how many did in a row."""
    times = f", {artist.failures} times in a row" if artist.failures > 1 else ""
    return f"its last check failed ({visible(failure(artist.failure))}{times})"


def profile_notes(profiles: Sequence[Profiled]) -> list[str]:
    """Return what a reader of profiles has to know: whose rate is not their own yet."""
    new = [item for item in profiles if not item.artist.learnt]
    if not new:
        return _thin(profiles) if len(profiles) == 1 else []
    who = f"{brief(name(new[0].artist))} was" if len(new) == 1 else f"{count(len(new), 'artist')} were"
    return [f"{who} not checked yet: the rate is what the other artists on the list let expect."]


def _thin(profiles: Sequence[Profiled]) -> list[str]:
    one = profiles[0]
    if one.releases > 1:
        return []
    known = "No release" if one.releases == 0 else "Only one release"
    return [f"{known} with a full date is known: the rate is mostly what the other artists on the list let expect."]


def plan_summary(
    *, picked: int, active: int, requests: int, oldest: datetime | None, unchecked: int, now: datetime
) -> str:
    """Return ``87 of 500 artists would be asked, about 92 requests; after it no check is older than 41 days``."""
    who = f"{picked:,} of {count(active, 'artist')}"
    rest = []
    if oldest is not None:
        days = -int((oldest - now).total_seconds() // 86_400)  # rounded up: "no older than"
        rest.append(f"no check is older than {count(max(days, 1), 'day')}")
    elif not unchecked:
        rest.append("every check is new" if picked else "nobody else is waiting")
    if unchecked:
        rest.append(f"{count(unchecked, 'artist')} {'is' if unchecked == 1 else 'are'} not checked yet")
    after = "after it " if picked else ""
    return f"{who} would be asked, about {count(requests, 'request')}; {after}{' and '.join(rest)}."
