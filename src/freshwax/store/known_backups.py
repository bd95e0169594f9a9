"""Where the backups of a database lie: a list beside it, which outlives what happens to the database itself."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError, json

from freshwax.store import migrate
from freshwax.store.readable import unreadable
from freshwax.store.tables import lacking
from freshwax.store.trouble import FAILURES

KEPT = 20  # entries of the list
_LOOK = "PRAGMA quick_check(1)"


class Backup(Struct, frozen=True):
    """A file that was a good copy of the database at an instant."""

    path: str
    at: datetime


def list_of(database: str | Path) -> Path:
    """Return the file that says where a database's backups lie."""
    return Path(f"{os.path.realpath(database)}.backups")


def remember(database: str | Path, backup: Backup) -> None:
    """Add a backup to the list, in the place of an older one at the same path. What cannot be written is left out.

    The backup itself stands already: that nobody will be told of it is no reason to call it failed.
    """
    others = [one for one in _listed(database) if one.path != backup.path]
    lines = [json.encode(one) + b"\n" for one in (*others, backup)][-KEPT:]
    target = list_of(database)
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    with suppress(OSError):
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            file.writelines(lines)
        draft.replace(target)


def known(database: str | Path) -> list[Backup]:
    """Return the backups that are still there, the newest first: those listed, and the copies that migrations made."""
    found = {one.path: one for one in (*_made_by_migrations(database), *_listed(database))}
    there = (one for one in found.values() if is_seen(one.path))
    return sorted(there, key=lambda one: (one.at, one.path), reverse=True)


def traces(database: str | Path) -> list[Path]:
    """Return the files that show that there was a database: the list of its backups, and copies of migrations."""
    listed = list_of(database)
    copies = sorted(Path(one.path) for one in _made_by_migrations(database))
    return [listed, *copies] if is_seen(listed) else copies


def newest_good(database: str | Path) -> Backup | None:
    """Return the newest backup that can be restored, as far as a quick look at it shows."""
    return next((one for one in known(database) if _looks_good(Path(one.path))), None)


def newest_absent(database: str | Path) -> Backup | None:
    """Return the newest backup of the list that is not where it was: deleted, or on a drive that is away."""
    absent = (one for one in _listed(database) if not is_seen(one.path))
    return max(absent, key=lambda one: one.at, default=None)


def is_seen(path: str | Path) -> bool:
    """Return whether a file is there, as far as one may look; ``Path.is_file`` raises where one may not."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def _listed(database: str | Path) -> Iterator[Backup]:
    try:
        lines = list_of(database).read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        with suppress(DecodeError, ValidationError):  # a line that somebody spoilt says nothing about the others
            one = json.decode(line, type=Backup)
            if one.at.tzinfo is not None and Path(one.path).is_absolute():
                yield one


def _made_by_migrations(database: str | Path) -> Iterator[Backup]:
    path = Path(os.path.realpath(database))
    for copy in path.parent.glob(f"{_literal(path.name)}.before-v*.bak"):
        with suppress(OSError):
            yield Backup(str(copy), datetime.fromtimestamp(copy.stat().st_mtime, UTC))


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _looks_good(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
            (identity,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            ours = identity == migrate.APPLICATION_ID and 0 < version <= max(migrate.migrations())
            if not ours or connection.execute(_LOOK).fetchone() != ("ok",):
                return False
            return not lacking(connection) and not any(unreadable(connection))
    except FAILURES:
        return False
