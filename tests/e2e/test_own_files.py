"""Whatever is written where a user says: never over what freshwax lives on."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.user import Done, User

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer

REPLAY = ("replay", "--world", "heavy:3", "--policy", "all")


@pytest.fixture
def settled(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> User:
    """A user with a database, a backup, a configuration, and secrets in files of their own."""
    user.learnt(world, server, birds)
    (user.folder / "id").write_text(user.env.pop("FRESHWAX_SPOTIFY_CLIENT_ID"))
    (user.folder / "secret").write_text(user.env.pop("FRESHWAX_SPOTIFY_CLIENT_SECRET"))
    config = user.folder / "config.toml"
    config.write_text('[spotify]\nclient_secret_file = "secret"\n')
    for name in ("id", "secret", "config.toml"):
        (user.folder / name).chmod(0o600)
    user.env |= {"FRESHWAX_SPOTIFY_CLIENT_ID_FILE": str(user.folder / "id"), "FRESHWAX_CONFIG": str(config)}
    assert user.run("backup", user.folder / "safe.bak").code == 0
    (user.folder / "freshwax.db.lock").touch()
    (user.folder / "link").symlink_to(user.database)
    (user.folder / "other-name").hardlink_to(user.database)
    (user.folder / "link-to-secret").symlink_to(user.folder / "secret")
    return user


OWN = (
    "freshwax.db", "freshwax.db-wal", "freshwax.db-shm", "freshwax.db.lock", "freshwax.db.report.lock",
    "freshwax.db.backups", "config.toml", "secret", "id", "link", "other-name", "link-to-secret", "safe.bak",
)  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(done: Done, name: str) -> None:
    assert (done.code, done.out) == (2, ""), done.err
    assert f"{name}" in done.err
    assert "give another path" in done.err


@pytest.mark.parametrize("name", OWN)
def test_a_report_or_a_plot_is_never_written_over_what_freshwax_lives_on(
    settled: User, server: DemoServer, name: str
) -> None:
    before, target = contents(settled.folder), settled.folder / name
    refused(settled.run("track", "--output", target), name)
    refused(settled.run("track", "--from-cache", "--output", target), name)
    refused(settled.run(*REPLAY, "--plot", target), name)

    assert contents(settled.folder) == before
    assert server.log == []


@pytest.mark.parametrize("name", OWN[:-1])
def test_nor_is_a_backup(settled: User, name: str) -> None:
    before = contents(settled.folder)
    refused(settled.run("backup", "--force", settled.folder / name), name)
    assert contents(settled.folder) == before


@pytest.mark.parametrize("name", OWN)
def test_nor_is_a_log(settled: User, server: DemoServer, name: str) -> None:
    before = contents(settled.folder)
    refused(settled.run("track", FRESHWAX_LOG_FILE=str(settled.folder / name)), name)
    assert contents(settled.folder) == before
    assert server.log == []


def test_a_backup_replaces_backups_and_empty_files_only(settled: User) -> None:
    for name, text in (("letter.txt", "Dear diary"), ("empty", "")):
        (settled.folder / name).write_text(text)
        (settled.folder / f"to-{name}").symlink_to(settled.folder / name)
    for name in ("letter.txt", "to-letter.txt"):
        done = settled.run("backup", "--force", settled.folder / name)
        assert done.code == 2
        assert "is no backup of freshwax: give another path, or delete that file first" in done.err
    assert (settled.folder / "letter.txt").read_text() == "Dear diary"
    assert settled.run("backup", "--force", settled.folder / "safe.bak").code == 0
    assert settled.run("backup", "--force", settled.folder / "to-empty").code == 0


@pytest.mark.parametrize("name", [name for name in OWN if name.startswith("freshwax.db")])
def test_a_configuration_is_not_written_over_a_database(settled: User, name: str) -> None:
    before = contents(settled.folder)
    refused(settled.run("--config", settled.folder / name, "init", "--force"), name)
    assert contents(settled.folder) == before


def test_nothing_is_written_over_the_database_of_another_program_or_beside_it(settled: User) -> None:
    with closing(sqlite3.connect(settled.folder / "their.db")) as theirs:
        theirs.execute("PRAGMA journal_mode = WAL")
        theirs.execute("CREATE TABLE theirs (x)")
        shutil.copy(settled.folder / "their.db-wal", settled.folder / "log")
        before = contents(settled.folder)
        for name in ("their.db", "their.db-wal", "their.db-journal", "log"):
            target = settled.folder / name
            refused(settled.run("--config", target, "init", "--force"), name)
            refused(settled.run("track", "--output", target), name)
            refused(settled.run("backup", "--force", target), name)
        assert contents(settled.folder) == before


def test_a_backup_goes_to_a_file(settled: User) -> None:
    done = settled.run("backup", "-")
    assert (done.code, done.out) == (2, "")
    assert "A backup goes to a file" in done.err
    assert not Path("-").exists()


def test_a_report_goes_where_nothing_of_freshwax_lies(settled: User) -> None:
    assert settled.run("track", "--output", settled.folder / "report.txt").code == 0
    assert (settled.folder / "report.txt").exists()
    assert settled.run("track", "--from-cache", "--output", "/dev/null").code == 0
