"""A small vocabulary for tests of the store."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from freshwax.model import (
    CheckResult,
    Credit,
    Decision,
    Group,
    Kind,
    Line,
    Mark,
    Mode,
    Precision,
    Ref,
    Release,
    ReleaseDate,
    Report,
    Run,
    Silence,
)
from freshwax.store.base import Store

NOW = datetime(2026, 3, 6, 9, 0, 0, 123456, tzinfo=UTC)
SHELL = "stdout"
A, B = Ref("spotify", "artist-a"), Ref("spotify", "artist-b")


def at(days: float) -> datetime:
    """An instant, days after the beginning."""
    return NOW + timedelta(days=days)


def release(name: str, date: str | None = "2026-03-06", **facts: Any) -> Release:
    """A release with that ID."""
    precision = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}
    values: dict[str, Any] = {
        "title": f"Title of {name}",
        "type": "album",
        "artists": (Credit("artist-a", "Ämäzing; \x00 'A'"), Credit("artist-b", "B")),
        "url": f"https://example.org/{name}",
        "image_url": None,
        "total_tracks": 10,
    }
    day = None if date is None else ReleaseDate(date, precision[len(date)])
    return Release(ref=Ref("spotify", name), date=day, **{**values, **facts})


def told(one: Release, kind: Kind = Kind.NEW, **more: Any) -> Decision:
    """The decision to tell a release."""
    values: dict[str, Any] = {"group": Group.ALBUM, "key": f"key of {one.title}", "marks": "", **more}
    return Decision(one, kind=kind, silence=None, announced=one.ref, **values)


def silent(one: Release, why: Silence = Silence.BASELINE, **more: Any) -> Decision:
    """The decision to keep quiet about a release."""
    values: dict[str, Any] = {"group": Group.ALBUM, "key": f"key of {one.title}", "marks": "", **more}
    return Decision(one, kind=None, silence=why, **values)


def mark(group: Group = Group.ALBUM, checked_at: datetime = NOW, **more: Any) -> Mark:
    """A watermark."""
    return Mark(group, "US", first_checked_at=NOW, checked_at=checked_at, **{"horizon": 10, **more})


def start(store: Store, now: datetime = NOW) -> Run:
    """Begin a run."""
    return store.start_run(Mode.INCREMENTAL, "US", now)


def save(
    store: Store, artist: Ref, *decisions: Decision, run: int = 0, channels: Collection[str] = (SHELL,), **more: Any
) -> CheckResult:
    """Follow the artist if need be, and save a check of it, in the newest run, or a new one."""
    if store.artist(artist) is None:
        store.watch([(artist, None)], NOW)
    runs = store.runs(1) or [start(store)]
    values: dict[str, Any] = {"at": NOW, "name": None, "changed": (), "marks": (mark(),), "listing": "seen", **more}
    result = CheckResult(artist, run or runs[0].id, decisions=decisions, **values)
    with store.write() as tx:
        tx.save(result, channels)
    return result


def report(store: Store, run: Run, channel: str = SHELL, **more: Any) -> Report:
    """Fix a report of all that waits on the channel."""
    lines = tuple(Line(one.release, one.kind, one.first_seen_at) for one in store.untold(channel))
    values: dict[str, Any] = {"mode": run.mode, "lines": lines, **more}
    return store.save_report(Report(0, channel, run=run, **values))


def titles(found: Collection[Any]) -> list[str]:
    """The IDs of what was found, in its order."""
    return [one.release.ref.id for one in found]
