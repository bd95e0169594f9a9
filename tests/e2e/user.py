"""Somebody who runs freshwax: the program as a process of its own, on a real clock, against the stand-in server.

Contains no business logic.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from freshwax.clock import SimulatedClock
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Effect
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.model import Ref
from freshwax.store.sqlite import SQLiteStore

COMMAND = (sys.executable, "-W", "error", "-c", "from freshwax.cli.main import main; main()")
# The program reads the machine's clock and refuses to run where the server's is more than a day away.
NOW = datetime.now(UTC)
KILLED = -9
PATIENCE = 60  # seconds after which a process counts as hung


def at(hours: float) -> datetime:
    """An instant by hours from now."""
    return NOW + timedelta(hours=hours)


def on(days: float) -> datetime:
    """An instant by days from now."""
    return NOW + timedelta(days=days)


def day(days: int) -> str:
    """A release date by days from today."""
    return on(days).date().isoformat()


@dataclass(frozen=True)
class Done:
    """How a process ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The one object on standard output."""
        report = json.loads(self.out)
        assert isinstance(report, dict)
        return report

    @property
    def kinds(self) -> dict[str, str]:
        """The kind under which each title was told."""
        return {line["title"]: line["kind"] for line in self.report["releases"]}

    @property
    def titles(self) -> list[str]:
        """The titles that were told, sorted."""
        return sorted(line["title"] for line in self.report["releases"])

    @property
    def status(self) -> tuple[int, str]:
        """Exit code and ``run.status``."""
        return self.code, self.report["run"]["status"]

    def coverage(self, *names: str) -> tuple[int, ...]:
        """Some of the counts of ``coverage``."""
        return tuple(self.report["coverage"][name] for name in names)


@dataclass(frozen=True)
class Life(Done):
    """How a child lived and ended."""

    moments: tuple[str, ...] = ()
    took: float = 0.0

    @property
    def printed(self) -> bool:
        """Whether its report reached standard output."""
        return "printed" in self.moments

    @property
    def recorded(self) -> bool:
        """Whether it lived to record that: the last moment of a killed one did not happen."""
        happened = self.moments[:-1] if self.code == KILLED else self.moments
        return self.printed and "COMMIT" in happened[self.moments.index("printed") :]


class Nursery:
    """Runs the program in children of one process that has imported it already: quick, and mortal at any moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, "-W", "error", "-m", "tests.e2e.mortal"]
        pipe = subprocess.PIPE
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root)

    def close(self) -> None:
        """End the process."""
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()

    def run(
        self,
        user: User,
        *args: object,
        kill: int | tuple[str, int, int] | None = None,
        seconds: float | None = None,
        **machine: float,
    ) -> Life:
        """Run freshwax; ``kill`` says at which moment it dies, or ``seconds`` how soon; ``machine`` what is wrong with
        the machine (see ``mortal``).
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {
            "args": [str(arg) for arg in args],
            "env": user.environment(),
            "kill": kill,
            "seconds": seconds,
            "folder": str(self.folder),
            "machine": machine,
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        out, err = ((self.folder / name).read_text() for name in ("out", "err"))
        return checked(Life(answer["code"], out, err, tuple(answer["moments"]), answer["took"]))


class Process(subprocess.Popen[str]):
    """The program as a process; as a context it is killed where its caller fails, so that nobody waits for ever."""

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: object) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, trace)  # type: ignore[arg-type]


@dataclass
class User:
    """Runs freshwax with a database and an environment of their own."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    nursery: Nursery | None = None

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / "freshwax.db"

    def knows(self, server: DemoServer) -> None:
        """Point the program at a server, with the credentials that it takes and without pacing."""
        self.env |= {
            "FRESHWAX_SPOTIFY_API_URL": server.api_url,
            "FRESHWAX_SPOTIFY_ACCOUNTS_URL": server.accounts_url,
            "FRESHWAX_SPOTIFY_CLIENT_ID": server.manners.client_id,
            "FRESHWAX_SPOTIFY_CLIENT_SECRET": server.manners.client_secret,
            "FRESHWAX_SPOTIFY_REQUESTS_PER_SECOND": "0",
        }

    def environment(self, **more: str) -> dict[str, str]:
        """What a process of this user finds in its environment."""
        return {**os.environ, "FRESHWAX_DATABASE": str(self.database), **self.env, **more}

    def start(self, *args: object, **env: str) -> Process:
        """Start the program; the caller ends it."""
        words = [*COMMAND, *map(str, args)]
        pipe = subprocess.PIPE
        return Process(words, env=self.environment(**env), stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def run(self, *args: object, stdin: str = "", **env: str) -> Done:
        """Run the program to its end, in a child that has imported it already where there is a nursery."""
        if self.nursery is not None and not stdin:
            return self.nursery.run(replace(self, env={**self.env, **env}), *args)
        with self.start(*args, **env) as process:
            return ended(process, stdin)

    def track(self, *args: object, **env: str) -> Done:
        """Run ``freshwax track --format json``."""
        return self.run("track", "--format", "json", *args, **env)

    def follow(self, artists: Iterable[ArtistHandle]) -> None:
        """Put artists on the watch list, without a process."""
        with closing(SQLiteStore.open(self.database)) as store:
            store.watch([(Ref("spotify", artist.id), artist.name) for artist in artists], NOW)

    def learnt(self, world: WorldBuilder, server: DemoServer, artists: Iterable[ArtistHandle], days: float = 7) -> None:
        """Follow artists since so many days ago: a baseline in simulated time, told."""
        with closing(SQLiteStore.open(self.database)) as store:
            trial = Trial(world.build(), server, store, SimulatedClock(on(-days)))
            trial.follow(artist.id for artist in artists)
            run, _ = trial.track(on(-days))
        assert run.exit_code == 0
        server.at = NOW
        server.log.clear()


DoneT = TypeVar("DoneT", bound=Done)


def checked(done: DoneT) -> DoneT:
    """Hold a run to what holds for every run of the program."""
    assert "Traceback" not in done.err, done.err
    assert "Warning" not in done.err, done.err
    assert "this is a bug" not in done.err, done.err
    if done.code in {2, 4}:
        assert done.out == ""
    return done


def ended(process: subprocess.Popen[str], stdin: str = "") -> Done:
    """Wait for a process to end."""
    try:
        out, err = process.communicate(stdin, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return checked(Done(process.returncode, out, err))


def until(true: Callable[[], object]) -> None:
    """Look again and again until something is true."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came true"


@dataclass(frozen=True)
class Answered(Effect):
    """Calls a function whenever a request is answered that it strikes."""

    call: Any

    def on_response(self, response: Any) -> Any:
        """See ``Effect``."""
        self.call()
        return response
