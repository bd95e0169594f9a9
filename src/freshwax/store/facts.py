"""What every store works out the same way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache

from freshwax.history import ALBUM, EXACT, WATCHED
from freshwax.model import Announced, Artist, CheckResult, Decision, Group, Precision, Ref, Release, ReleaseDate
from freshwax.store.base import Change

KILLED = "the run was killed before it ended"
LOST = "killed, or the machine went down; the next run goes on"  # as it is seen before the next one begins
_EPOCH = date(1970, 1, 1).toordinal()


def announced_order(one: Announced) -> tuple[Ref, str, str, Ref]:
    """Return what orders announcements of one first sight."""
    return one.release.ref, one.key, one.marks, one.twin or one.release.ref


def artist_order(artist: Artist) -> tuple[bool, str, Ref]:
    """Order artists by name, unnamed last, then ref."""
    return artist.name is None, (artist.name or "").casefold(), artist.ref


def to_tell(decision: Decision) -> bool:
    """Say whether a decision announces its own release, so that it goes into the outbox."""
    return decision.kind is not None and decision.announced == decision.release.ref


def found_in(result: CheckResult) -> int:
    """Count what a check found to tell."""
    return sum(map(to_tell, result.decisions))


def changes(before: Release, after: Release, at: datetime) -> Iterator[Change]:
    """Yield an entry for each noted field that differs; addresses and pictures come and go unnoted.

    Nothing has changed about what was forgotten, or is known again.
    """
    if before.forgotten or after.forgotten:
        return
    for (field, old), (_, new) in zip(_noted(before), _noted(after), strict=True):
        if old != new:
            yield Change(at, field, old, new)


def _noted(release: Release) -> tuple[tuple[str, str | None], ...]:
    tracks = release.total_tracks
    return (
        ("title", release.title),
        ("type", release.type),
        ("release_date", release.date.value if release.date else None),
        ("total_tracks", None if tracks is None else str(tracks)),
    )


# Remembered, since millions of releases share some ten thousand days.
@lru_cache(maxsize=1 << 17)
def dated(value: str, precision: str, group: str, watched: bool) -> tuple[int, int] | None:
    """Return what ``History`` keeps of a release on a list: day and flags; None where the date names no real day."""
    first = ReleaseDate(value, Precision(precision)).first_day
    if first == date.min:
        return None
    # Sources give 1 January for older releases of which they know no more than the year: such a day is believed only
    # where the release was seen to appear, not where it was learnt from the catalogue.
    exact = precision == Precision.DAY and (watched or (first.month, first.day) != (1, 1))
    return first.toordinal() - _EPOCH, ALBUM * (group == Group.ALBUM) + EXACT * exact + WATCHED * watched
