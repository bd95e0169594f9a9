"""freshwax in processes that die on command, for ``kills.py``: the children of the end-to-end tests' own nursery."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.user import KILLED, Life, Nursery, User

from freshwax.model import Mode
from freshwax.store import migrate
from freshwax.store.backup import flaws

REPORT, BACKUP = "report.json", "backup.db"  # in the folder of whoever dies

Kill = int | tuple[str, int, int] | float


@dataclass(frozen=True, slots=True)
class Scene:
    """What is killed, and from which state. ``command`` dies; it is run again until it ends by itself, and so is each
    of ``then``. ``base`` is the database before it all, None where there is none.
    """

    name: str
    base: Path | None
    command: tuple[str, ...]
    then: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Telling:
    """What one life printed, and whether the database says that it was told."""

    titles: tuple[str, ...]
    recorded: bool


@dataclass
class Trace:
    """Everything that was seen of one user who was killed, once or twice."""

    tellings: list[Telling] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    intact: int = 0
    damage: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    def told(self) -> list[str]:
        """Every title that was printed, as often as it was."""
        return [title for telling in self.tellings for title in telling.titles]

    def excused(self) -> set[str]:
        """What may be told again: printed by one that died before it could record that."""
        return {title for telling in self.tellings if not telling.recorded for title in telling.titles}


class Mortal:
    """Runs scenes, each in a folder of its own that is gone afterwards."""

    def __init__(self, nursery: Nursery, folder: Path, env: dict[str, str]) -> None:
        self._nursery = nursery
        self._folder = folder / "mortal"
        self._env = {name: value for name, value in env.items() if name != "FRESHWAX_DATABASE"}

    def rehearse(self, scene: Scene, **env: str) -> Life:
        """Let the command of a scene live; return what it did."""
        user = self._begin(scene, env)
        try:
            life = self._live(user, scene.command, Trace())
        finally:
            shutil.rmtree(user.folder)
        if life.code not in {0, 3}:
            raise SystemExit(f"{scene.name}: exit code {life.code}: {life.err}")
        return life

    def left_by(self, scene: Scene, target: Path) -> Path:
        """Let the command of a scene live; keep the database that it leaves, and return where."""
        user = self._begin(scene, {})
        try:
            self._live(user, scene.command, Trace())
            with closing(sqlite3.connect(user.database)) as connection, closing(sqlite3.connect(target)) as copy:
                connection.backup(copy)
        finally:
            shutil.rmtree(user.folder)
        return target

    def die(self, scene: Scene, kills: Sequence[Kill], **env: str) -> Trace:
        """Let the command die at each of these moments, then run everything until it is complete."""
        user = self._begin(scene, env)
        trace = Trace()
        try:
            for kill in kills:
                self._live(user, scene.command, trace, kill)
            for command in (scene.command, *scene.then):
                self._complete(user, command, trace)
            rest = self._live(user, ("track", "--format", "json"), trace)
            trace.unfinished += [f"left over: {title}" for title in rest.titles]
        finally:
            shutil.rmtree(user.folder)
        return trace

    def _begin(self, scene: Scene, env: dict[str, str]) -> User:
        self._folder.mkdir()
        user = User(self._folder, {**self._env, **env})
        if scene.base is not None:
            shutil.copy(scene.base, user.database)
        return user

    def _complete(self, user: User, command: tuple[str, ...], trace: Trace) -> None:
        for _ in range(5):
            life = self._live(user, command, trace)
            if life.code == 0:
                return
        trace.unfinished.append(f"{' '.join(command)}: exit code {life.code}, {life.err}")

    def _live(self, user: User, command: tuple[str, ...], trace: Trace, kill: Kill | None = None) -> Life:
        """One life, and what it left."""
        before = _last_told(user.database)
        moment, seconds = (None, kill) if isinstance(kill, float) else (kill, None)
        file = user.folder / REPORT
        file.unlink(missing_ok=True)
        words = [str(user.folder / word) if word in {REPORT, BACKUP} else word for word in command]
        life = self._nursery.run(user, *words, kill=moment, seconds=seconds)
        printed = life.out or (file.read_text("utf-8") if file.exists() else "")
        recorded = life.code != KILLED or _last_told(user.database) != before
        titles = _titles(printed, whole=life.code != KILLED)
        if titles:
            trace.tellings.append(Telling(titles, recorded))
        if life.code == KILLED:
            trace.deaths.append(life.moments[-1] if seconds is None and life.moments else "at some time")
            damage = problems(user.database) + problems(user.folder / BACKUP)
            trace.damage += damage
            trace.intact += not damage
        return life


def _titles(printed: str, *, whole: bool) -> tuple[str, ...]:
    """What a report tells; one that is there a second time by its own word, or that breaks off, tells nothing."""
    try:
        report: dict[str, Any] = json.loads(printed) if printed else {}
    except ValueError:
        if whole:
            raise
        return ()
    if not isinstance(report, dict) or report.get("run", {}).get("mode") == Mode.REPEAT:
        return ()
    return tuple(line["title"] for line in report.get("releases", ()))


def _last_told(database: Path) -> int:
    """The number of the last report that counts as told."""
    if not database.exists() or not database.stat().st_size:
        return 0
    with closing(sqlite3.connect(database)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'reports'").fetchone():
            return 0
        query = "SELECT coalesce(max(id), 0) FROM reports WHERE told_at IS NOT NULL"
        return int(connection.execute(query).fetchone()[0])


def problems(database: Path) -> list[str]:
    """What is wrong with a database: SQLite's checks of the file and its references, and the store's own."""
    if not database.exists() or not database.stat().st_size:
        return []
    with closing(sqlite3.connect(database)) as connection:
        found = [str(row) for row in connection.execute("PRAGMA integrity_check") if row != ("ok",)]
        found += [str(row) for row in connection.execute("PRAGMA foreign_key_check")]
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == max(migrate.migrations()):
        found += flaws(database)
    return found


def of_first_schema(database: Path, target: Path) -> Path:
    """Write what a database holds into one of the first schema, as the first freshwax would have left it."""
    with closing(sqlite3.connect(target, isolation_level=None)) as old:
        migrate.migrate(old, str(target), {1: migrate.migrations()[1]})
        old.execute("ATTACH ? AS now", (str(database),))
        for (table,) in old.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            there = {row[1]: row[1] for row in old.execute(f"PRAGMA now.table_info({table})")}
            if table == "releases":
                there["credits"] = "(SELECT credits FROM now.credit_lists c WHERE c.id = credits_id)"
            columns = [row[1] for row in old.execute(f"PRAGMA main.table_info({table})") if row[1] in there]
            if columns:
                values = ", ".join(there[column] for column in columns)
                old.execute(f"DELETE FROM main.{table}")
                old.execute(f"INSERT INTO main.{table} ({', '.join(columns)}) SELECT {values} FROM now.{table}")
        old.execute("PRAGMA journal_mode = WAL")
    return target
