"""A world of artists and releases through time: what a listing showed at any instant, and what was truly new.

A world is a value. It knows nothing of pages, requests or trackers, so it can judge all of them. Worlds come from
``WorldBuilder`` (tests, by hand), ``generate`` (invented, seeded) or ``World.from_rows`` (recorded histories).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from freshwax.model import DEFAULT_GROUPS, Group, Precision, ReleaseDate

LISTING_ORDER = (Group.ALBUM, Group.SINGLE, Group.APPEARS_ON, Group.COMPILATION)
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WorldArtist:
    """An artist; before ``born``, and from ``vanishes_at`` until ``returns_at``, the service does not know the ID.

    From ``renamed_at`` on the name is ``later_name``.
    """

    id: str
    name: str
    born: datetime | None = None
    vanishes_at: datetime | None = None
    returns_at: datetime | None = None
    renamed_at: datetime | None = None
    later_name: str = ""

    def exists_at(self, at: datetime) -> bool:
        """Whether the service knows the artist at an instant."""
        away = self.vanishes_at is not None and self.vanishes_at <= at
        back = self.returns_at is not None and self.returns_at <= at
        return (self.born is None or self.born <= at) and (back or not away)

    def name_at(self, at: datetime) -> str:
        """The artist's name at an instant."""
        return self.later_name if self.renamed_at is not None and self.renamed_at <= at else self.name


@dataclass(frozen=True, slots=True)
class WorldRelease:
    """A release as it is listed from ``appears_at`` until ``withdrawn_at`` (None: for good).

    ``artists`` are the credited artists' IDs, ``guests`` those that merely appear on it. ``truth`` names the real-world
    release that this is: twins and re-listings share it. ``edition_of`` is the truth that this is another edition of.
    One ID may stand in a world several times, with spells that do not overlap: changed facts, or an absence.
    """

    id: str
    title: str
    type: str
    artists: tuple[str, ...]
    date: ReleaseDate
    appears_at: datetime
    truth: str
    withdrawn_at: datetime | None = None
    total_tracks: int = 1
    edition_of: str | None = None
    guests: tuple[str, ...] = ()

    def listed_at(self, at: datetime) -> bool:
        """Whether the release is listed at an instant."""
        return self.appears_at <= at and (self.withdrawn_at is None or at < self.withdrawn_at)

    def group_for(self, artist_id: str) -> Group | None:
        """The listing group in which an artist's page shows the release."""
        if artist_id in self.artists:
            return Group(self.type)
        return Group.APPEARS_ON if artist_id in self.guests else None


@dataclass(frozen=True, slots=True)
class Truth:
    """A real-world release as some artists' listings showed it: when first, and under which listed releases."""

    id: str
    first_listed: datetime
    releases: tuple[WorldRelease, ...]

    @property
    def ids(self) -> frozenset[str]:
        """The release IDs under which a tracker may have met it."""
        return frozenset(release.id for release in self.releases)


@dataclass(slots=True)
class _Shelf:
    """One artist's listing group, sorted once; the listing of the instant asked last is kept."""

    releases: list[WorldRelease] = field(default_factory=list)
    at_version: int = -1
    listing: list[WorldRelease] = field(default_factory=list)


@dataclass(slots=True)
class _Catalogue:
    """One artist's shelves, and the instants at which anything on them changes."""

    shelves: dict[Group, _Shelf]
    changes: list[datetime]


class World:
    """Artists and their releases through time. Not changed after it is made."""

    def __init__(self, artists: Iterable[WorldArtist], releases: Iterable[WorldRelease]) -> None:
        self.artists: Mapping[str, WorldArtist] = {artist.id: artist for artist in artists}
        self.releases: Sequence[WorldRelease] = tuple(releases)
        self._catalogues = self._index()

    def _index(self) -> dict[str, _Catalogue]:
        shelves: dict[str, dict[Group, _Shelf]] = {artist_id: {} for artist_id in self.artists}
        for release in self.releases:
            for artist_id in dict.fromkeys((*release.artists, *release.guests)):
                group = release.group_for(artist_id)
                if group is not None and artist_id in shelves:
                    shelves[artist_id].setdefault(group, _Shelf()).releases.append(release)
        return {
            artist_id: _Catalogue(own, _changes(self.artists[artist_id], own, self.artists))
            for artist_id, own in shelves.items()
        }

    def artist(self, artist_id: str, at: datetime) -> WorldArtist | None:
        """The artist, if the service knows it at that instant."""
        artist = self.artists.get(artist_id)
        return artist if artist is not None and artist.exists_at(at) else None

    def version(self, artist_id: str, at: datetime) -> int:
        """A number that differs between two instants if anything about the artist's listing does."""
        return bisect_right(self._catalogues[artist_id].changes, at)

    def listing(self, artist_id: str, group: Group, at: datetime) -> list[WorldRelease]:
        """One listing group as it stands at an instant: newest date string first, equal dates in the world's order."""
        shelf = self._catalogues[artist_id].shelves.get(group)
        if shelf is None:
            return []
        version = self.version(artist_id, at)
        if shelf.at_version != version:
            exists = self.artists[artist_id].exists_at(at)
            shelf.listing = [release for release in shelf.releases if exists and release.listed_at(at)]
            shelf.at_version = version
        return list(shelf.listing)

    def listings(self, artist_id: str, groups: Iterable[Group], at: datetime) -> list[WorldRelease]:
        """Several groups one after the other, in the service's order of groups whatever the order asked for."""
        wanted = frozenset(groups)
        ordered = [group for group in LISTING_ORDER if group in wanted]
        return [release for group in ordered for release in self.listing(artist_id, group, at)]

    def truths(self, artist_ids: Iterable[str], groups: Iterable[Group] = DEFAULT_GROUPS) -> list[Truth]:
        """Every real-world release that these artists' listings ever show, in order of first sight."""
        wanted = frozenset(groups)
        first: dict[str, datetime] = {}
        members: dict[str, dict[WorldRelease, None]] = {}
        for artist_id in artist_ids:
            for release in self._ever_listed(artist_id, wanted):
                seen = max(release.appears_at, self.artists[artist_id].born or BEGINNING)
                first[release.truth] = min(first.get(release.truth, seen), seen)
                members.setdefault(release.truth, {})[release] = None
        found = (Truth(truth, instant, tuple(members[truth])) for truth, instant in first.items())
        return sorted(found, key=lambda truth: (truth.first_listed, truth.id))

    def truth_between(
        self,
        artist_ids: Iterable[str],
        after: datetime,
        until: datetime,
        groups: Iterable[Group] = DEFAULT_GROUPS,
    ) -> list[Truth]:
        """What was first listed in (after, until]: what a perfect tracker tells, each once."""
        return [truth for truth in self.truths(artist_ids, groups) if after < truth.first_listed <= until]

    def truth_seen(
        self,
        artist_ids: Iterable[str],
        checks: Sequence[datetime],
        groups: Iterable[Group] = DEFAULT_GROUPS,
    ) -> dict[datetime, set[str]]:
        """At each check, the truths listed then and at no check before: what came and went in between is not there."""
        ids, wanted, seen = tuple(artist_ids), tuple(groups), set[str]()
        result: dict[datetime, set[str]] = {}
        for at in checks:
            now = {r.truth for artist_id in ids for r in self.listings(artist_id, wanted, at)}
            result[at] = now - seen
            seen |= now
        return result

    def _ever_listed(self, artist_id: str, groups: frozenset[Group]) -> Iterable[WorldRelease]:
        artist = self.artists[artist_id]
        for group, shelf in self._catalogues[artist_id].shelves.items():
            for release in shelf.releases if group in groups else ():
                start = max(release.appears_at, artist.born or BEGINNING)
                if artist.exists_at(start) and release.listed_at(start):
                    yield release

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]]) -> World:
        """A world from a recorded history, one row for each artist and release.

        Columns: ``artist_id``, ``artist_name``, ``release_id``, ``title``, ``type``, ``release_date``, and if there are
        ``date_precision``, ``total_tracks`` and ``appears_at``. Without that, a release is listed from its date on.
        Rows that share a release ID are one release by several artists.
        """
        artists: dict[str, WorldArtist] = {}
        first: dict[str, Mapping[str, str]] = {}
        credits_of: dict[str, dict[str, None]] = {}
        for row in rows:
            artists.setdefault(row["artist_id"], WorldArtist(row["artist_id"], row["artist_name"]))
            first.setdefault(row["release_id"], row)
            credits_of.setdefault(row["release_id"], {})[row["artist_id"]] = None
        return cls(artists.values(), [_from_row(row, tuple(credits_of[key])) for key, row in first.items()])


def _changes(artist: WorldArtist, shelves: dict[Group, _Shelf], artists: Mapping[str, WorldArtist]) -> list[datetime]:
    instants = {artist.born, artist.vanishes_at, artist.returns_at, artist.renamed_at}
    for shelf in shelves.values():
        shelf.releases.sort(key=lambda release: release.date.value, reverse=True)
        instants.update(artists[one].renamed_at for release in shelf.releases for one in release.artists)
        instants.update(instant for release in shelf.releases for instant in (release.appears_at, release.withdrawn_at))
    return sorted(instant for instant in instants if instant is not None)


def _from_row(row: Mapping[str, str], artists: tuple[str, ...]) -> WorldRelease:
    date = release_date(row["release_date"], row.get("date_precision"))
    appears = row.get("appears_at")
    return WorldRelease(
        id=row["release_id"],
        title=row["title"],
        type=row["type"],
        artists=artists,
        date=date,
        appears_at=instant(appears) if appears else first_instant(date),
        truth=row["release_id"],
        total_tracks=int(row.get("total_tracks") or (10 if row["type"] == "album" else 1)),
    )


def release_date(value: str, precision: str | None = None) -> ReleaseDate:
    """``2026``, ``2026-03`` or ``2026-03-06`` as a date whose precision is its length, unless given."""
    by_length = {4: Precision.YEAR, 7: Precision.MONTH}.get(len(value), Precision.DAY)
    return ReleaseDate(value, Precision(precision) if precision else by_length)


def first_instant(date: ReleaseDate) -> datetime:
    """The first instant, in UTC, that a release date may mean."""
    return datetime.combine(date.first_day, time(), UTC)


def instant(value: str | datetime) -> datetime:
    """An instant in UTC from ``2026-03-08``, ``2026-03-08T21:30`` or a datetime; what names no zone means UTC."""
    parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
