"""One entry for every format."""

# ruff: noqa: PLC0415 -- start-up time: only the format that is asked for is imported

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from freshwax.model import Report
from freshwax.reports.columns import RELEASES, Column
from freshwax.reports.escape import visible, writable
from freshwax.reports.sections import ordered, sections
from freshwax.reports.summary import nothing, summary

T = TypeVar("T")

LIST_FORMATS = ("table", "json", "csv", "tsv")
REPORT_FORMATS = (*LIST_FORMATS, "ids")


def render(
    report: Report,
    format: str,  # noqa: A002
    *,
    now: datetime,
    width: int = 80,
    colour: bool = False,
    encoding: str = "utf-8",
) -> str:
    """Return a report as text that ends in a line break (or is empty).

    A table is measured as an output of ``encoding`` shows it. Only the table holds the closing sentences; for the other
    formats ``summary`` is meant for standard error.
    """
    lines = ordered(report.lines)
    if format == "json":
        from freshwax.reports import json

        return json.render_report(report, lines)
    if format == "ids":
        return "".join(visible(line.release.ref.id) + "\n" for line in lines)
    if format in {"csv", "tsv"}:
        from freshwax.reports import csv

        return csv.render(lines, RELEASES, tabs=format == "tsv")
    from freshwax.reports import table

    shown = sections(report.lines)
    if shown:
        body = table.render_sections(shown, now=now, width=width, colour=colour, encoding=encoding)
    else:
        body = nothing(report) + "\n"
    return writable(body + "\n" + "\n".join(summary(report, now)) + "\n", encoding)


def render_list(
    items: Sequence[T],
    columns: Sequence[Column[T]],
    format: str,  # noqa: A002
    *,
    now: datetime,
    width: int = 80,
    colour: bool = False,
    encoding: str = "utf-8",
) -> str:
    """Return a list as text; see ``render``."""
    if format == "json":
        from freshwax.reports import json

        return json.render_list(items, columns)
    if format in {"csv", "tsv"}:
        from freshwax.reports import csv

        return csv.render(items, columns, tabs=format == "tsv")
    from freshwax.reports import table

    return table.render_list(items, columns, now=now, width=width, colour=colour, encoding=encoding)
