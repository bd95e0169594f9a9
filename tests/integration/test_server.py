from __future__ import annotations

import base64
import gzip
import hashlib
import json
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from http.client import HTTPConnection  # noqa: TID251 - another client than the tracker's own
from typing import Any

import pytest

from freshwax.demo.api import Manners
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer
from freshwax.demo.world import instant

NOW = instant("2026-03-10T12:00")
ALBUMS_AND_SINGLES = "include_groups=album,single&market=US"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        raw = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return json.loads(raw)


class Client:
    """A keep-alive connection that has a token."""

    def __init__(self, server: DemoServer) -> None:
        self.connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        self.token: str | None = None
        self.token = self.login().json["access_token"]

    def login(self, user: str = "demo-client", password: str = "demo-secret", form: str | None = None) -> Answer:
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        form = "grant_type=client_credentials" if form is None else form
        return self.ask("/api/token", "POST", {"authorization": f"Basic {basic}"}, form.encode())

    def ask(self, target: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        own = {"authorization": f"Bearer {self.token}"} if self.token else {}
        self.connection.request(method, target, body or None, own | (headers or {}))
        response = self.connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def albums(self, artist_id: str, query: str = ALBUMS_AND_SINGLES, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(f"/v1/artists/{artist_id}/albums?{query}", headers=named)

    def names(self, artist_id: str, query: str = ALBUMS_AND_SINGLES + "&limit=10") -> list[str]:
        return [item["name"] for item in self.albums(artist_id, query).json["items"]]


@pytest.fixture
def builder() -> WorldBuilder:
    return WorldBuilder()


@pytest.fixture
def nightjar(builder: WorldBuilder) -> ArtistHandle:
    artist = builder.artist("Nightjar")
    for number in range(1, 13):
        artist.album(f"Album {number}", f"20{number:02}-05-05")
    for number in range(1, 4):
        artist.single(f"Single {number}", f"2026-03-0{number}")
    return artist


@pytest.fixture
def server(builder: WorldBuilder, nightjar: ArtistHandle) -> Iterator[DemoServer]:
    with DemoServer(builder.build(), NOW) as running:
        yield running


@pytest.fixture
def client(server: DemoServer) -> Iterator[Client]:
    client = Client(server)
    yield client
    client.connection.close()


def test_a_page_has_the_shape_of_2026(server, client, nightjar):
    page = client.albums(nightjar.id, ALBUMS_AND_SINGLES + "&limit=2&offset=11").json
    url = f"{server.api_url}/artists/{nightjar.id}/albums"
    rest = "include_groups=album,single&market=US"
    assert page["href"] == f"{url}?offset=11&limit=2&{rest}"
    assert page["next"] == f"{url}?offset=13&limit=2&{rest}"
    assert page["previous"] == f"{url}?offset=9&limit=2&{rest}"
    assert (page["limit"], page["offset"], page["total"]) == (2, 11, 15)
    album, single = page["items"]
    assert set(album) == {
        "album_type", "total_tracks", "external_urls", "href", "id", "images", "name", "release_date",
        "release_date_precision", "type", "uri", "artists",
    }  # fmt: skip
    assert (album["name"], album["album_type"], album["type"]) == ("Album 1", "album", "album")
    assert (single["album_type"], single["release_date"]) == ("single", "2026-03-03")
    assert single["artists"][0]["id"] == nightjar.id
    assert set(single["artists"][0]) == {"external_urls", "href", "id", "name", "type", "uri"}


def test_following_next_reads_all_albums_then_all_singles_each_newest_first(server, client, nightjar):
    target, seen = f"/v1/artists/{nightjar.id}/albums?{ALBUMS_AND_SINGLES}", []
    while target:
        page = client.ask(target).json
        seen += [item["name"] for item in page["items"]]
        target = (page["next"] or "").removeprefix(server.accounts_url)
    assert seen == [f"Album {n}" for n in range(12, 0, -1)] + ["Single 3", "Single 2", "Single 1"]
    assert [(entry.offset, entry.limit) for entry in server.requests] == [(0, 5), (5, 5), (10, 5)]


def test_a_page_beyond_the_end_is_empty_and_has_no_next(client, nightjar):
    page = client.albums(nightjar.id, ALBUMS_AND_SINGLES + "&offset=100").json
    assert (page["items"], page["next"], page["total"]) == ([], None, 15)


def test_the_instant_decides_what_is_listed_and_the_date_header_follows_it(server, client, nightjar):
    server.at = instant("2026-03-02")
    answer = client.albums(nightjar.id, "include_groups=single&market=US")
    assert [item["name"] for item in answer.json["items"]] == ["Single 2", "Single 1"]
    assert answer.headers["date"] == "Mon, 02 Mar 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=11", "Invalid limit"),
        ("limit=0", "Invalid limit"),
        ("limit=x", "Invalid limit"),
        ("offset=-1", "Invalid offset"),
        ("market=usa", "Invalid market code"),
        ("include_groups=ep", "Invalid include_groups"),
    ],
)
def test_a_bad_parameter_is_a_400(client, nightjar, query, message):
    answer = client.albums(nightjar.id, query)
    assert (answer.status, answer.json) == (400, {"error": {"status": 400, "message": message}})


def test_a_larger_page_is_allowed_where_the_manners_say_so(server, client, nightjar):
    server.manners = replace(server.manners, page_max=50)
    assert len(client.names(nightjar.id, ALBUMS_AND_SINGLES + "&limit=50")) == 15


def test_without_a_market_nothing_is_available(client, nightjar):
    assert client.albums(nightjar.id, "include_groups=album").json["total"] == 0


def test_ids_are_bad_unknown_or_not_yet_born(server, client, builder, nightjar):
    assert client.albums("short").json["error"] == {"status": 400, "message": "Invalid base62 id"}
    unknown = {"status": 404, "message": "Resource not found"}
    assert client.albums("0" * 22).json["error"] == client.ask("/v1/artists/" + "0" * 22).json["error"] == unknown


def test_an_artist_has_no_popularity_any_more(client, nightjar):
    artist = client.ask(f"/v1/artists/{nightjar.id}").json
    assert (artist["name"], artist["genres"]) == ("Nightjar", [])
    assert not {"popularity", "followers"} & set(artist)


def test_search_puts_the_same_name_first():
    world = WorldBuilder()
    longer, same = world.artist("Nightjar Ensemble"), world.artist("Nightjar")
    world.artist("Other")
    with DemoServer(world.build(), NOW) as server:
        client = Client(server)
        for text in ("nightjar", 'artist:"Nightjar"'):
            found = client.ask(f"/v1/search?type=artist&q={urllib.parse.quote(text)}").json["artists"]
            assert [item["id"] for item in found["items"]] == [same.id, longer.id]
        assert client.ask("/v1/search?type=artist&q=x&limit=11").json["error"]["message"] == "Invalid limit"
        assert client.ask("/v1/search?type=artist").status == 400
        client.connection.close()


def test_the_etag_is_spotifys_own_and_brings_a_304_until_something_changes(server, client, nightjar):
    server.at = instant("2026-03-02")
    first = client.albums(nightjar.id)
    digest = hashlib.md5(first.body).hexdigest()
    etag = f'"MC-{base64.b64encode(f"{chr(34)}{digest}{chr(34)}".encode()).decode()}"'
    assert first.headers["etag"] == etag
    again = client.albums(nightjar.id, if_none_match=etag)
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    server.at = instant("2026-03-03")
    assert client.albums(nightjar.id, if_none_match=etag).status == 200
    assert [entry.conditional for entry in server.requests] == [False, True, True]


def test_large_bodies_are_zipped_for_those_who_accept_it(server, client, nightjar):
    plain = client.albums(nightjar.id)
    zipped = client.albums(nightjar.id, accept_encoding="gzip, deflate")
    assert zipped.headers["content-encoding"] == "gzip"
    assert len(zipped.body) < len(plain.body) / 3
    assert zipped.json == plain.json
    assert [entry.bytes for entry in server.requests] == [len(plain.body), len(zipped.body)]


def test_no_token_a_wrong_one_and_an_old_one_are_refused(server, client, nightjar):
    given, client.token = client.token, None
    missing = client.albums(nightjar.id)
    assert (missing.status, missing.headers["www-authenticate"]) == (
        401,
        'Bearer realm="spotify", error="missing_token"',
    )
    client.token = "made up"
    assert client.albums(nightjar.id).json["error"] == {"status": 401, "message": "Invalid access token"}
    client.token = given
    server.at += timedelta(hours=1)
    assert client.albums(nightjar.id).json["error"] == {"status": 401, "message": "The access token expired"}
    client.token = client.login().json["access_token"]
    assert client.albums(nightjar.id).status == 200
    server.expire_tokens()
    assert client.albums(nightjar.id).status == 401


def test_credentials_are_taken_from_header_or_form_and_refused_when_wrong(client):
    assert client.login().json["expires_in"] == 3600
    form = "grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret"
    assert client.ask("/api/token", "POST", {"authorization": ""}, form.encode()).status == 200
    wrong = client.login(password="wrong")
    assert (wrong.status, wrong.json) == (400, {"error": "invalid_client", "error_description": "Invalid client"})
    nobody = client.ask("/api/token", "POST", {"authorization": ""}, b"grant_type=client_credentials")
    assert (nobody.status, nobody.json) == (400, {"error": "invalid_client"})
    assert client.login(form="grant_type=password").json["error"] == "unsupported_grant_type"


def test_the_quota_is_rolling_over_the_worlds_time(server, client, nightjar):
    server.manners = Manners(quota=3)
    for _ in range(3):
        assert client.albums(nightjar.id).status == 200
        server.at += timedelta(hours=6)
        client.token = client.login().json["access_token"]
    refused = client.albums(nightjar.id)
    assert refused.json["error"] == {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}
    assert refused.headers["retry-after"] == str(6 * 3600)
    server.at += timedelta(hours=6)
    client.token = client.login().json["access_token"]
    assert [client.albums(nightjar.id).status for _ in range(2)] == [200, 429]


def test_the_rate_limit_has_no_reason_and_a_short_retry_after(server, client, nightjar):
    server.manners = Manners(rate=(2, 30.0))
    assert [client.albums(nightjar.id).status for _ in range(2)] == [200, 200]
    refused = client.albums(nightjar.id)
    assert refused.json["error"] == {"status": 429, "message": "API rate limit exceeded"}
    assert 1 <= int(refused.headers["retry-after"]) <= 30


def test_removed_endpoints_are_forbidden_and_others_unknown(client):
    assert client.ask("/v1/artists?ids=a,b").json["error"] == {"status": 403, "message": "Forbidden"}
    assert client.ask("/v1/nothing").status == 404
    assert client.ask("/v1/artists/" + "0" * 22, "DELETE").status == 405


def test_the_log_tells_what_was_asked(server, client, nightjar):
    client.albums(nightjar.id, "include_groups=single&market=DE&limit=7&offset=1")
    token, entry = server.log
    assert (token.what, token.status) == ("token", 200)
    assert (entry.what, entry.artist, entry.groups, entry.market) == ("albums", nightjar.id, ("single",), "DE")
    assert (entry.offset, entry.limit, entry.status, entry.at) == (1, 7, 200, NOW)


def test_the_control_path_moves_the_instant_and_sets_faults(server, client, nightjar):
    def order(**what: Any) -> Answer:
        return client.ask("/_control", "POST", body=json.dumps(what).encode())

    state = order(at="2026-03-02T06:00:00Z", quota=5, latency_ms=0, clear_log=True).json
    assert (state["at"], state["requests"]) == ("2026-03-02T06:00:00+00:00", 0)
    assert (server.at, server.manners.quota) == (instant("2026-03-02T06:00"), 5)
    order(faults=[{"effect": "Status", "with": {"code": 503}, "times": 1}])
    assert [client.albums(nightjar.id).status for _ in range(2)] == [503, 200]
    assert client.ask("/_control").json["statuses"] == {"503": 1, "200": 1}
    for wrong in ({"effect": "Earthquake"}, {"effect": "Status", "with": {"x": 1}}):
        assert order(at="2030-01-01", faults=[wrong]).status == 400
    assert server.at == instant("2026-03-02T06:00")


def test_what_is_not_http_is_a_400_and_the_end_of_the_connection(server):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.connect()
    connection.sock.sendall(b"nonsense\r\n\r\n")
    assert connection.sock.recv(100).startswith(b"HTTP/1.1 400 ")
    connection.close()


def test_a_port_that_is_taken_is_an_error(server, builder):
    with pytest.raises(OSError, match="address"):
        DemoServer(builder.build(), NOW, port=server.port).start()
