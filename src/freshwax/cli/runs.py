"""``freshwax runs``: what was done, and past reports again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import groupby
from pathlib import Path

import click

from freshwax import app
from freshwax.cli import output
from freshwax.cli.setup import Setup
from freshwax.cli.values import Number
from freshwax.errors import UsageError
from freshwax.model import Line, Ref, Report, Run, RunStatus
from freshwax.reports.columns import RUNS
from freshwax.reports.escape import visible
from freshwax.reports.render import render
from freshwax.reports.summary import summary
from freshwax.store.base import Store
from freshwax.tracking.report import held


@click.group("runs", invoke_without_command=True)
@click.option("--limit", type=Number(0), default=20, show_default=True, help="At most so many; 0: all.")
@output.list_format
@click.pass_context
def command(ctx: click.Context, limit: int, format_: str | None) -> None:
    """Show past runs, the newest first; `runs show ID` prints a run's report again."""
    if ctx.invoked_subcommand is not None:
        return
    setup: Setup = ctx.obj
    with app.open_store(setup.config, read_only=True) as store:
        runs = app.as_they_are(setup.config, store, store.runs(limit or sys.maxsize))
    output.print_list(runs, RUNS, format_, app.now())
    if output.chosen_format(format_) == "table":  # the others have it in a column
        for line in _remarks(runs):
            setup.say(line)


@command.command("show")
@click.argument("number", type=Number(1), metavar="ID")
@output.report_format
@output.target_option
@click.pass_obj
def show(setup: Setup, /, number: int, format_: str | None, target: Path | None) -> None:
    """Print what a run told, once more. Nothing is marked, nothing is asked."""
    if target is not None:
        output.check_place(target, "--output")
    with app.open_store(setup.config, read_only=True) as store:
        run = store.run(number)
        if run is None:
            newest = next(iter(store.runs(1)), None)
            known = f"the newest is {newest.id}" if newest else "there was none yet"
            raise UsageError(f"There is no run {number}; {known}.")
        (run,) = app.as_they_are(setup.config, store, [run])
        report = again(store, run)
    chosen = output.chosen_format(format_, target)
    now = run.finished_at or run.started_at  # "appeared today" is to mean what it meant then
    colour, encoding = output.colour(target), output.encoding(target)
    text = render(report, chosen, now=now, width=output.width(), colour=colour, encoding=encoding)
    output.write(setup.typed(text) if chosen == "table" else text, target)
    if chosen != "table":
        setup.say("\n".join(summary(report, now)))


def again(store: Store, run: Run) -> Report:
    """Put together what was told of a run: by itself, and from the cache later."""
    told = store.reports(run.id)
    lines: dict[Ref, Line] = {}
    for report in told:
        for line in report.lines:
            lines.setdefault(line.release.ref, line)
    return Report(0, app.STDOUT, run.mode, run, tuple(lines.values()), (_which(run), *_notes(run, told)), held(store))


def _which(run: Run) -> str:
    return f"This is run {run.id} ({run.mode}), started on {run.started_at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC."


def _notes(run: Run, told: Sequence[Report]) -> tuple[str, ...]:
    """Return what the run's last report said to people; of one that has none, why."""
    if told:
        return told[-1].notes
    if run.status is RunStatus.RUNNING:
        return ()
    why = _why(run)
    return (*why, "Nothing of it was told yet: `freshwax track --from-cache` does that.") if run.found else why


def _remarks(runs: Sequence[Run]) -> Iterator[str]:
    """Say what is to be said about runs; of several in a row of which the same is to be said, only once."""
    for why, group in groupby(runs, _why):
        numbers = [run.id for run in group]
        which = f"Run {numbers[0]}" if len(numbers) == 1 else f"Runs {min(numbers)} to {max(numbers)}"
        yield from (f"{which}: {sentence}" for sentence in why)


def _why(run: Run) -> tuple[str, ...]:
    """Return what is to be said about a run, where there is something: what ended it, what a prefetch took off it."""
    return (f"{visible(run.error).rstrip('.')}.",) if run.error else ()
