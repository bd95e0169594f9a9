"""One run as a monitoring service sees it: it begins, and ends well, in part, or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from freshwax.errors import Busy
from freshwax.model import Run, RunStatus
from freshwax.reports.heartbeat import WHY, beat_text
from freshwax.tracking.pause import INTERRUPTED

PATIENCE = 9.0  # seconds that a run may stay for the service, when all else is done: its start may hang before its end
HURRY = 1.0  # the same where somebody wants it to end


class Heart(Protocol):
    """Whoever tells the service. Neither method raises."""

    def start(self) -> None:
        """Say that a run begins, and return at once."""
        ...

    def end(self, signal: str, text: str, patience: float) -> None:
        """Say ``success``, ``log`` or ``fail``, with a text; return after so many seconds at the latest."""
        ...


class Pulse:
    """A context around a run and its report: its end is told when the context ends, however that comes about.

    ``partial`` is what a run says that could not check everyone. Without a ``heart`` nothing is told to anybody.
    """

    def __init__(self, heart: Heart | None, partial: str, now: Callable[[], datetime]) -> None:
        self._heart = heart
        self._partial = partial
        self._now = now
        self._begun = False
        self._run: Run | None = None

    def begin(self) -> None:
        """Say that the run begins."""
        self._begun = True
        if self._heart is not None:
            self._heart.start()

    def ended(self, run: Run) -> None:
        """Note how it ended; it is told when its report is, too."""
        self._run = run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        # The run that is active tells its own story; this one has none.
        if self._heart is None or (isinstance(error, Busy) and not self._begun):
            return
        told = "" if self._run is None else beat_text(self._run, self._now())
        if error is not None:
            self._heart.end("fail", f"{_said(error)}\n{told}", PATIENCE if isinstance(error, Exception) else HURRY)
        elif self._run is not None:
            self._heart.end(self._signal(self._run), told, HURRY if _interrupted(self._run) else PATIENCE)

    def _signal(self, run: Run) -> str:
        if run.status is RunStatus.COMPLETED:
            return "success"
        return "fail" if run.status is RunStatus.FAILED else self._partial


def _interrupted(run: Run) -> bool:
    return run.error is not None and run.error.startswith(INTERRUPTED)


def _said(error: BaseException) -> str:
    """Say what came in between: only of which kind it was, as its text may quote paths and whatever else."""
    code = getattr(error, "exit_code", None)  # of ours, and of what the command line makes of wrong usage
    if code in WHY:
        return f"{WHY[code]}; the machine that ran it says more"
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__} ended it"
