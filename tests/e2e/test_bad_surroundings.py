"""Databases that cannot be used, input that cannot be read: one clear sentence, the right code, nothing half-done."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.user import Done, User, at

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer

pytestmark = pytest.mark.usefixtures("from_scratch")

COMMANDS = (
    ("track", "--format", "json"),
    ("track", "--background"),
    ("track", "--from-cache"),
    ("artists", "list"),
    ("runs",),
)


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


def assert_one_sentence(done: Done, code: int, words: str) -> None:
    assert (done.code, done.out) == (code, "")
    assert re.search(words, done.err), done.err
    assert re.fullmatch(r"freshwax: [^\n]+[.?]\n", done.err), done.err


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def make_foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE books (title TEXT)")


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def make_truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def make_scrambled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xa5" * len(data[8192:])
    path.write_bytes(data)


BROKEN = {
    "text": (lambda path: path.write_text("a letter to my grandmother\n" * 99), "not a database"),
    "binary": (lambda path: path.write_bytes(bytes(range(256)) * 64), "not a database"),
    "foreign": (make_foreign, "of another program"),
    "newer": (make_newer, "newer freshwax.*update freshwax"),
    "truncated": (make_truncated, "damaged.*backup"),
    "scrambled": (make_scrambled, "damaged.*backup"),
}


@pytest.mark.parametrize(("spoil", "words"), BROKEN.values(), ids=BROKEN)
def test_a_database_that_is_none_of_ours_or_damaged(
    spoil: object, words: str, user: User, server: DemoServer, learnt: list[ArtistHandle]
) -> None:
    assert callable(spoil)
    spoil(user.database)
    before = contents(user.folder)
    for command in COMMANDS[:1] if words.startswith("damaged") else COMMANDS:
        assert_one_sentence(user.run(*command), 2, words)
    assert contents(user.folder)[user.database.name] == before[user.database.name]
    assert server.log == [], "found out before anything is asked"


def test_a_database_that_is_a_folder(user: User) -> None:
    user.database.mkdir()
    for command in COMMANDS:
        assert_one_sentence(user.run(*command), 2, "is a folder")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_database_in_a_folder_without_permission(user: User, learnt: list[ArtistHandle]) -> None:
    user.folder.chmod(0o500)
    user.database.chmod(0o400)
    try:
        assert_one_sentence(user.run("track"), 2, "writable|cannot be locked")
        assert user.run("artists", "list").code == 0
    finally:
        user.folder.chmod(0o700)


def test_a_database_below_a_file(user: User) -> None:
    (user.folder / "file").write_text("")
    done = user.run("track", FRESHWAX_DATABASE=str(user.folder / "file" / "freshwax.db"))
    assert_one_sentence(done, 2, "cannot be")


def test_a_database_that_another_program_holds(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    with closing(sqlite3.connect(user.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert user.run("artists", "list").code == 0, "readers do not wait"
        assert user.run("releases").code == 0
        assert_one_sentence(user.track(), 4, "locked by another program")
        assert server.log == []
        other.execute("ROLLBACK")
    assert user.track().titles == news


def test_a_database_that_vanishes_leaves_the_next_run_a_fresh_start(user: User, learnt: list[ArtistHandle]) -> None:
    shutil.rmtree(user.folder)
    assert_one_sentence(user.run("artists", "list"), 2, "no database")
    assert_one_sentence(user.track(), 2, "watch list is empty.*import")


FILES = {
    "missing": (None, "No such file"),
    "binary": (bytes(range(256)) * 64, "text"),
    "malformed": (b"# mine\n4tZwfgrHOc3mvqYlEYSvVi\nspotify:artist:oops\n", "line 3"),
    "an album": (b"https://open.spotify.com/album/4tZwfgrHOc3mvqYlEYSvVi\n", "line 1"),
}


@pytest.mark.parametrize(("data", "words"), FILES.values(), ids=FILES)
def test_track_with_a_file_that_cannot_be_read_does_nothing(
    data: bytes | None, words: str, user: User, server: DemoServer, learnt: list[ArtistHandle], tmp_path: Path
) -> None:
    path = tmp_path / "list.txt"
    if data is not None:
        path.write_bytes(data)
    before = contents(user.folder)
    done = user.track(path)
    assert (done.code, done.out) == (2, "")
    assert re.search(words, done.err), done.err
    assert "list.txt" in done.err
    assert server.log == []
    assert contents(user.folder) == before, "nothing half-written"


def test_a_huge_file_is_refused_before_it_is_read(user: User, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    done = user.track(path)
    assert (done.code, done.out) == (2, "")
    assert "list.txt" in done.err
    assert len(done.err.splitlines()) <= 2
    assert not user.database.exists()


def test_a_configuration_that_is_wrong_starts_nothing(user: User, server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for text, words in {
        "markt = 'SE'\n": "line 1.*did you mean 'market'",
        "[spotify]\nrequests_per_day = -1\n": "line 2.*requests_per_day",
    }.items():
        path.write_text(text)
        assert_one_sentence(user.run("--config", path, "track", "--format", "json"), 2, words)
    assert_one_sentence(user.track(FRESHWAX_CONCURRENCY="many"), 2, "FRESHWAX_CONCURRENCY")
    assert not user.database.exists()
    assert server.log == []


def test_artists_that_the_service_answers_nonsense_for_fail_alone(
    user: User, server: DemoServer, learnt: list[ArtistHandle]
) -> None:
    assert user.run("artists", "add", "spotify:artist:" + "1" * 22, learnt[0].id).code == 0
    done = user.track()
    assert done.status == (3, "partial")
    listed = {one["id"]: one for one in json.loads(user.run("artists", "list", "--format", "json").out)}
    assert listed["1" * 22]["failure"] == "not_found"


def test_a_file_that_the_system_refuses_is_named_and_is_no_bug(user: User, birds: list[ArtistHandle]) -> None:
    user.follow(birds)
    done = user.run("backup", user.folder / ("n" * 300))
    assert done.code == 2
    assert "File name too long" in done.err
    assert "bug" not in done.err
