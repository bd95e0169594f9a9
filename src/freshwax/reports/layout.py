"""Columns of plain text: how wide text is on a terminal, cut and padded to fit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

GAP = "  "
ELLIPSIS = "…"
# Format characters that are seen: they stand before the Arabic, Syriac or Kaithi digits that they embrace.
_PREPENDED = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")


def width(text: str) -> int:
    """Return how many cells a terminal gives to the text: two for East-Asian wide, none for combining characters."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    category = unicodedata.category(character)
    if category in {"Mn", "Me"} or (category == "Cf" and not _PREPENDED.match(character)):
        return 0
    if "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb":
        return 0  # the vowels and finals of Korean letters in pieces stand inside the square of the first
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, cells: int, mark: str = ELLIPSIS) -> str:
    """Cut the text to so many cells; what is cut ends in an ellipsis, or in what stands for one."""
    if width(text) <= cells:
        return text
    kept, used = [], len(mark)
    if used > cells:
        return mark[: max(cells, 0)]
    for character in text:
        used += _width(character)
        if used > cells:
            break
        kept.append(character)
    return "".join(kept).rstrip() + mark


def pad(text: str, cells: int, *, right: bool = False, mark: str = ELLIPSIS) -> str:
    """Fit the text and fill it up to so many cells."""
    cut = fit(text, cells, mark)
    fill = " " * (cells - width(cut))
    return fill + cut if right else cut + fill


class Track(NamedTuple):
    """How a column may be laid out: numbers stand right; ``least`` is how narrow it may become (None: never cut)."""

    right: bool = False
    least: int | None = None


def widths(rows: Sequence[Sequence[str]], tracks: Sequence[Track], total: int) -> list[int]:
    """Return column widths: as wide as the content, the widest flexible column giving way first until all fits."""
    wanted = [max((width(row[i]) for row in rows), default=0) for i in range(len(tracks))]
    excess = sum(wanted) + len(GAP) * (len(tracks) - 1) - total
    while excess > 0:
        flexible = [i for i, t in enumerate(tracks) if t.least is not None and wanted[i] > t.least]
        if not flexible:
            break
        widest = max(flexible, key=lambda i: wanted[i])
        others = [wanted[i] for i in flexible if i != widest and wanted[i] < wanted[widest]]
        least = tracks[widest].least or 0
        step = max(1, min(excess, wanted[widest] - max([least, *others])))
        wanted[widest] -= step
        excess -= step
    return wanted


def line(row: Sequence[str], tracks: Sequence[Track], columns: Sequence[int], mark: str = ELLIPSIS) -> str:
    """Return one line of a table, without trailing spaces."""
    cells = [pad(text, w, right=t.right, mark=mark) for text, t, w in zip(row, tracks, columns, strict=True)]
    return GAP.join(cells).rstrip()
