"""The tour: Ctrl-C ends it, whatever it is at."""

from __future__ import annotations

import os
import shlex
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.user import PATIENCE, until

ENTRY = (sys.executable, "-W", "error", "-c", "from freshwax.cli.main import run; run()")


def requests(database: Path) -> int:
    """How many requests the tour has sent so far."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            found: int = connection.execute("SELECT count(*) FROM requests").fetchone()[0]
            return found
    except sqlite3.OperationalError:  # not there yet
        return 0


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to a process")
@pytest.mark.parametrize("sent", [10, 250], ids=["while it checks", "while it reads deep"])
def test_ctrl_c_ends_the_tour(sent: int, tmp_path: Path) -> None:
    words = [*ENTRY, "demo", "--keep", str(tmp_path / "tour")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: requests(tmp_path / "tour" / "freshwax.db") >= sent or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "\nStopped.\n")
    assert "An invented world" in out
    assert "releases that appeared" not in out, "and the tour is over"


def test_the_tour_tells_everything_once_and_names_what_it_keeps(tmp_path: Path) -> None:
    """A single and the album of its name are two releases: the type tells them apart."""
    folder = tmp_path / "my demo"
    done = subprocess.run([*ENTRY, "demo", "--keep", str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = [" ".join(line.split()[2:]) for line in done.stdout.splitlines() if line.startswith("  new ")]
    assert len(told) == len(set(told)) > 20
    assert {line.split()[0] for line in told} >= {"single", "album"}
    program, *words = shlex.split(done.stdout.splitlines()[-1].partition(": ")[2])
    assert program == "freshwax"
    kept = subprocess.run([*ENTRY, *words], capture_output=True, text=True, check=False)
    assert kept.returncode == 0, kept.stderr
    assert len(kept.stdout.splitlines()) > 100, "a heading, and the newest"
