"""Copies of a database: made while others write, looked through before they count, and put back whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from freshwax.errors import StoreError
from freshwax.store import migrate, rows
from freshwax.store.aside import put_aside
from freshwax.store.connecting import PATIENCE, connect
from freshwax.store.copying import copy_of, draft_beside, sync_folder, unwritable
from freshwax.store.database import refuse_loss
from freshwax.store.known_backups import Backup, is_seen, remember, traces
from freshwax.store.mending import make_readable
from freshwax.store.own_files import (
    belongs_to,
    foreign_log,
    is_ours,
    is_worked_on,
    same_as,
    stands_alone,
    stands_beside,
)
from freshwax.store.readable import unreadable
from freshwax.store.sql import queries
from freshwax.store.swap import free_name, put_in_place
from freshwax.store.tables import lacking
from freshwax.store.taking_over import take_over
from freshwax.store.trouble import FAILURES, damaged, is_damage, missing, translated, words_for


class Contents(Struct, frozen=True):
    """What a database holds: artists that are followed, releases, the start of its last run; and its schema."""

    artists: int
    releases: int
    last_run: datetime | None
    schema: int


class BackedUp(Struct, frozen=True):
    """What a backup holds, and where what stood in its place is kept (None: nothing, or an older backup)."""

    contents: Contents
    kept: Path | None


class Soundness(Struct, frozen=True):
    """A database's schema version (None: unreadable), what is wrong with it, and what to do about that."""

    schema: int | None
    problems: tuple[str, ...]
    advice: str


class Restored(Struct, frozen=True):
    """What was put back, and where the database before it is kept (None: there was none).

    ``remembered``: whether what that one told is not told again.
    """

    contents: Contents
    kept: Path | None
    remembered: bool = False


def back_up(database: Path, target: Path, now: datetime, *, replace: bool = False) -> BackedUp:
    """Copy ``database`` to ``target``, as one moment of it, whoever writes meanwhile; return what the copy holds.

    The copy is looked through before it gets its name, and remembered as a backup of this database. StoreError: the
    target is there already (unless ``replace``), or cannot be written; the database is not there, or is damaged. No
    file is replaced but an older backup of this database, and none that holds artists by one that holds none. Where
    somebody wrote to that one, or a log stands there, they are kept; StoreLocked: somebody writes to it now.
    """
    refuse_unusable(database)
    _refuse_target(database, target, replace=replace)
    target = Path(os.path.realpath(target))
    with draft_beside(target, now) as draft:
        if _copied_with_flaws(database, draft, target):
            raise damaged(str(database))
        contents = contents_of(draft)
        kept = _take_name(draft, target, contents, now)
    sync_folder(target.parent)
    remember(database, Backup(str(target), now))
    return BackedUp(contents, kept)


def restore(database: Path, file: Path, now: datetime) -> Restored:
    """Put a backup in the place of ``database``, which is kept under another name, damaged or not.

    The caller holds the run lock. The backup is looked through first; of the database before it, the requests since the
    backup and the cooldowns are taken over, where they can be read: the source counts them, too. So is what it told
    since, where it is sound: whoever reads the reports knows that. StoreError: the file is no sound database of ours,
    or ``database`` is another program's; StoreLocked: another program uses the database. Then nothing has changed.
    """
    if same_as(file, [database]):
        raise StoreError(f"{file} is the database itself: give a backup of it")
    _refuse_no_backup(file)
    real = Path(os.path.realpath(database))
    _refuse_to_replace_others(real)
    alien = foreign_log(real)
    try:
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(real, error.strerror) from error
    with draft_beside(real, now) as draft:
        wrong = _copied_with_flaws(file, draft, real)
        contents = contents_of(draft, str(file)) if not wrong else None
        if contents is None or not contents.schema:
            raise _spoilt(file, wrong[0] if wrong else "it holds nothing")
        remembered = not alien and take_over(real, draft, sound=real.is_file() and not unsound(real))
        make_readable(draft)  # the one before it may hold what cannot be read
        name = free_name(real, "before-restore", now)
        kept = put_aside(real, name) if alien else None  # nobody can open it without playing that log into it
        kept = put_in_place(draft, real, name) or kept
    return Restored(contents, kept, remembered)


def contents_of(file: Path, name: str | None = None) -> Contents:
    """Return what a sound database holds. StoreError, about ``name``: not ours, or newer than this freshwax."""
    with translated(name or str(file)), closing(connect(file, read_only=True, patience=PATIENCE)) as connection:
        schema = migrate.version_of(connection, name or str(file))
        row = connection.execute(queries()["contents"]).fetchone() if schema else (0, 0, None)
    artists, releases, last_run = row
    return Contents(artists, releases, rows.instant_or_none(last_run), schema)


def soundness(database: Path) -> Soundness:
    """Say whether a database is sound. StoreError: not ours, newer, locked, or not readable for want of permission."""
    path = str(database)
    refuse_unusable(database)
    with translated(path):
        wrong = flaws(database)
        try:
            with closing(connect(database, read_only=True, patience=PATIENCE)) as connection:
                schema = migrate.version_of(connection, path)
        except FAILURES as error:
            if not is_damage(error):
                raise
            schema = None
    return Soundness(schema, tuple(wrong), str(damaged(path)) if wrong else "")


def flaws(file: Path) -> list[str]:
    """Return what is wrong inside a database file, a line each.

    SQLite's own check; where that finds nothing, what refers to nothing, and what freshwax cannot read.
    """
    return _looked_through(file, _flaws)


def unsound(file: Path) -> list[str]:
    """Return what SQLite's own check finds wrong in a file, a line each."""
    return _looked_through(file, _damage)


def _looked_through(file: Path, look: Callable[[sqlite3.Connection], list[str]]) -> list[str]:
    try:
        with closing(connect(file, read_only=True, patience=PATIENCE)) as connection:
            return look(connection)
    except FAILURES as error:
        if not is_damage(error):
            raise
        return [words_for(error)]


def _flaws(connection: sqlite3.Connection) -> list[str]:
    found = _damage(connection) or [f"the table {table} has lost a column" for table in lacking(connection)]
    if found:
        return found
    loose = {f"rows of {row[0]} refer to {row[2]} that are not there" for row in connection.execute(migrate.LOOSE)}
    spoilt = {f"rows of {table} hold a {column} that cannot be read" for table, column in unreadable(connection)}
    return sorted(loose) + sorted(spoilt)


def _damage(connection: sqlite3.Connection) -> list[str]:
    return [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]


def _spoilt(file: Path, why: str) -> StoreError:
    return StoreError(f"{file} is damaged ({why}): give another backup")


def refuse_unusable(database: Path) -> None:
    """Raise StoreError unless there is a database that says that it is ours; an empty file is none yet."""
    if database.exists() and not database.is_file():
        raise StoreError(f"{database} is not a file: give the path of a database")
    try:
        refuse_loss(database)
        if not database.exists() or not database.stat().st_size:
            raise missing(str(database))
        migrate.refuse_foreign_file(database)
    except OSError as error:
        raise _unreadable(database, error) from error


def _refuse_no_backup(file: Path) -> None:
    """Raise StoreError unless there is a file that says that it is ours."""
    if not file.exists():
        raise StoreError(f"there is no backup at {file}: give the path of one")
    if not file.is_file():
        raise StoreError(f"{file} is not a file: give the path of a backup")
    try:
        found = migrate.identity(file) if file.stat().st_size else b""
    except OSError as error:
        raise _unreadable(file, error) from error
    if found != migrate.OURS:
        why = {None: "is damaged or not a database", b"": "is empty"}.get(found, "is a database of another program")
        raise StoreError(f"{file} {why}: give the path of a backup")
    if log := foreign_log(file):
        raise migrate.foreign_log_beside(log, file)


def _refuse_to_replace_others(database: Path) -> None:
    """Raise StoreError where a restored database would take the place of a folder, or of another program's."""
    if database.is_dir():
        raise StoreError(f"{database} is a folder: give the path of a database file in it")
    if not database.is_file() or traces(database):  # of ours, whatever a damaged header says
        return
    if Path(f"{database}-journal").exists():  # the header may say anything until SQLite has taken that back
        with suppress(*FAILURES), closing(connect(database, read_only=True, patience=PATIENCE)) as connection:
            migrate.version_of(connection, str(database))
    elif migrate.identity(database) not in {None, migrate.OURS}:
        raise migrate.foreign(str(database))


def _unreadable(file: Path, error: OSError) -> StoreError:
    return StoreError(f"{file} cannot be read ({error.strerror}): correct that, or give another path")


def _refuse_target(database: Path, target: Path, *, replace: bool) -> None:
    if belongs_to(database, target):
        raise StoreError(f"{target} belongs to the database itself: give another path for the backup")
    if stands_beside(target):
        raise StoreError(f"{target} belongs to another database: give another path for the backup")
    if target.is_dir():
        raise StoreError(f"{target} is a folder: give the path of a file in it")
    if target.exists() and not target.is_file():
        raise StoreError(f"{target} is not a file: give another path for the backup")
    if target.exists() and not replace:
        raise StoreError(f"{target} is there already: give another path, or replace it with --force")
    if target.exists() and target.stat().st_size and not is_ours(target):
        raise StoreError(f"{target} is no backup of freshwax: give another path, or delete that file first")
    if target.exists() and is_worked_on(target):
        raise StoreError(f"{target} is a database that freshwax works on, no backup: give another path")


def _take_name(draft: Path, target: Path, contents: Contents, now: datetime) -> Path | None:
    """Give a backup its name; what stands there is kept, and its new name returned, unless it is an older backup."""
    kept = None
    older = _is_older(target, draft, contents) if is_seen(target) and target.stat().st_size else True
    if not older or not stands_alone(target):
        kept = put_aside(target, free_name(target, "before-backup", now))
    try:
        draft.replace(target)
    except OSError as error:
        raise unwritable(target, error.strerror) from error
    return kept


def _is_older(target: Path, draft: Path, contents: Contents) -> bool:
    """Say whether a file can be read, and is of the database of which ``draft`` is a copy. StoreError: of another one.

    Where they share an artist or a run, with its time, one was the other. A backup of artists never gives way to one of
    none: the database may be a new one.
    """
    try:
        with closing(connect(draft, read_only=True, patience=PATIENCE)) as copy:
            # As it lies there: to open it otherwise would play a log into it, be it its own or not.
            copy.execute("ATTACH ? AS old", (f"{target.absolute().as_uri()}?immutable=1",))
            held, known = copy.execute(queries()["standing"]).fetchone()
    except FAILURES:
        return False
    if held and not contents.artists:
        followed = f"{held:,} artist{'s' * (held != 1)}"
        raise StoreError(f"{target} holds {followed}, the database none: give another path, or delete that file first")
    if not known:
        raise StoreError(f"{target} is a backup of another database: give another path, or delete that file first")
    return True


def _copied_with_flaws(source: Path, draft: Path, target: Path) -> list[str]:
    """Copy a database, and return what is wrong with it."""
    try:
        copy_of(source, draft, target)
    except FAILURES as error:
        return [words_for(error)]
    return flaws(draft)
