"""The heartbeat's address by itself: for a run that cannot begin, as something else in the configuration is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from freshwax.config import env_text, find_file
from freshwax.config.file import value_in
from freshwax.config.settings import BY_NAME, parsed
from freshwax.errors import UsageError
from freshwax.secret import Secret

_SETTING = BY_NAME["heartbeat_url"]


def heartbeat_url(file: Path | None, env: Mapping[str, str] | None = None) -> Secret:
    """Return the address, whatever else is wrong with the configuration; an empty secret where none can be found.

    None is found in a configuration file that is missing, cannot be read, or is not valid TOML.
    """
    env = os.environ if env is None else env
    try:
        found = env_text(_SETTING, env)
        text = found[1] if found else _in_file(find_file(file, env))
        address: Secret = parsed(_SETTING, text, _SETTING.name)
    except UsageError:
        return Secret("")
    return address


def _in_file(path: Path | None) -> object:
    return "" if path is None else value_in(path, _SETTING)
