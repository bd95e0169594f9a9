"""The tour: Ctrl-C ends it, whatever it is at."""

from __future__ import annotations

import os
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
