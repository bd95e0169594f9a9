"""``freshwax doctor`` as a health check: one object, every key always there, an exit code to act on, no secret."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.e2e.user import User, at, on

from freshwax.checkup import look
from freshwax.config import load
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import QuotaSpent, Status, TokenRefused
from freshwax.demo.server import DemoServer
from freshwax.model import ArtistState, Mode
from freshwax.quota import QUOTA_EXCEEDED, Cooldown
from freshwax.store import migrate
from freshwax.store.lock import RunLock
from freshwax.store.sqlite import SQLiteStore

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


def health(user: User, *args: str, code: int = 0, **env: str) -> dict[str, Any]:
    done = user.run("doctor", "--json", *args, **env)
    assert (done.code, done.err) == (code, "")
    found = json.loads(done.out)
    assert isinstance(found, dict)
    assert found["exit_code"] == code
    assert found["status"] == {0: "healthy", 3: "attention", 5: "credentials"}[code]
    secret = user.env.get("FRESHWAX_SPOTIFY_CLIENT_SECRET")
    assert not secret or secret not in done.out
    assert bool(code) == any(one["code"] for one in found["findings"])
    return found


def finding(found: dict[str, Any], name: str) -> dict[str, Any]:
    [one] = [one for one in found["findings"] if one["name"] == name]
    return dict(one)


def keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    if isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_all_is_well(user: User, learnt: list[ArtistHandle]) -> None:
    assert user.track().code == 0
    user.run("backup", user.folder / "safe.bak")
    found = health(user)

    assert found["database"]["status"] == "sound"
    assert found["database"]["schema"] == found["database"]["latest_schema"] == max(migrate.migrations())
    assert found["artists"] == {"active": 6, "disabled": 0, "gone": 0, "learnt": 6, "failing": 0}
    assert (found["last_run"]["status"], found["last_run"]["exit_code"]) == ("completed", 0)
    assert 0 <= found["last_run"]["age_seconds"] < 60
    assert found["coverage"]["checked"] == found["coverage"]["artists"] == 6
    assert 0 <= found["oldest_check"]["age_seconds"] < 60
    assert found["quota"]["left"] == found["quota"]["requests_per_day"] - found["quota"]["requests_last_24_hours"]
    assert found["credentials"] == {"client_id": True, "client_secret": True, "accepted": True}
    assert found["backup"]["path"] == str(user.folder / "safe.bak")
    assert all(one["ok"] for one in found["findings"])


def test_every_key_is_explained_in_the_readme(user: User, learnt: list[ArtistHandle]) -> None:
    user.run("backup", user.folder / "safe.bak")
    found = health(user, "--offline")

    [shape] = re.findall(r"```\n(\{\"status\".*?)```", README, re.DOTALL)
    assert set(re.findall(r'"(\w+)"', shape)) >= set(keys(found))


def test_offline_asks_nobody(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    found = health(user, "--offline")

    assert server.log == []
    assert found["credentials"]["accepted"] is None
    assert found["backup"] is None
    assert finding(found, "backup") == {
        "name": "backup", "ok": True, "code": 0, "text": "none known: `freshwax backup FILE` makes one",
    }  # fmt: skip


def test_nothing_is_there_yet(user: User) -> None:
    found = health(user, "--offline")

    assert found["database"]["status"] == "missing"
    assert [found[key] for key in ("artists", "last_run", "coverage", "oldest_check", "quota")] == [None] * 5
    assert not user.database.exists()


def test_credentials_that_are_missing_or_refused(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    missing = health(user, "--offline", code=5, FRESHWAX_SPOTIFY_CLIENT_SECRET="")
    assert missing["credentials"] == {"client_id": True, "client_secret": False, "accepted": None}
    server.misbehave(TokenRefused(), where="token")
    refused = health(user, code=5)
    assert refused["credentials"] == {"client_id": True, "client_secret": True, "accepted": False}


def test_a_run_that_could_not_check_everybody(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    server.misbehave(Status(500), artist=learnt[0].id)
    assert user.track().code == 3
    found = health(user, "--offline", code=3)

    assert (found["last_run"]["status"], found["last_run"]["exit_code"]) == ("partial", 3)
    assert found["coverage"]["failed"] == found["artists"]["failing"] == 1
    assert "partial" in finding(found, "last run")["text"]


def test_a_job_that_no_longer_runs(user: User, learnt: list[ArtistHandle]) -> None:
    assert health(user, "--offline", FRESHWAX_CHECK_INTERVAL="7")["last_run"]["age_seconds"] > 6 * 86400
    found = health(user, "--offline", code=3, FRESHWAX_CHECK_INTERVAL="5")
    assert "does cron, or whatever starts it, still run?" in finding(found, "last run")["text"]


def test_artists_that_were_not_checked_for_too_long(user: User, learnt: list[ArtistHandle]) -> None:
    found = health(user, "--offline", code=3, FRESHWAX_CHECK_INTERVAL="1", FRESHWAX_MAX_INTERVAL="6")
    assert finding(found, "checks")["code"] == 3


def test_a_run_that_hangs_or_was_killed(user: User, learnt: list[ArtistHandle]) -> None:
    with closing(SQLiteStore.open(user.database)) as store:
        store.start_run(Mode.INCREMENTAL, "US", on(-2))
    found = health(user, "--offline", code=3)
    assert (found["last_run"]["status"], found["last_run"]["exit_code"]) == ("failed", 1)
    assert "killed, or the machine went down" in finding(found, "last run")["text"]
    with RunLock(user.database, on(-2)):
        found = health(user, "--offline", code=3)
    assert (found["last_run"]["status"], found["last_run"]["exit_code"]) == ("running", None)
    assert "killed, or it hangs" in finding(found, "last run")["text"]


def test_a_pause_that_the_service_asked_for(user: User, learnt: list[ArtistHandle]) -> None:
    with closing(SQLiteStore.open(user.database)) as store:
        store.set_cooldown(Cooldown("spotify", at(5), QUOTA_EXCEEDED, since=at(-1)))
    found = health(user, "--offline", code=3)

    assert found["quota"]["left"] == 0
    assert found["quota"]["paused_until"] == at(5).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found["quota"]["paused_why"] == QUOTA_EXCEEDED


def test_a_quota_that_is_spent(user: User, learnt: list[ArtistHandle]) -> None:
    assert user.track().code == 0
    for more in ("--offline",), ():
        found = health(user, *more, code=3, FRESHWAX_SPOTIFY_REQUESTS_PER_DAY="3")
        assert (found["quota"]["left"], found["quota"]["paused_why"]) == (0, "quota")
        assert abs(datetime.fromisoformat(found["quota"]["paused_until"]) - at(24)) < timedelta(hours=1)
        (said,) = (one["text"] for one in found["findings"] if one["name"] == "quota")
        assert "of 3 requests of the last 24 hours sent: your limit is reached until" in said


def test_a_pause_that_the_doctor_is_told_itself(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    server.misbehave(QuotaSpent(40_000), times=1)
    found = health(user, code=3)
    assert (found["quota"]["left"], found["quota"]["paused_why"]) == (0, QUOTA_EXCEEDED)
    assert found["quota"]["paused_until"]
    (said,) = (one["text"] for one in found["findings"] if one["name"] == "quota")
    assert said.startswith("Spotify is paused until")


def spoil(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(4096 * 6)
        file.write(b"\xa5" * 4096)


def make_newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 999")


@pytest.mark.parametrize(
    ("harm", "status", "words"),
    [
        (spoil, "damaged", "is damaged: restore"),
        (lambda path: path.write_text("Dear diary"), "unusable", "not a database"),
        (make_newer, "unusable", "newer freshwax"),
    ],
    ids=["damaged", "no database", "newer"],
)
def test_a_database_that_cannot_be_used(
    user: User, server: DemoServer, learnt: list[ArtistHandle], harm: Any, status: str, words: str
) -> None:
    harm(user.database)
    found = health(user, code=3)

    assert found["database"]["status"] == status
    assert bool(found["database"]["problems"]) == (status == "damaged")
    assert words in finding(found, "database")["text"]
    assert found["artists"] is None
    assert server.log == [], "requests could not be counted"


def test_a_damaged_database_is_named_with_the_backup_that_helps(user: User, learnt: list[ArtistHandle]) -> None:
    safe = user.folder / "safe.bak"
    user.run("backup", safe)
    spoil(user.database)
    found = health(user, "--offline", code=3)

    assert f"restore {safe}`" in finding(found, "database")["text"]
    assert found["backup"]["path"] == str(safe)


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
def test_a_configuration_that_others_can_read_is_no_healthy_one(user: User, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("market = 'SE'\n")
    for mode, private in ((0o600, True), (0o644, False)):
        file.chmod(mode)
        found = health(user, "--offline", FRESHWAX_CONFIG=str(file))
        assert found["configuration"] == {"file": str(file), "private": private}
    file.write_text("[spotify]\nclient_secret = 'tell-nobody'\n")
    file.chmod(0o644)
    done = user.run("doctor", "--json", "--offline", FRESHWAX_CONFIG=str(file))
    assert done.code == 2
    assert "tell-nobody" not in done.out + done.err


@pytest.mark.parametrize(("free", "code"), [(99_000_000, 3), (101_000_000, 0)])
def test_a_disk_that_is_almost_full_asks_for_attention(
    user: User, learnt: list[ArtistHandle], monkeypatch: pytest.MonkeyPatch, free: int, code: int
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    found = look(load(env=user.environment()), datetime.now(UTC), offline=True)
    assert found.exit_code == code
    assert any(one.name == "disk" and bool(one.code) == bool(code) for one in found.findings)


def test_removed_and_disabled_artists_are_not_waited_for(user: User, learnt: list[ArtistHandle]) -> None:
    with closing(SQLiteStore.open(user.database)) as store:
        first, second, *_ = store.artists()
        store.set_state(first.ref, ArtistState.DISABLED)
        store.set_state(second.ref, ArtistState.REMOVED)
    found = health(user, "--offline")
    assert (found["artists"]["active"], found["artists"]["disabled"]) == (4, 1)


def test_a_backup_that_was_cut_short_is_not_counted_on(user: User, learnt: list[ArtistHandle]) -> None:
    old, new = user.folder / "old.bak", user.folder / "new.bak"
    user.run("backup", old)
    user.run("backup", new)
    new.write_bytes(new.read_bytes()[:8192])
    found = health(user, "--offline", code=3)
    assert f"{new} is damaged" in finding(found, "backup")["text"]
    assert str(old) in finding(found, "backup")["text"]
    assert found["backup"]["path"] == str(old)

    old.unlink()
    found = health(user, "--offline", code=3)
    assert found["backup"] is None
    new.unlink()
    assert health(user, "--offline")["backup"] is None


def test_a_backup_that_is_not_there_now_is_named(user: User, learnt: list[ArtistHandle]) -> None:
    away = user.folder / "drive" / "safe.bak"
    away.parent.mkdir()
    user.run("backup", away)
    away.parent.rename(user.folder / "unplugged")
    found = health(user, "--offline")
    assert found["backup"] is None
    assert re.search(rf"the last one, .* {away}, is not there now", finding(found, "backup")["text"])


def test_checks_of_a_time_in_the_future_are_named(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.learnt(world, server, birds, days=-2)
    said = finding(health(user, "--offline", code=3), "checks")["text"]
    assert "6 checks are stored with a time in the future" in said
    assert "clock" in said


def test_an_empty_file_is_no_database_yet(user: User) -> None:
    user.database.touch()
    assert health(user, "--offline")["database"]["status"] == "missing"
    for command in (("runs",), ("backup", user.folder / "safe.bak"), ("doctor", "--repair")):
        done = user.run(*command)
        assert (done.code, done.out) == (2, "")
        assert "no database at" in done.err
        assert "yet" in done.err
    assert user.run("artists", "add", "spotify:artist:" + "1" * 22).code == 0


@pytest.mark.parametrize("backed", [True, False])
def test_a_database_without_its_head_is_told_alike_by_every_command(
    user: User, learnt: list[ArtistHandle], backed: bool
) -> None:
    if backed:
        user.run("backup", user.folder / "safe.bak")
    with user.database.open("r+b") as file:
        file.write(bytes(512))
    size = user.database.stat().st_size
    found = health(user, "--offline", code=3)

    assert found["database"]["status"] == ("damaged" if backed else "unusable")
    assert found["database"]["bytes"] == size
    said = finding(found, "database")["text"]
    for command in (("track",), ("doctor", "--repair"), ("backup", user.folder / "x.bak")):
        done = user.run(*command)
        assert done.code == 2
        assert said in done.err
    assert "is damaged" in said
    assert "restore" in said


def test_repair_stands_alone(user: User) -> None:
    done = user.run("doctor", "--repair", "--json")
    assert (done.code, done.out) == (2, "")
    assert "--repair stands alone" in done.err
