"""How deep an artist's listing was ever read, and which entries lie deeper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from freshwax.discovery.editions import Keys, all_keys, are_twins, keys_of
from freshwax.model import GroupView, Known, Listed, Mark, Release


class Reach(Struct, frozen=True):
    """What a view says of the part of a list that was read before.

    ``beyond``: the IDs of the unknown releases that lie deeper than that. ``horizon``: how deep it reaches now.
    """

    beyond: frozenset[str]
    horizon: int


def beyond_horizon(view: GroupView, mark: Mark | None, known: Mapping[str, Known]) -> frozenset[str]:
    """Return the IDs of a view's unknown releases that lie deeper than the listing was ever read.

    Nothing is beyond the horizon of a list that was read to its end, and a list that was never read (no mark) has none:
    its first check decides by date alone.
    """
    if mark is None or mark.read_to_end_at is not None:
        return frozenset()
    return _reach(view, mark, known).beyond


def new_horizon(view: GroupView, mark: Mark | None, known: Mapping[str, Known]) -> int:
    """Return how many entries from the top are read now."""
    if mark is None:
        return view.depth
    return max(view.depth, _reach(view, mark, known).horizon)


def deep_place(view: GroupView, mark: Mark | None) -> tuple[int | None, bool]:
    """Return where a deep read goes on from after a check, and whether one is asked for."""
    if view.ended:
        return None, False
    wanted = view.deep_wanted if view.deep_wanted is not None else (mark.deep_wanted if mark else False)
    if view.deep_cursor is not None or mark is None or mark.deep_cursor is None:
        return view.deep_cursor, wanted
    return max(mark.deep_cursor - view.removed, 0), wanted  # what went has moved up what was to be read next


def is_later(release: Release, mark: Mark) -> bool:
    """Tell whether a release may be dated after the first check of a list: then it is no part of its unread rest."""
    return release.date is not None and release.date.last_day >= mark.first_checked_at.date()


def _reach(view: GroupView, mark: Mark, known: Mapping[str, Known]) -> Reach:
    """Tell what was read before, and what has come since, from what nobody has read yet.

    What was read stood at the positions below ``mark.horizon``. ``view.removed`` of it went, though what is listed
    under a new ID is still there; each unknown release further up pushed the rest down by one. So an unknown release
    below all that is left of it is one that nobody has read, and so is one that is older than all of it and has none of
    it below. Not so if it is dated after the first check; nor if it is newer than the oldest that was read, and so much
    went that it may have come in its place.
    """
    entries = sorted(view.listed, key=lambda one: one.position)
    unknown = [one for one in entries if one.release.ref.id not in known]
    if not unknown:
        return Reach(frozenset(), max(mark.horizon - view.removed, 0))
    moved = _listed_anew(entries, unknown, known)
    left = _left(view, mark, known, len(moved))
    there = left
    if view.ended:  # all of it that is still there can be seen
        there = min(left, entries[-1].position + 1 - len(unknown) + len(moved))
    oldest = _oldest_read(view, known)
    fresh = {one.release.ref.id for one in unknown} - moved
    last = max((one.position for one in entries if one.release.ref.id not in fresh), default=-1)
    beyond, arrived = set(), 0
    for one in unknown:
        if one.release.ref.id in moved:
            continue
        age = _compared(one.release, oldest)
        below = one.position >= there + arrived and not (age > 0 and one.position < mark.horizon + arrived)
        moved_up = age < 0 and one.position > last  # more went than anybody noticed
        if (below or moved_up) and not is_later(one.release, mark):
            beyond.add(one.release.ref.id)
        else:
            arrived += 1
    return Reach(frozenset(beyond), max(left + arrived, 0))


def _left(view: GroupView, mark: Mark, known: Mapping[str, Known], moved: int) -> int:
    """Return how much of what was read is still listed, ``moved`` of it under new IDs.

    More that moved than went is what went unseen, or had gone before and came back: as many as were missing already.
    """
    missing = max(sum(one.group is view.group for one in known.values()) - mark.horizon, 0)
    returned = min(max(moved - view.removed, 0), missing)
    return mark.horizon - max(view.removed - moved, 0) + returned


def _listed_anew(entries: Iterable[Listed], unknown: Sequence[Listed], known: Mapping[str, Known]) -> frozenset[str]:
    """Return the IDs of the unknown releases that are known ones under a new ID, in the place of the old."""
    here = {one.release.ref.id for one in entries}
    gone: dict[str, list[Known]] = {}
    for ref_id, one in known.items():
        if ref_id not in here:
            for keys in set(all_keys(one)):
                gone.setdefault(keys.key, []).append(one)
    moved, replaced = set(), set()
    for listed in unknown:
        keys = keys_of(listed.release)
        for one in gone.get(keys.key, ()):
            if one.release.ref not in replaced and _is_twin(listed.release, keys, one):
                moved.add(listed.release.ref.id)
                replaced.add(one.release.ref)
                break
    return frozenset(moved)


def _is_twin(release: Release, keys: Keys, one: Known) -> bool:
    return any(are_twins(release, keys, one.release, had) for had in all_keys(one))


def _oldest_read(view: GroupView, known: Mapping[str, Known]) -> str | None:
    """Return the oldest date of what was read, as text: that is how the source sorts."""
    dates = (one.release.date for one in known.values() if one.group is view.group)
    return min((one.value for one in dates if one is not None), default=None)


def _compared(release: Release, oldest: str | None) -> int:
    """Return 1 for a release that is newer than a date (or may be), -1 for an older one, 0 for one of that date."""
    if oldest is None or release.date is None or release.date.value > oldest:
        return 1
    return -1 if release.date.value < oldest else 0
