"""Reports: fixed in the store before they are printed, recorded as told after.

A report is put together from the store alone, so that a background run, and the ``--from-cache`` after it, say what
a run in the foreground would have said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from freshwax.discovery.editions import are_twins, first_of, keys_of
from freshwax.discovery.telling import lines_to_tell
from freshwax.errors import UsageError
from freshwax.model import (
    Announcement,
    Artist,
    ArtistState,
    Group,
    Kind,
    Line,
    Mode,
    Ref,
    Release,
    Report,
    Run,
    RunStatus,
)
from freshwax.reports.summary import failed_note, gone_note, lost_note, paused_note, under_way_note
from freshwax.store.base import Seen, Store
from freshwax.tracking.options import STDOUT, RunOptions

RECENT = 20  # runs among which the last that ended is looked for
FAR = 1_000  # and among so many, where those were all prefetches


def fix_report(store: Store, run: Run, options: RunOptions, now: datetime) -> Report:
    """Put a report together and fix it in the store, to be printed and then told."""
    return store.save_report(compose_report(store, run, options, now))


def compose_report(store: Store, run: Run, options: RunOptions, now: datetime) -> Report:
    """Put together what is untold on standard output; more for ``--baseline`` and ``--since``."""
    lines = _untold(store, options, now)
    if options.mode is Mode.BASELINE:
        lines += _recent(store, run.started_at.date() - timedelta(days=options.lookback), lines, options, now)
    if options.since is not None:
        lines = [line for line in lines if line.first_seen_at >= options.since]
        seen_since = _browse(store, options, since=options.since, announced_only=True)
        lines += _again(seen_since, lines, options, now)
    return Report(0, STDOUT, options.mode, run, tuple(lines), tuple(notes(store, run)), held(store))


def report_from_cache(store: Store, options: RunOptions, now: datetime, runs: Sequence[Run] | None = None) -> Report:
    """Report without asking anybody: everything untold; with nothing untold, the last report once more, as far as the
    scope and the filters of this one let it through.

    ``runs`` are the last ones, the newest first, as ``store.runs`` has them. The report is that of a run that is under
    way, else of the last that ended; it says so where one was killed since. Raises UsageError where there was no run.
    """
    runs = _regular(store, store.runs(RECENT) if runs is None else runs)
    whole = next((one for one in runs if one.finished_at is not None), None)
    newest = runs[0]
    unfinished = newest is not whole
    run = newest if whole is None or newest.status is RunStatus.RUNNING else whole
    run = _incomplete(run) if unfinished else run
    more = (lost_note(newest),) if unfinished and run.id != newest.id else ()
    composed = compose_report(store, run, options, now)
    report = store.save_report(replace(composed, notes=(*composed.notes, *more)))
    if report.lines or options.since is not None:
        return report
    last = store.last_report(STDOUT)
    if last is None or not last.lines:
        return report
    # It keeps the run as it was when it was told: that may have ended since.
    told_of = next((one for one in runs if one.id == last.run.id), last.run)
    told_of = told_of if last.run.status is RunStatus.RUNNING else last.run
    lines = tuple(_let_through(_within(store, last.lines, options), options, now))
    if whole is not None and whole.id > last.run.id and not unfinished:  # an older run has not the last word
        return replace(report, id=0, mode=Mode.REPEAT, lines=lines)
    if not unfinished:
        return Report(0, STDOUT, Mode.REPEAT, told_of, lines, last.notes, report.held)
    more = more or (under_way_note(run),)
    more = more if told_of.finished_at else ()  # it says so itself
    return Report(0, STDOUT, Mode.REPEAT, _incomplete(told_of), lines, last.notes + more, report.held)


def _regular(store: Store, runs: Sequence[Run]) -> list[Run]:
    """Return the runs that were no prefetches: those were never to see all. UsageError where there is none."""
    regular = [one for one in runs if one.mode is not Mode.PREFETCH]
    regular = regular or [one for one in store.runs(FAR) if one.mode is not Mode.PREFETCH]
    if regular:
        return regular
    what = "There was no run but prefetches yet, which check for a later run" if runs else "There was no run yet"
    raise UsageError(f"{what}, so there is nothing to show: run `freshwax track` first.")


def _within(store: Store, lines: Sequence[Line], options: RunOptions) -> Sequence[Line]:
    """Return the lines of a past report that are of the artists, and of the types, that are asked for."""
    if options.artists is None:
        return [line for line in lines if options.types is None or line.release.type in options.types]
    since = min(line.first_seen_at for line in lines)
    wanted = {seen.release.ref for seen in _browse(store, options, since=since)}
    return [line for line in lines if line.release.ref in wanted]


def _let_through(lines: Sequence[Line], options: RunOptions, now: datetime) -> Iterator[Line]:
    """Yield the lines of a past report, those that a filter hides now marked as such."""
    for line in lines:
        one = Announcement(line.release, line.kind, line.release.ref, line.first_seen_at)
        (anew,) = lines_to_tell([one], now, kinds=options.kinds, excluded=options.excluded)
        yield replace(line, hidden_by=line.hidden_by or anew.hidden_by)


def _incomplete(run: Run) -> Run:
    """Return a run with the exit code of a reader that knows of artists that nobody has checked yet."""
    return replace(run, exit_code=(run.exit_code if run.finished_at else 0) or 3)


def _untold(store: Store, options: RunOptions, now: datetime) -> list[Line]:
    waiting: Iterable[Announcement] = store.untold(STDOUT, options.artists)
    if options.types is not None:
        waiting = (one for one in waiting if _group(one.release, one.artist) in options.types)
    return lines_to_tell(waiting, now, kinds=options.kinds, excluded=options.excluded)


def _group(release: Release, artist: Ref) -> str:
    """Return the listing group in which an artist's page shows a release: its type, or that of a guest on it."""
    credited = not release.artists or any(credit.id == artist.id for credit in release.artists)
    return release.type if credited else Group.APPEARS_ON


def _browse(store: Store, options: RunOptions, **which: Any) -> list[Seen]:
    """Return the releases that a reprint may show: those of the artists, and of the types, that are asked for."""
    found: dict[Ref, Seen] = {}
    for artist in (None,) if options.artists is None else sorted(options.artists):
        for seen in store.releases(artist=artist, **which):
            whose = _group(seen.release, artist) if artist else seen.release.type
            if options.types is None or whose in options.types:
                found.setdefault(seen.release.ref, seen)
    return list(found.values())


def _recent(store: Store, cutoff: date, lines: Sequence[Line], options: RunOptions, now: datetime) -> list[Line]:
    """Return what is dated since a day, told before or not; but not what is held, and nothing again under another ID.

    The store compares dates as text, so it is asked for whole years: "2026" may be its last day.
    """
    held = {known.release.ref: known.release for _, releases in store.held() for known in releases}
    dated = _browse(store, options, dated_since=f"{cutoff.year:04d}")
    recent = [
        seen
        for seen in dated
        if seen.release.date is not None and seen.release.date.last_day >= cutoff and seen.release.ref not in held
    ]
    announced = [line.release for line in lines] + [seen.release for seen in recent if seen.kind is not None]
    shown: dict[str, list[Release]] = {}
    for release in (*announced, *held.values()):
        shown.setdefault(keys_of(release).key, []).append(release)
    once = []
    for seen in recent:
        others = shown.setdefault(keys_of(seen.release).key, [])
        if seen.kind is None:
            if any(_are_the_same(store, seen.release, other) for other in others):
                continue
            others.append(seen.release)
        once.append(seen)
    return _again(once, lines, options, now)


def _are_the_same(store: Store, one: Release, other: Release) -> bool:
    """Tell whether two releases of one key are one: twins, or decided to be the same as one another, or as a third."""
    if are_twins(one, keys_of(one), other, keys_of(other)):
        return True
    return not _firsts(store, one).isdisjoint(_firsts(store, other))


def _firsts(store: Store, release: Release) -> set[Ref]:
    story = store.story(release.ref)
    return {first_of(known) for _, known in story.decided} if story else set()


def _again(found: Iterable[Seen], lines: Sequence[Line], options: RunOptions, now: datetime) -> list[Line]:
    """Return lines for what was told before, or never to be told, as far as filters let it through."""
    there = {line.release.ref for line in lines}
    more = [
        Announcement(seen.release, seen.kind or Kind.NEW, seen.release.ref, seen.first_seen_at)
        for seen in found
        if seen.release.ref not in there
    ]
    again = lines_to_tell(more, now, kinds=options.kinds, excluded=options.excluded)
    return [line for line in again if line.hidden_by is None]


def notes(store: Store, run: Run) -> list[str]:
    """Return the sentences that a person should read with a run's report."""
    out = []
    failures = store.checks(run.id, failed=True)
    names = _names(store, ArtistState.ACTIVE) if failures else {}
    failed = [(names[one.artist], one.message) for one in failures if one.message and one.artist in names]
    if failed:
        out.append(failed_note(failed))
    said = run.error or ""
    if run.status is RunStatus.PARTIAL:  # how many checks failed was said by name
        said = said.partition(". ")[2]
    if said and run.status is not RunStatus.RUNNING:
        out.append(f"{said[0].upper()}{said[1:].rstrip('.')}.")
    if run.status is RunStatus.PAUSED:
        active = store.artists({ArtistState.ACTIVE})
        learnt = sum(artist.learnt for artist in active)
        if learnt < len(active):
            out.append(paused_note(learnt, len(active)))
    gone = _names(store, ArtistState.GONE)
    if gone:
        out.append(gone_note(list(gone.values())))
    return out


def held(store: Store) -> tuple[tuple[Artist, int], ...]:
    """Return the active artists of whom releases are held back, and how many."""
    return tuple((artist, len(found)) for artist, found in store.held() if artist.state is ArtistState.ACTIVE)


def _names(store: Store, *states: ArtistState) -> dict[Ref, str]:
    return {artist.ref: artist.name or artist.ref.id for artist in store.artists(states)}
