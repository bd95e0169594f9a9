"""The machine under a user: what becomes of the database when the process dies, the disk is full, others hold the file.

The store is the real one, and so are SQLite's errors; what fails is the connection beneath it, at some statement.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from freshwax.store.sqlite import SQLiteStore

PATIENCE = 0.2  # seconds that the store waits for a lock: nobody is to wait long for what never comes
SLOW = 0.001  # seconds
SLOW_FOR = 300  # statements
PRINTING = "INSERT INTO reports"


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
        self.connection: sqlite3.Connection
        self.befell = False  # whether the last process met with an illness
        self._pending: list[_Stroke] = []
        self._dead = False
        self._slow = 0
        self._other: sqlite3.Connection | None = None
        self.store = self._open()

    def strike(self, illness: Illness, after: int, *, printing: bool = False) -> None:
        """Let the machine fall ill before the statement that comes ``after`` so many others; ``printing``: so many
        others from the moment on when a report is being fixed.
        """
        self.befell = False
        self._pending.append(_Stroke(illness, after, printing=printing))

    def restart(self) -> None:
        """Be well again, with a new process; what the old one had not committed is gone."""
        self._pending.clear()
        self._slow = 0
        if self._other is not None:
            self._other.close()
            self._other = None
        if self._dead:
            self.connection.close()
        else:
            self.store.close()
        self._dead = False
        self.store = self._open()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def before(self, connection: sqlite3.Connection, sql: str) -> None:
        """Fail before a statement, if it is time; raises ``Killed`` for a process that died here or earlier."""
        if self._slow:
            self._slow -= 1
            time.sleep(SLOW)
        for stroke in list(self._pending):
            if stroke.is_due(sql):
                self._pending.remove(stroke)
                self._befall(stroke.illness, connection)
        if self._dead:
            raise Killed

    def _befall(self, illness: Illness, connection: sqlite3.Connection) -> None:
        self.befell = True
        tell = partial(sqlite3.Connection.execute, connection)  # these are no statements of the program
        match illness:
            case Illness.KILLED:
                self._dead = True
            case Illness.FULL:
                (pages,) = tell("PRAGMA page_count").fetchone()
                tell(f"PRAGMA max_page_count = {pages}")
            case Illness.READ_ONLY:
                tell("PRAGMA query_only = ON")
            case Illness.LOCKED:
                self._hold(connection)
            case Illness.SLOW:
                self._slow = SLOW_FOR

    def _hold(self, connection: sqlite3.Connection) -> None:
        """Let another program hold the database, unless ours does."""
        if connection.in_transaction or self._other is not None:
            return
        self._other = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._other.execute("BEGIN IMMEDIATE")

    def _open(self) -> SQLiteStore:
        machine = self

        class Frail(_Frail):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                self.before = partial(machine.before, self)
                machine.connection = self

        return SQLiteStore.open(self.path, patience=PATIENCE, factory=Frail)


class _Stroke:
    """One illness that is still to come."""

    def __init__(self, illness: Illness, after: int, *, printing: bool) -> None:
        self.illness = illness
        self._left = after
        self._waits = printing

    def is_due(self, sql: str) -> bool:
        if self._waits and not sql.lstrip().startswith(PRINTING):
            return False
        self._waits = False
        self._left -= 1
        return self._left < 0


class _Frail(sqlite3.Connection):
    """A connection of SQLite on a machine that may fail; ``before`` is told of each statement."""

    before: Callable[[str], None]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """See ``sqlite3.Connection``."""
        self.before(sql)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        """See ``sqlite3.Connection``."""
        self.before(sql)
        return super().executemany(sql, parameters)
