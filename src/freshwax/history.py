"""When artists released: the past as planning reads it, in columns that hold millions of releases."""

from __future__ import annotations

from array import array

from msgspec import Struct

from freshwax.model import Artist


class History(Struct, frozen=True, eq=False):
    """When some artists released, in columns: one entry an artist and release in ``artist``, ``day``, ``flags``.

    ``artist`` is an index into ``artists``; ``day`` the first day of the release date, counted from 1970-01-01. Another
    edition, a twin, back catalogue, what is held and what has no date are left out. ``unread`` has a byte an artist:
    which of its lists was not read to its end yet (``UNREAD_ALBUMS``, ``UNREAD_OTHERS``, or both).
    """

    artists: tuple[Artist, ...]
    unread: bytes
    artist: array[int]
    day: array[int]
    flags: bytes


# Bits of ``History.flags``: an album (a single otherwise); a date that names its day; found by a check after the first.
ALBUM, EXACT, WATCHED = 1, 2, 4
UNREAD_ALBUMS, UNREAD_OTHERS = 1, 2
