"""The four readers of text from outside, as the fuzzers see them: bytes in, and whether they were taken.

A target returns True (accepted) or False (refused with the error that is documented). Whatever else is raised is a
finding: a crash, or a property that does not hold.
"""

from __future__ import annotations

import base64
import io
import re
import tempfile
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from freshwax.cli.artist_files import LONGEST_NAME, fold, parse, unique
from freshwax.config import SETTINGS, Setting, parse_setting
from freshwax.config.file import read_file
from freshwax.discovery.editions import keys_of
from freshwax.discovery.filters import hiding_word
from freshwax.errors import CheckError, UsageError
from freshwax.model import Credit, Listed, Ref, Release
from freshwax.reports.escape import brief, cell, json_safe, visible
from freshwax.reports.layout import fit, width
from freshwax.sources.spotify.parse import error_of, parse_candidates, parse_page, token_of

CORPUS = Path(__file__).parent / "corpus"
FOUND = "found.b64"  # a line an input: what the fuzzers found worth keeping
ID = re.compile("[0-9A-Za-z]{22}")
SECRET = "hunter2hunter2"
HIDDEN = re.compile(r"spotify\.client_(id|secret)$")

Target = Callable[[bytes], bool]


def artists(data: bytes) -> bool:
    """The reader of artist lists: every entry is an ID or a name, and reading again reads the same."""
    try:
        entries = list(parse(io.BytesIO(data), "list"))
    except UsageError as error:
        _one_sentence(str(error))
        return False
    for entry in entries:
        assert entry.id is None or ID.fullmatch(entry.id)
        assert entry.id or entry.name
        assert entry.id or len(entry.name or "") <= LONGEST_NAME
        (entry.name or "").encode()
    assert len(unique(entries).artists) + unique(entries).duplicates == len(entries)
    assert list(parse(io.BytesIO(data), "list")) == entries
    return True


def listing(data: bytes) -> bool:
    """The parser of what Spotify answers: never a release without an ID, nothing that cannot be stored or shown."""
    said = error_of(data)
    assert len(said.message) <= 300
    assert len(said.reason) <= 300
    (said.message + said.reason).encode()
    for read in (parse_candidates, token_of):
        try:
            read(data)
        except CheckError as error:
            _bad_data(error)
    try:
        page = parse_page(data, 7)
    except CheckError as error:
        _bad_data(error)
        return False
    for at, listed in enumerate(page.entries):
        assert listed.position >= 7 + at
        _release(listed)
    assert page.total is None or page.total >= 0
    assert parse_page(data, 7) == page
    return True


def config(data: bytes) -> bool:
    """The reader of settings, from a file or (with a number first) from words; an error never quotes a secret."""
    if data[:1].isdigit():
        return _word(SETTINGS[int(data[:2]) % len(SETTINGS) if data[1:2].isdigit() else int(data[:1])], data[2:])
    file = _file()
    file.write_bytes(data)
    try:
        read_file(file)
    except UsageError as error:
        _no_secret(str(error), data)
        return False
    return True


def titles(data: bytes) -> bool:
    """The normaliser of titles, and what shows them: total, the same for the same title, apart where numbers differ."""
    title = data.decode("utf-8", "replace")
    keys = _keys(title)
    for form in ("NFD", "NFKC"):
        assert len(title) > 900 or _keys(unicodedata.normalize(form, title)) == keys, form
    assert bool(keys.key) == bool(unicodedata.normalize("NFKC", title[:900]).strip()) or len(title) > 900
    assert _keys(f"1 {title}").key != _keys(f"2 {title}").key
    hiding_word(title, ("live", "radio edit", title[:20]))
    assert fold(fold(title)) == fold(title) or len(title) > 300
    _shown(title)
    return bool(keys.key)


TARGETS: dict[str, Target] = {"artists": artists, "listing": listing, "config": config, "titles": titles}


def corpus(name: str) -> Iterator[bytes]:
    """Return the inputs that are kept for a target: those written by hand, then those that were found."""
    for path in sorted((CORPUS / name).glob("*")):
        if path.name == FOUND:
            for line in path.read_bytes().split():
                yield base64.b64decode(line)
        else:
            yield path.read_bytes()


def _keys(title: str) -> tuple[str, str]:
    found = keys_of(Release(Ref("spotify", "x"), title, "album", (Credit("a", "A"),), None))
    assert found.marks == " ".join(sorted(found.marks.split()))
    return found


def _release(listed: Listed) -> None:
    release = listed.release
    assert release.ref.id
    text = [release.ref.id, release.title, release.type, release.url or "", release.image_url or ""]
    for one in (*text, *(part for credit in release.artists for part in (credit.id, credit.name))):
        one.encode()  # else neither the database nor any report could hold it
    assert (release.url or "http").startswith("http")
    assert release.date is None or release.date.first_day <= release.date.last_day
    keys_of(release)


def _bad_data(error: CheckError) -> None:
    assert error.code == "bad_data"
    _one_sentence(str(error))


def _no_secret(said: str, data: bytes) -> None:
    _one_sentence(said)
    assert SECRET not in said or SECRET in _told(data), said


def _no_word(said: str, secret: str) -> None:
    _one_sentence(said)
    assert len(secret) < 4 or secret not in said


def _one_sentence(text: str) -> None:
    assert text
    assert len(visible(text)) < 2000, text
    visible(text).encode()


def _shown(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert width(fit(brief(text), 20)) <= 20
    assert not cell(text).lstrip().startswith(("=", "+", "-", "@"))
    json_safe(text).encode()


def _word(setting: Setting, data: bytes) -> bool:
    text, name = data.decode("utf-8", "surrogateescape"), setting.name
    try:
        parse_setting(name, text, "--option")
    except UsageError as error:
        _no_word(str(error), text if HIDDEN.match(name) else "")
        return False
    return True


def _told(data: bytes) -> str:
    """Return all that a configuration holds but the values of its secrets."""
    try:
        tables = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return ""
    if isinstance(tables.get("spotify"), dict):
        tables["spotify"] = {k: v for k, v in tables["spotify"].items() if not HIDDEN.match(f"spotify.{k}")}
    return repr(tables)


@cache
def _file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    path = folder / "config.toml"
    path.touch(0o600)
    return path
