"""Text from outside, wherever it goes: what it may not do to a terminal, a table, a spreadsheet, a picture, a clock."""

from __future__ import annotations

import io
import json
import re
import time
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshwax.cli.artist_files import fold, from_words, parse, read_file
from freshwax.config import load
from freshwax.config.file import read_file as read_config
from freshwax.discovery.editions import keys_of
from freshwax.discovery.filters import hiding_word
from freshwax.errors import CheckError, UsageError
from freshwax.model import Credit, Ref, Release
from freshwax.replay.plot import plot
from freshwax.reports.escape import LONGEST, MARKS, brief, cell, visible
from freshwax.reports.layout import width
from freshwax.reports.summary import failed_note, gone_note, held_note
from freshwax.sources.limits import LONGEST_PAUSE, retry_after
from freshwax.sources.spotify.parse import error_of, parse_candidates, parse_page

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
hostile = st.text(
    st.sampled_from("\x00\x07\x1b\x7f\x9b\r\n\t\u2028\u200b\u200c\u200d\u00ad\u3164\u034f\ufeff\ufffe\ud800\U000e0041")
    | st.sampled_from(BIDI_CONTROLS)
    | st.sampled_from("=+-@'\"|漢字한👨\u0301\u0315é̷ab \u1112\u1161")
    | st.characters(),
    max_size=80,
)


def release(title: str, artist: str = "a") -> Release:
    return Release(Ref("spotify", "x"), title, "album", (Credit(artist, "Someone"),), None)


# -- a terminal --------------------------------------------------------------------------------------------------------


@given(hostile)
def test_nothing_that_steers_or_hides_reaches_a_terminal(text: str) -> None:
    shown = visible(text)
    categories = {unicodedata.category(one) for one in shown}
    assert not categories & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(BIDI_CONTROLS) & set(shown)
    assert {one for one in shown if unicodedata.category(one) == "Cf" and width(one) == 0} <= set("\u200c\u200d") | {
        one for one in shown if ord(one) > 0x13000
    }
    assert visible(shown) == shown


@pytest.mark.parametrize("hidden", ["\u200b", "\u200f", "\u00ad", "\u2060", "\u3164", "\u115f", "\U000e0041", "\u061c"])
def test_what_is_not_seen_is_left_out(hidden: str) -> None:
    assert visible(f"Low{hidden} Tide{hidden}") == "Low Tide"


def test_no_letter_carries_a_tower_of_accents() -> None:
    assert visible("Z" + "\u0337" * 5000 + "algo") == "Z" + "\u0337" * MARKS + "algo"
    assert visible("a" + "\u200d" * 5000 + "b") == "a" + "\u200d" * MARKS + "b"


@pytest.mark.parametrize(
    "name", ["Sigur Rós", "Mötley Crüe", "Nguyễn", "שָׁלוֹם", "نمی‌خواهم", "รักที่อยากลืม", "👨‍👩‍👧 fam", "방탄소년단", "ཀློང"]
)
def test_real_names_stay_as_they_are(name: str) -> None:
    assert visible(name) == name


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("漢字", 4),
        ("한국", 4),
        (unicodedata.normalize("NFD", "한국"), 4),
        ("e\u0301", 1),
        ("👍", 2),
        ("ｗｉｄｅ", 8),
        ("\u0600", 1),
        ("נחש", 3),
    ],
)
def test_a_terminal_gives_so_many_cells(text: str, cells: int) -> None:
    assert width(text) == cells


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_people_are_not_flooded_by_one_title(size: int) -> None:
    title = "x" * size
    assert len(brief(title)) == LONGEST
    assert brief(title).endswith("…")
    assert brief("Low Tide") == "Low Tide"
    for note in (failed_note([(title, f"{title}: {title}")]), gone_note([title] * 500), held_note(title, "id", 99)):
        assert len(note) < 12 * LONGEST


# -- a spreadsheet, a reader of JSON, a picture ------------------------------------------------------------------------


@given(hostile)
def test_no_cell_becomes_a_formula_behind_something_unseen(text: str) -> None:
    shown = cell(text)
    bare = "".join(one for one in shown if unicodedata.category(one) not in {"Cf", "Mn", "Zs"})
    assert not shown.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown.startswith("'") or not bare.startswith(("=", "+", "-", "@")) or width(shown[:1]) == 0


@pytest.mark.parametrize("behind", ["\u200b", "\ufeff", "\u200e", "\u00ad", "\u2060", " ", "\t", "\r\n"])
def test_a_formula_behind_something_unseen_is_text(behind: str) -> None:
    assert cell(behind + "=1+1").startswith(("'", "\\u"))


def test_a_picture_stays_well_formed_whatever_the_file_is_called() -> None:
    title = "</text><script>&\x00\x1b\ufffe\uffff\ud800\u202e'\".csv"
    drawn = plot([], title)
    root = ET.fromstring(drawn.encode())
    assert "script" not in {one.tag.rpartition("}")[2] for one in root.iter()}
    assert any("<script>" in (one.text or "") for one in root.iter())


# -- half a character --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (rb"\ud800 lone", "\ufffd lone"),
        (rb"low \udc00 alone", "low \ufffd alone"),
        (rb"\ud83d\ude00\ud83d", "😀\ufffd"),
        (rb"\\ud800 \"\ud800\"", '\\ud800 "\ufffd"'),
        (b"not utf-8: \xff, \xed\xa0\x80", "not utf-8: \ufffd, \ufffd\ufffd\ufffd"),
        (rb"\u0000nul", "\x00nul"),
    ],
)
def test_half_a_character_does_not_cost_the_list(name: bytes, title: str) -> None:
    page = parse_page(b'{"items": [{"id": "a", "name": "' + name + b'"}, {"id": "b", "name": "Ebb"}]}', 0)
    assert [one.release.title for one in page.entries] == [title, "Ebb"]
    found = parse_candidates(b'{"artists": {"items": [{"id": "a", "name": "' + name + b'"}]}}')
    assert [one.name for one in found] == [title]
    assert error_of(b'{"error": {"message": "' + name + b'"}}').message == title


def test_half_an_id_is_no_id() -> None:
    with pytest.raises(CheckError, match=r"items\[1\]\.id"):
        parse_page(rb'{"items": [{"id": "a"}, {"id": "b\ud800"}]}', 0)


def test_what_the_service_says_in_an_error_is_cut() -> None:
    said = error_of(json.dumps({"error": {"message": "x" * 1_000_000, "reason": "y" * 1_000_000}}).encode())
    assert len(said.message) == len(said.reason) == 300


@given(hostile)
def test_a_title_keeps_its_key_however_it_is_stored(title: str) -> None:
    stored = title.encode("utf-8", "replace").decode()
    assert keys_of(release(stored)) == keys_of(release(stored.encode().decode()))
    assert keys_of(release(unicodedata.normalize("NFC", stored))) == keys_of(release(stored))
    assert keys_of(release(unicodedata.normalize("NFD", stored))) == keys_of(release(stored))


@given(
    st.text(max_size=40)
    | st.from_regex(r"-?[0-9]{1,400}(\.[0-9]*)?([eE][0-9]+)?")
    | st.sampled_from(["nan", "-inf", "٣"])
)
def test_a_wait_is_a_time_or_nothing(said: str) -> None:
    wait = retry_after({"retry-after": said}, NOW)
    assert wait is None or timedelta(0) <= wait <= LONGEST_PAUSE


# -- files and words of the user ---------------------------------------------------------------------------------------


def test_the_name_of_a_file_begins_no_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a\nfreshwax: all is well\x1b[2J"
    path.write_text("spotify:album:1\n")
    with pytest.raises(UsageError) as wrong:
        list(read_file(str(path)))
    assert "\n" not in visible(str(wrong.value))


def test_a_word_that_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="not text"):
        from_words(["Low Tide", "\udcff\udcfe"])


# -- time --------------------------------------------------------------------------------------------------------------

SIZE = 100_000
ATTACKS = {
    "open brackets": "(" * SIZE,
    "brackets": "()" * SIZE,
    "brackets and spaces": "( " * SIZE,
    "square brackets": "[" * SIZE,
    "dashes": " - x" * (SIZE // 4),
    "feat": " feat. x" * (SIZE // 8) + "\ny",
    "feat, broken lines": " feat.\n" * (SIZE // 7),
    "accents": "a" + "\u0315\u0300" * (SIZE // 2),
    "what grows": "\ufdfa" * SIZE,
    "speed": "speed" * (SIZE // 5),
    "re": "re-" * (SIZE // 3),
    "apostrophes": "a'" * (SIZE // 2),
    "spaces": " " * SIZE,
    "deluxe": "(" + "deluxe speed up " * (SIZE // 16) + ")",
    "backslashes": "\\" * SIZE,
    "surrogates": "\\ud800" * (SIZE // 6),
    "quotes": '"' * SIZE,
    "dots": "a." * (SIZE // 2),
    "percent": "spotify:user:" * (SIZE // 13),
    "slashes": "https://open.spotify.com/" + "intl-aa/" * (SIZE // 8),
    "commas": "id," * (SIZE // 3),
    "newlines": "\n" * SIZE,
    "semicolon and spaces": ";" + " " * SIZE + "x",
}


def bounded(act: Callable[[], object]) -> None:
    """Do something that may refuse its input; it takes well under a second of work either way."""
    start = time.process_time()
    with suppress(UsageError, CheckError):
        act()
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_long_input_takes_no_long_time(text: str, tmp_path: Path) -> None:
    bounded(lambda: keys_of(release(text)))
    bounded(lambda: hiding_word(text, ("live", "radio edit")))
    bounded(lambda: fold(text))
    bounded(lambda: (visible(text), brief(text), cell(text)))
    bounded(lambda: list(parse(io.BytesIO(text.encode()), "list")))
    bounded(lambda: list(parse(io.BytesIO(b"id,name\n" + text.encode()), "list")))
    for body in (text, json.dumps({"items": [{"id": "a", "name": text, "release_date": text}]}), f'"{text}'):
        bounded(lambda body=body: parse_page(body.encode(), 0))  # type: ignore[misc]
        bounded(lambda body=body: error_of(body.encode()))  # type: ignore[misc]
    file = tmp_path / "config.toml"
    for document in config_attacks(text):
        file.write_text(document, encoding="utf-8", newline="")
        bounded(lambda: read_config(file))


def config_attacks(text: str) -> Iterable[str]:
    quoted = re.sub(r"[\\\"\x00-\x1f]", "", text)
    yield text
    yield f'market = """{text}\n"""\nmarkets = 1\n'
    yield f"x = '''\n{text}\n'''\nmarket = 'Germany'\n"
    yield f'"{quoted}" = 1\n'
    yield f"{text} = 1\n"
    yield f'market = "{quoted}"\n'


# -- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        '[spotify]\nclient_secret = "{}\\nx"\n',
        '[spotify]\nclient_secret = "two {}"\n',
        '[spotify]\nclient_secret = ["{}"]\n',
        '[spotify]\nclient_secret = {{ a = "{}" }}\n',
        '[spotify]\nclient_secret = "{}"\nclient_secret = "{}"\n',
        '[spotify]\nclient_secret = "{}\n',
        "[spotify]\nclient_secret = {}\n",
        'spotify = "{}"\n',
        "[spotify.client_secret]\n{} = 1\n",
        '[spotify]\nclient_secrets = "{}"\n',
    ],
)
def test_a_damaged_configuration_does_not_quote_its_secret(document: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(document.replace("{}", "hunter2hunter2").replace("{{", "{").replace("}}", "}"))
    file.chmod(0o600)
    with pytest.raises(UsageError) as wrong:
        load(file, {})
    assert "hunter2" not in str(wrong.value)
