"""``freshwax prefetch``: found ahead, told once by the next run, which asks nobody twice."""

from __future__ import annotations

from tests.e2e.user import User, at

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer


def test_what_a_prefetch_finds_the_next_run_tells_once_without_asking_again(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    ahead = user.run("prefetch", "--budget", "100")
    assert ahead.code == 0, ahead.err
    assert ahead.out == ""
    assert "checked ahead" in ahead.err
    asked = len([entry for entry in server.log if entry.what == "albums"])
    assert asked > 0
    server.log.clear()
    life = user.track()
    assert life.titles, "told by the run after it"
    coverage = life.report["coverage"]
    assert coverage["fresh"] > 0
    assert coverage["fresh"] + coverage["checked"] == coverage["artists"]
    assert len([entry for entry in server.log if entry.what == "albums"]) < asked + coverage["checked"] * 2
    assert user.track().titles == []
    runs = user.run("runs", "--format", "table")
    assert f"A prefetch answered for {coverage['fresh']} artists ahead: it took {asked} requests and" in runs.err
    assert runs.code == 0


def test_a_time_that_is_none_or_has_passed(user: User) -> None:
    for text in ("soon", "25:00", "2020-01-01T10:00Z"):
        done = user.run("prefetch", "--before", text)
        assert done.code == 2
        assert done.out == ""
        assert "--before" in done.err
