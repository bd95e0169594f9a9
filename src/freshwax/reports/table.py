"""Plain text for people: aligned columns that never wrap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from freshwax.model import Kind, Line
from freshwax.reports.columns import Column, names, shown_title
from freshwax.reports.escape import brief, visible, writable
from freshwax.reports.layout import ELLIPSIS, Track, fit, line, widths
from freshwax.reports.sections import Section
from freshwax.reports.words import day, release_date

T = TypeVar("T")

LEAST_WIDTH = 40
WIDE = 130  # from here on a link fits beside the rest
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def render_list(
    items: Sequence[T],
    columns: Sequence[Column[T]],
    *,
    now: datetime,
    width: int,
    colour: bool = False,
    encoding: str = "utf-8",
) -> str:
    """Return a list as a table with a heading, measured as an output of that encoding shows it."""
    shown = [column for column in columns if column.heading is not None]
    rows = [[column.heading or "" for column in shown]]
    rows += [[writable(brief(column.text(item, now)), encoding) for column in shown] for item in items]
    tracks = [Track(column.right, column.least) for column in shown]
    sizes = widths(rows, tracks, max(width, LEAST_WIDTH))
    mark = writable(ELLIPSIS, encoding)
    head, *body = [line(row, tracks, sizes, mark) for row in rows]
    return "\n".join([_bold(head, colour), *body]) + "\n"


def render_sections(
    sections: Sequence[Section], *, now: datetime, width: int, colour: bool = False, encoding: str = "utf-8"
) -> str:
    """Return the releases of a report, section by section, all in the same columns; see ``render_list``."""
    width = max(width, LEAST_WIDTH)
    mark = writable(ELLIPSIS, encoding)
    rows = {id(item): _row(item, width, encoding) for section in sections for item in section.lines}
    tracks = [Track(), Track(), Track(least=8), Track(least=8), Track()][: 5 if width >= WIDE else 4]
    sizes = widths(list(rows.values()), tracks, width - 2)
    blocks = []
    for section in sections:
        block = [_bold(f"{section.title} ({len(section.lines)})", colour)]
        for item in section.lines:
            block.append("  " + line(rows[id(item)], tracks, sizes, mark))
            if item.kind is Kind.LATE:
                block.append(fit(f"  {'':{sizes[0]}}  {_late(item, now)}", width, mark))
        blocks.append("\n".join(block) + "\n")
    return "\n".join(blocks)


def _row(item: Line, width: int, encoding: str) -> list[str]:
    release = item.release
    cells = [release.date.value if release.date else "undated", release.type, names(release), shown_title(release)]
    if width >= WIDE:
        cells.append(release.url or "")
    return [writable(brief(cell), encoding) for cell in cells]


def _late(item: Line, now: datetime) -> str:
    today = now.astimezone(UTC).date()
    appeared = day(item.first_seen_at.astimezone(UTC).date(), today)
    if item.release.date is None:
        return f"appeared {appeared}"
    return f"dated {visible(release_date(item.release.date, today))}, appeared {appeared}"


def _bold(text: str, colour: bool) -> str:
    return BOLD + text + PLAIN if colour else text
