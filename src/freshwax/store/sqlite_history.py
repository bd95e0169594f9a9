"""When artists released, in SQLite."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from msgspec import json

from freshwax.history import UNREAD_ALBUMS, UNREAD_OTHERS, History
from freshwax.model import Artist
from freshwax.store import rows
from freshwax.store.facts import dated
from freshwax.store.sqlite_part import Part


class Dates(Part):
    """What planning reads of the releases."""

    def history(self, artists: Sequence[Artist]) -> History:
        """See ``Store.history``."""
        with self._db.reading():
            indexes, unread = self._lists(artists)
            found = self._db.each("history_releases", (json.encode(list(indexes)).decode(),))
            return _in_order(artists, unread, indexes, found)

    def _lists(self, artists: Sequence[Artist]) -> tuple[dict[int, int], bytes]:
        """Return the artists' indexes by the keys of their rows, and which of their lists are unread."""
        unread = bytearray([UNREAD_ALBUMS | UNREAD_OTHERS]) * len(artists)
        indexes = {}
        refs = json.encode([artist.ref for artist in artists]).decode()
        for index, key, albums, others in self._db.each("history_artists", (refs,)):
            indexes[key] = index
            if albums is not None:
                unread[index] = UNREAD_ALBUMS * albums | UNREAD_OTHERS * others
        return indexes, bytes(unread)


def _in_order(artists: Sequence[Artist], unread: bytes, indexes: dict[int, int], found: Iterator[rows.Row]) -> History:
    """Put rows that come by the keys of the artists into the order in which these were given."""
    day, flags = array("q"), bytearray()
    parts: dict[int, slice] = {}
    for key, releases in groupby(found, itemgetter(0)):
        if key not in indexes:
            raise rows.Unreadable(f"releases of nobody who was asked for: {key}")
        start = len(day)
        for _, value, precision, group, watched in releases:
            try:
                entry = dated(value, precision, group, watched)
            except ValueError as error:
                raise rows.Unreadable(f"the precision of {value}") from error
            if entry is not None:
                day.append(entry[0])
                flags.append(entry[1])
        parts[indexes[key]] = slice(start, len(day))
    ordered = array("q"), array("q"), bytearray()
    for index, part in sorted(parts.items(), key=itemgetter(0)):
        ordered[0].extend(array("q", [index]) * (part.stop - part.start))
        ordered[1].extend(day[part])
        ordered[2].extend(flags[part])
    return History(tuple(artists), unread, ordered[0], ordered[1], bytes(ordered[2]))
