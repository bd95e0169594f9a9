"""The watch list and the browsing commands, through the command line's own front door."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from freshwax.cli.main import main
from freshwax.demo.api import Manners
from freshwax.demo.builder import WorldBuilder
from freshwax.demo.faults import Status
from freshwax.demo.server import DemoServer

A = "0OdUWJ0sBjDrqHygGUXeCF"
B = "4tZwfgrHOc3mvqYlEYSvVi"


@pytest.fixture
def freshwax(capsys, tmp_path, monkeypatch):
    """Run a command; return exit code, standard output, standard error."""
    monkeypatch.setenv("FRESHWAX_DATABASE", str(tmp_path / "data" / "freshwax.db"))

    def run(*args):
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return ended.value.code, out, err

    return run


@pytest.fixture
def spotify(monkeypatch):
    world = WorldBuilder()
    world.artist("Nightjar")
    world.artist("Low Tide")
    world.artist("Twin", key="1" * 22)
    world.artist("Twin", key="2" * 22)
    world.artist("Nightjar Orchestra")
    with DemoServer(world.build(), datetime.now(UTC)) as server:
        monkeypatch.setenv("FRESHWAX_SPOTIFY_API_URL", server.api_url)
        monkeypatch.setenv("FRESHWAX_SPOTIFY_ACCOUNTS_URL", server.accounts_url)
        monkeypatch.setenv("FRESHWAX_SPOTIFY_CLIENT_ID", server.manners.client_id)
        monkeypatch.setenv("FRESHWAX_SPOTIFY_CLIENT_SECRET", server.manners.client_secret)
        monkeypatch.setenv("FRESHWAX_SPOTIFY_REQUESTS_PER_SECOND", "0")
        yield server


def listed(freshwax, *args):
    code, out, _ = freshwax("artists", "list", "--format", "json", *args)
    assert code == 0
    return {row["id"]: row for row in json.loads(out)}


def test_ids_uris_and_links_are_added_without_a_request(freshwax):
    code, out, err = freshwax(
        "artists", "add", A, f"https://open.spotify.com/intl-de/artist/{B}?si=x", f"spotify:artist:{A}"
    )
    assert (code, out) == (0, "")
    assert err == "added 2, duplicates 1\n"
    assert set(listed(freshwax)) == {A, B}


def test_a_second_import_adds_nothing(freshwax, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(f"# mine\n{A}\n{B}\n")
    assert freshwax("artists", "import", path)[2] == "added 2\n"
    assert freshwax("artists", "import", path)[2] == "added 0, already there 2\n"


def test_one_malformed_line_and_nothing_is_imported(freshwax, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(f"{A}\nspotify:artist:oops\n")
    code, out, err = freshwax("artists", "import", path)
    assert (code, out) == (2, "")
    assert "list.txt, line 2" in err
    assert not (tmp_path / "data").exists()


def test_disable_enable_remove(freshwax):
    freshwax("artists", "add", A, B)
    assert freshwax("artists", "disable", A)[0] == 0
    assert listed(freshwax)[A]["state"] == "disabled"
    assert set(listed(freshwax, "--state", "disabled")) == {A}
    assert freshwax("artists", "enable", A)[0] == 0
    assert listed(freshwax)[A]["state"] == "active"
    freshwax("artists", "disable", A)
    assert freshwax("artists", "add", A, B)[2] == "added 0, enabled again 1, already there 1\n"
    assert freshwax("artists", "remove", A, A)[2] == "Removed 1 artist.\n"
    assert set(listed(freshwax)) == {B}
    assert freshwax("artists", "remove", A)[0] == 2


def test_one_unknown_artist_and_nobody_is_removed(freshwax):
    freshwax("artists", "add", A)
    code, _, err = freshwax("artists", "remove", A, "nobody")
    assert code == 2
    assert "'nobody' is not on the watch list" in err
    assert set(listed(freshwax)) == {A}


def test_names_are_looked_up_and_nothing_is_guessed(freshwax, spotify, tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("nightjar\nTwin\nNobody\nLow Tide\nNIGHTJAR\n")
    code, out, err = freshwax("artists", "import", path)
    assert (code, out) == (3, "")
    assert err.startswith("4 names to look up, one request each.\nadded 2, duplicates 1, to choose 1, not found 1\n")
    assert "Several artists are called 'Twin'" in err
    assert f"https://open.spotify.com/artist/{'1' * 22}  Twin" in err
    assert f"https://open.spotify.com/artist/{'2' * 22}  Twin" in err
    assert "Not found: 'Nobody'" in err
    assert sorted(row["name"] for row in listed(freshwax).values()) == ["Low Tide", "Nightjar"]
    assert len(spotify.requests) == 4

    code, _, err = freshwax("artists", "import", path)
    assert "2 names to look up" in err
    assert "already there 2" in err


def test_nobody_is_checked_where_nobody_is_found(freshwax, spotify, tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("Nobody\nTwin\n")
    code, out, err = freshwax("track", path, "--format", "json")
    assert (code, out) == (2, "")
    assert "Not found: 'Nobody'" in err
    assert err.endswith("freshwax: None of these artists could be found, so nobody was checked.\n")
    assert freshwax("runs", "--format", "json")[1].strip() == "[]"


def test_a_table_without_a_heading_costs_no_request(freshwax, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(f"{A},Someone\n{B},Someone Else\n")
    code, out, err = freshwax("artists", "import", path)
    assert (code, out, err) == (0, "", "added 2\n")
    assert {key: row["name"] for key, row in listed(freshwax).items()} == {A: "Someone", B: "Someone Else"}


def test_names_that_could_not_be_looked_up_share_their_reason(freshwax, spotify):
    spotify.misbehave(Status(503))
    code, _, err = freshwax("artists", "add", "Nightjar", "Low Tide")
    assert code == 3
    assert err.count("HTTP 503") == 1
    assert "Failed: 'Nightjar', 'Low Tide': " in err
    assert err.endswith("; run the same command again.\n")


def test_an_import_that_the_quota_ended_goes_on(freshwax, spotify, tmp_path, monkeypatch):
    path = tmp_path / "names.txt"
    path.write_text("Nightjar\nLow Tide\nNightjar Orchestra\n")
    monkeypatch.setenv("FRESHWAX_SPOTIFY_REQUESTS_PER_DAY", "2")
    code, _, err = freshwax("artists", "import", path)
    assert code == 3
    assert "added 2\n" in err
    assert "1 name left; run the same command again after" in err
    monkeypatch.setenv("FRESHWAX_SPOTIFY_REQUESTS_PER_DAY", "20")
    code, _, err = freshwax("artists", "import", path)
    assert code == 0
    assert "1 name to look up" in err
    assert "added 1, already there 2" in err


def test_names_without_credentials(freshwax):
    code, out, err = freshwax("artists", "add", "Nightjar")
    assert (code, out) == (5, "")
    assert "freshwax init" in err


def test_names_with_wrong_credentials(freshwax, spotify):
    spotify.manners = Manners(client_secret="another")
    code, out, err = freshwax("artists", "add", "Nightjar")
    assert (code, out) == (5, "")
    assert len(err.splitlines()) == 2


def test_doctor_finds_all_well(freshwax, spotify):
    freshwax("artists", "add", "Nightjar")
    code, out, err = freshwax("doctor")
    assert (code, err) == (0, "")
    for name in ("configuration", "database", "disk", "credentials", "clock", "page size", "market"):
        assert f"ok  {name}: " in out


def test_doctor_says_what_to_do(freshwax, spotify, tmp_path):
    spotify.manners = Manners(client_secret="another")
    code, out, _ = freshwax("doctor")
    assert code == 5
    assert "!!  credentials: " in out
    (tmp_path / "data" / "freshwax.db").write_bytes(b"no database at all" * 100)
    code, out, _ = freshwax("doctor", "--offline")
    assert code == 3
    assert "!!  database: " in out


@pytest.mark.skipif(os.name == "nt", reason="modes say nothing there")
@pytest.mark.parametrize("command", [["doctor", "--offline"], ["track"], ["artists", "list"]])
def test_a_configuration_whose_secret_others_can_read_is_refused_with_the_remedy(freshwax, tmp_path, command):
    file = tmp_path / "config.toml"
    file.write_text("[spotify]\nclient_secret = 'hunter2-hunter2'\n")
    file.chmod(0o640)
    code, out, err = freshwax("--config", file, *command)
    assert (code, out) == (2, "")
    assert f"`chmod 600 {file}`" in err
    assert "hunter2" not in err
    file.chmod(0o600)
    assert "chmod" not in freshwax("--config", file, *command)[2]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_doctor_sees_where_it_may_not_write(freshwax, spotify, tmp_path):
    freshwax("artists", "add", A)
    database = tmp_path / "data" / "freshwax.db"
    database.chmod(0o444)
    code, out, _ = freshwax("doctor")
    assert code == 3
    assert f"!!  database: {database} cannot be written: " in out
    database.unlink()
    database.parent.chmod(0o555)
    code, out, _ = freshwax("doctor")
    database.parent.chmod(0o755)
    assert code == 3
    assert f"!!  database: you may not write in {database.parent}: " in out
    assert "credentials" not in out  # the requests could not be counted


def test_a_list_that_names_nobody_says_so(freshwax, tmp_path):
    (tmp_path / "none.txt").write_text("# nobody yet\n\n")
    assert freshwax("artists", "import", tmp_path / "none.txt") == (0, "", "added 0: no artist is named there.\n")
    assert "The watch list is empty: `freshwax artists import FILE`" in freshwax("artists", "list")[2]


def test_browsing_an_empty_store(freshwax):
    freshwax("artists", "add", A)
    assert freshwax("releases", "--format", "json") == (0, "[]\n", "")
    assert freshwax("runs", "--format", "json") == (0, "[]\n", "")
    assert freshwax("releases", "--since", "2026-01-01", "--artist", A, "--kind", "new")[0] == 0
    assert freshwax("runs", "show", "1")[0] == 2
    code, out, _ = freshwax("explain", f"spotify:album:{B}", "--artist", A)
    assert code == 0
    assert out.splitlines()[1] == f"{A}: it was never checked yet; the next run asks."
    assert freshwax("explain", "Some Title")[0] == freshwax("explain", B)[0] == 0
    assert freshwax("explain", "Some Title", "--artist", A)[1].splitlines() == [
        "No check has listed 'Some Title'.",
        "If it exists under another title, ask by its ID or link.",
        f"{A}: it was never checked yet; the next run asks.",
    ]
    assert "is no release" in freshwax("explain", f"spotify:artist:{A}")[2]
    assert freshwax("release-held", A)[2] == f"{A}: nothing is held back.\n"


@pytest.mark.parametrize("args", [["artists", "list"], ["releases"], ["runs"], ["explain", "x"]])
def test_reading_before_there_is_a_database(freshwax, args):
    code, out, err = freshwax(*args)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_a_list_goes_into_a_pipe_whose_reader_has_gone(tmp_path):
    script = "import sys; from freshwax.cli.main import main; main(sys.argv[1:])"
    run = [sys.executable, "-c", script, "--database", str(tmp_path / "x.db"), "artists"]
    subprocess.run([*run, "add", A], check=True, capture_output=True)
    reader, writer = os.pipe()
    os.close(reader)
    lister = subprocess.run([*run, "list"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (lister.returncode, lister.stderr) == (141, "")
