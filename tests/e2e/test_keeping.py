"""Backups, what becomes of them when things go wrong, and the mending of a damaged database, as a user meets them."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.user import KILLED, NOW, Answered, Done, Nursery, User, at, day, on

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer
from freshwax.model import Ref
from freshwax.store.sqlite import SQLiteStore

TRACK = ("track", "--format", "json")


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


@pytest.fixture
def backup(user: User, learnt: list[ArtistHandle]) -> Path:
    """A backup from before the news were told."""
    target = user.folder / "safe.bak"
    assert user.run("backup", target).code == 0
    return target


def rows(database: Path) -> list[str]:
    """Everything in a database, but for the requests, which no backup forgets."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [line for line in connection.iterdump() if '"requests"' not in line]


def one_sentence(done: Done, code: int, words: str) -> None:
    assert (done.code, done.out) == (code, "")
    assert re.search(words, done.err), done.err
    assert len(done.err.splitlines()) == 1, done.err


def kept(user: User) -> list[Path]:
    return sorted(user.folder.glob("*.before-*.bak"))


def spoil(database: Path) -> None:
    """Overwrite half of the pages, the way a dying disk does."""
    with database.open("r+b") as file:
        for page in range(4, database.stat().st_size // 4096, 2):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)


def test_a_backup_says_what_it_holds(user: User, learnt: list[ArtistHandle]) -> None:
    target = user.folder / "safe.bak"
    done = user.run("backup", target)

    assert (done.code, done.out) == (0, "")
    assert done.err == f"Written and tested: {target}: 6 artists, 12 releases, last run 7 days ago.\n"
    one_sentence(user.run("backup", target), 2, "is there already: give another path, or replace it with --force")
    assert user.run("backup", "--force", target).code == 0


def test_what_was_told_after_the_backup_is_not_told_again(user: User, backup: Path, news: list[str]) -> None:
    assert user.track().titles == news
    done = user.run("restore", backup)

    assert (done.code, done.out) == (0, "")
    assert f"Restored: {backup}: 6 artists, 12 releases, last run 7 days ago.\n" in done.err
    [old] = kept(user)
    assert f"The database before it is kept as {old}.\n" in done.err
    assert "What was told after the backup was made is not told again" in done.err
    again = user.track()
    assert again.status == (0, "completed")
    assert again.titles == []


def test_a_twin_of_what_was_told_after_a_backup_made_before_the_first_run_is_not_told(
    user: User, world: WorldBuilder, birds: list[ArtistHandle]
) -> None:
    murmur = birds[0].single("Murmur", day(-3), appears=on(-3))
    world.twin(murmur, title="Murmur (Clean)", date=day(-4), appears=at(1))
    user.follow(birds[:1])
    with DemoServer(world.build(), NOW) as server:
        user.knows(server)
        assert user.run("backup", user.folder / "early.bak").code == 0
        assert user.track().titles == ["Murmur"]
        assert user.run("restore", user.folder / "early.bak").code == 0
        server.at = at(2)
        assert user.track("--force").titles == ["Low Tide"]


def test_a_run_is_backed_up_and_not_replaced_while_it_goes_on(
    user: User, server: DemoServer, backup: Path, news: list[str], from_scratch: None
) -> None:
    meanwhile: list[Done] = []
    struck = threading.Event()

    def others() -> None:
        if not struck.is_set():
            struck.set()
            meanwhile.append(user.run("backup", user.folder / "during.bak"))
            meanwhile.append(user.run("restore", backup))
            meanwhile.append(user.run("doctor", "--repair"))

    server.misbehave(Answered(others))
    assert user.track().titles == news
    copied, refused, unmended = meanwhile
    assert copied.code == 0
    one_sentence(refused, 4, "another run is active")
    one_sentence(unmended, 4, "another run is active")
    assert kept(user) == []

    # What the run had not committed by then is found again by the next one, and known to have been told.
    assert user.run("restore", user.folder / "during.bak").code == 0
    assert user.track().titles == []
    listed = user.run("releases", "--format", "csv").out
    assert all(title in listed for title in news)


def test_killed_at_any_moment_of_a_restore_the_old_or_the_new_one_stands(
    nursery: Nursery, user: User, backup: Path, news: list[str]
) -> None:
    assert user.track().titles == news
    old = rows(user.database)

    def other(number: int) -> User:
        folder = user.folder / f"life-{number}"
        folder.mkdir()
        shutil.copy(user.database, folder / user.database.name)
        return replace(user, folder=folder)

    whole = other(-1)
    moments = nursery.run(whole, "restore", backup).moments
    assert "rename" in moments
    new = rows(whole.database)
    assert old != new
    seen = set()
    for point in range(len(moments)):
        whose = other(point)
        assert nursery.run(whose, "restore", backup, kill=point).code == KILLED
        stands = rows(whose.database)
        assert stands in (old, new), moments[point]
        seen.add(stands == new)
        assert nursery.run(whose, "artists", "list").code == 0
        assert nursery.run(whose, "restore", backup).code == 0
        assert rows(whose.database) == new
    assert seen == {True, False}


def test_killed_at_any_moment_of_a_backup_the_target_is_whole_or_not_there(
    nursery: Nursery, user: User, backup: Path
) -> None:
    whole = rows(backup)
    target = user.folder / "other.bak"
    moments = nursery.run(user, "backup", target).moments
    for point in range(len(moments)):
        target.unlink(missing_ok=True)
        assert nursery.run(user, "backup", target, kill=point).code == KILLED
        assert not target.exists() or rows(target) == whole
    assert nursery.run(user, "backup", "--force", target).code == 0


def test_killed_at_any_moment_while_it_gives_way_what_somebody_wrote_into_a_backup_is_kept(
    nursery: Nursery, user: User, backup: Path, news: list[str]
) -> None:
    assert user.track().titles == news
    with closing(SQLiteStore.open(backup)) as store:
        store.watch([(Ref("spotify", "1" * 22), "Theirs")], NOW)
    theirs, written = backup.read_bytes(), rows(backup)

    def aside() -> list[Path]:
        return list(user.folder.glob("safe.bak.before-backup-*.bak"))

    moments = nursery.run(user, "backup", "--force", backup).moments
    assert moments.count("rename") >= 2
    new = rows(backup)
    for point in range(len(moments)):
        for file in aside():
            file.unlink()
        backup.write_bytes(theirs)
        assert nursery.run(user, "backup", "--force", backup, kill=point).code == KILLED
        stands = [rows(file) for file in (backup, *aside()) if file.exists()]
        assert written in stands, moments[point]
        assert all(found in (written, new) for found in stands), moments[point]
    assert user.run("backup", "--force", backup).code == 0


def test_a_full_disk_leaves_everything_as_it_was(nursery: Nursery, user: User, backup: Path, news: list[str]) -> None:
    assert user.track().titles == news
    before = rows(user.database)
    size = backup.stat().st_size
    for room in range(4096, size, size // 6):
        target = user.folder / "new.bak"
        one_sentence(nursery.run(user, "backup", target, largest_file=room), 2, "disk")
        one_sentence(nursery.run(user, "restore", backup, largest_file=room), 2, "disk")
        one_sentence(nursery.run(user, "backup", "--force", backup, largest_file=room), 2, "disk")
        assert rows(user.database) == before
        assert not target.exists()
        assert not list(user.folder.glob(".*"))
    assert rows(backup) != before
    assert kept(user) == []


COMMANDS = (
    TRACK,
    ("track", "--background"),
    ("track", "--from-cache"),
    ("artists", "list"),
    ("artists", "add", "spotify:artist:" + "1" * 22),
    ("releases",),
    ("runs",),
    ("plan",),
    ("profile",),
    ("patterns",),
    ("explain", "Ebb"),
    ("prefetch",),
    ("release-held", "Tern"),
)


@pytest.mark.parametrize("how", ["header", "schema", "emptied"])
def test_every_command_that_meets_a_damaged_database_names_the_last_good_backup(
    user: User, server: DemoServer, backup: Path, news: list[str], how: str
) -> None:
    if how == "emptied":
        user.database.write_bytes(b"")
    else:
        with user.database.open("r+b") as file:
            file.seek(0 if how == "header" else 100)
            file.write(b"\xa5" * 2000)
    typed = f"freshwax --database {user.database} restore {backup}"
    for command in COMMANDS:
        one_sentence(user.run(*command), 2, f"is damaged: restore the last good backup, of .* UTC, with `{typed}`")
    assert server.log == []

    assert user.run(*typed.split()[1:]).code == 0
    assert user.track().titles == news


def test_a_damaged_database_without_a_backup_is_repaired(user: User, learnt: list[ArtistHandle]) -> None:
    user.track()
    spoil(user.database)
    spoilt = user.database.read_bytes()
    refused = user.run(*TRACK)
    one_sentence(refused, 2, r"is damaged: restore a backup with .*, or save what can be saved with .*doctor --repair`")
    assert user.run("doctor", "--offline").code == 3
    done = user.run("doctor", "--repair")

    assert (done.code, done.out) == (3, "")
    [old] = kept(user)
    assert old.read_bytes()[100:] == spoilt[100:]
    for words in (r"Found: ", r"Saved: \d+ of \d+ \w+", "The database is sound again: ", f"is kept as {old}"):
        assert re.search(words, done.err), done.err
    rows(user.database)
    assert user.run("doctor", "--repair").err.startswith("The database is sound (")


def test_nothing_to_repair_is_no_error(user: User, backup: Path) -> None:
    before = rows(user.database)
    done = user.run("doctor", "--repair")

    assert (done.code, done.out) == (0, "")
    assert done.err == "The database is sound (6 artists, 12 releases, last run 7 days ago): nothing was repaired.\n"
    assert rows(user.database) == before
    assert kept(user) == []
    one_sentence(user.run("doctor", "--repair", FRESHWAX_DATABASE=str(user.folder / "none.db")), 2, "no database at")


def test_a_database_that_vanished_is_missed_by_every_command_and_its_backup_survives(
    user: User, server: DemoServer, backup: Path, news: list[str]
) -> None:
    whole = rows(backup)
    user.database.unlink()
    typed = f"freshwax --database {user.database} restore {backup}"
    lost = f"is gone: restore the last good backup, of .* UTC, with `{typed}`.*start anew"
    for command in (*COMMANDS, ("backup", user.folder / "more.bak"), ("backup", "--force", backup)):
        one_sentence(user.run(*command), 2, lost)
    done = user.run("doctor", "--offline")
    assert done.code == 3
    assert re.search(rf"!!  database: .*{lost}", done.out), done.out
    one_sentence(user.run("doctor", "--repair"), 2, lost)
    assert server.log == []
    assert not user.database.exists()
    assert rows(backup) == whole

    assert user.run(*typed.split()[1:]).code == 0
    assert user.track().titles == news


def test_who_wants_to_start_anew_moves_the_list_of_backups_away(user: User, backup: Path) -> None:
    user.database.unlink()
    said = user.run("artists", "list").err
    [notes] = re.findall(r"move (\S+) out of the way", said)
    backup.unlink()
    assert "is gone: restore a backup with" in user.run("artists", "list").err
    Path(notes).unlink()

    assert user.run("doctor", "--offline").code == 0
    assert user.run("artists", "add", "spotify:artist:" + "1" * 22).code == 0


@pytest.mark.parametrize("left", [0, 512])
def test_what_cannot_be_repaired_is_not_sent_to_be_repaired(user: User, backup: Path, left: int) -> None:
    backup.write_bytes(backup.read_bytes()[:4096])
    user.database.write_bytes(bytes(left))
    for command in (("artists", "list"), ("doctor", "--repair")):
        done = user.run(*command)
        assert "--repair" not in done.err
        one_sentence(done, 2, "is damaged: restore a backup with .*; to start anew, move .* out of the way")
    for name in re.findall(r"move (\S+) and (\S+) out of the way", done.err)[0]:
        Path(name).unlink()
    assert user.run("artists", "add", "spotify:artist:" + "1" * 22).code == 0


def test_a_backup_that_holds_artists_is_not_replaced_by_one_that_holds_none(user: User, backup: Path) -> None:
    whole = rows(backup)
    empty = user.folder / "empty.db"
    other = ("--database", str(empty))
    assert user.run(*other, "artists", "add", "spotify:artist:" + "1" * 22).code == 0
    assert user.run(*other, "artists", "remove", "spotify:artist:" + "1" * 22).code == 0

    one_sentence(user.run(*other, "backup", "--force", backup), 2, "holds 6 artists, the database none: .* delete")
    assert rows(backup) == whole
    backup.unlink()
    assert user.run(*other, "backup", backup).code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="where the usual database lies")
def test_what_to_type_is_short_where_the_usual_database_is_meant(user: User, learnt: list[ArtistHandle]) -> None:
    usual = user.folder / "freshwax" / "freshwax.db"
    usual.parent.mkdir()
    shutil.copy(user.database, usual)
    plain = {"FRESHWAX_DATABASE": "", "XDG_DATA_HOME": str(user.folder), "XDG_CONFIG_HOME": str(user.folder)}
    safe = user.folder / "safe.bak"
    assert user.run("backup", safe, **plain).code == 0
    usual.write_bytes(bytes(512) + usual.read_bytes()[512:])
    one_sentence(user.run("artists", "list", **plain), 2, f"with `freshwax restore {safe}`")
    assert f"with `freshwax restore {safe}`" in user.run("doctor", "--offline", **plain).out
    named = f"with `freshwax --database {usual} restore {safe}`"
    one_sentence(user.run("--database", usual, "artists", "list", **plain), 2, named)
    one_sentence(user.run("artists", "list", FRESHWAX_DATABASE=str(usual)), 2, named)
