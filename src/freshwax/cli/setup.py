"""What every command is given: the global options, and the configuration once it is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import click

from freshwax.config import Config, load
from freshwax.reports.escape import visible


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
            from freshwax.cli.logs import log_to_file, log_to_people

            if self.verbose:
                log_to_people(config, detailed=self.verbose > 1)
            if config.log_file:
                from freshwax import app

                app.refuse_own(config, Path(config.log_file))
                log_to_file(config, Path(config.log_file))
        return config

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """What precedes a run: where it raises, the monitoring service is told that the run could not begin."""
        try:
            yield
        except BaseException:
            from freshwax import app
            from freshwax.config.heartbeat import heartbeat_url

            with app.pulse(heartbeat_url(self.file), "fail", self.warn):
                raise

    def say(self, text: str) -> None:
        """Tell people something, on standard error, unless they asked for quiet."""
        if not self.quiet:
            click.echo("\n".join(visible(line) for line in self.typed(text).split("\n")), err=True)

    def typed(self, text: str) -> str:
        """Give the commands that a text advises the options that this one was given: without, they mean other files."""
        if self.file is None and self.database is None:
            return text
        from shlex import quote

        config = "" if self.file is None else f" --config {quote(str(self.file))}"
        database = "" if self.database is None else f" --database {quote(self.database)}"

        def with_options(command: re.Match[str]) -> str:
            return f"`freshwax{config}{'' if command[1] == 'init' else database} {command[1]}"

        return re.sub(r"`freshwax ([a-z][a-z-]*)", with_options, text)

    def warn(self, text: str) -> None:
        """Tell people what was logged as well, unless they see the log."""
        if not self.verbose:
            self.say(text)


def mute_unless_attached() -> None:
    """Keep Python from printing warnings for which nobody set up a log: the report says what they say."""
    import logging

    logging.getLogger("freshwax").addHandler(logging.NullHandler())


def default_log_file() -> Path:
    """Return where a run in the background logs when nothing else is set."""
    from platformdirs import user_log_path

    return user_log_path("freshwax", appauthor=False) / "freshwax.log"
