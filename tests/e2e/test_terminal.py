"""The command on a real terminal: the progress bar, and where the data goes while it shows."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.user import COMMAND, PATIENCE, User, at, day

from freshwax.config import load
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Status
from freshwax.demo.server import DemoServer
from freshwax.reports.layout import width

BAR = "━"
CLIENT_ID = "0123456789abcdef0123456789ABCDEF"


@pytest.fixture
def on_terminal(user: User) -> Callable[..., tuple[int, str]]:
    """Run a command whose standard error, and standard output unless a file is named, is a terminal."""

    def run(*args: object, out: Path | None = None, **env: str) -> tuple[int, str]:
        main, side = pty.openpty()
        with Path(out or os.devnull).open("wb") as file:
            process = subprocess.Popen(
                [*COMMAND, *map(str, args)],
                env=user.environment(TERM="xterm-256color", COLUMNS="80", **env),
                stdin=subprocess.DEVNULL,
                stdout=file if out else side,
                stderr=side,
            )
        os.close(side)
        shown = _read_until(main, None)
        os.close(main)
        return process.wait(PATIENCE), shown

    return run


def _read_until(terminal: int, end: str | None) -> str:
    """Read what is shown until it ends in this text, or (None) until nobody holds the other side any more."""
    shown = b""
    deadline = time.monotonic() + PATIENCE
    while end is None or not shown.endswith(end.encode()):
        assert select.select([terminal], [], [], deadline - time.monotonic())[0], shown
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        shown += part
    return shown.decode().replace("\r\n", "\n")


def test_a_report_goes_into_its_file_while_the_bar_shows(
    on_terminal: Callable[..., tuple[int, str]],
    user: User,
    world: WorldBuilder,
    server: DemoServer,
    birds: list[ArtistHandle],
    news: list[str],
    tmp_path: Path,
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    code, shown = on_terminal("track", "--format", "json", out=tmp_path / "out.json")
    assert code == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert sorted(line["title"] for line in report["releases"]) == news
    assert BAR in shown
    assert "Low Tide" not in shown
    assert re.search(r"\x1b\[2K6 of 6 artists checked; .*requests$", shown, re.MULTILINE), shown


def test_nothing_is_told_beside_the_report(
    on_terminal: Callable[..., tuple[int, str]],
    user: User,
    world: WorldBuilder,
    server: DemoServer,
    birds: list[ArtistHandle],
) -> None:
    user.learnt(world, server, birds)
    server.misbehave(Status(500), artist=birds[0].id)
    done = user.run("track", "--force")
    assert done.code == 3
    assert done.err.count("HTTP 500") == 1
    assert "Failed: Nightjar (the service failed (HTTP 500))" in done.err
    assert user.run("-q", "track", "--force").err == ""
    code, shown = on_terminal("track", "--force")
    assert (code, shown.count("HTTP 500")) == (3, 1)
    assert "the service failed, 3x" in user.run("artists", "list", "--format", "table").out


def test_the_bar_is_gone_before_the_report_is_printed(
    on_terminal: Callable[..., tuple[int, str]],
    user: User,
    world: WorldBuilder,
    server: DemoServer,
    birds: list[ArtistHandle],
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    code, shown = on_terminal("track")
    assert code == 0
    bar, heading, report = shown.partition("New releases (4)")
    assert heading
    assert BAR in bar
    assert BAR not in report
    assert "\x1b[?25h" in bar  # the cursor is back
    assert re.search(r"^6 of 6 artists checked; .*requests$", report, re.MULTILINE), report


def test_init_asks_again_instead_of_forgetting_the_answers(user: User, tmp_path: Path) -> None:
    main, side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "--config", str(tmp_path / "config.toml"), "init"],
        env=user.environment(), stdin=side, stdout=side, stderr=side, start_new_session=True,
    )  # fmt: skip
    os.close(side)
    shown = ""
    for question, answer in (
        ("Client ID: ", "abc"),
        ("Client ID: ", "0123456789abcdef0123456789abcdeg"),
        ("Client ID: ", CLIENT_ID),
        ("Client secret: ", "hunter two"),
        ("Client secret: ", "hunter2"),
        ("]: ", "Germany"),
        ("]: ", "de"),
    ):
        shown += _read_until(main, question)
        os.write(main, f"{answer}\n".encode())
    shown += _read_until(main, None)
    os.close(main)
    assert process.wait(PATIENCE) == 0, shown
    assert shown.count("Spotify's client IDs have 32 digits and letters a to f: copy it once more.") == 2
    assert "That must be text without spaces." in shown
    assert "That must be a country code" in shown
    config = load(tmp_path / "config.toml", {})
    assert (config.market, config.spotify_client_secret.reveal()) == ("DE", "hunter2")
    assert config.spotify_client_id.reveal() == CLIENT_ID


@pytest.mark.parametrize(("encoding", "end"), [("ascii", "..."), ("latin-1", "..."), ("cp1252", "…"), ("utf-8", "…")])
def test_a_terminal_without_an_ellipsis_keeps_its_columns(
    user: User, world: WorldBuilder, server: DemoServer, encoding: str, end: str
) -> None:
    plover = world.artist("Plover")
    plover.album("A Title That Is Longer Than The Terminal Is Wide By Far And Further", day(-20))
    plover.album("Rós", day(-15))
    plover.album("…Baby, 雨 😀", day(-10))
    server.api.world = world.build()
    user.learnt(world, server, [plover])

    def run(*args: str) -> str:
        words = [*COMMAND, *args]
        env = user.environment(PYTHONIOENCODING=encoding, COLUMNS="80")
        done = subprocess.run(words, env=env, capture_output=True, check=False, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode(encoding)

    rows = run("releases", "--format", "table").splitlines()
    baby, _, long = rows[1:4]
    assert end in long
    assert "\\u2026" not in "".join(rows)
    assert end + "Baby" in baby
    assert len({width(row.partition("album")[0]) for row in rows[1:4]}) == 1
    assert all(width(row) <= 80 for row in rows)
    told = {one["title"] for one in json.loads(run("releases", "--format", "json"))}
    assert {"Rós", "…Baby, 雨 😀"} <= told
    assert f"{end}Baby" in run("explain", "Baby")
