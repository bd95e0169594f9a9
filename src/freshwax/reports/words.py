"""Numbers, days and instants in words for people."""

from __future__ import annotations

from datetime import UTC, date, datetime

from freshwax.model import Precision, ReleaseDate
from freshwax.quota import full_minute

# What the codes of ``errors.CheckError`` mean.
FAILURES = {
    "not_found": "not found",
    "empty": "an empty answer",
    "incomplete": "a new release without what tells it from others",
    "bad_id": "not an artist's ID",
    "bad_data": "an answer that makes no sense",
    "too_large": "an answer that is too large",
    "server": "the service failed",
    "network": "the network failed",
    "timeout": "no answer in time",
    "forbidden": "forbidden",
    "http": "an unexpected answer",
}


def failure(code: str | None) -> str:
    """Say why a check failed, by its code."""
    return FAILURES.get(code or "", code or "an error")


def instant(value: datetime) -> str:
    """Return an instant for machines: ``2026-11-22T14:05:00Z``."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def count(number: int, one: str, many: str | None = None) -> str:
    """Return ``1 artist``, ``2 artists``, ``1,200 artists``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago in the unit that fits: ``just now``, ``3 hours ago``, ``9 days ago``."""
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return count(minutes, "minute") + " ago"
    if minutes < 48 * 60:
        return count(minutes // 60, "hour") + " ago"
    return count(minutes // (24 * 60), "day") + " ago"


def holdings(artists: int, releases: int, last_run: datetime | None, now: datetime) -> str:
    """Say what a database holds: ``120 artists, 4,012 releases, last run 3 hours ago``."""
    run = f"last run {ago(last_run, now)}" if last_run else "no run yet"
    return f"{count(artists, 'artist')}, {count(releases, 'release')}, {run}"


def day(value: date, today: date) -> str:
    """Return ``today``, ``yesterday``, ``1 March``, or ``1 March 2024`` in another year."""
    if value == today:
        return "today"
    if (today - value).days == 1:
        return "yesterday"
    return calendar_day(value, today)


def calendar_day(value: date, today: date) -> str:
    """Return ``1 March``, or ``1 March 2024`` where it is not this year's."""
    return f"{value.day} {value:%B}" + ("" if value.year == today.year else f" {value.year}")


def release_date(value: ReleaseDate, today: date) -> str:
    """Return a release date as precisely as it is known: ``1 March``, ``March 2026``, ``2026``."""
    if value.first_day == date.min or value.precision is Precision.YEAR:
        return value.value
    if value.precision is Precision.MONTH:
        return f"{value.first_day:%B %Y}"
    return calendar_day(value.first_day, today)


def clock_time(value: datetime, now: datetime) -> str:
    """Return an instant to come: ``14:05 UTC``, or ``14:05 UTC on 23 November`` on another day. At that minute it has
    come: seconds are rounded up.
    """
    utc, today = full_minute(value), now.astimezone(UTC).date()
    return f"{utc:%H:%M} UTC" + ("" if utc.date() == today else f" on {calendar_day(utc.date(), today)}")
