"""How soon a run ends that is told to: SIGINT and SIGTERM at random instants, whatever it waits for.

A real freshwax process against the stand-in server, another process. The time runs from the signal to the end of the
process, its report included.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from _process import Freshwax, Server, server
from _table import headline, say, verdict
from freshwax.demo.generate import generate

LIMIT = 2.0  # seconds
SEED = "stopping"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
FAR = 60_000  # milliseconds that the server takes where it seems to hang
PAUSED, LOCKED = 3, 4  # exit codes


@dataclass(frozen=True)
class Scene:
    """What a run is at when the signal comes, and with which code it is to end."""

    name: str
    orders: Mapping[str, object] = field(default_factory=dict)
    locked: bool = False
    code: int = PAUSED


SCENES = (
    Scene("answers come", {"latency_ms": 250}),
    Scene("answers do not come", {"latency_ms": FAR}),
    Scene("a retry is waited for", {"faults": [{"effect": "Status", "with": {"code": 503}}]}),
    Scene(
        "a Retry-After is waited for",
        {"faults": [{"effect": "Status", "with": {"code": 429, "retry_after": "10"}}]},
    ),
    Scene("the database is locked", {"latency_ms": 250}, locked=True, code=LOCKED),
)
AS_USUAL = {"latency_ms": 0, "faults": []}


def main() -> int:
    options = _options()
    headline()
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = (now - timedelta(days=60)).date().isoformat(), (now + timedelta(days=2)).date().isoformat()
    artists = list(generate(SEED, artists=options.artists, start=start, end=end).artists)
    about = ["--artists", str(options.artists), "--seed", SEED, "--start", start, "--end", end]
    rng = random.Random(SEED)
    with TemporaryDirectory(prefix="freshwax-stopping-") as name, server(*about, "--at", now.isoformat()) as spotify:
        folder = Path(name)
        user = Freshwax(folder, spotify.url)
        listed = folder / "artists.txt"
        listed.write_text("".join(f"spotify:artist:{one}\n" for one in artists))
        user.track(str(listed))
        learnt = folder / "learnt.db"
        shutil.copy(user.database, learnt)
        say(f"  {'what the run is at':<30}{'signals':>8}{'median, s':>11}{'slowest, s':>12}{'exit code':>11}")
        ends = [_play(scene, user, learnt, spotify, rng, options.times) for scene in SCENES]
    slowest = max(one.seconds for each in ends for one in each)
    right = all(one.code == scene.code for scene, each in zip(SCENES, ends, strict=True) for one in each)
    return verdict(
        (
            (f"every run ended within {LIMIT:g} s", slowest <= LIMIT),
            ("paused, exit code 3; behind a locked database, 4", right),
        )
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artists", type=int, default=100)
    parser.add_argument("--times", type=int, default=40, help="signals in each situation, half of each sort")
    return parser.parse_args()


@dataclass(frozen=True)
class End:
    """How a run ended, and how long after the signal."""

    seconds: float
    code: int


def _play(scene: Scene, user: Freshwax, learnt: Path, spotify: Server, rng: random.Random, times: int) -> Sequence[End]:
    ends = []
    for number in range(times):
        for leftover in user.database.parent.glob(f"{user.database.name}*"):
            leftover.unlink()
        shutil.copy(learnt, user.database)
        spotify.control(**scene.orders)
        ends.append(_stop(scene, user, SIGNALS[number % len(SIGNALS)], rng.uniform(0.0, 0.5)))
        spotify.control(**AS_USUAL)
    seconds = [one.seconds for one in ends]
    codes = ", ".join(str(code) for code in sorted({one.code for one in ends}))
    say(f"  {scene.name:<30}{len(ends):>8}{median(seconds):>11.2f}{max(seconds):>12.2f}{codes:>11}")
    return ends


def _stop(scene: Scene, user: Freshwax, number: int, later: float) -> End:
    """Start a run, and send a signal so many seconds after it began to check."""
    command = [str(Path(sys.executable).with_name("freshwax")), "track", "--force", "--format", "json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=user.env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
        try:
            _until_it_runs(user.database, process)
            with _locked(user.database) if scene.locked else nullcontext():
                time.sleep(later)
                started = time.perf_counter()
                process.send_signal(number)
                process.communicate(timeout=FAR / 1_000)
                return End(time.perf_counter() - started, process.returncode)
        except BaseException:
            process.kill()
            raise


def _until_it_runs(database: Path, process: subprocess.Popen[bytes]) -> None:
    before = _runs(database)
    while _runs(database) == before:
        if process.poll() is not None:
            raise SystemExit("freshwax ended before it could be told to")
        time.sleep(0.005)


def _runs(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM run_history").fetchone()
        return int(count)


@contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Write to the database for as long as the block lasts, as another program would."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


if __name__ == "__main__":
    sys.exit(main())
