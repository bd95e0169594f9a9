"""When artists released, in memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from tests.memory_store.part import Part

from freshwax.history import UNREAD_ALBUMS, UNREAD_OTHERS, History
from freshwax.model import Artist, Group, Kind, Known, Ref, Silence
from freshwax.store.facts import dated


class Dates(Part):
    """What planning reads of the releases."""

    def history(self, artists: Sequence[Artist]) -> History:
        """See ``Store.history``."""
        artist, day, flags = array("q"), array("q"), bytearray()
        for index, one in enumerate(artists):
            for first, _, flag in sorted(self._dated(one.ref)):
                artist.append(index)
                day.append(first)
                flags.append(flag)
        return History(tuple(artists), bytes(self._unread(one.ref) for one in artists), artist, day, bytes(flags))

    def _dated(self, artist: Ref) -> Iterator[tuple[int, Ref, int]]:
        for ref in self._state.decisions.get(artist, {}):
            known = self._state.known(artist, ref)
            date = known.release.date
            if date is None or not _counts(known):
                continue
            watched = known.previous_check_at is not None and known.silence is not Silence.HORIZON
            entry = dated(date.value, date.precision, known.group, watched)
            if entry is not None:
                yield entry[0], ref, entry[1]

    def _unread(self, artist: Ref) -> int:
        marks = self._state.marks.get(artist)
        if not marks:
            return UNREAD_ALBUMS | UNREAD_OTHERS
        unread = [mark.group is Group.ALBUM for mark in marks.values() if mark.read_to_end_at is None]
        return UNREAD_ALBUMS * any(unread) | UNREAD_OTHERS * (not all(unread))


def _counts(known: Known) -> bool:
    return known.of is None and known.kind is not Kind.BACK_CATALOGUE and known.silence is not Silence.HELD
