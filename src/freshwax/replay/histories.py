"""Worlds to replay: recorded histories from CSV files, and the invented world of the demo."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TextIO

from freshwax.demo.generate import generate
from freshwax.demo.world import World, instant, release_date
from freshwax.errors import UsageError
from freshwax.model import Group, Precision

NEEDED = ("artist_id", "release_id", "title", "type", "release_date")
FILLED = ("artist_id", "release_id", "type", "release_date")
OPTIONAL = ("artist_name", "date_precision", "appears_at")
DEMO_ARTISTS = 500
DEMO_LEARNT = date(2025, 1, 1)  # the life of the demo's world begins here: a year of it is learnt
DEMO_START = date(2026, 1, 1)
DEMO_WEEKS = 52
_Check = Callable[[dict[str, str], str], dict[str, str]]
_GZIP = b"\x1f\x8b"


def read_world(path: Path, only: frozenset[str] | None = None) -> World:
    """Return the world of a CSV file (gzipped or not), of all artists or of ``only`` these.

    Columns: ``artist_id``, ``release_id``, ``title``, ``type``, ``release_date``, and if there are ``artist_name``,
    ``date_precision``, ``appears_at``. UsageError with the line's number for whatever is missing or impossible.
    """
    rows = [row for row in _rows(path, NEEDED, _checked) if only is None or row["artist_id"] in only]
    if not rows:
        whose = "no release of the artists asked for" if only is not None else "no release"
        raise UsageError(f"{str(path)!r} holds {whose}; a history needs at least one.")
    return World.from_rows(rows)


def read_artists(path: Path, complete_before: date | None = None) -> frozenset[str]:
    """Return the IDs in a CSV file's column ``artist_id``.

    With ``complete_before``: those whose history is whole from before that day on, by the columns ``completeness``
    (``all``, ``since_oldest_single``) and ``complete_from``.
    """
    needed = ("artist_id",) if complete_before is None else ("artist_id", "completeness", "complete_from")
    rows = _rows(path, needed, lambda row, _: row)
    found = frozenset(row["artist_id"] for row in rows if complete_before is None or _complete(row, complete_before))
    if not found:
        raise UsageError(f"{str(path)!r} names no artist whose history is complete from then on.")
    return found


def demo_world(seed: int, artists: int = DEMO_ARTISTS) -> World:
    """Return an invented world with the demo's habits: a year to learn, and a year to replay."""
    end = DEMO_START + timedelta(weeks=DEMO_WEEKS)
    return generate(seed, artists=artists, start=DEMO_LEARNT, end=end)


def _complete(row: Mapping[str, str], before: date) -> bool:
    since = row["completeness"] == "since_oldest_single" and row["complete_from"] < before.isoformat()
    return row["completeness"] == "all" or since


def _rows(path: Path, needed: Sequence[str], check: _Check) -> Iterator[dict[str, str]]:
    """Read a CSV file row by row; every error names the file and the line."""
    name = repr(str(path))
    try:
        with _text(path) as file:
            yield from _parse(file, name, needed, check)
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not text in UTF-8; save it as CSV in UTF-8.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UsageError(f"{name} is a damaged gzip file.") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from None


def _text(path: Path) -> TextIO:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    raw = gzip.open(path, "rb") if packed else path.open("rb")  # noqa: SIM115 -- the wrapper closes it
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _parse(file: TextIO, name: str, needed: Sequence[str], check: _Check) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(file, strict=True)
    line = 0
    try:
        _header(reader.fieldnames, name, needed)
        line = reader.reader.line_num
        for row in reader:
            line = reader.reader.line_num  # DictReader's own would count no empty lines
            where = f"{name}, line {line}"
            cells = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
            if None in row:
                raise UsageError(f"{where}: there are more cells than columns; quote what holds a comma.")
            if not cells["artist_id"]:
                raise UsageError(f"{where}: artist_id is empty.")
            yield check(cells, where)
    except csv.Error as error:
        # The row that offends begins after the last that was read well.
        why = "a quote that begins in this row has no end" if "end of data" in str(error) else str(error)
        raise UsageError(f"{name}, line {line + 1}: this is not CSV ({why}).") from None


def _header(columns: Iterable[str] | None, name: str, needed: Sequence[str]) -> None:
    if columns is None:
        raise UsageError(f"{name} is empty; its first line names the columns: {', '.join(needed)}.")
    missing = [column for column in needed if column not in set(columns)]
    if missing:
        what = "column is" if len(missing) == 1 else "columns are"
        raise UsageError(f"{name}, line 1: the {what} missing: {', '.join(missing)}.")


def _checked(row: dict[str, str], where: str) -> dict[str, str]:
    """Return a row of a history as ``World.from_rows`` wants it."""
    for column in FILLED:
        if not row[column]:
            raise UsageError(f"{where}: {column} is empty.")
    if row["type"] not in set(Group):
        raise UsageError(f"{where}: the type {row['type']!r} is none of {', '.join(Group)}.")
    precision = row.get("date_precision") or None
    if precision is not None and precision not in set(Precision):
        raise UsageError(f"{where}: the date_precision {precision!r} is none of {', '.join(Precision)}.")
    if not _possible(row["release_date"]):
        raise UsageError(f"{where}: {row['release_date']!r} is not a date; write 2019, 2019-03 or 2019-03-08.")
    appears = row.get("appears_at")
    if appears and not _is_instant(appears):
        raise UsageError(f"{where}: appears_at {appears!r} is not an instant; write 2019-03-08T06:30 (in UTC).")
    return {**row, "artist_name": row.get("artist_name") or row["artist_id"], "date_precision": precision or ""}


def _possible(value: str) -> bool:
    return len(value) in {4, 7, 10} and value[:4].isdecimal() and release_date(value).first_day != date.min


def _is_instant(value: str) -> bool:
    try:
        return instant(value) > datetime(1, 1, 2, tzinfo=UTC)
    except (ValueError, OverflowError):
        return False
