"""The machine under a user: what becomes of the database when the process dies, the disk is full, others hold the file.

The store is the real one, and so are SQLite's errors; what fails is the connection beneath it, at some statement.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from freshwax.store.frail import REPORTING, FrailConnection, locked_by_another
from freshwax.store.sqlite import SQLiteStore

PATIENCE = 0.2  # seconds that the store waits for a lock: nobody is to wait long for what never comes
SLOW_FOR = 300  # statements


class Closable(Protocol):
    """What ends when it is closed."""

    def close(self) -> None:
        """Close it."""
        ...


class Illness(StrEnum):
    """What may be wrong with a machine."""

    KILLED = "killed"
    FULL = "full"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    SLOW = "slow"


class Killed(BaseException):
    """The process is gone: nothing that it would have done next is done."""


class Machine:
    """Opens the database at ``path`` for one process after another, and lets it fail where ``strike`` says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: FrailConnection
        self.befell = False  # whether a process met with an illness, since this was reset
        self._pending: list[_Stroke] = []
        self._dead = False
        self._slow = 0
        self._other: Closable | None = None
        self.store = self._open()

    def strike(self, illness: Illness, after: int, *, printing: bool = False) -> None:
        """Let the machine fall ill before the statement that comes ``after`` so many others; ``printing``: so many
        others from the moment on when a report is being fixed.
        """
        self._pending.append(_Stroke(illness, after, printing=printing))

    def restart(self) -> None:
        """Be well again, with a new process; what the old one had not committed is gone."""
        self._pending.clear()
        self._slow = 0
        if self._other is not None:
            self._other.close()
            self._other = None
        if self._dead:
            self._connection.close()
        else:
            self.store.close()
        self._dead = False
        self.store = self._open()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _before(self, sql: str) -> None:
        """Fail before a statement, if it is time; raises ``Killed`` for a process that died here or earlier."""
        if self._slow:
            self._slow -= 1
            self._connection.dawdle()
        for stroke in list(self._pending):
            if stroke.is_due(sql):
                self._pending.remove(stroke)
                self._befall(stroke.illness)
        if self._dead:
            raise Killed

    def _befall(self, illness: Illness) -> None:
        self.befell = True
        match illness:
            case Illness.KILLED:
                self._dead = True
            case Illness.FULL:
                self._connection.fill_disk()
            case Illness.READ_ONLY:
                self._connection.forbid_writing()
            case Illness.LOCKED if self._other is None and not self._connection.in_transaction:
                self._other = locked_by_another(self.path)
            case Illness.SLOW:
                self._slow = SLOW_FOR

    def _open(self) -> SQLiteStore:
        machine = self

        class Connection(FrailConnection):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                self.before = machine._before
                machine._connection = self

        return SQLiteStore.open(self.path, patience=PATIENCE, factory=Connection)


class _Stroke:
    """One illness that is still to come."""

    def __init__(self, illness: Illness, after: int, *, printing: bool) -> None:
        self.illness = illness
        self._left = after
        self._waits = printing

    def is_due(self, sql: str) -> bool:
        if self._waits and not sql.startswith(REPORTING):
            return False
        self._waits = False
        self._left -= 1
        return self._left < 0
