"""``freshwax init`` and what it reads; and that an advised command means the files that the user's own one meant."""

from __future__ import annotations

import io
import os
import shlex
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.contract.store_words import NOW, A, release, report, save, start, told

from freshwax.cli.main import main
from freshwax.config import load
from freshwax.model import RunStatus
from freshwax.store.sqlite import SQLiteStore

Freshwax = Callable[..., tuple[int, str, str]]
ARTIST = "spotify:artist:" + "1" * 22


@pytest.fixture
def freshwax(capsys: pytest.CaptureFixture[str]) -> Freshwax:
    def run(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def spaced(tmp_path: Path) -> Path:
    """A folder whose name has to be quoted."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    return folder


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="devices")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev"])
def test_a_secret_is_not_read_of_a_device(
    freshwax: Freshwax, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    target = tmp_path / "config.toml"
    code, out, err = freshwax("--config", target, "init", "--client-secret-file", device)
    assert (code, out) == (2, "")
    assert err == f"freshwax: --client-secret-file: cannot read '{device}': not a file.\n"
    assert not target.exists()

    monkeypatch.setenv("FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE", device)
    code, out, err = freshwax("--database", tmp_path / "f.db", "runs")
    assert (code, out) == (2, "")
    assert f"FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE: cannot read '{device}': not a file" in err


def test_no_more_is_read_than_a_secret_has(freshwax: Freshwax, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / "long"
    with long.open("wb") as file:
        file.truncate(1 << 40)
    code, _, err = freshwax("--config", tmp_path / "a.toml", "init", "--client-secret-file", long)
    assert (code, "is too large for a secret" in err) == (2, True)

    with Path("/dev/zero").open(encoding="utf-8") as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        code, _, err = freshwax("--config", tmp_path / "a.toml", "init", "--client-secret-file", "-")
    assert (code, err) == (2, "freshwax: The line on standard input is too long for a secret.\n")
    assert not (tmp_path / "a.toml").exists()

    monkeypatch.setattr(sys, "stdin", io.StringIO("hunter2\nmore\n"))
    assert freshwax("--config", tmp_path / "a.toml", "init", "--client-secret-file", "-")[0] == 0
    assert load(tmp_path / "a.toml", {}).spotify_client_secret.reveal() == "hunter2"


@pytest.mark.skipif(os.name == "nt", reason="modes")
def test_a_secret_that_others_can_read_is_said_to_be_with_what_to_type(freshwax: Freshwax, spaced: Path) -> None:
    secret = spaced / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    target = spaced / "config.toml"
    code, _, err = freshwax("--config", target, "init", "--client-secret-file", secret)
    assert code == 0
    assert f"`chmod 600 '{secret}'`" in err

    target.chmod(0o644)
    code, _, err = freshwax("--config", target, "runs")
    assert code == 2
    assert f"`chmod 600 '{target}'`" in err


@pytest.mark.parametrize(
    ("given", "missing"), [("--client-id", "client_secret"), ("--client-secret-file", "client_id")]
)
def test_what_is_missing_is_named(freshwax: Freshwax, tmp_path: Path, given: str, missing: str) -> None:
    (tmp_path / "value").write_text("hunter2")
    value = tmp_path / "value" if given.endswith("file") else "abc"
    _, _, err = freshwax("--config", tmp_path / "a.toml", "init", given, value)
    assert f"No {missing} yet: put it into the file as well" in err
    assert err.count("client_") == 1


def test_the_next_steps_mean_the_same_files(freshwax: Freshwax, spaced: Path) -> None:
    config, database = spaced / "c.toml", spaced / "f.db"
    code, _, err = freshwax("--config", config, "runs")
    assert code == 2
    [command] = [words for words in err.split("`") if words.startswith("freshwax --config")]
    assert shlex.split(command) == ["freshwax", "--config", str(config), "init"]

    _, _, err = freshwax("--config", config, "--database", database, "init")
    options = f"--config '{config}' --database '{database}'"
    assert f"`freshwax {options} doctor` tests it, `freshwax {options} artists import FILE` adds" in err


def test_hints_and_errors_name_the_database_that_was_given(freshwax: Freshwax, spaced: Path) -> None:
    database = spaced / "f.db"
    hint = f"`freshwax --database '{database}' artists import FILE`"
    assert hint in freshwax("--database", database, "artists", "list")[2]

    assert freshwax("--database", database, "artists", "add", ARTIST)[0] == 0
    assert f"`freshwax --database '{database}' track`" in freshwax("--database", database, "track", "--from-cache")[2]
    out = freshwax("--database", database, "doctor", "--offline")[1]
    assert f"`freshwax --database '{database}' track`" in out
    assert f"`freshwax --database '{database}' init`" not in out
    assert freshwax("--database", database, "artists", "remove", ARTIST)[0] == 0
    assert hint in freshwax("--database", database, "artists", "list")[2]


def test_a_report_names_the_database_that_was_given_but_not_as_data(freshwax: Freshwax, spaced: Path) -> None:
    database = spaced / "f.db"
    with closing(SQLiteStore.open(database)) as store:
        for name in ("one", "two"):
            run = start(store)
            save(store, A, told(release(name, title="`freshwax track`")))
            store.finish_run(replace(run, found=1, status=RunStatus.COMPLETED, finished_at=NOW))
            if name == "one":
                store.tell(report(store, run).id, NOW)
    shown = ("--database", database, "runs", "show")
    hint = f"`freshwax --database '{database}' track --from-cache`"
    assert hint in freshwax(*shown, "2", "--format", "table")[1]
    assert '"`freshwax track`"' in freshwax(*shown, "1", "--format", "json")[1]


def test_advice_that_names_a_database_names_it_once(freshwax: Freshwax, spaced: Path) -> None:
    database = spaced / "f.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    database.write_bytes(bytes(100) + database.read_bytes()[100:])
    _, _, err = freshwax("--database", database, "runs")
    assert f"restore a backup with `freshwax --database '{database}' restore FILE`" in err


def test_without_options_commands_are_advised_as_they_are(freshwax: Freshwax) -> None:
    assert "`freshwax artists import FILE`" in freshwax("artists", "list")[2]
