"""Every store passes the same suites."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.damage_words import fill
from tests.memory_store.store import MemoryStore

from freshwax.store.base import Store
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    with closing(MemoryStore() if request.param == "memory" else SQLiteStore.open(tmp_path / "f.db")) as opened:
        yield opened


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database of some hundred pages: half of what was found is told, the other half waits."""
    path = tmp_path_factory.mktemp("model") / "f.db"
    fill(path)
    return path.read_bytes()
