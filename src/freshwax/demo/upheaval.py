"""What befalls a world as a whole: artists vanish, change their names, become one, catalogues get new IDs or titles.

Each function takes a world, chance, and the span in which it may happen, and returns another world. What a release
truly is (``truth``) never changes: only a new record is news.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from freshwax.demo.builder import base62_id
from freshwax.demo.world import World, WorldArtist, WorldRelease

Span = tuple[datetime, datetime]
Upheaval = Callable[[World, random.Random, Span], World]

SHARE = 0.2  # of the artists are struck
MOMENT = timedelta(seconds=1)
READ_WHOLE = timedelta(weeks=60)  # by then every list has been read to its end, however often that was put off


def vanished_for_good(world: World, chance: random.Random, span: Span) -> World:
    """Some artists are known no more from some instant on."""
    return _with_artists(world, (replace(one, vanishes_at=_instant(chance, span)) for one in _some(world, chance)))


def vanished_and_back(world: World, chance: random.Random, span: Span) -> World:
    """Some artists are not known for three to thirty weeks, and then again."""
    gone = []
    for one in _some(world, chance):
        at = _instant(chance, span)
        back = min(at + timedelta(weeks=chance.uniform(3, 30)), span[1])
        gone.append(replace(one, vanishes_at=at, returns_at=back))
    return _with_artists(world, gone)


def renamed(world: World, chance: random.Random, span: Span) -> World:
    """Some artists bear another name from some instant on."""
    named = (
        replace(one, renamed_at=_instant(chance, span), later_name=f"{one.name} (formerly)")
        for one in _some(world, chance)
    )
    return _with_artists(world, named)


def announced_early(world: World, chance: random.Random, span: Span) -> World:
    """What some artists bring out is listed weeks or months before its day."""
    struck = {one.id for one in _some(world, chance)}
    first: dict[str, datetime] = {}
    for release in world.releases:
        first[release.truth] = min(first.get(release.truth, release.appears_at), release.appears_at)

    def early(release: WorldRelease) -> WorldRelease:
        if struck.isdisjoint(release.artists) or not span[0] <= release.appears_at <= first[release.truth]:
            return release  # what changes a record later does so in its own time
        return replace(release, appears_at=release.appears_at - timedelta(weeks=chance.uniform(2, 30)))

    return World(world.artists.values(), [early(one) for one in world.releases])


def retitled(world: World, chance: random.Random, span: Span) -> World:
    """What some artists have bears other titles from some instant on. Long after, when every list was read whole
    meanwhile, each gets a twin under that title, or a new ID. Not what changes its ID anyway, perhaps before anybody
    could read the title under the old one.
    """
    at = {one.id: _instant(chance, span) for one in _some(world, chance)}
    ids: dict[str, set[str]] = {}
    for release in world.releases:
        ids.setdefault(release.truth, set()).add(release.id)
    releases: list[WorldRelease] = []
    for release in world.releases:
        when = min((at[one] for one in release.artists if one in at), default=None)
        if when is None or len(ids[release.truth]) > 1 or not (release.title and release.listed_at(when)):
            releases.append(release)
            continue
        later = replace(release, title=f"{release.title} Anew", appears_at=when)
        releases += [replace(release, withdrawn_at=when), *_doubled(later, when + READ_WHOLE, span[1], chance)]
    return World(world.artists.values(), releases)


def _doubled(release: WorldRelease, when: datetime, end: datetime, chance: random.Random) -> Sequence[WorldRelease]:
    """A release, and its double from some instant on: beside it, or in its place."""
    if when > end or not release.listed_at(when):
        return (release,)
    double = replace(release, id=base62_id("double", release.id, when), appears_at=when)
    if chance.random() < 0.5:
        return release, replace(double, title=f"{release.title} (Clean)")
    return replace(release, withdrawn_at=when), double


def merged(world: World, chance: random.Random, span: Span) -> World:
    """Some artists turn out to be others: one ID vanishes, its releases stand on the other's list from then on."""
    struck = _some(world, chance)
    into = {gone.id: kept.id for gone, kept in zip(struck[::2], struck[1::2], strict=False)}
    at = {gone: _instant(chance, span) for gone in into}
    releases: list[WorldRelease] = []
    for release in world.releases:
        releases += _handed_over(release, into, at)
    artists = [replace(one, vanishes_at=at[one.id]) if one.id in into else one for one in world.artists.values()]
    return World(artists, releases)


def relisted(world: World, chance: random.Random, span: Span) -> World:
    """All that some artists have is listed under new IDs from some instant on, each artist's at another."""
    return _relisted(world, {one.id: _instant(chance, span) for one in _some(world, chance)})


def relisted_at_once(world: World, chance: random.Random, span: Span) -> World:
    """All that there is, of everybody, is listed under new IDs from one instant on."""
    at = _instant(chance, span)
    return _relisted(world, dict.fromkeys(world.artists, at))


def _some(world: World, chance: random.Random) -> list[WorldArtist]:
    count = max(2, round(len(world.artists) * SHARE))
    return chance.sample(sorted(world.artists.values(), key=lambda one: one.id), min(count, len(world.artists)))


def _instant(chance: random.Random, span: Span) -> datetime:
    return (span[0] + chance.random() * (span[1] - span[0])).replace(microsecond=0)


def _with_artists(world: World, changed: Iterable[WorldArtist]) -> World:
    return World({**world.artists, **{one.id: one for one in changed}}.values(), world.releases)


def _handed_over(release: WorldRelease, into: dict[str, str], at: dict[str, datetime]) -> Sequence[WorldRelease]:
    """A release before and after its artists became others."""
    when = min((at[one] for one in release.artists if one in into), default=None)
    if when is None or (release.withdrawn_at is not None and release.withdrawn_at <= when):
        return (release,)
    others = tuple(dict.fromkeys(into.get(one, one) for one in release.artists))
    if release.appears_at >= when:
        return (replace(release, artists=others),)
    return replace(release, withdrawn_at=when), replace(release, artists=others, appears_at=when)


def _relisted(world: World, at: dict[str, datetime]) -> World:
    releases: list[WorldRelease] = []
    for release in world.releases:
        when = _struck_at(release, at)
        if when is None:
            releases.append(release)
            continue
        releases.append(replace(release, withdrawn_at=when))
        releases.append(replace(release, id=base62_id("relisted", release.id, when), appears_at=when))
    return World(world.artists.values(), releases)


def _struck_at(release: WorldRelease, at: Mapping[str, datetime]) -> datetime | None:
    """When a release is struck with its artists; None where it is not listed then, or has no title: nothing tells such
    a one from others.
    """
    when = min((at[one] for one in release.artists if one in at), default=None)
    if when is None or not release.title or not release.listed_at(when) or release.appears_at > when - MOMENT:
        return None
    return when
