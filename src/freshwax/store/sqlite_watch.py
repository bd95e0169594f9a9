"""The watch list, in SQLite."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from freshwax.model import Artist, ArtistState, Group, Ref
from freshwax.store import rows
from freshwax.store.base import Watched
from freshwax.store.facts import artist_order
from freshwax.store.sqlite_part import Part

_UNMARKED = {"checked_at": None, "turn_at": None, "latest_at": None, "history_incomplete": False}


class WatchList(Part):
    """The artists that are followed."""

    def watch(self, entries: Iterable[tuple[Ref, str | None]], now: datetime) -> Watched:
        """See ``Store.watch``."""
        names: dict[Ref, str | None] = {}
        for ref, name in entries:
            names[ref] = names.get(ref) or name
        done: dict[str, list[Ref]] = {"added": [], "enabled": [], "known": []}
        with self._writing():
            for ref, name in names.items():
                done[self._watch(ref, name, now)].append(ref)
        return Watched(*(tuple(done[outcome]) for outcome in ("added", "enabled", "known")))

    def _watch(self, ref: Ref, name: str | None, now: datetime) -> str:
        found = self._db.row("artist_id", ref)
        if found is None:
            self._db.run("artist_add", (*ref, name, rows.stamp(now)))
            return "added"
        key, state = found
        if state == ArtistState.REMOVED:
            self._forget(key)
            self._db.run("artist_readd", {"id": key, "name": name, "now": rows.stamp(now)})
            return "added"
        self._db.run("artist_enable", {"id": key, "name": name})
        return "known" if state == ArtistState.ACTIVE else "enabled"

    def artists(
        self, states: Collection[ArtistState] | None = None, *, groups: Collection[Group] | None = None
    ) -> list[Artist]:
        """See ``Store.artists``."""
        wanted = states if states is not None else frozenset(ArtistState) - {ArtistState.REMOVED}
        with self._db.reading():
            found = [rows.artist(row) for row in self._db.each("artists", (_listed(wanted),))]
            if groups is not None:
                marks = self._marked(groups)
                found = [replace(artist, **marks.get(artist.ref, _UNMARKED)) for artist in found]
        return sorted(found, key=artist_order)

    def _marked(self, groups: Collection[Group]) -> dict[Ref, dict[str, Any]]:
        """Return the fields of the artists that their marks decide, with the marks of these groups."""
        return {
            Ref(source, key): {
                "checked_at": rows.instant(at),
                "turn_at": rows.instant_or_none(turn),
                "latest_at": rows.instant(latest),
                "history_incomplete": bool(incomplete),
            }
            for source, key, at, turn, latest, incomplete in self._db.each("artists_checked", (_listed(groups),))
        }

    def artist(self, ref: Ref) -> Artist | None:
        """See ``Store.artist``."""
        with self._db.reading():
            found = self._db.row("artist", ref)
            return rows.artist(found) if found else None

    def set_state(self, ref: Ref, state: ArtistState) -> None:
        """See ``Store.set_state``."""
        with self._writing():
            found = self._db.row("artist_id", ref)
            if found is None:
                raise KeyError(ref)
            key, before = found
            if ArtistState.REMOVED in (state, before):
                self._forget(key)
            self._db.run("artist_set_state", (state.value, key))

    def _forget(self, key: int) -> None:
        self._db.run("artist_forget_listing", (key,))
        self._db.run("artist_forget_marks", (key,))


def _listed(words: Collection[ArtistState] | Collection[Group]) -> str:
    """Return some words as one value, in which a query finds each between bars."""
    return "".join(f"|{word.value}|" for word in words)
