"""The table of settings: what exists, what each may be, and what it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from freshwax.config.address import trusted, without_user
from freshwax.errors import UsageError
from freshwax.model import DEFAULT_GROUPS, Group, Kind
from freshwax.secret import Secret

PREFIX = "FRESHWAX_"
_HALF = re.compile("[\ud800-\udfff]")  # bytes of the environment that are no text
LONGEST_QUOTE = 200
LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
PARTIAL = ("success", "log", "fail")


class Setting(Struct, frozen=True, eq=False):
    """One setting. ``parse`` takes text or a TOML value and raises ValueError, saying what is allowed."""

    name: str
    type: str
    default: Any
    help: str
    parse: Callable[[object], Any]
    secret: bool = False
    also_env: tuple[str, ...] = ()
    path: bool = False

    @property
    def attribute(self) -> str:
        """Name of the field of ``Config``."""
        return self.name.replace(".", "_")

    @property
    def pointer(self) -> str:
        """Name of the key that names a file with the value, where this is a secret."""
        return self.name + "_file"

    @property
    def env(self) -> str:
        """Name of the environment variable."""
        return PREFIX + self.attribute.upper()


def _text(value: object) -> str:
    if not isinstance(value, str) or any(ord(c) < 32 for c in value):
        raise ValueError("text in one line")
    return value.strip()


def _path(value: object) -> str:
    text = _text(value)
    try:
        Path(text.removeprefix("sqlite:///")).expanduser()
    except RuntimeError:  # ~somebody, and there is no such user
        raise ValueError("a path below a home folder that exists") from None
    return text


def _number(low: float, high: float, *, whole: bool = True) -> Callable[[object], Any]:
    allowed = f"a {'whole ' if whole else ''}number from {low:g} to {high:.0f}"
    number = int if whole else float

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str) or (whole and isinstance(value, float)):
            raise ValueError(allowed)
        try:
            result = number(value)
        except (ValueError, OverflowError):
            raise ValueError(allowed) from None
        if not low <= result <= high:
            raise ValueError(allowed)
        return result

    return parse


def _none_or(low: float, high: float, *, whole: bool = True) -> Callable[[object], Any]:
    number = _number(low, high, whole=whole)

    def parse(value: object) -> float:
        if str(value).strip() in ({"0"} if whole else {"0", "0.0"}) and not isinstance(value, bool):
            return 0
        try:
            result: float = number(value)
        except ValueError as error:
            raise ValueError(f"0 or {error}") from None
        return result

    return parse


def _words(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) and not _HALF.search(part) for part in parts):
        raise ValueError("a list of words")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _some_of(choices: type[Group | Kind]) -> Callable[[object], tuple[Any, ...]]:
    allowed = "one or more of " + ", ".join(choices)

    def parse(value: object) -> tuple[Any, ...]:
        try:
            words = [word.casefold() for word in _words(value)]
        except ValueError:
            raise ValueError(allowed) from None
        if words == ["all"]:
            return tuple(choices)
        if not words or not all(word in set(choices) for word in words):
            raise ValueError(allowed)
        return tuple(choice for choice in choices if choice in words)

    return parse


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        word = value.casefold() if isinstance(value, str) else ""
        if word not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return word

    return parse


def _market(value: object) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if code == "UK":
        raise ValueError("a country code of two letters; the United Kingdom is GB")
    if not re.fullmatch("[A-Z]{2}", code):
        raise ValueError("a country code of two letters, such as US or DE")
    return code


def _url(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ValueError("an address that begins with https://")
    if not trusted(text):
        raise ValueError("an address that begins with https:// (http:// is for this machine only)")
    return text.rstrip("/")


def _secret_url(value: object) -> Secret:
    text = value.strip() if isinstance(value, str) else None
    if text == "":
        return Secret("")
    # No user name: Python's HTTP libraries would log it; no fragment: it is not sent.
    if text is None or not re.fullmatch(r"https?://[^\x00-\x20/?#@\x7f-\uffff]+[/?][\x21\x22\x24-\x7e]*", text):
        raise ValueError("a whole address that begins with https://")
    if not trusted(text):
        raise ValueError("an address that begins with https:// (http:// is for this machine only)")
    return Secret(text)


def _secret(value: object) -> Secret:
    text = value.strip() if isinstance(value, str) else None
    if text is None or re.search(r"[^\x21-\x7e]", text):
        raise ValueError("text without spaces")
    return Secret(text)


def _database(value: object) -> str:
    text = _path(value)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):/", text)  # with one slash, too: it would become a folder's name
    if not text or text == "sqlite:///" or (scheme and not text.startswith("sqlite:///")):
        raise ValueError("a path or sqlite:///path")
    if text.removeprefix("sqlite:///").strip() == ":memory:":  # SQLite's own name for one that ends with the program
        raise ValueError("a path or sqlite:///path, for what is remembered must outlast the run")
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting("database", "path", "", "Where everything is remembered: a path or sqlite:///path.", _database, path=True),
    Setting(
        "market", "country", "", "Country whose catalogue is asked for. Default: from the locale, else US.", _market
    ),
    Setting("concurrency", "number", 8, "How many requests may be in flight at once.", _number(1, 64)),
    Setting("check_interval", "days", 7, "An artist is due again after so long, less one day.", _number(1, 365)),
    Setting("max_interval", "days", 90, "No artist goes unchecked for longer.", _number(1, 3650)),
    Setting("audit_interval", "days", 180, "Every catalogue is read to its end this often.", _number(1, 3650)),
    Setting("lookback", "days", 90, "How far back a first check tells releases.", _number(0, 36500)),
    Setting("fresh_for", "hours", 12, "A check that is younger answers a run without a request.", _number(0, 8760)),
    Setting(
        "types",
        "list",
        DEFAULT_GROUPS,
        f"What to ask for: {', '.join(Group)}. compilation and appears_on cost a request of their own.",
        _some_of(Group),
    ),
    Setting("kinds", "list", tuple(Kind), f"What to tell: {', '.join(Kind)}.", _some_of(Kind)),
    Setting("exclude_titles", "list", (), "Words; a release whose title has one of them is not told.", _words),
    Setting("log_file", "path", "", "Log file. --background has one of its own where none is set.", _path, path=True),
    Setting("log_level", "word", "info", f"How much to log: {', '.join(LEVELS)}.", _one_of(LEVELS)),
    Setting(
        "log_format",
        "word",
        "text",
        "How -v and the log file write: text, or json (an object a line).",
        _one_of(LOG_FORMATS),
    ),
    Setting(
        "heartbeat_url",
        "secret",
        Secret(""),
        "Address, as of healthchecks.io, that each run calls when it begins and ends.",
        _secret_url,
        secret=True,
    ),
    Setting(
        "heartbeat_partial",
        "word",
        "success",
        f"What a run that could not check everyone reports there: {', '.join(PARTIAL)}.",
        _one_of(PARTIAL),
    ),
    Setting(
        "retention.checks",
        "days",
        90,
        "Outcomes of checks, and the list of requests, are kept so long.",
        _number(7, 3650),
    ),
    Setting(
        "retention.releases",
        "days",
        0,
        "Titles, artists and links are kept so long, 90 days at least; 0: for good. Nothing is told again.",
        _none_or(90, 36_500),
    ),
    Setting(
        "spotify.client_id",
        "secret",
        Secret(""),
        "Client ID of your Spotify app.",
        _secret,
        secret=True,
        also_env=("SPOTIPY_CLIENT_ID",),
    ),
    Setting(
        "spotify.client_secret",
        "secret",
        Secret(""),
        "Client secret of your Spotify app.",
        _secret,
        secret=True,
        also_env=("SPOTIPY_CLIENT_SECRET",),
    ),
    Setting("spotify.api_url", "address", "https://api.spotify.com/v1", "Where the Web API answers.", _url),
    Setting("spotify.accounts_url", "address", "https://accounts.spotify.com", "Where tokens come from.", _url),
    Setting("spotify.requests_per_day", "number", 580, "Requests in any 24 hours, at most.", _number(1, 1_000_000)),
    Setting(
        "spotify.requests_per_second",
        "number",
        5.0,
        "Requests a second, at most, from 0.1 up; 0 lifts the pacing.",
        _none_or(0.1, 1000, whole=False),
    ),
    Setting(
        "spotify.page_size", "number", 10, "Releases a page; more than 10 only where your app may.", _number(10, 50)
    ),
)

BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}


def _quoted(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number that long"
    text = without_user(text)  # before it is cut: nobody knows a password without its end
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"


def parsed(setting: Setting, value: object, where: str) -> Any:
    """Check a value that stands at ``where``; UsageError says what is allowed."""
    try:
        return setting.parse(value)
    except ValueError as error:
        shown = "" if setting.secret else f", not {_quoted(value)}"
        raise UsageError(f"{where} must be {error}{shown}.") from None
