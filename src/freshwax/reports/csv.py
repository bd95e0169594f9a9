"""Rows as CSV or TSV: a header line, then a line an item; hostile text neither breaks a line nor becomes a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from freshwax.reports.columns import Column, Value
from freshwax.reports.escape import cell

T = TypeVar("T")


def render(items: Iterable[T], columns: Sequence[Column[T]], *, tabs: bool) -> str:
    """Return the document; with ``tabs``, TSV without any quoting."""
    rows = [[column.key for column in columns]]
    rows += [[_text(column.value(item)) for column in columns] for item in items]
    if tabs:
        return "".join("\t".join(row) + "\n" for row in rows)
    return "".join(",".join(map(_quoted, row)) + "\n" for row in rows)


def _text(value: Value) -> str:
    if isinstance(value, str):
        return cell(value)
    return "" if value is None else str(value)


def _quoted(text: str) -> str:
    """Quote as Python's csv module does, and what holds a semicolon or a tab, too: spreadsheets may split there."""
    return '"' + text.replace('"', '""') + '"' if re.search('[,;\t\r\n"]', text) else text
