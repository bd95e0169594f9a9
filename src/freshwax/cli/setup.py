"""What every command is given: the global options, and the configuration once it is needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import click

from freshwax.config import Config, load
from freshwax.reports.escape import visible

# Requests and tokens are HTTP's business; its debug log would hold headers.
QUIET_LOGGERS = ("httpx2", "httpcore2", "asyncio")


class Setup:
    """The global options. Commands get it with ``@click.pass_obj``."""

    def __init__(self, file: Path | None, database: str | None, verbose: int, quiet: bool) -> None:
        self.file = file
        self.database = database
        self.verbose = verbose
        self.quiet = quiet

    @cached_property
    def config(self) -> Config:
        """The configuration, read and checked when a command first asks for it; logging is set up by it, too."""
        config = load(self.file, overrides={"database": self.database})
        for warning in config.warnings:
            self.say(warning)
        if self.verbose or config.log_file:
            self._log(config)
        return config

    def say(self, text: str) -> None:
        """Tell people something, on standard error, unless they asked for quiet."""
        if not self.quiet:
            click.echo("\n".join(visible(line) for line in text.split("\n")), err=True)

    def _log(self, config: Config) -> None:
        import logging

        if self.verbose:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
            handler.setLevel(logging.DEBUG if self.verbose > 1 else logging.INFO)
            _attach(handler)
        if config.log_file:
            log_to_file(Path(config.log_file), config.log_level)


def log_to_file(path: Path, level: str) -> None:
    """Log to a file that is rotated at 1 MB, three old ones kept."""
    import logging
    import time
    from logging.handlers import RotatingFileHandler

    from freshwax.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The log file {str(path)!r} cannot be written: {error.strerror}.") from None
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.setLevel(level.upper())
    _attach(handler)


def mute_unless_attached() -> None:
    """Keep Python from printing warnings for which nobody set up a log: the report says what they say."""
    import logging

    logging.getLogger("freshwax").addHandler(logging.NullHandler())


def default_log_file() -> Path:
    """Return where a run in the background logs when nothing else is set."""
    from platformdirs import user_log_path

    return user_log_path("freshwax", appauthor=False) / "freshwax.log"


def _attach(handler: object) -> None:
    import logging

    assert isinstance(handler, logging.Handler)
    logging.getLogger().addHandler(handler)
    logging.getLogger("freshwax").setLevel(logging.DEBUG)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
