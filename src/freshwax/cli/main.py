"""The command ``freshwax``: global options, commands that are imported when asked for, and what errors look like."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from freshwax import __version__
from freshwax.cli.output import accept_everything, silence_stdout
from freshwax.cli.setup import Setup
from freshwax.errors import FreshwaxError, StoreError, UsageError

# Each command's module and function, and its line in the overview: so that the overview need not import them.
COMMANDS = {
    "track": ("track", "Check the artists that are due and print what is new."),
    "artists": ("artists", "The watch list: add, import, list, remove, disable, enable."),
    "patterns": ("patterns", "When artists tend to release, where that foretells anything."),
    "releases": ("releases", "Browse the releases that were seen."),
    "replay": ("replay", "What asking less would cost in delay, over known histories."),
    "runs": ("runs", "Past runs, and their reports again."),
    "plan": ("plan", "Show whom a smart batch would ask next, and why."),
    "prefetch": ("prefetch", "Check the likeliest artists ahead of the scheduled run."),
    "profile": ("profile", "How active artists are, and how often to ask them."),
    "explain": ("explain", "Say why a release was, or was not, told."),
    "release-held": ("held", "Decide releases that were held back as a flood."),
    "init": ("init", "Write the configuration file."),
    "doctor": ("doctor", "Test credentials, market, clock, database and disk."),
    "backup": ("backup", "Copy the database, also while a run writes."),
    "restore": ("restore", "Put a backup in the place of the database."),
    "demo": ("demo", "A tour over an invented world, without credentials."),
}
INTERRUPTED = 130
NO_OUTPUT = (errno.ENOSPC, errno.EBADF, errno.EIO)
BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


class Commands(click.Group):
    """Finds commands by importing their module on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- as click has it
        """Return the names in the order of a newcomer's way."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"freshwax.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the overview without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a misspelt one is told the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that went away is no error to talk about."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            silence_stdout()
            return BROKEN_PIPE
        except FreshwaxError as error:
            text = ctx.obj.config.typed(str(error)) if isinstance(error, StoreError) else str(error)
            error.args = (ctx.obj.typed(text),)
            error.details = tuple(map(ctx.obj.typed, error.details))
            raise


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="Configuration file to read instead."
)
@click.option("--database", metavar="PATH|URL", help="Database to use: a path or sqlite:///path.")
@click.option("-v", "--verbose", count=True, help="Log to standard error; twice: each request and decision, too.")
@click.option("-q", "--quiet", is_flag=True, help="Nothing on standard error but errors.")
@click.version_option(__version__, prog_name="freshwax", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, file: Path | None, database: str | None, verbose: int, quiet: bool) -> None:
    """Every new release of the artists you follow: once, soon, with nothing missed.

    Start with `freshwax demo`, or with `freshwax init`, `freshwax artists import FILE`, `freshwax track`.

    Exit codes: 0 all done; 1 a bug; 2 wrong usage or configuration; 3 not everything could be checked;
    4 another run is active; 5 credentials missing or refused; 130 Ctrl-C ended what is no run.
    """
    if verbose and quiet:
        raise click.UsageError("-v and -q exclude each other.")
    ctx.obj = Setup(file, database, verbose, quiet)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; the process ends with the exit code of what happened."""
    _replace_closed_streams()
    accept_everything()
    args = list(sys.argv[1:] if args is None else args)
    try:
        result = cli.main(args, prog_name="freshwax", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
        result = BROKEN_PIPE
    except click.ClickException as error:
        _show(error)
        result = error.exit_code
    except click.Abort:
        click.echo("Stopped.", err=True)
        result = INTERRUPTED
    except FreshwaxError as error:
        result = _tell(error)
    except OSError as error:
        result = _trouble(error, args)
    except Exception as error:  # noqa: BLE001 -- the last line of defence: a bug is told in one line, too
        result = _bug(error, args)
    sys.exit(result if isinstance(result, int) else 0)


def run() -> NoReturn:
    """Be the program: as ``main``, but leave at once, without the 10 ms that Python takes to put everything away."""
    # numpy would start a thread for each processor, for products of matrices that nobody here makes: 50 ms.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        main()
    except SystemExit as ended:
        if "logging" in sys.modules:
            sys.modules["logging"].shutdown()
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):  # the reader went away, or somebody closed the stream
            pass
        os._exit(ended.code if isinstance(ended.code, int) else 0)


def _show(error: click.ClickException) -> None:
    """Say what is wrong with the command line as click does, but for what the words may hold."""
    from freshwax.reports.escape import visible

    said = io.StringIO()
    error.show(said)
    click.echo("\n".join(map(visible, said.getvalue().split("\n"))), nl=False, err=True)


def _tell(error: FreshwaxError) -> int:
    from freshwax.reports.escape import visible

    text = visible(str(error))  # in one line: what it quotes must not begin a line of its own
    whole = text.endswith((".", "?", "!", ":"))
    click.echo("\n".join((f"freshwax: {text}{'' if whole else '.'}", *map(visible, error.details))), err=True)
    return error.exit_code


def _trouble(error: OSError, args: Sequence[str]) -> int:
    """Tell of a file, or of an output, that the system refuses; anything else is a bug."""
    if error.errno in NO_OUTPUT and error.filename is None:
        silence_stdout()
        return _tell(UsageError(f"The output cannot be written: {error.strerror}."))
    if error.errno == errno.ENOENT and error.filename is None and not _has_folder():
        return _tell(UsageError("The folder that freshwax was started in is gone: change to another one"))
    if error.filename is None or not error.strerror:
        return _bug(error, args)
    path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    return _tell(UsageError(f"{path!r} cannot be used: {error.strerror}. Correct that, or give another path."))


def _has_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _bug(error: Exception, args: Sequence[str]) -> int:
    from freshwax.reports.escape import brief

    if any(arg == "--verbose" or (arg.startswith("-v") and set(arg[1:]) == {"v"}) for arg in args):
        import traceback

        traceback.print_exception(error)
    what = brief(f"{type(error).__name__}: {error}")
    click.echo(
        f"freshwax: this is a bug ({what}). Run it again with `freshwax -v …` and report what it prints.", err=True
    )
    return 1


def _replace_closed_streams() -> None:
    """Give Python streams where the caller closed them (``>&-``): what is written to the first fails as it should, and
    nothing can be read.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 -- for good
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- for good
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- for good
