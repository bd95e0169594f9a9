"""What a report says: the kind of each waiting release, worked out again at the moment of telling."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta

from freshwax.discovery.filters import hiding_word
from freshwax.model import Announcement, Kind, Line, ReleaseDate

# The first place on Earth where a day begins is 14 hours ahead of UTC.
_EARLIEST_ZONE = timedelta(hours=14)


def is_future(date: ReleaseDate | None, now: datetime) -> bool:
    """Tell whether no day that the date may mean has begun anywhere on Earth yet. An unknown date is not future."""
    if date is None or date.first_day.year <= 1:
        return False
    return now < datetime.combine(date.first_day, time(), UTC) - _EARLIEST_ZONE


def lines_to_tell(
    waiting: Iterable[Announcement], now: datetime, *, kinds: Collection[Kind] | None, excluded: Sequence[str]
) -> list[Line]:
    """Return the lines of a report from what waits in an outbox, in the outbox's order.

    An ``upcoming`` release that is out by now is ``new``; one that was told as such and is not out yet gives no
    line. A line that a filter hides (``kinds`` that are wanted, None for all; ``excluded`` title words) carries the
    filter's name.
    """
    lines = []
    for one in waiting:
        kind = _kind_now(one, now)
        if kind is Kind.UPCOMING and one.told_upcoming:
            continue
        hidden_by = _hidden_by(one, kind, kinds, excluded)
        lines.append(Line(one.release, kind, one.first_seen_at, hidden_by))
    return lines


def _kind_now(one: Announcement, now: datetime) -> Kind:
    if one.kind is Kind.UPCOMING and not is_future(one.release.date, now):
        return Kind.NEW
    return one.kind


def _hidden_by(one: Announcement, kind: Kind, kinds: Collection[Kind] | None, excluded: Sequence[str]) -> str | None:
    if kinds is not None and kind not in kinds:
        return f"kinds: {kind} is not among them"
    word = hiding_word(one.release.title, excluded)
    return None if word is None else f"exclude_titles: {word}"
