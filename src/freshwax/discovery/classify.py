"""What is new: the decision over everything that one check saw of an artist.

Pure: ``decide(what is remembered, what was seen, what was announced, when) -> what to write``. The rows of the table in
``_verdict`` are tried from the top, and the first one that fits wins. Identity decides; dates only choose the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from freshwax.discovery.changes import as_listed_now, awaited, changed, gone, redated, rekeyed_now
from freshwax.discovery.editions import Keys, first_of, keys_of
from freshwax.discovery.horizon import beyond_horizon, deep_place, new_horizon
from freshwax.discovery.memory import Memory
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
    waiting = awaited(follow.known, moment.now)
    away = gone(follow.known, seen) if cases or waiting else frozenset()
    memory = Memory(*as_listed_now(follow.known, announced, rekeyed), away)
    decisions = _verdicts(cases, memory, moment)
    if follow.artist.learnt and _is_flood(decisions, follow, seen, moment):
        decisions = _hold(decisions)
    marks = (_move(view, follow, moment, regular=regular) for view in seen.views)
    return CheckResult(
        artist=seen.artist,
        run_id=moment.run_id,
        at=moment.now,
        name=seen.name,
        decisions=tuple(decisions),
        changed=(
            *changed(follow.known, seen, anew=moment.anew),
            *redated(follow.known, decisions, seen, away & waiting),
        ),
        marks=tuple(mark for mark in marks if mark is not None),
        listing=seen.listing,
        regular=regular,
        paused=seen.paused,
        rekeyed=rekeyed,
    )


def held_of(follow: Follow) -> tuple[list[Known], list[Known]]:
    """Return what is held of an artist, and its twins."""
    held = {known.release.ref: known for known in follow.known.values() if known.silence is Silence.HELD}
    rest = (known for known in follow.known.values() if known.release.ref not in held)
    return list(held.values()), [known for known in rest if first_of(known) in held]


def release_held(follow: Follow, announced: Sequence[Announced], moment: Moment) -> CheckResult:
    """Decide what is held of an artist by the rows of the table, as of the checks that held it; its twins go with it.

    ``announced`` holds what was announced through whomever among the two, and under their keys.
    """
    held, twins = held_of(follow)
    open_now = {known.release.ref for known in (*held, *twins)}
    memory = Memory([known for known in follow.known.values() if known.release.ref not in open_now], announced)
    told = {twin.release.ref for twin in twins if memory.take_over(twin)}
    cases = [_case_of(one, follow) for one in (*held, *(twin for twin in twins if twin.release.ref in told))]
    decisions = _verdicts(sorted(cases, key=_order), memory, moment)
    firsts = {one.release.ref: one for one in decisions}
    decisions += [_same_as(firsts[first_of(one)], one) for one in twins if one.release.ref not in told]
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


def _case_of(known: Known, follow: Follow) -> _Case:
    """Return a release that was decided as the case that it was then."""
    mark = follow.marks.get(known.group)
    return _Case(
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


def _same_as(first: Decision, twin: Known) -> Decision:
    """Return the decision about a twin of a release that is decided anew."""
    return Decision(
        release=twin.release,
        group=twin.group,
        key=twin.key,
        marks=twin.marks,
        kind=None,
        silence=twin.silence,
        of=first_of(first),
        announced=first.announced,
        previous_check_at=twin.previous_check_at,
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
    return sorted(cases, key=_order)


def _mark(follow: Follow, group: Group, moment: Moment) -> Mark | None:
    """Return the group's watermark; one of another market is that of another list."""
    mark = follow.marks.get(group)
    return mark if mark is not None and mark.market == moment.market else None


def _past(instant: datetime, moment: Moment) -> datetime:
    """Return a stored instant; now, where it lies in the future: the clock was wrong then, or is now."""
    return min(instant, moment.now)


def _order(case: _Case) -> tuple[object, ...]:
    day = case.release.date.first_day if case.release.date else date.max
    return day, len(case.keys.marks), len(case.release.title), case.release.ref


def _verdicts(cases: Sequence[_Case], memory: Memory, moment: Moment) -> list[Decision]:
    """Decide case by case; each decision counts for those after it."""
    for case in cases:  # told through somebody else: under other artists, perhaps, but a twin stands beside it now
        if (told := memory.told_as(case.release.ref)) is not None:
            memory.add_listed(case.release, case.keys, told)
    for case in cases:  # what is listed anew has gone from nowhere, however its date sorts
        memory.count_as_standing(case.release, case.keys)
    decisions = []
    for case in cases:
        decisions.append(_verdict(case, memory, moment))
        memory.add(decisions[-1])
    return decisions


def _verdict(case: _Case, memory: Memory, moment: Moment) -> Decision:  # noqa: PLR0911 -- the rows of a table
    """Return the decision of the first row of the table that fits."""
    if (told := memory.told_as(case.release.ref)) == case.release.ref:
        return _silent(case, Silence.TOLD, announced=told)
    if told is not None:
        return _silent(case, Silence.TWIN, of=told, announced=told)
    if (twin := memory.twin(case.release, case.keys)) is not None:
        return _silent(case, Silence.TWIN, of=twin[0], announced=twin[1])
    if (place := memory.replaced(case.release, case.keys, case.group)) is not None:
        return _silent(case, Silence.RELISTED, of=place[0], announced=place[1])
    if case.first_check and _older(case.release, moment.cutoff):
        return _silent(case, Silence.BASELINE)
    if case.deeper:
        return _silent(case, Silence.HORIZON)
    if (base := memory.edition(case.release.ref, case.keys)) is not None:
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


def _hold(decisions: Sequence[Decision]) -> list[Decision]:
    """Leave what would be told to the user; so nothing is told as its twin yet, either."""
    held = {one.release.ref for one in decisions if one.kind is not None}
    untold = [replace(one, announced=None) if one.announced in held else one for one in decisions]
    return [replace(one, kind=None, silence=Silence.HELD) if one.kind is not None else one for one in untold]


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
