"""Values on the command line: days, numbers, artists."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import click


class Day(click.ParamType[date]):
    """A day, as ISO writes it."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the day."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-03-01.", param, ctx)


class Number(click.ParamType[int]):
    """A whole number that is not too small."""

    name = "N"

    def __init__(self, least: int) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number."""
        try:
            number = int(value)
        except ValueError:
            number = self._least - 1
        if number < self._least:
            self.fail(f"{value!r} is not a whole number from {self._least} up.", param, ctx)
        return number


class ArtistText(click.ParamType[str]):
    """What a person writes for an artist: an ID, URI, link or name, and never nothing."""

    name = "ARTIST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse empty text: it would mean everybody to some, and nobody to others."""
        text = str(value)
        if not text.strip():
            self.fail("An artist cannot be empty text.", param, ctx)
        return text


def begin(day: date | None) -> datetime | None:
    """Return the instant at which a day begins, in UTC."""
    return datetime.combine(day, time(), UTC) if day else None
