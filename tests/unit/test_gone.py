"""When an artist counts as gone: never on the word of a service that denies everybody, and never for long in error."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from tests.simulation import Simulation, day, followed, on

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.errors import CheckError
from freshwax.model import Artist, ArtistState, Ref, Run, RunStatus
from freshwax.planning.due import plan_run, probe_after
from freshwax.sources.spotify.pages import Page, PageRequest
from freshwax.tracking.report import notes

MINUTES = 5 / 24 / 60  # days
WELL, ILL = (RunStatus.COMPLETED, 0), (RunStatus.FAILED, 3)


def birds(world: WorldBuilder, count: int, **details: str) -> list[ArtistHandle]:
    found = [world.artist(f"Bird {number}", **details) for number in range(count)]
    for bird in found:
        bird.album(f"{bird.name} One", day(-400))
        bird.single(f"{bird.name} Two", day(8), appears=on(8))
    return found


@pytest.fixture
def user() -> Simulation:
    """Somebody who learnt twenty artists a week ago."""
    world = WorldBuilder()
    learnt = followed(world, *birds(world, 20))
    learnt.track()
    learnt.wait(7)
    return learnt


def deny(user: Simulation, but: int = 0) -> None:
    """Let the service answer 404 from now on, once so many were answered in a run."""
    answers = Counter[int | None]()

    def answer(page: Page, _: PageRequest) -> Page:
        answers[user.source.run_id] += 1
        if answers[user.source.run_id] > but:
            raise CheckError("there is no such artist", code="not_found")
        return page

    user.tamper = answer


def gone(user: Simulation) -> list[str]:
    return [artist.name or "" for artist in user.store.artists({ArtistState.GONE})]


def ended(run: Run) -> tuple[RunStatus, int]:
    return run.status, run.exit_code


@pytest.mark.parametrize("apart", [MINUTES, 1, 7])
def test_a_service_that_denies_everybody_makes_nobody_vanish(user: Simulation, apart: float) -> None:
    deny(user)
    for _ in range(5):
        run = user.track()
        assert (ended(run), run.coverage.failed) == (ILL, 20)
        assert "answered for 0 of 20 artists" in str(run.error)
        user.wait(apart)
    assert gone(user) == []

    user.tamper = None
    user.wait(2)
    assert ended(user.track()) == WELL
    assert len(user.told) == 20


@pytest.mark.parametrize("apart", [1, 7])
def test_nor_does_one_that_denies_most(user: Simulation, apart: float) -> None:
    deny(user, but=9)
    for _ in range(4):
        run = user.track(force=True)
        assert (run.status, run.coverage.checked, run.coverage.failed) == (RunStatus.PARTIAL, 9, 11)
        note = " ".join(notes(user.store, run))
        assert "answered for 9 of 20 artists" in note, "as its report says"
        user.wait(apart)
    assert gone(user) == []


def flock(vanishing: int, staying: int) -> Simulation:
    world = WorldBuilder()
    lost = [world.artist(f"Lost {number}", vanishes=on(5)) for number in range(vanishing)]
    for one in lost:
        one.album("Long Ago", day(-400))
    learnt = followed(world, *lost, *birds(world, staying))
    learnt.track()
    learnt.wait(7)
    return learnt


def test_who_answers_404_three_weeks_while_others_are_there_is_gone() -> None:
    user = flock(1, 2)
    runs = []
    for _ in range(4):
        runs.append(user.track())
        user.wait(7)
    assert [run.status for run in runs] == [RunStatus.PARTIAL] * 2 + [RunStatus.COMPLETED] * 2
    assert [run.coverage.artists for run in runs] == [3, 3, 2, 2]
    assert gone(user) == ["Lost 0"]


def test_three_404s_within_a_day_are_one_bad_morning() -> None:
    user = flock(1, 6)
    for _ in range(6):
        assert user.track(force=True).coverage.failed == 1
        user.wait(0.15)
    assert gone(user) == []
    user.wait(0.15)
    assert (user.track(force=True).coverage.failed, gone(user)) == (0, ["Lost 0"])


def test_repeats_that_ask_nobody_else_do_not_decide() -> None:
    user = flock(2, 6)
    for _ in range(4):
        assert user.track().coverage.failed == 2
        user.wait(1)
    assert gone(user) == [], "only they were due in the last three"
    user.wait(3)
    assert (user.track().coverage.failed, gone(user)) == (0, ["Lost 0", "Lost 1"])


def test_the_only_artist_cannot_be_told_from_an_outage() -> None:
    user = flock(1, 0)
    for _ in range(5):
        assert ended(user.track()) == ILL
        user.wait(7)
    assert gone(user) == []


def test_who_removes_an_artist_during_the_run_is_heeded() -> None:
    user = flock(1, 2)
    for _ in range(2):
        user.track()
        user.wait(7)
    (lost,) = [one.ref for one in user.store.artists() if one.failures]

    def remove(page: Page, _: PageRequest) -> Page:
        user.store.set_state(lost, ArtistState.REMOVED)
        return page

    user.tamper = remove
    user.track()
    removed = user.store.artist(lost)
    assert removed is not None
    assert removed.state is ArtistState.REMOVED


def test_a_list_of_which_all_are_gone_does_not_read_as_all_well() -> None:
    user = flock(1, 1)
    for _ in range(3):
        user.track()
        user.wait(7)
    (other,) = user.store.artists({ArtistState.ACTIVE})
    user.store.set_state(other.ref, ArtistState.DISABLED)

    run = user.track()
    assert (ended(run), run.coverage.artists) == (ILL, 0)
    assert "Nobody is left to check" in " ".join(notes(user.store, run))


def missing(days: float) -> Artist:
    """An artist that was not there at the last attempt, so many days after its last check."""
    added = Simulation(WorldBuilder().build()).clock.now()
    checked, tried = added + timedelta(days=10), added + timedelta(days=10 + days)
    return Artist(Ref("spotify", "x"), "X", ArtistState.GONE, added, checked, attempted_at=tried, failures=3)


@pytest.mark.parametrize(("days", "wait"), [(1, 1), (2, 1), (20, 5), (60, 15), (120, 30), (900, 30)])
def test_a_gone_artist_is_looked_for_soon_at_first_and_then_more_rarely(days: float, wait: float) -> None:
    artist = missing(days)
    assert artist.attempted_at is not None
    assert probe_after(artist) == timedelta(days=wait)
    for later, probed in ((wait - 0.01, ()), (wait, (artist,))):
        now = artist.attempted_at + timedelta(days=later)
        plan = plan_run([artist], now, check_interval=timedelta(days=7), fresh_for=timedelta(hours=12))
        assert plan.gone == probed
