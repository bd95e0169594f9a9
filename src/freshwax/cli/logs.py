"""Logs: one line a record, whatever its text holds; as text for people, or as JSON for programs."""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import click

from freshwax.config import Config
from freshwax.errors import UsageError
from freshwax.reports.escape import json_safe, visible
from freshwax.secret import MASK, SHORTEST

# Requests and tokens are HTTP's business; its debug log would hold headers.
QUIET_LOGGERS = ("httpx2", "httpcore2", "asyncio")
LARGEST, KEPT = 1_000_000, 3  # bytes of a log file, and how many old ones are kept


def log_to_people(config: Config, *, detailed: bool) -> None:
    """Log to standard error, with ``detailed`` each request and each decision, too."""
    _attach(logging.StreamHandler(), config, logging.DEBUG if detailed else logging.INFO, timed=False)


def log_to_file(config: Config, path: Path) -> None:
    """Log to a file that only its owner may read; it is rotated at 1 MB, three old ones kept. Raises UsageError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _PrivateFile(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The log file {str(path)!r} cannot be written: {error.strerror}.") from None
    _attach(handler, config, logging.getLevelNamesMapping()[config.log_level.upper()], timed=True)


def _attach(handler: logging.Handler, config: Config, level: int, *, timed: bool) -> None:
    secrets = config.spotify_client_id, config.spotify_client_secret, config.heartbeat_url
    form = _Json if config.log_format == "json" else _Text
    hidden = [text for text in (secret.reveal() for secret in secrets) if len(text) >= SHORTEST]
    handler.setFormatter(form(sorted(hidden, key=len, reverse=True), timed=timed))
    handler.setLevel(level)
    logging.getLogger().addHandler(handler)
    ours = logging.getLogger("freshwax")
    ours.setLevel(min(level, ours.level or level))  # what no handler wants is not even put together
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


class _PrivateFile(RotatingFileHandler):
    """Makes its files readable by their owner only; a disk that is full is said once, and stops nothing."""

    def __init__(self, path: Path, **options: Any) -> None:
        super().__init__(path, **options)
        self._said = False

    def _open(self) -> Any:
        return open(
            self.baseFilename, self.mode, encoding=self.encoding, opener=lambda path, flags: os.open(path, flags, 0o600)
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Say why a record could not be written."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._said:
            self._said = True
            path = visible(repr(self.baseFilename))
            click.echo(f"The log file {path} cannot be written: {error.strerror}. All else goes on.", err=True)


class _Formatter(logging.Formatter):
    """What both formats share: texts without the secrets, and the time in UTC."""

    def __init__(self, hidden: list[str], *, timed: bool) -> None:
        super().__init__()
        self.timed = timed
        self._hidden = hidden

    def masked(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, MASK)
        return text

    def traceback(self, record: logging.LogRecord) -> str:
        return self.masked(self.formatException(record.exc_info)) if record.exc_info else ""

    @staticmethod
    def time(record: logging.LogRecord, precision: str) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec=precision)[:-6] + "Z"


class _Text(_Formatter):
    """``2026-03-06T18:00:00Z INFO freshwax.tracking.run: run 7 (incremental) begins``; a traceback is indented."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{record.levelname} {record.name}: {visible(self.masked(record.getMessage()))}"
        if self.timed:
            line = f"{self.time(record, 'seconds')} {line}"
        return "\n    ".join([line, *(visible(one) for one in self.traceback(record).splitlines())])


class _Json(_Formatter):
    """An object a line: ``time``, ``level``, ``logger``, ``message``; ``run_id`` and ``exception`` where known."""

    def format(self, record: logging.LogRecord) -> str:
        import msgspec

        entry: dict[str, object] = {
            "time": self.time(record, "milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.masked(record.getMessage()),
        }
        run_id = getattr(record, "run_id", None)
        if run_id is not None:
            entry["run_id"] = run_id
        if record.exc_info:
            entry["exception"] = self.traceback(record)
        # Lone surrogates cannot be encoded: their escapes say as much.
        whole = {key: _encodable(value) for key, value in entry.items()}
        return json_safe(msgspec.json.encode(whole).decode())


def _encodable(value: object) -> object:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
