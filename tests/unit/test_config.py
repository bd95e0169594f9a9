import contextlib
import os
import tomllib
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from freshwax.config import SETTINGS, Config, default_file, example, load
from freshwax.errors import UsageError
from freshwax.model import Group, Kind
from freshwax.secret import Secret

posix = pytest.mark.skipif(os.name == "nt", reason="modes say nothing there")
NOWHERE = {"XDG_CONFIG_HOME": "/nonexistent"}


@pytest.fixture(autouse=True)
def _no_own_config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "empty"))


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    return write


def test_every_setting_is_a_field_and_every_field_a_setting():
    names = set(Config.__struct_fields__) - {"file", "warnings", "usual"}
    assert {setting.attribute for setting in SETTINGS} == names


def test_defaults():
    config = load(env={})
    assert (config.concurrency, config.check_interval, config.max_interval) == (8, 7, 90)
    assert (config.audit_interval, config.lookback, config.fresh_for) == (180, 90, 12)
    assert config.types == (Group.ALBUM, Group.SINGLE)
    assert config.kinds == tuple(Kind)
    assert (config.spotify_requests_per_day, config.spotify_requests_per_second) == (580, 5)
    assert config.spotify_page_size == 10
    assert config.database_path.name == "freshwax.db"


def test_precedence_is_command_line_environment_file_default(write):
    file = write('market = "DE"\nconcurrency = 2\nlookback = 30\n')
    env = {"FRESHWAX_MARKET": "at", "FRESHWAX_CONCURRENCY": "3"}
    config = load(file, env, {"market": "ch"})
    assert (config.market, config.concurrency, config.lookback) == ("CH", 3, 30)


def test_the_file_may_be_named_in_the_environment(write):
    assert load(env={"FRESHWAX_CONFIG": str(write('market = "DE"'))}).market == "DE"


@pytest.mark.parametrize(
    ("env", "market"),
    [
        ({"LANG": "de_AT.UTF-8"}, "AT"),
        ({"LC_ALL": "pt_BR", "LANG": "de_AT.UTF-8"}, "BR"),
        ({"LANG": "C.UTF-8"}, "US"),
        ({}, "US"),
    ],
)
def test_the_market_comes_from_the_locale(env, market):
    assert load(env=env).market == market


def test_secrets_come_from_files_and_under_the_names_that_spotipy_uses(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    config = load(env={"SPOTIPY_CLIENT_ID": "abc", "FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE": str(secret)})
    assert config.spotify_client_id.reveal() == "abc"
    assert config.spotify_client_secret.reveal() == "hunter2"
    assert "hunter2" not in repr(config)
    assert "hunter2" not in f"{config.spotify_client_secret}"


def test_own_names_win_over_those_of_spotipy():
    env = {"SPOTIPY_CLIENT_ID": "theirs", "FRESHWAX_SPOTIFY_CLIENT_ID": "ours"}
    assert load(env=env).spotify_client_id == Secret("ours")


@pytest.mark.parametrize("name", ["SPOTIFY_CLIENT_SECRET", "SPOTIFY_CLIENT_ID", "HEARTBEAT_URL"])
def test_a_secret_and_a_file_with_it_exclude_each_other_in_the_environment(name, tmp_path):
    with pytest.raises(UsageError, match=f"FRESHWAX_{name} and FRESHWAX_{name}_FILE are both set: remove one of them"):
        load(env={f"FRESHWAX_{name}": "https://a.example/x", f"FRESHWAX_{name}_FILE": str(tmp_path / "secret")})
    assert load(env={f"FRESHWAX_{name}": "https://a.example/x", f"FRESHWAX_{name}_FILE": ""})


def test_an_empty_variable_counts_as_not_set():
    assert load(env={"FRESHWAX_MARKET": "", "FRESHWAX_CONCURRENCY": ""}).concurrency == 8


def test_a_misspelt_variable_is_warned_of():
    assert "FRESHWAX_MARKET?" in load(env={"FRESHWAX_MARKT": "DE"}).warnings[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('\nmarkt = "DE"', "line 2: 'markt' is not a setting; did you mean 'market'?"),
        ('client_id = "x"', "line 1: 'client_id' is not a setting; did you mean 'spotify.client_id'?"),
        ('[spotify]\nmarket = "DE"', "'spotify.market' is not a setting; did you mean 'market'? It belongs above"),
        ("[spotify]\n\npage_size = 7", "line 3: spotify.page_size must be a whole number from 10 to 50, not 7."),
        ("spotify.page_size = 51", "line 1: spotify.page_size must be a whole number from 10 to 50"),
        ('concurrency = "8"', "line 1: concurrency must be written as a number"),
        ("concurrency = true", "line 1: concurrency must be a whole number"),
        ("fresh_for = 1.5", "line 1: fresh_for must be a whole number"),
        ("requests = 1", "'requests' is not a setting"),
        ('types = ["albm"]', "line 1: types must be one or more of album, single, compilation, appears_on"),
        ("types = []", "line 1: types must be one or more of"),
        ('market = "UK"', "the United Kingdom is GB"),
        ('market = "Germany"', "a country code of two letters"),
        ("[spotify]\nrequests_per_second = 0.01", "must be 0 or a number from 0.1 to 1000, not 0.01."),
        ('database = "postgresql://db"', "line 1: database must be a path or sqlite:///path"),
        ("[spotify]\nclient_secret = 5", "line 2: spotify.client_secret must be written as text in quotes"),
        ('[spotify]\napi_url = "spotify.com"', "line 2: spotify.api_url must be an address"),
        (
            'spotify.api_url = "http://api.test/v1"',
            "line 1: spotify.api_url must be an address that begins with https://",
        ),
        ('spotify.accounts_url = "http://127.0.0.1.evil.test"', "http:// is for this machine only"),
        ('spotify.api_url = "https://api.test:x/v1"', "line 1: spotify.api_url must be an address"),
        (
            'heartbeat_url = "http://hc.test/secret-path"',
            "line 1: heartbeat_url must be an address that begins with https",
        ),
        ('heartbeat_url = "hc.test/secret-path"', "line 1: heartbeat_url must be a whole address"),
        ('heartbeat_partial = "fial"', "line 1: heartbeat_partial must be one of success, log, fail"),
        ('log_format = "xml"', "line 1: log_format must be one of text, json"),
        ('spotify.client_secret_file = "none"', "line 1: spotify.client_secret_file: cannot read"),
        ('spotify.market_file = "x"', "'spotify.market_file' is not a setting"),
        ("spotify = 4", "'spotify' is not a setting"),
        ("[zzzzzz]\nx = 1", "'zzzzzz' is not a setting; known are database,"),
        ("a = ", "not valid TOML"),
        (
            "check_interval = 30\nmax_interval = 7",
            "line 1: check_interval (30 days) must not be longer than max_interval (7",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(write, text, sentence):
    with pytest.raises(UsageError) as caught:
        load(write(text), {})
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_secret_is_never_quoted_in_an_error(write):
    with pytest.raises(UsageError) as caught:
        load(write('[spotify]\nclient_secret = "hunter2 oops"'), {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'heartbeat_url = "http://hc.test/hunter2"',
        'heartbeat_url = "https://hc.test/hunter2 oops"',
        'spotify.api_url = "https://me:hunter2@api.test"',
        'spotify.api_url = "https://me:hun@hunter2@api.test"',
        'spotify.api_url = "https://me:hun/hunter2@api.test"',
    ],
)
def test_no_part_of_an_address_that_is_secret_is_quoted(write, text):
    with pytest.raises(UsageError) as caught:
        load(write(text), {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]:1/v1"])
def test_plain_http_is_for_this_machine(url):
    assert load(env={"FRESHWAX_SPOTIFY_API_URL": url}).spotify_api_url == url


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_file_with_a_secret_is_for_its_owner_only(write, mode):
    path = write("[spotify]\nclient_secret = 'hunter2'")
    path.chmod(mode)
    with pytest.raises(UsageError, match=f"spotify.client_secret.*`chmod 600 {path}`") as caught:
        load(path, {})
    assert "hunter2" not in str(caught.value)


@posix
def test_a_file_without_a_secret_may_be_read_by_anybody(write, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    path = write("market = 'DE'\n[spotify]\nclient_id = ''\nclient_secret_file = 'secret'\n")
    path.chmod(0o644)
    config = load(path, {})
    assert (config.market, config.spotify_client_secret.reveal(), config.warnings) == ("DE", "hunter2", ())


def test_a_secret_and_its_file_contradict_each_other(write, tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    with pytest.raises(UsageError, match="are both set"):
        load(write("[spotify]\nclient_secret = 'x'\nclient_secret_file = 'secret'\n"), {})


@posix
def test_a_file_with_nothing_but_a_secret_that_others_can_read_is_warned_of(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o444)
    config = load(env={"FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE": str(secret)})
    assert config.spotify_client_secret.reveal() == "hunter2"
    assert config.warnings == (f"Others on this machine can read the secret in {secret}: `chmod 600 {secret}`.",)


@posix
def test_a_secret_may_come_through_a_pipe():
    reader, writer = os.pipe()
    os.write(writer, b"hunter2\n")
    os.close(writer)
    config = load(env={"FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE": f"/dev/fd/{reader}"})
    os.close(reader)
    assert (config.spotify_client_secret.reveal(), config.warnings) == ("hunter2", ())


@pytest.mark.parametrize(
    ("text", "words"), [(" \n", "is empty"), ("x" * 100_000, "too large"), (b"\xff", "not a text")]
)
def test_a_file_that_holds_no_secret_is_one_sentence(tmp_path, text, words):
    secret = tmp_path / "secret"
    secret.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=f"FRESHWAX_HEARTBEAT_URL_FILE: .*{words}"):
        load(env={"FRESHWAX_HEARTBEAT_URL_FILE": str(secret)})


def test_what_is_wrong_in_the_environment_names_the_variable():
    with pytest.raises(UsageError, match="FRESHWAX_CONCURRENCY must be a whole number from 1 to 64, not 'many'"):
        load(env={"FRESHWAX_CONCURRENCY": "many"})


def test_a_secret_file_that_is_missing_is_one_sentence():
    with pytest.raises(UsageError, match="FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE: cannot read '/nonexistent'"):
        load(env={"FRESHWAX_SPOTIFY_CLIENT_SECRET_FILE": "/nonexistent"})


def test_a_file_that_was_asked_for_and_is_missing(tmp_path):
    with pytest.raises(UsageError, match="There is no configuration file"):
        load(tmp_path / "none.toml", {})


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"\x00\xff\xfe")
    with pytest.raises(UsageError, match="not a text file"):
        load(path, {})


def test_paths_in_the_file_are_relative_to_it(write, tmp_path):
    assert load(write('database = "music.db"'), {}).database_path == tmp_path / "music.db"


@pytest.mark.parametrize(
    ("text", "path"), [("x.db", "x.db"), ("sqlite:///x.db", "x.db"), ("sqlite:////var/x.db", "/var/x.db")]
)
def test_a_database_is_a_path_or_an_address(text, path):
    assert load(env={"FRESHWAX_DATABASE": text}).database_path == Path(path)


@pytest.mark.parametrize("text", [":memory:", "sqlite:///:memory:"])
def test_a_database_outlasts_the_run(text):
    with pytest.raises(UsageError, match=r"FRESHWAX_DATABASE.*must outlast the run"):
        load(env={"FRESHWAX_DATABASE": text})


def test_the_example_changes_nothing_and_neither_do_its_lines_when_the_mark_is_removed(write):
    plain = load(env={})
    assert replace(load(write(example()), {}), file=None, usual=True) == plain
    lines = [line.removeprefix("# ") if " = " in line else line for line in example().splitlines()]
    text = "\n".join(lines)
    assert replace(load(write(text), {}), file=None, usual=True) == plain
    tables = tomllib.loads(text)
    names = {k for k, value in tables.items() if not isinstance(value, dict)}
    names |= {f"{table}.{k}" for table, inner in tables.items() if isinstance(inner, dict) for k in inner}
    assert names == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("days", ["0", "90", "36500"])
def test_details_of_releases_are_kept_for_good_or_for_a_while(write, days):
    assert load(env={"FRESHWAX_RETENTION_RELEASES": days}).retention_releases == int(days)
    assert load(write(f"[retention]\nreleases = {days}\n"), {}).retention_releases == int(days)


@pytest.mark.parametrize("days", ["89", "-1", "1.5", "true", "36501"])
def test_details_that_would_be_dropped_too_soon_are_refused(write, days):
    with pytest.raises(UsageError, match=r"must be (0 or a whole number from 90 to 36500|written as a number)"):
        load(write(f"[retention]\nreleases = {days}\n"), {})
    with pytest.raises(UsageError, match="RETENTION_RELEASES must be 0 or a whole number from 90 to 36500, not"):
        load(env={"FRESHWAX_RETENTION_RELEASES": days})


def test_the_example_sets_what_it_is_given(write):
    config = load(write(example({"market": "DE", "spotify.client_secret": Secret('a"b\\c')})), {})
    assert config.market == "DE"
    assert config.spotify_client_secret.reveal() == 'a"b\\c'


@pytest.mark.parametrize("named", [None, "/elsewhere", "relative", " "])
def test_files_are_where_the_platform_has_them(monkeypatch, named):
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
        if named is not None:
            monkeypatch.setenv(variable, named)
    if named != "relative":  # the specification says to ignore it; platformdirs does not
        assert default_file() == platformdirs.user_config_path("freshwax", appauthor=False) / "config.toml"
        assert load(env={}).database_path == platformdirs.user_data_path("freshwax", appauthor=False) / "freshwax.db"
    assert default_file().is_absolute()


@given(st.sampled_from(SETTINGS), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_no_text_in_a_variable_crashes(setting, text):
    with contextlib.suppress(UsageError):
        load(env={**NOWHERE, setting.env: text})


WITH_PASSWORDS = [
    "postgresql://joe:hunter2@db.test/x",
    "postgresql://joe:hunt er2@db.test/x",
    "postgresql://joe:hunt@er2@db.test/x",
    "postgresql://joe:hunt'er2\"@db.test/x",
    "postgresql://joe:hunter2\\@db.test/x",
    f"postgresql://joe:{'hunter2' * 40}@db.test/x",
    "postgresql:/joe:hunter2@db.test/x",
    "joe:hunter2@db.test:x",
]
NOT_FOR_ADDRESSES = ["database", "spotify.api_url", "market", "types", "log_level"]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (name, address)
        for name in NOT_FOR_ADDRESSES
        for address in WITH_PASSWORDS
        if name != "database" or ":/" in address  # else it is the path of a file
    ],
)
def test_the_password_of_an_address_is_never_quoted_in_an_error(name, address, write):
    variable = "FRESHWAX_" + name.upper().replace(".", "_")
    written = address.replace("\\", "\\\\").replace('"', '\\"')
    value = f'["{written}"]' if name == "types" else f'"{written}"'
    for attempt in (
        lambda: load(env={variable: address}),
        lambda: load(write(f"{name} = {value}"), {}),
        lambda: load(env={}, overrides={name: address}),
    ):
        with pytest.raises(UsageError) as caught:
            attempt()
        told = str(caught.value)
        assert [part for part in ("joe", "hunt", "er2") if part in told] == []
        assert len(told) < 500


def test_what_else_is_wrong_is_still_quoted():
    with pytest.raises(UsageError, match=r"not 'postgresql://\*\*\*@db.test/x'"):
        load(env={"FRESHWAX_DATABASE": "postgresql://joe:hunter2@db.test/x"})
    with pytest.raises(UsageError, match="not 'Germany'"):
        load(env={"FRESHWAX_MARKET": "Germany"})
    with pytest.raises(UsageError, match=r"not 'postgresql://db\.test/x'"):
        load(env={"FRESHWAX_DATABASE": "postgresql://db.test/x"})
