"""A small vocabulary for tests of backups."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.contract.store_words import NOW, A, release, report, save, start, told

from freshwax.model import Ref
from freshwax.store.backup import flaws
from freshwax.store.sqlite import SQLiteStore


def fill(path: Path) -> None:
    """Make a database in which something happened."""
    with closing(SQLiteStore.open(path)) as store:
        run = start(store)
        save(store, A, told(release("one")), told(release("two")))
        report(store, run)


def follow(path: Path, *artists: Ref) -> None:
    with closing(SQLiteStore.open(path)) as store:
        store.watch([(artist, None) for artist in artists], NOW)


def names(path: Path) -> list[str]:
    with closing(SQLiteStore.open(path, read_only=True)) as store:
        assert flaws(path) == []
        return [artist.ref.id for artist in store.artists()]


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


def spoil_a_page(path: Path) -> None:
    """Overwrite a page in the middle, where the header does not show it."""
    with path.open("r+b") as file:
        file.seek(4096 * 8)
        file.write(b"\xa5" * 4096)
