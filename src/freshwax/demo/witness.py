"""What a series of runs must have told and may have said, by the world and by the server's log alone.

**Owed** is a release that a list of some followed artist showed only after that artist was learnt, if either it is
still listed at the end, when every list has been read once more, or it was named in an answer to a check that held; and
what an answer named when the artist was learnt, if it was dated within the look-back then. Not owed is, by rule: what
was withdrawn before any such answer named it (nobody could know of it); and what came in so far down a list that
nothing told it from old records: when it was first shown, nothing below it had ever been, while some of what stood
there when the artist was learnt was unread as well. **Lost** is what is owed and never told.

**Repeated** is whatever is told twice (an ``upcoming`` record once more when it is out is not), unless the second
telling has neither the ID nor any artist of the first: when a catalogue moves to another artist and gets new IDs
between two checks, all that is left of a record is its title, and titles are not identity. **Old** is what was told
though it had been listed when its artists were learnt, too old then to be told, and a check had been shown it before
or was that first one. Not so what came up on a list that had been empty then, was held back, and asked for by the user.

**False coverage** is any of the sentences in ``_false`` that does not hold of a run: what its report says it saw, held
against what the server answered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

from freshwax.demo.faults import Logged
from freshwax.demo.world import World, WorldRelease
from freshwax.model import DEFAULT_GROUPS, Coverage, Group, Kind, Report, Run, RunStatus
from freshwax.store.base import Check

TURN = timedelta(days=6)  # a check that is younger need not be made again
FRESH = timedelta(hours=12)  # ... and one so young answers for its artist
LOOK_BACK = timedelta(days=90)
BELIEVED = 3  # answers of 404, in as many runs in a row, until an artist may be given up
UNTIL = re.compile(r"until (\d{4}-\d\d-\d\d \d\d:\d\d) UTC")
EXIT_CODES = {
    RunStatus.COMPLETED: {0},
    RunStatus.PARTIAL: {3},
    RunStatus.PAUSED: {3},
    RunStatus.FAILED: {3, 5},
}


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is over, with what there is to hold against it.

    ``at`` is the world's instant, ``now`` the user's. ``watched`` and ``left`` are the active artists before and after.
    ``everyone``: the run was to check all that are due. Without a ``run`` it died, and said nothing.
    """

    run: Run | None
    at: datetime
    now: datetime
    checks: tuple[Check, ...]
    log: tuple[Logged, ...]
    watched: frozenset[str]
    left: frozenset[str]
    everyone: bool

    @property
    def checked(self) -> set[str]:
        """The artists whose check succeeded."""
        return {check.artist.id for check in self.checks if check.outcome == "ok"}

    @property
    def answered(self) -> set[str]:
        """The artists of whom the server sent a list that could be read."""
        return {entry.artist for entry in self.log if entry.readable and entry.artist}


class Witness:
    """Sees every run; tells what was owed, and where a run's coverage was false."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.truth_of = {one.id: one.truth for one in world.releases}
        self._type_of = {one.id: one.type for one in world.releases}
        self._let_go: dict[str, int] = {}  # truths of lists that were empty at first: reports until they were asked for
        self._begun: set[tuple[str, str]] = set()  # the lists that showed anything before their artist was learnt
        self.learnt_at: dict[str, datetime] = {}
        self._cutoff: dict[str, date] = {}  # what was dated earlier was old when an artist was learnt (user's clock)
        self.false: list[str] = []
        self._checked_at: dict[str, datetime] = {}  # by the user's clock
        self._read_at: dict[str, dict[str, datetime]] = {}  # each list of each artist, by the user's clock
        self._named: dict[str, list[tuple[datetime, tuple[str, ...]]]] = {}
        self._promise: tuple[datetime, timedelta] | None = None
        self._missing: Counter[str] = Counter()  # runs in a row in which an artist was answered for with 404

    def see(self, done: Finished) -> None:
        """Take note of a run."""
        self._note_begun(done)
        for check in done.checks:
            self._note_lists(done, check)
        for artist in done.checked:
            self._checked_at[artist] = done.now
            self.learnt_at.setdefault(artist, done.at)
            self._cutoff.setdefault(artist, (done.now - LOOK_BACK).date())
        self._note_names(done)
        self._note_missing(done)
        if done.run is not None:
            self._judge(done, done.run)

    def let_go(self, artist: str, releases: Iterable[str], reports: int) -> None:
        """Take note that the user, who has read so many reports, asked for what was held back of an artist."""
        for one in releases:
            if (artist, self._type_of[one]) not in self._begun:
                self._let_go.setdefault(self.truth_of[one], reports)

    def _note_begun(self, done: Finished) -> None:
        """Note which lists showed anything until their artist was learnt."""
        for entry in done.log:
            if entry.artist is not None and entry.artist not in self.learnt_at:
                self._begun.update((entry.artist, self._type_of[one]) for one in entry.shown if one in self._type_of)

    def _note_missing(self, done: Finished) -> None:
        """Count in how many runs an artist's last answer was 404, until a list comes that can be read: who was given up
        must have been among them often enough.
        """
        last = {entry.artist: entry for entry in done.log if entry.artist is not None}
        for artist, entry in last.items():
            if entry.status == 404:
                self._missing[artist] += 1
            elif entry.readable:
                self._missing[artist] = 0
        early = sorted(one for one in done.watched - done.left if self._missing[one] < BELIEVED)
        self.false += [f"{done.at:%Y-%m-%d %H:%M}: {one} was given up after {self._missing[one]} runs" for one in early]

    def _judge(self, done: Finished, run: Run) -> None:
        """Note what a run says that is false, and what it promises."""
        self.false += [f"run {run.id}, {done.at:%Y-%m-%d %H:%M}: {text}" for text in self._false(done, run)]
        until = UNTIL.search(run.error or "") if run.status is RunStatus.PAUSED else None
        if until is not None:
            promised = datetime.strptime(until[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
            self._promise = promised, done.now - done.at

    def _note_lists(self, done: Finished, check: Check) -> None:
        """Note when an artist's lists were read: by a check that held, those that it asked for (that is the rest only,
        where a first check was cut short); by one that was cut short, what was never read before.
        """
        asked = (entry for entry in done.log if entry.readable and entry.artist == check.artist.id)
        lists = dict.fromkeys((group for entry in asked for group in entry.groups), done.now)
        before = self._read_at.get(check.artist.id, {})
        if check.outcome == "ok":
            self._read_at[check.artist.id] = before | lists
        elif check.outcome == "partial":
            self._read_at[check.artist.id] = lists | before

    # -- coverage ------------------------------------------------------------------------------------------------

    def _false(self, done: Finished, run: Run) -> Iterator[str]:
        """Hold what a run says of itself against what happened; every sentence that is not true."""
        said = run.coverage
        followed = done.watched & done.left
        checked = done.checked & done.watched
        recent = {one for one, at in self._checked_at.items() if timedelta(0) <= done.now - at < TURN}
        fresh = {one for one in recent & followed - checked if done.now - self._checked_at[one] < FRESH}
        yield from _miscounted(said, len(followed), len(checked), len(fresh))
        if done.checked - done.answered:
            yield f"{len(done.checked - done.answered)} count as checked of whom no list was ever sent"
        if spoilt := done.checked & self._unread_in_part(done):
            yield f"{len(spoilt)} count as checked, and an answer to their check could not be read"
        in_vain = {entry.artist for entry in done.log if entry.what == "albums"} & followed - done.checked
        if len(in_vain) > said.failed + said.paused:
            yield f"{len(in_vain)} were asked in vain, {said.failed + said.paused} reported"
        if run.status is RunStatus.COMPLETED and said.failed + said.paused:
            yield f"it is completed with {said.failed} failed and {said.paused} paused"
        if run.exit_code not in EXIT_CODES.get(run.status, ()):
            yield f"it is {run.status} with exit code {run.exit_code}"
        if done.everyone and len(followed - checked - recent) > said.failed + said.paused:
            yield f"{len(followed - checked - recent)} were due and not checked, {said.failed + said.paused} reported"
        read = [min(lists.values()) for one, lists in self._read_at.items() if lists and one in done.left]
        oldest = min((at for at in read if at <= done.now), default=None)
        if said.oldest_check != oldest:
            yield f"its oldest check is of {said.oldest_check}, in truth of {oldest}"
        asked = sum(entry.what != "token" for entry in done.log)
        if asked and self._promise is not None and self._holds(done):
            yield f"it sent {asked} requests before {self._promise[0]:%Y-%m-%d %H:%M}, until when it was paused"

    def _unread_in_part(self, done: Finished) -> set[str]:
        """For whom the last answer to some request could not be read, as long as checks went on: afterwards lists are
        read in depth, which may fail without harm.
        """
        began: dict[str, int] = {}
        last: dict[tuple[str, tuple[str, ...], int | None], int] = {}
        for number, entry in enumerate(done.log):
            if entry.artist is not None and entry.what == "albums":
                began.setdefault(entry.artist, number)
                last[entry.artist, entry.groups, entry.offset] = number
        until = max(began.values(), default=0)
        return {key[0] for key, number in last.items() if number < until and not done.log[number].readable}

    def _holds(self, done: Finished) -> bool:
        """Whether a pause that was reported is still on (on a clock that has jumped meanwhile, none is)."""
        assert self._promise is not None
        until, offset = self._promise
        return done.now - done.at == offset and done.now < until

    # -- what was owed -------------------------------------------------------------------------------------------

    def _note_names(self, done: Finished) -> None:
        """Note which releases were named of the artists all of whose answers could be read, and whose check counts."""
        spoilt = {entry.artist for entry in done.log if not entry.readable}
        for entry in done.log:
            if entry.artist in done.checked and entry.artist not in spoilt and entry.artist is not None:
                self._named.setdefault(entry.artist, []).append((entry.at, entry.shown))

    def owed(self, end: datetime) -> dict[str, datetime]:
        """The truths that had to be told by the end, and when each was there to be seen first."""
        first: dict[str, datetime] = {}
        for answers in self._named.values():
            for at, ids in answers:
                for one in ids:
                    if one in self.truth_of:
                        first[self.truth_of[one]] = min(first.get(self.truth_of[one], at), at)
        for artist in self.learnt_at:
            for release in self.world.listings(artist, DEFAULT_GROUPS, end):
                first.setdefault(release.truth, end)
        news = self._news()
        unread = self._unread(first, news)
        due = {truth: at for truth, at in first.items() if truth in news and truth not in unread}
        return {truth: at for truth, at in {**due, **self._recent()}.items() if truth not in self._still_ahead(end)}

    def _recent(self) -> dict[str, datetime]:
        """What was dated within the look-back when its artist was learnt, and named then."""
        found: dict[str, datetime] = {}
        for artist, at in self.learnt_at.items():
            named = {one for when, ids in self._named.get(artist, ()) if when == at for one in ids}
            for release in self.world.listings(artist, DEFAULT_GROUPS, at):
                if release.id in named and release.date.last_day >= self._cutoff[artist]:
                    found[release.truth] = min(found.get(release.truth, at), at)
        return found

    def _still_ahead(self, end: datetime) -> set[str]:
        """What is announced only: its day has not come."""
        return {one.truth for one in self.world.releases if one.date.last_day > end.date()}

    def old(self, reports: Sequence[tuple[datetime, Report]]) -> tuple[str, ...]:
        """The truths that were told though they were no news: known when an artist was learnt, or since before the last
        report. What came up on a list that had been shown empty, and was held back, the user may ask for.
        """
        known = self._known()
        base, learnt = self._base(), set[tuple[str, datetime]]()
        for release in self.world.releases:
            learnt.update((release.truth, self.learnt_at[one]) for one in release.artists if one in self.learnt_at)
        before = (None, *(at for at, _ in reports))
        return tuple(
            truth
            for number, (last, (at, report)) in enumerate(zip(before, reports, strict=False))
            for truth in (self.truth_of[line.release.ref.id] for line in report.lines)
            if truth in base and number < self._let_go.get(truth, len(reports))
            if (truth, at) in learnt or (last is not None and known.get(truth, at) < last)
        )

    def _known(self) -> dict[str, datetime]:
        """Since when each truth had been named of all the artists who have it: each one's check decides anew."""
        named: dict[str, dict[str, datetime]] = {}
        for artist, answers in self._named.items():
            for at, ids in answers:
                for truth in {self.truth_of[one] for one in ids if one in self.truth_of}:
                    whom = named.setdefault(truth, {})
                    whom[artist] = min(whom.get(artist, at), at)
        whose: dict[str, set[str]] = {}
        for release in self.world.releases:
            whose.setdefault(release.truth, set()).update(one for one in release.artists if one in self.learnt_at)
        return {truth: max(by.values()) for truth, by in named.items() if whose[truth] <= by.keys()}

    def _base(self) -> set[str]:
        """What was listed, and too old to be told, when every artist who ever has it was learnt."""
        recent, old = set[str](), set[str]()
        whose: dict[str, tuple[str, ...]] = {}
        for release in self.world.releases:  # what moves to another artist is decided for that one
            if whose.setdefault(release.truth, release.artists) != release.artists:
                recent.add(release.truth)
        for artist, at in self.learnt_at.items():
            for release in self.world.listings(artist, DEFAULT_GROUPS, at):
                (old if release.date.last_day < self._cutoff[artist] else recent).add(release.truth)
        return old - recent - self._news()

    def _news(self) -> set[str]:
        """What no list showed when its artist was learnt, or what appeared on another that had been learnt before."""
        base = {
            release.truth
            for artist, at in self.learnt_at.items()
            for release in self.world.listings(artist, DEFAULT_GROUPS, at)
        }
        found = set()
        for truth in self.world.truths(self.learnt_at, DEFAULT_GROUPS):
            whose = {artist for release in truth.releases for artist in release.artists if artist in self.learnt_at}
            if truth.id not in base or any(self.learnt_at[one] < truth.first_listed for one in whose):
                found.add(truth.id)
        return found

    def _unread(self, first: Mapping[str, datetime], news: Collection[str]) -> set[str]:
        """What nothing told from old records when it was first shown (see above), on any list."""
        suspects: dict[str, list[WorldRelease]] = {}
        for release in self.world.releases:
            early = [one for one in release.artists if one in self.learnt_at]
            back_dated = any(release.date.last_day < self.learnt_at[one].date() for one in early)
            if release.truth in news and release.truth in first and back_dated:
                suspects.setdefault(release.truth, []).append(release)
        return {
            truth
            for truth, releases in suspects.items()
            if all(self._indistinct(one, first[truth]) for one in releases if one.listed_at(first[truth]))
        }

    def _indistinct(self, release: WorldRelease, at: datetime) -> bool:
        return all(
            self._below_all(artist, release, at)
            for artist in release.artists
            if artist in self.learnt_at and release.type in DEFAULT_GROUPS
        )

    def _below_all(self, artist: str, release: WorldRelease, at: datetime) -> bool:
        """Whether nothing below a release had been shown, and some old record neither, when it was first seen."""
        shown = {one for when, ids in self._named.get(artist, ()) if when < at for one in ids}
        listed = [one.id for one in self.world.listing(artist, Group(release.type), at)]
        below = listed[listed.index(release.id) + 1 :] if release.id in listed else []
        old = {one.id for one in self.world.listing(artist, Group(release.type), self.learnt_at[artist])}
        return shown.isdisjoint(below) and bool(old.intersection(listed) - shown)


def _miscounted(said: Coverage, followed: int, checked: int, fresh: int) -> Iterator[str]:
    counts = said.checked + said.fresh + said.not_due + said.failed + said.paused
    if counts != said.artists:
        yield f"its five counts add up to {counts}, not to its {said.artists} artists"
    if said.artists != followed:
        yield f"it speaks of {said.artists} artists, {followed} are followed"
    if said.checked != checked:
        yield f"it says {said.checked} checked, and kept {checked} checks"
    if said.fresh != fresh:
        yield f"it says {said.fresh} fresh, and {fresh} were checked within twelve hours"


def announced_twice(world: World, reports: Iterable[Report]) -> tuple[str, ...]:
    """The truths that were told more than once as to come."""
    truth_of = {one.id: one.truth for one in world.releases}
    lines = (line for report in reports for line in report.lines if line.hidden_by is None)
    told = Counter(truth_of[line.release.ref.id] for line in lines if line.kind is Kind.UPCOMING)
    return tuple(truth for truth, times in told.items() if times > 1)


def recognisable(truths: Collection[str], world: World, reports: Iterable[Report]) -> tuple[str, ...]:
    """Of what was told twice, what was told under the same ID, or with an artist in common, both times."""
    truth_of = {one.id: one.truth for one in world.releases if one.truth in truths}
    told: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for report in reports:
        for line in report.lines:
            truth = truth_of.get(line.release.ref.id)
            if truth is not None and line.hidden_by is None and line.kind is not Kind.UPCOMING:
                whose = frozenset(credit.id for credit in line.release.artists)
                told.setdefault(truth, []).append((line.release.ref.id, whose))
    return tuple(
        truth
        for truth, tellings in told.items()
        if any(one[0] == two[0] or one[1] & two[1] for one, two in combinations(tellings, 2))
    )
