"""What stays of a release whose details are dropped: as much as it takes that it never looks new again."""

from __future__ import annotations

from freshwax.model import Release


def tombstone(release: Release) -> Release:
    """Return what stays: ID, type and date. The keys and marks that tell its twins and editions are the decisions'."""
    return Release(release.ref, "", release.type, (), release.date, forgotten=True)


def as_kept(release: Release, known: Release) -> Release:
    """Return what is to be kept of a known release that is listed again: no more of it than is kept already."""
    return tombstone(release) if known.forgotten else release
