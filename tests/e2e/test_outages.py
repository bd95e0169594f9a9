"""Outages: reported as such, cheaply, and made good by the next run."""

from __future__ import annotations

import pytest
from tests.e2e.user import Done, User, at, day

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Effect, Garbage, Header, QuotaSpent, Reset, Status, TokenRefused, Truncated
from freshwax.demo.server import DemoServer


@pytest.fixture
def many(world: WorldBuilder) -> list[ArtistHandle]:
    """Two dozen artists, each of which brings something out within the hour."""
    artists = [world.artist(f"Gull {number:02}") for number in range(24)]
    for artist in artists:
        artist.album(f"{artist.name} old", day(-500))
        artist.single(f"{artist.name} new", day(0), appears=at(1))
    return artists


@pytest.fixture
def followed(user: User, world: WorldBuilder, server: DemoServer, many: list[ArtistHandle]) -> list[str]:
    """They were learnt a week ago, and it is an hour later: the titles to be told."""
    server.api.world = world.build()
    user.learnt(world, server, many)
    server.at = at(2)
    return sorted(f"{artist.name} new" for artist in many)


def assert_an_outage(done: Done, artists: int, *, code: int = 3) -> None:
    assert done.status == (code, "failed")
    assert done.coverage("artists", "checked", "fresh", "not_due", "failed", "paused") == (artists, 0, 0, 0, artists, 0)
    assert done.titles == []
    assert f"{artists} failed" in done.err
    assert "othing new" not in done.out + done.err


def recovers(user: User, expected: list[str]) -> None:
    done = user.track()
    assert (done.status, done.titles) == ((0, "completed"), expected)


SICK = {
    "500": Status(500),
    "connections reset": Reset(),
    "not JSON": Garbage(),
    "truncated": Truncated(50),
    "redirected": Status(302),
    "forbidden": Status(403, "Forbidden"),
}


@pytest.mark.parametrize("effect", SICK.values(), ids=SICK)
def test_an_outage_of_the_api_is_an_outage_and_made_good(
    effect: Effect, user: User, server: DemoServer, followed: list[str]
) -> None:
    server.misbehave(effect)
    done = user.track()
    assert_an_outage(done, 24)
    assert done.report["cost"]["requests"] == len(server.requests) <= 50
    shown = user.run("track", "--from-cache", "--format", "table")
    assert "othing new" not in shown.out
    assert "what is new is not known" in shown.out
    server.repair()
    recovers(user, followed)


def test_a_refused_connection_is_an_outage_and_made_good(user: User, server: DemoServer, followed: list[str]) -> None:
    server.stop()
    done = user.track()
    assert_an_outage(done, 24)
    assert done.report["cost"]["requests"] == 0, "no token was given, so nothing was asked"
    with server:
        recovers(user, followed)


def test_connections_refused_in_mid_run_are_an_outage_of_the_rest(
    user: User, server: DemoServer, followed: list[str]
) -> None:
    server.misbehave(Reset(), when=lambda asked: len(server.requests) >= 10)
    done = user.track()
    assert done.status == (3, "failed")
    checked, failed = done.coverage("checked", "failed")
    assert 0 < checked <= 10
    assert checked + failed == 24
    assert len(done.titles) == checked, "what was found is told"
    server.repair()
    again = user.track()
    assert again.status == (0, "completed")
    assert sorted(done.titles + again.titles) == followed


TOKENS = {"500": (Status(500), 3), "reset": (Reset(), 3), "not JSON": (Garbage(), 3), "refused": (TokenRefused(), 5)}


@pytest.mark.parametrize(("effect", "code"), TOKENS.values(), ids=TOKENS)
def test_an_outage_of_the_token_service_is_an_outage_and_made_good(
    effect: Effect, code: int, user: User, server: DemoServer, followed: list[str]
) -> None:
    server.misbehave(effect, where="token")
    done = user.track()
    assert_an_outage(done, 24, code=code)
    assert server.requests == []
    assert len(server.log) <= 50
    server.repair()
    recovers(user, followed)


def test_wrong_credentials_are_told_with_what_to_do(user: User, server: DemoServer, followed: list[str]) -> None:
    done = user.track(FRESHWAX_SPOTIFY_CLIENT_SECRET="wr0ng-s3cret")
    assert_an_outage(done, 24, code=5)
    assert "refused the credentials" in done.err
    assert "wr0ng-s3cret" not in done.out + done.err
    assert server.requests == []
    recovers(user, followed)


def test_tokens_that_are_not_honoured_end_the_run(user: User, server: DemoServer, followed: list[str]) -> None:
    server.misbehave(Status(401, "Invalid access token"))
    done = user.track()
    assert_an_outage(done, 24, code=5)
    assert len(server.requests) <= 50
    server.repair()
    recovers(user, followed)


def test_a_token_that_expires_in_mid_run_is_renewed(user: User, server: DemoServer, followed: list[str]) -> None:
    server.misbehave(Status(401, "The access token expired"), times=1, when=lambda asked: len(server.requests) == 10)
    done = user.track(FRESHWAX_CONCURRENCY="1")
    assert (done.status, done.titles) == ((0, "completed"), followed)


def test_without_credentials_the_report_says_so_in_json(user: User, server: DemoServer, followed: list[str]) -> None:
    done = user.track(FRESHWAX_SPOTIFY_CLIENT_ID="", FRESHWAX_SPOTIFY_CLIENT_SECRET="")
    assert_an_outage(done, 24, code=5)
    assert "freshwax init" in done.err or "FRESHWAX_SPOTIFY_CLIENT_ID" in done.err
    assert server.log == []
    recovers(user, followed)


def test_a_clock_that_is_days_off_ends_the_run_and_moves_nothing(
    user: User, server: DemoServer, followed: list[str]
) -> None:
    server.misbehave(Header("date", "Thu, 01 Jan 2026 00:00:00 GMT"))
    done = user.track()
    assert_an_outage(done, 24)
    assert "set the clock" in done.err
    server.repair()
    recovers(user, followed)


def test_one_artist_that_fails_makes_the_run_partial(user: User, server: DemoServer, followed: list[str]) -> None:
    gull = next(one for one in server.api.world.artists.values() if one.name == "Gull 07")
    server.misbehave(Status(500), artist=gull.id)
    done = user.track()
    assert done.status == (3, "partial")
    assert done.coverage("artists", "checked", "failed") == (24, 23, 1)
    assert done.titles == [title for title in followed if title != "Gull 07 new"]
    assert "Gull 07" in done.err
    server.repair()
    again = user.track()
    assert (again.status, again.titles) == ((0, "completed"), ["Gull 07 new"])
    assert again.coverage("checked", "fresh") == (1, 23)


def test_an_outage_does_not_eat_the_quota(user: User, server: DemoServer, followed: list[str]) -> None:
    server.misbehave(Status(500))
    assert_an_outage(user.track(FRESHWAX_SPOTIFY_REQUESTS_PER_DAY="80"), 24)
    server.repair()
    done = user.track(FRESHWAX_SPOTIFY_REQUESTS_PER_DAY="80")
    assert (done.status, done.titles) == ((0, "completed"), followed)


@pytest.mark.parametrize("how", [("--force",), ("--force", "--background")], ids=["track", "background"])
@pytest.mark.parametrize(
    ("fault", "status"), [(Status(500), "failed"), (QuotaSpent(50_000), "paused")], ids=["outage", "quota"]
)
def test_the_cache_after_a_run_that_did_not_complete_says_so(
    fault: Effect,
    status: str,
    how: tuple[str, ...],
    user: User,
    world: WorldBuilder,
    server: DemoServer,
    birds: list[ArtistHandle],
    news: list[str],
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    assert user.track().titles == news
    server.misbehave(fault)
    assert user.run("track", *how).code == 3
    again = user.track("--from-cache")
    assert (again.status, again.titles) == ((3, status), news)
    assert again.coverage("checked") == (0,)
    table = user.run("track", "--from-cache", "--format", "table")
    assert table.code == 3
    assert "0 of 6 artists checked" in table.out, table.out


def test_the_cache_after_a_run_that_made_good_for_a_failure_says_no_more_of_it(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    fault = server.misbehave(Status(500), artist=birds[5].id)
    first = user.track()
    assert first.status == (3, "partial")
    server.repair(fault)
    second = user.track()
    assert second.status == (0, "completed")
    again = user.track("--from-cache")
    assert again.status == (0, "completed")
    assert again.titles == (second.titles or first.titles)
    assert "Failed" not in again.err
    assert sorted(first.titles + second.titles) == news
