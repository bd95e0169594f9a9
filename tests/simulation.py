"""A tracker in a simulated world: the real plan, walk, decision and store, with pages handed over instead of fetched.

Contains no business logic: what is new, and what that costs, is worked out by the code under test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace
from tests.memory_store.store import MemoryStore

from freshwax.clock import SimulatedClock
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.world import World, WorldRelease
from freshwax.errors import CheckError, Paused
from freshwax.model import Cost, Credit, Follow, Group, Kind, Listed, Mode, Observation, Ref, Release, Report, Run
from freshwax.sources.base import Candidate, Want
from freshwax.sources.spotify.depth import deep_walk
from freshwax.sources.spotify.listing import check_walk
from freshwax.sources.spotify.pages import Page, PageRequest
from freshwax.store.base import Store
from freshwax.tracking.options import STDOUT, RunOptions
from freshwax.tracking.report import fix_report
from freshwax.tracking.run import run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def day(offset: int) -> str:
    """Return a release date so many days after the simulation's start."""
    return (START.date() + timedelta(days=offset)).isoformat()


def on(offset: float) -> str:
    """Return an instant so many days after the simulation's start."""
    return (START + timedelta(days=offset)).isoformat()


class KilledError(BaseException):
    """The process ends here."""


@dataclass
class WorldSource:
    """A source that reads a world. ``failing`` artists answer with an error; ``quota`` requests are left (None:
    any)."""

    world: World
    clock: SimulatedClock
    page_size: int = 10
    name: str = "spotify"
    failing: frozenset[str] = frozenset()
    quota: int | None = None
    kill_at: int | None = None
    tamper: Callable[[Page, PageRequest], Page] | None = None
    asked: list[tuple[str, PageRequest]] = field(default_factory=list)
    run_id: int | None = None
    refusal: Paused | None = None
    budget: int | None = None

    @property
    def cost(self) -> Cost:
        return Cost(requests=len(self.asked))

    def allow(self, requests: int | None) -> None:
        self.budget = requests

    def resumes(self, requests: int) -> datetime | None:
        return None

    async def check(self, follow: Follow, want: Want) -> Observation:
        return await self._drive(check_walk(follow, want, self.page_size), follow.artist.ref.id)

    async def read_deep(self, follow: Follow, group: Group, want: Want, pages: int) -> Observation:
        return await self._drive(deep_walk(follow, group, pages, self.page_size), follow.artist.ref.id)

    async def search_artists(self, name: str) -> list[Candidate]:
        found = [one for one in self.world.artists.values() if one.name == name]
        return [Candidate(one.id, one.name, "") for one in found]

    async def aclose(self) -> None:
        return

    async def _drive(self, walk: Generator[PageRequest, Page, Observation], artist: str) -> Observation:
        try:
            request = next(walk)
            while True:
                try:
                    page = await self._page(artist, request)
                except (CheckError, Paused) as stop:
                    request = walk.throw(stop)
                else:
                    request = walk.send(page)
        except StopIteration as done:
            observation: Observation = done.value
            return observation

    async def _page(self, artist: str, request: PageRequest) -> Page:
        if self.quota == 0 or self.budget == 0:
            raise Paused("nothing is left to ask with", reason="quota" if self.quota == 0 else "budget", until=None)
        if self.quota is not None:
            self.quota -= 1
        if self.budget is not None:
            self.budget -= 1
        self.asked.append((artist, request))
        if self.kill_at is not None and len(self.asked) >= self.kill_at:
            raise KilledError
        await asyncio.sleep(0)  # other checks go on meanwhile
        if artist in self.failing:
            raise CheckError("the service failed", code="server", transient=True)
        page = self.page(artist, request)
        return page if self.tamper is None else self.tamper(page, request)

    def page(self, artist: str, request: PageRequest) -> Page:
        at = self.clock.now()
        if self.world.artist(artist, at) is None:
            raise CheckError("there is no such artist", code="not_found")
        everything = self.world.listings(artist, request.groups, at)
        window = everything[request.offset : request.offset + self.page_size]
        entries = (Listed(request.offset + at, self.release(one)) for at, one in enumerate(window))
        return Page(tuple(entries), len(everything), request.offset + self.page_size < len(everything))

    def release(self, one: WorldRelease) -> Release:
        artists = tuple(Credit(artist, self.world.artists[artist].name) for artist in one.artists)
        return Release(Ref("spotify", one.id), one.title, one.type, artists, one.date, total_tracks=one.total_tracks)


@dataclass
class Simulation:
    """A user who runs freshwax now and then."""

    world: World
    page_size: int = 10
    store: Store = field(default_factory=MemoryStore)
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(START))
    options: RunOptions = field(default_factory=lambda: RunOptions(Mode.INCREMENTAL, "US", concurrency=3))
    told: list[tuple[datetime, str, Kind]] = field(default_factory=list)
    tamper: Callable[[Page, PageRequest], Page] | None = None  # what the service does to pages that it should not
    source: WorldSource = field(init=False)

    def __post_init__(self) -> None:
        self.source = WorldSource(self.world, self.clock, self.page_size)

    def follow(self, *artists: str) -> None:
        self.store.watch([(Ref("spotify", one), None) for one in artists], self.clock.now())

    def wait(self, days: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(days=days))

    def track(
        self, *, failing: Collection[str] = (), tell: bool = True, kill_at: int | None = None, **changes: object
    ) -> Run:
        """Run once, and read the report if there is one (``tell``: it reaches the reader)."""
        options = replace(self.options, **changes)  # type: ignore[arg-type]
        before = self.source
        self.source = WorldSource(self.world, self.clock, self.page_size, quota=before.quota)
        self.source.failing = frozenset(failing)
        self.source.tamper = self.tamper
        self.source.kill_at = kill_at
        finished = asyncio.run(run(self.store, self.source, self.source, self.clock, options))
        report = fix_report(self.store, finished, options, self.clock.now())
        if tell:
            self.read(report)
        return finished

    def read(self, report: Report) -> None:
        shown = [line for line in report.lines if line.hidden_by is None]
        self.told += [(self.clock.now(), line.release.ref.id, line.kind) for line in shown]
        self.store.tell(report.id, self.clock.now())

    def check(self, days: float = 7, **how: object) -> list[tuple[str, str]]:
        """Let days pass, run, and return title and kind of what the report told."""
        self.wait(days)
        before = len(self.told)
        self.track(**how)  # type: ignore[arg-type]
        titles = {one.id: one.title for one in self.world.releases}
        return [(titles[release], kind.value) for _, release, kind in self.told[before:]]

    @property
    def requests(self) -> list[PageRequest]:
        """What the last run asked for."""
        return [request for _, request in self.source.asked]


def titles_told(simulation: Simulation) -> list[str]:
    titles = {one.id: one.title for one in simulation.world.releases}
    return [titles[release] for _, release, _ in simulation.told]


def channel_is_empty(store: Store) -> bool:
    return not store.untold(STDOUT)


def ids(releases: Iterable[WorldRelease]) -> set[str]:
    return {one.id for one in releases}


def a_world() -> tuple[WorldBuilder, ArtistHandle]:
    """Return a world in the making, with one artist in it."""
    world = WorldBuilder()
    return world, world.artist("Nightjar")


def followed(world: WorldBuilder, *artists: ArtistHandle, page_size: int = 10) -> Simulation:
    """Return a user of that world who follows those artists."""
    user = Simulation(world.build(), page_size)
    user.follow(*(artist.id for artist in artists))
    return user
