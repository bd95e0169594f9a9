"""What every store works out the same way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from freshwax.model import Artist, CheckResult, Decision, Ref, Release
from freshwax.store.base import Change

KILLED = "the run was killed before it ended"


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
    """Yield an entry for each noted field that differs; addresses and pictures come and go unnoted."""
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
