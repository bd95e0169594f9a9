"""What the memory store keeps, and how a write is taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from freshwax.model import Announcement, Artist, Group, Kind, Known, Mark, Ref, Release, Report, Run
from freshwax.quota import Cooldown
from freshwax.store.base import Change, Check, Telling

K = TypeVar("K")
V = TypeVar("V")
_ABSENT: Any = object()


class Decided(Struct, frozen=True):
    """A decision as it was saved: ``known`` holds the facts of then, ``State.known`` returns those of now."""

    known: Known
    run_id: int


class State:
    """Dictionaries. Written through ``put`` and ``drop`` in a ``writing`` block, which undoes them if it raises."""

    def __init__(self) -> None:
        self.artists: dict[Ref, Artist] = {}
        self.listings: dict[Ref, str | None] = {}
        self.marks: dict[Ref, dict[Group, Mark]] = {}
        self.releases: dict[Ref, Release] = {}
        self.first_seen: dict[Ref, datetime] = {}
        self.history: dict[Ref, tuple[Change, ...]] = {}
        # By artist, then release; and who decided about a release, and which releases a key was ever given to.
        self.decisions: dict[Ref, dict[Ref, Decided]] = {}
        self.deciders: dict[Ref, frozenset[Ref]] = {}
        self.keyed: dict[str, frozenset[Ref]] = {}
        self.later_keys: dict[Ref, tuple[str, str]] = {}
        self.later_keyed: dict[str, frozenset[Ref]] = {}
        self.outbox: dict[str, dict[Ref, Announcement]] = {}
        self.told: dict[Ref, tuple[Telling, ...]] = {}
        self.reports: dict[int, Report] = {}
        self.told_reports: dict[int, datetime] = {}
        self.last_report_id = 0
        self.runs: dict[int, Run] = {}
        self.checks: dict[int, Check] = {}
        self.cooldowns: dict[tuple[str, str], Cooldown] = {}
        self.settings: dict[str, str] = {}
        self._undo: list[tuple[MutableMapping[Any, Any], Any, Any]] | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep what the block writes, or, if it raises, nothing of it."""
        if self._undo is not None:
            raise RuntimeError("a write transaction is open already")
        self._undo = []
        try:
            yield
        except BaseException:
            for target, key, before in reversed(self._undo):
                if before is _ABSENT:
                    del target[key]
                else:
                    target[key] = before
            raise
        finally:
            self._undo = None

    def put(self, target: MutableMapping[K, V], key: K, value: V) -> None:
        """Set an entry."""
        self._remember(target, key)
        target[key] = value

    def drop(self, target: MutableMapping[K, V], key: K) -> None:
        """Delete an entry, if it is there."""
        if key in target:
            self._remember(target, key)
            del target[key]

    def _remember(self, target: MutableMapping[Any, Any], key: object) -> None:
        if self._undo is None:
            raise RuntimeError("written outside a transaction")
        self._undo.append((target, key, target.get(key, _ABSENT)))

    def need_run(self, run_id: int) -> None:
        """Raise KeyError unless there is such a run."""
        if run_id not in self.runs:
            raise KeyError(run_id)

    def artist(self, ref: Ref, groups: Collection[Group] = tuple(Group)) -> Artist:
        """Return an artist with what its marks say. KeyError if it was never watched."""
        artist = self.artists[ref]
        marks = [mark for mark in self.marks.get(ref, {}).values() if mark.group in groups]
        return replace(
            artist,
            checked_at=min((mark.checked_at for mark in marks), default=None),
            turn_at=min(mark.turn_at or mark.checked_at for mark in marks)
            if any(mark.turn_at for mark in marks)
            else None,
            latest_at=max((max(mark.checked_at, mark.turn_at or mark.checked_at) for mark in marks), default=None),
            history_incomplete=any(mark.read_to_end_at is None or mark.deep_wanted for mark in marks),
        )

    def known(self, artist: Ref, release: Ref) -> Known:
        """Return a decision with the release's present facts."""
        known = self.decisions[artist][release].known
        return replace(known, release=self.releases[release], later_keys=self.later_keys.get(release))

    def decided(self, release: Ref) -> list[tuple[Ref, Known]]:
        """Return the decisions about a release with their artists, by instant, then artist."""
        found = [(artist, self.known(artist, release)) for artist in self.deciders.get(release, ())]
        return sorted(found, key=lambda item: (item[1].decided_at, item[0]))

    def announcing(self, release: Ref) -> list[tuple[Ref, Known]]:
        """Return the decisions about a release that announce it itself."""
        return [(artist, known) for artist, known in self.decided(release) if known.announced == release]

    def kind(self, release: Ref) -> Kind | None:
        """Return the kind under which a release was announced first."""
        return next((known.kind for _, known in self.announcing(release) if known.kind), None)
