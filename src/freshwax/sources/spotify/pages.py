"""The conversation about listing pages, between the walk that decides what to read and the client that reads it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from freshwax.model import Group, Listed

MAX_PAGE = 50


class PageRequest(Struct, frozen=True):
    """A page to ask for: ``GET /artists/{id}/albums`` with these groups, in this order, from this offset.

    ``etag``: sent as ``If-None-Match``; ``reason`` goes to the log.
    """

    groups: tuple[Group, ...]
    offset: int
    reason: str
    etag: str | None = None


class Page(Struct, frozen=True):
    """What came back. ``entries`` carry their position in the list that was asked for (offset + index on the page).

    ``total`` is what the page claims (None: it did not say; it may be wrong). ``more``: the page names a next one.
    ``not_modified``: a 304; nothing but ``etag`` is filled then.
    """

    entries: tuple[Listed, ...] = ()
    total: int | None = None
    more: bool = False
    etag: str | None = None
    not_modified: bool = False


def continued(page: Page, end: int) -> Page:
    """Return a page that was asked for up to ``end``, with a next one where it is full and its total names more.

    Such a list has not been read to its end. A page that is not full ends it, whatever the total claims.
    """
    full = bool(page.entries) and page.entries[-1].position + 1 >= end
    if page.more or not full or page.total is None or page.total <= end:
        return page
    return replace(page, more=True)
