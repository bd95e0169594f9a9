"""JSON: the one object of a run's report, and plain arrays for lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from freshwax.model import Artist, Coverage, Line, Report
from freshwax.reports.columns import RELEASES, Column, as_object
from freshwax.reports.escape import json_safe
from freshwax.reports.words import instant

T = TypeVar("T")


def render_report(report: Report, lines: Iterable[Line]) -> str:
    """Return a report as one JSON object. ``run.mode`` is the report's: ``repeat`` marks one printed again."""
    return as_document(
        {
            "run": _run(report),
            "coverage": coverage_of(report.run.coverage),
            "cost": _cost(report),
            "releases": [as_object(line, RELEASES) for line in lines],
            "held": held_of(report.held),
        }
    )


def render_list(items: Iterable[T], columns: Sequence[Column[T]]) -> str:
    """Return a list as a JSON array of objects."""
    return as_document([as_object(item, columns) for item in items])


def as_document(value: object) -> str:
    """Return a value as JSON that any reader takes."""
    return json_safe(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def _instant(value: datetime | None) -> str | None:
    return instant(value) if value else None


def _run(report: Report) -> dict[str, Any]:
    run = report.run
    return {
        "id": run.id,
        "mode": report.mode.value,
        "status": run.status.value,
        "market": run.market,
        "started_at": instant(run.started_at),
        "finished_at": _instant(run.finished_at),
    }


def coverage_of(coverage: Coverage) -> dict[str, Any]:
    """Return how much a run saw, by the names of the report."""
    return {
        "artists": coverage.artists,
        "checked": coverage.checked,
        "fresh": coverage.fresh,
        "not_due": coverage.not_due,
        "failed": coverage.failed,
        "paused": coverage.paused,
        "oldest_check": _instant(coverage.oldest_check),
        "history_incomplete": coverage.history_incomplete,
    }


def held_of(held: Iterable[tuple[Artist, int]]) -> list[dict[str, Any]]:
    """Return of whom releases are held back, and how many, by the names of the report."""
    return [{"artist": {"id": artist.ref.id, "name": artist.name}, "count": number} for artist, number in held]


def _cost(report: Report) -> dict[str, Any]:
    cost = report.run.cost
    return {
        "requests": cost.requests,
        "not_modified": cost.not_modified,
        "bytes_received": cost.bytes_received,
        "seconds": round(cost.seconds, 3),
    }
