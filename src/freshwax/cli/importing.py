"""Putting artists on the watch list: IDs at once, names by one search each, every find kept as soon as it is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from freshwax import app
from freshwax.cli.artist_files import Entries, Entry, fold
from freshwax.cli.setup import Setup
from freshwax.errors import CheckError, Paused
from freshwax.model import Ref
from freshwax.quota import OWN_QUOTA, own_limit
from freshwax.reports.escape import visible
from freshwax.reports.words import clock_time, count
from freshwax.sources.base import Candidate, Source
from freshwax.store.base import Store

ARTIST_LINK = "https://open.spotify.com/artist/"


@dataclass
class Imported:
    """What an import did. ``refs`` are all artists of the list that are on the watch list now."""

    added: int = 0
    enabled: int = 0
    known: int = 0
    duplicates: int = 0
    found: list[Ref] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    homonyms: list[tuple[str, list[Candidate]]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    left: int = 0
    why: str = ""
    until: datetime | None = None

    @property
    def refs(self) -> tuple[Ref, ...]:
        """The artists, each once."""
        return tuple(dict.fromkeys(self.found))

    @property
    def complete(self) -> bool:
        """Whether every entry led to an artist."""
        return not (self.not_found or self.homonyms or self.failed or self.left)


def import_artists(setup: Setup, entries: Entries) -> Imported:
    """Add the artists of a list and tell people about it."""
    result = Imported(duplicates=entries.duplicates)
    with app.open_store(setup.config) as store:
        with_id = [(Ref(app.SOURCE, entry.id), entry.name) for entry in entries.artists if entry.id]
        if with_id:
            _watch(store, with_id, result)
        unknown = _skip_known(store, [entry for entry in entries.artists if not entry.id], result)
        if unknown:
            import asyncio

            setup.say(f"{count(len(unknown), 'name')} to look up, one request each.")
            asyncio.run(_search(setup, store, unknown, result))
    for line in summary(result):
        setup.say(line)
    return result


def _watch(store: Store, entries: Iterable[tuple[Ref, str | None]], result: Imported) -> None:
    entries = list(entries)
    watched = store.watch(entries, app.now())
    result.added += len(watched.added)
    result.enabled += len(watched.enabled)
    result.known += len(watched.known)
    result.found += [ref for ref, _ in entries]


def _skip_known(store: Store, entries: list[Entry], result: Imported) -> list[Entry]:
    """Answer the names that are on the list, or that an earlier import found, without a request."""
    listed: dict[str, list[Ref]] = {}
    for artist in store.artists():
        if artist.name and artist.ref.source == app.SOURCE:
            listed.setdefault(fold(artist.name), []).append(artist.ref)
    unknown = []
    for entry in entries:
        name = fold(entry.name or "")
        remembered = store.setting(_memory(name))
        refs = listed.get(name) or ([Ref(app.SOURCE, remembered)] if remembered else [])
        if len(refs) == 1:
            _watch(store, [(refs[0], None)], result)
        else:
            unknown.append(entry)
    return unknown


def _memory(name: str) -> str:
    return f"{app.SOURCE}.name.{name}"


async def _search(setup: Setup, store: Store, entries: list[Entry], result: Imported) -> None:
    source = app.make_source(setup.config, store, app.clock())
    try:
        for done, entry in enumerate(entries):
            try:
                await _look_up(source, store, entry.name or "", result)
            except CheckError as error:
                result.failed.append((entry.name or "", str(error)))
            except Paused as pause:
                left = len(entries) - done
                per_day = setup.config.spotify_requests_per_day
                result.why = own_limit(per_day) if pause.reason == OWN_QUOTA else str(pause)
                result.left, result.until = left, source.gate.resumes(left)
                return
    finally:
        await source.aclose()


async def _look_up(source: Source, store: Store, name: str, result: Imported) -> None:
    candidates = await source.search_artists(name)
    same = [candidate for candidate in candidates if fold(candidate.name) == fold(name)]
    if len(same) == 1:
        _watch(store, [(Ref(app.SOURCE, same[0].id), same[0].name)], result)
        store.set_setting(_memory(fold(name)), same[0].id)
    elif same:
        result.homonyms.append((name, same))
    else:
        result.not_found.append(name)


def summary(result: Imported) -> list[str]:
    """Return what an import did in words."""
    parts = [f"added {result.added:,}"]
    for number, word in (
        (result.enabled, "enabled again"),
        (result.known, "already there"),
        (result.duplicates, "duplicates"),
        (len(result.homonyms), "to choose"),
        (len(result.not_found), "not found"),
        (len(result.failed), "failed"),
    ):
        if number:
            parts.append(f"{word} {number:,}")
    lines = [", ".join(parts)]
    if not (result.found or result.duplicates or result.homonyms or result.not_found or result.failed or result.left):
        lines = ["added 0: no artist is named there."]
    for name, candidates in result.homonyms:
        lines.append(f"Several artists are called {visible(name)!r}; add the one you mean by its link:")
        lines += [f"  {ARTIST_LINK}{visible(c.id)}  {visible(c.name)}  {visible(c.hint)}".rstrip() for c in candidates]
    lines += [f"Not found: {visible(name)!r}; add it by its link instead." for name in result.not_found]
    reasons: dict[str, list[str]] = {}
    for name, reason in result.failed:
        said = reason.removeprefix(f"the search for {name!r}: ")
        reasons.setdefault(visible(said), []).append(repr(visible(name)))
    for reason, names in reasons.items():
        lines.append(f"Failed: {', '.join(names)}: {reason}; run the same command again.")
    if result.left:
        when = f" after {clock_time(result.until, app.now())}" if result.until else ""
        lines.append(f"{result.why}. {count(result.left, 'name')} left; run the same command again{when}.")
    return lines
