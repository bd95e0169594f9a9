"""``freshwax replay`` as people type it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from freshwax.cli.main import main
from freshwax.clock import SimulatedClock
from freshwax.demo.generate import generate
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.replay.fast import REPLAYED
from freshwax.replay.histories import NEEDED, OPTIONAL
from freshwax.store.sqlite import SQLiteStore

Freshwax = Callable[..., tuple[int, str, str]]
ROWS = "".join(
    f"a{artist},Artist {artist},r{artist}-{week},Song {week},single,{day},day\n"
    for artist in range(12)
    for week, day in enumerate(["2018-02-02", "2018-09-07", "2019-03-01", "2019-06-07", "2019-11-08"])
)
HEADER = "artist_id,artist_name,release_id,title,type,release_date,date_precision\n"


@pytest.fixture
def freshwax(capsys: pytest.CaptureFixture[str]) -> Freshwax:
    """Runs the command; returns exit code, standard output and standard error."""

    def run(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "bug" not in err, err
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.csv"
    path.write_text(HEADER + ROWS)
    return path


def test_a_recorded_history_gives_a_row_a_policy_and_budget_and_a_plot(
    freshwax: Freshwax, history: Path, tmp_path: Path
) -> None:
    drawn = tmp_path / "plot.svg"

    code, out, err = freshwax(
        "replay", "--data", history, "--policy", "adaptive,tiers,oracle", "--budget", "3,6", "--start", "2019-01-06",
        "--end", "2019-12-29", "--plot", drawn, "--format", "json",
    )  # fmt: skip

    rows = json.loads(out)
    rows = rows if isinstance(rows, list) else next(value for value in rows.values() if isinstance(value, list))
    assert (code, err) == (0, "")
    assert [(row["policy"], row["budget"]) for row in rows] == [
        ("adaptive", 3), ("adaptive", 6), ("tiers", None), ("oracle", 3), ("oracle", 6),
    ]  # fmt: skip
    assert {(row["releases"], row["lost"], row["repeated"]) for row in rows} == {(36, 0, 0)}
    assert drawn.read_text().startswith("<svg ")


@pytest.mark.parametrize("format_", ["table", "csv", "tsv"])
def test_it_prints_like_other_lists(freshwax: Freshwax, history: Path, format_: str) -> None:
    code, out, _ = freshwax(
        "replay", "--data", history, "--policy", "rotation", "--budget", "tiers", "--format", format_
    )

    assert code == 0
    assert "rotation" in out
    if format_ == "csv":
        assert {"requests_a_week", "delay_p99_days"} <= set(next(csv.DictReader(io.StringIO(out))))


@pytest.mark.parametrize("world", ["demo:60", "heavy:60"])
@pytest.mark.parametrize("every", ["7d", "1d"])
def test_invented_worlds_lose_and_repeat_nothing_with_failures(freshwax: Freshwax, world: str, every: str) -> None:
    code, out, _ = freshwax(
        "replay", "--world", world, "--policy", "adaptive,tiers,sqrt", "--budget", "10", "--every", every, "--fail",
        "0.05", "--shuffle", "--seed", "3", "--format", "json",
    )  # fmt: skip

    assert code == 0
    assert out.count('"lost": 0') + out.count('"lost":0') == 3
    assert out.count('"repeated": 0') + out.count('"repeated":0') == 3


def test_ones_own_artists_are_replayed_as_far_as_is_known(freshwax: Freshwax, tmp_path: Path) -> None:
    learnt = datetime(2026, 1, 4, 18, tzinfo=UTC)
    world = generate(3, artists=10, start=learnt, end="2026-02-01")
    database = tmp_path / "mine.db"
    with DemoServer(world, learnt) as server, closing(SQLiteStore.open(database)) as store:
        trial = Trial(world, server, store, SimulatedClock(learnt))
        trial.follow(world.artists)
        trial.track(learnt)

    code, out, err = freshwax(
        "--database", database, "replay", "--mine", "--policy", "adaptive", "--budget", "3", "--start", "2025-01-05",
        "--end", "2026-01-03", "--format", "tsv",
    )  # fmt: skip

    assert (code, err) == (0, "")
    assert out.splitlines()[1].startswith("adaptive\t3\t7")


def test_a_budget_that_needs_long_to_come_round_is_told_so(freshwax: Freshwax) -> None:
    code, _, err = freshwax("replay", "--world", "heavy:100", "--policy", "rotation", "--budget", "5,50")

    assert code == 0
    assert err.splitlines() == [
        "5 checks a run come round all 100 artists in 140 days only: that, not 90, is their longest interval here."
    ]


def test_who_is_not_learnt_yet_is_left_out_and_counted(freshwax: Freshwax, tmp_path: Path) -> None:
    learnt = datetime(2026, 1, 4, 18, tzinfo=UTC)
    world = generate(3, artists=10, start=learnt, end="2026-02-01")
    database = tmp_path / "mine.db"
    with DemoServer(world, learnt) as server, closing(SQLiteStore.open(database)) as store:
        trial = Trial(world, server, store, SimulatedClock(learnt))
        trial.follow(list(world.artists)[:6])
        trial.track(learnt)
        trial.follow(list(world.artists)[6:])

    code, _, err = freshwax("--database", database, "replay", "--mine", "--policy", "all", "--start", "2025-01-05")

    assert code == 0
    assert "4 of 10 artists are not learnt yet: they are left out." in err


def test_the_table_fits_80_columns(freshwax: Freshwax, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for world, every, budget in (("heavy:9000", "14d", 600), ("heavy:60", "1d", 5), ("heavy:60", "60d", 5)):
        _, out, _ = freshwax(
            "replay", "--world", world, "--every", every, "--policy", "rotation,all", "--budget", budget, "--format",
            "table", "--start", "2018-10-01",
        )  # fmt: skip
        assert max(map(len, out.splitlines())) <= 80, out


def test_budgets_for_more_than_everybody_are_folded_and_told_so(freshwax: Freshwax, history: Path) -> None:
    code, out, err = freshwax("replay", "--data", history, "--policy", "rotation", "--format", "tsv")

    assert code == 0
    assert len(out.splitlines()) == 2
    assert err.splitlines() == ["A budget of 80 or 160 is left out: there are no more than 12 artists to ask."]


def test_where_nothing_appears_there_is_no_delay_and_that_is_said(freshwax: Freshwax, history: Path) -> None:
    code, _, err = freshwax(
        "replay", "--data", history, "--policy", "all", "--start", "2019-07-01", "--end", "2019-08-01"
    )

    assert code == 0
    assert err.splitlines() == ["No release appeared in the days replayed: there is no delay to measure."]


def test_the_help_names_every_policy_and_column(freshwax: Freshwax) -> None:
    words = set(freshwax("replay", "--help")[1].replace(",", " ").replace(":", " ").split())

    assert {*REPLAYED, *NEEDED, *OPTIONAL, "completeness", "complete_from"} <= words


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to a process")
def test_ctrl_c_ends_it_with_the_code_that_the_help_names(freshwax: Freshwax, tmp_path: Path) -> None:
    endless = tmp_path / "endless.csv"
    os.mkfifo(endless)
    command = (sys.executable, "-c", "from freshwax.cli.main import run; run()", "replay", "--data", str(endless))
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process, endless.open("wb"):
        process.send_signal(signal.SIGINT)  # the pipe is open: the program waits for the first byte
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()

    assert (process.returncode, out, err.strip()) == (130, "", "Stopped.")
    assert "130 Ctrl-C" in freshwax("--help")[1]


def test_ones_own_artists_without_a_database_make_none(freshwax: Freshwax, tmp_path: Path) -> None:
    assert freshwax("--database", tmp_path / "none.db", "replay", "--mine")[0] == 2
    assert not (tmp_path / "none.db").exists()


def test_nobodys_own_artists_are_an_answer(freshwax: Freshwax, tmp_path: Path) -> None:
    with closing(SQLiteStore.open(tmp_path / "empty.db")):
        pass

    code, out, err = freshwax("--database", tmp_path / "empty.db", "replay", "--mine")

    assert (code, out) == (2, "")
    assert "The watch list is empty" in err


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "Give one of --data FILE, --world"),
        (["--mine", "--world", "demo"], "Give one of --data FILE, --world"),
        (["--world", "moon"], "There is no world 'moon'"),
        (["--world", "heavy:0"], "There is no world 'heavy:0'"),
        (["--world", "heavy:20", "--policy", "best"], "There is no policy 'best'; there are adaptive, tiers"),
        (["--world", "heavy:20", "--budget", "0"], "'0' is not a whole number from 1 up"),
        (["--world", "heavy:20", "--budget", "ten"], "'ten' is not a whole number from 1 up"),
        (["--world", "heavy:20", "--budget", ""], "'' is not a whole number from 1 up"),
        (["--world", "heavy:20", "--every", "0d"], "write 1d to 999d, or 1h to 999h"),
        (["--world", "heavy:20", "--every", "999999d"], "write 1d to 999d, or 1h to 999h"),
        (
            ["--world", "heavy:20", "--every", "100d"],
            "Runs 100 days apart (--every) cannot ask anybody again within 90",
        ),
        (["--world", "heavy:20", "--max-interval", "3"], "3 days (--max-interval): give a shorter --every, or"),
        (
            ["--world", "heavy:200", "--budget", "2", "--max-interval", "90"],
            "the smallest interval that fits is 700 days",
        ),
        (["--world", "heavy:20", "--fail", "1"], "'--fail': '1' is not a share from 0 to 0.9"),
        (["--world", "heavy:20", "--fail", "nan"], "'nan' is not a share"),
        (["--world", "heavy:20", "--fail", "5%"], "'5%' is not a share from 0 to 0.9; write 5 % as 0.05"),
        (
            ["--world", "heavy:20", "--start", "2030-01-01"],
            "--start 2030-01-01 lies after all that is known: heavy, 20",
        ),
        (["--world", "heavy:20", "--end", "1990-01-01"], "releases from 2015-"),
        (["--world", "heavy:1000", "--plot", "/dev/null/x.svg"], "there is no folder '/dev/null'"),
        (["--world", "heavy:1000", "--plot", "/"], "'/' is a folder"),
        (
            ["--world", "heavy:20", "--start", "2019-01-01", "--end", "2018-01-01"],
            "ends before it starts, on 2019-01-01: heavy, 20 artists: releases from 2015-",
        ),
        (["--world", "heavy:20", "--artists", "a.csv"], "--artists goes with --data"),
        (["--data", "nowhere.csv"], "'nowhere.csv' cannot be read"),
    ],
)
def test_what_is_typed_wrong_is_told(freshwax: Freshwax, args: list[str], says: str) -> None:
    code, out, err = freshwax("replay", *args)

    assert (code, out) == (2, "")
    assert says in " ".join(err.split())
