"""``-vv``: each request and each decision, for somebody who wonders what a run does."""

from __future__ import annotations

import json
import re

import pytest
from tests.e2e.user import User, at

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Status
from freshwax.demo.server import DemoServer


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


def debug(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("DEBUG ")]


def test_each_request_and_each_decision_is_logged(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    done = user.run("-vv", "track", "--format", "json")
    lines = debug(done.err)
    requests = [line for line in lines if " GET " in line]
    shape = (
        r"GET /v1/artists/\w{22}/albums\?include_groups=\S+&limit=10&offset=\d+: HTTP (200|304), [\d,]+ bytes, \d+ ms$"
    )
    assert len(requests) == len(server.requests) == done.report["cost"]["requests"]
    assert all(re.search(shape, line) for line in requests), requests
    assert sum("POST /api/token: HTTP 200" in line for line in lines) == 1
    for title in news:
        assert any(re.search(rf"'{title}' \(\w+, \w+, [\d-]+\): new$", line) for line in lines), title
    twin = [line for line in lines if "'Estuary'" in line]
    assert len(twin) == 2, "decided for either artist"
    for bird in learnt:
        assert any(f"{bird.name} ({bird.id}): checked, " in line for line in lines)


def test_what_is_no_answer_is_logged_as_well(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    server.misbehave(Status(503), artist=learnt[0].id)
    lines = debug(user.run("-vv", "track").err)
    assert sum("HTTP 503" in line for line in lines) == 3, "the retries, too"


def test_a_name_that_is_searched_for_is_not_in_the_log(user: User, learnt: list[ArtistHandle]) -> None:
    done = user.run("-vv", "artists", "add", "Hidden Heron")
    assert [line for line in debug(done.err) if "GET /v1/search?limit=10: HTTP 200" in line]
    assert "Heron" not in "".join(debug(done.err))


def test_once_is_not_in_detail(user: User, learnt: list[ArtistHandle]) -> None:
    done = user.run("-v", "track")
    assert "INFO freshwax.tracking.run: run 2" in done.err
    assert debug(done.err) == []


def test_the_log_file_has_it_at_its_level_debug_only(user: User, learnt: list[ArtistHandle]) -> None:
    log = user.folder / "x.log"
    env = {"FRESHWAX_LOG_FILE": str(log), "FRESHWAX_LOG_FORMAT": "json"}
    assert user.run("track", "--background", **env, FRESHWAX_LOG_LEVEL="debug").code == 0
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    requests = [one for one in entries if one["message"].startswith("GET ")]
    assert requests
    assert {(one["level"], one["run_id"]) for one in requests} == {("debug", 2)}
    log.unlink()
    assert user.run("-vv", "track", "--force", **env).code == 0
    assert '"debug"' not in log.read_text(), "only who asked for it is told"
