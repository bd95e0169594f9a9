"""The write transaction of the memory store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec.structs import replace
from tests.memory_store.state import Decided, State

from freshwax.model import (
    Announced,
    Announcement,
    ArtistState,
    CheckResult,
    Decision,
    Follow,
    Known,
    LaterKeys,
    Ref,
    Release,
)
from freshwax.store.base import Check
from freshwax.store.facts import announced_order, changes, found_in, to_tell


class MemoryTransaction:
    """Implements ``store.base.Transaction``; what it writes is undone if the block that holds it raises."""

    def __init__(self, state: State) -> None:
        self._state = state

    def follow(self, artist: Ref) -> Follow:
        """See ``Transaction.follow``."""
        return follow(self._state, artist)

    def announced(self, releases: Collection[Ref], keys: Collection[str]) -> Sequence[Announced]:
        """See ``Transaction.announced``."""
        state = self._state
        wanted = {key for key in keys if key}
        found = {
            (told, known.key, known.marks, None if told == ref else ref)
            for ref in releases
            for _, known in state.decided(ref)
            if (told := known.announced) is not None
        }
        found |= {
            (ref, known.key, known.marks, None)
            for ref in set().union(*(state.keyed.get(key, ()) for key in wanted))
            for _, known in state.announcing(ref)
            if known.key in wanted
        }
        found |= {
            (known.announced, *known.later_keys, None)
            for later in set().union(*(state.later_keyed.get(key, ()) for key in wanted))
            for _, known in state.decided(later)
            if known.announced is not None and known.later_keys is not None and known.later_keys[0] in wanted
        }
        every = [Announced(state.releases[told], key, marks, twin) for told, key, marks, twin in found]
        return sorted(every, key=lambda one: (state.first_seen[one.release.ref], *announced_order(one)))

    def save(self, result: CheckResult, channels: Collection[str]) -> None:
        """See ``Transaction.save``."""
        state = self._state
        self._put_artist(result)
        for release in (*(decision.release for decision in result.decisions), *result.changed):
            self._put_release(release, result.at)
        for decision in result.decisions:
            self._put_decision(decision, result, channels)
        for one in result.rekeyed:
            self._put_later_keys(one)
        marks = {**state.marks.get(result.artist, {}), **{mark.group: mark for mark in result.marks}}
        state.put(state.marks, result.artist, marks)
        outcome = "partial" if result.paused else "ok"
        add_check(state, Check(result.artist, result.run_id, result.at, outcome, found_in(result)))

    def _put_artist(self, result: CheckResult) -> None:
        state = self._state
        artist = state.artists[result.artist]
        if result.name is not None:
            artist = replace(artist, name=result.name)
        if result.regular and not result.paused:
            awake = ArtistState.ACTIVE if artist.state is ArtistState.GONE else artist.state
            artist = replace(artist, learnt=True, failures=0, failure=None, attempted_at=result.at, state=awake)
        state.put(state.artists, result.artist, artist)
        state.put(state.listings, result.artist, result.listing)

    def _put_release(self, release: Release, at: datetime) -> None:
        state = self._state
        stored = state.releases.get(release.ref)
        if stored is None:
            state.put(state.first_seen, release.ref, at)
        elif stored != release:
            noted = tuple(changes(stored, release, at))
            state.put(state.history, release.ref, state.history.get(release.ref, ()) + noted)
        if stored != release:
            state.put(state.releases, release.ref, release)

    def _put_decision(self, decision: Decision, result: CheckResult, channels: Collection[str]) -> None:
        state, artist, ref = self._state, result.artist, decision.release.ref
        for other in (decision.of, decision.announced):
            if other is not None and other not in state.releases:
                raise KeyError(other)
        known = Known(
            release=state.releases[ref],
            group=decision.group,
            key=decision.key,
            marks=decision.marks,
            decided_at=result.at,
            kind=decision.kind,
            silence=decision.silence,
            announced=decision.announced,
            of=decision.of,
            previous_check_at=decision.previous_check_at,
        )
        state.put(state.decisions.setdefault(artist, {}), ref, Decided(known, result.run_id))
        state.put(state.deciders, ref, state.deciders.get(ref, frozenset()) | {artist})
        if decision.announced == ref:
            state.put(state.keyed, decision.key, state.keyed.get(decision.key, frozenset()) | {ref})
        if to_tell(decision) and decision.kind:
            for channel in channels:
                self._queue(channel, Announcement(known.release, decision.kind, artist, state.first_seen[ref]))

    def _put_later_keys(self, one: LaterKeys) -> None:
        state = self._state
        if one.release not in state.releases:
            raise KeyError(one.release)
        state.put(state.later_keys, one.release, (one.key, one.marks))
        state.put(state.later_keyed, one.key, state.later_keyed.get(one.key, frozenset()) | {one.release})

    def _queue(self, channel: str, announcement: Announcement) -> None:
        ref = announcement.release.ref
        waiting = self._state.outbox.setdefault(channel, {})
        told = any(telling.channel == channel for telling in self._state.told.get(ref, ()))
        if ref not in waiting and not told:
            self._state.put(waiting, ref, announcement)


def follow(state: State, artist: Ref) -> Follow:
    """See ``Store.follow``."""
    return Follow(
        artist=state.artist(artist),
        marks=dict(state.marks.get(artist, {})),
        known={ref.id: state.known(artist, ref) for ref in state.decisions.get(artist, {})},
        listing=state.listings.get(artist),
    )


def add_check(state: State, check: Check) -> None:
    """Write an outcome."""
    state.need_run(check.run_id)
    state.put(state.checks, next(reversed(state.checks), 0) + 1, check)
