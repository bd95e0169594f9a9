"""Checks and what they decide, in SQLite."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from msgspec.structs import replace

from freshwax.model import Announced, Artist, ArtistState, CheckResult, Decision, Follow, Group, Known, Ref, Release
from freshwax.store import rows
from freshwax.store.base import Check
from freshwax.store.database import Database
from freshwax.store.facts import announced_order, artist_order, changes, found_in, to_tell
from freshwax.store.sqlite_part import Part, artist_key, need_run, release_key, unknown


class Checks(Part):
    """What is remembered of an artist, and the outcome of its checks."""

    def follow(self, artist: Ref) -> Follow:
        """See ``Store.follow``."""
        with self._db.reading():
            return _follow(self._db, artist)

    @contextmanager
    def write(self) -> Iterator[SQLiteTransaction]:
        """See ``Store.write``."""
        with self._writing():
            yield SQLiteTransaction(self._db)

    def save_failure(self, check: Check, *, state: ArtistState | None = None) -> None:
        """See ``Store.save_failure``."""
        with self._writing():
            key = artist_key(self._db, check.artist)
            values = {"id": key, "code": check.outcome, "at": rows.stamp(check.at), "state": state and state.value}
            self._db.run("artist_failed", values)
            _add_check(self._db, key, check)

    def failing_since(self, artist: Ref) -> datetime | None:
        """See ``Store.failing_since``."""
        with self._db.reading():
            ((since,),) = self._db.rows("failing_since", {"id": artist_key(self._db, artist)})
            return rows.instant_or_none(since)

    def take_turns(self, artists: Collection[Ref], at: datetime) -> None:
        """See ``Store.take_turns``."""
        with self._writing():
            keys = [artist_key(self._db, artist) for artist in artists]
            self._db.run_many("turn_take", [(rows.stamp(at), key) for key in keys])

    def checks(self, run_id: int, *, failed: bool = False) -> list[Check]:
        """See ``Store.checks``."""
        query = "checks_failed" if failed else "checks"
        with self._db.reading():
            return [
                Check(Ref(source, source_id), run, rows.instant(at), outcome, found, message)
                for source, source_id, run, at, outcome, found, message in self._db.each(query, (run_id,))
            ]

    def deep_queue(
        self, audit_before: datetime, groups: Collection[Group], artists: Collection[Ref] | None, limit: int
    ) -> list[tuple[Ref, Group]]:
        """See ``Store.deep_queue``."""
        wanted = None if artists is None else frozenset(artists)
        queue = (
            (Ref(source, source_id), rows.group(group))
            for source, source_id, group in self._db.each("deep_queue", (rows.stamp(audit_before),))
        )
        meant = (item for item in queue if item[1] in groups and (wanted is None or item[0] in wanted))
        with self._db.reading():
            return list(islice(meant, limit))

    def held(self) -> list[tuple[Artist, list[Known]]]:
        """See ``Store.held``."""
        grouped: dict[Artist, list[Known]] = {}
        with self._db.reading():
            for row in self._db.each("held"):
                artist = rows.artist(row[: rows.ARTIST_WIDTH])
                grouped.setdefault(artist, []).append(rows.known(row[rows.ARTIST_WIDTH :]))
        return sorted(grouped.items(), key=lambda item: artist_order(item[0]))


class SQLiteTransaction:
    """Implements ``store.base.Transaction``; the write lock is held by whoever made it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: set[str | None] = {None}  # what releases share, as far as this transaction has stored it

    def follow(self, artist: Ref) -> Follow:
        """See ``Transaction.follow``."""
        return _follow(self._db, artist)

    def announced(self, releases: Collection[Ref], keys: Collection[str]) -> Sequence[Announced]:
        """See ``Transaction.announced``."""
        found = [rows.announced(row, ref) for ref in releases for row in self._db.rows("announced_by_ref", ref)]
        for query in ("announced_by_key", "announced_by_later_key"):
            found += [rows.announced(row) for key in keys if key for row in self._db.rows(query, (key,))]
        return [one for _, one in sorted(set(found), key=lambda seen: (seen[0], *announced_order(seen[1])))]

    def save(self, result: CheckResult, channels: Collection[str]) -> None:
        """See ``Transaction.save``."""
        key = artist_key(self._db, result.artist)
        need_run(self._db, result.run_id)
        # All releases first: a twin may stand before the one that it refers to.
        for release in (*(decision.release for decision in result.decisions), *result.changed):
            self._put_release(release, result.at)
        for decision in result.decisions:
            self._put_decision(key, decision, result, channels)
        for one in result.rekeyed:
            self._db.run("later_keys_put", (release_key(self._db, one.release), one.key, one.marks))
        self._db.run_many("mark_put", [(key, *rows.mark_row(mark)) for mark in result.marks])
        self._db.run("artist_checked", (result.name, result.listing, key))
        if result.regular and not result.paused:
            self._db.run("artist_well", (rows.stamp(result.at), key))
        outcome = "partial" if result.paused else "ok"
        _add_check(self._db, key, Check(result.artist, result.run_id, result.at, outcome, found_in(result)))

    def _put_release(self, release: Release, at: datetime) -> None:
        stored = self._db.row("release_stored", release.ref)
        before = rows.release(stored[2:]) if stored else None
        if before == release:
            return
        values = rows.release_values(release)
        self._keep(values)
        if stored is None or before is None:
            self._db.run("release_add", {**values, "first_seen_at": rows.stamp(at)})
            return
        key, credits_key, *_ = stored
        noted = changes(before, release, at)
        history = [(key, rows.stamp(at), change.field, change.before, change.after) for change in noted]
        self._db.run_many("history_add", history)
        self._db.run("release_change", {**values, "id": key})
        if before.artists != release.artists:
            self._db.run("credits_drop", (credits_key,))

    def _keep(self, values: Mapping[str, Any]) -> None:
        """Store what releases share, credits and beginnings of addresses, where it was not stored just now."""
        for statement, names in (("credits_keep", ("credits",)), ("prefix_keep", ("url_prefix", "image_prefix"))):
            for text in {values[name] for name in names} - self._kept:
                self._db.run(statement, (text,))
                self._kept.add(text)

    def _put_decision(self, artist: int, decision: Decision, result: CheckResult, channels: Collection[str]) -> None:
        release = release_key(self._db, decision.release.ref)
        at = rows.stamp(result.at)
        values = (
            artist,
            release,
            decision.group.value,
            decision.key,
            decision.marks,
            decision.kind and decision.kind.value,
            decision.silence and decision.silence.value,
            release_key(self._db, decision.of) if decision.of else None,
            release_key(self._db, decision.announced) if decision.announced else None,
            rows.stamp_or_none(decision.previous_check_at),
            result.run_id,
            at,
        )
        self._db.run("decision_put", values)
        if to_tell(decision):
            row = {"release": release, "kind": decision.kind, "artist": artist, "at": at}
            self._db.run_many("outbox_add", [{"channel": channel, **row} for channel in channels])


def _follow(db: Database, artist: Ref) -> Follow:
    row = db.row("artist", artist)
    if row is None:
        raise unknown(db, artist)
    key, listing = db.row("listing", artist) or (0, None)
    marks = [rows.mark(found) for found in db.each("marks", (key,))]
    decided = {one.release.ref.id: one for one in map(rows.known, db.each("known", (key,)))}
    for release, *keys in db.each("known_later", (key,)):
        decided[release] = replace(decided[release], later_keys=tuple(keys))
    return Follow(rows.artist(row), {mark.group: mark for mark in marks}, decided, listing)


def _add_check(db: Database, artist: int, check: Check) -> None:
    need_run(db, check.run_id)
    db.run("check_add", (check.run_id, artist, rows.stamp(check.at), check.outcome, check.found, check.message))
