"""``freshwax prefetch``: the likeliest artists ahead of the scheduled run."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, time, timedelta

import click

from freshwax import app
from freshwax.cli.setup import Setup, mute_unless_attached
from freshwax.cli.values import Number
from freshwax.model import Run
from freshwax.reports.escape import visible
from freshwax.reports.words import count


@click.command("prefetch")
@click.option("--budget", type=Number(1), metavar="N", help="Send at most N requests. Default: half of the run's.")
@click.option("--before", metavar="TIME", help="Begin no check from then on: 18:00 (local time) or 2026-03-01T18:00Z.")
@click.pass_obj
def command(setup: Setup, /, budget: int | None, before: str | None) -> int:
    """Check the likeliest artists ahead of the scheduled run.

    What it finds is kept, and told by the next `freshwax track`, which asks these artists no more if it comes within
    fresh_for hours. Nothing is printed on standard output.
    """
    until = None if before is None else _instant(before, app.now())
    mute_unless_attached()
    run = _with_progress(setup, budget, until)
    setup.say(_said(run))
    return run.exit_code


def _instant(text: str, now: datetime) -> datetime:
    """Read a time of day (its next occurrence), or an instant that lies ahead."""
    try:
        if len(text) <= 5:
            local = now.astimezone()
            at = datetime.combine(local.date(), time.fromisoformat(text), local.tzinfo)
            return (at if at > now else at + timedelta(days=1)).astimezone(UTC)
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise click.UsageError(f"--before {text!r} is no time: write 18:00, or 2026-03-01T18:00Z.") from None
    if at <= now:
        raise click.UsageError(f"--before {text} has passed.")
    return at


def _with_progress(setup: Setup, budget: int | None, until: datetime | None) -> Run:
    if not sys.stderr.isatty() or setup.quiet or setup.verbose:
        return app.prefetch(setup.config, budget=budget, until=until, warn=setup.warn)
    from freshwax.cli.progress import bar

    with bar() as progress:
        return app.prefetch(setup.config, budget=budget, until=until, progress=progress, warn=setup.warn)


def _said(run: Run) -> str:
    """Say what was done, and who tells it."""
    checked = f"{count(run.coverage.checked, 'artist')} checked ahead with {count(run.cost.requests, 'request')}"
    found = f"{count(run.found, 'release')} found; the next `freshwax track` tells" if run.found else "nothing found"
    said = f"{checked}: {found}."
    why = visible(run.error or "")
    return f"{said} {why[0].upper()}{why[1:].rstrip('.')}." if why else said
