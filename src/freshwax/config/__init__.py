"""Settings: one table says what exists; the file, the environment, the example file and the documentation follow it.

Precedence: command line, then environment, then file, then default. Everything is checked before anything is opened,
and whatever is wrong is told in one sentence that names where it stands and what is allowed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from freshwax.config.file import example, expanded, place, pointed_at, read_file
from freshwax.config.private import LARGEST, secret_in
from freshwax.config.settings import BY_NAME, PREFIX, SETTINGS, Setting, parsed
from freshwax.errors import UsageError
from freshwax.model import Group, Kind
from freshwax.secret import Secret

__all__ = [
    "LARGEST",
    "SETTINGS",
    "Config",
    "Secret",
    "Setting",
    "default_file",
    "env_text",
    "example",
    "expanded",
    "files_of",
    "find_file",
    "load",
    "market_of_locale",
    "parse_setting",
    "secret_in",
]


class Config(Struct, frozen=True):
    """All settings, checked. Field names are those of ``SETTINGS`` with ``_`` for the dot; lists are tuples.

    ``usual``: the database is the one that ``freshwax`` without an option or a variable takes.
    """

    database: str
    market: str
    concurrency: int
    check_interval: int
    max_interval: int
    audit_interval: int
    lookback: int
    fresh_for: int
    types: tuple[Group, ...]
    kinds: tuple[Kind, ...]
    exclude_titles: tuple[str, ...]
    log_file: str
    log_level: str
    log_format: str
    heartbeat_url: Secret
    heartbeat_partial: str
    retention_checks: int
    retention_releases: int
    spotify_client_id: Secret
    spotify_client_secret: Secret
    spotify_api_url: str
    spotify_accounts_url: str
    spotify_requests_per_day: int
    spotify_requests_per_second: float
    spotify_page_size: int
    file: Path | None = None
    warnings: tuple[str, ...] = ()
    usual: bool = False

    @property
    def database_path(self) -> Path:
        """Path of the database file. As elsewhere, ``sqlite:///x`` is relative and ``sqlite:////x`` absolute."""
        return Path(self.database.removeprefix("sqlite:///")).expanduser()

    def typed(self, text: str) -> str:
        """Leave out of commands that a text advises which database is meant, where it is the usual one."""
        if not self.usual:
            return text
        from shlex import quote  # noqa: PLC0415 -- only where something is wrong

        return text.replace(f" --database {quote(str(self.database_path))}", "")


def default_file() -> Path:
    """Return where the configuration file is looked for."""
    return _folder("config", "XDG_CONFIG_HOME", ".config") / "config.toml"


def _default_database() -> str:
    return str(_folder("data", "XDG_DATA_HOME", ".local/share") / "freshwax.db")


def _folder(kind: str, variable: str, below_home: str) -> Path:
    """Return the platform's folder for our files; on Linux by hand, as platformdirs takes 10 ms to import."""
    if sys.platform == "linux":
        named = os.environ.get(variable, "").strip()
        return (Path(named) if named.startswith("/") else Path.home() / below_home) / "freshwax"
    import platformdirs  # noqa: PLC0415

    path: Path = getattr(platformdirs, f"user_{kind}_path")("freshwax", appauthor=False)
    return path


def load(
    file: Path | None = None,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, str | None] | None = None,
) -> Config:
    """Read all settings; ``overrides`` are the command line's. Raises UsageError for whatever is wrong."""
    env = os.environ if env is None else env
    values: dict[str, Any] = {setting.attribute: setting.default for setting in SETTINGS}
    path = find_file(file, env)
    warnings: tuple[str, ...] = ()
    if path is not None:
        found, warnings = read_file(path)
        values |= found
    found, warned = _from_env(env)
    values |= found
    for name, text in (overrides or {}).items():
        if text is not None:
            values[BY_NAME[name].attribute] = parsed(BY_NAME[name], text, f"--{name.replace('_', '-')}")
    values["market"] = values["market"] or market_of_locale(env)
    values["database"] = values["database"] or _default_database()
    named = file or env.get(PREFIX + "CONFIG") or env.get(BY_NAME["database"].env) or (overrides or {}).get("database")
    warnings = (*warnings, *warned, *_unknown_env(env))
    config = Config(**values, file=path, warnings=warnings, usual=not named)
    if config.max_interval < config.check_interval:
        where = place(path, "check_interval", "max_interval") if path else ""
        raise UsageError(
            f"{where}check_interval ({config.check_interval} days) must not be longer than max_interval "
            f"({config.max_interval} days): change one of them."
        )
    return config


def files_of(config: Config, env: Mapping[str, str] | None = None) -> list[Path]:
    """Return the files that settings come from: the configuration, there or not yet, and those of secrets."""
    env = os.environ if env is None else env
    named = [Path(env[name]) for setting in SETTINGS if setting.secret and env.get(name := setting.env + "_FILE")]
    pointed = pointed_at(config.file) if config.file and config.file.is_file() else []
    return [config.file or default_file(), *named, *pointed]


def parse_setting(name: str, text: str, where: str) -> Any:
    """Check a command line's value by the rules of a setting; ``where`` names the option."""
    return parsed(BY_NAME[name], text, where)


def market_of_locale(env: Mapping[str, str]) -> str:
    """Return the country that the locale names, else US."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        found = re.match(r"[a-z]{2,3}_([A-Z]{2})(?:[.@]|$)", env.get(name, ""))
        if found:
            return found[1]
    return "US"


def find_file(file: Path | None, env: Mapping[str, str]) -> Path | None:
    """Return the configuration file: that which is named, else the usual one if it is there. Raises UsageError."""
    named = file or (Path(env[PREFIX + "CONFIG"]) if env.get(PREFIX + "CONFIG") else None)
    if named is None:
        path = default_file()
        return path if path.is_file() else None
    named = expanded(named)
    if named.is_dir():
        raise UsageError(f"{str(named)!r} is a folder; name a configuration file.")
    if not named.is_file():
        from shlex import quote  # noqa: PLC0415 -- only where something is wrong

        typed = f"`freshwax --config {quote(str(named))} init`"
        raise UsageError(f"There is no configuration file {str(named)!r}; {typed} writes one.")
    return named


def _from_env(env: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    values = {}
    warnings: list[str] = []
    for setting in SETTINGS:
        found = env_text(setting, env)
        if found is not None:
            name, text, warned = found
            values[setting.attribute] = parsed(setting, text, name)
            warnings += warned
    return values, tuple(warnings)


def env_text(setting: Setting, env: Mapping[str, str]) -> tuple[str, str, tuple[str, ...]] | None:
    """Return which variable sets it, the text, and what is to be warned of. Raises UsageError."""
    pointer = setting.env + "_FILE"
    if setting.secret and env.get(setting.env) and env.get(pointer):
        raise UsageError(f"{setting.env} and {pointer} are both set: remove one of them.")
    if env.get(setting.env):
        return setting.env, env[setting.env], ()
    if setting.secret and env.get(pointer):
        return pointer, *secret_in(Path(env[pointer]), pointer)
    return next(((name, env[name], ()) for name in setting.also_env if env.get(name)), None)


def _unknown_env(env: Mapping[str, str]) -> tuple[str, ...]:
    """Name the variables that look like settings misspelt. Only a warning: others may use the prefix as well."""
    named = sorted(name for name in env if name.startswith(PREFIX))
    if not named:
        return ()
    import difflib  # noqa: PLC0415 -- only for a hint

    known = {s.env for s in SETTINGS} | {s.env + "_FILE" for s in SETTINGS if s.secret} | {PREFIX + "CONFIG"}
    warnings = []
    for name in named:
        near = [] if name in known else difflib.get_close_matches(name, known, 1, 0.8)
        if near:
            warnings.append(f"The environment variable {name} is not known; did you mean {near[0]}?")
    return tuple(warnings)
