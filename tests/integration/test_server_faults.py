from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead  # noqa: TID251 - another client than the tracker's own

import pytest

from freshwax.demo import faults
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer
from freshwax.demo.world import instant

NOW = instant("2026-03-10T12:00")
CREDENTIALS = b"grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret"


class Caller:
    """Asks for one artist's albums and singles, ten a page, over a kept-alive connection."""

    def __init__(self, server: DemoServer, artist: ArtistHandle) -> None:
        self.artist = artist
        self.connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        self.token = json.loads(self.send("POST", "/api/token", CREDENTIALS)[2])["access_token"]

    def send(self, method, target, body=None, headers=None):
        self.connection.request(method, target, body, headers or {})
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def albums(self, offset=0, artist=None):
        key = (artist or self.artist).id
        target = f"/v1/artists/{key}/albums?include_groups=album,single&market=US&limit=10&offset={offset}"
        return self.send("GET", target, headers={"authorization": f"Bearer {self.token}"})

    def page(self, offset=0):
        return json.loads(self.albums(offset)[2])

    def names(self, offset=0):
        return [item["name"] for item in self.page(offset)["items"]]

    def status(self, artist=None):
        return self.albums(artist=artist)[0]


@pytest.fixture
def builder() -> WorldBuilder:
    return WorldBuilder()


@pytest.fixture
def nightjar(builder: WorldBuilder) -> ArtistHandle:
    artist = builder.artist("Nightjar")
    for number in range(1, 9):
        artist.album(f"Album {number}", f"201{number}-05-05")
        artist.single(f"Single {number}", f"201{number}-06-05")
    return artist


@pytest.fixture
def other(builder: WorldBuilder) -> ArtistHandle:
    return builder.artist("Other")


@pytest.fixture
def server(builder: WorldBuilder, nightjar: ArtistHandle, other: ArtistHandle) -> Iterator[DemoServer]:
    with DemoServer(builder.build(), NOW) as running:
        yield running


@pytest.fixture
def caller(server: DemoServer, nightjar: ArtistHandle) -> Iterator[Caller]:
    caller = Caller(server, nightjar)
    yield caller
    caller.connection.close()


def test_a_status_for_everyone_until_it_is_repaired(server, caller, other):
    fault = server.misbehave(faults.Status(503, "Service unavailable"))
    assert [caller.status(), caller.status(other)] == [503, 503]
    assert json.loads(caller.albums()[2]) == {"error": {"status": 503, "message": "Service unavailable"}}
    server.repair(fault)
    assert caller.status() == 200
    assert fault.struck == 3


def test_a_status_for_one_artist_for_the_next_two_or_for_whom_a_predicate_picks(server, caller, nightjar, other):
    server.misbehave(faults.Status(500), artist=other.id)
    assert [caller.status(), caller.status(other)] == [200, 500]
    server.repair()
    server.misbehave(faults.Status(502), times=2)
    assert [caller.status() for _ in range(3)] == [502, 502, 200]
    server.misbehave(faults.Status(504), when=lambda asked: asked.offset == 10)
    assert [caller.albums(0)[0], caller.albums(10)[0]] == [200, 504]


def test_too_many_requests_in_both_kinds(server, caller):
    server.misbehave(faults.Status(429, "API rate limit exceeded", retry_after="7"), times=1)
    status, headers, _ = caller.albums()
    assert (status, headers["retry-after"]) == (429, "7")
    server.misbehave(faults.QuotaSpent(52531))
    status, headers, body = caller.albums()
    assert (status, headers["retry-after"]) == (429, "52531")
    assert json.loads(body)["error"]["reason"] == "QUOTA_EXCEEDED"
    server.misbehave(faults.Status(400, body=b""))
    server.repair(server.api.faults[1])
    assert caller.albums()[2] == b""


def test_the_token_is_refused_while_the_api_goes_on(server, caller):
    server.misbehave(faults.TokenRefused(), where="token")
    status, _, body = caller.send("POST", "/api/token", CREDENTIALS)
    assert (status, json.loads(body)["error"]) == (400, "invalid_client")
    assert caller.status() == 200


def test_an_outage_of_everything_strikes_the_token_endpoint_too(server, caller):
    server.misbehave(faults.Status(500), where="all")
    assert caller.send("POST", "/api/token", CREDENTIALS)[0] == 500
    assert caller.status() == 500


def test_the_total_is_off_or_missing_together_with_a_null(server, caller):
    server.misbehave(faults.WrongTotal(2))
    assert caller.page()["total"] == 18
    server.misbehave(faults.NullItems((0, 3)))
    items = caller.page()["items"]
    assert [place for place, item in enumerate(items) if item is None] == [0, 3]
    server.misbehave(faults.NoPageField("total"))
    assert "total" not in caller.page()


def test_short_and_empty_pages_name_a_next_one(server, caller):
    short = server.misbehave(faults.ShortPages(3))
    page = caller.page()
    assert (len(page["items"]), page["total"]) == (7, 16)
    assert "offset=10&" in page["next"]
    server.repair(short)
    server.misbehave(faults.EmptyPages())
    for offset in (0, 10):
        page = caller.page(offset)
        assert page["items"] == []
        assert f"offset={offset + 10}&" in page["next"]


def test_hidden_releases_are_counted_and_keep_their_place(server, caller):
    hidden = caller.page()["items"][4]["id"]
    server.misbehave(faults.Hidden(frozenset({hidden})))
    page = caller.page()
    assert (len(page["items"]), page["total"]) == (9, 16)
    assert caller.names(10)[0] == "Single 6"


def test_the_order_is_shuffled_interleaved_reversed_or_nothing_is_left(server, caller):
    proper = caller.names() + caller.names(10)
    server.misbehave(faults.Shuffled(3))
    mixed = caller.names() + caller.names(10)
    assert mixed != proper
    assert sorted(mixed) == sorted(proper)
    assert mixed == caller.names() + caller.names(10)
    server.repair()
    server.misbehave(faults.Interleaved())
    assert caller.names()[:4] == ["Single 8", "Album 8", "Single 7", "Album 7"]
    server.repair()
    server.misbehave(faults.OldestFirst())
    assert caller.names()[:2] == ["Single 1", "Single 2"]
    server.misbehave(faults.Emptied())
    assert (caller.names(), caller.page()["total"]) == ([], 0)


def test_fields_of_items_are_missing_or_have_other_values(server, caller):
    server.misbehave(faults.ItemField("release_date", "0000"))
    server.misbehave(faults.ItemField("artists", gone=True))
    item = caller.page()["items"][0]
    assert item["release_date"] == "0000"
    assert "artists" not in item


def test_an_altered_page_has_an_etag_of_its_own_and_is_not_kept(server, caller):
    proper = caller.albums()[1]["etag"]
    server.misbehave(faults.WrongTotal(1), times=1)
    assert caller.albums()[1]["etag"] != proper
    assert caller.albums()[1]["etag"] == proper


def test_the_body_is_html_or_anything(server, caller):
    server.misbehave(faults.Garbage(), times=1)
    status, headers, body = caller.albums()
    assert (status, headers["content-type"]) == (200, "text/html")
    assert body.startswith(b"<html>")
    server.misbehave(faults.Garbage(b"\x00\xff{", "application/json", 503))
    assert caller.albums()[::2] == (503, b"\x00\xff{")


def test_a_header_is_replaced_or_taken_away(server, caller):
    server.misbehave(faults.Header("date", "Thu, 01 Jan 1970 00:00:00 GMT"))
    server.misbehave(faults.Header("etag"))
    headers = caller.albums()[1]
    assert headers["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert "etag" not in headers


def test_the_body_breaks_off_and_the_connection_ends(server, caller):
    server.misbehave(faults.Truncated(50), times=1)
    with pytest.raises(IncompleteRead) as broken:
        caller.albums()
    assert len(broken.value.partial) == 50
    caller.connection.close()
    assert caller.status() == 200


def test_the_connection_is_reset(server, caller):
    server.misbehave(faults.Reset(), times=1)
    with pytest.raises(ConnectionResetError):
        caller.albums()
    caller.connection.close()
    assert caller.status() == 200


def test_a_slow_answer_holds_up_no_other_connection(server, caller, nightjar, other):
    patient = Caller(server, other)
    slow = server.misbehave(faults.Latency(3600), artist=other.id)
    answers: list[type[BaseException]] = []

    def ask() -> None:
        try:
            patient.albums()
        except OSError as gone:
            answers.append(type(gone))

    waiting = threading.Thread(target=ask)
    waiting.start()
    while slow.struck == 0:
        assert caller.status() == 200
    assert caller.status() == 200
    assert not answers
    server.stop()
    waiting.join()
    assert len(answers) == 1
    patient.connection.close()


def test_latency_is_the_time_that_an_answer_takes(server, caller):
    server.latency = 0.05
    began = time.perf_counter()
    assert caller.status() == 200
    assert time.perf_counter() - began >= 0.049


def test_requests_sent_in_one_go_are_answered_in_order(server, caller, nightjar):
    server.misbehave(faults.Latency(0.01), times=1)
    line = f"GET /v1/artists/{nightjar.id}?n=%d HTTP/1.1\r\nauthorization: Bearer {caller.token}\r\n\r\n"
    bad = "GET /v1/artists/short HTTP/1.1\r\nconnection: close\r\n" + line.partition("\r\n")[2]
    caller.connection.sock.sendall((line % 1 + bad).encode())
    received = b""
    while piece := caller.connection.sock.recv(65_536):
        received += piece
    assert received.index(b"HTTP/1.1 200 OK") < received.index(b"HTTP/1.1 400 Bad Request")


def test_a_stopped_server_refuses_connections_and_comes_back_where_it_was(server, caller):
    url = server.api_url
    server.stop()
    caller.connection.close()
    with pytest.raises(ConnectionRefusedError):
        caller.albums()
    caller.connection.close()
    server.start()
    assert (server.api_url, caller.status()) == (url, 200)
    assert len(server.requests) == 1


def test_a_body_that_hangs_leaves_the_connection_open(server, caller):
    server.misbehave(faults.Hung(50))
    caller.connection.timeout = 0.2
    caller.connection.close()
    with pytest.raises(TimeoutError):
        caller.albums()
    assert (server.requests[-1].readable, server.requests[-1].shown) == (False, ())


def test_a_blown_up_body_is_small_on_the_wire(server, caller):
    server.misbehave(faults.Oversized(1_000_000), times=1)
    _, headers, body = caller.albums()
    assert (headers["content-encoding"], len(body) < 10_000) == ("gzip", True)
    assert len(gzip.decompress(body)) > 1_000_000


def test_tokens_expire_before_their_time(server, caller):
    server.misbehave(faults.TokensExpire(), times=1)
    assert [caller.status(), caller.status()] == [401, 401]
    caller.token = json.loads(caller.send("POST", "/api/token", CREDENTIALS)[2])["access_token"]
    assert caller.status() == 200


def test_too_many_requests_until_a_date(server, caller):
    server.misbehave(faults.TooMany(90, as_date=True))
    status, headers, _ = caller.albums()
    assert (status, headers["retry-after"]) == (429, "Tue, 10 Mar 2026 12:01:30 GMT")


def test_a_next_page_that_is_the_page_itself_and_fields_of_another_type(server, caller):
    looping = server.misbehave(faults.LoopingNext())
    page = caller.page()
    assert page["next"] == page["href"]
    server.repair(looping)
    server.misbehave(faults.WronglyTyped("total", "16"))
    assert caller.page()["total"] == "16"


def test_the_log_names_what_was_shown_and_whether_it_could_be_read(server, caller):
    items = caller.page()["items"]
    assert server.requests[-1].shown == tuple(item["id"] for item in items)
    server.misbehave(faults.Truncated(10), times=1)
    with pytest.raises(IncompleteRead):
        caller.albums()
    caller.connection.close()
    server.misbehave(faults.Status(500), times=1)
    caller.albums()
    assert [(entry.readable, entry.shown) for entry in server.requests[-2:]] == [(False, ()), (False, ())]
