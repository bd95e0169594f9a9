"""A clock that was wrong, between runs or under a run: nothing is lost or told twice, and nobody misses a turn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.simulation import START, Simulation, a_world, day, followed

from freshwax.model import Group, Mode, RunStatus

YEAR = 365  # days
THREE = (Group.ALBUM, Group.SINGLE, Group.COMPILATION)  # the third costs a request of its own


@pytest.fixture
def user() -> Simulation:
    """Somebody whose run of a year too late is over, and whose clock is right again, a week after the first one."""
    world, nightjar = a_world()
    nightjar.album("Long Ago", day(-400))
    someone = followed(world, nightjar)
    someone.options = replace(someone.options, groups=THREE)
    someone.track()
    someone.wait(YEAR)
    assert someone.track().coverage.checked == 1
    someone.clock.move_to(START + timedelta(days=7))
    return someone


def cut_short(user: Simulation) -> None:
    """Do a run that a quota ends between two lists of an artist."""
    user.source.quota = 1
    assert user.track().status is RunStatus.PAUSED
    user.source.quota = None


def test_a_list_checked_in_the_future_is_not_hidden_by_one_checked_now(user: Simulation) -> None:
    cut_short(user)
    user.wait(0.1)
    assert user.track().coverage.checked == 1
    user.wait(0.1)
    assert user.track().coverage.fresh == 1


def test_a_turn_taken_in_the_future_is_not_hidden_by_one_taken_now(user: Simulation) -> None:
    assert user.track(tell=False, mode=Mode.PREFETCH).coverage.checked == 1
    user.wait(14)
    cut_short(user)
    user.wait(0.1)
    assert user.track().coverage.checked == 1
