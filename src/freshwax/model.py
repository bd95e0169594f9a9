"""The values that freshwax is made of.

Everything here is frozen, knows nothing of networks, databases or clocks, and is shared by all layers.
Instants are timezone-aware datetimes in UTC; days are ``datetime.date``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


class Ref(NamedTuple):
    """What identifies an artist or a release: the source that knows it, and the source's own ID."""

    source: str
    id: str


class Group(StrEnum):
    """A listing group: Spotify keeps an artist's releases in four lists."""

    ALBUM = "album"
    SINGLE = "single"
    COMPILATION = "compilation"
    APPEARS_ON = "appears_on"


DEFAULT_GROUPS = (Group.ALBUM, Group.SINGLE)


class Precision(StrEnum):
    """How much of a release date is known."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"


class ReleaseDate(Struct, frozen=True):
    """A release date as the source gives it: ``2024``, ``2024-03`` or ``2024-03-01``; an interval of days."""

    value: str
    precision: Precision

    @property
    def first_day(self) -> date:
        """First day that the date may mean; ``date.min`` where the value names no real day (``0000``)."""
        try:
            return date.fromisoformat((self.value + "-01-01")[:10])
        except ValueError:
            return date.min

    @property
    def last_day(self) -> date:
        """Last day that the date may mean; ``date.min`` where the value names no real day."""
        first = self.first_day
        if first == date.min or self.precision is Precision.DAY:
            return first
        if self.precision is Precision.YEAR or first.month == 12:
            return date(first.year, 12, 31)
        return date(first.year, first.month + 1, 1) - timedelta(days=1)


class Credit(NamedTuple):
    """One artist named on a release."""

    id: str
    name: str


class Release(Struct, frozen=True):
    """A release as a listing shows it. ``date`` is None where the source gave none.

    ``forgotten``: its details were dropped, and only ID, type and date are known (``discovery.forgetting``).
    """

    ref: Ref
    title: str
    type: str
    artists: tuple[Credit, ...]
    date: ReleaseDate | None
    url: str | None = None
    image_url: str | None = None
    total_tracks: int | None = None
    forgotten: bool = False


class Kind(StrEnum):
    """The label under which a release is told."""

    NEW = "new"
    UPCOMING = "upcoming"
    LATE = "late"
    EDITION = "edition"
    BACK_CATALOGUE = "back_catalogue"


class Silence(StrEnum):
    """Why a decided release is not told."""

    BASELINE = "baseline"  # older than the look-back at the first check
    HORIZON = "horizon"  # deeper than the listing was ever read before
    FIRST_ASKED = "first_asked"  # old news of a group (or market) that was asked for the first time
    TOLD = "told"  # announced before, through another artist
    TWIN = "twin"  # the same release as one that was announced, or that is decided for this artist
    RELISTED = "relisted"  # the same as one that is gone, under a new ID and with another date
    HELD = "held"  # part of a flood: the user decides


class ArtistState(StrEnum):
    """Where an artist stands on the watch list."""

    ACTIVE = "active"
    DISABLED = "disabled"
    GONE = "gone"  # the source answered 404 three times in a row
    REMOVED = "removed"


class Artist(Struct, frozen=True):
    """A watched artist and the outcome of its checks so far.

    ``failures`` counts failed checks in a row; ``failure`` is the code of the last one (see ``errors.CheckError``).
    ``checked_at`` is the last successful check: the oldest over the groups that it covers. ``turn_at``: when the artist
    last had its turn, where that was another instant: a prefetch comes ahead. ``latest_at``: the latest of all of them.
    ``history_incomplete``: learnt, but some group's listing has not been read to its end yet.
    """

    ref: Ref
    name: str | None
    state: ArtistState
    added_at: datetime
    checked_at: datetime | None = None
    turn_at: datetime | None = None
    latest_at: datetime | None = None
    attempted_at: datetime | None = None
    failures: int = 0
    failure: str | None = None
    learnt: bool = False
    history_incomplete: bool = False


class Mark(Struct, frozen=True):
    """The watermark of one artist's listing group.

    ``horizon`` is how many entries from the top were ever read; the list beyond it is unknown.
    ``read_to_end_at`` is when a walk last reached the end of the list. ``deep_cursor`` is the position from which an
    unfinished deep read goes on, ``deep_wanted`` asks for one because something could not be explained. ``turn_at`` is
    when the artist last had its turn, None where that was ``checked_at``.
    """

    group: Group
    market: str
    first_checked_at: datetime
    checked_at: datetime
    horizon: int
    read_to_end_at: datetime | None = None
    deep_cursor: int | None = None
    deep_wanted: bool = False
    turn_at: datetime | None = None


class Known(Struct, frozen=True):
    """A release that was decided for an artist before, as much of it as later decisions need.

    ``key`` and ``marks`` are those of ``discovery.editions``. ``announced`` names the release under which it was,
    or will be, told (itself, or the twin that was seen first); None where it was never to be told.
    ``previous_check_at`` is the watermark that the decision was made against. ``later_keys``: key and marks under
    which it is listed now, where its title, type or artists changed since.
    """

    release: Release
    group: Group
    key: str
    marks: str
    decided_at: datetime
    kind: Kind | None
    silence: Silence | None
    announced: Ref | None
    of: Ref | None = None
    previous_check_at: datetime | None = None
    later_keys: tuple[str, str] | None = None


class Follow(Struct, frozen=True):
    """All that is remembered of an artist when its listing is checked.

    ``listing`` is the source's own note about what it expects to see next time; only the source reads it.
    """

    artist: Artist
    marks: Mapping[Group, Mark]
    known: Mapping[str, Known]
    listing: str | None = None


class Listed(Struct, frozen=True):
    """A release at a position (0 is the top) of an artist's listing group.

    ``lacks`` names a field that the source did not give, though nothing else tells the release from others.
    """

    position: int
    release: Release
    lacks: str | None = None


class GroupView(Struct, frozen=True):
    """What one check saw of a listing group.

    ``answered``: what was seen settles what is new in the group, so its watermark may move.
    ``depth``: entries read without a gap from the top (earlier deep reads that this one goes on from included).
    ``ended``: the end of the list was reached in that. ``removed``: entries expected in the visible part that are gone.
    ``deep_cursor`` and ``deep_wanted`` as in ``Mark``; None keeps what the mark says; ``ended`` clears both.
    """

    group: Group
    listed: tuple[Listed, ...]
    answered: bool
    depth: int = 0
    ended: bool = False
    removed: int = 0
    deep_cursor: int | None = None
    deep_wanted: bool | None = None


class Observation(Struct, frozen=True):
    """What a source saw of an artist at one check. ``paused``: the quota ended it before every group was answered."""

    artist: Ref
    views: tuple[GroupView, ...]
    listing: str | None
    name: str | None = None
    paused: bool = False


class Announced(Struct, frozen=True):
    """A release that was announced through whomever, with its keys (``discovery.editions``).

    ``twin`` is another ID that was decided to be the same release, where the keys are those of that one.
    """

    release: Release
    key: str
    marks: str
    twin: Ref | None = None


class Decision(Struct, frozen=True):
    """What was decided about a release for an artist: told under ``kind``, or kept silent for a reason.

    ``of`` is the release that this one is a twin or an edition of. ``announced``: see ``Known``.
    """

    release: Release
    group: Group
    key: str
    marks: str
    kind: Kind | None
    silence: Silence | None
    of: Ref | None = None
    announced: Ref | None = None
    previous_check_at: datetime | None = None


class LaterKeys(Struct, frozen=True):
    """The keys (``discovery.editions``) of a known release that is listed with another title, type or artists now."""

    release: Ref
    key: str
    marks: str


class CheckResult(Struct, frozen=True):
    """Everything that a successful check writes, in one transaction.

    ``changed`` holds the new facts of known releases whose title, type, artists, date or tracks are now given
    otherwise, ``rekeyed`` what follows for their keys.
    ``held`` counts the decisions held back as a flood. ``regular`` is false for a deep read (no watermark moves).
    """

    artist: Ref
    run_id: int
    at: datetime
    name: str | None
    decisions: tuple[Decision, ...]
    changed: tuple[Release, ...]
    marks: tuple[Mark, ...]
    listing: str | None
    regular: bool = True
    paused: bool = False
    rekeyed: tuple[LaterKeys, ...] = ()

    @property
    def held(self) -> int:
        """How many of the decisions are held."""
        return sum(d.silence is Silence.HELD for d in self.decisions)


class Announcement(Struct, frozen=True):
    """A release that is to be told: waiting in a channel's outbox, or told there already.

    ``artist`` is the one whose check found it. ``told_upcoming``: the channel told it as ``upcoming`` before.
    """

    release: Release
    kind: Kind
    artist: Ref
    first_seen_at: datetime
    told_upcoming: bool = False


class Line(Struct, frozen=True):
    """A line of a report: a release under the kind that was true when the report was fixed."""

    release: Release
    kind: Kind
    first_seen_at: datetime
    hidden_by: str | None = None


class RunStatus(StrEnum):
    """How a run ended; ``running`` until it has."""

    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    PAUSED = "paused"
    FAILED = "failed"


class Mode(StrEnum):
    """What kind of run, or of report, it was."""

    BASELINE = "baseline"
    INCREMENTAL = "incremental"
    BACKGROUND = "background"
    PREFETCH = "prefetch"
    FROM_CACHE = "from-cache"
    REPEAT = "repeat"  # --from-cache with nothing untold: the last report again


class Coverage(Struct, frozen=True):
    """How much a run saw. The five counts from ``checked`` to ``paused`` add up to ``artists``; ``history_incomplete``
    counts whose lists were not all read to their end yet.
    """

    artists: int = 0
    checked: int = 0
    fresh: int = 0
    not_due: int = 0
    failed: int = 0
    paused: int = 0
    oldest_check: datetime | None = None
    history_incomplete: int = 0


class Cost(Struct, frozen=True):
    """What a run cost: API requests (retries included, tokens not), those answered 304, bytes on the wire, seconds."""

    requests: int = 0
    not_modified: int = 0
    bytes_received: int = 0
    seconds: float = 0.0


class Run(Struct, frozen=True):
    """One run, as ``run_history`` keeps it. ``id`` is 0 until the store gives one."""

    id: int
    mode: Mode
    status: RunStatus
    market: str
    started_at: datetime
    finished_at: datetime | None = None
    coverage: Coverage = Coverage()
    cost: Cost = Cost()
    found: int = 0
    error: str | None = None
    exit_code: int = 0


class Report(Struct, frozen=True):
    """A report as it is printed: the run, how much it saw, and its lines. ``id`` is 0 until the store gives one.

    ``notes`` are sentences for people: failures by name, pauses. Not part of the data. ``held``: the active artists of
    whom so many releases are held back at the moment; stores do not keep it.
    """

    id: int
    channel: str
    mode: Mode
    run: Run
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    held: tuple[tuple[Artist, int], ...] = ()
