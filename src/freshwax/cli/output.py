"""Where data goes: standard output, or a file that is never half-written."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import click

from freshwax.config import expanded
from freshwax.errors import UsageError
from freshwax.reports.columns import Column
from freshwax.reports.escape import writable
from freshwax.reports.render import LIST_FORMATS, REPORT_FORMATS, render_list

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

ON_FORMAT = "Default: a table on a terminal, tsv into a pipe or a file."


def list_format(command: F) -> F:
    """Give a command ``--format`` for lists."""
    return click.option("--format", "format_", type=click.Choice(LIST_FORMATS), help=f"How to print it. {ON_FORMAT}")(
        command
    )


def report_format(command: F) -> F:
    """Give a command ``--format`` for reports."""
    return click.option("--format", "format_", type=click.Choice(REPORT_FORMATS), help=f"How to print it. {ON_FORMAT}")(
        command
    )


def target_option(command: F) -> F:
    """Give a command ``--output``."""
    return click.option(
        "--output",
        "target",
        type=click.Path(path_type=Path),
        callback=lambda _context, _option, value: None if value is None or str(value) == "-" else expanded(value),
        metavar="FILE",
        help="Write the report to a file.",
    )(command)


def chosen_format(format_: str | None, output: Path | None = None) -> str:
    """Return the format that was asked for, else the one that fits where the data goes."""
    return format_ or ("table" if output is None and sys.stdout.isatty() else "tsv")


def width() -> int:
    """Return how wide a table may be: ``COLUMNS``, else the terminal's width, else 80."""
    # By hand, as shutil, which can do it too, brings three compressors along.
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):  # no terminal, or no real file
        return 80


def colour(output: Path | None = None) -> bool:
    """Tell whether bold headings are welcome."""
    return (
        output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def encoding(output: Path | None = None) -> str:
    """Return the encoding in which tables arrive: that of standard output, and UTF-8 in files."""
    return "utf-8" if output is not None else sys.stdout.encoding or "utf-8"


def print_list(items: Sequence[T], columns: Sequence[Column[T]], format_: str | None, now: datetime) -> None:
    """Print a list in the format that was asked for."""
    chosen = chosen_format(format_)
    write(render_list(items, columns, chosen, now=now, width=width(), colour=colour(), encoding=encoding()))


def write(text: str, output: Path | None = None) -> None:
    """Write data out and flush it; when this returns it has arrived."""
    if output is not None:
        write_file(output, text)
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence_stdout()
        raise UsageError(f"The output cannot be written: {error.strerror}.") from None


def write_text(text: str) -> None:
    """Write sentences for people to standard output, in the characters that it has."""
    write(writable(text, encoding()))


def accept_everything() -> None:
    """Let standard output and error take what their encoding lacks: a terminal that cannot show a title gets the rest.

    In data it becomes escapes that JSON knows, for people what ``writable`` makes of it.
    """
    codecs.register_error("freshwax-data", _escaped)
    codecs.register_error("freshwax-words", _in_words)
    for stream, handler in ((sys.stdout, "freshwax-data"), (sys.stderr, "freshwax-words")):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=handler)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)), error.end


def _in_words(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return writable(error.object[error.start : error.end], error.encoding), error.end


def silence_stdout() -> None:
    """Send the rest nowhere: Python would complain when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # no real file stands behind it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- for the rest of the process


def check_place(path: Path, option: str) -> None:
    """Raise UsageError where a file could not be written: before the work whose result it is to hold, not after it."""
    folder = path.absolute().parent
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder: give {option} the path of a file.")
    if not folder.is_dir():
        raise UsageError(f"{str(path)!r} cannot be written: there is no folder {str(folder)!r}.")
    try:
        if path.exists() and not path.is_file():  # a device, a named pipe
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        temporary = _beside(path.resolve())
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600))  # what the disk's rights say is not all of it
        temporary.unlink()
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written: {error.strerror}.") from None


def write_file(path: Path, text: str, mode: int = 0o666) -> None:
    """Write a file beside its place, then move it there: readers see the old one or the new one, never a part.

    Where a file cannot be replaced (``/dev/null``, a named pipe) it is written to directly.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        _replace(path.resolve(), data, mode)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written: {error.strerror}.") from None


def _replace(path: Path, data: bytes, mode: int) -> None:
    temporary = _beside(path)
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:  # noqa: PTH123
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")
