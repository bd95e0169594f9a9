"""Everything that the pages of a check showed: whatever was read is decided, or read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from freshwax.discovery.horizon import is_later
from freshwax.model import Follow, Group, GroupView, Listed, Mark
from freshwax.sources.spotify.lists import group_of
from freshwax.sources.spotify.note import Window
from freshwax.sources.spotify.pages import Page


class Shown:
    """The unknown releases that a check has been shown so far."""

    def __init__(self, follow: Follow) -> None:
        self._known = follow.known
        self._by_group: dict[Group, dict[str, Listed]] = {}
        self._by_tag: dict[str, set[str]] = {}

    def add(self, page: Page, groups: Sequence[Group]) -> None:
        """Take note of a page of these groups."""
        unknown = {one.release.ref.id: one for one in page.entries if one.release.ref.id not in self._known}
        for ref_id, one in unknown.items():
            self._by_group.setdefault(group_of(one.release, groups), {})[ref_id] = one
        if page.etag is not None:
            self._by_tag.setdefault(page.etag, set()).update(unknown)

    def complete(self, view: GroupView, mark: Mark | None) -> GroupView:
        """Add to a view what was shown of its group, and dropped: pages that were out of order, or read again.

        The place of such a stray says nothing. So of a list that was not read to its end, only those join that are
        dated after its first check; among the others may be what nobody has read yet, which the deep read decides.
        """
        have = {one.release.ref.id for one in view.listed}
        strays = [one for ref_id, one in self._by_group.get(view.group, {}).items() if ref_id not in have]
        if mark is not None and mark.read_to_end_at is None:
            strays = [one for one in strays if is_later(one.release, mark)]
        return replace(view, listed=(*view.listed, *strays)) if strays else view

    def without_tags(self, windows: Mapping[str, Window], views: Iterable[GroupView]) -> dict[str, Window]:
        """Return windows without the tags of pages on which something is left undecided: a 304 would hide it."""
        decided = {one.release.ref.id for view in views for one in view.listed}
        return {
            name: window if self._by_tag.get(window.etag or "", set()) <= decided else replace(window, etag=None)
            for name, window in windows.items()
        }
