"""Rows that SQLite finds in order and freshwax cannot read: called damage by all, certified by none, and mended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.damage_words import PAGE, pages_of, raw
from tests.contract.store_words import NOW, A, B, at, mark, release, report, save, silent, start, told

from freshwax.cli import mended
from freshwax.errors import StoreDamaged, StoreError
from freshwax.model import Group, Kind, LaterKeys, Ref, Silence
from freshwax.quota import Cooldown
from freshwax.store.backup import back_up, flaws, restore, soundness
from freshwax.store.known_backups import newest_good
from freshwax.store.repair import repair
from freshwax.store.sqlite import SQLiteStore

GARBAGE = {"TEXT": ("neg", b"ne\xf7"), "INTEGER": (1 << 62,), "ANY": (b"ne\xf7",), "REAL": ()}
OWN_KEYS = {"id", "position"}  # without a meaning of their own


def fill(path: Path) -> None:
    """Make a small database with rows in every table."""
    with closing(SQLiteStore.open(path)) as store:
        for day in range(2):
            run = start(store, at(day))
            for artist in (A, B):
                name = f"{artist.id}-{day}"
                found = [told(release(f"{name}-{n}", image_url="https://i.example.org/a0b1")) for n in range(2)]
                save(
                    store, artist, *found, told(release(f"{name}-up", "2026-09"), Kind.UPCOMING),
                    silent(release(f"{name}-old", "2001")), silent(release(f"{name}-held"), Silence.HELD),
                    marks=(mark(), mark(Group.SINGLE)), run=run.id, name=f"Name of {artist.id}",
                )  # fmt: skip
            store.claim_request("spotify", "artist-albums", at(day), run.id, ())
            store.finish_run(run)
            fixed = report(store, run, notes=("a note",))
            if not day:
                store.tell(fixed.id, at(day))
        changed = release("artist-a-0-0", title="Another", image_url="https://i.example.org/a0b1")
        later = LaterKeys(changed.ref, "another", "")
        save(store, A, changed=(changed,), rekeyed=(later,), marks=(), at=at(2))
        store.set_cooldown(Cooldown("spotify", at(3), "rate limit", "artist-albums", at(2)))
        store.set_setting("page size", "50")
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for table, _ in tables(connection):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0], table


def tables(connection: sqlite3.Connection) -> list[tuple[str, list[tuple[str, str]]]]:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return [
        (table, [(name, kind) for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")])
        for (table,) in connection.execute(names).fetchall()
    ]


def read_all(path: Path) -> tuple[set[Ref], set[Ref]]:
    """Read all that can be read; return what waits, and what was told."""
    with closing(SQLiteStore.open(path)) as store:
        artists = store.artists()
        known = {
            ref for one in artists for ref in (known.release.ref for known in store.follow(one.ref).known.values())
        }
        over = {ref for ref in known if (story := store.story(ref)) and any(t.kind != "upcoming" for t in story.told)}
        store.releases()
        store.held()
        store.history(artists)
        store.deep_queue(at(9), tuple(Group), None, 9)
        for run in store.runs():
            store.run(run.id)
            store.reports(run.id)
            store.checks(run.id)
        store.last_report("stdout")
        store.cooldowns("spotify")
        store.nth_last_request("spotify", 1)
        with store.write() as tx:
            tx.announced(known, ["key of Title of artist-a-0-0", "another"])
        return {one.release.ref for one in store.untold("stdout")}, over


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """That database."""
    path = tmp_path_factory.mktemp("model") / "f.db"
    fill(path)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, model: bytes) -> Path:
    """That database."""
    path = tmp_path / "f.db"
    path.write_bytes(model)
    return path


def spoil_value(path: Path, table: str, column: str, value: object, where: str = "true") -> None:
    """Have the last row of a table say something else, as a flipped bit would."""
    put = "CAST(? AS TEXT)" if isinstance(value, bytes) else "?"
    with raw(path) as connection:
        keys = [name for _, name, _, _, _, key in connection.execute(f"PRAGMA table_info({table})") if key]
        order = ", ".join(f"{key} DESC" for key in keys)
        last = f"({', '.join(keys)}) = (SELECT {', '.join(keys)} FROM {table} WHERE {where} ORDER BY {order} LIMIT 1)"
        assert connection.execute(f"UPDATE {table} SET {column} = {put} WHERE {last}", (value,)).rowcount == 1
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def every_spoilt_value() -> Iterator[tuple[str, str, object]]:
    with closing(SQLiteStore.open(":memory:")) as store:
        found = tables(store._db._connection)
    for table, columns in found:
        for column, kind in columns:
            refers = column in OWN_KEYS or (kind == "INTEGER" and column.endswith("_id"))
            yield from ((table, column, value) for value in GARBAGE[kind] if not refers)


@pytest.mark.parametrize(("table", "column", "value"), list(every_spoilt_value()))
def test_what_cannot_be_read_is_found_and_mended(path: Path, table: str, column: str, value: object) -> None:
    waiting, over = read_all(path)
    spoil_value(path, table, column, value)
    wrong = flaws(path)
    try:
        read_all(path)
    except StoreDamaged:
        assert wrong, "readers call it damaged"
    if not wrong:
        return

    done = repair(path, NOW)
    assert not done.whole
    assert "\n".join(mended.mended(done, "so much"))
    assert flaws(path) == []
    now_waiting, now_over = read_all(path)
    if "source" not in column and not column.endswith("_id"):
        assert not now_waiting & over, "told is not told again"
        assert waiting <= now_waiting | now_over, "nothing is lost"
        assert now_over >= over


def test_nobody_certifies_what_cannot_be_read(path: Path) -> None:
    spoil_value(path, "outbox", "kind", "neg")
    assert soundness(path).problems == ("rows of outbox hold a kind that cannot be read",)
    with pytest.raises(StoreDamaged, match=r"is damaged: restore .* doctor --repair"):
        back_up(path, path.with_name("b.bak"), NOW)
    with pytest.raises(StoreError, match="give another backup"):
        restore(path.with_name("other.db"), path, NOW)


def test_every_table_has_a_name_for_people(path: Path) -> None:
    with raw(path) as connection:
        assert {table for table, _ in tables(connection)} == mended._ROWS.keys()


def test_a_bit_in_a_title_is_said_and_costs_that_letter(path: Path) -> None:
    spoil_value(path, "releases", "title", b"Titl\xe5 of it")
    assert flaws(path) == ["rows of releases hold a title that cannot be read"]
    done = repair(path, NOW)

    assert (done.corrected, done.lost, done.whole) == ({"releases": 1}, {}, False)
    assert "Corrected: 1 releases" in "\n".join(mended.mended(done, ""))
    with closing(SQLiteStore.open(path)) as store:
        assert "Titl\ufffd of it" in {one.release.title for one in store.releases()}


def test_credits_that_cannot_be_read_become_those_of_the_artist(path: Path) -> None:
    spoil_value(path, "credit_lists", "credits", '[["a')
    done = repair(path, NOW)

    assert (done.corrected.keys(), done.lost) == ({"releases"}, {"credit_lists": 1})
    with closing(SQLiteStore.open(path)) as store:
        assert {one.release.artists[0].name for one in store.untold("stdout")} == {
            "Name of artist-a",
            "Name of artist-b",
        }


def test_a_backup_that_cannot_be_read_is_not_named_as_the_last_good_one(path: Path) -> None:
    back_up(path, path.with_name("b.bak"), NOW)
    spoil_value(path.with_name("b.bak"), "decisions", "kind", "neg")
    assert newest_good(path) is None


def test_what_is_taken_over_from_a_database_that_cannot_be_read_can_be_read(path: Path) -> None:
    back_up(path, path.with_name("b.bak"), NOW)
    with closing(SQLiteStore.open(path)) as store:
        [run, *_] = store.runs()
        store.tell(report(store, run).id, at(5))
    _, over = read_all(path)
    spoil_value(path, "told", "kind", "neg", "told_at > 0")
    spoil_value(path, "cooldowns", "until", 1 << 62)
    done = restore(path, path.with_name("b.bak"), NOW)

    assert done.remembered
    assert flaws(path) == []
    assert read_all(path)[1] == over


def flip(path: Path, table: str, ref: str, bit: int) -> None:
    """Flip a bit of an ID where its table has it, and not where its index has it."""
    data = bytearray(path.read_bytes())
    [page] = pages_of(path, table)
    place = data.index(ref.encode(), (page - 1) * PAGE, page * PAGE)
    data[place + 3] ^= bit
    path.write_bytes(data)


@pytest.mark.parametrize("why", [Silence.TWIN, Silence.RELISTED])
def test_a_twin_whose_id_has_changed_is_the_same_as_the_first_under_both(path: Path, why: Silence) -> None:
    first, twin = release("artist-b-0-1"), release("same-again")
    with closing(SQLiteStore.open(path)) as store:
        save(store, B, silent(twin, why, of=first.ref, announced=first.ref), at=at(8))
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    flip(path, "releases", twin.ref.id, 1)
    repair(path, NOW)

    with closing(SQLiteStore.open(path)) as store:
        known = store.follow(B).known
        assert {known[one].of for one in ("same-again", "samd-again")} == {first.ref}


@pytest.mark.parametrize(("bit", "kept"), [(0x80, 0), (0x01, 1)], ids=["no text", "another letter"])
def test_a_release_whose_id_has_changed_in_the_table_stays_known_by_the_id_of_the_index(
    path: Path, bit: int, kept: int
) -> None:
    ref = Ref("spotify", "artist-b-0-1")
    flip(path, "releases", ref.id, bit)
    done = repair(path, NOW)

    assert (done.corrected, done.lost) == ({"releases": 1}, {})
    assert flaws(path) == []
    with closing(SQLiteStore.open(path)) as store:
        known = store.follow(B).known[ref.id]
        assert known.announced is not None
        assert known.release.forgotten is bool(kept)
        save(store, B, at=at(9), changed=(release(ref.id),))
        assert store.follow(B).known[ref.id].release == release(ref.id)
        assert ref not in {one.release.ref for one in store.untold("stdout")}
    read_all(path)


def test_an_artist_whose_id_has_changed_is_followed_under_both(path: Path) -> None:
    flip(path, "artists", B.id, 1)
    repair(path, NOW)

    with closing(SQLiteStore.open(path)) as store:
        assert {one.ref.id for one in store.artists()} == {A.id, B.id, "arthst-b"}
