"""Lists of artists as people have them: text, one a line, or CSV with a header. Bytes in, entries out.

Nothing is guessed and nothing half-read: one malformed line, and the whole list is refused with that line's number.
"""

from __future__ import annotations

import codecs
import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from freshwax.errors import UsageError
from freshwax.reports.escape import brief
from freshwax.sources.spotify.identify import parse_artist_ref

LARGEST = 20_000_000  # bytes; a list of 500,000 artists is smaller
LONGEST_LINE = 100_000
LONGEST_NAME = 300
# Almost as long as an ID and as wildly mixed: nobody is called that, and looking it up would find somebody else.
DAMAGED_ID = re.compile(r"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[0-9A-Za-z_-]{18,26}")

# Columns that name an artist exactly, best first, then those that hold a name; Exportify's are among them.
EXACT = ("artist uri(s)", "artist uris", "artist uri", "artist id(s)", "artist ids", "artist id", "artist url", "uri",
         "url", "id")  # fmt: skip
NAMED = ("artist name(s)", "artist names", "artist name", "artist", "name")
SEVERAL = ("artist uri(s)", "artist uris", "artist id(s)", "artist ids", "artist name(s)", "artist names")


class Entry(Struct, frozen=True):
    """One artist of a list: by ID, or by a name that has to be looked up."""

    id: str | None
    name: str | None
    line: int = 0


class Entries(Struct, frozen=True):
    """The artists of a list, each once, and how many repeated an earlier one."""

    artists: tuple[Entry, ...]
    duplicates: int = 0


def read_files(names: Iterable[str]) -> Entries:
    """Read files (``-`` is standard input). Raises UsageError for whatever is wrong, before anything is done."""
    return unique(entry for name in names for entry in read_file(name))


def read_file(name: str) -> Iterator[Entry]:
    """Read one file."""
    if name == "-":
        yield from parse(sys.stdin.buffer, "standard input")
        return
    path = Path(name)
    try:
        if path.is_dir():
            raise UsageError(f"{name!r} is a folder; give a file that lists artists.")
        with path.open("rb") as file:
            yield from parse(file, name)
    except OSError as error:
        raise UsageError(f"{name!r} cannot be read: {error.strerror}.") from None


def from_words(words: Iterable[str]) -> Entries:
    """Read artists given as arguments."""
    return unique(_entry(as_text(word.strip()), 0, repr(brief(word))) for word in words if word.strip())


def as_text(word: str) -> str:
    """Return a word of the command line, unless bytes are in it that are no text where it came from."""
    if re.search("[\ud800-\udfff]", word):
        raise UsageError(f"{brief(word)!r} is not text in this terminal's encoding; give an ID or a link instead.")
    return word


def unique(entries: Iterable[Entry]) -> Entries:
    """Keep the first of each."""
    seen: dict[tuple[str | None, str], Entry] = {}
    total = 0
    for entry in entries:
        total += 1
        seen.setdefault((entry.id, "" if entry.id else fold(entry.name or "")), entry)
    return Entries(tuple(seen.values()), total - len(seen))


def fold(name: str) -> str:
    """Return a name or title as it is compared: NFKC, case folded, spaces as one."""
    from freshwax.discovery.editions import nfkc

    once = nfkc(name).casefold()
    return " ".join(nfkc(nfkc(once).casefold()).split())  # folding may leave what is to be normalised


def parse(file: BinaryIO, name: str) -> Iterator[Entry]:
    """Read a list, text or CSV, line by line."""
    lines = _lines(file, name)
    first = next(((number, line) for number, line in lines if line.strip() and not line.lstrip().startswith("#")), None)
    if first is None:
        return
    header = _header(first[1])
    if header is None:
        yield from _texts(_chain(first, lines), name)
    else:
        yield from _table(first[1], lines, name, first[0])


def _chain(first: tuple[int, str], rest: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield first
    yield from rest


def _texts(lines: Iterable[tuple[int, str]], name: str) -> Iterator[Entry]:
    for number, line in lines:
        if text := _without_comment(line.strip()):
            yield from _line(text, number, f"{name}, line {number}")


def _without_comment(text: str) -> str:
    """Leave out a comment: a line of its own, or what stands behind an ID, a URI or a link; names may hold a ``#``."""
    if text.startswith("#"):
        return ""
    exact, *comment = re.split(r"(?<!\s)\s+#", text, maxsplit=1)
    return exact if comment and _is_meant_for_id(re.split("[,;\t]", exact)[-1].strip()) else text


def _line(text: str, number: int, where: str) -> Iterator[Entry]:
    """Read a line of text: an artist; or, where a field of it is an ID, URI or link, a row of a table without heading.

    A name may hold a comma, so a row without any of them is a name.
    """
    fields = _fields(text)
    exact = [_entry(field, number, where) for field in fields if _is_meant_for_id(field)]
    names = [field for field in fields if not _is_meant_for_id(field)]
    if not exact:
        yield _entry(text, number, where)
    elif len(exact) == len(names) == 1:
        yield replace(exact[0], name=" ".join(names[0].split())[:LONGEST_NAME])
    elif len(exact) == 1 or not names:
        yield from exact
    else:
        raise UsageError(f"{where}: several IDs beside other fields: begin the file with a heading, `id,name` say.")


def _fields(text: str) -> list[str]:
    """Return the fields of a row of CSV that names artists exactly; any other line is a field of its own."""
    for delimiter in ",;\t":
        try:
            cells = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            continue
        fields = [cell.strip() for cell in cells if cell.strip()]
        if len(fields) > 1 and any(map(_is_meant_for_id, fields)):
            return fields
    return [text]


def _is_meant_for_id(text: str) -> bool:
    """Return whether this is an ID, a URI or a link, whole or damaged."""
    try:
        return parse_artist_ref(text) is not None or DAMAGED_ID.fullmatch(text) is not None
    except UsageError:
        return True


def _entry(text: str, number: int, where: str) -> Entry:
    try:
        found = parse_artist_ref(text)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    if found is None and DAMAGED_ID.fullmatch(text):
        raise UsageError(f"{where}: {text!r} looks like a damaged ID: Spotify's have 22 letters and digits.")
    if found is None and len(text) > LONGEST_NAME:
        raise UsageError(f"{where}: {brief(text[:40])!r}… is too long for a name.")
    return Entry(found, None if found else " ".join(text.split()), number)


# -- CSV ---------------------------------------------------------------------------------------------------------------


def _header(line: str) -> tuple[list[str], str] | None:
    """Return the columns and the delimiter of a header; None where the line is none: then the file is plain text."""
    for delimiter in ",;\t":
        try:
            columns = [cell.strip().casefold() for cell in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            continue
        if set(columns) & {*EXACT, *NAMED}:
            return columns, delimiter
    return None


def _table(header: str, lines: Iterator[tuple[int, str]], name: str, number: int) -> Iterator[Entry]:
    columns, delimiter = _header(header) or ([], ",")
    exact = next((column for column in EXACT if column in columns), None)
    named = next((column for column in NAMED if column in columns), None)
    counted = _Counted(lines, number)
    reader = csv.reader(counted, delimiter=delimiter)
    while True:
        start = counted.number + 1
        try:
            row = dict(zip(columns, next(reader), strict=False))
        except StopIteration:
            return
        except csv.Error as error:
            raise UsageError(f"{name}, line {start}: not valid CSV: {error}.") from None
        yield from _row(_cells(row, exact), _cells(row, named), start, f"{name}, line {start}")


def _row(references: list[str], names: list[str], number: int, where: str) -> Iterator[Entry]:
    """Read a row: by its IDs, URIs or links, with the names as labels; by names where there is nothing else."""
    if not references:
        for text in names:
            yield _entry(text, number, where)
    for i, text in enumerate(references):
        entry = _entry(text, number, where)
        if entry.id is None:
            raise UsageError(f"{where}: {brief(text[:60])!r} is not an artist's ID, URI or link.")
        yield replace(entry, name=names[i]) if len(names) == len(references) else entry


def _cells(row: dict[str, str], column: str | None) -> list[str]:
    """Return what a cell holds: several artists only where the heading says so, as a name may hold a comma."""
    text = row.get(column or "", "")
    if column in SEVERAL:
        parts = text.replace(";", ",").split(",")
    else:
        parts = text.split(",") if text.count("spotify:artist:") > 1 else [text]
    return [part.strip() for part in parts if part.strip()]


class _Counted:
    """Lines for the CSV reader; ``number`` is that of the last one handed out, as a quoted cell may span several."""

    def __init__(self, lines: Iterator[tuple[int, str]], number: int) -> None:
        self._lines = lines
        self.number = number

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        return line + "\n"


# -- bytes -------------------------------------------------------------------------------------------------------------


def _lines(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Decode line by line, with line numbers. UTF-8 or, by its mark, UTF-16; anything else is refused."""
    start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from _utf16(start + _rest(file, name), name)
        return
    size = 0
    pending = start.removeprefix(codecs.BOM_UTF8) if len(start) >= 3 else start
    for number, raw in enumerate(_raw_lines(file, pending), 1):
        size += len(raw)
        if size > LARGEST:
            raise _too_large(name)
        if b"\0" in raw or len(raw) > LONGEST_LINE:
            raise UsageError(f"{name}, line {number}: this is not text; give a list of artists as text or CSV.")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise UsageError(f"{name}, line {number}: not in UTF-8; save the file in that encoding.") from None
        yield number, text.rstrip("\r\n")


def _raw_lines(file: BinaryIO, pending: bytes) -> Iterator[bytes]:
    """Split into lines as Unix, Windows and old Macs end them, never holding more than one line that is too long."""
    while True:
        chunk = file.readline(LONGEST_LINE + 1)
        if not chunk and not pending:
            return
        pieces = (pending + chunk).splitlines(keepends=True)
        pending = b""
        if len(pieces) > 1 and chunk and not chunk.endswith(b"\n"):
            pending = pieces.pop()  # the rest of it is still to come
        yield from pieces


def _utf16(data: bytes, name: str) -> Iterator[tuple[int, str]]:
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError:
        raise UsageError(f"{name}: this is not text; give a list of artists as text or CSV.") from None
    if "\0" in text:
        raise UsageError(f"{name}: this is not text; give a list of artists as text or CSV.")
    yield from enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1)


def _rest(file: BinaryIO, name: str) -> bytes:
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _too_large(name)
    return data


def _too_large(name: str) -> UsageError:
    return UsageError(f"{name} is larger than {LARGEST // 1_000_000} MB: that is no list of artists.")
