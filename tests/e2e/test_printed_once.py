"""A report is printed once at a time, whatever the database is called."""

from __future__ import annotations

import os

from tests.e2e.user import Done, User, at, day

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer


def test_a_report_that_is_being_printed_is_printed_once_by_whatever_name_the_database_goes(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.learnt(world, server, birds)
    for count in range(9):
        birds[count % 6].single(f"{count} " + "long " * 2_500, day(0), appears=at(1))
    server.api.world = world.build()
    server.at = at(2)
    assert user.run("track", "--background").code == 0
    other = user.database.with_name("other name.db")
    other.symlink_to(user.database)
    with user.start("track", "--from-cache", "--format", "json") as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 1) == b"{"  # the rest is more than a pipe holds
        done = user.run("--database", str(other), "track", "--from-cache", "--format", "json")
        assert (done.code, done.out) == (4, "")
        out, err = process.communicate()
    assert (process.returncode, "bug" in err) == (0, False), err
    assert len(Done(0, "{" + out, err).titles) == 13
