"""What is new: the decision over everything that one check saw of an artist.

Pure: ``decide(what is remembered, what was seen, what was announced, when) -> what to write``. The rows of the table in
``_verdict`` are tried from the top, and the first one that fits wins. Identity decides; dates only choose the label.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from freshwax.discovery.changes import as_listed_now, changed, gone, rekeyed_now
from freshwax.discovery.editions import Keys, all_keys, are_twins, is_edition, keys_of, may_replace
from freshwax.discovery.horizon import beyond_horizon, deep_place, new_horizon
from freshwax.discovery.telling import is_future
from freshwax.model import (
    Announced,
    CheckResult,
    Decision,
    Follow,
    Group,
    GroupView,
    Kind,
    Known,
    Listed,
    Mark,
    Observation,
    Ref,
    Release,
    Silence,
)

GRACE = timedelta(days=7)  # a release listed up to a week after its date is new, not late

# A flood is more told releases at one check than this base, plus so many times what the artist's own pace would bring.
FLOOD_BASE = 20
FLOOD_FACTOR = 4
PACE_YEARS = 3

# ... or, however few they are, at least this many in a complete listing that shows nothing of what was known.
REPLACED = 5


class Moment(Struct, frozen=True):
    """When, for whom and under which settings a check decides. ``lookback`` in days, counted back from ``now``.

    ``anew``: what is listed is to be printed again, so dropped details of it are taken up again.
    """

    now: datetime
    run_id: int
    market: str
    lookback: int
    anew: bool = False

    @property
    def cutoff(self) -> date:
        """The first day that lies within the look-back."""
        return self.now.date() - timedelta(days=self.lookback)


class Reading(Enum):
    """What was read: the lists of an artist from their heads; or the depth of one, which in the run that learnt the
    artist is the rest of its first check.
    """

    CHECK = auto()
    REST = auto()
    DEPTH = auto()


class _Case(Struct, frozen=True):
    """One undecided release with all that the table asks about it."""

    release: Release
    group: Group
    keys: Keys
    first_check: bool
    first_asked: bool
    deeper: bool
    previous: datetime | None  # of the group: the watermark p
    first_checked_at: datetime | None  # of the artist
    last_checked_at: datetime | None  # of the artist


def undecided(follow: Follow, seen: Observation) -> list[Listed]:
    """Return what was seen and is not decided for the artist yet (the same release once)."""
    found: dict[str, Listed] = {}
    for view in seen.views:
        for listed in view.listed:
            if listed.release.ref.id not in follow.known:
                found.setdefault(listed.release.ref.id, listed)
    return list(found.values())


def decide(
    follow: Follow,
    seen: Observation,
    announced: Sequence[Announced],
    moment: Moment,
    reading: Reading = Reading.CHECK,
) -> CheckResult:
    """Decide every undecided release of a check and move the watermarks of the groups that it answered.

    ``announced`` holds what was announced through whomever among the undecided releases and their keys. Depth moves no
    watermark.
    """
    regular = reading is Reading.CHECK
    rekeyed = rekeyed_now(follow.known, seen)
    cases = _cases(follow, seen, moment, reading)
    replaceable = gone(follow.known, seen) if cases else frozenset()
    memory = _Memory(*as_listed_now(follow.known, announced, rekeyed), replaceable)
    for case in cases:  # told through somebody else: under other artists, perhaps, but a twin stands beside it now
        if (told := memory.told_as(case.release.ref)) is not None:
            memory.add_announced(case.release, case.keys, told)
    decisions: list[Decision] = []
    for case in cases:
        decision = _verdict(case, memory, moment)
        memory.add(decision)
        decisions.append(decision)
    if follow.artist.learnt and _is_flood(decisions, follow, seen, moment):
        decisions = [_hold(one) for one in decisions]
    marks = (_move(view, follow, moment, regular=regular) for view in seen.views)
    return CheckResult(
        artist=seen.artist,
        run_id=moment.run_id,
        at=moment.now,
        name=seen.name,
        decisions=tuple(decisions),
        changed=tuple(changed(follow.known, seen, anew=moment.anew)),
        marks=tuple(mark for mark in marks if mark is not None),
        listing=seen.listing,
        regular=regular,
        paused=seen.paused,
        rekeyed=rekeyed,
    )


def release_held(follow: Follow, announced: Sequence[Announced], moment: Moment) -> CheckResult:
    """Decide the held releases of an artist by the rows of the table, as of the checks that held them."""
    held = [known for known in follow.known.values() if known.silence is Silence.HELD]
    memory = _Memory((known for known in follow.known.values() if known.silence is not Silence.HELD), announced)
    decisions = []
    for known in sorted(held, key=lambda one: _order(one.release, Keys(one.key, one.marks))):
        mark = follow.marks.get(known.group)
        case = _Case(
            release=known.release,
            group=known.group,
            keys=Keys(known.key, known.marks),
            first_check=False,
            first_asked=False,
            deeper=False,
            previous=known.previous_check_at,
            first_checked_at=mark.first_checked_at if mark else None,
            last_checked_at=known.previous_check_at,
        )
        decisions.append(_verdict(case, memory, moment))
        memory.add(decisions[-1])
    return CheckResult(
        artist=follow.artist.ref,
        run_id=moment.run_id,
        at=moment.now,
        name=None,
        decisions=tuple(decisions),
        changed=(),
        marks=(),
        listing=follow.listing,
        regular=False,
    )


def _cases(follow: Follow, seen: Observation, moment: Moment, reading: Reading) -> list[_Case]:
    """Return the undecided releases, oldest first, the plain edition before the others: the order in which to
    decide.
    """
    first_check = reading is Reading.REST or not follow.artist.learnt
    first_checked_at = min((_past(mark.first_checked_at, moment) for mark in follow.marks.values()), default=None)
    last_checked_at = max((_past(mark.checked_at, moment) for mark in follow.marks.values()), default=None)
    wanted = {listed.release.ref.id for listed in undecided(follow, seen)}
    cases = []
    for view in seen.views:
        mark = _mark(follow, view.group, moment)
        begins = first_check and (mark is None or (reading is Reading.REST and mark.first_checked_at == moment.now))
        deeper = beyond_horizon(view, mark, follow.known)
        for listed in view.listed:
            if listed.release.ref.id not in wanted:
                continue
            wanted.discard(listed.release.ref.id)
            cases.append(
                _Case(
                    release=listed.release,
                    group=view.group,
                    keys=keys_of(listed.release),
                    first_check=begins,
                    first_asked=mark is None and not first_check,
                    deeper=listed.release.ref.id in deeper and not (begins and listed.release.date),
                    previous=_past(mark.checked_at, moment) if mark and not begins else None,
                    first_checked_at=first_checked_at,
                    last_checked_at=last_checked_at,
                )
            )
    return sorted(cases, key=lambda case: _order(case.release, case.keys))


def _mark(follow: Follow, group: Group, moment: Moment) -> Mark | None:
    """Return the group's watermark; one of another market is that of another list."""
    mark = follow.marks.get(group)
    return mark if mark is not None and mark.market == moment.market else None


def _past(instant: datetime, moment: Moment) -> datetime:
    """Return a stored instant; now, where it lies in the future: the clock was wrong then, or is now."""
    return min(instant, moment.now)


def _order(release: Release, keys: Keys) -> tuple[object, ...]:
    day = release.date.first_day if release.date else date.max
    return day, len(keys.marks), len(release.title), release.ref


class _Memory:
    """What was decided for the artist and what was announced through whomever, found by ID and by key. ``replaceable``:
    the IDs of what is gone of it.
    """

    def __init__(
        self, known: Iterable[Known], announced: Iterable[Announced], replaceable: frozenset[str] = frozenset()
    ) -> None:
        self._replaceable = replaceable
        self._announced_ids: dict[Ref, Ref] = {}
        self._announced: dict[str, list[tuple[Release, Keys, Ref]]] = {}
        self._decided: dict[str, list[tuple[Known | Decision, Keys]]] = {}
        for one in known:
            first, *later = all_keys(one)
            if one.silence is not Silence.TWIN:  # a twin's dates are measured from the first one seen
                self._remember(one, first)
            for keys in later:  # under these, a twin may be all that is left of it
                self._remember(one, keys)
        for told in announced:
            self._announced_ids.setdefault(told.twin or told.release.ref, told.release.ref)
            if told.twin is None:
                self.add_announced(told.release, Keys(told.key, told.marks), told.release.ref)

    def _remember(self, one: Known | Decision, keys: Keys) -> None:
        self._decided.setdefault(keys.key, []).append((one, keys))

    def add(self, decision: Decision) -> None:
        """Count what this check decided as known."""
        if decision.silence is not Silence.TWIN:
            self._remember(decision, Keys(decision.key, decision.marks))

    def add_announced(self, release: Release, keys: Keys, told: Ref) -> None:
        """Count what was announced, under one release, as bearing these keys, too."""
        self._announced.setdefault(keys.key, []).append((release, keys, told))

    def told_as(self, ref: Ref) -> Ref | None:
        """Return the release under which an ID was announced."""
        return self._announced_ids.get(ref)

    def twin(self, release: Release, keys: Keys) -> tuple[Ref, Ref | None] | None:
        """Return the release that this one is a twin of, and the one under which that is told; announced ones first."""
        for other, other_keys, told in self._announced.get(keys.key, ()):
            if are_twins(release, keys, other, other_keys):
                return other.ref, told
        decided = self._decided.get(keys.key, ())
        for one, its_keys in decided:
            if are_twins(release, keys, one.release, its_keys):
                return one.release.ref, one.announced
        for one, its_keys in decided:
            if one.release.ref.id in self._replaceable and may_replace(release, keys, one.release, its_keys):
                return one.release.ref, one.announced
        return None

    def edition(self, keys: Keys) -> Ref | None:
        """Return a release of the artist that one with these keys is another edition of."""
        for one, its_keys in self._decided.get(keys.key, ()):
            if is_edition(keys, its_keys):
                return one.release.ref
        return None


def _verdict(case: _Case, memory: _Memory, moment: Moment) -> Decision:  # noqa: PLR0911 -- the rows of a table
    """Return the decision of the first row of the table that fits."""
    if (told := memory.told_as(case.release.ref)) == case.release.ref:
        return _silent(case, Silence.TOLD, announced=told)
    if told is not None:
        return _silent(case, Silence.TWIN, of=told, announced=told)
    if (twin := memory.twin(case.release, case.keys)) is not None:
        return _silent(case, Silence.TWIN, of=twin[0], announced=twin[1])
    if case.first_check and _older(case.release, moment.cutoff):
        return _silent(case, Silence.BASELINE)
    if case.deeper:
        return _silent(case, Silence.HORIZON)
    if (base := memory.edition(case.keys)) is not None:
        return _told(case, Kind.EDITION, of=base)
    if case.first_check:
        return _told(case, Kind.UPCOMING if is_future(case.release.date, moment.now) else Kind.NEW)
    if case.first_asked and case.last_checked_at and _older(case.release, (case.last_checked_at - GRACE).date()):
        return _silent(case, Silence.FIRST_ASKED)
    return _told(case, _label(case, moment))


def _label(case: _Case, moment: Moment) -> Kind:
    if is_future(case.release.date, moment.now):
        return Kind.UPCOMING
    if case.previous is None or not _older(case.release, (case.previous - GRACE).date()):
        return Kind.NEW
    after_first = case.first_checked_at is not None and not _older(case.release, case.first_checked_at.date())
    return Kind.LATE if after_first or not _older(case.release, moment.cutoff) else Kind.BACK_CATALOGUE


def _older(release: Release, day: date) -> bool:
    """Tell whether the last day that the release's date may mean lies before a day. An unknown date is never older."""
    return release.date is not None and release.date.last_day < day


def _told(case: _Case, kind: Kind, of: Ref | None = None) -> Decision:
    return _decision(case, kind=kind, silence=None, of=of, announced=case.release.ref)


def _silent(case: _Case, silence: Silence, *, of: Ref | None = None, announced: Ref | None = None) -> Decision:
    return _decision(case, kind=None, silence=silence, of=of, announced=announced)


def _decision(
    case: _Case, *, kind: Kind | None, silence: Silence | None, of: Ref | None, announced: Ref | None
) -> Decision:
    return Decision(
        release=case.release,
        group=case.group,
        key=case.keys.key,
        marks=case.keys.marks,
        kind=kind,
        silence=silence,
        of=of,
        announced=announced,
        previous_check_at=case.previous,
    )


def _is_flood(decisions: Sequence[Decision], follow: Follow, seen: Observation, moment: Moment) -> bool:
    """Tell whether a check found more than the artist's history makes plausible.

    Twins do not count: a catalogue re-listed under new IDs explains itself. With n known releases dated in the last
    ``PACE_YEARS`` years, ``FLOOD_BASE + FLOOD_FACTOR * n / PACE_YEARS * (years since the last check)`` are plausible.
    """
    found = sum(one.kind is not None for one in decisions)
    if found >= REPLACED and _all_replaced(follow, seen):
        return True
    last = max((mark.checked_at for mark in follow.marks.values()), default=moment.now)
    years = max((moment.now - last) / timedelta(days=365), 0.0)
    recent = moment.now.date() - timedelta(days=365 * PACE_YEARS)
    pace = sum(not _older(known.release, recent) for known in follow.known.values()) / PACE_YEARS
    return found > FLOOD_BASE + FLOOD_FACTOR * pace * years


def _all_replaced(follow: Follow, seen: Observation) -> bool:
    """Tell whether a complete listing shows nothing of at least ``REPLACED`` known releases."""
    shown = {listed.release.ref.id for view in seen.views for listed in view.listed}
    groups = {view.group for view in seen.views if view.ended}
    known = [ref_id for ref_id, one in follow.known.items() if one.group in groups]
    return len(known) >= REPLACED and all(view.ended for view in seen.views) and shown.isdisjoint(known)


def _hold(decision: Decision) -> Decision:
    if decision.kind is None:
        return decision
    return replace(decision, kind=None, silence=Silence.HELD, announced=None)


def _move(view: GroupView, follow: Follow, moment: Moment, *, regular: bool) -> Mark | None:
    """Return the group's watermark after a check; None where the check says nothing about it."""
    mark = _mark(follow, view.group, moment)
    moves = regular and view.answered
    if mark is None and not moves:
        return None
    checked_at = moment.now if moves or mark is None else mark.checked_at
    read_to_end_at = moment.now if view.ended else (mark.read_to_end_at if mark else None)
    if read_to_end_at is not None:
        read_to_end_at = _past(read_to_end_at, moment)
    cursor, wanted = deep_place(view, mark)
    return Mark(
        group=view.group,
        market=moment.market,
        first_checked_at=_past(mark.first_checked_at, moment) if mark else moment.now,
        checked_at=checked_at,
        horizon=new_horizon(view, mark, follow.known),
        read_to_end_at=read_to_end_at,
        deep_cursor=cursor,
        deep_wanted=wanted,
    )
