"""What holds for every command: help, errors, exit codes, start-up."""

import os
import re
import stat
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from freshwax import app
from freshwax.cli.main import COMMANDS, cli, main
from freshwax.config import load
from freshwax.errors import AuthError, Busy, CheckError, UsageError


@pytest.fixture
def freshwax(capsys):
    def run(*args):
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        return ended.value.code, *capsys.readouterr()

    return run


def commands(command=cli, path=()):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
def test_every_command_and_option_has_help(path, freshwax):
    code, out, err = freshwax(*path, "--help")
    assert (code, err) == (0, "")
    assert out.startswith("Usage: freshwax")
    command = dict(commands())[path]
    assert command.help
    assert all(param.help for param in command.params if isinstance(param, click.Option))


def test_no_secret_in_any_help(freshwax, monkeypatch):
    monkeypatch.setenv("FRESHWAX_SPOTIFY_CLIENT_SECRET", "hunter2")
    for path, _ in commands():
        assert "hunter2" not in "".join(freshwax(*path, "--help")[1:])


def test_the_overview_is_complete():
    assert all(hasattr(import_module(f"freshwax.cli.{module}"), "command") for module, _ in COMMANDS.values())


def test_a_misspelt_command_is_told_the_nearest(freshwax):
    code, out, err = freshwax("trak")
    assert (code, out) == (2, "")
    assert "Did you mean 'track'?" in err


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["track", "--baseline", "--from-cache"], "exclude each other"),
        (["track", "--baseline", "--incremental"], "exclude each other"),
        (["track", "--since", "2026-01-01"], "--since belongs to --from-cache"),
        (["track", "--from-cache", "--since", "yesterday"], "write it as 2026-03-01"),
        (["track", "--from-cache", "--force"], "--force has no meaning"),
        (["track", "--from-cache", "--budget", "3"], "--budget has no meaning"),
        (["track", "--background", "--from-cache"], "--background has no meaning"),
        (["track", "--background", "--format", "json"], "--background prints nothing"),
        (["track", "--budget", "0"], "--budget"),
        (["track", "--types", "albm"], "--types must be one or more of album, single"),
        (["track", "--kinds", ""], "--kinds must be one or more of new, upcoming"),
        (["track", "--lookback", "-1"], "--lookback must be a whole number"),
        (["track", "--format", "xml"], "'xml' is not one of"),
        (["track", "--output", "/dev/null/x"], "'/dev/null/x' cannot be written: there is no folder '/dev/null'"),
        (["track", "--output", "/"], "'/' is a folder: give --output the path of a file"),
        (["track", "--from-cache", "--output", "/"], "'/' is a folder: give --output the path of a file"),
        (["runs", "show", "1", "--output", "/"], "'/' is a folder: give --output the path of a file"),
        (["track", "--output", "/proc/self/x"], "'/proc/self/x' cannot be written: "),
        (["track", "--output=~/no/x"], "/no/x' cannot be written: there is no folder"),
        (["track", "--output=~nobody-here/x"], "is below a home folder that does not exist"),
        (["track", "/nonexistent/list"], "cannot be read: No such file"),
        (["--config", "/nonexistent", "track"], "There is no configuration file"),
        (["--config", "/", "track"], "'/' is a folder; name a configuration file."),
        (["--database", "postgres://x", "track"], "--database must be a path"),
        (["-q", "-v", "track"], "exclude each other"),
        (["releases", "--since", "x"], "is not a day"),
        (["releases", "--limit", "-1"], "is not a whole number from 0 up"),
        (["releases", "--artist", ""], "An artist cannot be empty text."),
        (["explain", "Ebb", "--artist", " "], "An artist cannot be empty text."),
        (["plan", "--explain", ""], "An artist cannot be empty text."),
        (["profile", ""], "An artist cannot be empty text."),
        (["patterns", "\t"], "An artist cannot be empty text."),
        (["release-held", ""], "An artist cannot be empty text."),
        (["artists", "add", " "], "An artist cannot be empty text."),
        (["runs", "show", "x"], "is not a whole number from 1 up"),
    ],
)
def test_wrong_usage_is_told_and_ends_with_2(freshwax, args, sentence):
    code, out, err = freshwax(*args)
    assert (code, out) == (2, "")
    assert sentence in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("No."), 2),
        (Busy("another run is active"), 4),
        (AuthError("refused"), 5),
        (CheckError("gone\x1b[2J", code="not_found"), 3),
    ],
)
def test_an_expected_error_is_one_sentence_and_its_code(freshwax, monkeypatch, error, code):
    monkeypatch.setattr(app, "open_store", lambda *_, **__: (_ for _ in ()).throw(error))
    ended, out, err = freshwax("runs")
    assert (ended, out) == (code, "")
    assert err.startswith("freshwax: ")
    assert err.endswith(".\n")
    assert "\x1b" not in err
    assert len(err.splitlines()) == 1


def test_a_bug_is_one_line_unless_details_are_asked_for(freshwax, monkeypatch):
    monkeypatch.setattr(app, "open_store", lambda *_, **__: 1 / 0)
    code, out, err = freshwax("runs")
    assert (code, out) == (1, "")
    assert "this is a bug (ZeroDivisionError: division by zero)" in err
    assert len(err.splitlines()) == 1


def test_details_of_a_bug_with_v():
    script = (
        "from freshwax import app; from freshwax.cli.main import main\n"
        "app.open_store = lambda *a, **k: 1 / 0\n"
        "main(['-v', 'runs'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_ctrl_c_ends_with_130(freshwax, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "open_store", interrupted)
    code, out, err = freshwax("runs")
    assert (code, out) == (130, "")
    assert err.strip() == "Stopped."


def test_init_writes_a_private_file_that_works_and_replaces_nothing(freshwax, tmp_path):
    target = tmp_path / "new" / "config.toml"
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    args = ["--config", target, "init", "--client-id", "abc", "--client-secret-file", secret, "--market", "de"]
    code, out, err = freshwax(*args)
    assert (code, out) == (0, "")
    assert "hunter2" not in err
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    config = load(target, {})
    assert (config.market, config.spotify_client_id.reveal()) == ("DE", "abc")
    assert config.spotify_client_secret.reveal() == "hunter2"

    target.write_text("market = 'FR'\n")
    assert freshwax(*args)[0] == 2
    assert load(target, {}).market == "FR"
    assert freshwax(*args, "--force")[0] == 0
    assert load(target, {}).market == "DE"
    assert [path.name for path in target.parent.iterdir()] == ["config.toml"]


def test_init_refuses_what_is_no_country(freshwax, tmp_path):
    target = tmp_path / "config.toml"
    code, _, err = freshwax("--config", target, "init", "--market", "Germany")
    assert code == 2
    assert "--market must be a country code" in err
    assert not target.exists()


def test_init_knows_its_place(freshwax, home):
    assert freshwax("init")[0] == 0
    assert (home / ".config" / "freshwax" / "config.toml").is_file()


def test_init_says_that_credentials_are_missing(freshwax, tmp_path):
    assert "No credentials yet" in freshwax("--config", tmp_path / "a.toml", "init")[2]
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    args = ["init", "--client-id", "abc", "--client-secret-file", secret]
    assert "No credentials yet" not in freshwax("--config", tmp_path / "b.toml", *args)[2]


def test_help_fits_into_80_columns(freshwax):
    for path, _ in commands():
        _, out, _ = freshwax(*path, "--help")
        assert max(map(len, out.splitlines())) <= 80, path
        assert not re.search(r"[a-z,]\.\.\.$", out, re.MULTILINE), path  # click cuts what does not fit


FULL = Path("/dev/full")
PROGRAM = [sys.executable, "-c", "from freshwax.cli.main import main; main()"]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no full device")
@pytest.mark.parametrize("args", [["--help"], ["--version"], ["doctor", "--offline"]])
def test_output_that_has_no_room_is_one_sentence(args):
    with FULL.open("wb") as full:
        done = subprocess.run([*PROGRAM, *args], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "freshwax: The output cannot be written: No space left on device.\n")


@pytest.mark.parametrize("args", [["--help"], ["doctor", "--offline"]])
def test_a_closed_standard_output_is_one_sentence(args):
    done = subprocess.run(["/bin/sh", "-c", 'exec "$@" >&-', "sh", *PROGRAM, *args],
                          stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "freshwax: The output cannot be written: Bad file descriptor.\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["track", "-"], "No artist is named there, so nobody was checked"),
        (["init", "--client-id", "x", "--client-secret-file", "-"], "Standard input holds no secret."),
    ],
)
def test_a_closed_standard_input_holds_nothing(args, said):
    done = subprocess.run(["/bin/sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM, *args],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_folder_that_is_gone_is_one_sentence(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "$@"'
    for args in (["backup", "x"], ["track", "--from-cache", "--output", "y"], ["restore", "z"]):
        done = subprocess.run(["/bin/sh", "-c", script, "sh", *PROGRAM, *args],
                              capture_output=True, text=True, check=False)  # fmt: skip
        gone.mkdir()
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert "The folder that freshwax was started in is gone" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_init_where_nobody_may_write(freshwax, tmp_path):
    tmp_path.chmod(0o500)
    code, _, err = freshwax("--config", tmp_path / "config.toml", "init")
    assert code == 2
    assert "Permission denied" in err


def test_track_from_cache_starts_without_the_heavy_libraries(tmp_path):
    script = (
        "import sys\n"
        "from freshwax.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx2', 'asyncio', 'rich', 'numpy', 'shutil', 'dataclasses'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    run = [sys.executable, "-c", script, "--database", str(tmp_path / "x.db")]
    subprocess.run([*run, "artists", "add", "4tZwfgrHOc3mvqYlEYSvVi"], check=True, capture_output=True)
    for args in (["track", "--from-cache"], ["releases", "--since", "2026-01-01"]):
        done = subprocess.run([*run, *args], capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_the_program_leaves_at_once_but_loses_nothing(tmp_path):
    program = [sys.executable, "-c", "from freshwax.cli.main import run; run()"]
    env = dict(os.environ, FRESHWAX_DATABASE=str(tmp_path / "x.db"))
    ids = [f"{number:022}" for number in range(500)]

    added = subprocess.run([*program, "artists", "add", *ids], env=env, capture_output=True, text=True, check=False)
    listed = subprocess.run([*program, "artists", "list"], env=env, capture_output=True, text=True, check=False)
    wrong = subprocess.run([*program, "trakc"], env=env, capture_output=True, text=True, check=False)

    assert (added.returncode, listed.returncode, wrong.returncode) == (0, 0, 2)
    assert len(listed.stdout.splitlines()) == 1 + len(ids)
    assert "Did you mean 'track'?" in wrong.stderr
