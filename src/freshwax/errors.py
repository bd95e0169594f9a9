"""The errors of freshwax, one tree.

FreshwaxError                 anything that a user can be told in one sentence; ``exit_code`` says how a command ends
├── UsageError           2    wrong arguments, configuration, input files
├── Busy                 4    another run holds the database
├── StoreError           2    the database cannot be used
│   ├── StoreMissing          there is none yet
│   ├── StoreDamaged          it is damaged, or gone although there were backups of it
│   └── StoreLocked      4    it is locked by another program
├── AuthError            5    credentials missing or refused
└── SourceError          3    the network or the service
    ├── CheckError            one artist's check failed; others may go on (``code`` says how)
    ├── Paused                quota or cooldown: nothing more can be asked before ``until``
    ├── SourceDown            the circuit is open: the source is left alone for this run
    └── ClockSkew             the clock and the service's Date header differ by more than a day
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


class FreshwaxError(Exception):
    """Anything that a user can be told in one clear sentence, with what to do next.

    ``details`` are lines to stand below it: a choice, say.
    """

    exit_code = 1

    def __init__(self, message: str = "", *, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class UsageError(FreshwaxError):
    """Wrong usage, configuration or input."""

    exit_code = 2


class Busy(FreshwaxError):
    """Another run is active on this database."""

    exit_code = 4


class StoreError(FreshwaxError):
    """The database cannot be opened, read or written."""

    exit_code = 2


class StoreMissing(StoreError):
    """There is no database yet."""


class StoreDamaged(StoreError):
    """The database is damaged, or gone although there were backups of it."""


class StoreLocked(StoreError):
    """The database is locked by another program."""

    exit_code = 4


class AuthError(FreshwaxError):
    """Credentials are missing or refused."""

    exit_code = 5


class SourceError(FreshwaxError):
    """The network or the service failed."""

    exit_code = 3


class CheckError(SourceError):
    """One artist's check failed.

    ``code`` is a stable word: ``not_found``, ``empty``, ``incomplete``, ``bad_id``, ``bad_data``, ``too_large``,
    ``server``, ``network``, ``timeout``, ``forbidden``, ``http``. ``transient``: the source itself seems ill (counts
    towards the circuit breaker).
    """

    def __init__(self, message: str, *, code: str, transient: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.transient = transient


class Paused(SourceError):
    """Nothing more can be asked of the source before ``until`` (None: before the next run)."""

    def __init__(self, message: str, *, reason: str, until: datetime | None) -> None:
        super().__init__(message)
        self.reason = reason
        self.until = until


class SourceDown(SourceError):
    """Too many failures in a row: the source is left alone for the rest of this run."""


class ClockSkew(SourceError):
    """The machine's clock and the source's differ by more than a day."""
