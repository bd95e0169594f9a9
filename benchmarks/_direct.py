"""A source that reads a world without HTTP: builds large databases fast, by the same walks as over the network."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from hashlib import md5
from pathlib import Path

from freshwax.clock import SimulatedClock
from freshwax.demo.world import World, WorldRelease
from freshwax.errors import Paused
from freshwax.model import Cost, Credit, Follow, Group, Listed, Mode, Observation, Ref, Release
from freshwax.sources.base import Candidate, Want
from freshwax.sources.spotify.client import Walk, run_walk
from freshwax.sources.spotify.depth import deep_walk
from freshwax.sources.spotify.listing import check_walk
from freshwax.sources.spotify.pages import Page, PageRequest
from freshwax.store.base import Store
from freshwax.store.sqlite import SQLiteStore
from freshwax.tracking.options import RunOptions
from freshwax.tracking.report import fix_report
from freshwax.tracking.run import run

SIZE = 10


class DirectSource:
    """Answers walks from a world at an instant; its own meter, too."""

    name = "spotify"

    def __init__(self, world: World, at: datetime, ledger: Store | None = None) -> None:
        self.run_id: int | None = None
        self.refusal: Paused | None = None
        self.budget: int | None = None
        self._world = world
        self._at = at
        self._asked = 0
        self._ledger = ledger

    @property
    def cost(self) -> Cost:
        return Cost(self._asked)

    def allow(self, requests: int | None) -> None:
        self.budget = requests

    def resumes(self, _requests: int) -> datetime | None:
        return None

    async def check(self, follow: Follow, want: Want) -> Observation:
        return await self._walk(check_walk(follow, want, SIZE), follow)

    async def read_deep(self, follow: Follow, group: Group, _want: Want, pages: int) -> Observation:
        return await self._walk(deep_walk(follow, group, pages, SIZE), follow)

    async def search_artists(self, _name: str) -> list[Candidate]:
        return []

    async def aclose(self) -> None:
        return

    async def _walk(self, walk: Walk, follow: Follow) -> Observation:
        async def ask(request: PageRequest) -> Page:
            self._asked += 1
            if self._ledger is not None:
                self._ledger.claim_request(self.name, "albums", self._at, self.run_id, ())
            everything = self._world.listings(follow.artist.ref.id, request.groups, self._at)
            part = everything[request.offset : request.offset + SIZE]
            entries = (Listed(position, self._release(one)) for position, one in enumerate(part, request.offset))
            return Page(tuple(entries), len(everything), request.offset + SIZE < len(everything))

        return await run_walk(walk, ask)

    def _release(self, one: WorldRelease) -> Release:
        credited = tuple(Credit(artist, self._world.artists[artist].name) for artist in one.artists)
        url = f"https://open.spotify.com/album/{one.id}"
        digest = md5(one.id.encode(), usedforsecurity=False).hexdigest()
        image = f"https://i.scdn.co/image/ab67616d00001e02{digest[:24]}"
        return Release(Ref(self.name, one.id), one.title, one.type, credited, one.date, url, image, one.total_tracks)


def learn(world: World, store: Store, at: datetime) -> None:
    """Follow everybody and learn every list to its end; tell what is recent."""
    store.watch([(Ref("spotify", one.id), one.name) for one in world.artists.values()], at)
    options = RunOptions(Mode.INCREMENTAL, "US", force=True)
    source = DirectSource(world, at)
    while store.deep_queue(at - options.audit_interval, options.groups, None, 1) or not source.cost.requests:
        done = asyncio.run(run(store, source, source, SimulatedClock(at), options))
        store.tell(fix_report(store, done, options, at).id, at)


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def live(world: World, database: Path, at: datetime, weeks: int) -> Iterator[int]:
    """Run once a week, requests in the ledger; yield the size of the database after each week."""
    options = RunOptions(Mode.INCREMENTAL, "US")
    for week in range(1, weeks + 1):
        now = at + timedelta(weeks=week)
        with closing(SQLiteStore.open(database)) as store:
            source = DirectSource(world, now, ledger=store)
            done = asyncio.run(run(store, source, source, SimulatedClock(now), options))
            store.tell(fix_report(store, done, options, now).id, now)
        yield database.stat().st_size


def main(rows: str, database: str, at: str, weeks: str = "0") -> None:
    """Build a database from rows of releases, as of an instant; print how many releases it knows.

    With ``weeks``, go on for so long from there, and print the size after each.
    """
    world, path, start = World.from_rows(rows_of(Path(rows))), Path(database), datetime.fromisoformat(at)
    with closing(SQLiteStore.open(path)) as store:
        learn(world, store, start)
        print(len(store.releases()))
    for size in live(world, path, start, int(weeks)):
        print(size)


if __name__ == "__main__":
    main(*sys.argv[1:])
