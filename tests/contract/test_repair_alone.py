"""A repair while others want to write: what they were told is saved is there afterwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.contract.damage_words import ARTISTS, assert_sound, fill, pages_of, raw, spoil
from tests.contract.store_words import NOW

from freshwax.errors import StoreLocked
from freshwax.model import Ref
from freshwax.store.repair import repair
from freshwax.store.sqlite import SQLiteStore
from freshwax.store.swap import alone

ROOT = Path(__file__).parents[2]
NEWCOMER = Ref("spotify", "newcomer")
# Follows one artist after the other, each in a store of its own, as commands do, and says whom, until a file says stop.
_WRITER = """
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from tests.contract.store_words import NOW
from freshwax.errors import StoreLocked
from freshwax.model import Ref
from freshwax.store.sqlite import SQLiteStore
for number in count():
    try:
        with closing(SQLiteStore.open(sys.argv[1], patience=0.05)) as store:
            store.watch([(Ref("spotify", f"added-{number}"), None)], NOW)
    except StoreLocked:
        continue
    print(f"added-{number}", flush=True)
    if Path(sys.argv[2]).exists():
        break
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A damaged database, large enough that a repair takes a while."""
    path = tmp_path / "f.db"
    fill(path)
    with raw(path) as connection:
        connection.execute(
            "INSERT INTO history (release_id, at, field, before, after) WITH RECURSIVE n (i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT 1, i, 'title', 'b' || i, 'a' || i FROM n"
        )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil(path, pages_of(path, "releases_by_first_sight")[0])
    return path


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _WRITER, str(path), str(path.with_name("stop"))]
    with subprocess.Popen(command, cwd=ROOT, stdout=-1, text=True) as process:
        try:
            yield process
        finally:
            path.with_name("stop").touch()


def test_whoever_was_told_that_it_is_saved_finds_it_after_the_repair(path: Path) -> None:
    with writer(path) as process:
        assert process.stdout
        said = [process.stdout.readline().strip()]
        for _ in range(20):  # it may find the other one there, and says so
            try:
                done = repair(path, NOW)
                break
            except StoreLocked:
                continue
        path.with_name("stop").touch()
        said += process.stdout.read().split()

    assert done.kept is not None
    assert len(said) > 1
    with closing(SQLiteStore.open(path)) as store:
        assert {one.ref.id for one in store.artists()} == {*said, *(artist.id for artist in ARTISTS)}
    assert_sound(path)


def test_while_a_database_is_replaced_nobody_writes_into_it_nor_into_the_old_one_later(path: Path) -> None:
    draft = path.with_name("draft")
    fill(draft)
    with closing(SQLiteStore.open(draft)):
        pass
    with raw(draft) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    script = (
        "import sys\nfrom tests.contract.store_words import NOW\nfrom freshwax.errors import StoreLocked\n"
        "from freshwax.model import Ref\nfrom freshwax.store.sqlite import SQLiteStore\n"
        "try:\n    SQLiteStore.open(sys.argv[1], patience=0).watch([(Ref('spotify', 'newcomer'), None)], NOW)\n"
        "except StoreLocked:\n    sys.exit(4)\n"
    )

    def added() -> int:
        return subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False).returncode

    kept = path.with_name("kept.bak")
    with alone(path) as held:
        held.copy_to(path.with_name("copy"))
        assert added() == 4
        held.give_way(draft, kept)
        assert added() == 0, "into the new one"
    for file, known in ((path, True), (kept, False)):
        with raw(file) as connection:
            found = connection.execute("SELECT count(*) FROM artists WHERE source_id = 'newcomer'").fetchone()
        assert found == (known,)


def test_a_repair_gives_up_where_somebody_else_reads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freshwax.store.swap.PATIENCE", 0)
    before = path.read_bytes()
    with raw(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM artists").fetchone()
        with pytest.raises(StoreLocked, match="is locked by another program"):
            repair(path, NOW)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["f.db"]


def test_what_cannot_be_locked_is_not_replaced_where_it_changed_meanwhile(path: Path) -> None:
    path.write_bytes(b"garbage")
    draft = path.with_name("draft")
    draft.write_bytes(b"new")
    with alone(path) as held:
        assert not held.settled
        path.write_bytes(b"rubbish")
        with pytest.raises(StoreLocked, match="was changed by another program meanwhile"):
            held.give_way(draft, path.with_name("kept.bak"))
    assert path.read_bytes() == b"rubbish"
    assert not path.with_name("kept.bak").exists()
    with alone(path) as held:
        held.give_way(draft, path.with_name("kept.bak"))
    assert (path.read_bytes(), path.with_name("kept.bak").read_bytes()) == (b"new", b"rubbish")
