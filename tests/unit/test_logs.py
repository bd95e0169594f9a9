"""What a log holds: a record a line, without secrets, for people or for programs; in a file of its owner's."""

import json
import logging
import os
import re
import stat
import sys

import pytest

from freshwax.cli.logs import LARGEST, log_to_file, log_to_people
from freshwax.config import load

HOSTILE = "Tern\n2026-01-01T00:00:00Z INFO freshwax: all is well\x1b[2J \u202e \ud800"


@pytest.fixture
def logger():
    """Our logger; what a test attaches is taken away again."""
    root, own = logging.getLogger(), logging.getLogger("freshwax")
    before, level = root.handlers[:], own.level
    yield own.getChild("tracking.run")
    for handler in root.handlers[:]:
        if handler not in before:
            root.removeHandler(handler)
            handler.close()
    own.setLevel(level)


@pytest.fixture
def written(tmp_path, logger):
    """Log to a file by these settings; returns what then stands in it, without its last line break."""

    def write(log, **env):
        config = load(env={f"FRESHWAX_{name.upper()}": value for name, value in env.items()})
        log_to_file(config, tmp_path / "logs" / "x.log")
        log(logger)
        text = (tmp_path / "logs" / "x.log").read_text(encoding="utf-8")
        assert text.endswith("\n")
        return text[:-1]

    return write


def test_a_line_of_text_says_when_in_utc_how_grave_and_who(written):
    text = written(lambda logger: logger.warning("%d failed", 3))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ WARNING freshwax.tracking.run: 3 failed", text)


def test_an_object_a_line_says_the_same_to_programs(written):
    entry = json.loads(written(lambda logger: logger.info("begins", extra={"run_id": 7}), log_format="json"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
    assert entry == {"level": "info", "logger": "freshwax.tracking.run", "message": "begins", "run_id": 7}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_text_begins_a_line_of_its_own_or_steers_a_terminal(written, log_format):
    text = written(lambda logger: logger.warning("%s failed", HOSTILE), log_format=log_format)
    assert len(text.splitlines()) == 1
    assert text.isprintable()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_cannot_be_taken_for_records(written, log_format):
    def log(logger):
        logger.error("stumbled", exc_info=ValueError(HOSTILE))

    first, *rest = written(log, log_format=log_format).splitlines()
    assert "stumbled" in first
    assert all(line.startswith("    ") for line in rest)
    if log_format == "json":
        assert "ValueError: Tern" in json.loads(first)["exception"]
        assert not rest


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_secret_that_somebody_logs_is_masked(written, log_format):
    env = {"spotify_client_secret": "hunter2-hunter2", "heartbeat_url": "https://hc.test/hunter2"}

    def log(logger):
        failure = ValueError("https://hc.test/hunter2/start failed")
        logger.error("sent %s", "hunter2-hunter2", exc_info=failure)

    text = written(log, log_format=log_format, **env)
    assert "hunter2" not in text
    assert "sent ***" in text


def test_the_level_is_the_least_that_is_kept(written):
    def log(logger):
        logger.info("small")
        logger.error("great")

    assert "small" not in written(log, log_level="error")


@pytest.mark.skipif(os.name == "nt", reason="modes say nothing there")
def test_the_file_its_folder_and_its_predecessors_are_private(written, tmp_path):
    before = os.umask(0)
    try:
        written(lambda logger: [logger.info("x" * (LARGEST // 3)) for _ in range(4)])
    finally:
        os.umask(before)
    folder = tmp_path / "logs"
    assert {"x.log", "x.log.1"} <= {path.name for path in folder.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(("detailed", "shown"), [(False, False), (True, True)])
def test_standard_error_shows_details_when_asked_to(logger, capsys, monkeypatch, detailed, shown):
    log_to_people(load(env={}), detailed=detailed)
    logging.getLogger().handlers[-1].setStream(sys.stderr)
    logger.debug("a detail")
    logger.info("begins")
    logging.getLogger("httpcore2.http11").debug("Authorization: Bearer x")
    err = capsys.readouterr().err
    assert ("DEBUG freshwax.tracking.run: a detail\n" in err) is shown
    assert err.endswith("INFO freshwax.tracking.run: begins\n")
