"""``freshwax demo``: a tour without credentials."""

from __future__ import annotations

from pathlib import Path

import click

from freshwax.cli import output
from freshwax.cli.setup import Setup


@click.command("demo")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Keep the database there."
)
@click.pass_obj
def command(setup: Setup, /, keep: Path | None) -> int:
    """Track an invented world of artists: a baseline, then eight weekly runs in simulated time.

    The real client speaks real HTTP to a stand-in server on this machine; no credentials, nothing leaves it.
    """
    from freshwax.demo import tour
    from freshwax.reports.escape import writable

    def say(text: str) -> None:
        click.echo(writable(text, output.encoding()))

    return int(tour.run(keep, say=say, quiet=setup.quiet) or 0)
