"""The configuration file: read with line numbers for whatever is wrong, and written as an example of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freshwax.config.private import chmod, readable_by_others, secret_in
from freshwax.config.settings import BY_NAME, SETTINGS, Setting, parsed
from freshwax.errors import UsageError
from freshwax.secret import Secret

# In the file types are types: only the environment and the command line write numbers as text.
TOML_TYPES: Mapping[str, Any] = {"list": list, "number": int | float, "days": int | float, "hours": int | float}

_POINTERS = {setting.pointer: setting for setting in SETTINGS if setting.secret}

LARGEST = 65_536  # characters; tomllib takes time by the square of a dotted key's length
LONGEST_KEY = 80  # characters of a key that an error quotes

WRITTEN: Mapping[str, str] = {
    "list": 'a list, such as ["one", "two"]',
    "number": "a number, without quotes",
    "days": "a number of days, without quotes",
    "hours": "a number of hours, without quotes",
    "text": "text in quotes",
}


def read_file(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read a configuration file: the values by field name of ``Config``, and what is to be warned of.

    Raises UsageError for whatever is wrong, and where it holds secrets that others can read.
    """
    text, tables = _tables(path)
    values: dict[str, Any] = {}
    warnings: list[str] = []
    for name, value in _flat(tables):
        line = _line_of(text, name)
        where = f"{path}, line {line}" if line else str(path)
        setting = BY_NAME.get(name) or _POINTERS.get(name)
        if setting is None:
            raise UsageError(f"{where}: {_unknown(name)}")
        if value == "" and not setting.default:
            continue  # a line of the example file with its # removed
        if not isinstance(value, TOML_TYPES.get(setting.type, str)):
            raise UsageError(f"{where}: {name} must be written as {WRITTEN.get(setting.type, WRITTEN['text'])}.")
        if setting.attribute in values:
            raise UsageError(f"{where}: {setting.name} and {setting.pointer} are both set: remove one of them.")
        if name in _POINTERS:
            value, warned = secret_in(Path(_beside(path, value)), f"{where}: {name}")  # noqa: PLW2901
            warnings += warned
        elif setting.secret and readable_by_others(path):
            raise UsageError(f"{path} holds a secret ({name}) that others on this machine can read: {chmod(path)}.")
        checked = parsed(setting, value, f"{where}: {name}")
        values[setting.attribute] = _beside(path, checked) if setting.path else checked
    return values, tuple(warnings)


def value_in(path: Path, setting: Setting) -> object:
    """Return what a file says of one secret, be it by a file that it names, whatever else it says; "" if nothing.

    Raises UsageError where either file cannot be read.
    """
    _, tables = _tables(path)
    found = dict(_flat(tables))
    pointer = found.get(setting.pointer)
    if isinstance(pointer, str) and pointer:
        return secret_in(Path(_beside(path, pointer)), setting.pointer)[0]
    return found.get(setting.name, "")


def _tables(path: Path) -> tuple[str, dict[str, Any]]:
    """Read a file of TOML: its text, and what stands in it."""
    import tomllib  # noqa: PLC0415 -- most runs in containers have no file

    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise UsageError(f"{path}: longer than any configuration: give the path of one.")
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}.") from None
    except RecursionError:
        raise UsageError(f"{path}: not valid TOML: brackets within brackets without end.") from None
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file in UTF-8"
        raise UsageError(f"{path}: cannot be read: {reason}.") from None
    except ValueError:
        raise UsageError(f"{path}: not valid TOML: a number or a day that cannot be.") from None
    return text, tables


def pointed_at(path: Path) -> list[Path]:
    """Return the files of secrets that a configuration file, which was read before, names."""
    import tomllib  # noqa: PLC0415 -- as above

    tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    return [Path(_beside(path, str(value))) for name, value in _flat(tables) if name in _POINTERS and value]


def place(path: Path, *names: str) -> str:
    """Say where a file sets the first of these that it does set: ``config.toml, line 3: ``; else nothing."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    lines = (_line_of(text, name) for name in names)
    return next((f"{path}, line {line}: " for line in lines if line), "")


def _flat(tables: Mapping[str, object]) -> list[tuple[str, object]]:
    """Join tables and keys with a dot. One level: a deeper table is a value of the wrong type."""
    pairs: list[tuple[str, object]] = []
    sections = {name.partition(".")[0] for name in BY_NAME if "." in name}
    for name, value in tables.items():
        if isinstance(value, dict) and name in sections:
            pairs += [(f"{name}.{key}", inner) for key, inner in value.items()]
        else:
            pairs.append((name, value))
    return pairs


def _unknown(name: str) -> str:
    import difflib  # noqa: PLC0415 -- only for a hint

    shown = name if len(name) <= LONGEST_KEY else name[:LONGEST_KEY] + "…"
    table, _, key = name.rpartition(".")
    if table and key in BY_NAME:
        return f"{shown!r} is not a setting; did you mean {key!r}? It belongs above the first line in brackets."
    near = [known for known in BY_NAME if known.rpartition(".")[2] == key]
    near = near or difflib.get_close_matches(name, BY_NAME, 1, 0.6)
    if near:
        return f"{shown!r} is not a setting; did you mean {near[0]!r}?"
    return f"{shown!r} is not a setting; known are {', '.join(BY_NAME)}."


def _line_of(text: str, name: str) -> int | None:
    """Find the line that sets a key: tomllib does not tell. Good enough for people, wrong at worst in odd strings."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[{1,2}([^\[\]]+)\]", line)
        if header:
            table = _bare(header[1]) + "."
            if table == name + ".":
                return number
        key = re.match(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"))*)\s*=", line)
        if key and name in (table + _bare(key[1]), (table + _bare(key[1])).rpartition(".")[0]):
            return number
    return None


def _bare(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def _beside(file: Path, value: str) -> str:
    """Read a relative path in a file as beside that file: cron starts programs in places that nobody expects."""
    return str(file.parent / expanded(Path(value.removeprefix("sqlite:///"))))


def expanded(path: Path) -> Path:
    """Return a path with ``~`` replaced by the home folder it stands for. UsageError if there is no such user."""
    try:
        return path.expanduser()
    except (RuntimeError, ValueError):  # a user whose name holds a NUL is a ValueError
        raise UsageError(f"{str(path)!r} is below a home folder that does not exist.") from None


def toml_value(value: object) -> str:
    """Write a value as TOML."""
    if isinstance(value, tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    text = value.reveal() if isinstance(value, Secret) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def example(values: Mapping[str, object] | None = None) -> str:
    """Return a configuration file with every key: commented out with its default, or set where ``values`` has it."""
    values = values or {}
    out = ["# freshwax: every setting with its default. Remove the # to change one.", ""]
    table = ""
    for setting in SETTINGS:
        section, _, key = setting.name.rpartition(".")
        if section != table:
            table = section
            out += [f"[{section}]", ""]
        unit = f" In {setting.type}." if setting.type in {"days", "hours"} else ""
        out.append(f"# {setting.help}{unit} ({setting.env})")
        if setting.secret:
            out.append(f"# A file that holds it: {key}_file, or {setting.env}_FILE.")
        if setting.name in values:
            out.append(f"{key} = {toml_value(values[setting.name])}")
        else:
            out.append(f"# {key} = {toml_value(setting.default)}")
        out.append("")
    return "\n".join(out)
