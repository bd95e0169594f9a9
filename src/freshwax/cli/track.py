"""``freshwax track``: the main job."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from freshwax import app
from freshwax.cli import output
from freshwax.cli.setup import Setup, default_log_file, mute_unless_attached
from freshwax.cli.values import Day, Number
from freshwax.config import Config, parse_setting
from freshwax.errors import UsageError
from freshwax.model import Ref, Report
from freshwax.reports.render import render
from freshwax.reports.summary import summary

POLICIES = ("adaptive", "tiers")


@click.command("track")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--baseline", is_flag=True, help="Read everyone's recent listing anew; print what is within --lookback.")
@click.option("--incremental", is_flag=True, help="Each artist since its own last check. This is the default.")
@click.option("--background", is_flag=True, help="Print nothing, log to a file, keep the results for --from-cache.")
@click.option("--from-cache", is_flag=True, help="Send no request: print what is untold, else the last report again.")
@click.option("--since", type=Day(), help="With --from-cache: what was first seen since that day, told or not.")
@click.option("--force", is_flag=True, help="Check everybody, due or not.")
@click.option("--budget", type=Number(1), metavar="N", help="Send at most N requests.")
@click.option(
    "--smart-batch",
    is_flag=True,
    help="Check only whom the plan picks, as many as the budget allows; without one, a fifth of the list a week.",
)
@click.option(
    "--policy",
    type=click.Choice(POLICIES),
    help="With --smart-batch: who picks. adaptive (the default) asks where waiting costs most, tiers by activity.",
)
@click.option("--types", metavar="TYPE,...", help="album, single, compilation, appears_on. Default: from the settings.")
@click.option(
    "--kinds",
    metavar="KIND,...",
    help="new, upcoming, late, edition, back_catalogue; the rest counts as told. Default: from the settings.",
)
@click.option(
    "--lookback", metavar="DAYS", help="How far back a first check, or --baseline, tells. Default: from the settings."
)
@output.report_format
@output.target_option
@click.pass_obj
def command(setup: Setup, /, files: tuple[str, ...], format_: str | None, target: Path | None, **flags: Any) -> int:
    """Check the artists that are due, and print what is new and untold.

    FILE (or - for standard input) holds artists: they are added to the watch list, and this run is limited to them.
    """
    setup.quiet = setup.quiet or flags["background"]
    with nullcontext() if flags["from_cache"] else setup.beginning():
        options, complete = _prepare(setup, flags, files, format_, target)
    chosen = output.chosen_format(format_, target)

    def emit(report: Report) -> None:
        now = app.now()
        colour, encoding = output.colour(target), output.encoding(target)
        text = render(report, chosen, now=now, width=output.width(), colour=colour, encoding=encoding)
        try:
            output.write(setup.typed(text) if chosen == "table" else text, target)
        except UsageError as error:
            raise UsageError(f"{error} Nothing counts as told.") from None
        if chosen != "table":
            setup.say("\n".join(summary(report, now)))

    report = _with_progress(setup, options, emit)
    return report.run.exit_code or (0 if complete else 3)


def _prepare(
    setup: Setup, flags: dict[str, Any], files: tuple[str, ...], format_: str | None, target: Path | None
) -> tuple[app.TrackOptions, bool]:
    """Return what is to be done, and whether all artists of the files are on the watch list now."""
    _check(flags, format_, target)
    if target is not None:
        app.refuse_own(setup.config, target)
    options = _options(setup.config, flags)
    if options.background and not setup.config.log_file:
        from freshwax.cli.logs import log_to_file

        log_to_file(setup.config, default_log_file())
    only, complete = _add(setup, files)
    return replace(options, only=only), complete


def _options(config: Config, flags: dict[str, Any]) -> app.TrackOptions:
    def setting(name: str) -> Any:
        text = flags[name]
        return getattr(config, name) if text is None else parse_setting(name, text, f"--{name}")

    return app.TrackOptions(
        **{name: flags[name] for name in ("baseline", "background", "from_cache", "since", "force", "budget")},
        policy=(flags["policy"] or POLICIES[0]) if flags["smart_batch"] else None,
        types=None if flags["types"] is None else setting("types"),
        kinds=setting("kinds"),
        lookback=setting("lookback"),
    )


def _check(flags: dict[str, Any], format_: str | None, target: Path | None) -> None:
    """Refuse what contradicts itself, before anything is opened."""
    modes = [f"--{name.replace('_', '-')}" for name in ("baseline", "incremental", "from_cache") if flags[name]]
    if len(modes) > 1:
        raise click.UsageError(f"{' and '.join(modes)} exclude each other.")
    if flags["since"] and not flags["from_cache"]:
        raise click.UsageError("--since belongs to --from-cache; how far back a check tells is --lookback.")
    if flags["from_cache"]:
        for name in ("background", "force", "budget", "smart_batch"):
            if flags[name]:
                raise click.UsageError(
                    f"--from-cache sends no request: --{name.replace('_', '-')} has no meaning with it."
                )
    if flags["policy"] and not flags["smart_batch"]:
        raise click.UsageError("--policy belongs to --smart-batch; without it, all are checked that are due.")
    if flags["smart_batch"] and (flags["baseline"] or flags["force"]):
        everyone = "--baseline" if flags["baseline"] else "--force"
        raise click.UsageError(f"--smart-batch picks some artists, {everyone} asks all: leave one of them out.")
    if flags["background"] and (format_ or target):
        raise click.UsageError("--background prints nothing; --from-cache prints it later, in any --format.")
    if target is not None:
        output.check_place(target, "--output")


def _add(setup: Setup, files: tuple[str, ...]) -> tuple[tuple[Ref, ...] | None, bool]:
    """Put the artists of the files on the watch list; return them, and whether all of them were found."""
    if not files:
        return None, True
    from freshwax.cli.artist_files import read_files
    from freshwax.cli.importing import import_artists

    entries = read_files(files)
    if not entries.artists:
        raise UsageError("No artist is named there, so nobody was checked: give a file that lists some.")
    result = import_artists(setup, entries)
    if not result.refs:
        raise UsageError("None of these artists could be found, so nobody was checked.")
    return result.refs, result.complete


def _with_progress(setup: Setup, options: app.TrackOptions, emit: Callable[[Report], None]) -> Report:
    """Run, with a progress bar where people watch; it is gone before the report is printed."""
    if not options.from_cache:
        mute_unless_attached()
    watched = sys.stderr.isatty() and not (setup.quiet or setup.verbose)
    if not watched or options.background or options.from_cache:
        return app.track(setup.config, options, emit=emit, warn=setup.warn)
    from freshwax.cli.progress import bar

    with ExitStack() as shown:
        progress = shown.enter_context(bar())

        def clear_and_emit(report: Report) -> None:
            shown.close()
            emit(report)

        return app.track(setup.config, options, emit=clear_and_emit, progress=progress, warn=setup.warn)
