"""Files put out of the way whole: a database that stands where another is to stand, with the logs that SQLite left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from freshwax.errors import StoreError
from freshwax.store.connecting import PATIENCE, connect
from freshwax.store.own_files import LOGS, foreign_log
from freshwax.store.trouble import is_damage, translated


def put_aside(file: Path, kept: Path) -> Path | None:
    """Move what stands at a path, and its logs, to other names; return the first of those, None if nothing stood there.

    What was written is folded into the file, where that can be done; logs that are not its own, or of a damaged file,
    go with it as they are. StoreLocked: somebody uses it; StoreError: it cannot be moved. Then it stands.
    """
    moved: list[tuple[Path, Path]] = []
    with _unused(file):
        try:
            for end in (*LOGS, ""):
                one, other = Path(f"{file}{end}"), Path(f"{kept}{end}")
                if one.exists():
                    one.replace(other)
                    moved.append((other, one))
        except OSError as error:
            for other, one in moved:
                with suppress(OSError):
                    other.replace(one)
            raise StoreError(f"{file} cannot be moved ({error.strerror}): correct that, and try again") from error
    return moved[-1][0] if moved else None


@contextmanager
def _unused(file: Path) -> Iterator[None]:
    """Lock everybody out of a database, if it can be opened without a risk."""
    if not file.exists() or not file.stat().st_size or foreign_log(file):
        yield
        return
    try:
        with translated(str(file)):
            held = connect(file, read_only=False, patience=PATIENCE)
            try:
                held.execute("PRAGMA journal_mode = DELETE")  # for its sole user only
                held.execute("BEGIN EXCLUSIVE")
            except BaseException:
                held.close()
                raise
    except StoreError as error:
        if not is_damage(error.__cause__):
            raise
        held = None
    try:
        if held and os.name == "nt":  # where an open file cannot be moved
            held.close()
        yield
    finally:
        if held:
            held.close()
