"""``freshwax plan``: what it shows is what the next smart batch does."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from tests.e2e.user import User, at, on

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer
from freshwax.model import ArtistState, Ref
from freshwax.store.base import Check
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    """The birds, learnt a week ago; their news are out."""
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


def planned(user: User, *args: object) -> list[dict[str, object]]:
    done = user.run("plan", "--format", "json", *args)
    assert done.code == 0, done.err
    rows = json.loads(done.out)
    assert [row["place"] for row in rows] == list(range(1, len(rows) + 1))
    return list(rows)


@pytest.mark.parametrize("args", [(), ("--budget", 4), ("--policy", "tiers"), ("--policy", "tiers", "--budget", 1)])
def test_the_next_smart_batch_takes_this_very_plan(
    user: User, server: DemoServer, learnt: list[ArtistHandle], args: tuple[object, ...]
) -> None:
    plan = [row["id"] for row in planned(user, *args)]
    assert server.log == [], "a plan asks nothing"

    user.track("--smart-batch", *args, FRESHWAX_CONCURRENCY="1")

    asked = list(dict.fromkeys(one.artist for one in server.log if one.what == "albums"))
    assert asked == plan[: len(asked)]
    assert asked == plan or "4" in map(str, args)  # a second request for an artist counts in the budget, too


def test_the_summary_says_what_it_costs_and_what_it_leaves(user: User, learnt: list[ArtistHandle]) -> None:
    done = user.run("plan", "--budget", 2, "--format", "table")
    assert "2 of 6 artists would be asked, about 2 requests; after it no check is older than 8 days." in done.err
    assert len(done.out.splitlines()) == 3
    assert user.run("-q", "plan").err == ""


def test_a_first_check_takes_half_of_a_small_budget_and_its_cost_is_told(
    user: User, world: WorldBuilder, learnt: list[ArtistHandle]
) -> None:
    user.follow([ArtistHandle("1" * 22, "Stint", world)])
    rows = planned(user, "--budget", 2)
    assert {row["reason"] for row in rows} == {"unlearnt", "worth"}
    assert next(row for row in rows if row["reason"] == "unlearnt")["expected_releases"] is None
    done = user.run("plan", "--budget", 2)
    assert "about 3 requests" in done.err
    assert "A budget of 2 requests may end the run before the last of them." in done.err


def test_nothing_is_wider_than_a_terminal(user: User, world: WorldBuilder, learnt: list[ArtistHandle]) -> None:
    user.follow([ArtistHandle("1" * 22, "A Name That Goes On And On " * 4, world)])
    _fail(user, learnt[0])
    for args in (("--policy", "adaptive"), ("--policy", "tiers")):
        out = user.run("plan", "--format", "table", "--budget", 7, *args).out
        assert max(map(len, out.splitlines())) <= 80


def test_reasons_and_names_are_whole_in_80_columns(user: User, world: WorldBuilder, learnt: list[ArtistHandle]) -> None:
    user.follow([ArtistHandle("1" * 22, "Nineteen Letters OK", world)])
    _fail(user, learnt[0])
    table, data = (user.run("plan", "--budget", 7, "--format", one) for one in ("table", "json"))
    assert "…" not in table.out
    assert "Nineteen Letters OK" in table.out
    assert "failed: an answer that is too large" in table.out
    assert "releases expected" in table.out
    whole = [str(row["why"]) for row in json.loads(data.out)]
    assert any(why.endswith("expected since its last check") for why in whole)


def _fail(user: User, artist: ArtistHandle) -> None:
    with closing(SQLiteStore.open(user.database)) as store:
        store.save_failure(Check(Ref("spotify", artist.id), 1, on(-1), "too_large", message="too large"))


def test_a_failed_check_is_the_reason_to_ask_again(user: User, learnt: list[ArtistHandle]) -> None:
    _fail(user, learnt[3])
    row = next(row for row in planned(user, "--budget", 4) if row["name"] == "Avocet")
    assert (row["reason"], row["why"]) == ("failed", "its last check failed (an answer that is too large)")


def test_explain_says_why_an_artist_is_picked_and_why_another_is_not(user: User, learnt: list[ArtistHandle]) -> None:
    first = str(planned(user, "--budget", 1)[0]["name"])
    other = next(artist.name for artist in learnt if artist.name != first)

    picked = user.run("plan", "--budget", 1, "--explain", first).out
    left = user.run("plan", "--budget", 1, "--explain", other).out

    assert f"{first} would be asked by the next run, as number 1 of 1: " in picked
    assert f"{other} would not be asked by the next run: the budget goes to artists" in left
    for text in (picked, left):
        assert "2 releases in" in text
        assert "a year are to be expected" in text
        assert "Its last good check was 7 days ago" in text
        assert "the last that is picked by score has" in text
    row = json.loads(user.run("plan", "--budget", 1, "--explain", other, "--format", "json").out)
    assert (row[0]["place"], row[0]["reason"]) == (None, "later")


def test_explain_tells_the_turns_of_tiers(user: User, learnt: list[ArtistHandle]) -> None:
    out = user.run("plan", "--policy", "tiers", "--explain", "Ruff").out
    assert "Tiers ask artists of inactive activity every 12 weeks." in out or "every 4 weeks" in out


def test_explain_of_an_artist_that_was_never_checked(
    user: User, world: WorldBuilder, learnt: list[ArtistHandle]
) -> None:
    user.follow([ArtistHandle("1" * 22, "Stint", world)])
    out = user.run("plan", "--explain", "Stint").out
    assert "as number 1 of" in out or "as number 2 of" in out
    assert "its history is not known yet" in out
    assert "It was never checked to the end." in out


def test_who_was_just_checked_waits(user: User, learnt: list[ArtistHandle]) -> None:
    user.track("--force")
    done = user.run("plan", "--format", "json")
    assert done.out == "[]\n"
    assert "0 of 6 artists would be asked, about 0 requests; no check is older than 1 day." in done.err
    assert "it was checked less than 12 hours ago" in user.run("plan", "--explain", "Ruff").out


def test_where_nobody_is_picked_no_budget_is_said_to_go_elsewhere(user: User, learnt: list[ArtistHandle]) -> None:
    user.track("--force")
    env = {"FRESHWAX_FRESH_FOR": "0"}
    assert user.run("plan", "--format", "json", **env).out == "[]\n"
    out = user.run("plan", "--explain", "Ruff", **env).out
    assert "the runs before have made all the checks that there is room for at the moment" in out
    assert "nobody is picked by score" in out
    assert "the budget goes" not in out


def test_a_disabled_artist_is_in_no_plan(user: User, learnt: list[ArtistHandle]) -> None:
    with closing(SQLiteStore.open(user.database)) as store:
        store.set_state(Ref("spotify", learnt[0].id), ArtistState.DISABLED)
    done = user.run("plan", "--explain", "Nightjar")
    assert done.code == 2
    assert "Nightjar is in no plan: it is disabled" in done.err
    assert "Nightjar" not in {row["name"] for row in planned(user, "--budget", 6)}


def test_a_spent_quota_is_told(user: User, learnt: list[ArtistHandle]) -> None:
    done = user.run("plan", "--budget", 3, FRESHWAX_SPOTIFY_REQUESTS_PER_DAY="1")
    assert "The quota of a day has room for 1 request now: the run would end there." in done.err


def test_a_ceiling_that_the_budget_cannot_hold_is_told(user: User, learnt: list[ArtistHandle]) -> None:
    done = user.run("plan", "--budget", 1, FRESHWAX_MAX_INTERVAL="14")
    assert "42 days" in done.err
    assert done.code == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--budget", 0), "is not a whole number from 1 up"),
        (("--budget", -3), "is not a whole number from 1 up"),
        (("--policy", "dice"), "'adaptive', 'tiers'"),
        (("--explain", "Nobody"), "'Nobody' is not on the watch list."),
        (("--explain", "Nightja"), "Did you mean 'Nightjar'?"),
    ],
)
def test_bad_input_is_one_sentence(user: User, learnt: list[ArtistHandle], args: tuple[object, ...], says: str) -> None:
    done = user.run("plan", *args)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_an_empty_watch_list_is_what_it_is_for_track(user: User) -> None:
    track, plan = user.run("track", "--smart-batch"), user.run("plan")
    assert (plan.code, plan.out, plan.err) == (2, "", track.err)


def test_artists_whose_asked_types_were_never_listed_have_no_expectation(
    user: User, learnt: list[ArtistHandle]
) -> None:
    done = user.run("plan", "--format", "json", FRESHWAX_TYPES="compilation")
    assert "NaN" not in done.out
    assert {row["expected_releases"] for row in json.loads(done.out)} == {None}
    assert "its history is not known yet" in user.run("plan", "--explain", "Nightjar", FRESHWAX_TYPES="compilation").out
