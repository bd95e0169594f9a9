"""What a monitoring service hears of runs, and that no run minds how it answers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.user import Answered, User, at
from tests.monitor import Monitor

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Latency, Status, TokenRefused
from freshwax.demo.server import DemoServer
from freshwax.store.lock import RunLock


@pytest.fixture
def monitor(user: User) -> Iterator[Monitor]:
    with Monitor() as monitor:
        user.env["FRESHWAX_HEARTBEAT_URL"] = monitor.url
        yield monitor


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


def test_a_run_that_went_well_says_so_in_figures_only(
    user: User, monitor: Monitor, learnt: list[ArtistHandle], news: list[str]
) -> None:
    done = user.track()
    assert done.status == (0, "completed")
    assert monitor.paths == ["/start", ""]
    assert monitor.text.startswith("completed: 6 of 6 artists checked; oldest check just now; market US; ")
    assert "run 2, incremental; 4 releases found; " in monitor.text
    assert monitor.text.endswith("s; exit code 0\n")
    assert not [name for name in (*news, *(bird.name for bird in learnt)) if name in monitor.text]
    assert monitor.url not in done.err


def test_runs_in_the_background_and_ahead_are_heard_of_and_reading_is_not(
    user: User, monitor: Monitor, learnt: list[ArtistHandle]
) -> None:
    assert user.run("prefetch").code == 0
    assert "prefetch" in monitor.text
    assert user.run("track", "--background").code == 0
    assert "background" in monitor.text
    assert monitor.paths == ["/start", ""] * 2
    assert user.run("track", "--from-cache").code == 0
    assert user.run("runs").code == 0
    assert len(monitor.calls) == 4


@pytest.mark.parametrize(("setting", "path"), [(None, ""), ("log", "/log"), ("fail", "/fail")])
def test_what_a_run_says_that_could_not_check_everyone_is_a_setting(
    user: User, server: DemoServer, monitor: Monitor, learnt: list[ArtistHandle], setting: str | None, path: str
) -> None:
    server.misbehave(Status(500), artist=learnt[1].id)
    env = {} if setting is None else {"FRESHWAX_HEARTBEAT_PARTIAL": setting}
    assert user.track(**env).status == (3, "partial")
    assert monitor.paths == ["/start", path]
    assert monitor.text.startswith("partial: 5 of 6 artists checked, 1 failed; ")
    assert learnt[1].name not in monitor.text


def test_a_spent_quota_is_no_failure(user: User, monitor: Monitor, learnt: list[ArtistHandle]) -> None:
    assert user.track("--budget", "2").status == (3, "paused")
    assert monitor.paths == ["/start", ""]
    assert monitor.text.startswith("paused: ")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "failed (nobody, or not everybody, could be asked): 0 of 6 artists checked, 6 failed"),
        ({"FRESHWAX_SPOTIFY_CLIENT_SECRET": ""}, "failed (the credentials are missing or refused): 0 of 6"),
    ],
)
def test_a_run_that_failed_says_so(
    user: User, server: DemoServer, monitor: Monitor, learnt: list[ArtistHandle], env: dict[str, str], said: str
) -> None:
    server.misbehave(Status(500))
    done = user.track(**env)
    assert done.code in {3, 5}
    assert monitor.paths == ["/start", "/fail"]
    assert monitor.text.startswith(said)


def test_refused_credentials_are_a_failure(
    user: User, server: DemoServer, monitor: Monitor, learnt: list[ArtistHandle]
) -> None:
    server.misbehave(TokenRefused(), where="token")
    assert user.run("track", "--background").code == 5
    assert monitor.paths == ["/start", "/fail"]
    assert "exit code 5" in monitor.text


def test_a_run_that_could_not_begin_is_a_failure(user: User, monitor: Monitor) -> None:
    assert user.track().code == 2
    assert monitor.paths == ["/start", "/fail"]
    assert monitor.text.startswith("wrong usage, the configuration or the database cannot be used, or the watch list")
    user.database.write_text("a letter to my grandmother\n" * 99)
    assert user.track().code == 2
    assert monitor.paths[2:] == ["/fail"]
    assert user.folder.name not in monitor.text, "no path leaves the machine"
    assert "the database cannot be used" in monitor.text


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (["track"], {"FRESHWAX_MARKET": "XXX"}),
        (["track", "--background"], {"FRESHWAX_MARKET": "XXX"}),
        (["track"], {"FRESHWAX_SPOTIFY_CLIENT_SECRET": "", "FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE": "/nope"}),
        (["track", "/nonexistent"], {}),
        (["track", "--lookback", "many"], {}),
        (["track", "--since", "2020-01-01"], {}),
        (["prefetch"], {"FRESHWAX_CONCURRENCY": "none"}),
        (["prefetch"], {"FRESHWAX_DATABASE": "/nope/x.db"}),
    ],
)
def test_what_keeps_a_run_from_beginning_is_a_failure(
    user: User, monitor: Monitor, args: list[str], env: dict[str, str]
) -> None:
    done = user.run(*args, **env)
    assert (done.code, done.out) == (2, "")
    assert monitor.paths == ["/fail"]
    assert "the machine that ran it says more" in monitor.text
    assert "/nope" not in monitor.text


def test_a_prefetch_that_comes_too_late_could_not_begin(user: User, monitor: Monitor) -> None:
    assert user.run("prefetch", "--before", "2020-01-01T00:00Z").code == 3
    assert monitor.paths == ["/fail"]
    assert monitor.text.startswith("nobody, or not everybody, could be asked;")


def test_no_reading_command_says_that_it_could_not_begin(user: User, monitor: Monitor) -> None:
    assert user.run("track", "--from-cache", FRESHWAX_MARKET="XXX").code == 2
    assert user.run("runs", FRESHWAX_MARKET="XXX").code == 2
    assert monitor.calls == []


@pytest.mark.parametrize(
    "wrong",
    [
        "concurrency = 'many'\n{heartbeat}",
        "{heartbeat}\nnonsense = 1\n",
        "{heartbeat}\n[spotify]\nclient_secret_file = '/nope'\n",
    ],
)
@pytest.mark.parametrize("by_file", [False, True])
def test_the_address_is_found_in_a_file_whose_other_settings_are_wrong(
    user: User, monitor: Monitor, wrong: str, by_file: bool
) -> None:
    url = user.env.pop("FRESHWAX_HEARTBEAT_URL")
    (user.folder / "address").write_text(url)
    (user.folder / "address").chmod(0o600)
    heartbeat = "heartbeat_url_file = 'address'" if by_file else f"heartbeat_url = '{url}'"
    file = user.folder / "config.toml"
    file.write_text(wrong.format(heartbeat=heartbeat))
    file.chmod(0o600)
    assert user.run("--config", file, "track").code == 2
    assert monitor.paths == ["/fail"]


def test_where_no_file_can_be_read_the_environment_still_knows_the_address(user: User, monitor: Monitor) -> None:
    file = user.folder / "config.toml"
    assert user.run("--config", file, "track").code == 2
    file.write_text("this is no TOML")
    assert user.run("--config", file, "track").code == 2
    assert monitor.paths == ["/fail", "/fail"]
    done = user.run("--config", file, "track", FRESHWAX_HEARTBEAT_URL="")
    assert (done.code, len(monitor.calls)) == (2, 2)
    assert "not valid TOML" in done.err


def test_a_run_that_found_another_one_active_says_nothing(
    user: User, monitor: Monitor, learnt: list[ArtistHandle]
) -> None:
    with RunLock(user.database):
        assert user.track().code == 4
    assert monitor.calls == []


def test_a_report_that_cannot_be_written_is_a_failure(
    user: User, monitor: Monitor, learnt: list[ArtistHandle], tmp_path: Path
) -> None:
    done = user.run("track", "--output", "/dev/full")
    assert done.code == 2
    assert monitor.paths == ["/start", "/fail"]
    assert "/dev" not in monitor.text
    assert "completed: 6 of 6" in monitor.text


def test_no_run_minds_a_monitor_that_is_down_or_refuses(
    user: User, monitor: Monitor, learnt: list[ArtistHandle], news: list[str]
) -> None:
    monitor.status = 500
    done = user.track()
    assert (done.status, done.titles) == ((0, "completed"), news)
    assert done.err.count("The heartbeat did not arrive") == 1
    assert f"{monitor.host} answered HTTP 500" in done.err
    assert "c4pability" not in done.err


def test_a_monitor_that_hangs_delays_no_report_and_no_other_run(
    user: User, monitor: Monitor, learnt: list[ArtistHandle], news: list[str]
) -> None:
    monitor.open.clear()
    with user.start("track", "--format", "ids") as process:
        assert process.stdout is not None
        printed = [process.stdout.readline() for _ in news]
        assert all(printed), "though the monitor still hangs"
        assert monitor.paths == ["/start"]
        assert user.run("track", "--background", FRESHWAX_HEARTBEAT_URL="").code == 0, "the lock is free as well"
        monitor.open.set()
        assert process.wait(30) == 0
    assert monitor.paths == ["/start", ""]


def test_in_the_background_the_warning_is_in_the_log(
    user: User, monitor: Monitor, learnt: list[ArtistHandle], tmp_path: Path
) -> None:
    monitor.answer = "OK (not found)"
    log = tmp_path / "x.log"
    done = user.run("track", "--background", FRESHWAX_LOG_FILE=str(log))
    assert (done.code, done.out, done.err) == (0, "", "")
    assert log.read_text().count("WARNING freshwax.app: The heartbeat did not arrive") == 1
    assert "c4pability" not in log.read_text()


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_an_interrupted_run_ends_at_once_though_the_monitor_hangs(
    user: User, server: DemoServer, monitor: Monitor, learnt: list[ArtistHandle]
) -> None:
    monitor.open.clear()
    under_way = threading.Event()
    server.misbehave(Answered(under_way.set), where="token")
    server.misbehave(Latency(20))
    with user.start("track", "--format", "json") as process:
        assert under_way.wait(30)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 3, err
    assert '"paused"' in out
    assert "did not answer within 1 s" in err
