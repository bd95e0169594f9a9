"""The progress bar of a run; imported only where a terminal is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from freshwax.reports.escape import brief, writable
from freshwax.reports.layout import ELLIPSIS, pad

AFTERWARDS = "Reading further back"  # every check is done; what the allowance leaves goes into old catalogues


@contextmanager
def bar(what: str = "Artists") -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar on standard error until the block ends; yields what is to be told ``(done, of, name)``."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    mark = writable(ELLIPSIS, console.encoding)
    room = min(30, max(console.width - 40, 10))
    # Standard output stays what it is: rich would send it through the terminal, wherever it was to go.
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        task = progress.add_task(pad(what, room, mark=mark), total=None)

        def tell(done: int, total: int, name: str) -> None:
            said = writable(brief(name), console.encoding) if done < total else AFTERWARDS
            progress.update(task, completed=done, total=total, description=pad(said, room, mark=mark))

        yield tell
