"""Text from outside, made safe to show: nothing that a title holds may steer a terminal or reorder what is read."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls (ESC among them), line and paragraph separators, bidi embeddings, overrides and isolates, the byte
# order mark, interlinear marks, lone surrogates, and what is no character at all (XML forbids it).
_DANGEROUS = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\ufffe\uffff]"
_WHITE = "[\t\n\x0b\x0c\r\x85\u2028\u2029]+"
# Characters that take no room, or take it without being seen: direction marks, zero-width spaces, soft hyphens,
# fillers, tags. People lose nothing with them, tables would lose their columns. Joiners stay, for Persian and emoji.
_UNSEEN = (
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\u3164\uffa0"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = "\u200c\u200d"
MARKS = 4  # accents on one letter; Vietnamese, Hebrew and Tibetan want up to so many, "Zalgo" hundreds
LONGEST = 300  # characters of one title or name that people are shown; machines get all of it
# What begins a formula, also behind spaces and a quotation mark; full width too: some spreadsheets fold it.
_FORMULA = r'[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20]'


def _code(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def visible(text: str) -> str:
    r"""Return the text in one line, control characters spelt out (``\x1b``), line breaks and tabs as spaces.

    What nobody sees (zero-width spaces, direction marks) is left out, and so are accents beyond ``MARKS`` on a letter.
    """
    if text.isascii() and text.isprintable():  # nearly always; and the patterns need not even be compiled
        return text
    text = re.sub(_DANGEROUS, _code, re.sub(_WHITE, " ", text))
    return text if text.isascii() else _unstacked(re.sub(_UNSEEN, "", text))


def brief(text: str) -> str:
    """Return a title or name for people: as ``visible``, and cut where it is longer than any real one."""
    return visible(text) if len(text) <= LONGEST else visible(text[: LONGEST - 1]) + "…"


def writable(text: str, encoding: str) -> str:
    """Return the text as an output of that encoding can hold it: three dots for an ellipsis, escapes for the rest."""
    if text.isascii():
        return text
    try:
        "…".encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("…", "...")
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _unstacked(text: str) -> str:
    """Leave out accents and joiners beyond the first few in a row."""
    kept, marks = [], 0
    for character in text:
        stacks = character in _JOINERS or (character > "\u02ff" and unicodedata.category(character) in {"Mn", "Me"})
        marks = marks + 1 if stacks else 0
        if marks <= MARKS:
            kept.append(character)
    return "".join(kept)


def json_safe(document: str) -> str:
    """Escape in a finished JSON document what JSON allows raw and a terminal should not get.

    All of it can only stand inside strings, so the document means the same as before; but a lone surrogate, which no
    strict reader takes, becomes the replacement character.
    """
    return re.sub(_DANGEROUS, _json_code, document)


def _json_code(match: re.Match[str]) -> str:
    if match[0] == "\n":
        return match[0]
    return "\ufffd" if "\ud800" <= match[0] <= "\udfff" else f"\\u{ord(match[0]):04x}"


def cell(text: str) -> str:
    """Return text for a CSV or TSV cell: as ``visible``, and never read as a formula by a spreadsheet.

    What would begin one (``=``, ``+``, ``-``, ``@``, also behind spaces, a tab, a line break or ``"``) is preceded by
    ``'``: at the beginning, and after a semicolon, at which spreadsheets split where the comma is the decimal mark.
    """
    first, *others = visible(text).split(";")
    shown = ";".join((first, *map(_no_formula, others)))
    risky = text[:1] in {"\t", "\r", "\n"} or re.match(_FORMULA, shown)
    return "'" + shown if risky else shown


def _no_formula(part: str) -> str:
    """Return what stands behind a semicolon, so that it begins no formula."""
    if not re.match(_FORMULA, part):
        return part
    text = part.lstrip()
    return f"{part[: len(part) - len(text)]}'{text}"
