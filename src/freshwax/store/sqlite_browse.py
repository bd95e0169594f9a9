"""Browsing, in SQLite."""

from __future__ import annotations

from datetime import datetime

from freshwax.model import Ref
from freshwax.store import rows
from freshwax.store.base import Change, Seen, Story, Telling
from freshwax.store.sql import queries
from freshwax.store.sqlite_part import Part


class Browsing(Part):
    """Releases and their stories."""

    def releases(
        self,
        *,
        artist: Ref | None = None,
        since: datetime | None = None,
        dated_since: str | None = None,
        announced_only: bool = False,
        run_id: int | None = None,
        limit: int | None = None,
    ) -> list[Seen]:
        """See ``Store.releases``."""
        source, source_id = artist or (None, None)
        values = {
            "source": source,
            "artist": source_id,
            "since": rows.stamp_or_none(since),
            "dated_since": dated_since,
            "run": run_id,
            "limit": -1 if limit is None else limit,
        }
        asked = (
            ("releases_where_kept", True),
            (_decided_where(artist, run_id), True),
            ("releases_where_since", since is not None),
            ("releases_where_dated", dated_since is not None),
            ("releases_where_announced", announced_only),
        )
        text = queries()
        conditions = "\nAND ".join(text[name] for name, wanted in asked if wanted)
        few = artist or since or run_id is not None
        order = text["releases_order_few" if few else "releases_order"]
        sql = "\n".join((text["releases"], "WHERE", conditions, order))
        with self._db.reading():
            return [_seen(row) for row in self._db.rows_of(sql, values)]

    def story(self, release: Ref) -> Story | None:
        """See ``Store.story``."""
        with self._db.reading():
            found = self._db.row("story_release", release)
            return self._story(found) if found else None

    def _story(self, row: rows.Row) -> Story:
        *_, first_seen, key = row
        return Story(
            release=rows.release(row[: rows.RELEASE_WIDTH]),
            first_seen_at=rows.instant(first_seen),
            decided=tuple(
                (rows.artist(found[: rows.ARTIST_WIDTH]), rows.known(found[rows.ARTIST_WIDTH :]))
                for found in self._db.each("story_decisions", (key,))
            ),
            waiting=tuple((found[-1], rows.announcement(found)) for found in self._db.each("story_waiting", (key,))),
            told=tuple(
                Telling(channel, rows.kind(kind), rows.instant(told), report, hidden)
                for channel, kind, told, report, hidden in self._db.each("story_told", (key,))
            ),
            history=tuple(
                Change(rows.instant(at), field, before, after)
                for at, field, before, after in self._db.each("story_history", (key,))
            ),
        )


def _decided_where(artist: Ref | None, run_id: int | None) -> str:
    if artist and run_id is not None:
        return "releases_where_artist_and_run"
    if artist:
        return "releases_where_artist"
    return "releases_where_followed" if run_id is None else "releases_where_run"


def _seen(row: rows.Row) -> Seen:
    first_seen, kind = row[rows.RELEASE_WIDTH :]
    return Seen(rows.release(row[: rows.RELEASE_WIDTH]), rows.instant(first_seen), rows.kind(kind) if kind else None)
