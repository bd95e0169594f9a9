"""The Spotify client at the wire: what it asks, and what it makes of each kind of answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from datetime import date, timedelta
from typing import Any, TypeVar

import httpx2
import pytest
from msgspec.structs import replace
from tests.integration.wire import (
    START,
    Answer,
    Handler,
    ListLedger,
    Wire,
    album,
    error,
    follow,
    page,
    run,
    spotify,
)

from freshwax.errors import AuthError, CheckError, ClockSkew, FreshwaxError, Paused
from freshwax.model import DEFAULT_GROUPS, Follow, Group, Mark, Observation
from freshwax.sources.base import Want
from freshwax.sources.spotify.client import SpotifySource, run_walk
from freshwax.sources.spotify.pages import Page, PageRequest

T = TypeVar("T")
WANT = Want(DEFAULT_GROUPS, "SE", date(2025, 12, 1))


def use(wire: Wire, action: Callable[[SpotifySource], Awaitable[T]], **options: Any) -> T:
    """Do something with a source, on a loop of its own, and close it."""

    async def main() -> T:
        source = spotify(wire, **options)
        try:
            return await action(source)
        finally:
            await source.aclose()

    return run(main())


def failing(handler: Handler, kind: type[T], **options: Any) -> T:
    async def action(source: SpotifySource) -> T:
        with pytest.raises(FreshwaxError) as caught:
            await source.check(follow(7, "Björk"), WANT)
        assert type(caught.value) is kind
        return caught.value  # type: ignore[return-value]

    return use(Wire(handler), action, **options)


def remembering(observation: Observation) -> Follow:
    """What is remembered of an artist after its first check."""
    fresh = follow()
    marks = {
        view.group: Mark(view.group, "SE", START, START, view.depth, START if view.ended else None)
        for view in observation.views
    }
    return Follow(fresh.artist, marks, {}, observation.listing)


# -- asking ----------------------------------------------------------------------------------------------------------


def test_a_check_asks_for_one_page_of_both_groups_in_the_market() -> None:
    wire = Wire(lambda _: page(album(1), album(2, album_type="single")))

    seen = use(wire, lambda source: source.check(follow(), WANT))

    (asked,) = wire.api
    assert asked.url.path == f"/v1/artists/{1:022}/albums"
    expected = {"include_groups": "album,single", "market": "SE", "limit": "10", "offset": "0"}
    assert dict(asked.url.params) == expected
    assert asked.headers["authorization"] == "Bearer token-1"
    assert {view.group: [one.release.title for one in view.listed] for view in seen.views} == {
        Group.ALBUM: ["Album 1"],
        Group.SINGLE: ["Album 2"],
    }


def test_what_did_not_change_is_asked_for_by_etag_and_a_304_answers() -> None:
    wire = Wire(
        lambda request: (
            httpx2.Response(304, headers={"etag": "W1"})
            if request.headers.get("if-none-match") == "W1"
            else page(album(1), album(2, album_type="single"), etag="W1")
        )
    )

    async def action(source: SpotifySource) -> Observation:
        first = await source.check(follow(), WANT)
        second = await source.check(remembering(first), WANT)
        assert (source.gate.cost.requests, source.gate.cost.not_modified) == (2, 1)
        return second

    second = use(wire, action)

    assert "if-none-match" not in wire.api[0].headers
    assert wire.api[1].headers["if-none-match"] == "W1"
    assert all(view.answered for view in second.views)


def test_an_etag_that_cannot_be_sent_back_is_forgotten() -> None:
    wire = Wire(lambda _: httpx2.Response(200, json={"items": []}, headers={"etag": "é".encode()}))

    async def action(source: SpotifySource) -> None:
        await source.check(remembering(await source.check(follow(), WANT)), WANT)

    use(wire, action)

    assert ["if-none-match" in request.headers for request in wire.api] == [False] * len(wire.api)


def test_a_deep_read_goes_on_from_the_horizon() -> None:
    wire = Wire(lambda _: page(album(30)))
    mark = Mark(Group.SINGLE, "SE", START, START, 30)
    known = Follow(follow().artist, {Group.SINGLE: mark}, {})

    use(wire, lambda source: source.read_deep(known, Group.SINGLE, WANT, 1))

    assert wire.api[0].url.params["include_groups"] == "single"
    assert 20 <= int(wire.api[0].url.params["offset"]) <= 30


def test_each_request_is_in_the_ledger_before_it_is_sent_and_settled_with_its_bytes() -> None:
    ledger = ListLedger()
    wire = Wire(lambda _: pytest.fail("not in the ledger") if ledger.rows[-1][2] is not None else page(album(1)))

    use(wire, lambda source: source.check(follow(), WANT), ledger=ledger)

    ((at, bucket, status, received),) = ledger.rows
    assert (at, bucket, status) == (START, "artist-albums", 200)
    assert received > 0


def test_a_cancelled_request_is_settled_too() -> None:
    ledger = ListLedger()

    async def never(_: httpx2.Request) -> Answer:
        await asyncio.sleep(9)
        raise AssertionError

    async def action(source: SpotifySource) -> None:
        task = asyncio.create_task(source.check(follow(), WANT))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    use(Wire(never), action, ledger=ledger)

    assert ledger.rows == [[START, "artist-albums", 0, 0]]


# -- answers that are errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code", "transient"),
    [
        (lambda: error(404, "Resource not found"), "not_found", False),
        (lambda: error(400, "Invalid base62 id"), "bad_id", False),
        (lambda: error(400, "invalid id"), "bad_id", False),
        (lambda: error(400, "Invalid limit"), "http", False),
        (lambda: httpx2.Response(400), "http", False),
        (lambda: error(403, "Forbidden"), "forbidden", False),
        (lambda: httpx2.Response(302, headers={"location": "https://evil.test"}), "http", False),
        (lambda: httpx2.Response(304), "http", False),
        (lambda: httpx2.Response(204), "http", False),
        (lambda: httpx2.Response(418, text="teapot"), "http", False),
        (lambda: httpx2.Response(200, text="<html>"), "bad_data", False),
        (lambda: httpx2.Response(200, json={"items": [{"name": "x"}]}), "bad_data", False),
        (lambda: error(500), "server", True),
        (lambda: httpx2.Response(503), "server", True),
        (lambda: httpx2.Response(200, content=b"x" * 6_000_000), "too_large", False),
    ],
)
def test_a_failed_check_names_the_artist_and_the_kind(
    answer: Callable[[], httpx2.Response], code: str, transient: bool
) -> None:
    failure = failing(lambda _: answer(), CheckError)

    assert (failure.code, failure.transient) == (code, transient)
    assert str(failure).startswith("Björk: ")
    assert "token-1" not in str(failure)


def test_an_artist_without_a_name_is_named_by_its_id() -> None:
    async def action(source: SpotifySource) -> None:
        known = follow(7)
        nameless = replace(known, artist=replace(known.artist, name=None))
        with pytest.raises(CheckError, match=f"^{7:022}: "):
            await source.check(nameless, WANT)

    use(Wire(lambda _: error(404)), action)


def test_an_app_without_premium_is_told_so() -> None:
    said = "Your application is blocked from accessing the Web API since you do not have a Spotify Premium subscription"

    assert "Premium" in str(failing(lambda _: error(403, said), AuthError))


@pytest.mark.parametrize("hours", [-25, 25, 24 * 400])
def test_a_clock_that_is_a_day_off_stops_everything(hours: int) -> None:
    skew = failing(lambda _: page(album(1), date=START + timedelta(hours=hours)), ClockSkew)

    assert "set the clock" in str(skew)
    assert "2026-03-06 12:00" in str(skew)


@pytest.mark.parametrize("hours", [-23, 0, 23])
def test_a_clock_that_is_hours_off_does_not(hours: int) -> None:
    wire = Wire(lambda _: page(album(1), date=START + timedelta(hours=hours)))

    assert use(wire, lambda source: source.check(follow(), WANT)).views


# -- page size -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", [lambda: error(400, "Invalid limit"), lambda: httpx2.Response(400)])
def test_a_refused_page_size_falls_to_ten_and_is_remembered(refusal: Callable[[], httpx2.Response]) -> None:
    ledger = ListLedger()
    wire = Wire(lambda request: refusal() if int(request.url.params["limit"]) > 10 else page(album(1)))

    async def action(source: SpotifySource) -> None:
        for number in range(3):
            await source.check(follow(number), WANT)

    use(wire, action, ledger=ledger, page_size=50)
    assert [request.url.params["limit"] for request in wire.api] == ["50", "10", "10", "10"]
    assert ledger.settings == {"spotify.page_size": "10"}

    use(wire, action, ledger=ledger, page_size=50)
    assert [request.url.params["limit"] for request in wire.api[4:]] == ["10", "10", "10"]


def test_a_bad_request_that_is_not_about_the_page_size_is_not_remembered_as_such() -> None:
    ledger = ListLedger()

    assert failing(lambda _: httpx2.Response(400), CheckError, ledger=ledger, page_size=50).code == "http"
    assert ledger.settings == {}


@pytest.mark.parametrize(
    ("configured", "learnt", "used"),
    [(50, None, 50), (500, None, 50), (0, None, 1), (50, "10", 10), (5, "10", 5), (50, "x", 50)],
)
def test_the_page_size_is_the_configured_one_within_what_was_learnt(
    configured: int, learnt: str | None, used: int
) -> None:
    ledger = ListLedger()
    ledger.set_setting("spotify.page_size", learnt)

    async def size(source: SpotifySource) -> int:
        return source.page_size

    assert use(Wire(lambda _: pytest.fail("asked")), size, ledger=ledger, page_size=configured) == used


# -- walks -----------------------------------------------------------------------------------------------------------


def seen_nothing(paused: bool) -> Observation:
    return Observation(follow().artist.ref, (), None, paused=paused)


def patient(pages: int) -> Generator[PageRequest, Page, Observation]:
    read = 0
    try:
        for number in range(pages):
            yield PageRequest((Group.ALBUM,), number, "test")
            read += 1
    except Paused:
        if not read:
            raise
        return seen_nothing(paused=True)
    return seen_nothing(paused=False)


@pytest.mark.parametrize(("budget", "paused"), [(2, True), (3, False)])
def test_a_walk_that_is_paused_returns_what_was_answered(budget: int, paused: bool) -> None:
    async def ask(request: PageRequest) -> Page:
        if request.offset >= budget:
            raise Paused("", reason="budget", until=None)
        return Page()

    assert run(run_walk(patient(3), ask)).paused is paused


@pytest.mark.parametrize("error_type", [Paused, CheckError])
def test_a_walk_that_learnt_nothing_lets_the_error_pass_and_is_closed(error_type: type[Exception]) -> None:
    async def ask(_: PageRequest) -> Page:
        if error_type is Paused:
            raise Paused("", reason="quota", until=None)
        raise CheckError("", code="http")

    walk = patient(3)
    with pytest.raises(error_type):
        run(run_walk(walk, ask))
    assert walk.gi_frame is None


def test_a_budget_that_ends_in_mid_check_keeps_what_was_answered() -> None:
    want = Want((Group.ALBUM, Group.SINGLE, Group.APPEARS_ON), "SE", date(2025, 12, 1))

    async def action(source: SpotifySource) -> Observation:
        source.gate.allow(1)
        seen = await source.check(follow(1), want)
        with pytest.raises(Paused, match="budget"):
            await source.check(follow(2), want)
        return seen

    wire = Wire(lambda _: page(album(1)))
    seen = use(wire, action)

    assert seen.paused
    assert {view.group for view in seen.views if view.answered} >= {Group.ALBUM}
    assert len(wire.api) == 1


# -- searching, diagnosing ---------------------------------------------------------------------------------------------


def test_a_search_costs_one_request_and_escapes_the_name() -> None:
    wire = Wire(lambda _: httpx2.Response(200, json={"artists": {"items": [{"id": "1", "name": "AC/DC & Co"}]}}))

    found = use(wire, lambda source: source.search_artists("AC/DC & Co?"))

    assert [one.name for one in found] == ["AC/DC & Co"]
    assert dict(wire.api[0].url.params) == {"q": "AC/DC & Co?", "type": "artist", "limit": "10"}


def test_a_failed_search_names_what_was_searched() -> None:
    async def action(source: SpotifySource) -> None:
        with pytest.raises(CheckError, match="'Nova'"):
            await source.search_artists("Nova")

    use(Wire(lambda _: error(500)), action)


def facts(wire: Wire, **options: Any) -> dict[str, tuple[bool, str]]:
    found = use(wire, lambda source: source.diagnose("SE"), **options)
    assert wire.requests <= 3
    return {fact.name: (fact.ok, fact.text) for fact in found}


def test_a_diagnosis_finds_all_well() -> None:
    ledger = ListLedger()
    ledger.set_setting("spotify.page_size", "10")

    found = facts(Wire(lambda _: page(album(1), date=START + timedelta(seconds=90))), ledger=ledger)

    assert {name: ok for name, (ok, _) in found.items()} == dict.fromkeys(
        ("credentials", "clock", "page size", "market"), True
    )
    assert found["clock"][1] == "90 s behind Spotify's"
    assert "50" in found["page size"][1]
    assert ledger.settings == {}


def test_a_diagnosis_finds_small_pages_and_a_wrong_clock() -> None:
    old = START - timedelta(days=3)
    found = facts(
        Wire(lambda request: error(400, "Invalid limit") if request.url.params["limit"] == "50" else page(date=old)),
    )
    assert found["page size"][1].startswith("10 ")

    assert facts(Wire(lambda _: page(date=old)))["clock"] == (
        False,
        "72.0 hours ahead of Spotify's: set it, for no run goes on with it",
    )


def test_a_diagnosis_finds_a_refused_market_or_key_without_raising() -> None:
    assert facts(Wire(lambda _: error(400, "Invalid market code")))["market"][0] is False
    assert facts(Wire(lambda _: error(400), on_token=lambda _: error(400, "no")))["credentials"][0] is False
