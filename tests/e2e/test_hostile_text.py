"""Hostile titles, names and answers, from the service to every place where text is printed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import re
import subprocess
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.e2e.user import COMMAND, PATIENCE, Done, User, day

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Effect, Status
from freshwax.demo.names import HOSTILE
from freshwax.demo.server import DemoServer

NAME = "Night\x1b[2Jjar\x1b]0;owned\x07\u202e\u200b\n2026 Injected"
HALF = "Half of it: HALF-SURROGATE"
LONG = "L" * 10_000
TITLES = (
    *HOSTILE,
    HALF,
    LONG,
    "Z" + "\u0337" * 3000,
    "\ufeff=1+1",
    "漢字" * 40,
    "🏳️‍🌈 \U000e0041",
    "\x9b31m",
    "\u2028\ufffe",
)
MARKS = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

# Every command that prints what came from outside, in each of its formats where it has some.
LISTS = (
    ("artists", "list"),
    ("releases", "--limit", "0"),
    ("runs",),
    ("plan",),
    ("plan", "--explain", "ARTIST"),
    ("profile",),
    ("profile", "ARTIST"),
    ("patterns",),
    ("patterns", "ARTIST"),
    ("releases", "--artist", "ARTIST"),
)
REPORTS = (("track", "--from-cache"), ("runs", "show", "1"), ("track", "--from-cache", "--since", "2000-01-01"))
SENTENCES = (
    ("plan", "--explain", "ARTIST"),
    ("explain", "RELEASE", "--artist", "ARTIST"),
    ("explain", LONG),
    ("explain", "e"),
    ("explain", "no such \x1b[31m title\n"),
    ("artists", "disable", "nobody \x1b[31m\u202e"),
    ("doctor", "--offline"),
    ("release-held", "ARTIST"),
    ("track", "no\nsuch\x1b[31m file"),
    ("--config", "no\nsuch\x1b[31m file", "runs"),
    ("artists", "list", "--format", "\x1b[31m"),
    ("\x1b[31m",),
    ("track", "--since", "\x1b[31m\u202e"),
)


@dataclass(frozen=True)
class HalfSurrogates(Effect):
    """Answers hold half a surrogate pair where the world has a word for it: the stand-in cannot hold one."""

    def on_response(self, response: Any) -> Any:
        """See ``Effect``."""
        packed = response.body.startswith(b"\x1f\x8b")
        body = (gzip.decompress(response.body) if packed else response.body).replace(b"HALF-SURROGATE", rb"\ud83d")
        return replace(response, body=gzip.compress(body) if packed else body)


@pytest.fixture
def evil(world: WorldBuilder, server: DemoServer, user: User) -> ArtistHandle:
    """An artist who attacks, and one who does not; both learnt just now."""
    artist, other = world.artist(NAME), world.artist("Wren")
    for number, title in enumerate(TITLES):
        artist.single(title, day(-3 - number))
    other.single("Ebb", day(-2))
    server.api.world = world.build()
    server.misbehave(HalfSurrogates())
    user.follow([artist, other])
    return artist


def assert_harmless(done: Done, *, wide: int = 10_000) -> None:
    for text in (done.out, done.err):
        steering = {one for one in text if unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"}} - {"\n", "\t"}
        assert not steering, text
        assert not set(MARKS) & set(text) or done.out.startswith(("{", "[")), text
        assert max(map(len, text.split("\n"))) <= wide
    assert not re.search("^2026 Injected", done.out + done.err, re.MULTILINE)


def words(command: tuple[str, ...], artist: ArtistHandle, release: str) -> list[str]:
    known = {"ARTIST": artist.id, "RELEASE": release}
    return [known.get(word, word) for word in command]


def test_every_list_and_report_in_every_format(user: User, evil: ArtistHandle) -> None:
    first = user.run("track", "--format", "table")
    assert first.code == 0, first.err
    assert_harmless(first, wide=200)
    assert "Half of it" in first.out
    for command in (*LISTS, *REPORTS):
        formats = ("table", "json", "csv", "tsv", "ids") if command in REPORTS else ("table", "json", "csv")
        for name in formats:
            done = user.run(*words(command, evil, ""), "--format", name)
            assert done.code == 0, (command, name, done.err)
            assert_harmless(done, wide=200 if name == "table" else 200_000)
            if name == "json":
                json.loads(done.out)
                done.out.encode()
            elif name in {"csv", "tsv"}:
                tabbed = [line.split("\t") for line in done.out.split("\n")]
                rows = list(csv.reader(io.StringIO(done.out))) if name == "csv" else tabbed
                assert {len(row) for row in rows if row != [""]} == {len(rows[0])}, (command, name)
                cells = [cell for row in rows[1:] for cell in row if not re.fullmatch(r"-?[0-9.]+(e-?\d+)?", cell)]
                assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]


def test_every_sentence(user: User, evil: ArtistHandle) -> None:
    told = user.track()
    half = next(line for line in told.report["releases"] if line["title"].startswith("Half"))
    assert half["title"] == "Half of it: \ufffd"
    for command in SENTENCES:
        done = user.run(*words(command, evil, half["id"]))
        assert done.out or done.err
        assert_harmless(done, wide=2000)
        assert len(done.out + done.err) < 20_000
        assert len(done.err.splitlines()) < 20


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_knows_few_letters_gets_the_rest(user: User, evil: ArtistHandle, encoding: str) -> None:
    before = user.env
    user.env = {**before, "PYTHONIOENCODING": f"{encoding}:strict", "LC_ALL": "C", "PYTHONUTF8": "0"}
    user.nursery = None
    for command in (("track", "--format", "table"), ("releases", "--format", "csv"), ("explain", "e"), ("runs",)):
        pipe = subprocess.PIPE
        ended = subprocess.run([*COMMAND, *command], env=user.environment(), stdout=pipe, stderr=pipe, check=False)
        assert ended.returncode in {0, 2}, ended.stderr
        assert b"bug" not in ended.stderr
        assert b"Traceback" not in ended.stderr
        ended.stdout.decode(encoding)
        ended.stderr.decode(encoding)


def test_the_same_title_is_told_once_however_often_it_is_read(
    user: User, server: DemoServer, evil: ArtistHandle
) -> None:
    assert len(user.track().titles) == len(TITLES) + 1
    again = user.track("--force")
    assert again.titles == []
    assert again.status == (0, "completed")
    assert user.track("--force", "--baseline").code == 0
    assert user.track("--force").titles == []


def test_what_the_service_says_in_an_error_stays_in_its_line(
    user: User, server: DemoServer, evil: ArtistHandle, tmp_path: Path
) -> None:
    assert user.track().code == 0
    message = f"\x1b[2Jgone\x1b]0;owned\x07\n2026 Injected\u202e{'x' * 100_000}"
    server.misbehave(Status(418, message), artist=evil.id)
    log = tmp_path / "freshwax.log"
    done = user.run("track", "--force", "--format", "table", FRESHWAX_LOG_FILE=str(log))
    assert done.code == 3
    assert_harmless(done, wide=2000)
    written = log.read_text(encoding="utf-8")
    assert "418" in written
    assert not {one for one in written if unicodedata.category(one) in {"Cc", "Cs"}} - {"\n"}
    assert not set(MARKS) & set(written)
    assert all(re.match(r"2026 Injected", line) is None for line in written.splitlines())
    assert max(map(len, written.splitlines())) < 2000
    for command in (("runs",), ("runs", "show", "2"), ("artists", "list"), ("explain", "Ebb", "--artist", evil.id)):
        assert_harmless(user.run(*command), wide=200_000)


def test_a_pause_that_makes_no_sense(user: User, server: DemoServer, evil: ArtistHandle) -> None:
    server.misbehave(Status(429, "slow\x1b[31m down", retry_after="9" * 400))
    done = user.run("track", "--budget", "4")
    assert done.code == 3
    assert_harmless(done, wide=2000)


def test_the_progress_bar_shows_names_and_obeys_none(user: User, evil: ArtistHandle) -> None:
    main, side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "track"],
        env=user.environment(TERM="xterm-256color", COLUMNS="80"),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=side,
    )  # fmt: skip
    os.close(side)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(main)
    assert process.wait(PATIENCE) == 0
    text = shown.decode()
    assert "━" in text
    assert not re.search(r"\x1b\]0|\x1b\[2J|\x07|\u202e", text)


def test_a_picture_of_a_file_with_a_hostile_name(user: User, tmp_path: Path) -> None:
    path = tmp_path / "<script>&\x1b\u202e.csv"
    rows = [f"a,{number},Title,single,2020-{number % 12 + 1:02}-03" for number in range(30)]
    path.write_text("artist_id,release_id,title,type,release_date\n" + "\n".join(rows) + "\n")
    drawn = tmp_path / "out.svg"
    done = user.run(
        "replay", "--data", path, "--policy", "all", "--start", "2020-06-01", "--end", "2020-12-31", "--plot", drawn
    )
    assert done.code == 0, done.err
    root = ET.fromstring(drawn.read_bytes())
    assert "script" not in {one.tag.rpartition("}")[2] for one in root.iter()}
    done = user.run("replay", "--data", tmp_path / "no\nsuch\x1b[31m", "--policy", "all")
    assert done.code == 2
    assert_harmless(done)


def test_a_list_of_artists_with_hostile_names(user: User, server: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "list\n\x1b[31m.txt"
    path.write_text("No\x1b[31m such\u202e\u200b artist\nZ" + "\u0337" * 250 + "\n=1+1\n", encoding="utf-8")
    done = user.run("artists", "import", path)
    assert done.code == 3
    assert_harmless(done, wide=2000)
    for content in ("\x1b[31mspotify:album:1", "spotify:artist:\u202e", "x" * 301, "http://\x9b", '"id\n\x1b["'):
        path.write_text(content, encoding="utf-8")
        assert_harmless(user.run("artists", "import", path), wide=2000)


def test_bytes_on_the_command_line_that_are_no_text(user: User, evil: ArtistHandle) -> None:
    user.nursery = None
    pipe = subprocess.PIPE
    for command in (
        [b"artists", b"add", b"\xff\xfe"],
        [b"explain", b"\xff"],
        [b"artists", b"disable", b"\xff"],
        [b"track", b"\xff.txt"],
        [b"track", b"--output", b"\xff/x"],
        [b"--config", b"\xff", b"runs"],
        [b"releases", b"--artist", b"\xff"],
    ):
        done = subprocess.run(
            [*(os.fsencode(word) for word in COMMAND), *command],
            env=user.environment(),
            stdout=pipe,
            stderr=pipe,
            check=False,
        )
        assert done.returncode == 2, (command, done.stderr)
        assert b"bug" not in done.stderr
        done.stderr.decode()
