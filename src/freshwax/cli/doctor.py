"""``freshwax doctor``: what works, what does not, and what to do about it; and the mending of a damaged database."""

from __future__ import annotations

import click

from freshwax import app
from freshwax.cli import output
from freshwax.cli.setup import Setup
from freshwax.errors import UsageError
from freshwax.reports.words import holdings


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Leave out what needs the network.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program that watches.")
@click.option("--repair", is_flag=True, help="Mend a damaged database; the file as it was is kept. Stands alone.")
@click.pass_obj
def command(setup: Setup, /, offline: bool, as_json: bool, repair: bool) -> int:
    """Test the configuration, the database, the disk, the last run, and (with three requests) the source.

    Exit code: 0 when all is well, 3 when something needs attention, 5 when the credentials are missing or refused.
    """
    if repair and (as_json or offline):
        raise UsageError("--repair stands alone: run `freshwax doctor` again after it.")
    return _repair(setup) if repair else _look(setup, offline=offline, as_json=as_json)


def _look(setup: Setup, *, offline: bool, as_json: bool) -> int:
    from freshwax.checkup import look
    from freshwax.reports import health

    found = look(setup.config, app.now(), offline=offline)
    output.write(health.as_json(found, app.latest_schema()) if as_json else setup.typed(health.as_text(found)))
    return found.exit_code


def _repair(setup: Setup) -> int:
    """Mend the database, and say what was done; 3 where rows were lost."""
    now = app.now()
    done = app.repair(setup.config, now)
    held = holdings(done.contents.artists, done.contents.releases, done.contents.last_run, now)
    if done.kept is None:
        setup.say(f"The database is sound ({held}): nothing was repaired.")
        return 0
    from freshwax.cli.mended import mended

    setup.say("\n".join(mended(done, held)))
    return 0 if done.whole else 3
