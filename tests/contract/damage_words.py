"""A small vocabulary for tests of damaged databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.contract.store_words import at, release, report, save, start, told

from freshwax.model import Ref
from freshwax.store.backup import flaws
from freshwax.store.sqlite import SQLiteStore

PAGE = 4096
ARTISTS = [Ref("spotify", f"artist-{number:03}") for number in range(40)]
COUNTED = ("artists", "marks", "releases", "decisions", "outbox", "told", "run_history", "reports")


def raw(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(path, isolation_level=None))


def fill(path: Path) -> None:
    """Make a database of some hundred pages: half of what was found is told, the other half waits."""
    with closing(SQLiteStore.open(path)) as store:
        for half in range(2):
            run = start(store, at(half))
            for artist in ARTISTS:
                found = [told(release(f"{artist.id}-{half}-{n}", title=f"{artist.id} {n} " * 9)) for n in range(8)]
                save(store, artist, *found, run=run.id)
            if not half:
                store.tell(report(store, run).id, at(half))
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def counts(path: Path) -> dict[str, int]:
    with raw(path) as connection:
        return {name: connection.execute(f"SELECT count(*) FROM {name} NOT INDEXED").fetchone()[0] for name in COUNTED}


def pages_of(path: Path, name: str, kind: str = "leaf") -> list[int]:
    """The pages of a table or an index; dbstat is not compiled into every SQLite, so from the file itself."""
    with raw(path) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    data = path.read_bytes()
    leaves: list[int] = []
    inner: list[int] = []

    def walk(page: int) -> None:
        start = (page - 1) * PAGE
        if data[start] in {0x0D, 0x0A}:
            leaves.append(page)
            return
        inner.append(page)
        cells = int.from_bytes(data[start + 3 : start + 5], "big")
        for cell in range(cells):
            place = start + int.from_bytes(data[start + 12 + 2 * cell : start + 14 + 2 * cell], "big")
            walk(int.from_bytes(data[place : place + 4], "big"))
        walk(int.from_bytes(data[start + 8 : start + 12], "big"))

    walk(root)
    return leaves if kind == "leaf" else inner


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xa5" * PAGE)


def assert_sound(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as store:
        assert flaws(path) == []
        for artist in store.artists():
            store.follow(artist.ref)
        for run in store.runs():
            store.reports(run.id)
        store.last_report("stdout")
