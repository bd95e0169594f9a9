"""One run at a time on a database: a lock of the operating system, which ends with the process that held it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from freshwax.errors import Busy, StoreError

TRIES = 10_000  # how often a lock is tried that others merely look at: ``is_held`` has it for some microseconds
# Windows locks bytes, and nobody else may read those: one far behind the text.
_BYTE = 1 << 20


class RunLock:
    """Held by the one process that may run on the database at ``path`` (None or ``:memory:``: nothing to lock).

    The file ``<path>.lock`` stays when the lock is released: to delete it would let a third process lock a new file
    while a second one waits on the deleted one. It says who runs, since ``start``, for the sentence that others get.
    """

    def __init__(self, path: str | Path | None, start: datetime | None = None) -> None:
        name = None if path is None or str(path) == ":memory:" else os.path.realpath(path)
        self._database = name
        self._file = None if name is None else Path(f"{name}.lock")
        self._start = start
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Take the lock. Raises ``Busy``, which names the other run, where it is taken; it never waits."""
        if self._file is None:
            return
        if self._descriptor is not None:
            raise RuntimeError("this lock is held already")
        descriptor = self._open(self._file)
        try:
            self._take(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise _unusable(self._file, error) from error
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _take(self, descriptor: int) -> None:
        for _ in range(TRIES):
            if _try(descriptor):
                break
            if not _look(descriptor):
                raise Busy(_sentence(descriptor, self._database))
        else:
            raise Busy(_sentence(descriptor, self._database))
        start = self._start.astimezone(UTC).isoformat(timespec="seconds") if self._start else ""
        _write(descriptor, f"{os.getpid()} {start}\n")

    def release(self) -> None:
        """Give the lock back. Idempotent."""
        if self._descriptor is None:
            return
        try:
            _write(self._descriptor, "")
        finally:
            _give_back(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    @staticmethod
    def _open(file: Path) -> int:
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(file, error) from error


def is_held(path: str | Path) -> bool:
    """Return whether a run is active on the database at ``path``: whether a living process holds its lock.

    Makes and changes nothing, and never waits. Where nobody can tell, one is.
    """
    try:
        descriptor = os.open(f"{os.path.realpath(path)}.lock", _LOOKING)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not _look(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)


def _unusable(file: Path, error: OSError) -> StoreError:
    return StoreError(f"{file} cannot be locked ({error.strerror}): make it and its folder writable")


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, text.encode())


def _sentence(descriptor: int, database: str | None) -> str:
    """Say who holds the lock, as far as it has written that down."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    pid, _, start = os.read(descriptor, 200).decode(errors="replace").strip().partition(" ")
    who = (f", started at {_readable(start)}" if start else "") + (f", process {pid}" if pid else "")
    return f"another run is active on {database}{who}: wait until it has ended, then try again"


def _readable(start: str) -> str:
    try:
        return f"{datetime.fromisoformat(start):%H:%M UTC on %Y-%m-%d}"
    except ValueError:
        return start


if sys.platform == "win32":
    import msvcrt

    _LOOKING = os.O_RDWR

    def _look(descriptor: int) -> bool:
        free = _try(descriptor)
        if free:
            _give_back(descriptor)
        return free

    def _try(descriptor: int) -> bool:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _give_back(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    _LOOKING = os.O_RDONLY

    def _look(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # others who look do not bar it, a run does
        except BlockingIOError:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.sched_yield()  # to whoever else has it for the moment
        return True

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _give_back(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
