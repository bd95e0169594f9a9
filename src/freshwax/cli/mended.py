"""What a repair did, in lines that say what was saved, what is lost, and what that means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from freshwax.reports.words import count

if TYPE_CHECKING:
    from freshwax.store.repair import Repaired
    from freshwax.store.salvage import Saved

SHOWN = 3  # problems
# What people call the rows of a table.
_ROWS = {
    "artists": "artists",
    "marks": "watermarks of artists",
    "releases": "releases",
    "history": "changes of releases",
    "run_history": "runs",
    "decisions": "decisions about releases",
    "checks": "outcomes of checks",
    "outbox": "releases still to be told",
    "reports": "reports",
    "report_lines": "lines of reports",
    "told": "releases told",
    "requests": "requests sent",
    "cooldowns": "pauses",
    "settings": "things learnt about the source",
    "credit_lists": "credits",
    "later_keys": "later titles of releases",
    "url_prefixes": "beginnings of addresses",
}
# Without these nobody knows of a release that it was told, or found at all.
_MEMORY = frozenset({"releases", "decisions", "told", "reports", "report_lines", "marks"})


def mended(done: Repaired, held: str) -> Iterator[str]:
    """Yield what was found, saved, made anew and lost; ``held`` says what the database holds now."""
    yield from (f"Found: {problem}" for problem in done.problems[:SHOWN])
    if len(done.problems) > SHOWN:
        yield f"and {len(done.problems) - SHOWN} more"
    yield from (f"Saved: {_saved(table)}" for table in done.saved if table.rows or not table.whole)
    yield from (f"Made anew: {number:,} {what}" for what, number in done.mended.items())
    yield from (f"Corrected: {number:,} {_ROWS[table]}" for table, number in done.corrected.items())
    yield from (f"Lost with what they belonged to: {number:,} {_ROWS[table]}" for table, number in done.lost.items())
    yield f"The database is sound again: {held}."
    yield f"The file as it was is kept as {done.kept}."
    yield from _meaning(done)


def _saved(table: Saved) -> str:
    what = _ROWS[table.table]
    known = f"; of {table.named:,} more the IDs" if table.named else ""
    if table.whole:
        return f"all {what} ({table.rows:,})"
    if table.of is None:
        return f"{f'{table.rows:,}' if table.rows else 'no'} {what}{known}; how many there were cannot be told"
    return f"{table.rows:,} of {table.of:,} {what}{known}"


def _meaning(done: Repaired) -> Iterator[str]:
    """Say what follows from what is lost."""
    if done.whole:
        return
    if done.corrected:
        yield "What could not be read in the rows that were corrected now says what other rows say, or the least."
    lost = {table.table: table for table in done.saved if not table.whole}
    if artists := lost.get("artists"):
        gone = None if artists.of is None else artists.of - artists.rows - artists.named
        if gone is None:
            yield "Artists may be lost: see `freshwax artists list`; `freshwax artists import FILE` adds them again."
        elif gone > 0:
            yield f"{count(gone, 'artist')} lost: put them on the list again with `freshwax artists import FILE`."
    if _MEMORY & {*lost, *done.lost}:
        yield "Some releases may be told again. What is lost is asked for anew by `freshwax track`."
    if "marks" in {*lost, *done.lost}:
        yield "Artists whose watermark is lost are learnt anew: of what the service lists, only what is recent is told."
    if "requests" in lost:
        yield (
            "The list of requests has gaps, so the quota may count fewer than were sent today: the source may ask "
            "for a pause, which freshwax keeps."
        )
