"""Files that hold secrets: whether others can read them, and what stands in them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from freshwax.errors import UsageError

OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
LARGEST = 64_000  # bytes; no secret is longer
# Where Docker, Podman and systemd put secrets: readable by all in a place of one service, and not ours to change.
HANDED_IN = ("/run/", "/var/run/")


def readable_by_others(path: Path) -> bool:
    """Whether anybody but its owner may read or change a file. On Windows that is not judged: modes say nothing."""
    if os.name == "nt":
        return False
    try:
        status = path.stat()
    except OSError:
        return False
    # A pipe (`<(pass show spotify)`) is a place that nobody else finds.
    return stat.S_ISREG(status.st_mode) and bool(status.st_mode & OTHERS)


def chmod(path: Path) -> str:
    """Return what to type so that nobody else can read a file."""
    import shlex  # noqa: PLC0415 -- only where something is wrong

    return f"`chmod 600 {shlex.quote(str(path))}`"


def _may_be_read(path: Path) -> bool:
    """Whether what is read of a file is its own, and has an end: a file, or what a program writes into a pipe."""
    kind = path.stat().st_mode
    return stat.S_ISREG(kind) or stat.S_ISFIFO(kind)


def secret_in(path: Path, where: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of a secret's file, and what is to be warned of; ``where`` names the setting.

    Raises UsageError where there is none.
    """
    try:
        if not _may_be_read(path):
            raise UsageError(f"{where}: cannot read {str(path)!r}: not a file.")
        with path.open("rb") as file:
            text = file.read(LARGEST + 1).decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError, too
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise UsageError(f"{where}: cannot read {str(path)!r}: {reason}.") from None
    if not text or len(text) > LARGEST:
        raise UsageError(f"{where}: {str(path)!r} is {'too large for a secret' if text else 'empty'}.")
    if readable_by_others(path) and not str(path.absolute()).startswith(HANDED_IN):
        return text, (f"Others on this machine can read the secret in {path}: {chmod(path)}.",)
    return text, ()
