"""What a check shows otherwise of releases that are known: their facts, and the keys that follow from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import pairwise

from msgspec.structs import replace

from freshwax.discovery.editions import all_keys, first_of, keys_of
from freshwax.discovery.forgetting import as_kept
from freshwax.discovery.telling import is_future
from freshwax.model import (
    Announced,
    Decision,
    GroupView,
    Kind,
    Known,
    LaterKeys,
    Observation,
    Release,
    ReleaseDate,
    Silence,
)

_TOLD_ELSEWHERE_OR_LATER = frozenset({Silence.TOLD, Silence.HELD})
_EVER, _NEVER = "", "~"  # as text, older and newer than any date


def changed(known: Mapping[str, Known], seen: Observation, *, anew: bool) -> list[Release]:
    """Return the known releases whose facts are given otherwise now, as far as they are kept."""
    shown = _shown_again(known, seen)
    before = {ref_id: known[ref_id].release for ref_id in shown}
    now = {ref_id: shown[ref_id] if anew else as_kept(shown[ref_id], one) for ref_id, one in before.items()}
    return [now[ref_id] for ref_id, one in before.items() if _facts(now[ref_id]) != _facts(one)]


def rekeyed_now(known: Mapping[str, Known], seen: Observation) -> tuple[LaterKeys, ...]:
    """Return the keys that known releases bear now, where those are not the last that they bore. Of what was forgotten
    only the keys say whether it is given otherwise.
    """
    found = []
    for ref_id, release in _shown_again(known, seen).items():
        one = known[ref_id]
        if not release.artists or (not one.release.forgotten and _identity(release) == _identity(one.release)):
            continue
        keys = keys_of(release)
        if keys.key and keys != all_keys(one)[-1]:
            found.append(LaterKeys(release.ref, *keys))
    return tuple(found)


def awaited(known: Mapping[str, Known], now: datetime) -> frozenset[str]:
    """Return the IDs of what was, or will be, announced ahead of its day, and is not out yet."""
    ahead = (one for one in known.values() if one.kind is Kind.UPCOMING or one.silence in _TOLD_ELSEWHERE_OR_LATER)
    return frozenset(one.release.ref.id for one in ahead if is_future(one.release.date, now))


def redated(
    known: Mapping[str, Known], decided: Iterable[Decision], seen: Observation, away: Collection[str]
) -> list[Release]:
    """Return what is awaited and is gone (``away``) with the date of the same under another ID, which is when it will
    be out; the earliest, where there are more.
    """
    shown = {listed.release.ref.id: listed.release.date for view in seen.views for listed in view.listed}
    same: list[Known | Decision] = [*known.values(), *decided]
    earliest: dict[str, ReleaseDate] = {}
    for one in same:
        first, date = first_of(one).id, shown.get(one.release.ref.id)
        if first in away and date is not None:
            earliest[first] = min(earliest.get(first, date), date, key=lambda one: one.first_day)
    before = {first: known[first].release for first in earliest}
    return [replace(one, date=earliest[first]) for first, one in before.items() if one.date != earliest[first]]


def as_listed_now(
    known: Mapping[str, Known], announced: Iterable[Announced], rekeyed: Iterable[LaterKeys]
) -> tuple[list[Known], list[Announced]]:
    """Return what is known, and what was announced, without the keys that releases bear no more: another may, now."""
    now = {one.release: replace(known[one.release.id], later_keys=(one.key, one.marks)) for one in rekeyed}
    still = [
        one
        for one in announced
        if one.twin or one.release.ref not in now or (one.key, one.marks) in all_keys(now[one.release.ref])
    ]
    return list({**known, **{ref.id: one for ref, one in now.items()}}.values()), still


def gone(known: Mapping[str, Known], seen: Observation) -> frozenset[str]:
    """Return the IDs of the known releases that a check shows to be gone: they are not where they would stand."""
    here = {listed.release.ref.id for view in seen.views for listed in view.listed}
    shown_down_to = {view.group: _shown_down_to(view) for view in seen.views}
    return frozenset(
        ref_id
        for ref_id, one in known.items()
        if ref_id not in here and one.release.date is not None
        if one.release.date.value > shown_down_to.get(one.group, _NEVER)
    )


def _shown_down_to(view: GroupView) -> str:
    """Return the date newer than which a view shows all that there is, as text: that is how the source sorts.

    Where the count does not fit what was found, something stands where it was not looked for.
    """
    entries = sorted(view.listed, key=lambda one: one.position)
    from_top = [one for place, one in enumerate(entries) if one.position == place]
    if view.ended and len(from_top) == view.depth:
        return _EVER
    dates = [one.release.date.value for one in from_top if one.release.date is not None]
    if not dates or view.deep_wanted or any(earlier < later for earlier, later in pairwise(dates)):
        return _NEVER
    return dates[-1]


def _shown_again(known: Mapping[str, Known], seen: Observation) -> dict[str, Release]:
    """Return what a check shows of the releases that are known, by ID."""
    shown = {listed.release.ref.id: listed.release for view in seen.views for listed in view.listed}
    return {ref_id: release for ref_id, release in shown.items() if ref_id in known}


def _facts(release: Release) -> tuple[object, ...]:
    return *_identity(release), release.date, release.total_tracks


def _identity(release: Release) -> tuple[object, ...]:
    """Return the facts that make the keys."""
    return release.title, release.type, tuple(credit.id for credit in release.artists)
