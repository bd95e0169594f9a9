"""Holds what was told against what the world listed; knows nothing of how the tracker decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from _trial import WatchedTrial
from freshwax.demo.world import World, WorldRelease
from freshwax.model import DEFAULT_GROUPS, Kind, Ref, Silence

END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judgement:
    """``expected``: truths by the run that should tell them. ``told``: truths by the runs that told them.

    A truth is expected of the first weekly run, after its artist was learnt, at which a listing shows it. ``base``:
    what the listings showed when their artists were learnt; it may be told then, or never. ``passed``: listed and gone
    again between two runs. ``twins``: never told, but taken for another ID of one that was: a recorded history does
    not say which IDs are the same release, so people must look at these.
    """

    expected: dict[str, datetime]
    told: dict[str, list[datetime]]
    base: dict[str, datetime]
    passed: tuple[str, ...]
    twins: dict[str, str]

    @property
    def in_time(self) -> list[str]:
        """Told by the run that should."""
        return [one for one, at in self.expected.items() if at in self.told.get(one, ())[:1]]

    @property
    def late(self) -> list[str]:
        """Told, but by a later run."""
        return [one for one, at in self.expected.items() if one in self.told and self.told[one][0] > at]

    @property
    def lost(self) -> list[str]:
        """Never told, and no twin of one that was."""
        return [one for one in self.expected if one not in self.told and one not in self.twins]

    @property
    def twice(self) -> list[str]:
        """Told more than once, expected or not."""
        return [one for one, times in self.told.items() if len(times) > 1]

    @property
    def stale(self) -> list[str]:
        """Told after its artists were learnt, though it was listed ever since then."""
        return [one for one in self.base if one in self.told and self.told[one][0] > self.base[one]]

    @property
    def at_learning(self) -> int:
        """How many of what was listed at the learning were told then."""
        return sum(one in self.told and self.told[one][0] <= at for one, at in self.base.items())


def judge(trial: WatchedTrial) -> Judgement:
    """Judge a trial; every artist of its world was followed."""
    world = trial.world
    base: dict[str, datetime] = {}
    for artist, at in sorted(trial.learnt_at.items(), key=lambda one: one[1]):
        for release in world.listings(artist, DEFAULT_GROUPS, at):
            base[release.truth] = at
    expected: dict[str, datetime] = {}
    for row in trial.rows:
        if row.regular:
            for artist in world.artists:
                for release in world.listings(artist, DEFAULT_GROUPS, row.at):
                    if release.truth not in base:
                        expected.setdefault(release.truth, row.at)
    ever = world.truth_between(world.artists, trial.rows[0].at, trial.rows[-1].at)
    passed = tuple(truth.id for truth in ever if truth.id not in base and truth.id not in expected)
    told = _told(trial)
    for one in _came_back(world, base, told):
        del base[one]  # gone before anybody read so far, and listed again: new to whoever follows
    return Judgement(expected, told, base, passed, _twins(trial, [one for one in expected if one not in told], told))


def _told(trial: WatchedTrial) -> dict[str, list[datetime]]:
    truth_of = {one.id: one.truth for one in trial.world.releases}
    told: dict[str, list[datetime]] = {}
    for row in trial.rows:
        for line in row.report.lines:
            if line.hidden_by is None and line.kind is not Kind.UPCOMING:
                told.setdefault(truth_of[line.release.ref.id], []).append(row.at)
    return told


def _came_back(world: World, base: Mapping[str, datetime], told: Mapping[str, Sequence[datetime]]) -> set[str]:
    """Of what was told after its learning, what was not listed all the time in between."""
    after = {one: at for one, at in base.items() if one in told and told[one][0] > at}
    spells: dict[str, list[WorldRelease]] = {}
    for release in world.releases:
        if release.truth in after:
            spells.setdefault(release.truth, []).append(release)
    return {one for one, at in after.items() if _listed_until(spells[one], at) < told[one][0]}


def _listed_until(spells: Sequence[WorldRelease], at: datetime) -> datetime:
    """Until when, without a gap, some ID of a release is listed."""
    ends = [one.withdrawn_at or END for one in spells if one.listed_at(at)]
    return at if not ends else END if max(ends) == END else _listed_until(spells, max(ends))


def _twins(trial: WatchedTrial, truths: Sequence[str], told: Collection[str]) -> dict[str, str]:
    """Of truths that were not told, those that the tracker holds for a twin of one that was; with both titles."""
    release_of = {one.id: one for one in trial.world.releases}
    found = {}
    for release in trial.world.releases:
        story = trial.store.story(Ref("spotify", release.id)) if release.truth in truths else None
        for _, known in story.decided if story else ():
            other = release_of[known.of.id] if known.of else None
            if known.silence is Silence.TWIN and other is not None and other.truth in told:
                found[release.truth] = f"{release.title} = {other.title}"
    return found
