"""Deep reads: a group's list to its end, over as many runs as the quota takes."""

from __future__ import annotations

from collections.abc import Generator

from freshwax.errors import CheckError, Paused
from freshwax.model import Follow, Group, GroupView, Listed, Observation
from freshwax.sources.spotify.lists import recognised
from freshwax.sources.spotify.pages import Page, PageRequest, continued

_OVERLAP = 2  # entries that a resumed deep read reads again, in case some above them went


def deep_walk(follow: Follow, group: Group, pages: int, page_size: int) -> Generator[PageRequest, Page, Observation]:
    """Read a group's list on from its deep cursor (else its horizon), ``pages`` pages at most.

    A quota or a failure that ends it in the middle keeps what was read; with nothing read, it is raised. Where the
    overlap with the part read before shows fewer known entries than it should, they are gone (a new ID in the old
    place, too), and what lies below has moved up by as many. A list that ends further up is read from a page before its
    end.
    """
    mark = follow.marks[group]
    unread = mark.horizon if mark.read_to_end_at is None else 0  # an audit reads everything once more
    cursor = mark.deep_cursor if mark.deep_cursor is not None else unread
    if mark.read_to_end_at is None:  # what went since has moved the rest up, and nobody has read that
        cursor = min(cursor, unread)
    start = offset = max(cursor - _OVERLAP, 0)
    listed: list[Listed] = []
    ended = empty = False
    try:
        for _ in range(pages):
            page = yield PageRequest((group,), offset, "deep read")
            page = continued(recognised(page, follow), offset + page_size)
            if offset == start > 0 and not page.entries and not page.more:
                start = offset = max(min(page.total or 0, start) - page_size, 0)
                continue
            listed += page.entries
            offset += page_size
            ended = not page.more or (empty and not page.entries)  # one empty page that names a next is stepped over
            empty = not page.entries
            if ended:
                break
    except (CheckError, Paused):
        if offset == start:
            raise
    reached = max((one.position + 1 for one in listed), default=cursor)
    overlap = max(min(mark.horizon, reached) - start, 0) if mark.read_to_end_at is None else 0
    pushed = reached if mark.deep_wanted else mark.horizon  # only arrivals push what was there further down
    still_there = sum(one.release.ref.id in follow.known and one.position < pushed for one in listed)
    view = GroupView(
        group=group,
        listed=tuple(listed),
        answered=True,
        depth=reached if start <= mark.horizon else 0,
        ended=ended,
        removed=max(overlap - still_there, 0),
        deep_cursor=None if ended else max(reached, cursor),
        deep_wanted=False if ended else None,
    )
    return Observation(follow.artist.ref, (view,), follow.listing)
