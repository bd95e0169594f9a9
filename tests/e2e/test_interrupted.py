"""Ctrl-C and SIGTERM: a run ends at once, keeps what it has, and the next one goes on."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.e2e.user import Answered, Done, User, at, day, ended, until

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Asked, Effect, Latency, Status
from freshwax.demo.server import DemoServer

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to a process")

HELD = 30.0  # seconds for which the server keeps its answer to itself: far longer than the program may take to end
KEY_REPEAT = 0.03  # seconds between what a keyboard sends
PROMPTLY = 5  # seconds, for a machine that has much else to do; it takes a fraction of one
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
# As it is installed: it leaves without the interpreter's own last words.
ENTRY = (sys.executable, "-W", "error", "-c", "from freshwax.cli.main import run; run()")


def interrupted(
    user: User, server: DemoServer, number: int, when: Callable[[Asked], bool], *args: str, **env: str
) -> Done:
    """Run, and send a signal as soon as a request arrives that ``when`` picks; it is never answered."""
    arrived = threading.Event()

    def waiting(asked: Asked) -> bool:
        if when(asked):
            arrived.set()
            return True
        return False

    fault = server.misbehave(Latency(HELD), when=waiting, where="all")
    with user.start("track", "--format", "json", *args, **env) as process:
        assert arrived.wait(20)
        process.send_signal(number)
        out, err = process.communicate(timeout=PROMPTLY)
    server.repair(fault)
    assert "Traceback" not in err, err
    return Done(process.returncode, out, err)


def stopped(process: subprocess.Popen[str], number: int) -> Done:
    """Send a signal to a process that waits for something; it ends at once."""
    process.send_signal(number)
    out, err = process.communicate(timeout=PROMPTLY)
    assert "Traceback" not in err, err
    return Done(process.returncode, out, err)


@SIGNALS
def test_an_interrupted_run_is_paused_keeps_what_it_has_and_goes_on(
    number: int, user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    first = interrupted(user, server, number, lambda asked: len(server.requests) >= 4, FRESHWAX_CONCURRENCY="1")
    assert first.status == (3, "paused")
    checked, paused = first.coverage("checked", "paused")
    assert (checked + paused, checked > 0, paused > 0) == (6, True, True)
    assert "Interrupted; the rest continues with the next run." in first.err
    second = user.track()
    assert second.status == (0, "completed")
    assert second.coverage("checked", "fresh") == (paused, checked)
    assert sorted(first.titles + second.titles) == news


@pytest.mark.parametrize("ignored", [False, True], ids=["closed", "nohup"])
def test_a_closed_terminal_ends_a_run_as_paused_unless_nohup_started_it(
    ignored: bool, user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    arrived = threading.Event()

    def waiting(asked: Asked) -> bool:
        arrived.set()
        return True

    fault = server.misbehave(Latency(1 if ignored else HELD), when=waiting)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN) if ignored else signal.getsignal(signal.SIGHUP)
    try:
        process = user.start("track", "--format", "json")
    finally:
        signal.signal(signal.SIGHUP, before)
    with process:
        assert arrived.wait(20)
        process.send_signal(signal.SIGHUP)
        done = ended(process)
    server.repair(fault)
    assert done.status == ((0, "completed") if ignored else (3, "paused"))
    assert sorted(done.titles + user.track().titles) == news


@pytest.mark.parametrize("what", ["token", "albums"])
def test_an_interrupted_run_that_had_learnt_nothing_says_so(
    what: str, user: User, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.follow(birds)
    done = interrupted(user, server, signal.SIGINT, lambda asked: asked.what == what)
    assert done.status == (3, "paused")
    assert done.coverage("checked", "failed", "paused") == (0, 0, 6)
    assert "othing new" not in done.err
    assert user.track().status == (0, "completed")


def test_an_interrupted_run_with_a_failure_is_paused(user: User, server: DemoServer, birds: list[ArtistHandle]) -> None:
    user.follow([*birds[:3], ArtistHandle("0" * 22, "Nobody", birds[0].world)])
    done = interrupted(
        user,
        server,
        signal.SIGTERM,
        lambda asked: asked.what == "albums" and any(one.status == 404 for one in server.log),
        FRESHWAX_CONCURRENCY="1",
    )
    assert done.status == (3, "paused")
    assert done.coverage("artists", "failed") == (4, 1)


def test_an_interrupted_run_in_the_background_leaves_its_results(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    arrived = threading.Event()
    fault = server.misbehave(Answered(arrived.set), when=lambda asked: len(server.requests) >= 4)
    late = server.misbehave(Latency(HELD), when=lambda asked: len(server.requests) >= 4)
    with user.start("track", "--background", FRESHWAX_CONCURRENCY="1") as process:
        assert arrived.wait(20)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PROMPTLY)
    server.repair(fault, late)
    assert (process.returncode, out, err) == (3, "", "")
    first = user.track("--from-cache")
    assert first.status == (3, "paused")
    assert sorted(first.titles + user.track().titles) == news


def test_a_pipe_that_closes_early_tells_nothing(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    reader, writer = os.pipe()
    os.close(reader)
    words = ["track", "--format", "json"]
    with user.start() as nothing:
        nothing.communicate()
    command = nothing.args
    assert isinstance(command, list)
    done = subprocess.run(
        [*command, *words], env=user.environment(), stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert user.track("--from-cache").titles == news


WAITS = {
    "before a retry": Status(503),
    "as long as a Retry-After asks": Status(429, retry_after="10"),
    "for an answer": Latency(HELD),
}


@SIGNALS
@pytest.mark.parametrize("effect", WAITS.values(), ids=WAITS)
def test_a_run_that_waits_ends_at_once(
    effect: Effect,
    number: int,
    user: User,
    world: WorldBuilder,
    server: DemoServer,
    birds: list[ArtistHandle],
    news: list[str],
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    struck = threading.Event()

    def late(asked: Asked) -> bool:
        return asked.what == "albums" and len(server.requests) >= 3

    def also_noted(asked: Asked) -> bool:
        if late(asked):
            struck.set()
        return late(asked)

    faults = (server.misbehave(effect, when=also_noted), server.misbehave(Answered(struck.set), when=late))
    with user.start("track", "--format", "json", FRESHWAX_CONCURRENCY="2") as process:
        assert struck.wait(20)
        first = stopped(process, number)
    server.repair(*faults)
    assert first.status == (3, "paused")
    checked, failed, paused = first.coverage("checked", "failed", "paused")
    assert (checked + paused, failed) == (6, 0)
    second = user.track()
    assert second.status == (0, "completed")
    assert second.coverage("fresh", "checked") == (checked, paused)
    assert sorted(first.titles + second.titles) == news


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that lets nobody in: its queue is full, so a connection to it neither succeeds nor fails."""
    with ExitStack() as sockets:
        listening = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def is_connecting(process: subprocess.Popen[str], port: int) -> bool:
    """Whether a process waits for a connection to a port; where the system does not tell, it is taken to."""
    table = Path(f"/proc/{process.pid}/net/tcp")
    if not table.exists():
        return True
    waiting, to_port = "02", f":{port:04X}"
    lines = [line.split() for line in table.read_text().splitlines()[1:]]
    sockets = {f"socket:[{line[9]}]" for line in lines if line[2].endswith(to_port) and line[3] == waiting}
    try:
        return not sockets.isdisjoint(str(one.readlink()) for one in Path(f"/proc/{process.pid}/fd").iterdir())
    except FileNotFoundError:  # closed while we looked
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
@SIGNALS
def test_a_run_that_nobody_lets_in_ends_at_once(
    number: int,
    user: User,
    world: WorldBuilder,
    server: DemoServer,
    birds: list[ArtistHandle],
    black_hole: int,
    news: list[str],
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    with user.start(
        "track", "--format", "json", FRESHWAX_SPOTIFY_API_URL=f"http://127.0.0.1:{black_hole}/v1"
    ) as process:
        until(lambda: is_connecting(process, black_hole))
        first = stopped(process, number)
    assert first.status == (3, "paused")
    assert first.coverage("checked", "failed", "paused") == (0, 0, 6)
    assert user.track().titles == news


@SIGNALS
@pytest.mark.parametrize("command", [("--smart-batch", "--budget", "5"), ()], ids=["smart batch", "plain"])
def test_a_run_that_has_just_begun_ends_at_once(
    command: tuple[str, ...],
    number: int,
    user: User,
    world: WorldBuilder,
    server: DemoServer,
    birds: list[ArtistHandle],
    news: list[str],
) -> None:
    """It plans, with numpy where it picks."""
    user.learnt(world, server, birds)
    server.at = at(2)
    held = server.misbehave(Latency(HELD), where="all")

    def begun() -> bool:
        with closing(sqlite3.connect(user.database)) as database:
            return bool(database.execute("SELECT 1 FROM run_history WHERE status = 'running'").fetchone())

    with user.start("track", "--format", "json", *command) as process:
        until(begun)
        first = stopped(process, number)
    server.repair(held)
    assert first.status == (3, "paused")
    assert first.coverage("checked", "failed") == (0, 0)
    assert user.track().titles == news


@SIGNALS
@pytest.mark.parametrize("from_cache", [False, True], ids=["track", "from cache"])
def test_a_report_that_nobody_reads_can_be_broken_off_and_is_told_again(
    from_cache: bool, number: int, user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.learnt(world, server, birds)
    for count in range(9):
        birds[count % 6].single(f"{count} " + "long " * 2_500, day(0), appears=at(1))
    server.api.world = world.build()
    server.at = at(2)
    if from_cache:
        assert user.run("track", "--background").code == 0
    words = [*ENTRY, "track", "--format", "json", *(["--from-cache"] if from_cache else [])]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=user.environment(), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 1) == b"{"  # the rest is more than a pipe holds
        process.send_signal(number)
        process.wait(PROMPTLY)
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert process.returncode in {130, -signal.SIGTERM}
    again = user.track("--from-cache")
    assert (again.status, len(again.titles)) == ((0, "completed"), 13)
    assert user.track().titles == []


@SIGNALS
def test_an_interrupted_prefetch_keeps_what_it_has(
    number: int, user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    arrived = threading.Event()

    def third(asked: Asked) -> bool:
        if asked.what == "albums" and len(server.requests) >= 2:
            arrived.set()
            return True
        return False

    held = server.misbehave(Latency(HELD), when=third)
    with user.start("prefetch", "--budget", "6", FRESHWAX_CONCURRENCY="1") as process:
        assert arrived.wait(20)
        first = stopped(process, number)
    server.repair(held)
    assert (first.code, first.out) == (3, "")
    assert "2 artists checked ahead" in first.err
    assert "Interrupted" in first.err
    done = user.track()
    assert (done.status, done.titles) == ((0, "completed"), news)
    assert done.coverage("fresh", "checked") == (2, 4)


@SIGNALS
def test_signals_without_end_end_it_all_the_sooner(
    number: int, user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    """Somebody leans on Ctrl-C. What the report would have said, the next one says."""
    user.learnt(world, server, birds)
    server.at = at(2)
    arrived = threading.Event()

    def third(asked: Asked) -> bool:
        if asked.what == "albums" and len(server.requests) >= 2:
            arrived.set()
            return True
        return False

    held = server.misbehave(Latency(HELD), when=third)
    with user.start("track", "--format", "json", FRESHWAX_CONCURRENCY="1") as process:
        assert arrived.wait(20)
        deadline = time.monotonic() + PROMPTLY
        while True:
            process.send_signal(number)
            try:
                out, err = process.communicate(timeout=KEY_REPEAT)
                break
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline
    server.repair(held)
    assert "Traceback" not in err, err
    assert process.returncode in {3, 130, -number}
    printed = Done(process.returncode, out, err).titles if out else []
    second = user.track()
    assert second.coverage("fresh", "checked") == (2, 4)
    assert sorted({*printed, *second.titles}) == news
    assert process.returncode != 3 or not set(printed) & set(second.titles), "told again if it could not be recorded"
