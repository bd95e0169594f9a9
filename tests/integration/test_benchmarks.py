"""The benchmarks run, small, and find nothing amiss where that does not depend on the machine."""

from __future__ import annotations

import csv
import gzip
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = {path.name for path in FOLDER.glob("[a-z]*.py")}


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    return done


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with gzip.open(path, "wt", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


@pytest.fixture
def histories(tmp_path: Path) -> Path:
    """Four artists who release something every month, one of them recorded in part; an undated year among it."""
    artists, releases = [], []
    for who in range(4):
        name = {"artist_id": f"{who:022}", "artist_name": f"Dunnock {who}"}
        whole = "albums_only" if who == 3 else "since_oldest_single" if who else "all"
        artists.append({**name, "completeness": whole, "complete_from": "2017-01-01"})
        for month in range(30):
            day = date(2017, 1, 6) + timedelta(days=37 * month + who)
            dated = {"release_date": "2019", "date_precision": "year"} if month == 20 else {}
            facts = {"release_id": f"{who:02}{month:020}", "title": f"Song {month}", "type": "single"}
            kind = {"type": "album"} if month % 3 == 0 else {}
            releases.append(
                {**name, **facts, **kind, "release_date": day.isoformat(), "date_precision": "day", **dated}
            )
    write(tmp_path / "artists.csv.gz", artists)
    write(tmp_path / "releases.csv.gz", releases)
    return tmp_path


def test_recorded_histories(histories: Path) -> None:
    done = run("real_histories.py", "--data", str(histories), "--last", "2019-07-01")
    assert done.stdout.splitlines()[2].startswith("3 artists, 90 releases")
    assert "met     every release told in the first run after it appeared" in done.stdout
    assert "met     nothing lost" in done.stdout
    assert "met     nothing told twice, nothing old told as new" in done.stdout


def test_predictions(histories: Path) -> None:
    done = run("predictions.py", "--data", str(histories), "--from", "2018-09-01")
    assert done.stdout.splitlines()[2].startswith("3 artists, 87 release days")
    assert "CPU seconds for all patterns" in done.stdout


def test_a_year_in_an_invented_world() -> None:
    done = run("demo_year.py", "--artists", "12", "--weeks", "10", "--seed", "1", "2", "--all")
    assert "MISSED" not in done.stdout
    assert done.returncode == 0


def test_planning() -> None:
    done = run("planning.py", "--artists", "500", "--releases", "5000", "--household", "10")
    assert "met     profiles and a plan in at most 5 s of CPU" in done.stdout


def test_prefetch() -> None:
    done = run("prefetch.py", "--artists", "20", "--weeks", "3", "--latency-ms", "0")
    assert "met     at least 40 % of the run's requests taken away" in done.stdout
    assert "met     no more requests in the two together" in done.stdout


def test_learning() -> None:
    done = run("learning.py", "--artists", "15", "--quota", "10", "25")
    assert "MISSED" not in done.stdout
    assert done.returncode == 0


def test_throughput() -> None:
    done = run("throughput.py", "--artists", "5", "--latency-ms", "1", "--times", "1")
    assert "met     at most 2 MB on the wire" in done.stdout


def test_scale() -> None:
    done = run("scale.py", "--artists", "12", "--releases", "25", "--new", "3", "--times", "1", "--year-of", "9")
    assert "met     everybody checked, everything new told" in done.stdout
    assert "met     a week after week 27 adds at most 2 kB" in done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no SIGKILL, and no fork, on this platform")
def test_kills() -> None:
    done = run("kills.py", "--artists", "3", "--kills", "6", "--scene", "from cache", "import")
    assert "MISSED" not in done.stdout
    assert done.returncode == 0


def test_stopping() -> None:
    done = run("stopping.py", "--artists", "40", "--times", "2")
    assert "met     paused, exit code 3; behind a locked database, 4" in done.stdout


def test_soak() -> None:
    done = run("soak.py", "--artists", "10", "--weeks", "10")
    assert "met     no more open files" in done.stdout
    assert "met     everybody asked in every run" in done.stdout
    assert "met     nothing lost" in done.stdout
    assert "met     nothing told twice" in done.stdout
    assert "listed at a run, withdrawn untold" in done.stdout


def test_fuzz() -> None:
    done = run("fuzz.py", "--inputs", "400")
    assert "met     no crash in 1,600 inputs" in done.stdout
    assert "met     every target both accepts and refuses" in done.stdout


def test_faults() -> None:
    few = ("--artists", "6", "--weeks", "16", "--mixes", "1", "--jobs", "1", "--quiet")
    done = run("faults.py", "--fault", "connections reset", "artists renamed", *few)
    assert "MISSED" not in done.stdout
    assert "3 campaigns, 48 weeks" in done.stdout
    assert done.returncode == 0


def test_every_script_is_tried_here_and_named_in_the_readme() -> None:
    here, readme = Path(__file__).read_text(encoding="utf-8"), (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {one for one in SCRIPTS if f'"{one}"' not in here or f"`{one}" not in readme} == set()
