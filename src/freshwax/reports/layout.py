"""Columns of plain text: how wide text is on a terminal, cut and padded to fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

GAP = "  "


def width(text: str) -> int:
    """Return how many cells a terminal gives to the text: two for East-Asian wide, none for combining characters."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, cells: int) -> str:
    """Cut the text to so many cells; what is cut ends in an ellipsis."""
    if width(text) <= cells:
        return text
    kept, used = [], 0
    for character in text:
        used += _width(character)
        if used > cells - 1:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…" if cells > 0 else ""


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """Fit the text and fill it up to so many cells."""
    cut = fit(text, cells)
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


def line(row: Sequence[str], tracks: Sequence[Track], columns: Sequence[int]) -> str:
    """Return one line of a table, without trailing spaces."""
    cells = [pad(text, w, right=t.right) for text, t, w in zip(row, tracks, columns, strict=True)]
    return GAP.join(cells).rstrip()
