"""The documentation names every command, mode, exit code and setting that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from freshwax.cli.main import COMMANDS
from freshwax.cli.track import command as track
from freshwax.config import example
from freshwax.config.settings import SETTINGS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert f"freshwax {name}" in README


@pytest.mark.parametrize(
    "option", [one for one in track.params if one.opts[0].startswith("--")], ids=lambda one: one.name
)
def test_every_option_of_track_is_announced_and_explained(option) -> None:  # type: ignore[no-untyped-def]
    assert option.opts[0] in CHANGELOG + README
    assert option.help


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.name)
def test_every_setting_is_explained_in_the_file_that_init_writes(setting) -> None:  # type: ignore[no-untyped-def]
    text = example({})
    assert f"{setting.name.split('.')[-1]} = " in text
    assert setting.help


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 130])
def test_every_exit_code_is_explained(code: int) -> None:
    assert f"| {code} | " in README
