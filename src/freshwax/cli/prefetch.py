"""``freshwax prefetch``: the likeliest artists ahead of the scheduled run."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import click

from freshwax import app
from freshwax.cli.setup import Setup, mute_unless_attached
from freshwax.cli.values import Number
from freshwax.config import Config
from freshwax.errors import Paused
from freshwax.model import Run
from freshwax.reports.escape import visible
from freshwax.reports.words import clock_time, count

_TIME_OF_DAY = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
LATE = timedelta(hours=6)  # so long after a time of day a job that names it is late, not early for tomorrow's


@click.command("prefetch")
@click.option("--budget", type=Number(1), metavar="N", help="Send at most N requests. Default: half of the run's.")
@click.option("--before", metavar="TIME", help="Begin no check from then on: 18:00 (local time) or 2026-03-01T18:00Z.")
@click.pass_obj
def command(setup: Setup, /, budget: int | None, before: str | None) -> int:
    """Check the likeliest artists ahead of the scheduled run.

    What it finds is kept, and told by the next `freshwax track`, which asks these artists no more if it comes within
    fresh_for hours. Nothing is printed on standard output.

    TIME is a time of day here, 18:00, or an instant, 2026-03-01T18:00Z (without Z: local time). Where it has passed,
    nothing is asked, and the exit code is 3. A time of day that passed more than 6 hours ago is tomorrow's.
    """
    now = app.now()
    with setup.beginning():
        until = None if before is None else deadline(before, now)
        _need_database(setup.config)
    mute_unless_attached()
    run = _with_progress(setup, budget, until)
    setup.say(_said(run, until, now))
    return run.exit_code


def deadline(text: str, now: datetime) -> datetime:
    """Return the instant that ``--before`` names. A click.UsageError if it names none, ``Paused`` if it has passed."""
    try:
        at = _instant(text, now)
    except (ValueError, OverflowError):  # no such day or hour, or a year that UTC has not
        raise click.UsageError(
            f"--before {text!r} is no time: write 18:00 (local time), or 2026-03-01T18:00Z."
        ) from None
    if at <= now:
        raise Paused(f"--before {text} has passed: nothing was asked", reason="late", until=None)
    return at


def _instant(text: str, now: datetime) -> datetime:
    """Read an instant, or a time of day: the next one, or that which has just passed. ValueError if neither."""
    if _INSTANT.fullmatch(text):
        return datetime.fromisoformat(text).astimezone(UTC)
    if not _TIME_OF_DAY.fullmatch(text):
        raise ValueError(text)
    today, clock = now.astimezone().date(), time.fromisoformat(text)
    # Without a zone, so that each day has its own offset: between two days the clocks may change.
    days = (datetime.combine(today + timedelta(days=day), clock).astimezone(UTC) for day in (-1, 0, 1, 2))
    return next(at for at in days if at > now - LATE)


def _need_database(config: Config) -> None:
    """StoreError where there is no database: this command has nothing to put into a new one."""
    if not Path(config.database_path).exists():
        with app.open_store(config, read_only=True):
            pass


def _with_progress(setup: Setup, budget: int | None, until: datetime | None) -> Run:
    if not sys.stderr.isatty() or setup.quiet or setup.verbose:
        return app.prefetch(setup.config, budget=budget, until=until, warn=setup.warn)
    from freshwax.cli.progress import bar

    with bar() as progress:
        return app.prefetch(setup.config, budget=budget, until=until, progress=progress, warn=setup.warn)


def _said(run: Run, until: datetime | None, now: datetime) -> str:
    """Say what was done, until when, and who tells it."""
    checked = f"{count(run.coverage.checked, 'artist')} checked ahead with {count(run.cost.requests, 'request')}"
    found = f"{count(run.found, 'release')} found; the next `freshwax track` tells" if run.found else "nothing found"
    sentences = [f"{checked}: {found}." if run.coverage.checked else "No artist was checked ahead."]
    if until is not None:
        sentences.append(f"Checks could begin until {clock_time(until, now)}.")
    if why := visible(run.error or ""):
        sentences.append(f"{why[0].upper()}{why[1:].rstrip('.')}.")
    return " ".join(sentences)
