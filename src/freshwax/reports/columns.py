"""What a list shows: one table of columns a list, read by every format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from freshwax.model import Artist, Cost, Coverage, Kind, Release, Run, RunStatus
from freshwax.reports.escape import visible
from freshwax.reports.words import ago, failure, instant

_LATELY = timedelta(days=300)  # so long a day needs no year
T = TypeVar("T")
Value = str | int | float | None


class Shown(Protocol):
    """A release with its label and first sight: a line of a report, or a row of ``releases``."""

    @property
    def release(self) -> Release:
        """The release."""
        ...

    @property
    def kind(self) -> Kind | None:
        """Its label; None where it was never to be told."""
        ...

    @property
    def first_seen_at(self) -> datetime:
        """When it was first seen."""
        ...


class Column(Struct, Generic[T], frozen=True, eq=False):
    """One column: ``key`` names it in JSON, CSV and TSV, ``heading`` in the table (None: the table leaves it out).

    ``right``: numbers stand right; ``least``: how narrow the table may make it (None: never cut). ``shown`` words the
    value for people, given the current instant, where the plain value is not good enough; ``nested`` is the value in
    JSON, where that is more than a cell can hold.
    """

    key: str
    value: Callable[[T], Value]
    heading: str | None = None
    right: bool = False
    least: int | None = None
    shown: Callable[[T, datetime], str] | None = None
    nested: Callable[[T], object] | None = None
    in_json: bool = True

    def text(self, item: T, now: datetime) -> str:
        """Return the cell of the table."""
        if self.shown is not None:
            return self.shown(item, now)
        value = self.value(item)
        return "" if value is None else str(value)


def as_object(item: T, columns: Sequence[Column[T]]) -> dict[str, object]:
    """Return an item as a JSON object."""
    return {
        column.key: column.nested(item) if column.nested else column.value(item) for column in columns if column.in_json
    }


def names(release: Release) -> str:
    """Return the artists of a release for people."""
    return ", ".join(credit.name for credit in release.artists)


def shown_title(release: Release) -> str:
    """Return the title of a release for people; of one that was forgotten, or has none, which one it is."""
    if release.forgotten:
        return f"{release.ref.id} (no longer kept)"
    return release.title if visible(release.title).strip() else f"{release.ref.id} (no title)"


def _date(item: Shown) -> str | None:
    return item.release.date.value if item.release.date else None


def _precision(item: Shown) -> str | None:
    return item.release.date.precision.value if item.release.date else None


def _maybe_instant(value: datetime | None) -> str | None:
    return instant(value) if value else None


RELEASES: tuple[Column[Shown], ...] = (
    Column("id", lambda item: item.release.ref.id, "id"),
    Column("source", lambda item: item.release.ref.source),
    Column("title", lambda item: item.release.title, "title", least=8, shown=lambda item, _: shown_title(item.release)),
    Column("type", lambda item: item.release.type, "type"),
    Column(
        "artists",
        lambda item: "; ".join(credit.name for credit in item.release.artists),
        "artists",
        least=5,
        nested=lambda item: [{"id": credit.id, "name": credit.name} for credit in item.release.artists],
    ),
    Column("artist_ids", lambda item: "; ".join(credit.id for credit in item.release.artists), in_json=False),
    Column("release_date", _date, "date"),
    Column("date_precision", _precision),
    Column("kind", lambda item: item.kind.value if item.kind else None, "told as"),
    Column("first_seen_at", lambda item: instant(item.first_seen_at)),
    Column("url", lambda item: item.release.url),
    Column("image_url", lambda item: item.release.image_url),
    Column("total_tracks", lambda item: item.release.total_tracks),
)


def _checked_ago(artist: Artist, now: datetime) -> str:
    return ago(artist.checked_at, now) if artist.checked_at else "never"


def _trouble(artist: Artist, now: datetime) -> str:
    del now
    return f"{failure(artist.failure)}, {artist.failures}x" if artist.failures else ""


ARTISTS: tuple[Column[Artist], ...] = (
    Column("id", lambda artist: artist.ref.id, "id"),
    Column("source", lambda artist: artist.ref.source),
    Column("name", lambda artist: artist.name, "name", least=10),
    Column("state", lambda artist: artist.state.value, "state"),
    Column("added_at", lambda artist: instant(artist.added_at)),
    Column("checked_at", lambda artist: _maybe_instant(artist.checked_at), "checked", shown=_checked_ago),
    Column("failures", lambda artist: artist.failures),
    Column("failure", lambda artist: artist.failure, "failing", shown=_trouble),
    Column("history", lambda artist: "incomplete" if artist.history_incomplete or not artist.learnt else "complete"),
)


def _started(run: Run, now: datetime) -> str:
    """Return ``23 Nov 12:56``; of a run that lies far back, the day with its year."""
    at = run.started_at.astimezone(UTC)
    return f"{at:%d %b %H:%M}" if abs(now - at) < _LATELY else f"{at:%Y-%m-%d}"


def _checked(run: Run, now: datetime) -> str:
    del now
    if run.coverage == Coverage():  # it was killed before it could say, or has not said yet
        return "-"
    return f"{run.coverage.checked:,}/{run.coverage.artists:,}"


def _cost(run: Run, now: datetime) -> str:
    """Return ``512, 34 s``: requests, and how long it took."""
    del now
    if run.cost == Cost():
        return "-"
    seconds = run.cost.seconds
    took = f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} m"
    return f"{run.cost.requests:,}, {took}"


RUNS: tuple[Column[Run], ...] = (
    Column("id", lambda run: run.id, "run", right=True),
    Column("mode", lambda run: run.mode.value, "mode", least=5),
    Column("status", lambda run: run.status.value, "status"),
    Column("market", lambda run: run.market),
    Column("started_at", lambda run: instant(run.started_at), "started (UTC)", shown=_started),
    Column("finished_at", lambda run: _maybe_instant(run.finished_at)),
    Column("artists", lambda run: run.coverage.artists),
    Column("checked", lambda run: run.coverage.checked, "checked", right=True, shown=_checked),
    Column("fresh", lambda run: run.coverage.fresh),
    Column("not_due", lambda run: run.coverage.not_due),
    Column("failed", lambda run: run.coverage.failed, "failed", right=True),
    Column("paused", lambda run: run.coverage.paused),
    Column("found", lambda run: run.found, "found", right=True),
    Column("requests", lambda run: run.cost.requests, "cost", right=True, shown=_cost),
    Column("not_modified", lambda run: run.cost.not_modified),
    Column("bytes_received", lambda run: run.cost.bytes_received),
    Column("seconds", lambda run: round(run.cost.seconds, 3)),
    Column("exit_code", lambda run: None if run.status is RunStatus.RUNNING else run.exit_code),
    Column("error", lambda run: run.error),
)
