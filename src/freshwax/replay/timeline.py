"""What happened, in columns: when each release appeared in an artist's listing, and which day it bears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from operator import attrgetter

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from freshwax.demo.world import World, WorldRelease
from freshwax.discovery.editions import Keys, are_twins, is_edition, keys_of
from freshwax.history import ALBUM, EXACT, History
from freshwax.model import DEFAULT_GROUPS, Credit, Precision, Ref, Release

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = np.inf


class Timeline(Struct, frozen=True, eq=False):
    """One entry an artist and release, by artist, then instant. Twins and other editions are left out.

    ``appears`` and ``gone``: from when until when it is listed, in days since 1970 (``gone`` is infinite mostly);
    ``day``: the day that it bears; ``album``; ``exact``: the date names its day; ``release``: equal for the entries
    of one release by several artists. ``artist`` is an index into ``names``. ``numbers``: of a world's release IDs, the
    number in ``release``, those of twins too.
    """

    names: tuple[str, ...]
    artist: Ints
    appears: Floats
    gone: Floats
    day: Ints
    album: Bools
    exact: Bools
    release: Ints
    numbers: Mapping[str, int] = {}

    @property
    def first(self) -> float:
        """When the first of them appeared."""
        return float(self.appears.min())

    @property
    def last(self) -> float:
        """When the last of them appeared."""
        return float(self.appears.max())


class _Spell(Struct):
    """A release in the making: as first seen, with its listing's beginning and end, and every ID that it had."""

    release: Release
    keys: Keys
    appears: float
    gone: float
    ids: list[str]


def days(at: datetime) -> float:
    """Return an instant as days since 1970."""
    return (at - EPOCH).total_seconds() / 86400


def day_number(day: date) -> int:
    """Return a day as days since 1970."""
    return day.toordinal() - EPOCH.toordinal()


def from_columns(
    names: Sequence[str],
    artist: Iterable[int],
    appears: Iterable[float],
    day: Iterable[int],
    *,
    album: Iterable[bool],
    exact: Iterable[bool],
    gone: Iterable[float] | None = None,
    release: Iterable[int] | None = None,
) -> Timeline:
    """Return the timeline of some columns, in its order. Without ``release`` each entry is a release of its own."""
    who, when = np.asarray(artist, np.int64), np.asarray(appears, float)
    n = len(who)
    order = np.lexsort((np.asarray(day, np.int64), when, who))
    until = np.full(n, FOREVER) if gone is None else np.asarray(gone, float)
    which = np.arange(n) if release is None else np.asarray(release, np.int64)
    return Timeline(
        tuple(names),
        who[order],
        when[order],
        until[order],
        np.asarray(day, np.int64)[order],
        np.asarray(album, bool)[order],
        np.asarray(exact, bool)[order],
        np.unique(which[order], return_inverse=True)[1].reshape(-1).astype(np.int64),
    )


def from_world(world: World) -> Timeline:
    """Return the timeline of a world: its albums and singles, each once for an artist however often it is listed.

    Artists come in the order of their names, as a store has them: equal scores are settled by it.
    """
    ordered = sorted(world.artists.values(), key=lambda artist: (artist.name.casefold(), artist.id))
    shown: dict[str, list[WorldRelease]] = {artist.id: [] for artist in ordered}
    for release in world.releases:
        for one in release.artists:
            if one in shown and release.group_for(one) in DEFAULT_GROUPS:
                shown[one].append(release)
    numbers: dict[str, int] = {}
    found = [
        (index, spell, numbers.setdefault(spell.release.ref.id, len(numbers)))
        for index, releases in enumerate(shown.values())
        for spell in _distinct(sorted(releases, key=attrgetter("appears_at", "id")))
    ]
    spells = [spell for _, spell, _ in found]
    timeline = from_columns(
        tuple(shown),
        [index for index, _, _ in found],
        [spell.appears for spell in spells],
        [day_number(spell.release.date.first_day) for spell in spells if spell.release.date],
        album=[spell.release.type == "album" for spell in spells],
        exact=[spell.release.date.precision is Precision.DAY for spell in spells if spell.release.date],
        gone=[spell.gone for spell in spells],
        release=[number for _, _, number in found],
    )
    return replace(timeline, numbers={one: number for _, spell, number in found for one in spell.ids})


def from_history(history: History) -> Timeline:
    """Return the timeline of a user's own history: each release as if it had been listed when its day began."""
    flags = np.frombuffer(history.flags, np.uint8)
    day = np.asarray(history.day, np.int64)
    return from_columns(
        tuple(artist.ref.id for artist in history.artists),  # as in ``plan``: an artist's phase comes from its ID
        history.artist,
        day.astype(float),
        day,
        album=(flags & ALBUM) != 0,
        exact=(flags & EXACT) != 0,
    )


def _distinct(releases: Iterable[WorldRelease]) -> Iterable[_Spell]:
    """Leave out what is a twin or an edition of something seen before; a twin prolongs what it repeats."""
    by_key: dict[str, list[_Spell]] = {}
    by_id: dict[str, _Spell] = {}
    for one in releases:
        release = _release(one)
        gone = FOREVER if one.withdrawn_at is None else days(one.withdrawn_at)
        spell = _Spell(release, keys_of(release), days(one.appears_at), gone, [one.id])
        known = by_key.setdefault(spell.keys.key or one.id, [])
        same = by_id.get(one.id) or next((old for old in known if _same(old, spell)), None)
        if same is not None:
            same.gone = max(same.gone, gone)
            same.ids.append(one.id)
            by_id[one.id] = same
        elif not any(is_edition(old.keys, spell.keys) for old in known):
            known.append(spell)
            by_id[one.id] = spell
    return {id(spell): spell for spell in by_id.values()}.values()


def _same(old: _Spell, new: _Spell) -> bool:
    return are_twins(old.release, old.keys, new.release, new.keys)


def _release(one: WorldRelease) -> Release:
    return Release(Ref("world", one.id), one.title, one.type, tuple(Credit(a, a) for a in one.artists), one.date)
