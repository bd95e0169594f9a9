"""What a monitoring service is told of a run: figures only. Names and titles are nobody else's business."""

from __future__ import annotations

from datetime import datetime

from freshwax.model import Report, Run
from freshwax.reports.summary import coverage_line
from freshwax.reports.words import count

WHY = {
    1: "a bug ended it",
    2: "wrong usage, the configuration or the database cannot be used, or the watch list is empty",
    3: "nobody, or not everybody, could be asked",
    4: "another run is active, or the database is locked",
    5: "the credentials are missing or refused",
}


def beat_text(run: Run, now: datetime) -> str:
    """Return status, coverage and cost of a finished run, in two lines."""
    why = f" ({WHY[run.exit_code]})" if run.status == "failed" and run.exit_code in WHY else ""
    coverage = coverage_line(Report(0, "heartbeat", run.mode, run, (), ()), now)
    cost = f"{run.cost.bytes_received / 1_000_000:.1f} MB, {run.cost.seconds:.1f} s"
    return (
        f"{run.status}{why}: {coverage}\n"
        f"run {run.id}, {run.mode}; {count(run.found, 'release')} found; {cost}; exit code {run.exit_code}\n"
    )
