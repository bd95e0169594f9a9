"""What a check is held against: what was decided for the artist, and what was announced through whomever."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from freshwax.discovery.editions import (
    TWIN_DAYS,
    Keys,
    all_keys,
    are_twins,
    days_apart,
    is_edition,
    may_replace,
)
from freshwax.model import Announced, Decision, Group, Known, Ref, Release, Silence


class Memory:
    """Finds by ID and by key. ``gone``: the IDs of what the check shows to be gone.

    The dates of twins are measured from the first one seen, or from the one that took its place. A release that is gone
    is replaced once: it is not while one of its twins stands.
    """

    def __init__(
        self, known: Collection[Known], announced: Iterable[Announced], gone: Collection[str] = frozenset()
    ) -> None:
        self._gone = gone
        self._announced_ids: dict[Ref, Ref] = {}
        self._announced: dict[str, list[tuple[Release, Keys, Ref]]] = {}
        self._decided: dict[str, list[tuple[Known | Decision, Keys, bool]]] = {}
        self._releases = {one.release.ref: one.release for one in known}
        self._standing = {_first(one) for one in known if one.release.ref.id not in gone}
        for one in known:
            first, *later = all_keys(one)
            self._remember(one, first, measure=self._is_measure(one))
            for keys in later:  # under these, a twin may be all that is left of it
                self._remember(one, keys, measure=True)
        for told in announced:
            self._announced_ids.setdefault(told.twin or told.release.ref, told.release.ref)
            if told.twin is None:
                self.add_announced(told.release, Keys(told.key, told.marks), told.release.ref)

    def add(self, decision: Decision) -> None:
        """Count what this check decided as known."""
        self._releases[decision.release.ref] = decision.release
        self._standing.add(_first(decision))
        self._remember(decision, Keys(decision.key, decision.marks), measure=self._is_measure(decision))

    def add_announced(self, release: Release, keys: Keys, told: Ref) -> None:
        """Count what was announced, under one release, as bearing these keys, too."""
        self._announced.setdefault(keys.key, []).append((release, keys, told))

    def told_as(self, ref: Ref) -> Ref | None:
        """Return the release under which an ID was announced."""
        return self._announced_ids.get(ref)

    def take_over(self, twin: Known) -> bool:
        """Count the first one as announced where its twin was; tell whether that was."""
        told = self.told_as(twin.release.ref)
        if told is not None and twin.of is not None:
            self._announced_ids.setdefault(twin.of, told)
        return told is not None

    def twin(self, release: Release, keys: Keys, group: Group) -> tuple[Ref, Ref | None] | None:
        """Return the release that this one is a twin of, and the one under which that is told; announced ones first."""
        for other, other_keys, told in self._announced.get(keys.key, ()):
            if are_twins(release, keys, other, other_keys):
                return other.ref, told
        decided = self._decided.get(keys.key, ())
        for one, its_keys, measure in decided:
            if measure and are_twins(release, keys, one.release, its_keys):
                return _first(one), one.announced
        for one, its_keys, _ in decided:
            if may_replace(release, keys, one.release, its_keys) and self._made_room(one, release, group):
                return _first(one), one.announced
        return None

    def edition(self, ref: Ref, keys: Keys) -> Ref | None:
        """Return a release of the artist that one with these keys is another edition of; not one that is an edition of
        this one.
        """
        for one, its_keys, _ in self._decided.get(keys.key, ()):
            if is_edition(keys, its_keys) and one.of != ref:
                return _first(one)
        return None

    def _remember(self, one: Known | Decision, keys: Keys, *, measure: bool) -> None:
        self._decided.setdefault(keys.key, []).append((one, keys, measure))

    def _is_measure(self, one: Known | Decision) -> bool:
        """Tell whether twins' dates are measured from it: it is no twin, or too far from the first one to be one."""
        if one.silence is not Silence.TWIN:
            return True
        first = self._releases.get(_first(one))
        gap = None if first is None else days_apart(one.release.date, first.date)
        return gap is not None and gap > TWIN_DAYS

    def _made_room(self, one: Known | Decision, release: Release, group: Group) -> bool:
        """Tell whether one is gone, with all its twins, from the list that shows the release. What bears another type
        by now stands on another list.
        """
        gone = one.release.ref.id in self._gone and _first(one) not in self._standing
        return gone and one.group is group and one.release.type == release.type


def _first(one: Known | Decision) -> Ref:
    """Return the release that a twin is one of; else, itself."""
    return one.of if one.silence is Silence.TWIN and one.of is not None else one.release.ref
