"""Invented worlds with the shapes of real ones: who releases how much, when, how late, and what goes astray.

The shares and rates are those measured on public listings from 2018 to 2026. The same seed gives the same world on
every machine. Nothing in it is real.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.chance import Dice
from freshwax.demo.names import HOSTILE, Titles, artist_name
from freshwax.demo.world import World, WorldRelease, instant

LISTING_SIZES = ((0.0, 0.45), (0.5, 5.0), (0.9, 25.0), (0.99, 139.0), (1.0, 300.0))
DELAY_DAYS = ((0.0, 0.02), (0.5, 0.6), (0.9, 1.7), (0.95, 2.5), (1.0, 9.4))
ALBUM_DAYS = ((4, 0.70), (3, 0.08), (2, 0.06), (1, 0.05), (0, 0.05), (5, 0.03), (6, 0.03))
SINGLE_DAYS = ((4, 0.52), (3, 0.20), (2, 0.12), (1, 0.05), (0, 0.05), (5, 0.03), (6, 0.03))
EDITIONS = ("(Deluxe)", "(Deluxe Edition)", "(Expanded Edition)", "[Deluxe]")
REISSUES = ("(Remastered)", "(20th Anniversary Edition)", "- Remaster", "(Anniversary Edition)")
FRIDAYS_SINCE = date(2015, 7, 10)
MANY_ALBUMS = 10
YEAR = timedelta(days=365.25)


@dataclass(frozen=True, slots=True)
class Habits:
    """How often things happen: shares of releases, or events a year for each release or artist."""

    releases_a_year: float = 2.0  # an artist
    album_share: float = 0.35
    joint_share: float = 0.10
    guest_share: float = 0.05
    twin_share: float = 0.02
    deluxe_share: float = 0.12  # of new albums
    back_dated_share: float = 0.02  # listed weeks or months after their date
    early_share: float = 0.0  # listed days before their date; Spotify rarely does, other services do
    vague_share: float = 0.06  # 1 January, a year or a month in place of a day, among older dates
    odd_share: float = 0.01  # titles
    hostile_share: float = 0.03  # titles, in hostile worlds
    relisted: float = 0.05  # a year and release
    withdrawn: float = 0.01
    changed: float = 0.01
    reissued: float = 0.01
    unearthed: float = 0.2  # back-dated catalogue additions, a year and artist
    swapped: float = 0.1  # an album out and another in within days, a year and artist who has albums
    active_days: float = 300.0  # mean length of a spell
    dormant_days: float = 400.0


@dataclass(slots=True)
class _Career:
    """An artist in the making, with the chance and the titles of its own."""

    handle: ArtistHandle
    dice: Dice
    titles: Titles
    entries: int
    rate: float
    albums: int
    releases: list[WorldRelease] = field(default_factory=list)


def generate(
    seed: object,
    *,
    artists: int,
    start: date | datetime | str,
    end: date | datetime | str,
    busy_share: float | None = None,
    hostile: bool = False,
    habits: Habits | None = None,
) -> World:
    """An invented world: catalogues up to ``start``, then life from there to ``end``.

    ``busy_share``: that share of the artists has more than nine albums at the start, the others fewer; None leaves it
    to the shape of the listings. ``hostile``: some titles and names attack terminals, spreadsheets, pages and feeds.
    """
    span = _midnight(start), _midnight(end)
    made = _Generator(seed, artists, span=span, busy_share=busy_share, hostile=hostile, habits=habits or Habits())
    return made.world()


def _midnight(day: date | datetime | str) -> datetime:
    return instant(day if isinstance(day, datetime | str) else day.isoformat())


class _Generator:
    """The making of one world, in the order in which ``world`` reads."""

    def __init__(
        self,
        seed: object,
        artists: int,
        *,
        span: tuple[datetime, datetime],
        busy_share: float | None,
        hostile: bool,
        habits: Habits,
    ) -> None:
        self.seed, self.hostile, self.habits = seed, hostile, habits
        self.start, self.end = span
        self.builder = WorldBuilder(f"generated:{seed}")
        self.careers = self._careers(artists, busy_share)

    def world(self) -> World:
        for career in self.careers:
            self._past(career)
        for career in self.careers:
            self._present(career)
        for career in self.careers:
            self._mishaps(career)
        return self.builder.build()

    # Who there is.

    def _careers(self, count: int, busy_share: float | None) -> list[_Career]:
        dice = Dice(self.seed, "careers")
        names = self._names(count)
        sizes = [dice.quantile(LISTING_SIZES) for _ in range(count)]
        # Those with long catalogues release more, but far from in proportion, and chance has its say.
        weights = [size**0.5 * dice.gamma(2) for size in sizes]
        mean = sum(weights) / max(1, count)
        busy = set(dice.shuffled(range(count))[: round(count * (busy_share or 0.0))])
        return [
            self._career(number, names[number], sizes[number], weights[number] / mean, _busy(number, busy, busy_share))
            for number in range(count)
        ]

    def _names(self, count: int) -> list[str]:
        dice, names = Dice(self.seed, "names"), dict[str, None]()
        while len(names) < count:
            hostile = self.hostile and dice.chance(self.habits.hostile_share)
            name = dice.pick(HOSTILE) if hostile else artist_name(dice)
            names[name if name not in names else f"{name} {len(names)}"] = None
        return list(names)

    def _career(self, number: int, name: str, size: float, pace: float, busy: bool | None) -> _Career:
        dice = Dice(self.seed, "artist", number)
        entries = round(size)
        albums = sum(dice.chance(self.habits.album_share) for _ in range(entries))
        if busy:
            albums = max(albums, MANY_ALBUMS + dice.below(12))
        elif busy is False:
            albums = min(albums, MANY_ALBUMS - 2)
        titles = Titles(dice, self.habits.odd_share, self.habits.hostile_share if self.hostile else 0.0)
        rate = self.habits.releases_a_year * pace
        return _Career(self.builder.artist(name), dice, titles, max(entries, albums), rate, albums)

    # What they had released when it all begins.

    def _past(self, career: _Career) -> None:
        dice = career.dice
        years = min(40.0, 3.0 + career.entries / 3)
        for number in range(career.entries):
            age = YEAR * (years * dice.unit() ** 1.5)
            day = _weekday(dice, self.start - timedelta(days=8) - age, album=number < career.albums)
            kind = "album" if number < career.albums else "compilation" if dice.chance(0.02) else "single"
            self._release(career, kind, self._vague(dice, day), self._arrival(dice, day))

    def _vague(self, dice: Dice, day: date) -> str:
        if not dice.chance(self.habits.vague_share):
            return day.isoformat()
        first = date(day.year, 1, 1).isoformat()
        return dice.weighted(((first, 0.7), (first[:4], 0.2), (day.isoformat()[:7], 0.1)))

    # What they release from then on.

    def _present(self, career: _Career) -> None:
        dice = career.dice
        on, off = self.habits.active_days, self.habits.dormant_days
        # An album brings singles of its own along, and joint records count for both: fewer occasions make up for it.
        occasions = career.rate / 1.4 * (on + off) / on
        clock, active = self.start, dice.chance(on / (on + off))
        while clock < self.end:
            until = clock + timedelta(days=dice.exponential(on if active else off))
            while active:
                clock += YEAR * dice.exponential(1.0) / occasions
                if clock >= min(until, self.end):
                    break
                self._occasion(career, clock)
            clock, active = until, not active

    def _occasion(self, career: _Career, at: datetime) -> None:
        dice = career.dice
        if not dice.chance(self.habits.album_share):
            self._newcomer(career, "single", at)
            return
        title = career.titles.next()
        for weeks in (10, 4)[dice.below(3) :]:
            ahead = at - timedelta(weeks=weeks)
            if ahead > self.start:
                self._newcomer(career, "single", ahead, title if weeks == 4 and dice.chance(0.3) else None)
        album = self._newcomer(career, "album", at, title)
        if title and dice.chance(self.habits.deluxe_share):
            later = _weekday(dice, at + timedelta(days=dice.between(30, 200)), album=True)
            self._edition(career, album, dice.pick(EDITIONS), later)

    def _newcomer(self, career: _Career, kind: str, at: datetime, title: str | None = None) -> WorldRelease:
        dice = career.dice
        day = _weekday(dice, at, album=kind == "album")
        arrival = self._arrival(dice, day)
        if dice.chance(self.habits.back_dated_share):
            arrival += timedelta(days=dice.between(20, 400))
        elif dice.chance(self.habits.early_share):
            arrival -= timedelta(days=2 + dice.below(5))
        release = self._release(career, kind, day.isoformat(), arrival, title)
        if release.title and dice.chance(self.habits.twin_share):
            self._twin(dice, release)
        return release

    def _twin(self, dice: Dice, release: WorldRelease) -> None:
        title = dice.weighted(((f"{release.title} (Clean)", 0.5), (release.title, 0.5)))
        day = release.date.first_day - timedelta(days=dice.below(2))
        appears = release.appears_at + timedelta(hours=dice.between(0, 60))
        self.builder.twin(release, title=title, date=day.isoformat(), appears=_whole(appears))

    def _arrival(self, dice: Dice, day: date) -> datetime:
        """When a release of this day is first listed: hours after midnight as a rule, days now and then."""
        return _whole(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=dice.quantile(DELAY_DAYS)))

    def _release(
        self, career: _Career, kind: str, day: str, appears: datetime, title: str | None = None
    ) -> WorldRelease:
        dice = career.dice
        credited, guests = [career.handle], list[ArtistHandle]()
        if kind == "single" and title is None and dice.chance(self.habits.joint_share):
            credited += [handle for handle in (self._other(career),) if handle not in credited]
        if dice.chance(self.habits.guest_share):
            guests = [handle for handle in (self._other(career),) if handle not in credited]
        tracks = 8 + dice.below(10) if kind != "single" else 1 + dice.below(3)
        name = career.titles.next() if title is None else title
        release = self.builder.release(kind, name, day, credited, appears=appears, tracks=tracks, guests=guests)
        career.releases.append(release)
        return release

    def _other(self, career: _Career) -> ArtistHandle:
        return career.dice.pick(self.careers).handle

    # What befalls what they have released.

    def _mishaps(self, career: _Career) -> None:
        dice, habits = career.dice, self.habits
        years = (self.end - self.start) / YEAR
        fates = ("relisted", "withdrawn", "changed", "reissued")
        for release in tuple(career.releases):
            share = (self.end - max(self.start, release.appears_at)) / YEAR
            fate = dice.weighted([*((name, getattr(habits, name) * share) for name in fates), ("none", 1.0)])
            # Nothing tells a release without a title from another one, so it keeps the ID that it has.
            if share > 0 and release.title and fate != "none":
                career.releases.remove(release)
                self._befall(career, release, fate)
        for _ in range(_events(dice, habits.unearthed * years)):
            self._unearth(career)
        for _ in range(_events(dice, habits.swapped * years)):
            self._swap(career)

    def _befall(self, career: _Career, release: WorldRelease, fate: str) -> None:
        dice = career.dice
        at = dice.instant(max(self.start, release.appears_at), self.end)
        if fate == "relisted":
            self.builder.relist(release, at)
        elif fate == "changed":
            day = release.date.first_day - timedelta(days=1 + dice.below(6))
            self.builder.change(release, at, title=release.title.upper(), date=day.isoformat())
        elif fate == "withdrawn":
            gone = self.builder.withdraw(release, at)
            if dice.chance(0.2):
                self.builder.restore(gone, at + timedelta(days=dice.between(3, 40)))
        elif release.type == "album":
            self._edition(career, release, dice.pick(REISSUES), _weekday(dice, at, album=True))

    def _edition(self, career: _Career, of: WorldRelease, mark: str, day: date) -> None:
        arrival = max(self._arrival(career.dice, day), of.appears_at)
        self.builder.edition(of, f"{of.title} {mark}", day.isoformat(), appears=arrival)

    def _unearth(self, career: _Career) -> None:
        dice = career.dice
        at = dice.instant(self.start, self.end)
        day = _weekday(dice, at - YEAR * dice.between(0.3, 20), album=False)
        self._release(career, "album" if dice.chance(self.habits.album_share) else "single", day.isoformat(), at)

    def _swap(self, career: _Career) -> None:
        dice = career.dice
        at = dice.instant(self.start, self.end)
        albums = [release for release in career.releases if release.type == "album" and release.appears_at < at]
        if albums:
            gone = dice.pick(albums)
            career.releases.remove(gone)
            self.builder.withdraw(gone, at)
            self._release(career, "album", at.date().isoformat(), at + timedelta(hours=dice.below(48)))


def _busy(number: int, busy: set[int], busy_share: float | None) -> bool | None:
    return None if busy_share is None else number in busy


def _events(dice: Dice, expected: float) -> int:
    """How often something happens that is expected so often."""
    count, left = 0, expected - dice.exponential(1.0)
    while left > 0:
        count, left = count + 1, left - dice.exponential(1.0)
    return count


def _weekday(dice: Dice, at: datetime, *, album: bool) -> date:
    """A day of the same week, on a weekday as releases of this type have it."""
    day = at.date()
    if day < FRIDAYS_SINCE:
        return day
    return day + timedelta(days=dice.weighted(ALBUM_DAYS if album else SINGLE_DAYS) - day.weekday())


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)
