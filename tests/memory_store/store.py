"""The store in dictionaries: the same contract, for tests; ``tests/contract`` holds it to that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from msgspec.structs import replace
from tests.memory_store.checks import MemoryTransaction, add_check, follow
from tests.memory_store.history import Dates
from tests.memory_store.part import Part
from tests.memory_store.pruning import Pruning
from tests.memory_store.telling import Browsing, TellingPart

from freshwax.model import Artist, ArtistState, Follow, Group, Known, Mark, Ref, Silence
from freshwax.store.base import Check, Watched
from freshwax.store.facts import artist_order


class WatchList(Part):
    """The artists that are followed."""

    def watch(self, entries: Iterable[tuple[Ref, str | None]], now: datetime) -> Watched:
        """See ``Store.watch``."""
        names: dict[Ref, str | None] = {}
        for ref, name in entries:
            names[ref] = names.get(ref) or name
        done: dict[str, list[Ref]] = {"added": [], "enabled": [], "known": []}
        with self._state.writing():
            for ref, name in names.items():
                done[self._watch(ref, name, now)].append(ref)
        return Watched(*(tuple(done[outcome]) for outcome in ("added", "enabled", "known")))

    def _watch(self, ref: Ref, name: str | None, now: datetime) -> str:
        state = self._state
        before = state.artists.get(ref)
        if before is None or before.state is ArtistState.REMOVED:
            self._forget(ref)
            name = before.name if before and name is None else name
            state.put(state.artists, ref, Artist(ref, name, ArtistState.ACTIVE, now))
            return "added"
        after = replace(before, name=name if before.name is None else before.name, state=ArtistState.ACTIVE)
        if before.state is ArtistState.GONE:
            after = replace(after, failures=0, failure=None)
        state.put(state.artists, ref, after)
        return "known" if before.state is ArtistState.ACTIVE else "enabled"

    def artists(
        self, states: Collection[ArtistState] | None = None, *, groups: Collection[Group] | None = None
    ) -> list[Artist]:
        """See ``Store.artists``."""
        wanted = frozenset(states) if states is not None else frozenset(ArtistState) - {ArtistState.REMOVED}
        refs = [ref for ref, artist in self._state.artists.items() if artist.state in wanted]
        asked = tuple(Group) if groups is None else groups
        return sorted((self._state.artist(ref, asked) for ref in refs), key=artist_order)

    def artist(self, ref: Ref) -> Artist | None:
        """See ``Store.artist``."""
        return self._state.artist(ref) if ref in self._state.artists else None

    def set_state(self, ref: Ref, state: ArtistState) -> None:
        """See ``Store.set_state``."""
        with self._state.writing():
            after = replace(self._state.artists[ref], state=state)
            if ArtistState.REMOVED in (state, self._state.artists[ref].state):
                self._forget(ref)
                after = replace(after, learnt=False)
            self._state.put(self._state.artists, ref, after)

    def _forget(self, ref: Ref) -> None:
        self._state.drop(self._state.marks, ref)
        self._state.drop(self._state.listings, ref)


class Checks(Part):
    """What is remembered of an artist, and the outcome of its checks."""

    def follow(self, artist: Ref) -> Follow:
        """See ``Store.follow``."""
        return follow(self._state, artist)

    @contextmanager
    def write(self) -> Iterator[MemoryTransaction]:
        """See ``Store.write``."""
        with self._state.writing():
            yield MemoryTransaction(self._state)

    def save_failure(self, check: Check, *, state: ArtistState | None = None) -> None:
        """See ``Store.save_failure``."""
        with self._state.writing():
            before = self._state.artists[check.artist]
            failed = replace(
                before,
                failures=before.failures + 1 if before.failure == check.outcome else 1,
                failure=check.outcome,
                attempted_at=check.at,
                state=state or before.state,
            )
            self._state.put(self._state.artists, check.artist, failed)
            add_check(self._state, check)

    def failing_since(self, artist: Ref) -> datetime | None:
        """See ``Store.failing_since``."""
        stored = self._state.artists[artist]
        outcomes = [check for check in self._state.checks.values() if check.artist == artist]
        failed = [check.at for check in outcomes if check.outcome == stored.failure]
        return min(failed[-stored.failures :], default=None) if stored.failures else None

    def take_turns(self, artists: Collection[Ref], at: datetime) -> None:
        """See ``Store.take_turns``."""
        with self._state.writing():
            for ref in artists:
                if ref not in self._state.artists:
                    raise KeyError(ref)
                marks = self._state.marks.get(ref, {})
                ahead = {group for group, mark in marks.items() if mark.turn_at and mark.turn_at < mark.checked_at}
                taken = {group: replace(mark, turn_at=at) if group in ahead else mark for group, mark in marks.items()}
                self._state.put(self._state.marks, ref, taken)

    def checks(self, run_id: int, *, failed: bool = False) -> list[Check]:
        """See ``Store.checks``."""
        found = [check for check in self._state.checks.values() if check.run_id == run_id]
        return [check for check in found if check.message is not None] if failed else found

    def deep_queue(
        self, audit_before: datetime, groups: Collection[Group], artists: Collection[Ref] | None, limit: int
    ) -> list[tuple[Ref, Group]]:
        """See ``Store.deep_queue``."""
        queue = [
            (*_deep_urgency(mark), mark.first_checked_at, ref, mark.group)
            for ref, artist in self._state.artists.items()
            if artist.state is ArtistState.ACTIVE and artist.learnt and not artist.failures
            if artists is None or ref in artists
            for mark in self._state.marks.get(ref, {}).values()
            if mark.group in groups
            if mark.deep_wanted or mark.read_to_end_at is None or mark.read_to_end_at < audit_before
        ]
        return [(ref, group) for *_, ref, group in sorted(queue)[:limit]]

    def held(self) -> list[tuple[Artist, list[Known]]]:
        """See ``Store.held``."""
        artists = (artist for artist in self._state.artists.values() if artist.state is not ArtistState.REMOVED)
        found = [(self._state.artist(artist.ref), self._held_for(artist.ref)) for artist in artists]
        return sorted((item for item in found if item[1]), key=lambda item: artist_order(item[0]))

    def _held_for(self, artist: Ref) -> list[Known]:
        decided = self._state.decisions.get(artist, {})
        refs = sorted(ref for ref, decision in decided.items() if decision.known.silence is Silence.HELD)
        return [self._state.known(artist, ref) for ref in refs]


def _deep_urgency(mark: Mark) -> tuple[bool, bool, datetime]:
    never = mark.read_to_end_at is None
    return not mark.deep_wanted, not never, mark.read_to_end_at or mark.first_checked_at


class MemoryStore(WatchList, Dates, Checks, Pruning, TellingPart, Browsing):
    """Implements ``store.base.Store`` without a file."""

    def hurry(self) -> None:
        """See ``Store.hurry``: nothing is waited for."""

    def close(self) -> None:
        """Nothing to release."""
