"""Rows to values and back. Contains no business logic."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

from msgspec import MsgspecError, json

from freshwax.model import (
    Announced,
    Announcement,
    Artist,
    ArtistState,
    Cost,
    Coverage,
    Credit,
    Group,
    Kind,
    Known,
    Line,
    Mark,
    Mode,
    Precision,
    Ref,
    Release,
    ReleaseDate,
    Run,
    RunStatus,
    Silence,
)

Row = tuple[Any, ...]
Read = TypeVar("Read")


class Unreadable(Exception):
    """A row holds what freshwax never wrote: the database is damaged, though SQLite finds its pages in order."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CREDITS = json.Decoder(tuple[Credit, ...])
_NOTES = json.Decoder(tuple[str, ...])
_NOT_OURS = (ValueError, TypeError, KeyError, OverflowError, MsgspecError)
_HEX = re.compile("(?:[0-9a-f]{2})+")

ARTIST_WIDTH = 13
RELEASE_WIDTH = 11
RUN_COLUMNS = (
    "id", "mode", "status", "market", "started_at", "finished_at", "artists", "checked", "fresh", "not_due", "failed",
    "paused", "oldest_check", "history_incomplete", "requests", "not_modified", "bytes_received", "seconds", "found",
    "error", "exit_code",
)  # fmt: skip


def _decoding(read: Callable[[Any], Read]) -> Callable[[Any], Read]:
    """Have a function raise ``Unreadable`` for what it cannot read."""

    @wraps(read)
    def decoded(value: Any) -> Read:
        try:
            return read(value)
        except _NOT_OURS as error:
            raise Unreadable(f"{read.__name__}: {error}") from error

    return decoded


def stamp(instant: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def stamp_or_none(instant: datetime | None) -> int | None:
    """Return an instant, if any, as microseconds since 1970."""
    return None if instant is None else stamp(instant)


@_decoding
def instant(stamped: int) -> datetime:
    """Return the instant that was stamped."""
    return _EPOCH + timedelta(microseconds=stamped)


def instant_or_none(stamped: int | None) -> datetime | None:
    """Return the instant that was stamped, if any."""
    return None if stamped is None else instant(stamped)


@_decoding
def kind(word: str) -> Kind:
    """Read a kind."""
    return Kind(word)


@_decoding
def group(word: str) -> Group:
    """Read a listing group."""
    return Group(word)


@_decoding
def mode(word: str) -> Mode:
    """Read a mode."""
    return Mode(word)


@_decoding
def precision(word: str) -> Precision:
    """Read how much of a date is known."""
    return Precision(word)


@_decoding
def credited(text: str) -> tuple[Credit, ...]:
    """Read the artists of a release."""
    return _CREDITS.decode(text)


@_decoding
def notes(text: str) -> tuple[str, ...]:
    """Read the notes of a report."""
    return _NOTES.decode(text)


def ref_or_none(source: str | None, source_id: str | None) -> Ref | None:
    """Return the reference that an outer join found, if it did."""
    return None if source is None or source_id is None else Ref(source, source_id)


@_decoding
def artist(row: Row) -> Artist:
    """Read ``artist_columns``."""
    source, source_id, name, state, added, attempted, failures, failure, learnt, checked, turn, latest, incomplete = row
    return Artist(
        ref=Ref(source, source_id),
        name=name,
        state=ArtistState(state),
        added_at=instant(added),
        checked_at=instant_or_none(checked),
        turn_at=instant_or_none(turn),
        latest_at=instant_or_none(latest),
        attempted_at=instant_or_none(attempted),
        failures=failures,
        failure=failure,
        learnt=bool(learnt),
        history_incomplete=bool(incomplete),
    )


@_decoding
def release(row: Row) -> Release:
    """Read ``release_columns``."""
    source, source_id, title, type_, credits_, date, precision, url, image_url, total_tracks, forgotten = row
    return Release(
        ref=Ref(source, source_id),
        title=title,
        type=type_,
        artists=() if credits_ is None else _CREDITS.decode(credits_),
        date=None if date is None else ReleaseDate(date, Precision(precision)),
        url=url,
        image_url=image_url,
        total_tracks=total_tracks,
        forgotten=bool(forgotten),
    )


def release_values(release: Release) -> dict[str, Any]:
    """Write the columns of ``releases``, by name; what they share with others as it stands there."""
    url_prefix, url_rest = _address(release.url, release.ref.id)
    image_prefix, image_rest = _address(release.image_url, release.ref.id)
    return {
        "source": release.ref.source,
        "source_id": release.ref.id,
        "title": release.title,
        "type": release.type,
        "credits": None if release.forgotten else json.encode(release.artists).decode(),
        "release_date": release.date and release.date.value,
        "date_precision": release.date and release.date.precision.value,
        "url_prefix": url_prefix,
        "url_rest": url_rest,
        "image_prefix": image_prefix,
        "image_rest": image_rest,
        "total_tracks": release.total_tracks,
        "forgotten": release.forgotten,
    }


def _address(url: str | None, own_id: str) -> tuple[str | None, str | bytes | None]:
    """Split an address for storage: up to its last slash; and the rest, packed, None where that is the own ID."""
    if url is None:
        return None, None
    cut = url.rfind("/") + 1
    prefix, rest = url[:cut], url[cut:]
    if rest == own_id:
        return prefix, None
    return prefix, bytes.fromhex(rest) if _HEX.fullmatch(rest) else rest


def announced(row: Row, asked: Ref | None = None) -> tuple[int, Announced]:
    """Read ``release_columns, first_seen_at, key, marks``, found by a ref or a key; the first sight as stamped."""
    first_seen, key, marks = row[RELEASE_WIDTH:]
    told = release(row[:RELEASE_WIDTH])
    return first_seen, Announced(told, key, marks, None if told.ref == asked else asked)


@_decoding
def known(row: Row) -> Known:
    """Read ``release_columns, decision_columns``."""
    group, key, marks, decided, kind, silence, previous, n_source, n_id, o_source, o_id = row[RELEASE_WIDTH:]
    return Known(
        release=release(row[:RELEASE_WIDTH]),
        group=Group(group),
        key=key,
        marks=marks,
        decided_at=instant(decided),
        kind=Kind(kind) if kind else None,
        silence=Silence(silence) if silence else None,
        announced=ref_or_none(n_source, n_id),
        of=ref_or_none(o_source, o_id),
        previous_check_at=instant_or_none(previous),
    )


@_decoding
def mark(row: Row) -> Mark:
    """Read a row of ``marks``."""
    group, market, first_checked, checked, horizon, read_to_end, deep_cursor, deep_wanted, turn = row
    return Mark(
        group=Group(group),
        market=market,
        first_checked_at=instant(first_checked),
        checked_at=instant(checked),
        horizon=horizon,
        read_to_end_at=instant_or_none(read_to_end),
        deep_cursor=deep_cursor,
        deep_wanted=bool(deep_wanted),
        turn_at=instant_or_none(turn),
    )


def mark_row(mark: Mark) -> Row:
    """Write a row of ``marks``, less the artist."""
    return (
        mark.group.value,
        mark.market,
        stamp(mark.first_checked_at),
        stamp(mark.checked_at),
        mark.horizon,
        stamp_or_none(mark.read_to_end_at),
        mark.deep_cursor,
        mark.deep_wanted,
        stamp_or_none(mark.turn_at),
    )


@_decoding
def announcement(row: Row) -> Announcement:
    """Read ``release_columns`` and the outbox's kind, artist, first sight and telling as upcoming."""
    kind, source, source_id, first_seen, told_upcoming = row[RELEASE_WIDTH : RELEASE_WIDTH + 5]
    return Announcement(
        release=release(row[:RELEASE_WIDTH]),
        kind=Kind(kind),
        artist=Ref(source, source_id),
        first_seen_at=instant(first_seen),
        told_upcoming=told_upcoming is not None,
    )


@_decoding
def line(row: Row) -> Line:
    """Read ``release_columns`` and a report line's kind, first sight and filter."""
    kind, first_seen, hidden_by = row[RELEASE_WIDTH:]
    return Line(release(row[:RELEASE_WIDTH]), Kind(kind), instant(first_seen), hidden_by)


@_decoding
def run(row: Row) -> Run:
    """Read ``run_columns``."""
    return Run(
        id=row[0],
        mode=Mode(row[1]),
        status=RunStatus(row[2]),
        market=row[3],
        started_at=instant(row[4]),
        finished_at=instant_or_none(row[5]),
        coverage=Coverage(
            artists=row[6],
            checked=row[7],
            fresh=row[8],
            not_due=row[9],
            failed=row[10],
            paused=row[11],
            oldest_check=instant_or_none(row[12]),
            history_incomplete=row[13],
        ),
        cost=Cost(*row[14:18]),
        found=row[18],
        error=row[19],
        exit_code=row[20],
    )


def run_values(run: Run) -> dict[str, Any]:
    """Write ``run_columns``, by name."""
    saw, cost = run.coverage, run.cost
    values = (
        run.id, run.mode.value, run.status.value, run.market, stamp(run.started_at), stamp_or_none(run.finished_at),
        saw.artists, saw.checked, saw.fresh, saw.not_due, saw.failed, saw.paused, stamp_or_none(saw.oldest_check),
        saw.history_incomplete, cost.requests, cost.not_modified, cost.bytes_received, float(cost.seconds), run.found,
        run.error, run.exit_code,
    )  # fmt: skip
    return dict(zip(RUN_COLUMNS, values, strict=True))


def run_snapshot(run: Run) -> str:
    """Write a run as text, for a report that keeps it as it was."""
    return json.encode(run_values(run)).decode()


@_decoding
def run_of_snapshot(text: str) -> Run:
    """Read what ``run_snapshot`` wrote."""
    values = json.decode(text)
    return run(tuple(values[name] for name in RUN_COLUMNS))
