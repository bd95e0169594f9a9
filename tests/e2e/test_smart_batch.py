"""Fewer requests from the command line: ``track --smart-batch`` and its bounds."""

from __future__ import annotations

import pytest
from tests.e2e.user import User, at

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    """The birds, learnt a week ago; their news are out."""
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


@pytest.mark.parametrize("policy", [(), ("--policy", "adaptive")])
def test_a_smart_batch_asks_some_and_says_of_the_rest_that_they_wait(
    user: User, server: DemoServer, learnt: list[ArtistHandle], policy: tuple[str, ...]
) -> None:
    done = user.track("--smart-batch", "--budget", "3", *policy)
    assert done.status == (0, "completed")
    assert done.coverage("artists", "failed", "paused") == (6, 0, 0)
    checked, not_due = done.coverage("checked", "not_due")
    assert 1 <= checked <= 3
    assert checked + not_due == 6
    assert done.report["cost"]["requests"] <= 3


def test_what_a_smart_batch_left_out_is_told_later_and_once(
    user: User, learnt: list[ArtistHandle], news: list[str]
) -> None:
    told = [title for _ in range(8) for title in user.track("--smart-batch", "--budget", "3").titles]
    told += user.track().titles
    assert sorted(told) == news


def test_tiers_work_from_the_command_line(user: User, learnt: list[ArtistHandle]) -> None:
    assert user.track("--smart-batch", "--policy", "tiers").status == (0, "completed")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--smart-batch", "--budget", "0"), "from 1 up"),
        (("--smart-batch", "--budget", "-3"), "from 1 up"),
        (("--smart-batch", "--policy", "clever"), "'adaptive', 'tiers'"),
        (("--policy", "tiers"), "--policy belongs to --smart-batch"),
        (("--smart-batch", "--force"), "leave one of them out"),
        (("--smart-batch", "--baseline"), "leave one of them out"),
        (("--smart-batch", "--from-cache"), "--smart-batch has no meaning"),
    ],
)
def test_what_contradicts_itself_is_refused(user: User, flags: tuple[str, ...], said: str) -> None:
    done = user.run("track", *flags)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_budget_too_small_for_max_interval_is_said(user: User, learnt: list[ArtistHandle]) -> None:
    done = user.track("--smart-batch", "--budget", "1", FRESHWAX_MAX_INTERVAL="14")
    assert done.code == 0
    assert "cannot hold max_interval (14 days)" in done.err
