"""What a check is held against: what was decided for the artist, and what was announced through whomever."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from freshwax.discovery.editions import Keys, all_keys, are_twins, first_of, is_edition, may_replace
from freshwax.model import Announced, Decision, Group, Known, Ref, Release, ReleaseDate, Silence

Same = tuple[Ref, Ref | None]  # the release that one is the same as, and the one under which that is told


class Memory:
    """Finds by ID and by key. ``gone``: the IDs of what the check shows to be gone.

    The dates of twins are measured from the first one seen, or from one that took its place.
    """

    def __init__(
        self, known: Collection[Known], announced: Iterable[Announced], gone: Collection[str] = frozenset()
    ) -> None:
        self._announced_ids: dict[Ref, Ref] = {}
        self._dates: dict[Ref, ReleaseDate | None] = {}
        self._announced: dict[str, list[tuple[Release, Keys, Ref]]] = {}
        self._decided: dict[str, list[tuple[Known | Decision, Keys]]] = {}
        self._standing = {first_of(one) for one in known if one.release.ref.id not in gone}
        for one in known:
            first, *later = all_keys(one)
            if one.silence is not Silence.TWIN:
                self._remember(one, first)
            for keys in later:  # under these, a twin may be all that is left of it
                self._remember(one, keys)
        for told in announced:
            self._announced_ids.setdefault(told.twin or told.release.ref, told.release.ref)
            self._dates[told.release.ref] = told.release.date
            if told.twin is None:
                self.add_announced(told.release, Keys(told.key, told.marks), told.release.ref)

    def add(self, decision: Decision) -> None:
        """Count what this check decided as known."""
        self._standing.add(first_of(decision))
        if decision.silence is not Silence.TWIN:
            self._remember(decision, Keys(decision.key, decision.marks))

    def add_announced(self, release: Release, keys: Keys, told: Ref) -> None:
        """Count what was announced, under one release, as bearing these keys, too."""
        self._announced.setdefault(keys.key, []).append((release, keys, told))

    def add_listed(self, release: Release, keys: Keys, told: Ref) -> None:
        """Count a listed release that was told under another ID as bearing these keys; twins are measured from that."""
        first = replace(release, date=self._dates[told])
        is_twin = are_twins(release, keys, first, keys)
        self.add_announced(first if is_twin else release, keys, told)

    def told_as(self, ref: Ref) -> Ref | None:
        """Return the release under which an ID was announced."""
        return self._announced_ids.get(ref)

    def count_as_standing(self, release: Release, keys: Keys) -> None:
        """Count what a listed release is a twin of as standing, for it stands there under another ID."""
        if (same := self.twin(release, keys)) is not None:
            self._standing.add(same[0])

    def take_over(self, twin: Known) -> bool:
        """Count the first one as announced where its twin was, by another; tell whether that was."""
        told, first = self.told_as(twin.release.ref), first_of(twin)
        if told is None or told == first:
            return False
        self._announced_ids.setdefault(first, told)
        return True

    def twin(self, release: Release, keys: Keys) -> Same | None:
        """Return what a release is a twin of; what was announced first."""
        for other, other_keys, told in self._announced.get(keys.key, ()):
            if are_twins(release, keys, other, other_keys):
                return other.ref, told
        for one, its_keys in self._decided.get(keys.key, ()):
            if are_twins(release, keys, one.release, its_keys):
                return first_of(one), one.announced
        return None

    def replaced(self, release: Release, keys: Keys, group: Group) -> Same | None:
        """Return whose place a release took: that is gone, with all its twins, from the list that shows this one.

        What bears another type by now stands on another list. What took a place itself is not replaced, or a series
        would vanish.
        """
        for one, its_keys in self._decided.get(keys.key, ()):
            ref = one.release.ref
            free = first_of(one) == ref and ref not in self._standing
            same_list = one.group is group and one.release.type == release.type
            if free and same_list and may_replace(release, keys, one.release, its_keys):
                return ref, self.told_as(ref) or one.announced
        return None

    def edition(self, ref: Ref, keys: Keys) -> Ref | None:
        """Return a release of the artist that one with these keys is another edition of; not one that is an edition of
        this one.
        """
        for one, its_keys in self._decided.get(keys.key, ()):
            first = one.silence is not Silence.RELISTED
            if first and is_edition(keys, its_keys) and one.of != ref:
                return first_of(one)
        return None

    def _remember(self, one: Known | Decision, keys: Keys) -> None:
        self._decided.setdefault(keys.key, []).append((one, keys))
