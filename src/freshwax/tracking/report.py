"""Reports: fixed in the store before they are printed, recorded as told after.

A report is put together from the store alone, so that a background run, and the ``--from-cache`` after it, say what
a run in the foreground would have said.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from freshwax.discovery.telling import lines_to_tell
from freshwax.errors import UsageError
from freshwax.model import Announcement, ArtistState, Kind, Line, Mode, Ref, Report, Run, RunStatus
from freshwax.reports.summary import failed_note, gone_note, held_note, paused_note
from freshwax.store.base import Seen, Store
from freshwax.tracking.options import STDOUT, RunOptions

RECENT = 20  # runs among which the last that ended is looked for


def fix_report(store: Store, run: Run, options: RunOptions, now: datetime) -> Report:
    """Put a report together and fix it in the store, to be printed and then told."""
    return store.save_report(compose_report(store, run, options, now))


def compose_report(store: Store, run: Run, options: RunOptions, now: datetime) -> Report:
    """Put together what is untold on standard output; more for ``--baseline`` and ``--since``."""
    lines = _untold(store, options, now)
    if options.mode is Mode.BASELINE:
        cutoff = (run.started_at.date() - timedelta(days=options.lookback)).isoformat()
        lines = _joined(lines, store.releases(dated_since=cutoff), options)
    if options.since is not None:
        lines = _joined(lines, store.releases(since=options.since, announced_only=True), options, since=options.since)
    return Report(0, STDOUT, options.mode, run, tuple(lines), tuple(notes(store, run, now)))


def report_from_cache(store: Store, options: RunOptions, now: datetime) -> Report:
    """Report without asking anybody: everything untold; with nothing untold, the last report once more.

    Raises UsageError where there was no run yet.
    """
    runs = store.runs(RECENT)
    if not runs:
        raise UsageError("There was no run yet, so there is nothing to show: run `freshwax track` first.")
    # One that is under way, or was killed, has not said yet how much it saw.
    run = next((one for one in runs if one.finished_at is not None), replace(runs[0], exit_code=3))
    report = fix_report(store, run, options, now)
    if report.lines or options.since is not None:
        return report
    last = store.last_report(STDOUT)
    if last is None or not last.lines:
        return report
    return Report(0, STDOUT, Mode.REPEAT, last.run, last.lines, last.notes)


def _untold(store: Store, options: RunOptions, now: datetime) -> list[Line]:
    waiting: Iterable[Announcement] = store.untold(STDOUT, options.artists)
    if options.types is not None:
        waiting = (one for one in waiting if one.release.type in options.types)
    return lines_to_tell(waiting, now, kinds=options.kinds, excluded=options.excluded)


def _joined(lines: list[Line], more: Iterable[Seen], options: RunOptions, since: datetime | None = None) -> list[Line]:
    """Add what was told before, or never to be told, to the untold lines; with ``since``, keep only what was seen
    since.
    """
    if since is not None:
        lines = [line for line in lines if line.first_seen_at >= since]
    there: set[Ref] = {line.release.ref for line in lines}
    for seen in more:
        if seen.release.ref in there or (options.types is not None and seen.release.type not in options.types):
            continue
        kind = seen.kind or Kind.NEW
        if options.kinds is None or kind in options.kinds:
            lines.append(Line(seen.release, kind, seen.first_seen_at))
    return lines


def notes(store: Store, run: Run, now: datetime) -> list[str]:
    """Return the sentences that a person should read with a run's report."""
    everyone = store.artists({ArtistState.ACTIVE, ArtistState.GONE})
    names = {artist.ref: artist.name or artist.ref.id for artist in everyone}
    out = []
    failed = [(names[one.artist], one.message or one.outcome) for one in store.checks(run.id) if one.message]
    failed = [one for one in failed if one[0] in names.values()]
    if failed:
        out.append(failed_note(failed))
    if run.status in (RunStatus.PAUSED, RunStatus.FAILED) and run.error:
        out.append(f"{run.error.rstrip('.')}.")
    active = [artist for artist in everyone if artist.state is ArtistState.ACTIVE]
    learnt = sum(artist.learnt for artist in active)
    if run.status is RunStatus.PAUSED and learnt < len(active):
        out.append(paused_note(learnt, len(active), None, now))
    gone = [names[artist.ref] for artist in everyone if artist.state is ArtistState.GONE]
    if gone:
        out.append(gone_note(gone))
    for artist, held in store.held():
        if artist.state is ArtistState.ACTIVE:
            out.append(held_note(artist.name or artist.ref.id, artist.ref.id, len(held)))
    return out
