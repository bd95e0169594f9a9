"""Whole lives of the program, with secrets that are easy to find: nothing that it writes holds one of them.

The service does its worst: it quotes in every refusal what it was sent, in JSON, as text and in headers.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.e2e.user import Answered, Done, User, at
from tests.monitor import Monitor

from freshwax.demo.api import Manners
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.effects import Effect
from freshwax.demo.server import DemoServer
from freshwax.demo.shapes import error
from freshwax.demo.wire import Response

CLIENT_ID = "c1ient-1d-5b0c"
CLIENT_SECRET = "c1ient-s3cret-7f1e"
BASIC = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
CAPABILITY = "c4pability-5f2e"
MASK = "***"


@dataclass
class Home:
    """A user's home: everything that freshwax writes there, or says, is kept and searched."""

    user: User
    server: DemoServer
    said: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def run(self, *args: object, **env: str) -> Done:
        """Run the program, and keep what it said and wrote."""
        return self.keep(self.user.run(*args, **env))

    def script(self, *lines: str) -> Done:
        """Run Python that ends in the program."""
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(("from freshwax.cli.main import main", *lines))],
            env=self.user.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return self.keep(Done(done.returncode, done.stdout, done.stderr))

    def keep(self, done: Done) -> Done:
        """Keep what a run said, and all files as they are now."""
        self.said += [done.out, done.err]
        self.look()
        return done

    def look(self) -> None:
        """Keep all files as they are now."""
        for path in [*Path.home().rglob("*"), *self.user.folder.rglob("*")]:
            if path.is_file():
                self.files[f"{path.name} {len(self.files)}"] = path.read_bytes()

    def sent(self) -> list[str]:
        """What the service was sent by the run that is under way."""
        return [CLIENT_ID, CLIENT_SECRET, BASIC, list(self.server.api._tokens)[-1]]

    @property
    def secrets(self) -> list[str]:
        """Everything that must not be found."""
        tokens = list(self.server.api._tokens)
        return [CLIENT_ID, CLIENT_SECRET, BASIC, BASIC.rstrip("="), CAPABILITY, *tokens]

    def found(self, *texts: str) -> list[str]:
        """Where any of these texts stands."""
        places = {f"what run {number // 2} said": text.encode() for number, text in enumerate(self.said)} | self.files
        return [f"{text} in {place}" for place, held in places.items() for text in texts if text.encode() in held]


@dataclass(frozen=True)
class Quoting(Effect):
    """A refusal that quotes the credentials that it was sent: as an error of the API, as text, or in a header."""

    status: int
    quoted: Callable[[], list[str]]
    form: str = "json"

    def instead(self) -> Response:
        """See ``Effect``."""
        said = f"you sent {' and '.join(self.quoted())}"
        if self.form == "text":
            return Response(self.status, said.encode(), (("content-type", "text/plain"),))
        if self.form == "header":
            return Response(self.status, b"", (("location", f"http://127.0.0.1:9/{said}"), ("x-quoted", said)))
        if self.form == "token error":
            body = json.dumps({"error": said, "error_description": said}).encode()
            return Response(self.status, body, (("content-type", "application/json"),))
        return error(self.status, said)


@pytest.fixture
def home(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> Iterator[Home]:
    with Monitor() as monitor:
        server.manners = Manners(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        user.learnt(world, server, birds)
        server.at = at(2)
        user.env |= {
            "FRESHWAX_SPOTIFY_CLIENT_ID": CLIENT_ID,
            "FRESHWAX_SPOTIFY_CLIENT_SECRET": CLIENT_SECRET,
            "FRESHWAX_HEARTBEAT_URL": monitor.url,
            "FRESHWAX_LOG_FILE": str(user.folder / "freshwax.log"),
            "FRESHWAX_LOG_LEVEL": "debug",
        }
        assert CAPABILITY in monitor.url
        yield Home(user, server)


def test_a_life_without_trouble_leaves_no_secret_anywhere(home: Home, birds: list[ArtistHandle]) -> None:
    home.server.misbehave(Answered(home.look), times=3)  # in mid-run: the write-ahead log, the lock
    home.run("-vv", "track", "--format", "json")
    home.run("-vv", "artists", "add", birds[0].id)
    home.run("-vv", "artists", "add", birds[0].name)
    home.run("-v", "prefetch")
    home.run("-v", "track", "--force", "--background", FRESHWAX_LOG_FILE="", FRESHWAX_LOG_FORMAT="json")
    home.run("track", "--from-cache", "--format", "table")
    home.run("-vv", "doctor")
    home.run("doctor", "--json")
    home.run("doctor", "--offline", "--repair")
    home.run("backup", home.user.folder / "copy.db")
    for list_ in ("artists list", "releases", "runs", "runs show 2", "plan", "profile", "patterns"):
        for format_ in ("table", "json"):
            home.run("-vv", *list_.split(), "--format", format_)
    home.run("-vv", "explain", "Low Tide")

    assert any("-wal" in name for name in home.files), "the log of the database was seen while it was written"
    assert any(".log" in name for name in home.files)
    assert home.server.api._tokens, "tokens were given"
    assert home.found("Low Tide"), "what is written is searched"
    assert home.found(*home.secrets) == []


@pytest.mark.parametrize(
    ("form", "statuses"), [("json", (400, 401, 403, 404, 418, 500)), ("text", (400, 403)), ("header", (302,))]
)
def test_refusals_that_quote_secrets_are_masked_everywhere(
    home: Home, form: str, statuses: tuple[int, ...], birds: list[ArtistHandle]
) -> None:
    for status in statuses:
        fault = home.server.misbehave(Quoting(status, home.sent, form), artist=birds[2].id)
        home.run("-vv", "track", "--force", "--format", "json")
        home.server.repair(fault)
        home.server.misbehave(Quoting(status, home.sent, form))
        home.run("-v", "track", "--force", "--background", FRESHWAX_LOG_FORMAT="json")
        home.run("-v", "doctor")
        home.run("artists", "add", "Some Name")
        home.server.repair()
    home.run("runs")
    home.run("-vv", "track", "--from-cache", "--format", "table")

    assert form == "header" or (home.found("you sent") and home.found(MASK)), "what the service says is repeated"
    assert home.found(*home.secrets) == []


@pytest.mark.parametrize("form", ["json", "token error", "text", "header"])
def test_refused_tokens_that_quote_the_secret_are_masked_everywhere(home: Home, form: str) -> None:
    for status in (302, 400, 401, 500):
        home.server.misbehave(Quoting(status, lambda: [CLIENT_ID, CLIENT_SECRET, BASIC], form), where="token")
        home.run("-vv", "track", "--force", "--format", "json")
        home.run("-v", "doctor")
        home.server.repair()
    home.run("runs", "--format", "json")

    assert form == "header" or (home.found("you sent") and home.found(MASK))
    assert home.found(*home.secrets) == []


def test_a_bug_shows_where_it_is_and_no_secret(home: Home) -> None:
    home.script("from freshwax.sources.spotify import client", "client.parse_page = None", "main(['-vv', 'track'])")
    done = home.script(
        "from freshwax.sources.spotify import auth", "auth.quote = None", "main(['-v', 'track', '--force'])"
    )

    assert done.code == 1
    assert "Traceback" in done.err
    assert "auth.py" in done.err
    assert home.found(*home.secrets) == []


def test_a_debug_log_of_everything_has_no_headers(home: Home) -> None:
    done = home.script(
        "import logging, asyncio",
        "logging.basicConfig(level=logging.DEBUG)",
        "for name in ('httpx2', 'httpcore2', 'httpcore2.http11', 'httpcore2.connection', 'asyncio'):",
        "    logging.getLogger(name).setLevel(logging.DEBUG)",
        "main(['-vv', 'track', '--force'])",
    )

    assert done.code == 0
    assert "DEBUG" in done.err
    assert home.found(*home.secrets) == []


def test_wrong_settings_are_told_without_their_value(home: Home, tmp_path: Path) -> None:
    home.run("track", FRESHWAX_SPOTIFY_CLIENT_SECRET=f"{CLIENT_SECRET} and more")
    home.run("track", FRESHWAX_HEARTBEAT_URL=f"http://hc.test/{CAPABILITY}")
    home.run("track", FRESHWAX_SPOTIFY_API_URL=f"https://me:{CLIENT_SECRET}@api.test")
    home.run("track", FRESHWAX_HEARTBEAT_URL=f"https://hc.test:x/{CAPABILITY}")
    home.run("-vv", "track", FRESHWAX_SPOTIFY_CLIENT_SECRET="", FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE=str(tmp_path))
    config = tmp_path / "config.toml"
    for text in (f"client_secret = ['{CLIENT_SECRET}']", f"client_secret = '{CLIENT_SECRET}", f"{CLIENT_SECRET} = 1 2"):
        config.write_text(f"[spotify]\n{text}\n")
        config.chmod(0o600)
        assert home.run("--config", config, "track").code == 2

    assert len(home.said) == 16
    assert home.found(*home.secrets[:5]) == []


@pytest.mark.skipif(os.name == "nt", reason="modes say nothing there")
def test_whatever_is_written_is_for_its_owner_only(home: Home) -> None:
    before = os.umask(0)
    try:
        home.user = replace(home.user, folder=home.user.folder / "deep", nursery=None)
        artist = next(iter(home.server.api.world.artists))
        assert home.run("artists", "add", artist).code == 0
        home.server.misbehave(Answered(home.look), times=1)
        modes: dict[str, int] = {}
        home.server.misbehave(Answered(lambda: modes.update(seen(home.user.folder))), times=1)
        assert home.run("track", "--background", FRESHWAX_LOG_FILE="").code == 0
        assert home.run("backup", home.user.folder / "copy.db").code == 0
    finally:
        os.umask(before)
    modes |= seen(home.user.folder) | seen(Path.home())

    assert {"freshwax.db", "freshwax.db-wal", "freshwax.db-shm", "freshwax.db.lock", "freshwax.log", "copy.db"} <= {
        Path(name).name for name in modes
    }
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    assert home.user.folder.stat().st_mode & 0o077 == 0


def seen(folder: Path) -> dict[str, int]:
    """The modes of all files below a folder."""
    return {str(path): path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("password", ["hun/ter2", "hun#ter2", "hun?ter2", "12/hunter2"])
def test_a_proxy_with_an_odd_password_starts_no_run_and_is_said_nowhere(home: Home, password: str) -> None:
    home.user.env |= {
        "HTTPS_PROXY": f"http://joe:{password}@127.0.0.1:9",
        "FRESHWAX_SPOTIFY_API_URL": "https://api.test",
    }
    runs = home.run("runs", "--limit", "0").out
    for args in (("-vv", "track"), ("-v", "prefetch"), ("artists", "add", "Some Name")):
        done = home.run(*args)
        assert (done.code, done.out) == (2, ""), done.err
        assert "HTTPS_PROXY is not the address of a proxy" in done.err
    doctor = home.run("doctor", "--json")

    assert "percent-encode" in doctor.out
    assert home.run("runs", "--limit", "0").out == runs
    assert home.found("hun", "ter2@", "joe") == []
