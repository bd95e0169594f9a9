"""``freshwax restore``: a backup in the place of the database."""

from __future__ import annotations

from pathlib import Path

import click

from freshwax import app
from freshwax.cli.setup import Setup
from freshwax.reports.words import holdings


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.pass_obj
def command(setup: Setup, /, file: Path) -> None:
    """Put the backup FILE in the place of the database, which is kept beside it under another name.

    FILE is tested first, and stays where it is. Exit code 4 while a run is active.
    """
    now = app.now()
    done = app.restore(setup.config, file, now)
    held = done.contents
    lines = [f"Restored: {file}: {holdings(held.artists, held.releases, held.last_run, now)}."]
    if done.kept:
        lines.append(f"The database before it is kept as {done.kept}.")
        known = "is not told again, but for what is not out yet" if done.remembered else "may be told again"
        lines.append(f"What was told after the backup was made {known}.")
    setup.say("\n".join(lines))
