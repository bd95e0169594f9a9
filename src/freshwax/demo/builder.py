"""A small vocabulary to build worlds by hand.

``world = WorldBuilder(); nightjar = world.artist("Nightjar"); nightjar.single("Low Tide", "2026-03-06")`` and so on,
then ``world.build()``. IDs depend only on what is built, and in which order: the same script gives the same world.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict, Unpack

from freshwax.demo.world import World, WorldArtist, WorldRelease, first_instant, instant, release_date

BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ID_LENGTH = 22

When = str | datetime


def base62_id(*parts: object) -> str:
    """An ID of 22 base62 characters, as Spotify's are, that depends on the parts alone."""
    text = "\x1f".join(str(part) for part in parts)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    digits: list[str] = []
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return "".join(reversed(digits))


class Details(TypedDict, total=False):
    """What may be said of a release besides its title and date."""

    appears: When
    withdrawn: When
    tracks: int
    guests: list[ArtistHandle]
    id: str


@dataclass(frozen=True, slots=True)
class ArtistHandle:
    """An artist in the making: what it releases is added to the world that it belongs to."""

    id: str
    name: str
    world: WorldBuilder

    def single(self, title: str, date: str, **details: Unpack[Details]) -> WorldRelease:
        """Add a single."""
        return self.world.release("single", title, date, [self], **details)

    def album(self, title: str, date: str, **details: Unpack[Details]) -> WorldRelease:
        """Add an album."""
        return self.world.release("album", title, date, [self], **details)

    def compilation(self, title: str, date: str, **details: Unpack[Details]) -> WorldRelease:
        """Add a compilation."""
        return self.world.release("compilation", title, date, [self], **details)


class WorldBuilder:
    """Collects artists and releases; ``build`` makes the world, as often as wanted."""

    def __init__(self, seed: object = "world") -> None:
        self._seed = seed
        self._artists: dict[str, WorldArtist] = {}
        self._releases: dict[tuple[str, datetime], WorldRelease] = {}
        self._count = 0

    def build(self) -> World:
        """The world as built so far."""
        return World(self._artists.values(), self._releases.values())

    def _new_id(self, *parts: object) -> str:
        self._count += 1
        return base62_id(self._seed, self._count, *parts)

    def artist(
        self, name: str, *, born: When | None = None, vanishes: When | None = None, key: str | None = None
    ) -> ArtistHandle:
        """Add an artist. Names need not be unique."""
        key = key or self._new_id("artist", name)
        self._artists[key] = WorldArtist(
            key, name, instant(born) if born else None, instant(vanishes) if vanishes else None
        )
        return ArtistHandle(key, name, self)

    def release(
        self, as_type: str, title: str, date: str, artists: list[ArtistHandle], **details: Unpack[Details]
    ) -> WorldRelease:
        """Add a release of any type by any artists; listed from its first day on, or as ``appears`` says."""
        when, withdrawn = release_date(date), details.get("withdrawn")
        key = details.get("id") or self._new_id(as_type, title, date)
        release = WorldRelease(
            id=key,
            title=title,
            type=as_type,
            artists=tuple(artist.id for artist in artists),
            date=when,
            appears_at=instant(details["appears"]) if "appears" in details else first_instant(when),
            truth=key,
            withdrawn_at=instant(withdrawn) if withdrawn else None,
            total_tracks=details.get("tracks", 1 if as_type == "single" else 10),
            guests=tuple(artist.id for artist in details.get("guests", [])),
        )
        return self._add(release)

    def joint(
        self, title: str, date: str, artists: list[ArtistHandle], *, as_type: str = "single", **details: Unpack[Details]
    ) -> WorldRelease:
        """Add a release credited to several artists: each one's listing shows it."""
        return self.release(as_type, title, date, artists, **details)

    def twin(
        self, of: WorldRelease, *, title: str | None = None, date: str | None = None, appears: When | None = None
    ) -> WorldRelease:
        """Add a second ID of the same release, listed beside the first: an explicit/clean pair, a market double."""
        when = release_date(date) if date else of.date
        return self._add(
            replace(
                of,
                id=self._new_id("twin", of.id),
                title=of.title if title is None else title,
                date=when,
                appears_at=instant(appears) if appears else of.appears_at,
                withdrawn_at=None,
            )
        )

    def relist(self, of: WorldRelease, at: When, *, title: str | None = None) -> WorldRelease:
        """Withdraw a release and list it under a new ID from the same instant on, with the same title and date."""
        gone = self.withdraw(of, at)
        return self.twin(gone, title=title, appears=at)

    def edition(
        self, of: WorldRelease, title: str, date: str, *, appears: When | None = None, tracks: int | None = None
    ) -> WorldRelease:
        """Add another edition (deluxe, remaster): a release of its own that says which one it extends."""
        when, key = release_date(date), self._new_id("edition", title)
        return self._add(
            replace(
                of,
                id=key,
                title=title,
                date=when,
                appears_at=instant(appears) if appears else first_instant(when),
                withdrawn_at=None,
                total_tracks=tracks or of.total_tracks + 4,
                truth=key,
                edition_of=of.truth,
            )
        )

    def withdraw(self, release: WorldRelease, at: When) -> WorldRelease:
        """Take a release off the listings from an instant on."""
        gone = replace(release, withdrawn_at=instant(at))
        return self._add(gone)

    def restore(self, release: WorldRelease, at: When) -> WorldRelease:
        """List a withdrawn release again, under the ID that it had."""
        return self._add(replace(release, appears_at=instant(at), withdrawn_at=None))

    def change(
        self, release: WorldRelease, at: When, *, title: str | None = None, date: str | None = None
    ) -> WorldRelease:
        """Give a listed release another title or date from an instant on; its ID stays."""
        gone = self.withdraw(release, at)
        changed = replace(
            gone, title=gone.title if title is None else title, date=release_date(date) if date else gone.date
        )
        return self.restore(changed, at)

    def _add(self, release: WorldRelease) -> WorldRelease:
        self._releases[release.id, release.appears_at] = release
        return release
