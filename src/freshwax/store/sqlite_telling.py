"""What waits to be told, reports, and the memory of what was told, in SQLite."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec import json
from msgspec.structs import replace

from freshwax.model import Announcement, ArtistState, Ref, Report
from freshwax.store import rows
from freshwax.store.sqlite_part import Part, release_key


class TellingPart(Part):
    """Outbox, reports, memory."""

    def untold(self, channel: str, artists: Collection[Ref] | None = None) -> list[Announcement]:
        """See ``Store.untold``."""
        wanted = None if artists is None else frozenset(artists)
        with self._db.reading():
            meant = {
                key
                for key, source, source_id, state in self._db.each("outbox_artists", (channel,))
                if (state != ArtistState.REMOVED if wanted is None else Ref(source, source_id) in wanted)
            }
            return [rows.announcement(row) for row in self._db.each("outbox", (channel,)) if row[-1] in meant]

    def save_report(self, report: Report) -> Report:
        """See ``Store.save_report``."""
        with self._writing():
            self._db.run("reports_drop_untold", (report.channel,))
            texts = (rows.run_snapshot(report.run), json.encode(report.notes).decode())
            number = self._db.run("report_add", (report.channel, report.mode.value, report.run.id, *texts))
            lines = [
                (number, position, release_key(self._db, line.release.ref), line.kind.value, line.hidden_by)
                for position, line in enumerate(report.lines)
            ]
            self._db.run_many("line_add", lines)
        return replace(report, id=number)

    def tell(self, report_id: int, at: datetime) -> None:
        """See ``Store.tell``."""
        values = {"report": report_id, "at": rows.stamp(at)}
        with self._writing():
            found = self._db.row("report_told_at", (report_id,))
            if found is None:
                raise KeyError(report_id)
            if found[0] is not None:
                return
            for statement in ("report_tell", "told_add", "outbox_tell", "outbox_tell_upcoming"):
                self._db.run(statement, values)

    def last_report(self, channel: str) -> Report | None:
        """See ``Store.last_report``."""
        with self._db.reading():
            row = self._db.row("report_last", (channel,))
            return self._report(row) if row else None

    def reports(self, run_id: int) -> list[Report]:
        """See ``Store.reports``."""
        with self._db.reading():
            return [self._report(row) for row in self._db.rows("reports", (run_id,))]

    def _report(self, row: rows.Row) -> Report:
        number, channel, mode, run, notes = row
        return Report(
            id=number,
            channel=channel,
            mode=rows.mode(mode),
            run=rows.run_of_snapshot(run),
            lines=tuple(rows.line(line) for line in self._db.rows("lines", (number,))),
            notes=rows.notes(notes),
        )
