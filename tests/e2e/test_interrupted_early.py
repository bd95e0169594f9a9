"""Ctrl-C while the program is still being loaded: it ends without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.e2e.user import User

from freshwax.demo.builder import ArtistHandle

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to a process")


# What is imported on the way from the first instruction to the first request.
ON_THE_WAY = ["signal", "freshwax.cli.main", "click", "msgspec", "freshwax.cli.track", "freshwax.app"]


@pytest.mark.parametrize("module", ON_THE_WAY)
def test_a_program_that_is_still_being_loaded_ends_without_a_traceback(
    module: str, user: User, birds: list[ArtistHandle]
) -> None:
    user.follow(birds)
    script = (
        "import os, sys, _signal\n"
        f"sys.modules.pop({module!r}, None)\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), _signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from freshwax.cli.entry import run\n"
        "run()"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, "track"],
        env=user.environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr
    assert user.track().status == (0, "completed")


def test_a_program_whose_interrupts_are_ignored_goes_on(user: User, birds: list[ArtistHandle]) -> None:
    user.follow(birds)
    script = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from freshwax.cli.entry import run\n"
        "run()"
    )
    command = [sys.executable, "-c", script, "artists", "list"]
    done = subprocess.run(command, env=user.environment(), capture_output=True, check=False, timeout=60)
    assert done.returncode == 0


def test_the_installed_program_begins_where_interrupts_are_heeded_first() -> None:
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]
    assert declared == {"freshwax": "freshwax.cli.entry:run"}
