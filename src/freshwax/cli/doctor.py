"""``freshwax doctor``: what works, what does not, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import click

from freshwax import app
from freshwax.cli import output
from freshwax.cli.setup import Setup
from freshwax.config import Config
from freshwax.errors import AuthError, FreshwaxError, SourceError, StoreError
from freshwax.reports.escape import visible
from freshwax.reports.words import clock_time, count

ENOUGH = 100_000_000  # bytes: room for the database, its journal, and the copy that a migration makes


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Leave out what needs the network.")
@click.pass_obj
def command(setup: Setup, /, offline: bool) -> int:
    """Test the configuration, the database, the disk, and (with three requests) credentials, market and clock.

    Exit code: 0 when all is well, else that of the worst finding: 2 database, 3 network, 5 credentials.
    """
    config = setup.config
    database = _database(config)
    findings = [*_configuration(config), *database, _disk(config.database_path)]
    if not offline and all(code != StoreError.exit_code for _, _, code in database):
        findings += _source(config)
    text = "".join(f"{'ok ' if code == 0 else '!! '} {name}: {visible(said)}\n" for name, said, code in findings)
    output.write(text)
    return max(0, *(code for _, _, code in findings))


Finding = tuple[str, str, int]  # what was tested, what is to be said, the exit code that it deserves
ADVICE = -1  # something to change, but no reason to fail


def _configuration(config: Config) -> list[Finding]:
    findings: list[Finding] = [("configuration", str(config.file or "no file; `freshwax init` writes one"), 0)]
    if config.file is not None and config.spotify_client_secret:
        others = stat.S_IMODE(config.file.stat().st_mode) & 0o077
        if others:
            findings.append(("permissions", f"others can read your secret: chmod 600 {config.file}", ADVICE))
    return findings


def _database(config: Config) -> list[Finding]:
    path = config.database_path
    folder = _folder(path)
    if not os.access(folder, os.W_OK):
        return [("database", f"you may not write in {folder}: make it writable, or give another path", 2)]
    if not path.exists():
        return [("database", f"{path} is not there yet; the first command that needs it makes it", 0)]
    now = app.now()
    try:
        problems = app.check_database(config)
        with app.open_store(config, read_only=True) as store:
            artists = len(store.artists())
            cooldown = app.pause(store, now)
            used = store.requests_since(app.SOURCE, now - timedelta(days=1))
    except StoreError as error:
        return [("database", str(error), error.exit_code)]
    if problems:
        advice = "keep a copy of it, move it away, and import your artists anew"
        return [("database", f"{path} is damaged ({'; '.join(problems)}): {advice}", 2)]
    if not os.access(path, os.W_OK):
        return [("database", f"{path} cannot be written: make it writable, or give another path", 2)]
    findings: list[Finding] = [("database", f"{path}, sound, {count(artists, 'artist')}", 0)]
    if cooldown is not None:
        findings.append(("quota", f"{cooldown.source.title()} is paused until {clock_time(cooldown.until, now)}", 3))
    else:
        findings.append(_quota(used, config.spotify_requests_per_day))
    return findings


def _quota(used: int, per_day: int) -> Finding:
    said = f"{used:,} of {per_day:,} requests of the last 24 hours sent"
    return ("quota", said, 0) if used < per_day else ("quota", f"{said}: wait, or raise requests_per_day", 3)


def _folder(path: Path) -> Path:
    """Return the folder of a file, or what there is of the way to it."""
    return next(parent for parent in path.resolve().parents if parent.exists())


def _disk(path: Path) -> Finding:
    folder = _folder(path)
    free = shutil.disk_usage(folder).free
    if free < ENOUGH:
        return ("disk", f"only {free // 1_000_000} MB free at {folder}: make room before the next run", 2)
    return ("disk", f"{free // 1_000_000:,} MB free", 0)


def _source(config: Config) -> list[Finding]:
    """Ask the source. Its requests go into the ledger, so the database must be usable."""
    if not config.spotify_client_id or not config.spotify_client_secret:
        advice = "none set: `freshwax init` asks for them, or set FRESHWAX_SPOTIFY_CLIENT_ID and _SECRET"
        return [("credentials", advice, AuthError.exit_code)]
    try:
        facts = asyncio.run(app.diagnose(config))
    except FreshwaxError as error:
        return [("source", str(error), error.exit_code)]
    return [(fact.name, fact.text, _weight(fact.name, ok=fact.ok)) for fact in facts]


def _weight(name: str, *, ok: bool) -> int:
    if ok:
        return 0
    return AuthError.exit_code if name == "credentials" else SourceError.exit_code
