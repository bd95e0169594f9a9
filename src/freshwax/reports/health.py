"""How freshwax is doing: what was found out, how it is judged, and both as text and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from freshwax.model import Artist, ArtistState, Mode, Run, RunStatus
from freshwax.quota import OWN_QUOTA
from freshwax.reports.escape import brief, visible
from freshwax.reports.json import as_document, coverage_of, held_of
from freshwax.reports.words import ago, clock_time, count, instant

HEALTHY, ATTENTION, CREDENTIALS = 0, 3, 5
WORDS = {HEALTHY: "healthy", ATTENTION: "attention", CREDENTIALS: "credentials"}
LONGEST_RUN = timedelta(days=1)


class Finding(Struct, frozen=True):
    """What was looked at, what is to be said of it, and the exit code that it deserves."""

    name: str
    text: str
    code: int = HEALTHY

    @property
    def ok(self) -> bool:
        """Whether nothing has to be done."""
        return self.code == HEALTHY


class Database(Struct, frozen=True):
    """The file: ``sound``, ``damaged``, ``missing``, or ``unusable`` for another reason."""

    path: str
    status: str
    schema: int | None = None
    size: int | None = None
    problems: Sequence[str] = ()


class Backups(Struct, frozen=True):
    """The newest backup that can be restored, a newer one that cannot be, and the newest that is not where it was.

    Paths and instants, None without.
    """

    good: tuple[str, datetime] | None = None
    spoilt: tuple[str, datetime] | None = None
    absent: tuple[str, datetime] | None = None


class Kept(Struct, frozen=True):
    """What a readable database says: followed artists, the last run that was no prefetch, requests of 24 hours.

    ``ahead``: so many artists have a check of a time in the future. ``held``: of whom so many releases are held back.
    """

    artists: Sequence[Artist]
    ahead: int
    last_run: Run | None
    requests: int
    paused_until: datetime | None
    paused_why: str | None
    held: Sequence[tuple[Artist, int]] = ()


class Health(Struct, frozen=True):
    """Everything that was found out. ``accepted``: what the source says of the credentials; None: not asked."""

    at: datetime
    version: str
    database: Database
    kept: Kept | None
    client_id: bool
    client_secret: bool
    accepted: bool | None
    config_file: str | None
    private: bool
    free: int
    per_day: int
    backups: Backups
    findings: Sequence[Finding]

    @property
    def exit_code(self) -> int:
        """The worst of the findings: credentials, then attention."""
        return max((finding.code for finding in self.findings), default=HEALTHY)


def judge_run(run: Run | None, now: datetime, every: timedelta) -> Finding:
    """Judge the last run: how it ended, and whether another one should have begun since."""
    if run is None:
        return Finding("last run", "none yet: `freshwax track` does one")
    said = f"run {run.id}, {run.status}, begun {ago(run.started_at, now)}"
    if run.status is RunStatus.RUNNING:
        hangs = now - run.started_at > LONGEST_RUN
        return Finding("last run", f"{said}: killed, or it hangs" if hangs else said, ATTENTION if hangs else HEALTHY)
    if run.exit_code:
        why = f" ({run.error.rstrip('.')})" if run.error else ""
        code = CREDENTIALS if run.exit_code == CREDENTIALS else ATTENTION
        return Finding("last run", f"{said}{why}: `freshwax track` goes on", code)
    if now - run.started_at > every + timedelta(days=1):
        return Finding("last run", f"{said}: does cron, or whatever starts it, still run?", ATTENTION)
    return Finding("last run", said)


def judge_checks(kept: Kept, now: datetime, longest: timedelta) -> Finding:
    """Judge the oldest check of an active artist, how many were never checked, and how many of a time to come."""
    if kept.ahead:
        said = f"{count(kept.ahead, 'check')} {'is' if kept.ahead == 1 else 'are'} stored with a time in the future"
        text = f"{said}: look at this machine's clock; `freshwax track` makes them again"
        return Finding("checks", text, ATTENTION)
    active = [artist for artist in kept.artists if artist.state is ArtistState.ACTIVE]
    unlearnt = sum(artist.checked_at is None for artist in active)
    oldest = oldest_check(kept.artists)
    words = [f"the oldest {ago(oldest, now)}"] if oldest else []
    words += [f"{count(unlearnt, 'artist')} not checked yet"] if unlearnt else []
    if oldest is not None and now - oldest > longest:
        return Finding("checks", f"{', '.join(words)}: longer than max_interval; `freshwax track`", ATTENTION)
    return Finding("checks", ", ".join(words) or "nobody is followed yet: `freshwax artists import FILE`")


def oldest_check(artists: Sequence[Artist]) -> datetime | None:
    """Return the oldest check of an active artist that was checked at all."""
    return min((one.checked_at for one in artists if one.checked_at and one.state is ArtistState.ACTIVE), default=None)


def judge_held(kept: Kept) -> Finding | None:
    """Say what is held back; nothing where nothing is. It keeps well until it is decided, so all is healthy."""
    if not kept.held:
        return None
    first, number = kept.held[0]
    others = len(kept.held) - 1
    more = f", and some of {count(others, 'other artist')}" if others else ""
    what = f"{count(number, 'release')} of {brief(first.name or first.ref.id)}{more}"
    return Finding("held", f"{what} held back until you decide: `freshwax release-held {first.ref.id}`")


def judge_quota(kept: Kept, source: str, per_day: int, now: datetime) -> Finding:
    """Judge what may still be asked."""
    said = f"{kept.requests:,} of {per_day:,} requests of the last 24 hours sent"
    if kept.paused_until is None:
        return Finding("quota", said)
    when = f"until {clock_time(kept.paused_until, now)}"
    if kept.paused_why == OWN_QUOTA:
        return Finding("quota", f"{said}: your limit is reached {when}: wait, or raise requests_per_day", ATTENTION)
    return Finding("quota", f"{source.title()} is paused {when}", ATTENTION)


def judge_backup(backups: Backups, now: datetime) -> Finding:
    """Judge the last backup. That there is none is the user's to choose; that it is spoilt is not."""
    good = f"{ago(backups.good[1], now)}, {backups.good[0]}" if backups.good else None
    if backups.spoilt:
        path, at = backups.spoilt
        last = f"the last good one: {good}" if good else "there is no good one"
        text = f"{path} is damaged ({ago(at, now)}); {last}: delete it, then `freshwax backup FILE`"
        return Finding("backup", text, ATTENTION)
    if backups.absent and not good:
        path, at = backups.absent
        return Finding("backup", f"the last one, {ago(at, now)}, {path}, is not there now")
    return Finding("backup", good or "none known: `freshwax backup FILE` makes one")


def last_regular(runs: Sequence[Run]) -> Run | None:
    """Return the newest run that was no prefetch."""
    return next((run for run in runs if run.mode is not Mode.PREFETCH), None)


def as_text(health: Health) -> str:
    """Return a line for each finding."""
    return "".join(f"{'ok ' if one.ok else '!! '} {one.name}: {visible(one.text)}\n" for one in health.findings)


def as_json(health: Health, latest_schema: int) -> str:
    """Return one object; the keys of its first level are always there, null where nothing is known."""
    kept, base = health.kept, health.database
    run = kept.last_run if kept else None
    return as_document(
        {
            "status": WORDS[health.exit_code],
            "exit_code": health.exit_code,
            "checked_at": instant(health.at),
            "version": health.version,
            "database": {
                "path": base.path,
                "status": base.status,
                "schema": base.schema,
                "latest_schema": latest_schema,
                "bytes": base.size,
                "problems": list(base.problems),
            },
            "artists": _artists(kept.artists) if kept else None,
            "last_run": _run(run, health.at) if run else None,
            "coverage": coverage_of(run.coverage) if run else None,
            "oldest_check": _moment(oldest_check(kept.artists), health.at) if kept else None,
            "held": held_of(kept.held) if kept else None,
            "quota": _quota(kept, health.per_day) if kept else None,
            "credentials": {
                "client_id": health.client_id,
                "client_secret": health.client_secret,
                "accepted": health.accepted,
            },
            "configuration": {"file": health.config_file, "private": health.private},
            "backup": _backup(health.backups.good, health.at),
            "disk": {"bytes_free": health.free},
            "findings": [
                {"name": one.name, "ok": one.ok, "code": one.code, "text": one.text} for one in health.findings
            ],
        }
    )


def _artists(artists: Sequence[Artist]) -> dict[str, int]:
    states = {state.value: sum(one.state is state for one in artists) for state in ArtistState}
    del states[ArtistState.REMOVED.value]
    return {**states, "learnt": sum(one.learnt for one in artists), "failing": sum(one.failures > 0 for one in artists)}


def _run(run: Run, now: datetime) -> dict[str, object]:
    return {
        "id": run.id,
        "mode": run.mode.value,
        "status": run.status.value,
        "exit_code": None if run.status is RunStatus.RUNNING else run.exit_code,
        "started_at": instant(run.started_at),
        "finished_at": instant(run.finished_at) if run.finished_at else None,
        "age_seconds": _age(run.started_at, now),
        "error": run.error,
    }


def _quota(kept: Kept, per_day: int) -> dict[str, object]:
    until = kept.paused_until
    return {
        "requests_last_24_hours": kept.requests,
        "requests_per_day": per_day,
        "left": 0 if until else max(per_day - kept.requests, 0),
        "paused_until": instant(until) if until else None,
        "paused_why": kept.paused_why,
    }


def _backup(good: tuple[str, datetime] | None, now: datetime) -> dict[str, object] | None:
    return {"path": good[0], **_since(good[1], now)} if good else None


def _moment(at: datetime | None, now: datetime) -> dict[str, object] | None:
    return _since(at, now) if at else None


def _since(at: datetime, now: datetime) -> dict[str, object]:
    return {"at": instant(at), "age_seconds": _age(at, now)}


def _age(at: datetime, now: datetime) -> int:
    return max(int((now - at).total_seconds()), 0)
