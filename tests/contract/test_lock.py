"""One run at a time on a database."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract.store_words import NOW

from freshwax.errors import Busy, StoreError
from freshwax.store.lock import RunLock, is_held

HOLDER = (
    "import sys\nfrom datetime import UTC, datetime\nfrom freshwax.store.lock import RunLock\n"
    "RunLock(sys.argv[1], datetime(2026, 3, 6, 9, tzinfo=UTC)).acquire()\n"
    "print('held', flush=True)\nsys.stdin.read()\n"
)


def test_a_second_run_is_told_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with RunLock(path, NOW), pytest.raises(Busy) as caught:
        RunLock(path, NOW).acquire()

    sentence = str(caught.value)
    assert f"another run is active on {path}" in sentence
    assert "started at 09:00 UTC on 2026-03-06" in sentence
    assert f"process {os.getpid()}" in sentence


def test_a_lock_that_was_given_back_can_be_taken_again(tmp_path: Path) -> None:
    lock = RunLock(tmp_path / "f.db", NOW)
    for _ in range(2):
        lock.acquire()
        lock.release()
    lock.release()

    file = tmp_path / "f.db.lock"
    assert file.read_text() == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_block_that_raises_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), RunLock(tmp_path / "f.db"):
        raise ConnectionError
    with RunLock(tmp_path / "f.db"):
        pass


def test_databases_have_locks_of_their_own(tmp_path: Path) -> None:
    with RunLock(tmp_path / "f.db"), RunLock(tmp_path / "g.db"):
        pass


def test_another_name_for_the_same_database_is_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path)
    with RunLock(tmp_path / "f.db"), pytest.raises(Busy):
        RunLock(tmp_path / "other" / "f.db").acquire()


def test_a_process_that_is_killed_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=f"started at 09:00 UTC on 2026-03-06.*process {holder.pid}"):
            RunLock(path, NOW).acquire()
        holder.kill()
        holder.wait()
        with RunLock(path, NOW):
            assert (tmp_path / "f.db.lock").read_text().startswith(f"{os.getpid()} ")


def test_whether_a_run_is_active_can_be_looked_at_without_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    assert not is_held(path)
    assert list(tmp_path.iterdir()) == []
    with RunLock(path, NOW):
        assert is_held(path)
        (tmp_path / "other").symlink_to(tmp_path)
        assert is_held(tmp_path / "other" / "f.db")
        said = (tmp_path / "f.db.lock").read_text()
        assert is_held(path)
        assert (tmp_path / "f.db.lock").read_text() == said
    assert not is_held(path)
    with RunLock(path, NOW):
        pass


def test_looking_all_the_time_keeps_no_run_from_beginning(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with RunLock(path):
        pass
    looking = f"from freshwax.store.lock import is_held\nprint('looks', flush=True)\nwhile True: is_held({str(path)!r})"
    with subprocess.Popen([sys.executable, "-c", looking], stdout=subprocess.PIPE, text=True) as looker:
        assert looker.stdout
        assert looker.stdout.readline() == "looks\n"
        for _ in range(300):
            with RunLock(path, NOW):
                pass
        looker.kill()


@pytest.mark.parametrize("path", [None, ":memory:"])
def test_what_is_in_memory_needs_no_lock(path: str | None) -> None:
    with RunLock(path), RunLock(path):
        pass


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"f\.db\.lock cannot be locked"):
        RunLock(tmp_path / "file" / "f.db").acquire()
