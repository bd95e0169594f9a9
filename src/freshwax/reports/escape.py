"""Text from outside, made safe to show: nothing that a title holds may steer a terminal or reorder what is read."""

from __future__ import annotations

import re

# C0 and C1 controls (ESC among them), line and paragraph separators, bidi embeddings, overrides and isolates, the byte
# order mark, interlinear marks, lone surrogates. What writes Hebrew, Persian or emoji families (LRM, ZWJ) stays.
_DANGEROUS = "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
_WHITE = "[\t\n\x0b\x0c\r\x85\u2028\u2029]+"
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # full width too: some spreadsheets fold them


def _code(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def visible(text: str) -> str:
    r"""Return the text in one line, control characters spelt out (``\x1b``), line breaks and tabs as spaces."""
    if text.isprintable():  # nearly always; and the patterns need not even be compiled
        return text
    return re.sub(_DANGEROUS, _code, re.sub(_WHITE, " ", text))


def json_safe(document: str) -> str:
    """Escape in a finished JSON document what JSON allows raw and a terminal should not get.

    All of it can only stand inside strings, so the document means the same as before.
    """
    return re.sub(_DANGEROUS, lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", document)


def cell(text: str) -> str:
    """Return text for a CSV or TSV cell: as ``visible``, and never read as a formula by a spreadsheet."""
    shown = visible(text)
    risky = text[:1] in {"\t", "\r", "\n"} or shown.lstrip().startswith(_FORMULA)
    return "'" + shown if risky else shown
