from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection  # noqa: TID251 - another client than the tracker's own

from freshwax.cli.artist_files import read_files
from freshwax.demo.generate import generate
from freshwax.demo.world import instant
from freshwax.model import DEFAULT_GROUPS

CREDENTIALS = b"grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret"


@contextmanager
def process(*arguments: str) -> Iterator[HTTPConnection]:
    """A server in a process of its own, and a connection to it."""
    command = [sys.executable, "-W", "error", "-m", "freshwax.demo.server", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        connection = None
        try:
            assert running.stdout is not None
            connection = HTTPConnection(running.stdout.readline().strip().removeprefix("http://"), timeout=10)
            yield connection
        finally:
            running.kill()
            if connection is not None:
                connection.close()


def ask(connection: HTTPConnection, method: str, target: str, body: bytes | None = None, token: str = ""):
    connection.request(method, target, body, {"authorization": f"Bearer {token}"} if token else {})
    return json.loads(connection.getresponse().read())


def albums(connection: HTTPConnection, artist_id: str) -> list[str]:
    token = ask(connection, "POST", "/api/token", CREDENTIALS)["access_token"]
    target = f"/v1/artists/{artist_id}/albums?include_groups=album,single&market=US&limit=10"
    return [item["name"] for item in ask(connection, "GET", target, token=token)["items"]]


def test_a_process_serves_the_world_that_the_same_seed_gives_here():
    world = generate("apart", artists=3, start="2026-01-01", end="2026-07-01", busy_share=1.0)
    options = "--artists 3 --seed apart --start 2026-01-01 --end 2026-07-01 --busy-share 1 --at 2026-01-01"
    with process(*options.split()) as connection:
        state = ask(connection, "POST", "/_control", b'{"at": "2026-03-01T06:00:00Z"}')
        assert state["at"] == "2026-03-01T06:00:00+00:00"
        for artist_id in world.artists:
            expected = world.listings(artist_id, DEFAULT_GROUPS, instant("2026-03-01T06:00"))[:10]
            assert albums(connection, artist_id) == [release.title for release in expected]


def test_a_process_lists_its_artists_for_an_import(tmp_path):
    path = tmp_path / "artists.txt"
    with process("--artists", "3", "--seed", "apart", "--list", str(path)) as connection:
        listed = [entry.id for entry in read_files([str(path)]).artists]
        assert len(listed) == 3
        assert all(albums(connection, one) for one in listed)


def test_a_process_serves_recorded_rows(tmp_path):
    path = tmp_path / "rows.csv"
    columns = ["artist_id", "artist_name", "release_id", "title", "type", "release_date", "date_precision"]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerow(["a" * 22, "Nightjar", "r" * 22, "Two\nLines", "single", "2019", "year"])
        rows.writerow(["a" * 22, "Nightjar", "s" * 22, "Later", "single", "2019-03-01", "day"])
    with process("--rows", str(path), "--at", "2019-02-01") as connection:
        assert albums(connection, "a" * 22) == ["Two\nLines"]
        ask(connection, "POST", "/_control", b'{"at": "2019-03-01"}')
        assert albums(connection, "a" * 22) == ["Later", "Two\nLines"]
