"""Looks at everything that freshwax stands on: configuration, database, disk, the last run, and the source if asked."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from freshwax import __version__, app
from freshwax.config import Config
from freshwax.config.private import readable_by_others
from freshwax.errors import FreshwaxError, StoreDamaged, StoreError, StoreMissing
from freshwax.model import ArtistState
from freshwax.planning.due import is_ahead
from freshwax.reports.health import (
    ATTENTION,
    CREDENTIALS,
    Backups,
    Database,
    Finding,
    Health,
    Kept,
    judge_backup,
    judge_checks,
    judge_held,
    judge_quota,
    judge_run,
    last_regular,
)
from freshwax.reports.words import count
from freshwax.tracking.report import held

ENOUGH = 100_000_000  # bytes: room for the database, its journal, and the copy that a migration makes
RECENT = 50  # runs among which the last one that was no prefetch is looked for


def look(config: Config, now: datetime, *, offline: bool) -> Health:
    """Look at everything; with ``offline`` at nothing beyond this machine. Writes nothing but the ledger's requests."""
    database, kept, findings = _database(config)
    asked = _asked(config, offline=offline, usable=not any(one.code for one in findings))
    if kept is not None and any(one.name == "quota" for one in asked):
        kept = _contents(config, now)  # the source may have said just now that it is to be left alone
        asked = [one for one in asked if one.name != "quota" or kept.paused_until is None]
    backups = _backups(config)
    free, disk = _disk(config.database_path)
    health = Health(
        at=now,
        version=__version__,
        database=database,
        kept=kept,
        client_id=bool(config.spotify_client_id),
        client_secret=bool(config.spotify_client_secret),
        accepted=None,
        config_file=str(config.file) if config.file else None,
        # One that holds a secret and could be read by others would have been refused.
        private=config.file is None or not readable_by_others(config.file),
        free=free,
        per_day=config.spotify_requests_per_day,
        backups=backups,
        findings=(),
    )
    settings = Finding("configuration", str(config.file or "no file; `freshwax init` writes one"))
    findings = [settings, *findings, *_kept(config, kept, now), disk]
    if database.status == "sound" or backups != Backups():
        findings.append(judge_backup(backups, now))
    accepted = next((one.ok for one in asked if one.name == "credentials" and health.client_secret), None)
    return replace(health, accepted=accepted, findings=(*findings, *asked))


def _asked(config: Config, *, offline: bool, usable: bool) -> list[Finding]:
    """Return what the source says, where it may be asked; its requests go into a database that is ``usable``."""
    if offline:
        return [] if config.spotify_client_id and config.spotify_client_secret else [_no_credentials()]
    return _source(config) if usable else []


def _backups(config: Config) -> Backups:
    """Look for the newest backup that can be restored, for a newer one that cannot, and for one that is away."""
    from freshwax.store.known_backups import (  # noqa: PLC0415 -- the store is opened here only
        known,
        newest_absent,
        newest_good,
    )

    path = config.database_path
    newest, good, absent = next(iter(known(path)), None), newest_good(path), newest_absent(path)
    return Backups(
        good=(good.path, good.at) if good else None,
        spoilt=(newest.path, newest.at) if newest and newest != good else None,
        absent=(absent.path, absent.at) if absent else None,
    )


def _database(config: Config) -> tuple[Database, Kept | None, list[Finding]]:
    from freshwax.store.known_backups import is_seen  # noqa: PLC0415 -- as above

    path = config.database_path
    folder = _folder(path)
    base = Database(str(path), "unusable")
    if not os.access(folder, os.W_OK):
        text = f"you may not write in {folder}: make it writable, or give another path"
        return base, None, [Finding("database", text, ATTENTION)]
    return _read(config, replace(base, size=path.stat().st_size if is_seen(path) else None))


def _read(config: Config, base: Database) -> tuple[Database, Kept | None, list[Finding]]:
    """Read what the database holds; say what is wrong with it where something is."""
    path = config.database_path
    try:
        found = app.examine_database(config)
        base = replace(base, schema=found.schema, problems=found.problems)
        if found.problems:
            return replace(base, status="damaged"), None, [Finding("database", config.typed(found.advice), ATTENTION)]
        kept = _contents(config, app.now())
    except StoreMissing:
        text = f"{path} is not there yet; the first command that needs it makes it"
        return replace(base, status="missing"), None, [Finding("database", text)]
    except StoreDamaged as error:
        status, problem = ("missing", "it is gone") if base.size is None else ("damaged", "it is no database any more")
        base = replace(base, status=status, problems=(problem,))
        return base, None, [Finding("database", config.typed(str(error)), ATTENTION)]
    except StoreError as error:
        return base, None, [Finding("database", config.typed(str(error)), ATTENTION)]
    if not os.access(path, os.W_OK):
        text = f"{path} cannot be written: make it writable, or give another path"
        return base, kept, [Finding("database", text, ATTENTION)]
    said = f"{path}, sound, {count(len(kept.artists), 'artist')}"
    return replace(base, status="sound"), kept, [Finding("database", said)]


def _contents(config: Config, now: datetime) -> Kept:
    with app.open_store(config, read_only=True) as store:
        pause = app.pause(store, now, config.spotify_requests_per_day)
        artists = store.artists()
        return Kept(
            artists=artists,
            ahead=sum(is_ahead(one, now) for one in artists if one.state is ArtistState.ACTIVE),
            last_run=last_regular(app.as_they_are(config, store, store.runs(RECENT))),
            requests=store.requests_since(app.SOURCE, now - timedelta(days=1), now),
            paused_until=pause.until if pause else None,
            paused_why=pause.reason if pause else None,
            held=held(store),
        )


def _kept(config: Config, kept: Kept | None, now: datetime) -> list[Finding]:
    if kept is None:
        return []
    found = (
        judge_run(kept.last_run, now, timedelta(days=config.check_interval)),
        judge_checks(kept, now, timedelta(days=config.max_interval)),
        judge_held(kept),
        judge_quota(kept, app.SOURCE, config.spotify_requests_per_day, now),
    )
    return [one for one in found if one is not None]


def _folder(path: Path) -> Path:
    """Return the folder of a file, or what there is of the way to it."""
    return next(parent for parent in path.resolve().parents if parent.exists())


def _disk(path: Path) -> tuple[int, Finding]:
    folder = _folder(path)
    free = shutil.disk_usage(folder).free
    if free < ENOUGH:
        text = f"only {free // 1_000_000} MB free at {folder}: make room before the next run"
        return free, Finding("disk", text, ATTENTION)
    return free, Finding("disk", f"{free // 1_000_000:,} MB free")


def _no_credentials() -> Finding:
    advice = "none set: `freshwax init` asks for them, or set FRESHWAX_SPOTIFY_CLIENT_ID and _SECRET"
    return Finding("credentials", advice, CREDENTIALS)


def _source(config: Config) -> list[Finding]:
    """Ask the source. Its requests go into the ledger, so the database must be usable."""
    if not config.spotify_client_id or not config.spotify_client_secret:
        return [_no_credentials()]
    try:
        facts = asyncio.run(app.diagnose(config))
    except FreshwaxError as error:
        return [Finding("source", str(error), CREDENTIALS if error.exit_code == CREDENTIALS else ATTENTION)]
    return [Finding(fact.name, fact.text, _weight(fact.name, ok=fact.ok)) for fact in facts]


def _weight(name: str, *, ok: bool) -> int:
    if ok:
        return 0
    return CREDENTIALS if name == "credentials" else ATTENTION
