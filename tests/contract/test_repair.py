"""A damaged database: what is mended, what is saved, what is said to be lost."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.contract.damage_words import ARTISTS, COUNTED, PAGE, assert_sound, counts, pages_of, raw, spoil
from tests.contract.store_words import NOW, at
from tests.fixtures import keep_schema

from freshwax.errors import StoreError
from freshwax.store.repair import repair
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture
def path(tmp_path: Path, model: bytes) -> Path:
    """That database."""
    path = tmp_path / "f.db"
    path.write_bytes(model)
    return path


def test_nothing_is_done_to_a_sound_database(path: Path) -> None:
    before = path.read_bytes()
    done = repair(path, NOW)

    assert (done.problems, done.kept, done.whole, done.contents.artists) == ((), None, True, len(ARTISTS))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["f.db"]


def make_index_forget(path: Path, name: str) -> None:
    """Delete rows behind an index's back."""
    with raw(path) as connection:
        found = connection.execute("SELECT * FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = ?", (name,))
    with raw(path) as connection:
        connection.execute("DELETE FROM decisions WHERE release_id % 50 = 0 AND release_id <= 320")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", found)


def test_an_index_that_does_not_fit_its_table_is_built_anew(path: Path) -> None:
    make_index_forget(path, "decisions_by_release")
    before = counts(path)
    spoilt = path.read_bytes()
    done = repair(path, NOW)

    assert any("decisions_by_release" in problem for problem in done.problems)
    assert (done.saved, done.lost, done.mended, done.whole) == ((), {}, {}, True)
    assert counts(path) == before
    assert done.kept is not None
    assert done.kept.read_bytes()[100:] == spoilt[100:]
    assert_sound(path)


def test_a_spoilt_page_of_an_index_costs_no_row(path: Path) -> None:
    before = counts(path)
    spoil(path, pages_of(path, "decisions_by_release")[-1])
    done = repair(path, NOW)

    assert done.problems
    assert (done.lost, done.mended, done.whole) == ({}, {}, True)
    assert counts(path) == before
    assert_sound(path)


@pytest.mark.parametrize("table", ["releases", "decisions", "told", "outbox"])
def test_a_page_of_a_table_costs_the_rows_on_it_and_no_others(path: Path, table: str) -> None:
    before = counts(path)
    pages = pages_of(path, table)
    spoil(path, pages[len(pages) // 2])
    done = repair(path, NOW)

    [hit] = [one for one in done.saved if not one.whole]
    assert hit.table == table
    assert hit.of in {before[table], None}
    lost = before[table] - hit.rows
    assert 0 < lost < before[table] / len(pages) * 3
    after = counts(path)
    assert all(after[name] == before[name] for name in ("artists", "marks", "run_history", "reports"))
    assert not done.whole
    assert_sound(path)


def test_what_waited_to_be_told_is_found_again_in_what_was_decided(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as store:
        before = {one.release.ref for one in store.untold("stdout")}
        over = {line.release.ref for line in store.last_report("stdout").lines}  # type: ignore[union-attr]
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for page in pages_of(path, "outbox"):
        spoil(path, page)
    done = repair(path, NOW)

    assert done.mended["lines to tell"] == len(before)
    with closing(SQLiteStore.open(path)) as store:
        assert {one.release.ref for one in store.untold("stdout")} == before
        assert not over & before


def test_lost_runs_and_reports_are_made_anew_so_that_nothing_is_told_again(path: Path) -> None:
    before = counts(path)
    for table in ("run_history", "reports", "report_lines"):
        for page in pages_of(path, table):
            spoil(path, page)
    done = repair(path, NOW)

    assert done.mended == {"runs": 2, "reports": 1}
    after = counts(path)
    assert {name: after[name] for name in COUNTED} == before
    with closing(SQLiteStore.open(path)) as store:
        assert len(store.last_report("stdout").lines) == before["told"]  # type: ignore[union-attr]
        assert len(store.untold("stdout")) == before["outbox"]
        assert store.start_run(store.runs()[0].mode, "US", at(9)).id > 2
    assert_sound(path)


@pytest.mark.parametrize("table", ["credit_lists", "url_prefixes"])
def test_what_releases_share_may_be_lost_and_no_release_with_it(path: Path, table: str) -> None:
    before = counts(path)
    with closing(SQLiteStore.open(path)) as store:
        waiting = [one.release.ref for one in store.untold("stdout")]
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for page in pages_of(path, table):
        spoil(path, page)
    done = repair(path, NOW)

    assert (counts(path), done.lost, done.whole) == (before, {}, False)
    with closing(SQLiteStore.open(path)) as store:
        found = store.untold("stdout")
        assert [one.release.ref for one in found] == waiting
        assert all(one.release.artists and one.release.title for one in found), "a line can be told"
    assert_sound(path)


def test_rows_that_refer_to_nothing_are_mended_or_let_go(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("DELETE FROM run_history WHERE id = 1")
        connection.execute("DELETE FROM releases WHERE id % 100 = 0")
    done = repair(path, NOW)

    assert done.mended == {"runs": 1}
    assert set(done.lost) == {"decisions", "report_lines", "told"} | ({"outbox"} & set(done.lost))
    assert (done.saved, done.whole) == ((), False)
    assert_sound(path)


def test_a_database_that_was_cut_short_gives_what_is_left_of_it(path: Path) -> None:
    before = counts(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // PAGE * 3 // 4 * PAGE)
    done = repair(path, NOW)

    after = counts(path)
    assert 0 < sum(after.values()) < sum(before.values())
    assert not done.whole
    assert_sound(path)


@pytest.mark.parametrize("spoilt", [b"\xa5" * PAGE, b"SQLite format 3\0" + b"\xa5" * (PAGE - 16)])
def test_without_its_first_page_nothing_can_be_saved_and_nothing_changes(path: Path, spoilt: bytes) -> None:
    with path.open("r+b") as file:
        file.write(spoilt)
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"; to start anew, move|of another program") as caught:
        repair(path, NOW)
    assert "--repair" not in str(caught.value), "that was tried"
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["f.db"]


def test_a_table_whose_root_is_lost_leaves_the_others(path: Path) -> None:
    before = counts(path)
    inner = pages_of(path, "releases", "inner")
    spoil(path, inner[0])
    done = repair(path, NOW)

    saved = {one.table: one.rows for one in done.saved}
    assert (saved["artists"], saved["told"]) == (before["artists"], before["told"])
    [hit] = [one for one in done.saved if one.table == "releases"]
    assert (hit.rows, hit.named, done.whole) == (0, before["releases"], False)
    assert_sound(path)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_pages_are_spoilt_the_result_is_sound_or_the_old_one_stands(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    count = path.stat().st_size // PAGE
    for page in rng.sample(range(2, count + 1), rng.randint(1, 6)):
        spoil(path, page)
    spoilt = path.read_bytes()
    try:
        done = repair(path, NOW)
    except StoreError:
        assert path.read_bytes()[100:] == spoilt[100:]
        return
    assert done.kept is not None
    assert_sound(path)


@pytest.mark.parametrize("fixture", sorted(keep_schema.FOLDER.glob("schema_v*.sql")), ids=lambda path: path.stem)
def test_a_damaged_database_of_an_earlier_schema_is_saved_as_it_is_and_migrated_later(
    fixture: Path, tmp_path: Path
) -> None:
    path = tmp_path / "f.db"
    with raw(path) as connection:
        connection.executescript(fixture.read_text(encoding="utf-8"))
    before = counts(path)
    spoil(path, pages_of(path, "releases")[-1])
    done = repair(path, NOW)

    assert f"_v{done.contents.schema}" in fixture.stem
    assert counts(path)["artists"] == before["artists"]
    assert_sound(path)


def test_what_is_said_to_be_saved_is_what_is_there(path: Path) -> None:
    before = counts(path)
    for name in ("releases", "sqlite_autoindex_releases_1"):
        for page in pages_of(path, name)[::3]:
            spoil(path, page)
    done = repair(path, NOW)

    after = counts(path)
    saved = {one.table: one for one in done.saved}
    assert after["decisions"] < before["decisions"], "some went with their release"
    for table in COUNTED:
        named = {"decisions": "decisions", "told": "lines told", "outbox": "lines to tell"}.get(table, table)
        assert saved[table].rows + saved[table].named + done.mended.get(named, 0) == after[table], table
    assert done.lost == {}, "told once"


def test_requests_whose_list_is_lost_are_counted_from_the_runs_that_sent_them(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as store:
        for _ in range(5):
            store.claim_request("spotify", "artist-albums", at(1.9), 2, ())
        [run, *_] = store.runs()
        store.finish_run(replace(run, finished_at=at(1.95), cost=replace(run.cost, requests=5)))
        assert store.requests_since("spotify", at(1)) == 5
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for page in pages_of(path, "requests"):
        spoil(path, page)
    done = repair(path, at(2))

    assert done.mended["requests sent"] == 5
    with closing(SQLiteStore.open(path)) as store:
        assert store.requests_since("spotify", at(1)) == 5
        assert store.nth_last_request("spotify", 1) == at(1.95), "as late as can be"
    assert_sound(path)
