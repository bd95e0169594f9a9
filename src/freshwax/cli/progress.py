"""The progress bar of a run; imported only where a terminal is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from freshwax.reports.escape import visible


@contextmanager
def bar(what: str = "Artists") -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar on standard error until the block ends; yields what is to be told ``(done, of, name)``."""
    columns = (
        TextColumn("{task.description:30}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)

        def tell(done: int, total: int, name: str) -> None:
            progress.update(task, completed=done, total=total, description=visible(name)[:30])

        yield tell
