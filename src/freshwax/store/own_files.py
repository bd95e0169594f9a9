"""Which files belong to a database, and which are databases of ours: what nobody may write anything else into."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from freshwax.store import migrate

_BESIDE = ("", "-wal", "-shm", "-journal", ".lock", ".report.lock", ".backups")


def belongs_to(database: Path, file: Path) -> bool:
    """Say whether a file is a database, or one of those that stand beside it, by whatever name or link."""
    names = {f"{base}{end}" for base in (os.path.realpath(database), os.path.abspath(database)) for end in _BESIDE}  # noqa: PTH100 -- links stay
    return bool({os.path.realpath(file), os.path.abspath(file)} & names) or same_as(file, map(Path, names))  # noqa: PTH100


def same_as(file: Path, others: Iterable[Path]) -> bool:
    """Say whether a file is one of some others, by whatever name or link."""
    return any(_same(file, other) for other in others)


def is_ours(file: Path) -> bool:
    """Say whether the header of a file says that it is a database of freshwax."""
    try:
        return file.is_file() and migrate.identity(file) == migrate.OURS
    except OSError:
        return False


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
