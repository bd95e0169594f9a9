"""``freshwax backup``: a copy of the database, whatever else goes on."""

from __future__ import annotations

from pathlib import Path

import click

from freshwax import app
from freshwax.cli.setup import Setup
from freshwax.errors import UsageError
from freshwax.reports.words import holdings


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--force", is_flag=True, help="Replace an older backup of this database.")
@click.pass_obj
def command(setup: Setup, /, file: Path, force: bool) -> None:
    """Copy the database to FILE, as it is at one moment, also while a run writes to it.

    The copy is tested before it gets its name, only you can read it, and freshwax remembers where it lies.
    """
    if str(file) == "-":
        raise UsageError("A backup goes to a file, never to standard output: give the path of one.")
    now = app.now()
    done = app.back_up(setup.config, file, now, replace=force)
    held = done.contents
    setup.say(f"Written and tested: {file}: {holdings(held.artists, held.releases, held.last_run, now)}.")
    if done.kept:
        setup.say(f"What stood there was no untouched backup: it is kept as {done.kept}.")
