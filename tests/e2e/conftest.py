"""What the end-to-end tests share: a world, the server that serves it, a user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.user import NOW, Nursery, User, at, day

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer


@pytest.fixture
def world() -> WorldBuilder:
    return WorldBuilder()


@pytest.fixture
def birds(world: WorldBuilder) -> list[ArtistHandle]:
    """Six artists with a little history; four of them bring something out within the hour, three things of it today."""
    artists = [world.artist(name) for name in ("Nightjar", "Tern", "Wren", "Avocet", "Knot", "Ruff")]
    for artist in artists:
        artist.album(f"{artist.name} One", day(-900))
        artist.single(f"{artist.name} Two", day(-400))
    nightjar, tern, wren, avocet, *_ = artists
    nightjar.single("Low Tide", day(0), appears=at(1))
    tern.album("Ebb", day(-1), appears=at(1))
    wren.single("Slack Water", day(0), appears=at(1))
    world.joint("Estuary", day(-1), [tern, avocet], appears=at(1))
    return artists


NEWS = ["Ebb", "Estuary", "Low Tide", "Slack Water"]


@pytest.fixture
def news() -> list[str]:
    """The titles that come out within the hour."""
    return NEWS


@pytest.fixture
def server(world: WorldBuilder, birds: list[ArtistHandle]) -> Iterator[DemoServer]:
    with DemoServer(world.build(), NOW) as server:
        yield server


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with closing(Nursery(tmp_path_factory.mktemp("nursery"))) as nursery:
        yield nursery


@pytest.fixture
def user(tmp_path: Path, server: DemoServer, request: pytest.FixtureRequest) -> User:
    """A user; tests that use ``from_scratch`` start a new interpreter for every run, as a shell does."""
    folder = tmp_path / "user"
    folder.mkdir()
    user = User(folder)
    if hasattr(os, "fork") and "from_scratch" not in request.fixturenames:
        user.nursery = request.getfixturevalue("nursery")
    user.knows(server)
    return user


@pytest.fixture
def from_scratch() -> None:
    """See ``user``."""
