"""What ``track`` prints: the JSON contract in every situation, and the other formats."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pytest
from tests.e2e.user import Done, User, at, day

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import QuotaSpent, Status, TokenRefused
from freshwax.demo.server import DemoServer

pytestmark = pytest.mark.usefixtures("from_scratch")

KEYS = {
    "run": {"id", "mode", "status", "market", "started_at", "finished_at"},
    "coverage": {
        "artists",
        "checked",
        "fresh",
        "not_due",
        "failed",
        "paused",
        "oldest_check",
        "history_incomplete",
    },
    "cost": {"requests", "not_modified", "bytes_received", "seconds"},
}
RELEASE = {
    "id",
    "source",
    "title",
    "type",
    "artists",
    "release_date",
    "date_precision",
    "kind",
    "first_seen_at",
    "url",
    "image_url",
    "total_tracks",
}


def assert_contract(done: Done) -> dict[str, Any]:
    """One object with exactly the keys that are promised, its counts adding up, and nothing else on standard output."""
    report = json.loads(done.out)
    assert report.keys() == {*KEYS, "releases", "held"}
    assert {part: set(report[part]) for part in KEYS} == KEYS
    for release in report["releases"]:
        assert release.keys() == RELEASE
        assert release["source"] == "spotify"
        assert release["kind"] in {"new", "upcoming", "late", "edition", "back_catalogue"}
        assert release["date_precision"] in {"year", "month", "day"}
        assert datetime.fromisoformat(release["first_seen_at"]).utcoffset() is not None
        assert release["artists"]
        assert all(artist.keys() == {"id", "name"} for artist in release["artists"])
    coverage = report["coverage"]
    assert coverage["artists"] == sum(coverage[one] for one in ("checked", "fresh", "not_due", "failed", "paused"))
    run = report["run"]
    assert run["market"] == "US"
    assert datetime.fromisoformat(run["started_at"]) <= datetime.fromisoformat(run["finished_at"])
    assert report["cost"]["seconds"] > 0
    assert isinstance(run["id"], int)
    return report


def test_json_of_a_complete_run(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    done = user.track()
    report = assert_contract(done)
    assert done.code == 0
    assert (report["run"]["mode"], report["run"]["status"]) == ("incremental", "completed")
    assert done.titles == news
    cost = report["cost"]
    assert cost["requests"] == len(server.requests)
    assert cost["not_modified"] == sum(one.status == 304 for one in server.requests) > 0
    assert cost["bytes_received"] > sum(one.bytes for one in server.requests)
    estuary = next(release for release in report["releases"] if release["title"] == "Estuary")
    assert [artist["name"] for artist in estuary["artists"]] == ["Tern", "Avocet"]
    assert (estuary["release_date"], estuary["date_precision"]) == (day(-1), "day")
    assert estuary["url"].endswith(estuary["id"])
    assert report["coverage"]["oldest_check"] >= report["run"]["started_at"]


def test_json_of_a_partial_run(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> None:
    user.learnt(world, server, birds)
    server.misbehave(Status(500), artist=birds[0].id)
    done = user.track()
    report = assert_contract(done)
    assert (done.code, report["run"]["status"]) == (3, "partial")
    assert report["coverage"]["failed"] == 1
    assert report["coverage"]["oldest_check"] < report["run"]["started_at"]


@pytest.mark.parametrize("learnt", [True, False])
def test_json_of_a_paused_run(
    learnt: bool, user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    if learnt:
        user.learnt(world, server, birds)
    user.follow(birds)
    server.misbehave(QuotaSpent())
    done = user.track()
    report = assert_contract(done)
    assert (done.code, report["run"]["status"]) == (3, "paused")
    assert report["coverage"]["paused"] == 6
    assert (report["coverage"]["oldest_check"] is None) is not learnt


def test_json_without_credentials_and_with_refused_ones(
    user: User, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.follow(birds)
    server.misbehave(TokenRefused(), where="token")
    for env in ({}, {"FRESHWAX_SPOTIFY_CLIENT_ID": "", "FRESHWAX_SPOTIFY_CLIENT_SECRET": ""}):
        done = user.track(**env)
        report = assert_contract(done)
        assert (done.code, report["run"]["status"]) == (5, "failed")
        assert (report["coverage"]["failed"], report["releases"]) == (6, [])


def test_json_of_a_report_from_the_cache_and_of_a_past_run(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    done = user.track()
    again = assert_contract(user.track("--from-cache"))
    assert again["run"]["mode"] == "repeat"
    shown = user.run("runs", "show", done.report["run"]["id"], "--format", "json")
    assert_contract(shown)
    assert shown.report == done.report
    assert news


@pytest.mark.parametrize(
    "args", [["track", "--format", "json", "--nonsense"], ["track", "--format", "json"]], ids=["usage", "nobody"]
)
def test_wrong_usage_and_an_empty_watch_list_print_nothing_on_standard_output(args: list[str], user: User) -> None:
    done = user.run(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err


def test_the_other_formats(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    shown = user.run("track", "--format", "table")
    assert shown.code == 0
    assert all(title in shown.out for title in news)
    assert "6 of 6 artists checked" in shown.out
    assert shown.err == ""

    again = ("track", "--from-cache", "--format")
    for name, delimiter in (("csv", ","), ("tsv", "\t")):
        done = user.run(*again, name)
        rows = list(csv.DictReader(io.StringIO(done.out), delimiter=delimiter))
        assert sorted(row["title"] for row in rows) == news
        assert "6 of 6 artists checked" in done.err
    found = {release["id"] for release in user.track("--from-cache").report["releases"]}
    assert set(user.run(*again, "ids").out.split()) == found
    assert user.run("-q", *again, "tsv").err == ""
    assert user.run("track", "--from-cache").out == user.run(*again, "tsv").out


def test_hostile_titles_stay_data(user: User, world: WorldBuilder, server: DemoServer) -> None:
    artist = world.artist("Nightjar\x1b[2J\x1b]0;owned\x07")
    titles = ['=HYPERLINK("http://x")', "two\nlines\tand a tab", "\x1b[31mred\x1b[0m", "\u202egnp.exe", "<script>"]
    for title in titles:
        artist.single(title, day(-3))
    server.api.world = world.build()
    user.follow([artist])
    done = user.track()
    assert done.titles == sorted(titles)
    assert not any(ord(one) < 32 and one != "\n" for one in done.out + done.err)
    for name in ("table", "csv", "tsv"):
        done = user.run("track", "--from-cache", "--format", name)
        assert "\x1b" not in done.out + done.err
        assert "\x07" not in done.out + done.err
        assert "\u202e" not in done.out or name != "table"
        cells = [
            cell for row in csv.reader(io.StringIO(done.out), delimiter="\t" if name == "tsv" else ",") for cell in row
        ]
        assert name == "table" or not any(cell.startswith("=") for cell in cells)
