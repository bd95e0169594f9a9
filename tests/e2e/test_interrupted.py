"""Ctrl-C and SIGTERM: a run ends at once, keeps what it has, and the next one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable

import pytest
from tests.e2e.user import Answered, Done, User, at

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Asked, Latency
from freshwax.demo.server import DemoServer

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to a process")

HELD = 30.0  # seconds for which the server keeps its answer to itself: far longer than the program may take to end
PROMPTLY = 5  # seconds; it takes a fraction of one


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_run_is_paused_keeps_what_it_has_and_goes_on(
    number: int, user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    first = interrupted(user, server, number, lambda asked: len(server.requests) >= 4, FRESHWAX_CONCURRENCY="1")
    assert first.status == (3, "paused")
    checked, paused = first.coverage("checked", "paused")
    assert (checked + paused, checked > 0, paused > 0) == (6, True, True)
    assert "Interrupted: what is left continues" in first.err
    second = user.track()
    assert second.status == (0, "completed")
    assert second.coverage("checked", "fresh") == (paused, checked)
    assert sorted(first.titles + second.titles) == news


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
