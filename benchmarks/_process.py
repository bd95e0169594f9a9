"""The stand-in server and freshwax itself as processes, measured from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection  # noqa: TID251 - another client than the tracker's own
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

# Settings of another freshwax; and what would keep Python from compiling once, as an installation does.
LEFT_OUT = ("FRESHWAX_", "SPOTIPY_", "PYTHONDONTWRITEBYTECODE")
BARE = (sys.executable, "-c", "import click, sqlite3")


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished process: seconds on the wall and on the processor, and the most memory it held, in MB."""

    wall: float
    cpu: float
    memory: float
    exit_code: int
    stdout: str
    stderr: str


def measure(command: Sequence[str], env: dict[str, str] | None = None) -> Measured:
    """Run a process to its end."""
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        peak = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        return Measured(wall, used.ru_utime + used.ru_stime, peak, process.returncode, out.read(), err.read())


class Server:
    """The stand-in server in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, **order: object) -> dict[str, Any]:
        """Set the latency, the instant and so on; return the server's state."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        connection.request("POST", "/_control", json.dumps(order).encode())
        state: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return state


@contextmanager
def server(*arguments: str) -> Iterator[Server]:
    """Start the stand-in server; stop it at the end."""
    command = [sys.executable, "-m", "freshwax.demo.server", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield Server(running.stdout.readline().strip())
        finally:
            running.kill()


class Freshwax:
    """freshwax as a user has it, with a database in a folder, against a stand-in server, unpaced and without quota."""

    def __init__(self, folder: Path, url: str) -> None:
        self.database = folder / "freshwax.db"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)},
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "FRESHWAX_DATABASE": str(self.database),
            "FRESHWAX_SPOTIFY_CLIENT_ID": "demo-client",
            "FRESHWAX_SPOTIFY_CLIENT_SECRET": "demo-secret",
            "FRESHWAX_SPOTIFY_API_URL": f"{url}/v1",
            "FRESHWAX_SPOTIFY_ACCOUNTS_URL": url,
            "FRESHWAX_SPOTIFY_REQUESTS_PER_DAY": "1000000",
            "FRESHWAX_SPOTIFY_REQUESTS_PER_SECOND": "0",
            "FRESHWAX_MARKET": "US",
        }

    def run(self, *arguments: str) -> Measured:
        """Run a command; an exit code other than 0 ends the benchmark with what it said."""
        done = measure([str(Path(sys.executable).with_name("freshwax")), *arguments], self.env)
        if done.exit_code:
            raise SystemExit(f"freshwax {' '.join(arguments)}: exit code {done.exit_code}\n{done.stderr}")
        return done

    def track(self, *arguments: str) -> tuple[Measured, dict[str, Any]]:
        """Run ``track`` and read its report."""
        done = self.run("track", "--format", "json", *arguments)
        report: dict[str, Any] = json.loads(done.stdout)
        return done, report
