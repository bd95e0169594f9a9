"""The order of a report: what is new by date, what is to come, and apart from both what only looks new."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from freshwax.model import Kind, Line


class Section(NamedTuple):
    """A heading and its releases."""

    title: str
    lines: tuple[Line, ...]


_SECTIONS: tuple[tuple[str, frozenset[Kind]], ...] = (
    ("New releases", frozenset({Kind.NEW, Kind.LATE})),
    ("Upcoming", frozenset({Kind.UPCOMING})),
    ("Other editions of what you know", frozenset({Kind.EDITION})),
    ("Older releases that appeared now", frozenset({Kind.BACK_CATALOGUE})),
)


def sections(lines: Iterable[Line]) -> list[Section]:
    """Sort the lines into sections, newest first, the upcoming soonest first; hidden lines are left out."""
    shown = [line for line in lines if line.hidden_by is None]
    result = []
    for title, kinds in _SECTIONS:
        inside = sorted((line for line in shown if line.kind in kinds), key=_name)
        inside.sort(key=_date, reverse=Kind.UPCOMING not in kinds)
        if inside:
            result.append(Section(title, tuple(inside)))
    return result


def ordered(lines: Iterable[Line]) -> list[Line]:
    """Return the lines that are shown in the order of the sections, for formats that have none."""
    return [line for section in sections(lines) for line in section.lines]


def _name(line: Line) -> tuple[str, str, str]:
    names = ", ".join(credit.name for credit in line.release.artists)
    return names.casefold(), line.release.title.casefold(), line.release.ref.id


def _date(line: Line) -> str:
    return line.release.date.value if line.release.date else ""
